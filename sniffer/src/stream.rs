//! The stream and its accounts: numbers the packets, writes the records, and keeps the identity
//! `recv = out + skip + drop` in every `stats` and in `end`.

use std::time::{SystemTime, UNIX_EPOCH};
use summary::record::{
    CaptureRecord, End, Event, EventKind, Interface, Meta, Reason, SourceKind, Stats, VERSION,
};
use summary::{Timestamp, line};

use crate::Error;
use crate::line_formatter::{CapturedPacket, FieldOptions, LineFormatter};
use crate::output::Output;

/// The largest number of the stream: JavaScript reads those below 2⁵³ exactly.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// What the stream contains, and when it ends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Optional fields of packet lines.
    pub(crate) fields: FieldOptions,
    /// Packets to write; `None` is unlimited.
    pub(crate) count: Option<u64>,
    /// The snap length in bytes, for `meta`.
    pub(crate) snaplen: u32,
    /// The filter expression, for `meta`.
    pub(crate) filter: Option<String>,
}

/// A stream being written.
pub(crate) struct Stream {
    output: Output,
    formatter: LineFormatter,
    /// Most packets to write.
    limit: u64,
    /// The first line of the current file.
    meta: Meta,
    /// One for each source of packets: an interface, or a capture file.
    accounts: Vec<Account>,
    /// Sums of all `stats` in the current file so far.
    file: Counts,
    /// Packets written in this run.
    out: u64,
    /// Packets filtered out in this run.
    skip: u64,
}

/// What is counted of one source.
#[derive(Clone, Copy, Debug, Default)]
struct Account {
    /// Since the last `stats`.
    current: Counts,
    /// Sums of its `stats` in this run.
    run: Counts,
}

/// Counters of a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) recv: u64,
    pub(crate) drop: u64,
    pub(crate) out: u64,
    pub(crate) skip: u64,
    pub(crate) bytes: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.recv += other.recv;
        self.drop += other.drop;
        self.out += other.out;
        self.skip += other.skip;
        self.bytes = (self.bytes + other.bytes).min(MAX_SAFE_INTEGER);
    }
}

/// What the kernel tells of the time since the last `stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) drop: u64,
    pub(crate) freeze: u64,
    pub(crate) if_drop: u64,
}

/// An event that says nothing but its kind.
pub(crate) fn new_event(interface: &str, event: EventKind) -> Event {
    let interface = Some(interface.to_owned());
    Event { ts: now(), interface, event, gap_ns: None, new_name: None, mtu: None }
}

impl Stream {
    /// Begins a stream with `meta`. Packets come from each of the interfaces, or from a file.
    pub(crate) fn open(
        output: Output,
        options: &Options,
        source: SourceKind,
        file: Option<String>,
        interfaces: Vec<Interface>,
    ) -> Result<Self, Error> {
        let source_count = if source == SourceKind::Live { interfaces.len() } else { 1 };
        let mut stream = Self {
            output,
            formatter: LineFormatter::new(options.fields),
            limit: options.count.unwrap_or(u64::MAX),
            meta: Meta {
                v: VERSION,
                tool: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
                start: now(),
                host: nix::unistd::gethostname()
                    .ok()
                    .map(|name| name.to_string_lossy().into_owned()),
                source,
                file,
                filter: options.filter.clone(),
                snaplen: options.snaplen,
                interfaces,
            },
            accounts: vec![Account::default(); source_count],
            file: Counts::default(),
            out: 0,
            skip: 0,
        };
        stream.start_file()?;
        Ok(stream)
    }

    fn start_file(&mut self) -> Result<(), Error> {
        self.write_record(&CaptureRecord::Meta(self.meta.clone()))?;
        self.flush()
    }

    /// Packets written so far.
    pub(crate) fn out(&self) -> u64 {
        self.out
    }

    /// Packets of one source written, filtered out and, as far as `stats` told, dropped.
    pub(crate) fn counts(&self, source: usize) -> Counts {
        let Account { current, mut run } = self.accounts[source];
        run += current;
        run
    }

    /// Packets of one source that were taken in: written or filtered out.
    pub(crate) fn processed(&self, source: usize) -> u64 {
        let Counts { out, skip, .. } = self.counts(source);
        out + skip
    }

    /// True where as many packets were written as asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.limit <= self.out
    }

    /// True where the file is as large as asked for.
    pub(crate) fn is_file_full(&self) -> bool {
        self.output.is_full()
    }

    /// Goes on in the next file where this one is as large as asked for.
    pub(crate) fn rotate_if_full(&mut self) -> Result<(), Error> {
        if !self.is_file_full() {
            return Ok(());
        }
        self.write_stats(0, None, Losses::default(), None)?;
        self.rotate(Reason::Size, None)
    }

    /// Writes a packet under the next number.
    pub(crate) fn write_packet(
        &mut self,
        source: usize,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let n = self.count_packet(source, packet.len());
        self.output.append(|buffer| self.formatter.format(packet, Some(n), buffer))
    }

    /// Writes a packet under the next number: the rest of its line was written elsewhere.
    pub(crate) fn write_formatted(
        &mut self,
        source: usize,
        len: u32,
        rest: &[u8],
    ) -> Result<(), Error> {
        let n = self.count_packet(source, len);
        self.output.append(|buffer| {
            line::write_n(n, buffer);
            buffer.extend_from_slice(rest);
        })
    }

    /// Counts packets that the filter does not take.
    pub(crate) fn count_skipped(&mut self, source: usize, count: u64) {
        self.skip += count;
        self.accounts[source].current.skip += count;
    }

    /// Counts a packet to be written; returns its number.
    fn count_packet(&mut self, source: usize, len: u32) -> u64 {
        self.out += 1;
        let counts = &mut self.accounts[source].current;
        counts.out += 1;
        // Hostile files tell lengths that no wire had; the sum stays a number that all can read.
        let room = MAX_SAFE_INTEGER.saturating_sub(self.file.bytes + counts.bytes);
        counts.bytes += u64::from(len).min(room);
        self.out + self.skip
    }

    /// Writes the counters since the last time. Packets still in the ring count as received when
    /// they are taken from it; `recv`, the kernel's own count of the run, is given at the end only,
    /// when the ring is empty and both have to agree.
    pub(crate) fn write_stats(
        &mut self,
        source: usize,
        interface: Option<&str>,
        losses: Losses,
        recv: Option<u64>,
    ) -> Result<(), Error> {
        let Losses { drop, freeze, if_drop } = losses;
        let account = &mut self.accounts[source];
        let mut counts = std::mem::take(&mut account.current);
        counts.drop = drop;
        let told = account.run.recv;
        let sum = counts.out + counts.skip + drop;
        counts.recv = recv.map_or(sum, |recv| recv.saturating_sub(told));
        account.run += counts;
        self.file += counts;
        let Counts { recv, drop, out, skip, bytes } = counts;
        let interface = interface.map(str::to_owned);
        self.write_record(&CaptureRecord::Stats(Stats {
            ts: now(),
            interface,
            recv,
            drop,
            freeze,
            if_drop,
            out,
            skip,
            bytes,
        }))
    }

    /// Writes that something happened.
    pub(crate) fn write_event(&mut self, event: Event) -> Result<(), Error> {
        self.write_record(&CaptureRecord::Event(event))?;
        self.flush()
    }

    /// Ends the file, whose `stats` are all written, and begins the next one: that has the
    /// interfaces as they are now.
    pub(crate) fn rotate(
        &mut self,
        reason: Reason,
        interfaces: Option<Vec<Interface>>,
    ) -> Result<(), Error> {
        let rotated = Event { interface: None, ..new_event("", EventKind::Rotated) };
        self.write_record(&CaptureRecord::Event(rotated))?;
        self.finish_file(reason)?;
        self.output.rotate()?;
        self.meta.start = now();
        if let Some(interfaces) = interfaces {
            self.meta.interfaces = interfaces;
        }
        self.start_file()
    }

    /// Writes the totals: the last line.
    pub(crate) fn finish(mut self, reason: Reason) -> Result<(), Error> {
        self.finish_file(reason)?;
        self.output.finish()
    }

    fn finish_file(&mut self, reason: Reason) -> Result<(), Error> {
        let Counts { recv, drop, out, skip, bytes } = std::mem::take(&mut self.file);
        self.write_record(&CaptureRecord::End(End {
            ts: now(),
            reason,
            recv,
            drop,
            out,
            skip,
            bytes,
        }))
    }

    /// Writes what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.output.flush()
    }

    fn write_record(&mut self, record: &CaptureRecord) -> Result<(), Error> {
        self.output.append(|buffer| {
            #[expect(clippy::expect_used, reason = "plain data into memory: nothing to fail")]
            serde_json::to_writer(&mut *buffer, record).expect("a Vec takes all bytes");
            buffer.push(b'\n');
        })
    }
}

/// The wall clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}
