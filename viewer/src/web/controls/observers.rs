//! Observes the color scheme, the sizes of the charts, and which panels are in the viewport.

use wasm_bindgen::prelude::*;
use web_sys::{HtmlElement, MediaQueryList, ResizeObserver};

use crate::app::{CHART_COUNT, Event, Panel};
use crate::chart::Size;
use crate::scene::Theme;
use crate::web::dom::{element, listen, row_px, set_attribute};
use crate::web::page::Page;

pub(super) fn attach(page: &Page) -> Result<(), JsValue> {
    observe_theme(page)?;
    observe_sizes(page)?;
    page.observe_visibility()
}

fn observe_theme(page: &Page) -> Result<(), JsValue> {
    let window = web_sys::window().ok_or("no window")?;
    let Some(query) = window.match_media("(prefers-color-scheme: dark)")? else {
        return Ok(());
    };
    let page = page.clone();
    let set_theme = move |query: &MediaQueryList| {
        page.send(Event::SetTheme(Theme { is_dark: query.matches() }));
    };
    set_theme(&query);
    let changed = query.clone();
    listen(&query, "change", move |_: web_sys::Event| set_theme(&changed))
}

fn observe_sizes(page: &Page) -> Result<(), JsValue> {
    let observed = page.clone();
    let measure = move || {
        for chart in &Panel::ALL[..CHART_COUNT] {
            let rect = observed.canvas(*chart).get_bounding_client_rect();
            // A hidden chart has no size.
            if 0.0 < rect.width() && 0.0 < rect.height() {
                let size = Size { width_px: rect.width(), height_px: rect.height() };
                observed.send(Event::Resize(*chart, size));
            }
        }
    };
    let closure = Closure::<dyn FnMut()>::new(measure);
    let observer = ResizeObserver::new(closure.as_ref().unchecked_ref())?;
    closure.forget();
    for chart in &Panel::ALL[..CHART_COUNT] {
        observer.observe(&page.canvas(*chart));
    }
    observe_rows(page)
}

/// Observes how many rows of the long tables fit.
fn observe_rows(page: &Page) -> Result<(), JsValue> {
    let document = page.document();
    for table in &Panel::ALL[CHART_COUNT..] {
        let rows: HtmlElement = element(&document, table.name())?;
        let (observed, container) = (page.clone(), rows.clone());
        let measure = move || {
            let header = container.query_selector("thead").ok().flatten();
            let header_px = header.map_or(0, |header| header.client_height());
            let free_px = container.client_height() - header_px;
            if let Ok(free_px) = usize::try_from(free_px)
                && 0 < free_px
            {
                let rows = (free_px / row_px(&container)).max(1);
                set_attribute(&container, "data-rows", &rows.to_string());
                observed.send(Event::VisibleRows(*table, rows));
            }
        };
        let closure = Closure::<dyn FnMut()>::new(measure);
        let observer = ResizeObserver::new(closure.as_ref().unchecked_ref())?;
        closure.forget();
        observer.observe(&rows);
    }
    Ok(())
}
