//! The state of the page, and the only way to change it: [`App::update`].
//!
//! An update returns [`Effect`]s for the caller to carry out, such as queries for the workers.
//! Everything visible is computed from the state when it is drawn: a [`Scene`](crate::scene::Scene)
//! for each canvas, a [`View`] for the rest. Nothing here uses the DOM.

mod accessors;
mod analysis;
mod cells;
mod charts;
mod chips;
mod choices;
mod connection;
mod crosshair;
mod cursor;
mod detail;
mod event;
mod extra_fields;
mod files;
mod follow;
mod gesture;
mod health;
mod hover;
mod legend;
mod lines;
mod loading;
mod marks;
mod memory_plan;
mod names;
mod navigation;
mod overview;
mod packets;
mod panel;
mod problem_kinds;
mod problems;
mod query_scheduler;
mod rankings;
mod requests;
mod scatter_selection;
mod selecting;
mod sorted_rows;
mod status;
mod tables;
mod view;
mod window;

#[cfg(test)]
mod tests;

pub use accessors::SceneVersion;
pub use cells::CellValue;
pub use chips::Chip;
pub use crosshair::{Crosshair, TIME_CHARTS};
pub use cursor::Key;
pub use event::{Effect, Event, Step};
pub use files::Phase;
pub use follow::{Append, Chunk, FollowEvent, Missing};
pub use hover::Tooltip;
pub use memory_plan::{FileInfo, Memory, PartAssignment};
pub use navigation::ZOOM_STEP;
pub use panel::{CHART_COUNT, PANEL_COUNT, Panel};
pub use tables::{VirtualRow, VirtualTable};
pub use view::{Detail, View};

use crate::axis::{QUANTITY_COUNT, Quantity};
use crate::chart::Size;
use crate::columns::Totals;
use crate::conversations::{Conversation, Endpoint, FlowTable};
use crate::density::Grid;
use crate::filter::{Completion, Error, Expr, parse};
use crate::history::History;
use crate::layout::{self, NAMES_KEY};
use crate::load::{Limits, Sampling};
use crate::protocol::Class;
use crate::scene::Theme;
use crate::selection::Dimension;
use crate::settings::Settings;
use crate::table_columns::{Column, EndpointColumn};
use crate::time::UtcOffsets;
use analysis::Analysis;
use connection::OpenConnection;
use detail::DetailPacket;
use extra_fields::{ExtraFields, PacketId};
use files::Files;
use follow::Follow;
use gesture::Gesture;
use memory_plan::{MemoryPlan, Overflow};
use names::Names;
use packets::Packets;
use query_scheduler::{QueryScheduler, Request};
use rankings::{CachedRanking, RANKING_COUNT};
use sorted_rows::SortedRows;
use tables::max_first;

/// The state of the page.
#[derive(Debug, Default)]
pub struct App {
    files: Files,
    /// The source of the first file, if it is or was followed.
    follow: Option<Follow>,
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
    /// The answers needed since the last update.
    requests: Vec<Request>,
    flows: FlowTable,
    packets: Packets,
    extra_fields: ExtraFields,
    names: Names,
    analysis: Analysis,
    connection: Option<OpenConnection>,
    /// Number of the last request for a connection.
    connection_id: u32,
    /// The time range that the view of connections marks as selected.
    connection_time: Option<(i64, i64)>,
    conversations: SortedRows<Conversation, Column>,
    endpoints: SortedRows<Endpoint, EndpointColumn>,
    /// All conversations, endpoints and problems are needed although their tables are not visible.
    are_conversations_requested: bool,
    /// The columns of the packet table in which a value has been seen, as a bit mask.
    filled_columns: u32,
    rankings: [Option<CachedRanking>; RANKING_COUNT],
    detail: Option<DetailPacket>,
    /// The rank of the packet to which the user has stepped, until its row has been answered.
    pending_rank: Option<u64>,
    /// The packet that must be read from its file.
    record_request: Option<PacketId>,
    /// The totals that the charts show. While loading, they follow the actual totals in large steps.
    drawn_totals: Totals,
    pointer: Option<(Panel, (f64, f64))>,
    /// The keyboard cursor: a cell of a chart, as column and row.
    cursor: Option<(Panel, (usize, usize))>,
    /// The cell where the keyboard selection began.
    anchor: Option<(Panel, (usize, usize))>,
    /// The clicked cell of the scatter plot. Its packet is shown once the answer arrives.
    pending_click: Option<(Grid, (usize, usize))>,
    gesture: Option<Gesture>,
    /// The legend entry that was clicked last, and the number of undo steps before: a double click
    /// replaces its two clicks.
    legend_click: Option<(Class, usize)>,
    /// Changes arrive in quick succession: panels out of sight wait.
    is_interacting: bool,
    /// Something waits for all charts.
    awaits_all: bool,
    memory_plan: Option<MemoryPlan>,
    /// The names of the files that the link was made with.
    link_capture: String,
    /// Why a part of the link was ignored.
    link_error: Option<String>,
    overflow: Overflow,
    /// The limits of each worker in the last load.
    limits: Limits,
    /// The selections come from a link, for the capture that is opened next.
    is_restored: bool,
    /// The parts from which fields are being read, with the bytes read and to read.
    extra_progress: Vec<(usize, (u64, u64))>,
    workers: usize,
    scene_version: u64,
}

impl App {
    /// Creates an empty page with this number of workers.
    pub fn new(workers: usize) -> Self {
        Self { workers, ..Self::default() }
    }

    /// Applies an event and returns the work that follows from it.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        let changes_charts = self.changes_charts(&event);
        let (is_zoom, is_whole_zoom) = (event.is_zoom(), event.is_whole_zoom());
        if is_whole_zoom {
            self.history.finish_zoom();
        }
        let mut effects = Vec::new();
        match event {
            Event::Open(files) => self.open(files),
            Event::Load(files, memory) => {
                self.stop_following(&mut effects);
                let held = self.files.held(self.workers);
                let first = self.files.next_part();
                let packet_bytes = self.overflow.packet_bytes(&files);
                self.memory_plan =
                    MemoryPlan::too_large(&files, &held, first, memory, packet_bytes);
                if self.memory_plan.is_none() {
                    effects.push(self.load(files, Sampling::default(), memory));
                }
            }
            Event::SampleEvery(text) => {
                effects.extend(self.load_sampled(|_, _| MemoryPlan::parse_every(&text)));
            }
            Event::SampleTimeRange(from, to) => {
                let parse = |plan: &MemoryPlan, zone: &_| plan.parse_time_range(&from, &to, zone);
                effects.extend(self.load_sampled(parse));
            }
            Event::LoadAll => effects.extend(self.load_all()),
            Event::OpenFailed(error) => {
                self.open(Vec::new());
                self.files.fail(error);
            }
            Event::ShowError(error) => self.files.error = Some(error),
            Event::Close => {
                self.open(Vec::new());
                self.files = Files::closed();
            }
            Event::Report { part, report, elapsed_ms } => {
                let needs_redraw = self.on_report(part, report, elapsed_ms);
                if self.is_following() {
                    self.on_growth(&mut effects);
                } else if self.files.has_no_records() {
                    effects.push(Effect::Cancel);
                }
                if !needs_redraw {
                    return effects;
                }
            }
            Event::Follow(event) => {
                if !self.on_follow(event, &mut effects) {
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
                self.note_answered_time();
                self.show_clicked_packet();
                self.note_filled_columns();
            }
            Event::Cancel => {
                self.files.is_cancelled = self.files.phase == Phase::Loading;
                effects.push(Effect::Cancel);
            }
            Event::Set(key, value) => {
                let was_colored_by_file = self.is_colored_by_file();
                self.settings.set(&key, &value);
                if key == "slow-ms" {
                    // The marked packets depend on it.
                    self.scheduler.invalidate_selection();
                }
                self.sync_filter_text();
                self.drop_old_parts(&mut effects);
                self.end_followed_analysis(&mut effects);
                if was_colored_by_file != self.is_colored_by_file() {
                    // The answers do not say what was counted.
                    self.scheduler.invalidate_data();
                }
            }
            Event::SetFilter(text, cursor) => self.set_filter(text, cursor),
            Event::CommitFilter => self.history.finish(),
            Event::Clear(dimension) => self.clear(dimension),
            Event::Select(dimension, text) => match parse(&text, &self.filter_context()) {
                Ok(expr) => self.select(dimension, expr, false),
                Err(error) => self.files.error = Some(error.message),
            },
            Event::Invert(dimension) => self.invert(dimension),
            Event::Edit(dimension) => self.edit(dimension),
            Event::AddLine => self.add_line(),
            Event::FilterBy(text, is_excluded) => self.filter_by(&text, is_excluded),
            Event::Undo => {
                self.history.undo();
                self.restore_state();
            }
            Event::Redo => {
                self.history.redo();
                self.restore_state();
            }
            Event::ZoomToSelection => {
                self.history.finish();
                for (quantity, span) in self.selected_spans() {
                    self.set_zoom(quantity, span);
                }
            }
            Event::ResetZoom => {
                self.history.finish();
                self.settings.zoom = [None; QUANTITY_COUNT];
            }
            Event::SetZoom(quantity, span) => self.settings.zoom[quantity as usize] = Some(span),
            Event::SetTheme(theme) => self.theme = theme,
            Event::SetOffsets(offsets) => self.set_offsets(offsets),
            Event::Resize(panel, size) => {
                if let Some(slot) = self.sizes.get_mut(panel as usize) {
                    *slot = size;
                }
            }
            Event::VisibleRows(Panel::Packets, rows) => self.packets.set_visible_rows(rows),
            Event::VisibleRows(Panel::Endpoints, rows) => self.endpoints.visible_rows = rows,
            Event::VisibleRows(Panel::Problems, _) | Event::Scroll(Panel::Problems, _) => {}
            Event::VisibleRows(_, rows) => self.conversations.visible_rows = rows,
            Event::VisibilityChanged(panel, is_seen) => self.hidden[panel as usize] = !is_seen,
            Event::RequestConversations => self.are_conversations_requested = true,
            Event::Scroll(Panel::Packets, first) => {
                let max = max_first(self.selected().packets, self.packets.visible_rows);
                self.packets.first = first.min(max);
                self.packets.is_at_end = 0 < max && max <= first;
            }
            Event::Scroll(Panel::Endpoints, first) => self.endpoints.scroll(first),
            Event::Scroll(_, first) => self.conversations.scroll(first),
            Event::ActivateRow(panel, index) => self.activate_row(panel, index),
            Event::ActivateCell(panel, row, column) => self.activate_cell(panel, row, column),
            Event::Record { part, index, line, frame } => {
                self.on_record((part, index), line, frame);
            }
            Event::StepDetail(step) => self.step_detail(step),
            Event::OtherFields(texts) => {
                self.extra_fields.on_texts(texts);
                self.note_filled_columns();
            }
            Event::Names(names) => self.names.on_names(names),
            Event::AppendedNames(names) => self.names.on_appended(names),
            Event::AnalysisRead(part, progress) => self.analysis.on_read(part, progress),
            Event::Analyzed(part, error) => self.on_analyzed(part, error, &mut effects),
            Event::RepeatAnalysis => self.repeat_analysis(),
            Event::OpenConnection(text) => self.open_connection(&text, &mut effects),
            Event::ConnectionRead { id, part, read } => {
                self.on_connection_read(id, part, read, &mut effects);
            }
            Event::SelectTime(from, to) => {
                let expr = Expr::numbers(Quantity::Time, from, to);
                self.select(Dimension::Time, Some(expr), false);
            }
            Event::ShowPacket(packet) => self.show_located(*packet),
            Event::CloseDetail => (self.detail, self.pending_rank) = (None, None),
            Event::ExtraRead(part, progress) => self.on_extra_read(part, progress),
            Event::ExtraFailed(error) => self.on_extra_failed(&error),
            Event::ToggleTable(panel) => {
                if let Some(is_shown) = self.shown_tables.get_mut(panel as usize) {
                    *is_shown = !*is_shown;
                }
            }
            Event::Zoom { panel, at, factor } => self.zoom(panel, at, factor),
            Event::Pan(panel, by) => self.pan(panel, by),
            Event::PointerDown(panel, at, tool) => self.pointer_down(panel, at, tool),
            Event::PointerMove(panel, at) => self.pointer_move(panel, at),
            Event::PointerUp => {
                self.pointer_up();
                self.show_clicked_packet();
            }
            Event::PointerCancel => self.cancel_gesture(),
            Event::PointerLeave => self.pointer = None,
            Event::DoubleClick(panel, at) => self.double_click(panel, at),
            Event::KeyDown(panel, key, extend) => self.key_down(panel, key, extend),
            Event::AwaitAll(awaits_all) => self.awaits_all = awaits_all,
            Event::Interacting(is_interacting) => {
                self.is_interacting = is_interacting;
                if !is_interacting {
                    self.history.finish_zoom();
                }
            }
            Event::RestoreLink(link) => self.restore_link(&link),
        }
        self.record_zoom(is_zoom);
        if is_whole_zoom {
            self.history.finish_zoom();
        }
        self.refresh_rankings();
        self.refresh_conversations();
        self.clamp_cursor();
        self.scroll_to_end();
        self.scroll_to_picked();
        self.scene_version += u64::from(changes_charts);
        self.push_requests(&mut effects);
        effects
    }

    /// Returns true if an event can change a chart by itself, not only through later answers.
    fn changes_charts(&self, event: &Event) -> bool {
        match event {
            Event::PointerMove(..) => self.gesture.is_some(),
            Event::Answers(_)
            | Event::VisibilityChanged(..)
            | Event::RequestConversations
            | Event::Interacting(_)
            | Event::AwaitAll(_)
            | Event::Report { .. }
            | Event::Follow(_)
            | Event::FlowDelta { .. }
            | Event::PointerLeave
            | Event::Scroll(..)
            | Event::Record { .. }
            | Event::StepDetail(_)
            | Event::OtherFields(_)
            | Event::CloseDetail
            | Event::OpenConnection(_)
            | Event::ConnectionRead { .. }
            | Event::ShowPacket(_)
            | Event::ExtraRead(..)
            | Event::AnalysisRead(..)
            | Event::RepeatAnalysis
            | Event::VisibleRows(..) => false,
            Event::Set(key, _) => key == NAMES_KEY || !layout::KEYS.contains(&key.as_str()),
            _ => true,
        }
    }

    /// Appends requests for everything that is needed and not cached. Panels out of sight wait while
    /// the user interacts, while files are being read, and while a followed source has packets that the charts
    /// in sight do not show yet, unless something waits for all charts.
    fn push_requests(&mut self, effects: &mut Vec<Effect>) {
        self.requests = self.requests();
        if let Some((part, index)) = self.record_request.take() {
            effects.push(Effect::ReadRecord { part, index });
        }
        let is_loading = self.files.phase == Phase::Loading;
        let is_interacting = self.gesture.is_some() || self.is_interacting || is_loading;
        let only_seen = is_interacting || self.is_outdated() && !self.awaits_all;
        let queries = self.scheduler.next_queries(&self.requests, self.workers, only_seen);
        // Workers that read fields stop as soon as the selection does not need them.
        let is_reading = !self.extra_progress.is_empty() && self.scheduler.take_selection_change();
        if !queries.is_empty() || is_reading {
            effects
                .push(Effect::RunQueries { queries, selection: Box::new(self.marked_selection()) });
        }
        self.skip_dropped_connection(effects);
        effects.extend(self.connection_time_effect());
        effects.extend(self.request_names());
        effects.extend(self.request_analysis());
        let packets = if is_interacting { Vec::new() } else { self.missing_fields() };
        if !packets.is_empty() {
            effects.push(Effect::ReadOtherFields(packets));
        }
    }
}
