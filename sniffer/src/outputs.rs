//! The outputs of a run: lines, packets with their bytes, or both. They rotate together.

use std::io::{self, IsTerminal};
use summary::LinkType;

use crate::Error;
use crate::filter::FilterOptions;
use crate::line_buffer::LineBuffer;
use crate::output::{self, Output, PreparedOutput, Rotation};
use crate::packet_buffer::PacketBuffer;
use crate::packet_file::{RingLimits, Selection, Selector};
use crate::sandbox::FileAccess;
use crate::signals::Signals;

/// Configuration of the outputs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The output of lines; `None` writes none.
    pub(crate) lines: Option<output::Options>,
    /// The output of packets in the format pcapng; `None` writes none.
    pub(crate) packets: Option<output::Options>,
    /// Which packets to write; `None` writes all.
    pub(crate) keep: Option<FilterOptions>,
    /// Which packets stay in memory until a trigger; `None` writes all at once.
    pub(crate) ring: Option<RingLimits>,
    /// Packets that are triggers.
    pub(crate) trigger: Option<FilterOptions>,
    /// When to start new files.
    pub(crate) rotation: Rotation,
}

impl Options {
    fn all(&self) -> impl Iterator<Item = &output::Options> {
        self.lines.iter().chain(&self.packets)
    }

    /// Whether nothing is written to a file or to standard output.
    pub(crate) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    /// Whether standard output is one of the outputs.
    pub(crate) fn uses_stdout(&self) -> bool {
        self.all().any(|options| options.path.is_none())
    }

    /// Does what must precede a sandbox: see [`output::Options::prepare`].
    pub(crate) fn prepare(&self, signals: Option<&Signals>) -> Result<PreparedOutputs, Error> {
        let is_stdout = |options: &output::Options| options.path.is_none();
        if self.packets.as_ref().is_some_and(is_stdout) && io::stdout().is_terminal() {
            return Err(Error::PacketsToTerminal);
        }
        let prepare = |options: &output::Options| options.prepare(signals);
        Ok(PreparedOutputs {
            lines: self.lines.as_ref().map(prepare).transpose()?,
            packets: self.packets.as_ref().map(prepare).transpose()?,
            selection: Selection {
                keep: self.keep.as_ref().map(|options| Selector::new("--keep", options)),
                ring: self.ring,
                trigger: self.trigger.as_ref().map(|options| Selector::new("--trigger", options)),
                copy: None,
            },
        })
    }
}

/// Outputs that can be opened inside the sandbox.
#[derive(Debug, Default)]
pub(crate) struct PreparedOutputs {
    lines: Option<PreparedOutput>,
    packets: Option<PreparedOutput>,
    selection: Selection,
}

impl PreparedOutputs {
    /// Checks that the expressions of the options compile for link types.
    pub(crate) fn check(&self, links: impl IntoIterator<Item = LinkType>) -> Result<(), Error> {
        links.into_iter().try_for_each(|link| self.selection.check(link))
    }

    fn all(&self) -> impl Iterator<Item = &PreparedOutput> {
        self.lines.iter().chain(&self.packets)
    }

    /// Whether one of the outputs creates files.
    pub(crate) fn creates_files(&self) -> bool {
        self.all().any(PreparedOutput::creates_files)
    }

    /// The access to files that the outputs need inside a sandbox.
    pub(crate) fn file_access(&self) -> FileAccess {
        let directories = self.all().flat_map(|output| output.file_access().directories.clone());
        FileAccess { directories: directories.collect() }
    }

    /// Makes the outputs notice that the reader of their pipe or socket went away.
    pub(crate) fn watch_readers(&mut self) -> Result<(), Error> {
        self.lines.iter_mut().chain(&mut self.packets).try_for_each(PreparedOutput::watch_reader)
    }
}

/// Memory that gets what the outputs get, too.
#[derive(Debug)]
pub(crate) struct Copies {
    /// All lines, also if they have no output.
    pub(crate) lines: LineBuffer,
    /// All packets that have an output.
    pub(crate) packets: PacketBuffer,
}

/// The open outputs.
pub(crate) struct Outputs {
    pub(crate) lines: Option<Output>,
    pub(crate) packets: Option<Output>,
    /// Which packets are written.
    pub(crate) selection: Selection,
}

impl Outputs {
    /// Opens the outputs. If one of them cannot be opened, no file remains.
    pub(crate) fn open(
        options: &Options,
        prepared: PreparedOutputs,
        signals: Option<&Signals>,
        copies: Option<Copies>,
    ) -> Result<Self, Error> {
        let (copy, packets_copy) = match copies {
            Some(Copies { lines, packets }) => (Some(lines), Some(packets)),
            None => (None, None),
        };
        let selection = Selection { copy: packets_copy, ..prepared.selection };
        let open = |options: &Option<output::Options>, prepared: Option<PreparedOutput>| {
            let options_and_prepared = options.as_ref().zip(prepared);
            let opened = options_and_prepared
                .map(|(options, prepared)| Output::open(options, prepared, signals));
            opened.transpose()
        };
        let lines = open(&options.lines, prepared.lines)?;
        let lines = match (lines, copy) {
            (Some(lines), Some(copy)) => Some(lines.with_copy(copy)),
            (lines, copy) => lines.or_else(|| copy.map(Output::in_memory)),
        };
        match open(&options.packets, prepared.packets) {
            Ok(packets) => Ok(Self { lines, packets, selection }),
            Err(error) => {
                if let Some(lines) = lines {
                    lines.discard();
                }
                Err(error)
            }
        }
    }

    /// All outputs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Output> {
        self.lines.iter().chain(&self.packets)
    }
}
