//! The layout: tabs, borders between panes, menus, and moving the focus between panes.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, KeyboardEvent, Storage};

use super::borders::{self, Border};
use crate::app::Event;
use crate::link::{fragment, pairs};
use crate::text::fixed;
use crate::web::dom::{elements, listen, log_error};
use crate::web::page::Page;

/// The key under which the browser stores the layout.
const STORAGE_KEY: &str = "layout";
/// The width of the widest menu.
const MAX_MENU_PX: f64 = 340.0;
/// The panes, the elements that contain them, and those that get the focus; the first visible one.
const PANES: [(&str, &str, &str); 5] = [
    ("filter", "#selection", "#filter"),
    ("charts", "#timeline", "#timeline canvas"),
    ("top", "#top", "#top canvas"),
    ("table", "#tables", "#tables .rows, #connection .stream, #connection canvas"),
    ("detail", "#detail", "#inspector [tabindex=\"0\"], #detail-line"),
];

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    for separator in elements(&document, "[data-resize]")? {
        attach_separator(page, &separator)?;
    }
    for tabs in elements(&document, "[role=tablist]")? {
        attach_tabs(&tabs)?;
    }
    for menu in elements(&document, ".menu:not(#page-menu, #help)")? {
        place_menu(&menu)?;
    }
    Ok(())
}

/// Changes the layout and stores it in the browser.
pub(super) fn set_layout(page: &Page, key: &str, value: &str) {
    page.send(Event::Set(key.to_owned(), value.to_owned()));
    let changed = page.with_app(|app| app.settings().layout.changed());
    if let Some(storage) = storage() {
        // A full or forbidden storage costs only the memory of the layout.
        let _ = storage.set_item(STORAGE_KEY, &fragment(&changed));
    }
}

/// Applies the stored layout.
pub(super) fn restore(page: &Page) {
    let stored = storage().and_then(|storage| storage.get_item(STORAGE_KEY).ok().flatten());
    for (key, value) in pairs(&stored.unwrap_or_default()) {
        page.send(Event::Set(key, value));
    }
}

fn storage() -> Option<Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}

/// Focuses a pane, or the chart with this name. Does nothing if it is hidden.
pub(super) fn focus_pane(page: &Page, name: &str) -> Result<(), JsValue> {
    let chart = format!("#{name}");
    let pane = PANES.iter().find(|pane| pane.0 == name);
    match visible(&page.document(), pane.map_or(&chart, |pane| pane.2))? {
        Some(target) => target.focus(),
        None => Ok(()),
    }
}

/// Focuses the pane after the one that has the focus, or the one before it.
pub(super) fn focus_next_pane(page: &Page, is_backward: bool) -> Result<(), JsValue> {
    let document = page.document();
    let focused = document.active_element();
    let mut targets = Vec::new();
    for (_, pane, selector) in PANES {
        targets.extend(visible(&document, selector)?.map(|target| (pane, target)));
    }
    let is_current = |(pane, _): &(&str, HtmlElement)| {
        focused.as_ref().is_some_and(|focused| focused.closest(pane).ok().flatten().is_some())
    };
    let count = targets.len();
    let next = match targets.iter().position(is_current) {
        Some(current) => (current + if is_backward { count - 1 } else { 1 }) % count,
        None => 0,
    };
    targets.get(next).map_or(Ok(()), |(_, target)| target.focus())
}

fn visible(document: &Document, selector: &str) -> Result<Option<HtmlElement>, JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    for element in elements(document, selector)? {
        let is_visible = element.get_client_rects().length() > 0
            && window.get_computed_style(&element)?.is_some_and(|style| {
                style.get_property_value("visibility").as_deref() == Ok("visible")
            });
        if is_visible {
            return Ok(element.dyn_into().ok());
        }
    }
    Ok(None)
}

/// Lets the user move the border of a pane, which grows to the right, downwards, or, below the border,
/// upwards.
fn attach_separator(page: &Page, separator: &Element) -> Result<(), JsValue> {
    let key = separator.get_attribute("data-resize").unwrap_or_default();
    let (measured, measured_key, page) = (page.clone(), key.clone(), page.clone());
    let border = Border {
        is_vertical: separator.get_attribute("aria-orientation").as_deref() == Some("vertical"),
        sign: if key == "detail" { -1.0 } else { 1.0 },
        size_px: Box::new(move || {
            let size = measured.with_app(|app| app.settings().get(&measured_key));
            // Not parsed as a float, which would add tables of 13 kB to the page.
            f64::from(size.parse::<u16>().unwrap_or(0))
        }),
        resize: Box::new(move |px| set_layout(&page, &key, &fixed(px.max(0.0), 0))),
    };
    borders::attach(separator, border)
}

/// The arrow keys move between the tabs of a list.
fn attach_tabs(tabs: &Element) -> Result<(), JsValue> {
    listen(tabs, "keydown", move |event: KeyboardEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let Some(tab) = target else { return };
        let next = match event.key().as_str() {
            "ArrowRight" => tab.next_element_sibling(),
            "ArrowLeft" => tab.previous_element_sibling(),
            _ => return,
        };
        event.prevent_default();
        if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
            next.click();
            // An element that cannot be focused stays selected.
            let _ = next.focus();
        }
    })
}

/// Opens a menu below its button, or above it in the lower part of the window.
fn place_menu(menu: &Element) -> Result<(), JsValue> {
    let menu: HtmlElement = menu.clone().dyn_into()?;
    let opened = menu.clone();
    listen(&menu, "beforetoggle", move |_: web_sys::Event| {
        log_error(place(&opened));
    })
}

fn place(menu: &HtmlElement) -> Result<(), JsValue> {
    let Some(button) = menu.previous_element_sibling() else { return Ok(()) };
    let root = button.owner_document().and_then(|document| document.document_element());
    let root = root.ok_or("no root element")?;
    let (width, height) = (f64::from(root.client_width()), f64::from(root.client_height()));
    let rect = button.get_bounding_client_rect();
    let px = |distance: f64| format!("{}px", fixed(distance.max(8.0), 2));
    let (top, bottom) = if rect.bottom() < height / 2.0 {
        (px(rect.bottom()), "auto".to_owned())
    } else {
        ("auto".to_owned(), px(height - rect.top()))
    };
    let style = menu.style();
    style.set_property("top", &top)?;
    style.set_property("bottom", &bottom)?;
    // Aligned with the right edge of the button, but within the window.
    style.set_property("right", &px((width - rect.right()).min(width - MAX_MENU_PX)))
}
