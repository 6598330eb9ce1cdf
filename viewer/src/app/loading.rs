//! Opening files: what is reset, which samples are loaded, and when the charts follow.

use super::analysis::Analysis;
use super::extra_fields::ExtraFields;
use super::memory_plan::{FileInfo, Memory, MemoryPlan, Overflow};
use super::names::Names;
use super::{App, Effect, Phase};
use crate::axis::QUANTITY_COUNT;
use crate::columns::Totals;
use crate::conversations::FlowTable;
use crate::history::History;
use crate::load::{Failure, Report, Sampling};
use crate::time::Zone;

/// While loading, the charts are redrawn when the number of packets has grown by this factor.
const REDRAW_GROWTH: f64 = 1.5;

impl App {
    /// Closes all files and announces new ones. Selections are kept if they come from a link.
    pub(super) fn open(&mut self, files: Vec<FileInfo>) {
        self.drawn_totals = Totals::default();
        self.memory_plan = None;
        self.follow = None;
        let was_empty =
            self.files.phase == Phase::Empty || self.files.files.iter().all(|file| file.parts == 0);
        if !was_empty && !self.is_restored {
            self.link_error = None;
            self.history = History::default();
            self.filter_text = String::new();
            self.filter_error = None;
            self.settings.zoom = [None; QUANTITY_COUNT];
        }
        self.files.announce(files);
        self.scheduler = self.scheduler.reset();
        self.flows = FlowTable::default();
        (self.packets.first, self.packets.is_at_end) = (0, false);
        self.packets.invalidate();
        self.conversations.replace(0, Vec::new());
        self.endpoints.replace(0, Vec::new());
        self.are_conversations_requested = false;
        self.filled_columns = 0;
        self.rankings = Default::default();
        self.extra_fields = ExtraFields::default();
        self.names = Names::default();
        self.analysis = Analysis::default();
        self.connection = None;
        (self.detail, self.pending_rank) = (None, None);
        (self.pointer, self.cursor) = (None, None);
        self.extra_progress.clear();
        (self.anchor, self.pending_click, self.gesture) = (None, None, None);
    }

    /// Loads files beside the open ones. Loading stops where they need more than this memory.
    pub(super) fn load(
        &mut self,
        files: Vec<FileInfo>,
        sampling: Sampling,
        memory: Memory,
    ) -> Effect {
        self.memory_plan = None;
        self.drawn_totals = Totals::default();
        self.scheduler.invalidate_data();
        self.packets.invalidate();
        let parts = self.files.add(files, sampling, self.workers);
        let worker_count = self.files.parts.len().min(self.workers);
        let limits = memory.of_worker(worker_count);
        self.limits = limits;
        Effect::Load(parts, limits)
    }

    /// Loads the files that exceed the memory limit completely, as far as each worker can.
    pub(super) fn load_all(&mut self) -> Option<Effect> {
        let MemoryPlan { files, memory, .. } = self.memory_plan.take()?;
        let memory = Memory { bytes: u64::MAX, ..memory };
        Some(self.load(files, Sampling::default(), memory))
    }

    /// Loads the files that exceed the memory limit with the sampling that the user has entered, or
    /// shows why the input is invalid.
    pub(super) fn load_sampled(
        &mut self,
        parse: impl FnOnce(&MemoryPlan, &Zone) -> Result<Sampling, String>,
    ) -> Option<Effect> {
        let plan = self.memory_plan.as_ref()?;
        match parse(plan, &self.zone()) {
            Ok(sampling) => {
                let (files, memory) = (plan.files.clone(), plan.memory);
                Some(self.load(files, sampling, memory))
            }
            Err(error) => {
                self.files.error = Some(error);
                None
            }
        }
    }

    /// Stores the progress of a part. Returns true if the charts must be redrawn.
    pub(super) fn on_report(&mut self, part: usize, report: Report, elapsed_ms: f64) -> bool {
        let was_loading = self.files.phase == Phase::Loading;
        self.files.elapsed_ms = elapsed_ms;
        if report.failure == Some(Failure::MemoryFull)
            && let Some(file) = self.files.file_of(part)
        {
            self.overflow = Overflow::new(file.clone(), report.totals.packets, self.limits);
        }
        self.files.on_report(part, report);
        if self.is_following() {
            return false;
        }
        let totals = self.totals();
        let is_loading = self.files.phase == Phase::Loading;
        let has_grown = self.drawn_totals.packets as f64 * REDRAW_GROWTH < totals.packets as f64;
        if is_loading && !(has_grown && self.scheduler.is_idle()) {
            return false;
        }
        self.show_read_packets();
        if was_loading && !is_loading {
            if self.is_restored {
                self.drop_zoom_outside();
            }
            self.is_restored = false;
            self.sync_filter_text();
        }
        true
    }

    /// Makes the charts show all packets that have been read.
    pub(super) fn show_read_packets(&mut self) {
        self.drawn_totals = self.totals();
        if let Some(follow) = &mut self.follow {
            follow.is_outdated = false;
            let dropped = std::mem::take(&mut follow.newly_dropped);
            if self.history.now().is_all() {
                // The same rows stay in sight.
                self.packets.first = self.packets.first.saturating_sub(dropped);
            }
        }
        self.scene_version += 1;
        self.scheduler.invalidate_data();
        self.packets.invalidate();
    }
}
