//! Messages that several TCP segments contain.

use crate::flow::FlowKey;
use crate::stream::{self, Stream};
use crate::streams::Streams;
use crate::table::Table;
use summary::{Extent, StreamStart, Summary, Timestamp};

/// Control bits (RFC 9293, section 3.1).
const SYN: u8 = 2;
const RST: u8 = 4;

/// Maximum number of connections whose first bytes are expected.
const MAX_OPENED: usize = 1 << 16;
/// The streams whose next message is known or partly there.
#[derive(Debug)]
pub(crate) struct TcpStreams {
    /// Sequence numbers of the first bytes of connections.
    opened: Table<FlowKey, u32>,
    /// Messages that are not complete.
    partial: Streams<Partial>,
}

/// Where a message begins.
#[derive(Debug)]
struct Partial {
    /// Sequence number of its first byte.
    seq: u32,
    start: StreamStart,
}

impl Default for TcpStreams {
    fn default() -> Self {
        Self { opened: Table::new(MAX_OPENED), partial: Streams::default() }
    }
}

impl TcpStreams {
    /// Adds a segment. Returns the first message that it completes, if the message began in another
    /// segment.
    pub(crate) fn add(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let (flags, mut seq) = (summary.tcp.flags?, summary.tcp.seq?);
        if flags & RST != 0 || is_cut(summary, payload) {
            self.opened.remove(&key);
            self.partial.remove(&key);
            return None;
        }
        if flags & SYN != 0 {
            self.partial.remove(&key);
            seq = seq.wrapping_add(1);
            self.opened.insert(key, now, seq, |_, _| ());
        }
        if payload.is_empty() {
            return None;
        }
        let inserted = self.partial.update(&key, |partial, stream| {
            let (position, piece) = position(seq, partial.seq, payload)?;
            Some(stream.insert(position, piece))
        });
        match inserted {
            Some(Some(true)) => {}
            Some(Some(false)) => {
                self.partial.remove(&key);
                return None;
            }
            Some(None) => return None,
            None => {
                let (partial, stream) = self.start(&key, seq, summary, payload)?;
                self.partial.insert(key, now, partial, stream);
            }
        }
        let message = self.next_message(&key);
        self.partial.shrink();
        message
    }

    /// Number of connections that were removed because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.partial.evicted()
    }

    /// The first bytes of a stream, if a message with names may continue in another segment.
    fn start(
        &mut self,
        key: &FlowKey,
        seq: u32,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Option<(Partial, Stream)> {
        let opened = self.opened.get_mut(key).copied();
        let start = StreamStart::new(summary, opened.is_some());
        let first = opened.unwrap_or(seq);
        let (position, piece) = position(seq, first, payload)?;
        self.opened.remove(key);
        let is_alone = position == 0
            && match Extent::of(piece, start) {
                Extent::Unknown => true,
                // The next message of DNS begins where this one ends.
                Extent::Complete(_) => !start.is_dns,
                Extent::Incomplete => false,
            };
        let mut stream = Stream::default();
        let is_kept = !is_alone && stream.insert(position, piece);
        is_kept.then_some((Partial { seq: first, start }, stream))
    }

    /// Takes all complete messages from the front of a stream. Returns the first one.
    fn next_message(&mut self, key: &FlowKey) -> Option<Vec<u8>> {
        let mut first = None;
        let is_over = self.partial.update(key, |partial, stream| {
            loop {
                match Extent::of(stream.data(), partial.start) {
                    Extent::Incomplete => break false,
                    Extent::Complete(len) => {
                        first.get_or_insert(stream.take(len));
                        let len = u32::try_from(len).unwrap_or(u32::MAX);
                        partial.seq = partial.seq.wrapping_add(len);
                        partial.start.is_certain = true;
                        if !partial.start.is_dns {
                            break true;
                        }
                    }
                    // The first bytes may be missing.
                    Extent::Unknown => break !stream.data().is_empty(),
                }
            }
        });
        if is_over == Some(true) {
            self.partial.remove(key);
        }
        first
    }
}

/// Whether the capture omits bytes of the payload.
pub(crate) fn is_cut(summary: &Summary<'_>, payload: &[u8]) -> bool {
    summary.payload.is_some_and(|len| usize::try_from(len) != Ok(payload.len()))
}

/// The position of a segment in a stream that begins at `first`, and the part of the segment from there
/// on. `None` if the segment ends before the stream, or begins beyond the longest message.
fn position(seq: u32, first: u32, payload: &[u8]) -> Option<(usize, &[u8])> {
    let distance = seq.wrapping_sub(first).cast_signed();
    match usize::try_from(distance) {
        Ok(position) => (position <= stream::MAX_LEN).then_some((position, payload)),
        Err(_) => {
            let before = usize::try_from(distance.unsigned_abs()).ok()?;
            payload.get(before..).filter(|rest| !rest.is_empty()).map(|rest| (0, rest))
        }
    }
}
