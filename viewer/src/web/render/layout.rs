//! Shows the layout: open tabs, the maximized part and the sizes of the panes.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement};

use crate::app::Panel;
use crate::layout::{Layout, Maximized};
use crate::web::dom::{aria_bool, element, elements, set_attribute, set_flag, set_text};

/// Tabs and panes follow from attributes and variables of the root element; see `style.css`.
pub(super) fn show_layout(document: &Document, layout: &Layout) -> Result<(), JsValue> {
    let root: HtmlElement = document.document_element().ok_or("no root element")?.dyn_into()?;
    let get = |key: &str| layout.get(key).unwrap_or_default();
    for key in ["chart", "tab"] {
        set_attribute(&root, &format!("data-{key}"), &get(key));
    }
    for tab in elements(document, "[role=tab]")? {
        let arg = tab.get_attribute("data-arg").unwrap_or_default();
        let Some((key, name)) = arg.split_once('=') else { continue };
        let current = get(key);
        // Beside the top lists, the first table is shown for tabs that only small screens have.
        let is_small_only =
            !tab.id().starts_with("phone-") && matches!(&current[..], "top" | "more");
        let is_selected = name == current || is_small_only && name == "conversations";
        set_attribute(&tab, "aria-selected", aria_bool(is_selected));
        // The arrow keys move between tabs.
        set_attribute(&tab, "tabindex", if is_selected { "0" } else { "-1" });
    }
    for separator in elements(document, "[data-resize]")? {
        let key = separator.get_attribute("data-resize").unwrap_or_default();
        let size = get(&key);
        set_attribute(&separator, "aria-valuenow", &size);
        root.style().set_property(&format!("--{key}"), &format!("{size}px"))?;
    }
    let views: Element = element(document, "views")?;
    set_flag(&views, "data-max", matches!(layout.maximized, Some(Maximized::Panel(_))));
    let is_maximized = layout.maximized == Some(Maximized::Detail);
    set_flag(&views, "data-max-detail", is_maximized);
    let button: Element = element(document, "detail-maximize")?;
    let label = if is_maximized { "Restore" } else { "Maximize" };
    set_attribute(&button, "aria-label", label);
    set_attribute(&button, "title", label);
    for panel in Panel::ALL {
        let section: Element = element(document, &format!("{}-panel", panel.name()))?;
        let is_maximized = layout.maximized == Some(Maximized::Panel(panel));
        set_flag(&section, "data-maximized", is_maximized);
        if let Some(button) = section.query_selector("[data-action=maximize]")? {
            set_text(&button, if is_maximized { "Restore" } else { "Maximize" });
        }
    }
    Ok(())
}
