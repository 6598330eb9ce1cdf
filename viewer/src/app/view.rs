//! What the page shows besides pictures, as words and switches.

use super::{App, Chart, Phase};
use crate::text::{bytes, percent, seconds, time};
use std::collections::BTreeMap;
use summary::grouped;

/// Protocols named in the summary line; the rest is counted together.
const MAX_NAMED: usize = 6;

/// What is to be shown, as of now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// How far loading is.
    pub phase: Phase,
    /// Packets, bytes, time span and protocols, in one line.
    pub summary: String,
    /// Share of the bytes read, from 0 to 1, while loading.
    pub progress: f64,
    /// The same in words.
    pub progress_words: String,
    /// Why nothing could be loaded.
    pub error: String,
    /// How many lines could not be read; empty where all could.
    pub skipped: String,
    /// The first of them, with their reasons.
    pub problems: Vec<String>,
    /// What the histogram shows, in words.
    pub histogram_words: String,
    /// What the scatter shows, in words.
    pub scatter_words: String,
    /// What is under the pointer, a line each, and where: chart and pixel.
    pub hover: Option<(Chart, (f64, f64), Vec<String>)>,
}

impl App {
    /// What is to be shown, as of now.
    pub fn view(&self) -> View {
        let read_bytes: u64 = self.parts.iter().map(|part| part.read_bytes).sum();
        let packets = self.totals().packets;
        View {
            phase: self.phase,
            summary: self.summary(),
            progress: read_bytes as f64 / self.file_len.max(1) as f64,
            progress_words: format!(
                "{}: {} of {} read, {} packets",
                self.name,
                bytes(read_bytes),
                bytes(self.file_len),
                grouped(packets)
            ),
            error: self.error.clone().unwrap_or_default(),
            skipped: self.skipped_words(),
            problems: self.problems(),
            histogram_words: self.histogram_chart().map(|chart| chart.words()).unwrap_or_default(),
            scatter_words: self.scatter_chart().map(|chart| chart.words()).unwrap_or_default(),
            hover: self.hover(),
        }
    }

    fn summary(&self) -> String {
        let totals = self.totals();
        // Words that change many times a second are none for a screen reader: progress has others.
        if self.phase != Phase::Ready {
            return String::new();
        }
        let mut words = vec![
            self.name.clone(),
            match totals.packets {
                1 => "1 packet".to_owned(),
                packets => format!("{} packets", grouped(packets)),
            },
            format!("{} on the wire", bytes(totals.wire_bytes)),
        ];
        if let Some(extent) = totals.extent {
            let (first, last) = extent.ts_ns;
            words.push(format!("{} + {}", time(first), seconds(last.abs_diff(first))));
        }
        if totals.packets > 0 {
            words.push(self.protocols(totals.packets));
        }
        if self.is_cancelled {
            let read: u64 = self.parts.iter().map(|part| part.read_bytes).sum();
            words.push(format!("cancelled after {} of the file", percent(read, self.file_len)));
        }
        words.join(" · ")
    }

    /// The most frequent protocols with their shares.
    fn protocols(&self, packets: u64) -> String {
        let mut counts = BTreeMap::<&str, u64>::new();
        for (name, count) in self.parts.iter().flat_map(|part| &part.protocols) {
            *counts.entry(name).or_default() += count;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
        let mut words: Vec<_> = (counts.iter().take(MAX_NAMED))
            .map(|(name, count)| format!("{name} {}", percent(*count, packets)))
            .collect();
        if let rest @ 1.. = counts.len().saturating_sub(MAX_NAMED) {
            words.push(format!("{rest} more"));
        }
        words.join(", ")
    }

    fn skipped_words(&self) -> String {
        match self.skipped() {
            0 => String::new(),
            1 => "1 line could not be read".to_owned(),
            skipped => format!("{} lines could not be read", grouped(skipped)),
        }
    }

    /// Lines with their numbers in the file: known when the parts before are complete.
    fn problems(&self) -> Vec<String> {
        if self.phase == Phase::Loading {
            return Vec::new();
        }
        let mut before = 0;
        let mut problems = Vec::new();
        for part in &self.parts {
            for problem in &part.problems {
                let line = grouped(before + problem.line);
                problems.push(format!("line {line}: {}", problem.reason));
            }
            if !part.is_complete {
                break; // where the next part's lines begin is not known
            }
            before += part.lines;
        }
        problems.truncate(crate::load::MAX_PROBLEMS);
        if (problems.len() as u64) < self.skipped() {
            problems.push("… and more".to_owned());
        }
        problems
    }

    fn hover(&self) -> Option<(Chart, (f64, f64), Vec<String>)> {
        let (chart, at) = self.pointer?;
        let lines = match chart {
            Chart::Histogram => {
                let words = self.histogram_chart()?.words_at(self.histogram_size, at.0)?;
                vec![words]
            }
            Chart::Scatter => {
                let hit = self.hit.as_ref()?;
                let row = &hit.row;
                let mut lines = vec![
                    format!("packet {}", grouped(row.n)),
                    time(row.ts_ns),
                    format!("{} → {}", or_dash(&row.src), or_dash(&row.dst)),
                    format!("{}, {} bytes", row.proto, grouped(u64::from(row.len))),
                ];
                let chart = self.scatter_chart()?;
                // The hit may be of a picture before this one.
                let (column, cell_row) = hit.cell;
                if column < chart.grid.columns && cell_row < chart.grid.rows {
                    lines.push(chart.words_of_cell(hit.cell));
                }
                lines
            }
        };
        Some((chart, at, lines))
    }
}

fn or_dash(text: &str) -> &str {
    if text.is_empty() { "–" } else { text }
}
