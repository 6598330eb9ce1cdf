//! Everything visible besides the charts, as text, tables and flags.

use super::accessors::{NO_BYTES, RUN_OVER};
use super::charts::Chart;
use super::chips::Chip;
use super::tables::VirtualTable;
use super::{App, CHART_COUNT, Crosshair, Panel, Phase, Tooltip};
use crate::chart::Table;
use crate::filter::Error;
use crate::load::RawFrame;
use crate::text::integer;
use crate::time::Zone;
use std::rc::Rc;

/// The details of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detail {
    /// Its number and time.
    pub title: String,
    /// Differs each time that a packet is selected, also if it is the same packet.
    pub request: u64,
    /// Its line in the file; empty until it has been read.
    pub line: String,
    /// Its bytes, if the file is a capture file and they have been read.
    pub frame: Option<Rc<RawFrame>>,
    /// Why the sniffer that serves the page has no bytes of the packet; empty if it has them, or if no sniffer
    /// serves bytes.
    pub note: &'static str,
    /// It belongs to a connection that can be shown.
    pub has_connection: bool,
    /// There is a selected packet before it.
    pub has_previous: bool,
    /// There is a selected packet after it.
    pub has_next: bool,
}

/// A snapshot of everything visible besides the charts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// The state of loading.
    pub phase: Phase,
    /// File names, packets, bytes, time range and protocols, in one line.
    pub summary: String,
    /// The exact time range, as the tooltip of the summary.
    pub exact_time_range: String,
    /// The fraction of bytes read while loading, 0 to 1.
    pub progress: f64,
    /// The progress with data rate and remaining time.
    pub progress_text: String,
    /// Which capture a link needs; empty if there is none.
    pub link_note: String,
    /// The last error; empty if there is none.
    pub error: String,
    /// The text above the sampling options, if files exceed the memory limit.
    pub memory_prompt: Option<String>,
    /// The number of lines or records that could not be read; empty if there are none.
    pub skipped: String,
    /// The first of them, with reasons.
    pub problems: Vec<String>,
    /// The number of names that were found, beside their switch.
    pub names: String,
    /// The state of the analysis of TCP, beside its switch.
    pub analysis: String,
    /// A connection is shown.
    pub has_connection: bool,
    /// How much of it has been read.
    pub connection: String,
    /// The user can ask for the analysis.
    pub can_analyze: bool,
    /// The user can ask for the analysis of newer packets.
    pub can_repeat_analysis: bool,
    /// The results of the analysis do not cover all packets, are about to change, or are missing.
    pub is_analysis_partial: bool,
    /// All files were analyzed.
    pub is_analyzed: bool,
    /// The selected packets can be exported as pcapng.
    pub can_export_pcapng: bool,
    /// More than one file is open.
    pub has_several_files: bool,
    /// How much is selected; empty if nothing restricts the packets.
    pub selected: String,
    /// The selections.
    pub chips: Vec<Chip>,
    /// The lines of the throughput chart.
    pub lines: Vec<Chip>,
    /// The selection can be turned into a line.
    pub can_add_line: bool,
    /// The visible axes can be zoomed to the selection.
    pub can_zoom_to_selection: bool,
    /// An axis is zoomed.
    pub can_reset_zoom: bool,
    /// There is a step to undo.
    pub can_undo: bool,
    /// The number of steps that can be undone.
    pub depth: usize,
    /// There is an undone step to redo.
    pub can_redo: bool,
    /// The text of the filter box.
    pub filter: String,
    /// The filter text, a line that marks the error, and the message; empty if the filter is valid.
    pub filter_error: String,
    /// The suggestions: the completed or corrected filter text, and the label of its button.
    pub completions: Vec<(String, String)>,
    /// A description of each chart for screen readers.
    pub chart_labels: [String; CHART_COUNT],
    /// The title of each chart.
    pub chart_titles: [String; CHART_COUNT],
    /// How many rows each ranking needs unless it is maximized; `None` for other charts.
    pub ranking_rows: [Option<usize>; CHART_COUNT],
    /// Peak, mean and number of the packets in each chart; empty for rankings and charts out of sight.
    pub figures: [String; CHART_COUNT],
    /// The table views of charts, if they are shown.
    pub tables: [Option<Table>; CHART_COUNT],
    /// The bin width of the throughput chart.
    pub interval: String,
    /// The visible conversations.
    pub conversations: VirtualTable,
    /// The visible endpoints.
    pub endpoints: VirtualTable,
    /// The visible packets.
    pub packets: VirtualTable,
    /// The problems.
    pub problem_kinds: VirtualTable,
    /// The packet whose details are shown.
    pub detail: Option<Detail>,
    /// The tooltip.
    pub hover: Option<Tooltip>,
    /// The crosshair in the charts over time.
    pub crosshairs: Vec<Crosshair>,
    /// The cell at the keyboard cursor, for screen readers.
    pub announcement: String,
    /// The fragment of the link. `None` while it changes: browsers limit how often it can be set.
    pub link: Option<String>,
}

impl App {
    /// A snapshot of everything visible besides the charts.
    pub fn view(&self) -> View {
        let zone = self.zone();
        let (read_bytes, len) = self.files.progress();
        let is_ready = self.files.phase == Phase::Ready;
        View {
            phase: self.files.phase,
            summary: self.summary(&zone),
            exact_time_range: self.exact_time_range(&zone),
            progress: read_bytes as f64 / len.max(1) as f64,
            progress_text: self.progress_text(read_bytes, len),
            link_note: self.link_note(),
            error: self.files.error.clone().or(self.link_error.clone()).unwrap_or_default(),
            memory_prompt: self.memory_prompt(&zone),
            skipped: self.skipped_text(),
            problems: self.problems(),
            names: self.names_text(),
            analysis: self.analysis_text(),
            has_connection: self.connection.is_some(),
            connection: self.connection_text(),
            is_analyzed: self.is_analyzed(),
            can_analyze: self.can_analyze(),
            can_repeat_analysis: self.can_repeat_analysis(),
            is_analysis_partial: self.is_analysis_partial(),
            can_export_pcapng: self.files.are_captures() || self.is_packet_source(),
            has_several_files: self.has_several_files(),
            selected: self.selected_text(),
            chips: self.chips(&zone),
            lines: self.line_chips(&zone),
            can_add_line: self.can_add_line(),
            can_zoom_to_selection: !self.selected_spans().is_empty(),
            can_reset_zoom: self.settings.zoom.iter().any(Option::is_some),
            can_undo: self.history.can_undo(),
            depth: self.history.depth(),
            can_redo: self.history.can_redo(),
            filter: self.filter_text.clone(),
            filter_error: match &self.filter_error {
                Some(error) => marked_error(&self.filter_text, error),
                None => String::new(),
            },
            completions: self.completions(),
            chart_labels: std::array::from_fn(|index| {
                let chart = self.chart(Panel::ALL[index]);
                chart.map(|chart| chart.description(&zone)).unwrap_or_default()
            }),
            chart_titles: std::array::from_fn(|index| {
                let panel = Panel::ALL[index];
                let chart = self.chart(panel);
                chart.map(|chart| chart.title(self.size(panel))).unwrap_or_default()
            }),
            ranking_rows: std::array::from_fn(|index| self.ranking_rows(Panel::ALL[index])),
            figures: std::array::from_fn(|index| match self.chart(Panel::ALL[index]) {
                Some(Chart::Binned(chart)) if self.is_seen(Panel::ALL[index]) => {
                    chart.figures(&zone)
                }
                Some(Chart::Scatter(chart)) if self.is_seen(Panel::Scatter) => chart.figures(),
                _ => String::new(),
            }),
            tables: std::array::from_fn(|index| {
                self.shown_tables[index].then(|| self.table(Panel::ALL[index])).flatten()
            }),
            interval: self.bin_width_text(),
            conversations: self.visible_conversations(&zone),
            endpoints: self.visible_endpoints(&zone),
            packets: self.visible_packets(&zone),
            problem_kinds: self.visible_problems(),
            detail: self.detail(&zone),
            hover: self.hover(&zone),
            crosshairs: self.crosshairs(&zone),
            announcement: self.announcement(&zone),
            link: ((is_ready || self.files.is_closed)
                && self.gesture.is_none()
                && !self.is_interacting)
                .then(|| self.link()),
        }
    }

    fn completions(&self) -> Vec<(String, String)> {
        let range = &self.completion.range;
        let (Some(before), Some(after)) =
            (self.filter_text.get(..range.start), self.filter_text.get(range.end..))
        else {
            return Vec::new();
        };
        let completed = |word: &String| (format!("{before}{word}{after}"), word.clone());
        let suggestions = self.completion.suggestions.iter().map(completed);
        let fix = self.filter_error.as_ref().and_then(|error| error.fix.as_ref());
        let fixed = fix.map(|fix| fix.apply(&self.filter_text));
        let fix = fixed.map(|text| (text.clone(), format!("Did you mean {text}?")));
        fix.into_iter().chain(suggestions).collect()
    }

    fn detail(&self, zone: &Zone) -> Option<Detail> {
        let packet = self.detail.as_ref()?;
        let time = zone.format(packet.row.ts_ns);
        let mut title = format!("Packet {}, {time}", integer(packet.row.n));
        if let Some(names) = self.named_endpoints(&packet.row) {
            title += &format!(", {names}");
        }
        let line = packet.line.clone().unwrap_or_default();
        let frame = packet.frame.clone();
        let [has_previous, has_next] = self.neighbor_ranks().map(|rank| rank.is_some());
        let has_connection = self.connection_of_detail().is_some();
        let request = packet.request;
        let note = match self.is_packet_source() && packet.line.is_some() && frame.is_none() {
            false => "",
            true if self.is_following() => NO_BYTES,
            true => RUN_OVER,
        };
        Some(Detail { title, request, line, frame, note, has_connection, has_previous, has_next })
    }
}

/// The text, a line that marks the error with `^`, and the message.
fn marked_error(text: &str, error: &Error) -> String {
    let before = text.get(..error.range.start).unwrap_or(text).chars().count();
    let len = text.get(error.range.clone()).unwrap_or("").chars().count().max(1);
    format!("{text}\n{}{}\n{}", " ".repeat(before), "^".repeat(len), error.message)
}
