//! QueryScheduler on their way, and the answers that are known: one of each kind.

use crate::query::{Answer, Query};
use crate::selection::DimensionSet;

/// What an answer is for.
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
    Conversations,
    // The ones from here on are in no picture.
    Nearest,
    Ranks,
    Rows,
}

const SLOT_COUNT: usize = 21;

/// A question that is wished for, and whether somebody looks at what it is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Request {
    pub(super) slot: Slot,
    pub(super) query: Query,
    pub(super) is_seen: bool,
}

/// The questions of one load.
#[derive(Debug)]
pub(super) struct QueryScheduler {
    next_id: u32,
    answer_count: u64,
    /// Changes when the packets do.
    data_version: u64,
    /// Changes when the selection does.
    selection_version: u64,
    slots: [State; SLOT_COUNT],
}

/// To what an answer belongs.
#[derive(Clone, Debug, PartialEq)]
struct Stamp {
    query: Query,
    data_version: u64,
    /// 0 of what does not depend on the selection.
    selection_version: u64,
}

#[derive(Debug, Default)]
struct State {
    asked: Option<Asked>,
    known: Option<(Stamp, Answer)>,
    /// Changes when the answer does.
    version: u64,
}

#[derive(Debug)]
struct Asked {
    id: u32,
    stamp: Stamp,
    /// How many workers have yet to answer.
    missing: usize,
    answer: Option<Answer>,
}

impl Default for QueryScheduler {
    fn default() -> Self {
        Self {
            next_id: 0,
            answer_count: 0,
            data_version: 1,
            selection_version: 1,
            slots: std::array::from_fn(|_| State::default()),
        }
    }
}

impl QueryScheduler {
    /// For another load: answers to the questions of this one come too late.
    pub(super) fn reset(&self) -> Self {
        Self { next_id: self.next_id, answer_count: self.answer_count, ..Self::default() }
    }

    /// There are more packets.
    pub(super) fn invalidate_data(&mut self) {
        self.data_version += 1;
    }

    /// Something else is selected.
    pub(super) fn invalidate_selection(&mut self) {
        self.selection_version += 1;
    }

    /// True where no answer is awaited.
    pub(super) fn is_idle(&self) -> bool {
        self.slots.iter().all(|slot| slot.asked.is_none())
    }

    fn stamp(&self, query: Query) -> Stamp {
        let selection_version =
            if query.dimensions == DimensionSet::EMPTY { 0 } else { self.selection_version };
        Stamp { query, data_version: self.data_version, selection_version }
    }

    /// What is to be asked now: of the requests whose answer is not known, those that somebody waits
    /// for, or else the others, but not while a hand is moving: they would be in the way of the next
    /// answers. A slot has one question under way at a time.
    pub(super) fn ask(
        &mut self,
        requests: &[Request],
        workers: usize,
        is_moving: bool,
    ) -> Vec<(u32, Query)> {
        let open: Vec<_> = requests.iter().filter(|request| !self.knows(request)).collect();
        let is_awaited = is_moving || open.iter().any(|request| request.is_seen);
        let mut asks = Vec::new();
        for request in open {
            if is_awaited && !request.is_seen || self.slots[request.slot as usize].asked.is_some() {
                continue;
            }
            let id = self.next_id;
            self.next_id = self.next_id.wrapping_add(1);
            let stamp = self.stamp(request.query.clone());
            self.slots[request.slot as usize].asked =
                Some(Asked { id, stamp, missing: workers, answer: None });
            asks.push((id, request.query.clone()));
        }
        asks
    }

    /// True where the answer is known.
    pub(super) fn knows(&self, request: &Request) -> bool {
        self.current(request.slot, &request.query).is_some()
    }

    /// Takes a worker's answer.
    pub(super) fn on_answer(&mut self, id: u32, answer: Answer) {
        let is_it = |slot: &State| slot.asked.as_ref().is_some_and(|asked| asked.id == id);
        let Some(slot) = self.slots.iter_mut().find(|slot| is_it(slot)) else { return };
        let Some(mut asked) = slot.asked.take() else { return };
        asked.answer = Some(match asked.answer.take() {
            Some(before) => before.merge(answer),
            None => answer,
        });
        asked.missing = asked.missing.saturating_sub(1);
        if 0 < asked.missing {
            slot.asked = Some(asked);
            return;
        }
        slot.known = asked.answer.map(|answer| (asked.stamp, answer));
        self.answer_count += 1;
        slot.version = self.answer_count;
    }

    /// The latest answer, whether or not it is still the one wished for.
    pub(super) fn latest(&self, slot: Slot) -> Option<(&Query, &Answer)> {
        let (stamp, answer) = self.slots[slot as usize].known.as_ref()?;
        Some((&stamp.query, answer))
    }

    /// Changes when the answer does.
    pub(super) fn version(&self, slot: Slot) -> u64 {
        self.slots[slot as usize].version
    }

    /// The answer that is true now.
    pub(super) fn current(&self, slot: Slot, query: &Query) -> Option<&Answer> {
        let (stamp, answer) = self.slots[slot as usize].known.as_ref()?;
        (*stamp == self.stamp(query.clone())).then_some(answer)
    }
}
