//! What the page knows, for those who show or ask it: nothing here changes it.

use super::charts::Chart;
use super::query_scheduler::Slot;
use super::{App, Panel, Phase};
use crate::chart::{Look, Size, Table};
use crate::columns::Totals;
use crate::query::{Answer, Hit};
use crate::scene::Scene;
use crate::selection::Selection;
use crate::settings::Settings;
use crate::shard::Preceding;
use crate::tally::Tally;

impl App {
    pub(super) fn hit(&self) -> Option<&Hit> {
        match self.scheduler.latest(Slot::Nearest)?.1 {
            Answer::Nearest(hit) => hit.as_ref(),
            _ => None,
        }
    }

    pub(super) fn size(&self, panel: Panel) -> Size {
        self.sizes.get(panel as usize).copied().unwrap_or_default()
    }

    /// True where the panel is in sight.
    pub fn is_seen(&self, panel: Panel) -> bool {
        !self.hidden[panel as usize]
    }

    /// How far loading is.
    pub fn phase(&self) -> Phase {
        self.files.phase
    }

    /// What is known of all packets together.
    pub fn totals(&self) -> Totals {
        self.files.totals()
    }

    /// The packets that are selected in all dimensions.
    pub fn selected(&self) -> Tally {
        let totals = self.totals();
        if self.history.now().is_empty() {
            return Tally { packets: totals.packets, bytes: totals.wire_bytes };
        }
        match self.scheduler.latest(Slot::Total) {
            Some((_, Answer::Total(tally))) => *tally,
            _ => Tally::default(),
        }
    }

    /// What is selected.
    pub fn selection(&self) -> &Selection {
        self.history.now()
    }

    /// How the views show what they show.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Every so many packets of a file that is too large would fit.
    pub fn suggested_every(&self) -> u64 {
        self.memory_plan.as_ref().map_or(1, |offer| offer.every)
    }

    /// Lines that could not be read.
    pub fn skipped(&self) -> u64 {
        self.files.reports().map(|part| part.skipped).sum()
    }

    /// Memory of all workers.
    pub fn memory_bytes(&self) -> u64 {
        self.files.reports().map(|part| part.memory_bytes).sum()
    }

    /// What the parts before each part, in its file, leave behind.
    pub fn preceding(&self) -> Vec<Preceding> {
        self.files.preceding()
    }

    /// True where there is something to show.
    pub fn has_data(&self) -> bool {
        self.totals().packets > 0 && self.files.phase != Phase::Error
    }

    /// True where the pictures in sight are of what is selected and shown now.
    pub fn is_current(&self) -> bool {
        self.requests
            .iter()
            .filter(|request| request.is_seen)
            .all(|request| self.scheduler.knows(request))
    }

    /// True while one change comes close behind the other.
    pub fn is_interacting(&self) -> bool {
        self.is_interacting
    }

    /// True where no answer is awaited, nothing is being read and nobody is in a hurry: the pictures
    /// are final, and the link is theirs.
    pub fn is_settled(&self) -> bool {
        self.files.phase != Phase::Loading
            && !self.is_interacting
            && self.scheduler.is_idle()
            && self.requests.iter().all(|request| self.scheduler.knows(request))
    }

    /// Borders and packets of the bins of the sizes or of the gaps: of the selection.
    pub fn histogram(&self, panel: Panel) -> Option<(Vec<f64>, Vec<u64>)> {
        let Some(Chart::Binned(chart)) = self.chart(panel) else { return None };
        let tallies = chart.selected.unwrap_or(chart.whole);
        let counts = (0..chart.bins.count).map(|bin| {
            let classes = tallies.iter().skip(bin).step_by(chart.bins.count);
            classes.map(|tally| tally.packets).sum()
        });
        Some((chart.bins.plot_edges(), counts.collect()))
    }

    /// A chart as a picture, where its data is there.
    pub fn scene(&self, panel: Panel) -> Option<Scene> {
        if self.size(panel) == Size::default() {
            return None;
        }
        let zone = self.zone();
        let look = Look { size: self.size(panel), theme: self.theme, zone: &zone };
        Some(self.chart(panel)?.scene(look))
    }

    /// A chart in numbers, as comma-separated values.
    pub fn csv(&self, panel: Panel) -> Option<String> {
        match panel {
            Panel::Conversations => Some(self.conversation_table().csv()),
            panel => Some(self.chart(panel)?.csv(&self.zone())),
        }
    }

    /// A chart in numbers.
    pub fn table(&self, panel: Panel) -> Option<Table> {
        Some(self.chart(panel)?.table(&self.zone()))
    }
}
