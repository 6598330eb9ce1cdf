//! Protocol keywords and protocol numbers.

/// A protocol keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Link,
    Ip,
    Arp,
    Rarp,
    Sctp,
    Tcp,
    Udp,
    Icmp,
    Igmp,
    Igrp,
    Pim,
    Vrrp,
    Carp,
    Radio,
    Ip6,
    Icmp6,
    Ah,
    Esp,
    Atalk,
    Aarp,
    Decnet,
    Lat,
    Sca,
    Moprc,
    Mopdl,
    Iso,
    Esis,
    Isis,
    IsisL1,
    IsisL2,
    IsisIih,
    IsisLsp,
    IsisSnp,
    IsisCsnp,
    IsisPsnp,
    Clnp,
    Stp,
    Ipx,
    Netbeui,
}

/// 802.2 SAPs.
pub(crate) const LLC_IP: u32 = 0x06;
pub(crate) const LLC_STP: u32 = 0x42;
pub(crate) const LLC_SNAP: u8 = 0xaa;
pub(crate) const LLC_IPX: u32 = 0xe0;
pub(crate) const LLC_NETBEUI: u32 = 0xf0;
pub(crate) const LLC_ISO: u32 = 0xfe;

/// EtherTypes.
pub(crate) mod ether_type {
    pub(crate) const IP: u32 = 0x0800;
    pub(crate) const ARP: u32 = 0x0806;
    pub(crate) const TEB: u32 = 0x6558;
    pub(crate) const NS: u32 = 0x0600;
    pub(crate) const MOPDL: u32 = 0x6001;
    pub(crate) const MOPRC: u32 = 0x6002;
    pub(crate) const DECNET: u32 = 0x6003;
    pub(crate) const LAT: u32 = 0x6004;
    pub(crate) const SCA: u32 = 0x6007;
    pub(crate) const RARP: u32 = 0x8035;
    pub(crate) const ATALK: u32 = 0x809b;
    pub(crate) const AARP: u32 = 0x80f3;
    pub(crate) const IPX: u32 = 0x8137;
    pub(crate) const VLAN: u32 = 0x8100;
    pub(crate) const IP6: u32 = 0x86dd;
    pub(crate) const MPLS: u32 = 0x8847;
    pub(crate) const PPPOED: u32 = 0x8863;
    pub(crate) const PPPOES: u32 = 0x8864;
    pub(crate) const VLAN_PROVIDER: u32 = 0x88a8;
    pub(crate) const VLAN_QINQ: u32 = 0x9100;
}

/// The largest length in the length/type field; larger values are EtherTypes (IEEE 802.3).
pub(crate) const ETHERNET_MTU: u32 = 1500;

/// Network layer protocol identifiers (ISO/IEC TR 9577).
pub(crate) mod osi {
    pub(crate) const CLNP: u32 = 0x81;
    pub(crate) const ESIS: u32 = 0x82;
    pub(crate) const ISIS: u32 = 0x83;
}

impl Protocol {
    /// The protocol with this keyword.
    pub(crate) fn from_keyword(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "link" | "ether" | "ppp" | "slip" | "fddi" | "tr" | "wlan" => Self::Link,
            "ip" => Self::Ip,
            "arp" => Self::Arp,
            "rarp" => Self::Rarp,
            "sctp" => Self::Sctp,
            "tcp" => Self::Tcp,
            "udp" => Self::Udp,
            "icmp" => Self::Icmp,
            "igmp" => Self::Igmp,
            "igrp" => Self::Igrp,
            "pim" => Self::Pim,
            "vrrp" => Self::Vrrp,
            "carp" => Self::Carp,
            "radio" => Self::Radio,
            "ip6" => Self::Ip6,
            "icmp6" => Self::Icmp6,
            "ah" => Self::Ah,
            "esp" => Self::Esp,
            "atalk" => Self::Atalk,
            "aarp" => Self::Aarp,
            "decnet" => Self::Decnet,
            "lat" => Self::Lat,
            "sca" => Self::Sca,
            "moprc" => Self::Moprc,
            "mopdl" => Self::Mopdl,
            "iso" => Self::Iso,
            "esis" | "es-is" => Self::Esis,
            "isis" | "is-is" => Self::Isis,
            "l1" => Self::IsisL1,
            "l2" => Self::IsisL2,
            "iih" => Self::IsisIih,
            "lsp" => Self::IsisLsp,
            "snp" => Self::IsisSnp,
            "csnp" => Self::IsisCsnp,
            "psnp" => Self::IsisPsnp,
            "clnp" => Self::Clnp,
            "stp" => Self::Stp,
            "ipx" => Self::Ipx,
            "netbeui" => Self::Netbeui,
            _ => return None,
        })
    }

    /// The keyword.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Ip => "ip",
            Self::Arp => "arp",
            Self::Rarp => "rarp",
            Self::Sctp => "sctp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Igmp => "igmp",
            Self::Igrp => "igrp",
            Self::Pim => "pim",
            Self::Vrrp => "vrrp",
            Self::Carp => "carp",
            Self::Radio => "radio",
            Self::Ip6 => "ip6",
            Self::Icmp6 => "icmp6",
            Self::Ah => "ah",
            Self::Esp => "esp",
            Self::Atalk => "atalk",
            Self::Aarp => "aarp",
            Self::Decnet => "decnet",
            Self::Lat => "lat",
            Self::Sca => "sca",
            Self::Moprc => "moprc",
            Self::Mopdl => "mopdl",
            Self::Iso => "iso",
            Self::Esis => "esis",
            Self::Isis => "isis",
            Self::IsisL1 => "l1",
            Self::IsisL2 => "l2",
            Self::IsisIih => "iih",
            Self::IsisLsp => "lsp",
            Self::IsisSnp => "snp",
            Self::IsisCsnp => "csnp",
            Self::IsisPsnp => "psnp",
            Self::Clnp => "clnp",
            Self::Stp => "stp",
            Self::Ipx => "ipx",
            Self::Netbeui => "netbeui",
        }
    }

    /// The EtherType or 802.2 SAP of a protocol directly above the link layer.
    pub(crate) fn link_number(self) -> Option<u32> {
        Some(match self {
            Self::Ip => ether_type::IP,
            Self::Ip6 => ether_type::IP6,
            Self::Arp => ether_type::ARP,
            Self::Rarp => ether_type::RARP,
            Self::Atalk => ether_type::ATALK,
            Self::Aarp => ether_type::AARP,
            Self::Decnet => ether_type::DECNET,
            Self::Sca => ether_type::SCA,
            Self::Lat => ether_type::LAT,
            Self::Mopdl => ether_type::MOPDL,
            Self::Moprc => ether_type::MOPRC,
            Self::Iso => LLC_ISO,
            Self::Stp => LLC_STP,
            Self::Ipx => LLC_IPX,
            Self::Netbeui => LLC_NETBEUI,
            _ => return None,
        })
    }

    /// The IP protocol number, and whether the keyword also matches IPv6.
    pub(crate) fn ip_number(self) -> Option<(u32, bool)> {
        Some(match self {
            Self::Icmp => (1, false),
            Self::Igmp => (2, false),
            Self::Tcp => (6, true),
            Self::Igrp => (9, false),
            Self::Udp => (17, true),
            Self::Esp => (50, true),
            Self::Ah => (51, true),
            Self::Pim => (103, true),
            Self::Vrrp | Self::Carp => (112, false),
            Self::Sctp => (132, true),
            _ => return None,
        })
    }

    /// The IS-IS PDU types that a keyword matches (ISO/IEC 10589), in the order of libpcap's tests.
    pub(crate) fn isis_types(self) -> Option<&'static [u32]> {
        const L1_IIH: u32 = 15;
        const L2_IIH: u32 = 16;
        const PTP_IIH: u32 = 17;
        const L1_LSP: u32 = 18;
        const L2_LSP: u32 = 20;
        const L1_CSNP: u32 = 24;
        const L2_CSNP: u32 = 25;
        const L1_PSNP: u32 = 26;
        const L2_PSNP: u32 = 27;
        Some(match self {
            Self::IsisL1 => &[L1_PSNP, L1_CSNP, L1_LSP, L1_IIH, PTP_IIH],
            Self::IsisL2 => &[L2_PSNP, L2_CSNP, L2_LSP, L2_IIH, PTP_IIH],
            Self::IsisIih => &[PTP_IIH, L1_IIH, L2_IIH],
            Self::IsisLsp => &[L1_LSP, L2_LSP],
            Self::IsisSnp => &[L2_PSNP, L1_PSNP, L1_CSNP, L2_CSNP],
            Self::IsisCsnp => &[L1_CSNP, L2_CSNP],
            Self::IsisPsnp => &[L1_PSNP, L2_PSNP],
            _ => return None,
        })
    }
}
