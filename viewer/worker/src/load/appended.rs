//! Fields without a column in a part that grows: the lines before are reread, those that are appended are
//! read as they arrive.

use super::extra::Values;
use super::row_reader::RowSink;
use crate::address_names::{AddressNames, NamedAddress};
use crate::columns::Columns;
use crate::filter::ExtraField;

/// Collects the values of some fields in appended lines.
#[derive(Debug, Default)]
pub(super) struct AppendedFields {
    /// Fields with a column, and those that are being reread.
    filters: Values,
    /// The fields of names; `None` unless names are needed.
    names: Option<Values>,
    /// The number of packets whose names were collected.
    named_rows: usize,
    found: AddressNames,
}

impl AppendedFields {
    /// Collects the values of these fields, too, from the next line on.
    pub(super) fn add_fields(&mut self, fields: &[ExtraField], columns: &Columns) {
        self.filters.retain(|field| columns.has_extra(field) && !fields.contains(&field));
        self.filters.add(fields);
    }

    /// Collects names, too, from the next line on.
    pub(super) fn add_names(&mut self, columns: &Columns) {
        self.named_rows = columns.len();
        self.names = Some(Values::new(&AddressNames::FIELDS));
    }

    /// Takes the line of a packet.
    pub(super) fn line(&mut self, row: usize, line: &[u8]) {
        if !self.filters.is_empty() {
            self.filters.line(row, line);
        }
        self.names.iter_mut().for_each(|names| names.line(row, line));
    }

    /// Passes the values on to columns that exist, and reads the names.
    pub(super) fn flush(&mut self, columns: &mut Columns) {
        self.filters.extend(columns);
        if let Some(names) = &mut self.names {
            let values = std::mem::replace(names, Values::new(&AddressNames::FIELDS)).finish();
            self.found.add_answers(columns, self.named_rows, &values);
            self.named_rows = columns.len();
        }
    }

    /// Columns of fields were added: collects only the values of those that still exist.
    pub(super) fn on_columns_added(&mut self, columns: &mut Columns) {
        self.filters.extend(columns);
        self.filters.retain(|field| columns.has_extra(field));
    }

    /// Takes the names that were found since the last call.
    pub(super) fn take_names(&mut self) -> Vec<NamedAddress> {
        std::mem::take(&mut self.found).into_list()
    }
}
