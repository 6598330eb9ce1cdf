//! Where the stream goes: a file or standard output, in large writes, never ending in half a line
//! where that can be helped.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::Error;
use crate::cli::Common;
use crate::signals::wait_until_writable;

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
        Ok(Self { file, name, is_regular, written_len: 0, buffer })
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
            match self.file.write(&self.buffer[done..]) {
                Ok(0) => return Err(self.failed(io::ErrorKind::WriteZero.into(), done)),
                Ok(len) => done += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Somebody made the pipe so; waiting is what would have been done otherwise.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    wait_until_writable(self.file.as_fd())?;
                }
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
