//! Draws the app: charts on canvases, everything else as text and elements. Whatever is unchanged
//! since the last frame is not touched.

mod crosshair;
mod layout;
mod panels;
mod settings;
mod table;
mod tooltip;

use js_sys::{Array, Date, Function, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::{
    Document, Element, HtmlCanvasElement, HtmlElement, HtmlInputElement, HtmlProgressElement,
};

use super::address::{Address, Visit, is_own_entry};
use super::dom::{
    append, aria_bool, element, new_button, set_attribute, set_list, set_text, set_visible,
};
use crate::app::{App, CHART_COUNT, Chip, Detail, Panel, Phase, SceneVersion, TIME_CHARTS, View};
use crate::scene::css;
use crate::selection::Dimension;
use crate::settings::Settings;
use table::{VirtualTables, render_table};
use viewer_dom::Canvas;

/// The part of a frame that may be spent on panels out of sight, in milliseconds.
const OFFSCREEN_BUDGET_MS: f64 = 6.0;

/// Draws the app. Stores the drawn state, so that only changes are drawn.
pub(super) struct Renderer {
    document: Document,
    canvases: Vec<Canvas<SceneVersion>>,
    /// The view that was drawn last.
    shown: View,
    /// The settings that the controls show.
    shown_settings: Option<Settings>,
    /// The panels are shown.
    has_charts: bool,
    /// Panels may have appeared or moved since [`Self::take_layout_change`].
    is_layout_changed: bool,
    tables: VirtualTables,
    /// A function of `main.js` that shows a packet in the inspector, a separate module.
    inspect: Function,
    address: Address,
}

impl Renderer {
    /// `inspect` is a JavaScript function that shows a packet; see `main.js`.
    pub(super) fn new(document: &Document, inspect: Function) -> Result<Self, JsValue> {
        panels::build(document)?;
        let mut canvases = Vec::with_capacity(CHART_COUNT);
        for chart in &Panel::ALL[..CHART_COUNT] {
            canvases.push(Canvas::new(element(document, chart.name())?)?);
        }
        Ok(Self {
            document: document.clone(),
            canvases,
            shown: View::default(),
            address: Address::default(),
            shown_settings: None,
            has_charts: false,
            is_layout_changed: false,
            tables: VirtualTables::default(),
            inspect,
        })
    }

    /// Draws the panels in sight, and the others as well, within a time limit, once the app is
    /// settled. Returns true if everything is drawn.
    pub(super) fn draw(&mut self, app: &App) -> Result<bool, JsValue> {
        let view = app.view();
        let previous = std::mem::take(&mut self.shown);
        for panel in Panel::ALL {
            if app.is_seen(panel) {
                self.draw_panel(app, panel, &view)?;
            }
        }
        for (index, text) in view.chart_labels.iter().enumerate() {
            if *text != previous.chart_labels[index] {
                self.canvases[index].element().set_attribute("aria-label", text)?;
            }
        }
        self.update_elements(app, &view, &previous)?;
        let had_charts = std::mem::replace(&mut self.has_charts, app.has_data());
        self.is_layout_changed |= had_charts != self.has_charts;
        let hovered = view
            .hover
            .as_ref()
            .map(|tooltip| (self.canvases[tooltip.panel as usize].element(), tooltip));
        tooltip::render_tooltip(&self.document, hovered)?;
        if view.crosshairs != previous.crosshairs {
            for chart in TIME_CHARTS {
                let crosshair = view.crosshairs.iter().find(|line| line.panel == chart);
                let canvas = self.canvases[chart as usize].element();
                crosshair::render_crosshair(&self.document, (chart, canvas), crosshair)?;
            }
        }
        if self.shown_settings.as_ref() != Some(app.settings()) {
            let shown = self.shown_settings.replace(app.settings().clone());
            self.is_layout_changed |=
                shown.is_none_or(|shown| shown.layout != app.settings().layout);
            self.show_settings(app.settings(), false)?;
        }
        let mut is_complete = app.is_settled();
        if is_complete {
            let started_ms = Date::now();
            for panel in Panel::ALL {
                is_complete = Date::now() - started_ms < OFFSCREEN_BUDGET_MS;
                if !is_complete {
                    break;
                }
                self.draw_panel(app, panel, &view)?;
            }
        }
        self.update_address(&view);
        self.shown = view;
        Ok(is_complete)
    }

    /// Puts the state into the address of the page, where it can be copied or bookmarked, unless it is there.
    fn update_address(&mut self, view: &View) {
        if let Some(link) = &view.link
            && (&self.shown.link, self.shown.depth) != (&view.link, view.depth)
        {
            self.address.show(link, view.depth);
        }
    }

    /// The browser went to another entry of its history. The next frame updates the address.
    pub(super) fn visit(&mut self) -> Visit {
        if is_own_entry() {
            self.shown.link = None;
        }
        self.address.visit()
    }

    /// The app has restored the link of an entry, and can undo this many steps.
    pub(super) fn restored(&mut self, depth: usize) {
        self.address.restored(depth);
    }

    /// Returns true once after the layout was changed.
    pub(super) fn take_layout_change(&mut self) -> bool {
        std::mem::take(&mut self.is_layout_changed)
    }

    fn draw_panel(&mut self, app: &App, panel: Panel, view: &View) -> Result<(), JsValue> {
        match panel {
            Panel::Conversations => self.tables.render(&self.document, panel, &view.conversations),
            Panel::Endpoints => self.tables.render(&self.document, panel, &view.endpoints),
            Panel::Packets => self.tables.render(&self.document, panel, &view.packets),
            Panel::Problems => self.tables.render(&self.document, panel, &view.problem_kinds),
            _ => self.draw_chart(app, panel),
        }
    }

    /// Draws a chart unless the canvas already shows its current version.
    fn draw_chart(&mut self, app: &App, chart: Panel) -> Result<(), JsValue> {
        let pixel_ratio = web_sys::window().map_or(1.0, |window| window.device_pixel_ratio());
        let canvas = &mut self.canvases[chart as usize];
        if !canvas.needs_drawing(app.scene_version(chart), pixel_ratio) {
            return Ok(());
        }
        match app.scene(chart) {
            Some(scene) => canvas.draw(scene, pixel_ratio),
            None => {
                canvas.clear();
                Ok(())
            }
        }
    }

    /// The canvas of a chart.
    pub(super) fn canvas(&self, chart: Panel) -> HtmlCanvasElement {
        self.canvases[chart as usize].element().clone()
    }

    /// The index of the first visible row of a long table, the number of its rows, and how many of them
    /// fit, as last drawn.
    pub(super) fn table_position(&self, table: Panel) -> (u64, u64, usize) {
        let table = match table {
            Panel::Packets => &self.shown.packets,
            Panel::Endpoints => &self.shown.endpoints,
            Panel::Problems => &self.shown.problem_kinds,
            _ => &self.shown.conversations,
        };
        (table.first, table.count, table.visible_rows)
    }

    /// Shows the settings in the form controls. The control that is being edited keeps its text unless
    /// `includes_focused`.
    pub(super) fn show_settings(
        &self,
        settings: &Settings,
        includes_focused: bool,
    ) -> Result<(), JsValue> {
        settings::show_settings(&self.document, settings, includes_focused)?;
        layout::show_layout(&self.document, &settings.layout)?;
        let scatter = self.canvases[Panel::Scatter as usize].element();
        set_attribute(scatter, "data-tool", &settings.get("tool"));
        Ok(())
    }

    /// Updates everything but the charts and the long tables.
    fn update_elements(&self, app: &App, view: &View, previous: &View) -> Result<(), JsValue> {
        let document = &self.document;
        let root = document.document_element().ok_or("no root element")?;
        set_attribute(&root, "data-phase", view.phase.name());
        for (id, text) in [
            ("summary", &view.summary),
            ("link-note", &view.link_note),
            ("error", &view.error),
            ("progress-text", &view.progress_text),
            ("skipped", &view.skipped),
            ("selected", &view.selected),
            ("filter-error", &view.filter_error),
            ("interval-text", &view.interval),
            ("names-text", &view.names),
            ("analysis-text", &view.analysis),
            ("analysis-progress", &view.analysis),
            ("analysis-partial-text", &view.analysis),
            ("connection-text", &view.connection),
            ("announcement", &view.announcement),
        ] {
            set_text(&element(document, id)?, text);
        }
        set_attribute(&element(document, "summary")?, "title", &view.exact_time_range);
        let has_charts = app.has_data();
        let is_loading = view.phase == Phase::Loading && !app.is_following();
        for (id, is_visible) in [
            ("window", app.is_following()),
            ("loading", is_loading && view.memory_prompt.is_none()),
            ("views", has_charts),
            ("selection", has_charts),
            ("unreadable", !view.skipped.is_empty()),
            ("empty", matches!(view.phase, Phase::Empty | Phase::Error)),
            ("close", view.phase != Phase::Empty),
            ("add", has_charts || view.phase == Phase::Loading),
            ("sampling", view.memory_prompt.is_some()),
            ("detail", view.detail.is_some()),
            ("export-pcapng", view.can_export_pcapng),
            ("several-files", view.has_several_files),
            ("chips-hint", view.chips.is_empty()),
            ("analysis-prompt", !view.is_analyzed),
            ("connection", view.has_connection),
            ("connection-hint", !view.has_connection),
            ("phone-connection-tab", view.has_connection),
            ("analyze", view.can_analyze),
            ("analysis-hint", view.can_analyze),
            ("analysis-partial", view.is_analysis_partial),
            ("analyze-again", view.can_repeat_analysis),
        ] {
            set_visible(&element(document, id)?, is_visible);
        }
        if view.progress != previous.progress {
            element::<HtmlProgressElement>(document, "progress")?.set_value(view.progress);
        }
        for (id, is_enabled) in [
            ("undo", view.can_undo),
            ("redo", view.can_redo),
            ("clear", !(view.chips.is_empty() && view.filter_error.is_empty())),
            ("zoom-to-selection", view.can_zoom_to_selection),
            ("reset-zoom", view.can_reset_zoom),
            ("phone-reset-zoom", view.can_reset_zoom),
            ("add-line", view.can_add_line),
        ] {
            // Unlike `disabled`, this does not move the keyboard focus. Tab skips the button.
            let button: Element = element(document, id)?;
            set_attribute(&button, "aria-disabled", aria_bool(!is_enabled));
            set_attribute(&button, "tabindex", if is_enabled { "0" } else { "-1" });
        }
        if view.memory_prompt != previous.memory_prompt
            && let Some(text) = &view.memory_prompt
        {
            set_text(&element(document, "sampling-text")?, text);
            let every = app.suggested_every().to_string();
            element::<HtmlInputElement>(document, "sample-every")?.set_value(&every);
        }
        self.update_filter(view, previous)?;
        if view.problems != previous.problems {
            set_list(document, "problem-list", &view.problems)?;
        }
        if view.chips != previous.chips {
            self.render_chips("chips", &view.chips)?;
        }
        if view.lines != previous.lines {
            self.render_chips("lines", &view.lines)?;
        }
        for (index, title) in view.chart_titles.iter().enumerate() {
            if *title != previous.chart_titles[index] {
                let selector = format!("#{}-panel h2", Panel::ALL[index].name());
                if let Some(heading) = document.query_selector(&selector)? {
                    heading.set_text_content(Some(title));
                }
            }
        }
        for (index, rows) in view.ranking_rows.iter().enumerate() {
            if *rows != previous.ranking_rows[index]
                && let Some(rows) = rows
            {
                let canvas: HtmlElement = element(document, Panel::ALL[index].name())?;
                canvas.style().set_property("--rows", &rows.to_string())?;
            }
        }
        for (panel, figures) in [
            (Panel::Throughput, "throughput-figures"),
            (Panel::Scatter, "scatter-figures"),
            (Panel::Sizes, "sizes-figures"),
            (Panel::Gaps, "gaps-figures"),
        ] {
            set_text(&element(document, figures)?, &view.figures[panel as usize]);
        }
        for (index, table) in view.tables.iter().enumerate() {
            if *table != previous.tables[index] {
                let selector =
                    format!("section[data-panel={}] .chart-table", Panel::ALL[index].name());
                if let Some(container) = document.query_selector(&selector)? {
                    render_table(document, &container, table.as_ref())?;
                }
            }
        }
        if view.detail != previous.detail
            && let Some(detail) = &view.detail
        {
            self.render_detail(detail, previous.detail.as_ref())?;
        }
        Ok(())
    }

    fn update_filter(&self, view: &View, previous: &View) -> Result<(), JsValue> {
        let input: HtmlInputElement = element(&self.document, "filter")?;
        if input.value() != view.filter {
            input.set_value(&view.filter);
        }
        set_attribute(&input, "aria-invalid", aria_bool(!view.filter_error.is_empty()));
        if view.completions != previous.completions {
            let list: Element = element(&self.document, "completions")?;
            list.set_text_content(None);
            input.remove_attribute("aria-activedescendant")?;
            for (index, (whole, completion)) in view.completions.iter().enumerate() {
                let option = new_button(&self.document, "complete", whole, completion)?;
                option.set_id(&format!("completion-{index}"));
                for (name, value) in
                    [("role", "option"), ("aria-selected", "false"), ("tabindex", "-1")]
                {
                    option.set_attribute(name, value)?;
                }
                append(&list, &option)?;
            }
        }
        Ok(())
    }

    /// Shows selections or lines in a list.
    fn render_chips(&self, list: &str, chips: &[Chip]) -> Result<(), JsValue> {
        let document = &self.document;
        let list: Element = element(document, list)?;
        let focused = document.active_element();
        let had_focus = focused.is_some_and(|focused| list.contains(Some(&focused)));
        list.set_text_content(None);
        // The filter is in its box.
        for chip in chips.iter().filter(|chip| chip.dimension != Dimension::Filter) {
            let name = chip.dimension.name();
            let item: HtmlElement = document.create_element("li")?.unchecked_into();
            if let Some(color) = chip.color {
                item.style().set_property("--line", &css(color))?;
            }
            let label = &chip.label;
            let invert = if chip.is_excluded { "Select instead of exclude" } else { "Exclude" };
            for (action, text, hint) in
                [("edit", &**label, "Edit"), ("invert", "≠", invert), ("clear", "×", "Remove")]
            {
                if action == "invert" && chip.color.is_some() {
                    continue;
                }
                let button = new_button(document, action, name, text)?;
                let hint = format!("{hint}: {}", if action == "edit" { &chip.text } else { label });
                button.set_attribute("title", &hint)?;
                if action != "edit" {
                    button.set_attribute("aria-label", &hint)?;
                }
                append(&item, &button)?;
            }
            append(&list, &item)?;
        }
        // Removing a chip must not lose the keyboard focus.
        if had_focus {
            let next: HtmlElement = match list.query_selector("button")? {
                Some(button) => button.unchecked_into(),
                None => element(document, "filter")?,
            };
            next.focus()?;
        }
        Ok(())
    }

    /// Shows title and line of a packet, and once they have been read, its layers and bytes.
    fn render_detail(&self, detail: &Detail, previous: Option<&Detail>) -> Result<(), JsValue> {
        let document = &self.document;
        set_text(&element(document, "detail-title")?, &detail.title);
        set_text(&element(document, "detail-line")?, &detail.line);
        let note: Element = element(document, "detail-note")?;
        set_text(&note, detail.note);
        set_visible(&note, !detail.note.is_empty());
        for (id, is_enabled) in
            [("detail-previous", detail.has_previous), ("detail-next", detail.has_next)]
        {
            set_attribute(&element(document, id)?, "aria-disabled", aria_bool(!is_enabled));
        }
        set_visible(&element(document, "detail-connection")?, detail.has_connection);
        let is_read = !detail.line.is_empty();
        set_attribute(&element(document, "inspector")?, "aria-busy", aria_bool(!is_read));
        // Selecting the packet again tries again to load the inspector. Its line may have been read again
        // since the last frame, so the line alone does not tell.
        let is_same = previous.is_some_and(|previous| {
            (previous.request, &previous.line, &previous.frame)
                == (detail.request, &detail.line, &detail.frame)
        });
        if is_read && !is_same {
            let args = Array::of1(&detail.line.as_str().into());
            if let Some(frame) = &detail.frame {
                args.push(&frame.link.into());
                args.push(&frame.wire_len.into());
                args.push(&Uint8Array::from(&frame.bytes[..]));
            }
            self.inspect.apply(&JsValue::NULL, &args)?;
        }
        Ok(())
    }
}
