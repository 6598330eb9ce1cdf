//! Writes pcapng files block by block (draft-ietf-opsawg-pcapng), in either byte order, with times in
//! nanoseconds. pcap-parser can serialize blocks, too, but allocates each one and needs another
//! dependency.

use super::pcapng::{ENHANCED_PACKET, INTERFACE, MAGIC};
use super::{FileInterface, Frame};
use crate::Direction;

/// The byte-order magic of a section header.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Codes of options (draft, sections 3.5, 4.1, 4.2 and 4.3).
const END_OF_OPTIONS: u16 = 0;
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const PACKET_FLAGS: u16 = 2;

/// Value of the option `if_tsresol`: units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

/// Writes one section of a pcapng file to buffers of the caller, who may write out and clear a buffer
/// after each call.
///
/// ```
/// use summary::capture_file::{FileInterface, Frame, PacketOptions, PcapngWriter, SectionOptions};
/// use summary::{Faults, LinkType, Timestamp};
///
/// let mut file = Vec::new();
/// let mut writer = PcapngWriter::new(&SectionOptions::default(), &mut file);
/// let link = LinkType::ETHERNET;
/// let eth0 = FileInterface { name: Some("eth0".to_owned()), link, snaplen: 0 };
/// let interface = writer.interface(&eth0, &mut file);
/// let ts = Timestamp::from_ns(1_763_866_418_123_456_789);
/// let (bytes, faults) = (&[0; 60][..], Faults::default());
/// let frame = Frame { ts, link, interface, bytes, wire_len: 1_514, faults };
/// writer.packet(&frame, &PacketOptions::default(), &mut file);
/// ```
#[derive(Clone, Debug)]
pub struct PcapngWriter {
    is_big_endian: bool,
    interface_count: usize,
}

/// Optional contents of a section header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SectionOptions<'a> {
    /// Byte order of the section, little-endian by default. A few link types have headers in the byte
    /// order of their file: see [`Reader::is_big_endian`](super::Reader::is_big_endian).
    pub is_big_endian: bool,
    /// Name of the program that writes the file (option `shb_userappl`).
    pub application: Option<&'a str>,
    /// Comment on the section (option `opt_comment`).
    pub comment: Option<&'a str>,
}

/// Optional properties of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketOptions<'a> {
    /// Direction of the packet (option `epb_flags`).
    pub direction: Option<Direction>,
    /// Comment on the packet (option `opt_comment`).
    pub comment: Option<&'a str>,
}

impl PcapngWriter {
    /// Begins a section: appends its header to `out`.
    ///
    /// Texts of options are truncated to 65,535 bytes, here and in the other methods.
    pub fn new(options: &SectionOptions<'_>, out: &mut Vec<u8>) -> Self {
        let writer = Self { is_big_endian: options.is_big_endian, interface_count: 0 };
        let mut block = writer.block(u32::from_le_bytes(MAGIC), out);
        block.u32(BYTE_ORDER_MAGIC);
        // Version 1.0, and a section of unknown length.
        block.u16(1);
        block.u16(0);
        block.bytes(&[0xff; 8]);
        block.text_option(COMMENT, options.comment);
        block.text_option(APPLICATION, options.application);
        block.finish();
        writer
    }

    /// Appends the description of an interface to `out`. Returns the index of the interface for
    /// [`Frame::interface`]. Packets can follow its description only.
    pub fn interface(&mut self, interface: &FileInterface, out: &mut Vec<u8>) -> usize {
        let mut block = self.block(INTERFACE, out);
        block.u16(interface.link.0);
        block.u16(0);
        block.u32(interface.snaplen);
        block.text_option(INTERFACE_NAME, interface.name.as_deref());
        block.option(TIME_RESOLUTION, &[NANOSECONDS]);
        block.finish();
        self.interface_count += 1;
        self.interface_count - 1
    }

    /// Appends a packet of a described interface to `out`. The packet has the link type of its
    /// interface; [`Frame::link`] is not used. A time before 1970 is written as 1970: times in pcapng
    /// are unsigned.
    ///
    /// # Panics
    ///
    /// If the interface is not described, or the packet has 4 GiB or more.
    pub fn packet(&self, frame: &Frame<'_>, options: &PacketOptions<'_>, out: &mut Vec<u8>) {
        assert!(frame.interface < self.interface_count, "an interface that is not described");
        let ns = u64::try_from(frame.ts.ns()).unwrap_or_default();
        let mut block = self.block(ENHANCED_PACKET, out);
        block.u32(u32_of(frame.interface as u64));
        block.u32(u32_of(ns >> 32));
        block.u32(u32_of(ns & u64::from(u32::MAX)));
        block.u32(u32_of(frame.bytes.len() as u64));
        block.u32(frame.wire_len);
        block.bytes(frame.bytes);
        block.text_option(COMMENT, options.comment);
        if let Some(direction) = options.direction {
            block.flags_option(direction);
        }
        block.finish();
    }

    /// Begins a block. Its two lengths are written by [`Block::finish`].
    fn block<'a>(&self, kind: u32, out: &'a mut Vec<u8>) -> Block<'a> {
        let is_big_endian = self.is_big_endian;
        let mut block = Block { is_big_endian, start: out.len(), has_options: false, out };
        block.u32(kind);
        block.u32(0);
        block
    }
}

fn u32_of(value: u64) -> u32 {
    u32::try_from(value).expect("fits into 32 bits")
}

/// A block being written.
struct Block<'a> {
    is_big_endian: bool,
    out: &'a mut Vec<u8>,
    /// Start of the block in `out`.
    start: usize,
    has_options: bool,
}

impl Block<'_> {
    fn u16(&mut self, value: u16) {
        let bytes = if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
        self.out.extend(bytes);
    }

    fn u32(&mut self, value: u32) {
        let bytes = self.u32_bytes(value);
        self.out.extend(bytes);
    }

    fn u32_bytes(&self, value: u32) -> [u8; 4] {
        if self.is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// Appends bytes, padded to a multiple of 4.
    fn bytes(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
        self.out.resize(self.out.len() + bytes.len().next_multiple_of(4) - bytes.len(), 0);
    }

    fn option(&mut self, code: u16, value: &[u8]) {
        self.has_options = true;
        self.u16(code);
        self.u16(u16::try_from(value.len()).expect("values are truncated by the caller"));
        self.bytes(value);
    }

    fn text_option(&mut self, code: u16, text: Option<&str>) {
        let Some(text) = text else { return };
        let limit = text.len().min(usize::from(u16::MAX));
        let len = (0..=limit).rev().find(|len| text.is_char_boundary(*len)).unwrap_or(0);
        self.option(code, &text.as_bytes()[..len]);
    }

    /// Bits 0 and 1 of the flags are the direction, bits 2 to 4 the type of reception (draft, 4.3.1).
    fn flags_option(&mut self, direction: Direction) {
        const INBOUND: u32 = 1;
        const OUTBOUND: u32 = 2;
        let flags = match direction {
            Direction::In => INBOUND | 1 << 2,
            Direction::Multicast => INBOUND | 2 << 2,
            Direction::Broadcast => INBOUND | 3 << 2,
            Direction::Other => INBOUND | 4 << 2,
            Direction::Out => OUTBOUND,
        };
        let flags = self.u32_bytes(flags);
        self.option(PACKET_FLAGS, &flags);
    }

    /// Ends the options and writes the length of the block at both of its ends.
    fn finish(mut self) {
        if self.has_options {
            self.u16(END_OF_OPTIONS);
            self.u16(0);
        }
        let len = u32_of((self.out.len() - self.start + 4) as u64);
        let bytes = self.u32_bytes(len);
        self.out[self.start + 4..self.start + 8].copy_from_slice(&bytes);
        self.out.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture_file::{Reader, Step};
    use crate::{Faults, LinkType, Timestamp};
    use proptest::prelude::*;

    fn directions() -> impl Strategy<Value = Option<Direction>> {
        prop::sample::select(vec![
            None,
            Some(Direction::In),
            Some(Direction::Out),
            Some(Direction::Broadcast),
            Some(Direction::Multicast),
            Some(Direction::Other),
        ])
    }

    fn interfaces() -> impl Strategy<Value = FileInterface> {
        let name = prop::option::of("\\PC{1,9}");
        (name, 0u16..300, any::<u32>()).prop_map(|(name, link, snaplen)| FileInterface {
            name,
            link: LinkType::from_file(link),
            snaplen,
        })
    }

    proptest! {
        /// Packets and interfaces are read back, whatever options come with them.
        #[test]
        fn written_files_are_read_back(
            is_big_endian: bool,
            interfaces in prop::collection::vec(interfaces(), 1..4),
            packets in prop::collection::vec(
                (0..i64::MAX, any::<prop::sample::Index>(), any::<Vec<u8>>(), any::<u32>()),
                0..9,
            ),
            comment: Option<String>,
            direction in directions(),
        ) {
            let comment = comment.as_deref();
            let mut file = Vec::new();
            let section = SectionOptions { is_big_endian, comment, application: comment };
            let mut writer = PcapngWriter::new(&section, &mut file);
            for interface in &interfaces {
                writer.interface(interface, &mut file);
            }
            let frames: Vec<_> = packets.iter().map(|(ns, interface, bytes, wire_len)| {
                let interface = interface.index(interfaces.len());
                let (ts, link) = (Timestamp::from_ns(*ns), interfaces[interface].link);
                Frame { ts, link, interface, bytes, wire_len: *wire_len, faults: Faults::default() }
            }).collect();
            for frame in &frames {
                writer.packet(frame, &PacketOptions { direction, comment }, &mut file);
            }

            let (mut reader, mut rest, mut found) = (Reader::new(), &file[..], Vec::new());
            while !rest.is_empty() {
                match reader.step(rest).unwrap() {
                    Step::Frame { consumed, frame } => {
                        found.push(frame);
                        rest = &rest[consumed..];
                    }
                    Step::Skipped { consumed } => rest = &rest[consumed..],
                    Step::NeedMore { .. } => panic!("the file ends in the middle of a block"),
                }
            }
            prop_assert_eq!(found, frames);
            prop_assert_eq!(reader.interfaces(), &interfaces[..]);
            prop_assert_eq!(reader.is_big_endian(), is_big_endian);
        }
    }

    #[test]
    fn long_texts_are_truncated_between_characters() {
        let text = format!("{}é", "x".repeat(65_534));
        let mut file = Vec::new();
        PcapngWriter::new(
            &SectionOptions { comment: Some(&text), ..SectionOptions::default() },
            &mut file,
        );
        // Header of the block, option with padding, end of options, length.
        assert_eq!(file.len(), 24 + 4 + 65_536 + 4 + 4);
        assert_eq!(&file[24..28], [1, 0, 0xfe, 0xff]);
        assert!(Reader::new().step(&file).is_ok());
    }
}
