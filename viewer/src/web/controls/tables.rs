//! Scrolls the long tables, of which only the visible rows are in the DOM, moves the focus between their
//! cells, and activates their rows.

use std::cell::Cell;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent, WheelEvent};

use super::touch;
use super::wheel::lines;
use crate::app::{App, Event, Panel, Step};
use crate::scroll_extent::ScrollExtent;
use crate::web::dom::{element, is_visible, listen, log_error, row_px};
use crate::web::page::Page;

pub(super) fn attach(page: &Page, table: Panel) -> Result<(), JsValue> {
    let rows: HtmlElement = element(&page.document(), table.name())?;
    let on_wheel = page.clone();
    let fraction = Cell::new(0.0);
    listen(&rows, "wheel", move |event: WheelEvent| {
        let (first, count, visible) = position(&on_wheel, table);
        let (across, down) = lines(&event, visible);
        if count <= visible || down.abs() < across.abs() {
            return;
        }
        event.prevent_default();
        // A row is a line. The small distances of a touchpad add up to rows.
        let moved = fraction.get() + down;
        fraction.set(moved.fract());
        scroll(&on_wheel, table, first + moved.trunc());
    })?;
    touch::attach(page, table, &rows)?;
    let (on_scroll, container) = (page.clone(), rows.clone());
    listen(&rows, "scroll", move |_: web_sys::Event| {
        let (first, count, visible) = on_scroll.table_position(table);
        let max_first = count.saturating_sub(visible as u64);
        let extent = ScrollExtent { max_first, row_px: row_px(&container) as f64 };
        let position_px = container.scroll_top().into();
        if !extent.is_at(position_px, first) {
            on_scroll.send(Event::Scroll(table, extent.row_at(position_px)));
        }
    })?;
    let on_click = page.clone();
    listen(&rows, "click", move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let is_button = target.is_some_and(|t| t.closest("button").ok().flatten().is_some());
        // A click that ends the selection of text does nothing else.
        let cell = cell_of(&event).filter(|_| !is_button && !has_selected_text());
        if let Some((_, row, column)) = cell {
            on_click.send(Event::ActivateCell(table, row, column));
        }
    })?;
    let (on_key, container) = (page.clone(), rows.clone());
    listen(&rows, "keydown", move |event: KeyboardEvent| {
        if log_error(handle_key(&on_key, table, &container, &event)) == Some(true) {
            event.prevent_default();
        }
    })
}

/// The body cell in which an event happened, with its row and column.
pub(super) fn cell_of(event: &web_sys::Event) -> Option<(HtmlElement, usize, usize)> {
    let target: Element = event.target()?.dyn_into().ok()?;
    let cell: HtmlElement = target.closest("td").ok()??.dyn_into().ok()?;
    let (row, column) = place_of(&cell);
    Some((cell, row, column))
}

/// The row and the column of a cell.
pub(super) fn place_of(cell: &Element) -> (usize, usize) {
    (cell.parent_element().map_or(0, |row| index(&row)), index(cell))
}

/// The number of siblings before an element.
fn index(element: &Element) -> usize {
    let previous = |element: &Element| element.previous_element_sibling();
    std::iter::successors(previous(element), previous).count()
}

fn has_selected_text() -> bool {
    let selection = web_sys::window().and_then(|window| window.get_selection().ok().flatten());
    selection.is_some_and(|selection| !selection.is_collapsed())
}

/// Handles a key in a table. Returns false for other keys.
fn handle_key(
    page: &Page,
    table: Panel,
    container: &HtmlElement,
    event: &KeyboardEvent,
) -> Result<bool, JsValue> {
    let key = &event.key()[..];
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return Ok(false);
    }
    if table == Panel::Packets && page.with_app(App::has_detail) {
        let step = match key {
            "ArrowUp" => Some(Step::Previous),
            "ArrowDown" => Some(Step::Next),
            _ => None,
        };
        if let Some(step) = step {
            // The focus would stay on another row.
            container.focus()?;
            page.send(Event::StepDetail(step));
            return Ok(true);
        }
    }
    let (first, count, visible) = position(page, table);
    let cell = cell_of(event);
    let target = match (key, &cell) {
        ("ArrowDown" | "ArrowUp", Some((cell, row, column))) => {
            let is_down = key == "ArrowDown";
            let row = if is_down { Some(row + 1) } else { row.checked_sub(1) };
            if focus_cell(cell.closest("tbody")?, row, *column)? {
                return Ok(true);
            }
            first + if is_down { 1.0 } else { -1.0 }
        }
        ("ArrowDown", None) => {
            focus_cell(container.query_selector("tbody")?, Some(0), 0)?;
            return Ok(true);
        }
        ("ArrowLeft" | "ArrowRight", Some((cell, ..))) => {
            let step = if key == "ArrowLeft" {
                Element::previous_element_sibling
            } else {
                Element::next_element_sibling
            };
            let cells = std::iter::successors(step(cell), step);
            focus(cells.into_iter().find(is_visible))?;
            return Ok(true);
        }
        ("Enter" | " ", Some((_, row, column))) => {
            page.send(Event::ActivateCell(table, *row, *column));
            return Ok(true);
        }
        ("PageUp", _) => first - visible,
        ("PageDown", _) => first + visible,
        ("Home", _) => 0.0,
        ("End", _) => count - visible,
        _ => return Ok(false),
    };
    scroll(page, table, target);
    Ok(true)
}

/// Focuses a cell of a table's body. Returns false if there is no such row.
fn focus_cell(body: Option<Element>, row: Option<usize>, column: usize) -> Result<bool, JsValue> {
    let item = |element: Element, index: usize| element.children().item(u32::try_from(index).ok()?);
    let row = body.zip(row).and_then(|(body, row)| item(body, row));
    let has_row = row.is_some();
    focus(row.and_then(|row| item(row, column)))?;
    Ok(has_row)
}

fn focus(cell: Option<Element>) -> Result<(), JsValue> {
    match cell.and_then(|cell| cell.dyn_into::<HtmlElement>().ok()) {
        Some(cell) => cell.focus(),
        None => Ok(()),
    }
}

/// The index of the first visible row, the number of rows, and how many are visible.
pub(super) fn position(page: &Page, table: Panel) -> (f64, f64, f64) {
    let (first, count, visible) = page.table_position(table);
    (first as f64, count as f64, visible as f64)
}

/// Makes a row the first visible one.
pub(super) fn scroll(page: &Page, table: Panel, first_row: f64) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
    page.send(Event::Scroll(table, first_row.max(0.0) as u64));
}
