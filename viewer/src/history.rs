//! The undo history of selections.

use crate::selection::{Dimension, Selection};

/// The number of steps that can be undone.
const MAX_STEPS: usize = 200;

/// The current selection, with the steps to undo and to redo.
#[derive(Debug, Default)]
pub struct History {
    past: Vec<Selection>,
    now: Selection,
    future: Vec<Selection>,
    /// The step in progress: a brush being drawn or a filter being typed. Its intermediate
    /// selections are one step.
    draft: Option<Draft>,
}

/// A step in progress.
#[derive(Debug)]
struct Draft {
    dimension: Dimension,
    /// The steps that could be redone before it began, for [`History::abort`].
    future: Vec<Selection>,
}

impl History {
    /// The current selection.
    pub fn now(&self) -> &Selection {
        &self.now
    }

    /// Changes the selection. `draft` names the dimension if more changes of the same step follow.
    pub fn select(&mut self, selection: Selection, draft: Option<Dimension>) {
        if selection == self.now {
            return;
        }
        let current = self.draft.as_ref().map(|draft| draft.dimension);
        if current.is_none() || current != draft {
            self.past.push(std::mem::take(&mut self.now));
            if MAX_STEPS < self.past.len() {
                self.past.remove(0);
            }
            let future = std::mem::take(&mut self.future);
            self.draft = draft.map(|dimension| Draft { dimension, future });
        }
        self.now = selection;
    }

    /// Cancels the step in progress and restores the state before it, including the steps to redo.
    pub fn abort(&mut self) {
        if let Some(draft) = self.draft.take()
            && let Some(before) = self.past.pop()
        {
            (self.now, self.future) = (before, draft.future);
        }
    }

    /// Completes the step in progress.
    pub fn finish(&mut self) {
        self.draft = None;
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
