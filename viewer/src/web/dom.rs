//! DOM helpers: finding elements, changing them only when needed, and listening to events.

use js_sys::Reflect;
use wasm_bindgen::convert::FromWasmAbi;
use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, EventTarget};

use crate::app::Panel;

/// Returns the element with that id, cast to `T`.
///
/// # Errors
///
/// If `index.html` has no such element, or it is of a different type.
pub(super) fn element<T: JsCast>(document: &Document, id: &str) -> Result<T, JsValue> {
    let element = document.get_element_by_id(id).ok_or_else(|| format!("no element `#{id}`"))?;
    element.dyn_into().map_err(|_| format!("element `#{id}` has an unexpected type").into())
}

/// All elements that match a selector, in document order.
pub(super) fn elements(document: &Document, selector: &str) -> Result<Vec<Element>, JsValue> {
    let nodes = document.query_selector_all(selector)?;
    let nodes = (0..nodes.length()).filter_map(|index| nodes.get(index));
    Ok(nodes.filter_map(|node| node.dyn_into().ok()).collect())
}

/// Calls `listener` on every event of that name, for the lifetime of the page.
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

/// Sets the text of an element, never markup. Does nothing if the text is unchanged.
pub(super) fn set_text(element: &Element, text: &str) {
    if element.text_content().as_deref() != Some(text) {
        element.set_text_content(Some(text));
    }
}

/// Shows or hides an element.
pub(super) fn set_visible(element: &Element, is_visible: bool) {
    set_flag(element, "hidden", !is_visible);
}

/// Adds or removes a boolean attribute.
pub(super) fn set_flag(element: &Element, name: &str, is_set: bool) {
    if element.has_attribute(name) != is_set {
        let changed = element.toggle_attribute_with_force(name, is_set);
        debug_assert!(changed.is_ok());
    }
}

/// Sets an attribute. Does nothing if it already has that value: a write would make the browser
/// recompute the styles that depend on it.
pub(super) fn set_attribute(element: &Element, name: &str, value: &str) {
    if element.get_attribute(name).as_deref() != Some(value) {
        let changed = element.set_attribute(name, value);
        debug_assert!(changed.is_ok());
    }
}

/// The value of a boolean ARIA attribute.
pub(super) const fn aria_bool(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// Adds a child at the end of an element.
pub(super) fn append(parent: &Element, child: &Element) -> Result<(), JsValue> {
    parent.append_child(child).map(drop)
}

/// Creates an element with that text.
pub(super) fn new_element(document: &Document, tag: &str, text: &str) -> Result<Element, JsValue> {
    let element = document.create_element(tag)?;
    element.set_text_content(Some(text));
    Ok(element)
}

/// Creates a button that runs `action` with `arg` when clicked; see `controls/actions.rs`.
pub(super) fn new_button(
    document: &Document,
    action: &str,
    arg: &str,
    text: &str,
) -> Result<Element, JsValue> {
    let button = new_element(document, "button", text)?;
    button.set_attribute("type", "button")?;
    button.set_attribute("data-action", action)?;
    button.set_attribute("data-arg", arg)?;
    Ok(button)
}

/// Creates a table row with a cell, `th` or `td`, for each text.
pub(super) fn new_row(
    document: &Document,
    cell_tag: &str,
    texts: &[String],
) -> Result<Element, JsValue> {
    let row = document.create_element("tr")?;
    for text in texts {
        append(&row, &new_element(document, cell_tag, text)?)?;
    }
    Ok(row)
}

/// Replaces the items of a list. Does nothing if they are unchanged.
pub(super) fn set_list(document: &Document, id: &str, items: &[String]) -> Result<(), JsValue> {
    let list: Element = element(document, id)?;
    let children = list.children();
    let is_unchanged = children.length() as usize == items.len()
        && items.iter().zip(0..).all(|(item, index)| {
            children.item(index).and_then(|child| child.text_content()).as_ref() == Some(item)
        });
    if is_unchanged {
        return Ok(());
    }
    list.set_text_content(None);
    for item in items {
        append(&list, &new_element(document, "li", item)?)?;
    }
    Ok(())
}

/// The message of a value thrown by JavaScript.
pub(super) fn error_message(error: &JsValue) -> String {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string());
    message.or_else(|| error.as_string()).unwrap_or_else(|| "unknown error".to_owned())
}

/// The panel that contains an element.
pub(super) fn enclosing_panel(element: &Element) -> Option<Panel> {
    let section = element.closest("[data-panel]").ok().flatten()?;
    Panel::parse(&section.get_attribute("data-panel")?)
}
