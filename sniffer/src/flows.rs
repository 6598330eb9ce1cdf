//! Flows of the packets that are written: `flow` records, and the findings in packet lines.

use flow::{EndReason, Flow, FlowTable, Limits, Marks, Observation};
use std::io::Write as _;
use std::time::Duration;
use summary::{RecordFormat, Timestamp};

use crate::flow_record::FlowRecord;
use crate::metrics::Traffic;
use crate::timer::nanoseconds;
use crate::top::{Ranking, RateKind, Status, Top};

/// What is written about flows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FlowOptions {
    /// `flow` records.
    pub(crate) has_records: bool,
    /// How long a flow lasts until it is reported; 0 reports flows only when they end.
    pub(crate) interval: Duration,
    /// The findings about TCP in the lines of packets.
    pub(crate) has_marks: bool,
    /// The list of flows on the terminal.
    pub(crate) ranking: Option<RateKind>,
    /// Counters for `--metrics`.
    pub(crate) has_metrics: bool,
}

/// The flows of a run, in the order of its packets.
#[derive(Debug)]
pub(crate) struct Flows {
    table: FlowTable,
    options: FlowOptions,
    format: RecordFormat,
    /// The records of flows that ended with the last packet.
    records: Vec<u8>,
    /// The flows that the terminal shows.
    ranking: Option<Ranking>,
    traffic: Option<Traffic>,
}

impl Flows {
    /// `None` if nothing about flows is written.
    pub(crate) fn new(options: FlowOptions, format: &RecordFormat) -> Option<Self> {
        let interval_ns = nanoseconds(options.interval);
        // Marks do not need reports.
        let active_ns = if options.has_records { interval_ns } else { 0 };
        let table = FlowTable::new(Limits { active_ns, ..Limits::default() });
        let ranking = options.ranking.map(Ranking::new);
        let traffic = options.has_metrics.then(Traffic::default);
        let is_used =
            options.has_records || options.has_marks || ranking.is_some() || traffic.is_some();
        is_used.then(|| Self {
            table,
            options,
            format: format.clone(),
            records: Vec::new(),
            ranking,
            traffic,
        })
    }

    /// Adds a packet. `out` ends with its line, if it has one, to which the findings are added. The records
    /// of flows that end follow.
    pub(crate) fn add(&mut self, packet: &Observation, has_line: bool, out: &mut Vec<u8>) {
        let Self { table, options, format, records, ranking, traffic } = self;
        let marks = table.add(packet, &mut |flow, reason| {
            if options.has_records {
                format.write(&FlowRecord { flow, reason }, records);
            }
            rank(ranking, flow, reason);
        });
        traffic.iter_mut().for_each(|traffic| traffic.add(packet, &marks));
        if has_line && options.has_marks && marks != Marks::default() {
            let line_end = format.tags.line_end();
            out.truncate(out.len() - line_end.len());
            write_marks(&marks, out);
            out.extend_from_slice(line_end);
        }
        out.append(records);
    }

    /// Appends the records of flows without packets for a long time. `now` is the wall-clock time of a live
    /// capture.
    pub(crate) fn expire(&mut self, now: Timestamp, out: &mut Vec<u8>) {
        let Self { table, options, format, ranking, .. } = self;
        table.expire(now, &mut |flow, reason| {
            if options.has_records {
                format.write(&FlowRecord { flow, reason }, out);
            }
            rank(ranking, flow, reason);
        });
    }

    /// Ends all flows, and passes their records to `write`.
    pub(crate) fn finish(&mut self, mut write: impl FnMut(&[u8])) {
        let Self { table, options, format, records, .. } = self;
        table.finish(&mut |flow, reason: EndReason| {
            if options.has_records {
                records.clear();
                format.write(&FlowRecord { flow, reason }, records);
                write(records);
            }
        });
        records.clear();
    }

    /// Shows the flows on the terminal.
    pub(crate) fn show(&mut self, top: &mut Top, status: Status) {
        if let Some(ranking) = &mut self.ranking {
            let status = Status { flows: self.table.len(), ..status };
            top.show(status, &self.table, ranking);
        }
    }

    /// The counters of packets, and the number of flows.
    pub(crate) fn traffic(&self) -> Option<(&Traffic, usize)> {
        Some((self.traffic.as_ref()?, self.table.len()))
    }

    /// Number of flows that ended early because there were too many.
    pub(crate) fn evicted(&self) -> u64 {
        self.table.evicted()
    }
}

/// Keeps a flow that ended for the terminal; one that continues is still in the table.
fn rank(ranking: &mut Option<Ranking>, flow: &Flow<'_>, reason: EndReason) {
    if let Some(ranking) = ranking.as_mut().filter(|_| reason != EndReason::Active) {
        ranking.add_ended(flow, reason);
    }
}

/// Appends the fields of the findings in a packet.
fn write_marks(marks: &Marks, out: &mut Vec<u8>) {
    let flags = [
        ("ooo", marks.is_out_of_order),
        ("dup_ack", marks.is_dup_ack),
        ("zero_window", marks.is_zero_window),
        ("window_full", marks.is_window_full),
        ("keep_alive", marks.is_keep_alive),
    ];
    // Writing to memory cannot fail.
    if let Some(rtx) = marks.rtx {
        let _ = write!(out, ",\"rtx\":\"{}\"", rtx.name());
    }
    for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
        let _ = write!(out, ",\"{name}\":true");
    }
    if let Some(reset) = marks.reset {
        let _ = write!(out, ",\"reset\":\"{}\"", reset.name());
    }
    let numbers = [
        ("unseen", marks.unseen_bytes),
        ("rtt_us", marks.rtt_us),
        ("handshake_us", marks.handshake_us),
    ];
    for (name, number) in numbers {
        if let Some(number) = number {
            let _ = write!(out, ",\"{name}\":{number}");
        }
    }
}
