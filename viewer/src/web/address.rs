//! The address of the page, whose fragment is a link to what is shown. Each step that can be undone has an
//! entry in the browser's history, so that Back undoes and Forward redoes it.

use wasm_bindgen::prelude::*;
use web_sys::{History, Window};

/// The entries that the page has made.
#[derive(Debug, Default)]
pub(super) struct Address {
    /// Ascending by depth.
    entries: Vec<Entry>,
    /// Index of the current entry.
    position: usize,
    /// The depth at which the page was loaded: a reloaded page continues in the old entries.
    base: usize,
    /// The page itself goes to another entry.
    is_moving: bool,
}

/// An entry of the browser's history. Its state there is its depth.
#[derive(Debug, Default)]
struct Entry {
    /// The number of steps that can be undone.
    depth: usize,
    /// The link that the page has written; `None` if the address is from elsewhere.
    link: Option<String>,
}

/// What is left to do after the browser went to another entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Nothing: the app is there already, or the entry is not of this page.
    Nothing,
    /// Undo or redo up to this depth.
    GoTo(usize),
    /// Restore the link: the step is not in the app's history.
    Restore,
}

impl Address {
    /// Shows a link in the address. `depth` is the number of steps that can be undone.
    pub(super) fn show(&mut self, link: &str, depth: usize) {
        let Some(window) = web_sys::window() else { return };
        let Ok(history) = window.history() else { return };
        if self.entries.is_empty() {
            self.base = entry_depth(&history).unwrap_or(0);
            self.entries.push(Entry { depth: self.base, ..Entry::default() });
        }
        if self.is_moving {
            return; // until the browser is there
        }
        let depth = self.base + depth;
        // A redone step has an entry with its link; a new step removes the entries after it.
        let is_known = |entry: &Entry| entry.depth == depth && entry.link.as_deref() == Some(link);
        let after = self.entries.iter().skip(self.position + 1).position(is_known);
        let target = match after {
            Some(index) => self.position + 1 + index,
            None => {
                let before = &self.entries[..=self.position];
                before.iter().rposition(|entry| entry.depth <= depth).unwrap_or(0)
            }
        };
        if target != self.position {
            let index = |index: usize| i32::try_from(index).unwrap_or(0);
            let offset = index(target) - index(self.position);
            self.is_moving = history.go_with_delta(offset).is_ok();
            self.position = target;
            return;
        }
        let is_new = self.entries[target].depth != depth;
        if is_new {
            self.entries.truncate(target + 1);
            self.entries.push(Entry { depth, ..Entry::default() });
            self.position += 1;
        }
        // Browsers limit how often an address may be written. A capture that grows changes the view, but not
        // its link.
        let shown = &mut self.entries[self.position].link;
        if shown.as_deref() != Some(link) {
            let is_written = write(&window, &history, link, depth, is_new).is_ok();
            *shown = is_written.then(|| link.to_owned());
        }
    }

    /// The browser went to another entry.
    pub(super) fn visit(&mut self) -> Visit {
        let history = web_sys::window().and_then(|window| window.history().ok());
        let Some(depth) = history.and_then(|history| entry_depth(&history)) else {
            return Visit::Nothing;
        };
        if std::mem::take(&mut self.is_moving) {
            return Visit::Nothing;
        }
        match self.entries.iter().position(|entry| entry.depth == depth) {
            Some(position) => {
                self.position = position;
                Visit::GoTo(depth - self.base)
            }
            None => {
                // An entry from before the page was loaded again.
                (self.entries, self.position) = (vec![Entry { depth, ..Entry::default() }], 0);
                Visit::Restore
            }
        }
    }

    /// The app has restored the link of an entry, and has this depth.
    pub(super) fn restored(&mut self, depth: usize) {
        let Some(entry) = self.entries.get_mut(self.position) else { return };
        self.base = entry.depth.saturating_sub(depth);
        entry.depth = self.base + depth;
    }
}

/// Whether the current entry is one of the page, not of a link that was followed or typed.
pub(super) fn is_own_entry() -> bool {
    let history = web_sys::window().and_then(|window| window.history().ok());
    history.is_some_and(|history| entry_depth(&history).is_some())
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of steps")]
fn entry_depth(history: &History) -> Option<usize> {
    history.state().ok()?.as_f64().map(|depth| depth as usize)
}

/// Writes a link into the address. Fails if the page has done so too often; the next change catches up.
fn write(
    window: &Window,
    history: &History,
    link: &str,
    depth: usize,
    is_new: bool,
) -> Result<(), JsValue> {
    let mut url = window.location().pathname()? + &window.location().search()?;
    if !link.is_empty() {
        url.push('#');
        url.push_str(link);
    }
    let state = JsValue::from_f64(depth as f64);
    match is_new {
        true => history.push_state_with_url(&state, "", Some(&url)),
        false => history.replace_state_with_url(&state, "", Some(&url)),
    }
}
