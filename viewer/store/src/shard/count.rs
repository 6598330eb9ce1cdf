//! What is counted of some rows: each kind of answer as rows come and, where that can be, go again.

use super::flows::FlowCount;
use crate::cells::{Cells, NO_CELL};
use crate::columns::{BLOCK_LEN, Columns, RowBatch};
use crate::density::{Density, Grid};
use crate::query::QueryKind;
use crate::tally::Tally;
use viewer_model::axis::{Bins, Quantity};
use viewer_model::protocol::CLASS_COUNT;

/// How far from the pointed cell a packet may be, in cells.
const REACH: usize = 4;

/// What several answers are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Base {
    Total,
    Bins(Bins),
    Density(Grid),
    Ports,
    Flows,
    Nearest { grid: Grid, cell: (usize, usize) },
}

impl Base {
    /// What a question is answered from; `None` for one about the order of packets.
    pub(super) fn of(kind: &QueryKind) -> Option<Self> {
        Some(match kind {
            QueryKind::Total => Self::Total,
            QueryKind::Bins(bins) => Self::Bins(*bins),
            QueryKind::Density(grid) => Self::Density(*grid),
            QueryKind::Ports => Self::Ports,
            QueryKind::Sources
            | QueryKind::Destinations
            | QueryKind::Protocols
            | QueryKind::Conversations => Self::Flows,
            QueryKind::Nearest { grid, cell } => Self::Nearest { grid: *grid, cell: *cell },
            QueryKind::Ranks { .. } | QueryKind::Rows { .. } => return None,
        })
    }

    /// True for counts of the same view, whatever it shows of its values.
    pub(super) fn is_of_view(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bins(bins), Self::Bins(others)) => bins.axis.quantity == others.axis.quantity,
            (Self::Density(_), Self::Density(_)) => true,
            _ => self == other,
        }
    }
}

/// A count on its way.
#[derive(Debug)]
pub(super) enum Count {
    Total(Tally),
    Bins(Axis, Vec<Tally>),
    Density(Plane, Density),
    Ports(Vec<Tally>),
    Flows(FlowCount),
    Nearest { plane: Plane, cell: (usize, usize), best: Option<Near> },
}

/// The nearest row so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Near {
    pub(super) distance: usize,
    pub(super) index: usize,
    pub(super) cell: (usize, usize),
}

/// An axis with the cells of some rows.
#[derive(Debug)]
pub(super) struct Axis {
    value: Quantity,
    cells: Cells,
    found: Box<[u16; BLOCK_LEN]>,
}

impl Axis {
    fn new(bins: &Bins) -> Self {
        let found = Box::new([NO_CELL; BLOCK_LEN]);
        Self { value: bins.axis.quantity, cells: Cells::new(bins), found }
    }

    /// Finds the cells of rows; says which one it is where all of them have the same.
    fn find(&mut self, batch: &mut RowBatch<'_>) -> Option<u16> {
        let Self { value, cells, found } = self;
        if let Some(cell) = batch.bounds(*value).and_then(|bounds| cells.common(bounds)) {
            found[..batch.len()].fill(cell);
            return Some(cell);
        }
        batch.read(*value);
        cells.find(batch.values(*value), &mut found[..]);
        None
    }
}

/// Two axes.
#[derive(Debug)]
pub(super) struct Plane {
    x: Axis,
    y: Axis,
}

impl Plane {
    fn new(grid: &Grid) -> Self {
        Self { x: Axis::new(&grid.x), y: Axis::new(&grid.y) }
    }
}

impl Count {
    /// Nothing counted yet.
    pub(super) fn new(base: &Base, columns: &Columns) -> Self {
        match base {
            Base::Total => Self::Total(Tally::default()),
            Base::Bins(bins) => {
                Self::Bins(Axis::new(bins), vec![Tally::default(); CLASS_COUNT * bins.count])
            }
            Base::Density(grid) => {
                let classes = columns.kinds().iter().map(|kind| kind.class);
                Self::Density(Plane::new(grid), Density::new(grid, classes))
            }
            Base::Ports => Self::Ports(vec![Tally::default(); 1 << 16]),
            Base::Flows => Self::Flows(FlowCount::new(columns)),
            Base::Nearest { grid, cell } => {
                Self::Nearest { plane: Plane::new(grid), cell: *cell, best: None }
            }
        }
    }

    /// Counts rows, in or, where `ADD` is false, out again. `of_kinds` has the class of each kind.
    pub(super) fn count<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>, of_kinds: &[u8]) {
        match self {
            Self::Total(tally) => {
                batch.read(Quantity::Size);
                let bytes = batch.values(Quantity::Size).iter().map(|len| len.unsigned_abs()).sum();
                tally.update::<ADD>(Tally { packets: batch.len() as u64, bytes });
            }
            Self::Bins(axis, tallies) => {
                let all_in = axis.find(batch);
                if all_in == Some(NO_CELL) {
                    return;
                }
                batch.read(Quantity::Size);
                batch.read_classes(of_kinds);
                let rows = batch.classes().iter().zip(batch.values(Quantity::Size));
                bins::<ADD>(axis, all_in, tallies, rows);
            }
            Self::Density(Plane { x, y }, density) => {
                if x.find(batch) == Some(NO_CELL) || y.find(batch) == Some(NO_CELL) {
                    return;
                }
                batch.read_classes(of_kinds);
                let cells = x.found.iter().zip(&*y.found);
                for (class, (column, row)) in batch.classes().iter().zip(cells) {
                    if *column != NO_CELL && *row != NO_CELL {
                        density.update::<ADD>(
                            usize::from(*class),
                            usize::from(*column),
                            usize::from(*row),
                        );
                    }
                }
            }
            Self::Ports(tallies) => {
                batch.read(Quantity::DestinationPort);
                batch.read(Quantity::Size);
                let ports = batch.values(Quantity::DestinationPort).iter();
                for (port, len) in ports.zip(batch.values(Quantity::Size)) {
                    if let Ok(port) = u16::try_from(*port) {
                        tallies[usize::from(port)].update::<ADD>(Tally::of(len.unsigned_abs()));
                    }
                }
            }
            Self::Flows(flows) => flows.count::<ADD>(batch),
            Self::Nearest { plane, cell, best } => nearest(plane, *cell, best, batch),
        }
    }
}

/// Rows are classes with lengths.
fn bins<'a, const ADD: bool>(
    axis: &Axis,
    all_in: Option<u16>,
    tallies: &mut [Tally],
    rows: impl Iterator<Item = (&'a u8, &'a i64)>,
) {
    let count = axis.cells.count();
    let Some(cell) = all_in else {
        for (cell, (class, len)) in axis.found.iter().zip(rows) {
            if *cell != NO_CELL
                && let Some(tally) =
                    tallies.get_mut(usize::from(*class) * count + usize::from(*cell))
            {
                tally.update::<ADD>(Tally::of(len.unsigned_abs()));
            }
        }
        return;
    };
    let mut sums = [Tally::default(); CLASS_COUNT];
    for (class, len) in rows {
        if let Some(sum) = sums.get_mut(usize::from(*class)) {
            sum.add(Tally::of(len.unsigned_abs()));
        }
    }
    for (class, sum) in sums.into_iter().enumerate() {
        tallies[class * count + usize::from(cell)].update::<ADD>(sum);
    }
}

fn nearest(
    Plane { x, y }: &mut Plane,
    cell: (usize, usize),
    best: &mut Option<Near>,
    batch: &mut RowBatch<'_>,
) {
    let is_far = |found: Option<u16>, cell: usize| {
        found.is_some_and(|found| found == NO_CELL || REACH < usize::from(found).abs_diff(cell))
    };
    if is_far(x.find(batch), cell.0) || is_far(y.find(batch), cell.1) {
        return;
    }
    let cells = x.found.iter().zip(&*y.found);
    for (row, (x, y)) in cells.take(batch.len()).enumerate() {
        if *x == NO_CELL || *y == NO_CELL {
            continue;
        }
        let found = (usize::from(*x), usize::from(*y));
        let (dx, dy) = (found.0.abs_diff(cell.0), found.1.abs_diff(cell.1));
        if REACH < dx || REACH < dy {
            continue;
        }
        let distance = dx * dx + dy * dy;
        if distance <= REACH * REACH && best.is_none_or(|best| distance < best.distance) {
            *best = Some(Near { distance, index: batch.index(row), cell: found });
        }
    }
}
