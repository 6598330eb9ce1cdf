//! Tables: the data of a chart as a whole, and the visible rows of the long tables.

use wasm_bindgen::prelude::*;
use web_sys::{Document, Element, HtmlElement, HtmlInputElement};

use crate::app::{CHART_COUNT, PANEL_COUNT, Panel, VirtualRow, VirtualTable};
use crate::chart::{Table, shortened};
use crate::scroll_extent::ScrollExtent;
use crate::text::{fixed, named};
use crate::web::dom::{
    SCALED, append, aria_bool, element, elements, new_button, new_row, row_px, set_attribute,
    set_flag, set_text, set_visible,
};
use summary::grouped;

/// Longer names, such as those of interfaces of Windows, are shortened in the middle.
const MAX_WORD_CHARS: usize = 40;
/// Longer addresses of IPv6 are, too.
const MAX_ADDRESS_CHARS: usize = 26;

/// Marks cells that select the packets that they count.
const COUNTED: &str = "data-counted";

/// Shows the table of a chart in its container, or hides it.
pub(super) fn render_table(
    document: &Document,
    container: &Element,
    table: Option<&Table>,
) -> Result<(), JsValue> {
    container.set_text_content(None);
    set_visible(container, table.is_some());
    // Only focusable elements can be scrolled with the keyboard.
    container.set_attribute("tabindex", "0")?;
    let Some(table) = table else { return Ok(()) };
    let head = document.create_element("thead")?;
    let header: Vec<_> = table.header.iter().map(|name| title(name)).collect();
    append(&head, &new_row(document, "th", &header)?)?;
    let body = document.create_element("tbody")?;
    let is_count = |name: &String| name.ends_with("packets") || name.ends_with("bytes");
    for row in &table.rows {
        let cells = table.header.iter().zip(row).map(|(name, cell)| match cell.parse::<u64>() {
            Ok(count) if is_count(name) => grouped(count),
            _ => named(cell).to_owned(),
        });
        append(&body, &new_row(document, "td", &cells.collect::<Vec<_>>())?)?;
    }
    let element = document.create_element("table")?;
    append(&element, &head)?;
    append(&element, &body)?;
    append(container, &element)?;
    Ok(())
}

/// The name of a CSV column as a title: `Bin start` for `bin_start`.
fn title(name: &str) -> String {
    let mut title = name.replace('_', " ");
    if let Some(first) = title.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    title
}

/// The long tables, as last drawn.
#[derive(Default)]
pub(super) struct VirtualTables {
    shown: [VirtualTable; PANEL_COUNT - CHART_COUNT],
}

impl VirtualTables {
    /// Updates the rows of a table that have changed, and its scroll position.
    pub(super) fn render(
        &mut self,
        document: &Document,
        panel: Panel,
        table: &VirtualTable,
    ) -> Result<(), JsValue> {
        let shown = &mut self.shown[panel as usize - CHART_COUNT];
        if shown == table {
            return Ok(());
        }
        let previous = std::mem::replace(shown, table.clone());
        let name = panel.name();
        let position = |table: &VirtualTable| (table.first, table.max_first());
        // After rows have changed, the browser would have to lay them out to answer.
        let scrolled = match position(table) == position(&previous) {
            true => None,
            false => Some(Scrolled::read(element(document, name)?)),
        };
        let body: Element = element(document, &format!("{name}-rows"))?;
        let is_hidden = |column: usize| table.hidden >> column & 1 == 1;
        if table.hidden != previous.hidden {
            for (column, header) in elements(document, &format!("#{name} th"))?.iter().enumerate() {
                set_visible(header, !is_hidden(column));
            }
            // The first border in sight is the stop of the Tab key.
            let borders = elements(document, &format!("#{name} .column-border"))?;
            let first = (0..borders.len()).find(|column| !is_hidden(*column));
            for (column, border) in borders.iter().enumerate() {
                let tabindex = if Some(column) == first { "0" } else { "-1" };
                set_attribute(border, "tabindex", tabindex);
            }
            let checkboxes = elements(document, &format!("#{name}-panel [data-column]"))?;
            for (column, checkbox) in checkboxes.into_iter().enumerate() {
                checkbox.unchecked_into::<HtmlInputElement>().set_checked(!is_hidden(column));
            }
        }
        let has_new_columns = (previous.hidden, &previous.widths) != (table.hidden, &table.widths);
        if table.widths != previous.widths {
            set_widths(&element(document, name)?, table, &previous)?;
        }
        let is_moved = (previous.first, previous.rows.len()) != (table.first, table.rows.len());
        if is_moved || has_new_columns {
            // It would stay where the cell was.
            set_visible(&element::<Element>(document, "value-button")?, false);
        }
        let rows = body.children();
        for index in (table.rows.len()..previous.rows.len()).rev() {
            if let Some(element) = u32::try_from(index).ok().and_then(|at| rows.item(at)) {
                element.remove();
            }
        }
        for (index, row) in table.rows.iter().enumerate() {
            if previous.rows.get(index) == Some(row) && !has_new_columns {
                continue;
            }
            let existing = u32::try_from(index).ok().and_then(|at| rows.item(at));
            let element = match existing {
                Some(element) => element,
                None => append_row(document, &body, index, row)?,
            };
            update_row(&element, row, table);
        }
        if let Some(scrolled) = scrolled {
            scrolled.show(table)?;
        }
        set_text(&element(document, &format!("{name}-range"))?, &table.range_text());
        Ok(())
    }
}

/// Sets the widths of columns as variables, which `style.css` applies to the cells.
fn set_widths(
    rows: &HtmlElement,
    table: &VirtualTable,
    previous: &VirtualTable,
) -> Result<(), JsValue> {
    for (column, _) in &previous.widths {
        rows.style().remove_property(&format!("--column-{column}"))?;
    }
    for (column, px) in &table.widths {
        rows.style().set_property(&format!("--column-{column}"), &format!("{px}px"))?;
    }
    Ok(())
}

/// The position of a table's scrollbar before the table is updated.
struct Scrolled {
    rows: HtmlElement,
    row_px: f64,
    top_px: f64,
}

impl Scrolled {
    fn read(rows: HtmlElement) -> Self {
        Self { row_px: row_px(&rows) as f64, top_px: rows.scroll_top().into(), rows }
    }

    /// Moves the scrollbar to the first visible row, unless it is there.
    fn show(self, table: &VirtualTable) -> Result<(), JsValue> {
        let Self { rows, row_px, top_px } = self;
        let extent = ScrollExtent { max_first: table.max_first(), row_px };
        set_flag(&rows, SCALED, extent.is_scaled());
        if let Some(space) = rows.query_selector(".space")? {
            let height = format!("calc(100% + {}px)", fixed(extent.max_px(), 0));
            space.dyn_into::<HtmlElement>()?.style().set_property("height", &height)?;
        }
        if !extent.is_at(top_px, table.first) {
            #[expect(clippy::cast_possible_truncation, reason = "at most a few million")]
            rows.set_scroll_top(extent.position_px(table.first).round() as i32);
        }
        Ok(())
    }
}

/// Adds a row whose first cell is a button that selects it.
fn append_row(
    document: &Document,
    body: &Element,
    index: usize,
    row: &VirtualRow,
) -> Result<Element, JsValue> {
    let element = new_row(document, "td", &row.cells)?;
    // The arrow keys move between cells.
    let cells = element.children();
    for cell in (0..cells.length()).filter_map(|index| cells.item(index)) {
        cell.set_attribute("tabindex", "-1")?;
    }
    if let Some(first) = element.first_element_child() {
        first.set_text_content(None);
        let button = new_button(document, "pick-row", &index.to_string(), "")?;
        button.set_attribute("tabindex", "-1")?;
        append(&first, &button)?;
    }
    append(body, &element)?;
    Ok(element)
}

fn update_row(element: &Element, row: &VirtualRow, table: &VirtualTable) {
    let cells = element.children();
    for (column, text) in row.cells.iter().enumerate() {
        let item = u32::try_from(column).ok().and_then(|column| cells.item(column));
        let Some(cell) = item else { continue };
        set_visible(&cell, table.hidden >> column & 1 == 0);
        set_flag(&cell, COUNTED, row.counted >> column & 1 != 0);
        let has_width = table.widths.iter().any(|width| width.0 == column);
        let max_chars = if text.contains(':') { MAX_ADDRESS_CHARS } else { MAX_WORD_CHARS };
        let is_long = max_chars < text.len() && !text.contains(' ');
        // The width that the user has chosen limits the text.
        let shown = if is_long && !has_width { &shortened(text, max_chars) } else { text };
        let address = row.addresses.iter().find(|address| address.0 == column);
        let title = match address {
            Some((_, address)) => address,
            None if is_long || has_width => text,
            None => "",
        };
        if !title.is_empty() || cell.has_attribute("title") {
            set_attribute(&cell, "title", title);
        }
        match cell.first_element_child() {
            Some(button) => {
                set_text(&button, shown);
                set_attribute(&button, "aria-pressed", aria_bool(row.is_selected));
            }
            None => set_text(&cell, shown),
        }
    }
    set_attribute(element, "class", if row.is_selected { "selected" } else { "" });
}
