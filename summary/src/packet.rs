//! What is known of one packet: the values behind the fields of a `pkt` line.
//! The crate's `line` module writes and reads them; `decode` fills them from bytes.

use crate::{Address, CommunityId, LinkType, Mac, PayloadNames, Proto, Timestamp};
use std::borrow::Cow;

/// One packet of a run: its summary, and what only the capturing side knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// 1, 2, 3 … in this run.
    pub n: u64,
    /// When the kernel saw it, or what the file says.
    pub ts: Timestamp,
    /// Name of the interface: always while live, of files only where pcapng names it.
    pub interface: Option<Cow<'a, str>>,
    /// Direction as the kernel sees it; live only.
    pub direction: Option<Direction>,
    /// Of a packet that segmentation offload made larger than any frame on the wire; live only.
    pub gso: Option<Gso>,
    /// What the bytes of the headers say.
    pub summary: Summary<'a>,
    /// Names in the payload; read only where they are asked for.
    pub names: PayloadNames<'a>,
    /// Name of the flow; made only where it is asked for.
    pub community_id: Option<CommunityId>,
}

impl<'a> Packet<'a> {
    /// A packet of which nothing is known but its number, its time and its bytes.
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

/// What the bytes of one frame say. `None` and empty mean "does not apply".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary<'a> {
    /// Bytes on the wire, VLAN tags included.
    pub len: u32,
    /// Bytes captured, at most `len`.
    pub cap: u32,
    /// What the first bytes are.
    pub link: LinkType,
    /// Source and destination of the Ethernet header; cleared by a writer that is not asked for them.
    pub eth: Option<(Mac, Mac)>,
    /// VLAN ids, outermost first.
    pub vlan: VlanIds,
    /// Source: IPv4 or IPv6 address, of ARP the protocol address, of anything else the MAC address.
    pub src: Option<Address>,
    /// Destination, of the same kind as `src`.
    pub dst: Option<Address>,
    /// Source port of TCP, UDP, UDP-Lite, SCTP and DCCP; absent in later fragments.
    pub sport: Option<u16>,
    /// Destination port.
    pub dport: Option<u16>,
    /// Innermost protocol decoded.
    pub proto: Proto<'a>,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: Option<u8>,
    /// Fragment offset in bytes, only on fragments: 0 is a first fragment.
    pub frag: Option<u16>,
    /// Fields of the TCP header.
    pub tcp: Tcp,
    /// Bytes after the transport header by the IP length, without padding.
    pub payload: Option<u32>,
    /// Type of ICMP and ICMPv6.
    pub icmp_type: Option<u8>,
    /// Code of ICMP and ICMPv6.
    pub icmp_code: Option<u8>,
    /// ARP operation: 1 request, 2 reply (RFC 826).
    pub arp_op: Option<u16>,
    /// What is wrong with the bytes.
    pub faults: Faults,
}

impl Summary<'_> {
    /// A summary that knows the lengths only; `cap` above `len` is taken as `len`.
    pub fn new(link: LinkType, cap: u32, len: u32) -> Self {
        Self {
            len,
            cap: cap.min(len),
            link,
            eth: None,
            vlan: VlanIds::default(),
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
            arp_op: None,
            faults: Faults::default(),
        }
    }
}

/// The fields of a TCP header as on the wire (RFC 9293, 3.1); absent where the capture cut them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tcp {
    /// Control bits, FIN lowest, CWR highest.
    pub flags: Option<u8>,
    /// Sequence number.
    pub seq: Option<u32>,
    /// Acknowledgment number, only with the ACK flag.
    pub ack: Option<u32>,
    /// Window, not scaled.
    pub win: Option<u16>,
}

impl Tcp {
    /// Letters of the control bits from the lowest up, which is the order lines list them in:
    /// FIN, SYN, RST, PSH, ACK, URG, ECE, CWR (RFC 9293, RFC 3168).
    pub const FLAG_LETTERS: [u8; 8] = *b"FSRPAUEC";
    /// The ACK bit.
    pub const ACK: u8 = 0x10;

    /// The control bit of a letter.
    pub fn flag_bit(letter: u8) -> Option<u8> {
        /// By letter, 0 where it is none.
        const BITS: [u8; 256] = {
            let mut bits = [0; 256];
            let mut place = 0;
            while place < 8 {
                bits[Tcp::FLAG_LETTERS[place] as usize] = 1 << place;
                place += 1;
            }
            bits
        };
        Some(BITS[usize::from(letter)]).filter(|bit| *bit != 0)
    }

    /// The letters of control bits, from the lowest up.
    pub fn flag_letters(flags: u8) -> String {
        let letters = Self::FLAG_LETTERS.iter().enumerate();
        letters.filter(|(bit, _)| flags >> bit & 1 == 1).map(|(_, l)| char::from(*l)).collect()
    }
}

/// Where a packet went, as the kernel's `sll_pkttype` has it (packet(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To this host.
    In,
    /// From this host.
    Out,
    /// To the link's broadcast address.
    Broadcast,
    /// To a link-layer multicast address.
    Multicast,
    /// To another host, seen in promiscuous mode.
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

/// Generic segmentation offload: the kernel hands one large packet to the hardware, which cuts it
/// into segments, or joins received segments into one (virtio specification 1.2, 5.1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Gso {
    /// Bytes behind the headers of each segment but the last, which may have fewer.
    pub segment_len: u16,
    /// What is cut.
    pub kind: GsoKind,
}

/// What segmentation offload cuts: the kernel's `gso_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GsoKind {
    /// TCP over IPv4.
    TcpV4,
    /// TCP over IPv6.
    TcpV6,
    /// One UDP datagram into IP fragments.
    UdpFragments,
    /// UDP into datagrams.
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

/// VLAN ids, outermost first, at most [`VlanIds::CAPACITY`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct VlanIds {
    ids: [u16; Self::CAPACITY],
    /// `count <= CAPACITY`, and the ids from `count` on are 0.
    count: u8,
}

impl VlanIds {
    /// How many tags are kept; a frame with more is marked `unsupported`.
    pub const CAPACITY: usize = 8;

    /// Appends an inner id; false where there is no room.
    #[must_use]
    pub fn push(&mut self, id: u16) -> bool {
        let Some(slot) = self.ids.get_mut(usize::from(self.count)) else {
            return false;
        };
        *slot = id;
        self.count += 1;
        true
    }

    /// The ids.
    pub fn as_slice(&self) -> &[u16] {
        &self.ids[..usize::from(self.count)]
    }
}

/// A set of what can be wrong with a frame's bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    bits: u8,
}

impl Faults {
    /// A header goes on where the capture was cut.
    pub const TRUNCATED: Self = Self { bits: 1 };
    /// A length contradicts another length or the frame's.
    pub const BAD_LENGTH: Self = Self { bits: 2 };
    /// A header's field has a value that its protocol forbids.
    pub const BAD_HEADER: Self = Self { bits: 4 };
    /// Well-formed, as far as can be told, but beyond what is decoded here.
    pub const UNSUPPORTED: Self = Self { bits: 8 };

    const NAMES: [(Self, &'static str); 4] = [
        (Self::TRUNCATED, "truncated"),
        (Self::BAD_LENGTH, "bad_length"),
        (Self::BAD_HEADER, "bad_header"),
        (Self::UNSUPPORTED, "unsupported"),
    ];

    /// Adds `other`.
    pub fn insert(&mut self, other: Self) {
        self.bits |= other.bits;
    }

    /// True where all of `other` is in the set.
    pub const fn contains(self, other: Self) -> bool {
        self.bits & other.bits == other.bits
    }

    /// True where nothing is wrong.
    pub const fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The names, in the order that lines list them.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES
            .into_iter()
            .filter(move |&(fault, _)| self.contains(fault))
            .map(|(_, name)| name)
    }

    /// The fault of one name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|&(_, known)| known == name).map(|(fault, _)| fault)
    }
}
