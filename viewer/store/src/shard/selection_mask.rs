//! Which rows are selected.

use crate::columns::{BLOCK_LEN, BlockMask};
use viewer_model::selection::{DIMENSION_COUNT, Dimension, DimensionSet};

/// The rows that are selected in each dimension, a bit a row where anything is.
#[derive(Debug, Default)]
pub(super) struct SelectionMask {
    row_count: usize,
    /// By blocks; none in a dimension that selects all.
    dimensions: [Vec<BlockMask>; DIMENSION_COUNT],
}

/// The rows that were selected when somebody asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedRows(Vec<BlockMask>);

impl SelectedRows {
    /// True where it is one of them.
    pub fn contains(&self, row: usize) -> bool {
        self.0.get(row / BLOCK_LEN).is_some_and(|bits| bits.has(row % BLOCK_LEN))
    }
}

impl SelectionMask {
    /// Of so many rows, all selected.
    pub(super) fn new(row_count: usize) -> Self {
        Self { row_count, dimensions: Default::default() }
    }

    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    fn block_len(&self, block: usize) -> usize {
        self.row_count.saturating_sub(block * BLOCK_LEN).min(BLOCK_LEN)
    }

    /// The rows of a block that are selected in all dimensions that count.
    pub(super) fn selected(&self, block: usize, dimensions: DimensionSet) -> BlockMask {
        self.selected_with(&[], block, dimensions)
    }

    /// As [`SelectionMask::selected`], with others in some dimensions.
    pub(super) fn selected_with(
        &self,
        others: &[(Dimension, BlockMask)],
        block: usize,
        dimensions: DimensionSet,
    ) -> BlockMask {
        let mut bits = BlockMask::first(self.block_len(block));
        for dimension in dimensions.iter() {
            let other = others.iter().find(|(known, _)| *known == dimension);
            let marks = self.dimensions[dimension as usize].get(block);
            if let Some(marks) = other.map(|(_, bits)| bits).or(marks) {
                bits = bits.and(marks);
            }
        }
        bits
    }

    /// Everything is selected, and nobody need look.
    pub(super) fn is_all(&self, dimensions: DimensionSet) -> bool {
        dimensions.iter().all(|dimension| self.dimensions[dimension as usize].is_empty())
    }

    /// All rows that are selected in the dimensions that count.
    pub(super) fn all(&self, dimensions: DimensionSet) -> SelectedRows {
        let blocks = 0..self.row_count.div_ceil(BLOCK_LEN);
        SelectedRows(blocks.map(|block| self.selected(block, dimensions)).collect())
    }

    /// The rows of a block that are selected in a dimension.
    pub(super) fn of(&self, block: usize, dimension: Dimension) -> BlockMask {
        let marks = self.dimensions[dimension as usize].get(block);
        marks.copied().unwrap_or_else(|| BlockMask::first(self.block_len(block)))
    }

    /// SelectionMask the rows of a block.
    pub(super) fn mark(&mut self, block: usize, dimension: Dimension, selected: BlockMask) {
        if self.dimensions[dimension as usize].is_empty() {
            let blocks = 0..self.row_count.div_ceil(BLOCK_LEN);
            let all = blocks.map(|block| self.of(block, dimension)).collect();
            self.dimensions[dimension as usize] = all;
        }
        if let Some(marks) = self.dimensions[dimension as usize].get_mut(block) {
            *marks = selected;
        }
    }

    /// Selects all in a dimension.
    pub(super) fn clear(&mut self, dimension: Dimension) {
        self.dimensions[dimension as usize] = Vec::new();
    }
}
