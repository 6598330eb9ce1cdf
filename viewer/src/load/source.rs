//! Turns the bytes of a file, or of a part of it, into lines or packets. Detects compression and type
//! from the content, not from the name.

use super::capture::{Capture, Record};
use crate::lines::{LineSink, LineSplitter};
use std::ops::Range;
use summary::capture_file::is_capture_file;
use viewer_formats::{Compression, Decompress};

/// Returns a decompressor of a format. Those of the page are in another WebAssembly module.
pub type NewDecompressor = fn(Compression) -> Box<dyn Decompress>;

/// Receives the content of a file, with offsets in the decompressed file.
pub(super) trait RecordSink: LineSink {
    /// Receives the next packet of a capture file.
    fn packet(&mut self, record: &Record<'_>, offset: u64);
}

/// Reads a file, or a part of an uncompressed text file.
#[derive(Debug)]
pub(super) struct Source {
    range: Range<u64>,
    /// Number of bytes read.
    read_bytes: u64,
    decompressor: Option<Box<dyn Decompress>>,
    /// Number of bytes decompressed.
    decompressed_bytes: u64,
    content: Content,
    /// The end of the file or an error was reached.
    is_over: bool,
}

/// The decompressed content.
#[derive(Debug)]
enum Content {
    /// The type is not known yet. Contains the first bytes.
    Unknown {
        start: Vec<u8>,
        new_decompressor: NewDecompressor,
    },
    Lines(LineSplitter),
    Capture(Capture),
}

impl Source {
    /// Reads the lines that begin in `range` of an uncompressed text file.
    pub(super) fn new(range: Range<u64>) -> Self {
        Self::with(Content::Lines(LineSplitter::new(&range)), range)
    }

    /// Reads a whole file of `len` bytes and detects its type.
    pub(super) fn whole(len: u64, new_decompressor: NewDecompressor) -> Self {
        Self::with(Content::Unknown { start: Vec::new(), new_decompressor }, 0..len)
    }

    fn with(content: Content, range: Range<u64>) -> Self {
        Self {
            range,
            read_bytes: 0,
            decompressor: None,
            decompressed_bytes: 0,
            content,
            is_over: false,
        }
    }

    /// Offset in the file of the bytes to feed next.
    pub(super) fn position(&self) -> u64 {
        match &self.content {
            // Starts one byte early, to detect whether a line begins with the range.
            Content::Lines(lines) if self.read_bytes == 0 => lines.position(),
            _ => self.range.start + self.read_bytes,
        }
    }

    /// Returns true for uncompressed text, whose line offsets are offsets in the file.
    pub(super) fn is_uncompressed(&self) -> bool {
        matches!(self.content, Content::Lines(_)) && self.decompressor.is_none()
    }

    /// Returns true for a capture file, compressed or not.
    pub(super) fn is_capture(&self) -> bool {
        matches!(self.content, Content::Capture(_))
    }

    /// The capture file, if it is not compressed.
    pub(super) fn uncompressed_capture(&self) -> Option<&Capture> {
        match &self.content {
            Content::Capture(capture) if self.decompressor.is_none() => Some(capture),
            _ => None,
        }
    }

    /// The length of the range, and the number of bytes read.
    pub(super) fn progress(&self) -> (u64, u64) {
        let len = self.range.end - self.range.start;
        (len, self.read_bytes.min(len))
    }

    /// Number of bytes decompressed so far; 0 for uncompressed files.
    pub(super) fn decompressed_bytes(&self) -> u64 {
        self.decompressed_bytes
    }

    /// Returns true if no more bytes are needed.
    pub(super) fn is_done(&self) -> bool {
        let has_all_lines = match &self.content {
            Content::Lines(lines) => lines.is_done() && self.decompressor.is_none(),
            _ => false,
        };
        self.is_over || has_all_lines
    }

    /// Takes the next bytes of the file and passes on their content. An empty chunk is the end of the
    /// file. Bytes after the end or an error are ignored.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged. Nothing more can be read then.
    pub(super) fn feed(&mut self, chunk: &[u8], sink: &mut dyn RecordSink) -> Result<(), String> {
        if self.is_over {
            return Ok(());
        }
        self.read_bytes += chunk.len() as u64;
        self.is_over |= chunk.is_empty();
        let Self { decompressor, decompressed_bytes, content, .. } = self;
        let fed = match decompressor {
            Some(decompressor) => {
                decompress(&mut **decompressor, chunk, decompressed_bytes, content, sink)
            }
            None => match content.decompressor(chunk) {
                Some((new, start)) => {
                    let decompressor = decompressor.insert(new);
                    decompress(&mut **decompressor, &start, decompressed_bytes, content, sink)
                }
                None => content.feed(chunk, sink),
            },
        };
        self.is_over |= fed.is_err();
        fed
    }
}

/// Decompresses a chunk and feeds the result to the content.
fn decompress(
    decompressor: &mut dyn Decompress,
    chunk: &[u8],
    decompressed_bytes: &mut u64,
    content: &mut Content,
    sink: &mut dyn RecordSink,
) -> Result<(), String> {
    let mut fed = Ok(());
    let decompressed = decompressor.feed(chunk, &mut |piece| {
        *decompressed_bytes += piece.len() as u64;
        if fed.is_ok() && !piece.is_empty() {
            fed = content.feed(piece, sink);
        }
    });
    fed?;
    let mut ended = Ok(());
    if decompressed.is_err() || chunk.is_empty() {
        ended = content.feed(&[], sink);
    }
    // The damage explains an incomplete record before it.
    decompressed.map_err(|reason| format!("decompression failed: {reason}"))?;
    ended
}

/// The number of bytes needed to detect the type of a file.
const START_LEN: usize = 8;

impl Content {
    /// A decompressor if the type is not known yet and the file is compressed, and the first bytes.
    fn decompressor(&mut self, chunk: &[u8]) -> Option<(Box<dyn Decompress>, Vec<u8>)> {
        let Self::Unknown { start, new_decompressor } = self else { return None };
        let seen = [&start[..], chunk].concat();
        let compression = Compression::of(&seen)?;
        start.clear();
        Some((new_decompressor(compression), seen))
    }

    /// Takes the next decompressed bytes. An empty chunk is the end.
    fn feed(&mut self, chunk: &[u8], sink: &mut dyn RecordSink) -> Result<(), String> {
        match self {
            Self::Unknown { start, .. } => {
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
                    self.feed(&start, sink)?;
                }
                if chunk.is_empty() { self.feed(&[], sink) } else { Ok(()) }
            }
            Self::Lines(lines) => {
                if chunk.is_empty() {
                    lines.finish(sink);
                } else {
                    lines.feed(chunk, sink);
                }
                Ok(())
            }
            Self::Capture(capture) => {
                capture.feed(chunk, |record, start| sink.packet(record, start))
            }
        }
    }
}

/// Returns true if a file that begins with these bytes is uncompressed text, which can be read in parts.
pub(super) fn is_text(start: &[u8]) -> bool {
    Compression::of(start).is_none() && !is_capture_file(start)
}

#[cfg(test)]
mod tests {
    use super::super::{FileProbe, Loader, MAX_PROBE_BYTES, Sampling, probe};
    use super::Compression;
    use std::io::Write;
    use summary::capture_file::PcapFile;

    #[test]
    fn bytes_after_the_end_are_ignored() {
        let header = PcapFile::new(1).into_bytes();
        let file = [&header[..], b"an incomplete record"].concat();
        for start in [&file[..], b"not json\n"] {
            let mut loader =
                Loader::whole(start.len() as u64, Sampling::default(), Compression::decompressor);
            for chunk in [start, b"", b"", b"not json\n", start, b""] {
                loader.feed(chunk);
            }
            let report = loader.report();
            assert_eq!((report.skipped, report.problems.len()), (1, 1), "{:?}", report.problems);
            assert_eq!(report.read_bytes, start.len() as u64);
        }
    }

    /// Zeros after a header are packets without bytes.
    #[test]
    fn probe_of_a_bomb_is_bounded() {
        let header = PcapFile::new(1).into_bytes();
        let bomb = [&header[..], &vec![0; 16 << 20]].concat();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(&bomb).unwrap();
        for file in [gzip.finish().unwrap(), zstd::encode_all(&bomb[..], 1).unwrap()] {
            let (loader, probed_len) = probe(&file, 1 << 40, Compression::decompressor);
            assert!(loader.source.decompressed_bytes() < 2 * MAX_PROBE_BYTES, "{probed_len}");
            assert!(0 < probed_len && probed_len < file.len(), "{probed_len}");
            // The estimate is that of the whole file.
            let len = file.len() as u64;
            let packets = FileProbe::new(&file, len, Compression::decompressor).packets;
            assert!((1 << 19..1 << 21).contains(&packets), "{packets}");
        }
    }
}
