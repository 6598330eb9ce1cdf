//! What the app says becomes elements and pixels.

use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, HtmlProgressElement};

use super::dom::{element, show, show_words};
use super::page::State;
use crate::app::{Chart, Phase};

impl State {
    /// Shows everything as the app says.
    pub(super) fn draw(&self) -> Result<(), JsValue> {
        let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
        let view = self.app.view();
        for (canvas, chart, words) in [
            (&self.histogram, Chart::Histogram, &view.histogram_words),
            (&self.scatter, Chart::Scatter, &view.scatter_words),
        ] {
            match self.app.scene(chart) {
                Some(scene) => canvas.draw(&scene, ratio)?,
                None => canvas.clear(),
            }
            canvas.element().set_attribute("aria-label", words)?;
        }
        let root: HtmlElement =
            self.document.document_element().ok_or("no root element")?.dyn_into()?;
        root.dataset().set("phase", view.phase.name())?;
        let is_loading = view.phase == Phase::Loading;
        self.words("summary", &view.summary)?;
        self.words("error", &view.error)?;
        self.words("progress-words", &view.progress_words)?;
        self.words("skipped", &view.skipped)?;
        show(&self.element("loading")?, is_loading);
        show(&self.element("charts")?, self.app.has_pictures());
        show(&self.element("problems")?, !view.skipped.is_empty());
        show(&self.element("empty")?, matches!(view.phase, Phase::Empty | Phase::Error));
        element::<HtmlProgressElement>(&self.document, "progress")?.set_value(view.progress);
        self.list("problem-list", &view.problems)?;
        self.tip(view.hover)
    }

    /// What is under the pointer, beside it.
    fn tip(&self, hover: Option<(Chart, (f64, f64), Vec<String>)>) -> Result<(), JsValue> {
        let tip: HtmlElement = element(&self.document, "tip")?;
        show(&tip, hover.is_some());
        let Some((chart, (x, y), lines)) = hover else { return Ok(()) };
        self.list("tip-lines", &lines)?;
        let canvas = match chart {
            Chart::Histogram => self.histogram.element(),
            Chart::Scatter => self.scatter.element(),
        };
        let place = canvas.get_bounding_client_rect();
        // On the side where there is room.
        let is_right = x < place.width() / 2.0;
        let left =
            place.left() + x + if is_right { 14.0 } else { -14.0 - f64::from(tip.offset_width()) };
        let style = tip.style();
        style.set_property("left", &format!("{left}px"))?;
        // Over the pointer where there is no room below it.
        let height = f64::from(tip.offset_height());
        let bottom = web_sys::window().and_then(|window| window.inner_height().ok()?.as_f64());
        let below = place.top() + y + 14.0;
        let is_below = below + height < bottom.unwrap_or(f64::INFINITY);
        let top = if is_below { below } else { place.top() + y - 14.0 - height };
        style.set_property("top", &format!("{top}px"))
    }

    fn element(&self, id: &str) -> Result<Element, JsValue> {
        element(&self.document, id)
    }

    fn words(&self, id: &str, words: &str) -> Result<(), JsValue> {
        show_words(&self.element(id)?, words);
        Ok(())
    }

    fn list(&self, id: &str, lines: &[String]) -> Result<(), JsValue> {
        let list = self.element(id)?;
        let children = list.children();
        let is_there = children.length() as usize == lines.len()
            && lines.iter().zip(0..).all(|(line, index)| {
                children.item(index).and_then(|child| child.text_content()).as_ref() == Some(line)
            });
        if is_there {
            return Ok(());
        }
        list.set_text_content(None);
        for line in lines {
            let item = self.document.create_element("li")?;
            item.set_text_content(Some(line));
            list.append_child(&item)?;
        }
        Ok(())
    }
}
