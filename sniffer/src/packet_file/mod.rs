//! The pcapng output: packets with all their captured bytes. `summary` writes the format, `section`
//! keeps the interfaces.

mod recorder;
mod ring;
mod section;
mod selector;

pub(crate) use recorder::{Cause, RingLimits, Triggered};
pub(crate) use selector::Selector;

use summary::capture_file::InterfaceStatistics;
use summary::record::Interface;
use summary::{LinkType, Timestamp};

use crate::Error;
use crate::counts::{Counts, Losses};
use crate::line_formatter::CapturedPacket;
use crate::output::Output;
use crate::packet_buffer::PacketBuffer;
use recorder::Recorder;
use section::Section;

/// The properties of the capture for section headers and interface descriptions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    /// Byte order of the first section. A section has the byte order of the headers in its packets.
    pub(crate) is_big_endian: bool,
    /// The snap length in bytes.
    pub(crate) snaplen: u32,
    /// The expression that selected the packets.
    pub(crate) filter: Option<String>,
}

/// Which packets are written; all without options.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Packets to write.
    pub(crate) keep: Option<Selector>,
    /// Packets stay in memory until a trigger.
    pub(crate) ring: Option<RingLimits>,
    /// Packets that are triggers.
    pub(crate) trigger: Option<Selector>,
    /// Gets all packets that are written or recorded, too.
    pub(crate) copy: Option<PacketBuffer>,
}

impl Selection {
    /// Checks that the expressions compile for a link type.
    pub(crate) fn check(&self, link: LinkType) -> Result<(), Error> {
        self.keep.iter().chain(&self.trigger).try_for_each(|selector| selector.check(link))
    }
}

/// An open pcapng output.
pub(crate) struct PacketFile {
    output: Output,
    section: Section,
    sources: Vec<Source>,
    /// Which packets to write; `None` writes all.
    keep: Option<Selector>,
    copy: Option<PacketBuffer>,
    /// Keeps packets in memory; without it, packets are written at once.
    recorder: Option<Recorder>,
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
        selection: Selection,
        mut description: Description,
        sources: &[Interface],
        now: Timestamp,
    ) -> Result<Self, Error> {
        let Selection { keep, ring, trigger, copy } = selection;
        let recorder = ring.map(|limits| Recorder::new(limits, trigger));
        if let Some(keep) = &keep {
            description.filter = Some(both(description.filter.as_deref(), keep.expression()));
        }
        if let Some(copy) = &copy {
            copy.describe(description.clone());
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
            Ok(section) => {
                Ok(Self { output, section, sources, keep, copy, recorder, started_at: now })
            }
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

    /// Writes or records packet `n` of a source, if it is to be kept. Writes the recorded packets if it
    /// is a trigger.
    pub(crate) fn write(
        &mut self,
        source: usize,
        n: u64,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let is_kept = self.keep.as_mut().map_or(Ok(true), |keep| keep.selects(packet))?;
        if is_kept {
            let interface = self.interface(source, packet)?;
            self.add(source, interface, n, packet)?;
            self.copy.iter().for_each(|copy| copy.push(n, packet));
        }
        let recorder = self.recorder.as_mut();
        if recorder.map_or(Ok(false), |recorder| recorder.is_trigger(packet))? {
            self.trigger(packet.ts, Cause::Packet(n))?;
        }
        Ok(())
    }

    /// Writes or records a packet.
    fn add(
        &mut self,
        source: usize,
        interface: usize,
        n: u64,
        packet: &CapturedPacket<'_>,
    ) -> Result<(), Error> {
        let Self { output, section, sources, recorder, .. } = self;
        let write = |out: &mut Vec<u8>| section.packet(interface, n, packet, out);
        if let Some(recorder) = recorder {
            let is_written = recorder.is_writing()
                && output.append(|buffer| {
                    let start = buffer.len();
                    write(buffer);
                    let takes = recorder.takes(packet.ts, buffer.len() - start);
                    if !takes {
                        buffer.truncate(start);
                    }
                    takes
                })?;
            if !is_written {
                recorder.ring.push(packet.ts, packet.bytes.len(), write);
                return Ok(());
            }
        } else {
            output.append(write)?;
        }
        if let Some(source) = sources.get_mut(source) {
            source.written += 1;
        }
        Ok(())
    }

    /// Writes the recorded packets before a trigger at `ts`, and from now on those after it. Without a
    /// recorder, does nothing.
    pub(crate) fn trigger(&mut self, ts: Timestamp, cause: Cause) -> Result<(), Error> {
        let Self { output, section, sources, recorder: Some(recorder), .. } = self else {
            return Ok(());
        };
        let was_writing = recorder.is_writing();
        recorder.extend(ts);
        let mut packets = 0;
        let is_cut = recorder.ring.drain(ts, |block| {
            packets += 1;
            let source = section.source(block.interface);
            if let Some(source) = source.and_then(|source| sources.get_mut(source)) {
                source.written += 1;
            }
            output.append(|buffer| buffer.extend_from_slice(block.bytes))
        })?;
        if !was_writing {
            recorder.note(cause, ts, packets, is_cut);
        }
        Ok(())
    }

    /// The triggers since the last call that made the recorder write packets.
    pub(crate) fn take_triggered(&mut self) -> Vec<Triggered> {
        self.recorder.as_mut().map_or_else(Vec::new, Recorder::take_triggered)
    }

    /// Index of a packet's interface, which is described if it is new.
    fn interface(&mut self, source: usize, packet: &CapturedPacket<'_>) -> Result<usize, Error> {
        let Self { output, section, sources, recorder, .. } = self;
        if let Some(index) = section.interface(packet) {
            return Ok(index);
        }
        if !section.accepts(packet) || section.is_full() {
            let description = section.description(packet.is_big_endian);
            *section = start_section(description, sources, output)?;
            // Recorded packets belong to the interfaces of the previous section.
            if let Some(recorder) = recorder {
                recorder.ring.clear();
            }
            if let Some(index) = section.interface(packet) {
                return Ok(index);
            }
        }
        output.append(|buffer| section.describe(source, packet.interface, packet.link, buffer))
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

/// A section with these packets and their interfaces.
pub(crate) fn section_of<'a>(
    description: Description,
    packets: impl Iterator<Item = (u64, CapturedPacket<'a>)>,
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut section = Section::begin(description, &mut out);
    for (n, packet) in packets {
        let interface = section
            .interface(&packet)
            .unwrap_or_else(|| section.describe(0, packet.interface, packet.link, &mut out));
        section.packet(interface, n, &packet, &mut out);
    }
    out
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
        for (index, source) in sources.iter().enumerate() {
            section.describe(index, Some(&source.name), source.link, buffer);
        }
        section
    })
}
