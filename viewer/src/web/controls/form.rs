//! Form controls: settings, the filter, hidden columns; and clicks on buttons.

use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlInputElement, HtmlSelectElement, MouseEvent};

use super::actions;
use super::layout::set_layout;
use crate::app::Event;
use crate::layout;
use crate::web::dom::{enclosing_panel, listen, log_error};
use crate::web::page::Page;

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    let on_click = page.clone();
    listen(&document, "click", move |event: MouseEvent| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let button = target.and_then(|target| target.closest("[data-action]").ok().flatten());
        if let Some(button) = button {
            log_error(actions::run(&on_click, &button));
        }
    })?;
    let on_input = page.clone();
    listen(&document, "input", move |event: web_sys::Event| {
        let control = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(control) = control {
            handle_input(&on_input, &control);
        }
    })?;
    // When editing ends, an invalid value is replaced by the current setting.
    let on_change = page.clone();
    listen(&document, "change", move |_: web_sys::Event| {
        log_error(on_change.reset_controls());
        on_change.send(Event::CommitFilter);
    })
}

fn handle_input(page: &Page, control: &Element) {
    let Some(value) = value_of(control) else { return };
    if let Some(setting) = control.get_attribute("data-setting") {
        if layout::KEYS.contains(&&*setting) {
            set_layout(page, &setting, &value);
        } else {
            page.send(Event::Set(setting, value));
        }
    } else if control.id() == "filter" {
        actions::send_filter(page);
    } else if let Some(column) = control.get_attribute("data-column")
        && let (Some(table), Ok(column)) = (enclosing_panel(control), column.parse())
    {
        let mut columns = page.with_app(|app| app.settings().layout.columns.clone());
        columns.choose(table, column, value == "1");
        set_layout(page, "columns", &columns.text());
    }
}

/// The value of a control; `1` or `0` for a checkbox.
fn value_of(control: &Element) -> Option<String> {
    if let Some(select) = control.dyn_ref::<HtmlSelectElement>() {
        return Some(select.value());
    }
    let input: &HtmlInputElement = control.dyn_ref()?;
    Some(match input.type_().as_str() {
        "checkbox" => if input.checked() { "1" } else { "0" }.to_owned(),
        _ => input.value(),
    })
}
