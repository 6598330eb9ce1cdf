//! A column of a field that is read from the file when a filter needs it.

use super::packed_column::PackedColumn;
use super::{BLOCK_LEN, Columns};
use crate::findings::Findings;
use crate::intern::Interner;
use std::ops::Range;
use viewer_model::axis::MISSING;
use viewer_model::filter::ExtraField;

/// Number of columns that are kept. Those that the last filter refers to are kept in any case.
const MAX_COLUMNS: usize = 4;

/// Separates the texts of a list: a noncharacter of Unicode, which texts do not contain.
const SEPARATOR: char = '\u{ffff}';

/// The values of one field. A packet that has the field takes 2 to 8 bytes, and so does each other
/// packet in its block; blocks without the field take none.
#[derive(Debug, Default)]
pub struct ExtraColumn {
    /// Each value is stored as one more than the number or the id of the text, 0 if it is missing.
    blocks: Vec<Option<PackedColumn>>,
    texts: Interner<String>,
}

impl ExtraColumn {
    /// Sets the value of a row to a number. Rows must be set in ascending order; others have no value.
    pub fn set_number(&mut self, row: usize, number: u32) {
        let index = row / BLOCK_LEN;
        if self.blocks.len() <= index {
            self.blocks.resize_with(index + 1, || None);
        }
        let block = self.blocks[index].get_or_insert_with(PackedColumn::short);
        block.set(row % BLOCK_LEN, i64::from(number) + 1);
    }

    /// Sets the value of a row to a text; otherwise like [`ExtraColumn::set_number`].
    pub fn set_text(&mut self, row: usize, text: &str) {
        let id = self.texts.id_of(text);
        self.set_number(row, id);
    }

    /// Sets the value of a row to a list of texts; otherwise like [`ExtraColumn::set_number`].
    pub fn set_list(&mut self, row: usize, texts: &[impl AsRef<str>]) {
        let mut list = String::new();
        for (index, text) in texts.iter().enumerate() {
            list.extend((0 < index).then_some(SEPARATOR));
            list.push_str(text.as_ref());
        }
        self.set_text(row, &list);
    }

    /// Adds the values of later rows, given as a column of the same field.
    fn append(&mut self, later: &Self) {
        for (index, _) in later.blocks.iter().enumerate().filter(|(_, block)| block.is_some()) {
            for row in index * BLOCK_LEN..(index + 1) * BLOCK_LEN {
                match (later.text(row), u32::try_from(later.value(row))) {
                    (Some(text), _) => self.set_text(row, text),
                    (None, Ok(number)) => self.set_number(row, number),
                    (None, Err(_)) => {}
                }
            }
        }
    }

    /// The texts of a list, or a text that is not in a list.
    pub(crate) fn list(text: &str) -> impl Iterator<Item = &str> {
        text.split(SEPARATOR)
    }

    /// The distinct texts, by id.
    pub(crate) fn texts(&self) -> &[String] {
        self.texts.items()
    }

    /// The text of a row; `None` if it has no value.
    pub(crate) fn text(&self, row: usize) -> Option<&str> {
        let id = usize::try_from(self.value(row)).ok()?;
        self.texts().get(id).map(String::as_str)
    }

    /// The number or text id of a row, [`MISSING`] if there is none.
    fn value(&self, row: usize) -> i64 {
        let block = self.blocks.get(row / BLOCK_LEN).and_then(Option::as_ref);
        match block.map_or(0, |block| block.get(row % BLOCK_LEN)) {
            0 => MISSING,
            value => value - 1,
        }
    }
}

impl Columns {
    /// Whether the values of a field are known for all packets.
    pub fn has_extra(&self, field: ExtraField) -> bool {
        self.extra_index(field).is_some() || field.finding().and(self.findings()).is_some()
    }

    /// Removes what the analysis of TCP found.
    pub fn remove_findings(&mut self) {
        self.findings = None;
    }

    /// Sets what the analysis of TCP found. Fields of findings that were read before are dropped.
    pub fn set_findings(&mut self, findings: Findings) {
        self.extra.retain(|(field, _)| field.finding().is_none());
        self.findings = Some(findings);
    }

    /// What the analysis of TCP found; `None` before it.
    pub(crate) fn findings(&self) -> Option<&Findings> {
        self.findings.as_ref()
    }

    /// Adds columns of fields. If there are too many, the oldest that are not `needed` are dropped.
    pub fn add_extra(&mut self, columns: Vec<(ExtraField, ExtraColumn)>, needed: &[ExtraField]) {
        self.extra.extend(columns);
        let mut excess = self.extra.len().saturating_sub(MAX_COLUMNS);
        self.extra.retain(|(field, _)| {
            let is_kept = excess == 0 || needed.contains(field);
            excess -= usize::from(!is_kept);
            is_kept
        });
    }

    /// Moves the values of later rows to the column of a field, if there is one.
    pub fn extend_extra(&mut self, field: ExtraField, later: &mut ExtraColumn) {
        if let Some(index) = self.extra_index(field) {
            self.extra[index].1.append(&std::mem::take(later));
        }
    }

    pub(crate) fn extra_index(&self, field: ExtraField) -> Option<usize> {
        self.extra.iter().position(|(other, _)| *other == field)
    }

    /// A column by its index.
    pub(crate) fn extra_column(&self, index: usize) -> Option<&ExtraColumn> {
        self.extra.get(index).map(|(_, column)| column)
    }

    /// The values of some rows.
    pub(crate) fn extra_values(
        &self,
        index: usize,
        rows: Range<usize>,
    ) -> impl ExactSizeIterator<Item = i64> {
        let column = self.extra_column(index);
        rows.map(move |row| column.map_or(MISSING, |column| column.value(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// A column that is extended is that of all rows, wherever the parts begin and end.
        #[test]
        fn extended_columns_have_all_values(
            numbers in proptest::collection::vec(
                proptest::option::of(prop_oneof![0..9u32, any::<u32>()]), 0..3_000,
            ),
            mut cuts in proptest::collection::vec(0..3_000usize, 0..5),
        ) {
            cuts.extend([0, numbers.len()]);
            cuts.iter_mut().for_each(|cut| *cut = (*cut).min(numbers.len()));
            cuts.sort_unstable();
            let (mut all, mut all_texts) = (ExtraColumn::default(), ExtraColumn::default());
            for rows in cuts.windows(2).map(|cut| cut[0]..cut[1]) {
                let (mut later, mut later_texts) = (ExtraColumn::default(), ExtraColumn::default());
                for row in rows {
                    if let Some(number) = numbers[row] {
                        later.set_number(row, number);
                        later_texts.set_text(row, &format!("text {number}"));
                    }
                }
                all.append(&later);
                all_texts.append(&later_texts);
            }
            for (row, number) in numbers.iter().enumerate() {
                prop_assert_eq!(all.value(row), number.map_or(MISSING, i64::from));
                let text = number.map(|number| format!("text {number}"));
                prop_assert_eq!(all_texts.text(row), text.as_deref());
            }
        }
    }
}
