//! Answers that are counted in one pass over all rows, a block at a time.

use crate::axis::{Cells, NO_CELL};
use crate::columns::{BLOCK_LEN, Block, Columns};
use crate::protocol::CLASS_COUNT;
use crate::query::{Answer, FlowTally, Grid, Hit, Tally, What};

/// How far from the pointed cell a packet may be, in cells.
const REACH: usize = 4;

/// An answer on its way.
#[derive(Debug)]
pub(super) enum Count {
    Total(Tally),
    Bins { cells: Axis, tallies: Vec<Tally> },
    Density { x: Axis, y: Axis, counts: Vec<u32> },
    Ports { tallies: Vec<Tally> },
    Flows { tallies: Vec<Option<FlowTally>> },
    Nearest { x: Axis, y: Axis, cell: (usize, usize), best: Option<Near> },
}

/// The nearest row so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    distance: usize,
    index: usize,
    cell: (usize, usize),
}

/// An axis with the cells of a block's rows.
#[derive(Debug)]
pub(super) struct Axis {
    value: crate::axis::Value,
    cells: Cells,
    found: Vec<u16>,
}

impl Axis {
    fn new(bins: &crate::axis::Bins) -> Self {
        let found = vec![NO_CELL; BLOCK_LEN];
        Self { value: bins.axis.value, cells: Cells::new(bins), found }
    }

    fn find(&mut self, block: &mut Block<'_>) {
        let len = block.rows().len();
        self.cells.find(block.values(self.value), &mut self.found[..len]);
    }

    fn at(&self, row: u16) -> Option<usize> {
        match self.found[usize::from(row)] {
            NO_CELL => None,
            cell => Some(usize::from(cell)),
        }
    }
}

impl Count {
    /// Nothing counted yet; `None` for what is not answered by counting.
    pub(super) fn new(what: &What, columns: &Columns) -> Option<Self> {
        let axes = |grid: &Grid| (Axis::new(&grid.x), Axis::new(&grid.y));
        Some(match what {
            What::Total => Self::Total(Tally::default()),
            What::Bins(bins) => Self::Bins {
                cells: Axis::new(bins),
                tallies: vec![Tally::default(); CLASS_COUNT * bins.count],
            },
            What::Density(grid) => {
                let (x, y) = axes(grid);
                Self::Density { x, y, counts: vec![0; CLASS_COUNT * grid.cell_count()] }
            }
            What::Ports => Self::Ports { tallies: vec![Tally::default(); 1 << 16] },
            What::Flows => Self::Flows { tallies: vec![None; columns.flows().len()] },
            What::Nearest { grid, cell } => {
                let (x, y) = axes(grid);
                Self::Nearest { x, y, cell: *cell, best: None }
            }
            What::Ranks { .. } | What::Rows { .. } => return None,
        })
    }

    /// Counts some rows of a block; `classes` is by kind.
    pub(super) fn add(&mut self, block: &mut Block<'_>, rows: &[u16], classes: &[u8]) {
        if rows.is_empty() {
            return;
        }
        let all = block.rows();
        let columns = block.columns();
        let lens = &columns.lens()[all.clone()];
        let kinds = &columns.kind_ids()[all.clone()];
        let class = |row: u16| usize::from(classes[usize::from(kinds[usize::from(row)])]);
        match self {
            Self::Total(tally) => {
                rows.iter().for_each(|row| tally.count(lens[usize::from(*row)]));
            }
            Self::Bins { cells, tallies } => {
                cells.find(block);
                let count = cells.cells.count();
                for row in rows {
                    if let Some(cell) = cells.at(*row) {
                        tallies[class(*row) * count + cell].count(lens[usize::from(*row)]);
                    }
                }
            }
            Self::Density { x, y, counts } => {
                x.find(block);
                y.find(block);
                let (columns, rows_count) = (x.cells.count(), y.cells.count());
                for row in rows {
                    if let (Some(column), Some(cell_row)) = (x.at(*row), y.at(*row)) {
                        counts[(class(*row) * rows_count + cell_row) * columns + column] += 1;
                    }
                }
            }
            Self::Ports { tallies } => {
                let ports = block.values(crate::axis::Value::DestinationPort);
                for row in rows {
                    if let Ok(port) = u16::try_from(ports[usize::from(*row)]) {
                        tallies[usize::from(port)].count(lens[usize::from(*row)]);
                    }
                }
            }
            Self::Flows { tallies } => {
                let flows = &columns.flow_ids()[all.clone()];
                let times = &columns.ts_ns()[all];
                for row in rows {
                    let row = usize::from(*row);
                    let ts = times[row];
                    let tally = tallies[flows[row] as usize].get_or_insert(FlowTally {
                        part: 0,
                        flow: flows[row],
                        tally: Tally::default(),
                        ts_ns: (ts, ts),
                    });
                    tally.tally.count(lens[row]);
                    tally.ts_ns = (tally.ts_ns.0.min(ts), tally.ts_ns.1.max(ts));
                }
            }
            Self::Nearest { x, y, cell, best } => {
                x.find(block);
                y.find(block);
                for row in rows {
                    let (Some(column), Some(cell_row)) = (x.at(*row), y.at(*row)) else { continue };
                    let (dx, dy) = (column.abs_diff(cell.0), cell_row.abs_diff(cell.1));
                    if REACH < dx || REACH < dy {
                        continue;
                    }
                    let distance = dx * dx + dy * dy;
                    if distance <= REACH * REACH && best.is_none_or(|best| distance < best.distance)
                    {
                        let index = all.start + usize::from(*row);
                        *best = Some(Near { distance, index, cell: (column, cell_row) });
                    }
                }
            }
        }
    }

    /// What was counted, of that part; `packet` spells a row out.
    pub(super) fn finish(
        self,
        part: usize,
        packet: impl FnOnce(usize) -> crate::query::Packet,
    ) -> Answer {
        match self {
            Self::Total(tally) => Answer::Total(tally),
            Self::Bins { tallies, .. } => Answer::Bins(tallies),
            Self::Density { counts, .. } => Answer::Density(counts),
            Self::Ports { tallies } => {
                let ports = (0..=u16::MAX).zip(tallies);
                Answer::Ports(ports.filter(|(_, tally)| 0 < tally.packets).collect())
            }
            Self::Flows { tallies } => {
                let flows = tallies.into_iter().flatten();
                Answer::Flows(flows.map(|flow| FlowTally { part, ..flow }).collect())
            }
            Self::Nearest { best, .. } => Answer::Nearest(best.map(|near| Hit {
                distance: near.distance,
                cell: near.cell,
                packet: packet(near.index),
            })),
        }
    }
}
