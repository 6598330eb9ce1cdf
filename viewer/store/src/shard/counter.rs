//! An accumulator together with the packets that it covers.

use super::accumulator::Accumulator;
use super::aggregate::Aggregate;
use crate::columns::Columns;
use viewer_model::protocol::Class;
use viewer_model::selection::DimensionSet;

/// An accumulator over the packets that are selected in some dimensions.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) aggregate: Aggregate,
    pub(super) dimensions: DimensionSet,
    pub(super) accumulator: Accumulator,
    /// Whether it covers the previous selection; otherwise it is still empty.
    pub(super) is_primed: bool,
    /// Number of selection changes since it was last requested.
    pub(super) idle_count: u8,
    /// Number of times that rows were added since it was last requested.
    pub(super) unused_count: u8,
}

impl Counter {
    /// A counter without packets. They are counted in these classes.
    pub(super) fn new(
        aggregate: Aggregate,
        dimensions: DimensionSet,
        columns: &Columns,
        classes: &[Class],
    ) -> Self {
        let accumulator = Accumulator::new(&aggregate, columns, classes);
        let (idle_count, unused_count) = (0, 0);
        Self { aggregate, dimensions, accumulator, is_primed: false, idle_count, unused_count }
    }

    /// A counter of the same packets for another aggregate, if its counts follow from these.
    pub(super) fn derived(&self, aggregate: Aggregate, dimensions: DimensionSet) -> Option<Self> {
        let accumulator = match self.is_primed && self.dimensions == dimensions {
            true => self.accumulator.converted(&aggregate)?,
            false => return None,
        };
        let (idle_count, unused_count) = (0, 0);
        Some(Self { aggregate, dimensions, accumulator, is_primed: true, idle_count, unused_count })
    }

    pub(super) fn key(&self) -> (Aggregate, DimensionSet) {
        (self.aggregate, self.dimensions)
    }

    pub(super) fn is(&self, aggregate: Aggregate, dimensions: DimensionSet) -> bool {
        self.key() == (aggregate, dimensions)
    }
}
