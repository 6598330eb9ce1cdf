//! The packet size histogram.

use super::{Frame, Size, placed, present};
use crate::density::Span;
use crate::histogram::Bins;
use crate::protocol::{CLASS_COUNT, Class};
use crate::scale::{Linear, count_ticks, integer_ticks, power_ticks};
use crate::scene::{Mark, Place, Scene, Theme};
use summary::grouped;

/// How the classes of a bin share it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bars {
    /// One on the other: the whole height is the bin's count.
    #[default]
    Stacked,
    /// One before the other, see-through: each height is the class's count.
    Overlaid,
}

/// Everything that the picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Histogram<'a> {
    /// The bins.
    pub bins: Bins,
    /// Counts by class and bin.
    pub counts: &'a [u64],
    /// Whether the count axis is logarithmic.
    pub is_log: bool,
    /// How classes share a bin.
    pub bars: Bars,
}

/// What a bin with one packet has of a logarithmic axis: something that can be seen.
const LEAST_LOG: f64 = 0.5;

impl Histogram<'_> {
    /// All packets of a bin.
    pub fn total(&self, bin: usize) -> u64 {
        (0..CLASS_COUNT).map(|class| self.counts[class * self.bins.count + bin]).sum()
    }

    /// The picture.
    pub fn scene(&self, size: Size, theme: Theme) -> Scene {
        let plot = size.plot();
        let edges = self.bins.edges();
        let x = Linear::new((edges[0], edges[self.bins.count]), (plot.x, plot.x + plot.width));
        let highest = self.highest();
        let heights = self.scale(highest, plot);
        let (first, last) = (i64::from(self.bins.min), i64::from(self.bins.max));
        let y_ticks = if self.is_log { power_ticks(highest) } else { count_ticks(highest, 6) };
        let frame = Frame {
            size,
            theme,
            title: "Packet Size Distribution",
            x_label: "Packet size (bytes)",
            y_label: "Frequency",
            x_ticks: placed(integer_ticks(Span::new(first, last + 1), 10), &x, |value| {
                value as f64
            }),
            y_ticks: placed(y_ticks, &heights, |count| self.height(count)),
            legend: present(self.counts, self.bins.count),
        };
        let mut scene = frame.scene();
        for bin in 0..self.bins.count {
            let (left, right) = (x.px_from_value(edges[bin]), x.px_from_value(edges[bin + 1]));
            // A thin gap between bars, where there is room for one.
            let gap = if right - left > 4.0 { 1.0 } else { 0.0 };
            let mut below = 0;
            for class in &frame.legend {
                let count = self.counts[class.index() * self.bins.count + bin];
                if count == 0 {
                    continue;
                }
                let (from, to) = match self.bars {
                    Bars::Stacked => (below, below + count),
                    Bars::Overlaid => (0, count),
                };
                below += count;
                let top = heights.px_from_value(self.height(to));
                let bottom = heights.px_from_value(self.height(from));
                let place =
                    Place { x: left, y: top, width: right - left - gap, height: bottom - top };
                let opacity = if self.bars == Bars::Stacked { 1.0 } else { 0.5 };
                scene.marks.push(Mark::Rect { place, color: color(*class, theme), opacity });
            }
        }
        frame.close(&mut scene);
        scene
    }

    /// What the picture shows, in words.
    pub fn words(&self) -> String {
        let edges = self.bins.edges();
        let fullest = (0..self.bins.count).max_by_key(|bin| (self.total(*bin), usize::MAX - bin));
        let Some(bin) = fullest else { return String::new() };
        format!(
            "Histogram of packet sizes from {} to {} bytes in {} bins. The fullest, {:.1} to {:.1} bytes, holds {} packets.",
            self.bins.min,
            self.bins.max,
            self.bins.count,
            edges[bin],
            edges[bin + 1],
            grouped(self.total(bin)),
        )
    }

    /// The bin under a pixel, in words.
    pub fn words_at(&self, size: Size, x_px: f64) -> Option<String> {
        let plot = size.plot();
        let edges = self.bins.edges();
        let x = Linear::new((edges[0], edges[self.bins.count]), (plot.x, plot.x + plot.width));
        let value = x.value_from_px(x_px);
        if value < edges[0] || edges[self.bins.count] < value {
            return None;
        }
        let bin = edges.partition_point(|edge| *edge <= value).clamp(1, self.bins.count) - 1;
        let mut words = format!(
            "{:.1} to {:.1} bytes: {} packets",
            edges[bin],
            edges[bin + 1],
            grouped(self.total(bin))
        );
        for class in present(self.counts, self.bins.count) {
            let count = self.counts[class.index() * self.bins.count + bin];
            if count > 0 {
                words += &format!(" · {} {}", class.name(), grouped(count));
            }
        }
        Some(words)
    }

    fn highest(&self) -> u64 {
        let highest = match self.bars {
            Bars::Stacked => (0..self.bins.count).map(|bin| self.total(bin)).max(),
            Bars::Overlaid => self.counts.iter().copied().max(),
        };
        highest.unwrap_or(0).max(1)
    }

    fn scale(&self, highest: u64, plot: Place) -> Linear {
        let bottom = if self.is_log { LEAST_LOG.log10() } else { 0.0 };
        Linear::new((bottom, self.height(highest) * 1.03), (plot.y + plot.height, plot.y))
    }

    /// A count as a value of the axis.
    fn height(&self, count: u64) -> f64 {
        match (self.is_log, count) {
            (false, count) => count as f64,
            (true, 0) => LEAST_LOG.log10(),
            (true, count) => (count as f64).log10(),
        }
    }
}

fn color(class: Class, theme: Theme) -> [u8; 3] {
    class.color(theme.is_dark)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { width_px: 694.0, height_px: 300.0 };
    const THEME: Theme = Theme { is_dark: false };

    /// Two bins, 60 to 80 to 100 bytes: 3 tcp and 1 udp, 0 tcp and 4 udp.
    fn counts() -> Vec<u64> {
        let mut counts = vec![0; CLASS_COUNT * 2];
        counts[..4].copy_from_slice(&[3, 0, 1, 4]);
        counts
    }

    fn histogram(counts: &[u64], is_log: bool, bars: Bars) -> Histogram<'_> {
        Histogram { bins: Bins { min: 60, max: 100, count: 2 }, counts, is_log, bars }
    }

    fn bars_of(scene: &Scene) -> Vec<Place> {
        let plot = SIZE.plot();
        let in_plot = |place: &&Place| plot.y <= place.y;
        let places = scene.marks.iter().filter_map(|mark| match mark {
            Mark::Rect { place, .. } => Some(place),
            _ => None,
        });
        places.filter(in_plot).copied().collect()
    }

    #[test]
    fn stacked_bars_stand_on_each_other_and_overlaid_ones_on_the_axis() {
        let counts = counts();
        let plot = SIZE.plot();
        let bars = bars_of(&histogram(&counts, false, Bars::Stacked).scene(SIZE, THEME));
        assert_eq!(bars.len(), 3);
        assert!((bars[0].y + bars[0].height - (plot.y + plot.height)).abs() < 1e-9);
        assert!((bars[1].y + bars[1].height - bars[0].y).abs() < 1e-9);
        assert!((bars[0].height - 3.0 * bars[1].height).abs() < 1e-9);
        let bars = bars_of(&histogram(&counts, false, Bars::Overlaid).scene(SIZE, THEME));
        assert!(bars.iter().all(|bar| (bar.y + bar.height - (plot.y + plot.height)).abs() < 1e-9));
    }

    #[test]
    fn one_packet_can_be_seen_on_a_logarithmic_axis() {
        let mut counts = vec![0; CLASS_COUNT * 2];
        counts[..2].copy_from_slice(&[1, 1_000_000]);
        let bars = bars_of(&histogram(&counts, true, Bars::Stacked).scene(SIZE, THEME));
        assert!(bars[0].height > 5.0, "{}", bars[0].height);
    }

    #[test]
    fn labels_are_those_of_the_post() {
        let counts = counts();
        let scene = histogram(&counts, false, Bars::Stacked).scene(SIZE, THEME);
        for words in ["Packet Size Distribution", "Packet size (bytes)", "Frequency", "tcp", "udp"]
        {
            let found = |mark: &Mark| matches!(mark, Mark::Text { text, .. } if text == words);
            assert!(scene.marks.iter().any(found), "{words}");
        }
    }

    #[test]
    fn words_tell_the_fullest_bin_and_the_pointed_one() {
        let counts = counts();
        let histogram = histogram(&counts, false, Bars::Stacked);
        assert!(histogram.words().ends_with("The fullest, 60.0 to 80.0 bytes, holds 4 packets."));
        let right = SIZE.plot().x + SIZE.plot().width;
        let words = histogram.words_at(SIZE, right - 1.0);
        assert_eq!(words.as_deref(), Some("80.0 to 100.0 bytes: 4 packets · udp 4"));
        assert_eq!(histogram.words_at(SIZE, 0.0), None);
    }
}
