//! Stores the packets of lines and records in columns, samples them, and counts what cannot be read.

use super::appended::AppendedFields;
use super::generic_json::{self, GenericPacket};
use super::report::{MAX_PROBLEMS, Problem};
use super::source::RecordSink;
use crate::columns::Columns;
use crate::lines::{Line, LineSink, MAX_LINE_LEN};
use crate::wire::wire;
use summary::line::{Excerpt, ExcerptReader, PacketFields};
use summary::{Packet, Timestamp};
use viewer_formats::unpack;

/// Which packets of a file are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// One packet in this many of the time range, starting with the first; at least 1.
    pub every: u64,
    /// The first and last time, in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

impl Default for Sampling {
    fn default() -> Self {
        Self { every: 1, ts_ns: (i64::MIN, i64::MAX) }
    }
}

/// Stores packets and counts problems.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) columns: Columns,
    excerpts: ExcerptReader,
    sampling: Sampling,
    /// Number of packets in the time range.
    seen: u64,
    pub(super) line_count: u64,
    /// Number of lines before the part.
    pub(super) lines_before: u64,
    /// Number of packets that are numbered by their lines.
    counted: usize,
    pub(super) record_count: u64,
    /// Number of `flow` records, which are not shown.
    pub(super) flow_count: u64,
    pub(super) skipped: u64,
    pub(super) problems: Vec<Problem>,
    /// `None` unless lines are appended.
    pub(super) appended: Option<Box<Appended>>,
}

/// What lines that are appended contain apart from the columns.
#[derive(Debug, Default)]
pub(super) struct Appended {
    /// Lines about the run, see [`take_run_records`](super::Loader::take_run_records).
    pub(super) run_records: Vec<String>,
    pub(super) fields: AppendedFields,
}

impl LineSink for Sink {
    /// Reads lines in the format of the sniffer.
    fn consume_fast(&mut self, bytes: &[u8], offset: u64, limit: u64) -> usize {
        let mut consumed = 0;
        while (consumed as u64) < limit {
            let (rest, count) = (&bytes[consumed..], self.columns.len());
            let Some((excerpt, len)) = self.excerpts.read(rest) else { break };
            if rest.get(len) != Some(&b'\n') || MAX_LINE_LEN < len {
                break;
            }
            let Some(pushed) = self.push_excerpt(&excerpt, offset + consumed as u64) else { break };
            self.collect(count, &rest[..len]);
            self.count(pushed.map(|()| true).map_err(str::to_owned));
            consumed += len + 1;
        }
        consumed
    }

    fn line(&mut self, line: Line<'_>, offset: u64) {
        let is_record = match line {
            Line::TooLong => Err("line is longer than 1 MiB".to_owned()),
            Line::Complete(line) => {
                let count = self.columns.len();
                let is_record = self.read(line, offset);
                self.collect(count, line);
                is_record
            }
        };
        self.count(is_record);
    }
}

impl RecordSink for Sink {
    fn wants(&mut self, _offset: u64) -> bool {
        true
    }

    fn packets(&mut self, bytes: &[u8]) {
        unpack(bytes, |packet, offset| {
            let pushed = self.push(packet, offset);
            self.count(pushed.map(|()| true));
        });
    }
}

impl Sink {
    /// An empty sink. `is_appended`: lines are appended while they are read.
    pub(super) fn new(sampling: Sampling, is_appended: bool) -> Self {
        let appended = is_appended.then(Box::default);
        Self { sampling, appended, ..Self::default() }
    }

    /// Counts a line or packet, which is a record, no record, or a problem.
    fn count(&mut self, is_record: Result<bool, String>) {
        self.line_count += 1;
        match is_record {
            Ok(is_record) => self.record_count += u64::from(is_record),
            Err(reason) => self.problem(self.line_count, reason),
        }
    }

    /// Reads a line. Returns true if it is a record of any type. A packet without a number is numbered by
    /// its line.
    fn read(&mut self, line: &[u8], offset: u64) -> Result<bool, String> {
        if line.trim_ascii().is_empty() {
            return Ok(false);
        }
        let unmarked = line.strip_prefix(generic_json::BYTE_ORDER_MARK.as_bytes());
        let line = unmarked.filter(|_| offset == 0).unwrap_or(line);
        // A line of the sniffer that was split between two chunks.
        if let Some((excerpt, len)) = self.excerpts.read(line)
            && len == line.len()
            && let Some(pushed) = self.push_excerpt(&excerpt, offset)
        {
            return pushed.map(|()| true).map_err(str::to_owned);
        }
        let line = str::from_utf8(line).map_err(|error| error.to_string())?;
        let fields = PacketFields::parse(line).map_err(|error| error.to_string())?;
        // A line of the sniffer in another field order needs no interpretation.
        if let Some(excerpt) = fields.excerpt(&mut self.excerpts)
            && excerpt.n != 0
            && let Some(pushed) = self.push_excerpt(&excerpt, offset)
        {
            return pushed.map(|()| true).map_err(str::to_owned);
        }
        if let Some(mut packet) = GenericPacket::new(&fields, &mut self.excerpts)? {
            let is_counted = packet.n == 0;
            if is_counted {
                packet.n = self.lines_before + self.line_count + 1;
            }
            let count = self.columns.len();
            match self.push_excerpt(&packet.excerpt(), offset) {
                Some(pushed) => pushed?,
                None => self.push(&packet.packet(), offset)?,
            }
            self.counted += if is_counted { self.columns.len() - count } else { 0 };
        } else {
            let record_type = fields.record_type.text().unwrap_or_default();
            self.flow_count += u64::from(record_type == "flow");
            if let Some(appended) = &mut self.appended
                && matches!(&*record_type, "meta" | "stats" | "end")
            {
                appended.run_records.push(line.to_owned());
            }
        }
        Ok(true)
    }

    /// Collects fields of an appended line, if it has added a packet to `count` others.
    fn collect(&mut self, count: usize, line: &[u8]) {
        if let Some(appended) = &mut self.appended
            && count < self.columns.len()
        {
            appended.fields.line(count, line);
        }
    }

    /// Returns true if all packets are numbered by their lines.
    pub(super) fn is_counted(&self) -> bool {
        0 < self.counted && self.counted == self.columns.len()
    }

    /// Returns true if the sampling includes the next packet, which has this time.
    fn should_keep(&mut self, ts: Timestamp) -> bool {
        let Sampling { every, ts_ns: (first, last) } = self.sampling;
        if !(first..=last).contains(&ts.ns()) {
            return false;
        }
        self.seen += 1;
        every <= 1 || (self.seen - 1).is_multiple_of(every)
    }

    fn push(&mut self, packet: &Packet<'_>, offset: u64) -> Result<(), String> {
        if !self.should_keep(packet.ts) {
            return Ok(());
        }
        self.columns.push(packet, offset).map_err(str::to_owned)
    }

    /// Returns `None` if the line must be parsed by serde instead; it does not count as seen then.
    fn push_excerpt(
        &mut self,
        excerpt: &Excerpt<'_>,
        offset: u64,
    ) -> Option<Result<(), &'static str>> {
        let seen = self.seen;
        if !self.should_keep(excerpt.ts) {
            return Some(Ok(()));
        }
        let pushed = self.columns.push_excerpt(excerpt, offset);
        if pushed.is_none() {
            self.seen = seen;
        }
        pushed
    }

    fn problem(&mut self, line: u64, reason: String) {
        self.skipped += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { line, reason });
        }
    }

    /// Stores why the rest of the file cannot be read, no matter how many problems came before.
    pub(super) fn damage(&mut self, reason: String) {
        self.skipped += 1;
        self.problems.truncate(MAX_PROBLEMS - 1);
        self.problems.insert(0, Problem { line: self.line_count + 1, reason });
    }
}

wire!(struct Sampling { every, ts_ns });
