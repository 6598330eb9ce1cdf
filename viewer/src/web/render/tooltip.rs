//! The tooltip beside the pointer.

use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlCanvasElement, HtmlElement};

use crate::text::fixed;
use crate::web::dom::{element, set_list, set_visible};

/// The distance from the pointer, in CSS pixels.
const OFFSET_PX: f64 = 14.0;

/// Shows lines of text beside a point of a canvas, in CSS pixels, or hides the tooltip.
pub(super) fn render_tooltip(
    document: &Document,
    hovered: Option<(&HtmlCanvasElement, (f64, f64), &[String])>,
) -> Result<(), JsValue> {
    let tooltip: HtmlElement = element(document, "tooltip")?;
    set_visible(&tooltip, hovered.is_some());
    let Some((canvas, (x, y), lines)) = hovered else { return Ok(()) };
    set_list(document, "tooltip-lines", lines)?;
    let rect = canvas.get_bounding_client_rect();
    let (width, height) = (f64::from(tooltip.offset_width()), f64::from(tooltip.offset_height()));
    // On the side that has more space.
    let is_right = x < rect.width() / 2.0;
    let left = rect.left() + x + if is_right { OFFSET_PX } else { -OFFSET_PX - width };
    // Below the pointer, or above it at the bottom of the window.
    let below = rect.top() + y + OFFSET_PX;
    let bottom = web_sys::window().and_then(|window| window.inner_height().ok()?.as_f64());
    let is_below = below + height < bottom.unwrap_or(f64::INFINITY);
    let top = if is_below { below } else { rect.top() + y - OFFSET_PX - height };
    let style = tooltip.style();
    style.set_property("left", &format!("{}px", fixed(left.max(0.0), 2)))?;
    style.set_property("top", &format!("{}px", fixed(top, 2)))
}
