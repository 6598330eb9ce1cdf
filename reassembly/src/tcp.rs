//! Messages that several TCP segments contain.

use crate::flow::{ConnectionKey, FlowKey};
use crate::http::{self, Requests};
use crate::messages::{Partial, Rest, take_messages};
use crate::position::{Bytes, Control, Place, Position, Turn};
use crate::stream::{self, Stream};
use crate::streams::Streams;
use crate::table::Table;
use summary::{Extent, StreamStart, Summary, Tcp, Timestamp};

/// Maximum number of connections whose next message is expected.
const MAX_POSITIONS: usize = 1 << 16;

/// The streams whose next message is known or partly there.
#[derive(Debug)]
pub(crate) struct TcpStreams {
    /// Where the first message of a connection begins, or the next one of HTTP.
    positions: Table<FlowKey, Position>,
    /// Messages that are not complete.
    partial: Streams<FlowKey, Partial>,
    requests: Requests,
    /// Where the other side continues after the last whole message of HTTP.
    turns: Table<ConnectionKey, u32>,
}

/// How a segment is used to find names.
#[derive(Debug, PartialEq, Eq)]
enum Segment {
    /// It completes this message.
    Completes(Vec<u8>),
    /// It continues a message or a body, and completes none.
    Continues,
    /// It has to be judged by itself.
    Alone {
        /// That of a message at its start.
        extent: Extent,
        /// False if its bytes may be those of a body, or of another text protocol.
        may_be_http: bool,
    },
}

/// The bytes of a segment that have to be read for names.
#[derive(Debug)]
pub(crate) enum Readable {
    /// A message that it completes.
    Assembled(Vec<u8>),
    /// Those of the segment. `may_be_http` is false if they may be those of a body, or of another text protocol.
    Own { may_be_http: bool },
}

impl Default for TcpStreams {
    fn default() -> Self {
        let (positions, turns) = (Table::new(MAX_POSITIONS), Table::new(MAX_POSITIONS));
        Self { positions, partial: Streams::default(), requests: Requests::default(), turns }
    }
}

impl TcpStreams {
    /// Adds a segment. Returns the bytes that may have names, if there are some.
    pub(crate) fn add_readable(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Option<Readable> {
        match self.add(key, now, summary, payload) {
            Segment::Completes(message) => Some(Readable::Assembled(message)),
            // The packet that completes the message has its names.
            Segment::Continues => None,
            Segment::Alone { extent: Extent::Incomplete, .. } if !is_cut(summary, payload) => None,
            Segment::Alone { may_be_http, .. } => Some(Readable::Own { may_be_http }),
        }
    }

    /// Adds a segment with a payload, or without one.
    fn add(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        summary: &Summary<'_>,
        payload: &[u8],
    ) -> Segment {
        let (Some(flags), Some(mut seq)) = (summary.tcp.flags, summary.tcp.seq) else {
            return alone(summary, payload, false);
        };
        if flags & Tcp::RST != 0 {
            // The stream does not include the payload of a RST.
            self.on_end(&key, seq);
            return Segment::Continues;
        }
        if flags & Tcp::SYN != 0 {
            seq = seq.wrapping_add(1);
            self.on_syn(key, now, seq);
        }
        let omitted = wire_len(summary, payload) - payload.len();
        let bytes = Bytes { seq, ack: summary.tcp.ack, captured: payload, omitted };
        let segment = match payload {
            [] => Segment::Continues,
            _ => self.add_bytes(key, now, summary, &bytes),
        };
        if flags & Tcp::FIN != 0 {
            self.on_end(&key, bytes.end());
        }
        segment
    }

    /// Number of connections that were removed because of a limit.
    pub(crate) fn evicted(&self) -> u64 {
        self.partial.evicted()
    }

    fn on_syn(&mut self, key: FlowKey, now: Timestamp, first: u32) {
        let Self { positions, partial, .. } = self;
        let is_new = partial
            .update(&key, |partial, stream| partial.control.on_syn(first, partial.end(stream)))
            .or_else(|| {
                let position = positions.get_recent(&key, now)?;
                Some(position.control.on_syn(first, position.seq))
            });
        if is_new.unwrap_or(true) {
            self.begin(key, now, first);
        }
    }

    /// A FIN or RST with this sequence number.
    fn on_end(&mut self, key: &FlowKey, seq: u32) {
        if let Some(position) = self.positions.get_mut(key) {
            position.control.on_end(seq, position.seq);
        }
        self.partial
            .update(key, |partial, stream| partial.control.on_end(seq, partial.end(stream)));
    }

    /// A connection begins.
    fn begin(&mut self, key: FlowKey, now: Timestamp, first: u32) {
        self.partial.remove(&key);
        self.requests.remove(&key);
        self.positions.insert(key, now, Position::start(first), |_, _| ());
    }

    fn add_bytes(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        summary: &Summary<'_>,
        bytes: &Bytes<'_>,
    ) -> Segment {
        self.synchronize(key, now, bytes.seq);
        let Self { partial, requests, .. } = self;
        let added = partial.update(&key, |partial, stream| {
            let may_begin = partial.turn.may_begin(bytes);
            partial.turn.add(bytes);
            let aside = |partial: &Partial| match partial.is_http || !may_begin {
                true => Segment::Continues,
                false => alone(summary, bytes.captured, false),
            };
            let (segment, rest) = match position(bytes.seq, partial.seq, bytes.captured) {
                None => (aside(partial), Rest::Partial),
                Some((position, piece)) => {
                    let old_len = stream.data().len();
                    match stream.insert(position, piece) {
                        false => (aside(partial), Rest::Unknown),
                        true if old_len < position => (aside(partial), Rest::Partial),
                        true => {
                            let (message, rest) =
                                take_messages(partial, stream, bytes.ack, None, |head| {
                                    requests.add(key, now, head)
                                });
                            let segment = match (message, &rest) {
                                (Some(message), _) => Segment::Completes(message),
                                (None, Rest::Unknown) => aside(partial),
                                (None, _) => Segment::Continues,
                            };
                            (segment, rest)
                        }
                    }
                }
            };
            (segment, rest, *partial)
        });
        let Some((segment, rest, partial)) = added else {
            return self.start(key, now, summary, bytes);
        };
        match rest {
            // Otherwise, the message cannot be completed.
            Rest::Partial if bytes.omitted == 0 => {}
            Rest::Partial | Rest::Unknown => self.lose(key, now, &partial, (bytes, &segment)),
            Rest::Position(position) => self.set_position(key, now, position, bytes),
        }
        self.partial.shrink();
        segment
    }

    /// Begins another connection, or a message after missing bytes, if other segments prove that it begins
    /// with this sequence number.
    fn synchronize(&mut self, key: FlowKey, now: Timestamp, seq: u32) {
        let Self { positions, partial, .. } = self;
        let in_partial = partial.update(&key, |partial, stream| {
            let other = partial.control.other_connection(seq, partial.end(stream));
            (other, stream.has_gap() || partial.end(stream) != seq)
        });
        let found = in_partial.or_else(|| {
            let position = positions.get_mut(&key)?;
            let other = position.control.other_connection(seq, position.seq);
            Some((other, !position.reaches(seq)))
        });
        let Some((other_connection, is_unknown)) = found else { return };
        if let Some(first) = other_connection {
            return self.begin(key, now, first);
        }
        // The other side sent a whole message after it had received all bytes before this one.
        let other_side = key.connection.reversed();
        if is_unknown && self.turns.get_recent(&other_side, now).is_some_and(|turn| *turn == seq) {
            self.partial.remove(&key);
            self.requests.keep_last(&other_side);
            let position = Position { is_http: true, ..Position::start(seq) };
            self.positions.insert(key, now, position, |_, _| ());
        }
    }

    /// Adds a segment that continues no message.
    fn start(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        summary: &Summary<'_>,
        bytes: &Bytes<'_>,
    ) -> Segment {
        let Bytes { seq, captured, .. } = *bytes;
        let mut may_begin = true;
        let place = self.positions.touch(&key, now).map(|position| {
            may_begin = position.turn.may_begin(bytes);
            position.turn.add(bytes);
            let place = position.add(bytes);
            if let Some(turn) = position.other_seq.take() {
                self.turns.insert(key.connection, now, turn, |_, _| ());
            }
            (place, *position)
        });
        let (first, offset, is_certain) = match place {
            Some((Place::Inside, _)) => return Segment::Continues,
            Some((Place::Repeated, _)) => return alone(summary, captured, true),
            Some((Place::Unknown, position)) if position.is_http || !may_begin => {
                return Segment::Continues;
            }
            Some((Place::Unknown, _)) => (seq, 0, false),
            Some((Place::Start { seq, start }, _)) => (seq, start, true),
            Some((Place::Missing { seq }, _)) => (seq, 0, true),
            None => (seq, 0, false),
        };
        let (is_http, control, turn) = match place {
            Some((_, position)) => (position.is_http, position.control, position.turn),
            None => (false, Control::default(), Turn::new(bytes)),
        };
        let is_unknown = matches!(place, Some((Place::Unknown, _)));
        let (is_first, may_be_http) = (!is_http && !is_unknown, !is_unknown);
        let start = StreamStart { is_first, may_be_http, ..StreamStart::new(summary, is_certain) };
        let mut partial = Partial { seq: first, start, is_http, control, turn };
        if first != http::add(seq, offset) {
            let segment = match is_http || !may_begin {
                true => Segment::Continues,
                false => alone(summary, captured, false),
            };
            self.start_missing(key, now, &partial, (bytes, &segment));
            return segment;
        }
        let piece = captured.get(offset..).unwrap_or_default();
        let extent = Extent::of(piece, start);
        let mut stream = Stream::default();
        if extent == Extent::Unknown || !stream.insert(0, piece) {
            let segment = match offset {
                0 => Segment::Alone { extent, may_be_http: false },
                _ => Segment::Continues,
            };
            self.lose(key, now, &partial, (bytes, &segment));
            return segment;
        }
        let requests = &mut self.requests;
        let (message, rest) =
            take_messages(&mut partial, &mut stream, bytes.ack, Some(extent), |head| {
                requests.add(key, now, head)
            });
        let segment = match message {
            Some(message) => Segment::Completes(message),
            // The capture may contain the names.
            None if 0 < bytes.omitted && offset == 0 => Segment::Alone { extent, may_be_http },
            None => Segment::Continues,
        };
        match rest {
            Rest::Partial if bytes.omitted == 0 => {
                self.positions.remove(&key);
                self.partial.insert(key, now, partial, stream);
                self.partial.shrink();
            }
            Rest::Position(position) => self.set_position(key, now, position, bytes),
            Rest::Partial | Rest::Unknown => self.lose(key, now, &partial, (bytes, &segment)),
        }
        segment
    }

    /// Keeps a segment, before which the start of a message is missing.
    fn start_missing(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        partial: &Partial,
        (bytes, segment): (&Bytes<'_>, &Segment),
    ) {
        let mut stream = Stream::default();
        if bytes.omitted == 0
            && let Some((position, piece)) = position(bytes.seq, partial.seq, bytes.captured)
            && stream.insert(position, piece)
        {
            self.positions.remove(&key);
            self.partial.insert(key, now, *partial, stream);
            self.partial.shrink();
        } else {
            self.lose(key, now, partial, (bytes, segment));
        }
    }

    fn set_position(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        mut position: Position,
        bytes: &Bytes<'_>,
    ) {
        position.omit(bytes.omitted);
        if let Some(turn) = position.other_seq.take() {
            self.turns.insert(key.connection, now, turn, |_, _| ());
        }
        self.partial.remove(&key);
        self.positions.insert(key, now, position, |_, _| ());
    }

    /// The next message of a stream is not known any longer, after a segment with these bytes.
    fn lose(
        &mut self,
        key: FlowKey,
        now: Timestamp,
        partial: &Partial,
        (bytes, segment): (&Bytes<'_>, &Segment),
    ) {
        self.partial.remove(&key);
        let Partial { is_http, control, turn, .. } = *partial;
        let message = (!is_http && *segment != Segment::Continues).then_some(bytes.seq);
        let unknown = Position::unknown(bytes.end(), message);
        let position = Position { is_http, control, turn, ..unknown };
        self.positions.insert(key, now, position, |_, _| ());
    }
}

/// A segment that has to prove that a message begins with it.
fn alone(summary: &Summary<'_>, payload: &[u8], may_be_http: bool) -> Segment {
    let start = StreamStart { may_be_http, ..StreamStart::new(summary, false) };
    Segment::Alone { extent: Extent::of(payload, start), may_be_http }
}

/// Whether the capture omits bytes of the payload.
fn is_cut(summary: &Summary<'_>, payload: &[u8]) -> bool {
    payload.len() < wire_len(summary, payload)
}

/// Length of the payload on the wire.
fn wire_len(summary: &Summary<'_>, payload: &[u8]) -> usize {
    let len = summary.payload.and_then(|len| usize::try_from(len).ok());
    len.map_or(payload.len(), |len| len.max(payload.len()))
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
