//! IPv4 (RFC 791) and IPv6 (RFC 8200) with extension headers.

use super::{DecodeState, Extent, Observer, transport};
use crate::inspect::{Fields, network};
use crate::{Faults, Fragment, Proto};
use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};
use std::net::IpAddr;

/// Longest IPv4 header: 15 words of 32 bits.
const MAX_V4_HEADER_LEN: usize = 60;
/// Ends of fields in an IPv4 header, in bytes: the capture can end within a header.
const V4_TTL_END: usize = 9;
const V4_SRC_END: usize = 16;
const V4_DST_END: usize = 20;

const V6_HEADER_LEN: usize = 40;
const V6_TTL_END: usize = 8;
const V6_SRC_END: usize = 24;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const FRAGMENT_LEN: usize = 8;
/// The flag in the field of the offset.
const MORE_FRAGMENTS: u16 = 1;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// Decodes IPv4 or IPv6, depending on the version in the first four bits.
pub(super) fn decode<'a>(packet: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    match packet.bytes().first().map(|byte| byte >> 4) {
        Some(4) => decode_v4(packet, state),
        Some(6) => decode_v6(packet, state),
        Some(_) => state.summary.faults.insert(Faults::BAD_HEADER),
        None => state.summary.faults.insert(packet.short_header_faults(1)),
    }
}

pub(super) fn decode_v4<'a>(
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    state.summary.proto = Proto::named("ipv4");
    state.observer.layer(packet.bytes(), network::ipv4);
    let captured = packet.bytes().len();
    let mut buf = [0; MAX_V4_HEADER_LEN];
    let Some(header) = packet.header(&mut buf, Ipv4HeaderSlice::from_slice) else {
        let fault = if captured == 0 { packet.short_header_faults(1) } else { Faults::BAD_HEADER };
        return state.summary.faults.insert(fault);
    };
    let header_len = usize::from(header.ihl()) * 4;
    if captured < header_len {
        state.summary.faults.insert(packet.short_header_faults(header_len));
    }
    state.summary.ttl = (V4_TTL_END <= captured).then(|| header.ttl());
    if V4_SRC_END <= captured {
        state.summary.src = Some(IpAddr::from(header.source()));
        state.summary.dst = (V4_DST_END <= captured).then(|| IpAddr::from(header.destination()));
    }
    if captured < V4_DST_END {
        return;
    }
    state.observer.ecn(header.ecn().value());
    let offset = header.fragments_offset().byte_offset();
    if offset > 0 || header.more_fragments() {
        state.summary.frag = Some(offset);
    }
    if captured < header_len {
        state.summary.proto = Proto::from_ip_number(header.protocol().0);
        return;
    }
    let total_len = usize::from(header.total_len());
    let packet = match total_len {
        0 => packet, // segmentation offload: to the end of the frame
        len if len < header_len || packet.wire_len() < len => {
            state.summary.faults.insert(Faults::BAD_LENGTH);
            packet
        }
        len => packet.limited_to(len),
    };
    let payload = packet.after(header_len);
    if state.summary.frag.is_some() {
        let fragment = Fragment {
            id: header.identification().into(),
            protocol: Some(header.protocol().0),
            next_header: header.protocol().0,
            start: 0,
            offset: offset.into(),
            len: wire_len(&payload),
            is_last: !header.more_fragments(),
        };
        state.observer.fragment(fragment, payload.bytes());
    }
    upper_layer(header.protocol().0, payload, state);
}

pub(super) fn decode_v6<'a>(
    packet: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    state.summary.proto = Proto::named("ipv6");
    state.observer.layer(packet.bytes(), network::ipv6);
    let captured = packet.bytes().len();
    let mut buf = [0; V6_HEADER_LEN];
    let Some(header) = packet.header(&mut buf, Ipv6HeaderSlice::from_slice) else {
        let fault = if captured == 0 { packet.short_header_faults(1) } else { Faults::BAD_HEADER };
        return state.summary.faults.insert(fault);
    };
    state.summary.ttl = (V6_TTL_END <= captured).then(|| header.hop_limit());
    if V6_SRC_END <= captured {
        state.summary.src = Some(IpAddr::from(header.source()));
        state.summary.dst = (V6_HEADER_LEN <= captured).then(|| IpAddr::from(header.destination()));
    }
    if captured < V6_HEADER_LEN {
        return state.summary.faults.insert(packet.short_header_faults(V6_HEADER_LEN));
    }
    state.observer.ecn(header.ecn().value());
    let payload = packet.after(V6_HEADER_LEN);
    let payload = match usize::from(header.payload_length()) {
        0 => payload, // a jumbogram (RFC 2675) or segmentation offload: to the end of the frame
        len if payload.wire_len() < len => {
            state.summary.faults.insert(Faults::BAD_LENGTH);
            payload
        }
        len => payload.limited_to(len),
    };
    upper_layer(header.next_header().0, payload, state);
}

/// Skips extension headers in any order, then decodes the transport layer.
///
/// Each extension header has at least eight bytes, so the loop ends.
fn upper_layer<'a>(
    mut number: u8,
    mut payload: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    state.observer.content(payload.bytes());
    let is_v6 = matches!(state.summary.src, Some(IpAddr::V6(_)));
    loop {
        state.summary.proto = Proto::from_ip_number(number);
        if state.summary.frag.is_some_and(|offset| offset > 0) {
            return; // not the first fragment: there is no header here
        }
        if !is_extension(number, is_v6) {
            return transport::decode(number, payload, state);
        }
        state.observer.layer(payload.bytes(), extension_fields(number));
        let &[next, len, ..] = payload.bytes() else {
            return state.summary.faults.insert(payload.short_header_faults(8));
        };
        let header_len = extension_len(number, len);
        if payload.bytes().len() < header_len {
            return state.summary.faults.insert(payload.short_header_faults(header_len));
        }
        if number == FRAGMENT {
            fragment(&payload, state);
        }
        if next == NO_NEXT_HEADER && matches!(number, MOBILITY | HOST_IDENTITY | SHIM6) {
            return; // a protocol that has the form of an extension header
        }
        number = next;
        payload = payload.after(header_len);
    }
}

/// Whether the number is that of an extension header, which precedes the transport layer.
#[inline]
pub(super) fn is_extension(number: u8, is_v6: bool) -> bool {
    match number {
        AUTHENTICATION => true,
        HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY
        | SHIM6 => is_v6,
        _ => false,
    }
}

/// Length in bytes of an extension header with this number and value of its length field.
#[inline]
pub(super) fn extension_len(number: u8, len: u8) -> usize {
    match number {
        FRAGMENT => FRAGMENT_LEN,
        AUTHENTICATION => (usize::from(len) + 2) * 4, // RFC 4302, section 2.2
        _ => (usize::from(len) + 1) * 8,              // RFC 8200, section 4.3
    }
}

/// Whether an extension header is that of a fragment after the first.
pub(super) fn is_later_fragment(number: u8, header: &[u8]) -> bool {
    number == FRAGMENT && matches!(header, [_, _, high, low, ..] if (high, low & !7) != (&0, 0))
}

/// Describes the extension header of that number.
fn extension_fields(number: u8) -> fn(&mut Fields<'_>) {
    match number {
        HOP_BY_HOP => network::hop_by_hop,
        ROUTING => network::routing,
        FRAGMENT => network::fragment,
        AUTHENTICATION => network::authentication,
        DESTINATION_OPTIONS => network::destination_options,
        _ => network::extension,
    }
}

/// The fragment header (RFC 8200, section 4.5): 13 bits of offset in units of 8 bytes, two reserved
/// bits, and the M flag. If both are zero, this is an atomic fragment (RFC 6946): a complete packet.
fn fragment<'a>(header: &Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let Some(field) = header.u16_at(2) else {
        return;
    };
    if field & !0x6 != 0 {
        let offset = field & !0x7;
        state.summary.frag = Some(offset);
        let id = header.bytes().get(4..).and_then(<[u8]>::first_chunk);
        let content = header.after(FRAGMENT_LEN);
        let fragment = Fragment {
            id: id.map_or(0, |id| u32::from_be_bytes(*id)),
            protocol: None,
            next_header: header.bytes().first().copied().unwrap_or(NO_NEXT_HEADER),
            start: 0,
            offset: offset.into(),
            len: wire_len(&content),
            is_last: field & MORE_FRAGMENTS == 0,
        };
        state.observer.fragment(fragment, content.bytes());
    }
}

/// Number of bytes on the wire.
fn wire_len(extent: &Extent<'_>) -> u32 {
    u32::try_from(extent.wire_len()).unwrap_or(u32::MAX)
}
