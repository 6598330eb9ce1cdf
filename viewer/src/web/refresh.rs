//! When the charts of a followed source are refreshed: soon after packets were read, but so that reading
//! has at least half of the time, and two thirds if it is behind.

use js_sys::Date;

/// The shortest time between two refreshes, in milliseconds.
const MIN_DELAY_MS: f64 = 80.0;
/// The longest one.
const MAX_DELAY_MS: f64 = 1_000.0;

/// The time of the next refresh.
#[derive(Debug, Default)]
pub(super) struct RefreshTimer {
    is_scheduled: bool,
    /// When the last refresh began; `None` once it is answered.
    started_ms: Option<f64>,
    /// How long the last refresh took.
    took_ms: f64,
}

impl RefreshTimer {
    /// Schedules a refresh, unless one is scheduled. Returns the delay in milliseconds. `is_behind`: many bytes wait
    /// to be read.
    pub(super) fn schedule(&mut self, is_behind: bool) -> Option<i32> {
        if std::mem::replace(&mut self.is_scheduled, true) {
            return None;
        }
        let reading_time = if is_behind { 2.0 } else { 1.0 };
        Some(whole_ms((reading_time * self.took_ms).clamp(MIN_DELAY_MS, MAX_DELAY_MS)))
    }

    /// The scheduled time has come, but queries are in flight. Returns how long to wait for them.
    pub(super) fn postpone() -> i32 {
        whole_ms(MIN_DELAY_MS / 4.0)
    }

    /// The refresh begins.
    pub(super) fn begin(&mut self) {
        (self.is_scheduled, self.started_ms) = (false, Some(Date::now()));
    }

    /// All queries are answered.
    pub(super) fn finish(&mut self) {
        if let Some(started_ms) = self.started_ms.take() {
            self.took_ms = Date::now() - started_ms;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "at most a second")]
fn whole_ms(ms: f64) -> i32 {
    ms as i32
}
