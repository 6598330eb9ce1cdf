//! From the bytes of a part of a file to its columns, counting what cannot be read.

use crate::columns::{Columns, Totals};
use crate::lines::{Line, Lines};
use serde::{Deserialize, Serialize};
use std::ops::Range;
use summary::line::{self, Record};

/// How many problems are kept with their reason; all are counted.
pub const MAX_PROBLEMS: usize = 100;

/// Reads one part of a file.
#[derive(Debug)]
pub struct Loader {
    lines: Lines,
    range: Range<u64>,
    columns: Columns,
    line_count: u64,
    record_count: u64,
    skipped: u64,
    problems: Vec<Problem>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Number of the line in its part of the file, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

/// How far a part is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Bytes of the part that were read.
    pub read_bytes: u64,
    /// Lines seen.
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
    /// A loader for the lines that begin in `range` of the file.
    pub fn new(range: Range<u64>) -> Self {
        Self {
            lines: Lines::new(&range),
            range,
            columns: Columns::default(),
            line_count: 0,
            record_count: 0,
            skipped: 0,
            problems: Vec::new(),
        }
    }

    /// Where in the file the next bytes are wanted from.
    pub fn position(&self) -> u64 {
        self.lines.position()
    }

    /// True where no more bytes are wanted.
    pub fn is_done(&self) -> bool {
        self.lines.is_done()
    }

    /// Takes the next bytes of the file; none is its end.
    pub fn feed(&mut self, chunk: &[u8]) {
        let is_first = self.columns.is_empty();
        let Self { lines, columns, line_count, record_count, skipped, problems, .. } = self;
        let mut visit = |line: Line<'_>| {
            *line_count += 1;
            let reason = match line {
                Line::TooLong => "longer than 1 MiB".to_owned(),
                Line::Whole(bytes) => match read(bytes, columns) {
                    Ok(is_record) => return *record_count += u64::from(is_record),
                    Err(reason) => reason,
                },
            };
            *skipped += 1;
            if problems.len() < MAX_PROBLEMS {
                problems.push(Problem { line: *line_count, reason });
            }
        };
        if chunk.is_empty() {
            lines.finish(&mut visit);
        } else {
            lines.feed(chunk, &mut visit);
        }
        if is_first {
            self.reserve();
        }
    }

    /// The packets so far.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// How far the part is; its memory is the caller's to add.
    pub fn report(&self) -> Report {
        let protocols = self.columns.protocols().map(|(name, packets)| (name.to_owned(), packets));
        Report {
            read_bytes: self.lines.position().clamp(self.range.start, self.range.end)
                - self.range.start,
            lines: self.line_count,
            records: self.record_count,
            skipped: self.skipped,
            problems: self.problems.clone(),
            totals: self.columns.totals(),
            protocols: protocols.collect(),
            memory_bytes: 0,
            is_done: self.is_done(),
            is_complete: self.is_done(),
            failure: None,
        }
    }

    /// Guesses from the first packets how many there will be, and a little more.
    fn reserve(&mut self) {
        let read_bytes = self.lines.position().saturating_sub(self.range.start).max(1);
        let part_bytes = self.range.end - self.range.start;
        let rows = self.columns.len() as u64;
        let guess = rows.saturating_mul(part_bytes) / read_bytes;
        // A guess from few lines may be far off: growing costs less than memory that is never used.
        if 1_000 <= rows {
            self.columns.reserve(usize::try_from(guess + guess / 64).unwrap_or(0));
        }
    }
}

/// Reads a line into the columns; true where it is a record, of whatever type.
fn read(line: &[u8], columns: &mut Columns) -> Result<bool, String> {
    if line.trim_ascii().is_empty() {
        return Ok(false);
    }
    match line::read(line).map_err(|error| error.to_string())? {
        Record::Packet(packet) => columns.push(&packet).map_err(str::to_owned)?,
        Record::Other(_) | Record::Unknown => {}
    }
    Ok(true)
}

/// Why a file that begins like this cannot be read line by line, where that can be told.
pub fn refusal(name: &str, len: u64, start: &[u8]) -> Option<String> {
    let convert = "turn it into lines first: sniffer -r FILE -w capture.ndjson";
    let pcap: [&[u8]; 5] = [
        &[0xd4, 0xc3, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0xc3, 0xd4],
        &[0x4d, 0x3c, 0xb2, 0xa1],
        &[0xa1, 0xb2, 0x3c, 0x4d],
        &[0x0a, 0x0d, 0x0d, 0x0a],
    ];
    if len == 0 {
        Some(format!("“{name}” is empty."))
    } else if pcap.iter().any(|magic| start.starts_with(magic)) {
        Some(format!("“{name}” is a pcap or pcapng file; {convert}"))
    } else if start.starts_with(&[0x1f, 0x8b]) {
        Some(format!("“{name}” is gzipped; unpack it first."))
    } else {
        None
    }
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

    #[test]
    fn other_files_are_told_by_their_first_bytes() {
        assert!(refusal("a", 0, &[]).is_some_and(|text| text.contains("empty")));
        assert!(
            refusal("a", 9, &[0x0a, 0x0d, 0x0d, 0x0a]).is_some_and(|text| text.contains("pcap"))
        );
        assert_eq!(refusal("a", 9, b"{\"type\""), None);
    }
}
