//! Wheel events in one unit. Browsers report distances in pixels, lines or pages; touchpads send many
//! small events, wheels few large ones.

use web_sys::WheelEvent;

/// The distance of one line, in pixels: a notch of a common wheel is 100 pixels or 3 lines.
const LINE_PX: f64 = 100.0 / 3.0;

/// The distance of a wheel event across and down, in lines.
pub(super) fn lines(event: &WheelEvent, lines_per_page: f64) -> (f64, f64) {
    let unit = match event.delta_mode() {
        WheelEvent::DOM_DELTA_PIXEL => 1.0 / LINE_PX,
        WheelEvent::DOM_DELTA_PAGE => lines_per_page,
        _ => 1.0,
    };
    (event.delta_x() * unit, event.delta_y() * unit)
}
