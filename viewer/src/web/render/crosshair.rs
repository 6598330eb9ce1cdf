//! The crosshair in the charts over time. It is drawn over the charts, which stay as they are.

use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlCanvasElement, HtmlElement};

use crate::app::{Crosshair, Panel};
use crate::text::fixed;
use crate::web::dom::{element, set_attribute, set_flag, set_visible};

/// Shows the line of a chart, or hides it.
pub(super) fn render_crosshair(
    document: &Document,
    (chart, canvas): (Panel, &HtmlCanvasElement),
    crosshair: Option<&Crosshair>,
) -> Result<(), JsValue> {
    let line: HtmlElement = element(document, &format!("{}-crosshair", chart.name()))?;
    set_visible(&line, crosshair.is_some());
    let Some(Crosshair { rect, label, .. }) = crosshair else { return Ok(()) };
    set_attribute(&line, "data-time", label);
    let canvas = canvas.get_bounding_client_rect();
    // The time is on the side that has more space.
    set_flag(&line, "data-left", canvas.width() / 2.0 < rect.x);
    for (property, px) in
        [("left", canvas.left() + rect.x), ("top", canvas.top() + rect.y), ("height", rect.height)]
    {
        line.style().set_property(property, &format!("{}px", fixed(px, 2)))?;
    }
    Ok(())
}
