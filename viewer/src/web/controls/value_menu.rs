//! The menu of a table cell or ranking bar: filter by its value, exclude it, copy it. It opens with the
//! right mouse button, the menu key or a long press, and from a button in the cell or at the bar under the
//! pointer.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, KeyboardEvent, MouseEvent, Node};

use super::tables::cell_of;
use crate::app::{CHART_COUNT, CellValue, Panel};
use crate::text::fixed;
use crate::web::dom::{
    aria_bool, element, elements, listen, log_error, set_attribute, set_flag, set_text, set_visible,
};
use crate::web::page::Page;

/// Marks the element whose menu is open.
const SOURCE: &str = "data-menu-source";
/// The bar at which the button is.
const BAR: &str = "data-bar";

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    for panel in [Panel::Ports, Panel::Sources, Panel::Destinations, Panel::Protocols] {
        attach_ranking(page, panel)?;
    }
    for table in &Panel::ALL[CHART_COUNT..] {
        attach_table(page, *table)?;
    }
    let menu: HtmlElement = element(&document, "value-menu")?;
    listen(&menu, "keydown", move |event: KeyboardEvent| {
        log_error(handle_key(&event));
    })?;
    let inside = document.clone();
    listen(&document, "pointerdown", move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        if !menu.contains(target.as_ref()) && is_open(&menu) {
            log_error(close(&inside));
        }
    })
}

fn is_open(menu: &HtmlElement) -> bool {
    menu.matches(":popover-open").unwrap_or(false)
}

fn attach_ranking(page: &Page, panel: Panel) -> Result<(), JsValue> {
    attach_bar_button(page, panel)?;
    let (page, canvas) = (page.clone(), page.canvas(panel));
    let source: HtmlElement = canvas.clone().into();
    listen(&canvas, "contextmenu", move |event: MouseEvent| {
        // The menu key opens the menu of the bar at the keyboard cursor.
        let value = page.with_app(|app| {
            let bar = app.bar_at(panel, None).filter(|_| event.button() != 2);
            let bar = bar.or_else(|| app.bar_at(panel, Some(event.offset_y().into())));
            app.cell_value(panel, bar?, 0)
        });
        if let Some(value) = value {
            event.prevent_default();
            log_error(open(&page.document(), &value, &source, position(&event)));
        }
    })
}

/// Shows the button at the bar under the pointer or at the keyboard cursor.
fn attach_bar_button(page: &Page, panel: Panel) -> Result<(), JsValue> {
    let canvas: HtmlElement = page.canvas(panel).into();
    let button: HtmlElement = element(&page.document(), "value-button")?;
    let section = canvas.parent_element().ok_or("no panel")?;
    let (on_move, moved) = (page.clone(), canvas.clone());
    listen(&canvas, "pointermove", move |event: MouseEvent| {
        log_error(place_at_bar(&on_move, panel, &moved, Some(event.offset_y().into())));
    })?;
    for name in ["focus", "keyup"] {
        let (page, canvas) = (page.clone(), canvas.clone());
        listen(&canvas.clone(), name, move |_: web_sys::Event| {
            log_error(place_at_bar(&page, panel, &canvas, None));
        })?;
    }
    let left = button.clone();
    listen(&section, "pointerleave", move |_: web_sys::Event| set_visible(&left, false))?;
    let page = page.clone();
    listen(&section, "click", move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        let bar = button.get_attribute(BAR).and_then(|bar| bar.parse().ok());
        if let Some(bar) = bar.filter(|_| button.contains(target.as_ref()))
            && let Some(value) = page.with_app(|app| app.cell_value(panel, bar, 0))
        {
            let rect = button.get_bounding_client_rect();
            log_error(open(&page.document(), &value, &canvas, (rect.right(), rect.bottom())));
        }
    })
}

/// Shows the button at the right end of the bar at a pixel of the canvas, or at its keyboard cursor.
fn place_at_bar(
    page: &Page,
    panel: Panel,
    canvas: &HtmlElement,
    y_px: Option<f64>,
) -> Result<(), JsValue> {
    let button: HtmlElement = element(&page.document(), "value-button")?;
    let bar =
        page.with_app(|app| app.bar_at(panel, y_px).map(|bar| (bar, app.bar_row(panel, bar))));
    set_visible(&button, bar.is_some());
    let (Some((bar, (top, height))), Some(section)) = (bar, canvas.parent_element()) else {
        return Ok(());
    };
    if button.parent_element().as_ref() != Some(&section) {
        section.append_child(&button)?;
    }
    set_attribute(&button, BAR, &bar.to_string());
    let style = button.style();
    style.set_property("top", &px(f64::from(canvas.offset_top()) + top))?;
    style.set_property("height", &px(height))?;
    let right = canvas.offset_left() + canvas.offset_width();
    style.set_property("left", &px(f64::from(right - button.offset_width())))
}

fn attach_table(page: &Page, table: Panel) -> Result<(), JsValue> {
    let document = page.document();
    let rows: HtmlElement = element(&document, table.name())?;
    let on_menu = page.clone();
    listen(&rows, "contextmenu", move |event: MouseEvent| {
        log_error(open_cell(&on_menu, table, &event, position(&event)));
    })?;
    for name in ["pointerover", "focusin"] {
        let (page, rows) = (page.clone(), rows.clone());
        listen(&rows.clone(), name, move |event: web_sys::Event| {
            log_error(place_button(&page, table, &rows, &event));
        })?;
    }
    for name in ["pointerleave", "scroll"] {
        let button: Element = element(&document, "value-button")?;
        listen(&rows, name, move |_: web_sys::Event| set_visible(&button, false))?;
    }
    let (on_click, button) = (page.clone(), element::<HtmlElement>(&document, "value-button")?);
    listen(&rows, "click", move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
        if button.contains(target.as_ref()) {
            let rect = button.get_bounding_client_rect();
            log_error(open_source(&on_click, table, (rect.right(), rect.bottom())));
        }
    })
}

fn position(event: &MouseEvent) -> (f64, f64) {
    (f64::from(event.client_x()), f64::from(event.client_y()))
}

fn open_cell(page: &Page, table: Panel, event: &MouseEvent, at: (f64, f64)) -> Result<(), JsValue> {
    let Some((cell, row, column)) = cell_of(event) else { return Ok(()) };
    let value = page.with_app(|app| app.cell_value(table, row, column));
    let Some(value) = value.filter(|value| !value.text.is_empty()) else {
        return Ok(());
    };
    event.prevent_default();
    open(&page.document(), &value, &cell, at)
}

/// Opens the menu of the cell that has the button.
fn open_source(page: &Page, table: Panel, at: (f64, f64)) -> Result<(), JsValue> {
    let document = page.document();
    let Some(cell) = document.query_selector(&format!("[{SOURCE}]"))? else { return Ok(()) };
    let cell: HtmlElement = cell.dyn_into()?;
    let (row, column) = super::tables::place_of(&cell);
    match page.with_app(|app| app.cell_value(table, row, column)) {
        Some(value) => open(&document, &value, &cell, at),
        None => Ok(()),
    }
}

/// Shows the button at the right end of the cell under the pointer or with the focus.
fn place_button(
    page: &Page,
    table: Panel,
    rows: &HtmlElement,
    event: &web_sys::Event,
) -> Result<(), JsValue> {
    let button: HtmlElement = element(&page.document(), "value-button")?;
    let Some((cell, row, column)) = cell_of(event) else { return Ok(()) };
    let value = page.with_app(|app| app.cell_value(table, row, column));
    let (rect, limit) = (cell.get_bounding_client_rect(), rows.get_bounding_client_rect());
    // At the end of a cell that is cut off, it would cover the text.
    let is_cut = limit.left() + f64::from(rows.client_width()) + 1.0 < rect.right();
    set_visible(&button, !is_cut && value.is_some_and(|value| !value.text.is_empty()));
    if button.parent_element().as_ref() != Some(rows) {
        rows.append_child(&button)?;
    }
    set_source(&page.document(), &cell)?;
    let style = button.style();
    // It scrolls with the rows.
    style.set_property("top", &px(rect.top() - limit.top() + f64::from(rows.scroll_top())))?;
    style.set_property("height", &px(rect.height()))?;
    let right = rect.right() - limit.left() + f64::from(rows.scroll_left());
    style.set_property("left", &px(right - f64::from(button.offset_width())))
}

fn px(distance: f64) -> String {
    format!("{}px", fixed(distance.max(0.0), 0))
}

fn set_source(document: &Document, source: &HtmlElement) -> Result<(), JsValue> {
    for marked in elements(document, &format!("[{SOURCE}]"))? {
        set_flag(&marked, SOURCE, false);
    }
    set_flag(source, SOURCE, true);
    Ok(())
}

/// Opens the menu of a value at a position in the window.
fn open(
    document: &Document,
    value: &CellValue,
    source: &HtmlElement,
    at: (f64, f64),
) -> Result<(), JsValue> {
    let menu: HtmlElement = element(document, "value-menu")?;
    set_source(document, source)?;
    set_text(&element(document, "value-text")?, &value.text);
    let filter = value.filter.as_deref();
    for (action, arg) in
        [("filter-value", filter), ("exclude-value", filter), ("copy-value", Some(&value.text[..]))]
    {
        if let Some(button) = menu.query_selector(&format!("[data-action={action}]"))? {
            set_attribute(&button, "data-arg", arg.unwrap_or_default());
            set_attribute(&button, "aria-disabled", aria_bool(arg.is_none()));
        }
    }
    if let Some(button) = menu.query_selector("[data-action=open-connection]")? {
        set_attribute(&button, "data-arg", value.connection.as_deref().unwrap_or_default());
        set_visible(&button, value.connection.is_some());
    }
    if !is_open(&menu) {
        menu.show_popover()?;
    }
    let root = document.document_element().ok_or("no root element")?;
    let fit = |at: f64, size: i32, limit: i32| at.min(f64::from(limit - size - 8));
    let style = menu.style();
    style.set_property("left", &px(fit(at.0, menu.offset_width(), root.client_width())))?;
    style.set_property("top", &px(fit(at.1, menu.offset_height(), root.client_height())))?;
    focus(menu.query_selector("button")?)
}

fn focus(element: Option<Element>) -> Result<(), JsValue> {
    match element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        Some(element) => element.focus(),
        None => Ok(()),
    }
}

/// Closes the menu and moves the focus back.
pub(super) fn close(document: &Document) -> Result<(), JsValue> {
    element::<HtmlElement>(document, "value-menu")?.hide_popover()?;
    focus(document.query_selector(&format!("[{SOURCE}]"))?)
}

/// The arrow keys move between the buttons, Escape and Tab close the menu.
fn handle_key(event: &KeyboardEvent) -> Result<(), JsValue> {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target else { return Ok(()) };
    match event.key().as_str() {
        "ArrowDown" => focus(button.next_element_sibling())?,
        "ArrowUp" => focus(button.previous_element_sibling().filter(|e| e.id().is_empty()))?,
        "Escape" | "Tab" => close(&button.owner_document().ok_or("no document")?)?,
        _ => return Ok(()),
    }
    event.prevent_default();
    event.stop_propagation();
    Ok(())
}
