//! The line reader: a fast path for the lines that our writer makes, serde for all others.

use super::json::{flag_bits, quic_version};
use crate::address::parse_mac;
use crate::{
    Address, CommunityId, Direction, Faults, Gso, GsoKind, LinkType, Names, Packet, Proto,
    RecordType, Summary, Tcp, Timestamp, record,
};
use memchr::memchr;
use serde::Deserialize;
use std::borrow::Cow;

/// One record of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// `meta`, `stats`, `event` or `end`.
    Other(record::Record),
    /// A record whose `type` this version does not know: to be ignored.
    Unknown,
}

/// Why a line is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not what a field of this name has to be.
    #[error("{reason} at column {column}")]
    Json {
        /// What is wrong.
        reason: String,
        /// Bytes into the line where it showed, from 1.
        column: usize,
    },
    /// JSON, but not an object with a `type`.
    #[error("no record: an object with a `type` was expected")]
    NoType,
}

/// Reads one line, with or without its line feed.
///
/// # Errors
///
/// Where the line is no JSON object with a `type`, or a field of a known type has a wrong value.
pub fn read(line: &[u8]) -> Result<Record<'_>, ReadError> {
    match fast(line) {
        Some(packet) => Ok(Record::Packet(packet)),
        None => slow(line),
    }
}

/// Reads the line of a packet as [`Writer`](super::Writer) makes it: keys in its order, no spaces, no
/// escapes. `None` for any other line, which [`read`] may know.
pub fn read_own_packet(line: &[u8]) -> Option<Packet<'_>> {
    fast(line)
}

/// What a record is, by its `type`.
enum Kind {
    Packet,
    Other,
    Unknown,
}

fn kind(line: &[u8]) -> Result<Kind, ReadError> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: Option<Cow<'a, str>>,
    }
    let typed: Typed<'_> = serde_json::from_slice(line).map_err(|error| {
        if error.is_data() { ReadError::NoType } else { ReadError::from(error) }
    })?;
    match typed.kind.as_deref() {
        Some("pkt") => Ok(Kind::Packet),
        Some("meta" | "stats" | "event" | "end") => Ok(Kind::Other),
        Some(_) => Ok(Kind::Unknown),
        None => Err(ReadError::NoType),
    }
}

/// Any valid line, in any key order, through serde.
pub(super) fn slow(line: &[u8]) -> Result<Record<'_>, ReadError> {
    Ok(match kind(line)? {
        Kind::Packet => Record::Packet(serde_json::from_slice(line)?),
        Kind::Other => Record::Other(serde_json::from_slice(line)?),
        Kind::Unknown => Record::Unknown,
    })
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        Self::Json { reason: reason.to_owned(), column: error.column() }
    }
}

/// The line of a packet with its keys in the writer's order, without spaces and escapes;
/// `None` where it is anything else.
pub(super) fn fast(line: &[u8]) -> Option<Packet<'_>> {
    let mut rest = Rest(line.strip_suffix(b"\n").unwrap_or(line));
    rest.expect(br#"{"type":"pkt","n":"#)?;
    let n = rest.int()?;
    rest.expect(br#","ts":"#)?;
    let ts = Timestamp::parse(rest.string()?.as_bytes())?;
    let interface = rest.text(br#","if":"#, Some)?.map(Into::into);
    let direction = rest.text(br#","dir":"#, Direction::parse)?;
    rest.expect(br#","len":"#)?;
    let len = u32::try_from(rest.int()?).ok()?;
    let cap = rest.number(br#","cap":"#)?.unwrap_or(len).min(len);
    let segment_len = rest.number(br#","gso":"#)?;
    let kind = rest.text(br#","gso_type":"#, GsoKind::parse)?;
    let gso = segment_len.zip(kind).map(|(segment_len, kind)| Gso { segment_len, kind });
    let link = rest.text(br#","link":"#, LinkType::parse)?.unwrap_or(LinkType::ETHERNET);
    let mut summary = Summary::new(link, cap, len);
    let mac = |text: &str| parse_mac(text.as_bytes());
    let eth_src = rest.text(br#","eth_src":"#, mac)?;
    summary.eth = eth_src.zip(rest.text(br#","eth_dst":"#, mac)?);
    if rest.expect(br#","vlan":["#).is_some() {
        loop {
            if !summary.vlan.push(u16::try_from(rest.int()?).ok()?) {
                return None;
            }
            if rest.expect(b"]").is_some() {
                break;
            }
            rest.expect(b",")?;
        }
    }
    let address = |text: &str| Address::parse(text.as_bytes());
    summary.src = rest.text(br#","src":"#, address)?;
    summary.dst = rest.text(br#","dst":"#, address)?;
    summary.sport = rest.number(br#","sport":"#)?;
    summary.dport = rest.number(br#","dport":"#)?;
    rest.expect(br#","proto":"#)?;
    summary.proto = Proto::parse(rest.string()?);
    summary.ttl = rest.number(br#","ttl":"#)?;
    summary.frag = rest.number(br#","frag":"#)?;
    summary.tcp = Tcp {
        flags: rest.text(br#","flags":"#, |text| flag_bits(text.as_bytes()))?,
        seq: rest.number(br#","seq":"#)?,
        ack: rest.number(br#","ack":"#)?,
        win: rest.number(br#","win":"#)?,
    };
    summary.payload = rest.number(br#","payload":"#)?;
    summary.icmp_type = rest.number(br#","icmp_type":"#)?;
    summary.icmp_code = rest.number(br#","icmp_code":"#)?;
    summary.arp_op = rest.number(br#","arp_op":"#)?;
    let dns = rest.text(br#","dns":"#, Some)?.map(Cow::Borrowed);
    let dns_type = rest.text(br#","dns_type":"#, RecordType::parse)?;
    let names = Names {
        dns: dns.zip(dns_type),
        sni: rest.text(br#","sni":"#, Some)?.map(Cow::Borrowed),
        host: rest.text(br#","host":"#, Some)?.map(Cow::Borrowed),
        quic: rest.text(br#","quic":"#, quic_version)?,
    };
    let community_id = rest.text(br#","community_id":"#, CommunityId::parse)?;
    if rest.expect(br#","err":["#).is_some() {
        loop {
            summary.faults.insert(Faults::parse(rest.string()?)?);
            if rest.expect(b"]").is_some() {
                break;
            }
            rest.expect(b",")?;
        }
    }
    rest.expect(b"}")?;
    rest.0.is_empty().then_some(Packet {
        n,
        ts,
        interface,
        direction,
        gso,
        summary,
        names,
        community_id,
    })
}

/// What is left of the line; it only shrinks. Each step is `None` where the bytes are not what
/// the writer would have put there.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn expect(&mut self, bytes: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(bytes)?;
        Some(())
    }

    /// An unsigned integer as JSON writes it: no sign, no leading zero.
    fn int(&mut self) -> Option<u64> {
        let mut value = 0u64;
        let mut len = 0;
        while let Some(digit) = self.0.get(len).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
        {
            value = value.checked_mul(10)?.checked_add(u64::from(digit))?;
            len += 1;
        }
        if len == 0 || (len > 1 && self.0[0] == b'0') {
            return None;
        }
        self.0 = &self.0[len..];
        Some(value)
    }

    /// A string without escapes, in ASCII.
    fn string(&mut self) -> Option<&'a str> {
        let rest = self.0.strip_prefix(b"\"")?;
        let end = memchr(b'"', rest)?;
        let text = &rest[..end];
        // All bytes are looked at, which goes many at a time.
        let is_odd = |byte: u8| !(b' '..0x80).contains(&byte) || byte == b'\\';
        if text.iter().fold(false, |odd, &byte| odd | is_odd(byte)) {
            return None;
        }
        self.0 = &rest[end + 1..];
        std::str::from_utf8(text).ok()
    }

    /// The number behind `key`, where the key comes next.
    fn number<T: TryFrom<u64>>(&mut self, key: &[u8]) -> Option<Option<T>> {
        if self.expect(key).is_none() {
            return Some(None);
        }
        T::try_from(self.int()?).ok().map(Some)
    }

    /// What `parse` makes of the string behind `key`, where the key comes next.
    fn text<T>(&mut self, key: &[u8], parse: impl Fn(&'a str) -> Option<T>) -> Option<Option<T>> {
        if self.expect(key).is_none() {
            return Some(None);
        }
        parse(self.string()?).map(Some)
    }
}
