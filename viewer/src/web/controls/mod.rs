//! Turns DOM events into app events: files, buttons, form controls, keys, pointers.
//!
//! `index.html` declares the controls: `data-action` names the action of a button, with the argument
//! `data-arg`; `data-setting` is the setting that a control changes; `data-panel` is the panel
//! around it.

mod actions;
mod borders;
mod charts;
mod columns;
mod files;
mod form;
mod keyboard;
mod layout;
mod observers;
mod suggestions;
mod tables;
mod touch;
mod value_menu;
mod wheel;

use wasm_bindgen::JsValue;

use super::page::Page;
use crate::app::{App, CHART_COUNT, Event, Panel};
use crate::web::address::is_own_entry;
use crate::web::dom::listen;

/// Listens to all controls, for the lifetime of the page, and restores the state in the address.
pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    actions::attach(page)?;
    files::attach(page)?;
    suggestions::attach(page)?;
    form::attach(page)?;
    keyboard::attach(page)?;
    for chart in &Panel::ALL[..CHART_COUNT] {
        charts::attach(page, *chart)?;
    }
    for table in &Panel::ALL[CHART_COUNT..] {
        tables::attach(page, *table)?;
        columns::attach(page, *table)?;
    }
    value_menu::attach(page)?;
    layout::attach(page)?;
    observers::attach(page)?;
    let window = web_sys::window().ok_or("no window")?;
    let on_change = page.clone();
    listen(&window, "hashchange", move |_: web_sys::Event| {
        if !is_own_entry() {
            restore(&on_change);
        }
    })?;
    let on_visit = page.clone();
    listen(&window, "popstate", move |_: web_sys::Event| {
        on_visit.visit_entry(&hash().unwrap_or_default());
    })?;
    let on_leave = page.clone();
    listen(&window, "pagehide", move |_: web_sys::Event| on_leave.write_link())?;
    layout::restore(page);
    if !window.location().hash()?.is_empty() {
        restore(page);
    }
    Ok(())
}

/// The fragment of the address, with its `#`; empty if there is none.
fn hash() -> Option<String> {
    web_sys::window()?.location().hash().ok()
}

/// Restores the state in the fragment of the address, unless the page itself put it there.
fn restore(page: &Page) {
    let current = page.with_app(App::link);
    if let Some(hash) = hash().filter(|hash| hash.trim_start_matches('#') != current) {
        page.send(Event::RestoreLink(hash));
    }
}
