//! Quantities that the heights of bars represent.

use crate::tally::Tally;
use crate::text::prefixed;

/// The quantity that the height of a bar represents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Packets.
    Packets,
    /// Packets per second of a capture.
    PacketRate(Coverage),
    /// Bits per second of a capture.
    BitRate(Coverage),
}

/// The time range of a capture. A bin that it covers in part has the rate of the covered part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// Times of the first and the last packet, in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// The mean time between packets in nanoseconds. The capture covers as much after its last packet, so
    /// that packets at equal distances have the same rate in all bins.
    pub mean_gap_ns: u64,
}

impl Coverage {
    /// Nanoseconds of a bin that the capture covers.
    pub(super) fn of_bin_ns(self, start: i64, end: i64) -> u64 {
        let last = self.ts_ns.1.saturating_add_unsigned(self.mean_gap_ns);
        let (first, last) = (start.max(self.ts_ns.0), end.min(last));
        if first < last { first.abs_diff(last) } else { 1 }
    }
}

impl Measure {
    /// The height of a bar. Rates are those of this number of seconds.
    pub(super) fn of(self, tally: Tally, seconds: f64) -> f64 {
        match self {
            Self::Packets => tally.packets as f64,
            Self::PacketRate(_) => tally.packets as f64 / seconds,
            Self::BitRate(_) => tally.bytes as f64 * 8.0 / seconds,
        }
    }

    /// The time range of the capture; `None` for quantities that are not rates.
    pub(super) fn coverage(self) -> Option<Coverage> {
        match self {
            Self::Packets => None,
            Self::PacketRate(coverage) | Self::BitRate(coverage) => Some(coverage),
        }
    }

    /// The label of the axis.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Packets => "Frequency",
            Self::PacketRate(_) => "Packets per second",
            Self::BitRate(_) => "Bits per second",
        }
    }

    /// A height with its unit.
    pub(super) fn text(self, height: f64) -> String {
        let mut text = prefixed(height);
        text.push_str(match self {
            Self::Packets => "",
            Self::PacketRate(_) => " packets/s",
            // A prefix belongs to the unit.
            Self::BitRate(_) if text.contains(' ') => "bit/s",
            Self::BitRate(_) => " bit/s",
        });
        text
    }
}
