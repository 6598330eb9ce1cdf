//! Pseudo-random numbers that are the same in every run and on every machine.

/// Generator xorshift64* (Vigna 2016).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator; `seed` must not be 0.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn next_u32(&mut self) -> u32 {
        u32::try_from(self.next_u64() >> 32).expect("32 bits are left")
    }

    pub(crate) fn next_u16(&mut self) -> u16 {
        u16::try_from(self.next_u64() >> 48).expect("16 bits are left")
    }

    /// A number from `low` up to and including `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + (self.next_u64() >> 16) % (high - low + 1)
    }

    /// A length from `low` up to and including `high`.
    pub(crate) fn len(&mut self, low: usize, high: usize) -> usize {
        usize::try_from(self.between(low as u64, high as u64)).expect("at most `high`")
    }

    /// True in `percent` of 100 calls.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.between(1, 100) <= percent
    }

    /// One of the items, all equally likely.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.len(0, items.len() - 1)]
    }

    /// An ephemeral port, in Linux's default range.
    pub(crate) fn ephemeral_port(&mut self) -> u16 {
        32_768 + self.next_u16() % 28_232
    }

    /// Bytes that look encrypted.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(len + 8);
        while bytes.len() < len {
            bytes.extend(self.next_u64().to_be_bytes());
        }
        bytes.truncate(len);
        bytes
    }
}
