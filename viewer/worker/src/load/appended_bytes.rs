//! The bytes of a part that grows. They are kept in memory, because nothing else has them.

use std::ops::Range;

/// Bytes of a chunk.
const CHUNK_LEN: usize = 1 << 20;

/// Bytes to which others are appended. They are in chunks: one large buffer would be copied as it grows.
#[derive(Debug, Default)]
pub(super) struct AppendedBytes {
    /// All but the last one have [`CHUNK_LEN`] bytes.
    chunks: Vec<Vec<u8>>,
}

impl AppendedBytes {
    /// The number of bytes.
    pub(super) fn len(&self) -> u64 {
        let full = self.chunks.len().saturating_sub(1) * CHUNK_LEN;
        (full + self.chunks.last().map_or(0, Vec::len)) as u64
    }

    /// Appends zeros, at most this many, and returns them.
    pub(super) fn extend(&mut self, max_len: usize) -> &mut [u8] {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK_LEN) {
            self.chunks.push(Vec::with_capacity(CHUNK_LEN));
        }
        let Some(chunk) = self.chunks.last_mut() else { return &mut [] };
        let start = chunk.len();
        chunk.resize(CHUNK_LEN.min(start.saturating_add(max_len)), 0);
        &mut chunk[start..]
    }

    /// Replaces `bytes` by those in a range, as far as they exist.
    pub(super) fn copy(&self, range: Range<u64>, bytes: &mut Vec<u8>) {
        bytes.clear();
        let position = |offset: u64| usize::try_from(offset.min(self.len())).unwrap_or(usize::MAX);
        let (mut start, end) = (position(range.start), position(range.end));
        while start < end {
            let (index, offset) = (start / CHUNK_LEN, start % CHUNK_LEN);
            let chunk = &self.chunks[index][offset..];
            let len = chunk.len().min(end - start);
            bytes.extend_from_slice(&chunk[..len]);
            start += len;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_across_chunks() {
        let all: Vec<u8> = (0..=250).cycle().take(2 * CHUNK_LEN + 7).collect();
        let mut appended = AppendedBytes::default();
        let mut start = 0;
        for len in [1, 0, 3, CHUNK_LEN - 4, 5, CHUNK_LEN, 2] {
            let mut rest = len;
            while 0 < rest {
                let piece = appended.extend(rest);
                piece.copy_from_slice(&all[start..start + piece.len()]);
                (start, rest) = (start + piece.len(), rest - piece.len());
            }
        }
        assert_eq!((start, appended.len()), (all.len(), all.len() as u64));
        let mut bytes = b"before".to_vec();
        for (start, end) in [
            (0, all.len()),
            (0, 0),
            (5, 9),
            (CHUNK_LEN - 2, CHUNK_LEN + 2),
            (CHUNK_LEN, 2 * CHUNK_LEN),
            (all.len() - 1, all.len()),
        ] {
            appended.copy(start as u64..end as u64, &mut bytes);
            assert!(bytes == all[start..end], "{start}..{end}");
        }
        let len = appended.len();
        for range in [len..len + 5, len + 1..len + 2] {
            appended.copy(range, &mut bytes);
            assert_eq!(bytes, b"");
        }
        appended.copy(len - 1..u64::MAX, &mut bytes);
        assert_eq!(bytes, all[all.len() - 1..]);
    }
}
