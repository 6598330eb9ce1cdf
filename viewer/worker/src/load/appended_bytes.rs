//! The bytes of a part that grows. They are kept in memory, because nothing else has them.

use std::ops::Range;
use std::rc::Rc;

/// The number of bytes that are collected in a chunk. Pieces of at least half of it are chunks of their own.
const CHUNK_LEN: usize = 1 << 20;

/// Bytes to which others are appended. They are in chunks: one large buffer would be copied as it grows.
#[derive(Debug, Default)]
pub(super) struct AppendedBytes {
    chunks: Vec<Chunk>,
}

#[derive(Debug)]
struct Chunk {
    /// Offset of the first byte.
    start: u64,
    /// Snapshots share those of all chunks but the last one, which grows.
    bytes: Rc<Vec<u8>>,
}

/// The chunks of appended bytes that were there at some time. The memory of each is freed with its last user.
pub type Chunks = std::vec::IntoIter<Rc<Vec<u8>>>;

impl AppendedBytes {
    /// The number of bytes.
    pub(super) fn len(&self) -> u64 {
        self.chunks.last().map_or(0, |chunk| chunk.start + chunk.bytes.len() as u64)
    }

    /// Appends bytes and returns them. Many bytes are not copied.
    pub(super) fn push(&mut self, bytes: Vec<u8>) -> &[u8] {
        let has_space = |chunk: &Chunk| bytes.len() <= chunk.bytes.capacity() - chunk.bytes.len();
        if !self.chunks.last().is_some_and(has_space) {
            if let Some(last) = self.chunks.last_mut() {
                Rc::make_mut(&mut last.bytes).shrink_to_fit();
            }
            let start = self.len();
            if CHUNK_LEN / 2 <= bytes.len() {
                self.chunks.push(Chunk { start, bytes: Rc::new(bytes) });
                return self.chunks.last().map_or(&[], |chunk| &chunk.bytes);
            }
            let bytes = Rc::new(Vec::with_capacity(CHUNK_LEN));
            self.chunks.push(Chunk { start, bytes });
        }
        let Some(chunk) = self.chunks.last_mut() else { return &[] };
        let start = chunk.bytes.len();
        Rc::make_mut(&mut chunk.bytes).extend_from_slice(&bytes);
        &chunk.bytes[start..]
    }

    /// The first `len` bytes, as far as they exist. They stay the same when others are appended, and exist when
    /// these are dropped. Only the last chunk is copied.
    pub(super) fn snapshot(&self, len: u64) -> Chunks {
        let len = len.min(self.len());
        let is_shared = |(index, chunk): &(usize, &Chunk)| {
            chunk.start + chunk.bytes.len() as u64 <= len && index + 1 < self.chunks.len()
        };
        let shared = self.chunks.iter().enumerate().take_while(is_shared);
        let mut chunks: Vec<_> = shared.map(|(_, chunk)| chunk.bytes.clone()).collect();
        let mut rest = Vec::new();
        if let Some(chunk) = self.chunks.get(chunks.len()) {
            self.copy(chunk.start..len, &mut rest);
        }
        chunks.extend((!rest.is_empty()).then(|| Rc::new(rest)));
        chunks.into_iter()
    }

    /// Replaces `bytes` by those in a range, as far as they exist.
    pub(super) fn copy(&self, range: Range<u64>, bytes: &mut Vec<u8>) {
        bytes.clear();
        let first = self.chunks.partition_point(|chunk| chunk.start <= range.start).max(1) - 1;
        for chunk in self.chunks.iter().skip(first) {
            let index = |offset: u64| {
                let index = usize::try_from(offset.saturating_sub(chunk.start));
                index.unwrap_or(usize::MAX).min(chunk.bytes.len())
            };
            let (start, end) = (index(range.start), index(range.end));
            if end == 0 {
                break;
            }
            bytes.extend_from_slice(&chunk.bytes[start..end.max(start)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_across_chunks() {
        let all: Vec<u8> = (0..=250).cycle().take(4 * CHUNK_LEN + 7).collect();
        let mut appended = AppendedBytes::default();
        let mut start = 0;
        // Collected in a chunk, chunks of their own, and pieces that do not fit into the last chunk.
        for len in [
            1,
            0,
            3,
            CHUNK_LEN,
            CHUNK_LEN / 2,
            5,
            CHUNK_LEN / 2 - 1,
            CHUNK_LEN / 2 - 1,
            CHUNK_LEN + 1,
            0,
        ] {
            let bytes = &all[start..start + len];
            assert!(appended.push(bytes.to_vec()) == bytes, "{start}, {len}");
            start += len;
        }
        let all = &all[..start];
        assert_eq!(appended.len(), start as u64);
        assert_eq!(appended.chunks.len(), 6);
        let mut bytes = b"before".to_vec();
        let mut edges: Vec<_> = appended.chunks.iter().map(|chunk| chunk.start).collect();
        edges.push(appended.len());
        let near = edges.iter().flat_map(|edge| [edge.saturating_sub(1), *edge, edge + 1]);
        let near: Vec<_> = near.chain([u64::MAX]).collect();
        for start in &near {
            for end in &near {
                appended.copy(*start..*end, &mut bytes);
                let [start, end] =
                    [start, end].map(|edge| usize::try_from(*edge).unwrap().min(all.len()));
                assert!(bytes == all[start..end.max(start)], "{start}..{end}");
            }
        }
    }

    #[test]
    fn snapshots_share_all_chunks_but_the_last_one() {
        let mut appended = AppendedBytes::default();
        for index in 0..5 {
            appended.push(vec![index; CHUNK_LEN / 2]);
        }
        let all: Vec<_> = (0..5).flat_map(|index| vec![index; CHUNK_LEN / 2]).collect();
        let len = all.len();
        let first = appended.chunks[0].bytes.len();
        let ends = [0, 5, first, first + 1, len - 1, len, len + 1];
        let snapshots = ends.map(|end| (end, appended.snapshot(end as u64)));
        assert_eq!(Rc::strong_count(&appended.chunks[0].bytes), 6);
        assert_eq!(Rc::strong_count(&appended.chunks.last().unwrap().bytes), 1);
        // Snapshots do not change.
        appended.push(vec![9; 5]);
        drop(appended);
        for (end, chunks) in snapshots {
            let bytes: Vec<_> = chunks.flat_map(|chunk| (*chunk).clone()).collect();
            assert!(bytes == all[..end.min(len)], "{end}");
        }
    }
}
