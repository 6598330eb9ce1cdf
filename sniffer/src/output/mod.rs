//! An output: standard output, or a file that rotation replaces by the next; for lines also memory, which
//! gets a copy or replaces the file. Lines or blocks are buffered and written in large pieces; a file that
//! cannot take all of them ends after a whole one.
//!
//! `options` prepares an output, `open` opens it, and `special` opens files that are not regular. For
//! regular files, `recovery` completes those of an interrupted run, `file_namer` chooses the paths, and
//! `create` creates, locks and renames files.
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
mod framing;
mod open;
mod options;
mod recovery;
mod signature;
mod special;
mod target;
mod template;
mod whole_units;

pub(crate) use compression::Compression;
pub(crate) use file_id::FileId;
pub(crate) use file_namer::Rotation;
pub(crate) use framing::Framing;
pub(crate) use options::{Options, PreparedOutput};
pub(crate) use target::watch_reader;
pub(crate) use template::{expand, expand_host};

use compression::Encoder;
use file_namer::{FileNamer, OutputPath};
use nix::sys::epoll::Epoll;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use target::Target;

use crate::Error;
use crate::line_buffer::LineBuffer;
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

/// Lines or packets at the end of an output that could not be written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    pub(crate) count: u64,
    /// False if the count is an upper limit: some of them may be in the compressed output.
    pub(crate) is_exact: bool,
}

/// An open output with its buffered lines or blocks. After an error, it takes no more of them.
pub(crate) struct Output {
    /// `None` between two files, and if there is only a copy in memory.
    encoder: Option<Encoder<Target>>,
    /// Gets all lines, also those that could not be written.
    copy: Option<LineBuffer>,
    compression: Compression,
    framing: Framing,
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
    /// Lines or packets that a compressing encoder has taken since then.
    unflushed: u64,
    lost: Lost,
    /// Nothing can be written to the file any more.
    has_failed: bool,
    /// Files of an interrupted run that are complete now.
    recovered: Vec<PathBuf>,
    /// Unfinished files that this run does not complete.
    untrusted: Vec<PathBuf>,
    signals: Option<Signals>,
}

impl Output {
    /// Files that an interrupted run left unfinished, and that are complete now.
    pub(crate) fn recovered(&self) -> &[PathBuf] {
        &self.recovered
    }

    /// Unfinished files that anyone may have created. They are not completed.
    pub(crate) fn untrusted(&self) -> &[PathBuf] {
        &self.untrusted
    }

    /// Lines or packets that could not be written.
    pub(crate) fn lost(&self) -> Lost {
        self.lost
    }

    /// The units that the output consists of.
    pub(crate) fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether an error has made the output unusable.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed && self.copy.is_none()
    }

    /// A descriptor that becomes readable when the reader of a pipe or socket goes away.
    pub(crate) fn hangup_fd(&self) -> Option<BorrowedFd<'_>> {
        self.encoder.as_ref()?.inner().hangup_fd()
    }

    /// Fails if the reader of a pipe or socket has gone away.
    pub(crate) fn check_reader(&mut self) -> Result<(), Error> {
        let Some(encoder) = self.encoder.as_ref().filter(|_| !self.has_failed) else {
            return Ok(());
        };
        let result = encoder.inner().check_reader().map_err(|source| self.error(source));
        self.note_failure(result)
    }

    fn note_failure(&mut self, result: Result<(), Error>) -> Result<(), Error> {
        self.has_failed |= result.is_err();
        result
    }

    /// Whether lines are in the buffer for so long that they are to be written.
    pub(crate) fn is_flush_due(&self, now: Instant) -> bool {
        !self.buffer.is_empty() && MAX_BUFFER_AGE <= now.saturating_duration_since(self.written_at)
    }

    /// When lines in the encoder are to be flushed; `None` if there are none.
    pub(crate) fn flush_due(&self) -> Option<Instant> {
        (0 < self.unflushed && !self.has_failed).then(|| self.flushed_at + MAX_ENCODER_AGE)
    }

    /// Sets the number of packets that SIGUSR1 reports while the output is blocked.
    pub(crate) fn set_packet_count(&self, count: u64) {
        if let Some(signals) = &self.signals {
            signals.set_packet_count(count);
        }
    }

    /// Whether the output creates files, and can continue in another one.
    pub(crate) fn creates_files(&self) -> bool {
        self.namer.is_some()
    }

    /// Whether the current file is one that the output has created.
    fn is_created_file(&self) -> bool {
        self.creates_files()
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

    /// Appends whole lines or blocks, which `write` puts into the buffer. Returns its result.
    pub(crate) fn append<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> Result<T, Error> {
        let value = write(&mut self.buffer);
        if BUFFER_LEN <= self.buffer.len() {
            self.write_buffer()?;
        }
        Ok(value)
    }

    /// Appends whole lines that the copy in memory does not get.
    pub(crate) fn append_to_file(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        if self.copy.is_none() {
            return self.append(write);
        }
        let flushed = self.write_buffer();
        let copy = self.copy.take();
        let written = flushed.and_then(|()| self.append(write)).and_then(|()| self.write_buffer());
        self.copy = copy;
        written
    }

    /// Appends whole lines that only the copy in memory gets, if there is one.
    pub(crate) fn append_to_copy(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        let Some(copy) = self.copy.clone() else { return Ok(()) };
        let flushed = self.write_buffer();
        let mut lines = Vec::new();
        write(&mut lines);
        copy.append(&lines);
        flushed
    }

    /// Writes the buffer. The encoder of a compressed output may keep bytes for [`MAX_ENCODER_AGE`].
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        match self.flush_due() {
            Some(due) if due <= Instant::now() => self.flush_encoder(),
            _ => Ok(()),
        }
    }

    /// Writes the buffer and what the encoder keeps.
    pub(crate) fn flush_all(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        self.flush_encoder()
    }

    fn flush_encoder(&mut self) -> Result<(), Error> {
        if self.has_failed {
            return Ok(());
        }
        self.flushed_at = Instant::now();
        let flushed = self.encoder.as_mut().map_or(Ok(()), Encoder::flush);
        self.on_flushed(flushed)
    }

    /// Accounts for what the encoder keeps after it wrote that, or failed to.
    fn on_flushed(&mut self, flushed: io::Result<()>) -> Result<(), Error> {
        let count = std::mem::take(&mut self.unflushed);
        flushed.map_err(|source| {
            self.has_failed = true;
            self.lost = Lost { count: self.lost.count + count, is_exact: false };
            self.error(source)
        })
    }

    /// Writes the buffer. If a file cannot take it all, it keeps the lines or blocks that fit.
    fn write_buffer(&mut self) -> Result<(), Error> {
        if let Some(copy) = &self.copy {
            copy.append(&self.buffer);
        }
        let is_created_file = self.is_created_file();
        let framing = self.framing;
        let Some(encoder) = self.encoder.as_mut().filter(|_| !self.has_failed) else {
            self.buffer.clear();
            self.written_at = Instant::now();
            return Ok(());
        };
        let before = encoder.inner().written_len();
        let written = encoder.write_all(&self.buffer);
        if !encoder.is_plain() {
            self.unflushed += framing.count(&self.buffer);
        } else if written.is_err() {
            let done = usize::try_from(encoder.inner().written_len() - before).unwrap_or(0);
            let whole = framing.whole_len(&self.buffer, done.min(self.buffer.len()));
            self.lost = Lost { count: framing.count(&self.buffer[whole..]), is_exact: true };
            if is_created_file {
                encoder.inner_mut().truncate(before + whole as u64);
            }
        }
        self.buffer.clear();
        self.written_at = Instant::now();
        match written {
            Err(error) if 0 < self.unflushed => self.on_flushed(Err(error)),
            Err(source) => {
                self.has_failed = true;
                Err(self.error(source))
            }
            Ok(()) => Ok(()),
        }
    }

    /// Completes the current file and starts the next one.
    pub(crate) fn rotate(&mut self) -> Result<(), Error> {
        let rotated = self.start_next_file();
        self.note_failure(rotated)
    }

    fn start_next_file(&mut self) -> Result<(), Error> {
        if self.has_failed {
            return Ok(());
        }
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
        if self.has_failed {
            return Ok(());
        }
        if let Some(encoder) = self.encoder.take() {
            self.on_flushed(encoder.finish().map(drop))?;
        }
        let Some(OutputPath { path, final_path, .. }) = self.current.take() else {
            return Ok(());
        };
        if path == final_path {
            return Ok(());
        }
        let renamed = self.rename(&path, final_path);
        self.note_failure(renamed)
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
