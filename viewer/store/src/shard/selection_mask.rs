//! Which rows of a part are selected.

use crate::columns::{BLOCK_LEN, BlockMask};
use viewer_model::selection::{DIMENSION_COUNT, Dimension, DimensionSet};

/// One bit per row and dimension.
#[derive(Debug, Default)]
pub(super) struct SelectionMask {
    row_count: usize,
    /// Block masks of each dimension. A dimension that selects all rows has none.
    dimensions: [Vec<BlockMask>; DIMENSION_COUNT],
}

/// A snapshot of the selected rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectedRows(Vec<BlockMask>);

impl SelectedRows {
    /// The number of packets.
    pub fn count(&self) -> usize {
        self.0.iter().map(BlockMask::count).sum()
    }

    /// Whether a row is selected.
    pub fn contains(&self, row: usize) -> bool {
        self.0.get(row / BLOCK_LEN).is_some_and(|mask| mask.contains(row % BLOCK_LEN))
    }
}

impl SelectionMask {
    /// Selects all of `row_count` rows.
    pub(super) fn new(row_count: usize) -> Self {
        Self { row_count, dimensions: Default::default() }
    }

    pub(super) fn row_count(&self) -> usize {
        self.row_count
    }

    /// Adds rows up to this number. In dimensions that do not select all rows, they are not selected.
    pub(super) fn grow(&mut self, row_count: usize) {
        self.row_count = row_count;
        for masks in self.dimensions.iter_mut().filter(|masks| !masks.is_empty()) {
            masks.resize(row_count.div_ceil(BLOCK_LEN), BlockMask::NONE);
        }
    }

    fn block_len(&self, block: usize) -> usize {
        self.row_count.saturating_sub(block * BLOCK_LEN).min(BLOCK_LEN)
    }

    /// The rows of a block that are selected in all of the dimensions.
    pub(super) fn selected(&self, block: usize, dimensions: DimensionSet) -> BlockMask {
        self.selected_with(&[], block, dimensions)
    }

    /// Same as [`SelectionMask::selected`], with the masks of some dimensions replaced.
    pub(super) fn selected_with(
        &self,
        replacements: &[(Dimension, BlockMask)],
        block: usize,
        dimensions: DimensionSet,
    ) -> BlockMask {
        let mut selected = BlockMask::first(self.block_len(block));
        for dimension in dimensions.iter() {
            let replacement = replacements.iter().find(|(other, _)| *other == dimension);
            let own = self.dimensions[dimension as usize].get(block);
            if let Some(mask) = replacement.map(|(_, mask)| mask).or(own) {
                selected = selected.and(mask);
            }
        }
        selected
    }

    /// Whether a row is selected in all of the dimensions.
    pub(super) fn contains(&self, row: usize, dimensions: DimensionSet) -> bool {
        let (block, row) = (row / BLOCK_LEN, row % BLOCK_LEN);
        dimensions.iter().all(|dimension| {
            let own = self.dimensions[dimension as usize].get(block);
            own.is_none_or(|mask| mask.contains(row))
        })
    }

    /// Whether each of the dimensions selects all rows.
    pub(super) fn is_all(&self, dimensions: DimensionSet) -> bool {
        dimensions.iter().all(|dimension| self.dimensions[dimension as usize].is_empty())
    }

    /// All rows that are selected in all of the dimensions.
    pub(super) fn all(&self, dimensions: DimensionSet) -> SelectedRows {
        let blocks = 0..self.row_count.div_ceil(BLOCK_LEN);
        SelectedRows(blocks.map(|block| self.selected(block, dimensions)).collect())
    }

    /// The rows of a block that are selected in a dimension.
    pub(super) fn of(&self, block: usize, dimension: Dimension) -> BlockMask {
        let mask = self.dimensions[dimension as usize].get(block);
        mask.copied().unwrap_or_else(|| BlockMask::first(self.block_len(block)))
    }

    /// Replaces the mask of a block in a dimension.
    pub(super) fn set(&mut self, block: usize, dimension: Dimension, mask: BlockMask) {
        if self.dimensions[dimension as usize].is_empty() {
            let blocks = 0..self.row_count.div_ceil(BLOCK_LEN);
            let all = blocks.map(|block| self.of(block, dimension)).collect();
            self.dimensions[dimension as usize] = all;
        }
        if let Some(own) = self.dimensions[dimension as usize].get_mut(block) {
            *own = mask;
        }
    }

    /// Selects all rows in a dimension.
    pub(super) fn clear(&mut self, dimension: Dimension) {
        self.dimensions[dimension as usize] = Vec::new();
    }
}
