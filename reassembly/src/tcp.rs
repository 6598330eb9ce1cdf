//! Messages that several TCP segments contain.

use crate::flow::FlowKey;
use crate::http::{self, Body, Piece, Place, Position, Requests};
use crate::stream::{self, Stream};
use crate::streams::Streams;
use crate::table::Table;
use summary::{Extent, HttpHead, StreamStart, Summary, Tcp, Timestamp};

/// Maximum number of connections whose next message is expected.
const MAX_POSITIONS: usize = 1 << 16;

/// The streams whose next message is known or partly there.
#[derive(Debug)]
pub(crate) struct TcpStreams {
    /// Where the first message of a connection begins, or the next one of HTTP.
    positions: Table<FlowKey, Position>,
    /// Messages that are not complete.
    partial: Streams<Partial>,
    requests: Requests,
}

/// Where a message begins.
#[derive(Clone, Copy, Debug)]
struct Partial {
    /// Sequence number of its first byte.
    seq: u32,
    start: StreamStart,
}

/// What a segment is for the reader of names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// It completes this message.
    Completes(Vec<u8>),
    /// It continues a message or a body, and completes none.
    Continues,
    /// It has to be judged by itself. The extent is that of a message at its start.
    Alone(Extent),
}

/// What is left of a stream whose complete messages were taken.
enum Rest {
    /// The start of a message.
    Partial,
    /// A position in a body, or after it.
    Position(Position),
    /// Nothing is known.
    Unknown,
}

impl Default for TcpStreams {
    fn default() -> Self {
        let positions = Table::new(MAX_POSITIONS);
        Self { positions, partial: Streams::default(), requests: Requests::default() }
    }
}

impl TcpStreams {
    /// Adds a segment with a payload, or without one.
    pub(crate) fn add(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Segment {
        let (Some(flags), Some(mut seq)) = (summary.tcp.flags, summary.tcp.seq) else {
            return alone(summary, payload);
        };
        if flags & Tcp::RST != 0 || is_cut(summary, payload) {
            self.remove(&key);
            return alone(summary, payload);
        }
        if flags & Tcp::SYN != 0 {
            self.remove(&key);
            seq = seq.wrapping_add(1);
            self.positions.insert(key, now, Position::start(seq), |_, _| ());
        }
        if payload.is_empty() {
            return Segment::Continues;
        }
        let Self { partial, requests, .. } = self;
        let added = partial.update(&key, |partial, stream| {
            let Some((position, piece)) = position(seq, partial.seq, payload) else {
                return Some((alone(summary, payload), Rest::Partial));
            };
            let old_len = stream.data().len();
            if !stream.insert(position, piece) {
                return None;
            }
            if old_len < position {
                return Some((alone(summary, payload), Rest::Partial));
            }
            let (message, rest) =
                take_messages(partial, stream, None, |head| requests.add(key, now, head));
            Some((message.map_or(Segment::Continues, Segment::Completes), rest))
        });
        match added {
            None => self.start(key, now, seq, summary, payload),
            Some(None) => {
                self.remove(&key);
                alone(summary, payload)
            }
            Some(Some((segment, rest))) => {
                match rest {
                    Rest::Partial => {}
                    Rest::Unknown => self.partial.remove(&key),
                    Rest::Position(position) => {
                        self.partial.remove(&key);
                        self.positions.insert(key, now, position, |_, _| ());
                    }
                }
                self.partial.shrink();
                segment
            }
        }
    }

    /// Number of connections that were removed because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.partial.evicted()
    }

    fn remove(&mut self, key: &FlowKey) {
        self.positions.remove(key);
        self.partial.remove(key);
        self.requests.remove(key);
    }

    /// Adds a segment that continues no message.
    fn start(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        seq: u32,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Segment {
        let place = self.positions.touch(&key, now).map(|position| position.add(seq, payload));
        let is_certain = matches!(place, Some(Place::Start { .. } | Place::Missing { .. }));
        let start = StreamStart::new(summary, is_certain);
        let (first, offset) = match place {
            Some(Place::Inside) => return Segment::Continues,
            Some(Place::Repeated) => return alone(summary, payload),
            Some(Place::Start { seq, start }) => (seq, start),
            Some(Place::Missing { seq: first }) => {
                self.positions.remove(&key);
                let mut stream = Stream::default();
                if let Some((position, piece)) = position(seq, first, payload)
                    && stream.insert(position, piece)
                {
                    self.partial.insert(key, now, Partial { seq: first, start }, stream);
                    self.partial.shrink();
                }
                return alone(summary, payload);
            }
            Some(Place::Unknown) | None => (seq, 0),
        };
        let piece = payload.get(offset..).unwrap_or_default();
        let extent = Extent::of(piece, start);
        self.positions.remove(&key);
        let mut stream = Stream::default();
        if extent == Extent::Unknown || !stream.insert(0, piece) {
            return if offset == 0 { Segment::Alone(extent) } else { Segment::Continues };
        }
        let mut partial = Partial { seq: first, start };
        let requests = &mut self.requests;
        let (message, rest) = take_messages(&mut partial, &mut stream, Some(extent), |head| {
            requests.add(key, now, head)
        });
        match rest {
            Rest::Partial => {
                self.partial.insert(key, now, partial, stream);
                self.partial.shrink();
            }
            Rest::Position(position) => self.positions.insert(key, now, position, |_, _| ()),
            Rest::Unknown => {}
        }
        message.map_or(Segment::Continues, Segment::Completes)
    }
}

/// A segment that has to prove that a message begins with it.
fn alone(summary: &Summary<'_>, payload: &[u8]) -> Segment {
    Segment::Alone(Extent::of(payload, StreamStart::new(summary, false)))
}

/// Takes all complete messages from the front of a stream, the first of which has the extent `known`.
/// Returns the first one, and what is left. `body_of` returns the body that follows the head of an HTTP
/// message.
fn take_messages(
    partial: &mut Partial,
    stream: &mut Stream,
    mut known: Option<Extent>,
    mut body_of: impl FnMut(&HttpHead<'_>) -> Body,
) -> (Option<Vec<u8>>, Rest) {
    let mut first = None;
    let rest = loop {
        let start = partial.seq;
        let len = match known.take().unwrap_or_else(|| Extent::of(stream.data(), partial.start)) {
            Extent::Incomplete => break Rest::Partial,
            Extent::Unknown if stream.data().is_empty() => break Rest::Partial,
            Extent::Unknown => break Rest::Unknown,
            Extent::Complete(len) => len,
        };
        let message = stream.take(len);
        partial.seq = http::add(partial.seq, len);
        partial.start.is_certain = true;
        let body = match HttpHead::parse(&message) {
            Some(head) => Some(body_of(&head)),
            // The next message of DNS begins where this one ends.
            None => Some(Body::EMPTY).filter(|_| partial.start.is_dns),
        };
        let is_http = !partial.start.is_dns;
        first.get_or_insert(message);
        let Some(mut body) = body else { break Rest::Unknown };
        match body.add(stream.data()) {
            Piece::Continues => {
                let seq = http::add(partial.seq, stream.data().len());
                break Rest::Position(Position { message: start, seq, body });
            }
            Piece::Ends(len) => {
                partial.seq = http::add(partial.seq, stream.take(len).len());
                if is_http && stream.len() == 0 {
                    let seq = partial.seq;
                    break Rest::Position(Position { message: start, seq, body: Body::EMPTY });
                }
            }
        }
    };
    (first, rest)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::streams::MAX_KEPT_LEN;
    use std::net::Ipv4Addr;
    use summary::{LinkType, Proto, Tcp};

    /// The start of a ClientHello in a record.
    const HALF_HELLO: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";

    fn segment(number: u32, flags: u8, len: usize) -> Summary<'static> {
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        summary.proto = Proto::TCP;
        (summary.src, summary.dst) =
            (Some(Ipv4Addr::from_bits(number).into()), Some(Ipv4Addr::LOCALHOST.into()));
        (summary.sport, summary.dport) = (Some(50_000), Some(443));
        summary.tcp = Tcp { flags: Some(flags), seq: Some(1), ack: None, win: None };
        summary.payload = u32::try_from(len).ok();
        summary
    }

    /// All tables have their limits during a flood of `payload` from this number of connections.
    fn flood(count: u32, flags: u8, payload: &[u8]) -> TcpStreams {
        let mut streams = TcpStreams::default();
        for number in 0..count {
            let summary = segment(number, flags, payload.len());
            let key = FlowKey::new(None, &summary).unwrap();
            streams.add(key, Timestamp::from_ns(i64::from(number)), &summary, payload);
            assert!(streams.partial.kept_len <= MAX_KEPT_LEN);
            assert!(streams.positions.len() <= MAX_POSITIONS);
        }
        streams
    }

    #[test]
    fn memory_is_limited_in_floods() {
        let hellos = flood(1_000_000, Tcp::SYN, HALF_HELLO);
        assert_eq!((hellos.partial.len(), hellos.evicted()), (8_192, 1_000_000 - 8_192));
        assert_eq!(hellos.partial.kept_len, 8_192 * HALF_HELLO.len());
        let requests = flood(100_000, Tcp::SYN, b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\n");
        assert_eq!((requests.positions.len(), requests.partial.len()), (MAX_POSITIONS, 0));
        // Bytes are the limit.
        let long = [b"\x16\x03\x01\x40\0\x01\0\x3f\xfc\x03\x03", &[0; 7_989][..]].concat();
        let streams = flood(3_000, Tcp::SYN, &long);
        assert_eq!(streams.partial.len(), MAX_KEPT_LEN / long.len());
    }
}
