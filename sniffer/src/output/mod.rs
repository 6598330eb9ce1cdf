//! The output: standard output, or a file that rotation replaces by the next. Lines are buffered
//! and written in large pieces; a file that cannot take all of them ends after a whole line.
//!
//! `special` opens what is not a regular file. For the others, `recovery` completes the files of an
//! interrupted run, `file_namer` chooses the paths, and `create` creates, locks and renames files.

mod compression;
mod create;
mod directory;
mod file_id;
mod file_namer;
mod recovery;
mod special;
mod target;

pub(crate) use compression::Compression;
pub(crate) use file_id::FileId;
pub(crate) use file_namer::{Rotation, strftime};

use compression::Encoder;
use file_namer::{FileNamer, OutputPath};
use nix::sys::signal::{SigSet, Signal};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use target::Target;

use crate::Error;
use crate::error::STANDARD_OUTPUT;
use crate::signals::Signals;

/// The buffer is written once it holds this many bytes.
const BUFFER_LEN: usize = 256 << 10;

/// Longest time that lines stay in the buffer during a live capture. The kernel hands over packets
/// within 80 ms; both together bound what is lost if the process is killed.
const MAX_BUFFER_AGE: Duration = Duration::from_millis(20);

/// Attempts to find a free final name for a complete file.
const MAX_RENAME_ATTEMPTS: u32 = 16;

/// Longest time that bytes stay in the encoder, so that a compressed file can be read while it is
/// being written.
const MAX_ENCODER_AGE: Duration = Duration::from_secs(1);

/// Configuration of the output.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// The output file; `None` is standard output.
    pub(crate) path: Option<PathBuf>,
    /// Overwrite existing files.
    pub(crate) overwrite: bool,
    /// `None` derives the compression from the extension of `path`.
    pub(crate) compression: Option<Compression>,
    /// When to start a new file.
    pub(crate) rotation: Rotation,
    /// Files that must not be overwritten, because they are read.
    pub(crate) inputs: Vec<FileId>,
}

impl Options {
    /// Does what must precede a sandbox: opens a special file, completes the files of an interrupted
    /// run, and decides on names.
    ///
    /// Opening a named pipe waits for its reader; a termination signal ends that if `signals` are
    /// given, or has its default effect.
    ///
    /// # Errors
    ///
    /// If a file exists that may not be overwritten, a special file cannot be opened, or a file
    /// cannot be completed.
    pub(crate) fn prepare(&self, signals: Option<&Signals>) -> Result<PreparedOutput, Error> {
        let Some(path) = &self.path else { return Ok(PreparedOutput::default()) };
        if self.rotation.uses_part_files() && special::is_special(path) {
            let source = io::Error::other("-C and -G require a regular file");
            return Err(Error::Output { name: self.name(), source });
        }
        if let Some(file) = special::open(path, self.overwrite, signals)? {
            return Ok(PreparedOutput { special: Some(file), ..PreparedOutput::default() });
        }
        let mut namer = FileNamer::new(path, self.rotation, self.overwrite);
        let mut interrupted = None;
        if self.rotation.uses_part_files() {
            interrupted = recovery::recover(&namer, &self.inputs)?;
        }
        namer.start(interrupted.as_deref())?;
        let recovered = interrupted.unwrap_or_default();
        Ok(PreparedOutput { namer: Some(namer), special: None, recovered })
    }

    /// The name of the output, for messages.
    fn name(&self) -> String {
        let name = self.path.as_ref().map(|path| path.display().to_string());
        name.unwrap_or_else(|| STANDARD_OUTPUT.to_owned())
    }
}

/// An output whose names are decided and that can be opened inside the sandbox; by default standard
/// output.
#[derive(Debug, Default)]
pub(crate) struct PreparedOutput {
    /// Names the files of the output, if it consists of regular files.
    namer: Option<FileNamer>,
    /// A pipe, a device or another descriptor.
    special: Option<File>,
    recovered: Vec<PathBuf>,
}

impl PreparedOutput {
    /// Whether the output creates files.
    pub(crate) fn creates_files(&self) -> bool {
        self.namer.is_some()
    }

    /// Files that an interrupted run had left unfinished, and that are complete now.
    pub(crate) fn recovered(&self) -> &[PathBuf] {
        &self.recovered
    }
}

/// An open output with its buffered lines.
pub(crate) struct Output {
    /// `None` only between two files.
    encoder: Option<Encoder<Target>>,
    compression: Compression,
    /// The name of the current file, for messages.
    name: String,
    /// Names the files; `None` unless the output is a regular file that this run creates.
    namer: Option<FileNamer>,
    /// The current file, if `namer` named it.
    current: Option<OutputPath>,
    inputs: Vec<FileId>,
    /// Size in bytes from which on a file is full.
    max_file_len: Option<u64>,
    buffer: Vec<u8>,
    /// When the buffer was last written.
    written_at: Instant,
    /// When the encoder was last flushed.
    flushed_at: Instant,
    /// Lines that could not be written, if known.
    lost_lines: u64,
    signals: Option<Signals>,
}

impl Output {
    /// Opens standard output or a special file, or creates a file that only its owner can read.
    ///
    /// # Errors
    ///
    /// If the file cannot be created.
    pub(crate) fn open(
        options: &Options,
        prepared: PreparedOutput,
        signals: Option<&Signals>,
    ) -> Result<Self, Error> {
        // Beyond the size limit (RLIMIT_FSIZE) writes then fail instead of killing the process.
        SigSet::from(Signal::SIGXFSZ)
            .thread_block()
            .map_err(|errno| Error::System { call: "sigprocmask", source: errno.into() })?;
        let path = options.path.as_deref();
        let extension = path.and_then(|path| Compression::from_extension(path.extension()?));
        let compression = options.compression.or(extension).unwrap_or(Compression::None);
        let now = Instant::now();
        let mut output = Self {
            encoder: None,
            compression,
            name: options.name(),
            namer: prepared.namer,
            current: None,
            inputs: options.inputs.clone(),
            max_file_len: options.rotation.size,
            buffer: Vec::with_capacity(BUFFER_LEN + (4 << 10)),
            written_at: now,
            flushed_at: now,
            lost_lines: 0,
            signals: signals.cloned(),
        };
        if let Some(namer) = &mut output.namer {
            let first = namer.next()?;
            output.open_file(first)?;
        } else if let Some(file) = prepared.special {
            output.start_file(file)?;
        } else {
            let file = io::stdout().as_fd().try_clone_to_owned();
            let file = File::from(file.map_err(|source| output.error(source))?);
            output.start_file(file)?;
        }
        Ok(output)
    }

    /// From now on [`Self::hangup_fd`] and [`Self::check_reader`] notice that the reader of a pipe or
    /// socket went away.
    pub(crate) fn watch_reader(&mut self) -> Result<(), Error> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let watched = encoder.inner_mut().watch_reader();
        watched.map_err(|source| self.error(source))
    }

    /// Lines that could not be written, as far as known: how many of them a compressed file
    /// contains is not.
    pub(crate) fn lost_lines(&self) -> u64 {
        self.lost_lines
    }

    /// A descriptor that becomes readable when the reader of a pipe or socket goes away.
    pub(crate) fn hangup_fd(&self) -> Option<BorrowedFd<'_>> {
        self.encoder.as_ref()?.inner().hangup_fd()
    }

    /// Fails if the reader of a pipe or socket has gone away.
    pub(crate) fn check_reader(&self) -> Result<(), Error> {
        match &self.encoder {
            Some(encoder) => encoder.inner().check_reader().map_err(|source| self.error(source)),
            None => Ok(()),
        }
    }

    /// Whether lines are in the buffer for so long that they are to be written.
    pub(crate) fn is_flush_due(&self, now: Instant) -> bool {
        !self.buffer.is_empty() && MAX_BUFFER_AGE <= now.saturating_duration_since(self.written_at)
    }

    /// From now on a termination signal limits how long a write may block.
    pub(crate) fn set_signals(&mut self, signals: Signals) {
        self.signals = Some(signals.clone());
        if let Some(encoder) = &mut self.encoder {
            encoder.inner_mut().set_signals(signals);
        }
    }

    /// Sets the number of packets that SIGUSR1 reports while the output is blocked.
    pub(crate) fn set_packet_count(&self, count: u64) {
        if let Some(signals) = &self.signals {
            signals.set_packet_count(count);
        }
    }

    /// Whether the output can continue in another file.
    pub(crate) fn can_rotate(&self) -> bool {
        self.namer.is_some()
            && self.encoder.as_ref().is_some_and(|encoder| encoder.inner().is_regular())
    }

    /// The current file; `None` for standard output and between two files.
    pub(crate) fn file(&self) -> Option<&File> {
        let encoder = self.encoder.as_ref().filter(|_| self.namer.is_some());
        encoder.map(|encoder| encoder.inner().file())
    }

    /// Whether the current file has reached its maximum size.
    pub(crate) fn is_full(&self) -> bool {
        let Some(max_file_len) = self.max_file_len else { return false };
        let Some(encoder) = &self.encoder else { return false };
        // The compressed size of the buffered lines is unknown.
        let buffered = if encoder.is_plain() { self.buffer.len() as u64 } else { 0 };
        max_file_len <= encoder.inner().written_len() + buffered
    }

    /// Appends whole lines, which `write` puts into the buffer.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        write(&mut self.buffer);
        if BUFFER_LEN <= self.buffer.len() { self.write_buffer() } else { Ok(()) }
    }

    /// Writes the buffered lines. The encoder of a compressed output may keep bytes for
    /// [`MAX_ENCODER_AGE`].
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        if !encoder.is_plain() && MAX_ENCODER_AGE <= self.flushed_at.elapsed() {
            return self.flush_encoder();
        }
        Ok(())
    }

    /// Writes the buffered lines and those in the encoder.
    pub(crate) fn flush_all(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.flush_encoder()
    }

    fn flush_encoder(&mut self) -> Result<(), Error> {
        self.flushed_at = Instant::now();
        let flushed = self.encoder.as_mut().map_or(Ok(()), Encoder::flush);
        flushed.map_err(|source| self.error(source))
    }

    /// Writes the buffered lines. If a file cannot take them all, it keeps those that fit.
    fn write_buffer(&mut self) -> Result<(), Error> {
        let is_created_file = self.can_rotate();
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let before = encoder.inner().written_len();
        let written = encoder.write_all(&self.buffer);
        if written.is_err() && encoder.is_plain() {
            let done = usize::try_from(encoder.inner().written_len() - before).unwrap_or(0);
            let (done, rest) = self.buffer.split_at(done.min(self.buffer.len()));
            self.lost_lines += rest.iter().filter(|&&byte| byte == b'\n').count() as u64;
            if is_created_file {
                encoder.inner_mut().truncate(before + whole_lines_len(done) as u64);
            }
        }
        self.buffer.clear();
        self.written_at = Instant::now();
        written.map_err(|source| self.error(source))
    }

    /// Completes the current file and starts the next one.
    pub(crate) fn rotate(&mut self) -> Result<(), Error> {
        let Some(namer) = &mut self.namer else { return Ok(()) };
        let next = namer.next()?;
        if self.current.as_ref().is_some_and(|current| current.path == next.path) {
            self.finish()?;
            return self.open_file(next);
        }
        // The next file exists before the current one is renamed: at any moment, one unfinished file
        // shows that the run has not ended properly.
        let created = create::create(&next, &self.inputs);
        self.finish()?;
        self.use_file(created?, next)
    }

    /// Writes all buffered bytes, and gives the file its final name.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        if let Some(encoder) = self.encoder.take() {
            encoder.finish().map_err(|source| self.error(source))?;
        }
        let Some(OutputPath { path, final_path, overwrite }) = self.current.take() else {
            return Ok(());
        };
        if path == final_path { Ok(()) } else { self.rename(&path, final_path, overwrite) }
    }

    /// Gives a complete file its final name; the next free one if another program took it.
    fn rename(&mut self, from: &Path, to: PathBuf, overwrite: bool) -> Result<(), Error> {
        let mut to = to;
        for _ in 0..MAX_RENAME_ATTEMPTS {
            match create::rename(from, &to, overwrite) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => {
                    let from = from.to_owned();
                    return result.map_err(|source| Error::Rename { from, to, source });
                }
            }
            if let Some(namer) = &mut self.namer {
                to = namer.next()?.final_path;
            }
        }
        Err(Error::OutputExists { path: to })
    }

    /// Removes the current file, for a run that cannot start.
    pub(crate) fn discard(self) {
        if let Some(OutputPath { path, .. }) = &self.current
            && self.can_rotate()
        {
            // The caller reports why the run cannot start.
            let _ = std::fs::remove_file(path);
        }
    }

    fn open_file(&mut self, path: OutputPath) -> Result<(), Error> {
        let file = create::create(&path, &self.inputs)?;
        self.use_file(file, path)
    }

    fn use_file(&mut self, file: File, path: OutputPath) -> Result<(), Error> {
        self.name = path.path.display().to_string();
        self.current = Some(path);
        self.start_file(file)
    }

    fn start_file(&mut self, file: File) -> Result<(), Error> {
        let is_input = file.metadata().ok().and_then(|metadata| FileId::of(&metadata));
        if is_input.is_some_and(|id| self.inputs.contains(&id)) {
            return Err(Error::OutputIsInput { name: self.name.clone() });
        }
        let target =
            Target::new(file, self.signals.clone()).map_err(|source| self.error(source))?;
        let encoder = Encoder::new(target, self.compression);
        self.encoder = Some(encoder.map_err(|source| self.error(source))?);
        Ok(())
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Output { name: self.name.clone(), source }
    }
}

/// Length of the whole lines at the start of `bytes`.
fn whole_lines_len(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |index| index + 1)
}
