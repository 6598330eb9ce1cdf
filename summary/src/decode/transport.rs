//! What IP carries: TCP, UDP and UDP-Lite, SCTP and DCCP ports, ICMP and ICMPv6.

use super::{Extent, Out};
use crate::{Faults, Proto, Tcp};
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
/// Where the data offset ends, in bytes.
const TCP_OFFSET_END: usize = 13;
const UDP_HEADER_LEN: usize = 8;
const MIN_DCCP_HEADER_LEN: usize = 12;
const SCTP_HEADER_LEN: usize = 12;

/// Describes the segment that IP protocol `number` announces.
pub(super) fn decode<'a>(number: u8, segment: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    match number {
        TCP => tcp(segment, out),
        UDP => udp(segment, out),
        UDP_LITE => fixed(segment, UDP_HEADER_LEN, out),
        SCTP => fixed(segment, SCTP_HEADER_LEN, out),
        DCCP => dccp(segment, out),
        ICMP | ICMP6 => icmp(segment, out),
        _ => out.summary.proto = Proto::from_ip_number(number),
    }
}

fn tcp<'a>(segment: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    ports(segment, out);
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
    out.summary.tcp = Tcp {
        seq: (captured >= 8).then(|| header.sequence_number()),
        flags: (captured >= 14).then_some(flags),
        ack: (captured >= 14 && flags & Tcp::ACK != 0).then(|| header.acknowledgment_number()),
        win: (captured >= 16).then(|| header.window_size()),
    };
    let header_len = usize::from(header.data_offset()) * 4;
    if captured < header_len {
        out.summary.faults.insert(segment.shortage(header_len));
    } else if is_offset_bad {
        return out.summary.faults.insert(Faults::BAD_HEADER);
    }
    // Where options are cut the offset is there still.
    if TCP_OFFSET_END <= captured && !is_offset_bad {
        payload(segment, header_len, out);
    }
}

fn udp<'a>(segment: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    fixed(segment, UDP_HEADER_LEN, out);
    let Ok(header) = UdpHeaderSlice::from_slice(segment.bytes()) else {
        return;
    };
    // A length of zero is a jumbogram's (RFC 2675); a first fragment has more than it carries here.
    let len = usize::from(header.length());
    let is_too_long = segment.wire_len() < len && out.summary.frag.is_none();
    if len != 0 && (len < UDP_HEADER_LEN || is_too_long) {
        out.summary.faults.insert(Faults::BAD_LENGTH);
    }
}

/// Data offset in words at byte 8 (RFC 4340, 5.1).
fn dccp<'a>(segment: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    match segment.bytes().get(8) {
        Some(words) => fixed(segment, (usize::from(*words) * 4).max(MIN_DCCP_HEADER_LEN), out),
        None => {
            ports(segment, out);
            out.summary.faults.insert(segment.shortage(MIN_DCCP_HEADER_LEN));
        }
    }
}

/// Ports, and a header whose length is known.
fn fixed<'a>(segment: Extent<'a>, header_len: usize, out: &mut Out<'_, '_, 'a>) {
    ports(segment, out);
    if segment.bytes().len() < header_len {
        out.summary.faults.insert(segment.shortage(header_len));
    }
    payload(segment, header_len, out);
}

fn ports<'a>(segment: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    out.summary.sport = segment.u16_at(0);
    out.summary.dport = segment.u16_at(2);
}

fn payload<'a>(segment: Extent<'a>, header_len: usize, out: &mut Out<'_, '_, 'a>) {
    if let Some(len) = segment.wire_len().checked_sub(header_len) {
        out.summary.payload = u32::try_from(len).ok();
        out.payload = segment.after(header_len).bytes();
    }
}

fn icmp<'a>(segment: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    out.summary.icmp_type = segment.bytes().first().copied();
    out.summary.icmp_code = segment.bytes().get(1).copied();
    if segment.bytes().len() < 4 {
        out.summary.faults.insert(segment.shortage(4));
    }
}
