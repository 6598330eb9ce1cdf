//! Status texts: the summary, progress, memory, unreadable lines and the size of the selection.

use super::memory_plan::FileInfo;
use super::{App, Panel, Phase};
use crate::load::{MAX_PROBLEMS, Report, Sampling};
use crate::protocol::Rgb;
use crate::text::{
    bytes, fixed, isolated, named, packets, percent, prefixed, rounded_duration, time_range,
};
use crate::time::Zone;
use summary::grouped;

/// The number of protocols named in the summary.
const MAX_PROTOCOLS: usize = 6;

impl App {
    /// One line about the open files. Empty while they are loaded or followed: it would change many times a
    /// second, which screen readers would read out.
    pub(super) fn summary(&self, zone: &Zone) -> String {
        let totals = self.totals();
        if self.files.phase != Phase::Ready || self.is_following() {
            return String::new();
        }
        let mut parts = vec![
            isolated(&self.files.names()),
            packets(totals.packets),
            format!("{} on the wire", bytes(totals.wire_bytes)),
        ];
        if let Some(extent) = totals.extent {
            let (first, last) = extent.ts_ns;
            let range = time_range(first, last, absolute(zone));
            parts.push(format!("{range} ({})", rounded_duration(last.abs_diff(first))));
        }
        if totals.packets > 0 {
            parts.push(self.protocols(totals.packets));
        }
        parts.extend(self.files.files.iter().filter_map(|file| sampling_text(file, zone)));
        if self.files.is_cancelled {
            let (read, len) = self.files.progress();
            parts.push(format!("loading cancelled at {}", percent(read, len)));
        }
        parts.join(" · ")
    }

    /// The caption of a downloaded chart: files and time range, the selections in a second line, and the
    /// filters of the lines of the throughput chart in their colours.
    pub(super) fn caption(&self, panel: Panel, zone: &Zone) -> Vec<(String, Rgb)> {
        let mut parts = vec![self.files.names()];
        if let Some(extent) = self.totals().extent {
            let (first, last) = extent.ts_ns;
            parts.push(time_range(first, last, absolute(zone)));
        }
        let selections: Vec<_> =
            self.history.now().selecting().map(|(_, expr)| expr.to_text(zone)).collect();
        let mut lines = vec![(parts.join(" · "), self.theme.foreground())];
        if !selections.is_empty() {
            lines.push((selections.join(" · "), self.theme.foreground()));
        }
        if panel == Panel::Throughput {
            let chips = self.line_chips(zone).into_iter();
            lines.extend(chips.filter_map(|chip| Some((format!("— {}", chip.text), chip.color?))));
        }
        lines
    }

    /// First and last timestamp to the nanosecond; empty without packets.
    pub(super) fn exact_time_range(&self, zone: &Zone) -> String {
        let Some(extent) = self.totals().extent else { return String::new() };
        let (first, last) = extent.ts_ns;
        let zone = absolute(zone);
        format!("{} – {}", zone.format(first), zone.format(last))
    }

    /// The most frequent protocols, whatever is selected: `tcp 95.1 %, udp 4.9 %`.
    fn protocols(&self, packets: u64) -> String {
        let items = self.protocol_counts();
        let mut texts: Vec<_> = (items.iter().take(MAX_PROTOCOLS))
            .map(|(count, name)| format!("{} {}", isolated(named(name)), percent(*count, packets)))
            .collect();
        if let rest @ 1.. = items.len().saturating_sub(MAX_PROTOCOLS) {
            texts.push(format!("{rest} more"));
        }
        texts.join(", ")
    }

    pub(super) fn progress_text(&self, read_bytes: u64, len: u64) -> String {
        let mut text = format!(
            "{}: {} of {} read, {}",
            self.files.names(),
            bytes(read_bytes),
            bytes(len),
            packets(self.totals().packets)
        );
        let seconds = self.files.elapsed_ms / 1e3;
        if 0.0 < seconds && 0 < read_bytes {
            let rate = read_bytes as f64 / seconds;
            let left = len.saturating_sub(read_bytes) as f64 / rate;
            let rate = if rate < 1e3 { format!("{} ", fixed(rate, 0)) } else { prefixed(rate) };
            text += &format!(", {rate}B/s, {} s left", fixed(left, 0));
        }
        text
    }

    /// The text above the sampling options.
    pub(super) fn memory_prompt(&self, zone: &Zone) -> Option<String> {
        let plan = self.memory_plan.as_ref()?;
        let mut text = format!(
            "About {} packets need {} of memory; {} is available.",
            grouped(plan.packets),
            bytes(plan.needed_bytes),
            bytes(plan.free_bytes)
        );
        if let Some(first_ns) = plan.first_ns() {
            text += &format!(" The first packet is from {}.", zone.format(first_ns));
        }
        Some(text)
    }

    pub(super) fn selected_text(&self) -> String {
        if !self.extra_progress.is_empty() {
            let progress = self.extra_progress.iter();
            let (read, len) =
                progress.fold((0, 0), |all, (_, part)| (all.0 + part.0, all.1 + part.1));
            return format!("Reading the fields of this filter, {}", percent(read, len));
        }
        if self.history.now().is_all() {
            return String::new();
        }
        let (selected, all) = (self.selected(), self.shown_totals());
        format!(
            "{} of {} selected ({}), {}{}",
            grouped(selected.packets),
            packets(all.packets),
            percent(selected.packets, all.packets),
            bytes(selected.bytes),
            self.unknown_fields()
        )
    }

    /// What cannot be known in capture files of the fields that the filter refers to.
    fn unknown_fields(&self) -> String {
        let mut text = String::new();
        if !self.files.reports().any(|part| part.is_capture) {
            return text;
        }
        for field in self.history.now().extra_fields() {
            let known = match field {
                _ if field.finding().is_some() && self.is_analyzed() => continue,
                _ if field.finding().is_some() => {
                    "only from the sniffer’s lines, and after the analysis of TCP"
                }
                _ if field.is_only_in_lines() => "only from the sniffer’s lines",
                _ if field.is_of_messages() => {
                    "from capture files only in single, unencrypted packets"
                }
                _ => continue,
            };
            text += &format!("; {} is known {known}", field.name());
        }
        text
    }

    pub(super) fn skipped_text(&self) -> String {
        let unit = self.files.reports().find(|part| 0 < part.skipped).map_or("", Report::unit);
        match self.skipped() {
            0 => String::new(),
            1 => format!("1 {unit} could not be read"),
            skipped => format!("{} {unit}s could not be read", grouped(skipped)),
        }
    }

    /// The first unreadable lines. Their numbers count from the start of the file, which is known once
    /// the parts before are complete.
    pub(super) fn problems(&self) -> Vec<String> {
        if self.files.phase == Phase::Loading {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (index, file) in self.files.files.iter().enumerate() {
            let mut lines_before = if index == 0 { self.files.dropped.lines } else { 0 };
            for (_, part) in self.files.parts.iter().filter(|(file, _)| *file == index) {
                for problem in &part.problems {
                    let line = grouped(lines_before + problem.line);
                    let name = match self.files.files.len() {
                        1 => String::new(),
                        _ => format!("{}, ", file.name),
                    };
                    problems.push(format!("{name}{} {line}: {}", part.unit(), problem.reason));
                }
                if !part.is_complete {
                    break; // the line numbers of later parts are unknown
                }
                lines_before += part.lines;
            }
        }
        problems.truncate(MAX_PROBLEMS);
        if (problems.len() as u64) < self.skipped() {
            problems.push("… and more".to_owned());
        }
        problems
    }
}

/// UTC instead of relative time: the summary says when the capture was made.
fn absolute(zone: &Zone) -> &Zone {
    if let Zone::Relative(_) = zone { &Zone::Utc } else { zone }
}

/// How a file was sampled: `a.pcap: one packet in 10`. `None` if it was loaded completely.
fn sampling_text(file: &FileInfo, zone: &Zone) -> Option<String> {
    let Sampling { every, ts_ns: (first, last) } = file.sampling;
    let mut parts = Vec::new();
    if 1 < every {
        parts.push(format!("one packet in {}", grouped(every)));
    }
    if first != i64::MIN {
        parts.push(format!("from {}", zone.format(first)));
    }
    if last != i64::MAX {
        parts.push(format!("to {}", zone.format(last)));
    }
    (!parts.is_empty()).then(|| format!("{}: only {}", file.name, parts.join(" ")))
}
