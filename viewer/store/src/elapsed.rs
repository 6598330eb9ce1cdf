//! The time since the start of a file. It is the time minus a constant: queries and expressions that refer to
//! it are translated to the time.

use crate::query::QueryKind;
use viewer_model::axis::{Axis, Quantity, Span};

/// Translates an axis. `start_ns` is the time of the first packet of the file, in nanoseconds since the
/// epoch.
pub(crate) fn resolve_axis(axis: &mut Axis, start_ns: i64) {
    if axis.quantity == Quantity::Elapsed {
        axis.quantity = Quantity::Time;
        let Span { start, end } = axis.span;
        axis.span = Span::new(start.saturating_add(start_ns), end.saturating_add(start_ns));
    }
}

/// Translates the X axis of a query. No chart has it as the Y axis.
pub(crate) fn resolve_kind(kind: &mut QueryKind, start_ns: i64) {
    match kind {
        QueryKind::Bins(bins) => resolve_axis(&mut bins.axis, start_ns),
        QueryKind::Density(grid) | QueryKind::Nearest { grid, .. } => {
            resolve_axis(&mut grid.x.axis, start_ns);
        }
        _ => {}
    }
}
