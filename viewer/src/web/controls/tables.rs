//! Scrolls the long tables. Only their visible rows are in the DOM.

use std::cell::Cell;
use wasm_bindgen::JsValue;
use web_sys::{HtmlElement, KeyboardEvent, WheelEvent};

use super::wheel::lines;
use crate::app::{App, Event, Panel, Step};
use crate::web::dom::{element, listen};
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
    let on_key = page.clone();
    listen(&rows, "keydown", move |event: KeyboardEvent| {
        if table == Panel::Packets && on_key.with_app(App::has_detail) {
            let step = match event.key().as_str() {
                "ArrowUp" => Some(Step::Previous),
                "ArrowDown" => Some(Step::Next),
                _ => None,
            };
            if let Some(step) = step {
                event.prevent_default();
                return on_key.send(Event::StepDetail(step));
            }
        }
        let (first, count, visible) = position(&on_key, table);
        let target = match event.key().as_str() {
            "ArrowUp" => first - 1.0,
            "ArrowDown" => first + 1.0,
            "PageUp" => first - visible,
            "PageDown" => first + visible,
            "Home" => 0.0,
            "End" => count - visible,
            _ => return,
        };
        event.prevent_default();
        scroll(&on_key, table, target);
    })
}

fn position(page: &Page, table: Panel) -> (f64, f64, f64) {
    let (first, count, visible) = page.table_position(table);
    (first as f64, count as f64, visible as f64)
}

fn scroll(page: &Page, table: Panel, first_row: f64) {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
    page.send(Event::Scroll(table, first_row.max(0.0) as u64));
}
