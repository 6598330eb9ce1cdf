//! The stream of records: numbers the packets, counts them, and writes all records and packets. Every
//! `stats` and `end` record satisfies `recv = out + skip + drop`. Files and buffering are left to
//! `output`, the format of packets to `packet_file`.

mod files;
mod open;

use files::Destination;
use flow::Observation;
use std::time::{SystemTime, UNIX_EPOCH};
use summary::record::{CaptureRecord, Event, EventKind, Meta, Stats};
use summary::{RecordFormat, Timestamp, line};

use crate::Error;
use crate::counts::{Counts, Losses, MAX_SAFE_INTEGER};
use crate::flows::{FlowOptions, Flows};
use crate::line_formatter::{CapturedPacket, FieldOptions, LineFormatter};
use crate::metrics::Traffic;
use crate::output::Output;
use crate::packet_file::{Cause, PacketFile, Triggered};
use crate::record_types::{RecordType, RecordTypes};
use crate::top::{Status, Top};

/// Configuration of the stream.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Optional fields of packet lines, and the format of all records.
    pub(crate) fields: FieldOptions,
    /// The types of records to write; none without an output of lines.
    pub(crate) types: RecordTypes,
    /// Whether the bytes of packets are written, too.
    pub(crate) keeps_bytes: bool,
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
    /// The output of lines, if there are any.
    lines: Option<Output>,
    /// The output of packets with their bytes, if there is one.
    packets: Option<PacketFile>,
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
    /// Sums of all `stats` records in the files that are complete.
    complete_counts: Counts,
    /// Packets written in this run.
    out: u64,
    /// Packets filtered out in this run.
    skip: u64,
    /// Triggers that [`Stream::take_triggered`] did not return yet.
    triggered: Vec<Triggered>,
}

/// Counters of one source.
#[derive(Clone, Copy, Debug, Default)]
struct SourceCounts {
    /// Since the last `stats` record.
    since_stats: Counts,
    /// Sums of its `stats` records in this run.
    total: Counts,
}

/// An event without optional fields.
pub(crate) fn new_event(interface: &str, event: EventKind) -> Event {
    let interface = Some(interface.to_owned());
    Event { interface, ..Event::new(now(), event) }
}

/// A packet whose line was formatted by a thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FormattedPacket<'a> {
    /// Length on the wire in bytes.
    pub(crate) len: u32,
    /// Its line after the number.
    pub(crate) line: &'a [u8],
    /// Its properties for flows, if flows are requested.
    pub(crate) observation: Option<&'a Observation>,
    /// Incomplete messages that were given up because of it.
    pub(crate) evicted_names: u32,
    /// The packet, if its bytes are to be written.
    pub(crate) captured: Option<CapturedPacket<'a>>,
}

impl Stream {
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
        self.outputs().any(Output::is_full)
    }

    /// Counts a packet, and writes it with the next number unless packets are left out.
    pub(crate) fn write_packet(
        &mut self,
        source: usize,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let n = self.count_packet(source, packet.wire_len);
        self.write_line(source, n, packet)?;
        self.write_bytes(source, n, packet)
    }

    /// Writes the bytes of a packet, and a record if it was a trigger.
    fn write_bytes(
        &mut self,
        source: usize,
        n: u64,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let Some(file) = &mut self.packets else { return Ok(()) };
        file.write(source, n, packet)?;
        self.record_triggers()
    }

    fn write_line(
        &mut self,
        source: usize,
        n: u64,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let has_line = self.types.contains(RecordType::Packet);
        if !has_line && self.flows.is_none() {
            return Ok(());
        }
        let Self { lines, formatter, flows, has_names, sources, .. } = self;
        append_to(lines, |buffer| {
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

    /// The same for a packet whose line is formatted.
    pub(crate) fn write_formatted(
        &mut self,
        source: usize,
        formatted: &FormattedPacket<'_>,
    ) -> Result<(), Error> {
        let FormattedPacket { len, line: rest, observation, evicted_names, captured } = *formatted;
        let n = self.count_packet(source, len);
        if self.has_names {
            self.sources[source].since_stats.names_evicted += u64::from(evicted_names);
        }
        // Threads format packets only if these have lines.
        if let Some(lines) = &mut self.lines {
            let flows = &mut self.flows;
            lines.append(|buffer| {
                line::write_n(n, buffer);
                buffer.extend_from_slice(rest);
                if let (Some(flows), Some(observation)) = (flows, observation) {
                    flows.add(observation, true, buffer);
                }
            })?;
        }
        captured.map_or(Ok(()), |captured| self.write_bytes(source, n, &captured))
    }

    /// Number of incomplete messages that were given up because there were too many.
    pub(crate) fn evicted_names(&self) -> u64 {
        (0..self.sources.len()).map(|source| self.counts(source).names_evicted).sum()
    }

    /// Writes the flows that had no packets for a long time at `now`.
    pub(crate) fn expire_flows(&mut self, now: Timestamp) -> Result<(), Error> {
        let Self { flows: Some(flows), lines, .. } = self else { return Ok(()) };
        append_to(lines, |buffer| flows.expire(now, buffer))
    }

    /// The counters of packets for `--metrics`, and the number of flows.
    pub(crate) fn traffic(&self) -> Option<(&Traffic, usize)> {
        self.flows.as_ref()?.traffic()
    }

    /// Shows the flows on the terminal.
    pub(crate) fn show_flows(&mut self, top: &mut Top, status: Status) {
        if let Some(flows) = &mut self.flows {
            flows.show(top, status);
        }
    }

    /// Number of flows that were reported early because there were too many.
    pub(crate) fn evicted_flows(&self) -> u64 {
        self.flows.as_ref().map_or(0, Flows::evicted)
    }

    /// Writes all flows.
    fn finish_flows(&mut self) -> Result<(), Error> {
        let Self { lines, flows, .. } = self;
        let mut result = Ok(());
        if let (Some(flows), Some(lines)) = (flows, lines) {
            flows.finish(|record| {
                if result.is_ok() {
                    result = lines.append(|buffer| buffer.extend_from_slice(record));
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
        if let Some(output) = self.outputs().next() {
            output.set_packet_count(self.out);
        }
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
        if let Some(file) = &mut self.packets {
            file.count(source, counts, losses);
        }
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

    /// Writes the packets around this moment that the recorder keeps in memory, if there is one.
    pub(crate) fn trigger(&mut self, cause: Cause) -> Result<(), Error> {
        self.packets.as_mut().map_or(Ok(()), |file| file.trigger(now(), cause))?;
        self.record_triggers()
    }

    /// Writes a record for each new trigger.
    fn record_triggers(&mut self) -> Result<(), Error> {
        let new = self.packets.as_mut().map_or_else(Vec::new, PacketFile::take_triggered);
        for triggered in &new {
            self.write_record(&CaptureRecord::Event(triggered.event()))?;
        }
        self.triggered.extend(new);
        Ok(())
    }

    /// The triggers since the last call.
    pub(crate) fn take_triggered(&mut self) -> Vec<Triggered> {
        std::mem::take(&mut self.triggered)
    }

    /// The outputs, to watch them.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = &Output> {
        self.lines.iter().chain(self.packets.as_ref().map(PacketFile::output))
    }

    fn outputs_mut(&mut self) -> impl Iterator<Item = &mut Output> {
        self.lines.iter_mut().chain(self.packets.as_mut().map(PacketFile::output_mut))
    }

    /// Whether all outputs are unusable.
    pub(crate) fn has_failed(&self) -> bool {
        self.outputs().all(Output::has_failed)
    }

    /// Fails if the reader of a pipe or socket has gone away.
    pub(crate) fn check_readers(&mut self) -> Result<(), Error> {
        self.outputs_mut().try_for_each(Output::check_reader)
    }

    /// Writes what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.outputs_mut().try_for_each(Output::flush)
    }

    /// Writes all lines and packets, also those that the encoder of a compressed output holds.
    pub(crate) fn flush_all(&mut self) -> Result<(), Error> {
        self.outputs_mut().try_for_each(Output::flush_all)
    }

    fn write_record(&mut self, record: &CaptureRecord) -> Result<(), Error> {
        self.write_record_to(Destination::All, record)
    }
}

/// Appends to the lines; without lines, flows are only shown.
fn append_to(lines: &mut Option<Output>, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
    match lines {
        Some(lines) => lines.append(write),
        None => {
            write(&mut Vec::new());
            Ok(())
        }
    }
}

/// The current wall-clock time.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}
