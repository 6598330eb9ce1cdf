//! Rereads a file for the lines or records of selected packets.

use super::Loader;
use super::row_reader::{RowReader, RowSink};
use super::source::Source;
use crate::columns::Columns;
use crate::wire::{Wire, wire};
use viewer_formats::{FileRecord, Form};

/// Rereads a part from its start and passes on some of its packets.
#[derive(Debug)]
pub struct Exporter {
    rows: RowReader,
    form: Form,
    /// The packet that was kept.
    record: Option<FileRecord>,
}

/// The format of exported packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Lines: byte for byte as in the file, or in the format of the sniffer if the file is a capture
    /// file.
    Lines,
    /// A pcapng file with the original bytes, lengths, times and interfaces; empty if the file is not a
    /// capture file.
    Pcapng,
    /// The numbers of the packets as ranges, each with a comma after it: `1-5,7,`. They are not read from the
    /// file, see [`Loader::numbers`].
    Numbers,
}

impl Loader {
    /// The numbers of selected packets, see [`ExportFormat::Numbers`].
    pub fn numbers(&self, is_selected: &dyn Fn(usize) -> bool) -> String {
        let mut text = String::new();
        let columns = self.columns();
        let mut range: Option<(i64, i64)> = None;
        let mut push = |(first, last): (i64, i64)| {
            if first != last {
                text.push_str(&format!("{first}-"));
            }
            text.push_str(&format!("{last},"));
        };
        for row in (0..columns.len()).filter(|row| is_selected(*row)) {
            let n = columns.number(row);
            match &mut range {
                Some((_, last)) if *last + 1 == n => *last = n,
                _ => range.replace((n, n)).into_iter().for_each(&mut push),
            }
        }
        range.into_iter().for_each(push);
        text
    }
}

impl ExportFormat {
    /// The form in which a capture file is read.
    pub(super) fn form(self) -> Form {
        match self {
            Self::Lines | Self::Numbers => Form::Lines,
            Self::Pcapng => Form::Pcapng,
        }
    }
}

impl Exporter {
    /// Exports packets from a part that was read with an equal source, which gives packets in that form.
    /// With [`Form::Records`], the last selected packet is kept instead of being exported.
    pub(super) fn new(source: Source, form: Form) -> Self {
        Self { rows: RowReader::new(source), form, record: None }
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.rows.position()
    }

    /// The packet that was kept.
    pub fn take_record(&mut self) -> Option<FileRecord> {
        self.record.take()
    }

    /// Takes the next bytes of the file and appends wanted rows to `out`. An empty chunk is the end of
    /// the file. Returns false if no more bytes are needed.
    pub fn feed(
        &mut self,
        chunk: &[u8],
        columns: &Columns,
        is_selected: &dyn Fn(usize) -> bool,
        out: &mut Vec<u8>,
    ) -> bool {
        let Self { rows, form, record } = self;
        rows.feed(chunk, columns, &mut Selected { form: *form, is_selected, record, out })
    }
}

struct Selected<'a> {
    form: Form,
    is_selected: &'a dyn Fn(usize) -> bool,
    record: &'a mut Option<FileRecord>,
    out: &'a mut Vec<u8>,
}

impl RowSink for Selected<'_> {
    fn line(&mut self, row: usize, line: &[u8]) {
        if !(self.is_selected)(row) {
            return;
        }
        match self.form {
            Form::Lines => {
                self.out.extend_from_slice(line);
                self.out.push(b'\n');
            }
            Form::Records => *self.record = Some(FileRecord { line: line.to_vec(), frame: None }),
            _ => {}
        }
    }

    fn wants(&mut self, row: usize) -> bool {
        (self.is_selected)(row)
    }

    fn packets(&mut self, mut bytes: &[u8]) {
        if self.form != Form::Records {
            return self.out.extend_from_slice(bytes);
        }
        while let Some(record) = FileRecord::get(&mut bytes) {
            *self.record = Some(record);
        }
    }
}

wire!(enum ExportFormat { 0 Lines, 1 Pcapng, 2 Numbers });
