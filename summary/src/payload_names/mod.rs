//! Names in the transport payload: the question of a DNS message, the server name of a TLS client, the
//! first line and host of an HTTP message, the version of a QUIC packet.
//!
//! Each name comes from a single packet that contains it completely; nothing is reassembled. The bytes
//! of the payload must prove that they are a message of the protocol: ports only decide which protocol
//! is tried first, and whether a DNS message may continue beyond the captured bytes.

mod dns;
mod extent;
mod http;
mod ja4;
mod proxy;
mod quic;
mod socks;
mod tls;

use crate::Summary;
use crate::inspect::payload as fields;
use crate::observer::Observer;
use std::borrow::Cow;

pub use dns::{DnsCode, DnsType, Message as DnsMessage};
pub use extent::{Extent, StreamStart};
pub use http::{HttpFraming, HttpHead, HttpStart};
pub use ja4::Ja4;
pub use quic::{QuicPacket, QuicPacketKind, take_variable_int};
pub use tls::ClientHello;

/// DNS (RFC 1035).
const DNS_PORT: u16 = 53;
/// Multicast DNS (RFC 6762) and LLMNR (RFC 4795). A client of another protocol may have the same port.
const MULTICAST_DNS_PORTS: [u16; 2] = [5353, 5355];
/// The NetBIOS name service (RFC 1002) has messages of the same form, whose names are encoded.
const NETBIOS_PORT: u16 = 137;

/// The names in the payload of one packet. Most packets have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayloadNames<'a> {
    /// Name and type in the first question of a DNS message. Labels are joined by dots, and the root is
    /// `.`. In a label, `\.` is a dot, `\\` a backslash, and `\255` a byte that is not UTF-8.
    pub dns: Option<(Cow<'a, str>, DnsType)>,
    /// Response code of a DNS message; `None` in queries.
    pub dns_rcode: Option<DnsCode>,
    /// The first [`PayloadNames::MAX_TEXTS`] answers in a DNS message that are addresses, names or texts.
    pub dns_answers: Vec<Cow<'a, str>>,
    /// Time from the question to this response in microseconds. It is not known here: it needs both.
    pub dns_time_us: Option<u64>,
    /// Server name in a TLS ClientHello (RFC 6066, section 3).
    pub sni: Option<Cow<'a, str>>,
    /// The first [`PayloadNames::MAX_TEXTS`] application protocols that a ClientHello offers (RFC 7301).
    pub alpn: Vec<Cow<'a, str>>,
    /// Whether a ClientHello has an encrypted part (RFC 9849); `sni` is then the name of a front.
    pub ech: bool,
    /// Fingerprint of a ClientHello. It is not computed here: it needs complete messages.
    pub ja4: Option<Ja4>,
    /// Method of an HTTP/1 request (RFC 9110, section 9).
    pub http_method: Option<Cow<'a, str>>,
    /// Host field of an HTTP/1 request (RFC 9110, section 7.2).
    pub http_host: Option<Cow<'a, str>>,
    /// Path in the target of an HTTP/1 request, without the query: its first 1,024 bytes.
    pub http_path: Option<Cow<'a, str>>,
    /// Status code of an HTTP/1 response (RFC 9110, section 15).
    pub http_status: Option<u16>,
    /// Version of a QUIC packet with a long header (RFC 8999, section 5.1).
    pub quic: Option<u32>,
}

impl<'a> PayloadNames<'a> {
    /// Maximum number of texts in a list.
    pub const MAX_TEXTS: usize = 8;

    /// Parses the transport payload of a packet.
    ///
    /// `buf` holds names that cannot be borrowed from the payload. Reuse it for all packets to avoid
    /// allocations.
    ///
    /// ```
    /// use summary::{LinkType, PayloadNames, decode_with_payload};
    ///
    /// let question = *b"\x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01";
    /// let datagram = [
    ///     &[0x45, 0, 0, 57, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..],
    ///     &[0x30, 0x39, 0, 53, 0, 37, 0, 0], &question,
    /// ].concat();
    /// let decoded = decode_with_payload(LinkType::RAW, &datagram, 57);
    /// let mut buf = String::new();
    /// let names = PayloadNames::parse(&decoded.summary, decoded.payload, &mut buf);
    /// let (name, kind) = names.dns.unwrap();
    /// assert_eq!((&*name, kind.to_string()), ("example.org", "A".to_owned()));
    /// ```
    pub fn parse(summary: &Summary<'_>, payload: &'a [u8], buf: &'a mut String) -> Self {
        Self::parse_observed(summary, payload, buf, &mut ())
    }

    /// Like [`PayloadNames::parse`], with an observer.
    #[inline]
    pub(crate) fn parse_observed(
        summary: &Summary<'_>,
        payload: &'a [u8],
        buf: &'a mut String,
        observer: &mut impl Observer,
    ) -> Self {
        if payload.is_empty() || summary.frag.is_some() {
            return Self::default();
        }
        match summary.proto.static_name() {
            Some("udp") => Self::in_datagram(summary, payload, buf, observer),
            Some("tcp") => {
                Self::in_segment(summary, payload, wire_len(summary, payload), buf, observer)
            }
            _ => Self::default(),
        }
    }

    /// Parses a message that was assembled from several TCP segments; `summary` is that of the last one.
    /// See [`Extent`].
    pub fn parse_assembled(summary: &Summary<'_>, message: &'a [u8], buf: &'a mut String) -> Self {
        Self::in_segment(summary, message, message.len(), buf, &mut ())
    }

    fn in_datagram(
        summary: &Summary<'_>,
        payload: &'a [u8],
        buf: &'a mut String,
        observer: &mut impl Observer,
    ) -> Self {
        let len = wire_len(summary, payload);
        if let Some(message) = DnsMessage::in_datagram(summary, payload, len) {
            return Self::in_message(&message, buf, observer);
        }
        Self { quic: quic::version(payload, len, observer), ..Self::default() }
    }

    /// Names in the payload of a TCP segment, which has `len` bytes on the wire.
    fn in_segment(
        summary: &Summary<'_>,
        payload: &'a [u8],
        len: usize,
        buf: &'a mut String,
        observer: &mut impl Observer,
    ) -> Self {
        let header_len = proxy::header_len(payload).unwrap_or(0);
        let (payload, len) = (&payload[header_len..], len - header_len);
        if let Some(handshake) = tls::Handshake::parse(payload)
            && handshake.is_proved_by(payload)
            && let Some(hello) = handshake.client_hello()
        {
            observer.layer(payload, fields::tls);
            let sni = hello.server_name().map(|name| {
                let range = handshake.payload_range(name);
                let (start, end) = (&payload[range.start..], &payload[range.end..]);
                let text = match range.len() == name.len() {
                    true => text(&payload[range], buf),
                    false => copied_text(name, buf), // split by the header of a record
                };
                observer.field(Some("sni"), "Server name", (start, end), &text);
                text
            });
            let mut names = Self { sni, ..Self::default() };
            names.add_offers(&hello);
            return names;
        }
        if tls::is_record(payload) {
            observer.layer(payload, fields::tls);
            return Self::default();
        }
        if let Some(head) = HttpHead::parse(payload).filter(|head| head.is_proved_by(payload)) {
            observer.layer(payload, fields::http);
            return Self::in_head(&head, payload, buf, observer);
        }
        match dns::first_in_segment(payload, len, is_dns_stream(summary)) {
            Some(message) => Self::in_message(&message, buf, observer),
            None => Self::default(),
        }
    }

    /// Names in the head of an HTTP message, which is at the front of `payload`.
    fn in_head(
        head: &HttpHead<'a>,
        payload: &'a [u8],
        buf: &'a mut String,
        observer: &mut impl Observer,
    ) -> Self {
        let mut names = Self::default();
        match head.start {
            HttpStart::Request { method, .. } => {
                observer.text_field("http_method", "Method", method);
                names.http_method = Some(String::from_utf8_lossy(method));
            }
            HttpStart::Response { status } => {
                // After `HTTP/1.1 `. An empty line may come before it.
                if let Some(code) = payload.trim_ascii_start().get(9..12) {
                    observer.text_field("http_status", "Status code", code);
                }
                names.http_status = Some(status);
            }
        }
        if let Some(path) = head.path() {
            observer.text_field("http_path", "Path", path);
            names.http_path = Some(String::from_utf8_lossy(path));
        }
        if let Some(host) = head.host() {
            observer.text_field("http_host", "Host", host);
            names.http_host = Some(text(host, buf));
        }
        names
    }

    /// Names in a DNS message.
    fn in_message(
        message: &DnsMessage<'_>,
        buf: &'a mut String,
        observer: &mut impl Observer,
    ) -> Self {
        Self {
            dns: message.question_observed(buf, observer),
            dns_rcode: message.code(),
            dns_answers: message.answers().take(Self::MAX_TEXTS).map(Cow::Owned).collect(),
            ..Self::default()
        }
    }

    /// Adds the names in a TLS ClientHello without records, as QUIC transports it: with its header, and
    /// complete.
    pub fn add_client_hello(&mut self, message: &'a [u8], buf: &'a mut String) {
        let Some(hello) = ClientHello::from_message(message) else { return };
        self.sni = hello.server_name().map(|name| text(name, buf));
        self.add_offers(&hello);
    }

    /// Adds what a ClientHello contains beside the name.
    fn add_offers(&mut self, hello: &ClientHello<'_>) {
        let protocols = hello.application_protocols().take(Self::MAX_TEXTS);
        self.alpn.extend(
            protocols.map(|protocol| String::from_utf8_lossy(protocol).into_owned().into()),
        );
        self.ech = hello.is_encrypted();
    }

    /// The names without those of HTTP.
    #[must_use]
    pub fn without_http(self) -> Self {
        let (http_method, http_host, http_path, http_status) = (None, None, None, None);
        Self { http_method, http_host, http_path, http_status, ..self }
    }

    /// The same names, without references.
    pub fn into_owned(self) -> PayloadNames<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        PayloadNames {
            dns: self.dns.map(|(name, kind)| (own(name), kind)),
            dns_rcode: self.dns_rcode,
            dns_answers: self.dns_answers.into_iter().map(own).collect(),
            dns_time_us: self.dns_time_us,
            sni: self.sni.map(own),
            alpn: self.alpn.into_iter().map(own).collect(),
            http_method: self.http_method.map(own),
            http_host: self.http_host.map(own),
            http_path: self.http_path.map(own),
            http_status: self.http_status,
            ech: self.ech,
            ja4: self.ja4,
            quic: self.quic,
        }
    }

    /// True if there are no names.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl<'a> DnsMessage<'a> {
    /// The message in the transport payload of a packet: the first one whose names [`PayloadNames::parse`]
    /// returns.
    pub fn in_packet(summary: &Summary<'_>, payload: &'a [u8]) -> Option<Self> {
        if summary.frag.is_some() {
            return None;
        }
        let len = wire_len(summary, payload);
        match summary.proto.static_name()? {
            "udp" => Self::in_datagram(summary, payload, len),
            "tcp" => Self::in_segment(summary, payload, len),
            _ => None,
        }
    }

    /// The message in bytes that were assembled from several TCP segments: see
    /// [`PayloadNames::parse_assembled`].
    pub fn in_assembled(summary: &Summary<'_>, message: &'a [u8]) -> Option<Self> {
        Self::in_segment(summary, message, message.len())
    }

    /// The message in a datagram, whose payload has `len` bytes on the wire.
    fn in_datagram(summary: &Summary<'_>, payload: &'a [u8], len: usize) -> Option<Self> {
        if [summary.sport, summary.dport].contains(&Some(NETBIOS_PORT)) {
            return None;
        }
        Self::parse(payload, dns::Context { len, is_expected: is_dns_expected(summary) })
    }

    /// The message in a TCP segment, whose payload has `len` bytes on the wire.
    fn in_segment(summary: &Summary<'_>, payload: &'a [u8], len: usize) -> Option<Self> {
        let header_len = proxy::header_len(payload).unwrap_or(0);
        let (payload, len) = (&payload[header_len..], len - header_len);
        let message = dns::first_in_segment(payload, len, is_dns_stream(summary))?;
        // Messages of TLS and HTTP come first, because DNS may look like both.
        let is_http = || HttpHead::parse(payload).is_some_and(|head| head.is_proved_by(payload));
        (!tls::is_record(payload) && !is_http()).then_some(message)
    }
}

/// Length of the payload on the wire, of which the capture may omit the end.
fn wire_len(summary: &Summary<'_>, payload: &[u8]) -> usize {
    let len = summary.payload.and_then(|len| usize::try_from(len).ok());
    len.map_or(payload.len(), |len| len.max(payload.len()))
}

/// Whether a TCP connection has the port of DNS.
fn is_dns_stream(summary: &Summary<'_>) -> bool {
    [summary.sport, summary.dport].contains(&Some(DNS_PORT))
}

/// Whether the ports or the multicast address of a datagram are those of DNS.
fn is_dns_expected(summary: &Summary<'_>) -> bool {
    let (sport, dport) = (summary.sport, summary.dport);
    if [sport, dport].contains(&Some(DNS_PORT)) {
        return true;
    }
    let is_multicast = summary.dst.is_some_and(|dst| dst.is_multicast());
    dport.is_some_and(|port| MULTICAST_DNS_PORTS.contains(&port))
        && (is_multicast || sport == dport)
}

/// Bytes from the network as text; invalid UTF-8 becomes U+FFFD.
fn text<'a>(bytes: &'a [u8], buf: &'a mut String) -> Cow<'a, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    copied_text(bytes, buf)
}

fn copied_text<'a>(bytes: &[u8], buf: &'a mut String) -> Cow<'a, str> {
    buf.clear();
    for chunk in bytes.utf8_chunks() {
        buf.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            buf.push(char::REPLACEMENT_CHARACTER);
        }
    }
    Cow::Borrowed(buf)
}

/// The rest of a message. Each step returns `None` if there are too few bytes.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<usize> {
        Some(usize::from(self.take(1)?[0]))
    }

    fn u16(&mut self) -> Option<usize> {
        let bytes = self.take(2)?;
        Some(usize::from(bytes[0]) << 8 | usize::from(bytes[1]))
    }

    /// An integer of variable length (RFC 9000, section 16).
    fn variable_int(&mut self) -> Option<usize> {
        usize::try_from(take_variable_int(&mut self.0)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LinkType, decode_with_payload};
    use proptest::prelude::*;

    /// An IPv4 packet without a link header.
    fn packet(number: u8, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
        let header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, number, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        let ports = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
        let rest: &[u8] = match number {
            17 => &[0, 0, 0, 0],
            _ => &[0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 1, 0, 0, 0, 0, 0],
        };
        [&header[..], &ports, rest, payload].concat()
    }

    fn names(number: u8, ports: (u16, u16), payload: &[u8]) -> PayloadNames<'static> {
        let packet = packet(number, ports, payload);
        let len = u32::try_from(packet.len()).unwrap();
        let decoded = decode_with_payload(LinkType::RAW, &packet, len);
        let mut buf = String::new();
        PayloadNames::parse(&decoded.summary, decoded.payload, &mut buf).into_owned()
    }

    const QUESTION: &[u8] = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03a.b\x04\xff\x80co\0\0\x41\0\x01";

    #[test]
    fn each_protocol_has_its_name() {
        let dns = names(17, (5_000, 53), QUESTION).dns.unwrap();
        assert_eq!((&*dns.0, dns.1.to_string()), ("a\\.b.\\255\\128co", "HTTPS".to_owned()));
        let over_tcp = [&[0, 26], QUESTION].concat();
        // Ports do not decide.
        for ports in [(53, 5_000), (5_000, 443), (5_353, 80), (5_300, 5_300)] {
            assert_eq!(names(17, ports, QUESTION).dns, Some(dns.clone()), "{ports:?}");
            assert_eq!(names(6, ports, &over_tcp).dns, Some(dns.clone()), "{ports:?}");
            let hello = tls::tests::records([&tls::tests::hello(b"server.example")[..]]);
            assert_eq!(names(6, ports, &hello).sni.as_deref(), Some("server.example"));
            let request = b"GET / HTTP/1.1\r\nHost:\t host.example:80 \r\n\r\nGET / Host: no";
            assert_eq!(names(6, ports, request).http_host.as_deref(), Some("host.example:80"));
            assert_eq!(names(17, ports, &quic::tests::initial(1200)).quic, Some(1));
        }
    }

    #[test]
    fn incomplete_messages_have_no_name() {
        for ports in [(53, 53), (5_000, 443)] {
            for len in 0..QUESTION.len() {
                assert!(names(17, ports, &QUESTION[..len]).is_empty(), "{len}");
                let over_tcp = [&[0, 26], &QUESTION[..len]].concat();
                assert!(names(6, ports, &over_tcp).is_empty(), "{len}");
            }
        }
        let hello = tls::tests::records([&tls::tests::hello(b"server.example")[..]]);
        let end = hello.len() - 4; // of the name; one more extension follows
        for len in 0..end {
            assert!(names(6, (5_000, 443), &hello[..len]).is_empty(), "{len}");
        }
        assert!(!names(6, (5_000, 443), &hello[..end]).is_empty());
    }

    /// A file that is transferred may contain messages, also at the start of a packet.
    #[test]
    fn messages_are_followed_by_others() {
        let hello = tls::tests::records([&tls::tests::hello(b"server.example")[..]]);
        let record = b"\x14\x03\x03\0\x01\x01\x17\x03\x03";
        let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let put = b"PUT / HTTP/1.1\r\nContent-Length: 3\r\n\r\n";
        let ok = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        let rest = b"\xd4\xc3\xb2\xa1\x02\0\x04\0";
        for (message, good, bad) in [
            (&hello[..], &record[..], &b""[..]),
            (get, get, b""),
            (get, b"\r\nG", b""),
            (put, b"a", b"abc"),
            (put, b"abcPUT /", b"abc"),
            (ok, b"abcHTTP/1.1 ", b"abc"),
        ] {
            for end in 0..=good.len() {
                let payload = [message, &good[..end]].concat();
                assert!(!names(6, (5_000, 443), &payload).is_empty(), "{message:?} {end}");
            }
            for end in 1..=rest.len() {
                let payload = [message, bad, &rest[..end]].concat();
                assert!(names(6, (5_000, 443), &payload).is_empty(), "{message:?} {end}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_payload_is_accepted(payload: Vec<u8>, is_tcp: bool, port: u16, start in 0usize..4) {
            let start: &[u8] = [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"\xc0"][start];
            let number = if is_tcp { 6 } else { 17 };
            names(number, (53, port), &[start, &payload].concat());
            names(number, (443, port), &[start, &payload].concat());
        }

        #[test]
        fn dns_messages_are_those_with_names(
            before in prop::sample::select(vec![&b""[..], b"\x16\x03\x01", b"PROXY UNKNOWN\r\n", b"\x01"]),
            id: [u8; 2], is_response: bool, question_count in 0u8..3, damage: Option<(prop::sample::Index, u8)>,
            port in prop::sample::select(vec![53u16, 137, 443, 5353]), is_tcp: bool, has_len: bool,
        ) {
            let mut message = [&id[..], &QUESTION[2..]].concat();
            (message[2], message[5]) = (u8::from(is_response) << 7, question_count);
            if let Some((index, value)) = damage {
                *index.get_mut(&mut message) = value;
            }
            let len = [0, u8::try_from(message.len()).unwrap()];
            let payload = [before, if has_len { &len } else { &[] }, &message].concat();
            let packet = packet(if is_tcp { 6 } else { 17 }, (5_000, port), &payload);
            let decoded =
                decode_with_payload(LinkType::RAW, &packet, u32::try_from(packet.len()).unwrap());
            let (summary, payload) = (&decoded.summary, decoded.payload);
            let (mut buf, mut name) = (String::new(), String::new());
            let names = PayloadNames::parse(summary, payload, &mut buf);
            let dns = DnsMessage::in_packet(summary, payload);
            prop_assert_eq!(dns.and_then(|dns| dns.question(&mut name)), names.dns);
            prop_assert_eq!(dns.and_then(|dns| dns.code()), names.dns_rcode);
            if let Some(dns) = dns.filter(|_| damage.is_none()) {
                prop_assert_eq!((dns.id(), dns.is_response()), (u16::from_be_bytes(id), is_response));
            }
        }
    }
}
