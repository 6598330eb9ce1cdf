//! Link types: the numbers files have them by, the names tcpdump's `-y` takes.

/// A link type by its number in capture files (LINKTYPE_, tcpdump.org/linktypes.html); the numbers
/// that tcpdump has for the same in memory (DLT_) are taken as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u32);

/// How a packet of a link type begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ethernet,
    /// Ethernet with a switch's tag of 4 bytes before the EtherType (Broadcom's, Marvell's).
    EthernetTagged,
    /// An address family in four bytes, in the byte order of whoever wrote it.
    Null,
    /// The same in network byte order.
    Loop,
    /// IPv4 or IPv6, known by the first half byte.
    Raw,
    Ipv4,
    Ipv6,
    Cooked,
    Cooked2,
    Ppp,
    PppEther,
    /// Cisco's HDLC, with the EtherType where PPP has its number.
    Hdlc,
    Wireless,
    Radiotap,
    /// Per-packet information, with 802.11 after it.
    Ppi,
    Slip,
    Arcnet,
    ArcnetLinux,
    Mstp,
    Mtp2,
    /// Only its bytes by number.
    Unknown,
}

/// Number, name, how it begins, and what it is.
const TYPES: &[(u32, &str, Family, &str)] = &[
    (0, "NULL", Family::Null, "BSD loopback"),
    (1, "EN10MB", Family::Ethernet, "Ethernet"),
    (7, "ARCNET", Family::Arcnet, "ARCNET"),
    (8, "SLIP", Family::Slip, "SLIP"),
    (9, "PPP", Family::Ppp, "PPP"),
    (12, "RAW", Family::Raw, "Raw IP"),
    (14, "RAW", Family::Raw, "Raw IP"),
    (101, "RAW", Family::Raw, "Raw IP"),
    (50, "PPP_SERIAL", Family::Ppp, "PPP over serial"),
    (51, "PPP_ETHER", Family::PppEther, "PPPoE"),
    (104, "C_HDLC", Family::Hdlc, "Cisco HDLC"),
    (105, "IEEE802_11", Family::Wireless, "802.11"),
    (108, "LOOP", Family::Loop, "OpenBSD loopback"),
    (113, "LINUX_SLL", Family::Cooked, "Linux cooked v1"),
    (127, "IEEE802_11_RADIO", Family::Radiotap, "802.11 plus radiotap header"),
    (129, "ARCNET_LINUX", Family::ArcnetLinux, "Linux ARCNET"),
    (140, "MTP2", Family::Mtp2, "SS7 MTP2"),
    (165, "BACNET_MS_TP", Family::Mstp, "BACnet MS/TP"),
    (192, "PPI", Family::Ppi, "Per-Packet Information"),
    (228, "IPV4", Family::Ipv4, "Raw IPv4"),
    (229, "IPV6", Family::Ipv6, "Raw IPv6"),
    (276, "LINUX_SLL2", Family::Cooked2, "Linux cooked v2"),
    (281, "DSA_TAG_BRCM", Family::EthernetTagged, "Broadcom tag"),
    (284, "DSA_TAG_DSA", Family::EthernetTagged, "Marvell DSA"),
];

impl LinkType {
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// IPv4 or IPv6 without anything before it.
    pub const RAW: Self = Self(101);
    /// Ethernet with the tag of a Broadcom switch.
    pub(crate) const BROADCOM_TAG: Self = Self(281);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The type of that name, in any case, with or without `DLT_` before it.
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let name = upper.strip_prefix("DLT_").unwrap_or(&upper);
        TYPES.iter().rfind(|(_, known, ..)| *known == name).map(|(number, ..)| Self(*number))
    }

    /// Each type whose packets can be filtered by more than their bytes: its name and what it is.
    pub fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
        let first = |n: usize| TYPES[..n].iter().all(|(_, name, ..)| *name != TYPES[n].1);
        (0..TYPES.len()).filter(move |n| first(*n)).map(|n| (TYPES[n].1, TYPES[n].3))
    }

    pub(crate) fn family(self) -> Family {
        TYPES
            .iter()
            .find(|(number, ..)| *number == self.0)
            .map_or(Family::Unknown, |(_, _, family, _)| *family)
    }

    /// What the type is called in messages.
    pub fn description(self) -> String {
        let known = TYPES.iter().find(|(number, ..)| *number == self.0);
        known.map_or_else(
            || format!("link type {}", self.0),
            |(.., description)| (*description).to_owned(),
        )
    }
}
