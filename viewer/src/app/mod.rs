//! The state of the page, and the one way to change it: [`App::update`].
//!
//! An update changes values and returns what to do for it: questions to ask the workers, a line to
//! read. What there is to see is computed from the state when it is drawn: scenes for the canvases,
//! [`View`] for everything else.

mod accessors;
mod charts;
mod conversations;
mod event;
mod extra_fields;
mod files;
mod gesture;
mod memory_plan;
mod packets;
mod panel;
mod query_scheduler;
mod rankings;
mod tables;
mod view;

#[cfg(test)]
mod tests;

pub use event::{Effect, Event};
pub use files::Phase;
pub use gesture::{Key, ZOOM_STEP};
pub use memory_plan::{FileInfo, Memory, PartAssignment};
pub use panel::{CHART_COUNT, PANEL_COUNT, Panel};
pub use tables::{VirtualRow, VirtualTable};
pub use view::{Chip, Detail, View};

use crate::axis::QUANTITY_COUNT;
use crate::chart::Size;
use crate::columns::{PacketRow, Totals};
use crate::conversations::FlowTable;
use crate::density::Grid;
use crate::filter::{Completion, Context, Error, Expr, complete, parse};
use crate::history::History;
use crate::link::{fragment, link_text, pairs, selected};
use crate::load::{Report, Sampling};
use crate::query::{Answer, Query, QueryKind};
use crate::scene::Theme;
use crate::selection::{Dimension, Selection};
use crate::settings::Settings;
use crate::time::{UtcOffsets, Zone};
use conversations::Conversations;
use extra_fields::ExtraFields;
use files::Files;
use gesture::Gesture;
use memory_plan::MemoryPlan;
use packets::Packets;
use query_scheduler::{QueryScheduler, Request, Slot};
use rankings::{RANKING_COUNT, Ranked};
use tables::last_first;

/// While loading, new pictures are asked for when there are this many times more packets.
const GROWTH: f64 = 1.5;

/// The packet whose details are shown.
#[derive(Clone, Debug, PartialEq)]
struct Picked {
    at: (usize, usize),
    row: PacketRow,
    line: Option<String>,
}

/// The state of the page.
#[derive(Debug, Default)]
pub struct App {
    files: Files,
    settings: Settings,
    history: History,
    filter_text: String,
    filter_error: Option<Error>,
    completion: Completion,
    theme: Theme,
    offsets: UtcOffsets,
    sizes: [Size; CHART_COUNT],
    hidden: [bool; PANEL_COUNT],
    shown_tables: [bool; CHART_COUNT],
    scheduler: QueryScheduler,
    /// What was wished for with the last change.
    requests: Vec<Request>,
    flows: FlowTable,
    packets: Packets,
    extra_fields: ExtraFields,
    conversations: Conversations,
    rankings: [Option<Ranked>; RANKING_COUNT],
    picked: Option<Picked>,
    wanted_line: Option<(usize, usize)>,
    /// What was known when the pictures were last asked for: they are of that, until there is much
    /// more.
    pictured: Totals,
    pointer: Option<(Panel, (f64, f64))>,
    cursor: Option<(Panel, (usize, usize))>,
    /// Where the keyboard's selection began.
    anchor: Option<(Panel, (usize, usize))>,
    /// The cell of the scatter that was clicked: its packet is picked when it is known.
    awaited_pick: Option<(Grid, (usize, usize))>,
    gesture: Option<Gesture>,
    /// What is out of sight waits: the next change is near.
    is_interacting: bool,
    memory_plan: Option<MemoryPlan>,
    /// Selections of a link whose capture is not open yet.
    is_restored: bool,
    workers: usize,
    scene_version: u64,
}

impl App {
    /// A page with so many workers.
    pub fn new(workers: usize) -> Self {
        Self { workers, ..Self::default() }
    }

    /// Changes the state as the event asks, and says what has to be done for it.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let changes_charts = self.changes_charts(&event);
        let mut effects = Vec::new();
        match event {
            Event::Open(files) => self.open(files),
            Event::Load(files, memory) => {
                let held = self.files.held(self.workers);
                let first = self.files.parts.len();
                self.memory_plan = MemoryPlan::too_large(&files, &held, first, memory);
                if self.memory_plan.is_none() {
                    effects.push(self.load(files, Sampling::default()));
                }
            }
            Event::SampleEvery(words) => {
                effects.extend(self.load_sampled(|_, _| MemoryPlan::parse_every(&words)));
            }
            Event::SampleTimeRange(from, to) => {
                effects.extend(self.load_sampled(|plan, zone| plan.time_range(&from, &to, zone)));
            }
            Event::LoadAll => effects.extend(self.load_sampled(|_, _| Ok(Sampling::default()))),
            Event::OpenFailed(error) => {
                self.open(Vec::new());
                self.files.fail(error);
            }
            Event::ShowError(error) => self.files.error = Some(error),
            Event::Close => {
                self.open(Vec::new());
                self.files = Files::default();
            }
            Event::Report { part, report, elapsed_ms } => {
                let is_new = self.report(part, report, elapsed_ms);
                if self.files.is_hopeless() {
                    effects.push(Effect::Cancel);
                }
                if !is_new {
                    return effects;
                }
            }
            Event::FlowDelta { part, delta } => {
                self.flows.apply(part, delta);
                return effects;
            }
            Event::Answers(answers) => {
                for (id, answer) in answers {
                    self.scheduler.on_answer(id, answer);
                }
                self.pick_awaited();
            }
            Event::Cancel => {
                self.files.is_cancelled = self.files.phase == Phase::Loading;
                effects.push(Effect::Cancel);
            }
            Event::Set(key, value) => {
                self.settings.set(&key, &value);
                self.sync_filter_text();
            }
            Event::SetFilter(text, cursor) => self.filter(text, cursor),
            Event::Clear(dimension) => self.clear(dimension),
            Event::Select(dimension, text) => match parse(&text, &self.context()) {
                Ok(expr) => self.select(dimension, expr, false),
                Err(error) => self.files.error = Some(error.message),
            },
            Event::Undo => {
                self.history.undo();
                self.selection_changed();
            }
            Event::Redo => {
                self.history.redo();
                self.selection_changed();
            }
            Event::ZoomToSelection => {
                let selection = self.history.now().clone();
                selection.clauses().for_each(|(_, expr)| self.settings.zoom_to(expr));
            }
            Event::ResetZoom => self.settings.zoom = [None; QUANTITY_COUNT],
            Event::SetZoom(value, span) => self.settings.zoom[value as usize] = Some(span),
            Event::SetTheme(theme) => self.theme = theme,
            Event::SetOffsets(offsets) => {
                self.offsets = offsets;
                self.sync_filter_text();
            }
            Event::Resize(panel, size) => {
                if let Some(place) = self.sizes.get_mut(panel as usize) {
                    *place = size;
                }
            }
            Event::VisibleRows(Panel::Packets, room) => self.packets.room = room,
            Event::VisibleRows(_, room) => self.conversations.room = room,
            Event::VisibilityChanged(panel, is_seen) => self.hidden[panel as usize] = !is_seen,
            Event::Scroll(Panel::Packets, first) => {
                self.packets.first =
                    first.min(last_first(self.selected().packets, self.packets.room));
            }
            Event::Scroll(_, first) => self.conversations.scroll(first),
            Event::ActivateRow(Panel::Packets, index) => {
                if let Some(packet) = self.packet_rows().get(index) {
                    self.pick_packet((packet.part, packet.index));
                }
            }
            Event::ActivateRow(_, index) => self.toggle_conversation(index),
            Event::Line(part, index, line) => {
                if let Some(picked) =
                    self.picked.as_mut().filter(|picked| picked.at == (part, index))
                {
                    picked.line = Some(line);
                }
            }
            Event::Lines(lines) => self.extra_fields.learn(lines),
            Event::CloseDetail => self.picked = None,
            Event::ToggleTable(panel) => {
                if let Some(is_shown) = self.shown_tables.get_mut(panel as usize) {
                    *is_shown = !*is_shown;
                }
            }
            Event::Zoom { panel, at, factor } => self.zoom(panel, at, factor),
            Event::Pan(panel, by) => self.shift(panel, by),
            Event::PointerDown(panel, at, tool) => self.press(panel, at, tool),
            Event::PointerMove(panel, at) => self.drag(panel, at),
            Event::PointerUp => {
                self.release();
                self.pick_awaited();
            }
            Event::PointerCancel => {
                self.gesture = None;
                self.history.abort();
                self.selection_changed();
            }
            Event::PointerLeave => self.pointer = None,
            Event::KeyDown(panel, key, extend) => self.key(panel, key, extend),
            Event::CommitFilter => self.history.finish(),
            Event::Interacting(is_interacting) => self.is_interacting = is_interacting,
            Event::RestoreLink(link) => self.restore(&link),
        }
        self.refresh_rankings();
        self.clamp_cursor();
        self.scene_version += u64::from(changes_charts);
        self.ask(&mut effects);
        effects
    }

    /// Whether an event changes any picture but by answers.
    fn changes_charts(&self, event: &Event) -> bool {
        match event {
            Event::PointerMove(..) => self.gesture.is_some(),
            Event::Answers(_)
            | Event::VisibilityChanged(..)
            | Event::Interacting(_)
            | Event::Report { .. }
            | Event::FlowDelta { .. }
            | Event::PointerLeave
            | Event::Scroll(..)
            | Event::Line(..)
            | Event::Lines(_)
            | Event::CloseDetail
            | Event::VisibleRows(..) => false,
            _ => true,
        }
    }

    /// Changes when a chart's picture does: what all depend on, and its answers.
    pub fn scene_version(&self, panel: Panel) -> (u64, [u64; 2]) {
        let answers = charts::slots(panel).map(|slot| self.scheduler.version(slot));
        (self.scene_version, answers)
    }

    /// Files are read beside what is open.
    fn load(&mut self, files: Vec<FileInfo>, sampling: Sampling) -> Effect {
        self.memory_plan = None;
        self.pictured = Totals::default();
        self.scheduler.invalidate_data();
        self.packets.forget();
        Effect::Load(self.files.add(files, sampling, self.workers))
    }

    /// Reads of the files that do not fit what the person has chosen.
    fn load_sampled(
        &mut self,
        choose: impl FnOnce(&MemoryPlan, &Zone) -> Result<Sampling, String>,
    ) -> Option<Effect> {
        let plan = self.memory_plan.as_ref()?;
        match choose(plan, &self.zone()) {
            Ok(sampling) => {
                let files = plan.files.clone();
                Some(self.load(files, sampling))
            }
            Err(error) => {
                self.files.error = Some(error);
                None
            }
        }
    }

    fn open(&mut self, files: Vec<FileInfo>) {
        self.pictured = Totals::default();
        self.memory_plan = None;
        // What a link has brought is for the capture that is opened next; else begin anew.
        let is_fresh =
            self.files.phase == Phase::Empty || self.files.files.iter().all(|file| file.parts == 0);
        if !is_fresh && !self.is_restored {
            self.history = History::default();
            self.filter_text = String::new();
            self.filter_error = None;
            self.settings.zoom = [None; QUANTITY_COUNT];
        }
        self.files.announce(files);
        self.scheduler = self.scheduler.reset();
        self.flows = FlowTable::default();
        self.packets.first = 0;
        self.packets.forget();
        self.conversations.replace(0, Vec::new());
        self.rankings = Default::default();
        self.extra_fields = ExtraFields::default();
        (self.picked, self.pointer, self.cursor) = (None, None, None);
        (self.anchor, self.awaited_pick, self.gesture) = (None, None, None);
    }

    /// True where something is to be done for it.
    fn report(&mut self, part: usize, report: Report, elapsed_ms: f64) -> bool {
        let was_loading = self.files.phase == Phase::Loading;
        self.files.elapsed_ms = elapsed_ms;
        self.files.report(part, report);
        let totals = self.totals();
        let is_loading = self.files.phase == Phase::Loading;
        let is_grown = self.pictured.packets as f64 * GROWTH < totals.packets as f64;
        if is_loading && !(is_grown && self.scheduler.is_idle()) {
            return false;
        }
        self.pictured = totals;
        if was_loading && !is_loading {
            self.is_restored = false;
            self.sync_filter_text();
        }
        self.scene_version += 1;
        self.scheduler.invalidate_data();
        self.packets.forget();
        true
    }

    /// Asks for what is wished for and not known.
    fn ask(&mut self, effects: &mut Vec<Effect>) {
        if let Some((part, index)) = self.wanted_line.take() {
            effects.push(Effect::ReadLine { part, index });
        }
        self.requests = self.requests();
        // What is out of sight waits for hands that move, and for bytes that are being read.
        let is_loading = self.files.phase == Phase::Loading;
        let is_moving = self.gesture.is_some() || self.is_interacting || is_loading;
        let queries = self.scheduler.ask(&self.requests, self.workers, is_moving);
        if !queries.is_empty() {
            effects.push(Effect::RunQueries { queries, selection: self.history.now().clone() });
        }
        let rests = if is_moving { Vec::new() } else { self.missing_lines() };
        if !rests.is_empty() {
            effects.push(Effect::ReadLines(rests));
        }
    }

    fn context(&self) -> Context {
        Context {
            zone: self.zone(),
            first_ns: self.totals().extent.map_or(0, |extent| extent.ts_ns.0),
            ..Context::default()
        }
    }

    fn filter(&mut self, text: String, cursor: usize) {
        self.completion = complete(&text, cursor, |field| self.words_of(field));
        if text == self.filter_text && self.filter_error.is_none() {
            return;
        }
        let parsed = parse(&text, &self.context());
        if let Ok(expr) = &parsed {
            self.select(Dimension::Filter, expr.clone(), true);
        }
        (self.filter_text, self.filter_error) = (text, parsed.err());
    }

    fn clear(&mut self, dimension: Option<Dimension>) {
        if dimension.is_none_or(|dimension| dimension == Dimension::Filter) {
            (self.filter_text, self.filter_error) = (String::new(), None);
        }
        match dimension {
            Some(dimension) => self.select(dimension, None, false),
            None => {
                self.history.select(Selection::default(), None);
                self.selection_changed();
            }
        }
    }

    /// Selects in a dimension; `is_drawing` where more of the same step will follow.
    fn select(&mut self, dimension: Dimension, expr: Option<Expr>, is_drawing: bool) {
        let mut selection = self.history.now().clone();
        selection.set(dimension, expr);
        self.history.select(selection, is_drawing.then_some(dimension));
        self.selection_changed();
    }

    /// What follows where something else is selected.
    fn selection_changed(&mut self) {
        self.scheduler.invalidate_selection();
        self.packets.forget();
        self.packets.first = 0;
        self.show_filter();
    }

    /// The filter box shows what is selected there.
    fn show_filter(&mut self) {
        let known = parse(&self.filter_text, &self.context()).ok().flatten();
        let filter = self.history.now().get(Dimension::Filter);
        if known.as_ref() != filter {
            self.filter_text = filter.map(|expr| expr.to_text(&self.zone())).unwrap_or_default();
            self.filter_error = None;
        }
    }

    /// The words of the filter box mean what they meant, by whatever clock times are told now.
    fn sync_filter_text(&mut self) {
        if self.filter_error.is_none() {
            self.show_filter();
        }
    }

    fn restore(&mut self, link: &str) {
        let mut selection = Selection::default();
        self.settings = Settings::default();
        for (key, value) in pairs(link) {
            if let Some(dimension) = Dimension::parse(&key) {
                let expr = selected(&value);
                if expr.is_none() && !value.is_empty() {
                    self.files.error = Some(format!("The link’s “{value}” cannot be read."));
                }
                selection.set(dimension, expr);
            } else {
                self.settings.set(&key, &value);
            }
        }
        self.is_restored = self.files.phase != Phase::Ready;
        self.history.select(selection, None);
        self.selection_changed();
    }

    /// The state as the fragment of a link.
    pub fn link(&self) -> String {
        let mut pairs = self.settings.changed();
        let clauses = self.history.now().clauses();
        pairs.extend(clauses.map(|(dimension, e)| (dimension.name().to_owned(), link_text(e))));
        fragment(&pairs)
    }

    /// Picks the packet of the cell that was clicked, once it is known.
    fn pick_awaited(&mut self) {
        let Some(awaited) = self.awaited_pick else { return };
        let is_it =
            |query: &Query| query.kind == QueryKind::Nearest { grid: awaited.0, cell: awaited.1 };
        let known = self.scheduler.latest(Slot::Nearest).filter(|(query, _)| is_it(query));
        let Some((_, Answer::Nearest(hit))) = known else { return };
        let at = hit.as_ref().map(|hit| (hit.packet.part, hit.packet.index));
        self.awaited_pick = None;
        if let Some(at) = at {
            self.pick_packet(at);
        }
    }

    fn pick_packet(&mut self, at: (usize, usize)) {
        let rows = self.packet_rows().iter();
        let mut found = rows.chain(self.hit().map(|hit| &hit.packet));
        let found = found.rfind(|packet| (packet.part, packet.index) == at);
        if let Some(packet) = found {
            self.picked = Some(Picked { at, row: packet.row.clone(), line: None });
            self.wanted_line = Some(at);
        }
    }

    /// The packets of the table, as far as they are known.
    fn packet_rows(&self) -> &[crate::query::LocatedPacket] {
        match self.scheduler.latest(Slot::Rows) {
            Some((_, Answer::Rows(rows))) => &rows[..rows.len().min(self.packets.room)],
            _ => &[],
        }
    }
}
