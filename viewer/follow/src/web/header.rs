//! The line about the source in the header of the page.

use std::cell::RefCell;
use viewer_dom::{set_attribute, set_text, set_visible};
use web_sys::Element;

use crate::{Connection, Run, text};

/// The state of the source, and the element that shows it.
pub(super) struct Header {
    element: Element,
    state: RefCell<(Connection, Run)>,
}

impl Header {
    /// Shows that there was no answer yet.
    pub(super) fn new(element: &Element) -> Self {
        let header = Self { element: element.clone(), state: RefCell::default() };
        header.show();
        header
    }

    /// Adds records about the run.
    pub(super) fn add_records(&self, lines: impl Iterator<Item = String>) {
        lines.for_each(|line| self.state.borrow_mut().1.add(&line));
        self.show();
    }

    /// The connection has changed.
    pub(super) fn set_connection(&self, connection: Connection) {
        self.state.borrow_mut().0 = connection;
        self.show();
    }

    /// The last record is the end of the run.
    pub(super) fn has_run_ended(&self) -> bool {
        self.state.borrow().1.end.is_some()
    }

    fn show(&self) {
        let (connection, run) = &*self.state.borrow();
        set_attribute(&self.element, "data-state", connection.name());
        set_text(&self.element, &text(connection, run));
        set_visible(&self.element, true);
    }

    /// Hides the element.
    pub(super) fn clear(&self) {
        set_visible(&self.element, false);
    }
}
