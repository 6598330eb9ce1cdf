//! What a run does for the page.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::Epoll;
use std::os::fd::{AsFd, BorrowedFd};

use crate::line_buffer::LineBuffer;

/// A run that is served.
#[derive(Debug)]
pub(crate) struct LiveView {
    lines: LineBuffer,
    stdout: Option<Epoll>,
}

impl LiveView {
    /// `stdout` becomes readable when the reader of standard output goes away.
    pub(super) fn new(lines: LineBuffer, stdout: Option<Epoll>) -> Self {
        Self { lines, stdout }
    }

    /// A descriptor that becomes readable when [`Self::is_abandoned`] becomes true.
    pub(crate) fn hangup_fd(&self) -> Option<BorrowedFd<'_>> {
        self.stdout.as_ref().map(|epoll| epoll.0.as_fd())
    }

    /// Whether the program that started the run is gone, such as a remote shell: nobody could stop the run.
    pub(crate) fn is_abandoned(&self) -> bool {
        let Some(fd) = self.hangup_fd() else { return false };
        let mut fds = [PollFd::new(fd, PollFlags::POLLIN)];
        poll(&mut fds, PollTimeout::ZERO).is_ok_and(|ready| 0 < ready)
    }

    /// Tells readers that the run has ended.
    pub(crate) fn end(&self) {
        self.lines.end();
    }

    /// After the end, waits a short time for pages that read the last lines.
    pub(crate) fn wait_for_readers(&self) {
        self.lines.wait_for_readers();
    }
}
