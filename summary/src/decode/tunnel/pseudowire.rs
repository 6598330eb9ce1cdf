//! Ethernet frames after MPLS labels (RFC 4448), and labels in UDP (RFC 7510).
//!
//! The labels do not tell what follows them: both ends agree on it. A frame is entered if its bytes prove it.

use super::proof::{frame_header_len, is_ipv4, is_ipv6};
use super::{Content, Extent, Header, Tunnel};
use crate::TunnelKind;

/// Label, traffic class, bottom-of-stack flag, time to live.
const ENTRY_LEN: usize = 4;
/// The bottom-of-stack flag in the third byte.
const BOTTOM_OF_STACK: u8 = 1;

/// The frame after the last label, with a control word or without one.
pub(super) fn ethernet(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    const CONTROL_LEN: usize = 4;
    let &[first, bits, ..] = packet.bytes().first_chunk::<CONTROL_LEN>()?;
    // Four zeros, flags and fragmentation bits, which are not used, and the length of a short frame.
    let (is_control, len) = (first == 0 && bits & 0xc0 == 0, usize::from(bits & 0x3f));
    let is_len_right = len == 0 || len == packet.wire_len();
    let header_len = [CONTROL_LEN, 0].into_iter().find(|header_len| {
        let is_possible = *header_len == 0 || is_control && is_len_right;
        is_possible && frame_header_len(packet.after(*header_len)).is_some()
    })?;
    let (kind, content) = (TunnelKind::Ethernet, Content::Ethernet);
    Some(Tunnel { kind, id: None, packet, header_len, header: Header::OfKind, content })
}

/// Labels in the payload of UDP. IP or a frame has to follow them.
pub(super) fn labels(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    let is_bottom = |entry: &[u8]| entry.get(2).is_some_and(|byte| byte & BOTTOM_OF_STACK != 0);
    let bottom = packet.bytes().chunks_exact(ENTRY_LEN).position(is_bottom)?;
    let inner = packet.after((bottom + 1) * ENTRY_LEN);
    // Clients of other protocols may have the port.
    let is_ip = is_ipv4(inner) || is_ipv6(inner);
    let (kind, content) = (TunnelKind::Mpls, Content::Mpls);
    let tunnel = Tunnel { kind, id: None, packet, header_len: 0, header: Header::OfKind, content };
    (is_ip || ethernet(inner).is_some()).then_some(tunnel)
}
