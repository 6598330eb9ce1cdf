//! Where the pure modules meet the browser: events become [`crate::app::Event`]s, scenes become
//! pixels. No arithmetic about data here.

mod canvas;
mod controls;
mod dom;
mod page;
mod show;
mod worker;

use js_sys::{Array, BigInt, Object, Promise, Reflect};
use page::Page;
use wasm_bindgen::prelude::*;

use crate::app::{App, Event};
use crate::density::{Span, Window};

/// Serves a part of a capture: called by the worker's script, once.
#[wasm_bindgen]
#[expect(unreachable_pub, reason = "reached from JavaScript")]
pub fn serve() {
    worker::serve();
}

/// The page, for scripts: embedding pages, tests and benches. Its promises are kept when the new
/// picture is on the canvas.
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

    /// Opens a file, or the one file of a list.
    pub fn open(&self, files: &JsValue) -> Promise {
        self.page.open(files);
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

    /// `{phase, packets, bytes, skipped, selected, memory_bytes}`: `bytes` on the wire, `selected`
    /// packets of the selection, which are all.
    pub fn state(&self) -> Object {
        self.page.with_app(|app| {
            let totals = app.totals();
            let memory_bytes = app.memory_bytes() + worker::memory_bytes();
            object(&[
                ("phase", app.phase().name().into()),
                ("packets", number(totals.packets)),
                ("bytes", number(totals.wire_bytes)),
                ("skipped", number(app.skipped())),
                ("selected", number(totals.packets)),
                ("memory_bytes", number(memory_bytes)),
            ])
        })
    }

    /// `{edges, counts}` of the histogram `kind`, which is `size`.
    pub fn histogram(&self, kind: &str) -> Promise {
        if kind != "size" {
            return Promise::reject(&format!("there is no histogram of `{kind}`").into());
        }
        let page = self.page.clone();
        wasm_bindgen_futures::future_to_promise(async move {
            wasm_bindgen_futures::JsFuture::from(page.settled()).await?;
            let (edges, counts) = page.with_app(App::size_counts).unwrap_or_default();
            let edges: Array = edges.into_iter().map(JsValue::from).collect();
            let counts: Array = counts.into_iter().map(number).collect();
            Ok(object(&[("edges", edges.into()), ("counts", counts.into())]).into())
        })
    }

    /// Shows a part of the chart `scatter`: `{x: [a, b], y: [a, b]}` in packet numbers or
    /// nanoseconds (numbers or BigInts) and bytes, `b` not included.
    pub fn zoom(&self, chart: &str, to: &JsValue) -> Promise {
        match (chart, window(to)) {
            ("scatter", Some(window)) => {
                self.page.send(Event::SetWindow(window));
                self.page.settled()
            }
            ("scatter", None) => Promise::reject(&"zoom to {x: [a, b], y: [a, b]}".into()),
            _ => Promise::reject(&format!("there is no chart `{chart}` to zoom").into()),
        }
    }

    /// Shows everything.
    pub fn reset(&self) -> Promise {
        self.page.send(Event::Reset);
        self.page.settled()
    }
}

fn window(value: &JsValue) -> Option<Window> {
    let span = |key: &str| {
        let pair: Array = Reflect::get(value, &key.into()).ok()?.dyn_into().ok()?;
        Some(Span::new(whole(&pair.get(0))?, whole(&pair.get(1))?))
    };
    Some(Window { x: span("x")?, y: span("y")? })
}

fn whole(value: &JsValue) -> Option<i64> {
    if let Some(big) = value.dyn_ref::<BigInt>() {
        return big.clone().try_into().ok();
    }
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates")]
    value.as_f64().filter(|value| value.is_finite()).map(|value| value.floor() as i64)
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
