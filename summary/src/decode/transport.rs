//! Protocols over IP: TCP, UDP, UDP-Lite, SCTP, DCCP, ICMP and ICMPv6.

use super::{DecodeState, Extent, Observer, quoted, tunnel};
use crate::inspect::transport;
use crate::{Faults, Proto, Tcp};
use etherparse::{TcpHeaderSlice, UdpHeaderSlice};
use std::net::IpAddr;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

const MIN_TCP_HEADER_WORDS: u8 = 5;
const MIN_TCP_HEADER_LEN: usize = 20;
const MAX_TCP_HEADER_LEN: usize = 60;
/// End of the data offset field, in bytes.
const TCP_OFFSET_END: usize = 13;
const UDP_HEADER_LEN: usize = 8;
/// The largest value of a length field of 16 bits.
const MAX_LEN: usize = 0xffff;
const MIN_DCCP_HEADER_LEN: usize = 12;
const SCTP_HEADER_LEN: usize = 12;

/// Whether the header of the IP protocol `number` begins with two ports.
pub(super) fn has_ports(number: u8) -> bool {
    matches!(number, TCP | UDP | UDP_LITE | SCTP | DCCP)
}

/// Decodes the payload of the IP protocol `number`.
pub(super) fn decode<'a>(
    number: u8,
    segment: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    match number {
        TCP => tcp(segment, state),
        UDP => udp(segment, state),
        UDP_LITE => {
            state.observer.layer(segment.bytes(), transport::udp_lite);
            fixed_header(segment, UDP_HEADER_LEN, state);
        }
        SCTP => {
            state.observer.layer(segment.bytes(), transport::sctp);
            fixed_header(segment, SCTP_HEADER_LEN, state);
        }
        DCCP => dccp(segment, state),
        ICMP | ICMP6 => icmp(number, segment, state),
        _ if tunnel::is_ip_number(number) => tunnel::ip(number, segment, state),
        _ => state.summary.proto = Proto::from_ip_number(number),
    }
}

fn tcp<'a>(segment: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(segment.bytes(), transport::tcp);
    ports(segment, state);
    let captured = segment.bytes().len();
    let mut padded;
    let mut is_offset_bad = false;
    let header = match TcpHeaderSlice::from_slice(segment.bytes()) {
        Ok(header) => header,
        Err(_) => {
            padded = segment.padded::<MAX_TCP_HEADER_LEN>();
            is_offset_bad = padded[12] >> 4 < MIN_TCP_HEADER_WORDS;
            if is_offset_bad {
                padded[12] = MIN_TCP_HEADER_WORDS << 4;
            }
            let Ok(header) = TcpHeaderSlice::from_slice(&padded) else { return };
            header
        }
    };
    let flags = header.slice()[13];
    state.summary.tcp = Tcp {
        seq: (captured >= 8).then(|| header.sequence_number()),
        flags: (captured >= 14).then_some(flags),
        ack: (captured >= 14 && flags & Tcp::ACK != 0).then(|| header.acknowledgment_number()),
        win: (captured >= 16).then(|| header.window_size()),
    };
    let header_len = usize::from(header.data_offset()) * 4;
    if captured < header_len {
        state.summary.faults.insert(segment.short_header_faults(header_len));
    } else if is_offset_bad {
        return state.summary.faults.insert(Faults::BAD_HEADER);
    }
    let options = MIN_TCP_HEADER_LEN..header_len.min(captured);
    state.observer.tcp_options(segment.bytes().get(options).unwrap_or_default());
    // If only options are missing, the data offset is known.
    if TCP_OFFSET_END <= captured && !is_offset_bad {
        payload(segment, header_len, state);
    }
}

fn udp<'a>(segment: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(segment.bytes(), transport::udp);
    fixed_header(segment, UDP_HEADER_LEN, state);
    let Ok(header) = UdpHeaderSlice::from_slice(segment.bytes()) else {
        return;
    };
    // In IPv6, a length of zero means a jumbogram (RFC 2675). With segmentation offload, Linux also
    // leaves zero in packets above 64 KiB. The length in a first fragment includes the other fragments.
    let len = usize::from(header.length());
    let is_fragment = state.summary.frag.is_some();
    let is_too_long = segment.wire_len() < len && !is_fragment;
    let may_be_zero =
        matches!(state.summary.src, Some(IpAddr::V6(_))) || MAX_LEN < segment.wire_len();
    let has_len = len != 0 || !may_be_zero;
    if has_len && (len < UDP_HEADER_LEN || is_too_long) {
        state.summary.faults.insert(Faults::BAD_LENGTH);
    }
    if tunnel::is_port(state.summary.sport, state.summary.dport) && !is_fragment {
        let is_limited = UDP_HEADER_LEN <= len;
        let datagram = if is_limited { segment.limited_to(len) } else { segment };
        tunnel::udp(datagram.after(UDP_HEADER_LEN), state);
    }
}

/// DCCP has its data offset, in words of 32 bits, at byte 8 (RFC 4340, section 5.1).
fn dccp<'a>(segment: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(segment.bytes(), transport::dccp);
    match segment.bytes().get(8) {
        Some(words) => {
            fixed_header(segment, (usize::from(*words) * 4).max(MIN_DCCP_HEADER_LEN), state);
        }
        None => {
            ports(segment, state);
            state.summary.faults.insert(segment.short_header_faults(MIN_DCCP_HEADER_LEN));
        }
    }
}

/// Decodes the ports of a protocol whose header has a known length.
fn fixed_header<'a>(
    segment: Extent<'a>,
    header_len: usize,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    ports(segment, state);
    if segment.bytes().len() < header_len {
        state.summary.faults.insert(segment.short_header_faults(header_len));
    }
    payload(segment, header_len, state);
}

fn ports<'a>(segment: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.summary.sport = segment.u16_at(0);
    state.summary.dport = segment.u16_at(2);
}

fn payload<'a>(
    segment: Extent<'a>,
    header_len: usize,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    if let Some(len) = segment.wire_len().checked_sub(header_len) {
        state.summary.payload = u32::try_from(len).ok();
        state.payload = segment.after(header_len).bytes();
    }
}

fn icmp<'a>(number: u8, segment: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let fields = if number == ICMP { transport::icmp } else { transport::icmp6 };
    state.observer.layer(segment.bytes(), fields);
    state.summary.icmp_type = segment.bytes().first().copied();
    state.summary.icmp_code = segment.bytes().get(1).copied();
    if segment.bytes().len() < 4 {
        state.summary.faults.insert(segment.short_header_faults(4));
    }
    let kind = state.summary.icmp_type;
    if number == ICMP && quoted::is_error(kind) || number == ICMP6 && quoted::is_v6_error(kind) {
        quoted::decode(number == ICMP6, segment, state);
    }
}
