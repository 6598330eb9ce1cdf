//! Wakes the thread of a server.

use nix::sys::eventfd::EventFd;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use crate::signals::event_fd;

/// Wakes the thread of a server, which then repeats the requests that wait. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Wakeup(Arc<EventFd>);

impl Wakeup {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(event_fd()?)))
    }

    /// Wakes the thread.
    pub(crate) fn wake(&self) {
        // Fails only if the counter is at its maximum, and the descriptor readable.
        let _ = self.0.write(1);
    }

    /// Undoes all calls of [`Self::wake`].
    pub(super) fn clear(&self) {
        // Fails if there were none.
        let _ = self.0.read();
    }
}

impl AsFd for Wakeup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
