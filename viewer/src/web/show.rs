//! What the app says becomes elements and pixels. What is shown already is not touched.

use js_sys::Date;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement, HtmlInputElement, HtmlProgressElement, HtmlSelectElement};

use super::dom::{element, set_attribute, show, show_words};
use super::page::State;
use crate::app::{CHART_COUNT, Panel, Phase, View, VirtualTable};
use crate::chart::Table;
use crate::text::decimal;

/// Milliseconds of a frame that may be spent on what is out of sight.
const UNSEEN_MS: f64 = 6.0;

impl State {
    /// Shows what is in sight as the app says, and, once nothing is awaited, some of the rest. True
    /// where all is shown.
    pub(super) fn draw(&mut self) -> Result<bool, JsValue> {
        let ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
        let view = self.app.view();
        let before = std::mem::take(&mut self.shown);
        for panel in Panel::ALL {
            if self.app.is_seen(panel) {
                self.draw_panel(panel, &view, ratio)?;
            }
        }
        for place in 0..CHART_COUNT {
            if view.chart_labels[place] != before.chart_labels[place] {
                let element = self.canvases[place].element();
                element.set_attribute("aria-label", &view.chart_labels[place])?;
            }
        }
        self.show(&view, &before)?;
        self.tip(&view)?;
        if self.shown_settings.as_ref() != Some(self.app.settings()) {
            self.shown_settings = Some(self.app.settings().clone());
            self.show_settings(false)?;
        }
        let mut is_whole = self.app.is_settled();
        let began_ms = Date::now();
        if is_whole {
            for panel in Panel::ALL {
                is_whole = Date::now() - began_ms < UNSEEN_MS;
                if !is_whole {
                    break;
                }
                self.draw_panel(panel, &view, ratio)?;
            }
        }
        self.shown = view;
        Ok(is_whole)
    }

    fn draw_panel(&mut self, panel: Panel, view: &View, ratio: f64) -> Result<(), JsValue> {
        match panel {
            Panel::Conversations => self.rows(panel, &view.conversations),
            Panel::Packets => self.rows(panel, &view.packets),
            _ => self.draw_chart(panel, ratio),
        }
    }

    /// Draws a chart where its picture is another than the one that is there.
    pub(super) fn draw_chart(&mut self, panel: Panel, ratio: f64) -> Result<(), JsValue> {
        let version = self.app.scene_version(panel);
        let canvas = &mut self.canvases[panel as usize];
        if !canvas.begin(version, ratio) {
            return Ok(());
        }
        match self.app.scene(panel) {
            Some(scene) => canvas.draw(&scene, ratio),
            None => {
                canvas.clear();
                Ok(())
            }
        }
    }

    fn show(&self, view: &View, before: &View) -> Result<(), JsValue> {
        let root: HtmlElement =
            self.document.document_element().ok_or("no root element")?.dyn_into()?;
        set_attribute(&root, "data-phase", view.phase.name());
        for (id, words) in [
            ("summary", &view.summary),
            ("error", &view.error),
            ("progress-words", &view.progress_text),
            ("skipped", &view.skipped),
            ("selected", &view.selected),
            ("filter-error", &view.filter_error),
            ("interval-words", &view.interval),
            ("announced", &view.announcement),
        ] {
            show_words(&self.element(id)?, words);
        }
        let has_pictures = self.app.has_data();
        for (id, is_shown) in [
            ("loading", view.phase == Phase::Loading && view.memory_prompt.is_none()),
            ("views", has_pictures),
            ("selection", has_pictures),
            ("problems", !view.skipped.is_empty()),
            ("empty", matches!(view.phase, Phase::Empty | Phase::Error)),
            ("close", view.phase != Phase::Empty),
            ("choice", view.memory_prompt.is_some()),
            ("detail", view.detail.is_some()),
        ] {
            show(&self.element(id)?, is_shown);
        }
        if view.progress != before.progress {
            element::<HtmlProgressElement>(&self.document, "progress")?.set_value(view.progress);
        }
        for (id, is_on) in [
            ("undo", view.can_undo),
            ("redo", view.can_redo),
            ("clear", !view.chips.is_empty()),
            ("zoom-to-selection", !view.chips.is_empty()),
        ] {
            // Not by `disabled`: whoever has the focus there would lose it.
            set_attribute(
                &self.element(id)?,
                "aria-disabled",
                if is_on { "false" } else { "true" },
            );
        }
        if view.memory_prompt != before.memory_prompt
            && let Some(words) = &view.memory_prompt
        {
            show_words(&self.element("choice-words")?, words);
            let every = self.app.suggested_every().to_string();
            element::<HtmlInputElement>(&self.document, "choice-every")?.set_value(&every);
        }
        let filter: HtmlInputElement = element(&self.document, "filter")?;
        if filter.value() != view.filter {
            filter.set_value(&view.filter);
        }
        let is_wrong = if view.filter_error.is_empty() { "false" } else { "true" };
        set_attribute(&filter, "aria-invalid", is_wrong);
        if view.problems != before.problems {
            self.list("problem-list", &view.problems)?;
        }
        if view.chips != before.chips {
            self.chips(view)?;
        }
        if view.completions != before.completions {
            let list = self.emptied("completions")?;
            for (whole, word) in &view.completions {
                let button = self.button("complete", whole, word)?;
                list.append_child(&button)?;
            }
        }
        for place in 0..CHART_COUNT {
            if view.tables[place] != before.tables[place] {
                let selector = format!("section[data-panel={}] .twin", Panel::ALL[place].name());
                if let Some(twin) = self.document.query_selector(&selector)? {
                    self.twin(&twin, view.tables[place].as_ref())?;
                }
            }
        }
        if view.detail != before.detail {
            self.detail(view)?;
        }
        if let Some(link) = &view.link
            && view.link != before.link
        {
            self.keep_link(link);
        }
        Ok(())
    }

    /// The settings in their controls; those that somebody is typing in only where `is_all`.
    pub(super) fn show_settings(&self, is_all: bool) -> Result<(), JsValue> {
        let controls = self.document.query_selector_all("[data-set]")?;
        let active = self.document.active_element();
        for index in 0..controls.length() {
            let Some(control) = controls.get(index) else { continue };
            let Ok(control) = control.dyn_into::<Element>() else { continue };
            let value =
                self.app.settings().get(&control.get_attribute("data-set").unwrap_or_default());
            if let Some(select) = control.dyn_ref::<HtmlSelectElement>() {
                if select.value() != value {
                    select.set_value(&value);
                }
            } else if let Some(input) = control.dyn_ref::<HtmlInputElement>() {
                if input.type_() == "checkbox" {
                    input.set_checked(value == "1");
                } else if input.value() != value && (is_all || active.as_ref() != Some(&control)) {
                    input.set_value(&value);
                }
            }
        }
        let tool = self.app.settings().get("tool");
        set_attribute(self.canvases[Panel::Scatter as usize].element(), "data-tool", &tool);
        // The head of the column that sorts says so.
        let sort = self.app.settings().get("sort");
        let heads = self.document.query_selector_all("th[data-sort]")?;
        for index in 0..heads.length() {
            let Some(head) = heads.get(index) else { continue };
            let Ok(head) = head.dyn_into::<Element>() else { continue };
            let name = head.get_attribute("data-sort").unwrap_or_default();
            let order = match sort.strip_prefix('-') {
                Some(column) if column == name => "descending",
                None if sort == name => "ascending",
                _ => "none",
            };
            head.set_attribute("aria-sort", order)?;
        }
        Ok(())
    }

    fn chips(&self, view: &View) -> Result<(), JsValue> {
        let list = self.element("chips")?;
        let active = self.document.active_element();
        let had_focus = active.is_some_and(|active| list.contains(Some(&active)));
        list.set_text_content(None);
        for chip in &view.chips {
            let item = self.document.create_element("li")?;
            let button = self.button("clear", chip.name, &format!("{} ×", chip.text))?;
            button.set_attribute("aria-label", &format!("Remove the selection {}", chip.text))?;
            button.set_attribute("title", &format!("Remove: {}", chip.name))?;
            item.append_child(&button)?;
            list.append_child(&item)?;
        }
        // Whoever has removed one by keyboard goes on from there.
        if had_focus {
            let next: HtmlElement = match list.query_selector("button")? {
                Some(button) => button.unchecked_into(),
                None => element(&self.document, "filter")?,
            };
            next.focus()?;
        }
        Ok(())
    }

    fn twin(&self, twin: &Element, table: Option<&Table>) -> Result<(), JsValue> {
        twin.set_text_content(None);
        show(twin, table.is_some());
        // What scrolls has to be reached by keyboard.
        twin.set_attribute("tabindex", "0")?;
        let Some(table) = table else { return Ok(()) };
        let element = self.document.create_element("table")?;
        let head = self.document.create_element("thead")?;
        let names = self.row("th", &table.header)?;
        head.append_child(&names)?;
        let body = self.document.create_element("tbody")?;
        for row in &table.rows {
            let row = self.row("td", row)?;
            body.append_child(&row)?;
        }
        element.append_child(&head)?;
        element.append_child(&body)?;
        twin.append_child(&element)?;
        Ok(())
    }

    fn row(&self, cell: &str, words: &[String]) -> Result<Element, JsValue> {
        let row = self.document.create_element("tr")?;
        for word in words {
            let cell = self.document.create_element(cell)?;
            cell.set_text_content(Some(word));
            row.append_child(&cell)?;
        }
        Ok(row)
    }

    /// The rows of a long table, and its bar: only what is another than before.
    fn rows(&mut self, panel: Panel, table: &VirtualTable) -> Result<(), JsValue> {
        let place = panel as usize - CHART_COUNT;
        if self.tables[place] == *table {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.tables[place], table.clone());
        let name = panel.name();
        let body = self.element(&format!("{name}-rows"))?;
        let elements = body.children();
        for index in (table.rows.len()..before.rows.len()).rev() {
            if let Some(element) = u32::try_from(index).ok().and_then(|at| elements.item(at)) {
                element.remove();
            }
        }
        for (index, row) in table.rows.iter().enumerate() {
            let known = before.rows.get(index);
            if known == Some(row) {
                continue;
            }
            let there = u32::try_from(index).ok().and_then(|at| elements.item(at));
            let element = match there {
                Some(element) => element,
                None => {
                    let element = self.row("td", &row.cells)?;
                    if let Some(first) = element.first_element_child() {
                        first.set_text_content(None);
                        let button = self.button("row", &index.to_string(), "")?;
                        first.append_child(&button)?;
                    }
                    body.append_child(&element)?;
                    element
                }
            };
            let cells = element.children();
            for (at, word) in (0..).zip(&row.cells) {
                let Some(cell) = cells.item(at) else { continue };
                let button = cell.first_element_child();
                show_words(button.as_ref().unwrap_or(&cell), word);
                if let Some(button) = button {
                    let is_pressed = if row.is_selected { "true" } else { "false" };
                    set_attribute(&button, "aria-pressed", is_pressed);
                }
            }
            set_attribute(&element, "class", if row.is_selected { "picked" } else { "" });
        }
        let bar: HtmlInputElement = element(&self.document, &format!("{name}-bar"))?;
        bar.set_max(&table.last().to_string());
        bar.set_value(&table.first.to_string());
        show(&bar, 0 < table.last());
        show_words(&self.element(&format!("{name}-words"))?, &table.range_text());
        Ok(())
    }

    fn detail(&self, view: &View) -> Result<(), JsValue> {
        let Some(detail) = &view.detail else { return Ok(()) };
        show_words(&self.element("detail-title")?, &detail.title);
        show_words(&self.element("detail-line")?, &detail.line);
        let fields = self.emptied("detail-fields")?;
        for (name, value) in &detail.fields {
            let pair = self.document.create_element("div")?;
            for (tag, words) in [("dt", name), ("dd", value)] {
                let element = self.document.create_element(tag)?;
                element.set_text_content(Some(words));
                pair.append_child(&element)?;
            }
            fields.append_child(&pair)?;
        }
        Ok(())
    }

    /// Puts the state into the address, where it can be copied.
    fn keep_link(&self, link: &str) {
        let Some(window) = web_sys::window() else { return };
        let (Ok(history), Ok(path), Ok(search)) =
            (window.history(), window.location().pathname(), window.location().search())
        else {
            return;
        };
        let hash = if link.is_empty() { String::new() } else { format!("#{link}") };
        // Where the browser refuses, the link is an older one: nothing worse.
        let _ = history.replace_state_with_url(
            &JsValue::NULL,
            "",
            Some(&format!("{path}{search}{hash}")),
        );
    }

    /// What is under the pointer, beside it.
    fn tip(&self, view: &View) -> Result<(), JsValue> {
        let tip: HtmlElement = element(&self.document, "tip")?;
        show(&tip, view.hover.is_some());
        let Some((panel, (x, y), lines)) = &view.hover else { return Ok(()) };
        self.list("tip-lines", lines)?;
        let place = self.canvases[*panel as usize].element().get_bounding_client_rect();
        // On the side where there is room.
        let is_right = *x < place.width() / 2.0;
        let left =
            place.left() + x + if is_right { 14.0 } else { -14.0 - f64::from(tip.offset_width()) };
        let style = tip.style();
        style.set_property("left", &format!("{}px", decimal(left.max(0.0), 2)))?;
        // Over the pointer where there is no room below it.
        let height = f64::from(tip.offset_height());
        let bottom = web_sys::window().and_then(|window| window.inner_height().ok()?.as_f64());
        let below = place.top() + y + 14.0;
        let is_below = below + height < bottom.unwrap_or(f64::INFINITY);
        let top = if is_below { below } else { place.top() + y - 14.0 - height };
        style.set_property("top", &format!("{}px", decimal(top, 2)))
    }

    fn element(&self, id: &str) -> Result<Element, JsValue> {
        element(&self.document, id)
    }

    fn emptied(&self, id: &str) -> Result<Element, JsValue> {
        let element = self.element(id)?;
        element.set_text_content(None);
        Ok(element)
    }

    fn button(&self, action: &str, arg: &str, words: &str) -> Result<Element, JsValue> {
        let button = self.document.create_element("button")?;
        button.set_attribute("type", "button")?;
        button.set_attribute("data-do", action)?;
        button.set_attribute("data-arg", arg)?;
        button.set_text_content(Some(words));
        Ok(button)
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
