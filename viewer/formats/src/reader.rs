//! Reads a file that is compressed, a capture file, or both.

use std::fmt;
use summary::capture_file::is_capture_file;
use summary::line::Writer;
use summary::{HeaderDetails, PayloadNames};
use viewer_model::wire::{Wire, wire};

use crate::START_LEN;
use crate::capture::{Capture, Record};
use crate::compression::{Compression, Decompress};
use crate::observed::Observer;
use crate::packed;
use crate::record::FileRecord;
use crate::section::Section;

/// The number of bytes after which packets are passed on.
const BATCH_LEN: usize = 64 << 10;

/// What becomes of the packets of a capture file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The values that columns store: see [`unpack`](crate::unpack).
    Packed,
    /// The values that the analysis of TCP needs: see [`unpack_observed`](crate::unpack_observed).
    Observed,
    /// Lines in the format of the sniffer, as it writes them without options.
    Lines,
    /// Lines with MAC addresses and with names in payloads.
    DetailedLines,
    /// A pcapng file with the original bytes, lengths, times and interfaces.
    Pcapng,
    /// An encoded [`FileRecord`] for each packet.
    Records,
}

/// Receives the content of a file.
pub trait ContentSink {
    /// Receives the next bytes of a file that is not a capture file.
    fn text(&mut self, bytes: &[u8]);

    /// Returns true if the packet is wanted whose record is at this offset of the decompressed file. With
    /// [`Form::Packed`] and [`Form::Observed`], all packets are wanted, and this is not called.
    fn wants(&mut self, offset: u64) -> bool;

    /// Receives packets that are wanted, in the form of the reader. Packets are not split.
    fn packets(&mut self, bytes: &[u8]);
}

/// Reads a file as its bytes arrive. Implemented here, and for the readers of another WebAssembly
/// module.
pub trait ReadFile {
    /// Takes the next bytes of the file and passes on their content. An empty chunk is the end of the
    /// file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged. Nothing more can be read then.
    fn feed(&mut self, chunk: &[u8], sink: &mut dyn ContentSink) -> Result<(), String>;

    /// Returns true once the content is known to be a capture file.
    fn is_capture(&self) -> bool;

    /// Number of bytes decompressed so far; 0 for files that are not compressed.
    fn decompressed_len(&self) -> u64;

    /// Rereads a packet of an uncompressed capture file, given by its number, the offset of its record,
    /// and the bytes from that offset.
    ///
    /// # Errors
    ///
    /// The number of bytes needed if there are too few; `None` if only reading the whole file can
    /// reproduce the packet.
    fn reread(&self, n: u64, offset: u64, bytes: &[u8]) -> Result<FileRecord, Option<usize>>;
}

/// Not a supertrait: a module with readers would contain the formatting of all their state, which are several
/// kilobytes.
impl fmt::Debug for dyn ReadFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ReadFile")
    }
}

/// Starts reading a file from its first byte on.
pub type OpenFile = fn(Form) -> Box<dyn ReadFile>;

/// Starts reading a file in this module.
pub fn open(form: Form) -> Box<dyn ReadFile> {
    Box::new(FileReader {
        decompressor: None,
        decompressed_len: 0,
        content: Content::Unknown(Vec::new()),
        packets: Packets { output: Output::new(form), bytes: Vec::new() },
    })
}

#[derive(Debug)]
struct FileReader {
    decompressor: Option<Box<dyn Decompress>>,
    decompressed_len: u64,
    content: Content,
    packets: Packets,
}

/// The decompressed content.
#[derive(Debug)]
enum Content {
    /// The type is not known yet. Contains the first bytes.
    Unknown(Vec<u8>),
    Text,
    Capture(Capture),
}

/// Packets that were read and not passed on yet.
#[derive(Debug)]
struct Packets {
    output: Output,
    bytes: Vec<u8>,
}

/// A form of packets, with the state of writing it.
#[derive(Debug)]
enum Output {
    Packed,
    Observed(Box<Observer>),
    Lines(Writer),
    /// With a buffer for names.
    DetailedLines(Writer, String),
    Pcapng(Section),
    Records,
}

impl ReadFile for FileReader {
    fn feed(&mut self, chunk: &[u8], sink: &mut dyn ContentSink) -> Result<(), String> {
        let fed = self.feed_bytes(chunk, sink);
        self.packets.flush(sink);
        fed
    }

    fn is_capture(&self) -> bool {
        matches!(self.content, Content::Capture(_))
    }

    fn decompressed_len(&self) -> u64 {
        self.decompressed_len
    }

    fn reread(&self, n: u64, offset: u64, bytes: &[u8]) -> Result<FileRecord, Option<usize>> {
        match &self.content {
            Content::Capture(capture) if self.decompressor.is_none() => {
                capture.reread(n, offset, bytes).map(|record| FileRecord::of(&record))
            }
            _ => Err(None),
        }
    }
}

impl FileReader {
    fn feed_bytes(&mut self, chunk: &[u8], sink: &mut dyn ContentSink) -> Result<(), String> {
        if self.decompressor.is_some() {
            return self.decompress(chunk, sink);
        }
        let Content::Unknown(start) = &mut self.content else {
            return self.content.feed(chunk, &mut self.packets, sink);
        };
        start.extend_from_slice(chunk);
        match Compression::of(start) {
            Some(compression) => {
                let start = std::mem::take(start);
                self.decompressor = Some(compression.decompressor());
                self.decompress(&start, sink)
            }
            None => self.content.detect(chunk.is_empty(), &mut self.packets, sink),
        }
    }

    /// Decompresses a chunk and feeds the result to the content.
    fn decompress(&mut self, chunk: &[u8], sink: &mut dyn ContentSink) -> Result<(), String> {
        let Self { decompressor, decompressed_len, content, packets } = self;
        let Some(decompressor) = decompressor else { return Ok(()) };
        let mut fed = Ok(());
        let decompressed = decompressor.feed(chunk, &mut |piece| {
            *decompressed_len += piece.len() as u64;
            if fed.is_ok() && !piece.is_empty() {
                fed = content.feed(piece, packets, sink);
            }
        });
        fed?;
        let mut ended = Ok(());
        if decompressed.is_err() || chunk.is_empty() {
            ended = content.feed(&[], packets, sink);
        }
        // The damage explains an incomplete record before it.
        decompressed.map_err(|reason| format!("decompression failed: {reason}"))?;
        ended
    }
}

impl Content {
    /// Takes the next decompressed bytes. An empty chunk is the end.
    fn feed(
        &mut self,
        chunk: &[u8],
        packets: &mut Packets,
        sink: &mut dyn ContentSink,
    ) -> Result<(), String> {
        match self {
            Self::Unknown(start) => {
                start.extend_from_slice(chunk);
                self.detect(chunk.is_empty(), packets, sink)
            }
            Self::Text => {
                if !chunk.is_empty() {
                    sink.text(chunk);
                }
                Ok(())
            }
            Self::Capture(capture) => {
                capture.feed(chunk, |record, offset| packets.add(record, offset, sink))
            }
        }
    }

    /// Detects the type if there are enough bytes, and feeds them.
    fn detect(
        &mut self,
        is_end: bool,
        packets: &mut Packets,
        sink: &mut dyn ContentSink,
    ) -> Result<(), String> {
        let Self::Unknown(start) = self else { return Ok(()) };
        if start.len() < START_LEN && !is_end {
            return Ok(());
        }
        let start = std::mem::take(start);
        *self = match is_capture_file(&start) {
            true => Self::Capture(Capture::default()),
            false => Self::Text,
        };
        if !start.is_empty() {
            self.feed(&start, packets, sink)?;
        }
        if is_end { self.feed(&[], packets, sink) } else { Ok(()) }
    }
}

impl Packets {
    fn add(&mut self, record: &Record<'_>, offset: u64, sink: &mut dyn ContentSink) {
        let Self { output, bytes } = self;
        if !matches!(output, Output::Packed | Output::Observed(_)) && !sink.wants(offset) {
            return;
        }
        output.write(record, offset, bytes);
        if BATCH_LEN <= bytes.len() {
            self.flush(sink);
        }
    }

    fn flush(&mut self, sink: &mut dyn ContentSink) {
        if !self.bytes.is_empty() {
            sink.packets(&self.bytes);
            self.bytes.clear();
        }
    }
}

impl Output {
    fn new(form: Form) -> Self {
        match form {
            Form::Packed => Self::Packed,
            Form::Observed => Self::Observed(Box::default()),
            Form::Lines => Self::Lines(Writer::default()),
            Form::DetailedLines => Self::DetailedLines(Writer::default(), String::new()),
            Form::Pcapng => Self::Pcapng(Section::default()),
            Form::Records => Self::Records,
        }
    }

    fn write(&mut self, record: &Record<'_>, offset: u64, out: &mut Vec<u8>) {
        match self {
            Self::Packed => packed::put(&record.packet(), offset, out),
            Self::Observed(observer) => observer.write(record, offset, out),
            Self::Lines(writer) => writer.write(&record.packet(), out),
            Self::DetailedLines(writer, names) => {
                let mut packet = record.undecoded();
                let payload = record.decode(&mut packet, &mut HeaderDetails::default());
                packet.names = PayloadNames::parse(&packet.summary, payload, names);
                packet.summary.faults.insert(record.frame.faults);
                writer.write(&packet, out);
            }
            Self::Pcapng(section) => section.write(record, out),
            Self::Records => FileRecord::of(record).put(out),
        }
    }
}

wire!(enum Form { 0 Packed, 1 Lines, 2 DetailedLines, 3 Pcapng, 4 Records, 5 Observed });
