//! The current section of a pcapng output: which interfaces it describes.

use std::collections::HashMap;
use summary::capture_file::{
    FileInterface, Frame, InterfaceOptions, InterfaceStatistics, PacketOptions, PcapngWriter,
    SectionOptions,
};
use summary::{Faults, LinkType};

use super::Description;
use crate::line_formatter::CapturedPacket;

/// Name and version of this program, for section headers. Files of the sniffer are recognized by it.
const APPLICATION: &str = concat!("sniffer ", env!("CARGO_PKG_VERSION"));

/// Interfaces that a section describes at most. Readers limit their number.
const MAX_INTERFACES: usize = 1 << 16;

/// A section. Its methods append blocks to buffers.
pub(super) struct Section {
    description: Description,
    writer: PcapngWriter,
    /// The described interfaces, by their index.
    interfaces: Vec<FileInterface>,
    /// The source of each interface's packets.
    sources: Vec<usize>,
    /// Indices of interfaces by name.
    by_name: HashMap<String, Vec<usize>>,
    /// Interface of the last packet.
    last: Option<usize>,
}

impl Section {
    /// Begins a section.
    pub(super) fn begin(description: Description, out: &mut Vec<u8>) -> Self {
        Self {
            writer: header(&description, out),
            description,
            interfaces: Vec::new(),
            sources: Vec::new(),
            by_name: HashMap::new(),
            last: None,
        }
    }

    /// Whether a packet fits into the section: the byte order of its headers is that of the section.
    pub(super) fn accepts(&self, packet: &CapturedPacket<'_>) -> bool {
        packet.is_big_endian == self.description.is_big_endian
    }

    /// Whether no other interface can be described.
    pub(super) fn is_full(&self) -> bool {
        MAX_INTERFACES <= self.interfaces.len()
    }

    /// The description of the capture, for a section with this byte order.
    pub(super) fn description(&self, is_big_endian: bool) -> Description {
        Description { is_big_endian, ..self.description.clone() }
    }

    /// Begins another file with the same interfaces, so that their indices do not change.
    pub(super) fn repeat(&mut self, out: &mut Vec<u8>) {
        self.writer = header(&self.description, out);
        let options = InterfaceOptions { filter: self.description.filter.as_deref() };
        for interface in &self.interfaces {
            self.writer.interface_with_options(interface, &options, out);
        }
    }

    /// Index of a packet's interface; `None` if it is not described, or the packet needs a section of
    /// the other byte order.
    pub(super) fn interface(&mut self, packet: &CapturedPacket<'_>) -> Option<usize> {
        if !self.accepts(packet) {
            return None;
        }
        let is_same = |interface: &FileInterface| {
            interface.link == packet.link && interface.name.as_deref() == packet.interface
        };
        if let Some(last) = self.last.filter(|&last| is_same(&self.interfaces[last])) {
            return Some(last);
        }
        let mut named = self.by_name.get(packet.interface.unwrap_or_default())?.iter();
        self.last = named.find(|&&index| is_same(&self.interfaces[index])).copied();
        self.last
    }

    /// The source of an interface's packets.
    pub(super) fn source(&self, interface: usize) -> Option<usize> {
        self.sources.get(interface).copied()
    }

    /// Appends the description of an interface, whose packets come from `source`. Returns its index.
    pub(super) fn describe(
        &mut self,
        source: usize,
        name: Option<&str>,
        link: LinkType,
        out: &mut Vec<u8>,
    ) -> usize {
        let Description { snaplen, filter, .. } = &self.description;
        let interface = FileInterface { name: name.map(str::to_owned), link, snaplen: *snaplen };
        let options = InterfaceOptions { filter: filter.as_deref() };
        let index = self.writer.interface_with_options(&interface, &options, out);
        self.by_name.entry(name.unwrap_or_default().to_owned()).or_default().push(index);
        self.interfaces.push(interface);
        self.sources.push(source);
        index
    }

    /// Appends packet `n` of a described interface.
    pub(super) fn packet(
        &self,
        interface: usize,
        n: u64,
        packet: &CapturedPacket<'_>,
        out: &mut Vec<u8>,
    ) {
        let CapturedPacket { ts, link, bytes, wire_len, direction, .. } = *packet;
        let frame = Frame { ts, link, interface, bytes, wire_len, faults: Faults::default() };
        let options = PacketOptions { id: Some(n), direction, comment: None };
        self.writer.packet(&frame, &options, out);
    }

    /// Appends the counters of a described interface.
    pub(super) fn statistics(
        &self,
        interface: usize,
        statistics: &InterfaceStatistics,
        out: &mut Vec<u8>,
    ) {
        self.writer.statistics(interface, statistics, out);
    }
}

/// Appends a section header.
fn header(description: &Description, out: &mut Vec<u8>) -> PcapngWriter {
    let options = SectionOptions {
        is_big_endian: description.is_big_endian,
        application: Some(APPLICATION),
        comment: None,
    };
    PcapngWriter::new(&options, out)
}
