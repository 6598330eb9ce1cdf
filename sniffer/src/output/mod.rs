//! The output: standard output, or a file that rotation replaces by the next. Lines are buffered
//! and written in large pieces; a file that cannot take all of them ends after a whole line.

mod compression;
mod directory;
mod file_namer;
mod target;

pub(crate) use compression::Compression;
pub(crate) use file_namer::{Rotation, strftime};

use compression::Encoder;
use file_namer::{FileNamer, OutputPath};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use target::Target;

use crate::Error;
use crate::signals::Signals;

/// The buffer is written once it holds this many bytes.
const BUFFER_LEN: usize = 256 << 10;

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
}

/// An open output with its buffered lines.
pub(crate) struct Output {
    /// `None` only between two files.
    encoder: Option<Encoder<Target>>,
    compression: Compression,
    /// The name of the current file, for messages.
    name: String,
    /// Names the files; `None` for standard output.
    namer: Option<FileNamer>,
    /// The current file; `None` for standard output.
    current: Option<OutputPath>,
    /// Size in bytes from which on a file is full.
    max_file_len: Option<u64>,
    buffer: Vec<u8>,
    /// When the encoder was last flushed.
    flushed_at: Instant,
    signals: Option<Signals>,
}

impl Output {
    /// Opens standard output, or creates the file, readable only by its owner. Opening a named pipe
    /// blocks until it has a reader.
    ///
    /// # Errors
    ///
    /// If the file cannot be created, or exists and may not be overwritten.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let path = options.path.as_deref();
        let extension = path.and_then(|path| Compression::from_extension(path.extension()?));
        let compression = options.compression.or(extension).unwrap_or(Compression::None);
        let mut output = Self {
            encoder: None,
            compression,
            name: "standard output".to_owned(),
            namer: path.map(|path| FileNamer::new(path, options.rotation, options.overwrite)),
            current: None,
            max_file_len: options.rotation.size,
            buffer: Vec::with_capacity(BUFFER_LEN + (4 << 10)),
            flushed_at: Instant::now(),
            signals: None,
        };
        if output.namer.is_some() {
            output.open_next()?;
        } else {
            let file = io::stdout().as_fd().try_clone_to_owned();
            let file = file.map_err(|source| output.error(source))?;
            output.start_file(Target::new(File::from(file), None))?;
        }
        Ok(output)
    }

    /// From now on a termination signal limits how long a write may block.
    pub(crate) fn set_signals(&mut self, signals: Signals) {
        self.signals = Some(signals.clone());
        if let Some(encoder) = &mut self.encoder {
            encoder.inner_mut().set_signals(signals);
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
            self.flushed_at = Instant::now();
            let flushed = encoder.flush();
            return flushed.map_err(|source| self.error(source));
        }
        Ok(())
    }

    /// Writes the buffered lines. If a file cannot take them all, it keeps those that fit.
    fn write_buffer(&mut self) -> Result<(), Error> {
        let is_created_file = self.can_rotate();
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let before = encoder.inner().written_len();
        let written = encoder.write_all(&self.buffer);
        if written.is_err() && is_created_file && encoder.is_plain() {
            let done = usize::try_from(encoder.inner().written_len() - before).unwrap_or(0);
            let whole = whole_lines_len(&self.buffer[..done.min(self.buffer.len())]);
            encoder.inner_mut().truncate(before + whole as u64);
        }
        self.buffer.clear();
        written.map_err(|source| self.error(source))
    }

    /// Completes the current file and starts the next one.
    pub(crate) fn rotate(&mut self) -> Result<(), Error> {
        self.finish()?;
        self.open_next()
    }

    /// Writes all buffered bytes, and gives the file its final name.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        if let Some(encoder) = self.encoder.take() {
            encoder.finish().map_err(|source| self.error(source))?;
        }
        match self.current.take() {
            Some(OutputPath { path, final_path, .. }) if path != final_path => {
                fs::rename(&path, &final_path).map_err(|source| self.error(source))
            }
            _ => Ok(()),
        }
    }

    fn open_next(&mut self) -> Result<(), Error> {
        let Some(namer) = &mut self.namer else { return Ok(()) };
        let next = namer.next()?;
        self.name = next.path.display().to_string();
        let file = create(&next)?;
        self.current = Some(next);
        self.start_file(Target::new(file, self.signals.clone()))
    }

    fn start_file(&mut self, target: Target) -> Result<(), Error> {
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

fn create(output: &OutputPath) -> Result<File, Error> {
    let path = &output.path;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if output.overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists if !path.is_dir() => {
            Error::OutputExists { path: path.clone() }
        }
        io::ErrorKind::AlreadyExists => Error::Output {
            name: path.display().to_string(),
            source: io::ErrorKind::IsADirectory.into(),
        },
        _ => Error::Output { name: path.display().to_string(), source },
    })
}
