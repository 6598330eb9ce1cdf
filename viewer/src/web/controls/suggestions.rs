//! The suggestions of the filter box: a list below it that covers what is there, operated like the list of
//! a combobox (WAI-ARIA Authoring Practices, "Combobox").

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, Event, HtmlElement, KeyboardEvent, MouseEvent};

use crate::web::dom::{aria_bool, element, elements, listen, log_error, set_attribute, set_flag};
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
        set_flag(&list, "data-open", is_open);
        set_attribute(&input, "aria-expanded", aria_bool(is_open));
        activate(document, None)
    };
    log_error(set());
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
        set_attribute(&other, "aria-selected", aria_bool(false));
    }
    match option {
        Some(option) => {
            set_attribute(option, "aria-selected", aria_bool(true));
            option.scroll_into_view_with_bool(false);
            input.set_attribute("aria-activedescendant", &option.id())
        }
        None => input.remove_attribute("aria-activedescendant"),
    }
}
