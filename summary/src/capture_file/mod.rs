//! Capture files, pcap and pcapng, without any I/O: the caller hands in bytes as they come and
//! gets frames. pcap-parser knows headers and descriptions of interfaces; packets are read here.
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
mod pcapng;

use crate::{LinkType, Timestamp};

/// No record is larger: a length above is damage. Wireshark's limit for the largest link types.
const MAX_RECORD_LEN: usize = 128 << 20;

/// Reads one capture file from its first byte on. A clone can read a record again that it has read
/// before, as long as no section or interface is described in between.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    format: Format,
    /// Bytes consumed so far.
    offset: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Format {
    #[default]
    Unknown,
    Pcap(pcap::Pcap),
    PcapNg(pcapng::PcapNg),
}

/// What one step through the file gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// A frame, and how many bytes it took.
    Frame {
        /// Bytes to leave behind before the next step.
        consumed: usize,
        /// The frame; it borrows from the bytes handed in.
        frame: Frame<'a>,
    },
    /// Something that is no frame, such as a header.
    Skipped {
        /// Bytes to leave behind before the next step.
        consumed: usize,
    },
    /// Too few bytes: hand in at least `needed`, from the same place on. At the end of the file
    /// this means that it was cut, unless nothing is left.
    NeedMore {
        /// Bytes needed, counted from the same place.
        needed: usize,
    },
}

/// One captured frame of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// When it was captured.
    pub ts: Timestamp,
    /// What its first bytes are.
    pub link: LinkType,
    /// Place of its interface in [`Reader::interfaces`].
    pub interface: usize,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Bytes on the wire.
    pub wire_len: u32,
}

/// An interface as the file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileInterface {
    /// Name, where the file has one: pcapng may, pcap does not.
    pub name: Option<String>,
    /// Link type of its frames.
    pub link: LinkType,
    /// Most bytes captured of a frame; 0 is no limit.
    pub snaplen: u32,
}

/// Why a file cannot be read (on). The frames before it are good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// The first bytes are those of no capture file.
    #[error("not a pcap or pcapng file")]
    Unrecognized,
    /// A capture file, but a version or variant that is not read here.
    #[error("{what} is not supported")]
    Unsupported {
        /// What is not supported.
        what: String,
    },
    /// The file ends in the middle of a record.
    #[error("cut short in the record at byte {offset}")]
    Truncated {
        /// Where the record begins, in bytes from the start of the file.
        offset: u64,
    },
    /// A record contradicts itself.
    #[error("damaged at byte {offset}: {reason}")]
    Damaged {
        /// Where the record begins, in bytes from the start of the file.
        offset: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// True where a file that begins so is a pcap or pcapng file, of a variant that is read here or not.
pub fn is_capture_file(start: &[u8]) -> bool {
    start.first_chunk().is_some_and(|magic| *magic == pcapng::MAGIC || pcap::is_magic(*magic))
}

impl Reader {
    /// A reader that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// True where both understand a record alike, wherever in their files they are.
    pub fn same_format(&self, other: &Self) -> bool {
        self.format == other.format
    }

    /// True where nothing was read yet.
    pub fn is_empty(&self) -> bool {
        self.offset == 0
    }

    /// The interfaces described so far in this section: one for pcap, once its header was read.
    pub fn interfaces(&self) -> &[FileInterface] {
        match &self.format {
            Format::Unknown => &[],
            Format::Pcap(pcap) => pcap.interfaces(),
            Format::PcapNg(pcapng) => pcapng.interfaces(),
        }
    }

    /// Whether the machine that wrote the file, or this section of it, had the most significant byte
    /// first; a few link types have numbers in its order.
    pub fn is_big_endian(&self) -> bool {
        match &self.format {
            Format::Unknown => false,
            Format::Pcap(pcap) => pcap.is_big_endian,
            Format::PcapNg(pcapng) => pcapng.is_big_endian,
        }
    }

    /// Takes one record from the front of `bytes`.
    ///
    /// # Errors
    ///
    /// Where the bytes are no capture file, or are damaged; there is no going on after that.
    pub fn step<'a>(&mut self, bytes: &'a [u8]) -> Result<Step<'a>, FileError> {
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
                        Ok(Step::Skipped { consumed })
                    }
                    None => Ok(Step::NeedMore { needed: pcap::HEADER_LEN }),
                },
            },
        };
        if let Ok(Step::Frame { consumed, .. } | Step::Skipped { consumed }) = step {
            self.offset += consumed as u64;
        }
        step
    }

    /// The error of a file that ends `left` bytes behind its last whole record.
    pub fn truncation_error(&self, left: usize) -> FileError {
        match self.format {
            Format::Unknown if left < 4 => FileError::Unrecognized,
            _ => FileError::Truncated { offset: self.offset },
        }
    }
}

#[cfg(test)]
mod tests;
