//! The table of conversations. Only the visible rows are sorted: there may be very many.

use super::App;
use super::query_scheduler::Slot;
use super::tables::max_first;
use crate::conversations::Conversation;
use crate::partial_sort::sorted_range;
use crate::query::Answer;
use crate::settings::Column;
use std::cmp::Ordering;

/// All conversations of an answer, and the visible rows.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    /// Version of the answer.
    version: u64,
    all: Vec<Conversation>,
    /// Whether all conversations are needed although their table is not visible.
    pub(super) is_requested: bool,
    /// Index of the first visible row.
    pub(super) first: u64,
    /// The number of rows that can be displayed.
    pub(super) visible_rows: usize,
    visible: Vec<Conversation>,
    /// The inputs from which `visible` was computed: version, order, first row, number of rows.
    visible_inputs: Option<(u64, (Column, bool), u64, usize)>,
}

impl Conversations {
    /// Replaces the conversations by those of a new answer.
    pub(super) fn replace(&mut self, version: u64, all: Vec<Conversation>) {
        (self.version, self.all) = (version, all);
        self.first = self.first.min(self.len().saturating_sub(1));
    }

    /// The number of conversations.
    pub(super) fn len(&self) -> u64 {
        self.all.len() as u64
    }

    /// The visible rows.
    pub(super) fn visible(&self) -> &[Conversation] {
        &self.visible
    }

    /// Scrolls to a first row.
    pub(super) fn scroll(&mut self, first: u64) {
        self.first = first.min(max_first(self.len(), self.visible_rows));
    }

    /// Updates the visible rows if their inputs have changed.
    fn refresh(&mut self, sort: (Column, bool), protos: &[String]) {
        let inputs = Some((self.version, sort, self.first, self.visible_rows));
        if self.visible_inputs == inputs {
            return;
        }
        self.visible_inputs = inputs;
        let first = usize::try_from(self.first).unwrap_or(usize::MAX);
        let by = |a: &_, b: &_| compare(a, b, sort, protos);
        let indices = sorted_range(&self.all, first, self.visible_rows, by);
        self.visible = indices.into_iter().map(|index| self.all[index]).collect();
    }

    /// All conversations in order.
    pub(super) fn sorted(&self, sort: (Column, bool), protos: &[String]) -> Vec<Conversation> {
        let mut all = self.all.clone();
        all.sort_by(|a, b| compare(a, b, sort, protos));
        all
    }
}

impl App {
    /// Updates the table after an event.
    pub(super) fn refresh_conversations(&mut self) {
        let version = self.scheduler.version(Slot::Conversations);
        if self.conversations.version != version {
            let all = match self.scheduler.latest(Slot::Conversations) {
                Some((_, Answer::Flows(flows))) => self.flows.conversations(flows),
                _ => Vec::new(),
            };
            self.conversations.replace(version, all);
        }
        self.conversations.refresh(self.settings.sort, self.flows.protos());
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
        Column::Proto => proto(a).cmp(proto(b)),
        Column::Packets => a.total().packets.cmp(&b.total().packets),
        Column::Bytes => a.total().bytes.cmp(&b.total().bytes),
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
