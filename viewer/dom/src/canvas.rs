//! Draws a [`Scene`] on a canvas.

use wasm_bindgen::Clamped;
use wasm_bindgen::prelude::*;
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData};

use viewer_model::scene::{Align, Mark, Rect, Scene, css};
use viewer_model::text::fixed;

const FONT: &str = "system-ui, sans-serif";

/// A canvas, with an off-screen canvas for images made of cells. `V` identifies what is drawn.
pub struct Canvas<V = ()> {
    element: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
    cells: HtmlCanvasElement,
    cells_context: CanvasRenderingContext2d,
    /// The version that was last drawn, and its device pixel ratio.
    drawn: Option<(V, f64)>,
    /// The scene on the canvas, and its device pixel ratio.
    shown: Option<(Scene, f64)>,
}

impl<V: Copy + PartialEq> Canvas<V> {
    /// Takes over a canvas.
    ///
    /// # Errors
    ///
    /// If the browser does not support 2D canvases.
    pub fn new(element: HtmlCanvasElement) -> Result<Self, JsValue> {
        let document = element.owner_document().ok_or("canvas is not in a document")?;
        let cells: HtmlCanvasElement = document.create_element("canvas")?.dyn_into()?;
        let (context, cells_context) = (context(&element)?, context(&cells)?);
        Ok(Self { element, context, cells, cells_context, drawn: None, shown: None })
    }

    /// The canvas.
    pub fn element(&self) -> &HtmlCanvasElement {
        &self.element
    }

    /// Records that this version is about to be drawn; false if it is already on the canvas.
    pub fn needs_drawing(&mut self, version: V, pixel_ratio: f64) -> bool {
        self.drawn.replace((version, pixel_ratio)) != Some((version, pixel_ratio))
    }

    /// Draws a scene at `pixel_ratio` device pixels per CSS pixel, unless the canvas shows it: the browser
    /// repaints the whole canvas after any drawing operation.
    ///
    /// # Errors
    ///
    /// If the browser refuses a drawing operation.
    pub fn draw(&mut self, scene: Scene, pixel_ratio: f64) -> Result<(), JsValue> {
        let shown = (scene, pixel_ratio);
        if self.shown.as_ref() != Some(&shown) {
            self.shown = None;
            self.paint(&shown.0, pixel_ratio)?;
            self.shown = Some(shown);
        }
        Ok(())
    }

    fn paint(&self, scene: &Scene, pixel_ratio: f64) -> Result<(), JsValue> {
        let [width, height] =
            [scene.width_px, scene.height_px].map(|px| device_px(px * pixel_ratio));
        resize(&self.element, (width, height));
        self.context.set_transform(pixel_ratio, 0.0, 0.0, pixel_ratio, 0.0, 0.0)?;
        self.context.set_fill_style_str(&css(scene.background));
        self.context.fill_rect(0.0, 0.0, scene.width_px, scene.height_px);
        scene.marks.iter().try_for_each(|mark| self.draw_mark(mark))
    }

    /// Erases the canvas.
    pub fn clear(&mut self) {
        self.shown = None;
        // Setting the width, even to the same value, erases it.
        self.element.set_width(self.element.width());
    }

    fn draw_mark(&self, mark: &Mark) -> Result<(), JsValue> {
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
                context.move_to(pixel_center(from.0), pixel_center(from.1));
                context.line_to(pixel_center(to.0), pixel_center(to.1));
                context.stroke();
            }
            Mark::Text { at, text, color, size_px, align, is_upright } => {
                context.set_fill_style_str(&css(*color));
                context.set_font(&format!("{}px {FONT}", fixed(*size_px, 2)));
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
            Mark::Cells { rect, columns, rgba } => self.draw_cells(*rect, *columns, rgba)?,
        }
        Ok(())
    }

    fn draw_cells(&self, rect: Rect, columns: usize, rgba: &[u8]) -> Result<(), JsValue> {
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

/// Resizes a canvas only if needed: each resize allocates new memory.
fn resize(canvas: &HtmlCanvasElement, (width, height): (u32, u32)) {
    if (canvas.width(), canvas.height()) != (width, height) {
        canvas.set_width(width);
        canvas.set_height(height);
    }
}

fn context(canvas: &HtmlCanvasElement) -> Result<CanvasRenderingContext2d, JsValue> {
    let context = canvas.get_context("2d")?.ok_or("this browser does not support 2D canvases")?;
    Ok(context.dyn_into()?)
}

/// The center of the pixel: a line of one pixel through it covers no other pixels.
fn pixel_center(px: f64) -> f64 {
    px.floor() + 0.5
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
fn device_px(px: f64) -> u32 {
    px.round().clamp(1.0, 16_384.0) as u32
}
