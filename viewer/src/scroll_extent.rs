//! Positions of the scrollbar of a long table.

/// The distance that a table can be scrolled. Only the visible rows exist, in an element as high as all of
/// them.
#[derive(Clone, Copy, Debug)]
pub struct ScrollExtent {
    /// The largest possible index of the first visible row.
    pub max_first: u64,
    /// Height of a row in CSS pixels.
    pub row_px: f64,
}

/// Browsers limit the heights of elements, Firefox to about 17.8 million pixels. Positions in longer tables
/// are scaled down.
const MAX_PX: f64 = 8e6;

impl ScrollExtent {
    /// The largest position, in CSS pixels.
    pub fn max_px(self) -> f64 {
        (self.max_first as f64 * self.row_px).min(MAX_PX)
    }

    /// Whether positions are scaled down: the browser scrolls further than a finger moves.
    pub fn is_scaled(self) -> bool {
        self.max_px() < self.max_first as f64 * self.row_px
    }

    /// The pixels of a row. 0 if all rows are visible.
    fn step_px(self) -> f64 {
        if self.max_first == 0 { 0.0 } else { self.max_px() / self.max_first as f64 }
    }

    /// The position with this first row.
    pub fn position_px(self, first: u64) -> f64 {
        first as f64 * self.step_px()
    }

    /// The first row at a position, which may be rounded to pixels.
    pub fn row_at(self, position_px: f64) -> u64 {
        let step_px = self.step_px();
        if step_px == 0.0 {
            return 0;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative")]
        let row = ((position_px.max(0.0) + 0.5) / step_px) as u64;
        row.min(self.max_first)
    }

    /// Whether a position is one of this first row.
    pub fn is_at(self, position_px: f64, first: u64) -> bool {
        self.row_at(position_px) == first || (position_px - self.position_px(first)).abs() < 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_rows_correspond() {
        for (max_first, row_px) in
            [(0, 24.0), (1, 24.0), (1_000, 44.0), (400_000, 24.0), (10_000_000, 24.0)]
        {
            let extent = ScrollExtent { max_first, row_px };
            assert!(extent.max_px() <= 1e7);
            assert_eq!((extent.row_at(0.0), extent.row_at(extent.max_px())), (0, max_first));
            for first in [0, 1, 2, 999, 9_999_999].into_iter().filter(|first| *first <= max_first) {
                assert!(
                    extent.is_at(extent.position_px(first).round(), first),
                    "{first}: {extent:?}"
                );
            }
        }
        let short = ScrollExtent { max_first: 1_000, row_px: 24.0 };
        let long = ScrollExtent { max_first: 10_000_000, row_px: 24.0 };
        assert!(long.is_scaled() && !short.is_scaled());
        // A part of a row.
        assert_eq!([23.0, 24.0, 25.0, 47.0].map(|position| short.row_at(position)), [0, 1, 1, 1]);
        assert!(!short.is_at(48.0, 1));
    }
}
