//! What was found out for a text, remembered: packets come in crowds of the same few texts, and
//! finding one again costs less than reading it.

/// A value that no key has.
const NONE: u32 = u32::MAX;

/// Numbers by keys of `WORDS` words, with room for two to the power of `BITS` of them. A key has one
/// place, where the latest one of that place stays: a number may be forgotten, and is never wrong.
#[derive(Debug)]
pub(super) struct DirectMappedCache<const WORDS: usize, const BITS: u32> {
    /// None until something is remembered.
    entries: Vec<([u64; WORDS], u32)>,
}

impl<const WORDS: usize, const BITS: u32> Default for DirectMappedCache<WORDS, BITS> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<const WORDS: usize, const BITS: u32> DirectMappedCache<WORDS, BITS> {
    /// The number of the key, if it is remembered.
    #[inline]
    pub(super) fn get(&self, key: &[u64; WORDS]) -> Option<u32> {
        let (known, value) = self.entries.get(Self::place(key))?;
        let differences = known.iter().zip(key).fold(0, |all, (known, word)| all | (known ^ word));
        (differences == 0 && *value != NONE).then_some(*value)
    }

    /// Remembers the number of a key.
    pub(super) fn put(&mut self, key: &[u64; WORDS], value: u32) {
        if self.entries.is_empty() {
            self.entries = vec![([0; WORDS], NONE); 1 << BITS];
        }
        self.entries[Self::place(key)] = (*key, value);
    }

    #[inline]
    fn place(key: &[u64; WORDS]) -> usize {
        let mixed = key.iter().fold(0, |mixed, word| mix(mixed, *word));
        usize::try_from(mixed >> (u64::BITS - BITS)).unwrap_or(0)
    }
}

/// Mixes a word into a hash, most significant bits best. One 64-bit multiplication per word instead of
/// a library's hasher: this runs several times per packet, and WebAssembly lacks the 128-bit product
/// that those use.
#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    /// 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    (hash.rotate_left(23) ^ word).wrapping_mul(FACTOR)
}

/// A text as words, which no other text of up to `8 * WORDS` bytes has with the same length.
#[inline]
pub(super) fn text_words<const WORDS: usize>(text: &[u8]) -> Option<[u64; WORDS]> {
    let mut words = [0; WORDS];
    let load =
        |at: usize| -> Option<u64> { Some(u64::from_le_bytes(*text.get(at..)?.first_chunk()?)) };
    match text.len() {
        0 => {}
        1..8 => {
            words[0] = text.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        len if len <= 8 * WORDS => {
            let last = (len - 1) / 8;
            for (place, word) in words[..last].iter_mut().enumerate() {
                *word = load(8 * place)?;
            }
            // It overlaps the one before: what is behind the text is not to be looked at.
            words[last] = load(len - 8)?;
        }
        _ => return None,
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn different_texts_of_a_length_have_different_words(
            one in "[a-c]{0,20}", other in proptest::option::of("[a-c]{0,20}"),
        ) {
            let other = other.unwrap_or_else(|| one.clone());
            let [a, b] = [&one, &other].map(|text| text_words::<2>(text.as_bytes()));
            prop_assert_eq!(a.is_some(), one.len() <= 16);
            if one.len() == other.len() && a.is_some() {
                prop_assert_eq!(a == b, one == other);
            }
        }

        /// Whatever else came in between, a number is the one that its key was given last.
        #[test]
        fn what_is_remembered_is_true(keys in proptest::collection::vec((0u64..40, 0u64..3), 0..200)) {
            let mut memo = DirectMappedCache::<2, 3>::default();
            let mut known = std::collections::HashMap::new();
            for (number, (a, b)) in (0..).zip(keys) {
                let key = [a, b];
                prop_assert!([None, known.get(&key).copied()].contains(&memo.get(&key)));
                memo.put(&key, number);
                known.insert(key, number);
                prop_assert_eq!(memo.get(&key), Some(number));
            }
        }
    }
}
