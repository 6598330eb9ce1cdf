//! Which part of a transcript is shown: a browser cannot show megabytes of text at once.

use crate::text::ROW_LEN;
use crate::transcript::{Block, Content};
use std::ops::Range;

/// Maximum number of bytes that are added at once.
const MAX_BYTES: usize = 256 << 10;
/// Maximum number of blocks that are added at once.
const MAX_BLOCKS: usize = 500;

/// A position in a transcript: everything before it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    block: usize,
    /// Number of bytes of the block that are shown.
    offset: usize,
}

/// Bytes of a block that are added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// Index of the block.
    pub block: usize,
    /// A range of the bytes of the block; empty if they are missing.
    pub bytes: Range<usize>,
}

impl Page {
    /// What follows, and the position after it.
    pub fn next(
        mut self,
        blocks: &[Block],
        is_shown: impl Fn(&Block) -> bool,
    ) -> (Vec<Slice>, Self) {
        let (mut slices, mut left) = (Vec::new(), MAX_BYTES);
        while let Some(block) = blocks.get(self.block)
            && 0 < left
            && slices.len() < MAX_BLOCKS
        {
            if !is_shown(block) {
                (self.block, self.offset) = (self.block + 1, 0);
                continue;
            }
            let len = match &block.content {
                Content::Bytes(range) => range.len(),
                Content::Missing(_) => 0,
            };
            // Blocks are cut between rows of hexadecimal digits.
            let end = match self.offset.saturating_add(left) {
                end if end < len => end - end % ROW_LEN,
                _ => len,
            };
            let bytes = self.offset..end.max(self.offset);
            left = if end < len { 0 } else { left - bytes.len() };
            if !bytes.is_empty() || len == 0 {
                slices.push(Slice { block: self.block, bytes });
            }
            (self.block, self.offset) =
                if end < len { (self.block, end) } else { (self.block + 1, 0) };
        }
        (slices, self)
    }

    /// Whether something follows.
    pub fn has_more(self, blocks: &[Block], is_shown: impl Fn(&Block) -> bool) -> bool {
        blocks.get(self.block..).is_some_and(|rest| rest.iter().any(is_shown))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Side;

    fn block(side: Side, content: Content) -> Block {
        Block { side, packet: Some(0), content }
    }

    /// The parts together are all blocks of the side.
    #[test]
    fn long_blocks_are_shown_in_parts() {
        let blocks = [
            block(Side::Client, Content::Bytes(0..5)),
            block(Side::Server, Content::Bytes(0..600_000)),
            block(Side::Server, Content::Missing(7)),
            block(Side::Client, Content::Bytes(5..6)),
        ];
        let (mut page, mut slices) = (Page::default(), Vec::new());
        let mut steps = 0;
        while page.has_more(&blocks, |_| true) && steps < 9 {
            let (next, after) = page.next(&blocks, |_| true);
            slices.extend(next);
            page = after;
            steps += 1;
        }
        assert_eq!(steps, 3);
        let ranges: Vec<_> =
            slices.iter().map(|slice| (slice.block, slice.bytes.clone())).collect();
        let cuts = [262_144 - 16, 2 * 262_144 - 16];
        assert_eq!(
            ranges,
            [
                (0, 0..5),
                (1, 0..cuts[0]),
                (1, cuts[0]..cuts[1]),
                (1, cuts[1]..600_000),
                (2, 0..0),
                (3, 0..1),
            ]
        );
        let is_client = |block: &Block| block.side == Side::Client;
        let (slices, page) = Page::default().next(&blocks, is_client);
        assert_eq!(slices.iter().map(|slice| slice.block).collect::<Vec<_>>(), [0, 3]);
        assert!(!page.has_more(&blocks, is_client));
    }

    #[test]
    fn many_blocks_are_shown_in_parts() {
        let blocks: Vec<_> =
            (0..1_200).map(|at| block(Side::Client, Content::Bytes(at..at + 1))).collect();
        let (slices, page) = Page::default().next(&blocks, |_| true);
        assert_eq!(slices.len(), MAX_BLOCKS);
        assert!(page.has_more(&blocks, |_| true));
    }
}
