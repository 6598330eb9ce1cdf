//! DOM helpers that know the page: buttons with actions, rows, lists and panels.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element};

use crate::app::Panel;
pub(super) use viewer_dom::{
    append, aria_bool, element, elements, error_message, listen, log_error, new_element,
    set_attribute, set_flag, set_text, set_visible, whole,
};

/// Creates a button that runs `action` with `arg` when clicked; see `controls/actions.rs`.
pub(super) fn new_button(
    document: &Document,
    action: &str,
    arg: &str,
    text: &str,
) -> Result<Element, JsValue> {
    let button = viewer_dom::new_button(document, text)?;
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
/// The panel that contains an element.
pub(super) fn enclosing_panel(element: &Element) -> Option<Panel> {
    let section = element.closest("[data-panel]").ok().flatten()?;
    Panel::parse(&section.get_attribute("data-panel")?)
}

/// Whether an element takes space on the page.
pub(super) fn is_visible(element: &Element) -> bool {
    0 < element.get_client_rects().length()
}

/// Marks long tables with scaled positions, which the browser does not scroll with a finger.
pub(super) const SCALED: &str = "data-scaled";

/// The height of a row of the long tables in CSS pixels, which `style.css` sets.
pub(super) fn row_px(rows: &Element) -> usize {
    const DEFAULT_PX: usize = 24;
    let window = web_sys::window();
    let style = window.and_then(|window| window.get_computed_style(rows).ok().flatten());
    let text = style.and_then(|style| style.get_property_value("--row").ok()).unwrap_or_default();
    text.trim().strip_suffix("px").and_then(|px| px.parse().ok()).unwrap_or(DEFAULT_PX)
}
