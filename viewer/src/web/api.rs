//! The JavaScript API: `window.viewer` of the page, for embedding pages, tests and benchmarks.

use js_sys::{Array, BigInt, Function, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::controls;
use super::follow::follow_url;
use super::growing_file::open_handles;
use super::open::{OpenMode, cancel, open_files, open_url};
use super::page::Page;
use super::served_packets::export_pcapng;
use crate::app::{App, Event, Panel};
use crate::axis::{Quantity, Span};
use crate::filter::Expr;
use crate::load::ExportFormat;
use crate::selection::Dimension;
use crate::time::Zone;
use viewer_dom::FileHandle;

/// The page.
///
/// Promises of methods that open files, cancel, or return data resolve once all charts are redrawn.
/// All others resolve once the visible charts are redrawn; those out of sight follow.
#[wasm_bindgen]
pub struct Viewer {
    page: Page,
}

#[wasm_bindgen]
impl Viewer {
    /// Takes over the document. `new_worker` returns a new `Worker` that runs `start-worker.js`.
    /// `inspect` shows a packet: its line, and for packets of capture files the LINKTYPE_ number, the
    /// length on the wire and the bytes. `connect` calls a method of the view of connections, given by its
    /// name and its arguments. `load_follow` returns a promise of the exports of `follow.js`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        new_worker: Function,
        inspect: Function,
        connect: Function,
        load_follow: Function,
    ) -> Result<Viewer, JsValue> {
        viewer_dom::install_panic_hook();
        let page = Page::start(new_worker, inspect, connect, load_follow)?;
        controls::attach(&page)?;
        Ok(Viewer { page })
    }

    /// Opens a `File`, or an array or `FileList` of them, replacing the open capture. A `FileSystemFileHandle` of
    /// NDJSON is followed once it grows.
    pub fn open(&self, files: &JsValue) -> Promise {
        let page = self.page.clone();
        let Some(handle) = FileHandle::of(files) else {
            open_files(&page, files, OpenMode::Replace);
            return page.settled();
        };
        future_to_promise(async move {
            open_handles(&page, &[handle], OpenMode::Replace).await?;
            JsFuture::from(page.settled()).await
        })
    }

    /// Opens files and merges them into the open capture.
    pub fn add(&self, files: &JsValue) -> Promise {
        open_files(&self.page, files, OpenMode::Add);
        self.page.settled()
    }

    /// Opens a capture by its URL, which must have the origin of the page.
    #[wasm_bindgen(js_name = openUrl)]
    pub fn open_url(&self, url: &str) -> Promise {
        open_url(&self.page, url);
        self.page.settled()
    }

    /// Follows an NDJSON capture that grows by its URL, which must have the origin of the page.
    pub fn follow(&self, url: &str) {
        follow_url(&self.page, url);
    }

    /// Stops reading. Packets that have been read are kept.
    pub fn cancel(&self) -> Promise {
        cancel(&self.page);
        self.page.settled()
    }

    /// Sets how many bytes of memory packets may take. Larger files are opened only after the user has
    /// chosen a sample.
    #[wasm_bindgen(js_name = limitMemory)]
    pub fn limit_memory(&self, bytes: f64) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates"
        )]
        self.page.limit_memory(bytes as u64);
    }

    /// Returns `{phase, packets, bytes, skipped, selected, latest_ms, memory_bytes}`. `bytes` is the length of
    /// all packets on the wire, `skipped` the number of lines that could not be read, `selected` the number of
    /// selected packets (all without a selection), `latest_ms` the latest time that the charts show, in
    /// milliseconds since 1970; `null` without packets.
    pub fn state(&self) -> Object {
        self.page.with_app(|app| {
            let totals = app.totals();
            let memory_bytes = app.memory_bytes() + viewer_dom::memory_bytes();
            object(&[
                ("phase", app.phase().name().into()),
                ("packets", number(totals.packets)),
                ("bytes", number(totals.wire_bytes)),
                ("skipped", number(app.skipped())),
                ("selected", number(app.selected().packets)),
                ("latest_ms", app.latest_ns().map_or(JsValue::NULL, |ns| (ns as f64 / 1e6).into())),
                ("memory_bytes", number(memory_bytes)),
            ])
        })
    }

    /// Returns the histogram `size` or `gap` of the selected packets, as `{edges, counts}`.
    pub fn histogram(&self, kind: &str) -> Promise {
        let panel = match kind {
            "size" => Panel::Sizes,
            "gap" => Panel::Gaps,
            _ => {
                return Promise::reject(
                    &format!("unknown histogram `{kind}`; use `size` or `gap`").into(),
                );
            }
        };
        self.once_settled(move |app| {
            let (edges, counts) = app.histogram(panel).unwrap_or_default();
            let edges: Array = edges.into_iter().map(JsValue::from).collect();
            let counts: Array = counts.into_iter().map(number).collect();
            object(&[("edges", edges.into()), ("counts", counts.into())]).into()
        })
    }

    /// Returns the data of a chart or table as CSV; empty if there is none.
    pub fn csv(&self, panel: &str) -> Promise {
        let panel = Panel::parse(panel);
        if let Some(Panel::Conversations | Panel::Endpoints | Panel::Problems) = panel {
            self.page.send(Event::RequestConversations);
        }
        self.once_settled(move |app| {
            panel.and_then(|panel| app.csv(panel)).unwrap_or_default().into()
        })
    }

    /// Returns a chart as an SVG document; empty if there is none.
    pub fn svg(&self, panel: &str) -> Promise {
        let panel = Panel::parse(panel);
        self.once_settled(move |app| {
            panel
                .and_then(|panel| app.export_scene(panel))
                .map(|s| s.svg())
                .unwrap_or_default()
                .into()
        })
    }

    /// Zooms the chart `scatter` or `throughput` to the ranges `{x: [a, b], y: [a, b]}`, where `b` is
    /// exclusive. They are numbers or BigInts in the units of the axes: packet numbers, nanoseconds
    /// since the epoch, bytes, …. `throughput` has only `x`.
    pub fn zoom(&self, chart: &str, ranges: &JsValue) -> Promise {
        let (x, y) = match chart {
            "scatter" => self.page.with_app(|app| (app.settings().x, Some(app.settings().y))),
            "throughput" => (Quantity::Time, None),
            _ => {
                return Promise::reject(
                    &format!("cannot zoom `{chart}`; use `scatter` or `throughput`").into(),
                );
            }
        };
        let spans = [(Some(x), span(ranges, "x")), (y, span(ranges, "y"))];
        if spans.iter().any(|(value, span)| value.is_some() && span.is_none()) {
            return Promise::reject(&"expected ranges {x: [a, b], y: [a, b]}".into());
        }
        for (value, span) in spans {
            if let (Some(value), Some(span)) = (value, span) {
                self.page.send(Event::SetZoom(value, span));
            }
        }
        self.page.drawn()
    }

    /// Selects packets in one view: `time`, `scatter`, `size`, `gap`, `port`, `source`, `destination`,
    /// `protocol` or `conversation`. The selection is a filter expression or, for `time`, `size`, `gap`
    /// and `port`, a range `[a, b]` that includes both ends.
    pub fn select(&self, view: &str, selection: &JsValue) -> Promise {
        let Some(dimension) = Dimension::parse(view) else {
            return Promise::reject(&format!("unknown view `{view}`").into());
        };
        let text = match (selection.as_string(), dimension.quantity(), pair(selection)) {
            (Some(text), ..) => text,
            (None, Some(value), Some((first, last))) if first <= last => {
                Expr::numbers(value, first, last).to_text(&Zone::Utc)
            }
            _ => return Promise::reject(&"expected a filter expression or a range [a, b]".into()),
        };
        self.page.send(Event::Select(dimension, text));
        self.page.drawn()
    }

    /// Sets the filter expression.
    pub fn filter(&self, text: &str) -> Promise {
        self.page.send(Event::SetFilter(text.to_owned(), text.len()));
        self.page.drawn()
    }

    /// Changes a setting. Keys and values are those in the fragment of the page's address.
    pub fn set(&self, key: &str, value: &str) -> Promise {
        self.page.send(Event::Set(key.to_owned(), value.to_owned()));
        self.page.drawn()
    }

    /// Clears all selections and the filter.
    pub fn clear(&self) -> Promise {
        self.page.send(Event::Clear(None));
        self.page.drawn()
    }

    /// Resets the zoom.
    pub fn reset(&self) -> Promise {
        self.page.send(Event::ResetZoom);
        self.page.drawn()
    }

    /// Returns a promise that resolves once the visible charts are up to date.
    pub fn drawn(&self) -> Promise {
        self.page.drawn()
    }

    /// Returns a promise that resolves once all charts are up to date.
    pub fn settled(&self) -> Promise {
        self.page.settled()
    }

    /// Makes a worker panic, as running out of memory would. For tests.
    #[wasm_bindgen(js_name = failWorker)]
    pub fn fail_worker(&self) {
        self.page.fail_worker();
    }

    /// Returns the original lines of the selected packets, as a `Blob`.
    #[wasm_bindgen(js_name = exportLines)]
    pub fn export_lines(&self) -> Promise {
        self.page.export(ExportFormat::Lines)
    }

    /// The selected packets of pcap and pcapng files, or of a sniffer that serves this page, as a pcapng file: a
    /// promise of a `Blob`. It is rejected with the reason if there are other files, or no selected packets.
    #[wasm_bindgen(js_name = exportPcapng)]
    pub fn export_pcapng(&self) -> Promise {
        match self.page.with_app(App::why_no_pcapng) {
            Some(reason) => Promise::reject(&reason.into()),
            None => export_pcapng(&self.page),
        }
    }
}

impl Viewer {
    /// Returns what `read` returns once all charts are up to date.
    fn once_settled(&self, read: impl FnOnce(&App) -> JsValue + 'static) -> Promise {
        let page = self.page.clone();
        future_to_promise(async move {
            JsFuture::from(page.settled()).await?;
            Ok(page.with_app(read))
        })
    }
}

/// The range `[a, b]` of an object's property.
fn span(object: &JsValue, key: &str) -> Option<Span> {
    let (start, end) = pair(&Reflect::get(object, &key.into()).ok()?)?;
    Some(Span::new(start, end))
}

fn pair(value: &JsValue) -> Option<(i64, i64)> {
    let pair: &Array = value.dyn_ref()?;
    Some((integer(&pair.get(0))?, integer(&pair.get(1))?))
}

/// A BigInt, or a number rounded down.
fn integer(value: &JsValue) -> Option<i64> {
    if let Some(big) = value.dyn_ref::<BigInt>() {
        return big.clone().try_into().ok();
    }
    value
        .as_f64()
        .filter(|value| value.is_finite())
        .map(|value| crate::axis::saturating_i64(value.floor()))
}

fn object(entries: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // A plain object accepts every property.
        let _ = Reflect::set(&object, &(*key).into(), value);
    }
    object
}

/// A count as a JavaScript number, exact below 2⁵³.
fn number(count: u64) -> JsValue {
    JsValue::from_f64(count as f64)
}
