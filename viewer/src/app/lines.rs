//! The lines of the throughput chart. Each counts those of the selected packets that match an expression.

use super::App;
use super::charts::tallies;
use super::chips::Chip;
use super::query_scheduler::Slot;
use crate::axis::Bins;
use crate::chart::Line;
use crate::filter::Expr;
use crate::selection::{Dimension, LINE_COUNT};
use crate::time::Zone;

/// The answers that the lines show.
pub(super) const LINE_SLOTS: [Slot; LINE_COUNT] =
    [Slot::Line1, Slot::Line2, Slot::Line3, Slot::Line4];

impl App {
    /// Turns the selection into a line, and selects all packets. Does nothing without a selection, and if
    /// there are as many lines as possible.
    pub(super) fn add_line(&mut self) {
        if !self.can_add_line() || self.is_filter_incomplete() {
            return;
        }
        let now = self.history.now();
        let exprs = now.selecting().map(|(_, expr)| expr.clone());
        let free = Dimension::LINES.into_iter().find(|line| now.get(*line).is_none());
        let (Some(line), expr @ Some(_)) = (free, exprs.reduce(Expr::and)) else { return };
        let mut selection = now.without_selection();
        selection.set(line, expr);
        (self.filter_text, self.filter_error) = (String::new(), None);
        self.history.select(selection, None);
        self.on_selection_changed();
    }

    /// Whether the selection can be turned into a line.
    pub(super) fn can_add_line(&self) -> bool {
        let now = self.history.now();
        !now.is_all() && now.lines().count() < LINE_COUNT
    }

    /// The lines, with the names that the page shows.
    pub(super) fn line_chips(&self, zone: &Zone) -> Vec<Chip> {
        let lines = self.history.now().lines();
        let chip = |(dimension, expr): (Dimension, &Expr)| Chip {
            dimension,
            label: self.line_label(expr, zone),
            text: expr.to_text(zone),
            is_excluded: false,
            color: dimension.line().map(|index| self.theme.line(index)),
        };
        lines.map(chip).collect()
    }

    /// The lines with their packets in these bins, as far as these have been counted.
    pub(super) fn lines(&self, bins: Bins) -> Vec<Line<'_>> {
        let line = |(dimension, expr): (Dimension, &Expr)| {
            let index = dimension.line()?;
            let (counted, tallies) = tallies(self.scheduler.latest(LINE_SLOTS[index]))?;
            let name = expr.to_text(&Zone::Utc);
            (counted == bins).then_some(Line { index, name, tallies })
        };
        self.history.now().lines().filter_map(line).collect()
    }
}
