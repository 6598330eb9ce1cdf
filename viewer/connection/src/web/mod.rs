//! The view of a connection in the page. All text becomes text nodes, never markup.

mod view;

use js_sys::Function;
use std::cell::RefCell;
use std::rc::Rc;
use viewer_dom::{listen, log_error};
use wasm_bindgen::prelude::*;
use web_sys::{Element, Event};

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
        Ok(Self { view })
    }

    /// Shows another connection, whose packets follow. `notify(name, value)` is called with `packet` and the
    /// bytes of a located packet if the user wants to see its details.
    pub fn begin(&self, notify: Function) -> Result<(), JsValue> {
        self.view.borrow_mut().begin(notify)
    }

    /// Takes a batch of packets of a file, given by its index and its name.
    pub fn add(&self, file: usize, name: &str, batch: &[u8]) {
        self.view.borrow_mut().add(file, name, batch);
    }

    /// Shows the packets that were added.
    pub fn show(&self) -> Result<(), JsValue> {
        self.view.borrow_mut().show()
    }
}
