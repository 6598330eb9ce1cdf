//! What the kernel says of a frame in the ring: the TPACKET header of either version, the address
//! behind it, and the header of virtio before the packet (linux/if_packet.h, linux/virtio_net.h).

use libc::{sockaddr_ll, tpacket_hdr_variant1, tpacket2_hdr, tpacket3_hdr};
use std::mem::offset_of;
use summary::{Direction, Gso, GsoKind, Timestamp};

/// Behind the header of version 3: the address, as `recvfrom` would have returned it.
const ADDRESS_OFFSET_V3: usize =
    size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// The same of version 2.
const ADDRESS_OFFSET_V2: usize =
    size_of::<tpacket2_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// The first byte that may belong to a packet, counted from its header of version 3.
pub(super) const MIN_PACKET_OFFSET_V3: usize = ADDRESS_OFFSET_V3 + size_of::<sockaddr_ll>();
/// The same of version 2.
pub(super) const MIN_PACKET_OFFSET_V2: usize = ADDRESS_OFFSET_V2 + size_of::<sockaddr_ll>();

const _: () = assert!(libc::TPACKET3_HDRLEN == MIN_PACKET_OFFSET_V3);
const _: () = assert!(libc::TPACKET2_HDRLEN == MIN_PACKET_OFFSET_V2);

/// Where the status word of version 2 ends: the bytes before belong to the ring.
pub(super) const STATUS_LEN_V2: usize = size_of::<u32>();

const _: () = assert!(offset_of!(tpacket2_hdr, tp_status) == 0);

/// The header before the packet, where `PACKET_VNET_HDR` is set: `virtio_net_hdr`.
pub(super) const VIRTIO_LEN: usize = 10;
const VIRTIO_GSO_TYPE_OFFSET: usize = 1;
const VIRTIO_GSO_SIZE_OFFSET: usize = 4;

/// An Ethernet header: two addresses and the EtherType.
const ETHERNET_LEN: usize = 14;

/// IEEE 802.1Q, where the kernel does not tell another.
const DEFAULT_TPID: u16 = 0x8100;

/// What the kernel says of a frame.
pub(super) struct Header {
    /// `TP_STATUS_` bits.
    pub(super) status: u32,
    /// From this frame to the next; 0 at the last.
    pub(super) next_offset: usize,
    pub(super) ts: Timestamp,
    pub(super) cap: usize,
    pub(super) wire_len: u32,
    /// Where the packet begins, counted from this header.
    pub(super) mac: usize,
    /// Where its network header begins, counted from this header.
    pub(super) net: usize,
    /// Tag protocol identifier and tag control information.
    pub(super) vlan_tag: Option<(u16, u16)>,
    pub(super) address: Address,
}

/// Where a packet came from: `sockaddr_ll`.
pub(super) struct Address {
    pub(super) interface_index: u32,
    pub(super) direction: Option<Direction>,
    /// EtherType, `ARPHRD_` number and packet type for the cooked header.
    pub(super) protocol: u16,
    pub(super) arphrd: u16,
    pub(super) packet_type: u8,
    pub(super) bytes_len: u8,
    pub(super) bytes: [u8; 8],
}

impl Header {
    /// The header of version 3 at the front of `bytes`.
    pub(super) fn read_v3(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; MIN_PACKET_OFFSET_V3] = bytes.first_chunk()?;
        let word = |offset| u32_at(bytes, offset);
        let status = word(offset_of!(tpacket3_hdr, tp_status))?;
        let variant = offset_of!(tpacket3_hdr, hv1);
        let tci = word(variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))?;
        let tpid = u16_at(bytes, variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?;
        Some(Self {
            status,
            next_offset: word(offset_of!(tpacket3_hdr, tp_next_offset))? as usize,
            ts: Timestamp::from_parts(
                i64::from(word(offset_of!(tpacket3_hdr, tp_sec))?),
                word(offset_of!(tpacket3_hdr, tp_nsec))?,
            ),
            cap: word(offset_of!(tpacket3_hdr, tp_snaplen))? as usize,
            wire_len: word(offset_of!(tpacket3_hdr, tp_len))?,
            mac: usize::from(u16_at(bytes, offset_of!(tpacket3_hdr, tp_mac))?),
            net: usize::from(u16_at(bytes, offset_of!(tpacket3_hdr, tp_net))?),
            vlan_tag: vlan_tag(status, u16::try_from(tci & 0xffff).unwrap_or(0), tpid),
            address: Address::read(bytes.get(ADDRESS_OFFSET_V3..)?)?,
        })
    }

    /// The header of version 2 whose status word was read by the ring; `bytes` begins behind it.
    pub(super) fn read_v2(bytes: &[u8], status: u32) -> Option<Self> {
        let bytes: &[u8; MIN_PACKET_OFFSET_V2 - STATUS_LEN_V2] = bytes.first_chunk()?;
        let word = |offset| u32_at(bytes, offset - STATUS_LEN_V2);
        let half = |offset| u16_at(bytes, offset - STATUS_LEN_V2);
        let tci = half(offset_of!(tpacket2_hdr, tp_vlan_tci))?;
        let tpid = half(offset_of!(tpacket2_hdr, tp_vlan_tpid))?;
        Some(Self {
            status,
            next_offset: 0,
            ts: Timestamp::from_parts(
                i64::from(word(offset_of!(tpacket2_hdr, tp_sec))?),
                word(offset_of!(tpacket2_hdr, tp_nsec))?,
            ),
            cap: word(offset_of!(tpacket2_hdr, tp_snaplen))? as usize,
            wire_len: word(offset_of!(tpacket2_hdr, tp_len))?,
            mac: usize::from(half(offset_of!(tpacket2_hdr, tp_mac))?),
            net: usize::from(half(offset_of!(tpacket2_hdr, tp_net))?),
            vlan_tag: vlan_tag(status, tci, tpid),
            address: Address::read(bytes.get(ADDRESS_OFFSET_V2 - STATUS_LEN_V2..)?)?,
        })
    }

    /// Bytes of the link header. VLAN tags that the kernel left in the frame are not part of it,
    /// though it may count them so.
    pub(super) fn link_len(&self) -> usize {
        let len = self.net.saturating_sub(self.mac);
        match self.address.arphrd {
            libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => len.min(ETHERNET_LEN),
            _ => len,
        }
    }
}

impl Address {
    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; size_of::<sockaddr_ll>()] = bytes.first_chunk()?;
        let packet_type = bytes[offset_of!(sockaddr_ll, sll_pkttype)];
        Some(Self {
            interface_index: u32_at(bytes, offset_of!(sockaddr_ll, sll_ifindex))?,
            direction: direction(packet_type),
            protocol: u16::from_be(u16_at(bytes, offset_of!(sockaddr_ll, sll_protocol))?),
            arphrd: u16_at(bytes, offset_of!(sockaddr_ll, sll_hatype))?,
            packet_type,
            bytes_len: bytes[offset_of!(sockaddr_ll, sll_halen)],
            bytes: *bytes.get(offset_of!(sockaddr_ll, sll_addr)..)?.first_chunk()?,
        })
    }
}

/// What virtio's header says of segmentation offload.
pub(super) fn gso(virtio: &[u8]) -> Option<Gso> {
    // The bit that marks congestion notification says nothing of sizes.
    let kind = match u32::from(*virtio.get(VIRTIO_GSO_TYPE_OFFSET)?) & !GSO_ECN {
        GSO_TCPV4 => GsoKind::TcpV4,
        GSO_TCPV6 => GsoKind::TcpV6,
        GSO_UDP => GsoKind::UdpFragments,
        GSO_UDP_L4 => GsoKind::UdpDatagrams,
        _ => return None,
    };
    Some(Gso { segment_len: u16_at(virtio, VIRTIO_GSO_SIZE_OFFSET)?, kind })
}

// `VIRTIO_NET_HDR_GSO_` of linux/virtio_net.h, which libc does not have.
const GSO_TCPV4: u32 = 1;
const GSO_UDP: u32 = 3;
const GSO_TCPV6: u32 = 4;
const GSO_UDP_L4: u32 = 5;
const GSO_ECN: u32 = 0x80;

fn vlan_tag(status: u32, tci: u16, tpid: u16) -> Option<(u16, u16)> {
    let has_tpid = status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
    let tpid = if has_tpid { tpid } else { DEFAULT_TPID };
    (status & libc::TP_STATUS_VLAN_VALID != 0).then_some((tpid, tci))
}

fn direction(packet_type: u8) -> Option<Direction> {
    Some(match packet_type {
        libc::PACKET_HOST => Direction::In,
        libc::PACKET_BROADCAST => Direction::Broadcast,
        libc::PACKET_MULTICAST => Direction::Multicast,
        libc::PACKET_OTHERHOST => Direction::Other,
        libc::PACKET_OUTGOING => Direction::Out,
        _ => return None,
    })
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}
