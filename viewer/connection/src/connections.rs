//! The connections that have used the same addresses and ports, one after the other.

use crate::connection::Connection;
use crate::packet::Packet;
use flow::{FlowTable, Limits, Marks};
use summary::Tcp;

/// The number of earlier connections whose SYN is recognized when it comes late.
const MAX_EARLIER: usize = 16;

/// Connections, in the order of their first packets. Each file has its own: a connection whose packets are
/// in two files is two connections, as for the analysis of TCP.
#[derive(Debug, Default)]
pub struct Connections {
    all: Vec<Connection>,
    /// The analysis of TCP, for each file.
    flows: Vec<(usize, FlowTable)>,
    /// The lines have findings of their own.
    has_own_marks: bool,
}

impl Connections {
    /// Adds the next packet of a file, given by its index. Returns the index of its connection.
    pub fn add(&mut self, file: usize, packet: &Packet<'_>) -> usize {
        let index = self.find(file, packet).unwrap_or_else(|| {
            self.all.push(Connection::new(file, packet));
            self.all.len() - 1
        });
        let marks = self.marks(file, packet);
        self.all[index].add(packet, marks);
        index
    }

    /// The findings in a packet: those of its line, or of the analysis.
    fn marks(&mut self, file: usize, packet: &Packet<'_>) -> Marks {
        self.has_own_marks |= packet.own_marks.is_some();
        if self.has_own_marks || packet.segment.is_none() {
            return packet.own_marks.unwrap_or_default();
        }
        if self.flows.last().is_none_or(|(last, _)| *last != file) {
            self.flows.push((file, FlowTable::new(Limits::default())));
        }
        let Some((_, flows)) = self.flows.last_mut() else { return Marks::default() };
        let marks = flows.add(&packet.observation, &mut |_, _| ());
        // Lines do not contain the scale of windows.
        let has_options = packet.payload.bytes.is_some();
        Marks { is_window_full: marks.is_window_full && has_options, ..marks }
    }

    /// All connections.
    pub fn all(&self) -> &[Connection] {
        &self.all
    }

    /// The connection to which a packet belongs, if it has begun.
    fn find(&self, file: usize, packet: &Packet<'_>) -> Option<usize> {
        let is_same = |connection: &&Connection| {
            connection.file() == file && connection.is_tcp() == packet.segment.is_some()
        };
        let mut found = self.all.iter().enumerate().rev().filter(|(_, other)| is_same(other));
        let (last, connection) = found.next()?;
        let Some(segment) = &packet.segment else { return Some(last) };
        if !connection.is_reused_by(connection.side_of(packet), segment) {
            return Some(last);
        }
        // A late copy of the SYN of an earlier connection does not open another one.
        let is_copy = |connection: &Connection| {
            segment.has(Tcp::SYN) && connection.has_isn(connection.side_of(packet), segment)
        };
        found.take(MAX_EARLIER).find(|(_, connection)| is_copy(connection)).map(|(index, _)| index)
    }
}
