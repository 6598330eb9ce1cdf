//! Bytes with positions that arrive in any order.

/// Longest message that is kept, in bytes. A DNS message with its length is one byte longer than 64 KiB.
pub(crate) const MAX_LEN: usize = (64 << 10) + 1;
/// Maximum number of pieces that wait for earlier ones.
const MAX_PIECES: usize = 64;

/// The bytes of a stream from a position on, without the pieces that are missing.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    /// The bytes up to the first gap.
    data: Vec<u8>,
    /// Pieces after the gap, each with its position.
    later: Vec<(usize, Vec<u8>)>,
}

impl Stream {
    /// The bytes up to the first gap.
    pub(crate) fn data(&self) -> &[u8] {
        &self.data
    }

    /// Number of bytes that are kept.
    pub(crate) fn len(&self) -> usize {
        self.data.len() + self.later.iter().map(|(_, piece)| piece.len()).sum::<usize>()
    }

    /// Whether pieces wait for missing ones.
    pub(crate) fn has_gap(&self) -> bool {
        !self.later.is_empty()
    }

    /// Adds a piece. Bytes that arrive twice are kept once. Returns false if the piece exceeds a limit, or
    /// differs from bytes that arrived before; it is then ignored. Nothing proves which of two
    /// differing pieces the receiver used.
    #[must_use]
    pub(crate) fn insert(&mut self, position: usize, piece: &[u8]) -> bool {
        let end = position.saturating_add(piece.len());
        if !self.agrees(position, piece) {
            return false;
        }
        if end <= self.data.len() {
            return true;
        }
        if MAX_LEN < end || MAX_LEN < self.len() + piece.len() {
            return false;
        }
        if self.data.len() < position {
            if MAX_PIECES <= self.later.len() {
                return false;
            }
            if !self.later.iter().any(|(at, old)| *at <= position && end <= at + old.len()) {
                self.later.push((position, piece.to_vec()));
            }
            return true;
        }
        self.append(position, piece);
        // Each pass appends one piece at least.
        while let Some(index) = self.later.iter().position(|(at, _)| *at <= self.data.len()) {
            let (at, piece) = self.later.swap_remove(index);
            self.append(at, &piece);
        }
        true
    }

    /// Returns true if the bytes of a piece that arrived before are the same.
    fn agrees(&self, position: usize, piece: &[u8]) -> bool {
        let later = self.later.iter().map(|(at, old)| (*at, &old[..]));
        std::iter::once((0, &self.data[..])).chain(later).all(|(at, old)| {
            let old = old.get(position.saturating_sub(at)..).unwrap_or_default();
            let new = piece.get(at.saturating_sub(position)..).unwrap_or_default();
            old.iter().zip(new).all(|(old, new)| old == new)
        })
    }

    /// Appends the bytes of a piece that are new. It has to begin at the end, or before.
    fn append(&mut self, position: usize, piece: &[u8]) {
        let new = piece.get(self.data.len() - position..).unwrap_or_default();
        self.data.extend_from_slice(new);
    }

    /// Removes and returns the first bytes. Positions count from their end afterwards.
    pub(crate) fn take(&mut self, len: usize) -> Vec<u8> {
        let rest = self.data.split_off(len.min(self.data.len()));
        let taken = std::mem::replace(&mut self.data, rest);
        for (position, _) in &mut self.later {
            *position -= taken.len();
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn order_and_repetition_do_not_matter(
            pieces in prop::collection::vec((0usize..60, 1usize..20), 0..40),
            taken in 0usize..40,
        ) {
            let bytes: Vec<u8> = (0..80).collect();
            let mut stream = Stream::default();
            let mut is_known = [false; 81];
            for (start, len) in &pieces {
                prop_assert!(stream.insert(*start, &bytes[*start..start + len]));
                is_known[*start..start + len].fill(true);
            }
            let end = is_known.iter().position(|is_known| !is_known).unwrap();
            prop_assert_eq!(stream.data(), &bytes[..end]);
            let taken = taken.min(end);
            prop_assert_eq!(stream.take(taken), &bytes[..taken]);
            prop_assert_eq!(stream.data(), &bytes[taken..end]);
            // All pieces join once the gaps are filled.
            prop_assert!(stream.insert(0, &bytes[taken..]));
            prop_assert_eq!(stream.data(), &bytes[taken..]);
            prop_assert_eq!(stream.len(), 80 - taken);
        }
    }

    #[test]
    fn pieces_that_differ_are_rejected() {
        let mut stream = Stream::default();
        assert!(stream.insert(0, b"abc") && stream.insert(5, b"fg"));
        for (position, piece) in [(0, "b"), (2, "cx_x"), (2, "xd"), (4, "efx"), (6, "xh")] {
            assert!(!stream.insert(position, piece.as_bytes()), "{position} {piece}");
        }
        assert!(stream.insert(2, b"cdefgh"));
        assert_eq!(stream.data(), b"abcdefgh");
    }

    #[test]
    fn streams_have_limits() {
        let mut stream = Stream::default();
        assert!(stream.insert(0, &[0; MAX_LEN]));
        assert!(!stream.insert(MAX_LEN, &[0]));
        let mut stream = Stream::default();
        for piece in 0..MAX_PIECES {
            assert!(stream.insert(2 * piece + 1, &[0]));
        }
        assert!(!stream.insert(1_000, &[0]));
        assert!(stream.insert(0, &[0]));
        assert_eq!(stream.data().len(), 2);
    }
}
