//! Link types: the LINKTYPE_ numbers of pcap files and of `meta.interfaces[].linktype`
//! (<https://www.tcpdump.org/linktypes.html>), and their names in the field `link`.

/// Type of the outermost header of a frame: a LINKTYPE_ number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkType(pub u16);

impl LinkType {
    /// BSD loopback: a 4-byte address family in the capturing host's byte order.
    pub const NULL: Self = Self(0);
    /// IEEE 802.3 Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// PPP with or without HDLC-like framing.
    pub const PPP: Self = Self(9);
    /// IPv4 or IPv6 without a link header, by the version field.
    pub const RAW: Self = Self(101);
    /// IEEE 802.11 wireless.
    pub const IEEE802_11: Self = Self(105);
    /// OpenBSD loopback: a 4-byte address family in network byte order.
    pub const LOOP: Self = Self(108);
    /// Linux cooked capture, version 1.
    pub const LINUX_SLL: Self = Self(113);
    /// IEEE 802.11 after a radiotap header.
    pub const RADIOTAP: Self = Self(127);
    /// IPv4 without a link header.
    pub const IPV4: Self = Self(228);
    /// IPv6 without a link header.
    pub const IPV6: Self = Self(229);
    /// Linux cooked capture, version 2: the link type of `-i any`.
    pub const LINUX_SLL2: Self = Self(276);

    /// The link type of a number in a pcap or pcapng file. Some systems write their own DLT_ numbers
    /// for raw IP: 14 on OpenBSD, 12 on most others.
    pub fn from_file(number: u16) -> Self {
        match number {
            12 | 14 => Self::RAW,
            other => Self(other),
        }
    }

    /// Parses a value of the field `link`: the inverse of `Display`.
    pub fn parse(text: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, name)| *name == text)
            .map(|&(number, _)| Self(number))
            .or_else(|| Some(Self(text.strip_prefix("linktype-")?.parse().ok()?)))
    }

    /// The name; `None` if the table below has none.
    pub fn name(self) -> Option<&'static str> {
        NAMES.iter().find(|(number, _)| *number == self.0).map(|&(_, name)| name)
    }
}

impl std::fmt::Display for LinkType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => formatter.write_str(name),
            None => write!(formatter, "linktype-{}", self.0),
        }
    }
}

/// Names of common link types, in lower case.
const NAMES: &[(u16, &str)] = &[
    (0, "null"),
    (1, "ethernet"),
    (3, "ax25"),
    (6, "token-ring"),
    (7, "arcnet"),
    (8, "slip"),
    (9, "ppp"),
    (10, "fddi"),
    (50, "ppp-hdlc"),
    (51, "pppoe"),
    (100, "atm-rfc1483"),
    (101, "raw"),
    (104, "cisco-hdlc"),
    (105, "ieee802.11"),
    (107, "frame-relay"),
    (108, "loop"),
    (113, "sll"),
    (114, "ltalk"),
    (117, "pflog"),
    (119, "prism"),
    (122, "ip-over-fc"),
    (123, "sunatm"),
    (127, "radiotap"),
    (129, "arcnet-linux"),
    (138, "apple-ip-over-ieee1394"),
    (140, "mtp2"),
    (141, "mtp3"),
    (143, "docsis"),
    (144, "linux-irda"),
    (166, "ppp-pppd"),
    (187, "bluetooth-hci-h4"),
    (189, "usb-linux"),
    (192, "ppi"),
    (195, "ieee802.15.4"),
    (201, "bluetooth-hci-h4-phdr"),
    (220, "usb-linux-mmapped"),
    (224, "raif1"),
    (226, "ipnet"),
    (227, "can-socketcan"),
    (228, "ipv4"),
    (229, "ipv6"),
    (230, "ieee802.15.4-nofcs"),
    (239, "nflog"),
    (249, "usbpcap"),
    (251, "bluetooth-le-ll"),
    (252, "wireshark-upper-pdu"),
    (253, "netlink"),
    (258, "pktap"),
    (276, "sll2"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_parses_back_from_its_text() {
        for number in 0..=u16::MAX {
            assert_eq!(LinkType::parse(&LinkType(number).to_string()), Some(LinkType(number)));
        }
    }
}
