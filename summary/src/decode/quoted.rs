//! The packet that an ICMP error is about: its headers follow those of the error (RFC 792; RFC 4443).

use super::{DecodeState, Extent, Observer, ip, transport};
use crate::{Faults, IcmpQuote, Proto};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Length of the header of an error.
const ERROR_LEN: usize = 8;
const V4_LEN: usize = 20;
const V6_LEN: usize = 40;

/// Whether a message of ICMP is an error that quotes a packet.
#[inline]
pub(super) fn is_error(kind: Option<u8>) -> bool {
    /// Destination unreachable, source quench, redirect, time exceeded, parameter problem.
    const ERRORS: [u8; 5] = [3, 4, 5, 11, 12];
    kind.is_some_and(|kind| ERRORS.contains(&kind))
}

/// Whether a message of ICMPv6 is an error that quotes a packet.
#[inline]
pub(super) fn is_v6_error(kind: Option<u8>) -> bool {
    /// Destination unreachable, packet too big, time exceeded, parameter problem.
    const ERRORS: [u8; 4] = [1, 2, 3, 4];
    kind.is_some_and(|kind| ERRORS.contains(&kind))
}

/// Decodes the packet that an error of ICMP or ICMPv6 quotes, as far as it was captured.
#[cold]
#[inline(never)]
pub(super) fn decode<'a>(
    is_v6: bool,
    error: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    let packet = error.after(ERROR_LEN).bytes();
    let is_complete = match (is_v6, packet.first().map(|byte| byte >> 4)) {
        (false, Some(4)) => decode_v4(packet, state),
        (true, Some(6)) => decode_v6(packet, state),
        (_, first) => Some(()).filter(|()| first.is_some()),
    };
    // A router may quote less than the headers.
    if is_complete.is_none() && error.bytes().len() < error.wire_len() {
        state.summary.faults.insert(Faults::TRUNCATED);
    }
}

/// Returns `None` if bytes of the headers are missing.
fn decode_v4<'a>(
    packet: &'a [u8],
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) -> Option<()> {
    let header_len = usize::from(packet[0] & 0xf) * 4;
    if header_len < V4_LEN {
        return Some(());
    }
    let address = |start: usize| {
        let bytes: [u8; 4] = *packet.get(start..)?.first_chunk()?;
        Some(IpAddr::from(Ipv4Addr::from(bytes)))
    };
    addresses(packet, (12, 16, V4_LEN), address, state);
    let number = *packet.get(9)?;
    state.summary.icmp_quote.proto = named(number);
    packet.get(V4_LEN - 1)?;
    let is_later = (packet[6] & 0x1f, packet[7]) != (0, 0);
    if is_later { Some(()) } else { ports(number, packet.get(header_len..)?, state) }
}

/// Returns `None` if bytes of the headers are missing.
fn decode_v6<'a>(
    packet: &'a [u8],
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) -> Option<()> {
    let address = |start: usize| {
        let bytes: [u8; 16] = *packet.get(start..)?.first_chunk()?;
        Some(IpAddr::from(Ipv6Addr::from(bytes)))
    };
    addresses(packet, (8, 24, V6_LEN), address, state);
    let mut rest = packet.get(V6_LEN..)?;
    let mut number = packet[6];
    // Each extension header has at least eight bytes, so the loop ends.
    while ip::is_extension(number, true) {
        let &[next, len, ..] = rest else { return None };
        let after = rest.get(ip::extension_len(number, len)..)?;
        let is_later = ip::is_later_fragment(number, rest);
        (number, rest) = (next, after);
        if is_later {
            state.summary.icmp_quote.proto = named(number);
            return Some(());
        }
    }
    state.summary.icmp_quote.proto = named(number);
    ports(number, rest, state)
}

/// A number without a name is not reported.
fn named(number: u8) -> Option<u8> {
    Proto::from_ip_number(number).is_named().then_some(number)
}

/// The addresses at the first two positions; the last one is the end of the header.
fn addresses<'a>(
    packet: &'a [u8],
    (src, dst, end): (usize, usize, usize),
    address: impl Fn(usize) -> Option<IpAddr>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    let quote = &mut state.summary.icmp_quote;
    (quote.src, quote.dst) = (address(src), address(dst));
    let IcmpQuote { src: src_address, dst: dst_address, .. } = *quote;
    if let Some(address) = src_address {
        let range = (&packet[src..], &packet[dst..]);
        state.observer.field(Some("icmp_src"), "Source of the quoted packet", range, &address);
    }
    if let Some(address) = dst_address {
        let range = (&packet[dst..], &packet[end..]);
        state.observer.field(Some("icmp_dst"), "Destination of the quoted packet", range, &address);
    }
}

fn ports<'a>(
    number: u8,
    segment: &'a [u8],
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) -> Option<()> {
    if !transport::has_ports(number) {
        return Some(());
    }
    let port = |start: usize| Some(u16::from_be_bytes(*segment.get(start..)?.first_chunk()?));
    let (sport, dport) = (port(0), port(2));
    (state.summary.icmp_quote.sport, state.summary.icmp_quote.dport) = (sport, dport);
    if let Some(port) = sport {
        let range = (segment, &segment[2..]);
        state.observer.field(Some("icmp_sport"), "Source port of the quoted packet", range, &port);
    }
    if let Some(port) = dport {
        let range = (&segment[2..], &segment[4..]);
        let name = "Destination port of the quoted packet";
        state.observer.field(Some("icmp_dport"), name, range, &port);
    }
    sport.and(dport).map(|_| ())
}
