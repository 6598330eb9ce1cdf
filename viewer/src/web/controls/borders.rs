//! Borders that the user can move: between panes, and between the columns of a table.

use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::{Element, KeyboardEvent, PointerEvent};

use crate::web::dom::listen;

/// A key press on a border moves it by this distance.
const STEP_PX: f64 = 20.0;

/// The size that a border changes.
pub(super) struct Border {
    /// The border is vertical: it moves to the left and to the right.
    pub(super) is_vertical: bool,
    /// 1 if the size grows to the right or downwards, -1 if it grows upwards.
    pub(super) sign: f64,
    /// The current size in CSS pixels.
    pub(super) size_px: Box<dyn Fn() -> f64>,
    /// Changes the size.
    pub(super) resize: Box<dyn Fn(f64)>,
}

/// Lets the user drag a border, and move it with the arrow keys.
pub(super) fn attach(separator: &Element, border: Border) -> Result<(), JsValue> {
    let border = Rc::new(border);
    let position = |border: &Border, event: &PointerEvent| {
        let px = if border.is_vertical { event.client_x() } else { event.client_y() };
        border.sign * f64::from(px)
    };
    // While dragging, the size minus the position.
    let offset = Rc::new(Cell::new(None));
    let (started, target, dragged) = (offset.clone(), separator.clone(), border.clone());
    listen(separator, "pointerdown", move |event: PointerEvent| {
        // If the browser refuses, dragging ends at the border of the element.
        let _ = target.set_pointer_capture(event.pointer_id());
        started.set(Some((dragged.size_px)() - position(&dragged, &event)));
    })?;
    let (moved, dragged) = (offset.clone(), border.clone());
    listen(separator, "pointermove", move |event: PointerEvent| {
        if let Some(offset) = moved.get() {
            (dragged.resize)(offset + position(&dragged, &event));
        }
    })?;
    for name in ["pointerup", "pointercancel"] {
        let ended = offset.clone();
        listen(separator, name, move |_: PointerEvent| ended.set(None))?;
    }
    listen(separator, "keydown", move |event: KeyboardEvent| {
        let step_px = match (event.key().as_str(), border.is_vertical) {
            ("ArrowRight", true) | ("ArrowDown", false) => STEP_PX,
            ("ArrowLeft", true) | ("ArrowUp", false) => -STEP_PX,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        (border.resize)((border.size_px)() + border.sign * step_px);
    })
}
