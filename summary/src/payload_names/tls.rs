//! The ClientHello of TLS (RFC 8446, sections 4.1.2 and 5.1).

use super::{Bytes, Extent};
use std::borrow::Cow;
use std::ops::Range;

/// Content types of records (RFC 8446, section 5.1). A second ClientHello follows a change_cipher_spec
/// record (section 5).
const HANDSHAKE: u8 = 22;
const CHANGE_CIPHER_SPEC: u8 = 20;
/// Content type, version, length.
const HEADER_LEN: usize = 5;
/// Maximum length of the content of a record.
const MAX_RECORD_LEN: usize = 1 << 14;
const CLIENT_HELLO: u8 = 1;
/// Longest ClientHello that is read. Those of browsers have up to 2 kB.
const MAX_HELLO_LEN: usize = 64 << 10;
const MAX_SESSION_ID_LEN: usize = 32;

/// Type of an extension (IANA).
const ENCRYPTED_HELLO: u16 = 0xfe0d;
const HOST_NAME: usize = 0;

/// Whether the payload starts with a record of a handshake, or with a part of its header.
pub(super) fn is_record(payload: &[u8]) -> bool {
    let is_kind = |kind: &u8| [HANDSHAKE, CHANGE_CIPHER_SPEC].contains(kind);
    match payload {
        [] => false,
        [kind] | [kind, 3] | [kind, 3, 0..=4, ..] => is_kind(kind),
        _ => false,
    }
}

/// How far the ClientHello at the front of a stream extends.
pub(super) fn extent(bytes: &[u8], is_start: bool) -> Extent {
    match Handshake::parse(bytes) {
        Some(handshake) if !is_start && !handshake.is_proved_by(bytes) => Extent::Unknown,
        Some(handshake) if handshake.is_complete() => Extent::Complete(handshake.end),
        Some(handshake) if is_start || !handshake.bytes.is_empty() => Extent::Incomplete,
        _ => Extent::Unknown,
    }
}

/// The handshake bytes of consecutive records, from the type of a ClientHello on.
pub(super) struct Handshake<'a> {
    /// Borrowed if one record contains them.
    pub(super) bytes: Cow<'a, [u8]>,
    /// Where the content of each record starts: in `bytes`, and in the payload.
    starts: Vec<(usize, usize)>,
    /// Where the last record, or what there is of it, ends in the payload.
    end: usize,
}

impl<'a> Handshake<'a> {
    /// Joins the records at the front of a payload until they contain the ClientHello or end. `None` if
    /// they cannot start with a ClientHello.
    pub(super) fn parse(payload: &'a [u8]) -> Option<Self> {
        let mut rest = Bytes(payload);
        let mut handshake = Self { bytes: Cow::Borrowed(&[]), starts: Vec::new(), end: 0 };
        while !rest.0.is_empty() && !handshake.is_complete() {
            if !is_record(rest.0) {
                return None;
            }
            let Some(header) = rest.take(HEADER_LEN) else { break };
            let (kind, len) = (header[0], usize::from(header[3]) << 8 | usize::from(header[4]));
            if MAX_RECORD_LEN < len || len == 0 {
                return None;
            }
            match kind {
                CHANGE_CIPHER_SPEC if handshake.starts.is_empty() => {
                    let Some(_) = rest.take(len) else { break };
                }
                HANDSHAKE => {
                    let start = payload.len() - rest.0.len();
                    let content = rest.take(len.min(rest.0.len()))?;
                    handshake.push(start, content);
                }
                _ => return None,
            }
            let is_other = handshake.bytes.first().is_some_and(|kind| *kind != CLIENT_HELLO);
            if is_other || handshake.message_len().is_some_and(|len| MAX_HELLO_LEN < len) {
                return None;
            }
            handshake.end = payload.len() - rest.0.len();
        }
        Some(handshake)
    }

    fn push(&mut self, start: usize, content: &'a [u8]) {
        self.starts.push((self.bytes.len(), start));
        match self.bytes.is_empty() {
            true => self.bytes = Cow::Borrowed(content),
            false => self.bytes.to_mut().extend_from_slice(content),
        }
    }

    /// Length of the ClientHello with its header, once the header is there.
    fn message_len(&self) -> Option<usize> {
        ClientHello::message_len(&self.bytes)
    }

    /// Whether what follows the last record in `bytes` can follow it: nothing, or another record. A file that
    /// contains a ClientHello continues in another way.
    pub(super) fn is_proved_by(&self, bytes: &[u8]) -> bool {
        /// Largest content type (IANA).
        const LAST_KIND: u8 = 26;
        match bytes[self.end..] {
            [kind] | [kind, 3] | [kind, 3, 0..=4, ..] => {
                (CHANGE_CIPHER_SPEC..=LAST_KIND).contains(&kind)
            }
            [] => true,
            _ => false,
        }
    }

    fn is_complete(&self) -> bool {
        self.message_len().is_some_and(|len| len <= self.bytes.len())
    }

    /// The ClientHello, or as much of it as there is.
    pub(super) fn client_hello(&self) -> Option<ClientHello<'_>> {
        let len = self.message_len()?;
        let body = &self.bytes[4..self.bytes.len().min(len)];
        ClientHello::parse(body, len - 4)
    }

    /// The bytes of the payload that contain `part`, a part of `bytes`. They are more than `part` if the
    /// header of a record splits it.
    pub(super) fn payload_range(&self, part: &[u8]) -> Range<usize> {
        let start = part.as_ptr().addr() - self.bytes.as_ptr().addr();
        let offset = |at: usize| {
            let record = self.starts.iter().rev().find(|(start, _)| *start <= at);
            record.map_or(at, |(start, in_payload)| in_payload + at - start)
        };
        match part.len() {
            0 => offset(start)..offset(start),
            len => offset(start)..offset(start + len - 1) + 1,
        }
    }
}

/// A ClientHello of TLS (RFC 8446, section 4.1.2), whose lengths agree.
#[derive(Clone, Copy, Debug)]
pub struct ClientHello<'a> {
    version: u16,
    suites: &'a [u8],
    /// The extensions that are completely there: types, lengths and contents.
    extensions: &'a [u8],
}

impl<'a> ClientHello<'a> {
    /// Type of the extension with the server name (RFC 6066).
    pub const SERVER_NAME: u16 = 0;
    /// Type of the extension with the application protocols (RFC 7301).
    pub const APPLICATION_PROTOCOLS: u16 = 16;

    /// Length of the handshake message at the front of `bytes` with its header (RFC 8446, section 4); `None`
    /// if the header is incomplete.
    pub fn message_len(bytes: &[u8]) -> Option<usize> {
        let [_kind, high, middle, low, ..] = *bytes else { return None };
        Some(4 + (usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)))
    }

    /// Passes the complete ClientHello in the TLS records at the front of `bytes` to `visit`. `None` if
    /// there is none.
    pub fn in_records<T>(bytes: &[u8], visit: impl FnOnce(&ClientHello<'_>) -> T) -> Option<T> {
        let handshake = Handshake::parse(bytes).filter(Handshake::is_complete)?;
        handshake.client_hello().as_ref().map(visit)
    }

    /// Parses a complete message with its header, as QUIC transports it.
    pub fn from_message(message: &'a [u8]) -> Option<Self> {
        let is_complete = Self::message_len(message)? == message.len();
        let [CLIENT_HELLO, _, _, _, body @ ..] = message else { return None };
        Self::parse(body, body.len()).filter(|_| is_complete)
    }

    /// Parses the body of a message, which has `len` bytes if it is complete. `None` if the lengths in
    /// it disagree, or if it ends before the extensions.
    pub(super) fn parse(body: &'a [u8], len: usize) -> Option<Self> {
        let mut rest = Bytes(body);
        let version = u16::try_from(rest.u16()?).ok()?;
        rest.take(32)?; // random
        let session_len = rest.u8().filter(|len| *len <= MAX_SESSION_ID_LEN)?;
        rest.take(session_len)?;
        let suites_len = rest.u16().filter(|len| 0 < *len && len % 2 == 0)?;
        let suites = rest.take(suites_len)?;
        let compressions_len = rest.u8().filter(|len| 0 < *len)?;
        rest.take(compressions_len)?;
        // Old clients send none.
        if rest.0.is_empty() && body.len() == len {
            return Some(Self { version, suites, extensions: &[] });
        }
        let extensions_len = rest.u16()?;
        if len != body.len() - rest.0.len() + extensions_len {
            return None;
        }
        let extensions = rest.0;
        let mut left = extensions_len;
        while 0 < left {
            let here = rest.0;
            left = left.checked_sub(4)?;
            let content = rest.u16().and_then(|_| rest.u16()).map(|len| (len, rest.take(len)));
            if let Some((len, _)) = content {
                left = left.checked_sub(len)?;
            }
            if !matches!(content, Some((_, Some(_)))) {
                rest.0 = here;
                break;
            }
        }
        let extensions = &extensions[..extensions.len() - rest.0.len()];
        Some(Self { version, suites, extensions })
    }

    /// The version field. From TLS 1.3 on, the client lists its versions in an extension.
    pub fn legacy_version(&self) -> u16 {
        self.version
    }

    /// The numbers of the cipher suites, in their order.
    pub fn cipher_suites(&self) -> impl Iterator<Item = u16> {
        let (suites, _) = self.suites.as_chunks();
        suites.iter().map(|suite| u16::from_be_bytes(*suite))
    }

    /// Types and contents of the extensions, in their order.
    pub fn extensions(&self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut rest = Bytes(self.extensions);
        std::iter::from_fn(move || {
            let (kind, len) = (rest.u16()?, rest.u16()?);
            Some((u16::try_from(kind).ok()?, rest.take(len)?))
        })
    }

    /// Contents of the first extension of this type.
    pub fn extension(&self, kind: u16) -> Option<&'a [u8]> {
        self.extensions().find(|(found, _)| *found == kind).map(|(_, content)| content)
    }

    /// The application protocols that the client offers, in its order (RFC 7301, section 3.1). None if the
    /// list is damaged.
    pub fn application_protocols(&self) -> impl Iterator<Item = &'a [u8]> {
        let list = self.extension(Self::APPLICATION_PROTOCOLS).and_then(|content| {
            let mut list = Bytes(content);
            (list.u16()? == list.0.len()).then_some(list)
        });
        let next = |rest: &mut Bytes<'a>| {
            let len = rest.u8().filter(|len| 0 < *len)?;
            rest.take(len)
        };
        let is_valid = |mut list: Bytes<'a>| {
            while !list.0.is_empty() {
                if next(&mut list).is_none() {
                    return false;
                }
            }
            true
        };
        let mut rest = list.filter(|list| is_valid(Bytes(list.0))).unwrap_or(Bytes(&[]));
        std::iter::from_fn(move || next(&mut rest))
    }

    /// Whether a part of the message is encrypted (RFC 9849, section 5). The server name is then that of
    /// a front. Clients also send the extension with random content.
    pub fn is_encrypted(&self) -> bool {
        /// The type of an outer ClientHello.
        const OUTER: u8 = 0;
        self.extension(ENCRYPTED_HELLO).is_some_and(|content| content.first() == Some(&OUTER))
    }

    /// The host name, if there is exactly one extension, and it has exactly one (RFC 6066, section 3; RFC 8446,
    /// section 4.2).
    pub fn server_name(&self) -> Option<&'a [u8]> {
        let mut lists = self.extensions().filter(|(kind, _)| *kind == Self::SERVER_NAME);
        let (Some((_, list)), None) = (lists.next(), lists.next()) else { return None };
        let mut list = Bytes(list);
        let list_len = list.u16()?;
        let (kind, len) = (list.u8()?, list.u16()?);
        let is_valid = list_len == 3 + len && list.0.len() == len && kind == HOST_NAME && 0 < len;
        is_valid.then_some(list.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The message that contains this host name, without a record.
    pub(crate) fn hello(name: &[u8]) -> Vec<u8> {
        let u16_of = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
        let list = [&[0][..], &u16_of(name.len()), name].concat();
        let content = [&u16_of(list.len()), &list[..]].concat();
        let server_name = [&[0, 0][..], &u16_of(content.len()), &content].concat();
        let extensions = [&[0, 23, 0, 0][..], &server_name, &[0, 35, 0, 0]].concat();
        let suites = [0, 2, 0x13, 1, 1, 0];
        let body =
            [&[3, 3][..], &[7; 32], &[0], &suites, &u16_of(extensions.len()), &extensions].concat();
        [&[1, 0][..], &u16_of(body.len()), &body].concat()
    }

    pub(crate) fn records<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let record = |content: &'a [u8]| {
            let len = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&[22, 3, 1][..], &len, content].concat()
        };
        contents.into_iter().flat_map(record).collect()
    }

    fn server_name(payload: &[u8]) -> Option<Vec<u8>> {
        let handshake = Handshake::parse(payload)?;
        handshake.client_hello()?.server_name().map(<[u8]>::to_vec)
    }

    #[test]
    fn lengths_must_agree() {
        let message = hello(b"a.example");
        assert_eq!(server_name(&records([&message[..]])).as_deref(), Some(&b"a.example"[..]));
        let name = message.windows(9).position(|part| part == b"a.example").unwrap();
        // Of the message, the session, the cipher suites, the compression methods, all extensions, the
        // first extension, the server name extension, its list, and the name.
        for at in [3, 38, 40, 43, 45, 49, name - 6, name - 4, name - 1] {
            for by in [1, 255] {
                let mut wrong = message.clone();
                wrong[at] = wrong[at].wrapping_add(by);
                assert_eq!(server_name(&records([&wrong[..]])), None, "{at} {by}");
            }
        }
    }

    #[test]
    fn extensions_are_read() {
        let extension = |kind: u16, content: &[u8]| {
            let len = u16::try_from(content.len()).unwrap().to_be_bytes();
            [&kind.to_be_bytes()[..], &len, content].concat()
        };
        let read = |protocols: &[u8], encrypted: &[u8]| {
            let extensions = [
                extension(ClientHello::APPLICATION_PROTOCOLS, protocols),
                extension(ENCRYPTED_HELLO, encrypted),
            ]
            .concat();
            let start = [&[3, 3][..], &[7; 32], &[0, 0, 4, 0x13, 1, 0x1a, 0x1a, 1, 0]].concat();
            let len = u16::try_from(extensions.len()).unwrap().to_be_bytes();
            let body = [&start[..], &len, &extensions].concat();
            let len = u16::try_from(body.len()).unwrap().to_be_bytes();
            let message = [&[1, 0][..], &len, &body].concat();
            let hello = ClientHello::from_message(&message).unwrap();
            assert_eq!(hello.legacy_version(), 0x0303);
            assert!(hello.cipher_suites().eq([0x1301, 0x1a1a]));
            let protocols = hello.application_protocols().map(|name| str::from_utf8(name).unwrap());
            (protocols.collect::<Vec<_>>().join(" "), hello.is_encrypted())
        };
        assert_eq!(read(b"\0\x0c\x02h2\x08http/1.1", &[0]), ("h2 http/1.1".to_owned(), true));
        for damaged in [&b"\0\x0b\x02h2\x08http/1.1"[..], b"\0\x04\x02h2\x01", b"\0\x02\0\0", b""] {
            assert_eq!(read(damaged, &[1]), (String::new(), false), "{damaged:?}");
        }
    }

    proptest! {
        #[test]
        fn records_may_split_the_message_anywhere(cuts in prop::collection::vec(1usize..90, 0..5)) {
            let message = hello(b"www.server.example");
            let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < message.len()).collect();
            cuts.extend([0, message.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let payload = records(cuts.windows(2).map(|pair| &message[pair[0]..pair[1]]));
            let found = server_name(&payload);
            prop_assert_eq!(found.as_deref(), Some(&b"www.server.example"[..]));
            for len in 0..payload.len() {
                let found = server_name(&payload[..len]);
                prop_assert!(found.is_none_or(|name| name == b"www.server.example"));
            }
        }
    }
}
