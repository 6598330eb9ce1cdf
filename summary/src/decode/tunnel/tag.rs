//! Headers that have an EtherType, and are followed by another EtherType or by a frame.

use super::{Content, Extent, Header, Tunnel, u24};
use crate::TunnelKind;

/// Version, flags, length of the options in words and hop count (16 bits), egress, ingress.
pub(super) fn trill(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Version and reserved bits.
    const MUST_BE_ZERO: u16 = 0xf000;
    let first = packet.u16_at(0)?;
    (first & MUST_BE_ZERO == 0).then_some(Tunnel {
        kind: TunnelKind::Trill,
        id: None,
        packet,
        header_len: 6 + usize::from(first >> 6 & 0x1f) * 4,
        header: Header::OfKind,
        content: Content::Ethernet,
    })
}

/// Priority and flags, service instance; then a frame (IEEE 802.1Q-2018, 9.7).
pub(super) fn pbb(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Reserved: not understood by its receivers.
    const RESERVED: u8 = 0x03;
    let &[first, i0, i1, i2] = packet.bytes().first_chunk()?;
    (first & RESERVED == 0).then_some(Tunnel {
        kind: TunnelKind::Pbb,
        id: Some(u24([i0, i1, i2])),
        packet,
        header_len: 4,
        header: Header::OfKind,
        content: Content::Ethernet,
    })
}

/// A header that ends with an EtherType or an IEEE 802.3 length.
fn tag(
    kind: TunnelKind,
    id: Option<u32>,
    packet: Extent<'_>,
    header_len: usize,
) -> Option<Tunnel<'_>> {
    let content = Content::EtherType(packet.u16_at(header_len - 2)?);
    Some(Tunnel { kind, id, packet, header_len, header: Header::OfKind, content })
}

/// Forwarding tag (10 bits), time to live; then a frame.
pub(super) fn fabric_path(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    Some(Tunnel {
        kind: TunnelKind::FabricPath,
        id: Some(u32::from(packet.u16_at(0)? >> 6)),
        packet,
        header_len: 2,
        header: Header::OfKind,
        content: Content::Ethernet,
    })
}

/// Version and flags, time to live, length in words (16 bits); type of the metadata, next protocol; service
/// path, index; metadata (RFC 8300, section 2).
pub(super) fn nsh(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const VERSION: u8 = 0xc0;
    const LEN: u8 = 0x3f;
    const MIN_LEN: usize = 8;
    const FIXED_METADATA_LEN: usize = 24;
    let &[first, len, kind, next, p0, p1, p2, _] = packet.bytes().first_chunk()?;
    let header_len = usize::from(len & LEN) * 4;
    let content = Content::of_next_protocol(next)?;
    let is_len_right = match kind & 0xf {
        1 => header_len == FIXED_METADATA_LEN,
        2 => MIN_LEN <= header_len,
        _ => false,
    };
    (first & VERSION == 0 && is_len_right).then_some(Tunnel {
        kind: TunnelKind::Nsh,
        id: Some(u24([p0, p1, p2])),
        packet,
        header_len,
        header: Header::OfKind,
        content,
    })
}

/// Version, length, option type and security group tag (packet-cisco-metadata.c of Wireshark).
pub(super) fn cmd(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const VERSION_AND_LEN: u16 = 0x0101;
    let group = packet.u16_at(4)?;
    let is_valid = packet.u16_at(0)? == VERSION_AND_LEN && packet.u16_at(2)? & 0xfff == 1;
    let id = Some(u32::from(group));
    if is_valid { tag(TunnelKind::Cmd, id, packet, 8) } else { None }
}

/// Direction, pointer and destination; looped, reserved, version and source.
pub(super) fn vn_tag(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    /// Reserved bit and version.
    const MUST_BE_ZERO: u16 = 0x7000;
    let is_valid = packet.u16_at(2)? & MUST_BE_ZERO == 0;
    if is_valid { tag(TunnelKind::VnTag, None, packet, 6) } else { None }
}

/// Priority and ingress channel; reserved, group and channel; extensions of both channels.
pub(super) fn e_tag(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const RESERVED: u16 = 0xc000;
    let channel = packet.u16_at(2)?;
    let extension = *packet.bytes().get(5)?;
    let id = u32::from(extension) << 14 | u32::from(channel & !RESERVED);
    let is_valid = channel & RESERVED == 0;
    if is_valid { tag(TunnelKind::ETag, Some(id), packet, 8) } else { None }
}
