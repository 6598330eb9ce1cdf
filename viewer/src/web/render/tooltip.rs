//! The tooltip beside the part of a chart at the pointer.

use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlCanvasElement, HtmlElement};

use crate::app::Tooltip;
use crate::text::fixed;
use crate::web::dom::{element, set_list, set_visible};

/// The distance from the described part, in CSS pixels.
const OFFSET_PX: f64 = 14.0;

/// Shows a tooltip beside the part of a canvas that it describes, or hides it.
pub(super) fn render_tooltip(
    document: &Document,
    hovered: Option<(&HtmlCanvasElement, &Tooltip)>,
) -> Result<(), JsValue> {
    let element: HtmlElement = element(document, "tooltip")?;
    set_visible(&element, hovered.is_some());
    let Some((canvas, tooltip)) = hovered else { return Ok(()) };
    set_list(document, "tooltip-lines", &tooltip.lines)?;
    let (canvas, part) = (canvas.get_bounding_client_rect(), tooltip.rect);
    let (width, height) = (f64::from(element.offset_width()), f64::from(element.offset_height()));
    // On the side that has more space.
    let is_right = part.x + part.width / 2.0 < canvas.width() / 2.0;
    let distance = if is_right { part.width + OFFSET_PX } else { -OFFSET_PX - width };
    let left = canvas.left() + part.x + distance;
    // Below the part, or above it at the bottom of the window.
    let below = canvas.top() + part.y + part.height + OFFSET_PX;
    let bottom = web_sys::window().and_then(|window| window.inner_height().ok()?.as_f64());
    let is_below = below + height < bottom.unwrap_or(f64::INFINITY);
    let top = if is_below { below } else { canvas.top() + part.y - OFFSET_PX - height };
    let style = element.style();
    style.set_property("left", &format!("{}px", fixed(left.max(0.0), 2)))?;
    style.set_property("top", &format!("{}px", fixed(top, 2)))
}
