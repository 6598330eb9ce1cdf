//! What IP carries: TCP, UDP and UDP-Lite, SCTP and DCCP ports, ICMP and ICMPv6.

use super::Extent;
use crate::{Faults, Proto, Summary, Tcp};
use etherparse::{TcpHeaderSlice, UdpHeaderSlice};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

const MIN_TCP_HEADER_WORDS: u8 = 5;
const MAX_TCP_HEADER_LEN: usize = 60;
const UDP_HEADER_LEN: usize = 8;
const SCTP_HEADER_LEN: usize = 12;

/// Describes the segment that IP protocol `number` announces.
pub(super) fn decode(number: u8, segment: Extent<'_>, summary: &mut Summary<'_>) {
    match number {
        TCP => tcp(segment, summary),
        UDP => udp(segment, summary),
        UDP_LITE => fixed(segment, UDP_HEADER_LEN, summary),
        SCTP => fixed(segment, SCTP_HEADER_LEN, summary),
        DCCP => dccp(segment, summary),
        ICMP | ICMP6 => icmp(segment, summary),
        _ => summary.proto = Proto::from_ip_number(number),
    }
}

fn tcp(segment: Extent<'_>, summary: &mut Summary<'_>) {
    ports(segment, summary);
    let captured = segment.bytes().len();
    let mut padded = segment.padded::<MAX_TCP_HEADER_LEN>();
    let is_offset_bad = padded[12] >> 4 < MIN_TCP_HEADER_WORDS;
    if is_offset_bad {
        padded[12] = MIN_TCP_HEADER_WORDS << 4;
    }
    let Ok(header) = TcpHeaderSlice::from_slice(&padded) else {
        return;
    };
    let flags = padded[13];
    summary.tcp = Tcp {
        seq: (captured >= 8).then(|| header.sequence_number()),
        flags: (captured >= 14).then_some(flags),
        ack: (captured >= 14 && flags & Tcp::ACK != 0).then(|| header.acknowledgment_number()),
        win: (captured >= 16).then(|| header.window_size()),
    };
    let header_len = usize::from(header.data_offset()) * 4;
    if captured < header_len {
        return summary.faults.insert(segment.shortage(header_len));
    }
    if is_offset_bad {
        return summary.faults.insert(Faults::BAD_HEADER);
    }
    payload(segment, header_len, summary);
}

fn udp(segment: Extent<'_>, summary: &mut Summary<'_>) {
    fixed(segment, UDP_HEADER_LEN, summary);
    let Ok(header) = UdpHeaderSlice::from_slice(segment.bytes()) else {
        return;
    };
    // A length of zero is a jumbogram's (RFC 2675); a first fragment has more than it carries here.
    let len = usize::from(header.length());
    let is_too_long = segment.wire_len() < len && summary.frag.is_none();
    if len != 0 && (len < UDP_HEADER_LEN || is_too_long) {
        summary.faults.insert(Faults::BAD_LENGTH);
    }
}

/// Data offset in words at byte 8 (RFC 4340, 5.1).
fn dccp(segment: Extent<'_>, summary: &mut Summary<'_>) {
    let words = segment.bytes().get(8).copied().unwrap_or(3);
    fixed(segment, (usize::from(words) * 4).max(12), summary);
}

/// Ports, and a header whose length is known.
fn fixed(segment: Extent<'_>, header_len: usize, summary: &mut Summary<'_>) {
    ports(segment, summary);
    if segment.bytes().len() < header_len {
        summary.faults.insert(segment.shortage(header_len));
    }
    payload(segment, header_len, summary);
}

fn ports(segment: Extent<'_>, summary: &mut Summary<'_>) {
    summary.sport = segment.u16_at(0);
    summary.dport = segment.u16_at(2);
}

fn payload(segment: Extent<'_>, header_len: usize, summary: &mut Summary<'_>) {
    if let Some(len) = segment.wire_len().checked_sub(header_len) {
        summary.payload = u32::try_from(len).ok();
    }
}

fn icmp(segment: Extent<'_>, summary: &mut Summary<'_>) {
    summary.icmp_type = segment.bytes().first().copied();
    summary.icmp_code = segment.bytes().get(1).copied();
    if segment.bytes().len() < 4 {
        summary.faults.insert(segment.shortage(4));
    }
}
