//! Keyboard shortcuts of the page. The keys of a chart are in `charts`, those of a table in `tables`.

use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, KeyboardEvent};

use super::layout::{focus_next_pane, focus_pane, set_layout};
use super::{actions, suggestions};
use crate::app::{Event, Step};
use crate::web::dom::{element, listen, log_error};
use crate::web::page::Page;

/// Elements in which keys edit a text.
const EDITABLE: &str = "input:not([type=checkbox]):not([type=range]), select";

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    let page = page.clone();
    listen(&document, "keydown", move |event: KeyboardEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_command = event.ctrl_key() || event.meta_key();
        if event.key() == "F6" && log_error(focus_next_pane(&page, event.shift_key())).is_some() {
            return event.prevent_default();
        }
        let is_filter = target.as_ref().is_some_and(|target| target.id() == "filter");
        if is_filter
            && !is_command
            && log_error(suggestions::handle_key(&page.document(), &event)) == Some(true)
        {
            return event.prevent_default();
        }
        if is_filter && event.key() == "Escape" {
            event.prevent_default();
            return actions::clear_filter(&page);
        }
        if is_filter && event.key() == "Enter" && log_error(close_filter_sheet(&page)) == Some(true)
        {
            return event.prevent_default();
        }
        // Undoing in the filter box undoes selections: it has the focus after a chip is removed.
        let is_editable = target.as_ref().is_some_and(|t| t.matches(EDITABLE).unwrap_or(false));
        if is_editable && !(is_filter && is_command) {
            return;
        }
        if let Some(target) = &target
            && handle_detail_key(&page, target, &event)
        {
            return event.prevent_default();
        }
        if !is_command && log_error(navigate(&page, &event.key())) == Some(true) {
            return event.prevent_default();
        }
        // With Shift or Caps Lock the key is an upper-case letter.
        let shortcut = match (event.key().to_ascii_lowercase().as_str(), is_command) {
            ("z", true) if event.shift_key() => Event::Redo,
            ("z", true) => Event::Undo,
            ("y", true) => Event::Redo,
            ("/", false) => {
                if let Ok(filter) = element::<HtmlElement>(&page.document(), "filter") {
                    // Fails if the element is hidden, which is fine.
                    let _ = filter.focus();
                }
                return event.prevent_default();
            }
            _ => return,
        };
        event.prevent_default();
        page.send(shortcut);
    })
}

/// Closes the filter where it covers the page, on phones. Returns false elsewhere.
fn close_filter_sheet(page: &Page) -> Result<bool, JsValue> {
    let done = page.document().query_selector(".filter [data-action=focus]")?;
    let is_sheet = done.is_some_and(|done| 0.0 < done.get_bounding_client_rect().width());
    if is_sheet {
        focus_pane(page, "charts")?;
    }
    Ok(is_sheet)
}

/// Handles the keys that move between panes. Returns false for any other key.
fn navigate(page: &Page, key: &str) -> Result<bool, JsValue> {
    match key {
        // The browser closes the menu, unless the event is cancelled.
        "Escape" if page.document().query_selector(":popover-open")?.is_some() => return Ok(false),
        "Escape" if page.with_app(|app| app.settings().layout.maximized.is_some()) => {
            set_layout(page, "max", "");
        }
        "Escape" => page.send(Event::CloseDetail),
        "1" => focus_pane(page, "charts")?,
        "2" => focus_pane(page, "top")?,
        "3" => focus_pane(page, "table")?,
        "4" => focus_pane(page, "detail")?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Handles the keys of the packet details. ← and → step between packets outside the widgets in which
/// they move the focus; Ctrl+↑ and Ctrl+↓ step everywhere. Returns false for other keys.
fn handle_detail_key(page: &Page, target: &Element, event: &KeyboardEvent) -> bool {
    let is_inside = |selector| target.closest(selector).is_ok_and(|found| found.is_some());
    if !is_inside("#detail") {
        return false;
    }
    let has_arrow_keys = is_inside("[role=tree], [role=application]");
    match (event.key().as_str(), event.ctrl_key() || event.meta_key()) {
        ("Escape", _) if page.with_app(|app| app.settings().layout.maximized.is_some()) => {
            set_layout(page, "max", "");
        }
        ("Escape", _) => {
            log_error(actions::close_detail(page));
        }
        ("ArrowUp", true) => page.send(Event::StepDetail(Step::Previous)),
        ("ArrowDown", true) => page.send(Event::StepDetail(Step::Next)),
        ("ArrowLeft", false) if !has_arrow_keys => page.send(Event::StepDetail(Step::Previous)),
        ("ArrowRight", false) if !has_arrow_keys => page.send(Event::StepDetail(Step::Next)),
        _ => return false,
    }
    true
}
