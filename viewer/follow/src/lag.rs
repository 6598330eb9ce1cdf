//! How far the charts are behind the source.

/// Shorter lags are not worth mentioning, in milliseconds.
const MIN_LAG_MS: f64 = 1_000.0;

/// The lag of the charts. The clock of the source may differ from that of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lag {
    /// The time of the latest packet shown, by the clock of the source; `None` if nothing is missing.
    latest_ms: Option<f64>,
    /// The smallest time from a packet to when it was shown, while nothing was missing: about the difference of
    /// the clocks.
    offset_ms: Option<f64>,
}

impl Lag {
    /// Packets up to a time are shown now. Times are in milliseconds since the epoch. `is_complete` if the
    /// source had no more packets.
    pub fn show(&mut self, latest_ms: f64, now_ms: f64, is_complete: bool) {
        if is_complete {
            let offset_ms = now_ms - latest_ms;
            self.offset_ms = Some(self.offset_ms.map_or(offset_ms, |least| least.min(offset_ms)));
        }
        self.latest_ms = (!is_complete).then_some(latest_ms);
    }

    /// How far the charts are behind now, in milliseconds; `None` if they are up to date.
    pub fn at(&self, now_ms: f64) -> Option<f64> {
        let lag_ms = now_ms - self.latest_ms? - self.offset_ms.unwrap_or(0.0);
        (MIN_LAG_MS <= lag_ms).then_some(lag_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_relative_to_the_clock_of_the_source() {
        let mut lag = Lag::default();
        assert_eq!(lag.at(5_000.0), None);
        // Packets exist that are not shown.
        lag.show(1_000.0, 5_000.0, false);
        assert_eq!((lag.at(5_000.0), lag.at(6_500.0)), (Some(4_000.0), Some(5_500.0)));
        lag.show(4_500.0, 5_000.0, false);
        assert_eq!(lag.at(5_000.0), None);
        // The source is idle, or its clock is behind by two seconds.
        lag.show(6_000.0, 8_000.0, true);
        assert_eq!(lag.at(60_000.0), None);
        lag.show(7_000.0, 10_500.0, false);
        assert_eq!(lag.at(10_500.0), Some(1_500.0));
    }
}
