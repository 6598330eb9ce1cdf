//! Wheel events in one unit. Browsers report pixels or lines; touchpads send many small events, wheels
//! few large ones.

use web_sys::WheelEvent;

/// The distance of one notch of a wheel, in pixels.
const NOTCH_PX: f64 = 100.0;
/// The distance of one notch of a wheel, in lines.
pub(super) const NOTCH_LINES: f64 = 3.0;

/// The distance of a wheel event across and down, in notches.
pub(super) fn notches(event: &WheelEvent) -> (f64, f64) {
    let is_pixels = event.delta_mode() == WheelEvent::DOM_DELTA_PIXEL;
    let notch = if is_pixels { NOTCH_PX } else { NOTCH_LINES };
    (event.delta_x() / notch, event.delta_y() / notch)
}
