//! Actions of buttons, named by their `data-action`.

use viewer_dom::{download, download_png, download_text};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Element, HtmlElement, HtmlInputElement};

use super::layout::{focus_pane, set_layout};
use super::value_menu;
use crate::app::{App, Event, Panel, Step, ZOOM_STEP};
use crate::layout::Maximized;
use crate::load::ExportFormat;
use crate::selection::Dimension;
use crate::web::clipboard::{copy_address, write_clipboard};
use crate::web::dom::{element, enclosing_panel, listen, log_error};
use crate::web::growing_file::choose_files;
use crate::web::open::{OpenMode, cancel, open_url};
use crate::web::page::Page;
use crate::web::served_packets::export_pcapng;

/// Runs the action of a button, unless it is disabled.
pub(super) fn run(page: &Page, button: &Element) -> Result<(), JsValue> {
    if button.get_attribute("aria-disabled").as_deref() == Some("true") {
        return Ok(());
    }
    let action = button.get_attribute("data-action").unwrap_or_default();
    let arg = button.get_attribute("data-arg").unwrap_or_default();
    if action == "set"
        && let Some((key, value)) = arg.split_once('=')
    {
        set_layout(page, key, value);
        return Ok(());
    }
    match enclosing_panel(button) {
        Some(panel) => run_in_panel(page, &action, &arg, panel)?,
        None => run_in_page(page, &action, &arg, button)?,
    }
    Ok(())
}

fn run_in_page(page: &Page, action: &str, arg: &str, button: &Element) -> Result<(), JsValue> {
    let input = |id: &str| element::<HtmlInputElement>(&page.document(), id);
    match action {
        "open" => {
            let mode = OpenMode::of(arg);
            if !choose_files(page, mode) {
                let picker = input("file")?;
                picker.dataset().set("mode", arg)?;
                picker.click();
            }
        }
        "open-sample" => open_url(page, "sample.ndjson"),
        "cancel" => cancel(page),
        "close" => page.close(),
        "undo" => page.send(Event::Undo),
        "redo" => page.send(Event::Redo),
        "clear" => page.send(Event::Clear(Dimension::parse(arg))),
        "invert" => {
            if let Some(dimension) = Dimension::parse(arg) {
                page.send(Event::Invert(dimension));
            }
        }
        "edit" => {
            if let Some(dimension) = Dimension::parse(arg) {
                page.send(Event::Edit(dimension));
            }
            input("filter")?.focus()?;
        }
        "add-line" => page.send(Event::AddLine),
        "zoom-to-selection" => page.send(Event::ZoomToSelection),
        "reset-zoom" => page.send(Event::ResetZoom),
        "focus" => focus_pane(page, arg)?,
        "previous-packet" => page.send(Event::StepDetail(Step::Previous)),
        "next-packet" => page.send(Event::StepDetail(Step::Next)),
        "close-detail" => close_detail(page)?,
        "open-connection" => {
            let detail = || page.with_app(App::connection_of_detail);
            if let Some(text) = Some(arg.to_owned()).filter(|arg| !arg.is_empty()).or_else(detail) {
                if !arg.is_empty() {
                    value_menu::close(&page.document())?;
                }
                open_connection(page, text)?;
            }
        }
        "complete" => {
            let filter = input("filter")?;
            filter.set_value(arg);
            filter.focus()?;
            send_filter(page);
        }
        "load-every" => page.send(Event::SampleEvery(input("sample-every")?.value())),
        "load-time-range" => {
            let (from, to) = (input("sample-from")?.value(), input("sample-to")?.value());
            page.send(Event::SampleTimeRange(from, to));
        }
        "load-all" => page.send(Event::LoadAll),
        "copy-link" => copy_link(page, button),
        "filter-value" | "exclude-value" => {
            value_menu::close(&page.document())?;
            page.send(Event::FilterBy(arg.to_owned(), action == "exclude-value"));
        }
        "copy-value" => {
            value_menu::close(&page.document())?;
            copy_value(page, arg.to_owned());
        }
        "export" => export(page, arg),
        "maximize-detail" => toggle_maximized(page, Maximized::Detail),
        _ => {}
    }
    Ok(())
}

fn run_in_panel(page: &Page, action: &str, arg: &str, panel: Panel) -> Result<(), JsValue> {
    match action {
        "zoom-in" => page.send(Event::Zoom { panel, at: None, factor: 1.0 / ZOOM_STEP }),
        "zoom-out" => page.send(Event::Zoom { panel, at: None, factor: ZOOM_STEP }),
        "maximize" => {
            toggle_maximized(page, Maximized::Panel(panel));
        }
        "analyze-again" => page.send(Event::RepeatAnalysis),
        "toggle-table" => page.send(Event::ToggleTable(panel)),
        "pick-row" => page.send(Event::ActivateRow(panel, arg.parse().unwrap_or(usize::MAX))),
        "sort" => {
            // Texts are sorted from A to Z, numbers from the largest; another click reverses the order.
            let key = if panel == Panel::Endpoints { "endpoints-sort" } else { "sort" };
            let is_text = matches!(arg, "a" | "b" | "proto" | "address");
            let current = page.with_app(|app| app.settings().get(key));
            let (ascending, descending) = (arg.to_owned(), format!("-{arg}"));
            let [first, second] =
                if is_text { [ascending, descending] } else { [descending, ascending] };
            let order = if current == first { second } else { first };
            page.send(Event::Set(key.into(), order));
        }
        "export" => export(page, arg),
        "download-png" => {
            if let Some(scene) = page.with_app(|app| app.export_scene(panel)) {
                download_png(&page.document(), scene, format!("{}.png", panel.name()))?;
            }
        }
        "download-svg" => {
            if let Some(scene) = page.with_app(|app| app.export_scene(panel)) {
                download_text(&scene.svg(), &format!("{}.svg", panel.name()))?;
            }
        }
        "download-csv" => {
            if let Some(csv) = page.with_app(|app| app.csv(panel)) {
                download_text(&csv, &format!("{}.csv", panel.name()))?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Closes the packet details, and moves the focus to the packet table.
pub(super) fn close_detail(page: &Page) -> Result<(), JsValue> {
    if page.with_app(|app| app.settings().layout.maximized == Some(Maximized::Detail)) {
        set_layout(page, "max", "");
    }
    page.send(Event::CloseDetail);
    element::<HtmlElement>(&page.document(), Panel::Packets.name())?.focus()
}

/// Maximizes a part of the page, or restores it.
fn toggle_maximized(page: &Page, part: Maximized) {
    let is_maximized = page.with_app(|app| app.settings().layout.maximized == Some(part));
    set_layout(page, "max", if is_maximized { "" } else { part.name() });
}

/// Shows a connection, and moves the focus to its tab.
fn open_connection(page: &Page, text: String) -> Result<(), JsValue> {
    set_layout(page, "tab", "connection");
    set_layout(page, "max", "");
    page.send(Event::OpenConnection(text));
    element::<HtmlElement>(&page.document(), "connection-tab")?.focus()
}

/// Empties the filter box.
pub(super) fn clear_filter(page: &Page) {
    if let Ok(input) = element::<HtmlInputElement>(&page.document(), "filter") {
        input.set_value("");
        send_filter(page);
    }
}

/// Sends the text of the filter and the byte offset of its cursor.
pub(super) fn send_filter(page: &Page) {
    let Ok(input) = element::<HtmlInputElement>(&page.document(), "filter") else { return };
    let text = input.value();
    let cursor = input.selection_start().ok().flatten().unwrap_or(u32::MAX) as usize;
    // The browser counts UTF-16 code units.
    let mut units = 0;
    let mut offsets = text.char_indices();
    let at_cursor = offsets.find(|(_, c)| {
        let is_reached = cursor <= units;
        units += c.len_utf16();
        is_reached
    });
    let cursor = at_cursor.map_or(text.len(), |(offset, _)| offset);
    page.send(Event::SetFilter(text, cursor));
}

/// Ends the confirmation of “Copy link” when its menu opens again.
pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    let menu: Element = element(&page.document(), "share")?;
    let button = menu.query_selector("[data-action=copy-link]")?.ok_or("no copy-link")?;
    listen(&menu, "beforetoggle", move |_: web_sys::Event| {
        button.set_text_content(Some("Copy link"));
    })
}

fn copy_link(page: &Page, button: &Element) {
    let (page, button) = (page.clone(), button.clone());
    spawn_local(async move {
        if copy_address().await.is_ok() {
            button.set_text_content(Some("Link copied"));
        } else {
            // Browsers offer the clipboard only to pages served over HTTPS.
            let error = "Cannot access the clipboard. Copy the link from the address bar.";
            page.send(Event::ShowError(error.into()));
        }
    });
}

fn copy_value(page: &Page, text: String) {
    let page = page.clone();
    spawn_local(async move {
        if write_clipboard(&text).await.is_err() {
            page.send(Event::ShowError("Cannot access the clipboard.".into()));
        }
    });
}

/// Downloads the selected packets, as a pcapng file or as lines.
fn export(page: &Page, format: &str) {
    let (format, name) = match format {
        "pcapng" => (ExportFormat::Pcapng, "selected.pcapng"),
        _ => (ExportFormat::Lines, "selected.ndjson"),
    };
    if format == ExportFormat::Pcapng
        && let Some(reason) = page.with_app(App::why_no_pcapng)
    {
        return page.send(Event::ShowError(reason.into()));
    }
    let exported = match format {
        ExportFormat::Pcapng => export_pcapng(page),
        _ => page.export(format),
    };
    spawn_local(async move {
        // The page itself reports an error.
        if let Ok(blob) = JsFuture::from(exported).await {
            log_error(download(&blob.unchecked_into(), name));
        }
    });
}
