//! The pcap format (draft-ietf-opsawg-pcap): both byte orders, microseconds and nanoseconds, and the
//! "modified" variant with record headers of 24 bytes.

use super::{FileError, FileInterface, Frame, MAX_RECORD_LEN, Step};
use crate::{LinkType, Timestamp};
use pcap_parser::pcap::parse_pcap_header;

pub(super) const HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
const MODIFIED_RECORD_HEADER_LEN: usize = 24;

/// The state of a file after its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pcap {
    interface: [FileInterface; 1],
    pub(super) is_big_endian: bool,
    is_modified: bool,
    lengths: LengthOrder,
    /// Unit of the fraction of a second, in nanoseconds.
    fraction_ns: u32,
}

/// The order of the two lengths in a record header. Before version 2.3, the length on the wire came
/// first; some programs wrote it first in version 2.3, too (libpcap, sf-pcap.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LengthOrder {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

const BIG_ENDIAN_MAGIC: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];

/// Variants that pcap-parser does not distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    /// A variant that pcap-parser supports, or not a pcap file.
    Standard,
    /// Alexey Kuznetsov's modified variant, in big-endian order.
    ModifiedBigEndian,
    /// A variant with other record headers (Wireshark, wiretap/libpcap.h), by its magic number.
    Unsupported(u32),
}

/// Whether these are the first bytes of a pcap file of any variant, in either byte order.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    let is_known = |magic: u32| matches!(magic, 0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34);
    matches!(Variant::of(&magic), Variant::Unsupported(_))
        || is_known(u32::from_be_bytes(magic))
        || is_known(u32::from_le_bytes(magic))
}

/// IXIA hardware and software captures, netsniff-ng, and a libpcap patch from 2000.
const UNSUPPORTED_MAGICS: [u32; 4] = [0x1c00_01ac, 0x1c00_01ab, 0xa1e2_cb12, 0xa1b2_34cd];

impl Variant {
    fn of(magic: &[u8; 4]) -> Self {
        let words = [u32::from_be_bytes(*magic), u32::from_le_bytes(*magic)];
        if words[0] == 0xa1b2_cd34 {
            return Self::ModifiedBigEndian;
        }
        let unsupported = words.into_iter().find(|word| UNSUPPORTED_MAGICS.contains(word));
        unsupported.map_or(Self::Standard, Self::Unsupported)
    }
}

impl Pcap {
    /// Parses the file header; also returns its length. `None` if more bytes are needed.
    pub(super) fn from_header(bytes: &[u8]) -> Result<Option<(Self, usize)>, FileError> {
        let variant = bytes.first_chunk().map_or(Variant::Standard, Variant::of);
        if let Variant::Unsupported(magic) = variant {
            let what = format!("the pcap variant {magic:#010x}");
            return Err(FileError::Unsupported { what });
        }
        // pcap-parser supports the modified variant in little-endian order only.
        let mut standard;
        let bytes = match variant {
            Variant::ModifiedBigEndian => {
                let Some(header) = bytes.first_chunk::<HEADER_LEN>() else { return Ok(None) };
                standard = *header;
                standard[..4].copy_from_slice(&BIG_ENDIAN_MAGIC);
                &standard[..]
            }
            _ => bytes,
        };
        let header = match parse_pcap_header(bytes) {
            Ok((_, header)) => header,
            Err(nom) if nom.is_incomplete() => return Ok(None),
            Err(_) => return Err(FileError::Unrecognized),
        };
        let lengths = match (header.version_major, header.version_minor) {
            (2, 0..=2) => LengthOrder::WireFirst,
            (2, 3) => LengthOrder::SmallerIsCaptured,
            (2, _) => LengthOrder::CapturedFirst,
            (major, minor) => {
                let what = format!("pcap version {major}.{minor}");
                return Err(FileError::Unsupported { what });
            }
        };
        // The upper half has the length of the frame check sequence.
        let link = u16::try_from(header.network.0 & 0xffff).unwrap_or_default();
        let interface =
            FileInterface { name: None, link: LinkType::from_file(link), snaplen: header.snaplen };
        let pcap = Self {
            interface: [interface],
            is_big_endian: header.is_bigendian(),
            is_modified: header.is_modified_format() || variant == Variant::ModifiedBigEndian,
            lengths,
            fraction_ns: if header.is_nanosecond_precision() { 1 } else { 1_000 },
        };
        Ok(Some((pcap, HEADER_LEN)))
    }

    pub(super) fn interfaces(&self) -> &[FileInterface] {
        &self.interface
    }

    pub(super) fn step<'a>(&self, bytes: &'a [u8], offset: u64) -> Result<Step<'a>, FileError> {
        let header_len =
            if self.is_modified { MODIFIED_RECORD_HEADER_LEN } else { RECORD_HEADER_LEN };
        let Some(header) = bytes.get(..header_len) else {
            return Ok(Step::NeedMore { needed: header_len });
        };
        let word = |at: usize| {
            let word = [header[at], header[at + 1], header[at + 2], header[at + 3]];
            if self.is_big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        let (first, second) = (word(8), word(12));
        let (cap, wire_len) = match self.lengths {
            LengthOrder::WireFirst => (second, first),
            LengthOrder::SmallerIsCaptured if second < first => (second, first),
            LengthOrder::SmallerIsCaptured | LengthOrder::CapturedFirst => (first, second),
        };
        if MAX_RECORD_LEN - header_len < cap as usize {
            return Err(FileError::Damaged { offset, reason: "a record is longer than 128 MiB" });
        }
        let len = header_len + cap as usize;
        let Some(record) = bytes.get(..len) else { return Ok(Step::NeedMore { needed: len }) };
        let seconds_ns = i64::from(word(0)) * 1_000_000_000;
        let fraction_ns = u64::from(word(4)) * u64::from(self.fraction_ns);
        let frame = Frame {
            ts: Timestamp::from_ns(seconds_ns.saturating_add_unsigned(fraction_ns)),
            link: self.interface[0].link,
            interface: 0,
            bytes: &record[header_len..],
            wire_len,
        };
        Ok(Step::Frame { consumed: len, frame })
    }
}
