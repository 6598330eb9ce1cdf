//! The view of a connection in the page. All text becomes text nodes, never markup.

mod plot;
mod view;

use js_sys::Function;
use std::cell::RefCell;
use std::rc::Rc;
use viewer_dom::{listen, log_error};
use viewer_model::wire::decode;
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event, KeyboardEvent, PointerEvent, ResizeObserver, WheelEvent};

use view::View;

/// The view of a connection, in one element of the page.
#[wasm_bindgen]
#[derive(Clone)]
pub struct ConnectionView {
    view: Rc<RefCell<View>>,
}

#[wasm_bindgen]
impl ConnectionView {
    /// Takes over an empty element.
    #[wasm_bindgen(constructor)]
    pub fn new(container: &Element) -> Result<ConnectionView, JsValue> {
        let view = Rc::new(RefCell::new(View::new(container)?));
        let shared = view.clone();
        listen(container, "click", move |event: Event| {
            let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(button) = target.and_then(|target| target.closest("button").ok().flatten())
            {
                log_error(shared.borrow_mut().click(&button));
            }
        })?;
        let shared = view.clone();
        listen(container, "change", move |_: Event| {
            log_error(shared.borrow_mut().change());
        })?;
        let shared = view.clone();
        listen(container, "keydown", move |event: KeyboardEvent| {
            if log_error(shared.borrow().key(&event.key())) == Some(true) {
                event.stop_propagation();
            }
        })?;
        attach_plot(&view)?;
        Ok(Self { view })
    }

    /// Shows another connection, whose packets follow. `notify(name, value)` is called with `packet` and the
    /// bytes of a located packet if the user wants to see its details, and with `time` and the bytes of a range,
    /// in nanoseconds since the epoch, if the user selects it.
    pub fn begin(&self, notify: Function) -> Result<(), JsValue> {
        self.view.borrow_mut().begin(notify)
    }

    /// Takes a batch of packets of a file, given by its index and its name.
    pub fn add(&self, file: usize, name: &str, batch: &[u8]) {
        self.view.borrow_mut().add(file, name, batch);
    }

    /// Marks the packets in a time range, given by the bytes of an optional range in nanoseconds since the epoch.
    #[wasm_bindgen(js_name = markTime)]
    pub fn mark_time(&self, time: &[u8]) -> Result<(), JsValue> {
        self.view.borrow_mut().plot_mut().mark_time(decode(time).flatten())
    }

    /// Shows the packets that were added.
    pub fn show(&self) -> Result<(), JsValue> {
        self.view.borrow_mut().show()
    }
}

/// Listens to the pointer and the keys in the plot, and redraws it when its size or the theme changes.
fn attach_plot(view: &Rc<RefCell<View>>) -> Result<(), JsValue> {
    let canvas = view.borrow().plot().canvas().clone();
    let shared = view.clone();
    listen(&canvas, "pointerdown", move |event: PointerEvent| {
        log_error(shared.borrow_mut().plot_mut().pointer_down(&event));
    })?;
    let shared = view.clone();
    listen(&canvas, "pointermove", move |event: PointerEvent| {
        log_error(shared.borrow_mut().plot_mut().pointer_move(&event));
    })?;
    let shared = view.clone();
    listen(&canvas, "pointerup", move |event: PointerEvent| {
        let action = shared.borrow_mut().plot_mut().pointer_up(&event);
        log_error(shared.borrow_mut().run(action));
    })?;
    for name in ["pointerleave", "pointercancel"] {
        let shared = view.clone();
        listen(&canvas, name, move |_: PointerEvent| {
            log_error(shared.borrow_mut().plot_mut().pointer_leave());
        })?;
    }
    let shared = view.clone();
    listen(&canvas, "wheel", move |event: WheelEvent| {
        if log_error(shared.borrow_mut().plot_mut().wheel(&event)) == Some(true) {
            event.prevent_default();
        }
    })?;
    let shared = view.clone();
    listen(&canvas, "dblclick", move |_: Event| {
        log_error(shared.borrow_mut().plot_mut().zoom(None));
    })?;
    let shared = view.clone();
    listen(&canvas, "keydown", move |event: KeyboardEvent| {
        let handled = log_error(shared.borrow_mut().plot_mut().key(&event));
        if let Some((true, action)) = handled {
            event.prevent_default();
            event.stop_propagation();
            log_error(shared.borrow_mut().run(action));
        }
    })?;
    let shared = view.clone();
    let redraw = Closure::<dyn Fn()>::new(move || {
        log_error(shared.borrow_mut().plot_mut().draw());
    });
    let observer = ResizeObserver::new(redraw.as_ref().unchecked_ref())?;
    observer.observe(&canvas);
    redraw.forget();
    let window = web_sys::window().ok_or("no window")?;
    if let Some(query) = window.match_media("(prefers-color-scheme: dark)")? {
        let shared = view.clone();
        listen(&query, "change", move |_: Event| {
            log_error(shared.borrow_mut().plot_mut().draw());
        })?;
    }
    Ok(())
}
