//! The packet whose details are shown: chosen in the packet table or in the scatter plot.

use super::App;
use super::extra_fields::PacketId;
use super::query_scheduler::Slot;
use crate::columns::PacketRow;
use crate::query::{Answer, Hit, LocatedPacket, Query, QueryKind};

/// The packet whose details are shown.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct DetailPacket {
    pub(super) id: PacketId,
    pub(super) row: PacketRow,
    /// Its line; `None` until it has been read.
    pub(super) line: Option<String>,
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
        self.pending_click = None;
        if let Some(id) = id {
            self.show_packet(id);
        }
    }

    /// Shows the packet of a visible table row.
    pub(super) fn show_packet_of_row(&mut self, index: usize) {
        if let Some(packet) = self.packet_rows().get(index) {
            self.show_packet((packet.part, packet.index));
        }
    }

    fn show_packet(&mut self, id: PacketId) {
        let rows = self.packet_rows().iter();
        let mut found = rows.chain(self.hit().map(|hit| &hit.packet));
        let found = found.rfind(|packet| (packet.part, packet.index) == id);
        if let Some(packet) = found {
            self.detail = Some(DetailPacket { id, row: packet.row.clone(), line: None });
            self.line_request = Some(id);
        }
    }

    /// Stores the line of a packet, unless another packet is shown by now.
    pub(super) fn on_detail_line(&mut self, id: PacketId, line: String) {
        if let Some(detail) = self.detail.as_mut().filter(|detail| detail.id == id) {
            detail.line = Some(line);
        }
    }
}
