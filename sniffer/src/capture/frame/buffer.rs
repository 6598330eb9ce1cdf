//! A packet in the ring with the free space before it, into which headers are inserted in place.

use crate::capture::header::Header;
use summary::LinkType;

/// Size of a cooked header, version 2 (`LINKTYPE_LINUX_SLL2`).
pub(in crate::capture) const SLL2_LEN: usize = 20;
/// Size of a VLAN tag.
pub(super) const VLAN_TAG_LEN: usize = 4;
/// Size of both Ethernet addresses, which precede the tag.
pub(super) const ADDRESSES_LEN: usize = 12;

/// A packet and the bytes around it: `min_start <= start <= end <= buf.len()`.
pub(super) struct PacketBuffer<'a> {
    buf: &'a mut [u8],
    /// Offset of the packet in `buf`.
    start: usize,
    end: usize,
    /// Offset of the first byte that the packet may grow into.
    min_start: usize,
}

impl<'a> PacketBuffer<'a> {
    /// `None` if the offsets are out of order or outside `buf`.
    pub(super) fn new(
        buf: &'a mut [u8],
        start: usize,
        end: usize,
        min_start: usize,
    ) -> Option<Self> {
        let is_valid = min_start <= start && start <= end && end <= buf.len();
        is_valid.then_some(Self { buf, start, end, min_start })
    }

    /// The packet's bytes.
    pub(super) fn into_bytes(self) -> &'a [u8] {
        &self.buf[self.start..self.end]
    }

    /// The `len` bytes before the packet; `None` if there are fewer.
    pub(super) fn before(&self, len: usize) -> Option<&[u8]> {
        let start = self.start.checked_sub(len).filter(|start| self.min_start <= *start)?;
        Some(&self.buf[start..self.start])
    }

    /// Inserts the VLAN tag that the kernel removed, and with `LINUX_SLL2` replaces the link header
    /// by a cooked header. Returns by how many bytes the packet is longer.
    pub(super) fn restore_headers(&mut self, header: &Header, link: LinkType) -> i64 {
        let (added, removed) = if link == LinkType::LINUX_SLL2 {
            let link_len = header.link_len();
            self.start += link_len.min(self.end - self.start);
            (self.prepend_cooked_header(header), link_len)
        } else {
            (header.vlan_tag.map_or(0, |tag| self.insert_vlan_tag(tag)), 0)
        };
        i64::try_from(added).unwrap_or(0) - i64::try_from(removed).unwrap_or(0)
    }

    /// Extends the packet by `len` bytes at its start; false if there is no space.
    fn extend_front(&mut self, len: usize) -> bool {
        let has_space = self.min_start + len <= self.start;
        if has_space {
            self.start -= len;
        }
        has_space
    }

    /// Inserts the tag after the two addresses. Returns by how many bytes the frame is longer.
    fn insert_vlan_tag(&mut self, (tpid, tci): (u16, u16)) -> usize {
        let addresses = self.start..self.start + ADDRESSES_LEN;
        // The frame on the wire had a tag even if the capture is cut before it.
        if self.end < addresses.end || !self.extend_front(VLAN_TAG_LEN) {
            return VLAN_TAG_LEN;
        }
        self.buf.copy_within(addresses, self.start);
        let tag = self.start + ADDRESSES_LEN;
        self.buf[tag..tag + 2].copy_from_slice(&tpid.to_be_bytes());
        self.buf[tag + 2..tag + 4].copy_from_slice(&tci.to_be_bytes());
        VLAN_TAG_LEN
    }

    /// Puts a cooked header before the packet, and the tag between them as in Ethernet: the header's
    /// protocol is the tag's identifier, the tag's protocol is the packet's. Returns the bytes added.
    fn prepend_cooked_header(&mut self, header: &Header) -> usize {
        let address = &header.address;
        let mut protocol = address.protocol;
        let mut added = 0;
        if let Some((tpid, tci)) = header.vlan_tag
            && self.extend_front(VLAN_TAG_LEN)
        {
            let tag = &mut self.buf[self.start..self.start + VLAN_TAG_LEN];
            tag[..2].copy_from_slice(&tci.to_be_bytes());
            tag[2..].copy_from_slice(&protocol.to_be_bytes());
            protocol = tpid;
            added += VLAN_TAG_LEN;
        }
        if !self.extend_front(SLL2_LEN) {
            return added;
        }
        let cooked = &mut self.buf[self.start..self.start + SLL2_LEN];
        cooked[0..2].copy_from_slice(&protocol.to_be_bytes());
        cooked[2..4].fill(0);
        cooked[4..8].copy_from_slice(&address.interface_index.to_be_bytes());
        cooked[8..10].copy_from_slice(&address.arphrd.to_be_bytes());
        cooked[10] = address.packet_type;
        cooked[11] = address.hardware_len.min(8);
        cooked[12..20].copy_from_slice(&address.hardware);
        added + SLL2_LEN
    }
}
