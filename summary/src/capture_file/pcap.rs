//! The classic format (draft-ietf-opsawg-pcap), both byte orders, micro- and nanoseconds, and, in
//! little-endian order, the "modified" variant with 24-byte record headers.

use super::{FileError, FileInterface, Frame, MAX_RECORD_LEN, Step};
use crate::{LinkType, Timestamp};
use pcap_parser::pcap::parse_pcap_header;

pub(super) const HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
const MODIFIED_RECORD_HEADER_LEN: usize = 24;

/// A file whose header was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pcap {
    interface: [FileInterface; 1],
    pub(super) is_big_endian: bool,
    is_modified: bool,
    lengths: LengthOrder,
    /// Length of the unit of the fraction of a second.
    fraction_ns: u32,
}

/// The order of a record's two lengths. Before version 2.3 the wire's came first; some writers of
/// 2.3 had not noticed the change (libpcap, sf-pcap.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LengthOrder {
    CapturedFirst,
    WireFirst,
    SmallerIsCaptured,
}

const BIG_ENDIAN_MAGIC: [u8; 4] = [0xa1, 0xb2, 0xc3, 0xd4];

/// What the first four bytes tell that pcap-parser does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    /// Whatever it makes of them.
    Usual,
    /// Alexey Kuznetzov's, in big-endian order.
    ModifiedBigEndian,
    /// Other people's, with record headers of their own (wiretap/libpcap.h): the first bytes as the
    /// number that their writer meant.
    Unread(u32),
}

/// True for the first bytes of pcap files of all variants, in both byte orders.
pub(super) fn is_magic(magic: [u8; 4]) -> bool {
    let is_known = |magic: u32| matches!(magic, 0xa1b2_c3d4 | 0xa1b2_3c4d | 0xa1b2_cd34);
    matches!(Variant::of(&magic), Variant::Unread(_))
        || is_known(u32::from_be_bytes(magic))
        || is_known(u32::from_le_bytes(magic))
}

/// IXIA (lcap, hardware and software), netsniff-ng, and a patch of 2000.
const UNREAD_MAGICS: [u32; 4] = [0x1c00_01ac, 0x1c00_01ab, 0xa1e2_cb12, 0xa1b2_34cd];

impl Variant {
    fn of(magic: &[u8; 4]) -> Self {
        let words = [u32::from_be_bytes(*magic), u32::from_le_bytes(*magic)];
        if words[0] == 0xa1b2_cd34 {
            return Self::ModifiedBigEndian;
        }
        let unread = words.into_iter().find(|word| UNREAD_MAGICS.contains(word));
        unread.map_or(Self::Usual, Self::Unread)
    }
}

impl Pcap {
    /// Reads the file header: the format, and how long the header is; `None` where more bytes are
    /// needed.
    pub(super) fn from_header(bytes: &[u8]) -> Result<Option<(Self, usize)>, FileError> {
        let variant = bytes.first_chunk().map_or(Variant::Usual, Variant::of);
        if let Variant::Unread(magic) = variant {
            let what = format!("the pcap variant {magic:#010x}");
            return Err(FileError::Unsupported { what });
        }
        // pcap-parser knows the modified one in little-endian order only.
        let mut usual;
        let bytes = match bytes.first_chunk::<HEADER_LEN>() {
            Some(header) if variant == Variant::ModifiedBigEndian => {
                usual = *header;
                usual[..4].copy_from_slice(&BIG_ENDIAN_MAGIC);
                &usual[..]
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
        // The upper half of the word has other uses: the length of a frame check sequence.
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
            return Err(FileError::Damaged { offset, reason: "a record of more than 128 MiB" });
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
