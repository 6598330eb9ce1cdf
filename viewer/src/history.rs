//! Selections in the order they were made, to go back and forth.

use crate::selection::{Dimension, Selection};

/// Steps that can be undone.
const MAX_STEPS: usize = 200;

/// What is selected, and was, and was before an undo.
#[derive(Debug, Default)]
pub struct History {
    past: Vec<Selection>,
    now: Selection,
    future: Vec<Selection>,
    /// A brush is being drawn, or a filter typed: what that selects on its way is one step.
    drawn: Option<Dimension>,
}

impl History {
    /// What is selected.
    pub fn now(&self) -> &Selection {
        &self.now
    }

    /// Selects something else; `drawn` in where more of the same step will follow.
    pub fn select(&mut self, selection: Selection, drawn: Option<Dimension>) {
        if selection == self.now {
            return;
        }
        if self.drawn.is_none() || self.drawn != drawn {
            self.past.push(std::mem::take(&mut self.now));
            if MAX_STEPS < self.past.len() {
                self.past.remove(0);
            }
            self.future.clear();
        }
        self.now = selection;
        self.drawn = drawn;
    }

    /// What was drawn so far is taken back, as if it had never been.
    pub fn abort(&mut self) {
        if self.drawn.take().is_some()
            && let Some(before) = self.past.pop()
        {
            self.now = before;
        }
    }

    /// The step is complete.
    pub fn finish(&mut self) {
        self.drawn = None;
    }

    /// Back by a step.
    pub fn undo(&mut self) {
        if let Some(before) = self.past.pop() {
            self.future.push(std::mem::replace(&mut self.now, before));
        }
        self.finish();
    }

    /// Forth by a step.
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
    fn a_brush_is_one_step_however_it_moved() {
        let mut history = History::default();
        let drawn = Some(Dimension::Filter);
        history.select(selection(Field::Vlan), None);
        for field in [Field::Src, Field::Dst, Field::Port] {
            history.select(selection(field), drawn);
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
    fn what_is_drawn_elsewhere_is_another_step_and_can_be_taken_back() {
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
}
