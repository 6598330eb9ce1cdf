//! Numbers as decimal text: written where it is wanted, for a text that is made elsewhere and copied
//! costs more (the processor waits until it can be read as a whole); and read eight digits at a time.

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

/// Eight times the same byte.
pub(crate) const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The highest bit of each byte of a word.
pub(crate) const HIGH: u64 = all(0x80);

/// Powers of ten, up to the one with eight zeros.
pub(crate) const POWERS: [u64; 9] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number that the digits at the front of a little-endian word make, and how many there are.
#[inline(always)]
pub(crate) fn leading_digits(word: u64) -> (u64, usize) {
    let values = word ^ all(b'0');
    // A byte above 9 gets its highest bit; what is carried over only reaches bytes behind it.
    let others = (values.wrapping_add(all(0x76)) | values) & HIGH;
    let len = others.trailing_zeros() as usize / 8;
    if len == 0 {
        return (0, 0);
    }
    // As if zeros were in front: then tens with ones, and those pairs by their places.
    let values = values << (64 - 8 * len);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let outer = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let inner = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    (outer.wrapping_add(inner) >> 32, len)
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
        fn leading_digits_are_those_at_the_front(
            bytes in prop_oneof![any::<[u8; 8]>(), proptest::array::uniform8(b'.'..=b':')]
        ) {
            let len = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let value = bytes[..len].iter().fold(0, |value, byte| value * 10 + u64::from(byte - b'0'));
            prop_assert_eq!(leading_digits(u64::from_le_bytes(bytes)), (value, len));
        }

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
