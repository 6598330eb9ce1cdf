//! The bytes of a packet in rows of 16, divided where fields begin and end.

use crate::content::Content;
use std::fmt::Write;
use std::ops::Range;

/// Bytes per row.
pub const ROW_LEN: usize = 16;

/// Consecutive bytes of one row that belong to the same fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The bytes, counted from the start of the frame.
    pub bytes: Range<usize>,
    /// In hexadecimal, separated by spaces.
    pub hex: String,
    /// As ASCII, with dots for other bytes.
    pub ascii: String,
}

/// Up to 16 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Offset of the first byte.
    pub offset: usize,
    /// The bytes of the row.
    pub segments: Vec<Segment>,
}

/// The first bytes of a packet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grid {
    /// The rows.
    pub rows: Vec<Row>,
}

impl Grid {
    /// Lays out the first `max_len` bytes.
    pub fn new(content: &Content, max_len: usize) -> Self {
        let len = content.bytes.len().min(max_len);
        let mut bounds: Vec<_> = (0..len).step_by(ROW_LEN).chain([len]).collect();
        bounds.extend(content.nodes.iter().flat_map(|node| [node.bytes.start, node.bytes.end]));
        bounds.retain(|bound| *bound <= len);
        bounds.sort_unstable();
        bounds.dedup();
        let mut rows: Vec<Row> = Vec::new();
        for bound in bounds.windows(2) {
            let range = bound[0]..bound[1];
            if range.start.is_multiple_of(ROW_LEN) {
                rows.push(Row { offset: range.start, segments: Vec::new() });
            }
            if let Some(row) = rows.last_mut() {
                row.segments.push(Segment::new(&content.bytes, range));
            }
        }
        Self { rows }
    }
}

impl Segment {
    fn new(frame: &[u8], bytes: Range<usize>) -> Self {
        let (mut hex, mut ascii) = (String::new(), String::new());
        for byte in &frame[bytes.clone()] {
            if !hex.is_empty() {
                hex.push(' ');
            }
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02x}");
            ascii.push(if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' });
        }
        Self { bytes, hex, ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::Grid;
    use crate::content::Content;

    #[test]
    fn rows_are_divided_at_fields() {
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 6];
        frame.extend(b"abcdef");
        let content = Content::of_frame(1, 20, frame);
        let grid = Grid::new(&content, 100);
        let texts: Vec<_> = grid
            .rows
            .iter()
            .map(|row| {
                let segments = row.segments.iter();
                segments
                    .map(|segment| format!("{}|{}", segment.hex, segment.ascii))
                    .collect::<Vec<_>>()
            })
            .collect();
        assert_eq!(
            texts[0][..3],
            ["02 00 00 00 00 02|......", "02 00 00 00 00 01|......", "08 06|.."]
        );
        assert_eq!((grid.rows.len(), grid.rows[1].offset), (2, 16));
        let short = Grid::new(&content, 13);
        assert_eq!(short.rows[0].segments.last().unwrap().hex, "08");
    }

    #[test]
    fn every_byte_is_shown_once() {
        let content = Content::of_frame(1, 100, (0..100).collect());
        let grid = Grid::new(&content, usize::MAX);
        let segments = grid.rows.iter().flat_map(|row| &row.segments);
        let bytes: Vec<_> = segments.flat_map(|segment| segment.bytes.clone()).collect();
        assert_eq!(bytes, (0..100).collect::<Vec<_>>());
        assert_eq!(Grid::new(&Content::default(), 10).rows, []);
    }
}
