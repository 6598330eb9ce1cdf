//! Small files made byte by byte, in both byte orders, cut and damaged.

use super::{FileError, Reader, Step, is_capture_file};
use crate::{Faults, LinkType};
use proptest::prelude::*;

/// Time in nanoseconds, link type, interface, captured bytes and wire length of a frame.
type Seen = (i64, LinkType, usize, Vec<u8>, u32);

fn read(mut rest: &[u8]) -> (Vec<Seen>, Option<FileError>) {
    let mut reader = Reader::new();
    let mut seen = Vec::new();
    while !rest.is_empty() {
        match reader.step(rest) {
            Ok(Step::Frame { consumed, frame }) => {
                let bytes = frame.bytes.to_vec();
                seen.push((frame.ts.ns(), frame.link, frame.interface, bytes, frame.wire_len));
                rest = &rest[consumed..];
            }
            Ok(Step::Skipped { consumed }) => rest = &rest[consumed..],
            Ok(Step::NeedMore { needed }) => {
                assert!(needed > rest.len());
                return (seen, Some(reader.truncation_error(rest.len())));
            }
            Err(error) => return (seen, Some(error)),
        }
    }
    (seen, None)
}

/// Writes words in one byte order.
struct Bytes {
    is_big_endian: bool,
    bytes: Vec<u8>,
}

impl Bytes {
    fn new(is_big_endian: bool) -> Self {
        Self { is_big_endian, bytes: Vec::new() }
    }

    fn u32(mut self, value: u32) -> Self {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
        self
    }

    fn u16(mut self, value: u16) -> Self {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.bytes.extend(bytes);
        self
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        self.bytes.extend(bytes);
        self
    }

    fn block(self, kind: u32, content: &Self) -> Self {
        let padding = vec![0; content.bytes.len().next_multiple_of(4) - content.bytes.len()];
        let len = u32::try_from(12 + content.bytes.len() + padding.len()).unwrap();
        self.u32(kind).u32(len).raw(&content.bytes).raw(&padding).u32(len)
    }
}

fn pcap(is_big_endian: bool, magic: u32) -> Bytes {
    let file = Bytes::new(is_big_endian).u32(magic).u16(2).u16(4).u32(0).u32(0);
    let file = file.u32(65_535).u32(1);
    file.u32(1_000).u32(999_999).u32(3).u32(60).raw(&[7, 8, 9])
}

#[test]
fn impossible_fractions_of_a_second_are_faults() {
    for (magic, fraction, is_fault) in [
        (0xa1b2_c3d4, 999_999, false),
        (0xa1b2_c3d4, 1_000_000, true),
        (0xa1b2_c3d4, u32::MAX, true),
        (0xa1b2_3c4d, 999_999_999, false),
        (0xa1b2_3c4d, 1_000_000_000, true),
    ] {
        let mut file = pcap(false, magic).bytes;
        file[28..32].copy_from_slice(&u32::to_le_bytes(fraction));
        let mut reader = Reader::new();
        assert!(matches!(reader.step(&file), Ok(Step::Skipped { consumed: 24 })));
        let Ok(Step::Frame { frame, .. }) = reader.step(&file[24..]) else { panic!("no frame") };
        assert_eq!(frame.faults.contains(Faults::BAD_TIME), is_fault, "{magic:x} {fraction}");
    }
}

#[test]
fn link_types_with_reserved_bits_are_unsupported() {
    for (link, is_supported) in
        [(0x2400_0001u32, true), (0xf000_0001, true), (0x0001_0001, false), (0x0200_0001, false)]
    {
        let mut file = pcap(true, 0xa1b2_c3d4).bytes;
        file[20..24].copy_from_slice(&link.to_be_bytes());
        assert_eq!(read(&file).1.is_none(), is_supported, "{link:x}");
    }
}

#[test]
fn old_versions_store_the_wire_length_first() {
    for (minor, first, second) in [(2, 60, 3), (3, 60, 3), (3, 3, 60)] {
        let file = Bytes::new(false).u32(0xa1b2_c3d4).u16(2).u16(minor).u32(0).u32(0);
        let file = file.u32(65_535).u32(1).u32(1).u32(0).u32(first).u32(second).raw(&[7, 8, 9]);
        let frame = (1_000_000_000, LinkType::ETHERNET, 0, vec![7, 8, 9], 60);
        assert_eq!(read(&file.bytes), (vec![frame.clone()], None));
        let mut of_dg_ux = file.bytes;
        of_dg_ux[4..8].copy_from_slice(&[31, 2, 0, 0]);
        if minor == 2 {
            assert_eq!(read(&of_dg_ux), (vec![frame], None));
        }
    }
}

#[test]
fn aix_counts_nanoseconds_and_has_its_own_link_types() {
    for (number, link, nanoseconds) in [
        (6u32, LinkType::ETHERNET, 5),
        (9, LinkType(6), 5),
        (24, LinkType::NULL, 5),
        (1, LinkType::ETHERNET, 5_000),
    ] {
        let file = Bytes::new(true).u32(0xa1b2_c3d4).u16(2).u16(2).u32(0).u32(0).u32(65_535);
        let file = file.u32(number).u32(1).u32(5).u32(60).u32(3).raw(&[7, 8, 9]);
        let frame = (1_000_000_000 + nanoseconds, link, 0, vec![7, 8, 9], 60);
        assert_eq!(read(&file.bytes), (vec![frame], None), "{number}");
    }
}

#[test]
fn pcap_in_both_byte_orders_and_resolutions() {
    for (is_big_endian, magic, fraction_ns) in [
        (false, 0xa1b2_c3d4, 999_999_000),
        (true, 0xa1b2_c3d4, 999_999_000),
        (false, 0xa1b2_3c4d, 999_999),
        (true, 0xa1b2_3c4d, 999_999),
    ] {
        let frame = (1_000_000_000_000 + fraction_ns, LinkType::ETHERNET, 0, vec![7, 8, 9], 60);
        assert_eq!(read(&pcap(is_big_endian, magic).bytes), (vec![frame], None));
    }
}

#[test]
fn modified_variant_is_read_and_others_are_named() {
    for is_big_endian in [false, true] {
        let file = Bytes::new(is_big_endian).u32(0xa1b2_cd34).u16(2).u16(4).u32(0).u32(0);
        let file = file.u32(65_535).u32(1);
        // After the usual header of a record: interface, protocol, packet type, padding.
        let file = file.u32(1_000).u32(5).u32(3).u32(60).u32(2).u32(0x0800_0400).raw(&[7, 8, 9]);
        let frame = (1_000_000_005_000, LinkType::ETHERNET, 0, vec![7, 8, 9], 60);
        assert_eq!(read(&file.bytes), (vec![frame], None), "{is_big_endian}");
        for len in 4..24 {
            let first = Reader::new().step(&file.bytes[..len]);
            assert_eq!(first, Ok(Step::NeedMore { needed: 24 }), "{len} bytes");
        }
        let what = "the pcap variant 0xa1b234cd".to_owned();
        let other = pcap(is_big_endian, 0xa1b2_34cd).bytes;
        assert_eq!(read(&other), (vec![], Some(FileError::Unsupported { what })));
        assert!(is_capture_file(&file.bytes) && is_capture_file(&other));
    }
}

/// Two interfaces with clocks of 10⁻⁹ s and 2⁻¹⁰ s plus an offset, one frame of each kind of block.
fn pcapng(is_big_endian: bool) -> Bytes {
    let new = || Bytes::new(is_big_endian);
    let section = new().u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX);
    let first = new().u16(1).u16(0).u32(4).u16(2).u16(4).raw(b"eth0");
    let first = first.u16(9).u16(1).raw(&[9, 0, 0, 0]).u16(0).u16(0);
    let offset: [u32; 2] = if is_big_endian { [0, 100] } else { [100, 0] };
    let second = new().u16(101).u16(0).u32(0).u16(9).u16(1).raw(&[0x8a, 0, 0, 0]);
    let second = second.u16(14).u16(8).u32(offset[0]).u32(offset[1]).u16(0).u16(0);
    let enhanced = new().u32(1).u32(0).u32(1536).u32(3).u32(60).raw(&[1, 2, 3]);
    let simple = new().u32(6).raw(&[4, 5, 6, 7]);
    let obsolete = new().u16(0).u16(0).u32(0).u32(42).u32(2).u32(2).raw(&[8, 9]);
    new()
        .block(0x0a0d_0d0a, &section)
        .block(1, &first)
        .block(1, &second)
        .block(0x0000_0bad, &new().u32(1))
        .block(4, &new().u32(7).u32(7))
        .block(6, &enhanced)
        .block(3, &simple)
        .block(2, &obsolete)
}

#[test]
fn capture_files_are_recognized_by_their_first_bytes() {
    for is_big_endian in [false, true] {
        for magic in [0xa1b2_c3d4, 0xa1b2_3c4d] {
            assert!(is_capture_file(&pcap(is_big_endian, magic).bytes));
        }
        assert!(is_capture_file(&pcapng(is_big_endian).bytes));
    }
    assert!(!is_capture_file(b"{\"type\"") && !is_capture_file(&[0xa1, 0xb2, 0xc3]));
}

#[test]
fn pcapng_in_both_byte_orders_with_every_packet_block() {
    for is_big_endian in [false, true] {
        let (seen, error) = read(&pcapng(is_big_endian).bytes);
        assert_eq!(error, None);
        let expected = vec![
            (101_500_000_000, LinkType::RAW, 1, vec![1, 2, 3], 60),
            (0, LinkType::ETHERNET, 0, vec![4, 5, 6, 7], 6),
            (42, LinkType::ETHERNET, 0, vec![8, 9], 2),
        ];
        assert_eq!(seen, expected);
    }
}

#[test]
fn interfaces_have_their_names() {
    let file = pcapng(false).bytes;
    let mut reader = Reader::new();
    let mut rest = &file[..];
    while let Ok(Step::Skipped { consumed }) = reader.step(rest) {
        rest = &rest[consumed..];
    }
    let names: Vec<_> =
        reader.interfaces().iter().map(|interface| interface.name.as_deref()).collect();
    assert_eq!(names, [Some("eth0"), None]);
}

#[test]
fn sections_describe_a_limited_number_of_interfaces() {
    let new = || Bytes::new(false);
    let section =
        new().block(0x0a0d_0d0a, &new().u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX));
    let interface = new().block(1, &new().u16(1).u16(0).u32(0)).bytes;
    let packet = new().block(3, &new().u32(4).raw(&[1, 2, 3, 4])).bytes;
    let start = [&section.bytes[..], &interface.repeat(1 << 16)].concat();
    let full = [&start[..], &packet].concat();
    // Each section has its own interfaces.
    let (seen, error) = read(&[&full[..], &full].concat());
    assert_eq!((seen.len(), error), (2, None));
    let (seen, error) = read(&[&full[..], &interface, &packet].concat());
    assert_eq!(seen.len(), 1);
    let message =
        format!("damaged at byte {}: a section describes more than 65,536 interfaces", full.len());
    assert_eq!(error.unwrap().to_string(), message);
}

#[test]
fn long_interface_names_are_truncated() {
    let name = [b'x'; 4_000];
    let section = Bytes::new(false).u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX);
    let interface = Bytes::new(false).u16(1).u16(0).u32(0).u16(2).u16(4_000).raw(&name);
    let file = Bytes::new(false).block(0x0a0d_0d0a, &section).block(1, &interface.u16(0).u16(0));
    let (mut reader, mut rest) = (Reader::new(), &file.bytes[..]);
    while let Ok(Step::Skipped { consumed }) = reader.step(rest) {
        rest = &rest[consumed..];
    }
    assert_eq!(reader.interfaces()[0].name.as_ref().map(String::len), Some(1 << 10));
}

#[test]
fn sections_may_differ_in_byte_order() {
    let file = [pcapng(false).bytes, pcapng(true).bytes].concat();
    let (seen, error) = read(&file);
    assert_eq!((seen.len(), error), (6, None));
}

#[test]
fn files_can_follow_each_other() {
    let files = [
        pcap(false, 0xa1b2_c3d4).bytes,
        pcap(true, 0xa1b2_3c4d).bytes,
        pcapng(true).bytes,
        pcap(true, 0xa1b2_c3d4).bytes,
        pcapng(false).bytes,
        pcap(false, 0xa1b2_3c4d).bytes,
    ];
    let expected: Vec<_> = files.iter().flat_map(|file| read(file).0).collect();
    assert_eq!(read(&files.concat()), (expected, None));
    let second = Bytes::new(false).u32(0xa1b2_c3d4).u16(2).u16(9).bytes;
    let (seen, error) = read(&[&files[0][..], &second].concat());
    assert_eq!((seen.len(), error), (1, Some(FileError::Truncated { offset: 43 })));
    let mut of_dg_ux = files[0].clone();
    of_dg_ux[4..8].copy_from_slice(&[31, 2, 0, 0]);
    let (seen, error) = read(&[&files[0][..], &of_dg_ux[..24]].concat());
    assert_eq!((seen.len(), error), (1, None));
    // A file of an unsupported variant is an error, not a packet.
    for (magic, is_big_endian) in [0xa1e2_cb12, 0xa1b2_34cd, 0xa12b_3c4d]
        .into_iter()
        .flat_map(|magic| [(magic, false), (magic, true)])
    {
        let (seen, error) = read(&[&files[0][..], &pcap(is_big_endian, magic).bytes].concat());
        let what = format!("the pcap variant {magic:#010x}");
        assert_eq!((seen.len(), error), (1, Some(FileError::Unsupported { what })));
    }
}

#[test]
fn interface_options_have_the_lengths_of_their_types() {
    let new = || Bytes::new(false);
    let section =
        new().block(0x0a0d_0d0a, &new().u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX));
    let read_with = |options: Bytes| {
        let interface = new().u16(1).u16(0).u32(0).raw(&options.bytes);
        read(&[&section.bytes[..], &new().block(1, &interface).bytes].concat()).1
    };
    let damaged = |reason| Some(FileError::Damaged { offset: 28, reason });
    let clock = "an option for the clock has a wrong length";
    for (options, error) in [
        (new(), None),
        (new().u16(2).u16(5).raw(b"eth0\0\0\0\0"), None),
        (new().u16(9).u16(1).u32(6), None),
        (new().u16(9).u16(0), damaged(clock)),
        (new().u16(9).u16(4).u32(6), damaged(clock)),
        (new().u16(14).u16(4).u32(6), damaged(clock)),
        (new().u16(9).u16(1).u32(99), damaged("an impossible clock resolution")),
        (new().u16(9).u16(5).u32(6), damaged("an option is longer than its block")),
        // What follows the end of the options is not an option.
        (new().u32(0).u16(9).u16(5).u32(6), None),
    ] {
        let text = format!("{:?}", options.bytes);
        assert_eq!(read_with(options), error, "{text}");
    }
}

#[test]
fn truncated_file_gives_complete_packets_and_the_offset() {
    let file = pcap(false, 0xa1b2_c3d4).raw(&[1, 2, 3]).bytes;
    let (seen, error) = read(&file);
    assert_eq!((seen.len(), error), (1, Some(FileError::Truncated { offset: 43 })));
}

#[test]
fn damage_is_reported_with_its_offset() {
    let mut file = pcapng(false).bytes;
    file[4] = 13; // the section's length, no multiple of four
    let reason = "an impossible block length";
    assert_eq!(read(&file), (vec![], Some(FileError::Damaged { offset: 0, reason })));
    assert_eq!(read(b"PK\x03\x04 no capture"), (vec![], Some(FileError::Unrecognized)));
    let version = Bytes::new(false).u32(0xa1b2_c3d4).u16(9).u16(0).u32(0).u32(0).u32(0).u32(1);
    let what = "pcap version 9.0".to_owned();
    assert_eq!(read(&version.bytes), (vec![], Some(FileError::Unsupported { what })));
}

proptest! {
    /// However the file is cut, the frames are a prefix of the whole file's.
    #[test]
    fn any_cut_gives_a_prefix(at: prop::sample::Index, is_big_endian: bool) {
        let file = pcapng(is_big_endian).bytes;
        let whole = read(&file).0;
        let seen = read(&file[..at.index(file.len())]).0;
        prop_assert_eq!(&whole[..seen.len()], &seen[..]);
    }

    #[test]
    fn any_byte_changed_never_panics(at: prop::sample::Index, byte: u8) {
        for file in [pcapng(false), pcapng(true), pcap(false, 0xa1b2_c3d4)] {
            let mut bytes = file.bytes;
            let at = at.index(bytes.len());
            bytes[at] = byte;
            read(&bytes);
        }
    }

    #[test]
    fn any_bytes_never_panic(bytes: Vec<u8>) {
        read(&bytes);
    }
}
