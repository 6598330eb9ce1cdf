//! A cache from texts to ids. Captures repeat the same few texts, and comparing one with a cached text
//! is cheaper than parsing it.

/// Marks an unused entry.
const NONE: u32 = u32::MAX;

/// A direct-mapped cache from keys of `WORDS` words to ids, with 2^`BITS` entries. Keys that map to
/// the same entry evict each other.
#[derive(Debug)]
pub(super) struct DirectMappedCache<const WORDS: usize, const BITS: u32> {
    /// Empty until the first insertion.
    entries: Vec<([u64; WORDS], u32)>,
}

impl<const WORDS: usize, const BITS: u32> Default for DirectMappedCache<WORDS, BITS> {
    fn default() -> Self {
        Self { entries: Vec::new() }
    }
}

impl<const WORDS: usize, const BITS: u32> DirectMappedCache<WORDS, BITS> {
    /// The id of a key, if it is cached.
    #[inline]
    pub(super) fn get(&self, key: &[u64; WORDS]) -> Option<u32> {
        let (known, value) = self.entries.get(Self::index(key))?;
        let differences = known.iter().zip(key).fold(0, |all, (known, word)| all | (known ^ word));
        (differences == 0 && *value != NONE).then_some(*value)
    }

    /// Caches the id of a key.
    pub(super) fn put(&mut self, key: &[u64; WORDS], value: u32) {
        if self.entries.is_empty() {
            self.entries = vec![([0; WORDS], NONE); 1 << BITS];
        }
        self.entries[Self::index(key)] = (*key, value);
    }

    #[inline]
    fn index(key: &[u64; WORDS]) -> usize {
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

/// Packs a text of up to `8 * WORDS` bytes into words. Distinct texts of the same length have distinct
/// words.
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
            for (index, word) in words[..last].iter_mut().enumerate() {
                *word = load(8 * index)?;
            }
            // Overlaps the previous word, so that no byte beyond the text is read.
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
        fn distinct_texts_of_one_length_have_distinct_words(
            one in "[a-c]{0,20}", other in proptest::option::of("[a-c]{0,20}"),
        ) {
            let other = other.unwrap_or_else(|| one.clone());
            let [a, b] = [&one, &other].map(|text| text_words::<2>(text.as_bytes()));
            prop_assert_eq!(a.is_some(), one.len() <= 16);
            if one.len() == other.len() && a.is_some() {
                prop_assert_eq!(a == b, one == other);
            }
        }

        /// Whatever was cached in between.
        #[test]
        fn cached_ids_are_never_wrong(keys in proptest::collection::vec((0u64..40, 0u64..3), 0..200)) {
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
