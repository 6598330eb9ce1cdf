//! Signals as file descriptors (signalfd(2)), so that a run can poll them together with packets.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use crate::Error;

/// Receives SIGINT, SIGTERM, SIGHUP and SIGUSR1.
///
/// Clones share the same descriptors. A termination signal is never read, so that it stays visible
/// to all clones.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    termination: Rc<SignalFd>,
    requests: Rc<SignalFd>,
    has_controlling_terminal: bool,
}

/// A request made by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Start a new output file: SIGHUP.
    Rotate,
    /// Print the counters: SIGUSR1.
    Report,
    /// Stop: SIGHUP because the terminal was closed.
    End,
}

/// After a termination signal, how long a write waits for a reader.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// The result of waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// A termination signal has arrived.
    pub(crate) is_stopped: bool,
    /// [`Signals::requests`] returns something.
    pub(crate) has_requests: bool,
    /// Indexes of the descriptors that have a pending error.
    pub(crate) errors: Vec<usize>,
}

impl Signals {
    /// Blocks the signals' default effect and starts to receive them. Call it before any thread is
    /// started. Without `can_rotate`, SIGHUP is a termination signal.
    pub(crate) fn catch(can_rotate: bool) -> Result<Self, Error> {
        let mut termination = vec![Signal::SIGINT, Signal::SIGTERM];
        let mut requests = vec![Signal::SIGUSR1];
        if can_rotate { &mut requests } else { &mut termination }.push(Signal::SIGHUP);
        Ok(Self {
            termination: Rc::new(catch(&termination)?),
            requests: Rc::new(catch(&requests)?),
            has_controlling_terminal: has_controlling_terminal(),
        })
    }

    /// The requests since the last call, in the order of their arrival.
    pub(crate) fn requests(&self) -> Result<Vec<Request>, Error> {
        let mut requests = Vec::new();
        while let Some(signal) = self.requests.read_signal().map_err(system_error("signalfd"))? {
            let is_hangup = i32::try_from(signal.ssi_signo) == Ok(Signal::SIGHUP as i32);
            requests.push(match is_hangup {
                // Shells forward the SIGHUP of a closed terminal to their jobs.
                true if self.has_controlling_terminal && !has_controlling_terminal() => {
                    Request::End
                }
                true => Request::Rotate,
                false => Request::Report,
            });
        }
        Ok(requests)
    }

    /// Waits until `fd` is writable. Returns false if a termination signal has arrived and `fd` does
    /// not become writable within [`DRAIN_TIMEOUT`].
    pub(crate) fn wait_until_writable(&self, fd: BorrowedFd<'_>) -> Result<bool, Error> {
        let signals = self.termination.as_fd();
        let mut fds =
            [PollFd::new(fd, PollFlags::POLLOUT), PollFd::new(signals, PollFlags::POLLIN)];
        poll_all(&mut fds, None)?;
        if fds[0].any() == Some(true) {
            return Ok(true);
        }
        let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
        poll_all(&mut fds, Some(DRAIN_TIMEOUT))?;
        Ok(fds[0].any() == Some(true))
    }

    /// Waits until one of `fds` is readable, a signal arrives, or `timeout` has passed.
    pub(crate) fn wait(
        &self,
        fds: &[BorrowedFd<'_>],
        timeout: Option<Duration>,
    ) -> Result<Ready, Error> {
        let signals = [self.termination.as_fd(), self.requests.as_fd()];
        let mut polled: Vec<_> =
            signals.iter().chain(fds).map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        poll_all(&mut polled, timeout)?;
        let has_error = |fd: &PollFd<'_>| {
            fd.revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
        };
        Ok(Ready {
            is_stopped: polled[0].any().unwrap_or(false),
            has_requests: polled[1].any().unwrap_or(false),
            errors: (0..fds.len()).filter(|&index| has_error(&polled[2 + index])).collect(),
        })
    }
}

fn catch(signals: &[Signal]) -> Result<SignalFd, Error> {
    let ignored = ignored_signals();
    // nohup(1) and shells start programs with signals ignored on purpose.
    let mask: SigSet =
        signals.iter().copied().filter(|&signal| ignored >> (signal as u32 - 1) & 1 == 0).collect();
    mask.thread_block().map_err(system_error("sigprocmask"))?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    SignalFd::with_flags(&mask, flags).map_err(system_error("signalfd"))
}

/// The signals that this process ignored when it started, as a bit mask (proc(5), `SigIgn`).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

/// Whether this process has a controlling terminal (tty(4)).
fn has_controlling_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Waits until one of `fds` is readable or `timeout` has passed, regardless of signals.
pub(crate) fn poll_readable(fds: &[BorrowedFd<'_>], timeout: Duration) -> Result<(), Error> {
    let mut fds: Vec<_> = fds.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    poll_all(&mut fds, Some(timeout))
}

fn poll_all(fds: &mut [PollFd<'_>], timeout: Option<Duration>) -> Result<(), Error> {
    // Round up, so that a deadline has passed when the wait ends.
    let timeout = timeout.map_or(PollTimeout::NONE, |timeout| {
        let ms = timeout.as_nanos().div_ceil(1_000_000);
        PollTimeout::try_from(ms).unwrap_or(PollTimeout::MAX)
    });
    match poll(fds, timeout) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(errno) => Err(system_error("poll")(errno)),
    }
}

fn system_error(call: &'static str) -> impl Fn(Errno) -> Error {
    move |errno| Error::System { call, source: errno.into() }
}
