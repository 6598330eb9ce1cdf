//! The header of a frame in the ring: TPACKET version 2 or 3, followed by the packet's address
//! (linux/if_packet.h).

use libc::{sockaddr_ll, tpacket_hdr_variant1, tpacket2_hdr, tpacket3_hdr};
use std::mem::offset_of;
use summary::{Direction, Timestamp};

/// Offset of the `sockaddr_ll` after a header of version 3.
const ADDRESS_OFFSET_V3: usize =
    size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// The same for version 2.
const ADDRESS_OFFSET_V2: usize =
    size_of::<tpacket2_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// Smallest offset of packet bytes, counted from a header of version 3.
pub(super) const MIN_PACKET_OFFSET_V3: usize = ADDRESS_OFFSET_V3 + size_of::<sockaddr_ll>();
/// The same for version 2.
pub(super) const MIN_PACKET_OFFSET_V2: usize = ADDRESS_OFFSET_V2 + size_of::<sockaddr_ll>();

const _: () = assert!(libc::TPACKET3_HDRLEN == MIN_PACKET_OFFSET_V3);
const _: () = assert!(libc::TPACKET2_HDRLEN == MIN_PACKET_OFFSET_V2);

/// Size of the status word that a header of version 2 begins with. The ring reads it.
pub(super) const STATUS_LEN_V2: usize = size_of::<u32>();

const _: () = assert!(offset_of!(tpacket2_hdr, tp_status) == 0);

/// Size of an Ethernet header: two addresses and the EtherType.
const ETHERNET_LEN: usize = 14;

/// Tag protocol identifier of IEEE 802.1Q, used if the kernel reports none.
const DEFAULT_TPID: u16 = 0x8100;

/// The header of a frame.
pub(super) struct Header {
    /// `TP_STATUS_` bits.
    pub(super) status: u32,
    /// Offset from this header to the next; 0 in the last one.
    pub(super) next_offset: usize,
    pub(super) ts: Timestamp,
    /// Captured bytes.
    pub(super) cap_len: usize,
    /// Bytes on the wire.
    pub(super) wire_len: u32,
    /// Offset of the packet from this header.
    pub(super) mac_offset: usize,
    /// Offset of the packet's network header from this header.
    pub(super) net_offset: usize,
    /// Tag protocol identifier and tag control information.
    pub(super) vlan_tag: Option<(u16, u16)>,
    pub(super) address: Address,
}

/// Where a packet came from: `struct sockaddr_ll`.
pub(super) struct Address {
    pub(super) interface_index: u32,
    pub(super) direction: Option<Direction>,
    /// EtherType.
    pub(super) protocol: u16,
    /// Hardware type: `ARPHRD_` number.
    pub(super) arphrd: u16,
    /// `PACKET_HOST`, `PACKET_OUTGOING`, …
    pub(super) packet_type: u8,
    /// Hardware address of the sender; the first `hardware_len` bytes are valid.
    pub(super) hardware: [u8; 8],
    pub(super) hardware_len: u8,
}

impl Header {
    /// Reads a header of version 3 from the start of `bytes`; `None` if they are too short.
    pub(super) fn read_v3(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; MIN_PACKET_OFFSET_V3] = bytes.first_chunk()?;
        let u32_at = |offset| read_u32(bytes, offset);
        let status = u32_at(offset_of!(tpacket3_hdr, tp_status))?;
        let variant = offset_of!(tpacket3_hdr, hv1);
        let tci = u32_at(variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))?;
        let tpid = read_u16(bytes, variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?;
        Some(Self {
            status,
            next_offset: u32_at(offset_of!(tpacket3_hdr, tp_next_offset))? as usize,
            ts: Timestamp::from_parts(
                i64::from(u32_at(offset_of!(tpacket3_hdr, tp_sec))?),
                u32_at(offset_of!(tpacket3_hdr, tp_nsec))?,
            ),
            cap_len: u32_at(offset_of!(tpacket3_hdr, tp_snaplen))? as usize,
            wire_len: u32_at(offset_of!(tpacket3_hdr, tp_len))?,
            mac_offset: usize::from(read_u16(bytes, offset_of!(tpacket3_hdr, tp_mac))?),
            net_offset: usize::from(read_u16(bytes, offset_of!(tpacket3_hdr, tp_net))?),
            vlan_tag: vlan_tag(status, u16::try_from(tci & 0xffff).unwrap_or(0), tpid),
            address: Address::read(bytes.get(ADDRESS_OFFSET_V3..)?)?,
        })
    }

    /// Reads the rest of a header of version 2 after its status word; `None` if `bytes` is too
    /// short.
    pub(super) fn read_v2(bytes: &[u8], status: u32) -> Option<Self> {
        let bytes: &[u8; MIN_PACKET_OFFSET_V2 - STATUS_LEN_V2] = bytes.first_chunk()?;
        let u32_at = |offset| read_u32(bytes, offset - STATUS_LEN_V2);
        let u16_at = |offset| read_u16(bytes, offset - STATUS_LEN_V2);
        let tci = u16_at(offset_of!(tpacket2_hdr, tp_vlan_tci))?;
        let tpid = u16_at(offset_of!(tpacket2_hdr, tp_vlan_tpid))?;
        Some(Self {
            status,
            next_offset: 0,
            ts: Timestamp::from_parts(
                i64::from(u32_at(offset_of!(tpacket2_hdr, tp_sec))?),
                u32_at(offset_of!(tpacket2_hdr, tp_nsec))?,
            ),
            cap_len: u32_at(offset_of!(tpacket2_hdr, tp_snaplen))? as usize,
            wire_len: u32_at(offset_of!(tpacket2_hdr, tp_len))?,
            mac_offset: usize::from(u16_at(offset_of!(tpacket2_hdr, tp_mac))?),
            net_offset: usize::from(u16_at(offset_of!(tpacket2_hdr, tp_net))?),
            vlan_tag: vlan_tag(status, tci, tpid),
            address: Address::read(bytes.get(ADDRESS_OFFSET_V2 - STATUS_LEN_V2..)?)?,
        })
    }

    /// Size of the link header in bytes, without VLAN tags that the kernel left in the frame but
    /// counts as part of the header.
    pub(super) fn link_len(&self) -> usize {
        let len = self.net_offset.saturating_sub(self.mac_offset);
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
            interface_index: read_u32(bytes, offset_of!(sockaddr_ll, sll_ifindex))?,
            direction: direction(packet_type),
            protocol: u16::from_be(read_u16(bytes, offset_of!(sockaddr_ll, sll_protocol))?),
            arphrd: read_u16(bytes, offset_of!(sockaddr_ll, sll_hatype))?,
            packet_type,
            hardware: *bytes.get(offset_of!(sockaddr_ll, sll_addr)..)?.first_chunk()?,
            hardware_len: bytes[offset_of!(sockaddr_ll, sll_halen)],
        })
    }
}

/// Tag protocol identifier and tag control information, if the frame had a tag.
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

pub(super) fn read_u32(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn read_u16(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}
