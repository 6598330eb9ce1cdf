//! The line parser: a fast path for lines in the form that our writer uses, serde for all others.

use super::json::{flag_bits, quic_version};
use super::scan::{RawTime, scan};
use crate::address::{parse_ip, parse_mac};
use crate::{
    CommunityId, Direction, DnsCode, DnsType, Faults, Gso, GsoKind, IcmpQuote, Ja4, LinkType,
    Packet, PayloadNames, Proto, Summary, Tcp, Timestamp, TunnelPath, record, record_format,
};
use serde::Deserialize;
use std::borrow::Cow;

/// One line of the output.
#[expect(clippy::large_enum_variant, reason = "almost all lines are packets: a box would allocate")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A packet.
    Packet(Packet<'a>),
    /// `meta`, `stats`, `event` or `end`.
    Capture(record::CaptureRecord),
    /// A record with a `type` that this version does not know. Ignore it.
    Unknown,
}

/// Why a line is not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Invalid JSON, or an invalid value of a field.
    #[error("{reason} at column {column}")]
    Json {
        /// What is wrong.
        reason: String,
        /// Position in the line, in bytes from 1.
        column: usize,
    },
    /// JSON, but not an object with a `type`.
    #[error("expected a JSON object with a `type`")]
    NoType,
}

/// Parses one line, with or without its line feed.
///
/// # Errors
///
/// If the line is not a JSON object with a `type`, or a field of a known record has an invalid value.
pub fn parse(line: &[u8]) -> Result<Record<'_>, ParseError> {
    match parse_fast(line) {
        Some(packet) => Ok(Record::Packet(packet)),
        None => parse_serde(line),
    }
}

/// Parses the line of a packet. `None` for other records and for invalid lines.
///
/// ```
/// let line = br#"{"type":"pkt","n":7,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"stp"}"#;
/// assert_eq!(summary::line::parse_packet(line).map(|packet| packet.n), Some(7));
/// assert_eq!(summary::line::parse_packet(br#"{"type":"flow"}"#), None);
/// ```
pub fn parse_packet(line: &[u8]) -> Option<Packet<'_>> {
    parse_fast(line).or_else(|| match kind(line) {
        Ok(Kind::Packet) => serde_json::from_slice(line).ok(),
        _ => None,
    })
}

/// The kind of a record, from its `type`.
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

/// Parses any valid line, with fields in any order.
pub(super) fn parse_serde(line: &[u8]) -> Result<Record<'_>, ParseError> {
    Ok(match kind(line)? {
        Kind::Packet => Record::Packet(serde_json::from_slice(line)?),
        Kind::Capture => Record::Capture(serde_json::from_slice(line).or_else(|error| {
            // Times as numbers are rare, and so are these records.
            match record_format::with_text_times(line) {
                Some(line) => serde_json::from_slice(&line),
                None => Err(error),
            }
        })?),
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

/// Parses the line of a packet in the writer's form: its field order, no spaces, no escapes. `None` for
/// any other line.
pub(super) fn parse_fast(line: &[u8]) -> Option<Packet<'_>> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let (fields, len) = scan(line)?;
    if len < line.len() {
        return None;
    }
    let len = u32::try_from(fields.len).ok()?;
    let cap = number(fields.cap)?.unwrap_or(len).min(len);
    let link = parse_opt(fields.link, LinkType::parse)?.unwrap_or(LinkType::ETHERNET);
    let mac = |text: &str| parse_mac(text.as_bytes());
    // MAC addresses in `src` and `dst`, as in the former format, are left to serde.
    let address = |text: &str| parse_ip(text.as_bytes());
    let text = |value| parse_opt(value, Some);
    let mut summary = Summary::new(link, cap, len);
    summary.eth_src = parse_opt(fields.eth_src, mac)?;
    summary.eth_dst = parse_opt(fields.eth_dst, mac)?;
    summary.vlan = fields.vlan;
    summary.tunnel = parse_opt(fields.tunnel, TunnelPath::parse)?.unwrap_or_default();
    summary.outer_src = parse_opt(fields.outer_src, address)?;
    summary.outer_dst = parse_opt(fields.outer_dst, address)?;
    summary.src = parse_opt(fields.src, address)?;
    summary.dst = parse_opt(fields.dst, address)?;
    (summary.sport, summary.dport) = (number(fields.sport)?, number(fields.dport)?);
    summary.proto = Proto::from_fields(str::from_utf8(fields.proto).ok()?, fields.proto_number);
    (summary.ttl, summary.frag) = (number(fields.ttl)?, number(fields.frag)?);
    summary.tcp = Tcp {
        flags: parse_opt(fields.flags, |text| flag_bits(text.as_bytes()))?,
        seq: number(fields.seq)?,
        ack: number(fields.ack)?,
        win: number(fields.win)?,
    };
    summary.payload = number(fields.payload)?;
    (summary.icmp_type, summary.icmp_code) = (number(fields.icmp_type)?, number(fields.icmp_code)?);
    summary.icmp_quote = IcmpQuote {
        src: parse_opt(fields.icmp_src, address)?,
        dst: parse_opt(fields.icmp_dst, address)?,
        proto: text(fields.icmp_proto)?.and_then(|name| Proto::parse(name).ip_number()),
        sport: number(fields.icmp_sport)?,
        dport: number(fields.icmp_dport)?,
    };
    summary.arp_op = number(fields.arp_op)?;
    for name in text(fields.err)?.into_iter().flat_map(|names| names.split(',')) {
        summary.faults.insert(Faults::parse(name.trim_matches('"'))?);
    }
    let dns = text(fields.dns)?.map(Cow::Borrowed);
    let gso = number(fields.gso)?.zip(parse_opt(fields.gso_type, GsoKind::parse)?);
    Some(Packet {
        n: fields.n,
        ts: match fields.ts {
            RawTime::Text(text) => Timestamp::parse(text)?,
            RawTime::Number(time) => time,
        },
        interface: text(fields.interface)?.map(Cow::Borrowed),
        direction: parse_opt(fields.direction, Direction::parse)?,
        gso: gso.map(|(segment_len, kind)| Gso { segment_len, kind }),
        summary,
        names: PayloadNames {
            dns: dns.zip(parse_opt(fields.dns_type, DnsType::parse)?),
            dns_rcode: parse_opt(fields.dns_rcode, DnsCode::parse)?,
            dns_answers: strings(fields.dns_answers)?,
            dns_time_us: fields.dns_time_us,
            sni: text(fields.sni)?.map(Cow::Borrowed),
            alpn: strings(fields.alpn)?,
            ech: fields.ech,
            ja4: parse_opt(fields.ja4, Ja4::parse)?,
            http_method: text(fields.http_method)?.map(Cow::Borrowed),
            http_host: text(fields.http_host)?.map(Cow::Borrowed),
            http_path: text(fields.http_path)?.map(Cow::Borrowed),
            http_status: number(fields.http_status)?,
            quic: parse_opt(fields.quic, quic_version)?,
        },
        community_id: parse_opt(fields.community_id, CommunityId::parse)?,
    })
}

/// Converts the number of a field; the outer `None` means that it is out of range.
fn number<T: TryFrom<u64>>(value: Option<u64>) -> Option<Option<T>> {
    value.map_or(Some(None), |number| T::try_from(number).ok().map(Some))
}

/// Parses the text of a field; the outer `None` means that it is invalid.
fn parse_opt<'a, T>(
    value: Option<&'a [u8]>,
    parse: impl Fn(&'a str) -> Option<T>,
) -> Option<Option<T>> {
    let Some(value) = value else { return Some(None) };
    parse(str::from_utf8(value).ok()?).map(Some)
}

/// The elements of a list of strings, which have no escapes.
fn strings(list: Option<&[u8]>) -> Option<Vec<Cow<'_, str>>> {
    let Some(list) = list else { return Some(Vec::new()) };
    let inner = str::from_utf8(list).ok()?.strip_prefix('"')?.strip_suffix('"')?;
    Some(inner.split("\",\"").map(Cow::Borrowed).collect())
}
