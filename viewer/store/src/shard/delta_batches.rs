//! Batches of rows that enter or leave the selection, on their way to the accumulators.

use super::counter::Counter;
use crate::columns::{BlockMask, RowBatch};
use viewer_model::selection::DimensionSet;

/// Row batches for all counters over one dimension set.
pub(super) struct DeltaBatches<'a> {
    dimensions: DimensionSet,
    /// Rows to add to and to remove from primed counters; `None` if there are no such counters.
    changes: Option<[RowBatch<'a>; 2]>,
    /// All selected rows, for counters that are still empty; `None` if there are no such counters.
    all: Option<RowBatch<'a>>,
}

impl<'a> DeltaBatches<'a> {
    pub(super) fn new(
        dimensions: DimensionSet,
        counters: &[Counter],
        batch: impl Fn() -> RowBatch<'a>,
    ) -> Self {
        let has = |is_primed: bool| {
            let mut counters = counters.iter().filter(|counter| counter.dimensions == dimensions);
            counters.any(|counter| counter.is_primed == is_primed)
        };
        Self {
            dimensions,
            changes: has(true).then(|| [batch(), batch()]),
            all: has(false).then(batch),
        }
    }

    pub(super) fn dimensions(&self) -> DimensionSet {
        self.dimensions
    }

    /// Whether there are counters that need all selected rows.
    pub(super) fn has_new_counters(&self) -> bool {
        self.all.is_some()
    }

    /// Adds the rows of a block, given those selected before and after the change.
    pub(super) fn push(
        &mut self,
        block: usize,
        before: &BlockMask,
        after: &BlockMask,
        counters: &mut [Counter],
        classes: &[u8],
    ) {
        let dimensions = self.dimensions;
        if let Some([added, removed]) = &mut self.changes
            && before != after
        {
            push(added, block, &after.without(before), |batch| {
                update::<true>(dimensions, true, counters, batch, classes);
            });
            push(removed, block, &before.without(after), |batch| {
                update::<false>(dimensions, true, counters, batch, classes);
            });
        }
        if let Some(all) = &mut self.all {
            push(all, block, after, |batch| {
                update::<true>(dimensions, false, counters, batch, classes);
            });
        }
    }

    /// Counts the rows that are still in the batches.
    pub(super) fn flush(&mut self, counters: &mut [Counter], classes: &[u8]) {
        if let Some([added, removed]) = &mut self.changes {
            update::<true>(self.dimensions, true, counters, added, classes);
            update::<false>(self.dimensions, true, counters, removed, classes);
        }
        if let Some(all) = &mut self.all {
            update::<true>(self.dimensions, false, counters, all, classes);
        }
    }
}

/// Appends rows of a block to a batch. If they do not fit, the batch is passed to `flush` and cleared
/// first.
pub(super) fn push<'a>(
    batch: &mut RowBatch<'a>,
    block: usize,
    rows: &BlockMask,
    flush: impl FnOnce(&mut RowBatch<'a>),
) {
    let len = rows.count();
    if !batch.has_capacity_for(len) {
        flush(batch);
        batch.clear();
    }
    if 0 < len {
        batch.push(block, rows);
    }
}

/// Adds a batch to the primed or the empty counters over a dimension set, or removes it unless `ADD`.
fn update<const ADD: bool>(
    dimensions: DimensionSet,
    is_primed: bool,
    counters: &mut [Counter],
    batch: &mut RowBatch<'_>,
    classes: &[u8],
) {
    if batch.is_empty() {
        return;
    }
    for counter in counters.iter_mut() {
        if counter.dimensions == dimensions && counter.is_primed == is_primed {
            counter.accumulator.update::<ADD>(batch, classes);
        }
    }
}
