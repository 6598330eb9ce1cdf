//! What people do becomes events: files dropped and chosen, buttons, switches, gestures, keys.
//!
//! The page says itself what its controls are: `data-do` is what a button does, with `data-arg`;
//! `data-set` is the setting of a control; `data-panel` is the panel that it is in.

use js_sys::{Array, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{
    Blob, Clipboard, DragEvent, Element, FileList, HtmlAnchorElement, HtmlElement,
    HtmlInputElement, HtmlSelectElement, IntersectionObserver, IntersectionObserverEntry,
    KeyboardEvent, MediaQueryList, MouseEvent, PointerEvent, ResizeObserver, Url, WheelEvent,
    Window,
};

use super::dom::{element, listen};
use super::page::Page;
use crate::app::{CHART_COUNT, Event, Key, Panel, ZOOM_STEP};
use crate::chart::Size;
use crate::scene::Theme;
use crate::selection::Dimension;
use crate::settings::Tool;

/// A turn of the wheel that counts as a notch, in pixels.
const NOTCH_PX: f64 = 100.0;
/// How long the browser has to read what is saved.
const SAVING_MS: i32 = 60_000;
/// Rows that a notch of the wheel moves a table.
const NOTCH_ROWS: f64 = 3.0;

impl Page {
    pub(super) fn listen(&self, window: &Window) -> Result<(), JsValue> {
        self.listen_to_files()?;
        self.listen_to_controls()?;
        self.listen_to_keys()?;
        for panel in &Panel::ALL[..CHART_COUNT] {
            self.listen_to_chart(*panel)?;
        }
        for panel in &Panel::ALL[CHART_COUNT..] {
            self.listen_to_table(*panel)?;
        }
        self.follow_theme(window)?;
        self.follow_sizes()?;
        self.follow_sight()?;
        let page = self.clone();
        listen(window, "hashchange", move |_: web_sys::Event| page.restore())
    }

    fn listen_to_files(&self) -> Result<(), JsValue> {
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
                page.open(&files, true);
            }
        })?;
        let input: HtmlInputElement = element(&document, "file")?;
        let (page, chosen) = (self.clone(), input.clone());
        listen(&input, "change", move |_: web_sys::Event| {
            let files: Option<FileList> = chosen.files();
            if let Some(files) = files.filter(|files| files.length() > 0) {
                page.open(&files, true);
                // The same file can be chosen again.
                chosen.set_value("");
            }
        })
    }

    fn listen_to_controls(&self) -> Result<(), JsValue> {
        let document = self.document();
        let page = self.clone();
        listen(&document, "click", move |event: MouseEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let button = target.and_then(|target| target.closest("[data-do]").ok().flatten());
            if let Some(button) = button {
                let done = page.act(&button);
                debug_assert!(done.is_ok());
            }
        })?;
        let page = self.clone();
        listen(&document, "input", move |event: web_sys::Event| {
            let Some(target) = event.target() else { return };
            let value =
                match (target.dyn_ref::<HtmlInputElement>(), target.dyn_ref::<HtmlSelectElement>())
                {
                    (Some(input), _) if input.type_() == "checkbox" => {
                        if input.checked() { "1" } else { "0" }.to_owned()
                    }
                    (Some(input), _) => input.value(),
                    (None, Some(select)) => select.value(),
                    _ => return,
                };
            let Ok(control) = target.dyn_into::<Element>() else { return };
            if let Some(key) = control.get_attribute("data-set") {
                page.send(Event::Set(key, value));
            } else if control.id() == "filter" {
                page.filter();
            } else if let (Some(panel), Ok(first)) = (panel_of(&control), value.parse())
                && control.has_attribute("data-scroll")
            {
                page.send(Event::Scroll(panel, first));
            }
        })?;
        // What was typed and is not possible becomes what is shown.
        let page = self.clone();
        listen(&document, "change", move |_: web_sys::Event| {
            let _ = page.state.borrow().show_settings(true);
            page.send(Event::CommitFilter);
        })
    }

    /// The filter box as it is, with its cursor.
    fn filter(&self) {
        let Ok(input) = element::<HtmlInputElement>(&self.document(), "filter") else { return };
        let text = input.value();
        let cursor = input.selection_start().ok().flatten().unwrap_or(u32::MAX) as usize;
        // The browser counts in UTF-16.
        let mut units = 0;
        let before = text.char_indices().find(|(_, c)| {
            let is_here = cursor <= units;
            units += c.len_utf16();
            is_here
        });
        let cursor = before.map_or(text.len(), |(at, _)| at);
        self.send(Event::SetFilter(text, cursor));
    }

    /// Does what a button says.
    fn act(&self, button: &Element) -> Result<(), JsValue> {
        let document = self.document();
        let word = button.get_attribute("data-do").unwrap_or_default();
        let arg = button.get_attribute("data-arg").unwrap_or_default();
        let panel = panel_of(button);
        if button.get_attribute("aria-disabled").as_deref() == Some("true") {
            return Ok(());
        }
        let input = |id: &str| element::<HtmlInputElement>(&document, id);
        match (word.as_str(), panel) {
            ("open", _) => input("file")?.click(),
            ("sample", _) => self.open_url("sample.ndjson"),
            ("cancel", _) => self.cancel(),
            ("close", _) => self.close(),
            ("undo", _) => self.send(Event::Undo),
            ("redo", _) => self.send(Event::Redo),
            ("clear", _) => self.send(Event::Clear(Dimension::parse(&arg))),
            ("zoom-to-selection", _) => self.send(Event::ZoomToSelection),
            ("reset", _) => self.send(Event::ResetZoom),
            ("close-detail", _) => {
                self.send(Event::CloseDetail);
                element::<HtmlElement>(&document, Panel::Packets.name())?.focus()?;
            }
            ("zoom-in", Some(panel)) => {
                self.send(Event::Zoom { panel, at: None, factor: 1.0 / ZOOM_STEP });
            }
            ("zoom-out", Some(panel)) => {
                self.send(Event::Zoom { panel, at: None, factor: ZOOM_STEP });
            }
            ("table", Some(panel)) => self.send(Event::ToggleTable(panel)),
            ("row", Some(panel)) => {
                self.send(Event::ActivateRow(panel, arg.parse().unwrap_or(usize::MAX)));
            }
            ("sort", _) => {
                // The column that sorts already is turned around.
                let now = self.with_app(|app| app.settings().get("sort"));
                let descending = format!("-{arg}");
                self.send(Event::Set(
                    "sort".into(),
                    if now == descending { arg } else { descending },
                ));
            }
            ("complete", _) => {
                let filter = input("filter")?;
                filter.set_value(&arg);
                filter.focus()?;
                self.filter();
            }
            ("choose-every", _) => self.send(Event::SampleEvery(input("choice-every")?.value())),
            ("choose-window", _) => {
                let (from, to) = (input("choice-from")?.value(), input("choice-to")?.value());
                self.send(Event::SampleTimeRange(from, to));
            }
            ("choose-all", _) => self.send(Event::LoadAll),
            ("share", _) => {
                let (page, button) = (self.clone(), button.clone());
                spawn_local(async move {
                    if page.copy_link().await.is_ok() {
                        button.set_text_content(Some("Link copied"));
                    } else {
                        // Browsers give the clipboard to pages of https only.
                        page.send(Event::ShowError(
                            "This browser lets no page copy here: the address above is the link."
                                .into(),
                        ));
                    }
                });
            }
            ("export", _) => {
                let page = self.clone();
                spawn_local(async move {
                    if let Ok(blob) = JsFuture::from(page.export()).await {
                        let saved = page.save(&blob.unchecked_into(), "selected.ndjson");
                        debug_assert!(saved.is_ok());
                    }
                });
            }
            ("png", Some(panel)) => {
                let page = self.clone();
                let name = format!("{}.png", panel.name());
                let take = Closure::once_into_js(move |blob: Option<Blob>| {
                    if let Some(blob) = blob {
                        let _ = page.save(&blob, &name);
                    }
                });
                let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
                self.state.borrow_mut().draw_chart(panel, ratio)?;
                let canvas = self.state.borrow().canvases[panel as usize].element().clone();
                canvas.to_blob(take.unchecked_ref())?;
            }
            ("svg", Some(panel)) => {
                if let Some(scene) = self.with_app(|app| app.scene(panel)) {
                    self.save_text(&scene.svg(), &format!("{}.svg", panel.name()))?;
                }
            }
            ("csv", Some(panel)) => {
                if let Some(csv) = self.with_app(|app| app.csv(panel)) {
                    self.save_text(&csv, &format!("{}.csv", panel.name()))?;
                }
            }
            _ => {}
        }
        // A menu closes when something in it was chosen.
        if let Some(menu) = button.closest("details.menu")? {
            menu.remove_attribute("open")?;
        }
        Ok(())
    }

    fn listen_to_keys(&self) -> Result<(), JsValue> {
        let document = self.document();
        let (page, own) = (self.clone(), document.clone());
        listen(&document, "keydown", move |event: KeyboardEvent| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            let is_typing = target.is_some_and(|target| {
                target
                    .matches("input:not([type=checkbox]):not([type=range]), select")
                    .unwrap_or(false)
            });
            let is_command = event.ctrl_key() || event.meta_key();
            let send = match (event.key().as_str(), is_command, is_typing) {
                ("z", true, false) if event.shift_key() => Event::Redo,
                ("z", true, false) => Event::Undo,
                ("y", true, false) => Event::Redo,
                ("/", false, false) => {
                    if let Ok(filter) = element::<HtmlElement>(&own, "filter") {
                        let _ = filter.focus();
                    }
                    return event.prevent_default();
                }
                _ => return,
            };
            event.prevent_default();
            page.send(send);
        })
    }

    fn listen_to_chart(&self, panel: Panel) -> Result<(), JsValue> {
        let canvas = self.state.borrow().canvases[panel as usize].element().clone();
        if matches!(panel, Panel::Throughput | Panel::Scatter) {
            let page = self.clone();
            listen(&canvas, "wheel", move |event: WheelEvent| {
                event.prevent_default();
                let at = (f64::from(event.offset_x()), f64::from(event.offset_y()));
                let (across, down) = notches(&event);
                if down.abs() < across.abs() {
                    page.send(Event::Pan(panel, (across / 10.0, 0.0)));
                } else if down != 0.0 {
                    let factor = 1.0 + (down.clamp(-1.0, 1.0) * ZOOM_STEP.ln()).exp_m1();
                    page.send(Event::Zoom { panel, at: Some(at), factor });
                }
            })?;
            let page = self.clone();
            listen(&canvas, "dblclick", move |_: MouseEvent| page.send(Event::ResetZoom))?;
        }
        let (page, target) = (self.clone(), canvas.clone());
        listen(&canvas, "pointerdown", move |event: PointerEvent| {
            if event.button() != 0 {
                return;
            }
            // Without capture the gesture ends where the pointer leaves: nothing worse.
            let _ = target.set_pointer_capture(event.pointer_id());
            let tool = match (event.shift_key(), event.alt_key()) {
                (true, _) => Some(Tool::Box),
                (_, true) => Some(Tool::Lasso),
                _ => None,
            };
            page.send(Event::PointerDown(panel, at(&event), tool));
        })?;
        let page = self.clone();
        listen(&canvas, "pointermove", move |event: PointerEvent| {
            page.send(Event::PointerMove(panel, at(&event)));
        })?;
        for (name, event) in [
            ("pointerup", Event::PointerUp),
            ("pointercancel", Event::PointerCancel),
            ("pointerleave", Event::PointerLeave),
        ] {
            let page = self.clone();
            listen(&canvas, name, move |_: PointerEvent| page.send(event.clone()))?;
        }
        let page = self.clone();
        listen(&canvas, "keydown", move |event: KeyboardEvent| {
            // Those are the browser's.
            if event.ctrl_key() || event.meta_key() || event.alt_key() {
                return;
            }
            if let Some(key) = Key::parse(&event.key()) {
                event.prevent_default();
                page.send(Event::KeyDown(panel, key, event.shift_key()));
            }
        })
    }

    fn listen_to_table(&self, panel: Panel) -> Result<(), JsValue> {
        let rows: HtmlElement = element(&self.document(), panel.name())?;
        let room = rows.dataset().get("room").and_then(|room| room.parse().ok()).unwrap_or(10);
        self.send(Event::VisibleRows(panel, room));
        let page = self.clone();
        let first = move |page: &Page| {
            let view = &page.state.borrow().shown;
            let table = if panel == Panel::Packets { &view.packets } else { &view.conversations };
            (table.first as f64, table.count as f64)
        };
        let scroll = move |page: &Page, first: f64| {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row")]
            page.send(Event::Scroll(panel, first.max(0.0) as u64));
        };
        let rest = std::rc::Rc::new(std::cell::Cell::new(0.0));
        listen(&rows, "wheel", move |event: WheelEvent| {
            let (now, count) = first(&page);
            if count <= room as f64 {
                return;
            }
            event.prevent_default();
            // A touchpad's small turns add up to rows.
            let moved = rest.get() + notches(&event).1 * NOTCH_ROWS;
            rest.set(moved.fract());
            scroll(&page, now + moved.trunc());
        })?;
        let page = self.clone();
        listen(&rows, "keydown", move |event: KeyboardEvent| {
            let (now, count) = first(&page);
            let room = room as f64;
            let to = match event.key().as_str() {
                "ArrowUp" => now - 1.0,
                "ArrowDown" => now + 1.0,
                "PageUp" => now - room,
                "PageDown" => now + room,
                "Home" => 0.0,
                "End" => count - room,
                _ => return,
            };
            event.prevent_default();
            scroll(&page, to);
        })
    }

    fn follow_theme(&self, window: &Window) -> Result<(), JsValue> {
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

    fn follow_sizes(&self) -> Result<(), JsValue> {
        let page = self.clone();
        let measure = move || {
            for panel in &Panel::ALL[..CHART_COUNT] {
                let place = {
                    let state = page.state.borrow();
                    state.canvases[*panel as usize].element().get_bounding_client_rect()
                };
                if place.width() > 0.0 && place.height() > 0.0 {
                    let size = Size { width_px: place.width(), height_px: place.height() };
                    page.send(Event::Resize(*panel, size));
                }
            }
        };
        let closure = Closure::<dyn FnMut()>::new(measure);
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref())?;
        closure.forget();
        for canvas in &self.state.borrow().canvases {
            observer.observe(canvas.element());
        }
        Ok(())
    }

    /// Panels out of sight can wait.
    fn follow_sight(&self) -> Result<(), JsValue> {
        let page = self.clone();
        let see = move |entries: Array| {
            for entry in entries.iter() {
                let entry: IntersectionObserverEntry = entry.unchecked_into();
                if let Some(panel) = panel_of(&entry.target()) {
                    page.send(Event::VisibilityChanged(panel, entry.is_intersecting()));
                }
            }
        };
        let closure = Closure::<dyn FnMut(Array)>::new(see);
        let observer = IntersectionObserver::new(closure.as_ref().unchecked_ref())?;
        closure.forget();
        let document = self.document();
        for panel in Panel::ALL {
            let selector = format!("section[data-panel={}]", panel.name());
            if let Some(section) = document.query_selector(&selector)? {
                observer.observe(&section);
            }
        }
        Ok(())
    }

    /// Takes the state of the link.
    pub(super) fn restore(&self) {
        let hash = web_sys::window().and_then(|window| window.location().hash().ok());
        let now = self.with_app(crate::app::App::link);
        if let Some(hash) = hash.filter(|hash| hash.trim_start_matches('#') != now) {
            self.send(Event::RestoreLink(hash));
        }
    }

    /// Puts the address of what is shown into the clipboard.
    async fn copy_link(&self) -> Result<(), JsValue> {
        let window = web_sys::window().ok_or("no window")?;
        let clipboard = Reflect::get(&window.navigator(), &"clipboard".into())?;
        let clipboard: &Clipboard = clipboard.dyn_ref().ok_or("no clipboard")?;
        JsFuture::from(clipboard.write_text(&window.location().href()?)).await.map(drop)
    }

    fn save_text(&self, text: &str, name: &str) -> Result<(), JsValue> {
        let blob = Blob::new_with_str_sequence(&Array::of1(&text.into()))?;
        self.save(&blob, name)
    }

    /// Hands a file to the person.
    fn save(&self, blob: &Blob, name: &str) -> Result<(), JsValue> {
        let url = Url::create_object_url_with_blob(blob)?;
        let anchor: HtmlAnchorElement = self.document().create_element("a")?.dyn_into()?;
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
        // The browser reads it a while after the click.
        let revoke = Closure::once_into_js(move || Url::revoke_object_url(&url));
        if let Some(window) = web_sys::window() {
            window.set_timeout_with_callback_and_timeout_and_arguments_0(
                revoke.unchecked_ref(),
                SAVING_MS,
            )?;
        }
        Ok(())
    }
}

fn panel_of(element: &Element) -> Option<Panel> {
    let section = element.closest("[data-panel]").ok().flatten()?;
    Panel::parse(&section.get_attribute("data-panel")?)
}

fn at(event: &PointerEvent) -> (f64, f64) {
    (f64::from(event.offset_x()), f64::from(event.offset_y()))
}

/// Turns of the wheel, across and down. A touchpad sends many small ones, a wheel few large ones, in
/// pixels or in lines.
fn notches(event: &WheelEvent) -> (f64, f64) {
    let is_pixels = event.delta_mode() == WheelEvent::DOM_DELTA_PIXEL;
    let unit = if is_pixels { NOTCH_PX } else { 3.0 };
    (event.delta_x() / unit, event.delta_y() / unit)
}
