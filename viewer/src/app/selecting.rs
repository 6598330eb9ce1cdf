//! Selections: the filter box, clearing, and links.

use super::chips::INCOMPLETE_FILTER;
use super::{App, Phase};
use crate::axis::Quantity;
use crate::filter::{Context, Expr, complete, parse};
use crate::link::{fragment, link_text, pairs, selected};
use crate::selection::{Dimension, Selection};
use crate::settings::Settings;
use crate::time::UtcOffsets;

/// The key of the names of the files in links.
const CAPTURE_KEY: &str = "capture";

impl App {
    /// The context in which filter expressions are parsed.
    pub(super) fn filter_context(&self) -> Context {
        Context {
            zone: self.zone(),
            first_ns: self.totals().extent.map_or(0, |extent| extent.ts_ns.0),
            ..Context::default()
        }
    }

    /// Takes the text of the filter box. An invalid text leaves the selection unchanged.
    pub(super) fn set_filter(&mut self, text: String, cursor: usize) {
        self.completion = complete(&text, cursor, |field| self.values_of(field));
        if text == self.filter_text && self.filter_error.is_none() {
            return;
        }
        let parsed = parse(&text, &self.filter_context());
        if let Ok(expr) = &parsed {
            self.select(Dimension::Filter, expr.clone(), true);
        }
        (self.filter_text, self.filter_error) = (text, parsed.err());
        if self.filter_error.is_none() {
            self.files.error.take_if(|error| error == INCOMPLETE_FILTER);
            self.link_error = None;
        }
    }

    /// Notes how much of a part has been read for fields without a column.
    pub(super) fn on_extra_read(&mut self, part: usize, progress: (u64, u64)) {
        self.extra_progress.retain(|(other, _)| *other != part);
        if progress.0 < progress.1 {
            self.extra_progress.push((part, progress));
        }
    }

    /// Removes the conditions whose fields could not be read: their counts would be wrong. Undoing brings
    /// them back, which reads the fields again.
    pub(super) fn on_extra_failed(&mut self, error: &str) {
        self.extra_progress.clear();
        let needs_extra = |expr: &Expr| {
            let mut fields = Vec::new();
            expr.extra_fields(&mut fields);
            !fields.is_empty()
        };
        let selection = self.history.now();
        let clauses = selection.clauses().filter(|(_, expr)| needs_extra(expr));
        let failed: Vec<_> = clauses.map(|(dimension, _)| dimension).collect();
        for dimension in &failed {
            self.clear(Some(*dimension));
        }
        // Several workers can report the same problem.
        if !failed.is_empty() {
            self.files.error = Some(format!(
                "The filter was removed, because its fields could not be read ({error})."
            ));
        }
    }

    /// Clears the selection of one dimension, or of all that select.
    pub(super) fn clear(&mut self, dimension: Option<Dimension>) {
        if dimension.is_none_or(|dimension| dimension == Dimension::Filter) {
            (self.filter_text, self.filter_error) = (String::new(), None);
        }
        match dimension {
            Some(dimension) => self.select(dimension, None, false),
            None => {
                self.history.select(self.history.now().without_selection(), None);
                self.on_selection_changed();
            }
        }
    }

    /// Selects in one dimension. `is_draft` means that more changes of the same undo step follow.
    pub(super) fn select(&mut self, dimension: Dimension, expr: Option<Expr>, is_draft: bool) {
        let mut selection = self.history.now().clone();
        selection.set(dimension, expr);
        self.history.select(selection, is_draft.then_some(dimension));
        self.on_selection_changed();
    }

    /// Shows the state of the history after a step was undone, redone or aborted.
    pub(super) fn restore_state(&mut self) {
        let state = self.history.state();
        self.settings.zoom = state.zoom;
        (self.filter_text, self.filter_error) = (state.filter.clone(), None);
        self.on_selection_changed();
    }

    /// Stores the current zoom in the history, as an undo step if the user zoomed or panned.
    pub(super) fn record_zoom(&mut self, is_step: bool) {
        if is_step {
            self.history.zoom(self.settings.zoom);
        }
        let filter = self.filter_error.is_none().then_some(&*self.filter_text);
        self.history.sync(filter, self.settings.zoom);
    }

    /// Updates everything that depends on the selection.
    pub(super) fn on_selection_changed(&mut self) {
        self.scheduler.invalidate_selection();
        self.packets.invalidate();
        self.packets.first = 0;
        self.pending_rank = None;
        self.show_filter();
    }

    /// Shows the selected filter in the filter box, unless its text already means the same.
    fn show_filter(&mut self) {
        let shown = parse(&self.filter_text, &self.filter_context()).ok().flatten();
        let filter = self.history.now().get(Dimension::Filter);
        if shown.as_ref() != filter {
            self.filter_text = filter.map(|expr| expr.to_text(&self.zone())).unwrap_or_default();
            self.filter_error = None;
        }
    }

    /// Rewrites the filter text if its meaning has changed with the time zone or the capture's start.
    pub(super) fn sync_filter_text(&mut self) {
        if self.filter_error.is_none() {
            self.show_filter();
        }
    }

    /// Changes the UTC offsets of local time. They are known after a link has been restored: a filter text
    /// that is not from the user is written again.
    pub(super) fn set_offsets(&mut self, offsets: UtcOffsets) {
        let filter = self.history.now().get(Dimension::Filter);
        if filter.is_some_and(|expr| expr.to_text(&self.zone()) == self.filter_text) {
            self.filter_text.clear();
        }
        self.offsets = offsets;
        self.sync_filter_text();
    }

    /// Replaces settings and selections by those of a link's fragment.
    pub(super) fn restore_link(&mut self, link: &str) {
        let mut selection = Selection::default();
        let (mut filter_text, mut is_filter_invalid) = (String::new(), false);
        self.settings = Settings::default();
        self.link_error = None;
        self.link_capture.clear();
        for (key, value) in pairs(link) {
            if let Some(dimension) = Dimension::parse(&key) {
                let expr = selected(&value);
                let is_invalid = expr.is_none() && !value.is_empty();
                if is_invalid {
                    self.link_error = Some(format!("Invalid selection in the link: “{value}”."));
                }
                selection.set(dimension, expr);
                if dimension == Dimension::Filter {
                    (filter_text, is_filter_invalid) = (value, is_invalid);
                }
            } else if key == CAPTURE_KEY {
                self.link_capture = value;
            } else {
                self.settings.set(&key, &value);
            }
        }
        self.is_restored = self.files.phase != Phase::Ready;
        self.history.select(selection, None);
        let filter = self.history.now().get(Dimension::Filter).map(link_text);
        if filter.is_some_and(|text| text != filter_text) {
            // As it was typed, unless it means something else in the time zone of the settings.
            self.filter_text.clone_from(&filter_text);
        }
        self.on_selection_changed();
        if is_filter_invalid {
            self.filter_error = parse(&filter_text, &self.filter_context()).err();
            self.filter_text = filter_text;
        }
    }

    /// Ignores the ranges of a link that show nothing of the capture.
    pub(super) fn drop_zoom_outside(&mut self) {
        for quantity in Quantity::ALL {
            let full = self.full_span(quantity);
            self.settings.zoom[quantity as usize].take_if(|zoom| {
                full.is_some_and(|full| zoom.end <= full.start || full.end <= zoom.start)
            });
        }
    }

    /// Which capture the link needs, until one is open; empty without a link.
    pub(super) fn link_note(&self) -> String {
        let is_empty = matches!(self.files.phase, Phase::Empty | Phase::Error);
        if is_empty && !self.link_capture.is_empty() {
            let name = &self.link_capture;
            format!("This link shows “{name}”. Open that capture to see the same view.")
        } else if is_empty && !self.history.now().is_empty() {
            "This link contains a selection. Open the capture it was made with.".to_owned()
        } else {
            String::new()
        }
    }

    /// The settings and selections as the fragment of a link. The filter is as the user typed it, if this
    /// means the same to all readers.
    pub fn link(&self) -> String {
        let mut pairs = self.settings.changed();
        let is_typed = |dimension, expr| {
            dimension == Dimension::Filter && selected(&self.filter_text).as_ref() == Some(expr)
        };
        pairs.extend(self.history.now().clauses().map(|(dimension, expr)| {
            let text = match is_typed(dimension, expr) {
                true => self.filter_text.clone(),
                false => link_text(expr),
            };
            (dimension.name().to_owned(), text)
        }));
        if !pairs.is_empty() && !self.files.files.is_empty() {
            pairs.push((CAPTURE_KEY.to_owned(), self.files.names()));
        }
        fragment(&pairs)
    }
}
