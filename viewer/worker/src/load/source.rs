//! Turns the bytes of a file, or of a part of it, into lines or packets. Detects the format from the
//! content, not from the name.

use crate::lines::{LineSink, LineSplitter};
use std::ops::Range;
use viewer_formats::{Compression, ContentSink, Form, OpenFile, ReadFile, START_LEN, is_text};

/// Receives the content of a file, with offsets in the decompressed file.
pub(super) trait RecordSink: LineSink {
    /// Returns true if the packet is wanted whose record is at this offset of a capture file. With
    /// [`Form::Packed`], all packets are wanted, and this is not called.
    fn wants(&mut self, offset: u64) -> bool;

    /// Receives packets of a capture file in the form of the source.
    fn packets(&mut self, bytes: &[u8]);
}

/// Reads a file, or a part of an uncompressed text file.
#[derive(Debug)]
pub(super) struct Source {
    range: Range<u64>,
    /// Number of bytes read.
    read_bytes: u64,
    content: Content,
    /// The end of the file or an error was reached.
    is_over: bool,
}

/// The content, by format.
#[derive(Debug)]
enum Content {
    /// The format is not known yet. Contains the first bytes.
    Unknown { start: Vec<u8>, form: Form, open: OpenFile },
    /// Plain text.
    Lines(LineSplitter),
    /// A file of another format, which may contain lines.
    File { reader: Box<dyn ReadFile>, is_compressed: bool, lines: LineSplitter },
}

impl Source {
    /// Reads the lines that begin in `range` of an uncompressed text file.
    pub(super) fn new(range: Range<u64>) -> Self {
        Self::with(Content::Lines(LineSplitter::new(&range)), range)
    }

    /// Reads a whole file of `len` bytes and detects its format. The packets of a capture file are passed
    /// on in that form.
    pub(super) fn whole(len: u64, form: Form, open: OpenFile) -> Self {
        Self::with(Content::Unknown { start: Vec::new(), form, open }, 0..len)
    }

    fn with(content: Content, range: Range<u64>) -> Self {
        Self { range, read_bytes: 0, content, is_over: false }
    }

    /// Offset in the file of the bytes to feed next.
    pub(super) fn position(&self) -> u64 {
        match &self.content {
            // Starts one byte early, to detect whether a line begins with the range.
            Content::Lines(lines) if self.read_bytes == 0 => lines.position(),
            _ => self.range.start + self.read_bytes,
        }
    }

    /// Returns true for uncompressed text.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.content, Content::Lines(_))
    }

    /// Returns true for a capture file, compressed or not.
    pub(super) fn is_capture(&self) -> bool {
        matches!(&self.content, Content::File { reader, .. } if reader.is_capture())
    }

    /// The reader of a capture file that is not compressed.
    pub(super) fn uncompressed_capture(&self) -> Option<&dyn ReadFile> {
        match &self.content {
            Content::File { reader, is_compressed: false, .. } if reader.is_capture() => {
                Some(&**reader)
            }
            _ => None,
        }
    }

    /// The length of the range, and the number of bytes read.
    pub(super) fn progress(&self) -> (u64, u64) {
        let len = self.range.end - self.range.start;
        (len, self.read_bytes.min(len))
    }

    /// Number of bytes decompressed so far; 0 for uncompressed files.
    pub(super) fn decompressed_len(&self) -> u64 {
        match &self.content {
            Content::File { reader, .. } => reader.decompressed_len(),
            _ => 0,
        }
    }

    /// Returns true if no more bytes are needed.
    pub(super) fn is_done(&self) -> bool {
        self.is_over || matches!(&self.content, Content::Lines(lines) if lines.is_done())
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
        let fed = self.content.feed(chunk, sink);
        self.is_over = chunk.is_empty() || fed.is_err();
        fed
    }
}

impl Content {
    fn feed(&mut self, chunk: &[u8], sink: &mut dyn RecordSink) -> Result<(), String> {
        match self {
            Self::Unknown { start, form, open } => {
                start.extend_from_slice(chunk);
                if start.len() < START_LEN && !chunk.is_empty() {
                    return Ok(());
                }
                let start = std::mem::take(start);
                let lines = LineSplitter::new(&(0..u64::MAX));
                *self = match is_text(&start) {
                    true => Self::Lines(lines),
                    false => {
                        let is_compressed = Compression::of(&start).is_some();
                        Self::File { reader: open(*form), is_compressed, lines }
                    }
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
            Self::File { reader, lines, .. } => {
                let fed = reader.feed(chunk, &mut FileContent { lines, sink });
                if chunk.is_empty() || fed.is_err() {
                    lines.finish(sink);
                }
                fed
            }
        }
    }
}

/// Splits the text of a file into lines.
struct FileContent<'a> {
    lines: &'a mut LineSplitter,
    sink: &'a mut dyn RecordSink,
}

impl ContentSink for FileContent<'_> {
    fn text(&mut self, bytes: &[u8]) {
        self.lines.feed(bytes, self.sink);
    }

    fn wants(&mut self, offset: u64) -> bool {
        self.sink.wants(offset)
    }

    fn packets(&mut self, bytes: &[u8]) {
        self.sink.packets(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{MAX_PROBE_BYTES, probe};
    use super::super::{FileProbe, Loader, Sampling};
    use std::io::Write;
    use summary::capture_file::PcapFile;

    #[test]
    fn bytes_after_the_end_are_ignored() {
        let header = PcapFile::new(1).into_bytes();
        let file = [&header[..], b"an incomplete record"].concat();
        for start in [&file[..], b"not json\n"] {
            let mut loader =
                Loader::whole(start.len() as u64, Sampling::default(), viewer_formats::open);
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
            let (loader, probed_len) = probe(&file, 1 << 40, viewer_formats::open);
            assert!(loader.source.decompressed_len() < 2 * MAX_PROBE_BYTES, "{probed_len}");
            assert!(0 < probed_len && probed_len < file.len(), "{probed_len}");
            // The estimate is that of the whole file.
            let len = file.len() as u64;
            let packets = FileProbe::new(&file, len, viewer_formats::open).packets;
            assert!((1 << 19..1 << 21).contains(&packets), "{packets}");
        }
    }
}
