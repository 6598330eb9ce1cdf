//! The file, pipe or terminal that the output is written to.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;

use crate::progress::report_blocked;
use crate::signals::Signals;

/// Bytes that a write to a pipe takes without blocking once the pipe is writable (pipe(7)).
const PIPE_BUF: usize = 4096;

/// A writer whose blocking writes end if a signal arrives and nobody reads.
#[derive(Debug)]
pub(super) struct Target {
    file: File,
    is_regular: bool,
    /// Becomes readable when the reader of a pipe or socket goes away; `None` for other files, or if
    /// nobody watches.
    /// Polling the file itself could report input from a terminal or the peer of a socket.
    hangup: Option<Epoll>,
    written_len: u64,
    signals: Option<Signals>,
}

impl Target {
    pub(super) fn new(file: File, signals: Option<Signals>) -> io::Result<Self> {
        let is_regular = file.metadata()?.is_file();
        Ok(Self { file, is_regular, hangup: None, written_len: 0, signals })
    }

    /// From now on [`Self::hangup_fd`] and [`Self::check_reader`] notice that the reader of a pipe or
    /// socket went away.
    pub(super) fn watch_reader(&mut self) -> io::Result<()> {
        let file_type = self.file.metadata()?.file_type();
        if file_type.is_fifo() || file_type.is_socket() {
            let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
            // EPOLLERR and EPOLLHUP are always reported.
            epoll.add(&self.file, EpollEvent::new(EpollFlags::empty(), 0))?;
            self.hangup = Some(epoll);
        }
        Ok(())
    }

    /// A descriptor that becomes readable when the reader of a pipe or socket goes away.
    pub(super) fn hangup_fd(&self) -> Option<BorrowedFd<'_>> {
        self.hangup.as_ref().map(|epoll| epoll.0.as_fd())
    }

    /// Fails with [`io::ErrorKind::BrokenPipe`] if the reader of a pipe or socket has gone away.
    pub(super) fn check_reader(&self) -> io::Result<()> {
        if self.hangup.is_none() {
            return Ok(());
        }
        let mut fds = [PollFd::new(self.file.as_fd(), PollFlags::empty())];
        poll(&mut fds, PollTimeout::ZERO)?;
        match fds[0].any() {
            Some(true) => Err(io::ErrorKind::BrokenPipe.into()),
            _ => Ok(()),
        }
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
                if !signals
                    .wait_until_writable(self.file.as_fd(), report_blocked)
                    .map_err(io::Error::other)?
                {
                    let message = "nobody read it after the signal to stop";
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
        let mut target = Target::new(file, Some(Signals::catch(false).unwrap())).unwrap();
        assert_eq!(target.write(&vec![b'.'; 1 << 20]).unwrap(), 1 << 20);
        assert_eq!(target.written_len(), 1 << 20);
    }

    #[test]
    fn pipes_take_what_cannot_block() {
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(writer));
        let mut target = Target::new(file, Some(Signals::catch(false).unwrap())).unwrap();
        assert_eq!(target.write(&vec![b'.'; 1 << 20]).unwrap(), PIPE_BUF);
    }

    #[test]
    fn a_reader_that_goes_away_is_noticed_without_writing() {
        let (reader, writer) = io::pipe().unwrap();
        let mut target = Target::new(File::from(OwnedFd::from(writer)), None).unwrap();
        target.watch_reader().unwrap();
        let is_readable = |target: &Target| {
            let mut fds = [PollFd::new(target.hangup_fd().unwrap(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).unwrap() == 1
        };
        assert!(!is_readable(&target) && target.check_reader().is_ok());
        drop(reader);
        assert!(is_readable(&target));
        assert_eq!(target.check_reader().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let mut file = Target::new(tempfile::tempfile().unwrap(), None).unwrap();
        file.watch_reader().unwrap();
        assert!(file.hangup_fd().is_none() && file.check_reader().is_ok());
    }
}
