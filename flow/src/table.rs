//! All flows, in bounded memory.

use std::collections::VecDeque;
use summary::Timestamp;

use crate::flow::{EndReason, Flow};
use crate::key::Key;
use crate::list::List;
use crate::observation::Observation;
use crate::slab::NONE;
use crate::slot::{Slot, flags};
use crate::store::Store;
use crate::tagged::Tagged;
use crate::tcp::Marks;

/// Limits of a [`FlowTable`]. Times are in nanoseconds of packet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of flows, at most 16,777,215. The one without packets for the longest time is evicted.
    pub max_flows: usize,
    /// A flow without packets for longer ends.
    pub idle_ns: i64,
    /// The same for TCP connections that both sides use: keep-alives are rare.
    pub idle_tcp_ns: i64,
    /// A flow is reported when it has lasted this long, with its next packet; 0 never reports flows before
    /// they end.
    pub active_ns: i64,
    /// How long a closed connection waits for late packets.
    pub linger_ns: i64,
}

impl Default for Limits {
    /// 262,144 flows, an idle time of 120 s, no reports before the end, and 2 s for late packets. TCP
    /// connections that both sides use may be idle for 2 h 4 min: the usual interval of keep-alives, and
    /// four minutes for their answer (RFC 5382, requirement 5).
    fn default() -> Self {
        const SECOND: i64 = 1_000_000_000;
        Self {
            max_flows: 1 << 18,
            idle_ns: 120 * SECOND,
            idle_tcp_ns: (120 + 4) * 60 * SECOND,
            active_ns: 0,
            linger_ns: 2 * SECOND,
        }
    }
}

/// Receives a flow and why it is reported.
pub type OnEnd<'a> = dyn FnMut(&Flow<'_>, EndReason) + 'a;

/// The flows of a capture.
#[derive(Debug)]
pub struct FlowTable {
    limits: Limits,
    store: Store,
    /// Flows with the short and with the long idle time.
    lists: [List; 2],
    /// Connections that closed, in this order.
    closed: VecDeque<Closed>,
    /// The latest time of all packets.
    now: Timestamp,
    /// No flow ends before this time.
    next_end_ns: i64,
    /// Number of the last flow.
    serial: u16,
    evicted: u64,
}

/// A connection that waits for late packets.
#[derive(Clone, Copy, Debug)]
struct Closed {
    time: Timestamp,
    index: u32,
    serial: u16,
}

impl FlowTable {
    /// A table without flows.
    pub fn new(limits: Limits) -> Self {
        let max_flows = limits.max_flows.min(Tagged::MAX_LEN);
        Self {
            limits: Limits { max_flows, ..limits },
            store: Store::default(),
            lists: Default::default(),
            closed: VecDeque::new(),
            now: Timestamp::from_ns(i64::MIN),
            next_end_ns: i64::MIN,
            serial: 0,
            evicted: 0,
        }
    }

    /// Adds a packet. `on_end` receives the flows that end before it.
    pub fn add(&mut self, packet: &Observation, on_end: &mut OnEnd<'_>) -> Marks {
        self.expire(packet.ts, on_end);
        // If the time stands still, connections do not leave.
        if self.limits.max_flows < self.closed.len() {
            self.closed.pop_front();
        }
        let scope = self.store.scopes.id(packet);
        let (key, is_swapped) = Key::new(packet.src, packet.dst, scope);
        let hash = self.store.hash(&key);
        let index = match self.store.find(hash, &key) {
            Some(index) if self.is_reused_by(index, is_swapped, packet) => {
                self.end(index, EndReason::Reused, on_end);
                None
            }
            found => found,
        };
        let index = match index {
            Some(index) => {
                self.report_active(index, packet.ts, on_end);
                index
            }
            None => {
                if self.limits.max_flows <= self.store.len() {
                    self.evict(on_end);
                }
                self.insert(&key, hash, is_swapped, packet)
            }
        };
        let from = self.side(index, is_swapped);
        let was_closed = close_reason(self.store.slots.get(index)).is_some();
        let marks = self.store.add(index, from, packet);
        self.move_back(index);
        let slot = self.store.slots.get(index);
        if !was_closed && close_reason(slot).is_some() {
            self.closed.push_back(Closed { time: self.now, index, serial: slot.serial });
            let end_ns = self.now.ns().saturating_add(self.limits.linger_ns);
            self.next_end_ns = self.next_end_ns.min(end_ns);
        }
        marks
    }

    /// Ends the flows whose time is over at `now`.
    pub fn expire(&mut self, now: Timestamp, on_end: &mut OnEnd<'_>) {
        self.now = self.now.max(now);
        if self.now.ns() <= self.next_end_ns {
            return;
        }
        let now_ns = self.now.ns();
        let Limits { linger_ns, idle_ns, idle_tcp_ns, .. } = self.limits;
        let mut next_end_ns = i64::MAX;
        while let Some(&Closed { time, index, serial }) = self.closed.front() {
            let end_ns = time.ns().saturating_add(linger_ns);
            if now_ns <= end_ns {
                next_end_ns = end_ns;
                break;
            }
            self.closed.pop_front();
            // The connection may have been evicted, and another one may have its index.
            let slot = self.store.slots.get(index);
            if slot.serial == serial && close_reason(slot).is_some() {
                self.end(index, EndReason::End, on_end);
            }
        }
        for (list, idle_ns) in [idle_ns, idle_tcp_ns].into_iter().enumerate() {
            while let Some(last) = self.last_time(self.lists[list].front()) {
                let end_ns = last.ns().saturating_add(idle_ns);
                if now_ns <= end_ns {
                    next_end_ns = next_end_ns.min(end_ns);
                    break;
                }
                self.end(self.lists[list].front(), EndReason::Timeout, on_end);
            }
        }
        // Flows that begin now end after the idle time.
        let soonest = now_ns.saturating_add(idle_ns.min(idle_tcp_ns));
        self.next_end_ns = next_end_ns.min(soonest);
    }

    /// Ends all flows.
    pub fn finish(&mut self, on_end: &mut OnEnd<'_>) {
        self.closed.clear();
        for list in 0..self.lists.len() {
            while self.lists[list].front() != NONE {
                self.end(self.lists[list].front(), EndReason::End, on_end);
            }
        }
    }

    /// All flows, in the order of their last packets: first those that may be idle for a short time.
    pub fn iter(&self) -> impl Iterator<Item = Flow<'_>> {
        let some = |index: u32| (index != NONE).then_some(index);
        self.lists.iter().flat_map(move |list| {
            let next = move |index: &u32| some(self.store.slots.get(*index).next());
            std::iter::successors(some(list.front()), next)
                .map(|index| Flow::new(&self.store, index))
        })
    }

    /// Number of flows now.
    pub fn len(&self) -> usize {
        self.store.len()
    }

    /// True if there are no flows now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of flows that ended because the table was full.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The side of a packet: 0 if it comes from the source.
    fn side(&self, index: u32, is_swapped: bool) -> usize {
        usize::from(self.store.slots.get(index).is_reversed() != is_swapped)
    }

    fn is_reused_by(&self, index: u32, is_swapped: bool, packet: &Observation) -> bool {
        self.store.is_reused_by(index, self.side(index, is_swapped), packet)
    }

    /// Begins a flow. The first packet decides which end is the source: the client of a connection, or
    /// the end that sent it.
    fn insert(&mut self, key: &Key, hash: u64, is_swapped: bool, packet: &Observation) -> u32 {
        let is_answer = packet.segment.is_some_and(|segment| segment.is_syn_ack());
        let is_reversed = is_swapped != (is_answer && !key.is_loop());
        self.serial = self.serial.wrapping_add(1);
        let index = self.store.insert(key, hash, is_reversed, self.serial);
        self.lists[0].push(index, &mut self.store.slots);
        index
    }

    /// Reports a flow that has lasted for the interval.
    fn report_active(&mut self, index: u32, now: Timestamp, on_end: &mut OnEnd<'_>) {
        if self.limits.active_ns <= 0 {
            return;
        }
        let flow = Flow::new(&self.store, index);
        let (first, _) = flow.times();
        if self.limits.active_ns <= now.ns().saturating_sub(first.ns()) {
            on_end(&flow, EndReason::Active);
            self.store.reset_counts(index);
        }
    }

    /// Moves a flow to the end of the list for its idle time.
    fn move_back(&mut self, index: u32) {
        let slot = self.store.slots.get(index);
        let is_long_lived = slot.is_tcp() && self.store.is_established(slot);
        let [from, to] = [slot.has(flags::IS_LONG_LIVED), is_long_lived].map(usize::from);
        if from == to && self.lists[to].is_back(index) {
            return;
        }
        self.lists[from].remove(index, &mut self.store.slots);
        self.lists[to].push(index, &mut self.store.slots);
        self.store.slots.get_mut(index).set(flags::IS_LONG_LIVED, is_long_lived);
    }

    /// Ends the flow without packets for the longest time.
    fn evict(&mut self, on_end: &mut OnEnd<'_>) {
        let fronts = self.lists.map(|list| list.front());
        let oldest = fronts.into_iter().filter(|&index| index != NONE);
        if let Some(index) = oldest.min_by_key(|&index| self.last_time(index)) {
            let is_closed = close_reason(self.store.slots.get(index)).is_some();
            self.evicted += u64::from(!is_closed);
            self.end(index, EndReason::Evicted, on_end);
        }
    }

    /// Ends a flow. `reason` applies to those that did not close.
    fn end(&mut self, index: u32, reason: EndReason, on_end: &mut OnEnd<'_>) {
        let Self { store, lists, .. } = self;
        let slot = store.slots.get(index);
        let reason = close_reason(slot).unwrap_or(reason);
        on_end(&Flow::new(store, index), reason);
        let list = usize::from(slot.has(flags::IS_LONG_LIVED));
        lists[list].remove(index, &mut store.slots);
        store.remove(index);
    }

    /// Time of the last packet of a flow.
    fn last_time(&self, index: u32) -> Option<Timestamp> {
        let slot = self.store.slots.find(index)?;
        let (_, last) = slot.times(&self.store.extras);
        Some(last)
    }
}

/// Why a connection is closed; `None` if it is not.
fn close_reason(slot: &Slot) -> Option<EndReason> {
    if slot.has(flags::IS_RESET) {
        Some(EndReason::Rst)
    } else {
        slot.has(flags::IS_FINISHED).then_some(EndReason::Fin)
    }
}
