//! The output: standard output, or a file that rotation replaces by the next. Lines are buffered
//! and written in large pieces; a file that cannot take all of them ends after a whole line.
//!
//! `options` prepares an output, and `special` opens what is not a regular file. For the others,
//! `recovery` completes the files of an interrupted run, `file_namer` chooses the paths, and `create`
//! creates, locks and renames files.
//!
//! ```text
//! Options::prepare -> sandbox -> Output::open
//! ```

mod compression;
mod create;
mod directory;
mod extensions;
mod file_id;
mod file_namer;
mod options;
mod recovery;
mod signature;
mod special;
mod target;
mod template;

pub(crate) use compression::Compression;
pub(crate) use file_id::FileId;
pub(crate) use file_namer::Rotation;
pub(crate) use options::{Options, PreparedOutput};
pub(crate) use template::{expand, expand_host};

use compression::Encoder;
use file_namer::{FileNamer, OutputPath};
use nix::sys::epoll::Epoll;
use nix::sys::signal::{SigSet, Signal};
use recovery::{Part, Unfinished};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use target::Target;

use crate::Error;
use crate::signals::Signals;

/// The buffer is written once it holds this many bytes.
const BUFFER_LEN: usize = 256 << 10;

/// Longest time that lines stay in the buffer during a live capture. The kernel hands over packets
/// within 40 ms. The sum of both limits how much is lost if the process is killed.
const MAX_BUFFER_AGE: Duration = Duration::from_millis(20);

/// Attempts to find a free final name for a complete file.
const MAX_RENAME_ATTEMPTS: u32 = 16;

/// Longest time that lines stay in the encoder during a live capture: a flush costs compression. It is
/// shorter than the time in which the kernel hands over packets, so that one flush follows each time.
const MAX_ENCODER_AGE: Duration = Duration::from_millis(30);

/// Lines at the end of an output that could not be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostLines {
    pub(crate) count: u64,
    /// False if the count is an upper limit: some of the lines may be in the compressed output.
    pub(crate) is_exact: bool,
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
    /// Lines that a compressing encoder has taken since then.
    unflushed_lines: u64,
    lost_lines: LostLines,
    /// Files of an interrupted run that are complete now.
    recovered: Vec<PathBuf>,
    /// Unfinished files that this run does not complete.
    untrusted: Vec<PathBuf>,
    signals: Option<Signals>,
}

impl Output {
    /// Opens standard output or a special file, or creates a file that only its owner can read. Then
    /// completes the files of an interrupted run.
    ///
    /// # Errors
    ///
    /// If the file cannot be created, or another one cannot be completed.
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
        let PreparedOutput { namer, special, hangup, unfinished, .. } = prepared;
        let Unfinished { parts, untrusted } = unfinished;
        let mut output = Self {
            encoder: None,
            compression,
            name: options.name(),
            namer,
            current: None,
            inputs: options.inputs.clone(),
            max_file_len: options.rotation.size,
            buffer: Vec::with_capacity(BUFFER_LEN + (4 << 10)),
            written_at: now,
            flushed_at: now,
            unflushed_lines: 0,
            lost_lines: LostLines::default(),
            recovered: Vec::new(),
            untrusted,
            signals: signals.cloned(),
        };
        if output.namer.is_some() {
            if let Err(error) = output.open_first(parts) {
                output.discard();
                return Err(error);
            }
            return Ok(output);
        }
        let file =
            special.map_or_else(|| io::stdout().as_fd().try_clone_to_owned().map(File::from), Ok);
        output.start_file(file.map_err(|source| output.error(source))?, hangup)?;
        Ok(output)
    }

    /// Creates the first file, and completes the unfinished ones of an interrupted run.
    fn open_first(&mut self, parts: Vec<Part>) -> Result<(), Error> {
        let mut parts = VecDeque::from(parts);
        let Some(namer) = &mut self.namer else { return Ok(()) };
        // If each name of a ring has an unfinished file, the oldest must make way.
        while namer.ring_count().is_some_and(|count| count as usize <= parts.len())
            && let Some(part) = parts.pop_front()
        {
            self.recovered.extend(part.complete(namer, self.signals.as_ref())?);
        }
        let first = namer.next()?;
        if let Some(index) = parts.iter().position(|part| part.path() == first.path)
            && let Some(part) = parts.remove(index)
        {
            self.recovered.extend(part.complete(namer, self.signals.as_ref())?);
        }
        // The first file exists before the others are complete: at any moment, one unfinished file
        // shows that a run has not ended properly.
        self.open_file(first)?;
        let Some(namer) = &mut self.namer else { return Ok(()) };
        for part in parts {
            self.recovered.extend(part.complete(namer, self.signals.as_ref())?);
        }
        Ok(())
    }

    /// Files that an interrupted run left unfinished, and that are complete now.
    pub(crate) fn recovered(&self) -> &[PathBuf] {
        &self.recovered
    }

    /// Unfinished files that anyone may have created. They are not completed.
    pub(crate) fn untrusted(&self) -> &[PathBuf] {
        &self.untrusted
    }

    /// Lines that could not be written.
    pub(crate) fn lost_lines(&self) -> LostLines {
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

    /// When lines in the encoder are to be flushed; `None` if there are none.
    pub(crate) fn flush_due(&self) -> Option<Instant> {
        (0 < self.unflushed_lines).then(|| self.flushed_at + MAX_ENCODER_AGE)
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
        match self.flush_due() {
            Some(due) if due <= Instant::now() => self.flush_encoder(),
            _ => Ok(()),
        }
    }

    /// Writes the buffered lines and those in the encoder.
    pub(crate) fn flush_all(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.flush_encoder()
    }

    fn flush_encoder(&mut self) -> Result<(), Error> {
        self.flushed_at = Instant::now();
        let flushed = self.encoder.as_mut().map_or(Ok(()), Encoder::flush);
        self.on_flushed(flushed)
    }

    /// Accounts for the lines in the encoder after it wrote them, or failed to.
    fn on_flushed(&mut self, flushed: io::Result<()>) -> Result<(), Error> {
        let lines = std::mem::take(&mut self.unflushed_lines);
        flushed.map_err(|source| {
            self.lost_lines = LostLines { count: self.lost_lines.count + lines, is_exact: false };
            self.error(source)
        })
    }

    /// Writes the buffered lines. If a file cannot take them all, it keeps those that fit.
    fn write_buffer(&mut self) -> Result<(), Error> {
        let is_created_file = self.can_rotate();
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let before = encoder.inner().written_len();
        let written = encoder.write_all(&self.buffer);
        if !encoder.is_plain() {
            self.unflushed_lines += count_lines(&self.buffer);
        } else if written.is_err() {
            let done = usize::try_from(encoder.inner().written_len() - before).unwrap_or(0);
            let (done, rest) = self.buffer.split_at(done.min(self.buffer.len()));
            self.lost_lines = LostLines { count: count_lines(rest), is_exact: true };
            if is_created_file {
                encoder.inner_mut().truncate(before + whole_lines_len(done) as u64);
            }
        }
        self.buffer.clear();
        self.written_at = Instant::now();
        match written {
            Err(error) if 0 < self.unflushed_lines => self.on_flushed(Err(error)),
            written => written.map_err(|source| self.error(source)),
        }
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
        if let Err(error) = self.finish() {
            if created.is_ok() {
                // Nothing has been written to it.
                let _ = std::fs::remove_file(&next.path);
            }
            return Err(error);
        }
        self.use_file(created?, next)
    }

    /// Writes all buffered bytes, and gives the file its final name.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        if let Some(encoder) = self.encoder.take() {
            self.on_flushed(encoder.finish().map(drop))?;
        }
        let Some(OutputPath { path, final_path, .. }) = self.current.take() else {
            return Ok(());
        };
        if path == final_path { Ok(()) } else { self.rename(&path, final_path) }
    }

    /// Gives a complete file its final name; the next free one if another program took it.
    fn rename(&mut self, from: &Path, to: PathBuf) -> Result<(), Error> {
        let Some(namer) = &mut self.namer else { return Ok(()) };
        let mut to = to;
        for _ in 0..MAX_RENAME_ATTEMPTS {
            match create::rename(from, &to, namer.may_replace(&to)) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    to = namer.next()?.final_path;
                }
                Err(source) => return Err(Error::Rename { from: from.to_owned(), to, source }),
                Ok(()) => {
                    namer.add_ring_file(&to);
                    return Ok(());
                }
            }
        }
        Err(Error::OutputExists { path: to })
    }

    /// Removes the current file, for a run that cannot start.
    pub(crate) fn discard(self) {
        if let Some(OutputPath { path, .. }) = &self.current {
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
        self.start_file(file, None)
    }

    fn start_file(&mut self, file: File, hangup: Option<Epoll>) -> Result<(), Error> {
        let is_input = file.metadata().ok().and_then(|metadata| FileId::of(&metadata));
        if is_input.is_some_and(|id| self.inputs.contains(&id)) {
            return Err(Error::OutputIsInput { name: self.name.clone() });
        }
        let target =
            Target::new(file, hangup, self.signals.clone()).map_err(|source| self.error(source))?;
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

/// The number of lines in `bytes`, which end with a line feed.
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
