//! Reads and writes pcap and pcapng files without I/O. A reader receives bytes as they arrive and
//! returns frames. pcap-parser parses file headers and interface descriptions; this module reads the
//! packets: their fields have fixed offsets, and pcap-parser 0.17 allocates a list of options for each
//! packet.
//!
//! A file can consist of several files, one after another (`cat a.pcap b.pcapng`). The reader continues
//! with the next one.
//!
//! ```
//! use summary::capture_file::{Reader, Step};
//!
//! # let file = [
//! #     0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0,
//! #     1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 60, 0, 0, 0, 7, 8, 9,
//! # ];
//! let mut reader = Reader::new();
//! let mut rest = &file[..];
//! let mut lens = Vec::new();
//! while !rest.is_empty() {
//!     match reader.step(rest)? {
//!         Step::Frame { consumed, frame } => {
//!             lens.push((frame.bytes.len(), frame.wire_len));
//!             rest = &rest[consumed..];
//!         }
//!         Step::Skipped { consumed } => rest = &rest[consumed..],
//!         Step::NeedMore { .. } => return Err(reader.truncation_error(rest.len())),
//!     }
//! }
//! assert_eq!(lens, [(3, 60)]);
//! # Ok::<(), summary::capture_file::FileError>(())
//! ```

mod pcap;
mod pcap_file;
mod pcapng;
mod pcapng_block;
mod pcapng_writer;

pub use pcap_file::PcapFile;
pub use pcapng_writer::{
    InterfaceOptions, InterfaceStatistics, PacketOptions, PcapngWriter, SectionOptions,
};

use crate::{Faults, LinkType, Timestamp};

/// A longer record means that the file is damaged. The limit is that of Wireshark for the link types
/// with the largest packets.
const MAX_RECORD_LEN: usize = 128 << 20;

/// Reads one capture file from its first byte on. A clone can reread an earlier record of the file,
/// provided that no section or interface was described since.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    format: Format,
    /// Number of bytes consumed so far.
    offset: u64,
    description_count: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Unknown,
    Pcap(pcap::Pcap),
    PcapNg(pcapng::PcapNg),
}

/// The result of [`Reader::step`].
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A frame.
    Frame {
        /// Number of bytes to remove from the front of the input before the next step.
        consumed: usize,
        /// The frame, which borrows from the input.
        frame: Frame<'a>,
    },
    /// A header or block without a frame.
    Skipped {
        /// Number of bytes to remove from the front of the input before the next step.
        consumed: usize,
    },
    /// The input is too short. At the end of the file this means that the file is truncated, unless the
    /// input is empty.
    NeedMore {
        /// Minimum length of the input, from the same offset on, for the next step.
        needed: usize,
    },
}

/// One captured frame of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Time of capture; 0 if the file has none.
    pub ts: Timestamp,
    /// Type of its outermost header.
    pub link: LinkType,
    /// Index of its interface in [`Reader::interfaces`].
    pub interface: usize,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Bytes on the wire, as the file says: fewer than `bytes` if the file is damaged.
    pub wire_len: u32,
    /// What is wrong with the time: [`Faults::BAD_TIME`] or [`Faults::NO_TIME`].
    pub faults: Faults,
}

/// The faults of a time: [`Faults::BAD_TIME`] if a [`Timestamp`] cannot represent it.
fn time_faults(ts: Timestamp) -> Faults {
    if ts.is_clamped() { Faults::BAD_TIME } else { Faults::default() }
}

/// An interface that the file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInterface {
    /// Name (pcapng option `if_name`); pcap files have none.
    pub name: Option<String>,
    /// Link type of its frames.
    pub link: LinkType,
    /// Maximum number of bytes captured per frame; 0 means no limit.
    pub snaplen: u32,
}

/// Why a file cannot be read any further. Frames before the error are valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The first bytes are not those of a capture file.
    #[error("not a pcap or pcapng file")]
    Unrecognized,
    /// A version or variant that is not supported.
    #[error("{what} is not supported")]
    Unsupported {
        /// What is not supported.
        what: String,
    },
    /// The file ends within a record.
    #[error("incomplete record at byte {offset}")]
    Truncated {
        /// Offset of the record in the file, in bytes.
        offset: u64,
    },
    /// A record is inconsistent.
    #[error("damaged at byte {offset}: {reason}")]
    Damaged {
        /// Offset of the record in the file, in bytes.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Whether a file with these first bytes is a pcap or pcapng file, including unsupported variants.
pub fn is_capture_file(start: &[u8]) -> bool {
    start.first_chunk().is_some_and(|magic| *magic == pcapng::MAGIC || pcap::is_magic(*magic))
}

impl Reader {
    /// A reader at the start of a file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether both readers would interpret the same record in the same way.
    pub fn same_format(&self, other: &Self) -> bool {
        self.format == other.format
    }

    /// Number of sections and interfaces described so far. As long as it does not change, neither does
    /// the format: a cheap test before [`Reader::same_format`].
    pub fn description_count(&self) -> u64 {
        self.description_count
    }

    /// True if nothing has been read yet.
    pub fn is_empty(&self) -> bool {
        self.offset == 0
    }

    /// The interfaces described so far in this section. A pcap file has one, after its header.
    pub fn interfaces(&self) -> &[FileInterface] {
        match &self.format {
            Format::Unknown => &[],
            Format::Pcap(pcap) => pcap.interfaces(),
            Format::PcapNg(pcapng) => pcapng.interfaces(),
        }
    }

    /// Whether the file, or its current section, is big-endian. A few link types have headers in the
    /// same byte order.
    pub fn is_big_endian(&self) -> bool {
        match &self.format {
            Format::Unknown => false,
            Format::Pcap(pcap) => pcap.is_big_endian,
            Format::PcapNg(pcapng) => pcapng.is_big_endian,
        }
    }

    /// Reads one record from the front of `bytes`.
    ///
    /// # Errors
    ///
    /// If the file is not a capture file, or is damaged. Do not call this method again after an error.
    pub fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, FileError> {
        let interface_count = self.interfaces().len();
        if self.begins_file(bytes) {
            self.format = Format::Unknown;
        }
        let step = match &mut self.format {
            Format::Pcap(pcap) => pcap.step(bytes, self.offset),
            Format::PcapNg(pcapng) => pcapng.step(bytes, self.offset),
            Format::Unknown => match bytes.first_chunk() {
                None => Ok(Step::NeedMore { needed: 4 }),
                Some(&pcapng::MAGIC) => {
                    self.format = Format::PcapNg(pcapng::PcapNg::default());
                    return self.step(bytes);
                }
                Some(_) => match pcap::Pcap::from_header(bytes)? {
                    Some((pcap, consumed)) => {
                        self.format = Format::Pcap(pcap);
                        self.offset += consumed as u64;
                        self.description_count += 1;
                        return Ok(Step::Skipped { consumed });
                    }
                    None => Ok(Step::NeedMore { needed: pcap::Pcap::header_len(bytes) }),
                },
            },
        };
        if let Ok(Step::Frame { consumed, .. } | Step::Skipped { consumed }) = step {
            self.offset += consumed as u64;
            let is_section = bytes.starts_with(&pcapng::MAGIC);
            if is_section || interface_count != self.interfaces().len() {
                self.description_count += 1;
            }
        }
        step
    }

    /// Whether another file begins where the next record would. False if there are fewer bytes than a
    /// record needs: the answer must not depend on how the file is cut into pieces.
    fn begins_file(&self, bytes: &[u8]) -> bool {
        match &self.format {
            Format::Unknown => false,
            Format::Pcap(pcap) => {
                pcap.record_header_len() <= bytes.len()
                    && (pcap::is_header(bytes) || pcapng::is_section_header(bytes))
            }
            // Section headers are blocks.
            Format::PcapNg(_) => pcapng::BLOCK_HEAD_LEN <= bytes.len() && pcap::is_header(bytes),
        }
    }

    /// The error of a file that ends `left` bytes after its last complete record.
    pub fn truncation_error(&self, left: usize) -> FileError {
        match self.format {
            Format::Unknown if left < 4 => FileError::Unrecognized,
            _ => FileError::Truncated { offset: self.offset },
        }
    }
}

#[cfg(test)]
mod tests;
