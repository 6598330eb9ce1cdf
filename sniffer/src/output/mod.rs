//! Where the stream goes: files one after the other, or standard output, in large writes, never
//! ending in half a line where that can be helped.

mod compression;
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

/// Buffered bytes are written from here on; a line is never split by choice.
const FULL_LEN: usize = 256 << 10;

/// So old the last bytes may be of what can be read of a compressed file that is being written.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Where the output goes, and in which form.
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

/// An open output and the lines that are on their way there.
pub(crate) struct Output {
    /// `None` between two files only.
    encoder: Option<Encoder<Target>>,
    compression: Compression,
    /// For messages.
    name: String,
    /// Files that follow; `None` for standard output.
    namer: Option<FileNamer>,
    /// The current file.
    current: Option<OutputPath>,
    /// Bytes from which on a file is full.
    full_len: Option<u64>,
    buffer: Vec<u8>,
    /// When the encoder last handed on all that it had.
    flushed: Instant,
    signals: Option<Signals>,
}

impl Output {
    /// Opens standard output, or creates the file, readable by its owner only. One that exists is an
    /// error unless that is forced. Opening a pipe waits for its reader.
    pub(crate) fn open(options: &Options) -> Result<Self, Error> {
        let path = options.path.as_deref();
        let ending = path.and_then(|path| Compression::from_extension(path.extension()?));
        let compression = options.compression.or(ending).unwrap_or(Compression::None);
        let mut output = Self {
            encoder: None,
            compression,
            name: "standard output".to_owned(),
            namer: path.map(|path| FileNamer::new(path, options.rotation, options.overwrite)),
            current: None,
            full_len: options.rotation.size,
            buffer: Vec::with_capacity(FULL_LEN + (4 << 10)),
            flushed: Instant::now(),
            signals: None,
        };
        if output.namer.is_some() {
            output.open_next()?;
        } else {
            let file = io::stdout().as_fd().try_clone_to_owned();
            let file = file.map_err(|source| output.failed(source))?;
            output.begin(Target::new(File::from(file), false, None))?;
        }
        Ok(output)
    }

    /// From now on a signal ends the wait for a reader that does not read.
    pub(crate) fn set_signals(&mut self, signals: Signals) {
        self.signals = Some(signals.clone());
        if let Some(encoder) = &mut self.encoder {
            encoder.inner_mut().signals = Some(signals);
        }
    }

    /// Whether there can be a next file.
    pub(crate) fn can_rotate(&self) -> bool {
        self.namer.is_some()
            && self.encoder.as_ref().is_some_and(|encoder| encoder.inner().is_regular)
    }

    /// Whether the file has as many bytes as it was meant to have.
    pub(crate) fn is_full(&self) -> bool {
        let Some(full_len) = self.full_len else { return false };
        let Some(encoder) = &self.encoder else { return false };
        // What compression will make of the lines in the buffer is not known.
        let waiting = if encoder.is_plain() { self.buffer.len() as u64 } else { 0 };
        full_len <= encoder.inner().written_len + waiting
    }

    /// Appends what `write` puts into the buffer: whole lines.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        write(&mut self.buffer);
        if FULL_LEN <= self.buffer.len() { self.write_buffer() } else { Ok(()) }
    }

    /// Writes what is buffered. A file that cannot take all of it keeps the lines that fit.
    ///
    /// Of a compressed output some stays in the encoder, for [`MAX_AGE`] at most.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        if !encoder.is_plain() && MAX_AGE <= self.flushed.elapsed() {
            self.flushed = Instant::now();
            let flushed = encoder.flush();
            return flushed.map_err(|source| self.failed(source));
        }
        Ok(())
    }

    fn write_buffer(&mut self) -> Result<(), Error> {
        let Some(encoder) = &mut self.encoder else { return Ok(()) };
        let before = encoder.inner().written_len;
        let written = encoder.write_all(&self.buffer);
        if written.is_err() && encoder.is_plain() && encoder.inner().is_regular {
            let done = usize::try_from(encoder.inner().written_len - before).unwrap_or(0);
            let whole = whole_lines_len(&self.buffer[..done.min(self.buffer.len())]);
            encoder.inner_mut().truncate(before + whole as u64);
        }
        self.buffer.clear();
        written.map_err(|source| self.failed(source))
    }

    /// Completes the file and begins the next one.
    pub(crate) fn rotate(&mut self) -> Result<(), Error> {
        self.finish()?;
        self.open_next()
    }

    /// Writes all that there is, and gives the file its name.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        self.write_buffer()?;
        if let Some(encoder) = self.encoder.take() {
            encoder.finish().map_err(|source| self.failed(source))?;
        }
        match self.current.take() {
            Some(OutputPath { path, final_path, .. }) if path != final_path => {
                fs::rename(&path, &final_path).map_err(|source| self.failed(source))
            }
            _ => Ok(()),
        }
    }

    fn open_next(&mut self) -> Result<(), Error> {
        let Some(namer) = &mut self.namer else { return Ok(()) };
        let next = namer.next()?;
        self.name = next.path.display().to_string();
        let file = create(&next)?;
        let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        self.current = Some(next);
        self.begin(Target::new(file, is_regular, self.signals.clone()))
    }

    fn begin(&mut self, target: Target) -> Result<(), Error> {
        let encoder = Encoder::new(target, self.compression);
        self.encoder = Some(encoder.map_err(|source| self.failed(source))?);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Output { name: self.name.clone(), source }
    }
}

/// Length of the whole lines at the front of `bytes`.
fn whole_lines_len(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |position| position + 1)
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
