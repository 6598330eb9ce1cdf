//! The suggestions of the filter box: a list below it that covers what is there, operated like the list of
//! a combobox (WAI-ARIA Authoring Practices, "Combobox").

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, Event, HtmlElement, KeyboardEvent, MouseEvent};

use crate::web::dom::{element, elements, listen};
use crate::web::page::Page;

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    let input: Element = element(&document, "filter")?;
    let opens = document.clone();
    listen(&input, "input", move |_: Event| set_open(&opens, true))?;
    let opens = document.clone();
    listen(&input, "click", move |_: MouseEvent| set_open(&opens, true))?;
    let list: Element = element(&document, "completions")?;
    // A press must not take the focus from the box.
    listen(&list, "mousedown", move |event: MouseEvent| event.prevent_default())?;
    listen(&input, "blur", move |_: Event| set_open(&document, false))
}

/// Opens or closes the list. No suggestion is active then.
fn set_open(document: &Document, is_open: bool) {
    let set = || -> Result<(), JsValue> {
        let (input, list) = parts(document)?;
        list.toggle_attribute_with_force("data-open", is_open)?;
        input.set_attribute("aria-expanded", if is_open { "true" } else { "false" })?;
        activate(document, None)
    };
    let done = set();
    debug_assert!(done.is_ok());
}

fn parts(document: &Document) -> Result<(Element, Element), JsValue> {
    Ok((element(document, "filter")?, element(document, "completions")?))
}

/// Handles a key of the filter box. Returns false for keys that have no meaning for the list.
pub(super) fn handle_key(document: &Document, event: &KeyboardEvent) -> Result<bool, JsValue> {
    let options = elements(document, "#completions [role=option]")?;
    let (_, list) = parts(document)?;
    let is_open = list.has_attribute("data-open") && !options.is_empty();
    let active = options
        .iter()
        .position(|option| option.get_attribute("aria-selected").as_deref() == Some("true"));
    match (event.key().as_str(), is_open, active) {
        ("ArrowDown" | "ArrowUp", false, _) => set_open(document, true),
        ("ArrowDown", true, _) => {
            activate(document, options.get(active.map_or(0, |index| index + 1)))?;
        }
        ("ArrowUp", true, _) => {
            let index = active.unwrap_or(options.len()).checked_sub(1);
            activate(document, index.and_then(|index| options.get(index)))?;
        }
        ("Enter" | "Tab", true, Some(index)) => {
            let option: &HtmlElement = options[index].unchecked_ref();
            option.click();
        }
        ("Escape", true, _) => set_open(document, false),
        _ => return Ok(false),
    }
    Ok(true)
}

/// Makes a suggestion the active one; none if it is `None`.
fn activate(document: &Document, option: Option<&Element>) -> Result<(), JsValue> {
    let (input, _) = parts(document)?;
    for other in elements(document, "#completions [aria-selected=true]")? {
        other.set_attribute("aria-selected", "false")?;
    }
    match option {
        Some(option) => {
            option.set_attribute("aria-selected", "true")?;
            option.scroll_into_view_with_bool(false);
            input.set_attribute("aria-activedescendant", &option.id())
        }
        None => input.remove_attribute("aria-activedescendant"),
    }
}
