//! Read access to the state, for drawing and for the scripting API.

use super::FileInfo;
use super::charts::Chart;
use super::files::file_class;
use super::lines::LINE_SLOTS;
use super::marks::marks_slot;
use super::query_scheduler::Slot;
use super::{App, Panel, Phase, charts, memory_plan};
use crate::chart::{RenderContext, Size, Table};
use crate::columns::Totals;
use crate::query::Answer;
use crate::scene::Scene;
use crate::selection::{LINE_COUNT, Selection};
use crate::settings::Settings;
use crate::shard::PrecedingParts;
use crate::tally::Tally;

/// The smallest size of a downloaded chart.
const MIN_EXPORT_SIZE: Size = Size { width_px: 900.0, height_px: 400.0 };

/// Identifies the content of a chart: the version of the app, and those of the answers.
pub type SceneVersion = (u64, [u64; 3 + LINE_COUNT]);

/// Why the bytes of a packet are not available while the run goes on.
pub(super) const NO_BYTES: &str = "The sniffer does not have the bytes of this packet. It keeps those of the latest \
                                   packets that --pcapng writes.";

/// Why the bytes of the packets of a run are not available after its end.
pub(super) const RUN_OVER: &str = "The capture has ended, and the sniffer does not serve the bytes of its packets any \
                                   longer. If it ran with --pcapng, that file contains them.";

impl App {
    pub(super) fn size(&self, panel: Panel) -> Size {
        self.sizes.get(panel as usize).copied().unwrap_or_default()
    }

    /// The index and the name of the file of a part.
    pub fn file_of(&self, part: usize) -> (usize, String) {
        let index = self.files.part(part).map_or(0, |(file, _)| *file);
        (index, self.files.files.get(index).map(|file| file.name.clone()).unwrap_or_default())
    }

    /// The index of the worker that holds a part.
    pub fn worker_of(&self, part: usize) -> usize {
        memory_plan::worker_of(part, self.workers)
    }

    /// Returns true if the panel is in sight.
    pub fn is_seen(&self, panel: Panel) -> bool {
        !self.hidden[panel as usize]
    }

    /// The state of loading.
    pub fn phase(&self) -> Phase {
        self.files.phase
    }

    /// The totals of all packets.
    pub fn totals(&self) -> Totals {
        self.files.totals()
    }

    /// The totals of the packets that the charts show. A followed source can have more.
    pub(super) fn shown_totals(&self) -> Totals {
        if self.is_following() { self.drawn_totals } else { self.totals() }
    }

    /// The latest time that the charts show, in nanoseconds since the epoch; `None` without packets.
    pub fn latest_ns(&self) -> Option<i64> {
        self.shown_totals().extent.map(|extent| extent.ts_ns.1)
    }

    /// Why the selected packets cannot be exported as pcapng; `None` if they can.
    pub fn why_no_pcapng(&self) -> Option<&'static str> {
        if self.selected().packets == 0 {
            // A pcapng file without a section is invalid.
            return Some("No packets are selected.");
        }
        if self.is_packet_source() {
            return (!self.is_following()).then_some(RUN_OVER);
        }
        (!self.files.are_captures()).then_some(
            "NDJSON files do not contain the bytes of packets. Only pcap and pcapng files can be exported as pcapng.",
        )
    }

    /// The packets and bytes that are selected in all dimensions.
    pub fn selected(&self) -> Tally {
        let totals = self.shown_totals();
        if self.history.now().is_all() {
            return Tally { packets: totals.packets, bytes: totals.wire_bytes };
        }
        match self.scheduler.latest(Slot::Total) {
            Some((_, Answer::Total(tally))) => *tally,
            _ => Tally::default(),
        }
    }

    /// The current selection.
    pub fn selection(&self) -> &Selection {
        self.history.now()
    }

    /// The settings of the charts.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The suggested N for loading one packet in N of a file that exceeds the memory limit.
    pub fn suggested_every(&self) -> u64 {
        self.memory_plan.as_ref().map_or(1, |plan| plan.every)
    }

    /// The number of lines or records that could not be read.
    pub fn skipped(&self) -> u64 {
        self.files.skipped()
    }

    /// The number of steps that can be undone.
    pub fn history_depth(&self) -> usize {
        self.history.depth()
    }

    /// The name of an open file with the same content, or of one that waits for a choice of packets.
    pub fn same_file(&self, file: &FileInfo) -> Option<&str> {
        let waiting = self.memory_plan.iter().flat_map(|plan| &plan.files);
        let mut files = self.files.readable().chain(waiting);
        files.find(|other| file.has_same_content(other)).map(|other| &*other.name)
    }

    /// The memory of all workers, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        self.files.memory_bytes(self.workers)
    }

    /// What parts have to know about the other parts of the same file.
    pub fn preceding(&self) -> PrecedingParts {
        let mut all = self.files.preceding();
        if self.is_colored_by_file() {
            for ((file, _), preceding) in self.files.parts.iter().zip(&mut all) {
                preceding.class = Some(file_class(*file));
            }
        }
        PrecedingParts { first: self.files.first_part, parts: all }
    }

    /// Returns true if there are packets to show.
    pub fn has_data(&self) -> bool {
        self.totals().packets > 0 && self.files.phase != Phase::Error
    }

    /// Returns true if the charts in sight match the current selection and settings.
    pub fn is_current(&self) -> bool {
        let mut seen = self.requests.iter().filter(|request| request.is_seen);
        seen.all(|request| self.scheduler.has_answer(request))
    }

    /// Returns true if no query is in flight.
    pub fn is_idle(&self) -> bool {
        self.scheduler.is_idle()
    }

    /// Returns true while changes arrive in quick succession.
    pub fn is_interacting(&self) -> bool {
        self.is_interacting
    }

    /// Returns true if nothing is being read, answered or changed: all charts and the link are
    /// final.
    pub fn is_settled(&self) -> bool {
        self.files.phase != Phase::Loading
            && !self.is_interacting
            && self.scheduler.is_idle()
            && !self.names.is_reading()
            && !self.analysis.is_reading()
            && self.requests.iter().all(|request| self.scheduler.has_answer(request))
    }

    /// Returns true if something waits for all charts.
    pub fn awaits_all(&self) -> bool {
        self.awaits_all
    }

    /// The bin edges and packet counts of a histogram, for the selected packets.
    pub fn histogram(&self, panel: Panel) -> Option<(Vec<f64>, Vec<u64>)> {
        let Some(Chart::Binned(chart)) = self.chart(panel) else { return None };
        let tallies = chart.selected.unwrap_or(chart.whole);
        let counts = (0..chart.bins.count).map(|bin| {
            let classes = tallies.iter().skip(bin).step_by(chart.bins.count);
            classes.map(|tally| tally.packets).sum()
        });
        Some((chart.bins.plot_edges(), counts.collect()))
    }

    /// A chart as a scene; `None` if its data or its size is not known yet.
    pub fn scene(&self, panel: Panel) -> Option<Scene> {
        if self.size(panel) == Size::default() {
            return None;
        }
        let zone = self.zone();
        let context = RenderContext { size: self.size(panel), theme: self.theme, zone: &zone };
        Some(self.chart(panel)?.scene(context))
    }

    /// A chart as a scene for download: with title and axis labels, however small it is on the page,
    /// and a caption of files, time range and selections.
    pub fn export_scene(&self, panel: Panel) -> Option<Scene> {
        let Size { width_px, height_px } = self.size(panel);
        let size = Size {
            width_px: width_px.max(MIN_EXPORT_SIZE.width_px),
            height_px: height_px.max(MIN_EXPORT_SIZE.height_px),
        };
        let zone = self.zone();
        let context = RenderContext { size, theme: self.theme, zone: &zone };
        let scene = self.chart(panel)?.scene(context);
        Some(scene.with_caption(self.caption(panel, &zone)))
    }

    /// A version that changes with a chart's scene: that of the app, and those of its answers.
    pub fn scene_version(&self, panel: Panel) -> SceneVersion {
        let lines = if panel == Panel::Throughput { &LINE_SLOTS[..] } else { &[] };
        let mut answers = [0; 3 + LINE_COUNT];
        let slots = charts::slots(panel).into_iter().chain(lines.iter().copied());
        let slots = slots.chain(marks_slot(panel));
        answers
            .iter_mut()
            .zip(slots)
            .for_each(|(answer, slot)| *answer = self.scheduler.version(slot));
        (self.scene_version, answers)
    }

    /// The data of a chart, of the conversations or of the endpoints as CSV.
    pub fn csv(&self, panel: Panel) -> Option<String> {
        match panel {
            Panel::Conversations => Some(self.conversation_table().csv()),
            Panel::Endpoints => Some(self.endpoint_table().csv()),
            Panel::Problems => Some(self.problem_table().csv()),
            panel => Some(self.chart(panel)?.csv(&self.zone())),
        }
    }

    /// The data of a chart as a table for display.
    pub fn table(&self, panel: Panel) -> Option<Table> {
        Some(self.chart(panel)?.table(&self.zone()))
    }
}
