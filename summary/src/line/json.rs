//! The definition of a packet line for serde. Property tests compare the fast writer and parser with
//! it, and it parses valid lines that the fast parser does not accept.

use crate::address::{parse_ip, parse_mac};
use crate::{
    Address, CommunityId, Direction, DnsCode, DnsType, Faults, Gso, GsoKind, IcmpQuote, Ja4,
    LinkType, Mac, Packet, PayloadNames, Proto, ProtoNumber, Summary, Tcp, TimeUnit, Timestamp,
    TunnelPath, VlanIds,
};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde::{Deserialize, de};
use std::borrow::Cow;
use std::fmt::Display;
use std::net::IpAddr;

impl Serialize for Packet<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let summary = &self.summary;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", "pkt")?;
        map.serialize_entry("n", &self.n)?;
        map.serialize_entry("ts", &self.ts)?;
        optional(&mut map, "if", self.interface.as_deref())?;
        optional(&mut map, "dir", self.direction.map(Direction::name))?;
        map.serialize_entry("len", &summary.len)?;
        optional(&mut map, "cap", (summary.cap < summary.len).then_some(summary.cap))?;
        optional(&mut map, "gso", self.gso.map(|gso| gso.segment_len))?;
        optional(&mut map, "gso_type", self.gso.map(|gso| gso.kind.name()))?;
        let link = (summary.link != LinkType::ETHERNET).then(|| summary.link.to_string());
        optional(&mut map, "link", link)?;
        let text = |mac| Address::Mac(mac).to_string();
        optional(&mut map, "eth_src", summary.eth_src.map(text))?;
        optional(&mut map, "eth_dst", summary.eth_dst.map(text))?;
        let vlan = summary.vlan.as_slice();
        optional(&mut map, "vlan", (!vlan.is_empty()).then_some(vlan))?;
        let tunnel = (!summary.tunnel.is_empty()).then(|| summary.tunnel.to_string());
        optional(&mut map, "tunnel", tunnel)?;
        let text = |address| Address::from(address).to_string();
        // Only tunnels have outer addresses.
        if !summary.tunnel.is_empty() {
            optional(&mut map, "outer_src", summary.outer_src.map(text))?;
            optional(&mut map, "outer_dst", summary.outer_dst.map(text))?;
        }
        optional(&mut map, "src", summary.src.map(|address| Address::from(address).to_string()))?;
        optional(&mut map, "dst", summary.dst.map(|address| Address::from(address).to_string()))?;
        optional(&mut map, "sport", summary.sport)?;
        optional(&mut map, "dport", summary.dport)?;
        map.serialize_entry("proto", summary.proto.name())?;
        if let Some(number) = summary.proto.number() {
            map.serialize_entry(number.field(), &number.value())?;
        }
        optional(&mut map, "ttl", summary.ttl)?;
        optional(&mut map, "frag", summary.frag)?;
        optional(&mut map, "flags", summary.tcp.flags.map(Tcp::flag_letters))?;
        optional(&mut map, "seq", summary.tcp.seq)?;
        optional(&mut map, "ack", summary.tcp.ack)?;
        optional(&mut map, "win", summary.tcp.win)?;
        optional(&mut map, "payload", summary.payload)?;
        optional(&mut map, "icmp_type", summary.icmp_type)?;
        optional(&mut map, "icmp_code", summary.icmp_code)?;
        let quote = &summary.icmp_quote;
        optional(
            &mut map,
            "icmp_src",
            quote.src.map(|address| Address::from(address).to_string()),
        )?;
        optional(
            &mut map,
            "icmp_dst",
            quote.dst.map(|address| Address::from(address).to_string()),
        )?;
        optional(&mut map, "icmp_proto", quote.proto_name())?;
        optional(&mut map, "icmp_sport", quote.sport)?;
        optional(&mut map, "icmp_dport", quote.dport)?;
        optional(&mut map, "arp_op", summary.arp_op)?;
        let names = &self.names;
        optional(&mut map, "dns", names.dns.as_ref().map(|(name, _)| name))?;
        optional(&mut map, "dns_type", names.dns.as_ref().map(|(_, kind)| kind.to_string()))?;
        optional(&mut map, "dns_rcode", names.dns_rcode.map(|code| code.to_string()))?;
        let answers = &names.dns_answers;
        optional(&mut map, "dns_answers", (!answers.is_empty()).then_some(answers))?;
        optional(&mut map, "dns_time_us", names.dns_time_us)?;
        optional(&mut map, "sni", names.sni.as_ref())?;
        optional(&mut map, "alpn", (!names.alpn.is_empty()).then_some(&names.alpn))?;
        optional(&mut map, "ech", names.ech.then_some(true))?;
        optional(&mut map, "ja4", names.ja4.as_ref().map(Ja4::as_str))?;
        optional(&mut map, "http_method", names.http_method.as_ref())?;
        optional(&mut map, "http_host", names.http_host.as_ref())?;
        optional(&mut map, "http_path", names.http_path.as_ref())?;
        optional(&mut map, "http_status", names.http_status)?;
        optional(&mut map, "quic", names.quic.map(|version| format!("{version:#010x}")))?;
        optional(&mut map, "community_id", self.community_id.map(|id| id.to_string()))?;
        let faults: Vec<_> = summary.faults.names().collect();
        optional(&mut map, "err", (!faults.is_empty()).then_some(faults))?;
        map.end()
    }
}

fn optional<M: SerializeMap>(
    map: &mut M,
    key: &'static str,
    value: Option<impl Serialize>,
) -> Result<(), M::Error> {
    value.map_or(Ok(()), |value| map.serialize_entry(key, &value))
}

/// The fields of a `pkt` line. Unknown fields are ignored.
#[derive(Deserialize)]
struct Fields<'a> {
    n: u64,
    ts: Option<Timestamp>,
    ts_ns: Option<i64>,
    ts_us: Option<i64>,
    ts_ms: Option<i64>,
    #[serde(borrow, rename = "if")]
    interface: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dir: Option<Cow<'a, str>>,
    len: u32,
    cap: Option<u32>,
    gso: Option<u16>,
    #[serde(borrow)]
    gso_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    link: Option<Cow<'a, str>>,
    #[serde(borrow)]
    eth_src: Option<Cow<'a, str>>,
    #[serde(borrow)]
    eth_dst: Option<Cow<'a, str>>,
    vlan: Option<Vec<u16>>,
    #[serde(borrow)]
    tunnel: Option<Cow<'a, str>>,
    #[serde(borrow)]
    outer_src: Option<Cow<'a, str>>,
    #[serde(borrow)]
    outer_dst: Option<Cow<'a, str>>,
    #[serde(borrow)]
    src: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dst: Option<Cow<'a, str>>,
    sport: Option<u16>,
    dport: Option<u16>,
    #[serde(borrow)]
    proto: Cow<'a, str>,
    ethertype: Option<u16>,
    ip_proto: Option<u8>,
    linktype: Option<u16>,
    ttl: Option<u8>,
    frag: Option<u16>,
    #[serde(borrow)]
    flags: Option<Cow<'a, str>>,
    seq: Option<u32>,
    ack: Option<u32>,
    win: Option<u16>,
    payload: Option<u32>,
    icmp_type: Option<u8>,
    icmp_code: Option<u8>,
    #[serde(borrow)]
    icmp_src: Option<Cow<'a, str>>,
    #[serde(borrow)]
    icmp_dst: Option<Cow<'a, str>>,
    #[serde(borrow)]
    icmp_proto: Option<Cow<'a, str>>,
    icmp_sport: Option<u16>,
    icmp_dport: Option<u16>,
    arp_op: Option<u16>,
    #[serde(borrow)]
    dns: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dns_type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dns_rcode: Option<Cow<'a, str>>,
    #[serde(borrow)]
    dns_answers: Option<Vec<Cow<'a, str>>>,
    dns_time_us: Option<u64>,
    #[serde(borrow)]
    sni: Option<Cow<'a, str>>,
    #[serde(borrow)]
    alpn: Option<Vec<Cow<'a, str>>>,
    ech: Option<bool>,
    #[serde(borrow)]
    ja4: Option<Cow<'a, str>>,
    #[serde(borrow)]
    http_method: Option<Cow<'a, str>>,
    /// Lines of before have the name `host`.
    #[serde(borrow, alias = "host")]
    http_host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    http_path: Option<Cow<'a, str>>,
    http_status: Option<u16>,
    #[serde(borrow)]
    quic: Option<Cow<'a, str>>,
    #[serde(borrow)]
    community_id: Option<Cow<'a, str>>,
    err: Option<Vec<String>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Packet<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        let ts = match (fields.ts, fields.ts_ns, fields.ts_us, fields.ts_ms) {
            (Some(ts), ..) => Some(ts),
            (None, Some(number), ..) => TimeUnit::Ns.time(number),
            (None, None, Some(number), _) => TimeUnit::Us.time(number),
            (None, None, None, Some(number)) => TimeUnit::Ms.time(number),
            (None, None, None, None) => return Err(de::Error::missing_field("ts")),
        };
        let ts = ts.ok_or_else(|| de::Error::custom("the time is out of range"))?;
        let mut vlan = VlanIds::default();
        for id in fields.vlan.iter().flatten() {
            if !vlan.push(*id) {
                return Err(de::Error::custom("`vlan` has more than eight elements"));
            }
        }
        let mut faults = Faults::default();
        for name in fields.err.iter().flatten() {
            faults.insert(Faults::parse(name).ok_or_else(|| invalid("err", name))?);
        }
        let mac = |key, text: &Option<Cow<'_, str>>| {
            parse_opt(key, text, |text| parse_mac(text.as_bytes()))
        };
        let has_tunnel = fields.tunnel.is_some();
        let ip = |key, text: &Option<Cow<'_, str>>| {
            parse_opt(key, text, |text| parse_ip(text.as_bytes()))
        };
        let (src, old_eth_src) = endpoint("src", &fields.src)?;
        let (dst, old_eth_dst) = endpoint("dst", &fields.dst)?;
        let ethertype = fields.ethertype.map(ProtoNumber::EtherType);
        let number = ethertype
            .or_else(|| fields.ip_proto.map(ProtoNumber::Ip))
            .or_else(|| fields.linktype.map(ProtoNumber::LinkType));
        Ok(Packet {
            n: fields.n,
            ts,
            direction: parse_opt("dir", &fields.dir, Direction::parse)?,
            gso: fields
                .gso
                .zip(parse_opt("gso_type", &fields.gso_type, GsoKind::parse)?)
                .map(|(segment_len, kind)| Gso { segment_len, kind }),
            interface: fields.interface,
            summary: Summary {
                len: fields.len,
                cap: fields.cap.unwrap_or(fields.len).min(fields.len),
                link: parse_opt("link", &fields.link, LinkType::parse)?
                    .unwrap_or(LinkType::ETHERNET),
                eth_src: mac("eth_src", &fields.eth_src)?.or(old_eth_src),
                eth_dst: mac("eth_dst", &fields.eth_dst)?.or(old_eth_dst),
                vlan,
                tunnel: parse_opt("tunnel", &fields.tunnel, TunnelPath::parse)?.unwrap_or_default(),
                outer_src: ip("outer_src", &fields.outer_src)?.filter(|_| has_tunnel),
                outer_dst: ip("outer_dst", &fields.outer_dst)?.filter(|_| has_tunnel),
                src,
                dst,
                sport: fields.sport,
                dport: fields.dport,
                proto: Proto::from_fields(fields.proto, number),
                ttl: fields.ttl,
                frag: fields.frag,
                tcp: Tcp {
                    flags: parse_opt("flags", &fields.flags, |text| flag_bits(text.as_bytes()))?,
                    seq: fields.seq,
                    ack: fields.ack,
                    win: fields.win,
                },
                payload: fields.payload,
                icmp_type: fields.icmp_type,
                icmp_code: fields.icmp_code,
                icmp_quote: IcmpQuote {
                    src: ip("icmp_src", &fields.icmp_src)?,
                    dst: ip("icmp_dst", &fields.icmp_dst)?,
                    proto: fields.icmp_proto.and_then(|name| Proto::parse(name).ip_number()),
                    sport: fields.icmp_sport,
                    dport: fields.icmp_dport,
                },
                arp_op: fields.arp_op,
                faults,
            },
            names: PayloadNames {
                dns: fields.dns.zip(parse_opt("dns_type", &fields.dns_type, DnsType::parse)?),
                dns_rcode: parse_opt("dns_rcode", &fields.dns_rcode, DnsCode::parse)?,
                dns_answers: fields.dns_answers.unwrap_or_default(),
                dns_time_us: fields.dns_time_us,
                sni: fields.sni,
                alpn: fields.alpn.unwrap_or_default(),
                ech: fields.ech.unwrap_or_default(),
                ja4: parse_opt("ja4", &fields.ja4, Ja4::parse)?,
                http_method: fields.http_method,
                http_host: fields.http_host,
                http_path: fields.http_path,
                http_status: fields.http_status,
                quic: parse_opt("quic", &fields.quic, quic_version)?,
            },
            community_id: parse_opt("community_id", &fields.community_id, CommunityId::parse)?,
        })
    }
}

/// The address in `src` or `dst`. Lines of before have MAC addresses there if the packet has no IP
/// addresses.
fn endpoint<E: de::Error>(
    key: &str,
    text: &Option<Cow<'_, str>>,
) -> Result<(Option<IpAddr>, Option<Mac>), E> {
    match text.as_deref().map(|text| (parse_mac(text.as_bytes()), text)) {
        Some((Some(mac), _)) => Ok((None, Some(mac))),
        _ => Ok((parse_opt(key, text, |text| parse_ip(text.as_bytes()))?, None)),
    }
}

/// Parses `0x` and eight lower-case hexadecimal digits.
pub(super) fn quic_version(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0x").filter(|digits| digits.len() == 8)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.bytes().all(is_digit).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

/// Parses letters of TCP control bits, which must be in order.
pub(super) fn flag_bits(text: &[u8]) -> Option<u8> {
    let mut flags = 0u8;
    for letter in text {
        let bit = Tcp::flag_bit(*letter)?;
        if bit <= flags {
            return None;
        }
        flags |= bit;
    }
    Some(flags)
}

fn parse_opt<T, E: de::Error>(
    key: &str,
    text: &Option<Cow<'_, str>>,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, E> {
    match text {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| invalid(key, text)),
    }
}

fn invalid<E: de::Error>(key: &str, text: impl Display) -> E {
    E::custom(format_args!("invalid value `{text}` of `{key}`"))
}
