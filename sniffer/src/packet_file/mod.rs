//! The pcapng output: packets with all their captured bytes. `summary` writes the format, `section`
//! keeps the interfaces.

mod section;
mod selector;

pub(crate) use selector::Selector;

use summary::capture_file::InterfaceStatistics;
use summary::record::Interface;
use summary::{LinkType, Timestamp};

use crate::Error;
use crate::counts::{Counts, Losses};
use crate::line_formatter::CapturedPacket;
use crate::output::Output;
use section::Section;

/// What section headers and interface descriptions contain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    /// Byte order of the first section. A section has the byte order of the headers in its packets.
    pub(crate) is_big_endian: bool,
    /// The snap length in bytes.
    pub(crate) snaplen: u32,
    /// The expression that selected the packets.
    pub(crate) filter: Option<String>,
}

/// An open pcapng output.
pub(crate) struct PacketFile {
    output: Output,
    section: Section,
    sources: Vec<Source>,
    /// Which packets to write; `None` writes all.
    keep: Option<Selector>,
    /// When the current file began.
    started_at: Timestamp,
}

/// One interface of a live run, with its counters in the current file.
#[derive(Clone, Debug)]
struct Source {
    name: String,
    link: LinkType,
    counts: Counts,
    if_drop: u64,
    /// Packets written.
    written: u64,
}

impl PacketFile {
    /// Starts the first file. `sources` are the interfaces of a live run, whose counters each file
    /// contains at its end; all others are described before their first packet.
    pub(crate) fn open(
        mut output: Output,
        keep: Option<Selector>,
        mut description: Description,
        sources: &[Interface],
        now: Timestamp,
    ) -> Result<Self, Error> {
        if let Some(keep) = &keep {
            description.filter = Some(both(description.filter.as_deref(), keep.expression()));
        }
        let sources: Vec<_> = sources
            .iter()
            .map(|interface| Source {
                name: interface.name.clone().unwrap_or_default(),
                link: LinkType(interface.linktype),
                counts: Counts::default(),
                if_drop: 0,
                written: 0,
            })
            .collect();
        let section = start_section(description, &sources, &mut output)
            .and_then(|section| output.flush_all().map(|()| section));
        match section {
            Ok(section) => Ok(Self { output, section, sources, keep, started_at: now }),
            Err(error) => {
                output.discard();
                Err(error)
            }
        }
    }

    /// The output, to watch it.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// The output, to flush it.
    pub(crate) fn output_mut(&mut self) -> &mut Output {
        &mut self.output
    }

    /// Removes the file, for a run that cannot start.
    pub(crate) fn discard(self) {
        self.output.discard();
    }

    /// Writes packet `n` of a source, if it is to be kept.
    pub(crate) fn write(
        &mut self,
        source: usize,
        n: u64,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        if let Some(keep) = &mut self.keep
            && !keep.selects(packet)?
        {
            return Ok(());
        }
        let interface = self.interface(packet)?;
        if let Some(source) = self.sources.get_mut(source) {
            source.written += 1;
        }
        let Self { output, section, .. } = self;
        output.append(|buffer| section.packet(interface, n, packet, buffer))
    }

    /// Index of a packet's interface, which is described if it is new.
    fn interface(&mut self, packet: &CapturedPacket<'_>) -> Result<usize, Error> {
        let Self { output, section, sources, .. } = self;
        if let Some(index) = section.interface(packet) {
            return Ok(index);
        }
        if !section.accepts(packet) || section.is_full() {
            let description = section.description(packet.is_big_endian);
            *section = start_section(description, sources, output)?;
            if let Some(index) = section.interface(packet) {
                return Ok(index);
            }
        }
        output.append(|buffer| section.describe(packet.interface, packet.link, buffer))
    }

    /// Adds to the counters of a source.
    pub(crate) fn count(&mut self, source: usize, counts: Counts, losses: Losses) {
        if let Some(source) = self.sources.get_mut(source) {
            source.counts += counts;
            source.if_drop += losses.if_drop;
        }
    }

    /// Completes the current file and starts the next one.
    pub(crate) fn rotate(&mut self, now: Timestamp) -> Result<(), Error> {
        self.write_statistics(now)?;
        self.output.rotate()?;
        self.started_at = now;
        let Self { output, section, .. } = self;
        output.append(|buffer| section.repeat(buffer))?;
        output.flush_all()
    }

    /// Completes the output.
    pub(crate) fn finish(&mut self, now: Timestamp) -> Result<(), Error> {
        self.write_statistics(now)?;
        self.output.finish()
    }

    /// Writes the counters of all sources, and resets them.
    fn write_statistics(&mut self, now: Timestamp) -> Result<(), Error> {
        let Self { output, section, sources, started_at, .. } = self;
        // The sources are the first interfaces of each section.
        for (interface, source) in sources.iter_mut().enumerate() {
            let Counts { recv, drop, skip, .. } = std::mem::take(&mut source.counts);
            let statistics = InterfaceStatistics {
                period: (*started_at, now),
                received: recv,
                // As dumpcap counts, with the kernel's drops: Wireshark shows only this number.
                dropped_by_interface: std::mem::take(&mut source.if_drop) + drop,
                accepted: recv.saturating_sub(skip),
                dropped_by_system: drop,
                delivered: std::mem::take(&mut source.written),
            };
            output.append(|buffer| section.statistics(interface, &statistics, buffer))?;
        }
        Ok(())
    }
}

/// An expression for the packets that both expressions select.
fn both(filter: Option<&str>, keep: &str) -> String {
    filter.map_or_else(|| keep.to_owned(), |filter| format!("({filter}) and ({keep})"))
}

/// Begins a section that describes the interfaces of the sources.
fn start_section(
    description: Description,
    sources: &[Source],
    output: &mut Output,
) -> Result<Section, Error> {
    output.append(|buffer| {
        let mut section = Section::begin(description, buffer);
        for source in sources {
            section.describe(Some(&source.name), source.link, buffer);
        }
        section
    })
}
