//! Shows the settings in the form controls (`data-setting`) and in the headers of sortable columns.

use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlInputElement, HtmlSelectElement};

use crate::settings::Settings;
use crate::time::duration;
use crate::web::dom::{append, elements};

/// Sets all controls. The control that is being edited keeps its text unless `includes_focused`.
pub(super) fn show_settings(
    document: &Document,
    settings: &Settings,
    includes_focused: bool,
) -> Result<(), JsValue> {
    let focused = document.active_element();
    for control in elements(document, "[data-setting]")? {
        let value = settings.get(&control.get_attribute("data-setting").unwrap_or_default());
        let is_editable = includes_focused || focused.as_ref() != Some(&control);
        if let Some(select) = control.dyn_ref::<HtmlSelectElement>() {
            if select.value() != value {
                select.set_value(&value);
            }
            if select.value() != value {
                add_option(document, select, &value)?;
            }
        } else if let Some(input) = control.dyn_ref::<HtmlInputElement>() {
            if input.type_() == "checkbox" {
                input.set_checked(value == "1");
            } else if is_editable && input.value() != value {
                input.set_value(&value);
            }
        }
    }
    show_sort_order(document, "conversations", &settings.get("sort"))?;
    show_sort_order(document, "endpoints", &settings.get("endpoints-sort"))
}

/// Adds and selects a value that the list lacks: the bin width of a link or a script.
fn add_option(document: &Document, select: &HtmlSelectElement, value: &str) -> Result<(), JsValue> {
    let option = document.create_element("option")?;
    option.set_attribute("value", value)?;
    let label = value.parse().map_or_else(|_| value.to_owned(), duration);
    option.set_text_content(Some(&label));
    append(select, &option)?;
    select.set_value(value);
    Ok(())
}

/// Marks the column by which a table is sorted: its name, after `-` if descending.
fn show_sort_order(document: &Document, table: &str, sort: &str) -> Result<(), JsValue> {
    for header in elements(document, &format!("#{table} th[data-sort]"))? {
        let name = header.get_attribute("data-sort").unwrap_or_default();
        let order = match sort.strip_prefix('-') {
            Some(column) if column == name => "descending",
            None if sort == name => "ascending",
            _ => "none",
        };
        header.set_attribute("aria-sort", order)?;
    }
    Ok(())
}
