//! Rows on their way from their blocks to the counts.

use super::{Counter, Shard};
use crate::columns::{BlockMask, Columns, RowBatch};
use viewer_model::selection::DimensionSet;

/// Rows on their way to the counts of some dimensions.
pub(super) struct DeltaBatches<'a> {
    dimensions: DimensionSet,
    /// That come and that go, for counts of what was selected before; none where there are none.
    change: Option<[RowBatch<'a>; 2]>,
    /// All that are selected, for counts that begin.
    all: Option<RowBatch<'a>>,
}

impl<'a> DeltaBatches<'a> {
    pub(super) fn new(dimensions: DimensionSet, shard: &Shard, columns: &'a Columns) -> Self {
        let has = |is_old: bool| {
            let mut counters =
                shard.counters.iter().filter(|counter| counter.dimensions == dimensions);
            counters.any(|counter| counter.is_old == is_old)
        };
        let batch = || shard.batch(columns);
        Self {
            dimensions,
            change: has(true).then(|| [batch(), batch()]),
            all: has(false).then(batch),
        }
    }

    pub(super) fn dimensions(&self) -> DimensionSet {
        self.dimensions
    }

    /// True where there are counts that begin.
    pub(super) fn has_new(&self) -> bool {
        self.all.is_some()
    }

    /// Takes the rows of a block that were selected, and those that are.
    pub(super) fn add(
        &mut self,
        block: usize,
        was: &BlockMask,
        is: &BlockMask,
        counters: &mut [Counter],
        of_kinds: &[u8],
    ) {
        if let Some([come, gone]) = &mut self.change
            && was != is
        {
            put(come, block, &is.without(was), |batch| {
                count::<true>(self.dimensions, true, counters, batch, of_kinds);
            });
            put(gone, block, &was.without(is), |batch| {
                count::<false>(self.dimensions, true, counters, batch, of_kinds);
            });
        }
        if let Some(all) = &mut self.all {
            put(all, block, is, |batch| {
                count::<true>(self.dimensions, false, counters, batch, of_kinds);
            });
        }
    }

    /// Counts what is still on its way.
    pub(super) fn end(&mut self, counters: &mut [Counter], of_kinds: &[u8]) {
        if let Some([come, gone]) = &mut self.change {
            count::<true>(self.dimensions, true, counters, come, of_kinds);
            count::<false>(self.dimensions, true, counters, gone, of_kinds);
        }
        if let Some(all) = &mut self.all {
            count::<true>(self.dimensions, false, counters, all, of_kinds);
        }
    }
}

/// Puts rows of a block into the batch; what was in it is counted before, where it would be too much.
pub(super) fn put<'a>(
    batch: &mut RowBatch<'a>,
    block: usize,
    rows: &BlockMask,
    count: impl FnOnce(&mut RowBatch<'a>),
) {
    let len = rows.count();
    if batch.is_full_for(len) {
        count(batch);
        batch.clear();
    }
    if 0 < len {
        batch.add(block, rows);
    }
}

/// Counts a batch in, or out again, for counts of what was selected before, or for those that begin.
fn count<const ADD: bool>(
    dimensions: DimensionSet,
    is_old: bool,
    counters: &mut [Counter],
    batch: &mut RowBatch<'_>,
    of_kinds: &[u8],
) {
    if batch.is_empty() {
        return;
    }
    for counter in counters.iter_mut() {
        if counter.dimensions == dimensions && counter.is_old == is_old {
            counter.count.count::<ADD>(batch, of_kinds);
        }
    }
}
