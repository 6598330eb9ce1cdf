//! The stream of records: numbers the packets, counts them, and writes all records. Every `stats`
//! and `end` record satisfies `recv = out + skip + drop`. Files and buffering are left to `output`.

use flow::Observation;
use std::time::{SystemTime, UNIX_EPOCH};
use summary::record::{
    CaptureRecord, End, Event, EventKind, Interface, Meta, Reason, SourceKind, Stats, VERSION,
};
use summary::{RecordFormat, Timestamp, line};

use crate::Error;
use crate::flows::{FlowOptions, Flows};
use crate::line_formatter::{CapturedPacket, FieldOptions, LineFormatter};
use crate::output::Output;
use crate::record_types::{RecordType, RecordTypes};

/// The largest number in a record: JavaScript represents integers up to 2⁵³ - 1 exactly.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// Configuration of the stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Optional fields of packet lines, and the format of all records.
    pub(crate) fields: FieldOptions,
    /// The types of records to write.
    pub(crate) types: RecordTypes,
    /// What is written about flows.
    pub(crate) flows: FlowOptions,
    /// Packets to write; `None` is unlimited.
    pub(crate) count: Option<u64>,
    /// The snap length in bytes, for `meta`.
    pub(crate) snaplen: u32,
    /// The filter expression, for `meta`.
    pub(crate) filter: Option<String>,
    /// The network namespace that was entered, for `meta`.
    pub(crate) netns: Option<String>,
}

/// A stream being written.
pub(crate) struct Stream {
    output: Output,
    types: RecordTypes,
    format: RecordFormat,
    formatter: LineFormatter,
    /// `None` if nothing about flows is written.
    flows: Option<Flows>,
    /// Whether `stats` and `end` count the names that are missing.
    has_names: bool,
    /// Maximum number of packets.
    limit: u64,
    /// The first record of each file.
    meta: Meta,
    /// One for each interface of a live run, or one for all files.
    sources: Vec<SourceCounts>,
    /// Sums of all `stats` records in the current file.
    file_counts: Counts,
    /// Packets written in this run.
    out: u64,
    /// Packets filtered out in this run.
    skip: u64,
}

/// Counters of one source.
#[derive(Clone, Copy, Debug, Default)]
struct SourceCounts {
    /// Since the last `stats` record.
    since_stats: Counts,
    /// Sums of its `stats` records in this run.
    total: Counts,
}

/// The counters of a `stats` record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) recv: u64,
    pub(crate) drop: u64,
    pub(crate) out: u64,
    pub(crate) skip: u64,
    pub(crate) bytes: u64,
    /// Incomplete messages that were given up.
    pub(crate) names_evicted: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.recv += other.recv;
        self.drop += other.drop;
        self.out += other.out;
        self.skip += other.skip;
        self.bytes = (self.bytes + other.bytes).min(MAX_SAFE_INTEGER);
        self.names_evicted += other.names_evicted;
    }
}

/// The kernel's loss counters since the last `stats` record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) drop: u64,
    pub(crate) freeze: u64,
    pub(crate) if_drop: u64,
}

/// An event without optional fields.
pub(crate) fn new_event(interface: &str, event: EventKind) -> Event {
    let interface = Some(interface.to_owned());
    Event { interface, ..Event::new(now(), event) }
}

impl Stream {
    /// Starts a stream by writing `meta`; without it, no file remains. Sources are the interfaces of a
    /// live run, or one for all files. `start` is the start of the run, before the first packet could
    /// be captured.
    pub(crate) fn open(
        output: Output,
        options: &Options,
        source: SourceKind,
        file: Option<String>,
        interfaces: Vec<Interface>,
        start: Timestamp,
    ) -> Result<Self, Error> {
        let source_count = if source == SourceKind::Live { interfaces.len() } else { 1 };
        let mut stream = Self {
            output,
            types: options.types,
            format: options.fields.format.clone(),
            formatter: LineFormatter::new(options.fields.clone()),
            flows: Flows::new(options.flows, &options.fields.format),
            has_names: options.fields.has_names
                || options.fields.has_ja4
                || options.flows.has_records,
            limit: options.count.unwrap_or(u64::MAX),
            meta: Meta {
                v: VERSION,
                tool: env!("CARGO_PKG_NAME").into(),
                version: env!("CARGO_PKG_VERSION").into(),
                start,
                host: nix::unistd::gethostname()
                    .ok()
                    .map(|name| name.to_string_lossy().into_owned()),
                netns: options.netns.clone(),
                source,
                file,
                filter: options.filter.clone(),
                snaplen: options.snaplen,
                interfaces,
            },
            sources: vec![SourceCounts::default(); source_count],
            file_counts: Counts::default(),
            out: 0,
            skip: 0,
        };
        match stream.start_file() {
            Ok(()) => Ok(stream),
            Err(error) => {
                stream.output.discard();
                Err(error)
            }
        }
    }

    fn start_file(&mut self) -> Result<(), Error> {
        self.write_record(&CaptureRecord::Meta(self.meta.clone()))?;
        self.flush_all()
    }

    /// Packets written so far.
    pub(crate) fn out(&self) -> u64 {
        self.out
    }

    /// Packets that the filter rejected so far.
    pub(crate) fn skipped(&self) -> u64 {
        self.skip
    }

    /// Counters of one source in this run; `recv` and `drop` as of its last `stats` record.
    pub(crate) fn counts(&self, source: usize) -> Counts {
        let SourceCounts { since_stats, mut total } = self.sources[source];
        total += since_stats;
        total
    }

    /// Packets of one source written or filtered out.
    pub(crate) fn processed(&self, source: usize) -> u64 {
        let Counts { out, skip, .. } = self.counts(source);
        out + skip
    }

    /// Whether the maximum number of packets is written.
    pub(crate) fn is_full(&self) -> bool {
        self.limit <= self.out
    }

    /// Whether the current file has reached its maximum size.
    pub(crate) fn is_file_full(&self) -> bool {
        self.output.is_full()
    }

    /// Counts a packet, and writes it with the next number unless packets are left out.
    pub(crate) fn write_packet(
        &mut self,
        source: usize,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let n = self.count_packet(source, packet.wire_len);
        let has_line = self.types.contains(RecordType::Packet);
        if !has_line && self.flows.is_none() {
            return Ok(());
        }
        let Self { output, formatter, flows, has_names, sources, .. } = self;
        output.append(|buffer| {
            let observation = match has_line {
                true => formatter.format(packet, Some(n), buffer),
                false => formatter.observe(packet),
            };
            if let (Some(flows), Some(observation)) = (flows, observation) {
                flows.add(&observation, has_line, buffer);
            }
            if *has_names {
                sources[source].since_stats.names_evicted += u64::from(formatter.take_evicted());
            }
        })
    }

    /// The same for a packet whose line is formatted. `rest` is its line without the number;
    /// `observation` is for its flow.
    pub(crate) fn write_formatted(
        &mut self,
        source: usize,
        len: u32,
        rest: &[u8],
        observation: Option<&Observation>,
    ) -> Result<(), Error> {
        let n = self.count_packet(source, len);
        if !self.types.contains(RecordType::Packet) {
            return Ok(());
        }
        let Self { output, flows, .. } = self;
        output.append(|buffer| {
            line::write_n(n, buffer);
            buffer.extend_from_slice(rest);
            if let (Some(flows), Some(observation)) = (flows, observation) {
                flows.add(observation, true, buffer);
            }
        })
    }

    /// Counts incomplete messages that were given up when the packet of a formatted line was added.
    pub(crate) fn count_evicted_names(&mut self, source: usize, count: u32) {
        self.sources[source].since_stats.names_evicted += u64::from(count);
    }

    /// Number of incomplete messages that were given up because there were too many.
    pub(crate) fn evicted_names(&self) -> u64 {
        (0..self.sources.len()).map(|source| self.counts(source).names_evicted).sum()
    }

    /// Writes the flows that had no packets for a long time at `now`.
    pub(crate) fn expire_flows(&mut self, now: Timestamp) -> Result<(), Error> {
        let Some(flows) = &mut self.flows else { return Ok(()) };
        self.output.append(|buffer| flows.expire(now, buffer))
    }

    /// Number of flows that were reported early because there were too many.
    pub(crate) fn evicted_flows(&self) -> u64 {
        self.flows.as_ref().map_or(0, Flows::evicted)
    }

    /// Writes all flows.
    fn finish_flows(&mut self) -> Result<(), Error> {
        let Self { output, flows, .. } = self;
        let mut result = Ok(());
        if let Some(flows) = flows {
            flows.finish(|record| {
                if result.is_ok() {
                    result = output.append(|buffer| buffer.extend_from_slice(record));
                }
            });
        }
        result
    }

    /// Counts packets that the filter rejected.
    pub(crate) fn count_skipped(&mut self, source: usize, count: u64) {
        self.skip += count;
        self.sources[source].since_stats.skip += count;
    }

    /// Counts a packet to be written. Returns its number.
    fn count_packet(&mut self, source: usize, len: u32) -> u64 {
        self.out += 1;
        self.output.set_packet_count(self.out);
        let counts = &mut self.sources[source].since_stats;
        counts.out += 1;
        // Damaged files can claim absurd lengths; the sum must not exceed MAX_SAFE_INTEGER.
        let capacity = MAX_SAFE_INTEGER.saturating_sub(self.file_counts.bytes + counts.bytes);
        counts.bytes += u64::from(len).min(capacity);
        self.out + self.skip
    }

    /// Writes a `stats` record with the counters since the last one. A packet counts as received
    /// when it is taken from the ring. `recv` is the kernel's count for the whole run; pass it only
    /// at the end, when the ring is empty and both counts must agree.
    pub(crate) fn write_stats(
        &mut self,
        source: usize,
        interface: Option<&str>,
        losses: Losses,
        recv: Option<u64>,
    ) -> Result<(), Error> {
        let Losses { drop, freeze, if_drop } = losses;
        let counters = &mut self.sources[source];
        let mut counts = std::mem::take(&mut counters.since_stats);
        counts.drop = drop;
        let reported = counters.total.recv;
        let sum = counts.out + counts.skip + drop;
        counts.recv = recv.map_or(sum, |recv| recv.saturating_sub(reported));
        counters.total += counts;
        self.file_counts += counts;
        let Counts { recv, drop, out, skip, bytes, names_evicted } = counts;
        let names_evicted = self.has_names.then_some(names_evicted);
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
            names_evicted,
        }))
    }

    /// Writes an event, and flushes.
    pub(crate) fn write_event(&mut self, event: Event) -> Result<(), Error> {
        self.write_record(&CaptureRecord::Event(event))?;
        self.flush()
    }

    /// Ends the current file and starts the next one. The `stats` records must have been written.
    /// `interfaces` replaces those in `meta`.
    pub(crate) fn rotate(
        &mut self,
        reason: Reason,
        interfaces: Option<Vec<Interface>>,
    ) -> Result<(), Error> {
        let rotated = Event::new(now(), EventKind::Rotated);
        self.write_record(&CaptureRecord::Event(rotated))?;
        self.finish_file(reason)?;
        self.output.rotate()?;
        self.meta.start = now();
        if let Some(interfaces) = interfaces {
            self.meta.interfaces = interfaces;
        }
        self.start_file()
    }

    /// Writes all flows and `end`, and completes the output.
    pub(crate) fn finish(&mut self, reason: Reason) -> Result<(), Error> {
        self.finish_flows()?;
        self.finish_file(reason)?;
        self.output.finish()
    }

    fn finish_file(&mut self, reason: Reason) -> Result<(), Error> {
        let counts = std::mem::take(&mut self.file_counts);
        let Counts { recv, drop, out, skip, bytes, names_evicted } = counts;
        let names_evicted = self.has_names.then_some(names_evicted);
        self.write_record(&CaptureRecord::End(End {
            ts: now(),
            reason,
            recv,
            drop,
            out,
            skip,
            bytes,
            names_evicted,
        }))
    }

    /// The output, to watch it.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Writes the buffered lines.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.output.flush()
    }

    /// Writes all lines, also those that the encoder of a compressed output holds.
    pub(crate) fn flush_all(&mut self) -> Result<(), Error> {
        self.output.flush_all()
    }

    fn write_record(&mut self, record: &CaptureRecord) -> Result<(), Error> {
        if !self.types.contains(record.into()) {
            return Ok(());
        }
        self.output.append(|buffer| self.format.write(record, buffer))
    }
}

/// The current wall-clock time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}
