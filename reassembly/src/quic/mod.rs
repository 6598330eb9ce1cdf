//! The ClientHello in QUIC Initial packets.

mod frames;
mod keys;

use crate::flow::FlowKey;
use crate::stream::Stream;
use crate::streams::Streams;
use keys::ClientKeys;
use summary::{ClientHello, QuicPacket, QuicPacketKind, Timestamp};

/// The ID that a client chooses for a server has at least this length (RFC 9000, section 7.2).
const MIN_ID_LEN: usize = 8;

/// The connections whose handshake has begun, with the bytes of their CRYPTO frames.
#[derive(Debug, Default)]
pub(crate) struct QuicConnections {
    connections: Streams<FlowKey, Connection>,
    /// Content of the packet in progress.
    content: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    keys: ClientKeys,
    /// Offset of the last complete message in the CRYPTO frames, which may be transmitted once more.
    last: usize,
    /// Offset of the next message, at which the stream begins. A client sends a second ClientHello
    /// after a HelloRetryRequest (RFC 8446, section 4.1.4).
    next: usize,
}

impl QuicConnections {
    /// Adds a datagram. Returns the ClientHello that it contains or completes; and the version of its first
    /// packet, if that is proved: a packet was decrypted, or those of the connection were.
    pub(crate) fn add(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        datagram: &[u8],
    ) -> (Option<Vec<u8>>, Option<u32>) {
        // The part of the last message in this datagram.
        let mut alone = Stream::default();
        let (mut completed, mut version) = (None, None);
        for packet in QuicPacket::all(datagram) {
            version = version.or(Some(packet.version));
            if packet.kind == QuicPacketKind::Initial && self.decrypt(key, now, &packet) {
                let message = self.add_frames(&key, &mut alone);
                completed = completed.or(message);
            }
        }
        self.connections.shrink();
        let version = version.filter(|_| {
            self.connections.contains(&key) || self.connections.contains(&key.reversed())
        });
        let message = completed.or_else(|| message_len(alone.data()).map(|len| alone.take(len)));
        (message, version)
    }

    /// Number of connections that were removed because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.connections.evicted()
    }

    /// Decrypts a packet into `content`, and creates the connection if the packet is its first one.
    fn decrypt(&mut self, key: FlowKey, now: Timestamp, packet: &QuicPacket<'_>) -> bool {
        let Self { connections, content } = self;
        let decrypted =
            connections.update(&key, |connection, _| connection.keys.decrypt(packet, content));
        if decrypted == Some(true) {
            return true;
        }
        // The keys of the server are others.
        if packet.destination_id.len() < MIN_ID_LEN || connections.contains(&key.reversed()) {
            return false;
        }
        // A new connection, or a Retry packet has changed the keys.
        let Some(keys) = ClientKeys::new(packet.version, packet.destination_id) else {
            return false;
        };
        let is_decrypted = keys.decrypt(packet, content);
        if is_decrypted {
            let connection = Connection { keys, last: 0, next: 0 };
            connections.insert(key, now, connection, Stream::default());
        }
        is_decrypted
    }

    /// Adds the CRYPTO frames in `content`. Returns the message that they complete.
    fn add_frames(&mut self, key: &FlowKey, alone: &mut Stream) -> Option<Vec<u8>> {
        let Self { connections, content } = self;
        let message = connections.update(key, |connection, stream| {
            let mut first = None;
            for (offset, data) in frames::crypto(content) {
                // What exceeds the limit is missing, and the message with it.
                if let Some((position, piece)) = from(connection.last, offset, data) {
                    let _ = alone.insert(position, piece);
                }
                if let Some((position, piece)) = from(connection.next, offset, data) {
                    let _ = stream.insert(position, piece);
                }
            }
            while let Some(len) = message_len(stream.data()) {
                first.get_or_insert(stream.take(len));
                connection.last = connection.next;
                connection.next += len;
            }
            first
        });
        message.flatten()
    }
}

/// The part of a frame from the offset `start` on, and its position from there.
fn from(start: usize, offset: usize, data: &[u8]) -> Option<(usize, &[u8])> {
    match offset.checked_sub(start) {
        Some(position) => Some((position, data)),
        None => data.get(start - offset..).map(|rest| (0, rest)),
    }
}

/// Length of the first handshake message with its header, if it is complete.
fn message_len(data: &[u8]) -> Option<usize> {
    ClientHello::message_len(data).filter(|len| *len <= data.len())
}

#[cfg(test)]
mod tests;
