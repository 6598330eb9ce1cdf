//! The tables of conversations and endpoints. Only the visible rows are sorted: there may be very many.

use super::query_scheduler::Slot;
use super::tables::max_first;
use super::{App, Panel};
use crate::conversations::{Conversation, Endpoint};
use crate::partial_sort::sorted_range;
use crate::query::Answer;
use crate::table_columns::{Column, EndpointColumn};
use std::cmp::Ordering;

/// All rows of an answer, and the visible ones. `C` is the type of columns.
#[derive(Debug)]
pub(super) struct SortedRows<T, C> {
    /// Version of the answer.
    version: u64,
    all: Vec<T>,
    /// Index of the first visible row.
    pub(super) first: u64,
    /// The number of rows that can be displayed.
    pub(super) visible_rows: usize,
    visible: Vec<T>,
    /// The inputs from which `visible` was computed: version, order, first row, number of rows.
    visible_inputs: Option<(u64, (C, bool), u64, usize)>,
}

impl<T, C> Default for SortedRows<T, C> {
    fn default() -> Self {
        Self {
            version: 0,
            all: Vec::new(),
            first: 0,
            visible_rows: 0,
            visible: Vec::new(),
            visible_inputs: None,
        }
    }
}

impl<T: Copy, C: Copy + PartialEq> SortedRows<T, C> {
    /// Replaces the rows by those of a new answer.
    pub(super) fn replace(&mut self, version: u64, all: Vec<T>) {
        (self.version, self.all) = (version, all);
        self.first = self.first.min(self.len().saturating_sub(1));
    }

    /// The number of rows.
    pub(super) fn len(&self) -> u64 {
        self.all.len() as u64
    }

    /// The visible rows.
    pub(super) fn visible(&self) -> &[T] {
        &self.visible
    }

    /// Scrolls to a first row.
    pub(super) fn scroll(&mut self, first: u64) {
        self.first = first.min(max_first(self.len(), self.visible_rows));
    }

    /// Updates the visible rows if their inputs have changed. `compare` depends on `sort`.
    fn refresh(&mut self, sort: (C, bool), compare: impl Fn(&T, &T) -> Ordering) {
        let inputs = Some((self.version, sort, self.first, self.visible_rows));
        if self.visible_inputs == inputs {
            return;
        }
        self.visible_inputs = inputs;
        let first = usize::try_from(self.first).unwrap_or(usize::MAX);
        self.visible = self.sorted(first, self.visible_rows, compare);
    }

    fn sorted(&self, first: usize, count: usize, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
        let indices = sorted_range(&self.all, first, count, compare);
        indices.into_iter().map(|index| self.all[index]).collect()
    }
}

impl App {
    /// Whether the conversations are needed: small captures have them at hand.
    pub(super) fn needs_conversations(&self, is_small: bool) -> bool {
        is_small || self.is_seen(Panel::Conversations) || self.are_conversations_requested
    }

    /// Updates the tables after an event.
    pub(super) fn refresh_conversations(&mut self) {
        let version = self.scheduler.version(Slot::Conversations);
        let flows = match self.scheduler.latest(Slot::Conversations) {
            Some((_, Answer::Flows(flows))) => &flows[..],
            _ => &[],
        };
        let protos = self.flows.protos();
        if self.conversations.version != version && self.needs_conversations(self.is_small()) {
            self.conversations.replace(version, self.flows.conversations(flows));
        }
        let sort = self.settings.sort;
        self.conversations.refresh(sort, |a, b| compare(a, b, sort, protos));
        let needs_endpoints = self.is_seen(Panel::Endpoints) || self.are_conversations_requested;
        if self.endpoints.version != version && needs_endpoints {
            self.endpoints.replace(version, self.flows.endpoints(flows));
        }
        let sort = self.settings.endpoints_sort;
        self.endpoints.refresh(sort, |a, b| compare_endpoints(a, b, sort));
    }

    /// All conversations in order.
    pub(super) fn sorted_conversations(&self) -> Vec<Conversation> {
        let (sort, protos) = (self.settings.sort, self.flows.protos());
        self.conversations.sorted(0, usize::MAX, |a, b| compare(a, b, sort, protos))
    }

    /// All endpoints in order.
    pub(super) fn sorted_endpoints(&self) -> Vec<Endpoint> {
        let sort = self.settings.endpoints_sort;
        self.endpoints.sorted(0, usize::MAX, |a, b| compare_endpoints(a, b, sort))
    }
}

/// Compares by a column, and by the endpoints if that is equal.
fn compare(
    a: &Conversation,
    b: &Conversation,
    (column, is_ascending): (Column, bool),
    protos: &[String],
) -> Ordering {
    let proto = |conversation: &Conversation| &protos[conversation.pair.proto as usize];
    let order = match column {
        Column::A => a.pair.a.cmp(&b.pair.a),
        Column::B => a.pair.b.cmp(&b.pair.b),
        Column::PortA => a.pair.ports.0.cmp(&b.pair.ports.0),
        Column::PortB => a.pair.ports.1.cmp(&b.pair.ports.1),
        Column::Proto => proto(a).cmp(proto(b)),
        Column::Packets => a.total().packets.cmp(&b.total().packets),
        Column::Bytes => a.total().bytes.cmp(&b.total().bytes),
        Column::Handshake => a.health.mean_handshake_us().cmp(&b.health.mean_handshake_us()),
        Column::Retransmissions => a.health.retransmissions.cmp(&b.health.retransmissions),
        Column::Resets => a.health.resets.cmp(&b.health.resets),
        Column::ZeroWindows => a.health.zero_windows.cmp(&b.health.zero_windows),
        Column::PacketsAToB => a.a_to_b.packets.cmp(&b.a_to_b.packets),
        Column::BytesAToB => a.a_to_b.bytes.cmp(&b.a_to_b.bytes),
        Column::PacketsBToA => a.b_to_a.packets.cmp(&b.b_to_a.packets),
        Column::BytesBToA => a.b_to_a.bytes.cmp(&b.b_to_a.bytes),
        Column::Start => a.ts_ns.0.cmp(&b.ts_ns.0),
        Column::Duration => a.duration_ns().cmp(&b.duration_ns()),
        Column::Rate => a.rate().unwrap_or(0.0).total_cmp(&b.rate().unwrap_or(0.0)),
    };
    let order = if is_ascending { order } else { order.reverse() };
    order.then_with(|| a.pair.cmp(&b.pair))
}

/// Compares by a column, and by the address if that is equal.
fn compare_endpoints(
    a: &Endpoint,
    b: &Endpoint,
    (column, is_ascending): (EndpointColumn, bool),
) -> Ordering {
    let order = match column {
        EndpointColumn::Address => a.address.cmp(&b.address),
        EndpointColumn::Packets => a.total.packets.cmp(&b.total.packets),
        EndpointColumn::Bytes => a.total.bytes.cmp(&b.total.bytes),
        EndpointColumn::PacketsSent => a.sent.packets.cmp(&b.sent.packets),
        EndpointColumn::BytesSent => a.sent.bytes.cmp(&b.sent.bytes),
        EndpointColumn::PacketsReceived => a.received.packets.cmp(&b.received.packets),
        EndpointColumn::BytesReceived => a.received.bytes.cmp(&b.received.bytes),
        EndpointColumn::Peers => a.peers.cmp(&b.peers),
        EndpointColumn::First => a.ts_ns.0.cmp(&b.ts_ns.0),
        EndpointColumn::Last => a.ts_ns.1.cmp(&b.ts_ns.1),
    };
    let order = if is_ascending { order } else { order.reverse() };
    order.then_with(|| a.address.cmp(&b.address))
}
