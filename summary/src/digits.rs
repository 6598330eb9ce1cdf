//! Numbers as decimal text, written where it is wanted: a text that is made elsewhere and copied
//! costs more, for the processor waits until it can be read as a whole.

/// Digits of the largest number.
pub(crate) const MAX_DIGITS: usize = 20;

/// Both digits of the numbers below 100.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0u8;
    while value < 100 {
        pairs[value as usize] = [b'0' + value / 10, b'0' + value % 10];
        value += 1;
    }
    pairs
};

/// Writes a number to the front of `place`; returns how many digits it has.
pub(crate) fn decimal(value: u64, place: &mut [u8; MAX_DIGITS]) -> usize {
    let len = value.checked_ilog10().map_or(1, |power| power as usize + 1);
    put_digits(&mut place[..len], value);
    len
}

/// Fills the place with the last digits of a number, zeros in front.
pub(crate) fn put_digits(place: &mut [u8], mut value: u64) {
    let mut pairs = place.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if let [digit] = pairs.into_remainder() {
        *digit = PAIRS[(value % 10) as usize][1];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal_text(value: u64) -> Vec<u8> {
        let mut place = [0; MAX_DIGITS];
        let len = decimal(value, &mut place);
        place[..len].to_vec()
    }

    #[test]
    fn round_numbers_have_their_digits() {
        for value in [0, 9, 10, 99, 100, 999, 1_000, u64::MAX] {
            assert_eq!(decimal_text(value), value.to_string().as_bytes());
        }
    }

    proptest! {
        #[test]
        fn any_number_has_its_digits(value: u64, shift in 0..64) {
            let value = value >> shift;
            prop_assert_eq!(decimal_text(value), value.to_string().into_bytes());
            let mut place = [0; 9];
            put_digits(&mut place, value % 1_000_000_000);
            prop_assert_eq!(place.to_vec(), format!("{:09}", value % 1_000_000_000).into_bytes());
        }
    }
}
