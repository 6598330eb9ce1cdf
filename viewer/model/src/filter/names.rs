//! Names that other programs use: Wireshark's fields, tcpdump's protocols, and common mistakes.

use super::{Expr, ExtraField, Field, Set};
use crate::axis::Quantity;
use crate::service_names::service_port;
use summary::{Address, Proto};

/// A field by the name of another program.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    pub(super) field: Field,
    pub(super) scope: Scope,
    pub(super) unit: Unit,
}

/// The packets that a name of another program refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    /// IPv4, without ARP, whose packets also have IPv4 addresses here.
    V4,
    V6,
    /// One protocol.
    Proto(&'static str),
}

/// How numbers of a field are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// As in the field's own notation.
    Own,
    /// Seconds, or seconds since the epoch.
    Seconds,
    /// Seconds since the first packet.
    SecondsSinceFirst,
}

/// Wireshark's fields that have the same meaning here.
const FIELDS: [(&str, Field, Scope); 41] = {
    use Scope::{All, V4, V6};
    const TCP: Scope = Scope::Proto("tcp");
    const UDP: Scope = Scope::Proto("udp");
    const SPORT: Field = Field::Quantity(Quantity::SourcePort);
    const DPORT: Field = Field::Quantity(Quantity::DestinationPort);
    const TTL: Field = Field::Quantity(Quantity::Ttl);
    const GAP: Field = Field::Quantity(Quantity::Gap);
    const TIME: Field = Field::Quantity(Quantity::Time);
    const fn extra(field: ExtraField) -> Field {
        Field::Extra(field)
    }
    [
        ("ip.addr", Field::Host, V4),
        ("ip.src", Field::Src, V4),
        ("ip.dst", Field::Dst, V4),
        ("ip.ttl", TTL, V4),
        ("ipv6.addr", Field::Host, V6),
        ("ipv6.src", Field::Src, V6),
        ("ipv6.dst", Field::Dst, V6),
        ("ipv6.hlim", TTL, V6),
        ("tcp.port", Field::Port, TCP),
        ("tcp.srcport", SPORT, TCP),
        ("tcp.dstport", DPORT, TCP),
        ("tcp.flags", Field::Flags, All),
        ("tcp.len", extra(ExtraField::Payload), TCP),
        ("tcp.seq_raw", extra(ExtraField::Seq), All),
        ("tcp.ack_raw", extra(ExtraField::Ack), All),
        ("tcp.window_size_value", extra(ExtraField::Win), All),
        ("udp.port", Field::Port, UDP),
        ("udp.srcport", SPORT, UDP),
        ("udp.dstport", DPORT, UDP),
        ("sctp.port", Field::Port, Scope::Proto("sctp")),
        ("sctp.srcport", SPORT, Scope::Proto("sctp")),
        ("sctp.dstport", DPORT, Scope::Proto("sctp")),
        ("eth.addr", Field::Mac, All),
        ("eth.src", extra(ExtraField::EthSrc), All),
        ("eth.dst", extra(ExtraField::EthDst), All),
        ("vlan.id", Field::Vlan, All),
        ("icmp.type", extra(ExtraField::IcmpType), Scope::Proto("icmp")),
        ("icmp.code", extra(ExtraField::IcmpCode), Scope::Proto("icmp")),
        ("icmpv6.type", extra(ExtraField::IcmpType), Scope::Proto("icmp6")),
        ("icmpv6.code", extra(ExtraField::IcmpCode), Scope::Proto("icmp6")),
        ("arp.opcode", extra(ExtraField::ArpOp), Scope::Proto("arp")),
        ("frame.len", Field::Quantity(Quantity::Size), All),
        ("frame.number", Field::Quantity(Quantity::Number), All),
        ("frame.interface_name", Field::Interface, All),
        ("dns.qry.name", extra(ExtraField::Dns), All),
        ("tls.handshake.extensions_server_name", extra(ExtraField::Sni), All),
        ("http.host", extra(ExtraField::HttpHost), All),
        ("communityid", extra(ExtraField::CommunityId), All),
        ("frame.time_delta", GAP, All),
        ("frame.time_epoch", TIME, All),
        ("frame.time_relative", TIME, All),
    ]
};

/// Names without an equal, and what their users probably mean.
const CORRECTIONS: [(&str, &str); 13] = [
    ("tcp.seq", "seq"),
    ("tcp.ack", "ack"),
    ("tcp.window_size", "win"),
    ("udp.length", "payload"),
    ("ip.len", "len"),
    ("ip.proto", "proto"),
    ("frame.time", "ts"),
    ("frame.cap_len", "cap"),
    ("frame.protocols", "proto"),
    ("tls", "port == https"),
    ("ssl", "port == https"),
    ("dhcp", "port in {67, 68}"),
    ("quic", "proto == udp and port == https"),
];

/// Protocols that Wireshark recognizes by content. As names of services they are ports.
const DISSECTED: [&str; 14] = [
    "ftp", "ssh", "telnet", "smtp", "tftp", "http", "kerberos", "ntp", "imap", "snmp", "bgp",
    "ldap", "mysql", "mqtt",
];

/// The field that Wireshark calls by this name, in lower case.
pub(super) fn wireshark_field(name: &str) -> Option<Named> {
    let (_, field, scope) = *FIELDS.iter().find(|(known, ..)| *known == name)?;
    let unit = match name {
        "frame.time_delta" | "frame.time_epoch" => Unit::Seconds,
        "frame.time_relative" => Unit::SecondsSinceFirst,
        _ => Unit::Own,
    };
    Some(Named { field, scope, unit })
}

/// The packets of a protocol, by its name in lower case in either program.
pub(super) fn protocol(name: &str) -> Option<Expr> {
    let name = match name {
        "ip" => return Scope::V4.expr(),
        "ip6" | "ipv6" => return Scope::V6.expr(),
        "icmpv6" => "icmp6",
        name => name,
    };
    Proto::parse(name).is_named().then(|| proto_is(name))
}

/// Whether Wireshark recognizes packets of this service by their content, not by their port.
pub(super) fn is_dissected(name: &str) -> bool {
    DISSECTED.contains(&name)
}

/// The name or text that is closest to a misspelled word in lower case.
pub(super) fn correction(word: &str) -> Option<String> {
    if let Some((_, text)) = CORRECTIONS.iter().find(|(known, _)| *known == word) {
        return Some((*text).to_owned());
    }
    if is_dissected(word) && service_port(word).is_some() {
        return Some(format!("port == {word}"));
    }
    let own = Field::all().map(Field::name);
    let names = FIELDS.iter().map(|(name, ..)| (*name).to_owned());
    let protocols = ["tcp", "udp", "icmp", "arp", "and", "or", "not"].map(str::to_owned);
    closest(word, own.chain(names).chain(protocols))
}

/// The candidate that differs from a word by the fewest typing mistakes, if they are few.
pub(super) fn closest(word: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let mistakes = |candidate: &str| {
        strsim::osa_distance(&word.to_ascii_lowercase(), &candidate.to_ascii_lowercase())
    };
    let (_, closest) = candidates
        .map(|candidate| (mistakes(&candidate), candidate))
        .filter(|(mistakes, _)| *mistakes <= (word.len() / 3).min(2))
        .min_by_key(|(mistakes, _)| *mistakes)?;
    Some(closest)
}

fn proto_is(name: &str) -> Expr {
    Expr::In(Field::Proto, Set::Texts(vec![name.to_owned()]))
}

impl Scope {
    /// The packets of the scope; `None` if it is unlimited.
    pub(super) fn expr(self) -> Option<Expr> {
        let any = |first, last| Expr::In(Field::Host, Set::Addresses(vec![(first, last)]));
        match self {
            Self::All => None,
            Self::V4 => {
                let v4 = any(Address::V4([0; 4]), Address::V4([255; 4]));
                let arp = Set::Texts(vec!["arp".to_owned()]);
                Some(v4.and(Expr::NotIn(Field::Proto, arp)))
            }
            Self::V6 => Some(any(Address::V6([0; 16]), Address::V6([255; 16]))),
            Self::Proto(name) => Some(proto_is(name)),
        }
    }

    /// The packets of the scope that match an expression.
    pub(super) fn limit(self, expr: Expr) -> Expr {
        match self.expr() {
            Some(scope) => scope.and(expr),
            None => expr,
        }
    }
}
