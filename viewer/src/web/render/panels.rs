//! Completes the panels of `index.html`: each gets a menu, charts also a place for their table.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlInputElement, HtmlTemplateElement};

use crate::app::{CHART_COUNT, Panel};
use crate::web::dom::{append, element, new_element};

/// Clones the menu of the template into every panel, with the panel's own settings at its top.
pub(super) fn build(document: &Document) -> Result<(), JsValue> {
    let template: HtmlTemplateElement = element(document, "panel-menu")?;
    for (index, panel) in Panel::ALL.into_iter().enumerate() {
        if panel == Panel::Overview {
            continue;
        }
        let section: Element = element(document, &format!("{}-panel", panel.name()))?;
        let find = |selector: &str| section.query_selector(selector);
        let content = template.content().clone_node_with_deep(true)?;
        // Before the canvas: the order of the keyboard focus.
        section.insert_before(&content, find("canvas, .virtual")?.as_deref())?;
        let (Some(button), Some(menu)) = (find(".menu-button")?, find(".menu")?) else { continue };
        let id = format!("{}-menu", panel.name());
        button.set_attribute("popovertarget", &id)?;
        button.set_attribute("aria-label", &format!("Menu of {}", panel.name()))?;
        menu.set_id(&id);
        let buttons = menu.children();
        for at in 0..buttons.length() {
            if let Some(item) = buttons.item(at).filter(|item| item.tag_name() == "BUTTON") {
                item.set_attribute("popovertarget", &id)?;
                item.set_attribute("popovertargetaction", "hide")?;
            }
        }
        if let (Some(items), Some(settings)) = (find(".items")?, find(".settings")?) {
            append(&items, &settings)?;
        }
        if let Some(items) = find(".items")?.filter(|_| CHART_COUNT <= index) {
            add_columns(document, &section, &items)?;
        }
        if index < CHART_COUNT {
            let table = document.create_element("div")?;
            table.set_class_name("chart-table");
            table.set_attribute("role", "region")?;
            table.set_attribute("aria-label", &format!("{}, table", panel.name()))?;
            table.set_attribute("hidden", "")?;
            append(&section, &table)?;
        }
    }
    Ok(())
}

/// Adds a border to each column of a table, and a checkbox for it to the menu.
fn add_columns(document: &Document, section: &Element, items: &Element) -> Result<(), JsValue> {
    let headers = section.query_selector_all("th")?;
    for index in 0..headers.length() {
        let Some(header) = headers.get(index) else { continue };
        let text = header.text_content().unwrap_or_default();
        let label = document.create_element("label")?;
        let checkbox: HtmlInputElement = document.create_element("input")?.dyn_into()?;
        checkbox.set_type("checkbox");
        checkbox.set_checked(true);
        checkbox.set_attribute("data-column", &index.to_string())?;
        append(&label, &checkbox)?;
        append(&label, &new_element(document, "span", &text)?)?;
        append(items, &label)?;
        let border = new_element(document, "span", "")?;
        border.set_class_name("separator column-border");
        for (name, value) in [
            ("role", "separator"),
            ("aria-orientation", "vertical"),
            ("aria-valuenow", "0"),
            ("aria-label", &format!("Width of {text}")),
            ("tabindex", if index == 0 { "0" } else { "-1" }),
        ] {
            border.set_attribute(name, value)?;
        }
        header.append_child(&border)?;
    }
    Ok(())
}
