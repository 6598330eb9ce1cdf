//! The pcapng format (draft-ietf-opsawg-pcapng): sections in either byte order, several interfaces with
//! different time resolutions, and enhanced, simple and obsolete packet blocks.

use super::{FileError, FileInterface, Frame, MAX_RECORD_LEN, Step, time_faults};
use crate::{Faults, LinkType, Timestamp};
use pcap_parser::pcapng::{
    OptionCode, PcapNGOption, parse_interfacedescriptionblock_be,
    parse_interfacedescriptionblock_le, parse_sectionheaderblock,
};

/// Maximum number of interfaces of a section. Files of the kernel's interfaces have far fewer; a
/// compressed file of a few kilobytes can describe millions.
const MAX_INTERFACES: usize = 1 << 16;
/// `if_tsresol` without the option: microseconds.
const DEFAULT_TSRESOL: u8 = 6;
/// Maximum length of an interface name in bytes. Names of Linux have 15, those of Windows about 50.
const MAX_NAME_LEN: usize = 1 << 10;

/// The first four bytes of a section header block, equal in both byte orders.
pub(super) const MAGIC: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
/// The packet block that the enhanced packet block replaced (draft, appendix A).
const OBSOLETE_PACKET: u32 = 2;
pub(super) const INTERFACE: u32 = 1;
const SIMPLE_PACKET: u32 = 3;
pub(super) const INTERFACE_STATISTICS: u32 = 5;
pub(super) const ENHANCED_PACKET: u32 = 6;

/// Interface, time in ticks if the block has one, captured bytes (`None` if the block is too short),
/// length on the wire.
type Packet<'a> = (usize, Option<u64>, Option<&'a [u8]>, u32);

/// Length of an interface description block without options.
const INTERFACE_LEN: usize = 20;

/// Length of the type of a block, its length, and the byte-order magic of a section header.
pub(super) const BLOCK_HEAD_LEN: usize = 12;

/// Whether a section header begins here.
pub(super) fn is_section_header(bytes: &[u8]) -> bool {
    let Some(&[m0, m1, m2, m3, _, _, _, _, b0, b1, b2, b3]) = bytes.first_chunk() else {
        return false;
    };
    [m0, m1, m2, m3] == MAGIC
        && matches!([b0, b1, b2, b3], [0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a])
}

/// The state of the current section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PcapNg {
    pub(super) is_big_endian: bool,
    /// `interfaces.len() == clocks.len()`
    interfaces: Vec<FileInterface>,
    clocks: Vec<FileClock>,
}

/// Converts the ticks of an interface to time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileClock {
    ticks_per_second: u128,
    offset_seconds: i64,
}

impl FileClock {
    /// Bit 7 of `if_tsresol` selects powers of 2 or 10, and the other bits are the negative exponent
    /// (draft, section 4.2).
    fn new(tsresol: u8, offset_seconds: i64) -> Option<Self> {
        let exponent = u32::from(tsresol & 0x7f);
        let ticks_per_second = match tsresol & 0x80 {
            0 => 10u128.checked_pow(exponent)?,
            _ => 1u128.checked_shl(exponent)?,
        };
        Some(Self { ticks_per_second, offset_seconds })
    }

    fn timestamp(&self, ticks: u64) -> Timestamp {
        let ticks = u128::from(ticks);
        let seconds = ticks / self.ticks_per_second;
        let fraction = ticks % self.ticks_per_second;
        // If the product does not fit, the resolution is so fine that the divisor can be reduced first.
        let subsec_ns = match fraction.checked_mul(1_000_000_000) {
            Some(scaled) => scaled / self.ticks_per_second,
            None => fraction / (self.ticks_per_second / 1_000_000_000),
        };
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        Timestamp::from_parts(
            seconds.saturating_add(self.offset_seconds),
            u32::try_from(subsec_ns).unwrap_or(999_999_999),
        )
    }
}

/// The options of an interface description up to the end-of-options option. pcap-parser leaves out an
/// option that is longer than the block, and all options after it.
fn interface_options<'o, 'b>(
    options: &'o [PcapNGOption<'b>],
    len: usize,
) -> Result<&'o [PcapNGOption<'b>], &'static str> {
    if let Some(end) = options.iter().position(|option| option.code == OptionCode::EndOfOpt) {
        return Ok(&options[..end]);
    }
    let found = options.iter().map(|option| 4 + option.value.len()).sum::<usize>();
    if found == len { Ok(options) } else { Err("an option is longer than its block") }
}

/// The value of the first option with this code.
fn option<'o>(options: &'o [PcapNGOption<'_>], code: OptionCode) -> Option<&'o [u8]> {
    let option = options.iter().find(|option| option.code == code)?;
    option.value.get(..usize::from(option.len))
}

/// Like [`option`], for an option of a fixed length.
fn fixed_option<const N: usize>(
    options: &[PcapNGOption<'_>],
    code: OptionCode,
) -> Result<Option<[u8; N]>, &'static str> {
    let value = option(options, code).map(<[u8; N]>::try_from);
    value.transpose().map_err(|_| "an option for the clock has a wrong length")
}

/// The text of `if_name`, which a zero can end before its length; `None` if it is empty.
fn interface_name(value: &[u8]) -> Option<String> {
    let name = value.split(|byte| *byte == 0).next().filter(|name| !name.is_empty())?;
    Some(String::from_utf8_lossy(&name[..name.len().min(MAX_NAME_LEN)]).into_owned())
}

impl PcapNg {
    pub(super) fn interfaces(&self) -> &[FileInterface] {
        &self.interfaces
    }

    pub(super) fn step<'a>(&mut self, bytes: &'a [u8], offset: u64) -> Result<Step<'a>, FileError> {
        let damaged = |reason| FileError::Damaged { offset, reason };
        let Some((kind, len)) = self.block_head(bytes).map_err(damaged)? else {
            return Ok(Step::NeedMore { needed: BLOCK_HEAD_LEN });
        };
        // A block has its length before and after its content.
        if len < 12 || len % 4 != 0 {
            return Err(damaged("an impossible block length"));
        }
        if len > MAX_RECORD_LEN {
            return Err(damaged("a block is longer than 128 MiB"));
        }
        let Some(block) = bytes.get(..len) else {
            return Ok(Step::NeedMore { needed: len });
        };
        if block[len - 4..] != block[4..8] {
            return Err(damaged("the two lengths of a block differ"));
        }
        if kind == MAGIC {
            self.section(block, offset)?;
            return Ok(Step::Skipped { consumed: len });
        }
        // Other blocks are skipped without validation, so damage in them does not matter.
        let content = &block[8..len - 4];
        let number = self.number(kind);
        let packet = match number {
            INTERFACE => {
                self.interface(block).map_err(damaged)?;
                return Ok(Step::Skipped { consumed: len });
            }
            ENHANCED_PACKET | OBSOLETE_PACKET => self.packet(content, number == OBSOLETE_PACKET),
            SIMPLE_PACKET => self.simple_packet(content),
            _ => return Ok(Step::Skipped { consumed: len }),
        };
        let (interface, ticks, data, wire_len) =
            packet.ok_or_else(|| damaged("a short packet block"))?;
        let bytes = data.ok_or_else(|| damaged("more bytes captured than the block holds"))?;
        let (Some(description), Some(clock)) =
            (self.interfaces.get(interface), self.clocks.get(interface))
        else {
            return Err(damaged("a packet of an interface that was not described"));
        };
        let ts = ticks.map_or(Timestamp::from_ns(0), |ticks| clock.timestamp(ticks));
        let faults = if ticks.is_none() { Faults::NO_TIME } else { time_faults(ts) };
        let frame = Frame { ts, link: description.link, interface, bytes, wire_len, faults };
        Ok(Step::Frame { consumed: len, frame })
    }

    /// Type and length of the block at the front; the length of a section header is in the byte
    /// order given by its third word.
    fn block_head(&self, bytes: &[u8]) -> Result<Option<([u8; 4], usize)>, &'static str> {
        let Some(&head) = bytes.first_chunk::<BLOCK_HEAD_LEN>() else {
            return Ok(None);
        };
        let [kind @ .., l0, l1, l2, l3, b0, b1, b2, b3] = head;
        let len = [l0, l1, l2, l3];
        let is_big_endian = match [b0, b1, b2, b3] {
            _ if kind != MAGIC => self.is_big_endian,
            [0x1a, 0x2b, 0x3c, 0x4d] => true,
            [0x4d, 0x3c, 0x2b, 0x1a] => false,
            _ => return Err("a section header without its byte-order magic"),
        };
        let len = if is_big_endian { u32::from_be_bytes(len) } else { u32::from_le_bytes(len) };
        Ok(Some((kind, len as usize)))
    }

    fn number(&self, word: [u8; 4]) -> u32 {
        if self.is_big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
    }

    fn signed(&self, bytes: [u8; 8]) -> i64 {
        if self.is_big_endian { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) }
    }

    fn section(&mut self, block: &[u8], offset: u64) -> Result<(), FileError> {
        let Ok((_, section)) = parse_sectionheaderblock(block) else {
            return Err(FileError::Damaged { offset, reason: "invalid section header" });
        };
        // Minor version 2 is 0 but for a note (draft, 4.1).
        if section.major_version != 1 || !matches!(section.minor_version, 0 | 2) {
            let version = format!("{}.{}", section.major_version, section.minor_version);
            return Err(FileError::Unsupported { what: format!("pcapng version {version}") });
        }
        *self = Self { is_big_endian: section.big_endian(), ..Self::default() };
        Ok(())
    }

    fn interface(&mut self, block: &[u8]) -> Result<(), &'static str> {
        if MAX_INTERFACES <= self.interfaces.len() {
            return Err("a section describes more than 65,536 interfaces");
        }
        let parse = match self.is_big_endian {
            true => parse_interfacedescriptionblock_be,
            false => parse_interfacedescriptionblock_le,
        };
        let options_len = block.len().saturating_sub(INTERFACE_LEN);
        let (_, block) = parse(block).map_err(|_| "an unreadable block")?;
        let options = interface_options(&block.options, options_len)?;
        let clock = FileClock::new(
            fixed_option(options, OptionCode::IfTsresol)?.map_or(DEFAULT_TSRESOL, |[byte]| byte),
            // pcap-parser 0.17 always reads this option in little-endian order.
            fixed_option(options, OptionCode::IfTsoffset)?.map_or(0, |bytes| self.signed(bytes)),
        )
        .ok_or("an impossible clock resolution")?;
        let link = u16::try_from(block.linktype.0).map_err(|_| "an impossible link type")?;
        let name = option(options, OptionCode::IfName).and_then(interface_name);
        let link = LinkType::from_file(link);
        self.interfaces.push(FileInterface { name, link, snaplen: block.snaplen });
        self.clocks.push(clock);
        Ok(())
    }

    /// Interface, time (64 bits), captured length, length, bytes (draft, 4.3); in obsolete blocks the
    /// interface has 16 bits, and drops the other 16.
    fn packet<'a>(&self, content: &'a [u8], is_obsolete: bool) -> Option<Packet<'a>> {
        let (head, content) = content.split_first_chunk::<20>()?;
        let word = |at: usize| self.number([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let interface = match (is_obsolete, self.is_big_endian) {
            (true, true) => word(0) >> 16,
            (true, false) => word(0) & 0xffff,
            (false, _) => word(0),
        };
        let ticks = u64::from(word(4)) << 32 | u64::from(word(8));
        Some((interface as usize, Some(ticks), content.get(..word(12) as usize), word(16)))
    }

    /// Length, bytes (draft, 4.4): of the first interface, and cut to its length.
    fn simple_packet<'a>(&self, content: &'a [u8]) -> Option<Packet<'a>> {
        let (len, content) = content.split_first_chunk()?;
        let len = self.number(*len);
        let snaplen = self.interfaces.first().map_or(0, |interface| interface.snaplen);
        let cap = if snaplen == 0 { len } else { len.min(snaplen) } as usize;
        Some((0, None, content.get(..cap), len))
    }
}
