//! The units that an output consists of. A file that cannot take all bytes ends after a whole unit.

/// The units of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Lines, which end with a line feed.
    #[default]
    Lines,
    /// Blocks of pcapng.
    Blocks,
}

/// Types of the blocks that contain packets (draft-ietf-opsawg-pcapng, section 4.3), in both byte
/// orders.
const PACKET_BLOCKS: [[u8; 4]; 2] = [[6, 0, 0, 0], [0, 0, 0, 6]];

/// Shortest block: its type, and its length at both ends.
const MIN_BLOCK_LEN: usize = 12;

impl Framing {
    /// Length of the whole units in the first `len` bytes of `bytes`, which consist of whole units.
    pub(super) fn whole_len(self, bytes: &[u8], len: usize) -> usize {
        match self {
            Self::Lines => {
                let last = bytes[..len].iter().rposition(|&byte| byte == b'\n');
                last.map_or(0, |index| index + 1)
            }
            Self::Blocks => {
                let ends = blocks(bytes).scan(0, |end, block| {
                    *end += block.len();
                    Some(*end)
                });
                ends.take_while(|&end| end <= len).last().unwrap_or(0)
            }
        }
    }

    /// Number of lines or packets in whole units.
    pub(super) fn count(self, bytes: &[u8]) -> u64 {
        match self {
            Self::Lines => bytes.iter().filter(|&&byte| byte == b'\n').count() as u64,
            Self::Blocks => {
                let is_packet =
                    |block: &&[u8]| PACKET_BLOCKS.iter().any(|id| block.starts_with(id));
                blocks(bytes).filter(is_packet).count() as u64
            }
        }
    }
}

/// The blocks in `bytes`, which consist of whole blocks of either byte order.
fn blocks(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let len = block_len(rest)?;
        let (block, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(block)
    })
}

/// Length of the block at the start of `bytes`. It is repeated at its end, which shows its byte order.
fn block_len(bytes: &[u8]) -> Option<usize> {
    let field = *bytes.get(4..)?.first_chunk()?;
    let lens = [u32::from_le_bytes(field), u32::from_be_bytes(field)].map(|len| len as usize);
    lens.into_iter().find(|&len| {
        MIN_BLOCK_LEN <= len && bytes.get(len - 4..len).is_some_and(|trailer| trailer == field)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block of a type with some content, in one of the byte orders.
    fn block(kind: u32, content: &[u8], is_big_endian: bool) -> Vec<u8> {
        let u32 = |value: u32| {
            if is_big_endian { value.to_be_bytes() } else { value.to_le_bytes() }
        };
        let len = u32(u32::try_from(content.len()).unwrap() + 12);
        [&u32(kind), &len, content, &len].concat()
    }

    #[test]
    fn outputs_are_cut_after_whole_units() {
        let lines = b"one\ntwo\n";
        for (len, whole) in [(0, 0), (3, 0), (4, 4), (7, 4), (8, 8)] {
            assert_eq!(Framing::Lines.whole_len(lines, len), whole, "{len}");
        }
        assert_eq!(Framing::Lines.count(lines), 2);
        for is_big_endian in [false, true] {
            let blocks = [(0x0a0d_0d0a, 16), (6, 24), (6, 0), (5, 8)]
                .map(|(kind, len)| block(kind, &vec![0; len], is_big_endian));
            let bytes = blocks.concat();
            assert_eq!(Framing::Blocks.count(&bytes), 2);
            for (len, whole) in [(0, 0), (27, 0), (28, 28), (63, 28), (64, 64), (75, 64), (76, 76)]
            {
                assert_eq!(Framing::Blocks.whole_len(&bytes, len), whole, "{len}");
            }
            assert_eq!(Framing::Blocks.whole_len(&bytes, bytes.len()), bytes.len());
        }
    }
}
