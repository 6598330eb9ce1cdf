//! Drawing of the page: one frame for all changes since the last one.

use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;
use web_sys::HtmlCanvasElement;

use super::super::dom::log_error;
use super::super::environment::set_timeout;
use super::super::visibility::VisibilityObserver;
use super::super::waiters::Wait;
use super::{Page, State};
use crate::app::{App, Event, Panel};

/// The time between two frames that show only a part of what changes together, in milliseconds.
const UPDATE_MS: f64 = 100.0;

impl Page {
    /// Starts observing which panels are in the viewport.
    pub(in crate::web) fn observe_visibility(&self) -> Result<(), JsValue> {
        let page = self.clone();
        let report = move |panels: Vec<(Panel, bool)>| {
            page.state.borrow_mut().visibility.iter_mut().for_each(VisibilityObserver::set_current);
            for (panel, is_visible) in panels {
                page.send(Event::VisibilityChanged(panel, is_visible));
            }
        };
        let observer = VisibilityObserver::new(&self.document(), report)?;
        self.state.borrow_mut().visibility = Some(observer);
        Ok(())
    }

    /// A promise that resolves once the visible charts are up to date.
    pub(in crate::web) fn drawn(&self) -> Promise {
        self.promise(Wait::Visible)
    }

    /// A promise that resolves once all charts are up to date.
    pub(in crate::web) fn settled(&self) -> Promise {
        self.promise(Wait::Settled)
    }

    fn promise(&self, wait: Wait) -> Promise {
        let promise = self.state.borrow_mut().waiters.promise(wait);
        self.update_awaited();
        self.schedule_frame();
        promise
    }

    /// Draws with the next frame, however many changes precede it.
    pub(in crate::web) fn schedule_frame(&self) {
        if std::mem::replace(&mut self.state.borrow_mut().is_frame_scheduled, true) {
            return;
        }
        let page = self.clone();
        let frame = Closure::once_into_js(move || page.draw_frame());
        if let Some(window) = web_sys::window() {
            log_error(window.request_animation_frame(frame.unchecked_ref()));
        }
    }

    /// Draws a part of what changes together, such as the progress of loading or the answer for one of several
    /// charts, unless a frame was drawn less than [`UPDATE_MS`] ago: then with the next frame, or after that time.
    /// Each frame takes time from the workers, which share the processors.
    pub(super) fn schedule_update(&self) {
        let mut state = self.state.borrow_mut();
        state.is_outdated = true;
        let wait_ms = UPDATE_MS - (Date::now() - state.drawn_ms);
        if wait_ms <= 0.0 {
            drop(state);
            return self.schedule_frame();
        }
        if std::mem::replace(&mut state.is_update_scheduled, true) {
            return;
        }
        drop(state);
        let page = self.clone();
        #[expect(clippy::cast_possible_truncation, reason = "less than a second")]
        set_timeout(wait_ms.ceil() as i32, move || {
            let mut state = page.state.borrow_mut();
            state.is_update_scheduled = false;
            let is_outdated = state.is_outdated;
            drop(state);
            if is_outdated {
                page.schedule_frame();
            }
        });
    }

    fn draw_frame(&self) {
        let mut state = self.state.borrow_mut();
        state.is_frame_scheduled = false;
        state.is_outdated = false;
        state.drawn_ms = Date::now();
        let State { app, renderer, queue, .. } = &mut *state;
        // An error would be the same with the next frame.
        let is_complete = log_error(renderer.draw(app)).unwrap_or(true);
        let is_current = app.is_current();
        let is_settled = app.is_settled() && !queue.is_opening();
        // The browser measures what has just been laid out after this frame.
        if renderer.take_layout_change() {
            state.visibility.iter_mut().for_each(VisibilityObserver::restart);
        }
        if !state.visibility.as_ref().is_some_and(VisibilityObserver::is_outdated) {
            state.waiters.resolve(is_current, is_settled && is_complete);
        }
        drop(state);
        self.update_awaited();
        if is_settled && !is_complete {
            self.schedule_frame();
        }
    }

    /// Tells the app whether promises wait for all charts.
    fn update_awaited(&self) {
        let awaits_all = self.state.borrow().waiters.awaits_all();
        if awaits_all != self.with_app(App::awaits_all) {
            self.apply(Event::AwaitAll(awaits_all));
        }
    }

    /// Puts the latest changes into the address, because the page is about to be left. While changes follow each
    /// other, it is not updated.
    pub(in crate::web) fn write_link(&self) {
        self.send(Event::Interacting(false));
        self.draw_frame();
    }

    /// Resets all form controls to the settings, including the one that is being edited.
    pub(in crate::web) fn reset_controls(&self) -> Result<(), JsValue> {
        let state = self.state.borrow();
        state.renderer.show_settings(state.app.settings(), true)
    }

    /// The canvas of a chart.
    pub(in crate::web) fn canvas(&self, chart: Panel) -> HtmlCanvasElement {
        self.state.borrow().renderer.canvas(chart)
    }

    /// The index of the first visible row of a long table, the number of its rows, and how many of them
    /// fit, as last drawn.
    pub(in crate::web) fn table_position(&self, table: Panel) -> (u64, u64, usize) {
        self.state.borrow().renderer.table_position(table)
    }
}
