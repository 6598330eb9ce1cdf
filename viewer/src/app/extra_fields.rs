//! The last column of the packet table: fields of a line that have no column of their own. They are
//! not stored in memory, but read from the file for the visible rows.

use super::{App, Panel};

/// A packet, given by its part and its index there.
pub(super) type PacketId = (usize, usize);

/// The extra fields of the packets in the table.
#[derive(Debug, Default)]
pub(super) struct ExtraFields {
    cached: Vec<(PacketId, String)>,
    /// The packets whose fields have been requested.
    pending: Vec<PacketId>,
}

impl ExtraFields {
    /// The extra fields of a packet; empty if it has none or they have not been read.
    pub(super) fn of(&self, packet: PacketId) -> &str {
        self.cached.iter().find(|(cached, _)| *cached == packet).map_or("", |(_, text)| text)
    }

    /// Stores fields that have been read.
    pub(super) fn on_texts(&mut self, texts: Vec<(PacketId, String)>) {
        for (packet, text) in texts {
            self.pending.retain(|pending| *pending != packet);
            self.cached.push((packet, text));
        }
    }

    /// Returns the visible packets whose fields must be requested now, and drops all that are not
    /// visible. At most one request is pending.
    fn request(&mut self, visible: &[PacketId]) -> Vec<PacketId> {
        if !self.pending.is_empty() {
            return Vec::new();
        }
        self.cached.retain(|(cached, _)| visible.contains(cached));
        let is_new = |packet: &&PacketId| self.cached.iter().all(|(cached, _)| cached != *packet);
        self.pending = visible.iter().filter(is_new).copied().collect();
        self.pending.clone()
    }
}

impl App {
    /// The packets whose fields must be read for the packet table, if it is in sight.
    pub(super) fn missing_fields(&mut self) -> Vec<PacketId> {
        if !self.is_seen(Panel::Packets) {
            return Vec::new();
        }
        let visible: Vec<_> =
            self.packet_rows().iter().map(|packet| (packet.part, packet.index)).collect();
        self.extra_fields.request(&visible)
    }
}
