//! pcap and pcapng files.

use std::ops::Range;
use summary::capture_file::{PcapngWriter, Reader, SectionOptions, Step};
use summary::{LinkType, Timestamp, decode};

/// Bytes of memory that a reader may need per byte of its file: a description of an interface is
/// larger in memory than in the file.
const MEMORY_PER_BYTE: u64 = 64;
/// Bytes of memory that reading any file may need, including this test's own.
const FIXED_MEMORY: u64 = 64 << 10;

/// Any bytes are a capture file or have an error.
pub(crate) fn pcap(input: &[u8]) {
    check(input);
}

/// The same after the header of a pcapng section, whose lengths a fuzzer does not find soon.
///
/// Input: bit 0 of the first byte selects big-endian order; the other blocks follow.
pub(crate) fn pcapng(input: &[u8]) {
    let [order, blocks @ ..] = input else { return };
    let is_big_endian = order & 1 == 1;
    let section = SectionOptions { is_big_endian, ..SectionOptions::default() };
    let mut file = Vec::new();
    PcapngWriter::new(&section, &mut file);
    file.extend(blocks);
    check(&file);
}

/// A frame of a file.
#[derive(Debug, PartialEq)]
struct Found {
    ts: Timestamp,
    link: LinkType,
    interface: usize,
    record: Range<usize>,
    captured_len: usize,
    wire_len: u32,
}

/// A reader finds the same frames whether it is given the whole file or no more than it needs, and its
/// memory is bounded by the length of the file.
fn check(file: &[u8]) {
    let mut all = (Vec::new(), String::new());
    let memory = allocation_counter::measure(|| all = walk(file, file.len()));
    let bound = MEMORY_PER_BYTE * file.len() as u64 + FIXED_MEMORY;
    assert!(memory.bytes_max <= bound, "{} bytes allocated for {}", memory.bytes_max, file.len());
    assert_eq!(walk(file, 0), all);
}

/// The frames of a file and how it ends. Each step is given at least `min_len` bytes if the file has
/// them, and more only if the reader needs them.
fn walk(file: &[u8], min_len: usize) -> (Vec<Found>, String) {
    let (mut reader, mut start, mut found) = (Reader::new(), 0, Vec::new());
    let mut len = min_len;
    loop {
        let rest = &file[start..];
        let bytes = &rest[..len.min(rest.len())];
        let consumed = match reader.step(bytes) {
            Ok(Step::Frame { consumed, frame }) => {
                assert!(frame.interface < reader.interfaces().len());
                assert!(consumed <= bytes.len());
                decode(frame.link, frame.bytes, frame.wire_len);
                found.push(Found {
                    ts: frame.ts,
                    link: frame.link,
                    interface: frame.interface,
                    record: start..start + consumed,
                    captured_len: frame.bytes.len(),
                    wire_len: frame.wire_len,
                });
                consumed
            }
            Ok(Step::Skipped { consumed }) => consumed,
            Ok(Step::NeedMore { needed }) => {
                assert!(bytes.len() < needed);
                if rest.len() < needed {
                    return (found, reader.truncation_error(rest.len()).to_string());
                }
                len = needed;
                continue;
            }
            Err(error) => return (found, error.to_string()),
        };
        assert!(0 < consumed);
        start += consumed;
        len = min_len;
    }
}
