//! Where the messages of an HTTP/1 connection begin (RFC 9112, section 6.3).

use crate::flow::{ConnectionKey, FlowKey};
use crate::table::Table;
use summary::{HttpFraming, HttpHead, HttpStart, Timestamp};

/// Maximum number of connections with requests whose response is expected.
const MAX_REQUESTS: usize = 1 << 16;

/// The rest of the body of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// So many bytes, possibly none.
    Length(u64),
    /// So many bytes, or none if the request, which was not captured, was HEAD. Then, the next head follows.
    LengthOrNone(u64),
    /// Chunks.
    Chunked(Chunks),
    /// All bytes of the connection.
    UntilClose,
    /// Bytes that do not tell where a message of HTTP begins: missing ones contain that, or these are of
    /// another protocol.
    Unknown,
}

/// What a piece of a body contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The body continues after it.
    Continues,
    /// The body ends after this number of its bytes.
    Ends(usize),
}

impl Body {
    pub(crate) const EMPTY: Self = Self::Length(0);

    /// Adds the next bytes. If they are not part of such a body, its end is unknown from then on.
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Piece {
        match self {
            Self::UntilClose | Self::Unknown => Piece::Continues,
            Self::LengthOrNone(_) if bytes.is_empty() => Piece::Continues,
            Self::LengthOrNone(len) => {
                *self = match HttpStart::may_be_response(bytes) {
                    true => Self::Unknown,
                    false => Self::Length(*len),
                };
                self.add(bytes)
            }
            Self::Chunked(chunks) => chunks.add(bytes).unwrap_or_else(|| {
                *self = Self::UntilClose;
                Piece::Continues
            }),
            Self::Length(len) => match usize::try_from(*len) {
                Ok(len) if len <= bytes.len() => Piece::Ends(len),
                _ => {
                    *len -= bytes.len() as u64;
                    Piece::Continues
                }
            },
        }
    }

    /// Skips missing bytes. Returns how many of them belong to the next message; `None` if that is
    /// unknown.
    pub(crate) fn skip(&mut self, missing: u64) -> Option<u64> {
        let len = match self {
            Self::UntilClose | Self::Unknown => return Some(0),
            Self::LengthOrNone(_) => return (missing == 0).then_some(0),
            Self::Length(len) => len,
            Self::Chunked(chunks) => return chunks.skip(missing).then_some(0),
        };
        let beyond = missing.saturating_sub(*len);
        *len = len.saturating_sub(missing);
        Some(beyond)
    }
}

/// A position in a body with chunks (RFC 9112, section 7.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunks {
    state: ChunkState,
    /// The size of the chunk so far, or the bytes of its data that are left.
    len: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ChunkState {
    /// Before the first digit of a size.
    #[default]
    Start,
    /// After a digit.
    Size,
    /// After the size, up to the end of the line.
    Extension,
    Data,
    /// After the data: the end of the line.
    DataEnd,
    /// At the start of a line after the last chunk, or after its CR.
    TrailerStart,
    /// Within such a line.
    Trailer,
}

impl Chunks {
    /// Skips missing bytes. Returns false if they are not all data of the same chunk.
    fn skip(&mut self, missing: u64) -> bool {
        if self.state != ChunkState::Data || self.len < missing {
            return missing == 0;
        }
        self.len -= missing;
        if self.len == 0 {
            self.state = ChunkState::DataEnd;
        }
        true
    }

    /// Adds the next bytes. Returns `None` if they are not part of such a body.
    fn add(&mut self, bytes: &[u8]) -> Option<Piece> {
        let mut index = 0;
        while let Some(byte) = bytes.get(index) {
            index += 1;
            self.state = match (self.state, byte) {
                (ChunkState::Data, _) => {
                    let left = bytes.len() - (index - 1);
                    let taken = usize::try_from(self.len).map_or(left, |len| len.min(left));
                    index += taken - 1;
                    self.len -= taken as u64;
                    if self.len == 0 { ChunkState::DataEnd } else { ChunkState::Data }
                }
                (ChunkState::DataEnd, b'\r') => ChunkState::DataEnd,
                (ChunkState::DataEnd, b'\n') => ChunkState::Start,
                (ChunkState::Start | ChunkState::Size, digit) if digit.is_ascii_hexdigit() => {
                    if u64::MAX >> 8 < self.len {
                        return None;
                    }
                    let value = char::from(*digit).to_digit(16).unwrap_or_default();
                    self.len = self.len << 4 | u64::from(value);
                    ChunkState::Size
                }
                (ChunkState::Size | ChunkState::Extension, b'\n') => match self.len {
                    0 => ChunkState::TrailerStart,
                    _ => ChunkState::Data,
                },
                (ChunkState::Size, b'\r' | b';' | b' ' | b'\t') | (ChunkState::Extension, _) => {
                    ChunkState::Extension
                }
                (ChunkState::TrailerStart, b'\n') => return Some(Piece::Ends(index)),
                (ChunkState::TrailerStart, b'\r') => ChunkState::TrailerStart,
                (ChunkState::Trailer, b'\n') => ChunkState::TrailerStart,
                (ChunkState::TrailerStart | ChunkState::Trailer, _) => ChunkState::Trailer,
                (ChunkState::Start | ChunkState::Size | ChunkState::DataEnd, _) => return None,
            };
        }
        Some(Piece::Continues)
    }
}

/// A sequence number after so many bytes.
pub(crate) fn add(seq: u32, len: usize) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "sequence numbers wrap")]
    seq.wrapping_add(len as u32)
}

/// The requests whose response is expected: its head does not tell whether it has a body.
#[derive(Debug)]
pub(crate) struct Requests(Table<ConnectionKey, Pipeline>);

/// The requests of a connection, oldest first.
#[derive(Clone, Copy, Debug, Default)]
struct Pipeline {
    /// [`RequestKind::BITS`] bits for each request.
    kinds: u64,
    count: u32,
}

impl Pipeline {
    /// Maximum number of requests. Later ones are not known.
    const MAX_COUNT: u32 = u64::BITS / RequestKind::BITS;

    fn push(&mut self, kind: RequestKind) {
        if self.count < Self::MAX_COUNT {
            self.kinds |= (kind as u64) << (RequestKind::BITS * self.count);
            self.count += 1;
        }
    }

    fn pop(&mut self) -> Option<RequestKind> {
        self.count = self.count.checked_sub(1)?;
        let kind = RequestKind::from_bits(self.kinds);
        self.kinds >>= RequestKind::BITS;
        Some(kind)
    }
}

/// What a request tells about the body of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestKind {
    Other,
    Head,
    Connect,
}

impl RequestKind {
    const BITS: u32 = 2;

    /// The kind in the lowest bits.
    const fn from_bits(bits: u64) -> Self {
        match bits & 0b11 {
            1 => Self::Head,
            2 => Self::Connect,
            _ => Self::Other,
        }
    }
}

impl Default for Requests {
    fn default() -> Self {
        Self(Table::new(MAX_REQUESTS))
    }
}

impl Requests {
    /// Adds the head of a message. Returns the body that follows it. All bytes of the connection belong to
    /// it if its end is unknown.
    pub(crate) fn add(&mut self, key: FlowKey, now: Timestamp, head: &HttpHead<'_>) -> Body {
        let mut is_request_known = true;
        let (has_body, default) = match head.start {
            HttpStart::Request { method, .. } => {
                self.add_request(key.connection, now, method);
                (true, Body::EMPTY)
            }
            // Another protocol follows.
            HttpStart::Response { status: 101 } => return Body::UntilClose,
            HttpStart::Response { status: 100..=199 } => (false, Body::EMPTY),
            HttpStart::Response { status } => {
                let request = self.take_request(&key.connection.reversed());
                is_request_known = request.is_some();
                match (request, status) {
                    (_, 204 | 304) | (Some(RequestKind::Head), _) => (false, Body::EMPTY),
                    // The messages of a tunnel begin.
                    (Some(RequestKind::Connect), 200..=299) => (false, Body::EMPTY),
                    _ => (true, Body::UntilClose),
                }
            }
        };
        match head.framing {
            _ if !has_body => default,
            HttpFraming::Absent => default,
            HttpFraming::Length(len) if is_request_known || len == 0 => Body::Length(len),
            HttpFraming::Length(len) => Body::LengthOrNone(len),
            HttpFraming::Chunked => Body::Chunked(Chunks::default()),
            HttpFraming::Unknown => Body::UntilClose,
        }
    }

    /// Removes the requests in this direction: another connection begins.
    pub(crate) fn remove(&mut self, key: &FlowKey) {
        self.0.remove(&key.connection);
    }

    /// Keeps the last request in this direction: the responses to earlier ones were missing.
    pub(crate) fn keep_last(&mut self, key: &ConnectionKey) {
        if let Some(requests) = self.0.get_mut(key) {
            while 1 < requests.count {
                requests.pop();
            }
        }
    }

    fn add_request(&mut self, key: ConnectionKey, now: Timestamp, method: &[u8]) {
        let kind = match method {
            b"HEAD" => RequestKind::Head,
            b"CONNECT" => RequestKind::Connect,
            _ => RequestKind::Other,
        };
        match self.0.touch(&key, now) {
            Some(requests) => requests.push(kind),
            None => {
                let mut requests = Pipeline::default();
                requests.push(kind);
                self.0.insert(key, now, requests, |_, _| ());
            }
        }
    }

    fn take_request(&mut self, key: &ConnectionKey) -> Option<RequestKind> {
        let requests = self.0.get_mut(key)?;
        let kind = requests.pop();
        if requests.count == 0 {
            self.0.remove(key);
        }
        kind
    }
}
