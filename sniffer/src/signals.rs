//! The signals that end a run or ask for something, as something that can be polled beside packets
//! (signalfd(2)).

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use crate::Error;

/// Catches Ctrl-C, SIGTERM, SIGHUP and SIGUSR1.
///
/// Clones hear the same signals. One that ends the run is not taken, and so stays to be heard.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    termination: Rc<SignalFd>,
    requests: Rc<SignalFd>,
    has_controlling_terminal: bool,
}

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// The next file: SIGHUP.
    Rotate,
    /// The counters on standard error: SIGUSR1.
    Report,
    /// The end: SIGHUP because the terminal is gone.
    End,
}

/// How long a reader that does not read may hold up the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);

/// What waiting ended with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// A signal asks for the end.
    pub(crate) is_stopped: bool,
    /// A signal asks for something else.
    pub(crate) has_requests: bool,
    /// Places of the other descriptors that have an error to be taken.
    pub(crate) errors: Vec<usize>,
}

impl Signals {
    /// From now on the signals wait to be polled. To be called before any thread is started. Where
    /// the output cannot go on in another file, SIGHUP ends the run.
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

    /// What signals have asked for since the last time, besides the end by a signal of its own.
    pub(crate) fn requests(&self) -> Result<Vec<Request>, Error> {
        let mut requests = Vec::new();
        while let Some(signal) = self.requests.read_signal().map_err(failed("signalfd"))? {
            let is_hangup = i32::try_from(signal.ssi_signo) == Ok(Signal::SIGHUP as i32);
            requests.push(match is_hangup {
                // Shells pass on to their jobs what the end of their terminal sent them.
                true if self.has_controlling_terminal && !has_controlling_terminal() => {
                    Request::End
                }
                true => Request::Rotate,
                false => Request::Report,
            });
        }
        Ok(requests)
    }

    /// Waits until `fd` takes bytes; false where a signal has come and it takes none for
    /// [`DRAIN_TIMEOUT`].
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

    /// Waits until there is something to read on one of `fds`, a signal comes, or `timeout` has
    /// passed.
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
            errors: (0..fds.len()).filter(|&place| has_error(&polled[2 + place])).collect(),
        })
    }
}

fn catch(signals: &[Signal]) -> Result<SignalFd, Error> {
    let ignored = ignored_signals();
    // Who starts this program with a signal ignored (nohup, a shell's background) means it.
    let mask: SigSet =
        signals.iter().copied().filter(|&signal| ignored >> (signal as u32 - 1) & 1 == 0).collect();
    mask.thread_block().map_err(failed("sigprocmask"))?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    SignalFd::with_flags(&mask, flags).map_err(failed("signalfd"))
}

/// The signals that this process was started to ignore, lowest first (proc(5), `SigIgn`).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

/// Whether there is a terminal that controls this process (tty(4)).
fn has_controlling_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Waits until there is something to read on one of `fds`, or `timeout` has passed, whatever
/// signals say.
pub(crate) fn poll_readable(fds: &[BorrowedFd<'_>], timeout: Duration) -> Result<(), Error> {
    let mut fds: Vec<_> = fds.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    poll_all(&mut fds, Some(timeout))
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
