//! The pcap format (draft-ietf-opsawg-pcap): both byte orders, microseconds and nanoseconds, and the
//! variants of Alexey Kuznetsov and IXIA.

use super::{FileError, FileInterface, Frame, MAX_RECORD_LEN, Step, time_faults};
use crate::{Faults, LinkType, Timestamp};
use pcap_parser::pcap::parse_pcap_header;

const HEADER_LEN: usize = 24;
const RECORD_HEADER_LEN: usize = 16;
const MODIFIED_RECORD_HEADER_LEN: usize = 24;

/// The state of a file after its header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pcap {
    interface: [FileInterface; 1],
    pub(super) is_big_endian: bool,
    variant: Variant,
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

/// Magic numbers of the variants whose header is the standard one otherwise, with what pcap-parser
/// reads in place of them, and the variant (Wireshark, wiretap/libpcap.c).
const VARIANTS: [(u32, u32, Variant); 5] = [
    (MAGIC_US, MAGIC_US, Variant::Standard),
    (MAGIC_NS, MAGIC_NS, Variant::Standard),
    (0xa1b2_cd34, MAGIC_US, Variant::Modified),
    (0x1c00_01ac, MAGIC_US, Variant::Ixia),
    (0x1c00_01ab, MAGIC_US, Variant::Ixia),
];

const MAGIC_US: u32 = 0xa1b2_c3d4;
const MAGIC_NS: u32 = 0xa1b2_3c4d;

/// netsniff-ng, a libpcap patch from 2000, and Navtel (libpcap, sf-pcap.c).
const UNSUPPORTED_MAGICS: [u32; 3] = [0xa1e2_cb12, 0xa1b2_34cd, 0xa12b_3c4d];

/// Major version, which is the same in all other files.
const VERSION: u16 = 2;
/// Version in files of tcpdump on DG/UX (libpcap, sf-pcap.c).
const DG_UX_VERSION: (u16, u16) = (543, 0);

/// Version in files of tcpdump on AIX, which other programs wrote before 1999, too.
const AIX_VERSION: (u16, u16) = (VERSION, 2);

/// Reserved bits of the link type. The other bits above the lower 16 are about the frame check sequence.
const RESERVED_BITS: u32 = 0x03ff_0000;

const NS_PER_SECOND: u64 = 1_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variant {
    Standard,
    /// Alexey Kuznetsov's variant, whose record headers also have the interface index, the protocol and
    /// the packet type.
    Modified,
    /// Hardware and software captures of IXIA. The file header ends with the length of all records.
    Ixia,
}

impl Variant {
    fn header_len(self) -> usize {
        match self {
            Self::Standard | Self::Modified => HEADER_LEN,
            Self::Ixia => HEADER_LEN + 4,
        }
    }

    fn record_header_len(self) -> usize {
        match self {
            Self::Standard | Self::Ixia => RECORD_HEADER_LEN,
            Self::Modified => MODIFIED_RECORD_HEADER_LEN,
        }
    }
}

/// A magic number of the table, and whether the file is big-endian.
fn magic(bytes: [u8; 4]) -> Option<(&'static (u32, u32, Variant), bool)> {
    let find = |number| VARIANTS.iter().find(|(magic, ..)| *magic == number);
    let big_endian = find(u32::from_be_bytes(bytes)).map(|found| (found, true));
    big_endian.or_else(|| Some((find(u32::from_le_bytes(bytes))?, false)))
}

/// A magic number of a variant that is not supported, and whether the file is big-endian.
fn unsupported_magic(bytes: [u8; 4]) -> Option<(u32, bool)> {
    let numbers = [(u32::from_be_bytes(bytes), true), (u32::from_le_bytes(bytes), false)];
    numbers.into_iter().find(|(number, _)| UNSUPPORTED_MAGICS.contains(number))
}

/// Whether these are the first bytes of a pcap file of any variant, in either byte order.
pub(super) fn is_magic(bytes: [u8; 4]) -> bool {
    byte_order(bytes).is_some()
}

/// Whether a file header begins here instead of a record or block. As the header of a record, these
/// bytes would be a fixed microsecond in 2055 or 1984.
pub(super) fn is_header(bytes: &[u8]) -> bool {
    let Some(&[m0, m1, m2, m3, v0, v1, v2, v3]) = bytes.first_chunk() else { return false };
    // Few records begin with a byte that is the first one of a magic number.
    matches!(m0, 0xa1 | 0xd4 | 0x4d | 0x34 | 0x1c | 0xac | 0xab | 0x12 | 0xcd)
        && byte_order([m0, m1, m2, m3]).is_some_and(|is_big_endian| {
            let number = match is_big_endian {
                true => u16::from_be_bytes,
                false => u16::from_le_bytes,
            };
            let (major, minor) = (number([v0, v1]), number([v2, v3]));
            major == VERSION || (major, minor) == DG_UX_VERSION
        })
}

/// Whether the file of a magic number is big-endian; `None` for other bytes.
fn byte_order(bytes: [u8; 4]) -> Option<bool> {
    let supported = magic(bytes).map(|(_, is_big_endian)| is_big_endian);
    supported.or_else(|| unsupported_magic(bytes).map(|(_, is_big_endian)| is_big_endian))
}

/// The link type in a file of AIX, which counts nanoseconds and has the types of interfaces in RFC 1573. Other
/// programs did not use these numbers, except for 9, which was PPP (Wireshark, wiretap/libpcap.c).
fn aix_link(number: u16) -> Option<LinkType> {
    const TOKEN_RING: LinkType = LinkType(6);
    match number {
        6 => Some(LinkType::ETHERNET),
        9 => Some(TOKEN_RING),
        24 => Some(LinkType::NULL),
        _ => None,
    }
}

impl Pcap {
    /// Parses the file header; also returns its length. `None` if more bytes are needed.
    pub(super) fn from_header(bytes: &[u8]) -> Result<Option<(Self, usize)>, FileError> {
        let Some(&first) = bytes.first_chunk() else { return Ok(None) };
        if let Some((magic, _)) = unsupported_magic(first) {
            let what = format!("the pcap variant {magic:#010x}");
            return Err(FileError::Unsupported { what });
        }
        let Some((&(_, standard_magic, variant), is_big_endian)) = magic(first) else {
            return Err(FileError::Unrecognized);
        };
        if bytes.len() < variant.header_len() {
            return Ok(None);
        }
        let Some(&(mut standard)) = bytes.first_chunk::<HEADER_LEN>() else { return Ok(None) };
        standard[..4].copy_from_slice(&match is_big_endian {
            true => standard_magic.to_be_bytes(),
            false => standard_magic.to_le_bytes(),
        });
        let (_, header) = parse_pcap_header(&standard).map_err(|_| FileError::Unrecognized)?;
        let lengths = match (header.version_major, header.version_minor) {
            (VERSION, 0..=2) | DG_UX_VERSION => LengthOrder::WireFirst,
            (VERSION, 3) => LengthOrder::SmallerIsCaptured,
            (VERSION, _) => LengthOrder::CapturedFirst,
            (major, minor) => {
                let what = format!("pcap version {major}.{minor}");
                return Err(FileError::Unsupported { what });
            }
        };
        let network = header.network.0.cast_unsigned();
        if network & RESERVED_BITS != 0 {
            let what = format!("the link type {}", network & (RESERVED_BITS | 0xffff));
            return Err(FileError::Unsupported { what });
        }
        let number = u16::try_from(network & 0xffff).unwrap_or_default();
        let aix_link = match (header.version_major, header.version_minor) {
            AIX_VERSION => aix_link(number),
            _ => None,
        };
        let link = aix_link.unwrap_or(LinkType::from_file(number));
        let interface = FileInterface { name: None, link, snaplen: header.snaplen };
        let has_ns = header.is_nanosecond_precision() || aix_link.is_some();
        let pcap = Self {
            interface: [interface],
            is_big_endian,
            variant,
            lengths,
            fraction_ns: if has_ns { 1 } else { 1_000 },
        };
        Ok(Some((pcap, variant.header_len())))
    }

    /// The number of bytes that [`Pcap::from_header`] needs.
    pub(super) fn header_len(bytes: &[u8]) -> usize {
        let magic = bytes.first_chunk().and_then(|first| magic(*first));
        magic.map_or(HEADER_LEN, |((.., variant), _)| variant.header_len())
    }

    pub(super) fn interfaces(&self) -> &[FileInterface] {
        &self.interface
    }

    /// The number of bytes before those of a packet.
    pub(super) fn record_header_len(&self) -> usize {
        self.variant.record_header_len()
    }

    pub(super) fn step<'a>(&self, bytes: &'a [u8], offset: u64) -> Result<Step<'a>, FileError> {
        let header_len = self.record_header_len();
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
        let ts = Timestamp::from_ns(seconds_ns.saturating_add_unsigned(fraction_ns));
        let mut faults = time_faults(ts);
        if NS_PER_SECOND <= fraction_ns {
            faults.insert(Faults::BAD_TIME);
        }
        let frame = Frame {
            ts,
            link: self.interface[0].link,
            interface: 0,
            bytes: &record[header_len..],
            wire_len,
            faults,
        };
        Ok(Step::Frame { consumed: len, frame })
    }
}
