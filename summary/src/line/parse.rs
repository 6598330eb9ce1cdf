//! The line reader: a fast path for the lines that our writer makes, serde for all others.

use super::json::{flag_bits, quic_version};
use super::scan::scan;
use crate::address::parse_mac;
use crate::{
    Address, CommunityId, Direction, DnsType, Faults, Gso, GsoKind, LinkType, Packet, PayloadNames,
    Proto, Summary, Tcp, Timestamp, record,
};
use serde::Deserialize;
use std::borrow::Cow;

/// One record of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// `meta`, `stats`, `event` or `end`.
    Capture(record::CaptureRecord),
    /// A record whose `type` this version does not know: to be ignored.
    Unknown,
}

/// Why a line is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
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
pub fn parse(line: &[u8]) -> Result<Record<'_>, ParseError> {
    match fast(line) {
        Some(packet) => Ok(Record::Packet(packet)),
        None => slow(line),
    }
}

/// What a record is, by its `type`.
enum Kind {
    Packet,
    Capture,
    Unknown,
}

fn kind(line: &[u8]) -> Result<Kind, ParseError> {
    #[derive(Deserialize)]
    struct Typed<'a> {
        #[serde(borrow, rename = "type")]
        kind: Option<Cow<'a, str>>,
    }
    let typed: Typed<'_> = serde_json::from_slice(line).map_err(|error| {
        if error.is_data() { ParseError::NoType } else { ParseError::from(error) }
    })?;
    match typed.kind.as_deref() {
        Some("pkt") => Ok(Kind::Packet),
        Some("meta" | "stats" | "event" | "end") => Ok(Kind::Capture),
        Some(_) => Ok(Kind::Unknown),
        None => Err(ParseError::NoType),
    }
}

/// Any valid line, in any key order, through serde.
pub(super) fn slow(line: &[u8]) -> Result<Record<'_>, ParseError> {
    Ok(match kind(line)? {
        Kind::Packet => Record::Packet(serde_json::from_slice(line)?),
        Kind::Capture => Record::Capture(serde_json::from_slice(line)?),
        Kind::Unknown => Record::Unknown,
    })
}

impl From<serde_json::Error> for ParseError {
    fn from(error: serde_json::Error) -> Self {
        let text = error.to_string();
        let reason = text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason);
        Self::Json { reason: reason.to_owned(), column: error.column() }
    }
}

/// The line of a packet with its keys in the writer's order, without spaces and escapes;
/// `None` where it is anything else.
pub(super) fn fast(line: &[u8]) -> Option<Packet<'_>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (pieces, len) = scan(line)?;
    if len < line.len() {
        return None;
    }
    let len = u32::try_from(pieces.len).ok()?;
    let cap = number(pieces.cap)?.unwrap_or(len).min(len);
    let link = meant(pieces.link, LinkType::parse)?.unwrap_or(LinkType::ETHERNET);
    let mac = |text: &str| parse_mac(text.as_bytes());
    let address = |text: &str| Address::parse(text.as_bytes());
    let text = |piece| meant(piece, Some);
    let mut summary = Summary::new(link, cap, len);
    summary.eth = meant(pieces.eth_src, mac)?.zip(meant(pieces.eth_dst, mac)?);
    summary.vlan = pieces.vlan;
    summary.src = meant(pieces.src, address)?;
    summary.dst = meant(pieces.dst, address)?;
    (summary.sport, summary.dport) = (number(pieces.sport)?, number(pieces.dport)?);
    summary.proto = Proto::parse(str::from_utf8(pieces.proto).ok()?);
    (summary.ttl, summary.frag) = (number(pieces.ttl)?, number(pieces.frag)?);
    summary.tcp = Tcp {
        flags: meant(pieces.flags, |text| flag_bits(text.as_bytes()))?,
        seq: number(pieces.seq)?,
        ack: number(pieces.ack)?,
        win: number(pieces.win)?,
    };
    summary.payload = number(pieces.payload)?;
    (summary.icmp_type, summary.icmp_code) = (number(pieces.icmp_type)?, number(pieces.icmp_code)?);
    summary.arp_op = number(pieces.arp_op)?;
    for name in text(pieces.err)?.into_iter().flat_map(|names| names.split(',')) {
        summary.faults.insert(Faults::parse(name.trim_matches('"'))?);
    }
    let dns = text(pieces.dns)?.map(Cow::Borrowed);
    let gso = number(pieces.gso)?.zip(meant(pieces.gso_type, GsoKind::parse)?);
    Some(Packet {
        n: pieces.n,
        ts: Timestamp::parse(pieces.ts)?,
        interface: text(pieces.interface)?.map(Cow::Borrowed),
        direction: meant(pieces.direction, Direction::parse)?,
        gso: gso.map(|(segment_len, kind)| Gso { segment_len, kind }),
        summary,
        names: PayloadNames {
            dns: dns.zip(meant(pieces.dns_type, DnsType::parse)?),
            sni: text(pieces.sni)?.map(Cow::Borrowed),
            host: text(pieces.host)?.map(Cow::Borrowed),
            quic: meant(pieces.quic, quic_version)?,
        },
        community_id: meant(pieces.community_id, CommunityId::parse)?,
    })
}

/// The number of a piece; `None` where it is larger than its field.
fn number<T: TryFrom<u64>>(piece: Option<u64>) -> Option<Option<T>> {
    piece.map_or(Some(None), |number| T::try_from(number).ok().map(Some))
}

/// What the text of a piece means; `None` where it means nothing.
fn meant<'a, T>(
    piece: Option<&'a [u8]>,
    parse: impl Fn(&'a str) -> Option<T>,
) -> Option<Option<T>> {
    let Some(piece) = piece else { return Some(None) };
    parse(str::from_utf8(piece).ok()?).map(Some)
}
