//! A shard: the packets of one part of a file that are selected, and the answers about them.
//!
//! Accumulators are kept between selections: when a selection changes, only the rows that enter or
//! leave it are added or removed. Dragging a selection therefore costs one pass over the column of its
//! dimension, plus a little for each packet that changes sides.

mod accumulator;
mod aggregate;
mod counter;
mod delta_batches;
mod flow_counter;
mod flow_rows;
mod matches;
mod order;
mod selection_mask;
mod settled;

#[cfg(test)]
mod tests;

use crate::columns::{BLOCK_LEN, BlockMask, Columns, RowBatch, Rows};
use crate::elapsed::resolve_kind;
use crate::matcher::{File, Matcher};
use crate::query::{Answer, Hit, LocatedPacket, Query, QueryKind};
use crate::refusals::refusals;
use accumulator::Accumulator;
use aggregate::{Aggregate, Sharing};
use counter::Counter;
use delta_batches::{DeltaBatches, push};
use flow_counter::FlowField;
use flow_rows::FlowRows;
use order::Order;
pub use selection_mask::SelectedRows;
use selection_mask::SelectionMask;
use settled::Settled;
use viewer_model::protocol::{CLASSES, Class};
use viewer_model::selection::{Dimension, DimensionSet, Selection};
use viewer_model::wire::{Wire, wire};

/// What a part has to know about the other parts of the same file, most of it about the packets before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preceding {
    /// Timestamp of the last preceding packet and the latest timestamp of all of them, in nanoseconds
    /// since the epoch; `None` if there are none.
    pub ts_ns: Option<(i64, i64)>,
    /// Number of preceding lines, if packets are numbered by line; otherwise 0.
    pub lines: u64,
    /// The class in which all packets of the part are counted, instead of those of their protocols.
    pub class: Option<Class>,
    /// Earliest timestamp of the file, in nanoseconds since the epoch; `None` if it has no packets.
    pub start_ns: Option<i64>,
}

impl Preceding {
    fn last_ns(self) -> Option<i64> {
        self.ts_ns.map(|(last, _)| last)
    }

    fn start_ns(self) -> i64 {
        self.start_ns.unwrap_or(0)
    }
}

/// What each part has to know about the other parts of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecedingParts {
    /// Index of the first part.
    pub first: usize,
    /// The values of this part and those after it.
    pub parts: Vec<Preceding>,
}

impl PrecedingParts {
    /// The values of a part.
    pub fn of(&self, part: usize) -> Preceding {
        let index = part.checked_sub(self.first);
        index.and_then(|index| self.parts.get(index)).copied().unwrap_or_default()
    }
}

/// Selection state and accumulators of one part.
#[derive(Debug, Default)]
pub struct Shard {
    part: usize,
    file: String,
    preceding: Preceding,
    selection: Selection,
    /// Incremented when the selection changes.
    selection_version: u64,
    mask: SelectionMask,
    counters: Vec<Counter>,
    sharing: Sharing,
    order: Option<Order>,
    /// Made when the time bounds of flows are first recomputed.
    flow_rows: Option<FlowRows>,
    /// Answers about all packets are kept, because packets will be added.
    is_growing: bool,
}

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
    /// A shard without selection. `file` is the name that `file` filters are compared with.
    pub fn new(part: usize, file: String) -> Self {
        Self { part, file, ..Self::default() }
    }

    /// A shard of columns that grow again and again: only new rows are counted. That takes memory for
    /// counts that never change otherwise.
    pub fn growing(part: usize, file: String) -> Self {
        Self { is_growing: true, ..Self::new(part, file) }
    }

    /// Answers queries about the columns. Between calls, the columns may only grow.
    pub fn answer(
        &mut self,
        columns: &Columns,
        preceding: Preceding,
        selection: &Selection,
        queries: &[Query],
    ) -> Vec<Answer> {
        let changed = self.begin(columns, preceding, selection);
        let mut queries = queries.to_vec();
        for query in &mut queries {
            resolve_kind(&mut query.kind, preceding.start_ns());
        }
        self.update_sharing(columns, &queries, !changed.is_empty());
        let requested: Vec<_> = queries
            .iter()
            .filter_map(|query| Some((self.sharing.aggregate(query)?, query.dimensions)))
            .collect();
        self.selection = selection.clone();
        if !changed.is_empty() {
            self.selection_version += 1;
            self.prune_counters(columns, &changed, &requested);
        }
        for (aggregate, dimensions) in requested.iter().copied() {
            let mut counters = self.counters.iter_mut();
            if let Some(counter) = counters.find(|counter| counter.is(aggregate, dimensions)) {
                (counter.idle_count, counter.unused_count) = (0, 0);
            } else {
                // A view that changes its range does not go back to the old one.
                self.counters.retain(|counter| {
                    requested.contains(&counter.key())
                        || counter.dimensions != dimensions
                        || !counter.aggregate.is_same_view(&aggregate)
                });
                let classes = self.classes(columns);
                self.counters.push(Counter::new(aggregate, dimensions, columns, &classes));
            }
        }
        self.update_counts(columns, &changed);
        let has_times = |kind| matches!(kind, &QueryKind::Conversations | &QueryKind::Connections);
        if queries.iter().any(|query| has_times(&query.kind)) {
            self.recompute_time_bounds(columns);
        }
        let answers = queries.iter().map(|query| self.answer_one(columns, query)).collect();
        // Counts of all packets never change, unless there are new packets. The nearest packet cannot be
        // removed incrementally.
        self.counters.retain(|counter| {
            (self.is_growing || counter.dimensions != DimensionSet::EMPTY)
                && !matches!(counter.aggregate, Aggregate::Nearest { .. })
        });
        answers
    }

    /// Decides which queries share the counts of flows.
    fn update_sharing(&mut self, columns: &Columns, queries: &[Query], is_changed: bool) {
        let tables = queries.iter().filter(|query| matches!(query.kind, QueryKind::Conversations));
        let tables = tables.map(|query| query.dimensions);
        // Counts that nothing has changed are up to date. Updating those of a table takes longer than counting
        // the packets by flow only.
        let is_current = |counter: &&Counter| {
            !is_changed && counter.aggregate == Aggregate::Flows { by_ports: false }
        };
        let kept = self.counters.iter().filter(is_current).map(|counter| counter.dimensions);
        self.sharing.update(columns);
        self.sharing.set_tables(tables.chain(kept));
    }

    /// Resets state that no longer applies. Returns the dimensions whose selection has changed.
    fn begin(
        &mut self,
        columns: &Columns,
        preceding: Preceding,
        selection: &Selection,
    ) -> Vec<Dimension> {
        let is_grown = self.mask.row_count() < columns.len();
        if self.preceding != preceding || is_grown && !self.is_growing {
            // Gaps and the time order depend on the preceding packets.
            (self.preceding, self.order, self.flow_rows) = (preceding, None, None);
            self.reset(columns);
        } else if is_grown {
            (self.order, self.flow_rows) = (None, None);
            self.count_new_rows(columns);
        }
        if selection.is_empty() {
            // Nothing is selected in any dimension.
            self.selection = Selection::default();
            self.mask = SelectionMask::new(columns.len());
            self.counters.retain(|counter| counter.dimensions == DimensionSet::EMPTY);
        }
        let is_changed =
            |dimension: &Dimension| self.selection.get(*dimension) != selection.get(*dimension);
        Dimension::ALL.into_iter().filter(is_changed).collect()
    }

    /// Clears the selection and all accumulators, because the columns have changed.
    pub fn reset(&mut self, columns: &Columns) {
        self.selection = Selection::default();
        self.mask = SelectionMask::new(columns.len());
        self.counters.clear();
    }

    /// Extends the selection to rows that were added, and counts those that are selected.
    fn count_new_rows(&mut self, columns: &Columns) {
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

    /// The class in which the packets of each kind are counted.
    fn classes(&self, columns: &Columns) -> Vec<Class> {
        let own = columns.classes().into_iter();
        own.map(|own| self.preceding.class.unwrap_or(own)).collect()
    }

    /// Batches of rows for all accumulators.
    fn deltas<'a>(&self, columns: &'a Columns) -> Vec<DeltaBatches<'a>> {
        let sets = self.dimension_sets().into_iter();
        sets.map(|set| DeltaBatches::new(set, &self.counters, || self.batch(columns))).collect()
    }

    /// Drops accumulators that are cheaper to recompute than to update, estimated from a sample of
    /// the blocks, and those that are no longer requested.
    fn prune_counters(
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

    fn rows<'a>(&self, columns: &'a Columns) -> Rows<'a> {
        Rows::new(columns, self.preceding.last_ns())
    }

    fn batch<'a>(&self, columns: &'a Columns) -> RowBatch<'a> {
        RowBatch::new(columns, self.preceding.last_ns())
    }

    /// Passes over all rows once: evaluates changed dimensions and updates all accumulators.
    fn update_counts(&mut self, columns: &Columns, changed: &[Dimension]) {
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

    /// Recomputes the time range of flows whose first or last packet has been removed.
    fn recompute_time_bounds(&mut self, columns: &Columns) {
        let mut batch = self.batch(columns);
        for counter in &mut self.counters {
            let Accumulator::Flows(flows) = &mut counter.accumulator else { continue };
            if flows.is_by_flow() && flows.has_loose_time_bounds() {
                self.flow_rows = self
                    .flow_rows
                    .take()
                    .filter(|rows| rows.is_of(columns))
                    .or_else(|| FlowRows::new(columns));
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

    fn answer_one(&mut self, columns: &Columns, query: &Query) -> Answer {
        if let QueryKind::Matches(filters) = &query.kind {
            return Answer::Tallies(self.count_matches(columns, filters, query.dimensions));
        }
        if let QueryKind::Refusals { max_ports } = query.kind {
            return Answer::Refusals(refusals(self.part, columns, max_ports));
        }
        let aggregate = self.sharing.aggregate(query);
        let counter = self.counters.iter().find(|counter| {
            aggregate.is_some_and(|aggregate| counter.is(aggregate, query.dimensions))
        });
        let Some(counter) = counter else { return self.answer_in_order(columns, query) };
        match &counter.accumulator {
            Accumulator::Total(tally) => Answer::Total(*tally),
            Accumulator::Bins(_, tallies) => Answer::Bins(tallies.clone()),
            Accumulator::Density(_, density) => Answer::Density(density.clone()),
            Accumulator::Ports(tallies) => {
                let ports = (0..=u16::MAX).zip(tallies.iter().copied());
                Answer::Ports(ports.filter(|(_, tally)| 0 < tally.packets).collect())
            }
            Accumulator::Field(counter) => {
                let field = FlowField::of(&query.kind).unwrap_or(FlowField::All);
                Answer::Ids(counter.tallies_by(field, self.part, columns))
            }
            Accumulator::Flows(flows) => match FlowField::of(&query.kind) {
                Some(field) => Answer::Ids(flows.tallies_by(field, self.part, columns)),
                None => Answer::Flows(flows.tallies(self.part)),
            },
            Accumulator::Nearest { best, .. } => {
                let best = *best;
                Answer::Nearest(best.map(|near| Hit {
                    distance: near.distance,
                    cell: near.cell,
                    packet: self.locate(columns, near.index),
                }))
            }
        }
    }

    fn packet(&self, columns: &Columns, index: usize) -> LocatedPacket {
        let row = columns.row(index);
        LocatedPacket { part: self.part, index, key_ns: row.ts_ns, row }
    }

    /// A packet with its position in time order.
    pub fn locate(&mut self, columns: &Columns, index: usize) -> LocatedPacket {
        let key_ns = self.order(columns).key_ns(columns, index);
        LocatedPacket { key_ns, ..self.packet(columns, index) }
    }

    fn order(&mut self, columns: &Columns) -> &Order {
        let latest_ns = self.preceding.ts_ns.map(|(_, latest)| latest);
        self.order.get_or_insert_with(|| Order::new(columns, latest_ns))
    }

    /// Answers queries about the time order of packets.
    fn answer_in_order(&mut self, columns: &Columns, query: &Query) -> Answer {
        self.order(columns);
        let Some(mut order) = self.order.take() else { return Answer::Rows(Vec::new()) };
        let selected = (&self.mask, query.dimensions);
        order.select(columns, selected, self.selection_version);
        let answer = match &query.kind {
            QueryKind::Ranks { key_ns } => {
                Answer::Ranks(vec![order.rank(self.part, columns, *key_ns, selected)])
            }
            QueryKind::Rows { starts, count } => {
                let start = starts.iter().find(|(part, _)| *part == self.part);
                let indices = start.map(|(_, start)| order.rows(columns, *start, *count, selected));
                let packets = indices
                    .unwrap_or_default()
                    .into_iter()
                    .map(|(index, key_ns)| LocatedPacket { key_ns, ..self.packet(columns, index) });
                Answer::Rows(packets.collect())
            }
            QueryKind::RankOf(position) => {
                Answer::Ranks(vec![order.rank_of(self.part, columns, *position, selected)])
            }
            _ => Answer::Rows(Vec::new()),
        };
        self.order = Some(order);
        answer
    }

    /// The packets that match all dimensions of the latest selection.
    pub fn selected(&self) -> SelectedRows {
        self.mask.all(self.selection.dimensions())
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

wire!(struct PrecedingParts { first, parts });

/// By hand: classes are sent as their indices.
impl Wire for Preceding {
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.ts_ns, self.lines).put(bytes);
        (self.class.map(Class::index), self.start_ns).put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let (ts_ns, lines) = Wire::get(bytes)?;
        let (class, start_ns) = <(Option<usize>, Option<i64>)>::get(bytes)?;
        let class = class.and_then(|index| CLASSES.get(index).copied());
        Some(Self { ts_ns, lines, class, start_ns })
    }
}
