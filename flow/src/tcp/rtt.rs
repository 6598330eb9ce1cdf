//! The measurement of round-trip times, one segment at a time (RFC 6298, section 3).

use super::{Segment, distance, micros};

/// A segment whose acknowledgment is expected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// The sequence number after the segment.
    end: u32,
    ns: i64,
    ts_val: Option<u32>,
    /// Whether an earlier segment, or this one, was sent again.
    is_ambiguous: bool,
}

/// The current measurement of one side.
#[derive(Debug, Default)]
pub(super) struct RttMeter(Option<Sample>);

impl RttMeter {
    /// New data was sent.
    pub(super) fn on_new_data(&mut self, end: u32, ns: i64, ts_val: Option<u32>) {
        self.0.get_or_insert(Sample { end, ns, ts_val, is_ambiguous: false });
    }

    /// Data before the segment comes late or again: its acknowledgment may be for that.
    pub(super) fn on_disorder(&mut self) {
        self.0 = self.0.take().filter(|sample| sample.ts_val.is_some());
        if let Some(sample) = &mut self.0 {
            sample.is_ambiguous = true;
        }
    }

    /// Numbers before `end` were not captured.
    pub(super) fn cancel(&mut self) {
        self.0 = None;
    }

    /// The other side acknowledges data. Returns a round-trip time in microseconds.
    pub(super) fn on_ack(&mut self, ns: i64, ack: u32, segment: &Segment) -> Option<u32> {
        let sample = self.0?;
        let is_covered = |&(left, right): &(u32, u32)| {
            0 < distance(left, sample.end) && 0 <= distance(sample.end, right)
        };
        let is_acked = 0 <= distance(sample.end, ack);
        if !is_acked && !segment.options.sack().iter().any(is_covered) {
            return None;
        }
        self.0 = None;
        let echo = segment.options.timestamps.map(|(_, echo)| echo);
        let is_proved = !sample.is_ambiguous || (echo.is_some() && echo == sample.ts_val);
        is_proved.then(|| micros(ns.saturating_sub(sample.ns)))
    }
}
