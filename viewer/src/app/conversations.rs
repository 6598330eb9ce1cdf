//! The table of conversations: which rows of it are seen, in which order. Only those are sorted, for
//! there may be very many.

use super::tables::last_first;
use crate::conversations::Conversation;
use crate::partial_sort::sorted_range;
use crate::settings::Column;
use std::cmp::Ordering;

/// All conversations of an answer, and those that are seen.
#[derive(Debug, Default)]
pub(super) struct Conversations {
    /// Of the answer.
    pub(super) version: u64,
    all: Vec<Conversation>,
    /// Place of the first row.
    pub(super) first: u64,
    /// How many rows can be seen.
    pub(super) room: usize,
    shown: Vec<Conversation>,
    /// What the shown ones are made of.
    made_of: Option<(u64, (Column, bool), u64, usize)>,
}

impl Conversations {
    /// Of a new answer.
    pub(super) fn replace(&mut self, version: u64, all: Vec<Conversation>) {
        (self.version, self.all) = (version, all);
        self.first = self.first.min(self.len().saturating_sub(1));
    }

    /// How many there are.
    pub(super) fn len(&self) -> u64 {
        self.all.len() as u64
    }

    /// The rows that are seen.
    pub(super) fn shown(&self) -> &[Conversation] {
        &self.shown
    }

    /// Goes to another first row.
    pub(super) fn scroll(&mut self, first: u64) {
        self.first = first.min(last_first(self.len(), self.room));
    }

    /// Finds the rows that are seen, where anything has changed.
    pub(super) fn show(&mut self, sort: (Column, bool), protos: &[String]) {
        let made_of = Some((self.version, sort, self.first, self.room));
        if self.made_of == made_of {
            return;
        }
        self.made_of = made_of;
        let first = usize::try_from(self.first).unwrap_or(usize::MAX);
        let places = sorted_range(&self.all, first, self.room, |a, b| compare(a, b, sort, protos));
        self.shown = places.into_iter().map(|place| self.all[place]).collect();
    }

    /// All of them in their order.
    pub(super) fn sorted(&self, sort: (Column, bool), protos: &[String]) -> Vec<Conversation> {
        let mut all = self.all.clone();
        all.sort_by(|a, b| compare(a, b, sort, protos));
        all
    }
}

/// By a column; equals by who talks.
fn compare(
    a: &Conversation,
    b: &Conversation,
    (column, is_ascending): (Column, bool),
    protos: &[String],
) -> Ordering {
    let name = |conversation: &Conversation| &protos[conversation.pair.proto as usize];
    let order = match column {
        Column::A => a.pair.a.cmp(&b.pair.a),
        Column::B => a.pair.b.cmp(&b.pair.b),
        Column::Proto => name(a).cmp(name(b)),
        Column::Packets => a.total().packets.cmp(&b.total().packets),
        Column::Bytes => a.total().bytes.cmp(&b.total().bytes),
        Column::PacketsForth => a.a_to_b.packets.cmp(&b.a_to_b.packets),
        Column::BytesForth => a.a_to_b.bytes.cmp(&b.a_to_b.bytes),
        Column::PacketsBack => a.b_to_a.packets.cmp(&b.b_to_a.packets),
        Column::BytesBack => a.b_to_a.bytes.cmp(&b.b_to_a.bytes),
        Column::Start => a.ts_ns.0.cmp(&b.ts_ns.0),
        Column::Duration => a.duration_ns().cmp(&b.duration_ns()),
        Column::Rate => a.rate().unwrap_or(0.0).total_cmp(&b.rate().unwrap_or(0.0)),
    };
    let order = if is_ascending { order } else { order.reverse() };
    order.then_with(|| a.pair.cmp(&b.pair))
}
