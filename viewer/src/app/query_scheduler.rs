//! Decides which queries are sent to the workers, and keeps the latest answer of each slot.

use crate::query::{Answer, Query};
use crate::selection::DimensionSet;

/// A use of answers. Each slot holds one answer and has at most one query in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Slot {
    Total,
    RateWhole,
    Rate,
    ScatterWhole,
    Scatter,
    SizesWhole,
    Sizes,
    GapsWhole,
    Gaps,
    PortsWhole,
    Ports,
    SourcesWhole,
    Sources,
    DestinationsWhole,
    Destinations,
    ProtocolsWhole,
    Protocols,
    Overview,
    Conversations,
    // Not charts.
    Nearest,
    Ranks,
    Rows,
    DetailRank,
    Problems,
    Refusals,
    // Lines of a chart.
    Line1,
    Line2,
    Line3,
    Line4,
    // Packets with problems in charts.
    RateMarks,
    ScatterMarks,
}

const SLOT_COUNT: usize = 31;

/// A query whose answer is needed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) slot: Slot,
    pub(super) query: Query,
    /// Its panel is in sight.
    pub(super) is_seen: bool,
}

/// The queries in flight and the cached answers of the open files.
#[derive(Debug)]
pub(super) struct QueryScheduler {
    next_id: u32,
    answer_count: u64,
    /// Incremented when packets are added.
    data_version: u64,
    /// Incremented when the selection changes.
    selection_version: u64,
    /// [`Self::selection_version`] when [`Self::take_selection_change`] was last called.
    sent_version: u64,
    slots: [SlotState; SLOT_COUNT],
}

/// Identifies the data that an answer describes.
#[derive(Clone, Debug, PartialEq)]
struct Stamp {
    query: Query,
    data_version: u64,
    /// 0 if the query does not depend on the selection.
    selection_version: u64,
}

#[derive(Debug, Default)]
struct SlotState {
    in_flight: Option<InFlight>,
    cached: Option<(Stamp, Answer)>,
    /// Changes with the answer.
    version: u64,
}

#[derive(Debug)]
struct InFlight {
    id: u32,
    stamp: Stamp,
    /// The number of workers that have not answered yet.
    missing: usize,
    /// The merged answers of the others.
    answer: Option<Answer>,
}

impl Default for QueryScheduler {
    fn default() -> Self {
        Self {
            next_id: 0,
            answer_count: 0,
            data_version: 1,
            selection_version: 1,
            sent_version: 1,
            slots: std::array::from_fn(|_| SlotState::default()),
        }
    }
}

impl QueryScheduler {
    /// A scheduler for other files. Ids continue, which makes late answers recognizable.
    pub(super) fn reset(&self) -> Self {
        Self { next_id: self.next_id, answer_count: self.answer_count, ..Self::default() }
    }

    /// Marks all answers as outdated because packets were added.
    pub(super) fn invalidate_data(&mut self) {
        self.data_version += 1;
    }

    /// Marks the answers that depend on the selection as outdated.
    pub(super) fn invalidate_selection(&mut self) {
        self.selection_version += 1;
    }

    /// Returns true if the selection has changed since the last call.
    pub(super) fn take_selection_change(&mut self) -> bool {
        std::mem::replace(&mut self.sent_version, self.selection_version) != self.selection_version
    }

    /// Returns true if no query is in flight.
    pub(super) fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.in_flight.is_none())
    }

    fn stamp(&self, query: Query) -> Stamp {
        let selection_version =
            if query.dimensions == DimensionSet::EMPTY { 0 } else { self.selection_version };
        Stamp { query, data_version: self.data_version, selection_version }
    }

    /// Returns the queries to send now, with their ids. Requests of visible panels come first; the
    /// others follow once those are answered, and only if `only_seen` is false, because they would delay the
    /// answers to the next change. For the same reason, those that depend on the selection
    /// follow one by one: the next change waits for one of them only.
    pub(super) fn next_queries(
        &mut self,
        requests: &[Request],
        workers: usize,
        only_seen: bool,
    ) -> Vec<(u32, Query)> {
        let open: Vec<_> = requests.iter().filter(|request| !self.has_answer(request)).collect();
        let only_seen = only_seen || open.iter().any(|request| request.is_seen);
        let mut queries = Vec::new();
        for request in open {
            let is_deferred = only_seen && !request.is_seen;
            if is_deferred || self.slots[request.slot as usize].in_flight.is_some() {
                continue;
            }
            let is_selected = request.query.dimensions != DimensionSet::EMPTY;
            if !request.is_seen && is_selected && !self.is_idle() {
                continue;
            }
            let id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1);
            let stamp = self.stamp(request.query.clone());
            self.slots[request.slot as usize].in_flight =
                Some(InFlight { id, stamp, missing: workers, answer: None });
            queries.push((id, request.query.clone()));
        }
        queries
    }

    /// Returns true if the answer to a request is cached and up to date.
    pub(super) fn has_answer(&self, request: &Request) -> bool {
        self.current(request.slot, &request.query).is_some()
    }

    /// Merges the answer of one worker. Unknown ids are ignored.
    pub(super) fn on_answer(&mut self, id: u32, answer: Answer) {
        let is_match =
            |slot: &SlotState| slot.in_flight.as_ref().is_some_and(|query| query.id == id);
        let Some(slot) = self.slots.iter_mut().find(|slot| is_match(slot)) else { return };
        let Some(mut query) = slot.in_flight.take() else { return };
        query.answer = Some(match query.answer.take() {
            Some(others) => others.merge(answer),
            None => answer,
        });
        query.missing = query.missing.saturating_sub(1);
        if 0 < query.missing {
            slot.in_flight = Some(query);
            return;
        }
        slot.cached = query.answer.map(|answer| (query.stamp, answer));
        self.answer_count += 1;
        slot.version = self.answer_count;
    }

    /// The latest answer of a slot, even if it is outdated.
    pub(super) fn latest(&self, slot: Slot) -> Option<(&Query, &Answer)> {
        let (stamp, answer) = self.slots[slot as usize].cached.as_ref()?;
        Some((&stamp.query, answer))
    }

    /// A number that changes with the answer of a slot.
    pub(super) fn version(&self, slot: Slot) -> u64 {
        self.slots[slot as usize].version
    }

    /// The answer to a query, if it is cached and up to date.
    pub(super) fn current(&self, slot: Slot, query: &Query) -> Option<&Answer> {
        let (stamp, answer) = self.slots[slot as usize].cached.as_ref()?;
        (*stamp == self.stamp(query.clone())).then_some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::QueryKind;
    use crate::selection::Dimension;

    #[test]
    fn panels_out_of_sight_delay_changes_by_one_query() {
        let selected = DimensionSet::EMPTY.with(Dimension::Size);
        let request = |slot, dimensions, is_seen| {
            let query = Query { kind: QueryKind::Total, dimensions };
            Request { slot, query, is_seen }
        };
        let requests = [
            request(Slot::PortsWhole, DimensionSet::EMPTY, false),
            request(Slot::SourcesWhole, DimensionSet::EMPTY, false),
            request(Slot::Ports, selected, false),
            request(Slot::Sources, selected, false),
            request(Slot::Rate, selected, true),
        ];
        let mut scheduler = QueryScheduler::default();
        let answer = |scheduler: &mut QueryScheduler, queries: &[(u32, Query)]| {
            let total = || Answer::Total(Default::default());
            queries.iter().for_each(|(id, _)| scheduler.on_answer(*id, total()));
        };
        let mut next = |invalidate| {
            if invalidate {
                scheduler.invalidate_selection();
            }
            let queries = scheduler.next_queries(&requests, 1, false);
            answer(&mut scheduler, &queries);
            queries.len()
        };
        // The chart in sight, then those of all packets at once, then the others one by one.
        assert_eq!([(); 5].map(|()| next(false)), [1, 2, 1, 1, 0]);
        assert_eq!([true, false, true, false, false, false].map(next), [1, 1, 1, 1, 1, 0]);
    }
}
