//! One packet: the values of the fields of a `pkt` line. `decode` fills them from bytes; the `line`
//! module writes and parses them, and specifies their meaning in full.

use crate::{Address, CommunityId, LinkType, Mac, PayloadNames, Proto, Timestamp, TunnelPath};
use std::borrow::Cow;
use std::net::IpAddr;

/// One packet of a run: its summary, and what only the capturing side knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Packet number in this run, from 1.
    pub n: u64,
    /// Time of capture, from the kernel or the file.
    pub ts: Timestamp,
    /// Name of the interface: always in live captures, otherwise only if a pcapng file contains it.
    pub interface: Option<Cow<'a, str>>,
    /// Direction relative to this host; live captures only.
    pub direction: Option<Direction>,
    /// Segmentation offload, if the packet is larger than any frame on the wire; live captures only.
    pub gso: Option<Gso>,
    /// The decoded headers.
    pub summary: Summary<'a>,
    /// Names in the payload; empty unless requested.
    pub names: PayloadNames<'a>,
    /// Hash of the flow; `None` unless requested.
    pub community_id: Option<CommunityId>,
}

impl<'a> Packet<'a> {
    /// A packet with nothing but its number, time and summary.
    pub fn new(n: u64, ts: Timestamp, summary: Summary<'a>) -> Self {
        Self {
            n,
            ts,
            interface: None,
            direction: None,
            gso: None,
            summary,
            names: PayloadNames::default(),
            community_id: None,
        }
    }
}

/// The decoded headers of one frame. `None` and empty values do not apply to the frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary<'a> {
    /// Bytes on the wire, including VLAN tags.
    pub len: u32,
    /// Bytes captured: `cap <= len`. A damaged file can claim that more was captured.
    pub cap: u32,
    /// Type of the outermost header.
    pub link: LinkType,
    /// Source address in the innermost link header: Ethernet, 802.11 or cooked.
    pub eth_src: Option<Mac>,
    /// Destination address in the link header; cooked headers have none.
    pub eth_dst: Option<Mac>,
    /// VLAN identifiers, outermost first.
    pub vlan: VlanIds,
    /// The tunnels around the packet that the other fields describe.
    pub tunnel: TunnelPath,
    /// Source in the outermost IP header, if that is the header of a tunnel.
    pub outer_src: Option<IpAddr>,
    /// Destination in that header.
    pub outer_dst: Option<IpAddr>,
    /// Source in the IP header, or the sender's protocol address in ARP.
    pub src: Option<IpAddr>,
    /// Destination in the IP header, or the target's protocol address in ARP.
    pub dst: Option<IpAddr>,
    /// Source port of TCP, UDP, UDP-Lite, SCTP and DCCP. Fragments after the first do not contain it.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// Innermost protocol decoded.
    pub proto: Proto<'a>,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: Option<u8>,
    /// Fragment offset in bytes, 0 in the first fragment; `None` if the packet is not a fragment.
    pub frag: Option<u16>,
    /// Fields of the TCP header.
    pub tcp: Tcp,
    /// Bytes after the transport header, according to the IP length, without padding.
    pub payload: Option<u32>,
    /// Type of ICMP and ICMPv6.
    pub icmp_type: Option<u8>,
    /// Code of ICMP and ICMPv6.
    pub icmp_code: Option<u8>,
    /// The packet that an error of ICMP or ICMPv6 is about.
    pub icmp_quote: IcmpQuote,
    /// ARP operation: 1 request, 2 reply (RFC 826).
    pub arp_op: Option<u16>,
    /// What is wrong with the frame.
    pub faults: Faults,
}

impl Summary<'_> {
    /// A summary with lengths and link type only. A `cap` above `len` is reduced to `len`.
    pub fn new(link: LinkType, cap: u32, len: u32) -> Self {
        Self {
            len,
            cap: cap.min(len),
            link,
            eth_src: None,
            eth_dst: None,
            vlan: VlanIds::default(),
            tunnel: TunnelPath::default(),
            outer_src: None,
            outer_dst: None,
            src: None,
            dst: None,
            sport: None,
            dport: None,
            proto: Proto::named("llc"),
            ttl: None,
            frag: None,
            tcp: Tcp::default(),
            payload: None,
            icmp_type: None,
            icmp_code: None,
            icmp_quote: IcmpQuote::default(),
            arp_op: None,
            faults: Faults::default(),
        }
    }

    /// Source and destination: the IP addresses, or the MAC addresses if there are none.
    pub fn endpoints(&self) -> (Option<Address>, Option<Address>) {
        if self.has_ip_addresses() {
            (self.src.map(Address::from), self.dst.map(Address::from))
        } else {
            (self.eth_src.map(Address::Mac), self.eth_dst.map(Address::Mac))
        }
    }

    /// Removes the MAC addresses if there are IP addresses: lines without `-e` have either.
    pub fn omit_redundant_eth(&mut self) {
        if self.has_ip_addresses() {
            (self.eth_src, self.eth_dst) = (None, None);
        }
    }

    fn has_ip_addresses(&self) -> bool {
        self.src.is_some() || self.dst.is_some()
    }
}

/// Fields of a TCP header as on the wire (RFC 9293, section 3.1); `None` if they were not captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Control bits: FIN is bit 0, CWR is bit 7.
    pub flags: Option<u8>,
    /// Sequence number.
    pub seq: Option<u32>,
    /// Acknowledgment number; `None` without the ACK flag.
    pub ack: Option<u32>,
    /// Window before scaling.
    pub win: Option<u16>,
}

impl Tcp {
    /// Letters of the control bits from bit 0 on: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR (RFC 9293,
    /// RFC 3168). Lines list them in this order.
    pub const FLAG_LETTERS: [u8; 8] = *b"FSRPAUEC";
    /// The control bits of RFC 9293, section 3.1, and RFC 3168, section 6.1, that have a meaning here.
    pub const FIN: u8 = 0x01;
    /// See [`Tcp::FIN`].
    pub const SYN: u8 = 0x02;
    /// See [`Tcp::FIN`].
    pub const RST: u8 = 0x04;
    /// See [`Tcp::FIN`].
    pub const ACK: u8 = 0x10;
    /// See [`Tcp::FIN`].
    pub const ECE: u8 = 0x40;
    /// See [`Tcp::FIN`].
    pub const CWR: u8 = 0x80;

    /// The control bit of a letter; `None` if the letter has none.
    pub fn flag_bit(letter: u8) -> Option<u8> {
        /// Indexed by letter; 0 for letters without a bit.
        const BITS: [u8; 256] = {
            let mut bits = [0; 256];
            let mut bit = 0;
            while bit < 8 {
                bits[Tcp::FLAG_LETTERS[bit] as usize] = 1 << bit;
                bit += 1;
            }
            bits
        };
        Some(BITS[usize::from(letter)]).filter(|bit| *bit != 0)
    }

    /// The letters of the bits that are set, from bit 0 on.
    pub fn flag_letters(flags: u8) -> String {
        let letters = Self::FLAG_LETTERS.iter().enumerate();
        letters.filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, l)| char::from(*l)).collect()
    }
}

/// The headers of the packet that an ICMP error quotes; `None` if they were not captured, or are not those
/// of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IcmpQuote {
    /// Source in the IP header.
    pub src: Option<IpAddr>,
    /// Destination in the IP header.
    pub dst: Option<IpAddr>,
    /// Number of the protocol after the IP header and its extensions, if that has a name.
    pub proto: Option<u8>,
    /// Source port of TCP, UDP, UDP-Lite, SCTP and DCCP; `None` in fragments after the first.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
}

impl IcmpQuote {
    /// The value of `icmp_proto`.
    pub fn proto_name(&self) -> Option<&'static str> {
        Proto::from_ip_number(self.proto?).static_name()
    }
}

/// Direction of a packet relative to this host: `sll_pkttype` of packet(7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To this host (`PACKET_HOST`).
    In,
    /// From this host (`PACKET_OUTGOING`).
    Out,
    /// To the broadcast address of the link (`PACKET_BROADCAST`).
    Broadcast,
    /// To a multicast address of the link (`PACKET_MULTICAST`).
    Multicast,
    /// To another host, seen in promiscuous mode (`PACKET_OTHERHOST`).
    Other,
}

impl Direction {
    /// The value of `dir`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Broadcast => "bcast",
            Self::Multicast => "mcast",
            Self::Other => "other",
        }
    }

    /// The inverse of [`Direction::name`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::In, Self::Out, Self::Broadcast, Self::Multicast, Self::Other]
            .into_iter()
            .find(|direction| direction.name() == text)
    }
}

/// Generic segmentation offload: the kernel passes one large packet to the hardware, which splits it
/// into segments, or merges received segments into one packet (virtio 1.2, section 5.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gso {
    /// Payload bytes of each segment; the last one may have fewer.
    pub segment_len: u16,
    /// What is split or merged.
    pub kind: GsoKind,
}

/// What segmentation offload splits or merges: the kernel's `gso_type` (linux/virtio_net.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GsoKind {
    /// TCP over IPv4 (`VIRTIO_NET_HDR_GSO_TCPV4`).
    TcpV4,
    /// TCP over IPv6 (`VIRTIO_NET_HDR_GSO_TCPV6`).
    TcpV6,
    /// One UDP datagram, split into IP fragments (`VIRTIO_NET_HDR_GSO_UDP`).
    UdpFragments,
    /// Several UDP datagrams (`VIRTIO_NET_HDR_GSO_UDP_L4`).
    UdpDatagrams,
}

impl GsoKind {
    /// The value of `gso_type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TcpV4 => "tcpv4",
            Self::TcpV6 => "tcpv6",
            Self::UdpFragments => "udp",
            Self::UdpDatagrams => "udp_l4",
        }
    }

    /// The inverse of [`GsoKind::name`].
    pub fn parse(text: &str) -> Option<Self> {
        [Self::TcpV4, Self::TcpV6, Self::UdpFragments, Self::UdpDatagrams]
            .into_iter()
            .find(|kind| kind.name() == text)
    }
}

/// Up to [`VlanIds::CAPACITY`] VLAN identifiers (IEEE 802.1Q), outermost first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VlanIds {
    ids: [u16; Self::CAPACITY],
    /// `count <= CAPACITY`; the identifiers from `count` on are 0.
    count: u8,
}

impl VlanIds {
    /// Maximum number of identifiers. A frame with more tags is marked as `unsupported`.
    pub const CAPACITY: usize = 8;

    /// Appends an inner identifier; `false` if the list is full.
    #[must_use]
    pub fn push(&mut self, id: u16) -> bool {
        let Some(slot) = self.ids.get_mut(usize::from(self.count)) else {
            return false;
        };
        *slot = id;
        self.count += 1;
        true
    }

    /// The identifiers.
    pub fn as_slice(&self) -> &[u16] {
        &self.ids[..usize::from(self.count)]
    }
}

/// A set of faults that decoding found in a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    bits: u8,
}

impl Faults {
    /// The capture cut off a header.
    pub const TRUNCATED: Self = Self { bits: 1 };
    /// A length field contradicts another length field or the length of the frame.
    pub const BAD_LENGTH: Self = Self { bits: 2 };
    /// A header field has a value that the protocol forbids.
    pub const BAD_HEADER: Self = Self { bits: 4 };
    /// A protocol, or a feature of one, that is not decoded here.
    pub const UNSUPPORTED: Self = Self { bits: 8 };
    /// The time in the capture file is not representable (see [`Timestamp::is_clamped`]), or its fraction of
    /// a second is a second or more.
    pub const BAD_TIME: Self = Self { bits: 16 };
    /// The capture file has no time for the packet.
    pub const NO_TIME: Self = Self { bits: 32 };

    const NAMES: [(Self, &'static str); 6] = [
        (Self::TRUNCATED, "truncated"),
        (Self::BAD_LENGTH, "bad_length"),
        (Self::BAD_HEADER, "bad_header"),
        (Self::UNSUPPORTED, "unsupported"),
        (Self::BAD_TIME, "bad_time"),
        (Self::NO_TIME, "no_time"),
    ];

    /// Adds the faults of `other`.
    pub fn insert(&mut self, other: Self) {
        self.bits |= other.bits;
    }

    /// True if the set contains all faults of `other`.
    pub const fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// True if there are no faults.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The names of the faults, in the order that `err` lists them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |&(fault, _)| self.contains(fault))
            .map(|(_, name)| name)
    }

    /// The fault with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|&(_, known)| known == name).map(|(fault, _)| fault)
    }
}
