//! From the bytes of a part of a file to its columns, counting what cannot be read. What a file is
//! shows in its bytes, whatever its name: lines, a capture file, or one of them packed.

mod capture;
mod foreign;
mod gzip;
mod unpack;

use crate::columns::{Columns, Totals};
use crate::lines::{Line, Lines};
use capture::Capture;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use summary::capture_file::is_capture_file;
use summary::line;
use unpack::{Packing, Unpacker};

/// How many problems are kept with their reason; all are counted.
pub const MAX_PROBLEMS: usize = 100;

/// Reads one part of a file.
#[derive(Debug)]
pub struct Loader {
    range: Range<u64>,
    /// Bytes of the file that were taken.
    read_bytes: u64,
    unpacker: Option<Unpacker>,
    content: Content,
    sink: Sink,
    /// Nothing more will be taken.
    is_over: bool,
}

/// What a file holds, once it is unpacked.
#[derive(Debug)]
enum Content {
    /// Not known yet: these are the first bytes.
    Unknown(Vec<u8>),
    Lines(Lines),
    Capture(Capture),
}

/// Where packets go, and what is wrong.
#[derive(Debug, Default)]
struct Sink {
    columns: Columns,
    line_count: u64,
    record_count: u64,
    skipped: u64,
    problems: Vec<Problem>,
}

/// A line that cannot be read, or a place from which on a file is damaged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Number of the line, or of the packet in a capture file, in its part of the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// How far a part is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Bytes of the part that were read.
    pub read_bytes: u64,
    /// Lines seen, or packets of a capture file.
    pub lines: u64,
    /// Lines that are records, of whatever type.
    pub records: u64,
    /// Lines that could not be read.
    pub skipped: u64,
    /// The first of them.
    pub problems: Vec<Problem>,
    /// What is known of the packets.
    pub totals: Totals,
    /// Name of each protocol and how many packets have it.
    pub protocols: Vec<(String, u64)>,
    /// Memory of the worker.
    pub memory_bytes: u64,
    /// Nothing more will come.
    pub is_done: bool,
    /// All lines of the part were seen.
    pub is_complete: bool,
    /// Why reading ended early.
    pub failure: Option<String>,
}

impl Loader {
    /// A loader for the lines that begin in `range` of a file of lines.
    pub fn new(range: Range<u64>) -> Self {
        Self::with(Content::Lines(Lines::new(&range)), range)
    }

    /// A loader for a whole file of `len` bytes, of whatever kind its content is: lines or a capture
    /// file, packed or not.
    pub fn whole(len: u64) -> Self {
        Self::with(Content::Unknown(Vec::new()), 0..len)
    }

    fn with(content: Content, range: Range<u64>) -> Self {
        let (unpacker, sink) = (None, Sink::default());
        Self { range, read_bytes: 0, unpacker, content, sink, is_over: false }
    }

    /// Where in the file the next bytes are wanted from.
    pub fn position(&self) -> u64 {
        match &self.content {
            // It looks a byte back, whether a line begins with the range.
            Content::Lines(lines) if self.read_bytes == 0 => lines.position(),
            _ => self.range.start + self.read_bytes,
        }
    }

    /// True where no more bytes are wanted.
    pub fn is_done(&self) -> bool {
        let has_all_lines = match &self.content {
            Content::Lines(lines) => lines.is_done() && self.unpacker.is_none(),
            _ => false,
        };
        self.is_over || has_all_lines
    }

    /// Takes the next bytes of the file; none is its end.
    pub fn feed(&mut self, chunk: &[u8]) {
        let is_first = self.sink.columns.is_empty();
        self.read_bytes += chunk.len() as u64;
        self.is_over |= chunk.is_empty();
        let Self { unpacker, content, sink, .. } = self;
        let fed = match unpacker {
            Some(unpacker) => unpack(unpacker, chunk, content, sink),
            None => match content.packing(chunk) {
                Some((packing, start)) => {
                    let unpacker = unpacker.insert(Unpacker::new(packing));
                    unpack(unpacker, &start, content, sink)
                }
                None => content.feed(chunk, sink),
            },
        };
        if let Err(reason) = fed {
            sink.problem(reason);
            self.is_over = true;
        }
        if is_first {
            self.reserve();
        }
    }

    /// The packets so far.
    pub fn columns(&self) -> &Columns {
        &self.sink.columns
    }

    /// How far the part is; its memory is the caller's to add.
    pub fn report(&self) -> Report {
        let Sink { columns, line_count, record_count, skipped, problems } = &self.sink;
        let protocols = columns.protocols().map(|(name, packets)| (name.to_owned(), packets));
        Report {
            read_bytes: self.read_bytes.min(self.range.end - self.range.start),
            lines: *line_count,
            records: *record_count,
            skipped: *skipped,
            problems: problems.clone(),
            totals: columns.totals(),
            protocols: protocols.collect(),
            memory_bytes: 0,
            is_done: self.is_done(),
            is_complete: self.is_done(),
            failure: None,
        }
    }

    /// Guesses from the first packets how many there will be, and a little more.
    fn reserve(&mut self) {
        let part_bytes = self.range.end - self.range.start;
        let rows = self.sink.columns.len() as u64;
        let guess = rows.saturating_mul(part_bytes) / self.read_bytes.max(1);
        // A guess from few lines may be far off: growing costs less than memory that is never used.
        if 1_000 <= rows {
            self.sink.columns.reserve(usize::try_from(guess + guess / 64).unwrap_or(0));
        }
    }
}

/// Unpacks, and feeds what comes out.
fn unpack(
    unpacker: &mut Unpacker,
    chunk: &[u8],
    content: &mut Content,
    sink: &mut Sink,
) -> Result<(), String> {
    let mut fed = Ok(());
    let unpacked = unpacker.feed(chunk, |piece| {
        if fed.is_ok() && !piece.is_empty() {
            fed = content.feed(piece, sink);
        }
    });
    fed?;
    if unpacked.is_err() || chunk.is_empty() {
        content.feed(&[], sink)?;
    }
    unpacked.map_err(|reason| format!("the packed file is damaged: {reason}"))
}

/// First bytes that tell what a file is.
const START_LEN: usize = 8;

impl Content {
    /// The packing of a file that was not begun before, and its first bytes.
    fn packing(&mut self, chunk: &[u8]) -> Option<(Packing, Vec<u8>)> {
        let Self::Unknown(start) = self else { return None };
        let seen = [&start[..], chunk].concat();
        let packing = Packing::of(&seen)?;
        start.clear();
        Some((packing, seen))
    }

    /// Takes the next bytes; none is the end.
    fn feed(&mut self, chunk: &[u8], sink: &mut Sink) -> Result<(), String> {
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
                    Self::Lines(Lines::new(&(0..u64::MAX)))
                };
                if !start.is_empty() {
                    self.feed(&start, sink)?;
                }
                if chunk.is_empty() { self.feed(&[], sink) } else { Ok(()) }
            }
            Self::Lines(lines) => {
                let mut visit = |line: Line<'_>| sink.line(line);
                if chunk.is_empty() {
                    lines.finish(&mut visit);
                } else {
                    lines.feed(chunk, &mut visit);
                }
                Ok(())
            }
            Self::Capture(capture) => {
                let fed = capture.feed(chunk, &mut sink.columns);
                (sink.line_count, sink.record_count) = (capture.count, capture.count);
                fed
            }
        }
    }
}

impl Sink {
    fn line(&mut self, line: Line<'_>) {
        self.line_count += 1;
        let reason = match line {
            Line::TooLong => "longer than 1 MiB".to_owned(),
            Line::Whole(bytes) => match read(bytes, self.line_count, &mut self.columns) {
                Ok(is_record) => return self.record_count += u64::from(is_record),
                Err(reason) => reason,
            },
        };
        self.problem(reason);
    }

    fn problem(&mut self, reason: String) {
        self.skipped += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line: self.line_count.max(1), reason });
        }
    }
}

/// Reads a line into the columns; true where it is a record, of whatever type. A packet without a
/// number gets `n`.
fn read(line: &[u8], n: u64, columns: &mut Columns) -> Result<bool, String> {
    if line.trim_ascii().is_empty() {
        return Ok(false);
    }
    match line::read_packet(line) {
        Ok(Some(packet)) => columns.push(&packet).map_err(str::to_owned)?,
        Ok(None) => {}
        Err(error) => match foreign::packet(line, n) {
            Some(packet) => columns.push(&packet).map_err(str::to_owned)?,
            None => return Err(error.to_string()),
        },
    }
    Ok(true)
}

/// True where a file that begins so is one of lines as they are, which can be read in parts.
pub fn is_lines(start: &[u8]) -> bool {
    Packing::of(start).is_none() && !is_capture_file(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACKET: &str =
        r#"{"type":"pkt","n":1,"ts":"2026-11-23T02:53:38.123456789Z","len":60,"proto":"tcp"}"#;

    fn load(text: &str) -> Loader {
        let mut loader = Loader::new(0..text.len() as u64);
        loader.feed(text.as_bytes());
        loader.feed(&[]);
        loader
    }

    #[test]
    fn records_of_other_types_are_no_problem() {
        let text = format!(
            "{}\n{PACKET}\n{}\n\n",
            r#"{"type":"later","x":1}"#,
            r#"{"type":"event","ts":"2026-11-23T02:53:38.123456789Z","event":"iface_up"}"#
        );
        let report = load(&text).report();
        assert_eq!((report.totals.packets, report.skipped, report.lines), (1, 0, 4));
    }

    #[test]
    fn damaged_lines_are_told_with_number_and_reason_and_the_rest_loads() {
        let text = format!(
            "{PACKET}\nnot json\n{PACKET}\n{{\"type\":\"pkt\",\"n\":2}}\n{PACKET}\n{{\"type\":\"pk"
        );
        let report = load(&text).report();
        assert_eq!((report.totals.packets, report.skipped), (3, 3));
        let seen: Vec<_> =
            report.problems.iter().map(|problem| (problem.line, &problem.reason[..])).collect();
        assert_eq!(
            seen,
            [
                (2, "expected ident at column 2"),
                (4, "missing field `ts` at column 20"),
                (6, "EOF while parsing a string at column 11"),
            ]
        );
    }

    #[test]
    fn the_first_problems_are_kept_and_all_are_counted() {
        let report = load(&"lorem ipsum\n".repeat(2_000)).report();
        assert_eq!((report.problems.len(), report.skipped), (MAX_PROBLEMS, 2_000));
    }

    fn pcap(count: u32) -> Vec<u8> {
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1u32] {
            file.extend(word.to_le_bytes());
        }
        for number in 0..count {
            let frame = [&[7; 12][..], &[0x88, 0xcc], &[1; 46]].concat();
            for word in [1_000, number, 60, 60] {
                file.extend(word.to_le_bytes());
            }
            file.extend(frame);
        }
        file
    }

    fn load_whole(bytes: &[u8], chunk_len: usize) -> Report {
        let mut loader = Loader::whole(bytes.len() as u64);
        for chunk in bytes.chunks(chunk_len).chain([&[][..]]) {
            loader.feed(chunk);
        }
        assert!(loader.is_done());
        loader.report()
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        let lines = format!("{PACKET}\n").repeat(2_500).into_bytes();
        let gzip = |bytes: &[u8]| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, bytes).unwrap();
            encoder.finish().unwrap()
        };
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        for plain in [lines, pcap(2_500)] {
            for file in [plain.clone(), gzip(&plain), zstd(&plain)] {
                for chunk_len in [1, 7, 1_000, 1 << 20] {
                    let report = load_whole(&file, chunk_len);
                    assert_eq!((report.totals.packets, report.skipped), (2_500, 0));
                    assert_eq!((report.records, report.read_bytes), (2_500, file.len() as u64));
                    assert_eq!(report.totals.extent.unwrap().len, (60, 60));
                }
            }
        }
        assert!(is_lines(b"{\"type\"") && !is_lines(&pcap(0)) && !is_lines(&gzip(b"")));
    }

    #[test]
    fn damage_in_other_files_is_told_and_what_is_before_it_loads() {
        let mut cut = pcap(10);
        cut.pop();
        let report = load_whole(&cut, 100);
        assert_eq!((report.totals.packets, report.skipped), (9, 1));
        assert_eq!(report.problems[0].reason, "cut short in the record at byte 708");
        let packed = zstd::encode_all(format!("{PACKET}\n").repeat(9).as_bytes(), 1).unwrap();
        let report = load_whole(&packed[..packed.len() - 9], 100);
        assert_eq!(report.skipped, 1);
        assert!(report.problems[0].reason.starts_with("the packed file is damaged"), "{report:?}");
    }

    #[test]
    fn lines_of_others_load_where_they_have_time_and_length() {
        let text = "{\"ts\":1.5,\"len\":60}\n{\"len\":7,\"ts\":\"1970-01-01T00:00:02Z\",\"proto\":\"http\"}\n{\"ts\":3}\n";
        let report = load(text).report();
        assert_eq!((report.totals.packets, report.skipped), (2, 1));
        assert_eq!(report.totals.extent.unwrap().ts_ns, (1_500_000_000, 2_000_000_000));
        assert_eq!(report.totals.extent.unwrap().n, (1, 2));
    }
}
