//! Accumulators: running results of queries, to which rows can be added and from which most can be
//! removed.

use super::aggregate::Aggregate;
use super::flow_counter::{FieldCounter, FlowCounter};
use crate::bin_lookup::{BinLookup, NO_BIN};
use crate::columns::{BLOCK_LEN, Columns, RowBatch};
use crate::density::{Density, Grid};
use crate::tally::Tally;
use viewer_model::axis::{Bins, Quantity};
use viewer_model::protocol::{CLASS_COUNT, Class};

/// Maximum distance in cells between the pointer and the nearest packet.
const MAX_DISTANCE: usize = 4;

/// A running result.
#[derive(Debug)]
pub(super) enum Accumulator {
    Total(Tally),
    Bins(BinCounts),
    Density(BinnedPlane, Density),
    Ports(Vec<Tally>),
    Field(FieldCounter),
    Flows(FlowCounter),
    Nearest { plane: BinnedPlane, cell: (usize, usize), best: Option<NearRow> },
}

/// A row near the pointer.
#[derive(Clone, Copy, Debug)]
pub(super) struct NearRow {
    pub(super) distance: usize,
    pub(super) index: usize,
    pub(super) cell: (usize, usize),
}

/// Bins of an axis and the bin of each row of a batch.
#[derive(Debug)]
pub(super) struct BinnedAxis {
    value: Quantity,
    cells: BinLookup,
    found: Box<[u16; BLOCK_LEN]>,
}

impl BinnedAxis {
    fn new(bins: &Bins) -> Self {
        let found = Box::new([NO_BIN; BLOCK_LEN]);
        Self { value: bins.axis.quantity, cells: BinLookup::new(bins), found }
    }

    /// Finds the bin of each row. Returns the bin if all rows share it.
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

/// Packets and bytes by class and bin.
#[derive(Debug)]
pub(super) struct BinCounts {
    axis: BinnedAxis,
    /// `tallies[class * bin_count + bin]`.
    pub(super) tallies: Vec<Tally>,
    /// The number of rows that were counted, in bins or outside of them.
    row_count: u64,
}

impl BinCounts {
    fn new(bins: &Bins) -> Self {
        let tallies = vec![Tally::default(); CLASS_COUNT * bins.count];
        Self { axis: BinnedAxis::new(bins), tallies, row_count: 0 }
    }

    /// The counts of other bins; `None` if the rows must be counted for that: some of them are outside, or in a bin
    /// that is not a part of one of these bins.
    fn rebinned(&self, bins: &Bins) -> Option<Self> {
        let Self { axis, tallies, row_count } = self;
        let counted = tallies.iter().map(|tally| tally.packets).sum::<u64>();
        if axis.value != bins.axis.quantity || counted != *row_count {
            return None;
        }
        let mut rebinned = Self { row_count: counted, ..Self::new(bins) };
        let count = axis.cells.count();
        for (index, tally) in tallies.iter().enumerate().filter(|(_, tally)| 0 < tally.packets) {
            let bin = rebinned.axis.cells.common(axis.cells.bounds(index % count))?;
            let index = index / count * bins.count + usize::from(bin);
            rebinned.tallies.get_mut(index).filter(|_| bin != NO_BIN)?.add(*tally);
        }
        Some(rebinned)
    }
}

/// Two binned axes.
#[derive(Debug)]
pub(super) struct BinnedPlane {
    x: BinnedAxis,
    y: BinnedAxis,
}

impl BinnedPlane {
    fn new(grid: &Grid) -> Self {
        Self { x: BinnedAxis::new(&grid.x), y: BinnedAxis::new(&grid.y) }
    }
}

impl Accumulator {
    /// An accumulator without rows, which are counted in these classes.
    pub(super) fn new(aggregate: &Aggregate, columns: &Columns, classes: &[Class]) -> Self {
        match aggregate {
            Aggregate::Total => Self::Total(Tally::default()),
            Aggregate::Bins(bins) => Self::Bins(BinCounts::new(bins)),
            Aggregate::Density(grid) => {
                let density = Density::new(grid, classes.iter().copied());
                Self::Density(BinnedPlane::new(grid), density)
            }
            Aggregate::Ports => Self::Ports(vec![Tally::default(); 1 << 16]),
            Aggregate::Field(field) => Self::Field(FieldCounter::new(*field, columns)),
            Aggregate::Flows { by_ports } => Self::Flows(FlowCounter::new(columns, *by_ports)),
            Aggregate::Nearest { grid, cell } => {
                Self::Nearest { plane: BinnedPlane::new(grid), cell: *cell, best: None }
            }
        }
    }

    /// The result of another aggregate over the same rows, if it follows from this one.
    pub(super) fn converted(&self, aggregate: &Aggregate) -> Option<Self> {
        match (self, aggregate) {
            (Self::Bins(counts), Aggregate::Bins(bins)) => counts.rebinned(bins).map(Self::Bins),
            _ => None,
        }
    }

    /// Makes room for rows that were added to the columns, which are counted in these classes.
    pub(super) fn grow(&mut self, columns: &Columns, classes: &[Class]) {
        match self {
            Self::Density(_, density) => density.add_classes(classes),
            Self::Field(counter) => counter.grow(columns),
            Self::Flows(counter) => counter.grow(columns),
            Self::Total(_) | Self::Bins(..) | Self::Ports(_) | Self::Nearest { .. } => {}
        }
    }

    /// Adds the rows of a batch, or removes them unless `ADD`. `classes` holds the protocol class of
    /// each packet kind.
    pub(super) fn update<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>, classes: &[u8]) {
        match self {
            Self::Total(tally) => {
                batch.read(Quantity::Size);
                let bytes = batch.values(Quantity::Size).iter().map(|len| len.unsigned_abs()).sum();
                tally.update::<ADD>(Tally { packets: batch.len() as u64, bytes });
            }
            Self::Bins(BinCounts { axis, tallies, row_count }) => {
                let rows = batch.len() as u64;
                *row_count = if ADD { *row_count + rows } else { row_count.wrapping_sub(rows) };
                let common_bin = axis.find(batch);
                if common_bin == Some(NO_BIN) {
                    return;
                }
                batch.read(Quantity::Size);
                batch.read_classes(classes);
                let rows = batch.classes().iter().zip(batch.values(Quantity::Size));
                bins::<ADD>(axis, common_bin, tallies, rows);
            }
            Self::Density(BinnedPlane { x, y }, density) => {
                if x.find(batch) == Some(NO_BIN) || y.find(batch) == Some(NO_BIN) {
                    return;
                }
                batch.read_classes(classes);
                let cells = x.found.iter().zip(&*y.found);
                for (class, (column, row)) in batch.classes().iter().zip(cells) {
                    if *column != NO_BIN && *row != NO_BIN {
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
            Self::Field(counter) => counter.count::<ADD>(batch),
            Self::Flows(counter) => counter.count::<ADD>(batch),
            Self::Nearest { plane, cell, best } => nearest(plane, *cell, best, batch),
        }
    }
}

/// `rows` are protocol classes and lengths; `common_bin` is the bin that all rows share, if any.
fn bins<'a, const ADD: bool>(
    axis: &BinnedAxis,
    common_bin: Option<u16>,
    tallies: &mut [Tally],
    rows: impl Iterator<Item = (&'a u8, &'a i64)>,
) {
    let count = axis.cells.count();
    let Some(cell) = common_bin else {
        for (cell, (class, len)) in axis.found.iter().zip(rows) {
            if *cell != NO_BIN
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
    BinnedPlane { x, y }: &mut BinnedPlane,
    cell: (usize, usize),
    best: &mut Option<NearRow>,
    batch: &mut RowBatch<'_>,
) {
    let is_far = |found: Option<u16>, cell: usize| {
        found.is_some_and(|found| {
            found == NO_BIN || MAX_DISTANCE < usize::from(found).abs_diff(cell)
        })
    };
    if is_far(x.find(batch), cell.0) || is_far(y.find(batch), cell.1) {
        return;
    }
    let cells = x.found.iter().zip(&*y.found);
    for (row, (x, y)) in cells.take(batch.len()).enumerate() {
        if *x == NO_BIN || *y == NO_BIN {
            continue;
        }
        let found = (usize::from(*x), usize::from(*y));
        let (dx, dy) = (found.0.abs_diff(cell.0), found.1.abs_diff(cell.1));
        if MAX_DISTANCE < dx || MAX_DISTANCE < dy {
            continue;
        }
        let distance = dx * dx + dy * dy;
        if distance <= MAX_DISTANCE * MAX_DISTANCE
            && best.is_none_or(|best| distance < best.distance)
        {
            *best = Some(NearRow { distance, index: batch.index(row), cell: found });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::tests::packet;
    use viewer_model::axis::{Axis, Scale, Span};

    fn bins(start: i64, width: i64, count: usize) -> Bins {
        let end = start + width * i64::try_from(count).unwrap();
        let axis =
            Axis { quantity: Quantity::Time, scale: Scale::Linear, span: Span::new(start, end) };
        Bins { axis, count, is_closed: false }
    }

    /// Packets at these times.
    fn counted(times: &[i64], bins: Bins) -> BinCounts {
        let mut columns = Columns::default();
        for (n, ts_ns) in (0..).zip(times) {
            columns.push(&packet(n + 1, *ts_ns, 60, "udp"), n).unwrap();
        }
        let mut batch = RowBatch::new(&columns, None);
        batch.push(0, &crate::columns::BlockMask::first(times.len()));
        let mut counts = Accumulator::Bins(BinCounts::new(&bins));
        let classes: Vec<_> = columns.classes().into_iter().map(|class| class as u8).collect();
        counts.update::<true>(&mut batch, &classes);
        let Accumulator::Bins(counts) = counts else { panic!() };
        counts
    }

    #[test]
    fn bins_are_derived_from_their_parts() {
        let times = [10, 11, 14, 29];
        for (bins, other, is_derived) in [
            // More bins, and bins of twice the width that begin earlier or later.
            (bins(10, 2, 10), bins(0, 2, 50), true),
            (bins(10, 2, 10), bins(8, 4, 6), true),
            (bins(0, 2, 50), bins(10, 2, 10), true),
            // A part of a bin without packets.
            (bins(10, 2, 10), bins(7, 9, 3), true),
            // A part of a bin with packets.
            (bins(10, 2, 10), bins(7, 4, 6), false),
            (bins(10, 2, 10), bins(10, 1, 20), false),
            // Packets are outside of the old or of the new bins.
            (bins(10, 2, 9), bins(0, 2, 50), false),
            (bins(10, 2, 10), bins(12, 2, 10), false),
        ] {
            let derived = counted(&times, bins).rebinned(&other);
            assert_eq!(derived.is_some(), is_derived, "{bins:?} {other:?}");
            let expected = counted(&times, other);
            if let Some(derived) = derived {
                assert_eq!((derived.tallies, derived.row_count), (expected.tallies, 4));
            }
        }
    }
}
