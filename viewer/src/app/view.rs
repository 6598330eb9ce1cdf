//! What the page shows besides pictures, as words, tables and switches.

use super::memory_plan::{FileInfo, MemoryPlan};
use super::tables::VirtualTable;
use super::{App, CHART_COUNT, Panel, Phase};
use crate::chart::Table;
use crate::filter::Error;
use crate::load::{Report, Sampling};
use crate::text::{bytes, fixed, percent, prefixed, seconds};
use crate::time::Zone;
use summary::grouped;

/// Protocols named in the summary line; the rest is counted together.
const MAX_NAMED: usize = 6;

/// What is selected in a dimension, as something to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Name of the dimension.
    pub name: &'static str,
    /// What is selected, in the filter language.
    pub text: String,
}

/// A packet with all that its line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Which packet.
    pub title: String,
    /// Its line as it is in the file; empty until it was read.
    pub line: String,
    /// Its fields with their values.
    pub fields: Vec<(String, String)>,
}

/// What is to be shown, as of now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// How far loading is.
    pub phase: Phase,
    /// Packets, bytes, time span and protocols, in one line.
    pub summary: String,
    /// Share of the bytes read, from 0 to 1, while loading.
    pub progress: f64,
    /// The same in words, with rate and remaining time.
    pub progress_text: String,
    /// Why nothing could be loaded.
    pub error: String,
    /// What to choose where a file is too large.
    pub memory_prompt: Option<String>,
    /// How many lines could not be read; empty where all could.
    pub skipped: String,
    /// The first of them, with their reasons.
    pub problems: Vec<String>,
    /// How many packets are selected, in words; empty where all are.
    pub selected: String,
    /// What is selected.
    pub chips: Vec<Chip>,
    /// Whether there is a step to undo.
    pub can_undo: bool,
    /// Whether there is an undone step to redo.
    pub can_redo: bool,
    /// The words of the filter box.
    pub filter: String,
    /// What is wrong with them: the text with a mark under the place, and the reason.
    pub filter_error: String,
    /// What could stand next: the whole text with each word in its place, and the word.
    pub completions: Vec<(String, String)>,
    /// What each chart shows, in words.
    pub chart_labels: [String; CHART_COUNT],
    /// The tables of the charts where they are wanted.
    pub tables: [Option<Table>; CHART_COUNT],
    /// The interval of the throughput.
    pub interval: String,
    /// The conversations.
    pub conversations: VirtualTable,
    /// The packets.
    pub packets: VirtualTable,
    /// The chosen packet.
    pub detail: Option<Detail>,
    /// What is under the pointer, a line each, and where: panel and pixel.
    pub hover: Option<(Panel, (f64, f64), Vec<String>)>,
    /// What the keyboard's cursor is at, for who does not see it.
    pub announcement: String,
    /// The state for a link; `None` while it is changing, for browsers refuse too many a second.
    pub link: Option<String>,
}

impl App {
    /// What is to be shown, as of now.
    pub fn view(&self) -> View {
        let zone = self.zone();
        let (read_bytes, len) = self.files.progress();
        let is_ready = self.files.phase == Phase::Ready;
        View {
            phase: self.files.phase,
            summary: self.summary(&zone),
            progress: read_bytes as f64 / len.max(1) as f64,
            progress_text: self.progress_text(read_bytes, len),
            error: self.files.error.clone().unwrap_or_default(),
            memory_prompt: self.memory_plan.as_ref().map(|offer| choice_words(offer, &zone)),
            skipped: self.skipped_words(),
            problems: self.problems(),
            selected: self.selected_words(),
            chips: self.chips(&zone),
            can_undo: self.history.can_undo(),
            can_redo: self.history.can_redo(),
            filter: self.filter_text.clone(),
            filter_error: match &self.filter_error {
                Some(error) => pointed(&self.filter_text, error),
                None => String::new(),
            },
            completions: self.completions(),
            chart_labels: std::array::from_fn(|place| {
                self.chart(Panel::ALL[place]).map(|chart| chart.words(&zone)).unwrap_or_default()
            }),
            tables: std::array::from_fn(|place| {
                self.shown_tables[place].then(|| self.table(Panel::ALL[place])).flatten()
            }),
            interval: self.interval_words(),
            conversations: self.conversation_rows(&zone),
            packets: self.packet_table(&zone),
            detail: self.detail(&zone),
            hover: self.hover(&zone),
            announcement: self.announcement(&zone),
            link: (is_ready && self.gesture.is_none() && !self.is_interacting).then(|| self.link()),
        }
    }

    fn summary(&self, zone: &Zone) -> String {
        let totals = self.totals();
        // Words that change many times a second are none for a screen reader: progress has others.
        if self.files.phase != Phase::Ready {
            return String::new();
        }
        let mut words = vec![
            self.files.names(),
            match totals.packets {
                1 => "1 packet".to_owned(),
                packets => format!("{} packets", grouped(packets)),
            },
            format!("{} on the wire", bytes(totals.wire_bytes)),
        ];
        if let Some(extent) = totals.extent {
            let (first, last) = extent.ts_ns;
            // The start by a clock, even where times are counted from it.
            let clock = if let Zone::Relative(_) = zone { &Zone::Utc } else { zone };
            words.push(format!("{} + {}", clock.format(first), seconds(last.abs_diff(first))));
        }
        if totals.packets > 0 {
            words.push(self.protocols(totals.packets));
        }
        for file in &self.files.files {
            if let Some(kept) = kept_words(file, zone) {
                words.push(kept);
            }
        }
        if self.files.is_cancelled {
            let (read, len) = self.files.progress();
            words.push(format!("cancelled after {} of the file", percent(read, len)));
        }
        words.join(" · ")
    }

    /// The most frequent protocols with their shares.
    fn protocols(&self, packets: u64) -> String {
        let Some(super::charts::Chart::Ranking(all)) = self.chart(Panel::Protocols) else {
            return String::new();
        };
        let mut items: Vec<_> =
            all.items.iter().map(|item| (item.whole.packets, &item.name)).collect();
        items.sort_by_key(|item| std::cmp::Reverse(item.0));
        let mut words: Vec<_> = (items.iter().take(MAX_NAMED))
            .map(|(count, name)| format!("{name} {}", percent(*count, packets)))
            .collect();
        if let rest @ 1.. = items.len().saturating_sub(MAX_NAMED) {
            words.push(format!("{rest} more"));
        }
        words.join(", ")
    }

    fn progress_text(&self, read_bytes: u64, len: u64) -> String {
        let packets = self.totals().packets;
        let mut words = format!(
            "{}: {} of {} read, {} packets",
            self.files.names(),
            bytes(read_bytes),
            bytes(len),
            grouped(packets)
        );
        let seconds = self.files.elapsed_ms / 1e3;
        if 0.0 < seconds && 0 < read_bytes {
            let rate = read_bytes as f64 / seconds;
            let left = len.saturating_sub(read_bytes) as f64 / rate;
            words += &format!(
                ", {}B/s, {} s left",
                if rate < 1e3 { fixed(rate, 0) + " " } else { prefixed(rate) },
                fixed(left, 0)
            );
        }
        words
    }

    fn selected_words(&self) -> String {
        if self.history.now().is_empty() {
            return String::new();
        }
        let (selected, all) = (self.selected(), self.totals());
        format!(
            "{} of {} packets selected ({}), {}",
            grouped(selected.packets),
            grouped(all.packets),
            percent(selected.packets, all.packets),
            bytes(selected.bytes)
        )
    }

    fn chips(&self, zone: &Zone) -> Vec<Chip> {
        let clauses = self.history.now().clauses();
        let chip = |(dimension, expr): (crate::selection::Dimension, &crate::filter::Expr)| Chip {
            name: dimension.name(),
            text: expr.to_text(zone),
        };
        clauses.map(chip).collect()
    }

    fn completions(&self) -> Vec<(String, String)> {
        let at = &self.completion.range;
        let (Some(before), Some(after)) =
            (self.filter_text.get(..at.start), self.filter_text.get(at.end..))
        else {
            return Vec::new();
        };
        let whole = |word: &String| (format!("{before}{word}{after}"), word.clone());
        self.completion.suggestions.iter().map(whole).collect()
    }

    fn skipped_words(&self) -> String {
        let unit = self.files.reports().find(|part| 0 < part.skipped).map_or("", Report::unit);
        match self.skipped() {
            0 => String::new(),
            1 => format!("1 {unit} could not be read"),
            skipped => format!("{} {unit}s could not be read", grouped(skipped)),
        }
    }

    /// Lines with their numbers in the file: known when the parts before are complete.
    fn problems(&self) -> Vec<String> {
        if self.files.phase == Phase::Loading {
            return Vec::new();
        }
        let mut problems = Vec::new();
        for (index, file) in self.files.files.iter().enumerate() {
            let mut before = 0;
            for (_, part) in self.files.parts.iter().filter(|(file, _)| *file == index) {
                for problem in &part.problems {
                    let line = grouped(before + problem.line);
                    let name = match self.files.files.len() {
                        1 => String::new(),
                        _ => format!("{}, ", file.name),
                    };
                    problems.push(format!("{name}{} {line}: {}", part.unit(), problem.reason));
                }
                if !part.is_complete {
                    break; // where the next part's lines begin is not known
                }
                before += part.lines;
            }
        }
        problems.truncate(crate::load::MAX_PROBLEMS);
        if (problems.len() as u64) < self.skipped() {
            problems.push("… and more".to_owned());
        }
        problems
    }

    fn detail(&self, zone: &Zone) -> Option<Detail> {
        let picked = self.picked.as_ref()?;
        let title = format!(
            "Packet {}, {}",
            crate::text::integer(picked.row.n),
            zone.format(picked.row.ts_ns)
        );
        let line = picked.line.clone().unwrap_or_default();
        let fields = crate::load::fields(&line);
        Some(Detail { title, line, fields })
    }

    fn hover(&self, zone: &Zone) -> Option<(Panel, (f64, f64), Vec<String>)> {
        let (panel, at) = self.pointer?;
        let size = self.size(panel);
        let lines = match self.chart(panel)? {
            super::charts::Chart::Binned(chart) => {
                let share = size.share(at).0;
                if !(0.0..=1.0).contains(&share) {
                    return None;
                }
                chart.words_of(chart.bin_at(share), zone)
            }
            super::charts::Chart::Ranking(chart) => chart.words_of(chart.item_at(size, at.1)?),
            super::charts::Chart::Scatter(chart) => {
                let mut lines = self.hit_words(zone)?;
                let cell = self.hit()?.cell;
                lines.extend(chart.words_of(cell, zone).into_iter().take(1));
                lines
            }
        };
        Some((panel, at, lines))
    }

    fn hit_words(&self, zone: &Zone) -> Option<Vec<String>> {
        self.pointed_cell()?;
        let row = &self.hit()?.packet.row;
        let end = |address: &str, port: Option<u16>| match (address, port) {
            ("", _) => "–".to_owned(),
            (address, None) => address.to_owned(),
            (address, Some(port)) if address.contains(':') => format!("[{address}]:{port}"),
            (address, Some(port)) => format!("{address}:{port}"),
        };
        Some(vec![
            format!("packet {}", crate::text::integer(row.n)),
            zone.format(row.ts_ns),
            format!("{} → {}", end(&row.src, row.sport), end(&row.dst, row.dport)),
            format!("{}, {} bytes", row.proto, grouped(u64::from(row.len))),
        ])
    }

    fn announcement(&self, zone: &Zone) -> String {
        let Some((panel, cell)) = self.cursor else { return String::new() };
        let Some(chart) = self.chart(panel) else { return String::new() };
        let mut lines = chart.words_of(cell, zone);
        if panel == Panel::Scatter {
            lines.extend(self.hit_words(zone).unwrap_or_default());
        }
        lines.join(". ")
    }
}

/// Which packets of a file are there, where not all are.
fn kept_words(file: &FileInfo, zone: &Zone) -> Option<String> {
    let Sampling { every, ts_ns: (first, last) } = file.sampling;
    let mut words = Vec::new();
    if 1 < every {
        words.push(format!("one packet in {}", grouped(every)));
    }
    if first != i64::MIN {
        words.push(format!("from {}", zone.format(first)));
    }
    if last != i64::MAX {
        words.push(format!("to {}", zone.format(last)));
    }
    (!words.is_empty()).then(|| format!("of {} only {}", file.name, words.join(" ")))
}

fn choice_words(offer: &MemoryPlan, zone: &Zone) -> String {
    let mut words = format!(
        "About {} packets need {} of memory; there are {}.",
        grouped(offer.packets),
        bytes(offer.needed_bytes),
        bytes(offer.free_bytes)
    );
    if let Some(first_ns) = offer.first_ns() {
        words += &format!(" The first is of {}.", zone.format(first_ns));
    }
    words + " Load a part of them:"
}

/// The text, a line with a mark under what is wrong, and the reason.
fn pointed(text: &str, error: &Error) -> String {
    let before = text.get(..error.range.start).unwrap_or(text).chars().count();
    let wrong = text.get(error.range.clone()).unwrap_or("").chars().count().max(1);
    format!("{text}\n{}{}\n{}", " ".repeat(before), "^".repeat(wrong), error.message)
}
