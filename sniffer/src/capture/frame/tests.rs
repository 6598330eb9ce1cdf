//! The tests play the kernel's part: units as it fills them, and as it must not.

use super::*;
use proptest::prelude::*;
use summary::GsoKind;

const MAC: usize = MIN_PACKET_OFFSET_V3 + SLL2_LEN + VLAN_TAG_LEN + 18;

const V3: FrameLayout = FrameLayout {
    version: Version::V3,
    link: LinkType::ETHERNET,
    has_virtio: false,
    snaplen: 9999,
};
const COOKED: FrameLayout = FrameLayout { link: LinkType::LINUX_SLL2, ..V3 };

/// A packet and its metadata.
#[derive(Clone)]
struct TestPacket<'a> {
    bytes: &'a [u8],
    tag: Option<(u16, u16)>,
    status: u32,
    arphrd: u16,
    link_len: usize,
    virtio: [u8; virtio::HEADER_LEN],
}

const EMPTY: TestPacket<'_> = TestPacket {
    bytes: &[],
    tag: None,
    status: libc::TP_STATUS_USER,
    arphrd: libc::ARPHRD_ETHER,
    link_len: 0,
    virtio: [0; virtio::HEADER_LEN],
};

/// The body of a block as the kernel fills it. It sets no bit of the status in a frame's header
/// but `TP_STATUS_USER` and those of the VLAN tag (`tpacket_rcv`, `prb_fill_vlan_info`).
fn body(packets: &[TestPacket<'_>]) -> Vec<u8> {
    let mut body = vec![0; 48 - BODY_OFFSET_V3];
    put(&mut body, 12 - BODY_OFFSET_V3, &u32::try_from(packets.len()).unwrap().to_ne_bytes());
    put(&mut body, 16 - BODY_OFFSET_V3, &48u32.to_ne_bytes());
    for (index, packet) in packets.iter().enumerate() {
        let start = body.len();
        let len = (MAC + packet.bytes.len()).next_multiple_of(8);
        body.resize(start + len, 0);
        let frame = &mut body[start..];
        let next = if index + 1 == packets.len() { 0 } else { u32::try_from(len).unwrap() };
        put(frame, 0, &next.to_ne_bytes());
        put(frame, 4, &7u32.to_ne_bytes());
        put(frame, 8, &9u32.to_ne_bytes());
        put(frame, 12, &u32::try_from(packet.bytes.len()).unwrap().to_ne_bytes());
        put(frame, 16, &1500u32.to_ne_bytes());
        put(frame, 20, &packet.status.to_ne_bytes());
        put(frame, 24, &u16::try_from(MAC).unwrap().to_ne_bytes());
        put(frame, 26, &u16::try_from(MAC + packet.link_len).unwrap().to_ne_bytes());
        if let Some((tpid, tci)) = packet.tag {
            let valid = libc::TP_STATUS_VLAN_VALID | libc::TP_STATUS_VLAN_TPID_VALID;
            put(frame, 20, &(packet.status | valid).to_ne_bytes());
            put(frame, 32, &u32::from(tci).to_ne_bytes());
            put(frame, 36, &tpid.to_ne_bytes());
        }
        put_address(&mut frame[48..], packet);
        put(frame, MAC - virtio::HEADER_LEN, &packet.virtio);
        put(frame, MAC, packet.bytes);
    }
    body
}

fn put_address(bytes: &mut [u8], packet: &TestPacket<'_>) {
    put(bytes, 2, &0x0800u16.to_be_bytes());
    put(bytes, 4, &3u32.to_ne_bytes());
    put(bytes, 8, &packet.arphrd.to_ne_bytes());
    bytes[10] = libc::PACKET_OUTGOING;
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

fn read(body: &mut [u8], layout: FrameLayout) -> Vec<(Vec<u8>, u32)> {
    let mut frames = Frames::new(body, 0, layout, None);
    let mut seen = Vec::new();
    while let Some(frame) = frames.next_frame() {
        assert_eq!(frame.ts, Timestamp::from_ns(7_000_000_009));
        assert_eq!((frame.interface_index, frame.direction), (3, Some(Direction::Out)));
        seen.push((frame.bytes.to_vec(), frame.wire_len));
    }
    seen
}

const ETHERNET: &[u8] = &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0, 0x45];
const PLAIN: TestPacket<'_> = TestPacket { bytes: ETHERNET, ..EMPTY };

#[test]
fn frames_are_returned_in_order_with_their_lengths() {
    let mut body = body(&[PLAIN, TestPacket { bytes: &ETHERNET[..14], ..EMPTY }, EMPTY]);
    let expected = [(ETHERNET.to_vec(), 1500), (ETHERNET[..14].to_vec(), 1500), (vec![], 1500)];
    assert_eq!(read(&mut body, V3), expected);
}

#[test]
fn vlan_tag_is_restored_after_the_addresses() {
    let mut body = body(&[TestPacket { tag: Some((0x88a8, 0x6064)), ..PLAIN }]);
    let expected = [&ETHERNET[..12], &[0x88, 0xa8, 0x60, 0x64], &ETHERNET[12..]].concat();
    assert_eq!(read(&mut body, V3), [(expected, 1504)]);
}

#[test]
fn vlan_tag_does_not_exceed_the_snap_length() {
    let mut body = body(&[TestPacket { tag: Some((0x8100, 1)), ..PLAIN }]);
    let seen = read(&mut body, FrameLayout { snaplen: 15, ..V3 });
    assert_eq!((seen[0].0.len(), seen[0].1), (15, 1504));
}

#[test]
fn any_replaces_link_headers_by_a_cooked_header() {
    let bytes = [&ETHERNET[..14], &[0x45, 0]].concat();
    let packet = TestPacket { bytes: &bytes, tag: Some((0x8100, 5)), link_len: 14, ..EMPTY };
    let mut expected = vec![0x81, 0, 0, 0, 0, 0, 0, 3, 0, 1, libc::PACKET_OUTGOING, 0];
    expected.extend([0; 8]);
    expected.extend([0, 5, 8, 0, 0x45, 0]);
    assert_eq!(
        read(&mut body(std::slice::from_ref(&packet)), COOKED),
        [(expected.clone(), 1500 - 14 + 24)]
    );
    // The same from an interface without link headers.
    let packet = TestPacket { bytes: &bytes[14..], link_len: 0, ..packet };
    assert_eq!(read(&mut body(&[packet]), COOKED), [(expected, 1524)]);
}

#[test]
fn frames_the_kernel_could_not_fill_are_skipped() {
    let hole = TestPacket { status: 0, bytes: &[0xee; 60], ..EMPTY };
    for packets in [
        &[hole.clone(), PLAIN][..],
        &[PLAIN, hole.clone()],
        &[hole.clone(), hole.clone(), PLAIN, hole.clone()],
    ] {
        assert_eq!(read(&mut body(packets), V3), [(ETHERNET.to_vec(), 1500)]);
    }
}

#[test]
fn gso_has_segment_size_and_type() {
    let layout = FrameLayout { has_virtio: true, ..V3 };
    let of = |kind: u8| {
        let [low, high] = 1448u16.to_ne_bytes();
        let packet = TestPacket { virtio: [0, kind, 0, 0, low, high, 0, 0, 0, 0], ..PLAIN };
        let mut body = body(&[packet]);
        let mut frames = Frames::new(&mut body, 0, layout, None);
        let gso = frames.next_frame().unwrap().gso;
        gso.map(|gso| (gso.segment_len, gso.kind))
    };
    assert_eq!(of(0), None);
    assert_eq!(of(1), Some((1448, GsoKind::TcpV4)));
    assert_eq!(of(4 | 0x80), Some((1448, GsoKind::TcpV6)));
    assert_eq!(of(3), Some((1448, GsoKind::UdpFragments)));
    assert_eq!(of(5), Some((1448, GsoKind::UdpDatagrams)));
    assert_eq!(of(77), None);
}

#[test]
fn link_type_follows_the_interface_of_the_frame() {
    let link = |arphrd: u16, bytes: &[u8]| {
        let mut body = body(&[TestPacket { arphrd, bytes, ..EMPTY }]);
        Frames::new(&mut body, 0, V3, None).next_frame().map(|frame| frame.link).unwrap()
    };
    assert_eq!(link(libc::ARPHRD_LOOPBACK, ETHERNET), LinkType::ETHERNET);
    assert_eq!(link(libc::ARPHRD_NONE, &[0x45]), LinkType::RAW);
    assert_eq!(link(libc::ARPHRD_IEEE80211_RADIOTAP, &[0]), LinkType::RADIOTAP);
    assert_eq!(link(libc::ARPHRD_PPP, &[0x60]), LinkType::RAW);
    assert_eq!(link(libc::ARPHRD_PPP, &[0xff, 3, 0, 0x21]), LinkType::PPP);
    assert_eq!(link(0xfffe, &[]), LinkType::RAW, "ARPHRD_NONE");
    assert_eq!(link(4, &[]), LinkType::ETHERNET, "unknown: the link type of the capture");
}

#[test]
fn losses_are_reported_by_the_unit_status_only() {
    let losing = libc::TP_STATUS_USER | libc::TP_STATUS_LOSING;
    let v2 = FrameLayout { version: Version::V2, ..V3 };
    for (layout, mut body) in [(V3, body(&[PLAIN, PLAIN])), (v2, slot(ETHERNET))] {
        assert!(Frames::new(&mut body, losing, layout, None).has_losses());
        assert!(!Frames::new(&mut body, libc::TP_STATUS_USER, layout, None).has_losses());
    }
}

/// A slot of version 2 without its status word.
fn slot(bytes: &[u8]) -> Vec<u8> {
    let mac = MIN_PACKET_OFFSET_V2 + SLL2_LEN + VLAN_TAG_LEN + 8;
    let mut slot = vec![0; mac + bytes.len()];
    put(&mut slot, 4, &1500u32.to_ne_bytes());
    put(&mut slot, 8, &u32::try_from(bytes.len()).unwrap().to_ne_bytes());
    put(&mut slot, 12, &u16::try_from(mac).unwrap().to_ne_bytes());
    put(&mut slot, 16, &7u32.to_ne_bytes());
    put(&mut slot, 20, &9u32.to_ne_bytes());
    put(&mut slot, 24, &5u16.to_ne_bytes());
    put_address(&mut slot[32..], &EMPTY);
    put(&mut slot, mac, bytes);
    slot.split_off(STATUS_LEN_V2)
}

#[test]
fn v2_slot_is_one_frame() {
    let layout = FrameLayout { version: Version::V2, ..V3 };
    let read = |status: u32| {
        let mut body = slot(ETHERNET);
        let mut frames = Frames::new(&mut body, status, layout, None);
        let frame = frames.next_frame().unwrap();
        assert_eq!(frame.ts, Timestamp::from_ns(7_000_000_009));
        let seen = (frame.bytes.to_vec(), frame.wire_len);
        assert!(frames.next_frame().is_none());
        seen
    };
    assert_eq!(read(libc::TP_STATUS_USER), (ETHERNET.to_vec(), 1500));
    let tagged = [&ETHERNET[..12], &[0x81, 0, 0, 5], &ETHERNET[12..]].concat();
    assert_eq!(read(libc::TP_STATUS_USER | libc::TP_STATUS_VLAN_VALID), (tagged, 1504));
}

#[test]
fn offset_outside_the_block_ends_the_iteration() {
    for (at, value) in [(16 - BODY_OFFSET_V3, 3u32), (16 - BODY_OFFSET_V3, u32::MAX)] {
        let mut body = body(&[PLAIN]);
        put(&mut body, at, &value.to_ne_bytes());
        assert_eq!(read(&mut body, V3), []);
    }
    let frame = 48 - BODY_OFFSET_V3;
    for (at, value) in [(12, u32::MAX), (12, 4096), (24, 0), (24, 0xffff)] {
        let mut body = body(&[PLAIN, PLAIN]);
        put(&mut body, frame + at, &value.to_ne_bytes());
        assert_eq!(read(&mut body, V3), [], "{at} {value}");
    }
}

proptest! {
    /// Whatever the kernel or a bug writes into a block: no panic, and the iteration ends.
    #[test]
    fn arbitrary_blocks_are_read_without_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..600),
        first in 0u32..300, offset in 0u32..200, mac in 80u16..140,
        (is_cooked, is_v2, has_virtio) in any::<(bool, bool, bool)>(), status: u32,
    ) {
        if 12 < bytes.len() {
            put(&mut bytes, 16 - BODY_OFFSET_V3, &first.to_ne_bytes());
        }
        let frame = (first as usize).saturating_sub(BODY_OFFSET_V3);
        if frame + 28 < bytes.len() {
            put(&mut bytes, frame, &offset.to_ne_bytes());
            put(&mut bytes, frame + 12, &30u32.to_ne_bytes());
            put(&mut bytes, frame + 24, &mac.to_ne_bytes());
        }
        let version = if is_v2 { Version::V2 } else { Version::V3 };
        let link = if is_cooked { LinkType::LINUX_SLL2 } else { LinkType::ETHERNET };
        let layout = FrameLayout { version, link, has_virtio, snaplen: 100 };
        let mut frames = Frames::new(&mut bytes, status, layout, None);
        let mut count = 0;
        while frames.next_frame().is_some() {
            count += 1;
            prop_assert!(count <= 600);
        }
    }
}
