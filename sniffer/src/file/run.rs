//! The state of a run over capture files: the files, merged by timestamp, and the stream that they
//! are written to.

use std::path::PathBuf;
use std::time::Instant;
use summary::record::{Interface, Reason, SourceKind};
use summary::{Printable, grouped};

use super::capture_file::CaptureFile;
use super::input::SignalHandler;
use crate::Error;
use crate::counts::Losses;
use crate::error::STANDARD_INPUT_NAME;
use crate::filter::FilterOptions;
use crate::outputs::{self, Outputs, PreparedOutputs};
use crate::progress::{Progress, packets};
use crate::rotation_schedule::RotationSchedule;
use crate::sandbox;
use crate::stream::{self, Stream};
use crate::top::{Status, Top};

/// Configuration of a run that reads files.
#[derive(Debug)]
pub(crate) struct Config {
    /// The capture files; `-` is standard input.
    pub(crate) paths: Vec<PathBuf>,
    /// Threads that format packets; `None` formats them on the main thread.
    pub(crate) thread_count: Option<usize>,
    pub(crate) outputs: outputs::Options,
    pub(crate) stream: stream::Options,
    pub(crate) filter: FilterOptions,
    pub(crate) sandbox: sandbox::Options,
    /// Print only errors.
    pub(crate) is_quiet: bool,
    /// Show flows on the terminal.
    pub(crate) has_top: bool,
}

/// A run in progress.
pub(super) struct FileRun<'a> {
    pub(super) files: Vec<CaptureFile<'a>>,
    /// The outputs until they are opened.
    pub(super) prepared: Option<PreparedOutputs>,
    /// `None` until the first packet.
    pub(super) stream: Option<Stream>,
    /// The flows on the terminal.
    pub(super) top: Option<Top>,
    /// Names of the files, for messages.
    pub(super) names: &'a [String],
    pub(super) config: &'a Config,
    pub(super) signal_handler: &'a SignalHandler,
    pub(super) progress: Progress,
    pub(super) schedule: RotationSchedule,
    /// The time of the current output file is over.
    pub(super) is_rotation_due: bool,
    /// Errors that ended single files; the run continued with the others.
    pub(super) failures: Vec<Error>,
}

impl FileRun<'_> {
    /// Adds the packets that the filter rejected since the last call to the counters.
    pub(super) fn count_skipped(&mut self) {
        let skipped = self.take_skipped();
        if let Some(stream) = &mut self.stream {
            stream.count_skipped(0, skipped);
        }
    }

    /// Packets that the filter rejected since the last call.
    pub(super) fn take_skipped(&mut self) -> u64 {
        self.files.iter_mut().map(CaptureFile::take_skipped).sum()
    }

    /// Index of the file whose next frame has the earliest timestamp; of equal ones, the first.
    pub(super) fn earliest(&self) -> Option<usize> {
        let files = self.files.iter().enumerate();
        let next = files.filter_map(|(index, file)| Some((file.next_timestamp()?, index)));
        next.min().map(|(_, index)| index)
    }

    /// Moves a file to its next frame. A damaged file ends here; `failures` keeps the error.
    pub(super) fn advance(&mut self, file: usize) -> Result<(), Error> {
        while !self.files[file].next_matching()? {
            self.read(file)?;
        }
        Ok(())
    }

    /// Like [`FileRun::advance`], but returns false instead of waiting for the writer of a pipe.
    pub(super) fn advance_if_ready(&mut self, file: usize) -> Result<bool, Error> {
        while !self.files[file].next_matching()? {
            if self.files[file].would_block() {
                return Ok(false);
            }
            self.read(file)?;
        }
        Ok(true)
    }

    fn read(&mut self, file: usize) -> Result<(), Error> {
        self.prepare_to_block()?;
        self.show_before_wait(file)?;
        if let Err(error) = self.files[file].read() {
            self.failures.push(error);
        }
        // The read may have blocked.
        self.is_rotation_due |= self.schedule.fires(Instant::now());
        Ok(())
    }

    /// Starts a new output file before a packet, if the current one is full or has lasted its time.
    /// Returns a reason to end the run instead if that was the last file.
    pub(super) fn rotate_if_due(&mut self) -> Result<Option<Reason>, Error> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        if !self.is_rotation_due && !stream.is_file_full() {
            return Ok(None);
        }
        let reason = match (self.is_rotation_due, self.schedule.is_last_file()) {
            (true, true) => Reason::Duration,
            (true, false) => Reason::Rotated,
            (false, _) => Reason::Size,
        };
        if self.schedule.is_last_file() {
            return Ok(Some(reason));
        }
        self.is_rotation_due = false;
        self.schedule.complete_file();
        stream.write_stats(0, None, Losses::default(), None)?;
        stream.rotate(reason, None)?;
        Ok(None)
    }

    /// Called before a read, which may block: writes the buffered lines and updates the progress.
    fn prepare_to_block(&mut self) -> Result<(), Error> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if self.signal_handler.take_flush_request() {
            stream.flush_all()?;
        } else if !self.files.iter().all(CaptureFile::is_regular) {
            stream.flush()?;
        }
        self.signal_handler.out.set(stream.out());
        if self.top.as_ref().is_some_and(|top| top.due() <= Instant::now()) {
            self.show_flows(false);
            return Ok(());
        }
        let read = self.files.iter().map(CaptureFile::read_len).sum();
        let total = self.files.iter().map(CaptureFile::total_len).sum::<Option<u64>>();
        self.progress.draw_file_progress(stream.out(), total.map(|total| (read, total)));
        Ok(())
    }

    /// Shows the flows on the terminal, if that was requested.
    fn show_flows(&mut self, is_complete: bool) {
        let source = source_text(self.names);
        if let (Some(top), Some(stream)) = (&mut self.top, &mut self.stream) {
            let packets = stream.out();
            let status = Status { source, packets, is_complete, ..Status::default() };
            stream.show_flows(top, status);
        }
    }

    /// Shows the flows when they are due while a pipe has no data. To be called before a read that blocks.
    fn show_before_wait(&mut self, file: usize) -> Result<(), Error> {
        let Some(top) = &self.top else { return Ok(()) };
        let timeout = top.due().saturating_duration_since(Instant::now());
        if self.files[file].would_block() && !self.files[file].wait(timeout)? {
            self.show_flows(false);
        }
        Ok(())
    }

    /// Shows the flows of all packets until the user quits. If no file is a capture, there is nothing to show.
    pub(super) fn wait_for_user(&mut self) -> Result<(), Error> {
        let has_capture = self.stream.is_some() || self.failures.is_empty();
        if self.top.is_some() && has_capture {
            self.progress.stop_clock();
            self.ensure_stream()?;
            self.show_flows(true);
            self.signal_handler.wait_for_stop()?;
        }
        Ok(())
    }

    /// Opens the output if no packet did.
    fn ensure_stream(&mut self) -> Result<(), Error> {
        if self.stream.is_none() {
            self.stream = Some(self.open_stream()?);
            self.count_skipped();
        }
        Ok(())
    }

    /// Writes the last `stats` record and the `end` record. Opens the output if no packet did.
    pub(super) fn finish(&mut self, reason: Reason) -> Result<(), Error> {
        self.ensure_stream()?;
        let Some(stream) = &mut self.stream else { return Ok(()) };
        stream.write_stats(0, None, Losses::default(), None)?;
        stream.finish(reason)
    }

    /// Whether all outputs are unusable, or could not be opened.
    pub(super) fn has_failed(&self) -> bool {
        self.stream.as_ref().is_none_or(Stream::has_failed)
    }

    /// Prints the totals, if the output was opened.
    pub(super) fn print_totals(&self) {
        let Some(stream) = &self.stream else { return };
        let source = source_text(self.names);
        let elapsed = self.progress.elapsed();
        let matched = match self.config.filter.expression {
            Some(_) => format!(", {} matched the filter", grouped(stream.out())),
            None => String::new(),
        };
        let read = packets(stream.out() + stream.skipped());
        self.progress.info(format_args!("{read} read from {source} in {elapsed}{matched}"));
        self.progress.evicted_flows(stream.evicted_flows());
        self.progress.evicted_names(stream.evicted_names());
        stream.outputs().for_each(|output| self.progress.lost(output));
    }

    /// Opens the output and starts the stream. Call it once the first frames are known: `meta`
    /// lists the interfaces.
    pub(super) fn open_stream(&mut self) -> Result<Stream, Error> {
        let interfaces = self.files.iter().flat_map(CaptureFile::interfaces).enumerate();
        let interfaces = interfaces.map(|(index, interface)| Interface {
            name: interface.name.clone(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            linktype: interface.link.0,
            mac: None,
            mtu: None,
            promisc: None,
        });
        let names = self.names.iter();
        let names: Vec<_> =
            names.map(|name| if name == STANDARD_INPUT_NAME { "-" } else { name }).collect();
        let prepared = self.prepared.take().unwrap_or_default();
        let signals = Some(self.signal_handler.signals());
        let outputs = Outputs::open(&self.config.outputs, prepared, signals, None)?;
        outputs.iter().for_each(|output| self.progress.recovered(output));
        let first = self.earliest().map(|first| &self.files[first]);
        let source = (SourceKind::File, first.is_some_and(CaptureFile::is_big_endian));
        let file = Some(names.join(", "));
        let (options, interfaces) = (&self.config.stream, interfaces.collect());
        Stream::open(outputs, options, source, file, interfaces, stream::now())
    }
}

/// The file, or the number of files.
pub(super) fn source_text(names: &[String]) -> String {
    match names {
        [name] => Printable(name).to_string(),
        names => format!("{} files", names.len()),
    }
}
