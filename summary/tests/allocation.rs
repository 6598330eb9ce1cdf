//! Decoding and formatting a packet allocates no memory. This is a separate test program because the
//! counting allocator is global. It counts per thread, since the test runner allocates too.

use summary::{
    CommunityId, Direction, LinkType, Packet, PayloadNames, Timestamp, decode_with_payload, line,
};

/// Frames of every common kind: VLAN, UDP, DNS, ARP, ICMPv6, an unknown protocol, and damage.
fn frames() -> Vec<Vec<u8>> {
    let ethernet = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    let ipv4 = [0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    let udp = [0x0f, 0xa0, 0, 53, 0, 8, 0, 0];
    let dns = b"\0\x01\x01\0\0\x01\0\0\0\0\0\0\x03www\x07example\0\0\x01\0\x01";
    // A total length of 0 means up to the end of the frame.
    let to_the_end = [&ipv4[..2], &[0, 0], &ipv4[4..]].concat();
    let arp =
        [0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2];
    let ipv6 = [&[0x60, 0, 0, 0, 0, 8, 58, 255][..], &[0xfe; 32]].concat();
    vec![
        [&ethernet[..], &[0x81, 0, 0, 5, 8, 0], &ipv4, &udp].concat(),
        [&ethernet[..], &[8, 0], &to_the_end, &udp, dns].concat(),
        [&ethernet[..], &[8, 6], &arp].concat(),
        [&ethernet[..], &[0x86, 0xdd], &ipv6, &[135, 0, 0, 0, 0, 0, 0, 0]].concat(),
        [&ethernet[..], &[8, 0], &ipv4[..9], &[253], &ipv4[10..], &udp].concat(),
        [&ethernet[..], &[0x88, 0x99, 1, 2]].concat(),
        [&ethernet[..], &[8, 0], &ipv4[..11]].concat(),
    ]
}

#[test]
fn packets_are_formatted_without_allocation() {
    let frames = frames();
    let mut buffer = Vec::with_capacity(64 << 10);
    let mut writer = line::Writer::default();
    let mut names_buffer = String::with_capacity(1 << 10);
    let mut name_count = 0;
    let counted = allocation_counter::measure(|| {
        for n in 1..=10_000u64 {
            let frame: &[u8] = &frames[usize::try_from(n).unwrap() % frames.len()];
            buffer.clear();
            let len = u32::try_from(frame.len()).unwrap();
            let decoded = decode_with_payload(LinkType::ETHERNET, frame, len);
            let ts = Timestamp::from_ns(i64::try_from(n).unwrap() * 1_000_000_007);
            let packet = Packet {
                interface: Some("eth0".into()),
                direction: Some(Direction::In),
                names: PayloadNames::parse(&decoded.summary, decoded.payload, &mut names_buffer),
                community_id: CommunityId::of(&decoded.summary, 0),
                ..Packet::new(n, ts, decoded.summary)
            };
            name_count += usize::from(!packet.names.is_empty());
            writer.write(&packet, &mut buffer);
        }
    });
    assert!(0 < name_count, "one of the frames has a name");
    assert_eq!(counted.count_total, 0, "{counted:?}");
}
