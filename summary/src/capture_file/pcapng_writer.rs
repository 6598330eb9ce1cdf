//! Writes pcapng files block by block (draft-ietf-opsawg-pcapng), in either byte order, with times in
//! nanoseconds. pcap-parser can serialize blocks, too, but allocates each one and needs another
//! dependency.

use super::pcapng::{ENHANCED_PACKET, INTERFACE, INTERFACE_STATISTICS, MAGIC};
use super::pcapng_block::{Block, ticks, truncate, u32_of};
use super::{FileInterface, Frame};
use crate::{Direction, Timestamp};

/// The byte-order magic of a section header.
const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Codes of options (draft, sections 3.5, 4.1, 4.2, 4.3 and 4.6).
const COMMENT: u16 = 1;
const APPLICATION: u16 = 4;
const INTERFACE_NAME: u16 = 2;
const TIME_RESOLUTION: u16 = 9;
const INTERFACE_FILTER: u16 = 11;
const PACKET_ID: u16 = 5;
const STATISTICS_START: u16 = 2;
const STATISTICS_END: u16 = 3;
const RECEIVED: u16 = 4;
const DROPPED_BY_INTERFACE: u16 = 5;
const ACCEPTED: u16 = 6;
const DROPPED_BY_SYSTEM: u16 = 7;
const DELIVERED: u16 = 8;

/// Value of the option `if_tsresol`: units of 10⁻⁹ s.
const NANOSECONDS: u8 = 9;

/// First byte of the option `if_filter` if the filter is a text.
const FILTER_TEXT: u8 = 0;

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

/// Optional properties of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceOptions<'a> {
    /// Expression of pcap-filter(7) that selected the packets (option `if_filter`).
    pub filter: Option<&'a str>,
}

/// Counters of an interface. All numbers are packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InterfaceStatistics {
    /// When counting began and ended; the end is also the time of the block. A time before 1970 is
    /// written as 1970.
    pub period: (Timestamp, Timestamp),
    /// Packets received, including those dropped and those that the filter rejected (`isb_ifrecv`).
    pub received: u64,
    /// Packets that the interface dropped (`isb_ifdrop`). Wireshark shows this number as dropped.
    pub dropped_by_interface: u64,
    /// Packets that the filter accepted, including those dropped (`isb_filteraccept`).
    pub accepted: u64,
    /// Packets that the operating system dropped (`isb_osdrop`).
    pub dropped_by_system: u64,
    /// Packets that the operating system delivered to the program (`isb_usrdeliv`).
    pub delivered: u64,
}

/// Optional properties of a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketOptions<'a> {
    /// Number that identifies the packet (option `epb_packetid`).
    pub id: Option<u64>,
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
        self.interface_with_options(interface, &InterfaceOptions::default(), out)
    }

    /// The same with optional properties.
    pub fn interface_with_options(
        &mut self,
        interface: &FileInterface,
        options: &InterfaceOptions<'_>,
        out: &mut Vec<u8>,
    ) -> usize {
        let mut block = self.block(INTERFACE, out);
        block.u16(interface.link.0);
        block.u16(0);
        block.u32(interface.snaplen);
        block.text_option(INTERFACE_NAME, interface.name.as_deref());
        block.option(TIME_RESOLUTION, &[NANOSECONDS]);
        if let Some(filter) = options.filter {
            let filter = truncate(filter, usize::from(u16::MAX) - 1);
            block.option(INTERFACE_FILTER, &[&[FILTER_TEXT], filter.as_bytes()].concat());
        }
        block.finish();
        self.interface_count += 1;
        self.interface_count - 1
    }

    /// Appends the counters of a described interface to `out`.
    ///
    /// # Panics
    ///
    /// If the interface is not described.
    pub fn statistics(
        &self,
        interface: usize,
        statistics: &InterfaceStatistics,
        out: &mut Vec<u8>,
    ) {
        assert!(interface < self.interface_count, "an interface that is not described");
        let (start, end) = statistics.period;
        let mut block = self.block(INTERFACE_STATISTICS, out);
        let [high, low] = ticks(end);
        block.words([u32_of(interface as u64), high, low]);
        for (code, time) in [(STATISTICS_START, start), (STATISTICS_END, end)] {
            // Unlike other numbers of 64 bits, times have their high half first.
            let [high, low] = ticks(time).map(|half| block.u32_bytes(half));
            block.option(code, &[high, low].concat());
        }
        for (code, count) in [
            (RECEIVED, statistics.received),
            (DROPPED_BY_INTERFACE, statistics.dropped_by_interface),
            (ACCEPTED, statistics.accepted),
            (DROPPED_BY_SYSTEM, statistics.dropped_by_system),
            (DELIVERED, statistics.delivered),
        ] {
            block.u64_option(code, count);
        }
        block.finish();
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
        let [high, low] = ticks(frame.ts);
        let (interface, cap_len) =
            (u32_of(frame.interface as u64), u32_of(frame.bytes.len() as u64));
        // Most packets are short: one check of the capacity instead of one for each field.
        out.reserve(frame.bytes.len() + MAX_FIXED_LEN);
        let mut block = self.block(ENHANCED_PACKET, out);
        block.words([interface, high, low, cap_len, frame.wire_len]);
        block.bytes(frame.bytes);
        block.text_option(COMMENT, options.comment);
        if let Some(direction) = options.direction {
            block.flags_option(direction);
        }
        if let Some(id) = options.id {
            block.u64_option(PACKET_ID, id);
        }
        block.finish();
    }

    fn block<'a>(&self, kind: u32, out: &'a mut Vec<u8>) -> Block<'a> {
        Block::begin(kind, self.is_big_endian, out)
    }
}

/// Most bytes of a packet block besides the packet and the comment: 28 bytes before the packet, 3 of
/// padding, flags, number, end of options, and the length.
const MAX_FIXED_LEN: usize = 28 + 3 + 8 + 12 + 4 + 4;

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

    fn statistics() -> impl Strategy<Value = InterfaceStatistics> {
        let times = (0..=i64::MAX, 0..=i64::MAX)
            .prop_map(|(start, end)| (Timestamp::from_ns(start), Timestamp::from_ns(end)));
        (times, any::<[u64; 5]>()).prop_map(|(period, counts)| {
            let [received, dropped_by_interface, accepted, dropped_by_system, delivered] = counts;
            InterfaceStatistics {
                period,
                received,
                dropped_by_interface,
                accepted,
                dropped_by_system,
                delivered,
            }
        })
    }

    /// Reads a block of counters as the draft describes it.
    fn read_statistics(block: &[u8], is_big_endian: bool) -> InterfaceStatistics {
        let u32_at = |at: usize| {
            let bytes = *block[at..].first_chunk().unwrap();
            if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
        };
        let time_at = |at: usize| {
            let ns = i64::from(u32_at(at)) << 32 | i64::from(u32_at(at + 4));
            Timestamp::from_ns(ns)
        };
        let u64_at = |at: usize| {
            let bytes = *block[at..].first_chunk().unwrap();
            if is_big_endian { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
        };
        assert_eq!((u32_at(0), u32_at(4) as usize), (5, block.len()));
        // After type, length, interface and time: seven options of 8 bytes, each after 4 bytes.
        let options: [usize; 7] = std::array::from_fn(|index| 20 + 12 * index + 4);
        let [start, end, received, if_drop, accepted, os_drop, delivered] = options;
        assert_eq!(time_at(12), time_at(end));
        InterfaceStatistics {
            period: (time_at(start), time_at(end)),
            received: u64_at(received),
            dropped_by_interface: u64_at(if_drop),
            accepted: u64_at(accepted),
            dropped_by_system: u64_at(os_drop),
            delivered: u64_at(delivered),
        }
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
            (comment, id, filter) in any::<(Option<String>, Option<u64>, Option<String>)>(),
            direction in directions(),
            statistics in statistics(),
        ) {
            let comment = comment.as_deref();
            let mut file = Vec::new();
            let section = SectionOptions { is_big_endian, comment, application: comment };
            let mut writer = PcapngWriter::new(&section, &mut file);
            for interface in &interfaces {
                let options = InterfaceOptions { filter: filter.as_deref() };
                writer.interface_with_options(interface, &options, &mut file);
            }
            let frames: Vec<_> = packets.iter().map(|(ns, interface, bytes, wire_len)| {
                let interface = interface.index(interfaces.len());
                let (ts, link) = (Timestamp::from_ns(*ns), interfaces[interface].link);
                Frame { ts, link, interface, bytes, wire_len: *wire_len, faults: Faults::default() }
            }).collect();
            for frame in &frames {
                writer.packet(frame, &PacketOptions { direction, comment, id }, &mut file);
            }
            let block = file.len();
            writer.statistics(interfaces.len() - 1, &statistics, &mut file);
            prop_assert_eq!(read_statistics(&file[block..], is_big_endian), statistics);

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
