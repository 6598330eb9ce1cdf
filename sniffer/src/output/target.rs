//! The file, pipe or terminal that the output is written to.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::FileTypeExt;

use crate::progress::print_count_while_blocked;
use crate::signals::Signals;

/// Bytes that a write to a pipe takes without blocking once the pipe is writable (pipe(7)).
const PIPE_BUF: usize = 4096;

/// A writer whose blocking writes end if a signal arrives and nobody reads.
#[derive(Debug)]
pub(super) struct Target {
    file: File,
    is_regular: bool,
    /// From [`watch_reader`]; `None` if nobody watches.
    hangup: Option<Epoll>,
    written_len: u64,
    signals: Option<Signals>,
}

impl Target {
    pub(super) fn new(
        file: File,
        hangup: Option<Epoll>,
        signals: Option<Signals>,
    ) -> io::Result<Self> {
        let is_regular = file.metadata()?.is_file();
        Ok(Self { file, is_regular, hangup, written_len: 0, signals })
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

    /// Whether this is a regular file, which is always writable.
    pub(super) fn is_regular(&self) -> bool {
        self.is_regular
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

/// A descriptor that becomes readable when the reader of a pipe or socket goes away; `None` for other
/// files. Polling the file itself could report input from a terminal or the peer of a socket.
pub(crate) fn watch_reader(file: impl AsFd) -> io::Result<Option<Epoll>> {
    let file_type = File::from(file.as_fd().try_clone_to_owned()?).metadata()?.file_type();
    if !file_type.is_fifo() && !file_type.is_socket() {
        return Ok(None);
    }
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // EPOLLERR and EPOLLHUP are always reported.
    epoll.add(&file, EpollEvent::new(EpollFlags::empty(), 0))?;
    Ok(Some(epoll))
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            let mut bytes = bytes;
            if let Some(signals) = self.signals.as_ref().filter(|_| !self.is_regular) {
                if !signals
                    .wait_until_writable(self.file.as_fd(), print_count_while_blocked)
                    .map_err(io::Error::other)?
                {
                    let message = "nobody read it after the signal to stop";
                    return Err(io::Error::new(io::ErrorKind::TimedOut, message));
                }
                bytes = &bytes[..bytes.len().min(PIPE_BUF)];
            }
            if let Some(len) = write_once(&self.file, bytes)? {
                self.written_len += len as u64;
                return Ok(len);
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes once. `None` if the write is to be repeated: a signal interrupted it, or the pipe was opened
/// non-blocking by another process, and was filled since.
fn write_once(mut file: impl Write, bytes: &[u8]) -> io::Result<Option<usize>> {
    match file.write(bytes) {
        Ok(len) => Ok(Some(len)),
        Err(error) => match error.kind() {
            io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock => Ok(None),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails all writes with an error of the system.
    struct Failing(i32);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from_raw_os_error(self.0))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn interrupted_writes_are_repeated_and_others_fail() {
        for errno in [libc::EINTR, libc::EAGAIN] {
            assert!(matches!(write_once(Failing(errno), b"line"), Ok(None)), "{errno}");
        }
        for errno in [libc::EIO, libc::EDQUOT, libc::ENOSPC, libc::EPIPE] {
            let error = write_once(Failing(errno), b"line").unwrap_err();
            assert_eq!(error.raw_os_error(), Some(errno));
        }
        assert!(matches!(write_once(&mut Vec::new(), b"line"), Ok(Some(4))));
    }
    use std::os::fd::OwnedFd;

    #[test]
    fn regular_files_take_large_writes_at_once() {
        let file = tempfile::tempfile().unwrap();
        let mut target = Target::new(file, None, Some(Signals::catch(false).unwrap())).unwrap();
        assert_eq!(target.write(&vec![b'.'; 1 << 20]).unwrap(), 1 << 20);
        assert_eq!(target.written_len(), 1 << 20);
    }

    #[test]
    fn pipes_take_what_cannot_block() {
        let (_reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(writer));
        let mut target = Target::new(file, None, Some(Signals::catch(false).unwrap())).unwrap();
        assert_eq!(target.write(&vec![b'.'; 1 << 20]).unwrap(), PIPE_BUF);
    }

    #[test]
    fn a_reader_that_goes_away_is_noticed_without_writing() {
        let (reader, writer) = io::pipe().unwrap();
        let file = File::from(OwnedFd::from(writer));
        let hangup = watch_reader(&file).unwrap();
        let target = Target::new(file, hangup, None).unwrap();
        let is_readable = |target: &Target| {
            let mut fds = [PollFd::new(target.hangup_fd().unwrap(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).unwrap() == 1
        };
        assert!(!is_readable(&target) && target.check_reader().is_ok());
        drop(reader);
        assert!(is_readable(&target));
        assert_eq!(target.check_reader().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let file = tempfile::tempfile().unwrap();
        let hangup = watch_reader(&file).unwrap();
        let file = Target::new(file, hangup, None).unwrap();
        assert!(file.hangup_fd().is_none() && file.check_reader().is_ok());
    }
}
