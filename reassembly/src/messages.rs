//! Whole messages at the front of a stream.

use crate::http::{self, Body, Piece};
use crate::position::{Control, Position, Turn};
use crate::stream::Stream;
use summary::{Extent, HttpHead, HttpStart, StreamStart};

/// Where a message begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Partial {
    /// Sequence number of its first byte.
    pub(crate) seq: u32,
    pub(crate) start: StreamStart,
    /// Whether the stream contains messages of HTTP.
    pub(crate) is_http: bool,
    pub(crate) control: Control,
    pub(crate) turn: Turn,
}

/// The rest of a stream after its complete messages.
pub(crate) enum Rest {
    /// The start of a message.
    Partial,
    /// A position in a body, or after it.
    Position(Position),
    /// The next bytes are of another protocol, or contradict earlier ones.
    Unknown,
}

impl Partial {
    /// The sequence number after the bytes of a stream that begins here.
    pub(crate) fn end(&self, stream: &Stream) -> u32 {
        http::add(self.seq, stream.data().len())
    }
}

/// Takes all complete messages from the front of a stream, the first of which has the extent `known`.
/// Returns the first one, and what is left. The last segment has the acknowledgment number `ack`.
/// `body_of` returns the body that follows the head of an HTTP message.
pub(crate) fn take_messages(
    partial: &mut Partial,
    stream: &mut Stream,
    ack: Option<u32>,
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
        let is_preamble = Extent::of_preamble(&message, partial.start) == Extent::Complete(len);
        partial.start.is_first = false;
        let head = HttpHead::parse(&message);
        let (is_head, is_turn) = (head.is_some(), head.is_some_and(|head| ends_turn(&head.start)));
        let body = match head {
            Some(head) => Some(body_of(&head)),
            // The next message of DNS begins where this one ends.
            None => Some(Body::EMPTY).filter(|_| is_preamble || partial.start.is_dns),
        };
        partial.is_http |= is_head;
        if !is_preamble {
            first.get_or_insert(message);
        }
        let Some(mut body) = body else { break Rest::Unknown };
        let piece = body.add(stream.data());
        let Partial { seq, is_http, control, turn, .. } = *partial;
        let (message, other_seq) = (Some(start), None);
        let mut position =
            Position { message, seq, body, is_http, is_turn, other_seq, control, turn };
        match piece {
            Piece::Continues => {
                position.seq = http::add(seq, stream.data().len());
                break Rest::Position(position);
            }
            Piece::Ends(len) => {
                partial.seq = http::add(partial.seq, stream.take(len).len());
                if (is_preamble || is_head) && stream.len() == 0 {
                    position.seq = partial.seq;
                    position.end_body(ack);
                    break Rest::Position(position);
                }
            }
        }
    };
    (first, rest)
}

/// Whether the other side continues after a message: with the response, or with the next request. A
/// response with an error may be sent before the end of the request.
fn ends_turn(start: &HttpStart<'_>) -> bool {
    match start {
        HttpStart::Request { .. } => true,
        HttpStart::Response { status } => (200..400).contains(status),
    }
}
