//! Elements by their ids, and listeners that live as long as the page.

use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, EventTarget};

/// The element of that id, of that kind: the page is written so that it is there.
pub(super) fn element<T: JsCast>(document: &Document, id: &str) -> Result<T, JsValue> {
    let element = document.get_element_by_id(id).ok_or_else(|| format!("no element `{id}`"))?;
    element.dyn_into().map_err(|_| format!("element `{id}` is of another kind").into())
}

/// Calls `listener` at each event of that name, for as long as the page lives.
pub(super) fn listen<E: FromWasmAbi + 'static>(
    target: &EventTarget,
    name: &str,
    listener: impl FnMut(E) + 'static,
) -> Result<(), JsValue> {
    let closure = Closure::<dyn FnMut(E)>::new(listener);
    target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref())?;
    closure.forget();
    Ok(())
}

/// Shows words: as text, never as markup. Nothing is touched where they are there already.
pub(super) fn show_words(element: &Element, words: &str) {
    if element.text_content().as_deref() != Some(words) {
        element.set_text_content(Some(words));
    }
}

/// Shows an element or hides it.
pub(super) fn show(element: &Element, is_shown: bool) {
    set_mark(element, "hidden", !is_shown);
}

/// Gives an element an attribute without a value, or takes it.
pub(super) fn set_mark(element: &Element, name: &str, is_set: bool) {
    if element.has_attribute(name) != is_set {
        let changed = element.toggle_attribute_with_force(name, is_set);
        debug_assert!(changed.is_ok());
    }
}

/// Gives an attribute a value. Where it has it already nothing is touched: a browser would look anew
/// at all that depends on it.
pub(super) fn set_attribute(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        let changed = element.set_attribute(name, value);
        debug_assert!(changed.is_ok());
    }
}
