//! What the browser provides: properties of the device (cores, memory, UTC offsets) and timers.

use js_sys::{Date, Reflect};
use wasm_bindgen::prelude::*;
use web_sys::Window;

use super::dom::log_error;

use crate::app::Memory;
use crate::time::UtcOffsets;

/// More workers than this would only compete for the disk and the memory bandwidth.
const MAX_WORKERS: usize = 8;
/// The memory that packets may take in one worker, in bytes. WebAssembly memory is limited to 4 GiB,
/// and growing a vector needs the old and the new one at the same time.
const WORKER_BYTES: u64 = 3 << 30;

/// The number of workers to start: one per core, within limits.
pub(super) fn worker_count(window: &Window) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few cores")]
    let cores = window.navigator().hardware_concurrency() as usize;
    cores.clamp(1, MAX_WORKERS)
}

/// The memory that packets may take: all that the workers can have, but at most half of the device's
/// memory where the browser reports that.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few GiB")]
pub(super) fn memory(window: &Window, workers: usize) -> Memory {
    let all = workers as u64 * WORKER_BYTES;
    let device = Reflect::get(&window.navigator(), &"deviceMemory".into());
    let bytes = match device.ok().and_then(|gibibytes| gibibytes.as_f64()) {
        // Browsers report 8 GiB for anything larger, so only smaller values are limits.
        Some(gibibytes) if gibibytes < 8.0 => all.min((gibibytes * 536_870_912.0) as u64),
        _ => all,
    };
    Memory { bytes, worker_bytes: WORKER_BYTES }
}

/// The local time zone's offsets from UTC over a range of times, in nanoseconds since the epoch.
pub(super) fn utc_offsets(range_ns: (i64, i64)) -> UtcOffsets {
    UtcOffsets::find(range_ns, |minute| {
        let date = Date::new(&JsValue::from_f64(minute as f64 * 60e3));
        crate::axis::saturating_i64(-date.get_timezone_offset() * 60.0)
    })
}

/// Runs a function after this time in milliseconds.
pub(super) fn set_timeout(ms: i32, function: impl FnOnce() + 'static) {
    let function = Closure::once_into_js(function);
    if let Some(window) = web_sys::window() {
        let function = function.unchecked_ref();
        log_error(window.set_timeout_with_callback_and_timeout_and_arguments_0(function, ms));
    }
}
