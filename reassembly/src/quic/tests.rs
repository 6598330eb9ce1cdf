//! Connections whose ClientHello is in several datagrams.

use super::*;
use crate::streams::MAX_KEPT_LEN;
use proptest::prelude::*;
use summary::{LinkType, Summary};

const ID: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn key(number: u32) -> FlowKey {
    let mut summary = Summary::new(LinkType::RAW, 0, 0);
    summary.src = Some(std::net::Ipv4Addr::from_bits(number).into());
    summary.dst = Some(std::net::Ipv4Addr::LOCALHOST.into());
    (summary.sport, summary.dport) = (Some(50_000), Some(443));
    FlowKey::new(None, &summary).unwrap()
}

/// An Initial packet that is protected with the keys of one connection ID and has another one.
fn packet(keys_of: &[u8], id: &[u8], number: u8, frames: &[u8], len: usize) -> Vec<u8> {
    packet_with(0xc3, keys_of, id, number, frames, len)
}

/// The same with another first byte.
fn packet_with(
    first: u8,
    keys_of: &[u8],
    id: &[u8],
    number: u8,
    frames: &[u8],
    len: usize,
) -> Vec<u8> {
    let mut header = vec![first, 0, 0, 0, 1, u8::try_from(id.len()).unwrap()];
    header.extend_from_slice(id);
    header.extend_from_slice(&[0, 0]);
    let mut content = frames.to_vec();
    content.resize(len - header.len() - 2 - 4 - 16, 0);
    let rest = u16::try_from(4 + content.len() + 16).unwrap() | 0x4000;
    header.extend_from_slice(&rest.to_be_bytes());
    header.extend_from_slice(&[0, 0, 0, number]);
    ClientKeys::new(1, keys_of).unwrap().encrypt(&header, &content)
}

fn frame(message: &[u8], start: usize, end: usize) -> Vec<u8> {
    let int = |value: usize| (u16::try_from(value).unwrap() | 0x4000).to_be_bytes();
    [&[6][..], &int(start), &int(end - start), &message[start..end]].concat()
}

/// A handshake message of this length.
fn message(len: usize) -> Vec<u8> {
    let mut message = vec![1, 0];
    message.extend_from_slice(&u16::try_from(len - 4).unwrap().to_be_bytes());
    message.extend((4..len).map(|index| u8::try_from(index % 251).unwrap()));
    message
}

fn add(connections: &mut QuicConnections, datagram: &[u8]) -> Option<Vec<u8>> {
    connections.add(key(1), Timestamp::default(), datagram).0
}

/// The fixed bit may be 0 in any packet (RFC 9287). A packet that can be decrypted proves the connection.
#[test]
fn greased_packets_are_proved() {
    let message = message(500);
    let mut connections = QuicConnections::default();
    let mut version =
        |key: FlowKey, datagram: &[u8]| connections.add(key, Timestamp::default(), datagram).1;
    let mut greased = packet_with(0x83, &ID, &ID, 0, &frame(&message, 0, 500), 1_200);
    assert_eq!(version(key(1), &greased), Some(1));
    // A Handshake packet of the server.
    let handshake = [&[0xa3, 0, 0, 0, 1, 0, 0, 0x40, 30][..], &[7; 30]].concat();
    assert_eq!(version(key(1).reversed(), &handshake), Some(1));
    assert_eq!(version(key(2).reversed(), &handshake), None);
    greased[600] ^= 1;
    assert_eq!(version(key(3), &greased), None);
}

#[test]
fn connection_id_may_change() {
    let message = message(1_700);
    let first = packet(&ID, &ID, 0, &frame(&message, 0, 1_000), 1_200);
    // The ID that the server chose may have no bytes.
    let second = packet(&ID, &[], 1, &frame(&message, 1_000, 1_700), 1_200);
    let mut connections = QuicConnections::default();
    assert_eq!(add(&mut connections, &first), None);
    assert_eq!(add(&mut connections, &second), Some(message.clone()));
    assert_eq!(add(&mut connections, &second), None, "a repetition");
    assert_eq!(add(&mut connections, &first), None, "the same");
    assert_eq!(connections.connections.kept_len, 0);
    // Another connection, or the answer to a Retry packet.
    let other = [9; 12];
    let third = packet(&other, &other, 2, &frame(&message, 0, 1_000), 1_200);
    let fourth = packet(&other, &other, 3, &frame(&message, 1_000, 1_700), 1_200);
    assert_eq!(add(&mut connections, &fourth), None);
    assert_eq!(add(&mut connections, &third), Some(message));
}

/// The offsets of the second message continue those of the first one, and so do the keys.
#[test]
fn second_hello_follows_a_retry_request() {
    let first = message(300);
    let second = message(1_700);
    let all = [&first[..], &second].concat();
    let chosen = [5; 4];
    let mut connections = QuicConnections::default();
    let hello = packet(&ID, &ID, 0, &frame(&all, 0, 300), 1_200);
    for _ in 0..2 {
        assert_eq!(add(&mut connections, &hello), Some(first.clone()), "each time");
    }
    // Its parts arrive in the opposite order, one of them with the end of the first message.
    let end = packet(&ID, &chosen, 1, &frame(&all, 1_200, 2_000), 1_200);
    let start = packet(&ID, &chosen, 2, &frame(&all, 290, 1_200), 1_200);
    assert_eq!(add(&mut connections, &end), None);
    assert_eq!(add(&mut connections, &start), Some(second.clone()));
    let whole = packet(&ID, &chosen, 3, &frame(&all, 300, 2_000), 2_000);
    assert_eq!(add(&mut connections, &whole), Some(second), "a repetition in one datagram");
    assert_eq!(connections.connections.kept_len, 0);
    // Without the first message, the start of the second one is not known.
    let mut connections = QuicConnections::default();
    let late = packet(&ID, &ID, 3, &frame(&all, 300, 2_000), 2_000);
    assert_eq!(add(&mut connections, &late), None);
}

#[test]
fn packets_of_a_datagram_join() {
    let message = message(300);
    let packets = [(150, 300), (0, 100), (100, 150)];
    let datagram: Vec<_> = (0..)
        .zip(packets)
        .flat_map(|(number, (start, end))| {
            packet(&ID, &ID, number, &frame(&message, start, end), 400)
        })
        .collect();
    let mut connections = QuicConnections::default();
    for _ in 0..2 {
        assert_eq!(add(&mut connections, &datagram), Some(message.clone()));
    }
}

#[test]
fn packets_of_a_server_have_no_message() {
    let message = message(300);
    let client = packet(&ID, &ID, 0, &frame(&message, 0, 300), 1_200);
    let mut connections = QuicConnections::default();
    let now = Timestamp::default();
    assert!(connections.add(key(1), now, &client).0.is_some());
    assert_eq!(connections.add(key(1).reversed(), now, &client).0, None);
    // The keys do not fit.
    assert_eq!(connections.add(key(2), now, &packet(&[7; 8], &ID, 0, &[], 1_200)).0, None);
}

#[test]
fn oldest_connections_are_given_up() {
    let message = message(3_000);
    let mut connections = QuicConnections::default();
    for number in 0..6_000 {
        let id = [&ID[..], &u32::to_be_bytes(number)].concat();
        let datagram = packet(&id, &id, 0, &frame(&message, 0, 2_900), 3_000);
        connections.add(key(number), Timestamp::default(), &datagram);
        assert!(connections.connections.kept_len <= MAX_KEPT_LEN);
    }
    assert_eq!(connections.connections.kept_len, 5_785 * 2_900);
    assert_eq!(connections.evicted(), 6_000 - 5_785);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn order_of_frames_does_not_matter(
        size in 20usize..400,
        order in Just((0..200usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let message = message(900);
        let starts: Vec<_> = (0..900).step_by(size).collect();
        let order: Vec<_> = order.into_iter().filter(|index| *index < starts.len()).collect();
        let mut connections = QuicConnections::default();
        for (number, index) in (0u8..).zip(&order) {
            let (start, end) = (starts[*index], 900.min(starts[*index] + size));
            let datagram = packet(&ID, &ID, number, &frame(&message, start, end), 1_200);
            let expected = (usize::from(number) + 1 == order.len()).then(|| message.clone());
            prop_assert_eq!(add(&mut connections, &datagram), expected);
        }
    }

    #[test]
    fn any_datagrams_are_accepted(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 1..6),
        rest: Vec<u8>,
    ) {
        let mut connections = QuicConnections::default();
        for frames in frames {
            let datagram = [packet(&ID, &ID, 0, &frames, 1_200), rest.clone()].concat();
            add(&mut connections, &datagram);
        }
        add(&mut connections, &rest);
    }
}
