//! Positions in the streams of TCP connections.

use crate::http::{self, Body, Piece};
use crate::stream;

/// A SYN this close to the expected sequence number does not begin another connection: the receiver
/// ignores it (RFC 5961, section 4.2).
const WINDOW: u32 = 1 << 20;

/// The payload of a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes<'a> {
    /// Sequence number of the first byte.
    pub(crate) seq: u32,
    /// Acknowledgment number.
    pub(crate) ack: Option<u32>,
    /// The captured bytes.
    pub(crate) captured: &'a [u8],
    /// Number of further bytes, which the capture omits.
    pub(crate) omitted: usize,
}

impl Bytes<'_> {
    /// Sequence number after the last byte.
    pub(crate) fn end(&self) -> u32 {
        http::add(self.seq, self.captured.len() + self.omitted)
    }
}

/// How much a side has sent since it received something from the other one. Where a protocol changes to TLS
/// (STARTTLS), the ClientHello follows a response or a short request. Segments of a file follow each other.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Turn {
    /// Acknowledgment number of the last segment.
    ack: Option<u32>,
    /// Bytes of the segments with this number.
    sent: usize,
}

impl Turn {
    /// Longest request after which a side does not wait for the response.
    const MAX_REQUEST_LEN: usize = 512;

    /// After the first segment that was captured.
    pub(crate) fn new(bytes: &Bytes<'_>) -> Self {
        let mut turn = Self::default();
        turn.add(bytes);
        turn
    }

    /// Whether a message may begin with these bytes.
    pub(crate) fn may_begin(&self, bytes: &Bytes<'_>) -> bool {
        bytes.ack != self.ack || self.sent <= Self::MAX_REQUEST_LEN
    }

    /// Adds the payload of a segment.
    pub(crate) fn add(&mut self, bytes: &Bytes<'_>) {
        let sent = if bytes.ack == self.ack { self.sent } else { 0 };
        let len = bytes.captured.len() + bytes.omitted;
        *self = Self { ack: bytes.ack, sent: sent.saturating_add(len) };
    }
}

/// What the flags of segments tell about one direction of a connection. An attacker can send segments
/// whose sequence numbers are not possible, and which the receiver ignores.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Control {
    /// First sequence number of another connection, whose SYN was captured.
    next_first: Option<u32>,
    /// Whether the direction has ended.
    is_closed: bool,
}

impl Control {
    /// A SYN, after which `first` is the first sequence number, where `expected` is the next one. Returns true
    /// if it begins another connection for certain.
    pub(crate) fn on_syn(&mut self, first: u32, expected: u32) -> bool {
        if !self.is_closed && WINDOW < distance(expected, first).unsigned_abs() {
            self.next_first = Some(first);
        }
        self.is_closed && first != expected
    }

    /// A FIN or RST with this sequence number.
    pub(crate) fn on_end(&mut self, seq: u32, expected: u32) {
        self.is_closed |= seq == expected;
    }

    /// The first sequence number of the connection that these bytes belong to, if it is another one.
    pub(crate) fn other_connection(&self, seq: u32, expected: u32) -> Option<u32> {
        let first = self.next_first.filter(|_| seq != expected)?;
        let position = usize::try_from(distance(first, seq)).ok()?;
        (position <= stream::MAX_LEN).then_some(first)
    }
}

/// Number of bytes from one sequence number to another.
fn distance(from: u32, to: u32) -> i32 {
    to.wrapping_sub(from).cast_signed()
}

/// A position in a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// Sequence number of the last message, which may be transmitted once more.
    pub(crate) message: Option<u32>,
    /// Sequence number of the next byte.
    pub(crate) seq: u32,
    /// The body that it belongs to. The next message begins after it.
    pub(crate) body: Body,
    /// Whether the stream contains messages of HTTP.
    pub(crate) is_http: bool,
    /// Whether the other side continues when the body ends.
    pub(crate) is_turn: bool,
    /// Where it continues then.
    pub(crate) other_seq: Option<u32>,
    pub(crate) control: Control,
    pub(crate) turn: Turn,
}

/// Where a segment lies in relation to a [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It contains earlier bytes, or bytes of a body only.
    Inside,
    /// It begins with the last message.
    Repeated,
    /// A message begins `start` bytes after the start of the segment, with this sequence number.
    Start { seq: u32, start: usize },
    /// A message begins with this sequence number, in bytes that are missing.
    Missing { seq: u32 },
    /// It is not known where messages of HTTP begin.
    Unknown,
}

impl Position {
    /// The start of a message.
    pub(crate) fn start(seq: u32) -> Self {
        Self {
            message: Some(seq),
            seq,
            body: Body::EMPTY,
            is_http: false,
            is_turn: false,
            other_seq: None,
            control: Control::default(),
            turn: Turn::default(),
        }
    }

    /// A position after bytes that do not tell where the next message begins. The last message began with
    /// the sequence number `message`.
    pub(crate) fn unknown(seq: u32, message: Option<u32>) -> Self {
        Self { message, body: Body::Unknown, ..Self::start(seq) }
    }

    /// Moves to the end of a segment, or to the start of the next message in it.
    pub(crate) fn add(&mut self, bytes: &Bytes<'_>) -> Place {
        let Bytes { seq, captured, omitted, .. } = *bytes;
        let place = self.add_captured(bytes);
        if self.body == Body::Unknown {
            self.move_to(bytes.end());
        } else if place == Place::Inside && self.seq == http::add(seq, captured.len()) {
            self.omit(omitted);
        }
        place
    }

    fn add_captured(&mut self, bytes: &Bytes<'_>) -> Place {
        let Bytes { seq, captured, .. } = *bytes;
        if self.body == Body::Unknown {
            return if self.message == Some(seq) { Place::Repeated } else { Place::Unknown };
        }
        let distance = distance(self.seq, seq);
        let known = usize::try_from(distance.unsigned_abs()).unwrap_or(usize::MAX);
        let (known, missing) = if distance < 0 { (known, 0) } else { (0, known as u64) };
        let Some(rest) = captured.get(known..).filter(|rest| !rest.is_empty()) else {
            return if self.message == Some(seq) { Place::Repeated } else { Place::Inside };
        };
        match self.body.skip(missing) {
            Some(0) => {}
            Some(beyond) if beyond <= stream::MAX_LEN as u64 => {
                let beyond = u32::try_from(beyond).unwrap_or_default();
                self.seq = seq.wrapping_sub(beyond);
                self.message = Some(self.seq);
                return Place::Missing { seq: self.seq };
            }
            _ => {
                self.body = Body::Unknown;
                return Place::Unknown;
            }
        }
        let is_message_over = self.body == Body::EMPTY;
        match self.body.add(rest) {
            Piece::Continues => self.seq = http::add(seq, captured.len()),
            Piece::Ends(len) => {
                let start = known + len;
                self.seq = http::add(seq, start);
                if !is_message_over {
                    self.end_body(bytes.ack);
                }
                if start < captured.len() {
                    return Place::Start { seq: self.seq, start };
                }
            }
        }
        Place::Inside
    }

    /// Whether it is known what begins with this sequence number, although bytes before it are missing.
    pub(crate) fn reaches(&self, seq: u32) -> bool {
        let missing = u64::try_from(distance(self.seq, seq)).unwrap_or(0);
        let mut body = self.body;
        body != Body::Unknown && body.skip(missing) == Some(0)
    }

    /// The body ends in a segment with this acknowledgment number.
    pub(crate) fn end_body(&mut self, ack: Option<u32>) {
        self.body = Body::EMPTY;
        self.other_seq = ack.filter(|_| self.is_turn);
    }

    /// The capture omits so many bytes.
    pub(crate) fn omit(&mut self, count: usize) {
        self.seq = http::add(self.seq, count);
        if self.body.skip(count as u64) != Some(0) {
            self.body = Body::Unknown;
        }
    }

    fn move_to(&mut self, seq: u32) {
        if 0 < distance(self.seq, seq) {
            self.seq = seq;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_begin_with_possible_sequence_numbers() {
        let mut control = Control::default();
        assert!(!control.on_syn(1_000, 1_000) && !control.on_syn(900_000, 1_000));
        assert_eq!(control.other_connection(900_000, 1_000), None, "in the window");
        assert!(!control.on_syn(u32::MAX, 1 << 22));
        assert_eq!(control.other_connection(1 << 22, 1 << 22), None, "the expected bytes");
        assert_eq!(control.other_connection(0, 1 << 22), Some(u32::MAX));
        assert_eq!(control.other_connection(100_000, 1 << 22), None, "too late");
        control.on_end(6_000, 5_000);
        assert!(!control.on_syn(7_000, 5_000));
        control.on_end(5_000, 5_000);
        assert!(control.on_syn(7_000, 5_000) && !control.on_syn(5_000, 5_000));
    }

    #[test]
    fn omitted_bytes_belong_to_the_body() {
        let bytes = |seq, captured, omitted| Bytes { seq, ack: Some(7), captured, omitted };
        let mut position = Position { body: Body::Length(100), ..Position::start(0) };
        assert_eq!(position.add(&bytes(0, b"abc", 47)), Place::Inside);
        assert_eq!((position.seq, position.body), (50, Body::Length(50)));
        assert_eq!(position.add(&bytes(50, b"abc", 47)), Place::Inside);
        assert_eq!((position.seq, position.body), (100, Body::EMPTY));
        let mut position = Position { body: Body::Length(40), ..Position::start(0) };
        assert_eq!(position.add(&bytes(0, b"abc", 47)), Place::Inside);
        assert_eq!((position.seq, position.body), (50, Body::Unknown));
        assert_eq!(position.add(&bytes(50, b"abc", 2)), Place::Unknown);
        assert_eq!(position.seq, 55);
    }
}
