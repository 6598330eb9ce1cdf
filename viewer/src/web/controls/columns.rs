//! The borders of table columns. One border of a table is a stop of the Tab key; the arrow keys move from
//! there to the others.

use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, KeyboardEvent, MouseEvent};

use super::borders::{self, Border};
use super::layout::set_layout;
use crate::app::Panel;
use crate::text::fixed;
use crate::web::dom::{element, elements, is_visible, listen, log_error, set_attribute};
use crate::web::page::Page;

pub(super) fn attach(page: &Page, table: Panel) -> Result<(), JsValue> {
    let selector = format!("#{} .column-border", table.name());
    for (column, separator) in elements(&page.document(), &selector)?.into_iter().enumerate() {
        attach_border(page, table, column, &separator)?;
    }
    let table: Element = element(&page.document(), table.name())?;
    let header = table.query_selector("thead")?.ok_or("no header")?;
    let borders = elements(&page.document(), &selector)?;
    listen(&header, "focusin", move |event: web_sys::Event| {
        let focused = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if let Some(focused) = focused.filter(|focused| borders.contains(focused)) {
            for border in &borders {
                set_attribute(border, "tabindex", if *border == focused { "0" } else { "-1" });
            }
            set_attribute(&focused, "aria-valuenow", &fixed(width_px(&focused), 0));
        }
    })
}

/// The width of the column whose border this is.
fn width_px(separator: &Element) -> f64 {
    separator.parent_element().map_or(0.0, |header| header.get_bounding_client_rect().width())
}

fn attach_border(
    page: &Page,
    table: Panel,
    column: usize,
    separator: &Element,
) -> Result<(), JsValue> {
    let set = {
        let page = page.clone();
        move |width_px: Option<f64>| {
            let mut widths = page.with_app(|app| app.settings().layout.widths.clone());
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "saturates, and is clamped"
            )]
            widths.set(table, column, width_px.map(|px| px as u16));
            set_layout(&page, "widths", &widths.text());
        }
    };
    let (measured, resize, fit) = (separator.clone(), set.clone(), set.clone());
    let valued = separator.clone();
    borders::attach(
        separator,
        Border {
            is_vertical: true,
            sign: 1.0,
            size_px: Box::new(move || width_px(&measured)),
            resize: Box::new(move |px| {
                set_attribute(&valued, "aria-valuenow", &fixed(px.max(0.0), 0));
                resize(Some(px));
            }),
        },
    )?;
    listen(separator, "dblclick", move |_: MouseEvent| fit(None))?;
    let focused = separator.clone();
    listen(separator, "keydown", move |event: KeyboardEvent| {
        let next: fn(&Element) -> Option<Element> = match event.key().as_str() {
            "Enter" => {
                event.prevent_default();
                event.stop_propagation();
                return set(None);
            }
            "ArrowUp" => Element::previous_element_sibling,
            "ArrowDown" => Element::next_element_sibling,
            _ => return,
        };
        event.prevent_default();
        event.stop_propagation();
        log_error(focus_next(&focused, next));
    })
}

/// Focuses the border of the next column that can be seen.
fn focus_next(separator: &Element, next: fn(&Element) -> Option<Element>) -> Result<(), JsValue> {
    let header = separator.parent_element();
    let mut headers = std::iter::successors(header.as_ref().and_then(next), next);
    let border = match headers.find(is_visible) {
        Some(header) => header.query_selector(".column-border")?,
        None => None,
    };
    border.map_or(Ok(()), |border| border.unchecked_into::<HtmlElement>().focus())
}
