//! Protocol names: IANA keywords of IP protocol numbers, and short names of EtherTypes.

use crate::LinkType;
use std::borrow::Cow;
use std::fmt;

/// The innermost protocol decoded.
///
/// In a line, a protocol without a name has `other` in the field `proto`, and its number in the field
/// [`ProtoNumber::field`]. `Display` writes such a protocol for people: `ip-proto-253` (IP protocol),
/// `0x8899` (EtherType), `linktype-147` (link type).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proto<'a>(Repr<'a>);

/// Each protocol has exactly one representation, so equal values have equal names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Repr<'a> {
    Named(&'static str),
    /// A number that is in none of the tables below.
    Number(ProtoNumber),
    /// A name from a line that is not in the tables below.
    Foreign(Cow<'a, str>),
}

/// The number of a protocol that has no name, by the registry that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtoNumber {
    /// An EtherType (IEEE 802.3), or in cooked captures a number below 1,536 of Linux' own
    /// (linux/if_ether.h).
    EtherType(u16),
    /// An IP protocol number or IPv6 next header.
    Ip(u8),
    /// A LINKTYPE_ number.
    LinkType(u16),
}

impl ProtoNumber {
    /// The name of the field with this number in a line.
    pub const fn field(self) -> &'static str {
        match self {
            Self::EtherType(_) => "ethertype",
            Self::Ip(_) => "ip_proto",
            Self::LinkType(_) => "linktype",
        }
    }

    /// The number itself.
    pub const fn value(self) -> u16 {
        match self {
            Self::EtherType(number) | Self::LinkType(number) => number,
            Self::Ip(number) => number as u16,
        }
    }

    /// The number in the fields of a line; the outer `None` means that one is out of range. If there are
    /// several, the first one counts.
    pub fn from_fields(
        ethertype: Option<u64>,
        ip_proto: Option<u64>,
        linktype: Option<u64>,
    ) -> Option<Option<Self>> {
        let ethertype = number(ethertype)?.map(Self::EtherType);
        let ip_proto = number(ip_proto)?.map(Self::Ip);
        let linktype = number(linktype)?.map(Self::LinkType);
        Some(ethertype.or(ip_proto).or(linktype))
    }
}

fn number<T: TryFrom<u64>>(value: Option<u64>) -> Option<Option<T>> {
    value.map_or(Some(None), |value| T::try_from(value).ok().map(Some))
}

impl<'a> Proto<'a> {
    /// TCP (RFC 9293).
    pub const TCP: Self = Self::named("tcp");
    /// UDP (RFC 768).
    pub const UDP: Self = Self::named("udp");
    /// ICMP for IPv4 (RFC 792).
    pub const ICMP: Self = Self::named("icmp");
    /// ICMP for IPv6 (RFC 4443).
    pub const ICMP6: Self = Self::named("icmp6");
    /// ARP (RFC 826).
    pub const ARP: Self = Self::named("arp");

    /// The value of `proto` for protocols without a name.
    pub const OTHER: &'static str = "other";

    /// A protocol by a name of the tables below.
    pub(crate) const fn named(name: &'static str) -> Self {
        Self(Repr::Named(name))
    }

    /// The protocol of an IP protocol number or IPv6 next header.
    pub fn from_ip_number(number: u8) -> Self {
        let name = match number {
            6 => Some("tcp"),
            17 => Some("udp"),
            _ => find_name(IP_NUMBER_NAMES, number),
        };
        Self::named_or(name, ProtoNumber::Ip(number))
    }

    /// The protocol of an EtherType (IEEE 802.3).
    pub fn from_ether_type(ether_type: u16) -> Self {
        let name = find_name(ETHER_TYPE_NAMES, ether_type);
        Self::named_or(name, ProtoNumber::EtherType(ether_type))
    }

    /// The protocol of a frame whose link type is not decoded.
    pub fn from_link_type(link: LinkType) -> Self {
        Self::named_or(link.name(), ProtoNumber::LinkType(link.0))
    }

    #[inline]
    fn named_or(name: Option<&'static str>, number: ProtoNumber) -> Self {
        Self(name.map_or(Repr::Number(number), Repr::Named))
    }

    /// The IP protocol number; `None` for other protocols.
    pub(crate) fn ip_number(&self) -> Option<u8> {
        match &self.0 {
            Repr::Named("tcp") => Some(6),
            Repr::Named("udp") => Some(17),
            Repr::Named("arp") => None,
            Repr::Named(name) => {
                let mut names = IP_NUMBER_NAMES.iter();
                names.find(|(_, known)| known == name).map(|&(number, _)| number)
            }
            Repr::Number(ProtoNumber::Ip(number)) => Some(*number),
            Repr::Number(_) | Repr::Foreign(_) => None,
        }
    }

    /// Parses the text of `Display`. Names that this crate never writes are kept unchanged.
    pub fn parse(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if let Some(name) = name_of_table(&text) {
            return Self(Repr::Named(name));
        }
        let canonical = text
            .strip_prefix("ip-proto-")
            .and_then(|number| number.parse().ok().map(ProtoNumber::Ip))
            .or_else(|| {
                let number = u16::from_str_radix(text.strip_prefix("0x")?, 16).ok()?;
                Some(ProtoNumber::EtherType(number))
            })
            .or_else(|| Some(ProtoNumber::LinkType(LinkType::parse(&text)?.0)))
            .map(Self::from);
        match canonical {
            Some(proto) if proto.to_string() == text => proto,
            _ => Self(Repr::Foreign(text)),
        }
    }

    /// The protocol of a line: the value of `proto`, and the number next to it, which counts if the name
    /// is [`Proto::OTHER`]. Lines of before have the text of `Display` in `proto`.
    pub fn from_fields(name: impl Into<Cow<'a, str>>, number: Option<ProtoNumber>) -> Self {
        let name = name.into();
        match number {
            Some(number) if name == Self::OTHER => Self::from(number),
            _ => Self::parse(name),
        }
    }

    /// The same protocol without a borrowed name.
    pub fn into_owned(self) -> Proto<'static> {
        Proto(match self.0 {
            Repr::Named(name) => Repr::Named(name),
            Repr::Number(number) => Repr::Number(number),
            Repr::Foreign(name) => Repr::Foreign(Cow::Owned(name.into_owned())),
        })
    }

    /// Whether the name comes from a table of this crate.
    pub fn is_named(&self) -> bool {
        self.static_name().is_some()
    }

    /// The name, if it comes from a table of this crate.
    pub(crate) fn static_name(&self) -> Option<&'static str> {
        match self.0 {
            Repr::Named(name) => Some(name),
            _ => None,
        }
    }

    /// The value of `proto`: the name, or [`Proto::OTHER`].
    #[inline]
    pub fn name(&self) -> &str {
        match &self.0 {
            Repr::Named(name) => name,
            Repr::Foreign(name) => name,
            Repr::Number(_) => Self::OTHER,
        }
    }

    /// The number of a protocol without a name.
    pub fn number(&self) -> Option<ProtoNumber> {
        match self.0 {
            Repr::Number(number) => Some(number),
            _ => None,
        }
    }
}

impl From<ProtoNumber> for Proto<'_> {
    fn from(number: ProtoNumber) -> Self {
        match number {
            ProtoNumber::EtherType(number) => Self::from_ether_type(number),
            ProtoNumber::Ip(number) => Self::from_ip_number(number),
            ProtoNumber::LinkType(number) => Self::from_link_type(LinkType(number)),
        }
    }
}

impl fmt::Display for Proto<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Named(name) => formatter.write_str(name),
            Repr::Foreign(name) => formatter.write_str(name),
            Repr::Number(ProtoNumber::Ip(number)) => write!(formatter, "ip-proto-{number}"),
            Repr::Number(ProtoNumber::EtherType(number)) => write!(formatter, "0x{number:04x}"),
            Repr::Number(ProtoNumber::LinkType(number)) => LinkType(*number).fmt(formatter),
        }
    }
}

/// Names that decoding assigns without a number: link layers and protocols over LLC.
const OTHER_NAMES: &[&str] = &["llc", "wlan", "stp", "is-is", "ipx", "cdp", "vtp", "slarp"];

fn name_of_table(text: &str) -> Option<&'static str> {
    match text {
        "tcp" => return Some("tcp"),
        "udp" => return Some("udp"),
        "icmp" => return Some("icmp"),
        "icmp6" => return Some("icmp6"),
        "arp" => return Some("arp"),
        _ => {}
    }
    (IP_NUMBER_NAMES.iter().map(|&(_, name)| name))
        .chain(ETHER_TYPE_NAMES.iter().map(|&(_, name)| name))
        .chain(OTHER_NAMES.iter().copied())
        .find(|name| *name == text)
        .or_else(|| LinkType::parse(text)?.name())
}

fn find_name<N: Ord + Copy>(names: &[(N, &'static str)], number: N) -> Option<&'static str> {
    let index = names.binary_search_by_key(&number, |&(number, _)| number).ok()?;
    Some(names[index].1)
}

/// IANA "Assigned Internet Protocol Numbers": keywords in lower case, sorted by number. A few are the
/// common short forms instead: `icmp6`, `ip-in-ip`, `ospf`, `udp-lite`.
const IP_NUMBER_NAMES: &[(u8, &str)] = &[
    (0, "hopopt"),
    (1, "icmp"),
    (2, "igmp"),
    (3, "ggp"),
    (4, "ip-in-ip"),
    (5, "st"),
    (6, "tcp"),
    (7, "cbt"),
    (8, "egp"),
    (9, "igp"),
    (12, "pup"),
    (16, "chaos"),
    (17, "udp"),
    (20, "hmp"),
    (22, "xns-idp"),
    (27, "rdp"),
    (28, "irtp"),
    (29, "iso-tp4"),
    (33, "dccp"),
    (36, "xtp"),
    (37, "ddp"),
    (41, "ipv6"),
    (42, "sdrp"),
    (43, "ipv6-route"),
    (44, "ipv6-frag"),
    (45, "idrp"),
    (46, "rsvp"),
    (47, "gre"),
    (48, "dsr"),
    (50, "esp"),
    (51, "ah"),
    (54, "narp"),
    (55, "min-ipv4"),
    (57, "skip"),
    (58, "icmp6"),
    (59, "ipv6-nonxt"),
    (60, "ipv6-opts"),
    (80, "iso-ip"),
    (81, "vmtp"),
    (88, "eigrp"),
    (89, "ospf"),
    (92, "mtp"),
    (93, "ax.25"),
    (94, "ipip"),
    (97, "etherip"),
    (98, "encap"),
    (103, "pim"),
    (108, "ipcomp"),
    (110, "compaq-peer"),
    (111, "ipx-in-ip"),
    (112, "vrrp"),
    (113, "pgm"),
    (115, "l2tp"),
    (118, "stp-schedule-transfer"),
    (121, "smp"),
    (124, "isis-over-ipv4"),
    (132, "sctp"),
    (133, "fc"),
    (134, "rsvp-e2e-ignore"),
    (135, "mobility-header"),
    (136, "udp-lite"),
    (137, "mpls-in-ip"),
    (138, "manet"),
    (139, "hip"),
    (140, "shim6"),
    (141, "wesp"),
    (142, "rohc"),
    (143, "ethernet-in-ip"),
    (144, "aggfrag"),
    (145, "nsh-in-ip"),
];

/// EtherTypes (IEEE registry) with their usual short names, sorted by number.
const ETHER_TYPE_NAMES: &[(u16, &str)] = &[
    (0x0800, "ipv4"),
    (0x0806, "arp"),
    (0x0842, "wol"),
    (0x0bad, "vines"),
    (0x22f3, "trill"),
    (0x6000, "dec"),
    (0x6001, "mop-dl"),
    (0x6002, "mop-rc"),
    (0x6003, "decnet"),
    (0x6004, "lat"),
    (0x6558, "teb"),
    (0x8035, "rarp"),
    (0x809b, "appletalk"),
    (0x80f3, "aarp"),
    (0x8100, "vlan"),
    (0x8137, "ipx"),
    (0x86dd, "ipv6"),
    (0x8808, "pause"),
    (0x8809, "slow"),
    (0x880b, "ppp"),
    (0x8847, "mpls"),
    (0x8848, "mpls-multicast"),
    (0x8863, "pppoe-discovery"),
    (0x8864, "pppoe"),
    (0x887b, "homeplug"),
    (0x888e, "eapol"),
    (0x8892, "profinet"),
    (0x88a2, "aoe"),
    (0x88a4, "ethercat"),
    (0x88a8, "qinq"),
    (0x88b8, "goose"),
    (0x88ba, "sv"),
    (0x88cc, "lldp"),
    (0x88cd, "sercos3"),
    (0x88e1, "homeplug-av"),
    (0x88e3, "mrp"),
    (0x88e5, "macsec"),
    (0x88e7, "pbb"),
    (0x88f5, "mvrp"),
    (0x88f7, "ptp"),
    (0x88fb, "prp"),
    (0x8902, "cfm"),
    (0x8906, "fcoe"),
    (0x8909, "cmd"),
    (0x8914, "fip"),
    (0x8915, "roce"),
    (0x8926, "vntag"),
    (0x892f, "hsr"),
    (0x893a, "ieee1905"),
    (0x893f, "etag"),
    (0x894f, "nsh"),
    (0x9000, "loopback"),
    (0x9003, "slpp"),
    (0x9100, "vlan-9100"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables_are_sorted() {
        assert!(IP_NUMBER_NAMES.is_sorted_by_key(|&(number, _)| number));
        assert!(ETHER_TYPE_NAMES.is_sorted_by_key(|&(number, _)| number));
    }

    /// From the text for people and, with the number in a field of its own, from a line.
    #[test]
    fn every_number_parses_back() {
        let ip = (0..=u8::MAX).map(ProtoNumber::Ip);
        let ether_types = (0..=u16::MAX).map(ProtoNumber::EtherType);
        let link_types = (0..=u16::MAX).map(ProtoNumber::LinkType);
        for number in ip.chain(ether_types).chain(link_types) {
            let proto = Proto::from(number);
            assert_eq!(Proto::parse(proto.to_string()), proto);
            assert_eq!(Proto::from_fields(proto.name(), proto.number()), proto);
            let expected =
                if proto.number().is_some() { Proto::OTHER } else { &*proto.to_string() };
            assert_eq!(proto.name(), expected);
        }
    }

    #[test]
    fn well_known_numbers_have_their_names() {
        for (number, name) in [(4, "ip-in-ip"), (58, "icmp6"), (89, "ospf"), (253, "ip-proto-253")]
        {
            assert_eq!(Proto::from_ip_number(number).to_string(), name);
        }
        assert_eq!(Proto::from_ether_type(0x1234).to_string(), "0x1234");
        assert_eq!(Proto::from_link_type(LinkType(147)).to_string(), "linktype-147");
    }

    #[test]
    fn numbers_count_next_to_other_only() {
        let number = Some(ProtoNumber::Ip(6));
        assert_eq!(Proto::from_fields("other", number), Proto::TCP);
        assert_eq!(Proto::from_fields("udp", number), Proto::UDP);
        assert_eq!(Proto::from_fields("other", None).to_string(), "other");
    }

    proptest! {
        #[test]
        fn any_name_survives_parsing(name: String) {
            prop_assert_eq!(Proto::parse(name.as_str()).to_string(), name);
        }
    }
}
