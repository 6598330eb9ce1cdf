//! Names in the transport payload: the question of a DNS message, the server name of a TLS client, the
//! host of an HTTP request, the version of a QUIC packet.
//!
//! Each name comes from a single packet that contains it completely; nothing is reassembled. Only the
//! first 4 KiB of a payload are inspected, which limits the work per packet.

mod dns;
mod http;
mod quic;
mod tls;

use crate::Summary;
use crate::inspect::payload as fields;
use crate::observer::Observer;
use std::borrow::Cow;

pub use dns::DnsType;

/// Maximum number of payload bytes that are inspected.
const MAX_LEN: usize = 4 << 10;

/// DNS (RFC 1035), multicast DNS (RFC 6762) and LLMNR (RFC 4795).
const DNS_PORTS: [u16; 3] = [53, 5353, 5355];

/// The names in the payload of one packet. Most packets have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PayloadNames<'a> {
    /// Name and type in the first question of a DNS message. Labels are joined by dots, a dot in a label
    /// is written as `\.`, and the root is `.`.
    pub dns: Option<(Cow<'a, str>, DnsType)>,
    /// Server name in a TLS ClientHello (RFC 6066, section 3).
    pub sni: Option<Cow<'a, str>>,
    /// Host field of an HTTP/1 request (RFC 9110, section 7.2).
    pub http_host: Option<Cow<'a, str>>,
    /// Version of a QUIC packet with a long header (RFC 8999, section 5.1).
    pub quic: Option<u32>,
}

impl<'a> PayloadNames<'a> {
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
        let payload = &payload[..payload.len().min(MAX_LEN)];
        let mut names = Self::default();
        if payload.is_empty() {
            return names;
        }
        let is_dns = [summary.sport, summary.dport]
            .into_iter()
            .flatten()
            .any(|port| DNS_PORTS.contains(&port));
        match (summary.proto.static_name(), is_dns) {
            (Some("udp"), true) => names.dns = dns::question(payload, buf, observer),
            (Some("udp"), false) => names.quic = quic::version(payload, observer),
            // A message after its length (RFC 1035, section 4.2.2).
            (Some("tcp"), true) => {
                names.dns =
                    payload.get(2..).and_then(|message| dns::question(message, buf, observer));
            }
            (Some("tcp"), false) if tls::is_record(payload) => {
                observer.layer(payload, fields::tls);
                names.sni = tls::server_name(payload).map(|name| {
                    observer.text_field("sni", "Server name", name);
                    text(name, buf)
                });
            }
            (Some("tcp"), false) => {
                names.http_host = http::host(payload).map(|host| {
                    observer.layer(payload, fields::http);
                    observer.text_field("http_host", "Host", host);
                    text(host, buf)
                });
            }
            _ => {}
        }
        names
    }

    /// True if there are no names.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Bytes from the network as text; invalid UTF-8 becomes U+FFFD.
fn text<'a>(bytes: &'a [u8], buf: &'a mut String) -> Cow<'a, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    buf.clear();
    push_text(bytes, buf);
    Cow::Borrowed(buf)
}

fn push_text(bytes: &[u8], out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
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
        let PayloadNames { dns, sni, http_host, quic } =
            PayloadNames::parse(&decoded.summary, decoded.payload, &mut buf);
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        PayloadNames {
            dns: dns.map(|(name, kind)| (own(name), kind)),
            sni: sni.map(own),
            http_host: http_host.map(own),
            quic,
        }
    }

    const HELLO: &[u8] = b"\x16\x03\x01\0\x4a\x01\0\0\x46\x03\x0301234567890123456789012345678901\
        \0\0\x02\x13\x01\x01\0\0\x1b\0\x17\0\0\0\0\0\x13\0\x11\0\0\x0eserver.example";

    #[test]
    fn each_protocol_has_its_name() {
        let question = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03a.b\x04\xff\x80co\0\0\x41\0\x01";
        let dns = names(17, (5_000, 53), question).dns.unwrap();
        assert_eq!((&*dns.0, dns.1.to_string()), ("a\\.b.\u{fffd}\u{fffd}co", "HTTPS".to_owned()));
        let over_tcp = [&[0, 27], &question[..]].concat();
        assert_eq!(names(6, (53, 5_000), &over_tcp).dns, Some(dns));
        assert_eq!(names(6, (5_000, 443), HELLO).sni.as_deref(), Some("server.example"));
        let request = b"GET / HTTP/1.1\r\nAccept: */*\r\nhOST:\t host.example:80 \r\n\r\nHost: no";
        assert_eq!(names(6, (5_000, 80), request).http_host.as_deref(), Some("host.example:80"));
        let initial = b"\xc3\0\0\0\x01\x04abcd\0\0";
        assert_eq!(names(17, (5_000, 443), initial).quic, Some(1));
    }

    #[test]
    fn incomplete_messages_have_no_name() {
        let question = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x02ab\0\0\x01\0\x01";
        for len in 0..question.len() {
            assert!(names(17, (53, 53), &question[..len]).is_empty(), "{len}");
        }
        for len in 0..HELLO.len() {
            assert!(names(6, (5_000, 443), &HELLO[..len]).is_empty(), "{len}");
        }
        for text in [
            "GET / HTTP/1.1\r\nHost: host.exam",
            "GET / HTTP/1.1\r\nAccept: */*\r\n\r\nHost: no\r\n",
            "GET /\r\nHost: old\r\n\r\n",
            "lorem Host: ipsum\r\n",
        ] {
            assert!(names(6, (5_000, 80), text.as_bytes()).is_empty(), "{text}");
        }
        assert!(names(17, (5_000, 443), b"\xc3\x12\x34\x56\x78\x04abcd\0\0").is_empty());
    }

    proptest! {
        #[test]
        fn any_payload_is_accepted(payload: Vec<u8>, is_tcp: bool, port: u16, start in 0usize..4) {
            let start: &[u8] = [&b""[..], b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"\xc0"][start];
            let number = if is_tcp { 6 } else { 17 };
            names(number, (53, port), &[start, &payload].concat());
            names(number, (443, port), &[start, &payload].concat());
        }
    }
}
