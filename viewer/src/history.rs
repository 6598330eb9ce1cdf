//! The undo history of selections and zoom.

use crate::axis::{QUANTITY_COUNT, Span};
use crate::selection::{Dimension, Selection};

/// The number of steps that can be undone.
const MAX_STEPS: usize = 200;

/// The zoom of each quantity; `None` shows its full range.
pub type Zoom = [Option<Span>; QUANTITY_COUNT];

/// Everything that undoing restores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    /// The selection.
    pub selection: Selection,
    /// The filter as it was typed.
    pub filter: String,
    /// The zoom.
    pub zoom: Zoom,
}

/// The current state, with the steps to undo and to redo.
#[derive(Debug, Default)]
pub struct History {
    past: Vec<State>,
    now: State,
    future: Vec<State>,
    /// The step in progress: a brush being drawn, a filter being typed, or the wheel being turned. Its
    /// intermediate states are one step.
    draft: Option<Draft>,
}

/// A step in progress.
#[derive(Debug)]
struct Draft {
    kind: DraftKind,
    /// The steps that could be redone before it began, for [`History::abort`].
    future: Vec<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DraftKind {
    Selection(Dimension),
    Zoom,
}

impl History {
    /// The current selection.
    pub fn now(&self) -> &Selection {
        &self.now.selection
    }

    /// The current state.
    pub fn state(&self) -> &State {
        &self.now
    }

    /// The number of steps that can be undone.
    pub fn depth(&self) -> usize {
        self.past.len()
    }

    /// Changes the selection. `draft` names the dimension if more changes of the same step follow.
    pub fn select(&mut self, selection: Selection, draft: Option<Dimension>) {
        if selection != self.now.selection {
            self.begin(draft.map(DraftKind::Selection));
            self.now.selection = selection;
        }
    }

    /// Changes the zoom. Changes up to [`History::finish`] are the same step.
    pub fn zoom(&mut self, zoom: Zoom) {
        if zoom != self.now.zoom {
            self.begin(Some(DraftKind::Zoom));
            self.now.zoom = zoom;
        }
    }

    /// Updates the filter text and the zoom of the current state without adding a step.
    pub fn sync(&mut self, filter: Option<&str>, zoom: Zoom) {
        if let Some(filter) = filter.filter(|filter| *filter != self.now.filter) {
            self.now.filter = filter.to_owned();
        }
        self.now.zoom = zoom;
    }

    /// Starts a step, unless the change belongs to the one in progress.
    fn begin(&mut self, draft: Option<DraftKind>) {
        let current = self.draft.as_ref().map(|draft| draft.kind);
        if current.is_none() || current != draft {
            self.past.push(self.now.clone());
            if MAX_STEPS < self.past.len() {
                self.past.remove(0);
            }
            let future = std::mem::take(&mut self.future);
            self.draft = draft.map(|kind| Draft { kind, future });
        }
    }

    /// Cancels the step in progress and restores the state before it, including the steps to redo. Returns
    /// false if there is none.
    pub fn abort(&mut self) -> bool {
        if let Some(draft) = self.draft.take()
            && let Some(before) = self.past.pop()
        {
            (self.now, self.future) = (before, draft.future);
            return true;
        }
        false
    }

    /// Completes the step in progress.
    pub fn finish(&mut self) {
        self.draft = None;
    }

    /// Completes the step in progress if it is a zoom: the wheel stands still.
    pub fn finish_zoom(&mut self) {
        self.draft.take_if(|draft| draft.kind == DraftKind::Zoom);
    }

    /// Undoes one step.
    pub fn undo(&mut self) {
        if let Some(before) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.now, before));
        }
        self.finish();
    }

    /// Redoes one step.
    pub fn redo(&mut self) {
        if let Some(after) = self.future.pop() {
            self.past.push(std::mem::replace(&mut self.now, after));
        }
        self.finish();
    }

    /// Returns true if there is a step to undo.
    pub fn can_undo(&self) -> bool {
        !self.past.is_empty()
    }

    /// Returns true if there is an undone step to redo.
    pub fn can_redo(&self) -> bool {
        !self.future.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::{Expr, Field};

    fn can(history: &History) -> (bool, bool) {
        (history.can_undo(), history.can_redo())
    }

    fn selection(field: Field) -> Selection {
        let mut selection = Selection::default();
        selection.set(Dimension::Filter, Some(Expr::Has(field)));
        selection
    }

    #[test]
    fn zoom_is_undone_with_what_was_typed() {
        let zoom = |end| {
            let mut zoom = Zoom::default();
            zoom[0] = Some(Span::new(0, end));
            zoom
        };
        let mut history = History::default();
        history.select(selection(Field::Vlan), Some(Dimension::Filter));
        history.sync(Some("vlan "), Zoom::default());
        for end in [9, 8, 7] {
            history.zoom(zoom(end));
        }
        history.finish();
        history.zoom(zoom(6));
        history.undo();
        assert_eq!((history.state().zoom, history.depth()), (zoom(7), 2));
        history.undo();
        assert_eq!((history.state().zoom, &*history.state().filter), (Zoom::default(), "vlan "));
        history.undo();
        assert_eq!(history.state(), &State::default());
        history.redo();
        history.redo();
        assert_eq!((history.state().zoom, history.now()), (zoom(7), &selection(Field::Vlan)));
    }

    #[test]
    fn all_changes_of_a_brush_are_one_step() {
        let mut history = History::default();
        let draft = Some(Dimension::Filter);
        history.select(selection(Field::Vlan), None);
        for field in [Field::Src, Field::Dst, Field::Port] {
            history.select(selection(field), draft);
        }
        history.finish();
        history.select(selection(Field::Flags), None);
        history.undo();
        assert_eq!(*history.now(), selection(Field::Port));
        history.undo();
        assert_eq!(*history.now(), selection(Field::Vlan));
        assert_eq!(can(&history), (true, true));
        history.redo();
        history.redo();
        history.redo();
        assert_eq!((history.now(), can(&history)), (&selection(Field::Flags), (true, false)));
        history.undo();
        history.select(selection(Field::Src), None);
        assert_eq!(can(&history), (true, false));
    }

    #[test]
    fn drawing_in_another_dimension_is_a_new_step_that_can_be_aborted() {
        let mut history = History::default();
        history.select(selection(Field::Vlan), Some(Dimension::Filter));
        history.select(selection(Field::Src), Some(Dimension::Size));
        history.select(selection(Field::Dst), Some(Dimension::Size));
        history.abort();
        assert_eq!((history.now(), can(&history)), (&selection(Field::Vlan), (true, false)));
        history.abort();
        history.undo();
        assert_eq!((history.now(), can(&history)), (&Selection::default(), (false, true)));
    }

    #[test]
    fn aborted_step_keeps_the_steps_to_redo() {
        let mut history = History::default();
        history.select(selection(Field::Vlan), None);
        history.undo();
        history.select(selection(Field::Src), Some(Dimension::Size));
        history.select(selection(Field::Dst), Some(Dimension::Size));
        assert_eq!(can(&history), (true, false));
        history.abort();
        assert_eq!((history.now(), can(&history)), (&Selection::default(), (false, true)));
        history.redo();
        assert_eq!(*history.now(), selection(Field::Vlan));
    }
}
