//! Link types: their numbers in capture files, their names for tcpdump's `-y`, and the layout of their
//! headers.

/// A link type by its number in capture files (`LINKTYPE_*`,
/// <https://www.tcpdump.org/linktypes.html>). `DLT_*` numbers work as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkType(pub u32);

/// The format of the link header. Link types with the same format share a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Ethernet,
    /// Ethernet with a switch tag of 4 bytes before the EtherType (Broadcom, Marvell).
    EthernetTagged,
    /// A four-byte address family in the byte order of the machine that wrote the file.
    Null,
    /// The same, in network byte order.
    Loop,
    /// IPv4 or IPv6, according to the version field.
    Raw,
    Ipv4,
    Ipv6,
    Cooked,
    Cooked2,
    Ppp,
    PppEther,
    /// Cisco HDLC: an EtherType where PPP has its protocol number.
    Hdlc,
    Wireless,
    Radiotap,
    /// Per-Packet Information, followed by 802.11.
    Ppi,
    Slip,
    Arcnet,
    ArcnetLinux,
    Mstp,
    Mtp2,
    /// Other link types: expressions can only test bytes by offset.
    Unknown,
}

/// Number, name, family and description.
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
    /// IPv4 or IPv6 without a link header.
    pub const RAW: Self = Self(101);
    /// Ethernet with a Broadcom switch tag.
    pub(crate) const BROADCOM_TAG: Self = Self(281);
    /// Linux cooked capture, version 2.
    pub const LINUX_SLL2: Self = Self(276);

    /// The link type with this name, case-insensitive, with or without the prefix `DLT_`.
    pub fn from_name(name: &str) -> Option<Self> {
        let upper = name.to_ascii_uppercase();
        let name = upper.strip_prefix("DLT_").unwrap_or(&upper);
        TYPES.iter().rfind(|(_, known, ..)| *known == name).map(|(number, ..)| Self(*number))
    }

    /// Names and descriptions of all link types that the compiler supports.
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

    /// A name for people, as in libpcap's messages.
    pub fn description(self) -> String {
        let known = TYPES.iter().find(|(number, ..)| *number == self.0);
        known.map_or_else(
            || format!("link type {}", self.0),
            |(.., description)| (*description).to_owned(),
        )
    }
}
