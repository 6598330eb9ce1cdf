//! The frames in a block: safe code over bytes whose offsets are checked, whoever wrote them.
//!
//! The kernel takes the outer VLAN tag out of a frame and tells it beside; here it goes back to its
//! place. Packets of all interfaces at once get the cooked header instead of their link headers
//! (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>). Both need room before the
//! packet: [`HEADROOM`], which the socket reserves.

use super::geometry::Version;
use super::header::{
    self, Header, MIN_PACKET_OFFSET_V2, MIN_PACKET_OFFSET_V3, STATUS_LEN_V2, VIRTIO_LEN,
};
use super::ring::BODY_OFFSET_V3;
use crate::interfaces;
use filter::{Metadata, Program};
use libc::{tpacket_block_desc, tpacket_hdr_v1};
use std::mem::offset_of;
use summary::{Direction, Gso, LinkType, Timestamp};

/// Bytes to be reserved before each packet: a cooked header and a VLAN tag.
pub(super) const HEADROOM: i32 = 24;

const _: () = assert!(HEADROOM as usize == SLL2_LEN + VLAN_TAG_LEN);

/// What a slot of version 2 has besides a packet: header, address, and room before the packet. The
/// kernel keeps 16 bytes for a link header, and aligns (`tpacket_rcv` in net/packet/af_packet.c).
pub(super) const MAX_OVERHEAD_V2: usize =
    MIN_PACKET_OFFSET_V2 + HEADROOM as usize + VIRTIO_LEN + 16 + libc::TPACKET_ALIGNMENT;

pub(super) const SLL2_LEN: usize = 20;
const VLAN_TAG_LEN: usize = 4;
/// Both Ethernet addresses: what comes before the tag.
const ADDRESSES_LEN: usize = 12;

/// One captured frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) ts: Timestamp,
    /// What the first bytes are.
    pub(crate) link: LinkType,
    /// Captured bytes, from the link header on, VLAN tag put back.
    pub(crate) bytes: &'a [u8],
    /// Bytes on the wire, VLAN tag included.
    pub(crate) wire_len: u32,
    /// Index of the interface that it came through.
    pub(crate) interface_index: u32,
    pub(crate) direction: Option<Direction>,
    pub(crate) gso: Option<Gso>,
    /// Whether the filter takes it, where it is asked here and not in the kernel.
    pub(crate) is_accepted: bool,
}

/// How the packets of a socket lie in its ring, and what is to be made of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) version: Version,
    /// What a frame begins with whose interface's type has no link type here; `LINUX_SLL2` puts
    /// the cooked header before each packet.
    pub(super) link: LinkType,
    /// Whether virtio's header is before each packet.
    pub(super) has_virtio: bool,
    /// Most bytes kept of a packet.
    pub(super) snaplen: u32,
}

/// Walks the frames of one block.
#[derive(Debug)]
pub(crate) struct Frames<'a> {
    /// What is behind the block's status word.
    body: &'a mut [u8],
    /// The block's status word.
    status: u32,
    /// Where the next frame begins in `body`.
    next: usize,
    left: u32,
    shape: Shape,
    has_losses: bool,
    filter: Option<&'a Program>,
}

impl<'a> Frames<'a> {
    /// The frames in the body of a block of that status.
    pub(super) fn new(
        body: &'a mut [u8],
        status: u32,
        shape: Shape,
        filter: Option<&'a Program>,
    ) -> Self {
        let (left, next) = match shape.version {
            // A block is one frame.
            Version::V2 => (1, 0),
            Version::V3 => {
                let header = offset_of!(tpacket_block_desc, hdr);
                let word = |offset| header::u32_at(body, header + offset - BODY_OFFSET_V3);
                let count = word(offset_of!(tpacket_hdr_v1, num_pkts));
                let first = word(offset_of!(tpacket_hdr_v1, offset_to_first_pkt));
                let next = first.and_then(|offset| (offset as usize).checked_sub(BODY_OFFSET_V3));
                next.map_or((0, 0), |next| (count.unwrap_or(0), next))
            }
        };
        Self { body, status, next, left, shape, has_losses: false, filter }
    }

    /// Whether the kernel had dropped packets before one of the frames seen so far, and its counters
    /// were not read since.
    pub(crate) fn has_losses(&self) -> bool {
        self.has_losses
    }

    /// The next frame; `None` at the end, or where an offset leads out of the block.
    pub(crate) fn next_frame(&mut self) -> Option<Frame<'_>> {
        let header = loop {
            self.left = self.left.checked_sub(1)?;
            let header = match self.shape.version {
                Version::V3 => Header::read_v3(self.body.get(self.next..)?)?,
                Version::V2 => Header::read_v2(self.body, self.status)?,
            };
            // The kernel gives a frame its place before it knows whether it can fill it; one that it
            // could not is counted as dropped (`tpacket_rcv` in net/packet/af_packet.c).
            if header.status & libc::TP_STATUS_USER != 0 {
                break header;
            }
            match header.next_offset {
                0 => self.left = 0,
                offset => self.next = self.next.checked_add(offset)?,
            }
        };
        self.has_losses |= header.status & libc::TP_STATUS_LOSING != 0;
        // What is before the body belongs to the header of version 2.
        let (room_start, before) = match self.shape.version {
            Version::V3 => (self.next, 0),
            Version::V2 => (0, STATUS_LEN_V2),
        };
        match header.next_offset {
            0 => self.left = 0,
            offset => self.next = self.next.checked_add(offset)?,
        }
        let min = match self.shape.version {
            Version::V3 => MIN_PACKET_OFFSET_V3,
            Version::V2 => MIN_PACKET_OFFSET_V2 - STATUS_LEN_V2,
        };
        let room = self.body.get_mut(room_start..)?;
        let start = header.mac.checked_sub(before)?;
        let mut packet = Packet { room, start, end: start.checked_add(header.cap)?, min };
        if packet.start < min || packet.room.len() < packet.end {
            self.left = 0;
            return None;
        }
        let gso = self.shape.has_virtio.then(|| packet.gso()).flatten();
        let wire_len = i64::from(header.wire_len) + packet.dress(&header, self.shape.link);
        let bytes = &packet.room[packet.start..packet.end];
        let link = link(&header, bytes, self.shape.link);
        let wire_len = u32::try_from(wire_len.max(0)).unwrap_or(u32::MAX);
        let is_accepted =
            self.filter.is_none_or(|filter| is_accepted(filter, bytes, wire_len, &header, link));
        Some(Frame {
            ts: header.ts,
            link,
            bytes: &bytes[..bytes.len().min(self.shape.snaplen as usize)],
            wire_len,
            interface_index: header.address.interface_index,
            direction: header.address.direction,
            gso,
            is_accepted,
        })
    }
}

/// Runs a filter over a packet as the kernel would: without the VLAN tag that is back in its place, which
/// is told beside.
fn is_accepted(
    filter: &Program,
    bytes: &[u8],
    wire_len: u32,
    header: &Header,
    link: LinkType,
) -> bool {
    let address = &header.address;
    let packet_type = match address.direction {
        Some(Direction::Out) => libc::PACKET_OUTGOING,
        _ => libc::PACKET_HOST,
    };
    let metadata = Metadata {
        protocol: address.protocol,
        packet_type,
        interface_index: address.interface_index,
        vlan: header.vlan_tag,
    };
    match header.vlan_tag.and_then(|_| without_tag(bytes, link)) {
        Some(kept) => {
            let taken = u32::try_from(bytes.len() - kept.len()).unwrap_or(0);
            filter::run(filter, &kept, wire_len.saturating_sub(taken), &metadata) != 0
        }
        None => filter::run(filter, bytes, wire_len, &metadata) != 0,
    }
}

/// A packet without its outermost tag; `None` where it was cut before that.
fn without_tag(bytes: &[u8], link: LinkType) -> Option<Vec<u8>> {
    if link == LinkType::LINUX_SLL2 {
        // The protocol behind the tag goes back to the header's beginning.
        let tag = bytes.get(SLL2_LEN..SLL2_LEN + VLAN_TAG_LEN)?;
        return Some([&tag[2..], &bytes[2..SLL2_LEN], &bytes[SLL2_LEN + VLAN_TAG_LEN..]].concat());
    }
    let behind = bytes.get(ADDRESSES_LEN + VLAN_TAG_LEN..)?;
    Some([&bytes[..ADDRESSES_LEN], behind].concat())
}

/// What the frame begins with: its interface may be another than the capture was opened for.
fn link(header: &Header, bytes: &[u8], opened: LinkType) -> LinkType {
    if opened == LinkType::LINUX_SLL2 {
        return opened;
    }
    let arphrd = header.address.arphrd;
    // Linux hands over PPP's packets without their header mostly, but not by every driver.
    let is_ip = bytes.first().is_none_or(|first| matches!(first >> 4, 4 | 6));
    if arphrd == libc::ARPHRD_PPP && !is_ip {
        return LinkType::PPP;
    }
    interfaces::link_type(arphrd).unwrap_or(opened)
}

/// The bytes of a packet with the room before them: `min <= start <= end <= room.len()`.
struct Packet<'a> {
    room: &'a mut [u8],
    start: usize,
    end: usize,
    /// The first byte of the room that may belong to a packet.
    min: usize,
}

impl Packet<'_> {
    /// What virtio's header before the packet says.
    fn gso(&self) -> Option<Gso> {
        let start = self.start.checked_sub(VIRTIO_LEN).filter(|start| self.min <= *start)?;
        header::gso(&self.room[start..self.start])
    }

    /// Puts back what the kernel took out, and the cooked header where that is wanted. Returns how
    /// many bytes longer the packet is.
    fn dress(&mut self, header: &Header, link: LinkType) -> i64 {
        let lengthened = if link == LinkType::LINUX_SLL2 {
            let link_len = header.link_len();
            self.start += link_len.min(self.end - self.start);
            (self.put_cooked_header(header), link_len)
        } else {
            (header.vlan_tag.map_or(0, |tag| self.put_vlan_tag(tag)), 0)
        };
        let [added, taken] =
            [lengthened.0, lengthened.1].map(|len| i64::try_from(len).unwrap_or(0));
        added - taken
    }

    /// Makes room for `len` bytes before the packet; false where there is none.
    fn grow(&mut self, len: usize) -> bool {
        let has_room = self.min + len <= self.start;
        if has_room {
            self.start -= len;
        }
        has_room
    }

    /// Puts the tag behind the two addresses. Returns how many bytes longer the frame is.
    fn put_vlan_tag(&mut self, (tpid, tci): (u16, u16)) -> usize {
        let addresses = self.start..self.start + ADDRESSES_LEN;
        // Where the capture was cut before the tag, the wire had it all the same.
        if self.end < addresses.end || !self.grow(VLAN_TAG_LEN) {
            return VLAN_TAG_LEN;
        }
        self.room.copy_within(addresses, self.start);
        let tag = self.start + ADDRESSES_LEN;
        self.room[tag..tag + 2].copy_from_slice(&tpid.to_be_bytes());
        self.room[tag + 2..tag + 4].copy_from_slice(&tci.to_be_bytes());
        VLAN_TAG_LEN
    }

    /// Puts a cooked header before the packet, and the tag between them as Ethernet would have it:
    /// the header's protocol is the tag's, the tag's is the packet's.
    fn put_cooked_header(&mut self, header: &Header) -> usize {
        let address = &header.address;
        let mut protocol = address.protocol;
        let mut added = 0;
        if let Some((tpid, tci)) = header.vlan_tag
            && self.grow(VLAN_TAG_LEN)
        {
            let tag = &mut self.room[self.start..self.start + VLAN_TAG_LEN];
            tag[..2].copy_from_slice(&tci.to_be_bytes());
            tag[2..].copy_from_slice(&protocol.to_be_bytes());
            protocol = tpid;
            added += VLAN_TAG_LEN;
        }
        if !self.grow(SLL2_LEN) {
            return added;
        }
        let cooked = &mut self.room[self.start..self.start + SLL2_LEN];
        cooked[0..2].copy_from_slice(&protocol.to_be_bytes());
        cooked[2..4].fill(0);
        cooked[4..8].copy_from_slice(&address.interface_index.to_be_bytes());
        cooked[8..10].copy_from_slice(&address.arphrd.to_be_bytes());
        cooked[10] = address.packet_type;
        cooked[11] = address.bytes_len.min(8);
        cooked[12..20].copy_from_slice(&address.bytes);
        added + SLL2_LEN
    }
}

#[cfg(test)]
mod tests;
