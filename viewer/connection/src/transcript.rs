//! What both sides of a connection have sent, in the order in which it became known.

use crate::connection::{Connection, Side};
use crate::stream::{Piece, Stream};
use crate::text::count_text;
use std::ops::Range;

/// The payload of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    /// The bytes of client and server in order.
    bytes: [Vec<u8>; 2],
    blocks: Vec<Block>,
}

/// Successive bytes of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Who has sent them.
    pub side: Side,
    /// Index of the packet with which they begin. `None` if they are missing at the end.
    pub packet: Option<usize>,
    /// The bytes.
    pub content: Content,
}

/// The bytes of a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A range of the bytes of its side.
    Bytes(Range<usize>),
    /// This many bytes are not in the file.
    Missing(u64),
}

/// A datagram.
#[derive(Clone, Debug)]
pub(crate) struct Datagram {
    pub(crate) packet: usize,
    pub(crate) side: Side,
    pub(crate) bytes: Range<usize>,
    /// Bytes on the wire.
    pub(crate) len: u32,
}

impl Transcript {
    /// The payload of a TCP connection.
    pub(crate) fn of_streams(streams: &[Stream; 2]) -> Self {
        let mut transcript = Self::default();
        let mut pieces = Side::ALL.map(|side| {
            let pieces = streams[side as usize].pieces().into_iter();
            pieces.map(move |piece| (side, piece)).peekable()
        });
        loop {
            let [client, server] = &mut pieces;
            let packet = |next: Option<&(Side, Piece)>| next.map(|(_, piece)| piece.packet);
            let is_client = match (packet(client.peek()), packet(server.peek())) {
                (Some(client), Some(server)) => client <= server,
                (client, _) => client.is_some(),
            };
            let next = if is_client { client.next() } else { server.next() };
            let Some((side, piece)) = next else { break };
            transcript.push_missing(side, Some(piece.packet), piece.missing);
            let bytes = &streams[side as usize].bytes()[piece.bytes];
            transcript.push(side, piece.packet, bytes, true);
        }
        for side in Side::ALL {
            transcript.push_missing(side, None, streams[side as usize].missing_at_end());
        }
        transcript
    }

    /// The payload of datagrams. Each is a block.
    pub(crate) fn of_datagrams(streams: &[Stream; 2], datagrams: &[Datagram]) -> Self {
        let mut transcript = Self::default();
        for Datagram { packet, side, bytes, len } in datagrams {
            let missing = u64::from(*len).saturating_sub(bytes.len() as u64);
            let bytes = &streams[*side as usize].bytes()[bytes.clone()];
            transcript.push(*side, *packet, bytes, false);
            transcript.push_missing(*side, Some(*packet), missing);
        }
        transcript
    }

    /// Bytes that become known with a packet. Those that follow the last block may extend it.
    fn push(&mut self, side: Side, packet: usize, bytes: &[u8], can_extend: bool) {
        if bytes.is_empty() {
            return;
        }
        let all = &mut self.bytes[side as usize];
        let start = all.len();
        all.extend_from_slice(bytes);
        let end = all.len();
        match self.blocks.last_mut() {
            Some(Block { side: last, content: Content::Bytes(range), .. })
                if can_extend && *last == side =>
            {
                range.end = end;
            }
            _ => {
                let content = Content::Bytes(start..end);
                self.blocks.push(Block { side, packet: Some(packet), content });
            }
        }
    }

    fn push_missing(&mut self, side: Side, packet: Option<usize>, missing: u64) {
        if 0 < missing {
            self.blocks.push(Block { side, packet, content: Content::Missing(missing) });
        }
    }

    /// The blocks in order.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The bytes of a side in order.
    pub fn bytes(&self, side: Side) -> &[u8] {
        &self.bytes[side as usize]
    }

    /// The bytes of both sides, in the order of the blocks.
    pub fn both(&self) -> Vec<u8> {
        let blocks = self.blocks.iter();
        blocks.flat_map(|block| self.bytes_of(block)).copied().collect()
    }

    /// The bytes of a block; empty if they are missing.
    pub fn bytes_of(&self, block: &Block) -> &[u8] {
        match &block.content {
            Content::Bytes(range) => &self.bytes[block.side as usize][range.clone()],
            Content::Missing(_) => &[],
        }
    }

    /// The numbers of packets, and of bytes that are missing.
    pub fn description(&self, connection: &Connection) -> String {
        let mut text = count_text(connection.packets().len() as u64, "packet");
        let missing = Side::ALL.map(|side| self.missing(side));
        let (bytes, gaps) = (missing[0].0 + missing[1].0, missing[0].1 + missing[1].1);
        if connection.has_bytes() && 0 < gaps {
            let (bytes, gaps) = (count_text(bytes, "byte"), count_text(gaps as u64, "gap"));
            text += &format!(" · {bytes} missing in {gaps}");
        }
        text
    }

    /// The number of bytes of a side that are missing, and of the gaps that they leave.
    pub fn missing(&self, side: Side) -> (u64, usize) {
        let missing = self.blocks.iter().filter(|block| block.side == side);
        let missing = missing.filter_map(|block| match block.content {
            Content::Missing(len) => Some(len),
            Content::Bytes(_) => None,
        });
        missing.fold((0, 0), |(sum, count), len| (sum + len, count + 1))
    }
}
