//! The file, pipe or terminal that the output is written to.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;

use crate::signals::{DRAIN_TIMEOUT, Signals};

/// Bytes that a write to a pipe takes without blocking once the pipe is writable (pipe(7)).
const PIPE_BUF: usize = 4096;

/// A writer whose blocking writes end if a signal arrives and nobody reads.
#[derive(Debug)]
pub(super) struct Target {
    file: File,
    is_regular: bool,
    written_len: u64,
    signals: Option<Signals>,
}

impl Target {
    pub(super) fn new(file: File, signals: Option<Signals>) -> Self {
        let is_regular = file.metadata().is_ok_and(|metadata| metadata.is_file());
        Self { file, is_regular, written_len: 0, signals }
    }

    /// From now on a termination signal limits how long a write may block.
    pub(super) fn set_signals(&mut self, signals: Signals) {
        self.signals = Some(signals);
    }

    /// Whether this is a regular file, which is always writable.
    pub(super) fn is_regular(&self) -> bool {
        self.is_regular
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Bytes written so far.
    pub(super) fn written_len(&self) -> u64 {
        self.written_len
    }

    /// Truncates the file to `len` bytes. Only for regular files that this program created.
    pub(super) fn truncate(&mut self, len: u64) {
        self.written_len = len;
        // The caller reports the error that made it truncate; readers expect a partial last line.
        let _ = self.file.set_len(len);
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut bytes = bytes;
            if let Some(signals) = self.signals.as_ref().filter(|_| !self.is_regular) {
                if !signals.wait_until_writable(self.file.as_fd()).map_err(io::Error::other)? {
                    let message = format!("nobody read it for {} s", DRAIN_TIMEOUT.as_secs());
                    return Err(io::Error::new(io::ErrorKind::TimedOut, message));
                }
                bytes = &bytes[..bytes.len().min(PIPE_BUF)];
            }
            match self.file.write(bytes) {
                Ok(len) => {
                    self.written_len += len as u64;
                    return Ok(len);
                }
                // The pipe was opened non-blocking by another process, and was filled since.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::OwnedFd;

    #[test]
    fn regular_files_take_large_writes_at_once() {
        let file = tempfile::tempfile().unwrap();
        let mut target = Target::new(file, Some(Signals::catch(false).unwrap()));
        assert_eq!(target.write(&vec![b'.'; 1 << 20]).unwrap(), 1 << 20);
        assert_eq!(target.written_len(), 1 << 20);
    }

    #[test]
    fn pipes_take_what_cannot_block() {
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(writer));
        let mut target = Target::new(file, Some(Signals::catch(false).unwrap()));
        assert_eq!(target.write(&vec![b'.'; 1 << 20]).unwrap(), PIPE_BUF);
    }
}
