//! Times of a flow in memory.

/// A time, without the alignment of 64-bit integers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PackedTime([u8; 8]);

impl PackedTime {
    pub(crate) fn new(ns: i64) -> Self {
        Self(ns.to_ne_bytes())
    }

    pub(crate) fn ns(self) -> i64 {
        i64::from_ne_bytes(self.0)
    }
}

/// Times of the first and the last packet of each direction; meaningless without packets.
///
/// Only one time has 64 bits. The others are differences to it with 48 bits: up to 39 hours.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Times {
    start: PackedTime,
    /// The bits of each difference. They are written and read with the same widths: otherwise, the processor
    /// waits until they are written.
    low: [[u8; 4]; 3],
    high: [i16; 3],
}

/// Differences that need more than 48 bits. Few flows have some.
pub(crate) type LongDifferences = [i64; 3];

/// A time in [`Times`]: its index there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The first packet of the direction that began second.
    SecondStart = 0,
    /// The last packet from the source.
    LastFrom = 1,
    /// The last packet to it.
    LastTo = 2,
}

impl Moment {
    /// The last packet of a direction.
    pub(crate) fn last(side: usize) -> Self {
        if side == 0 { Self::LastFrom } else { Self::LastTo }
    }
}

/// The high bits of a difference that is stored elsewhere. All others have a smaller magnitude.
const LONG: i16 = i16::MIN;

impl Times {
    /// Time of the first packet.
    pub(crate) fn start_ns(&self) -> i64 {
        self.start.ns()
    }

    /// Sets the time that the others refer to: they become meaningless.
    pub(crate) fn set_start(&mut self, ns: i64) {
        self.start = PackedTime::new(ns);
    }

    /// A time; `None` if the difference is stored elsewhere.
    #[inline]
    pub(crate) fn ns(&self, moment: Moment) -> Option<i64> {
        let low = u32::from_ne_bytes(self.low[moment as usize]);
        let high = self.high[moment as usize];
        (high != LONG).then(|| self.ns_after(i64::from(high) << 32 | i64::from(low)))
    }

    /// Time at a difference to the start.
    pub(crate) fn ns_after(&self, difference: i64) -> i64 {
        self.start.ns().wrapping_add(difference)
    }

    /// Sets a time. Returns the difference if it has to be stored elsewhere.
    #[inline]
    pub(crate) fn set(&mut self, moment: Moment, ns: i64) -> Option<i64> {
        let difference = ns.wrapping_sub(self.start.ns());
        let high = i16::try_from(difference >> 32).unwrap_or(LONG);
        self.low[moment as usize] =
            ((difference.cast_unsigned() & 0xffff_ffff) as u32).to_ne_bytes();
        self.high[moment as usize] = high;
        (high == LONG).then_some(difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact() {
        let edge = 1 << 47;
        let numbers = [
            i64::MIN,
            -edge - 1,
            -edge,
            (1 << 32) - edge,
            -1,
            0,
            1,
            1 << 40,
            edge - 1,
            edge,
            i64::MAX,
        ];
        for start in numbers {
            for ns in numbers {
                let mut times = Times::default();
                times.set_start(start);
                for moment in [Moment::SecondStart, Moment::LastFrom, Moment::LastTo] {
                    let long = times.set(moment, ns);
                    let read =
                        long.map_or_else(|| times.ns(moment), |long| Some(times.ns_after(long)));
                    assert_eq!(read, Some(ns), "from {start}");
                    assert_eq!(times.ns(moment).is_none(), long.is_some());
                    let difference = ns.wrapping_sub(start);
                    assert_eq!(long.is_some(), !((1 << 32) - edge..edge).contains(&difference));
                }
                assert_eq!(times.start_ns(), start);
            }
        }
    }
}
