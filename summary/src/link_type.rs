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
    /// FDDI.
    pub const FDDI: Self = Self(10);
    /// PPP in HDLC-like framing, or Cisco HDLC.
    pub const PPP_HDLC: Self = Self(50);
    /// A PPPoE session without an Ethernet header.
    pub const PPPOE: Self = Self(51);
    /// Cisco HDLC.
    pub const CISCO_HDLC: Self = Self(104);
    /// Frame relay.
    pub const FRAME_RELAY: Self = Self(107);
    /// IPsec of OpenBSD: IP after a header of 12 bytes.
    pub const ENC: Self = Self(109);
    /// IP after a header of OpenBSD's packet filter log.
    pub const PFLOG: Self = Self(117);
    /// IEEE 802.11 after a header of Prism cards, or of AVS.
    pub const PRISM: Self = Self(119);
    /// IEEE 802.11 after an AVS header.
    pub const AVS: Self = Self(163);
    /// PPP of pppd, with the direction in place of the address.
    pub const PPP_PPPD: Self = Self(166);
    /// A frame of another link type after per-packet information.
    pub const PPI: Self = Self(192);
    /// [`LinkType::PPP_HDLC`] after a byte with the direction.
    pub const PPP_WITH_DIRECTION: Self = Self(204);
    /// [`LinkType::CISCO_HDLC`] after a byte with the direction.
    pub const CISCO_HDLC_WITH_DIRECTION: Self = Self(205);
    /// [`LinkType::FRAME_RELAY`] after a byte with the direction.
    pub const FRAME_RELAY_WITH_DIRECTION: Self = Self(206);
    /// IP after attributes of Linux' netfilter log.
    pub const NFLOG: Self = Self(239);
    /// A frame of another link type after Apple's header.
    pub const PKTAP: Self = Self(258);
    /// Token Ring (IEEE 802.5).
    pub const TOKEN_RING: Self = Self(6);
    /// ARCnet, as BSD captures it.
    pub const ARCNET: Self = Self(7);
    /// ARCnet, as Linux captures it.
    pub const ARCNET_LINUX: Self = Self(129);
    /// IP after a header of SLIP in BSD/OS.
    pub const SLIP_BSDOS: Self = Self(102);
    /// PPP in BSD/OS: the protocol is in a header of a fixed length.
    pub const PPP_BSDOS: Self = Self(103);
    /// A captured frame in TZSP.
    pub const TZSP: Self = Self(128);
    /// IP over IEEE 1394, as Apple captures it.
    pub const APPLE_IP_OVER_IEEE1394: Self = Self(138);
    /// DOCSIS of cable modems.
    pub const DOCSIS: Self = Self(143);
    /// Ethernet of a PPPoE interface after a header of Juniper's routers.
    pub const JUNIPER_PPPOE: Self = Self(167);
    /// Ethernet in records of Endace cards.
    pub const ERF_ETH: Self = Self(175);
    /// Packets over SONET in records of Endace cards.
    pub const ERF_POS: Self = Self(176);
    /// Ethernet after a header of Juniper's routers.
    pub const JUNIPER_ETHER: Self = Self(178);
    /// PPP after a header of Juniper's routers.
    pub const JUNIPER_PPP: Self = Self(179);
    /// Frame relay after a header of Juniper's routers.
    pub const JUNIPER_FRAME_RELAY: Self = Self(180);
    /// Cisco HDLC after a header of Juniper's routers.
    pub const JUNIPER_CISCO_HDLC: Self = Self(181);
    /// Records of Endace cards, which tell what they contain.
    pub const ERF: Self = Self(197);
    /// IP after the direction and the compressed header of TCP.
    pub const SLIP: Self = Self(8);
    /// LLC in ATM (RFC 1483).
    pub const ATM_RFC1483: Self = Self(100);
    /// IP in ATM, after LLC or without it.
    pub const ATM_CLIP: Self = Self(106);
    /// IP over Fibre Channel.
    pub const IP_OVER_FC: Self = Self(122);
    /// MPLS labels without a link header.
    pub const MPLS: Self = Self(219);
    /// IP after a header of Solaris.
    pub const IPNET: Self = Self(226);
    /// IP over InfiniBand.
    pub const IPOIB: Self = Self(242);
    /// A dispatch trace of FD.io VPP.
    pub const VPP_DISPATCH: Self = Self(280);
    /// Ethernet with a tag of a Broadcom switch chip after the addresses.
    pub const DSA_BRCM: Self = Self(281);
    /// Ethernet after a tag of a Broadcom switch chip.
    pub const DSA_BRCM_PREPEND: Self = Self(282);
    /// Ethernet with a tag of a Marvell switch chip after the addresses.
    pub const DSA: Self = Self(284);
    /// The same with an EtherType before the tag.
    pub const EDSA: Self = Self(285);
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

/// Names of the link types in the registry and in `pcap/dlt.h` of libpcap, in lower case. Numbers 147 to 162
/// are for private use.
const NAMES: &[(u16, &str)] = &[
    (0, "null"),
    (1, "ethernet"),
    (2, "exp-ethernet"),
    (3, "ax25"),
    (4, "pronet"),
    (5, "chaos"),
    (6, "token-ring"),
    (7, "arcnet"),
    (8, "slip"),
    (9, "ppp"),
    (10, "fddi"),
    (50, "ppp-hdlc"),
    (51, "pppoe"),
    (99, "symantec-firewall"),
    (100, "atm-rfc1483"),
    (101, "raw"),
    (102, "slip-bsdos"),
    (103, "ppp-bsdos"),
    (104, "cisco-hdlc"),
    (105, "ieee802.11"),
    (106, "atm-clip"),
    (107, "frame-relay"),
    (108, "loop"),
    (109, "enc"),
    (110, "lane-802.3"),
    (111, "hippi"),
    (112, "hdlc"),
    (113, "sll"),
    (114, "ltalk"),
    (115, "econet"),
    (116, "ipfilter"),
    (117, "pflog"),
    (118, "cisco-ios"),
    (119, "prism"),
    (120, "aironet"),
    (121, "hhdlc"),
    (122, "ip-over-fc"),
    (123, "sunatm"),
    (124, "rio"),
    (125, "pci-exp"),
    (126, "aurora"),
    (127, "radiotap"),
    (128, "tzsp"),
    (129, "arcnet-linux"),
    (130, "juniper-mlppp"),
    (131, "juniper-mlfr"),
    (132, "juniper-es"),
    (133, "juniper-ggsn"),
    (134, "juniper-mfr"),
    (135, "juniper-atm2"),
    (136, "juniper-services"),
    (137, "juniper-atm1"),
    (138, "apple-ip-over-ieee1394"),
    (139, "mtp2-phdr"),
    (140, "mtp2"),
    (141, "mtp3"),
    (142, "sccp"),
    (143, "docsis"),
    (144, "linux-irda"),
    (145, "ibm-sp"),
    (146, "ibm-sn"),
    (163, "avs"),
    (164, "juniper-monitor"),
    (165, "bacnet-ms-tp"),
    (166, "ppp-pppd"),
    (167, "juniper-pppoe"),
    (168, "juniper-pppoe-atm"),
    (169, "gprs-llc"),
    (170, "gpf-t"),
    (171, "gpf-f"),
    (172, "gcom-t1e1"),
    (173, "gcom-serial"),
    (174, "juniper-pic-peer"),
    (175, "erf-eth"),
    (176, "erf-pos"),
    (177, "linux-lapd"),
    (178, "juniper-ether"),
    (179, "juniper-ppp"),
    (180, "juniper-frame-relay"),
    (181, "juniper-cisco-hdlc"),
    (182, "mfr"),
    (183, "juniper-vp"),
    (184, "a429"),
    (185, "a653-icm"),
    (186, "usb"),
    (187, "bluetooth-hci-h4"),
    (188, "ieee802.16-mac-cps"),
    (189, "usb-linux"),
    (190, "can20b"),
    (191, "ieee802.15.4-linux"),
    (192, "ppi"),
    (193, "ieee802.16-mac-cps-radio"),
    (194, "juniper-ism"),
    (195, "ieee802.15.4"),
    (196, "sita"),
    (197, "erf"),
    (198, "raif1"),
    (199, "ipmb-kontron"),
    (200, "juniper-st"),
    (201, "bluetooth-hci-h4-phdr"),
    (202, "ax25-kiss"),
    (203, "lapd"),
    (204, "ppp-dir"),
    (205, "cisco-hdlc-dir"),
    (206, "frame-relay-dir"),
    (207, "lapb-dir"),
    (209, "ipmb-linux"),
    (210, "flexray"),
    (211, "most"),
    (212, "lin"),
    (213, "x2e-serial"),
    (214, "x2e-xoraya"),
    (215, "ieee802.15.4-nonask-phy"),
    (216, "linux-evdev"),
    (217, "gsmtap-um"),
    (218, "gsmtap-abis"),
    (219, "mpls"),
    (220, "usb-linux-mmapped"),
    (221, "dect"),
    (222, "aos"),
    (223, "wihart"),
    (224, "fc-2"),
    (225, "fc-2-delims"),
    (226, "ipnet"),
    (227, "can-socketcan"),
    (228, "ipv4"),
    (229, "ipv6"),
    (230, "ieee802.15.4-nofcs"),
    (231, "dbus"),
    (232, "juniper-vs"),
    (233, "juniper-srx-e2e"),
    (234, "juniper-fibrechannel"),
    (235, "dvb-ci"),
    (236, "mux27010"),
    (237, "stanag-5066"),
    (238, "juniper-atm-cemic"),
    (239, "nflog"),
    (240, "netanalyzer"),
    (241, "netanalyzer-transparent"),
    (242, "ipoib"),
    (243, "mpeg-2-ts"),
    (244, "ng40"),
    (245, "nfc-llcp"),
    (246, "pfsync"),
    (247, "infiniband"),
    (248, "sctp-link"),
    (249, "usbpcap"),
    (250, "rtac-serial"),
    (251, "bluetooth-le-ll"),
    (252, "wireshark-upper-pdu"),
    (253, "netlink"),
    (254, "bluetooth-monitor"),
    (255, "bluetooth-bredr-bb"),
    (256, "bluetooth-le-ll-phdr"),
    (257, "profibus-dl"),
    (258, "pktap"),
    (259, "epon"),
    (260, "ipmi-hpm-2"),
    (261, "zwave-r1-r2"),
    (262, "zwave-r3"),
    (263, "wattstopper-dlm"),
    (264, "iso-14443"),
    (265, "rds"),
    (266, "usb-darwin"),
    (267, "openflow"),
    (268, "sdlc"),
    (269, "ti-lln-sniffer"),
    (270, "loratap"),
    (271, "vsock"),
    (272, "nordic-ble"),
    (273, "docsis31-xra31"),
    (274, "ethernet-mpacket"),
    (275, "displayport-aux"),
    (276, "sll2"),
    (277, "sercos-monitor"),
    (278, "openvizsla"),
    (279, "ebhscr"),
    (280, "vpp-dispatch"),
    (281, "dsa-brcm"),
    (282, "dsa-brcm-prepend"),
    (283, "ieee802.15.4-tap"),
    (284, "dsa"),
    (285, "edsa"),
    (286, "elee"),
    (287, "zwave-serial"),
    (288, "usb-2.0"),
    (289, "atsc-alp"),
    (290, "etw"),
    (291, "netanalyzer-ng"),
    (292, "zboss-ncp"),
    (293, "usb-2.0-low-speed"),
    (294, "usb-2.0-full-speed"),
    (295, "usb-2.0-high-speed"),
    (296, "auerswald-log"),
    (297, "zwave-tap"),
    (298, "silabs-debug"),
    (299, "fira-uci"),
    (300, "mdb"),
    (301, "dect-nr"),
    (302, "edk2-mm"),
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
