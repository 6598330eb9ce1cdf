//! Where the pure modules meet the browser: events become [`crate::app::Event`]s, scenes become
//! pixels. No arithmetic about data here.

mod canvas;
mod chunks;
mod controls;
mod dom;
mod export;
mod open;
mod page;
mod show;
mod worker;

use js_sys::{Array, BigInt, Object, Promise, Reflect};
use page::Page;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use crate::app::{App, Event, Panel};
use crate::axis::{Span, Value};
use crate::clock::Zone;
use crate::filter::Expr;
use crate::selection::Dimension;

/// Serves parts of captures: called by the worker's script, once.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "reached from JavaScript")]
pub fn serve() {
    worker::serve();
}

/// The page, for scripts: embedding pages, tests and benches. Its promises are kept when the new
/// pictures are on the canvases: of opening, cancelling and of what gives numbers, all of them; of all
/// else those in sight, and what is out of sight follows.
#[wasm_bindgen]
pub struct Viewer {
    page: Page,
}

#[wasm_bindgen]
impl Viewer {
    /// Takes over the document; workers run the script at `worker_url`.
    #[wasm_bindgen(constructor)]
    pub fn new(worker_url: &str) -> Result<Viewer, JsValue> {
        Ok(Viewer { page: Page::start(worker_url)? })
    }

    /// Opens a file or a list of them, in place of what is open.
    pub fn open(&self, files: &JsValue) -> Promise {
        self.page.open(files, false);
        self.page.settled()
    }

    /// Opens files beside what is open.
    pub fn add(&self, files: &JsValue) -> Promise {
        self.page.open(files, true);
        self.page.settled()
    }

    /// Opens a capture of the same origin by its URL.
    #[wasm_bindgen(js_name = openUrl)]
    pub fn open_url(&self, url: &str) -> Promise {
        self.page.open_url(url);
        self.page.settled()
    }

    /// Stops reading; what was read stays.
    pub fn cancel(&self) -> Promise {
        self.page.cancel();
        self.page.settled()
    }

    /// Bytes of memory that packets may take; more than that, and the person is asked.
    #[wasm_bindgen(js_name = limitMemory)]
    pub fn limit_memory(&self, bytes: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it saturates")]
        let bytes = bytes as u64;
        self.page.state.borrow_mut().memory.bytes = bytes;
    }

    /// `{phase, packets, bytes, skipped, selected, memory_bytes}`: `bytes` on the wire, `selected`
    /// packets of the selection, which are all where nothing is selected.
    pub fn state(&self) -> Object {
        self.page.with_app(|app| {
            let totals = app.totals();
            let memory_bytes = app.memory_bytes() + worker::memory_bytes();
            object(&[
                ("phase", app.phase().name().into()),
                ("packets", number(totals.packets)),
                ("bytes", number(totals.wire_bytes)),
                ("skipped", number(app.skipped())),
                ("selected", number(app.selected().packets)),
                ("memory_bytes", number(memory_bytes)),
            ])
        })
    }

    /// `{edges, counts}` of the histogram `size` or `gap`, of the current selection.
    pub fn histogram(&self, kind: &str) -> Promise {
        let panel = match kind {
            "size" => Panel::Sizes,
            "gap" => Panel::Gaps,
            _ => return Promise::reject(&format!("there is no histogram of `{kind}`").into()),
        };
        self.after(move |app| {
            let (edges, counts) = app.histogram(panel).unwrap_or_default();
            let edges: Array = edges.into_iter().map(JsValue::from).collect();
            let counts: Array = counts.into_iter().map(number).collect();
            object(&[("edges", edges.into()), ("counts", counts.into())]).into()
        })
    }

    /// The chart or table of a panel as comma-separated values.
    pub fn csv(&self, panel: &str) -> Promise {
        let panel = Panel::parse(panel);
        self.after(move |app| panel.and_then(|panel| app.csv(panel)).unwrap_or_default().into())
    }

    /// The chart of a panel as an SVG document.
    pub fn svg(&self, panel: &str) -> Promise {
        let panel = Panel::parse(panel);
        self.after(move |app| {
            panel.and_then(|panel| app.scene(panel)).map(|s| s.svg()).unwrap_or_default().into()
        })
    }

    /// Shows a part of the chart `scatter` or `throughput`: `{x: [a, b], y: [a, b]}` in the units of
    /// their axes (packet numbers, nanoseconds, bytes …; numbers or BigInts), `b` not included.
    pub fn zoom(&self, chart: &str, to: &JsValue) -> Promise {
        let (x, y) = match chart {
            "scatter" => self.page.with_app(|app| (app.settings().x, Some(app.settings().y))),
            "throughput" => (Value::Time, None),
            _ => return Promise::reject(&format!("there is no chart `{chart}` to zoom").into()),
        };
        let spans = [(Some(x), span(to, "x")), (y, span(to, "y"))];
        if spans.iter().any(|(value, span)| value.is_some() && span.is_none()) {
            return Promise::reject(&"zoom to {x: [a, b], y: [a, b]}".into());
        }
        for (value, span) in spans {
            if let (Some(value), Some(span)) = (value, span) {
                self.page.send(Event::SetZoom(value, span));
            }
        }
        self.page.seen()
    }

    /// Selects in a view, `time`, `scatter`, `size`, `gap`, `port`, `source`, `destination`,
    /// `protocol` or `conversation`: words of the filter language, or of times, sizes, gaps and ports a
    /// range `[a, b]` with both ends.
    pub fn select(&self, view: &str, range: &JsValue) -> Promise {
        let Some(dimension) = Dimension::parse(view) else {
            return Promise::reject(&format!("there is no view `{view}`").into());
        };
        let words = match (range.as_string(), dimension.value(), pair(range)) {
            (Some(words), ..) => words,
            (None, Some(value), Some((first, last))) if first <= last => {
                Expr::numbers(value, first, last).show(&Zone::Utc)
            }
            _ => return Promise::reject(&"select words, or [a, b] where there are ranges".into()),
        };
        self.page.send(Event::Select(dimension, words));
        self.page.seen()
    }

    /// Writes into the filter box.
    pub fn filter(&self, text: &str) -> Promise {
        self.page.send(Event::SetFilter(text.to_owned(), text.len()));
        self.page.seen()
    }

    /// Changes a setting by the name that it has in links.
    pub fn set(&self, key: &str, value: &str) -> Promise {
        self.page.send(Event::Set(key.to_owned(), value.to_owned()));
        self.page.seen()
    }

    /// Selects nothing any more.
    pub fn clear(&self) -> Promise {
        self.page.send(Event::Clear(None));
        self.page.seen()
    }

    /// Shows everything.
    pub fn reset(&self) -> Promise {
        self.page.send(Event::ResetZoom);
        self.page.seen()
    }

    /// Waits until the pictures in sight are what they are to be, whoever has changed that.
    pub fn seen(&self) -> Promise {
        self.page.seen()
    }

    /// Waits until all pictures are final, those out of sight too.
    pub fn settled(&self) -> Promise {
        self.page.settled()
    }

    /// Makes a worker fail, as memory that runs out would: for tests of what follows.
    #[wasm_bindgen(js_name = failWorker)]
    pub fn fail_worker(&self) {
        self.page.fail_worker();
    }

    /// The selected packets' lines, as a Blob.
    #[wasm_bindgen(js_name = exportLines)]
    pub fn export_lines(&self) -> Promise {
        self.page.export()
    }
}

impl Viewer {
    /// What `read` says when the pictures are final.
    fn after(&self, read: impl FnOnce(&App) -> JsValue + 'static) -> Promise {
        let page = self.page.clone();
        future_to_promise(async move {
            JsFuture::from(page.settled()).await?;
            Ok(page.with_app(read))
        })
    }
}

fn span(value: &JsValue, key: &str) -> Option<Span> {
    let (start, end) = pair(&Reflect::get(value, &key.into()).ok()?)?;
    Some(Span::new(start, end))
}

fn pair(value: &JsValue) -> Option<(i64, i64)> {
    let pair: &Array = value.dyn_ref()?;
    Some((whole(&pair.get(0))?, whole(&pair.get(1))?))
}

fn whole(value: &JsValue) -> Option<i64> {
    if let Some(big) = value.dyn_ref::<BigInt>() {
        return big.clone().try_into().ok();
    }
    value.as_f64().filter(|value| value.is_finite()).map(|value| crate::axis::whole(value.floor()))
}

fn object(entries: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (key, value) in entries {
        // A plain object takes every property.
        let _ = Reflect::set(&object, &(*key).into(), value);
    }
    object
}

/// A count as JavaScript's number: below 2⁵³, as all of the stream's.
fn number(count: u64) -> JsValue {
    JsValue::from_f64(count as f64)
}
