//! Frames and packets that prove themselves, where no header announces them.

use super::Extent;

/// Ethernet (IEEE 802.3): two addresses, then EtherTypes, of which up to two are those of tags.
const MAC_ADDRESSES_LEN: usize = 12;
const MAX_TAGS_END: usize = MAC_ADDRESSES_LEN + 8;
const VLAN_TYPES: [u16; 2] = [0x8100, 0x88a8];
/// Shortest frame, which may have padding: without its checksum, with two tags.
const MIN_FRAME_LEN: usize = 68;

/// Length of the header of an Ethernet frame that contains IP or ARP, with up to two tags.
pub(super) fn frame_header_len(frame: Extent<'_>) -> Option<usize> {
    let mut len = MAC_ADDRESSES_LEN;
    while len < MAX_TAGS_END && frame.u16_at(len).is_some_and(|kind| VLAN_TYPES.contains(&kind)) {
        len += 4;
    }
    let payload = frame.after(len + 2);
    let is_valid = match frame.u16_at(len)? {
        0x0800 => is_ipv4(payload.limited_to(payload.u16_at(2)?.into())),
        0x86dd if frame.wire_len() <= MIN_FRAME_LEN => {
            is_ipv6(payload.limited_to(40 + usize::from(payload.u16_at(4)?)))
        }
        0x86dd => is_ipv6(payload),
        0x0806 => is_arp(payload),
        _ => false,
    };
    is_valid.then_some(len + 2)
}

/// Whether an IPv4 packet has these bytes and no others: by version, lengths and checksum.
pub(super) fn is_ipv4(packet: Extent<'_>) -> bool {
    let Some(first) = packet.bytes().first() else { return false };
    let header_len = usize::from(first & 0xf) * 4;
    let Some(header) = packet.bytes().get(..header_len) else { return false };
    let (words, _) = header.as_chunks();
    let sum: u32 = words.iter().map(|word| u32::from(u16::from_be_bytes(*word))).sum();
    first >> 4 == 4
        && 20 <= header_len
        && packet.u16_at(2).map(usize::from) == Some(packet.wire_len())
        && sum.is_multiple_of(0xffff)
}

/// Whether an IPv6 packet has these bytes and no others: by version and length.
pub(super) fn is_ipv6(packet: Extent<'_>) -> bool {
    let len = packet.u16_at(4).map(|len| 40 + usize::from(len));
    packet.bytes().first().is_some_and(|first| first >> 4 == 6) && len == Some(packet.wire_len())
}

/// Whether it is a request or a response for IPv4 over Ethernet (RFC 826).
fn is_arp(packet: Extent<'_>) -> bool {
    const LEN: usize = 28;
    let is_valid = matches!(packet.bytes(), [0, 1, 8, 0, 6, 4, 0, 1..=9, ..]);
    is_valid && LEN <= packet.wire_len()
}
