//! Names that other programs use: Wireshark's fields, tcpdump's protocols, and common mistakes.

use super::literals::{flag, flag_names, network, shortened_network};
use super::{Expr, Field, Set};
use crate::service_names::service_port;
use summary::{Address, DnsCode, DnsType, Proto};

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
    /// Seconds, of which the field has microseconds.
    SecondsForMicroseconds,
}

/// Wireshark's fields that have the same meaning here, each before the name of the field. In text,
/// they take a tenth of the space of a table in the page.
const FIELDS: &str = "\
    ip.addr host ip.src src ip.dst dst ip.ttl ttl \
    ipv6.addr host ipv6.src src ipv6.dst dst ipv6.hlim ttl \
    tcp.port port tcp.srcport sport tcp.dstport dport tcp.flags flags tcp.len payload \
    tcp.seq_raw seq tcp.ack_raw ack tcp.window_size_value win \
    udp.port port udp.srcport sport udp.dstport dport \
    sctp.port port sctp.srcport sport sctp.dstport dport \
    tcp.analysis.retransmission rtx tcp.analysis.out_of_order ooo \
    tcp.analysis.duplicate_ack dup_ack tcp.analysis.zero_window zero_window \
    tcp.analysis.window_full window_full tcp.analysis.keep_alive keep_alive \
    eth.addr mac eth.src eth_src eth.dst eth_dst vlan.id vlan \
    icmp.type icmp_type icmp.code icmp_code icmpv6.type icmp_type icmpv6.code icmp_code \
    arp.opcode arp_op frame.len len frame.number n frame.interface_name if \
    frame.time_delta gap frame.time_epoch ts frame.time_relative ts \
    dns.qry.name dns dns.qry.type dns_type dns.flags.rcode dns_rcode dns.time dns_time_us \
    tls.handshake.extensions_server_name sni tls.handshake.extensions_alpn_str alpn \
    tls.handshake.ja4 ja4 http.host http_host http.request.method http_method \
    http.request.uri.path http_path http.response.code http_status quic.version quic \
    communityid community_id";

/// Names without an equal, each before what its users probably mean.
const CORRECTIONS: &str = "\
    tcp.seq=seq;tcp.ack=ack;tcp.window_size=win;ip.len=len;ip.proto=proto;frame.time=ts;\
    frame.cap_len=cap;frame.protocols=proto;time=ts;protocol=proto;length=len;size=len;bytes=len;\
    source=src;destination=dst;srcport=sport;src_port=sport;sourceport=sport;dstport=dport;\
    dst_port=dport;destport=dport;destinationport=dport;addr=host;address=host;ip.host=host;\
    ip.src_host=src;src_ip=src;srcip=src;ip.dst_host=dst;dst_ip=dst;dstip=dst;interface=if;\
    direction=dir;eth=mac;tcp.flags.str=flags;_ws.col.protocol=proto;\
    http.request=http_method;http.response=http_status;\
    broadcast=eth_dst == ff:ff:ff:ff:ff:ff;tls=port == https;ssl=port == https;\
    dhcp=port in {67, 68};http.request.uri=http_path;dns.a=dns_answers;dns.aaaa=dns_answers;dns.cname=dns_answers";

/// Protocols that Wireshark recognizes by content. As names of services they are ports.
const DISSECTED: &str =
    " ftp ssh telnet smtp tftp http kerberos ntp imap snmp bgp ldap mysql mqtt ";

/// The names in [`FIELDS`].
fn wireshark_fields() -> impl Iterator<Item = (&'static str, &'static str)> + Clone {
    FIELDS.split(' ').step_by(2).zip(FIELDS.split(' ').skip(1).step_by(2))
}

/// The names of Wireshark's fields that are accepted.
pub(super) fn wireshark_names() -> impl Iterator<Item = String> + Clone {
    let flags = flag_names().map(|name| format!("tcp.flags.{name}"));
    wireshark_fields().map(|(name, _)| name.to_owned()).chain(flags)
}

/// The field that Wireshark calls by this name, in lower case.
pub(super) fn wireshark_field(name: &str) -> Option<Named> {
    let (_, field) = wireshark_fields().find(|(known, _)| *known == name)?;
    let unit = match name {
        "frame.time_delta" | "frame.time_epoch" => Unit::Seconds,
        "frame.time_relative" => Unit::SecondsSinceFirst,
        "dns.time" => Unit::SecondsForMicroseconds,
        _ => Unit::Own,
    };
    let scope = Scope::of(name.split('.').next().unwrap_or_default());
    Some(Named { field: Field::parse(field)?, scope, unit })
}

/// The text that a field has for a number, where Wireshark shows the number.
pub(super) fn text_of_number(field: Field, number: i64) -> Option<String> {
    let code = u16::try_from(number).ok();
    match field.name().as_str() {
        "dns_rcode" => Some(DnsCode(code?).to_string()),
        "dns_type" => Some(DnsType(code?).to_string()),
        "quic" => Some(format!("{number:#010x}")),
        _ => None,
    }
}

/// The packets of a protocol, by its name in lower case in either program.
pub(super) fn protocol(name: &str) -> Option<Expr> {
    match Scope::of(name) {
        Scope::All => Proto::parse(name).is_named().then(|| proto_is(name)),
        scope => scope.expr(),
    }
}

/// The value of `proto` for a number of an IP protocol, or its name.
pub(super) fn ip_proto(word: &str) -> Option<Proto<'_>> {
    let proto = match word.parse() {
        Ok(number) => Proto::from_ip_number(number),
        Err(_) => Proto::parse(word),
    };
    proto.is_named().then_some(proto)
}

/// What a protocol's name before a comparison stands for: the address or port of its packets.
pub(super) fn compared(protocol: &str) -> Option<&'static str> {
    Some(match protocol {
        "ip" => "ip.addr",
        "ip6" | "ipv6" => "ipv6.addr",
        "tcp" => "tcp.port",
        "udp" => "udp.port",
        _ => return None,
    })
}

/// Whether a word looks like the name of a host, such as `example.com`.
pub(super) fn is_host_name(word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    word.contains('.')
        && word.ends_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(is_part)
}

/// The packets in which a name of a host was found, as text.
pub(super) fn any_name(name: &str) -> String {
    format!("(dns == {name} or sni == {name} or http_host == {name})")
}

/// Whether two names begin with the same protocol.
fn is_same_protocol(name: &str, other: &str) -> bool {
    name.split('.').next() == other.split('.').next()
}

/// Whether Wireshark recognizes packets of this service by their content, not by their port.
pub(super) fn is_dissected(name: &str) -> bool {
    DISSECTED.contains(&format!(" {name} "))
}

/// The name or text that is closest to a misspelled word in lower case.
pub(super) fn correction(word: &str) -> Option<String> {
    let mut corrections = CORRECTIONS.split(';').filter_map(|one| one.split_once('='));
    if let Some((_, text)) = corrections.find(|(known, _)| *known == word) {
        return Some(text.to_owned());
    }
    if is_dissected(word) && service_port(word).is_some() {
        return Some(format!("port == {word}"));
    }
    if flag(word).is_some() {
        return Some(format!("flags has {word}"));
    }
    if let Some(network) = shortened_network(word) {
        return Some(network);
    }
    if let Some((address, port)) = word.split_once(':')
        && let Some((Address::V4(_), _)) = network(address)
        && port.parse::<u16>().is_ok()
    {
        return Some(format!("(host == {address} and port == {port})"));
    }
    let own = Field::all().map(Field::name);
    let names = wireshark_names();
    if is_host_name(word) && !names.clone().any(|name| is_same_protocol(&name, word)) {
        return Some(any_name(word));
    }
    let words = "tcp udp icmp arp and or not".split(' ').map(str::to_owned);
    closest(word, own.chain(names).chain(words))
}

/// The candidate that differs from a word by the fewest typing mistakes, if they are few.
pub fn closest(word: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let word = word.to_ascii_lowercase();
    let mistakes = |candidate: &str| strsim::osa_distance(&word, &candidate.to_ascii_lowercase());
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
    /// The packets of a protocol of either program, as far as its fields or primitives need it.
    pub(super) fn of(protocol: &str) -> Self {
        match protocol {
            "ip" => Self::V4,
            "ip6" | "ipv6" => Self::V6,
            "icmpv6" => Self::Proto("icmp6"),
            "tcp" => Self::Proto("tcp"),
            "udp" => Self::Proto("udp"),
            "sctp" => Self::Proto("sctp"),
            "icmp" => Self::Proto("icmp"),
            "arp" => Self::Proto("arp"),
            _ => Self::All,
        }
    }

    /// The packets of the scope; `None` if it is unlimited.
    fn expr(self) -> Option<Expr> {
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
