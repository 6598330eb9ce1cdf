//! Iterates over the frames in a unit of the ring. Safe code: every offset is checked,
//! including those that the kernel wrote.
//!
//! Restores what the kernel removed from a frame. It reports the outer VLAN tag in the header of the
//! frame; the tag goes back into the packet. Packets of the interface `any` get a cooked header
//! instead of their link header (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>).
//! Both need free space before the packet: [`HEADROOM`], which the socket reserves.

mod buffer;

use super::geometry::Version;
use super::header::{self, Header, MIN_PACKET_OFFSET_V2, MIN_PACKET_OFFSET_V3, STATUS_LEN_V2};
use super::ring::BODY_OFFSET_V3;
use super::virtio;
use crate::interfaces;
use buffer::{ADDRESSES_LEN, PacketBuffer, VLAN_TAG_LEN};
use filter::{Metadata, Program};
use libc::{tpacket_block_desc, tpacket_hdr_v1};
use std::mem::offset_of;
use summary::{Direction, Gso, LinkType, Timestamp};

pub(super) use buffer::SLL2_LEN;

/// Bytes to reserve before each packet (`PACKET_RESERVE`): a cooked header and a VLAN tag.
pub(super) const HEADROOM: i32 = 24;

const _: () = assert!(HEADROOM as usize == SLL2_LEN + VLAN_TAG_LEN);

/// Most bytes that a slot of version 2 holds besides the packet: header, address and headroom. The
/// kernel also reserves 16 bytes for a link header, and aligns (`tpacket_rcv` in
/// net/packet/af_packet.c).
pub(super) const MAX_OVERHEAD_V2: usize =
    MIN_PACKET_OFFSET_V2 + HEADROOM as usize + virtio::HEADER_LEN + 16 + libc::TPACKET_ALIGNMENT;

/// One captured frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) ts: Timestamp,
    /// Link type of `bytes`.
    pub(crate) link: LinkType,
    /// Captured bytes from the link header on, VLAN tag included.
    pub(crate) bytes: &'a [u8],
    /// Bytes on the wire, VLAN tag included.
    pub(crate) wire_len: u32,
    /// Kernel index of the interface that the frame passed.
    pub(crate) interface_index: u32,
    pub(crate) direction: Option<Direction>,
    pub(crate) gso: Option<Gso>,
    /// Whether the filter accepts the frame. Always true if the kernel runs the filter.
    pub(crate) is_accepted: bool,
}

/// How a socket lays out packets in its ring.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameLayout {
    pub(super) version: Version,
    /// Link type of frames whose interface type is unknown. With `LINUX_SLL2`, each packet gets a
    /// cooked header.
    pub(super) link: LinkType,
    /// Whether a virtio header precedes each packet.
    pub(super) has_virtio: bool,
    /// Bytes to keep of each packet.
    pub(super) snaplen: u32,
}

/// The frames of one unit.
#[derive(Debug)]
pub(crate) struct Frames<'a> {
    /// The bytes after the unit's status word.
    body: &'a mut [u8],
    /// The unit's status word.
    status: u32,
    /// Offset of the next header in `body`.
    next: usize,
    /// Frames not yet returned.
    remaining: u32,
    layout: FrameLayout,
    /// The filter, if the kernel does not run it.
    filter: Option<&'a Program>,
}

impl<'a> Frames<'a> {
    /// The frames in the body of a unit with the status word `status`.
    pub(super) fn new(
        body: &'a mut [u8],
        status: u32,
        layout: FrameLayout,
        filter: Option<&'a Program>,
    ) -> Self {
        let (remaining, next) = match layout.version {
            Version::V2 => (1, 0),
            Version::V3 => {
                let block_header = offset_of!(tpacket_block_desc, hdr);
                let u32_at =
                    |offset| header::read_u32(body, block_header + offset - BODY_OFFSET_V3);
                let count = u32_at(offset_of!(tpacket_hdr_v1, num_pkts));
                let first = u32_at(offset_of!(tpacket_hdr_v1, offset_to_first_pkt));
                let next = first.and_then(|offset| (offset as usize).checked_sub(BODY_OFFSET_V3));
                next.map_or((0, 0), |next| (count.unwrap_or(0), next))
            }
        };
        Self { body, status, next, remaining, layout, filter }
    }

    /// Whether the kernel had dropped packets, not yet read from its counters, when it handed over
    /// the unit.
    ///
    /// The kernel sets `TP_STATUS_LOSING` in the status word of a block (version 3,
    /// `prb_close_block`) or a slot (version 2, `tpacket_rcv`), but never in the header of a frame
    /// in a block.
    pub(crate) fn has_losses(&self) -> bool {
        self.status & libc::TP_STATUS_LOSING != 0
    }

    /// The next frame; `None` at the end, or if an offset points outside the unit.
    pub(crate) fn next_frame(&mut self) -> Option<Frame<'_>> {
        let (header_offset, header) = self.next_filled_header()?;
        // A body of version 2 begins after the status word, which header offsets include.
        let (body_offset, min_start) = match self.layout.version {
            Version::V3 => (0, MIN_PACKET_OFFSET_V3),
            Version::V2 => (STATUS_LEN_V2, MIN_PACKET_OFFSET_V2 - STATUS_LEN_V2),
        };
        let buf = self.body.get_mut(header_offset..)?;
        let start = header.mac_offset.checked_sub(body_offset)?;
        let Some(mut packet) =
            PacketBuffer::new(buf, start, start.checked_add(header.cap_len)?, min_start)
        else {
            self.remaining = 0;
            return None;
        };
        let gso = if self.layout.has_virtio {
            packet.before(virtio::HEADER_LEN).and_then(virtio::gso)
        } else {
            None
        };
        let added = packet.restore_headers(&header, self.layout.link);
        let wire_len = u32::try_from((i64::from(header.wire_len) + added).max(0));
        let wire_len = wire_len.unwrap_or(u32::MAX);
        let bytes = packet.into_bytes();
        let link = link_type(&header, bytes, self.layout.link);
        let is_accepted =
            self.filter.is_none_or(|filter| is_accepted(filter, bytes, wire_len, &header, link));
        Some(Frame {
            ts: header.ts,
            link,
            bytes: &bytes[..bytes.len().min(self.layout.snaplen as usize)],
            wire_len,
            interface_index: header.address.interface_index,
            direction: header.address.direction,
            gso,
            is_accepted,
        })
    }

    /// The next header whose frame the kernel filled, and its offset in the body.
    fn next_filled_header(&mut self) -> Option<(usize, Header)> {
        loop {
            self.remaining = self.remaining.checked_sub(1)?;
            let offset = self.next;
            let header = match self.layout.version {
                Version::V3 => Header::read_v3(self.body.get(offset..)?)?,
                Version::V2 => Header::read_v2(self.body, self.status)?,
            };
            match header.next_offset {
                0 => self.remaining = 0,
                next_offset => self.next = offset.checked_add(next_offset)?,
            }
            // The kernel reserves space in a block before it copies the packet. If copying fails, it
            // counts the frame as dropped (`tpacket_rcv`).
            if header.status & libc::TP_STATUS_USER != 0 {
                return Some((offset, header));
            }
        }
    }
}

/// Runs a filter on a packet as the kernel would: the VLAN tag is metadata, not part of the bytes.
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
        Some(untagged) => {
            let tag_len = u32::try_from(bytes.len() - untagged.len()).unwrap_or(0);
            filter::run(filter, &untagged, wire_len.saturating_sub(tag_len), &metadata) != 0
        }
        None => filter::run(filter, bytes, wire_len, &metadata) != 0,
    }
}

/// A copy of a packet without its outermost tag; `None` if the packet is cut before the tag's end.
fn without_tag(bytes: &[u8], link: LinkType) -> Option<Vec<u8>> {
    if link == LinkType::LINUX_SLL2 {
        // The protocol in the tag moves to the start of the cooked header.
        let tag = bytes.get(SLL2_LEN..SLL2_LEN + VLAN_TAG_LEN)?;
        return Some([&tag[2..], &bytes[2..SLL2_LEN], &bytes[SLL2_LEN + VLAN_TAG_LEN..]].concat());
    }
    let after_tag = bytes.get(ADDRESSES_LEN + VLAN_TAG_LEN..)?;
    Some([&bytes[..ADDRESSES_LEN], after_tag].concat())
}

/// The link type of a packet. Its interface may differ from the one that the capture was opened on.
fn link_type(header: &Header, bytes: &[u8], opened: LinkType) -> LinkType {
    if opened == LinkType::LINUX_SLL2 {
        return opened;
    }
    let arphrd = header.address.arphrd;
    // Most PPP drivers deliver packets without a PPP header, but not all.
    let is_ip = bytes.first().is_none_or(|first| matches!(first >> 4, 4 | 6));
    if arphrd == libc::ARPHRD_PPP && !is_ip {
        return LinkType::PPP;
    }
    interfaces::link_type(arphrd).unwrap_or(opened)
}

#[cfg(test)]
mod tests;
