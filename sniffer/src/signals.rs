//! The signals that end a run, as something that can be polled beside packets (signalfd(2)).

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use crate::Error;

/// Catches Ctrl-C, SIGTERM and the end of the terminal.
///
/// Clones hear the same signals: one that is not taken stays to be heard.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    fd: Rc<SignalFd>,
}

/// How long a reader that does not read may hold up the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// What waiting ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// A signal asks for the end.
    pub(crate) is_stopped: bool,
    /// The other descriptor has an error to be taken.
    pub(crate) has_error: bool,
}

impl Signals {
    /// From now on the signals wait to be polled. To be called before any thread is started.
    pub(crate) fn catch() -> Result<Self, Error> {
        let ignored = ignored();
        // Who starts this program with a signal ignored (nohup, a shell's background) means it.
        let mask: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]
            .into_iter()
            .filter(|signal| ignored >> (*signal as u32 - 1) & 1 == 0)
            .collect();
        mask.thread_block().map_err(failed("sigprocmask"))?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = SignalFd::with_flags(&mask, flags).map_err(failed("signalfd"))?;
        Ok(Self { fd: Rc::new(fd) })
    }

    /// Waits until `fd` takes bytes; false where a signal has come and it takes none for
    /// [`PATIENCE`].
    pub(crate) fn wait_until_writable(&self, fd: BorrowedFd<'_>) -> Result<bool, Error> {
        let mut fds =
            [PollFd::new(fd, PollFlags::POLLOUT), PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        poll_all(&mut fds, None)?;
        if fds[0].any() == Some(true) {
            return Ok(true);
        }
        let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
        poll_all(&mut fds, Some(PATIENCE))?;
        Ok(fds[0].any() == Some(true))
    }

    /// Waits until there is something to read on `fd`, a signal comes, or `timeout` has passed.
    pub(crate) fn wait(
        &self,
        fd: BorrowedFd<'_>,
        timeout: Option<Duration>,
    ) -> Result<Ready, Error> {
        let mut fds =
            [PollFd::new(fd, PollFlags::POLLIN), PollFd::new(self.fd.as_fd(), PollFlags::POLLIN)];
        poll_all(&mut fds, timeout)?;
        let events = fds[0].revents().unwrap_or(PollFlags::empty());
        Ok(Ready {
            is_stopped: fds[1].any().unwrap_or(false),
            has_error: events.contains(PollFlags::POLLERR),
        })
    }
}

/// The signals that this process was started to ignore, lowest first (proc(5), `SigIgn`).
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

/// Waits until there is something to read on `fd`, or `timeout` has passed, whatever signals say.
pub(crate) fn wait_for(fd: BorrowedFd<'_>, timeout: Duration) -> Result<(), Error> {
    poll_all(&mut [PollFd::new(fd, PollFlags::POLLIN)], Some(timeout))
}

fn poll_all(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Error> {
    // Rounded up, so that a deadline has passed when the wait for it is over.
    let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
        let ms = timeout.as_nanos().div_ceil(1_000_000);
        PollTimeout::try_from(ms).unwrap_or(PollTimeout::MAX)
    });
    match poll(fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(failed("poll")(errno)),
    }
}

fn failed(call: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::System { call, source: errno.into() }
}
