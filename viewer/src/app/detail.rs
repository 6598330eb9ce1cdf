//! The packet whose details are shown: chosen in the packet table or in the scatter plot.

use super::extra_fields::PacketId;
use super::query_scheduler::Slot;
use super::tables::max_first;
use super::{App, Step};
use crate::columns::PacketRow;
use crate::load::RawFrame;
use crate::query::{Answer, Hit, LocatedPacket, Position, Query, QueryKind, TimeRank};
use std::rc::Rc;

/// The packet whose details are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DetailPacket {
    pub(super) position: Position,
    pub(super) row: PacketRow,
    /// Differs each time that a packet is selected, also if it is the same packet.
    pub(super) request: u64,
    /// Its line; `None` until it has been read.
    pub(super) line: Option<String>,
    /// Its bytes, if the file is a capture file.
    pub(super) frame: Option<Rc<RawFrame>>,
}

impl DetailPacket {
    pub(super) fn id(&self) -> PacketId {
        (self.position.part, self.position.index)
    }
}

impl App {
    /// The visible rows of the packet table that have been answered.
    pub(super) fn packet_rows(&self) -> &[LocatedPacket] {
        match self.scheduler.latest(Slot::Rows) {
            Some((_, Answer::Rows(rows))) => &rows[..rows.len().min(self.packets.visible_rows)],
            _ => &[],
        }
    }

    /// The packet nearest to the pointer in the scatter plot, as last answered.
    pub(super) fn hit(&self) -> Option<&Hit> {
        match self.scheduler.latest(Slot::Nearest)?.1 {
            Answer::Nearest(hit) => hit.as_ref(),
            _ => None,
        }
    }

    /// Shows the packet of the clicked cell, once it has been answered.
    pub(super) fn show_clicked_packet(&mut self) {
        let Some((grid, cell)) = self.pending_click else { return };
        let is_match = |query: &Query| query.kind == QueryKind::Nearest { grid, cell };
        let answer = self.scheduler.latest(Slot::Nearest).filter(|(query, _)| is_match(query));
        let Some((_, Answer::Nearest(hit))) = answer else { return };
        let id = hit.as_ref().map(|hit| (hit.packet.part, hit.packet.index));
        (self.pending_click, self.packets.detail_row) = (None, None);
        if let Some(id) = id {
            self.show_packet(id);
            self.packets.is_sought = true;
        }
    }

    /// Shows the packet of a visible table row.
    pub(super) fn show_packet_of_row(&mut self, index: usize) {
        if let Some(packet) = self.packet_rows().get(index) {
            self.show_packet((packet.part, packet.index));
            self.packets.detail_row = Some(self.packets.first + index as u64);
        }
    }

    fn show_packet(&mut self, id: PacketId) {
        let rows = self.packet_rows().iter();
        let mut found = rows.chain(self.hit().map(|hit| &hit.packet));
        let found = found.rfind(|packet| (packet.part, packet.index) == id);
        if let Some(packet) = found {
            let packet = packet.clone();
            self.show_detail(packet);
        }
    }

    /// Shows a packet that is not one of the visible rows.
    pub(super) fn show_located(&mut self, packet: LocatedPacket) {
        self.packets.detail_row = None;
        self.show_detail(packet);
        self.packets.is_sought = true;
    }

    fn show_detail(&mut self, packet: LocatedPacket) {
        let (position, row) = (packet.position(), packet.row);
        let request = self.detail.as_ref().map_or(0, |detail| detail.request + 1);
        let detail = DetailPacket { position, row, request, line: None, frame: None };
        self.record_request = Some(detail.id());
        self.detail = Some(detail);
        (self.pending_rank, self.packets.is_sought) = (None, false);
    }

    /// Returns true if the details of a packet are shown.
    pub fn has_detail(&self) -> bool {
        self.detail.is_some()
    }

    /// The query for the rank of the packet that is shown.
    pub(super) fn detail_rank_query(&self) -> Option<Query> {
        let kind = QueryKind::RankOf(self.detail.as_ref()?.position);
        Some(Query { kind, dimensions: self.dimensions_except(None).unwrap_or_default() })
    }

    /// The number of selected packets before the one that is shown, and of those up to it, once they have
    /// been answered.
    fn detail_ranks(&self) -> Option<(u64, u64)> {
        let answer = self.scheduler.current(Slot::DetailRank, &self.detail_rank_query()?)?;
        let Answer::Ranks(ranks) = answer else { return None };
        let sum = |of: fn(&TimeRank) -> u64| ranks.iter().map(of).sum();
        Some((sum(|rank| rank.below), sum(|rank| rank.up_to)))
    }

    /// The ranks of the selected packets before and after the one that is shown, once its rank has been
    /// answered.
    pub(super) fn neighbor_ranks(&self) -> [Option<u64>; 2] {
        let Some((before, after)) = self.detail_ranks() else { return [None; 2] };
        [before.checked_sub(1), Some(after).filter(|after| *after < self.selected().packets)]
    }

    /// Scrolls the table to the packet that was picked elsewhere, once its rank has been answered. A packet
    /// that is not selected has no row.
    pub(super) fn scroll_to_picked(&mut self) {
        if self.packets.is_sought
            && let Some((rank, up_to)) = self.detail_ranks()
        {
            self.packets.is_sought = false;
            if rank < up_to {
                self.scroll_to_row(rank);
                self.packets.detail_row = Some(rank);
            }
        }
    }

    /// Scrolls the packet table as little as needed to show a row.
    fn scroll_to_row(&mut self, row: u64) {
        let visible = (self.packets.visible_rows as u64).max(1);
        let max = max_first(self.selected().packets, self.packets.visible_rows);
        let first = self.packets.first.clamp((row + 1).saturating_sub(visible), row);
        self.packets.first = first.min(max);
    }

    /// Scrolls the table to the previous or next packet, which is shown once its row has been answered.
    pub(super) fn step_detail(&mut self, step: Step) {
        let Some(rank) = self.neighbor_ranks()[step as usize] else { return };
        self.scroll_to_row(rank);
        self.pending_rank = Some(rank);
    }

    /// Shows the packet to which the user has stepped, if `query` asks for the visible rows and has been
    /// answered.
    pub(super) fn show_stepped_packet(&mut self, slot: Slot, query: &Query) {
        let Some(rank) = self.pending_rank.filter(|_| slot == Slot::Rows) else { return };
        let Some(Answer::Rows(rows)) = self.scheduler.current(slot, query) else { return };
        let index =
            rank.checked_sub(self.packets.first).and_then(|index| usize::try_from(index).ok());
        let packet = index.and_then(|index| rows.get(index)).cloned();
        self.pending_rank = None;
        if let Some(packet) = packet {
            self.show_detail(packet);
            self.packets.detail_row = Some(rank);
        }
    }

    /// The number of a packet, if its details are shown.
    pub fn detail_number(&self, id: (usize, usize)) -> Option<i64> {
        self.detail.as_ref().filter(|detail| detail.id() == id).map(|detail| detail.row.n)
    }

    /// Stores a packet that was read, unless another one is shown by now.
    pub(super) fn on_record(&mut self, id: PacketId, line: String, frame: Option<RawFrame>) {
        if let Some(detail) = self.detail.as_mut().filter(|detail| detail.id() == id) {
            detail.line = Some(line);
            detail.frame = frame.map(Rc::new);
        }
    }
}
