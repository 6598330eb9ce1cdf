//! The line about the source in the header of the page.

use js_sys::Date;
use std::cell::RefCell;
use viewer_dom::{
    append, listen, new_button, new_element, set_attribute, set_flag, set_text, set_visible,
};
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element};

use crate::{Connection, Item, Lag, Run, Shown, items};

/// The state of the source, and the elements that show it.
pub(super) struct Header {
    document: Document,
    container: Element,
    texts: Element,
    pause: Element,
    jump: Element,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    connection: Connection,
    run: Run,
    shown: Shown,
    lag: Lag,
    /// The time of the latest packet shown, and whether everything is shown that was received.
    latest: Option<(f64, bool)>,
    /// The source has no more bytes at present.
    is_caught_up: bool,
}

impl State {
    fn update_lag(&mut self) {
        if let Some((latest_ms, is_complete)) = self.latest {
            self.lag.show(latest_ms, Date::now(), is_complete && self.is_caught_up);
        }
    }
}

impl Header {
    /// Shows that there was no answer yet.
    pub(super) fn new(container: &Element) -> Result<Self, JsValue> {
        let document = container.owner_document().ok_or("no document")?;
        container.set_text_content(None);
        let texts = new_element(&document, "span", "")?;
        let [pause, jump] = ["Pause", "Jump to now"].map(|text| new_button(&document, text));
        let (pause, jump) = (pause?, jump?);
        jump.set_attribute("title", "Show the latest packets: reset the zoom in time")?;
        for element in [&texts, &pause, &jump] {
            append(container, element)?;
        }
        let header = Self {
            document,
            container: container.clone(),
            texts,
            pause,
            jump,
            state: RefCell::default(),
        };
        set_visible(container, true);
        header.refresh();
        Ok(header)
    }

    /// Calls these functions when the buttons are clicked.
    pub(super) fn listen(
        &self,
        on_pause: impl Fn() + 'static,
        on_jump: impl Fn() + 'static,
    ) -> Result<(), JsValue> {
        listen(&self.pause, "click", move |_: web_sys::Event| on_pause())?;
        listen(&self.jump, "click", move |_: web_sys::Event| on_jump())
    }

    /// Adds records about the run.
    pub(super) fn add_records(&self, lines: impl Iterator<Item = String>) {
        lines.for_each(|line| self.state.borrow_mut().run.add(&line));
        self.refresh();
    }

    /// The connection has changed.
    pub(super) fn set_connection(&self, connection: Connection) {
        if self.state.borrow().connection != connection {
            self.state.borrow_mut().connection = connection;
            self.refresh();
        }
    }

    /// The source has no more bytes at present, or it has more.
    pub(super) fn set_caught_up(&self, is_caught_up: bool) {
        let state = &mut *self.state.borrow_mut();
        if !std::mem::replace(&mut state.is_caught_up, is_caught_up) {
            state.update_lag();
        }
    }

    /// The charts were refreshed. Takes the time of the latest packet, in milliseconds since the epoch, and
    /// whether everything is shown that was received.
    pub(super) fn show(&self, shown: Shown, latest_ms: Option<f64>, is_complete: bool) {
        let state = &mut *self.state.borrow_mut();
        (state.shown, state.latest) = (shown, latest_ms.map(|ms| (ms, is_complete)));
        state.update_lag();
    }

    /// The last record is the end of the run.
    pub(super) fn has_run_ended(&self) -> bool {
        self.state.borrow().run.end.is_some()
    }

    /// Shows the state as of now.
    pub(super) fn refresh(&self) {
        let State { connection, run, shown, lag, .. } = &*self.state.borrow();
        let shown = Shown { behind_ms: lag.at(Date::now()), ..*shown };
        set_attribute(&self.container, "data-state", connection.name());
        let mut items: Vec<_> = items(connection, run, &shown)
            .into_iter()
            .flat_map(|item| [item, separator()])
            .collect();
        items.pop();
        while (self.texts.child_element_count() as usize) < items.len() {
            let added = new_element(&self.document, "span", "");
            if added.and_then(|span| append(&self.texts, &span)).is_err() {
                return;
            }
        }
        let children = self.texts.children();
        for index in 0..children.length() {
            let Some(span) = children.item(index) else { continue };
            let item = items.get(index as usize);
            set_visible(&span, item.is_some());
            set_text(&span, item.map_or("", |item| &item.text));
            set_attribute(&span, "title", item.map_or("", |item| item.title));
            set_flag(&span, "data-loss", item.is_some_and(|item| item.is_loss));
        }
        let is_paused = *connection == Connection::Paused;
        set_text(&self.pause, if is_paused { "Resume" } else { "Pause" });
        set_visible(&self.pause, connection.is_open());
        set_visible(&self.jump, connection.is_open());
    }

    /// Hides the line.
    pub(super) fn clear(&self) {
        self.container.set_text_content(None);
        set_visible(&self.container, false);
    }
}

fn separator() -> Item {
    Item { text: " · ".to_owned(), title: "", is_loss: false }
}
