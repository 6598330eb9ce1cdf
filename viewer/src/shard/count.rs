//! What is counted of some rows: each kind of answer as rows come and, where that can be, go again.

use super::flows::FlowCount;
use crate::axis::{ABSENT, Bins, Cells, NO_CELL, Value};
use crate::columns::{BLOCK_LEN, Columns, Rows};
use crate::density::Density;
use crate::protocol::{CLASS_COUNT, Class};
use crate::query::{Grid, Tally, What};

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
    pub(super) fn of(what: &What) -> Option<Self> {
        Some(match what {
            What::Total => Self::Total,
            What::Bins(bins) => Self::Bins(*bins),
            What::Density(grid) => Self::Density(*grid),
            What::Ports => Self::Ports,
            What::Sources | What::Destinations | What::Protocols | What::Conversations => {
                Self::Flows
            }
            What::Nearest { grid, cell } => Self::Nearest { grid: *grid, cell: *cell },
            What::Ranks { .. } | What::Rows { .. } => return None,
        })
    }
}

impl Base {
    /// True for counts of the same view, whatever it shows of its values.
    pub(super) fn is_of_view(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bins(bins), Self::Bins(others)) => bins.axis.value == others.axis.value,
            (Self::Density(_), Self::Density(_)) => true,
            _ => self == other,
        }
    }
}

/// Rows of a block that come or go.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'a> {
    /// Their places in the block.
    pub(super) places: &'a [u16],
    /// The class of each kind.
    pub(super) classes: &'a [Class],
}

impl Chosen<'_> {
    #[inline]
    fn class(self, kinds: &[u16], place: u16) -> usize {
        let kind = kinds.get(usize::from(place)).map_or(0, |kind| usize::from(*kind));
        self.classes.get(kind).map_or(0, |class| class.index())
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

/// An axis with the cells of a block's rows.
#[derive(Debug)]
pub(super) struct Axis {
    value: Value,
    cells: Cells,
    found: Box<[u16; BLOCK_LEN]>,
}

impl Axis {
    fn new(bins: &Bins) -> Self {
        let found = Box::new([NO_CELL; BLOCK_LEN]);
        Self { value: bins.axis.value, cells: Cells::new(bins), found }
    }

    /// Finds the cells of rows; says which one it is where all of the block have the same.
    fn find(&mut self, rows: &mut Rows<'_>, places: &[u16]) -> Option<u16> {
        let Self { value, cells, found } = self;
        if let Some(cell) = rows.bounds(*value).and_then(|bounds| cells.common(bounds)) {
            found.fill(cell);
            return Some(cell);
        }
        let is_few = rows.reads_few(places);
        let values = rows.at(*value, places);
        if is_few {
            for place in places {
                let place = usize::from(*place) % BLOCK_LEN;
                found[place] = cells.cell(values.get(place).copied().unwrap_or(ABSENT));
            }
        } else {
            cells.find(values, &mut found[..values.len()]);
        }
        None
    }

    fn at(&self, place: u16) -> u16 {
        self.found[usize::from(place) % BLOCK_LEN]
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

    /// Counts rows of a block, in or, where `COMES` is false, out again.
    pub(super) fn count<const COMES: bool>(&mut self, rows: &mut Rows<'_>, chosen: Chosen<'_>) {
        if chosen.places.is_empty() {
            return;
        }
        let places = chosen.places;
        match self {
            Self::Total(tally) => {
                let lens = rows.at(Value::Size, places);
                let bytes = places.iter().map(|place| len(lens, *place)).sum();
                tally.change::<COMES>(Tally { packets: places.len() as u64, bytes });
            }
            Self::Bins(axis, tallies) => {
                let all_in = axis.find(rows, places);
                let (kinds, lens) = (rows.kinds(), rows.at(Value::Size, places));
                bins::<COMES>(axis, all_in, tallies, (kinds, lens), chosen);
            }
            Self::Density(Plane { x, y }, density) => {
                let is_outside = |found| found == Some(NO_CELL);
                if is_outside(x.find(rows, places)) || is_outside(y.find(rows, places)) {
                    return;
                }
                let kinds = rows.kinds();
                for place in places {
                    let (column, row) = (x.at(*place), y.at(*place));
                    if column != NO_CELL && row != NO_CELL {
                        let class = chosen.class(kinds, *place);
                        density.change::<COMES>(class, column.into(), row.into());
                    }
                }
            }
            Self::Ports(tallies) => {
                let (ports, lens) = rows.both_at(Value::DestinationPort, Value::Size, places);
                for place in places {
                    if let Ok(port) = u16::try_from(value(ports, *place)) {
                        tallies[usize::from(port)].change::<COMES>(Tally::of(len(lens, *place)));
                    }
                }
            }
            Self::Flows(flows) => flows.count::<COMES>(rows, places),
            Self::Nearest { plane, cell, best } => nearest(plane, *cell, best, rows, places),
        }
    }
}

/// A row's length; places are of rows that are there.
fn len(lens: &[i64], place: u16) -> u64 {
    value(lens, place).unsigned_abs()
}

fn value(values: &[i64], place: u16) -> i64 {
    values.get(usize::from(place)).copied().unwrap_or(0)
}

fn bins<const COMES: bool>(
    axis: &Axis,
    all_in: Option<u16>,
    tallies: &mut [Tally],
    (kinds, lens): (&[u16], &[i64]),
    chosen: Chosen<'_>,
) {
    let count = axis.cells.count();
    let Some(cell) = all_in else {
        for place in chosen.places {
            let cell = axis.at(*place);
            if cell != NO_CELL {
                let tally = &mut tallies[chosen.class(kinds, *place) * count + usize::from(cell)];
                tally.change::<COMES>(Tally::of(len(lens, *place)));
            }
        }
        return;
    };
    if cell == NO_CELL {
        return;
    }
    let mut sums = [Tally::default(); CLASS_COUNT];
    for place in chosen.places {
        sums[chosen.class(kinds, *place)].add(Tally::of(len(lens, *place)));
    }
    for (class, sum) in sums.into_iter().enumerate() {
        tallies[class * count + usize::from(cell)].change::<COMES>(sum);
    }
}

fn nearest(
    Plane { x, y }: &mut Plane,
    cell: (usize, usize),
    best: &mut Option<Near>,
    rows: &mut Rows<'_>,
    places: &[u16],
) {
    let is_far = |found: Option<u16>, cell: usize| {
        found.is_some_and(|found| found == NO_CELL || REACH < usize::from(found).abs_diff(cell))
    };
    if is_far(x.find(rows, places), cell.0) || is_far(y.find(rows, places), cell.1) {
        return;
    }
    for place in places {
        let (column, row) = (x.at(*place), y.at(*place));
        if column == NO_CELL || row == NO_CELL {
            continue;
        }
        let found = (usize::from(column), usize::from(row));
        let (dx, dy) = (found.0.abs_diff(cell.0), found.1.abs_diff(cell.1));
        if REACH < dx || REACH < dy {
            continue;
        }
        let distance = dx * dx + dy * dy;
        if distance <= REACH * REACH && best.is_none_or(|best| distance < best.distance) {
            let index = rows.range().start + usize::from(*place);
            *best = Some(Near { distance, index, cell: found });
        }
    }
}
