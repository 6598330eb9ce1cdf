//! A run over capture files: their frames in the order of time, and the stream they become.

use std::path::PathBuf;
use summary::record::{Interface, SourceKind};

use super::capture_file::CaptureFile;
use super::input::{self, SignalState};
use crate::Error;
use crate::filter::FilterOptions;
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::signals::Signals;
use crate::stream::{self, Stream};

/// Which files to read, and what to make of them.
#[derive(Debug)]
pub(crate) struct Config {
    /// The capture files; `-` is standard input.
    pub(crate) paths: Vec<PathBuf>,
    /// Threads that format packets; `None` does all on the main thread.
    pub(crate) thread_count: Option<usize>,
    pub(crate) output: output::Options,
    pub(crate) stream: stream::Options,
    pub(crate) filter: FilterOptions,
    /// Print only errors.
    pub(crate) is_quiet: bool,
}

/// A run in progress.
pub(super) struct FileRun<'a> {
    pub(super) files: Vec<CaptureFile<'a>>,
    pub(super) stream: Option<Stream>,
    pub(super) names: &'a [String],
    pub(super) config: &'a Config,
    pub(super) signals: &'a Signals,
    pub(super) signal_state: &'a SignalState,
    pub(super) progress: Progress,
    /// Why files that are damaged were not read on; the others were.
    pub(super) failures: Vec<Error>,
}

impl FileRun<'_> {
    /// Counts the packets that the filter did not take since the last time.
    pub(super) fn count_skipped(&mut self) {
        let skipped = self.take_skipped();
        if let Some(stream) = &mut self.stream {
            stream.count_skipped(0, skipped);
        }
    }

    pub(super) fn take_skipped(&mut self) -> u64 {
        self.files.iter_mut().map(CaptureFile::take_skipped).sum()
    }

    /// The file whose next frame is the earliest; the first of them where several are.
    pub(super) fn earliest(&self) -> Option<usize> {
        let heads = self.files.iter().enumerate();
        heads
            .filter_map(|(file, state)| Some((state.next_timestamp()?, file)))
            .min()
            .map(|(_, file)| file)
    }

    /// Goes on to the next frame of a file. Damage ends that file, and is told at the end.
    pub(super) fn advance(&mut self, file: usize) -> Result<(), Error> {
        while !self.files[file].next_matching()? {
            self.before_reading()?;
            if let Err(error) = self.files[file].read() {
                self.failures.push(error);
            }
        }
        Ok(())
    }

    /// Reading may take a while: what is there is written first, and told.
    fn before_reading(&mut self) -> Result<(), Error> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if !self.files.iter().all(CaptureFile::is_regular) {
            stream.flush()?;
        }
        self.signal_state.out.set(stream.out());
        let read = self.files.iter().map(CaptureFile::read_len).sum();
        let whole = self.files.iter().map(CaptureFile::whole_len).sum::<Option<u64>>();
        self.progress.draw_file_progress(stream.out(), whole.map(|whole| (read, whole)));
        Ok(())
    }

    pub(super) fn open_stream(&self) -> Result<Stream, Error> {
        let interfaces = self.files.iter().flat_map(CaptureFile::interfaces).enumerate();
        let interfaces = interfaces.map(|(index, interface)| Interface {
            name: interface.name.clone(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            linktype: interface.link.0,
            mac: None,
            mtu: None,
            promisc: None,
        });
        let names: Vec<_> = self
            .names
            .iter()
            .map(|name| if name == input::STANDARD_INPUT { "-" } else { name })
            .collect();
        let mut output = Output::open(&self.config.output)?;
        output.set_signals(self.signals.clone());
        let file = Some(names.join(", "));
        Stream::open(output, &self.config.stream, SourceKind::File, file, interfaces.collect())
    }
}
