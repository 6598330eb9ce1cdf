//! The plot of sequence numbers: canvas, pointer and keyboard.

use viewer_dom::{Canvas, append, new_element, set_text};
use viewer_model::scene::{Scene, Theme};
use viewer_model::text::integer;
use viewer_model::time::duration;
use wasm_bindgen::prelude::*;
use web_sys::{
    Document, Element, HtmlCanvasElement, KeyboardEvent, PointerEvent, WheelEvent, Window,
};

use crate::plot::{Overlay, Plot};
use crate::sequence::{Sequence, Values};
use crate::text::count_text;
use crate::{Connection, Side};

/// A shorter drag is a click.
const MIN_DRAG_PX: f64 = 4.0;
/// The factor of one step of zooming.
const ZOOM_STEP: f64 = 1.5;

/// What the user wants.
#[derive(Clone, Copy)]
pub(super) enum Action {
    /// See the details of a packet, given by its index in the connection.
    ShowPacket(usize),
    /// Select the packets in a range of time, in nanoseconds since the epoch.
    SelectTime(i64, i64),
}

pub(super) struct PlotView {
    pub(super) element: Element,
    canvas: Canvas,
    readout: Element,
    sequence: Sequence,
    /// The range of time that is shown; `None` for everything.
    zoom: Option<(i64, i64)>,
    overlay: Overlay,
    /// The time range that the page has selected, in nanoseconds since the epoch.
    selected: Option<(i64, i64)>,
    /// Where a drag has begun.
    pressed_px: Option<f64>,
    /// The pointer has moved since then.
    is_dragged: bool,
    /// Where the keyboard selection has begun.
    anchor_ns: Option<i64>,
}

impl PlotView {
    pub(super) fn new(document: &Document) -> Result<Self, JsValue> {
        let element = new_element(document, "div", "")?;
        element.set_class_name("sequence");
        let readout = new_element(document, "p", "")?;
        readout.set_class_name("secondary");
        readout.set_attribute("role", "status")?;
        append(&element, &readout)?;
        let canvas: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
        for (name, value) in [
            ("role", "application"),
            ("aria-roledescription", "chart"),
            ("aria-label", "Sequence numbers over time"),
            ("tabindex", "0"),
        ] {
            canvas.set_attribute(name, value)?;
        }
        append(&element, &canvas)?;
        Ok(Self {
            element,
            canvas: Canvas::new(canvas)?,
            readout,
            sequence: Sequence::default(),
            zoom: None,
            overlay: Overlay::default(),
            selected: None,
            pressed_px: None,
            is_dragged: false,
            anchor_ns: None,
        })
    }

    pub(super) fn canvas(&self) -> &HtmlCanvasElement {
        self.canvas.element()
    }

    /// Shows a direction of a connection.
    pub(super) fn show(&mut self, connection: &Connection, sender: Side) -> Result<(), JsValue> {
        self.sequence = Sequence::of(connection, sender);
        (self.zoom, self.overlay) = (None, Overlay { brush: self.selected_brush(), cursor: None });
        (self.pressed_px, self.is_dragged, self.anchor_ns) = (None, false, None);
        self.describe();
        self.draw()
    }

    /// Marks the packets in a time range, in nanoseconds since the epoch, or none.
    pub(super) fn mark_time(&mut self, time: Option<(i64, i64)>) -> Result<(), JsValue> {
        self.selected = time;
        self.overlay.brush = self.selected_brush();
        self.draw()
    }

    /// The selected time range, if it contains packets of the connection.
    fn selected_brush(&self) -> Option<(i64, i64)> {
        let start = self.sequence.start_ns;
        let brush =
            self.selected.map(|(from, to)| (from.saturating_sub(start), to.saturating_sub(start)));
        brush.filter(|(from, to)| {
            self.sequence.points.iter().any(|point| (from..=to).contains(&&point.ns))
        })
    }

    /// Draws the plot, if it is visible.
    pub(super) fn draw(&mut self) -> Result<(), JsValue> {
        let canvas = self.canvas();
        let plot = self.plot();
        if canvas.client_width() == 0 || canvas.client_height() == 0 {
            return Ok(());
        }
        let window = web_sys::window().ok_or("no window")?;
        let scene = plot.scene(&self.sequence, self.overlay, theme(&window)?);
        self.canvas.draw(scene, window.device_pixel_ratio())
    }

    /// The plot without cursor and selection.
    pub(super) fn scene(&self) -> Result<Scene, JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        Ok(self.plot().scene(&self.sequence, Overlay::default(), theme(&window)?))
    }

    fn plot(&self) -> Plot {
        let canvas = self.canvas();
        let (width, height) = (canvas.client_width().into(), canvas.client_height().into());
        Plot::new(&self.sequence, self.zoom, width, height)
    }

    /// The packet at the cursor, or the findings of the direction.
    fn describe(&self) {
        let point = self.overlay.cursor.and_then(|cursor| self.sequence.points.get(cursor));
        let text = match point {
            Some(point) => {
                let numbers = match point.values {
                    Values::Segment { from, to } => {
                        let len = count_text((to - from).unsigned_abs(), "number");
                        format!("sequence numbers {}–{} ({len})", integer(from), integer(to - 1))
                    }
                    Values::Ack { ack, edge } => {
                        format!("ACK {}, window to {}", integer(ack), integer(edge))
                    }
                };
                let finding = point.finding.map(|finding| format!(", {}", finding.name()));
                let (n, after) = (integer(point.n), duration(point.ns));
                format!(
                    "Packet {n}, {after} after the first: {numbers}{}",
                    finding.unwrap_or_default()
                )
            }
            None => {
                let findings = match self.sequence.findings() {
                    none if none.is_empty() => "No findings".to_owned(),
                    findings => format!("Findings: {findings}"),
                };
                let scale = match self.sequence.is_scaled {
                    true => "",
                    false => " · window not scaled: the scale is not in the file",
                };
                format!("{findings}{scale}")
            }
        };
        set_text(&self.readout, &text);
    }

    fn move_cursor(&mut self, cursor: Option<usize>) -> Result<(), JsValue> {
        if self.overlay.cursor != cursor {
            self.overlay.cursor = cursor;
            self.describe();
            self.draw()?;
        }
        Ok(())
    }

    fn position(event: &PointerEvent) -> (f64, f64) {
        (event.offset_x().into(), event.offset_y().into())
    }

    pub(super) fn pointer_down(&mut self, event: &PointerEvent) -> Result<(), JsValue> {
        if event.button() == 0 {
            self.pressed_px = Some(Self::position(event).0);
            (self.is_dragged, self.anchor_ns) = (false, None);
            self.canvas().set_pointer_capture(event.pointer_id())?;
        }
        Ok(())
    }

    pub(super) fn pointer_move(&mut self, event: &PointerEvent) -> Result<(), JsValue> {
        let (at, plot) = (Self::position(event), self.plot());
        match self.pressed_px.filter(|from| MIN_DRAG_PX <= (at.0 - from).abs()) {
            Some(from) => {
                let (a, b) = (plot.time_at(from), plot.time_at(at.0));
                self.is_dragged = true;
                self.overlay.brush = Some((a.min(b), a.max(b)));
                self.draw()
            }
            None => self.move_cursor(plot.nearest(&self.sequence, at)),
        }
    }

    pub(super) fn pointer_up(&mut self, event: &PointerEvent) -> Option<Action> {
        self.pressed_px.take()?;
        match self.overlay.brush.filter(|_| self.is_dragged) {
            Some(brush) => Some(self.select(brush)),
            None => {
                let nearest = self.plot().nearest(&self.sequence, Self::position(event))?;
                Some(Action::ShowPacket(self.sequence.points.get(nearest)?.packet))
            }
        }
    }

    /// The pointer has left the plot, or the gesture was cancelled.
    pub(super) fn pointer_leave(&mut self) -> Result<(), JsValue> {
        if self.pressed_px.take().is_some() && self.is_dragged {
            self.overlay.brush = self.selected_brush();
            self.draw()?;
        }
        self.move_cursor(None)
    }

    fn select(&self, (from, to): (i64, i64)) -> Action {
        let at = |ns: i64| self.sequence.start_ns.saturating_add(ns);
        Action::SelectTime(at(from), at(to))
    }

    /// Zooms around the pointer, as the other charts do: with Ctrl.
    pub(super) fn wheel(&mut self, event: &WheelEvent) -> Result<bool, JsValue> {
        if !event.ctrl_key() && !event.meta_key() {
            return Ok(false);
        }
        let center = self.plot().time_at(event.offset_x().into());
        let factor = if event.delta_y() < 0.0 { 1.0 / ZOOM_STEP } else { ZOOM_STEP };
        self.zoom(Some((center, factor)))?;
        Ok(true)
    }

    /// Zooms by a factor around a time, or shows everything.
    pub(super) fn zoom(&mut self, by: Option<(i64, f64)>) -> Result<(), JsValue> {
        let plot = self.plot();
        self.zoom = by.and_then(|(center, factor)| plot.zoomed(&self.sequence, center, factor));
        self.draw()
    }

    /// Handles a key. Returns false for other keys.
    pub(super) fn key(&mut self, event: &KeyboardEvent) -> Result<(bool, Option<Action>), JsValue> {
        if event.ctrl_key() || event.meta_key() || event.alt_key() {
            return Ok((false, None));
        }
        let points = &self.sequence.points;
        let last = points.len().checked_sub(1);
        let cursor = self.overlay.cursor;
        let next = match &*event.key() {
            "ArrowRight" => cursor.map_or(Some(0), |cursor| Some(cursor + 1)).min(last),
            "ArrowLeft" => cursor.map_or(last, |cursor| Some(cursor.saturating_sub(1))),
            "Home" => last.and(Some(0)),
            "End" => last,
            "Enter" => {
                let point = cursor.and_then(|cursor| points.get(cursor));
                return Ok((true, point.map(|point| Action::ShowPacket(point.packet))));
            }
            "Escape" if cursor.is_some() || self.anchor_ns.is_some() => {
                (self.overlay.brush, self.anchor_ns) = (self.selected_brush(), None);
                self.move_cursor(None)?;
                self.draw()?;
                return Ok((true, None));
            }
            key @ ("+" | "-" | "0") => {
                let plot = self.plot();
                let middle = plot.time.0 + (plot.time.1 - plot.time.0) / 2;
                let center =
                    cursor.and_then(|cursor| points.get(cursor)).map_or(middle, |point| point.ns);
                let factor = if key == "+" { 1.0 / ZOOM_STEP } else { ZOOM_STEP };
                self.zoom((key != "0").then_some((center, factor)))?;
                return Ok((true, None));
            }
            _ => return Ok((false, None)),
        };
        let ns = |cursor: Option<usize>| Some(points.get(cursor?)?.ns);
        let (from, to) = (ns(cursor.or(next)), ns(next));
        let mut action = None;
        if event.shift_key()
            && let (Some(from), Some(to)) = (from, to)
        {
            let anchor = *self.anchor_ns.get_or_insert(from);
            let brush = (anchor.min(to), anchor.max(to));
            self.overlay.brush = Some(brush);
            action = Some(self.select(brush));
        } else {
            self.anchor_ns = None;
        }
        self.move_cursor(next)?;
        Ok((true, action))
    }
}

/// The colours that the user prefers.
fn theme(window: &Window) -> Result<Theme, JsValue> {
    let query = window.match_media("(prefers-color-scheme: dark)")?;
    Ok(Theme { is_dark: query.is_some_and(|query| query.matches()) })
}
