//! Writes packets of a capture file as a section of a pcapng file.

use crate::capture::Record;
use summary::capture_file::{Frame, PacketOptions, PcapngWriter, SectionOptions};

/// The section being written: original bytes, lengths, times and interfaces.
///
/// Interfaces are described when their first packet follows, so that a part of a file only describes
/// those that it needs. Sections of several files can follow each other in one file.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// The writer, and whether its section is big-endian.
    writer: Option<(PcapngWriter, bool)>,
    /// Number of descriptions in the source, for which `interfaces` is valid.
    description_count: u64,
    /// Index in the section for each interface of the source.
    interfaces: Vec<Option<usize>>,
}

impl Section {
    /// Appends a packet to `out`, after headers and descriptions that it needs. A file whose byte order
    /// changes continues in another section: a few link types have headers in the order of their file.
    pub(crate) fn write(&mut self, record: &Record<'_>, out: &mut Vec<u8>) {
        let Record { frame, reader, .. } = record;
        let Some(description) = reader.interfaces().get(frame.interface) else { return };
        let is_big_endian = reader.is_big_endian();
        if self.writer.as_ref().is_some_and(|(_, order)| *order != is_big_endian) {
            self.writer = None;
        }
        let is_outdated = self.description_count != reader.description_count();
        if self.writer.is_none() || is_outdated {
            self.description_count = reader.description_count();
            self.interfaces.clear();
        }
        let (writer, _) = self.writer.get_or_insert_with(|| {
            let options = SectionOptions { is_big_endian, ..SectionOptions::default() };
            (PcapngWriter::new(&options, out), is_big_endian)
        });
        if self.interfaces.len() <= frame.interface {
            self.interfaces.resize(frame.interface + 1, None);
        }
        let interface = *self.interfaces[frame.interface]
            .get_or_insert_with(|| writer.interface(description, out));
        writer.packet(&Frame { interface, ..*frame }, &PacketOptions::default(), out);
    }
}
