//! Puts scenes on canvases.

use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use crate::scene::{Align, Mark, Rect, Scene, css};
use crate::text::decimal;

const FONT: &str = "system-ui, sans-serif";

/// A canvas, and a second one for pictures made of cells.
pub(super) struct Canvas {
    element: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    cells: HtmlCanvasElement,
    cells_context: CanvasRenderingContext2d,
    /// Version of what was drawn last, and device pixels to a CSS pixel then.
    drawn: Option<((u64, [u64; 2]), f64)>,
}

impl Canvas {
    pub(super) fn new(element: HtmlCanvasElement) -> Result<Self, JsValue> {
        let document = element.owner_document().ok_or("a canvas without document")?;
        let cells: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
        let (context, cells_context) = (context(&element)?, context(&cells)?);
        Ok(Self { element, context, cells, cells_context, drawn: None })
    }

    pub(super) fn element(&self) -> &HtmlCanvasElement {
        &self.element
    }

    /// True where that version is not what is drawn: it will be now.
    pub(super) fn begin(&mut self, version: (u64, [u64; 2]), ratio: f64) -> bool {
        self.drawn.replace((version, ratio)) != Some((version, ratio))
    }

    /// Draws the scene with `ratio` device pixels to a CSS pixel.
    pub(super) fn draw(&self, scene: &Scene, ratio: f64) -> Result<(), JsValue> {
        resize(&self.element, (device(scene.width_px * ratio), device(scene.height_px * ratio)));
        self.context.set_transform(ratio, 0.0, 0.0, ratio, 0.0, 0.0)?;
        self.context.set_fill_style_str(&css(scene.background));
        self.context.fill_rect(0.0, 0.0, scene.width_px, scene.height_px);
        scene.marks.iter().try_for_each(|mark| self.mark(mark))
    }

    /// Nothing but ground.
    pub(super) fn clear(&self) {
        self.element.set_width(self.element.width());
    }

    fn mark(&self, mark: &Mark) -> Result<(), JsValue> {
        let context = &self.context;
        match mark {
            Mark::Rect { rect, color, opacity } => {
                context.set_fill_style_str(&css(*color));
                context.set_global_alpha(*opacity);
                context.fill_rect(rect.x, rect.y, rect.width, rect.height);
                context.set_global_alpha(1.0);
            }
            Mark::Line { from, to, color } => {
                context.set_stroke_style_str(&css(*color));
                context.begin_path();
                context.move_to(crisp(from.0), crisp(from.1));
                context.line_to(crisp(to.0), crisp(to.1));
                context.stroke();
            }
            Mark::Text { at, text, color, size_px, align, is_upright } => {
                context.set_fill_style_str(&css(*color));
                context.set_font(&format!("{}px {FONT}", decimal(*size_px, 2)));
                context.set_text_baseline("middle");
                context.set_text_align(match align {
                    Align::Start => "left",
                    Align::Middle => "center",
                    Align::End => "right",
                });
                context.save();
                context.translate(at.0, at.1)?;
                if *is_upright {
                    context.rotate(-std::f64::consts::FRAC_PI_2)?;
                }
                context.fill_text(text, 0.0, 0.0)?;
                context.restore();
            }
            Mark::Cells { rect, columns, rgba } => self.cells(*rect, *columns, rgba)?,
        }
        Ok(())
    }

    fn cells(&self, rect: Rect, columns: usize, rgba: &[u8]) -> Result<(), JsValue> {
        let (Ok(width), Ok(height)) =
            (u32::try_from(columns), u32::try_from(rgba.len() / 4 / columns.max(1)))
        else {
            return Ok(());
        };
        let image = ImageData::new_with_u8_clamped_array_and_sh(Clamped(rgba), width, height)?;
        resize(&self.cells, (width, height));
        self.cells_context.put_image_data(&image, 0.0, 0.0)?;
        self.context.set_image_smoothing_enabled(false);
        self.context.draw_image_with_html_canvas_element_and_dw_and_dh(
            &self.cells,
            rect.x,
            rect.y,
            rect.width,
            rect.height,
        )
    }
}

/// Gives a canvas that size, where it has another: it gets new memory then.
fn resize(canvas: &HtmlCanvasElement, (width, height): (u32, u32)) {
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
}

fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    let context = canvas.get_context("2d")?.ok_or("this browser draws no canvases")?;
    Ok(context.dyn_into()?)
}

/// The middle of the pixel, where a line of one pixel is one pixel wide.
fn crisp(px: f64) -> f64 {
    px.floor() + 0.5
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "sizes of a screen")]
fn device(px: f64) -> u32 {
    px.round().clamp(1.0, 16_384.0) as u32
}
