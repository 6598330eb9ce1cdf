//! Where the stream goes: a file or standard output, in large writes, never ending in half a line
//! where that can be helped.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cli::Common;
use crate::signals::Signals;

/// Bytes that a pipe which is ready takes without waiting (pipe(7)).
const PIPE_BUF: usize = 4096;

/// Buffered bytes are written from here on; a line is never split by choice.
const FULL_LEN: usize = 256 << 10;

/// An open output and the lines that are on their way there.
#[derive(Debug)]
pub(crate) struct Output {
    file: File,
    /// For messages.
    name: String,
    /// Whether a cut line can be taken back: true of files that this program opened.
    is_regular: bool,
    /// Bytes of whole lines in the file.
    written_len: u64,
    buffer: Vec<u8>,
    /// Heard while a pipe takes no more bytes.
    signals: Option<Signals>,
}

impl Output {
    /// Opens standard output, or creates the file, readable by its owner only. One that exists is an
    /// error unless that is forced. Opening a pipe waits for its reader.
    pub(crate) fn open(common: &Common<'_>) -> Result<Self, Error> {
        let path = common.output.map(PathBuf::as_path);
        let (file, name) = match path {
            None => {
                let name = "standard output".to_owned();
                match io::stdout().as_fd().try_clone_to_owned() {
                    Ok(fd) => (File::from(fd), name),
                    Err(source) => return Err(Error::Output { name, source }),
                }
            }
            Some(path) => (create(path, common.is_forced)?, path.display().to_string()),
        };
        let is_regular = path.is_some() && file.metadata().is_ok_and(|metadata| metadata.is_file());
        let buffer = Vec::with_capacity(FULL_LEN + (4 << 10));
        Ok(Self { file, name, is_regular, written_len: 0, buffer, signals: None })
    }

    /// From now on a signal ends the wait for a reader that does not read.
    pub(crate) fn heed(&mut self, signals: Signals) {
        self.signals = Some(signals);
    }

    /// Appends what `write` puts into the buffer: whole lines.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), Error> {
        write(&mut self.buffer);
        if FULL_LEN <= self.buffer.len() { self.flush() } else { Ok(()) }
    }

    /// Writes what is buffered. A file that cannot take all of it keeps the lines that fit.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        let mut done = 0;
        while done < self.buffer.len() {
            let mut rest = &self.buffer[done..];
            if let Some(signals) = self.signals.as_ref().filter(|_| !self.is_regular) {
                if !signals.wait_until_writable(self.file.as_fd())? {
                    return Err(self.failed(io::ErrorKind::TimedOut.into(), done));
                }
                // What is ready takes as much at once, and does not block (pipe(7)).
                rest = &rest[..rest.len().min(PIPE_BUF)];
            }
            match self.file.write(rest) {
                Ok(0) => return Err(self.failed(io::ErrorKind::WriteZero.into(), done)),
                Ok(len) => done += len,
                // A pipe that somebody made so: it is waited for anew.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                    ) => {}
                Err(error) => return Err(self.failed(error, done)),
            }
        }
        self.written_len += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn failed(&mut self, source: io::Error, done: usize) -> Error {
        if self.is_regular {
            let whole = whole_lines_len(&self.buffer[..done]);
            self.written_len += whole as u64;
            // The error to be told is the first one; a cut line that stays is what readers expect.
            let _ = self.file.set_len(self.written_len);
        }
        self.buffer.clear();
        Error::Output { name: self.name.clone(), source }
    }
}

/// Length of the whole lines at the front of `bytes`.
fn whole_lines_len(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |position| position + 1)
}

fn create(path: &Path, is_forced: bool) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    if is_forced {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists if !path.is_dir() => {
            Error::OutputExists { path: path.to_owned() }
        }
        io::ErrorKind::AlreadyExists => Error::Output {
            name: path.display().to_string(),
            source: io::ErrorKind::IsADirectory.into(),
        },
        _ => Error::Output { name: path.display().to_string(), source },
    })
}
