//! What a worker keeps of a part of a file: its columns, which of its packets are selected, and the
//! answers about them.
//!
//! While a selection changes, what was counted before is kept: only the packets that come or go are
//! counted in or out. So a brush costs a look at one column, and little for each packet it passes.

mod count;
mod delta_batches;
mod flows;
mod order;
mod selection_mask;

wire!(struct Preceding { ts_ns, lines });

#[cfg(test)]
mod tests;

use crate::columns::{BlockMask, Columns, RowBatch, Rows};
use crate::matcher::Matcher;
use crate::query::{Answer, Hit, LocatedPacket, Query, QueryKind};
use count::{Base, Count};
use delta_batches::{DeltaBatches, put};
use flows::Side;
use order::Order;
pub use selection_mask::SelectedRows;
use selection_mask::SelectionMask;
use viewer_model::selection::{Dimension, DimensionSet, Selection};
use viewer_model::wire::wire;

/// What the packets before a part, in its file, leave behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preceding {
    /// Time of the last of them, and the latest time of them all, in nanoseconds since the epoch;
    /// `None` where there are none.
    pub ts_ns: Option<(i64, i64)>,
    /// How many lines they have, where packets have the numbers of their lines; else 0.
    pub lines: u64,
}

impl Preceding {
    /// Time of the last of them.
    fn last_ns(self) -> Option<i64> {
        self.ts_ns.map(|(last, _)| last)
    }
}

/// Which packets of some columns are selected, and what is counted of them.
#[derive(Debug, Default)]
pub struct Shard {
    part: usize,
    file: String,
    before: Preceding,
    selection: Selection,
    /// Changes when the selection does.
    selection_count: u64,
    marks: SelectionMask,
    /// What was counted of the selection as it is.
    counters: Vec<Counter>,
    order: Option<Order>,
}

/// A count of the packets that are selected in some dimensions.
#[derive(Debug)]
struct Counter {
    base: Base,
    dimensions: DimensionSet,
    count: Count,
    /// It holds what was selected before; else nothing yet.
    is_old: bool,
    /// How many selections ago it was asked for.
    unasked: u8,
}

/// What some rows show of all.
#[derive(Clone, Copy, Debug, Default)]
struct Sample {
    rows: usize,
    selected: usize,
    changed: usize,
}

/// What finds the rows of a selection in some dimensions; all of them where nothing is selected.
type Matchers = Vec<(Dimension, Option<Matcher>)>;

impl Shard {
    /// For the columns of that part, of the file of that name.
    pub fn new(part: usize, file: String) -> Self {
        Self { part, file, ..Self::default() }
    }

    /// Answers each query about the columns, which only grow from call to call.
    pub fn answer(
        &mut self,
        columns: &Columns,
        before: Preceding,
        selection: &Selection,
        queries: &[Query],
    ) -> Vec<Answer> {
        let changed = self.prepare(columns, before, selection);
        let counted = |query: &Query| Some((Base::of(&query.kind)?, query.dimensions));
        let asked: Vec<_> = queries.iter().filter_map(counted).collect();
        let is_asked = |counter: &Counter| asked.contains(&(counter.base, counter.dimensions));
        self.selection = selection.clone();
        if !changed.is_empty() {
            self.selection_count += 1;
            self.choose(columns, &changed, is_asked);
        }
        for (base, dimensions) in asked.iter().copied() {
            let mut known = self.counters.iter_mut();
            if let Some(known) =
                known.find(|known| (known.base, known.dimensions) == (base, dimensions))
            {
                known.unasked = 0;
            } else {
                // What a view showed before is not asked for again.
                self.counters.retain(|known| {
                    is_asked(known)
                        || known.dimensions != dimensions
                        || !known.base.is_of_view(&base)
                });
                let count = Count::new(&base, columns);
                self.counters.push(Counter { base, dimensions, count, is_old: false, unasked: 0 });
            }
        }
        self.follow(columns, &changed);
        if queries.iter().any(|query| query.kind == QueryKind::Conversations) {
            self.narrow(columns);
        }
        let answers = queries.iter().map(|query| self.answer_one(columns, query)).collect();
        // Of all packets together nothing comes and goes, and of the nearest one more than its going
        // would have to be known.
        self.counters.retain(|counter| {
            counter.dimensions != DimensionSet::EMPTY
                && !matches!(counter.base, Base::Nearest { .. })
        });
        answers
    }

    /// Makes ready for a selection; says in which dimensions it is another.
    fn prepare(
        &mut self,
        columns: &Columns,
        before: Preceding,
        selection: &Selection,
    ) -> Vec<Dimension> {
        if self.before != before || self.marks.row_count() != columns.len() {
            // There are more rows; and gaps and the order depend on what is before.
            (self.before, self.order) = (before, None);
            self.forget(columns);
        } else if selection.is_empty() {
            self.forget(columns);
        }
        let is_changed =
            |dimension: &Dimension| self.selection.get(*dimension) != selection.get(*dimension);
        Dimension::ALL.into_iter().filter(is_changed).collect()
    }

    /// As before anything was selected.
    fn forget(&mut self, columns: &Columns) {
        self.selection = Selection::default();
        self.marks = SelectionMask::new(columns.len());
        self.counters.clear();
    }

    /// Lets go of counts that are had for less by counting anew than by following what comes and goes,
    /// by a look at some of the blocks; and of those that nobody asks for any more.
    fn choose(
        &mut self,
        columns: &Columns,
        changed: &[Dimension],
        is_asked: impl Fn(&Counter) -> bool,
    ) {
        /// One block of so many is looked at.
        const SAMPLED: usize = 61;
        /// A count that was not asked for is followed where fewer rows than one in so many change.
        const FEW: usize = 8;
        /// For how many changes a count is followed without being asked for.
        const PATIENCE: u8 = 1;
        if self.counters.is_empty() {
            return;
        }
        let mut dimension_sets: Vec<_> = self
            .dimension_sets()
            .into_iter()
            .map(|dimensions| (dimensions, Sample::default()))
            .collect();
        let mut matchers = self.matchers(columns, changed);
        let mut rows = self.rows(columns);
        for block in (0..columns.block_count()).step_by(SAMPLED) {
            rows.turn(block);
            let now: Vec<_> = found(&mut matchers, &mut rows).collect();
            for (dimensions, sample) in &mut dimension_sets {
                let was = self.marks.selected(block, *dimensions);
                let is = self.marks.selected_with(&now, block, *dimensions);
                sample.changed += is.without(&was).count() + was.without(&is).count();
                sample.selected += is.count();
                sample.rows += rows.range().len();
            }
        }
        self.counters.retain_mut(|counter| {
            let known =
                dimension_sets.iter().find(|(dimensions, _)| *dimensions == counter.dimensions);
            let sample = known.map_or_else(Sample::default, |(_, sample)| *sample);
            if is_asked(counter) {
                return sample.changed <= sample.selected;
            }
            counter.unasked += 1;
            counter.unasked <= PATIENCE && sample.changed * FEW <= sample.rows
        });
    }

    /// The dimensions that count for any of the counts.
    fn dimension_sets(&self) -> Vec<DimensionSet> {
        let mut dimension_sets: Vec<DimensionSet> = Vec::new();
        for Counter { dimensions, .. } in &self.counters {
            if !dimension_sets.contains(dimensions) {
                dimension_sets.push(*dimensions);
            }
        }
        dimension_sets
    }

    fn matchers(&self, columns: &Columns, dimensions: &[Dimension]) -> Matchers {
        let matcher = |dimension: &Dimension| {
            let expr = self.selection.get(*dimension);
            (*dimension, expr.map(|expr| Matcher::new(expr, columns, &self.file)))
        };
        dimensions.iter().map(matcher).collect()
    }

    fn rows<'a>(&self, columns: &'a Columns) -> Rows<'a> {
        Rows::new(columns, self.before.last_ns())
    }

    fn batch<'a>(&self, columns: &'a Columns) -> RowBatch<'a> {
        RowBatch::new(columns, self.before.last_ns())
    }

    /// Goes over all rows once: finds out which are selected now, and counts.
    fn follow(&mut self, columns: &Columns, changed: &[Dimension]) {
        if changed.is_empty() && self.counters.iter().all(|counter| counter.is_old) {
            return;
        }
        let of_kinds: Vec<_> = columns.kinds().iter().map(|kind| kind.class as u8).collect();
        let mut matchers = self.matchers(columns, changed);
        let mut rows = self.rows(columns);
        let dimension_sets = self.dimension_sets().into_iter();
        let mut ways: Vec<_> =
            dimension_sets.map(|dimensions| DeltaBatches::new(dimensions, self, columns)).collect();
        let has_new = ways.iter().any(DeltaBatches::has_new);
        let mut now = Vec::new();
        for block in 0..columns.block_count() {
            rows.turn(block);
            now.clear();
            now.extend(found(&mut matchers, &mut rows));
            now.retain(|(dimension, now)| *now != self.marks.of(block, *dimension));
            if now.is_empty() && !has_new {
                continue;
            }
            for ways in &mut ways {
                let was = self.marks.selected(block, ways.dimensions());
                let is = self.marks.selected_with(&now, block, ways.dimensions());
                ways.add(block, &was, &is, &mut self.counters, &of_kinds);
            }
            for (dimension, now) in &now {
                self.marks.mark(block, *dimension, *now);
            }
        }
        for ways in &mut ways {
            ways.end(&mut self.counters, &of_kinds);
        }
        for (dimension, _) in matchers.iter().filter(|(_, matcher)| matcher.is_none()) {
            self.marks.clear(*dimension);
        }
        self.counters.iter_mut().for_each(|counter| counter.is_old = true);
    }

    /// Looks for first and last times where they went.
    fn narrow(&mut self, columns: &Columns) {
        let mut batch = self.batch(columns);
        for counter in &mut self.counters {
            let Count::Flows(flows) = &mut counter.count else { continue };
            if !flows.begin_narrowing() {
                continue;
            }
            for block in 0..columns.block_count() {
                let selected = self.marks.selected(block, counter.dimensions);
                put(&mut batch, block, &selected, |batch| flows.narrow(batch));
            }
            flows.narrow(&mut batch);
            batch.clear();
            flows.end_narrowing();
        }
    }

    fn answer_one(&mut self, columns: &Columns, query: &Query) -> Answer {
        let base = Base::of(&query.kind);
        let known = self
            .counters
            .iter()
            .find(|known| (Some(known.base), known.dimensions) == (base, query.dimensions));
        let Some(counter) = known else { return self.ordered(columns, query) };
        let by = |count: &Count, side: Side| match count {
            Count::Flows(flows) => Answer::Ids(flows.by(side, self.part, columns)),
            _ => Answer::Ids(Vec::new()),
        };
        match (&query.kind, &counter.count) {
            (QueryKind::Sources, count) => by(count, Side::Source),
            (QueryKind::Destinations, count) => by(count, Side::Destination),
            (QueryKind::Protocols, count) => by(count, Side::Protocol),
            (_, Count::Total(tally)) => Answer::Total(*tally),
            (_, Count::Bins(_, tallies)) => Answer::Bins(tallies.clone()),
            (_, Count::Density(_, density)) => Answer::Density(density.clone()),
            (_, Count::Ports(tallies)) => {
                let ports = (0..=u16::MAX).zip(tallies.iter().copied());
                Answer::Ports(ports.filter(|(_, tally)| 0 < tally.packets).collect())
            }
            (_, Count::Flows(flows)) => Answer::Flows(flows.tallies(self.part)),
            (_, Count::Nearest { best, .. }) => Answer::Nearest(best.map(|near| Hit {
                distance: near.distance,
                cell: near.cell,
                packet: self.packet(columns, near.index),
            })),
        }
    }

    fn packet(&self, columns: &Columns, index: usize) -> LocatedPacket {
        let row = columns.row(index);
        LocatedPacket { part: self.part, index, key_ns: row.ts_ns, row }
    }

    /// Answers what is about the order of packets.
    fn ordered(&mut self, columns: &Columns, query: &Query) -> Answer {
        let selected = (&self.marks, query.dimensions);
        let mut order = match self.order.take() {
            Some(order) => order,
            None => Order::new(columns, self.before.ts_ns.map(|(_, latest)| latest)),
        };
        order.select(columns, selected, self.selection_count);
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
            _ => Answer::Rows(Vec::new()),
        };
        self.order = Some(order);
        answer
    }

    /// The packets that are selected in all dimensions, of the selection that was asked about last.
    pub fn selected(&self) -> SelectedRows {
        self.marks.all(self.selection.dimensions())
    }
}

/// The rows of a block that are selected in each dimension; without a matcher all are.
fn found(
    matchers: &mut Matchers,
    rows: &mut Rows<'_>,
) -> impl Iterator<Item = (Dimension, BlockMask)> {
    matchers.iter_mut().map(|(dimension, matcher)| match matcher {
        Some(matcher) => (*dimension, matcher.find(rows)),
        None => (*dimension, rows.all()),
    })
}
