//! Pointers, wheels and keys in a chart.

use wasm_bindgen::JsValue;
use web_sys::{KeyboardEvent, MouseEvent, PointerEvent, WheelEvent};

use super::wheel::lines;
use crate::app::{Event, Key, Panel, ZOOM_STEP};
use crate::settings::Tool;
use crate::web::dom::listen;
use crate::web::page::Page;

/// Lines, as a wheel scrolls them, that pan by the width of the plot.
const LINES_PER_PLOT: f64 = 30.0;
/// Lines that zoom by one step: a notch of a common wheel.
const LINES_PER_ZOOM_STEP: f64 = 3.0;

pub(super) fn attach(page: &Page, chart: Panel) -> Result<(), JsValue> {
    if matches!(chart, Panel::Throughput | Panel::Scatter | Panel::Overview) {
        attach_zoom(page, chart)?;
    }
    attach_pointer(page, chart)?;
    let (canvas, page) = (page.canvas(chart), page.clone());
    listen(&canvas, "keydown", move |event: KeyboardEvent| {
        // Shortcuts of the browser.
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        // Escape cancels a gesture, else restores a maximized chart.
        let restores =
            page.with_app(|app| app.settings().layout.maximized.is_some() && !app.has_gesture());
        let key = Key::parse(&event.key());
        if let Some(key) = key.filter(|key| *key != Key::Escape || !restores) {
            event.prevent_default();
            page.send(Event::KeyDown(chart, key, event.shift_key()));
        }
    })
}

fn attach_zoom(page: &Page, chart: Panel) -> Result<(), JsValue> {
    let canvas = page.canvas(chart);
    let on_wheel = page.clone();
    listen(&canvas, "wheel", move |event: WheelEvent| {
        let at = (f64::from(event.offset_x()), f64::from(event.offset_y()));
        let (across, down) = lines(&event, LINES_PER_PLOT);
        // Pinching on a touchpad is reported as Ctrl+scroll.
        let is_zoom = event.ctrl_key() || event.meta_key();
        if !is_zoom && across.abs() <= down.abs() {
            return; // scrolls the pane
        }
        event.prevent_default();
        if !is_zoom {
            on_wheel.send(Event::Pan(chart, (across / LINES_PER_PLOT, 0.0)));
        } else if down != 0.0 {
            let steps = (down / LINES_PER_ZOOM_STEP).clamp(-1.0, 1.0);
            // `powf` would add 1 kB to the page.
            let factor = 1.0 + steps.abs() * (ZOOM_STEP - 1.0);
            let factor = if steps < 0.0 { 1.0 / factor } else { factor };
            on_wheel.send(Event::Zoom { panel: chart, at: Some(at), factor });
        }
    })
}

fn attach_pointer(page: &Page, chart: Panel) -> Result<(), JsValue> {
    let canvas = page.canvas(chart);
    let (on_press, target) = (page.clone(), canvas.clone());
    listen(&canvas, "pointerdown", move |event: PointerEvent| {
        if event.button() != 0 {
            return;
        }
        // If the browser refuses, the gesture ends where the pointer leaves the canvas.
        let _ = target.set_pointer_capture(event.pointer_id());
        let tool = match (event.shift_key(), event.alt_key()) {
            (true, _) => Some(Tool::Box),
            (_, true) => Some(Tool::Lasso),
            _ => None,
        };
        on_press.send(Event::PointerDown(chart, position(&event), tool));
    })?;
    let on_double_click = page.clone();
    listen(&canvas, "dblclick", move |event: MouseEvent| {
        on_double_click.send(Event::DoubleClick(chart, position(&event)));
    })?;
    let on_move = page.clone();
    listen(&canvas, "pointermove", move |event: PointerEvent| {
        on_move.send(Event::PointerMove(chart, position(&event)));
    })?;
    for (name, event) in [
        ("pointerup", Event::PointerUp),
        ("pointercancel", Event::PointerCancel),
        ("pointerleave", Event::PointerLeave),
    ] {
        let page = page.clone();
        listen(&canvas, name, move |_: PointerEvent| page.send(event.clone()))?;
    }
    Ok(())
}

/// The position on the canvas, in CSS pixels.
fn position(event: &MouseEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}
