//! Updates the accumulators of a shard when its selection changes or rows are added.

use super::Shard;
use super::accumulator::Accumulator;
use super::aggregate::Aggregate;
use super::counter::Counter;
use super::delta_batches::{DeltaBatches, push};
use super::flow_rows::FlowRows;
use super::settled::Settled;
use crate::columns::{BLOCK_LEN, BlockMask, Columns, Rows};
use crate::matcher::{File, Matcher};
use viewer_model::selection::{Dimension, DimensionSet};

/// Selected and changed rows of a sample of the blocks.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    rows: usize,
    selected: usize,
    changed: usize,
}

/// The matcher of each dimension; `None` if the dimension selects all rows.
type Matchers = Vec<(Dimension, Option<Matcher>)>;

impl Shard {
    /// Extends the selection to rows that were added, and counts those that are selected.
    pub(super) fn count_new_rows(&mut self, columns: &Columns) {
        self.drop_unused_counters();
        let old_count = self.mask.row_count();
        self.mask.grow(columns.len());
        let classes = self.classes(columns);
        for counter in &mut self.counters {
            counter.accumulator.grow(columns, &classes);
        }
        let classes: Vec<_> = classes.into_iter().map(|class| class as u8).collect();
        let selected: Vec<_> = self.selection.clauses().map(|(dimension, _)| dimension).collect();
        let mut matchers = self.matchers(columns, &selected);
        let mut rows = self.rows(columns);
        let mut deltas = self.deltas(columns);
        for block in old_count / BLOCK_LEN..columns.block_count() {
            rows.load(block);
            let old_rows = old_count.saturating_sub(rows.range().start).min(BLOCK_LEN);
            let old_rows = BlockMask::first(old_rows);
            let new: Vec<_> = find_matches(&mut matchers, &mut rows).collect();
            for delta in &mut deltas {
                let before = self.mask.selected(block, delta.dimensions()).and(&old_rows);
                let after = self.mask.selected_with(&new, block, delta.dimensions());
                delta.push(block, &before, &after, &mut self.counters, &classes);
            }
            for (dimension, mask) in new {
                self.mask.set(block, dimension, mask);
            }
        }
        for delta in &mut deltas {
            delta.flush(&mut self.counters, &classes);
        }
    }

    /// Drops accumulators that were not requested for some time: each one costs time when rows are added.
    fn drop_unused_counters(&mut self) {
        /// Number of times that rows are counted without being requested.
        const MAX_UNUSED_COUNT: u8 = 8;
        self.counters.retain_mut(|counter| {
            counter.unused_count += 1;
            counter.unused_count <= MAX_UNUSED_COUNT
        });
    }

    /// Batches of rows for all accumulators.
    fn deltas<'a>(&self, columns: &'a Columns) -> Vec<DeltaBatches<'a>> {
        let sets = self.dimension_sets().into_iter();
        sets.map(|set| DeltaBatches::new(set, &self.counters, || self.batch(columns))).collect()
    }

    /// Drops accumulators that are cheaper to recompute than to update, estimated from a sample of
    /// the blocks, and those that are no longer requested.
    pub(super) fn prune_counters(
        &mut self,
        columns: &Columns,
        changed: &[Dimension],
        requested: &[(Aggregate, DimensionSet)],
    ) {
        /// One block in this many is sampled.
        const SAMPLE_STEP: usize = 61;
        /// An accumulator that is not requested is updated only if less than one row in this many
        /// changes.
        const MAX_CHANGED_DIVISOR: usize = 8;
        /// Number of selection changes for which an accumulator is updated without being requested.
        const MAX_IDLE_COUNT: u8 = 1;
        if self.counters.is_empty() {
            return;
        }
        let sets = self.dimension_sets().into_iter();
        let mut samples: Vec<_> = sets.map(|set| (set, Sample::default())).collect();
        let mut matchers = self.matchers(columns, changed);
        let mut rows = self.rows(columns);
        for block in (0..columns.block_count()).step_by(SAMPLE_STEP) {
            rows.load(block);
            let new: Vec<_> = find_matches(&mut matchers, &mut rows).collect();
            for (dimensions, sample) in &mut samples {
                let before = self.mask.selected(block, *dimensions);
                let after = self.mask.selected_with(&new, block, *dimensions);
                sample.changed += after.without(&before).count() + before.without(&after).count();
                sample.selected += after.count();
                sample.rows += rows.range().len();
            }
        }
        self.counters.retain_mut(|counter| {
            let sample = samples.iter().find(|(set, _)| *set == counter.dimensions);
            let sample = sample.map_or_else(Sample::default, |(_, sample)| *sample);
            if requested.contains(&counter.key()) {
                return sample.changed <= sample.selected;
            }
            counter.idle_count += 1;
            counter.idle_count <= MAX_IDLE_COUNT
                && sample.changed * MAX_CHANGED_DIVISOR <= sample.rows
        });
    }

    /// The distinct dimension sets of the accumulators.
    fn dimension_sets(&self) -> Vec<DimensionSet> {
        let mut sets: Vec<DimensionSet> = Vec::new();
        for Counter { dimensions, .. } in &self.counters {
            if !sets.contains(dimensions) {
                sets.push(*dimensions);
            }
        }
        sets
    }

    fn matchers(&self, columns: &Columns, dimensions: &[Dimension]) -> Matchers {
        let file = File { name: &self.file, start_ns: self.preceding.start_ns() };
        let matcher = |dimension: &Dimension| {
            let expr = self.selection.get(*dimension);
            (*dimension, expr.map(|expr| Matcher::new(expr, columns, file)))
        };
        dimensions.iter().map(matcher).collect()
    }

    /// Passes over all rows once: evaluates changed dimensions and updates all accumulators.
    pub(super) fn update_counts(&mut self, columns: &Columns, changed: &[Dimension]) {
        if changed.is_empty() && self.counters.iter().all(|counter| counter.is_primed) {
            return;
        }
        let classes: Vec<_> = self.classes(columns).into_iter().map(|class| class as u8).collect();
        let mut matchers = self.matchers(columns, changed);
        let mut rows = self.rows(columns);
        let mut deltas = self.deltas(columns);
        let has_new_counters = deltas.iter().any(DeltaBatches::has_new_counters);
        let mut new = Vec::new();
        for block in 0..columns.block_count() {
            rows.load(block);
            new.clear();
            new.extend(find_matches(&mut matchers, &mut rows));
            new.retain(|(dimension, mask)| *mask != self.mask.of(block, *dimension));
            if new.is_empty() && !has_new_counters {
                continue;
            }
            for delta in &mut deltas {
                let before = self.mask.selected(block, delta.dimensions());
                let after = self.mask.selected_with(&new, block, delta.dimensions());
                delta.push(block, &before, &after, &mut self.counters, &classes);
            }
            for (dimension, mask) in &new {
                self.mask.set(block, *dimension, *mask);
            }
        }
        for delta in &mut deltas {
            delta.flush(&mut self.counters, &classes);
        }
        for (dimension, _) in matchers.iter().filter(|(_, matcher)| matcher.is_none()) {
            self.mask.clear(*dimension);
        }
        self.counters.iter_mut().for_each(|counter| counter.is_primed = true);
    }

    /// Prepares for the first time that packets leave the selection while the flows are counted: that takes
    /// longer than all other work for a new selection together. It needs 4 bytes per packet.
    pub fn index_flows(&mut self, columns: &Columns) {
        if !self.is_growing && self.mask.row_count() == columns.len() {
            Self::update_flow_rows(&mut self.flow_rows, columns);
        }
    }

    fn update_flow_rows(flow_rows: &mut Option<FlowRows>, columns: &Columns) {
        let current = flow_rows.take().filter(|rows| rows.is_of(columns));
        *flow_rows = current.or_else(|| FlowRows::new(columns));
    }

    /// Recomputes the time range of flows whose first or last packet has been removed.
    pub(super) fn recompute_time_bounds(&mut self, columns: &Columns) {
        let mut batch = self.batch(columns);
        for counter in &mut self.counters {
            let Accumulator::Flows(flows) = &mut counter.accumulator else { continue };
            if flows.is_by_flow() && flows.has_loose_time_bounds() {
                Self::update_flow_rows(&mut self.flow_rows, columns);
                if let Some(rows) = &self.flow_rows {
                    let is_counted = |row| self.mask.contains(row, counter.dimensions);
                    flows.set_loose_time_bounds(|flow| rows.time_bounds(columns, flow, is_counted));
                    continue;
                }
            }
            if !flows.begin_recomputing_time_bounds() {
                continue;
            }
            // Packets are nearly in the order of their times. Reading from the start until all beginnings
            // are known, then from the end until all ends are known, takes a small part of the rows.
            let mut rest = Vec::new();
            let mut settled = Settled::default();
            let mut read = |block: usize, settled: &mut Settled| {
                let selected = self.mask.selected(block, counter.dimensions);
                push(&mut batch, block, &selected, |batch| {
                    flows.recompute_time_bounds(batch);
                    settled.update(flows);
                });
            };
            for block in 0..columns.block_count() {
                if settled.begin_ns <= columns.time_bounds(block).0 {
                    rest.push(block);
                } else {
                    read(block, &mut settled);
                }
            }
            for block in rest.into_iter().rev() {
                if settled.end_ns < columns.time_bounds(block).1 {
                    read(block, &mut settled);
                }
            }
            flows.recompute_time_bounds(&mut batch);
            batch.clear();
            flows.finish_recomputing_time_bounds();
        }
    }
}

/// The rows of a block that match in each dimension.
fn find_matches(
    matchers: &mut Matchers,
    rows: &mut Rows<'_>,
) -> impl Iterator<Item = (Dimension, BlockMask)> {
    matchers.iter_mut().map(|(dimension, matcher)| match matcher {
        Some(matcher) => (*dimension, matcher.find(rows)),
        None => (*dimension, rows.all()),
    })
}
