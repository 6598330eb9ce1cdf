//! IPv4 (RFC 791) and IPv6 (RFC 8200) with their extension headers.

use super::{Extent, Out, transport};
use crate::{Address, Faults, Proto};
use etherparse::{Ipv4HeaderSlice, Ipv6HeaderSlice};

/// Longest IPv4 header: 15 words.
const MAX_V4_HEADER_LEN: usize = 60;
/// Where fields of an IPv4 header end, in bytes: the options behind the destination may be cut.
const V4_TTL_END: usize = 9;
const V4_SRC_END: usize = 16;
const V4_DST_END: usize = 20;

const V6_HEADER_LEN: usize = 40;
const V6_TTL_END: usize = 8;
const V6_SRC_END: usize = 24;

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const NO_NEXT_HEADER: u8 = 59;
const DESTINATION_OPTIONS: u8 = 60;
const MOBILITY: u8 = 135;
const HOST_IDENTITY: u8 = 139;
const SHIM6: u8 = 140;

/// IP of the version that its first four bits say.
pub(super) fn decode<'a>(packet: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    match packet.bytes().first().map(|byte| byte >> 4) {
        Some(4) => decode_v4(packet, out),
        Some(6) => decode_v6(packet, out),
        Some(_) => out.summary.faults.insert(Faults::BAD_HEADER),
        None => out.summary.faults.insert(packet.shortage(1)),
    }
}

pub(super) fn decode_v4<'a>(packet: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    out.summary.proto = Proto::named("ipv4");
    let captured = packet.bytes().len();
    let mut room = [0; MAX_V4_HEADER_LEN];
    let Some(header) = packet.header(&mut room, Ipv4HeaderSlice::from_slice) else {
        let fault = if captured == 0 { packet.shortage(1) } else { Faults::BAD_HEADER };
        return out.summary.faults.insert(fault);
    };
    let header_len = usize::from(header.ihl()) * 4;
    if captured < header_len {
        out.summary.faults.insert(packet.shortage(header_len));
    }
    out.summary.ttl = (V4_TTL_END <= captured).then(|| header.ttl());
    if V4_SRC_END <= captured {
        out.summary.src = Some(Address::V4(header.source()));
        out.summary.dst = (V4_DST_END <= captured).then(|| Address::V4(header.destination()));
    }
    if captured < V4_DST_END {
        return;
    }
    let offset = header.fragments_offset().byte_offset();
    if offset > 0 || header.more_fragments() {
        out.summary.frag = Some(offset);
    }
    if captured < header_len {
        out.summary.proto = Proto::from_ip_number(header.protocol().0);
        return;
    }
    let total_len = usize::from(header.total_len());
    let packet = match total_len {
        0 => packet, // segmentation offload: up to the end of the frame
        len if len < header_len || packet.wire_len() < len => {
            out.summary.faults.insert(Faults::BAD_LENGTH);
            packet
        }
        len => packet.limited_to(len),
    };
    upper_layer(header.protocol().0, packet.after(header_len), out);
}

pub(super) fn decode_v6<'a>(packet: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    out.summary.proto = Proto::named("ipv6");
    let captured = packet.bytes().len();
    let mut room = [0; V6_HEADER_LEN];
    let Some(header) = packet.header(&mut room, Ipv6HeaderSlice::from_slice) else {
        let fault = if captured == 0 { packet.shortage(1) } else { Faults::BAD_HEADER };
        return out.summary.faults.insert(fault);
    };
    out.summary.ttl = (V6_TTL_END <= captured).then(|| header.hop_limit());
    if V6_SRC_END <= captured {
        out.summary.src = Some(Address::V6(header.source()));
        out.summary.dst = (V6_HEADER_LEN <= captured).then(|| Address::V6(header.destination()));
    }
    if captured < V6_HEADER_LEN {
        return out.summary.faults.insert(packet.shortage(V6_HEADER_LEN));
    }
    let payload = packet.after(V6_HEADER_LEN);
    let payload = match usize::from(header.payload_length()) {
        0 => payload, // a jumbogram (RFC 2675) or segmentation offload: up to the end of the frame
        len if payload.wire_len() < len => {
            out.summary.faults.insert(Faults::BAD_LENGTH);
            payload
        }
        len => payload.limited_to(len),
    };
    upper_layer(header.next_header().0, payload, out);
}

/// Walks the extension headers in whatever order they come, then hands on to the transport.
///
/// Each has at least eight bytes, so the walk ends with the packet.
fn upper_layer<'a>(mut number: u8, mut payload: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let is_v6 = matches!(out.summary.src, Some(Address::V6(_)));
    loop {
        out.summary.proto = Proto::from_ip_number(number);
        if out.summary.frag.is_some_and(|offset| offset > 0) {
            return; // a later fragment: what follows is the middle of something
        }
        let is_extension = match number {
            AUTHENTICATION => true,
            HOP_BY_HOP | ROUTING | FRAGMENT | DESTINATION_OPTIONS | MOBILITY | HOST_IDENTITY
            | SHIM6 => is_v6,
            _ => false,
        };
        if !is_extension {
            return transport::decode(number, payload, out);
        }
        let &[next, len, ..] = payload.bytes() else {
            return out.summary.faults.insert(payload.shortage(8));
        };
        let header_len = match number {
            FRAGMENT => 8,
            AUTHENTICATION => (usize::from(len) + 2) * 4, // RFC 4302, 2.2
            _ => (usize::from(len) + 1) * 8,              // RFC 8200, 4.3
        };
        if payload.bytes().len() < header_len {
            return out.summary.faults.insert(payload.shortage(header_len));
        }
        if number == FRAGMENT {
            fragment(&payload, out);
        }
        if next == NO_NEXT_HEADER && matches!(number, MOBILITY | HOST_IDENTITY | SHIM6) {
            return; // a protocol of its own in an extension header's clothes
        }
        number = next;
        payload = payload.after(header_len);
    }
}

/// The fragment header (RFC 8200, 4.5): 13 bits of offset in units of 8 bytes, and "more" lowest.
/// One without offset and without more is an atomic fragment (RFC 6946): a whole packet.
fn fragment<'a>(header: &Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let Some(field) = header.u16_at(2) else {
        return;
    };
    if field & !0x6 != 0 {
        out.summary.frag = Some(field & !0x7);
    }
}
