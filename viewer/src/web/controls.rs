//! What people do becomes events: files dropped and chosen, buttons, switches, gestures, keys.

use wasm_bindgen::prelude::*;
use web_sys::{
    Blob, DragEvent, FileList, HtmlAnchorElement, HtmlElement, HtmlInputElement, HtmlSelectElement,
    KeyboardEvent, MediaQueryList, MouseEvent, PointerEvent, ResizeObserver, Url, WheelEvent,
};

use super::dom::{element, listen};
use super::page::{Gesture, Page};
use crate::app::{Chart, Event};
use crate::chart::{Bars, Size};
use crate::density::XAxis;
use crate::scene::Theme;

/// How much a wheel's notch, a key or a button zooms.
const ZOOM_STEP: f64 = 1.25;
/// A turn of the wheel that counts as a notch, in pixels.
const NOTCH_PX: f64 = 100.0;
/// How far an arrow key moves, in pixels.
const PAN_STEP: f64 = 40.0;

impl Page {
    pub(super) fn listen_to_files(&self) -> Result<(), JsValue> {
        let document = self.document();
        let body = document.body().ok_or("no body")?;
        listen(&body, "dragover", |event: DragEvent| event.prevent_default())?;
        let marked = body.clone();
        listen(&body, "dragenter", move |_: DragEvent| {
            let _ = marked.dataset().set("drag", "over");
        })?;
        let marked = body.clone();
        listen(&body, "dragleave", move |event: DragEvent| {
            if event.related_target().is_none() {
                marked.dataset().delete("drag");
            }
        })?;
        let (page, marked) = (self.clone(), body.clone());
        listen(&body, "drop", move |event: DragEvent| {
            event.prevent_default();
            marked.dataset().delete("drag");
            // Dragged words and links are no files.
            let files = event.data_transfer().and_then(|data| data.files());
            if let Some(files) = files.filter(|files| files.length() > 0) {
                page.open(&files);
            }
        })?;
        let input: HtmlInputElement = element(&document, "file")?;
        let (page, chosen) = (self.clone(), input.clone());
        listen(&input, "change", move |_: web_sys::Event| {
            let files: Option<FileList> = chosen.files();
            if let Some(files) = files.filter(|files| files.length() > 0) {
                page.open(&files);
                // The same file can be chosen again.
                chosen.set_value("");
            }
        })?;
        let button: HtmlElement = element(&document, "open")?;
        listen(&button, "click", move |_: MouseEvent| input.click())?;
        let page = self.clone();
        let sample: HtmlElement = element(&document, "sample")?;
        listen(&sample, "click", move |_: MouseEvent| page.open_url("sample.ndjson"))?;
        let page = self.clone();
        let cancel: HtmlElement = element(&document, "cancel")?;
        listen(&cancel, "click", move |_: MouseEvent| page.cancel())
    }

    pub(super) fn listen_to_controls(&self) -> Result<(), JsValue> {
        let document = self.document();
        let number: HtmlInputElement = element(&document, "bins")?;
        let slider: HtmlInputElement = element(&document, "bins-slider")?;
        for (control, twin) in [(&number, &slider), (&slider, &number)] {
            let (page, control, twin) = (self.clone(), control.clone(), twin.clone());
            listen(&control.clone(), "input", move |_: web_sys::Event| {
                if let Ok(count) = control.value().parse() {
                    twin.set_value(&control.value());
                    page.send(Event::SetBins(count));
                }
            })?;
        }
        // What was typed becomes what is shown.
        let (typed, twin) = (number.clone(), slider.clone());
        listen(&number, "change", move |_: web_sys::Event| typed.set_value(&twin.value()))?;
        let (page, log) = (self.clone(), element::<HtmlInputElement>(&document, "log")?);
        listen(&log.clone(), "change", move |_: web_sys::Event| {
            page.send(Event::SetLog(log.checked()));
        })?;
        let (page, bars) = (self.clone(), element::<HtmlSelectElement>(&document, "bars")?);
        listen(&bars.clone(), "change", move |_: web_sys::Event| {
            let is_overlaid = bars.value() == "overlaid";
            page.send(Event::SetBars(if is_overlaid { Bars::Overlaid } else { Bars::Stacked }));
        })?;
        let (page, axis) = (self.clone(), element::<HtmlSelectElement>(&document, "axis")?);
        listen(&axis.clone(), "change", move |_: web_sys::Event| {
            let is_time = axis.value() == "time";
            page.send(Event::SetAxis(if is_time { XAxis::Time } else { XAxis::Number }));
        })?;
        for (id, event) in [
            ("zoom-in", Event::Zoom { at: None, factor: 1.0 / ZOOM_STEP }),
            ("zoom-out", Event::Zoom { at: None, factor: ZOOM_STEP }),
            ("reset", Event::Reset),
        ] {
            let (page, button) = (self.clone(), element::<HtmlElement>(&document, id)?);
            listen(&button, "click", move |_: MouseEvent| page.send(event.clone()))?;
        }
        for (id, chart, name) in [
            ("save-histogram", Chart::Histogram, "packet-size-distribution.png"),
            ("save-scatter", Chart::Scatter, "packet-sizes.png"),
        ] {
            let (page, button) = (self.clone(), element::<HtmlElement>(&document, id)?);
            listen(&button, "click", move |_: MouseEvent| {
                let saved = page.save(chart, name);
                debug_assert!(saved.is_ok());
            })?;
        }
        Ok(())
    }

    pub(super) fn listen_to_scatter(&self) -> Result<(), JsValue> {
        let canvas = self.state.borrow().scatter.element().clone();
        let page = self.clone();
        listen(&canvas, "wheel", move |event: WheelEvent| {
            event.prevent_default();
            let at = (f64::from(event.offset_x()), f64::from(event.offset_y()));
            // A touchpad sends many small turns, a wheel few large ones, in pixels or in lines.
            let is_pixels = event.delta_mode() == WheelEvent::DOM_DELTA_PIXEL;
            let notches = event.delta_y() / if is_pixels { NOTCH_PX } else { 3.0 };
            if notches != 0.0 {
                let factor = ZOOM_STEP.powf(notches.clamp(-1.0, 1.0));
                page.send(Event::Zoom { at: Some(at), factor });
            }
        })?;
        let (page, target) = (self.clone(), canvas.clone());
        listen(&canvas, "pointerdown", move |event: PointerEvent| {
            if event.button() != 0 {
                return;
            }
            // Without capture the gesture ends where the pointer leaves: nothing worse.
            let _ = target.set_pointer_capture(event.pointer_id());
            let gesture = if event.shift_key() { Gesture::Box(at(&event)) } else { Gesture::Pan };
            page.state.borrow_mut().gesture = Some((gesture, at(&event)));
            page.send(Event::Grip(gesture == Gesture::Pan));
        })?;
        let page = self.clone();
        listen(&canvas, "pointermove", move |event: PointerEvent| page.drag(at(&event)))?;
        let page = self.clone();
        listen(&canvas, "pointerup", move |_: PointerEvent| {
            let gesture = page.state.borrow_mut().gesture.take();
            page.send(match gesture {
                Some((Gesture::Box(_), _)) => Event::ZoomToSelection,
                _ => Event::Grip(false),
            });
        })?;
        let page = self.clone();
        listen(&canvas, "pointercancel", move |_: PointerEvent| {
            page.state.borrow_mut().gesture = None;
            page.send(Event::Select(None));
            page.send(Event::Grip(false));
        })?;
        let page = self.clone();
        listen(&canvas, "dblclick", move |_: MouseEvent| page.send(Event::Reset))?;
        let page = self.clone();
        listen(&canvas, "keydown", move |event: KeyboardEvent| {
            // Those are the browser's.
            if event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            let action = match event.key().as_str() {
                "ArrowLeft" => Event::Pan((PAN_STEP, 0.0)),
                "ArrowRight" => Event::Pan((-PAN_STEP, 0.0)),
                "ArrowUp" => Event::Pan((0.0, PAN_STEP)),
                "ArrowDown" => Event::Pan((0.0, -PAN_STEP)),
                "+" | "=" => Event::Zoom { at: None, factor: 1.0 / ZOOM_STEP },
                "-" => Event::Zoom { at: None, factor: ZOOM_STEP },
                "0" | "Home" => Event::Reset,
                _ => return,
            };
            event.prevent_default();
            page.send(action);
        })?;
        let histogram = self.state.borrow().histogram.element().clone();
        let page = self.clone();
        listen(&histogram, "pointermove", move |event: PointerEvent| {
            page.send(Event::Hover(Chart::Histogram, Some(at(&event))));
        })?;
        for (canvas, chart) in [(&canvas, Chart::Scatter), (&histogram, Chart::Histogram)] {
            let page = self.clone();
            listen(canvas, "pointerleave", move |_: PointerEvent| {
                page.send(Event::Hover(chart, None));
            })?;
        }
        Ok(())
    }

    fn drag(&self, at: (f64, f64)) {
        let gesture = self.state.borrow().gesture;
        self.send(match gesture {
            None => Event::Hover(Chart::Scatter, Some(at)),
            Some((Gesture::Pan, from)) => Event::Drag((at.0 - from.0, at.1 - from.1)),
            Some((Gesture::Box(corner), _)) => Event::Select(Some((corner, at))),
        });
    }

    pub(super) fn follow_theme(&self, window: &web_sys::Window) -> Result<(), JsValue> {
        let Some(query) = window.match_media("(prefers-color-scheme: dark)")? else {
            return Ok(());
        };
        let page = self.clone();
        let set = move |query: &MediaQueryList| {
            page.send(Event::SetTheme(Theme { is_dark: query.matches() }));
        };
        set(&query);
        let followed = query.clone();
        listen(&query, "change", move |_: web_sys::Event| set(&followed))
    }

    pub(super) fn follow_sizes(&self) -> Result<(), JsValue> {
        let page = self.clone();
        let measure = move || {
            for chart in [Chart::Histogram, Chart::Scatter] {
                let place = page.canvas(chart).get_bounding_client_rect();
                if place.width() > 0.0 {
                    let size = Size { width_px: place.width(), height_px: place.height() };
                    page.send(Event::Resize(chart, size));
                }
            }
        };
        let closure = Closure::<dyn FnMut()>::new(measure);
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref())?;
        closure.forget();
        observer.observe(&self.canvas(Chart::Histogram));
        observer.observe(&self.canvas(Chart::Scatter));
        Ok(())
    }

    /// Hands a chart's picture to the person as a file.
    fn save(&self, chart: Chart, name: &'static str) -> Result<(), JsValue> {
        let document = self.document();
        let closure = Closure::once_into_js(move |blob: Option<Blob>| -> Result<(), JsValue> {
            let Some(blob) = blob else { return Ok(()) };
            let url = Url::create_object_url_with_blob(&blob)?;
            let anchor: HtmlAnchorElement = document.create_element("a")?.dyn_into()?;
            anchor.set_href(&url);
            anchor.set_download(name);
            anchor.click();
            Url::revoke_object_url(&url)
        });
        self.canvas(chart).to_blob(closure.unchecked_ref())
    }
}

fn at(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}
