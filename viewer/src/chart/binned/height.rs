//! Heights of bars, and the ticks of their axis.

use super::super::measure::Measure;
use super::Binned;
use crate::linear_scale::LinearScale;
use crate::scene::Rect;
use crate::tally::Tally;
use crate::text::{self, prefixed};
use crate::ticks::count_ticks;

/// Converts heights to pixels.
pub(super) struct HeightScale {
    scale: LinearScale,
    /// Lowest and highest visible value.
    extent: (f64, f64),
    is_log: bool,
    /// Heights are scaled to the selected packets.
    pub(super) is_of_selection: bool,
}

impl HeightScale {
    pub(super) fn new(chart: &Binned<'_>, seconds: &[f64], plot: Rect) -> Self {
        let count = chart.count();
        let height = |tally, bin: usize| chart.measure.of(tally, seconds[bin]);
        // Tallies are ordered by class, then by bin.
        let each = |tallies: &'_ [Tally], fold: fn(f64, f64) -> f64, start: f64| {
            let heights = tallies.iter().enumerate().map(|(index, t)| height(*t, index % count));
            heights.filter(|height| 0.0 < *height).fold(start, fold)
        };
        let totals = |tallies, fold: fn(f64, f64) -> f64, start: f64| {
            let totals = (0..count).map(|bin| height(chart.total(tallies, bin), bin));
            totals.filter(|height| 0.0 < *height).fold(start, fold)
        };
        let of_foreground = match chart.is_overlaid() {
            true => each(chart.foreground(), f64::max, 0.0),
            false => totals(chart.foreground(), f64::max, 0.0),
        };
        let (highest, is_of_selection) = match chart.selected {
            None => (of_foreground, false),
            Some(_) => {
                let total = totals(chart.whole, f64::max, 0.0);
                let is_of_selection = chart.scale_to.is_selection(of_foreground, total);
                (if is_of_selection { of_foreground } else { total }, is_of_selection)
            }
        };
        let highest = if highest == 0.0 { 1.0 } else { highest };
        let lowest = each(chart.foreground(), f64::min, totals(chart.whole, f64::min, highest));
        let is_log = chart.is_log;
        // A logarithmic axis starts at half of the lowest value, which makes its bar visible.
        let bottom = if is_log { (lowest / 2.0).ln() } else { 0.0 };
        let top = if is_log { highest.ln() } else { highest };
        let top = bottom + (top - bottom) * 1.03;
        let scale = LinearScale::new((bottom, top), (plot.y + plot.height, plot.y));
        Self { scale, extent: (lowest, highest), is_log, is_of_selection }
    }

    fn scaled(&self, value: f64) -> f64 {
        if !self.is_log {
            return value;
        }
        value.max(self.extent.0 / 2.0).ln()
    }

    pub(super) fn px(&self, value: f64) -> f64 {
        self.scale.px_from_value(self.scaled(value))
    }

    /// Ticks as fractions of the plot's height.
    pub(super) fn ticks(&self, chart: &Binned<'_>) -> Vec<(f64, String)> {
        let (lowest, highest) = self.extent;
        let is_count = chart.measure == Measure::Packets;
        let label = |value: f64| match is_count {
            true => text::integer(crate::axis::saturating_i64(value)),
            false => prefixed(value),
        };
        let values: Vec<(f64, String)> = if self.is_log {
            let first = power_of_ten(lowest);
            let powers = std::iter::successors(Some(first), |power| Some(power * 10.0)).take(40);
            // A short axis also has ticks at 2 and 5 times the powers of ten.
            let steps: &[f64] = if highest < lowest * 100.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
            let values = powers.flat_map(|power| steps.iter().map(move |step| power * step));
            let values = values.skip_while(|value| *value < lowest * 0.999);
            values.take_while(|value| *value <= highest).map(|v| (v, label(v))).collect()
        } else if is_count {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
            let ticks = count_ticks(highest as u64, 6).into_iter();
            ticks.map(|tick| (tick.value as f64, tick.label)).collect()
        } else {
            let step = round_up(highest / 5.0);
            let steps = (0..20).map(|index| f64::from(index) * step);
            steps.take_while(|value| *value <= highest).map(|v| (v, label(v))).collect()
        };
        values
            .into_iter()
            .map(|(value, label)| (self.scale.fraction(self.scaled(value)), label))
            .collect()
    }
}

/// Rounds up to 1, 2 or 5 times a power of ten.
fn round_up(least: f64) -> f64 {
    let power = power_of_ten(least);
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * power).find(|s| least <= *s).unwrap_or(least)
}

/// Rounds down to a power of ten.
fn power_of_ten(value: f64) -> f64 {
    let mut power = 1.0;
    while power < value && value.is_finite() {
        power *= 10.0;
    }
    while value < power {
        power /= 10.0;
    }
    power
}
