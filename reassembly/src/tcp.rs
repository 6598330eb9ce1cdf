//! Messages that several TCP segments contain.

use crate::flow::FlowKey;
use crate::stream::{self, Stream};
use crate::table::Table;
use summary::{Extent, StreamStart, Summary, Timestamp};

/// Control bits (RFC 9293, section 3.1).
const SYN: u8 = 2;
const RST: u8 = 4;

/// Maximum number of connections whose first bytes are expected.
const MAX_OPENED: usize = 1 << 16;
/// Maximum number of connections of which bytes are kept.
const MAX_PARTIAL: usize = 1 << 13;
/// Maximum number of bytes that are kept.
const MAX_KEPT_LEN: usize = 16 << 20;

/// The streams whose next message is known or partly there.
#[derive(Debug)]
pub(crate) struct TcpStreams {
    /// Sequence numbers of the first bytes of connections.
    opened: Table<FlowKey, u32>,
    partial: Table<FlowKey, Partial>,
    /// Bytes in `partial`.
    kept_len: usize,
    evicted: u64,
}

/// A message that is not complete.
#[derive(Debug)]
struct Partial {
    /// Sequence number of its first byte.
    seq: u32,
    start: StreamStart,
    stream: Stream,
}

impl Default for TcpStreams {
    fn default() -> Self {
        Self {
            opened: Table::new(MAX_OPENED),
            partial: Table::new(MAX_PARTIAL),
            kept_len: 0,
            evicted: 0,
        }
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
            self.remove(&key);
            return None;
        }
        if flags & SYN != 0 {
            self.remove(&key);
            seq = seq.wrapping_add(1);
            self.opened.insert(key, now, seq, |_, _| ());
        }
        if payload.is_empty() {
            return None;
        }
        if let Some(partial) = self.partial.get_mut(&key) {
            let (position, piece) = position(seq, partial.seq, payload)?;
            let old_len = partial.stream.len();
            let is_kept = partial.stream.insert(position, piece);
            self.kept_len = self.kept_len + partial.stream.len() - old_len;
            if !is_kept {
                self.remove(&key);
                return None;
            }
        } else {
            let partial = self.start(&key, seq, summary, payload)?;
            self.kept_len += partial.stream.len();
            let Self { partial: table, kept_len, evicted, .. } = self;
            table.insert(key, now, partial, |removed, is_old| {
                *kept_len -= removed.stream.len();
                *evicted += u64::from(!is_old && 0 < removed.stream.len());
            });
        }
        let message = self.next_message(&key);
        while MAX_KEPT_LEN < self.kept_len
            && let Some(removed) = self.partial.pop_oldest()
        {
            self.kept_len -= removed.stream.len();
            self.evicted += u64::from(0 < removed.stream.len());
        }
        message
    }

    /// Number of connections that were given up because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// The first bytes of a stream, if a message with names may continue in another segment.
    fn start(
        &mut self,
        key: &FlowKey,
        seq: u32,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Option<Partial> {
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
        (!is_alone && stream.insert(position, piece)).then_some(Partial {
            seq: first,
            start,
            stream,
        })
    }

    /// Takes all complete messages from the front of a stream. Returns the first one.
    fn next_message(&mut self, key: &FlowKey) -> Option<Vec<u8>> {
        let mut first = None;
        while let Some(partial) = self.partial.get_mut(key) {
            match Extent::of(partial.stream.data(), partial.start) {
                Extent::Incomplete => break,
                Extent::Complete(len) => {
                    let message = partial.stream.take(len);
                    self.kept_len -= message.len();
                    partial.seq = partial.seq.wrapping_add(u32::try_from(len).unwrap_or(u32::MAX));
                    partial.start.is_certain = true;
                    first.get_or_insert(message);
                    if partial.start.is_dns {
                        continue;
                    }
                }
                // The first bytes may be missing.
                Extent::Unknown if partial.stream.data().is_empty() => break,
                Extent::Unknown => {}
            }
            self.remove(key);
        }
        first
    }

    fn remove(&mut self, key: &FlowKey) {
        if let Some(removed) = self.partial.remove(key) {
            self.kept_len -= removed.stream.len();
        }
    }
}

/// Whether the capture omits bytes of the payload.
pub(crate) fn is_cut(summary: &Summary<'_>, payload: &[u8]) -> bool {
    summary.payload.is_some_and(|len| usize::try_from(len) != Ok(payload.len()))
}

/// The position of a segment in a stream that begins at `first`, and the part of the segment from there
/// on. `None` if it is before the stream, or far behind it.
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
