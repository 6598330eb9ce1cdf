//! The inspector in the page: a tree of layers and fields beside the bytes. Each highlights the other,
//! for the pointer and the keyboard. All text becomes text nodes, never markup.

mod events;
mod view;

use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use web_sys::Element;

use crate::content::Content;
use view::View;

/// The inspector of one element of the page.
#[wasm_bindgen]
#[derive(Clone)]
pub struct Inspector {
    view: Rc<RefCell<View>>,
}

#[wasm_bindgen]
impl Inspector {
    /// Takes over an empty element.
    #[wasm_bindgen(constructor)]
    pub fn new(container: &Element) -> Result<Inspector, JsValue> {
        let view = Rc::new(RefCell::new(View::new(container)?));
        events::attach(container, &view)?;
        Ok(Self { view })
    }

    /// Shows a packet. `bytes` and `link`, the LINKTYPE_ number, are undefined for a packet of lines,
    /// which is shown by the fields of its line.
    pub fn show(
        &self,
        line: &str,
        link: Option<u16>,
        wire_len: Option<u32>,
        bytes: Option<Vec<u8>>,
    ) -> Result<(), JsValue> {
        let content = match (link, bytes) {
            (Some(link), Some(bytes)) => Content::of_frame(link, wire_len.unwrap_or(0), bytes),
            _ => Content::of_line(line),
        };
        self.view.borrow_mut().show(content)
    }
}
