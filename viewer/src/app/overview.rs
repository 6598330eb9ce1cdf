//! The overview of the whole capture: its window is the zoom of the time axes.

use super::cursor::{Key, PAN_FRACTION};
use super::gesture::GestureKind;
use super::navigation::ZOOM_STEP;
use super::query_scheduler::Slot;
use super::{App, Panel, charts};
use crate::axis::{Axis, Bins, QUANTITY_COUNT, Scale, Span};
use crate::chart::Overview;

/// The width of a bin.
const BIN_PX: f64 = 3.0;

impl App {
    fn overview_axis(&self) -> Option<Axis> {
        let span = self.full_span(self.time_quantity())?;
        Some(Axis { quantity: self.time_quantity(), scale: Scale::Linear, span })
    }

    /// The bins of the overview.
    pub(super) fn overview_bins(&self) -> Option<Bins> {
        let axis = self.overview_axis()?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred"
        )]
        let count = (self.size(Panel::Overview).plot().width / BIN_PX).max(1.0) as usize;
        Some(match self.is_following() {
            true => growing_bins(axis, count),
            false => Bins { axis, count, is_closed: false },
        })
    }

    /// The overview; `None` until its data has arrived.
    pub(super) fn overview(&self) -> Option<Overview<'_>> {
        let (bins, tallies) = charts::tallies(self.scheduler.latest(Slot::Overview))?;
        let (axis, span) = (self.overview_axis()?, self.visible_span(self.time_quantity())?);
        Some(Overview {
            axis,
            bins,
            tallies,
            is_bits: self.settings.is_bits,
            window: (axis.fraction(span.start), axis.fraction(span.end)),
            range: (span.start, span.end - 1),
        })
    }

    /// Grips the window or one of its ends, or starts a new window.
    pub(super) fn grip_window(&self, at: (f64, f64)) -> Option<GestureKind> {
        let (overview, size) = (self.overview()?, self.size(Panel::Overview));
        let moves = overview.grip(size, at.0);
        let is_zoomed = self.settings.zoom[self.time_quantity() as usize].is_some();
        Some(match moves {
            (true, true) if !is_zoomed => GestureKind::NewWindow,
            (false, false) => GestureKind::NewWindow,
            _ => GestureKind::Window { window: overview.window, moves },
        })
    }

    /// Zooms to a window, given as fractions of the whole capture in either order.
    fn show_window(&mut self, (a, b): (f64, f64)) {
        let Some(axis) = self.overview_axis() else { return };
        let value = |fraction: f64| axis.value_at(fraction.clamp(0.0, 1.0));
        self.set_zoom(axis.quantity, Span::new(value(a.min(b)), value(a.max(b))));
    }

    /// Zooms to a window moved by a distance, at most to the ends of the capture.
    fn move_window(&mut self, (start, end): (f64, f64), by: f64) {
        // `clamp` would add the formatting of floats to the page.
        let by = by.max(-start).min(1.0 - end);
        self.show_window((start + by, end + by));
    }

    /// Continues a gesture in the overview, from one pixel to another.
    pub(super) fn drag_window(&mut self, kind: &GestureKind, from: (f64, f64), to: (f64, f64)) {
        let size = self.size(Panel::Overview);
        let (from, to) = (size.fraction(from).0, size.fraction(to).0);
        match kind {
            GestureKind::NewWindow => self.show_window((from, to)),
            GestureKind::Window { window: (start, end), moves: (true, true) } => {
                self.move_window((*start, *end), to - from);
            }
            GestureKind::Window { window: (start, end), moves } => {
                let moved = |edge: f64, moves: bool| if moves { edge + to - from } else { edge };
                self.show_window((moved(*start, moves.0), moved(*end, moves.1)));
            }
            _ => {}
        }
    }

    /// Moves the window to a clicked pixel outside of it.
    pub(super) fn center_window(&mut self, at: (f64, f64)) {
        let Some(overview) = self.overview() else { return };
        let (start, end) = overview.window;
        let middle = self.size(Panel::Overview).fraction(at).0;
        self.move_window((start, end), middle - (start + end) / 2.0);
    }

    /// Handles a key in the overview. `extend` moves only the end of the window.
    pub(super) fn overview_key(&mut self, key: Key, extend: bool) {
        let Some((start, end)) = self.overview().map(|overview| overview.window) else { return };
        let by = (end - start) * PAN_FRACTION;
        match key {
            Key::Left if extend => self.show_window((start, end - by)),
            Key::Right if extend => self.show_window((start, end + by)),
            Key::Left => self.pan(Panel::Throughput, (-PAN_FRACTION, 0.0)),
            Key::Right => self.pan(Panel::Throughput, (PAN_FRACTION, 0.0)),
            Key::Home => self.show_window((0.0, end - start)),
            Key::End => self.show_window((1.0 - (end - start), 1.0)),
            Key::ZoomIn => self.zoom(Panel::Throughput, None, 1.0 / ZOOM_STEP),
            Key::ZoomOut => self.zoom(Panel::Throughput, None, ZOOM_STEP),
            Key::ResetZoom | Key::Escape => self.settings.zoom = [None; QUANTITY_COUNT],
            _ => {}
        }
        // Announces the window.
        (self.cursor, self.pointer) = (Some((Panel::Overview, (0, 0))), None);
    }
}

/// At most about `count` bins that cover an axis. Their edges are multiples of their width, a power of two: when the
/// axis grows or its start is dropped, each bin remains one, or becomes a part of one.
fn growing_bins(axis: Axis, count: usize) -> Bins {
    let Span { start, end } = axis.span;
    let width = (axis.span.len().unsigned_abs() / count as u64).max(1).next_power_of_two();
    let width = i64::try_from(width).unwrap_or(i64::MAX);
    let start = start.saturating_sub(start.rem_euclid(width));
    let count = start.abs_diff(end).div_ceil(width.unsigned_abs());
    let span = Span::new(start, start.saturating_add_unsigned(count * width.unsigned_abs()));
    let count = usize::try_from(count).unwrap_or(usize::MAX).clamp(1, Bins::MAX_COUNT);
    Bins { axis: Axis { span, ..axis }, count, is_closed: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::axis::Quantity;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bins_stay_or_merge_when_the_axis_grows(
            start: i32, len in 1i64..1 << 40, dropped in 0i64..1 << 40, added in 0i64..1 << 41, count in 1usize..600,
        ) {
            let bins = |start: i64, end| {
                let span = Span::new(start, end);
                growing_bins(Axis { quantity: Quantity::Time, scale: Scale::Linear, span }, count)
            };
            let (start, dropped) = (i64::from(start), dropped.min(len - 1));
            let before = bins(start, start + len);
            let after = bins(start + dropped, start + len + added.max(dropped));
            for (bins, start, len) in
                [(before, start, len), (after, start + dropped, len - dropped + added.max(dropped))]
            {
                let Span { start: first, end } = bins.axis.span;
                prop_assert!(first <= start && start + len <= end);
                prop_assert!(bins.count <= 2 * count + 1, "{} of {}", bins.count, count);
                prop_assert_eq!(bins.edges().len(), bins.count + 1);
            }
            let edges = before.edges();
            let inside = |edge: &i64| edges[0] <= *edge && *edge <= edges[edges.len() - 1];
            for edge in after.edges().into_iter().filter(inside) {
                prop_assert!(edges.binary_search(&edge).is_ok(), "{} splits a bin", edge);
            }
        }
    }
}
