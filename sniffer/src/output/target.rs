//! The file, pipe or terminal that takes the bytes.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use crate::signals::Signals;

/// Bytes that a pipe which is ready takes without waiting (pipe(7)).
const PIPE_BUF: usize = 4096;

/// Takes bytes, and hears signals while it waits.
#[derive(Debug)]
pub(super) struct Target {
    file: File,
    /// Whether bytes can be taken back: true of files that this program opened.
    pub(super) is_regular: bool,
    /// Bytes taken so far.
    pub(super) written_len: u64,
    /// Heard while a pipe takes no more bytes.
    pub(super) signals: Option<Signals>,
}

impl Target {
    pub(super) fn new(file: File, is_regular: bool, signals: Option<Signals>) -> Self {
        Self { file, is_regular, written_len: 0, signals }
    }

    /// Takes bytes back: the file ends at `len`.
    pub(super) fn truncate(&mut self, len: u64) {
        self.written_len = len;
        // The error to be told is the one before; a cut line that stays is what readers expect.
        let _ = self.file.set_len(len);
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut bytes = bytes;
            if let Some(signals) = self.signals.as_ref().filter(|_| !self.is_regular) {
                if !signals.wait_until_writable(self.file.as_fd()).map_err(io::Error::other)? {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                // What is ready takes as much at once, and does not block (pipe(7)).
                bytes = &bytes[..bytes.len().min(PIPE_BUF)];
            }
            match self.file.write(bytes) {
                Ok(len) => {
                    self.written_len += len as u64;
                    return Ok(len);
                }
                // A pipe that somebody made so: it is waited for anew.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
