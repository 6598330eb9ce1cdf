//! Decimal numbers, written directly into the output and parsed eight digits at a time.
//!
//! Both are on the path of every packet. With the crate `itoa`, formatting a line of real traffic
//! takes 10 % longer (`cargo bench -p summary --bench stages format`).

/// Number of digits of `u64::MAX`.
pub(crate) const MAX_DIGITS: usize = 20;

/// The two digits of each number below 100.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0u8;
    while value < 100 {
        pairs[value as usize] = [b'0' + value / 10, b'0' + value % 10];
        value += 1;
    }
    pairs
};

/// Writes a number to the front of `buf`; returns the number of digits.
pub(crate) fn decimal(value: u64, buf: &mut [u8; MAX_DIGITS]) -> usize {
    let len = value.checked_ilog10().map_or(1, |power| power as usize + 1);
    put_digits(&mut buf[..len], value);
    len
}

/// Fills `buf` with the last digits of a number, with leading zeros.
pub(crate) fn put_digits(buf: &mut [u8], mut value: u64) {
    let mut pairs = buf.rchunks_exact_mut(2);
    for pair in &mut pairs {
        pair.copy_from_slice(&PAIRS[(value % 100) as usize]);
        value /= 100;
    }
    if let [digit] = pairs.into_remainder() {
        *digit = PAIRS[(value % 10) as usize][1];
    }
}

/// A word of eight equal bytes.
pub(crate) const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The highest bit of each byte of a word.
pub(crate) const HIGH: u64 = all(0x80);

/// The powers of ten from 10⁰ to 10⁸.
pub(crate) const POWERS: [u64; 9] =
    [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// The number formed by the digits at the front of a little-endian word, and how many there are.
#[inline(always)]
pub(crate) fn leading_digits(word: u64) -> (u64, usize) {
    let values = word ^ all(b'0');
    // Sets the highest bit of bytes above 9. Carries only affect later bytes.
    let others = (values.wrapping_add(all(0x76)) | values) & HIGH;
    let len = others.trailing_zeros() as usize / 8;
    if len == 0 {
        return (0, 0);
    }
    // Pad with leading zeros, combine digits to pairs, then multiply the pairs by powers of 100.
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
        let mut buf = [0; MAX_DIGITS];
        let len = decimal(value, &mut buf);
        buf[..len].to_vec()
    }

    #[test]
    fn powers_of_ten_and_limits_have_their_digits() {
        for value in [0, 9, 10, 99, 100, 999, 1_000, u64::MAX] {
            assert_eq!(decimal_text(value), value.to_string().as_bytes());
        }
    }

    proptest! {
        #[test]
        fn leading_digits_stop_at_the_first_other_byte(
            bytes in prop_oneof![any::<[u8; 8]>(), proptest::array::uniform8(b'.'..=b':')]
        ) {
            let len = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let value = bytes[..len].iter().fold(0, |value, byte| value * 10 + u64::from(byte - b'0'));
            prop_assert_eq!(leading_digits(u64::from_le_bytes(bytes)), (value, len));
        }

        #[test]
        fn digits_equal_those_of_the_standard_library(value: u64, shift in 0..64) {
            let value = value >> shift;
            prop_assert_eq!(decimal_text(value), value.to_string().into_bytes());
            let mut buf = [0; 9];
            put_digits(&mut buf, value % 1_000_000_000);
            prop_assert_eq!(buf.to_vec(), format!("{:09}", value % 1_000_000_000).into_bytes());
        }
    }
}
