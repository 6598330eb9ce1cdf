//! The ClientHello in QUIC Initial packets.

mod frames;
mod keys;

use crate::flow::FlowKey;
use crate::stream::Stream;
use crate::table::Table;
use keys::ClientKeys;
use summary::{QuicPacket, QuicPacketKind, Timestamp};

/// Maximum number of connections of which keys or bytes are kept.
const MAX_CONNECTIONS: usize = 1 << 13;
/// Maximum number of bytes that are kept.
const MAX_KEPT_LEN: usize = 16 << 20;
/// The ID that a client chooses for a server has at least this length (RFC 9000, section 7.2).
const MIN_ID_LEN: usize = 8;

/// The connections whose handshake has begun.
#[derive(Debug)]
pub(crate) struct QuicConnections {
    connections: Table<FlowKey, Connection>,
    /// Bytes in `connections`.
    kept_len: usize,
    evicted: u64,
    /// Content of the packet in progress.
    content: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    keys: ClientKeys,
    /// The bytes of the CRYPTO frames.
    stream: Stream,
    /// Whether the message in `stream` was returned.
    is_complete: bool,
}

impl Default for QuicConnections {
    fn default() -> Self {
        Self {
            connections: Table::new(MAX_CONNECTIONS),
            kept_len: 0,
            evicted: 0,
            content: Vec::new(),
        }
    }
}

impl QuicConnections {
    /// Adds a datagram. Returns the ClientHello that it contains or completes.
    pub(crate) fn add(&mut self, key: FlowKey, now: Timestamp, datagram: &[u8]) -> Option<Vec<u8>> {
        // The part of the message in this datagram.
        let mut alone = Stream::default();
        let mut completed = None;
        for packet in QuicPacket::all(datagram) {
            if packet.kind == QuicPacketKind::Initial && self.decrypt(key, now, &packet) {
                let message = self.add_frames(&key, &mut alone);
                completed = completed.or(message);
            }
        }
        while MAX_KEPT_LEN < self.kept_len
            && let Some(removed) = self.connections.pop_oldest()
        {
            self.kept_len -= removed.stream.len();
            self.evicted += u64::from(0 < removed.stream.len());
        }
        completed.or_else(|| message_len(alone.data()).map(|len| alone.take(len)))
    }

    /// Number of connections that were given up because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Decrypts a packet into `content`, and creates the connection if the packet is its first one.
    fn decrypt(&mut self, key: FlowKey, now: Timestamp, packet: &QuicPacket<'_>) -> bool {
        if let Some(connection) = self.connections.get_mut(&key)
            && connection.keys.decrypt(packet, &mut self.content)
        {
            return true;
        }
        // The keys of the server are others.
        if packet.destination_id.len() < MIN_ID_LEN
            || self.connections.get_mut(&key.reversed()).is_some()
        {
            return false;
        }
        // A new connection, or a Retry packet has changed the keys.
        let Some(keys) = ClientKeys::new(packet.version, packet.destination_id) else {
            return false;
        };
        if !keys.decrypt(packet, &mut self.content) {
            return false;
        }
        if let Some(replaced) = self.connections.remove(&key) {
            self.kept_len -= replaced.stream.len();
        }
        let connection = Connection { keys, stream: Stream::default(), is_complete: false };
        let Self { connections, kept_len, evicted, .. } = self;
        connections.insert(key, now, connection, |removed, is_old| {
            *kept_len -= removed.stream.len();
            *evicted += u64::from(!is_old && 0 < removed.stream.len());
        });
        true
    }

    /// Adds the CRYPTO frames in `content`. Returns the message that they complete.
    fn add_frames(&mut self, key: &FlowKey, alone: &mut Stream) -> Option<Vec<u8>> {
        let connection = self.connections.get_mut(key)?;
        let old_len = connection.stream.len();
        for (offset, data) in frames::crypto(&self.content) {
            // What exceeds the limit is missing, and the message with it.
            let _ = alone.insert(offset, data);
            if !connection.is_complete {
                let _ = connection.stream.insert(offset, data);
            }
        }
        let message = message_len(connection.stream.data()).map(|len| connection.stream.take(len));
        if message.is_some() {
            connection.is_complete = true;
            connection.stream = Stream::default();
        }
        self.kept_len = self.kept_len + connection.stream.len() - old_len;
        message
    }
}

/// Length of the first handshake message with its header, if it is complete (RFC 8446, section 4).
fn message_len(data: &[u8]) -> Option<usize> {
    let [_, high, middle, low, ..] = *data else { return None };
    let len = 4 + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low));
    (len <= data.len()).then_some(len)
}

#[cfg(test)]
mod tests;
