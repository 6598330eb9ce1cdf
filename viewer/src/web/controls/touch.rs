//! Scrolls the rows of very long tables with the finger. Their positions are scaled: the browser, which
//! scrolls other tables, would move too far.

use js_sys::Date;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, PointerEvent};

use super::tables::{position, scroll};
use crate::app::Panel;
use crate::momentum::{Finger, Momentum};
use crate::web::dom::{SCALED, listen, log_error};
use crate::web::page::Page;

/// What moves a table.
enum Movement {
    /// Nothing.
    Rest,
    /// A finger that touched the table at this first row and this vertical position in CSS pixels.
    Finger { first: f64, y: f64, finger: Finger },
    /// The momentum of a finger that has left.
    Momentum(Momentum),
}

#[derive(Clone)]
struct Table {
    page: Page,
    panel: Panel,
    rows: HtmlElement,
    movement: Rc<RefCell<Movement>>,
}

pub(super) fn attach(page: &Page, panel: Panel, rows: &HtmlElement) -> Result<(), JsValue> {
    let movement = Rc::new(RefCell::new(Movement::Rest));
    let table = Table { page: page.clone(), panel, rows: rows.clone(), movement };
    let touched = table.clone();
    listen(rows, "pointerdown", move |event: PointerEvent| touched.touch(&event))?;
    let moved = table.clone();
    listen(rows, "pointermove", move |event: PointerEvent| moved.follow(&event))?;
    let released = table.clone();
    listen(rows, "pointerup", move |_: PointerEvent| released.release())?;
    let wheeled = table.clone();
    listen(rows, "wheel", move |_: web_sys::Event| wheeled.stop())?;
    listen(rows, "pointercancel", move |_: PointerEvent| table.stop())
}

impl Table {
    fn touch(&self, event: &PointerEvent) {
        let is_finger = event.pointer_type() == "touch" && event.is_primary();
        let (first, ..) = position(&self.page, self.panel);
        *self.movement.borrow_mut() = match is_finger && self.rows.has_attribute(SCALED) {
            true => {
                Movement::Finger { first, y: event.client_y().into(), finger: Finger::default() }
            }
            false => Movement::Rest,
        };
    }

    fn follow(&self, event: &PointerEvent) {
        let row = self.rows.query_selector("tbody tr").ok().flatten();
        let height = row.map_or(0.0, |row| row.get_bounding_client_rect().height());
        if !event.is_primary() || height <= 0.0 {
            return;
        }
        let target = match &mut *self.movement.borrow_mut() {
            Movement::Finger { first, y, finger } => {
                let row = *first + (*y - f64::from(event.client_y())) / height;
                finger.moved(Date::now(), row);
                row
            }
            _ => return,
        };
        scroll(&self.page, self.panel, target);
    }

    fn release(&self) {
        let momentum = match &*self.movement.borrow() {
            Movement::Finger { finger, .. } => finger.released(Date::now()),
            _ => return,
        };
        *self.movement.borrow_mut() = momentum.map_or(Movement::Rest, Movement::Momentum);
        if momentum.is_some() {
            self.schedule();
        }
    }

    fn stop(&self) {
        *self.movement.borrow_mut() = Movement::Rest;
    }

    /// Scrolls with the next frame, and with those after it until the movement ends.
    fn schedule(&self) {
        let table = self.clone();
        let frame = Closure::once_into_js(move || table.advance());
        if let Some(window) = web_sys::window() {
            log_error(window.request_animation_frame(frame.unchecked_ref()));
        }
    }

    fn advance(&self) {
        let Movement::Momentum(momentum) = *self.movement.borrow() else { return };
        let (row, goes_on) = momentum.at(Date::now());
        scroll(&self.page, self.panel, row);
        let (_, count, visible) = position(&self.page, self.panel);
        let is_inside = 0.0 < row && row < count - visible;
        if goes_on && is_inside {
            self.schedule();
        } else {
            self.stop();
        }
    }
}
