//! From the bytes of a file, or of a part of it, to what it holds: lines, or packets of a capture.
//! What a file is shows in its bytes, whatever its name.

use super::capture::Capture;
use super::decompress::{Compression, Decompressor};
use crate::lines::{LineSink, LineSplitter};
use std::ops::Range;
use summary::Packet;
use summary::capture_file::is_capture_file;

/// Who takes what a file holds, each thing with where it begins in the file, once that is unpacked.
pub(super) trait Visit: LineSink {
    /// Takes the next packet of a capture file.
    fn packet(&mut self, packet: &Packet<'_>, offset: u64);
}

/// Takes bytes, gives what they hold.
#[derive(Debug)]
pub(super) struct Source {
    range: Range<u64>,
    /// Bytes of the file that were taken.
    read_bytes: u64,
    unpacker: Option<Decompressor>,
    content: Content,
    /// Nothing more will be taken.
    is_over: bool,
}

/// What a file holds, once it is unpacked.
#[derive(Debug)]
enum Content {
    /// Not known yet: these are the first bytes.
    Unknown(Vec<u8>),
    Lines(LineSplitter),
    Capture(Capture),
}

impl Source {
    /// The lines that begin in `range` of a file of lines.
    pub(super) fn new(range: Range<u64>) -> Self {
        Self::with(Content::Lines(LineSplitter::new(&range)), range)
    }

    /// A whole file of `len` bytes, of whatever kind.
    pub(super) fn whole(len: u64) -> Self {
        Self::with(Content::Unknown(Vec::new()), 0..len)
    }

    fn with(content: Content, range: Range<u64>) -> Self {
        Self { range, read_bytes: 0, unpacker: None, content, is_over: false }
    }

    /// Where in the file the next bytes are wanted from.
    pub(super) fn position(&self) -> u64 {
        match &self.content {
            // It looks a byte back, whether a line begins with the range.
            Content::Lines(lines) if self.read_bytes == 0 => lines.position(),
            _ => self.range.start + self.read_bytes,
        }
    }

    /// True where the file holds its lines as they are.
    pub(super) fn is_uncompressed(&self) -> bool {
        matches!(self.content, Content::Lines(_)) && self.unpacker.is_none()
    }

    /// True where the file is a capture file, packed or not.
    pub(super) fn is_capture(&self) -> bool {
        matches!(self.content, Content::Capture(_))
    }

    /// The capture file, where the file holds it as it is.
    pub(super) fn plain_capture(&self) -> Option<&Capture> {
        match &self.content {
            Content::Capture(capture) if self.unpacker.is_none() => Some(capture),
            _ => None,
        }
    }

    /// Bytes of the range, and how many of them were read.
    pub(super) fn progress(&self) -> (u64, u64) {
        let len = self.range.end - self.range.start;
        (len, self.read_bytes.min(len))
    }

    /// True where no more bytes are wanted.
    pub(super) fn is_done(&self) -> bool {
        let has_all_lines = match &self.content {
            Content::Lines(lines) => lines.is_done() && self.unpacker.is_none(),
            _ => false,
        };
        self.is_over || has_all_lines
    }

    /// Takes the next bytes of the file, none at its end, and hands on what is in them.
    ///
    /// # Errors
    ///
    /// Where the file is damaged, in words: nothing more can be read.
    pub(super) fn feed(&mut self, chunk: &[u8], visit: &mut dyn Visit) -> Result<(), String> {
        self.read_bytes += chunk.len() as u64;
        self.is_over |= chunk.is_empty();
        let Self { unpacker, content, .. } = self;
        let fed = match unpacker {
            Some(unpacker) => unpack(unpacker, chunk, content, visit),
            None => match content.packing(chunk) {
                Some((packing, start)) => {
                    let unpacker = unpacker.insert(Decompressor::new(packing));
                    unpack(unpacker, &start, content, visit)
                }
                None => content.feed(chunk, visit),
            },
        };
        self.is_over |= fed.is_err();
        fed
    }
}

/// Unpacks, and feeds what comes out.
fn unpack(
    unpacker: &mut Decompressor,
    chunk: &[u8],
    content: &mut Content,
    visit: &mut dyn Visit,
) -> Result<(), String> {
    let mut fed = Ok(());
    let unpacked = unpacker.feed(chunk, |piece| {
        if fed.is_ok() && !piece.is_empty() {
            fed = content.feed(piece, visit);
        }
    });
    fed?;
    if unpacked.is_err() || chunk.is_empty() {
        content.feed(&[], visit)?;
    }
    unpacked.map_err(|reason| format!("the packed file is damaged: {reason}"))
}

/// First bytes that tell what a file is.
const START_LEN: usize = 8;

impl Content {
    /// The packing of a file that was not begun before, and its first bytes.
    fn packing(&mut self, chunk: &[u8]) -> Option<(Compression, Vec<u8>)> {
        let Self::Unknown(start) = self else { return None };
        let seen = [&start[..], chunk].concat();
        let packing = Compression::of(&seen)?;
        start.clear();
        Some((packing, seen))
    }

    /// Takes the next bytes; none is the end.
    fn feed(&mut self, chunk: &[u8], visit: &mut dyn Visit) -> Result<(), String> {
        match self {
            Self::Unknown(start) => {
                start.extend_from_slice(chunk);
                if start.len() < START_LEN && !chunk.is_empty() {
                    return Ok(());
                }
                let start = std::mem::take(start);
                *self = if is_capture_file(&start) {
                    Self::Capture(Capture::default())
                } else {
                    Self::Lines(LineSplitter::new(&(0..u64::MAX)))
                };
                if !start.is_empty() {
                    self.feed(&start, visit)?;
                }
                if chunk.is_empty() { self.feed(&[], visit) } else { Ok(()) }
            }
            Self::Lines(lines) => {
                if chunk.is_empty() {
                    lines.finish(visit);
                } else {
                    lines.feed(chunk, visit);
                }
                Ok(())
            }
            Self::Capture(capture) => {
                capture.feed(chunk, |packet, start| visit.packet(packet, start))
            }
        }
    }
}

/// True where a file that begins so is one of lines as they are, which can be read in parts.
pub(super) fn is_lines(start: &[u8]) -> bool {
    Compression::of(start).is_none() && !is_capture_file(start)
}
