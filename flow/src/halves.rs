//! Counts in two halves: the low one is with the flow, the high one where only few flows have values.

/// The low half of a count that increases by 1. It is 0 only as long as nothing was counted.
pub(crate) type Low16 = u16;

/// Adds to the low half of a count in units of 2³². Whether the high half gets 1 more.
pub(crate) fn add(low: &mut u32, number: u32) -> bool {
    let (sum, has_carry) = low.overflowing_add(number);
    *low = sum;
    has_carry
}

/// The value of both halves.
pub(crate) fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

/// Counts 1. Whether the high half gets 1 more.
pub(crate) fn increment(low: &mut Low16) -> bool {
    let has_carry = *low == Low16::MAX;
    *low = if has_carry { 1 } else { *low + 1 };
    has_carry
}

/// The value of both halves of a count that increases by 1.
pub(crate) fn join16(high: u32, low: Low16) -> u64 {
    u64::from(high) * u64::from(Low16::MAX) + u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_count_like_one_number() {
        let (mut high, mut low) = (0, 0);
        assert_eq!(join16(high, low), 0);
        for number in 1..=200_000 {
            high += u32::from(increment(&mut low));
            assert_eq!(join16(high, low), number);
            assert_ne!(low, 0);
        }
        let (mut high, mut low) = (0, 0);
        for factor in 1..=5 {
            high += u32::from(add(&mut low, u32::MAX));
            assert_eq!(join(high, low), factor * u64::from(u32::MAX));
        }
    }
}
