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
    connections: Streams<Connection>,
    /// Content of the packet in progress.
    content: Vec<u8>,
}

#[derive(Debug)]
struct Connection {
    keys: ClientKeys,
    /// Whether the message in the stream was returned.
    is_complete: bool,
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
        self.connections.shrink();
        completed.or_else(|| message_len(alone.data()).map(|len| alone.take(len)))
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
            let connection = Connection { keys, is_complete: false };
            connections.insert(key, now, connection, Stream::default());
        }
        is_decrypted
    }

    /// Adds the CRYPTO frames in `content`. Returns the message that they complete.
    fn add_frames(&mut self, key: &FlowKey, alone: &mut Stream) -> Option<Vec<u8>> {
        let Self { connections, content } = self;
        let message = connections.update(key, |connection, stream| {
            for (offset, data) in frames::crypto(content) {
                // What exceeds the limit is missing, and the message with it.
                let _ = alone.insert(offset, data);
                if !connection.is_complete {
                    let _ = stream.insert(offset, data);
                }
            }
            let message = message_len(stream.data()).map(|len| stream.take(len));
            if message.is_some() {
                connection.is_complete = true;
                *stream = Stream::default();
            }
            message
        });
        message.flatten()
    }
}

/// Length of the first handshake message with its header, if it is complete.
fn message_len(data: &[u8]) -> Option<usize> {
    ClientHello::message_len(data).filter(|len| *len <= data.len())
}

#[cfg(test)]
mod tests;
