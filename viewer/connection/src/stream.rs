//! The bytes that one side of a connection has sent, put in order.

use std::collections::BTreeMap;
use std::ops::Range;

/// Sequence numbers further away than this belong to another connection, or to a damaged packet.
const MAX_DISTANCE: i64 = 1 << 30;

/// The bytes that one side has sent.
///
/// Segments may come in any order, several times, and overlap. Of different bytes with the same sequence
/// number, those that were added first count.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    /// The bytes, in the order in which they were added.
    bytes: Vec<u8>,
    /// Parts of `bytes` by the sequence number of their first byte. They do not overlap.
    fragments: BTreeMap<i64, Fragment>,
    /// A sequence number near the latest ones. Sequence numbers have 32 bits; here, they are extended to 64.
    reference: Option<i64>,
    /// The first sequence number after the SYN.
    start: Option<i64>,
    /// The end of the highest segment, whether it was captured completely or not.
    end: Option<i64>,
    /// The highest sequence number that the other side has acknowledged.
    acknowledged: Option<i64>,
}

#[derive(Clone, Copy, Debug)]
struct Fragment {
    /// The sequence number after its last byte.
    end: i64,
    /// Index of its first byte.
    start: usize,
    /// The packet that has it.
    packet: usize,
}

/// Successive bytes of a stream, from one packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The number of bytes before it that were not captured.
    pub missing: u64,
    /// Its bytes, as a range of those of the stream.
    pub bytes: Range<usize>,
    /// The packet after which all bytes up to its end are known, or known to be missing.
    pub packet: usize,
}

impl Stream {
    /// The bytes, in the order in which they were added.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Notes that the SYN was captured. `seq` is the sequence number after it.
    pub fn begin(&mut self, seq: u32) {
        let seq = self.extend(seq);
        self.start = self.start.or(seq);
        self.end = self.end.max(seq);
    }

    /// Adds a segment of `len` bytes, of which `captured` are known.
    pub fn add(&mut self, seq: u32, len: u32, captured: &[u8], packet: usize) {
        let Some(start) = self.extend(seq) else { return };
        self.end = self.end.max(Some(start + i64::from(len)));
        self.reference = self.reference.max(self.end);
        let captured = &captured[..captured.len().min(len as usize)];
        let (mut from, end) = (start, start + i64::try_from(captured.len()).unwrap_or(0));
        while from < end {
            let before = self.fragments.range(..=from).next_back().map(|(_, before)| before.end);
            if let Some(known) = before.filter(|known| from < *known) {
                from = known;
                continue;
            }
            let next = self.fragments.range(from..).next().map_or(end, |(next, _)| *next);
            let to = next.min(end);
            let new = &captured[index(from - start)..index(to - start)];
            let fragment = Fragment { end: to, start: self.bytes.len(), packet };
            self.bytes.extend_from_slice(new);
            self.fragments.insert(from, fragment);
            from = to;
        }
    }

    /// Adds bytes that have no sequence number.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Notes that the other side has all bytes before this sequence number.
    pub fn acknowledge(&mut self, seq: u32) {
        // Without a segment, the distance to other connections is not known.
        if self.reference.is_some() {
            self.acknowledged = self.acknowledged.max(self.extend(seq));
        }
    }

    /// The bytes in order.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(self.fragments.len());
        let mut end = self.start;
        let mut latest = 0;
        for (start, fragment) in &self.fragments {
            latest = fragment.packet.max(latest);
            let missing = end.map_or(0, |end| u64::try_from(start - end).unwrap_or(0));
            let bytes = fragment.start..fragment.start + index(fragment.end - start);
            pieces.push(Piece { missing, bytes, packet: latest });
            end = Some(fragment.end);
        }
        pieces
    }

    /// The number of bytes after the last piece that were not captured: the capture contains their header,
    /// or their acknowledgment.
    pub fn missing_at_end(&self) -> u64 {
        let known = self.fragments.last_key_value().map(|(_, last)| last.end).or(self.start);
        let (Some(known), Some(end)) = (known, self.end) else { return 0 };
        let acknowledged = self.acknowledged.unwrap_or(end);
        // A FIN has a sequence number, too.
        let end = if end + 1 < acknowledged { acknowledged } else { end };
        u64::try_from(end - known).unwrap_or(0)
    }

    /// The sequence number with 64 bits that is nearest to the reference; `None` if it is too far away.
    fn extend(&mut self, seq: u32) -> Option<i64> {
        // Later numbers may be lower than the first one.
        let reference = *self.reference.get_or_insert((1 << 32) + i64::from(seq));
        let [a, b, c, d, ..] = reference.to_le_bytes();
        let low = u32::from_le_bytes([a, b, c, d]);
        let distance = i64::from(seq.wrapping_sub(low).cast_signed());
        (distance.abs() <= MAX_DISTANCE).then_some(reference + distance)
    }
}

/// A distance that is not negative and fits, because the bytes are in memory.
fn index(distance: i64) -> usize {
    usize::try_from(distance).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn content(stream: &Stream) -> Vec<u8> {
        let pieces = stream.pieces().into_iter();
        pieces.flat_map(|piece| stream.bytes()[piece.bytes].to_vec()).collect()
    }

    fn gaps(stream: &Stream) -> Vec<u64> {
        let gaps = stream.pieces().into_iter().map(|piece| piece.missing);
        gaps.chain([stream.missing_at_end()]).filter(|missing| 0 < *missing).collect()
    }

    #[test]
    fn retransmissions_count_once_and_the_first_bytes_win() {
        let mut stream = Stream::default();
        stream.begin(101);
        for (packet, (seq, bytes)) in
            [(101, "hello"), (101, "HELLO world"), (111, "d!"), (103, "LLO")]
                .into_iter()
                .enumerate()
        {
            stream.add(seq, bytes.len().try_into().unwrap(), bytes.as_bytes(), packet);
        }
        assert_eq!(content(&stream), b"hello world!");
        assert!(gaps(&stream).is_empty());
    }

    /// Bytes are in order once the packet that fills the hole before them has come.
    #[test]
    fn packets_that_fill_holes_deliver_what_follows() {
        let mut stream = Stream::default();
        stream.begin(1);
        stream.add(1, 2, b"ab", 3);
        stream.add(5, 2, b"ef", 4);
        stream.add(3, 2, b"cd", 7);
        let packets: Vec<_> = stream.pieces().iter().map(|piece| piece.packet).collect();
        assert_eq!((content(&stream), packets), (b"abcdef".to_vec(), vec![3, 7, 7]));
    }

    #[test]
    fn missing_bytes_are_counted() {
        let mut stream = Stream::default();
        stream.begin(1);
        // Before the first, cut by the snap length, and between two.
        stream.add(11, 5, b"abc", 0);
        stream.add(20, 1, b"x", 1);
        assert_eq!(gaps(&stream), [10, 6]);
        // Captured with its header only.
        stream.add(21, 100, b"", 2);
        assert_eq!(gaps(&stream), [10, 6, 100]);
        // Its FIN is not a byte of the stream.
        stream.acknowledge(122);
        assert_eq!(gaps(&stream), [10, 6, 100]);
        stream.acknowledge(200);
        assert_eq!(gaps(&stream), [10, 6, 179]);
        assert_eq!(content(&stream), b"abcx");
    }

    #[test]
    fn a_side_that_was_not_captured_is_missing() {
        let mut stream = Stream::default();
        stream.acknowledge(7);
        assert_eq!(stream.missing_at_end(), 0);
        stream.begin(1);
        stream.acknowledge(1_001);
        assert_eq!((stream.pieces(), stream.missing_at_end()), (Vec::new(), 1_000));
    }

    #[test]
    fn distant_sequence_numbers_are_ignored() {
        let mut stream = Stream::default();
        stream.add(u32::MAX, 2, b"ab", 0);
        stream.add(1 << 31, 1, b"x", 1);
        stream.add(1, 1, b"c", 2);
        stream.acknowledge(1 << 31);
        assert_eq!((content(&stream), stream.missing_at_end()), (b"abc".to_vec(), 0));
    }

    prop_compose! {
        /// A stream, and segments in any order that have all of its bytes, some of them several times.
        fn segments()(bytes in prop::collection::vec(any::<u8>(), 1..200))(
            cuts in prop::collection::vec(0..bytes.len(), 0..20),
            copies in prop::collection::vec((0..bytes.len(), 0..50usize), 0..20),
            bytes in Just(bytes),
        ) -> (Vec<u8>, Vec<Range<usize>>) {
            let mut cuts: Vec<_> = cuts.into_iter().chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let parts = cuts.windows(2).map(|pair| pair[0]..pair[1]);
            let copies = copies.into_iter().map(|(from, len)| from..(from + len).min(bytes.len()));
            let segments = parts.chain(copies).collect();
            (bytes, segments)
        }
    }

    proptest! {
        #[test]
        fn any_segments_give_the_same_stream(
            (bytes, segments) in segments().prop_flat_map(|(bytes, segments)| {
                (Just(bytes), Just(segments).prop_shuffle())
            }),
            isn: u32, has_syn: bool,
        ) {
            let mut stream = Stream::default();
            if has_syn {
                stream.begin(isn.wrapping_add(1));
            }
            for (packet, range) in segments.into_iter().enumerate() {
                let seq = isn.wrapping_add(1).wrapping_add(u32::try_from(range.start).unwrap());
                let segment = &bytes[range];
                stream.add(seq, u32::try_from(segment.len()).unwrap(), segment, packet);
            }
            prop_assert_eq!(content(&stream), bytes);
            prop_assert!(gaps(&stream).is_empty());
            // Nothing is stored twice.
            prop_assert_eq!(stream.bytes().len(), content(&stream).len());
        }

        /// Whatever is captured: captured and missing bytes together are the stream.
        #[test]
        fn gaps_have_the_missing_bytes(
            (bytes, segments) in segments(), kept in prop::collection::vec(any::<bool>(), 40),
        ) {
            let mut stream = Stream::default();
            stream.begin(1);
            for (packet, (range, is_kept)) in segments.into_iter().zip(kept).enumerate() {
                if is_kept {
                    let seq = u32::try_from(range.start).unwrap() + 1;
                    let segment = &bytes[range];
                    stream.add(seq, u32::try_from(segment.len()).unwrap(), segment, packet);
                }
            }
            stream.acknowledge(u32::try_from(bytes.len()).unwrap() + 1);
            let total = content(&stream).len() as u64 + gaps(&stream).iter().sum::<u64>();
            // A single byte that was acknowledged may be a FIN.
            let expected = bytes.len() as u64;
            prop_assert!(total == expected || total + 1 == expected, "{} of {}", total, expected);
        }
    }
}
