//! Packets of connections, and messages.

use reassembly::NameTracker;
use summary::{LinkType, PayloadNames, Timestamp, decode_with_payload};

pub(crate) const SYN: u8 = 2;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// An IPv4 packet from a client, which `number` identifies, to a server.
fn ipv4(protocol: u8, number: u32, transport: &[u8]) -> Vec<u8> {
    let len = u16::try_from(20 + transport.len()).unwrap().to_be_bytes();
    let [_, a, b, c] = number.to_be_bytes();
    let header =
        [0x45, 0, len[0], len[1], 0, 0, 0, 0, 64, protocol, 0, 0, 10, a, b, c, 192, 0, 2, 1];
    [&header[..], transport].concat()
}

pub(crate) fn tcp(number: u32, port: u16, flags: u8, seq: u32, payload: &[u8]) -> Vec<u8> {
    let ports = [40_000u16.to_be_bytes(), port.to_be_bytes()].concat();
    let rest = [0, 0, 0, 1, 0x50, flags, 1, 0, 0, 0, 0, 0];
    ipv4(6, number, &[&ports, &seq.to_be_bytes()[..], &rest, payload].concat())
}

/// A segment with the source and destination of another one exchanged.
pub(crate) fn reversed(mut packet: Vec<u8>) -> Vec<u8> {
    packet[12..20].rotate_left(4);
    packet[20..24].rotate_left(2);
    packet
}

/// The names that a tracker finds in a packet.
pub(crate) fn names(tracker: &mut NameTracker, ts_ns: i64, packet: &[u8]) -> PayloadNames<'static> {
    names_in(tracker, ts_ns, packet, packet.len())
}

/// The same for a packet of which `snaplen` bytes were captured at most.
pub(crate) fn names_in(
    tracker: &mut NameTracker,
    ts_ns: i64,
    packet: &[u8],
    snaplen: usize,
) -> PayloadNames<'static> {
    let len = u32::try_from(packet.len()).unwrap();
    let packet = &packet[..packet.len().min(snaplen)];
    let decoded = decode_with_payload(LinkType::RAW, packet, len);
    let ts = Timestamp::from_ns(ts_ns);
    tracker.parse(ts, Some("eth0"), &decoded.summary, decoded.payload).into_owned()
}

/// A ClientHello with padding, in a record.
pub(crate) fn hello(name: &str, padding_len: usize) -> Vec<u8> {
    let len = |len: usize| u16::try_from(len).unwrap().to_be_bytes();
    let list = [&[0][..], &len(name.len()), name.as_bytes()].concat();
    let content = [&len(list.len())[..], &list].concat();
    let padding = [&[0, 21][..], &len(padding_len), &vec![0; padding_len]].concat();
    let extensions = [&[0, 0][..], &len(content.len()), &content, &padding].concat();
    let start = [&[3, 3][..], &[7; 32], &[0, 0, 2, 0x13, 1, 1, 0]].concat();
    let body = [&start[..], &len(extensions.len()), &extensions].concat();
    let message = [&[1, 0][..], &len(body.len()), &body].concat();
    [&[22, 3, 1][..], &len(message.len()), &message].concat()
}
