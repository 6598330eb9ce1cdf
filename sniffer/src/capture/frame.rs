//! The frames in a block: safe code over bytes whose offsets are checked, whoever wrote them.
//!
//! The kernel takes the outer VLAN tag out of a frame and tells it beside; here it goes back to its
//! place. Packets of all interfaces at once come without a link header; here they get the cooked
//! one (<https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL2.html>). Both need room before the
//! packet: [`HEADROOM`], which the socket reserves.

use super::ring::BODY_OFFSET;
use libc::{sockaddr_ll, tpacket_block_desc, tpacket_hdr_v1, tpacket_hdr_variant1, tpacket3_hdr};
use std::mem::offset_of;
use summary::{Direction, Timestamp};

/// Bytes to be reserved before each packet: a cooked header and a VLAN tag.
pub(super) const HEADROOM: i32 = 24;

const _: () = assert!(HEADROOM as usize == SLL2_LEN + VLAN_TAG_LEN);

const SLL2_LEN: usize = 20;
const VLAN_TAG_LEN: usize = 4;
/// Both Ethernet addresses: what comes before the tag.
const ADDRESSES_LEN: usize = 12;
/// IEEE 802.1Q, where the kernel does not tell another.
const DEFAULT_TPID: u16 = 0x8100;

/// Behind the frame header: the address, as `recvfrom` would have returned it.
const ADDRESS_OFFSET: usize = size_of::<tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT);
/// The first byte that may belong to a packet.
const MIN_PACKET_OFFSET: usize = ADDRESS_OFFSET + size_of::<sockaddr_ll>();

const _: () = assert!(libc::TPACKET3_HDRLEN == MIN_PACKET_OFFSET);

/// One captured frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) ts: Timestamp,
    /// Captured bytes, from the link header on, VLAN tag put back.
    pub(crate) bytes: &'a [u8],
    /// Bytes on the wire, VLAN tag included.
    pub(crate) wire_len: u32,
    /// Index of the interface that it came through.
    pub(crate) interface_index: u32,
    pub(crate) direction: Option<Direction>,
}

/// Walks the frames of one block.
#[derive(Debug)]
pub(crate) struct Frames<'a> {
    /// The block from [`BODY_OFFSET`] on.
    body: &'a mut [u8],
    /// Where the next frame begins in `body`.
    next: usize,
    left: u32,
    is_cooked: bool,
    snaplen: usize,
}

impl<'a> Frames<'a> {
    /// The frames in the body of a block. `is_cooked`: the packets come without link headers.
    pub(super) fn new(body: &'a mut [u8], is_cooked: bool, snaplen: u32) -> Self {
        let header = offset_of!(tpacket_block_desc, hdr);
        let count = u32_at(body, header + offset_of!(tpacket_hdr_v1, num_pkts) - BODY_OFFSET);
        let first =
            u32_at(body, header + offset_of!(tpacket_hdr_v1, offset_to_first_pkt) - BODY_OFFSET);
        let next = first.and_then(|offset| (offset as usize).checked_sub(BODY_OFFSET));
        Self {
            left: if next.is_some() { count.unwrap_or(0) } else { 0 },
            next: next.unwrap_or(0),
            body,
            is_cooked,
            snaplen: snaplen as usize,
        }
    }

    /// The next frame; `None` at the end, or where an offset leads out of the block.
    pub(crate) fn next_frame(&mut self) -> Option<Frame<'_>> {
        self.left = self.left.checked_sub(1)?;
        let room = self.body.get_mut(self.next..)?;
        let header = Header::read(room)?;
        match header.next_offset {
            0 => self.left = 0,
            offset => self.next = self.next.checked_add(offset)?,
        }
        let mut packet =
            Packet { room, start: header.mac, end: header.mac.checked_add(header.cap)? };
        if packet.start < MIN_PACKET_OFFSET || packet.room.len() < packet.end {
            self.left = 0;
            return None;
        }
        let mut added = 0;
        if self.is_cooked {
            added += packet.put_cooked_header(&header);
        } else if let Some(tag) = header.vlan_tag {
            added += packet.put_vlan_tag(tag);
        }
        let bytes = &packet.room[packet.start..packet.end];
        Some(Frame {
            ts: header.ts,
            bytes: &bytes[..bytes.len().min(self.snaplen)],
            wire_len: header.wire_len.saturating_add(u32::try_from(added).unwrap_or(0)),
            interface_index: header.interface_index,
            direction: header.direction,
        })
    }
}

/// What the kernel says of a frame: `tpacket3_hdr` and `sockaddr_ll`.
struct Header {
    /// From this frame to the next; 0 at the last.
    next_offset: usize,
    ts: Timestamp,
    cap: usize,
    wire_len: u32,
    /// Where the packet begins, counted from this header.
    mac: usize,
    /// Tag protocol identifier and tag control information.
    vlan_tag: Option<(u16, u16)>,
    interface_index: u32,
    direction: Option<Direction>,
    /// EtherType, `ARPHRD_` number and packet type for the cooked header.
    protocol: u16,
    arphrd: u16,
    packet_type: u8,
    address_len: u8,
    address: [u8; 8],
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.get(..MIN_PACKET_OFFSET)?;
        let word = |offset| u32_at(bytes, offset);
        let half = |offset: usize| Some(u16::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?));
        let status = word(offset_of!(tpacket3_hdr, tp_status))?;
        let variant = offset_of!(tpacket3_hdr, hv1);
        let tci = word(variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tci))?;
        let tpid = half(variant + offset_of!(tpacket_hdr_variant1, tp_vlan_tpid))?;
        let has_tpid = status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
        let vlan_tag = (status & libc::TP_STATUS_VLAN_VALID != 0).then(|| {
            let tpid = if has_tpid { tpid } else { DEFAULT_TPID };
            (tpid, u16::try_from(tci & 0xffff).unwrap_or(0))
        });
        let address = |offset| ADDRESS_OFFSET + offset;
        let packet_type = bytes[address(offset_of!(sockaddr_ll, sll_pkttype))];
        Some(Self {
            next_offset: word(offset_of!(tpacket3_hdr, tp_next_offset))? as usize,
            ts: Timestamp::from_parts(
                i64::from(word(offset_of!(tpacket3_hdr, tp_sec))?),
                word(offset_of!(tpacket3_hdr, tp_nsec))?,
            ),
            cap: word(offset_of!(tpacket3_hdr, tp_snaplen))? as usize,
            wire_len: word(offset_of!(tpacket3_hdr, tp_len))?,
            mac: usize::from(half(offset_of!(tpacket3_hdr, tp_mac))?),
            vlan_tag,
            interface_index: word(address(offset_of!(sockaddr_ll, sll_ifindex)))?,
            direction: direction(packet_type),
            protocol: u16::from_be(half(address(offset_of!(sockaddr_ll, sll_protocol)))?),
            arphrd: half(address(offset_of!(sockaddr_ll, sll_hatype)))?,
            packet_type,
            address_len: bytes[address(offset_of!(sockaddr_ll, sll_halen))],
            address: *bytes.get(address(offset_of!(sockaddr_ll, sll_addr))..)?.first_chunk()?,
        })
    }
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

/// The bytes of a packet with the room before them: `start <= end <= room.len()`.
struct Packet<'a> {
    room: &'a mut [u8],
    start: usize,
    end: usize,
}

impl Packet<'_> {
    /// Makes room for `len` bytes before the packet; false where there is none.
    fn grow(&mut self, len: usize) -> bool {
        let has_room = MIN_PACKET_OFFSET + len <= self.start;
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
        let mut protocol = header.protocol;
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
        cooked[4..8].copy_from_slice(&header.interface_index.to_be_bytes());
        cooked[8..10].copy_from_slice(&header.arphrd.to_be_bytes());
        cooked[10] = header.packet_type;
        cooked[11] = header.address_len.min(8);
        cooked[12..20].copy_from_slice(&header.address);
        added + SLL2_LEN
    }
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(offset..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAC: usize = MIN_PACKET_OFFSET + SLL2_LEN + VLAN_TAG_LEN;

    type Tag = Option<(u16, u16)>;

    /// A block's body as the kernel would fill it: each packet with its VLAN tag.
    fn body(packets: &[(&[u8], Tag)]) -> Vec<u8> {
        let mut body = vec![0; 48 - BODY_OFFSET];
        put(&mut body, 12 - BODY_OFFSET, &u32::try_from(packets.len()).unwrap().to_ne_bytes());
        put(&mut body, 16 - BODY_OFFSET, &48u32.to_ne_bytes());
        for (index, (packet, tag)) in packets.iter().enumerate() {
            let start = body.len();
            let len = (MAC + packet.len()).next_multiple_of(8);
            body.resize(start + len, 0);
            let frame = &mut body[start..];
            let next = if index + 1 == packets.len() { 0 } else { u32::try_from(len).unwrap() };
            put(frame, 0, &next.to_ne_bytes());
            put(frame, 4, &7u32.to_ne_bytes());
            put(frame, 8, &9u32.to_ne_bytes());
            put(frame, 12, &u32::try_from(packet.len()).unwrap().to_ne_bytes());
            put(frame, 16, &1500u32.to_ne_bytes());
            put(frame, 24, &u16::try_from(MAC).unwrap().to_ne_bytes());
            if let Some((tpid, tci)) = tag {
                put(
                    frame,
                    20,
                    &(libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID).to_ne_bytes(),
                );
                put(frame, 32, &u32::from(*tci).to_ne_bytes());
                put(frame, 36, &tpid.to_ne_bytes());
            }
            put(frame, 50, &0x0800u16.to_be_bytes());
            put(frame, 52, &3u32.to_ne_bytes());
            frame[58] = libc::PACKET_OUTGOING;
            put(frame, MAC, packet);
        }
        body
    }

    fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
        bytes[at..at + value.len()].copy_from_slice(value);
    }

    fn read(body: &mut [u8], is_cooked: bool, snaplen: u32) -> Vec<(Vec<u8>, u32)> {
        let mut frames = Frames::new(body, is_cooked, snaplen);
        let mut seen = Vec::new();
        while let Some(frame) = frames.next_frame() {
            assert_eq!(frame.ts, Timestamp::from_ns(7_000_000_009));
            assert_eq!((frame.interface_index, frame.direction), (3, Some(Direction::Out)));
            seen.push((frame.bytes.to_vec(), frame.wire_len));
        }
        seen
    }

    const ETHERNET: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0, 0x45];

    #[test]
    fn frames_come_in_order_with_their_lengths() {
        let mut body = body(&[(ETHERNET, None), (&ETHERNET[..14], None), (&[], None)]);
        let expected = [(ETHERNET.to_vec(), 1500), (ETHERNET[..14].to_vec(), 1500), (vec![], 1500)];
        assert_eq!(read(&mut body, false, 9999), expected);
    }

    #[test]
    fn a_stripped_tag_goes_back_behind_the_addresses() {
        let mut body = body(&[(ETHERNET, Some((0x88a8, 0x6064)))]);
        let expected = [&ETHERNET[..12], &[0x88, 0xa8, 0x60, 0x64], &ETHERNET[12..]].concat();
        assert_eq!(read(&mut body, false, 9999), [(expected.clone(), 1504)]);
    }

    #[test]
    fn a_tag_makes_no_frame_longer_than_the_snap_length() {
        let mut body = body(&[(ETHERNET, Some((0x8100, 1)))]);
        let seen = read(&mut body, false, 15);
        assert_eq!((seen[0].0.len(), seen[0].1), (15, 1504));
    }

    #[test]
    fn packets_of_all_interfaces_get_a_cooked_header() {
        let mut body = body(&[(&[0x45, 0], Some((0x8100, 5)))]);
        let mut expected = vec![0x81, 0, 0, 0, 0, 0, 0, 3, 0, 0, libc::PACKET_OUTGOING, 0];
        expected.extend([0; 8]);
        expected.extend([0, 5, 8, 0, 0x45, 0]);
        assert_eq!(read(&mut body, true, 9999), [(expected, 1524)]);
    }

    #[test]
    fn an_offset_out_of_the_block_ends_the_walk() {
        for (at, value) in [(16 - BODY_OFFSET, 3u32), (16 - BODY_OFFSET, u32::MAX)] {
            let mut body = body(&[(ETHERNET, None)]);
            put(&mut body, at, &value.to_ne_bytes());
            assert_eq!(read(&mut body, false, 9999), []);
        }
        let frame = 48 - BODY_OFFSET;
        for (at, value) in [(12, u32::MAX), (12, 4096), (24, 0), (24, 0xffff)] {
            let mut body = body(&[(ETHERNET, None), (ETHERNET, None)]);
            put(&mut body, frame + at, &value.to_ne_bytes());
            assert_eq!(read(&mut body, false, 9999), [], "{at} {value}");
        }
    }

    proptest! {
        /// Whatever the kernel, or a bug, writes into a block: no panic, and the walk ends.
        #[test]
        fn any_block_is_walked_without_panic(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
            first in 0u32..300, offset in 0u32..200, is_cooked: bool,
        ) {
            if 12 < bytes.len() {
                put(&mut bytes, 16 - BODY_OFFSET, &first.to_ne_bytes());
            }
            let frame = (first as usize).saturating_sub(BODY_OFFSET);
            if frame + 28 < bytes.len() {
                put(&mut bytes, frame, &offset.to_ne_bytes());
                put(&mut bytes, frame + 24, &100u16.to_ne_bytes());
            }
            let mut frames = Frames::new(&mut bytes, is_cooked, 100);
            let mut count = 0;
            while frames.next_frame().is_some() {
                count += 1;
                prop_assert!(count <= 600);
            }
        }
    }
}
