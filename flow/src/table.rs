//! All flows, in bounded memory.

use hashlink::LinkedHashMap;
use std::collections::VecDeque;
use summary::Timestamp;

use crate::flow::{EndReason, Flow, State};
use crate::key::{Key, Scopes};
use crate::observation::Observation;
use crate::tcp::Marks;

/// Limits of a [`FlowTable`]. Times are in nanoseconds of packet time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Maximum number of flows. The one without packets for the longest time is evicted.
    pub max_flows: usize,
    /// A flow without packets for longer ends.
    pub idle_ns: i64,
    /// A flow is reported when it has lasted this long, with its next packet; 0 never reports flows before
    /// they end.
    pub active_ns: i64,
    /// How long a closed connection waits for late packets.
    pub linger_ns: i64,
}

impl Default for Limits {
    /// 262,144 flows, an idle time of 120 s, no reports before the end, and 2 s for late packets.
    fn default() -> Self {
        const SECOND: i64 = 1_000_000_000;
        Self { max_flows: 1 << 18, idle_ns: 120 * SECOND, active_ns: 0, linger_ns: 2 * SECOND }
    }
}

/// Receives a flow and why it is reported.
pub type OnEnd<'a> = dyn FnMut(&Flow<'_>, EndReason) + 'a;

/// The flows of a capture.
#[derive(Debug)]
pub struct FlowTable {
    limits: Limits,
    /// The flow without packets for the longest time is in front.
    flows: LinkedHashMap<Key, State>,
    /// Connections that closed, and when.
    closed: VecDeque<(Timestamp, Key)>,
    scopes: Scopes,
    /// The latest time of all packets.
    now: Timestamp,
    evicted: u64,
}

impl FlowTable {
    /// A table without flows.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            flows: LinkedHashMap::new(),
            closed: VecDeque::new(),
            scopes: Scopes::default(),
            now: Timestamp::from_ns(i64::MIN),
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
        let mut ends = [packet.src, packet.dst];
        ends.sort_unstable();
        let key = Key { ends, scope: self.scopes.get(packet) };
        if let Some(state) = self.flows.get(&key)
            && state.is_reused_by(&key, packet)
            && let Some(state) = self.flows.remove(&key)
        {
            let reason = state.close_reason().unwrap_or(EndReason::Reused);
            on_end(&Flow { key: &key, state: &state }, reason);
        }
        if let Some(state) = self.flows.to_back(&key) {
            let was_open = state.close_reason().is_none();
            let marks = state.add_or_report(&key, packet, self.limits.active_ns, on_end);
            state.active_at = self.now;
            if was_open && state.close_reason().is_some() {
                self.closed.push_back((self.now, key));
            }
            return marks;
        }
        if self.limits.max_flows <= self.flows.len()
            && let Some((key, state)) = self.flows.pop_front()
        {
            let reason = state.close_reason().unwrap_or(EndReason::Evicted);
            self.evicted += u64::from(reason == EndReason::Evicted);
            on_end(&Flow { key: &key, state: &state }, reason);
        }
        let mut state = State::new(&key, packet);
        let marks = state.add(&key, packet);
        state.active_at = self.now;
        if state.close_reason().is_some() {
            self.closed.push_back((self.now, key.clone()));
        }
        self.flows.insert(key, state);
        marks
    }

    /// Ends the flows whose time is over at `now`.
    pub fn expire(&mut self, now: Timestamp, on_end: &mut OnEnd<'_>) {
        self.now = self.now.max(now);
        let Self { limits, flows, closed, now, .. } = self;
        let since = |time: &Timestamp| now.ns().saturating_sub(time.ns());
        while closed.front().is_some_and(|(time, _)| limits.linger_ns < since(time))
            && let Some((_, key)) = closed.pop_front()
        {
            // The connection may have been evicted, and another one may have its endpoints.
            let reason = flows.get(&key).and_then(State::close_reason);
            if let Some(reason) = reason
                && let Some(state) = flows.remove(&key)
            {
                on_end(&Flow { key: &key, state: &state }, reason);
            }
        }
        while let Some((_, state)) = flows.front()
            && limits.idle_ns < since(&state.active_at)
            && let Some((key, state)) = flows.pop_front()
        {
            let reason = state.close_reason().unwrap_or(EndReason::Timeout);
            on_end(&Flow { key: &key, state: &state }, reason);
        }
    }

    /// Ends all flows.
    pub fn finish(&mut self, on_end: &mut OnEnd<'_>) {
        self.closed.clear();
        for (key, state) in self.flows.drain() {
            let reason = state.close_reason().unwrap_or(EndReason::End);
            on_end(&Flow { key: &key, state: &state }, reason);
        }
    }

    /// Number of flows now.
    pub fn len(&self) -> usize {
        self.flows.len()
    }

    /// True if there are no flows now.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Number of flows that ended because the table was full.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }
}

impl State {
    /// Adds a packet to a flow that has some, after a report if the flow has lasted long enough.
    fn add_or_report(
        &mut self,
        key: &Key,
        packet: &Observation,
        active_ns: i64,
        on_end: &mut OnEnd<'_>,
    ) -> Marks {
        let (first, _) = self.times();
        if 0 < active_ns && active_ns <= packet.ts.ns().saturating_sub(first.ns()) {
            on_end(&Flow { key, state: self }, EndReason::Active);
            self.reset_counts();
        }
        self.add(key, packet)
    }

    /// Why the connection is closed; `None` if it is not.
    fn close_reason(&self) -> Option<EndReason> {
        self.tcp.as_ref().and_then(|tcp| tcp.close_reason())
    }

    /// Whether the packet begins another connection with the same endpoints.
    fn is_reused_by(&self, key: &Key, packet: &Observation) -> bool {
        let (Some(tcp), Some(segment)) = (&self.tcp, &packet.segment) else { return false };
        tcp.is_reused_by(self.side(key, packet), segment)
    }
}
