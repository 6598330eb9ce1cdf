//! A shard: the packets of one part of a file that are selected, and the answers about them.
//!
//! Accumulators are kept between selections: when a selection changes, only the rows that enter or
//! leave it are added or removed. Dragging a selection therefore costs one pass over the column of its
//! dimension, plus a little for each packet that changes sides.

mod accumulator;
mod aggregate;
mod counter;
mod counting;
mod delta_batches;
mod flow_counter;
mod flow_rows;
mod matches;
mod order;
mod preceding;
mod selection_mask;
mod settled;

#[cfg(test)]
mod tests;

use crate::columns::{Columns, RowBatch, Rows};
use crate::elapsed::resolve_kind;
use crate::query::{Answer, Hit, LocatedPacket, Query, QueryKind};
use crate::refusals::refusals;
use accumulator::Accumulator;
use aggregate::{Aggregate, Sharing};
use counter::Counter;
use flow_counter::FlowField;
use flow_rows::FlowRows;
use order::Order;
pub use preceding::{Preceding, PrecedingParts};
pub use selection_mask::SelectedRows;
use selection_mask::SelectionMask;
use viewer_model::protocol::Class;
use viewer_model::selection::{Dimension, DimensionSet, Selection};

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
        let mut queries = queries.to_vec();
        for query in &mut queries {
            resolve_kind(&mut query.kind, preceding.start_ns());
        }
        self.rebin(&queries);
        let changed = self.begin(columns, preceding, selection);
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
                let classes = self.classes(columns);
                self.add(Counter::new(aggregate, dimensions, columns, &classes), &requested);
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

    /// Derives the counts of new bins from those of other bins: packets are not counted again whenever the time
    /// axis grows. The counts are still those before rows were added, which may be outside of the old bins.
    fn rebin(&mut self, queries: &[Query]) {
        let bins = queries.iter().filter_map(|query| match query.kind {
            QueryKind::Bins(bins) => Some((Aggregate::Bins(bins), query.dimensions)),
            _ => None,
        });
        let requested: Vec<_> = bins.collect();
        let is_new = |key: &&(Aggregate, DimensionSet)| {
            self.counters.iter().all(|counter| counter.key() != **key)
        };
        let derived = requested.iter().filter(is_new).filter_map(|(aggregate, dimensions)| {
            self.counters.iter().find_map(|counter| counter.derived(*aggregate, *dimensions))
        });
        let derived: Vec<_> = derived.collect();
        for counter in derived {
            self.add(counter, &requested);
        }
    }

    /// Adds a counter, and drops those of the same view: a view that changes its range does not go back to the old
    /// one.
    fn add(&mut self, new: Counter, requested: &[(Aggregate, DimensionSet)]) {
        self.counters.retain(|counter| {
            requested.contains(&counter.key())
                || counter.dimensions != new.dimensions
                || !counter.aggregate.is_same_view(&new.aggregate)
        });
        self.counters.push(new);
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
            self.preceding = preceding;
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
        // They may be those of fewer rows: `begin` recognizes new rows by the mask.
        (self.order, self.flow_rows) = (None, None);
        self.selection = Selection::default();
        self.mask = SelectionMask::new(columns.len());
        self.counters.clear();
    }

    /// The class in which the packets of each kind are counted.
    fn classes(&self, columns: &Columns) -> Vec<Class> {
        let own = columns.classes().into_iter();
        own.map(|own| self.preceding.class.unwrap_or(own)).collect()
    }

    fn rows<'a>(&self, columns: &'a Columns) -> Rows<'a> {
        Rows::new(columns, self.preceding.last_ns())
    }

    fn batch<'a>(&self, columns: &'a Columns) -> RowBatch<'a> {
        RowBatch::new(columns, self.preceding.last_ns())
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
            Accumulator::Bins(counts) => Answer::Bins(counts.tallies.clone()),
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
