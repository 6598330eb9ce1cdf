//! Sequence numbers that were skipped.

use super::distance;

/// Holes that a side remembers; of more, the oldest is forgotten.
const MAX_HOLES: usize = 16;

/// Ranges of sequence numbers that later segments skipped, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Holes(Vec<Hole>);

/// One range, and what the segment after it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hole {
    start: u32,
    end: u32,
    /// Time of the segment after it.
    pub(super) ns: i64,
    /// TSval of that segment.
    pub(super) ts_val: Option<u32>,
    /// Whether the receiver has the bytes, although the capture does not.
    is_acked: bool,
}

impl Holes {
    /// The segment at `end` skips the numbers from `start` on.
    pub(super) fn push(&mut self, start: u32, end: u32, ns: i64, ts_val: Option<u32>) {
        self.insert(self.0.len(), Hole { start, end, ns, ts_val, is_acked: false });
    }

    fn insert(&mut self, index: usize, hole: Hole) {
        self.0.insert(index, hole);
        if MAX_HOLES < self.0.len() {
            self.0.remove(0);
        }
    }

    /// Removes the numbers of a segment. Returns the first hole that had some of them.
    pub(super) fn fill(&mut self, start: u32, end: u32) -> Option<Hole> {
        let overlaps = |hole: &Hole| 0 < distance(hole.start, end) && 0 < distance(start, hole.end);
        let first = self.0.iter().position(overlaps)?;
        let filled = self.0[first];
        let mut index = first;
        while let Some(hole) = self.0.get_mut(index).filter(|hole| overlaps(hole)) {
            let has_before = 0 < distance(hole.start, start);
            let has_after = 0 < distance(end, hole.end);
            match (has_before, has_after) {
                (false, false) => _ = self.0.remove(index),
                (false, true) => {
                    hole.start = end;
                    break;
                }
                (true, false) => {
                    hole.end = start;
                    index += 1;
                }
                (true, true) => {
                    let rest = Hole { start: end, ..*hole };
                    hole.end = start;
                    self.insert(index + 1, rest);
                    break;
                }
            }
        }
        Some(filled)
    }

    /// The receiver acknowledges all numbers before `ack`; the highest one that was sent is before `next`.
    /// Returns how many bytes it has that were not captured. They may still come: the capture can have a
    /// segment after its acknowledgment.
    pub(super) fn acknowledge(&mut self, next: u32, ack: u32, ns: i64) -> u32 {
        let mut bytes = 0u32;
        let mut index = 0;
        while let Some(hole) = self.0.get_mut(index).filter(|hole| 0 < distance(hole.start, ack)) {
            index += 1;
            if hole.is_acked {
                continue;
            }
            let rest = Hole { start: ack, ..*hole };
            hole.is_acked = true;
            if 0 < distance(ack, hole.end) {
                hole.end = ack;
                bytes = bytes.saturating_add(hole.end.wrapping_sub(hole.start));
                self.insert(index, rest);
                break;
            }
            bytes = bytes.saturating_add(hole.end.wrapping_sub(hole.start));
        }
        if 0 < distance(next, ack) {
            bytes = bytes.saturating_add(ack.wrapping_sub(next));
            self.push(next, ack, ns, None);
            self.0.iter_mut().last().into_iter().for_each(|hole| hole.is_acked = true);
        }
        bytes
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(holes: &Holes) -> Vec<(u32, u32)> {
        holes.0.iter().map(|hole| (hole.start, hole.end)).collect()
    }

    #[test]
    fn segments_split_and_shrink_holes() {
        let mut holes = Holes::default();
        holes.push(10, 20, 1, None);
        holes.push(30, 40, 2, None);
        assert_eq!(holes.fill(20, 30), None);
        assert_eq!(holes.fill(14, 16).map(|hole| hole.ns), Some(1));
        assert_eq!(ranges(&holes), [(10, 14), (16, 20), (30, 40)]);
        assert_eq!(holes.fill(18, 35).map(|hole| hole.ns), Some(1));
        assert_eq!(ranges(&holes), [(10, 14), (16, 18), (35, 40)]);
        assert_eq!(holes.acknowledge(45, 17, 3), 5);
        assert_eq!(ranges(&holes), [(10, 14), (16, 17), (17, 18), (35, 40)]);
        assert_eq!(holes.acknowledge(45, 50, 3), 11);
        assert_eq!(holes.acknowledge(50, 50, 3), 0);
        assert!(holes.fill(46, 47).is_some());
    }

    #[test]
    fn holes_wrap_and_are_limited() {
        let mut holes = Holes::default();
        holes.push(u32::MAX - 1, 3, 1, None);
        assert!(holes.fill(0, 1).is_some());
        assert_eq!(ranges(&holes), [(u32::MAX - 1, 0), (1, 3)]);
        for number in 0..100 {
            holes.push(number * 10, number * 10 + 5, 0, None);
        }
        assert_eq!(holes.0.len(), MAX_HOLES);
    }
}
