//! Signals as file descriptors (signalfd(2)), so that a run can poll them together with packets.
//!
//! ```text
//! prepare -> (default actions) -> Signals::catch -> first termination signal -> settle -> (default actions)
//! ```
//!
//! Until a run catches signals, nothing is written yet, and SIGINT and SIGTERM end the process at
//! once, whatever call it blocks in. Requests and SIGHUP wait until then. The first termination signal
//! that a run catches stops it in order. After that, SIGINT and SIGTERM have their default actions
//! again, so that a second one ends the process at once.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, SigmaskHow, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use std::cell::{Cell, OnceCell, RefCell};
use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{Error, capture};

/// Signals from people and service managers. A second one ends the process at once.
const INTERRUPTIONS: [Signal; 2] = [Signal::SIGINT, Signal::SIGTERM];

/// Other signals whose default action would end the process without its buffered lines: timers,
/// resource limits and power failure (signal(7)). SIGQUIT is not among them: it is for a core dump.
const OTHER_TERMINATIONS: [Signal; 7] = [
    Signal::SIGALRM,
    Signal::SIGIO,
    Signal::SIGPROF,
    Signal::SIGPWR,
    Signal::SIGSTKFLT,
    Signal::SIGVTALRM,
    Signal::SIGXCPU,
];

/// Signals that never end a run.
const REQUESTS: [Signal; 2] = [Signal::SIGUSR1, Signal::SIGUSR2];

/// After a termination signal, how long a write waits for a reader.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(75);

/// Termination signals this close together count as one: timeout(1) signals a process and then its
/// process group, and a shell may forward the signal that the terminal sends to all.
const SETTLING_TIME: Duration = Duration::from_millis(20);

/// A counter that does not block and is closed on exec.
pub(crate) fn event_fd() -> nix::Result<EventFd> {
    EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)
}

/// Receives termination signals and requests. Clones share the same state.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    state: Rc<State>,
}

#[derive(Debug)]
struct State {
    termination: SignalFd,
    requests: SignalFd,
    /// Requests that arrived while a write was blocked, except for reports.
    deferred: RefCell<Vec<Request>>,
    /// Packets written so far, for reports while a write is blocked.
    packet_count: Cell<u64>,
    /// When the first termination signal was read.
    stopped_at: Cell<Option<Instant>>,
    /// Whether [`INTERRUPTIONS`] have their default actions again.
    is_settled: Cell<bool>,
    /// The controlling terminal (tty(4)), if there is one. Kept open, because a sandbox may forbid to
    /// open it later.
    terminal: Option<File>,
    /// Stops the run when it becomes readable, like a termination signal.
    quit: OnceCell<Arc<EventFd>>,
}

/// A request made by a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Start a new output file: SIGHUP.
    Rotate,
    /// Print the counters: SIGUSR1.
    Report,
    /// Write all lines now: SIGUSR2.
    Flush,
    /// Stop: SIGHUP because the terminal was closed.
    End,
}

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

/// Gives SIGINT and SIGTERM their default actions, even if the parent process ignored or blocked
/// them: shells without job control start background jobs with SIGINT ignored. Blocks the requests
/// and SIGHUP until a run receives them. Call it first, on the main thread.
pub(crate) fn prepare() -> Result<(), Error> {
    for signal in INTERRUPTIONS {
        capture::set_default_action(signal).map_err(system_error("sigaction"))?;
    }
    let termination: SigSet = INTERRUPTIONS.into_iter().chain(OTHER_TERMINATIONS).collect();
    termination.thread_unblock().map_err(system_error("sigprocmask"))?;
    let held: SigSet = REQUESTS.into_iter().chain([Signal::SIGHUP]).collect();
    held.thread_block().map_err(system_error("sigprocmask"))
}

/// Ends the hold of SIGHUP that [`prepare`] began, for actions that cannot rotate files.
pub(crate) fn unblock_hangup() -> Result<(), Error> {
    SigSet::from(Signal::SIGHUP).thread_unblock().map_err(system_error("sigprocmask"))
}

/// Runs a call that can block, with SIGHUP not blocked: closing the terminal ends the process also
/// before a run catches signals.
pub(crate) fn with_hangup_unblocked<T>(call: impl FnOnce() -> T) -> T {
    let mask = SigSet::from(Signal::SIGHUP).thread_swap_mask(SigmaskHow::SIG_UNBLOCK);
    let result = call();
    if let Ok(mask) = mask {
        // Restores a mask that was in effect before.
        let _ = mask.thread_set_mask();
    }
    result
}

impl Signals {
    /// Blocks the signals' default actions and starts to receive them. Call it before any thread is
    /// started. Without `can_rotate`, SIGHUP is a termination signal.
    pub(crate) fn catch(can_rotate: bool) -> Result<Self, Error> {
        let mut termination = [&INTERRUPTIONS[..], &OTHER_TERMINATIONS].concat();
        let mut requests = REQUESTS.to_vec();
        if can_rotate { &mut requests } else { &mut termination }.push(Signal::SIGHUP);
        Self::receive(&termination, &requests)
    }

    /// Receives nothing: for actions that block but write no packets. Signals keep their default
    /// actions.
    pub(crate) fn none() -> Result<Self, Error> {
        Self::receive(&[], &[])
    }

    fn receive(termination: &[Signal], requests: &[Signal]) -> Result<Self, Error> {
        let state = State {
            termination: catch(termination)?,
            requests: catch(requests)?,
            deferred: RefCell::default(),
            packet_count: Cell::new(0),
            stopped_at: Cell::new(None),
            is_settled: Cell::new(false),
            terminal: File::open("/dev/tty").ok(),
            quit: OnceCell::new(),
        };
        Ok(Self { state: Rc::new(state) })
    }

    /// A counter that stops the run like a termination signal when it is not 0.
    pub(crate) fn quit_event(&self) -> Result<Arc<EventFd>, Error> {
        let event = Arc::new(event_fd().map_err(system_error("eventfd"))?);
        Ok(self.state.quit.get_or_init(|| event).clone())
    }

    /// The requests since the last call, in the order of their arrival.
    pub(crate) fn requests(&self) -> Result<Vec<Request>, Error> {
        let mut requests = self.state.deferred.take();
        while let Some(signal) = read(&self.state.requests)? {
            requests.push(match signal {
                // Shells forward the SIGHUP of a closed terminal to their jobs.
                Signal::SIGHUP if self.is_terminal_closed()? => Request::End,
                Signal::SIGHUP => Request::Rotate,
                Signal::SIGUSR2 => Request::Flush,
                _ => Request::Report,
            });
        }
        Ok(requests)
    }

    /// Sets the number that `on_report` of [`Self::wait_until_writable`] receives.
    pub(crate) fn set_packet_count(&self, count: u64) {
        self.state.packet_count.set(count);
    }

    /// Waits until `fd` is writable. Calls `on_report` with the number of packets written so far for
    /// each [`Request::Report`] that arrives meanwhile; other requests wait. Returns false if a
    /// termination signal has arrived and `fd` does not become writable within [`DRAIN_TIMEOUT`].
    pub(crate) fn wait_until_writable(
        &self,
        fd: BorrowedFd<'_>,
        on_report: impl Fn(u64),
    ) -> Result<bool, Error> {
        while !self.is_stopped() {
            let signals = [self.state.termination.as_fd(), self.state.requests.as_fd()];
            let signals = signals.map(|fd| PollFd::new(fd, PollFlags::POLLIN));
            let [termination, requests] = signals;
            let mut fds = [PollFd::new(fd, PollFlags::POLLOUT), termination, requests];
            poll_all(&mut fds, None)?;
            if fds[0].any() == Some(true) {
                return Ok(true);
            }
            self.read_termination()?;
            if fds[2].any() == Some(true) {
                self.defer_requests(&on_report)?;
            }
        }
        self.settle()?;
        poll_writable(fd, DRAIN_TIMEOUT)
    }

    /// Waits until one of `fds` is readable, a signal arrives, or `timeout` has passed. Once a
    /// termination signal has arrived, it never waits.
    pub(crate) fn wait(
        &self,
        fds: &[BorrowedFd<'_>],
        timeout: Option<Duration>,
    ) -> Result<Ready, Error> {
        let signals = [self.state.termination.as_fd(), self.state.requests.as_fd()];
        let mut polled: Vec<_> =
            signals.iter().chain(fds).map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let quit = self.state.quit.get();
        polled.extend(quit.map(|quit| PollFd::new(quit.as_fd(), PollFlags::POLLIN)));
        let has_deferred = !self.state.deferred.borrow().is_empty();
        let is_ready = self.is_stopped() || has_deferred;
        poll_all(&mut polled, if is_ready { Some(Duration::ZERO) } else { timeout })?;
        if polled[0].any() == Some(true) {
            self.read_termination()?;
        }
        if quit.is_some() && polled.last().and_then(PollFd::any) == Some(true) {
            self.stop();
        }
        let has_error = |fd: &PollFd<'_>| {
            fd.revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
        };
        Ok(Ready {
            is_stopped: self.is_stopped(),
            has_requests: has_deferred || polled[1].any() == Some(true),
            errors: (0..fds.len()).filter(|&index| has_error(&polled[2 + index])).collect(),
        })
    }

    /// After a termination signal, lets a second SIGINT or SIGTERM end the process at once. Waits
    /// for signals that belong to the first one, at most [`SETTLING_TIME`]. Call it before anything
    /// that can block at the end of a run.
    pub(crate) fn settle(&self) -> Result<(), Error> {
        let Some(stopped_at) = self.state.stopped_at.get() else { return Ok(()) };
        if self.state.is_settled.replace(true) {
            return Ok(());
        }
        let end = stopped_at + SETTLING_TIME;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            poll_readable(&[self.state.termination.as_fd()], left)?;
            self.read_termination()?;
        }
        SigSet::from_iter(INTERRUPTIONS).thread_unblock().map_err(system_error("sigprocmask"))
    }

    /// Answers reports, stops for [`Request::End`], and keeps all other requests for later.
    fn defer_requests(&self, on_report: impl Fn(u64)) -> Result<(), Error> {
        let mut deferred = Vec::new();
        for request in self.requests()? {
            match request {
                Request::Report => on_report(self.state.packet_count.get()),
                Request::End => self.stop(),
                Request::Rotate | Request::Flush => deferred.push(request),
            }
        }
        self.state.deferred.replace(deferred);
        Ok(())
    }

    fn is_terminal_closed(&self) -> Result<bool, Error> {
        let Some(terminal) = &self.state.terminal else { return Ok(false) };
        let mut fds = [PollFd::new(terminal.as_fd(), PollFlags::empty())];
        poll_all(&mut fds, Some(Duration::ZERO))?;
        Ok(fds[0].revents().is_some_and(|events| events.contains(PollFlags::POLLHUP)))
    }

    fn is_stopped(&self) -> bool {
        self.state.stopped_at.get().is_some()
    }

    /// Removes all pending termination signals, and notes when the first one was read.
    fn read_termination(&self) -> Result<(), Error> {
        while read(&self.state.termination)?.is_some() {
            self.stop();
        }
        Ok(())
    }

    /// Notes when the run was first told to stop.
    fn stop(&self) {
        if !self.is_stopped() {
            self.state.stopped_at.set(Some(Instant::now()));
        }
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

/// Removes the next pending signal.
fn read(signals: &SignalFd) -> Result<Option<Signal>, Error> {
    let Some(info) = signals.read_signal().map_err(system_error("signalfd"))? else {
        return Ok(None);
    };
    let number = i32::try_from(info.ssi_signo).unwrap_or_default();
    Signal::try_from(number).map(Some).map_err(system_error("signalfd"))
}

/// The signals that this process ignores, as a bit mask (proc(5), `SigIgn`).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    bits.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok()).unwrap_or(0)
}

/// Waits until one of `fds` is readable or `timeout` has passed, regardless of signals.
pub(crate) fn poll_readable(fds: &[BorrowedFd<'_>], timeout: Duration) -> Result<(), Error> {
    let mut fds: Vec<_> = fds.iter().map(|&fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
    poll_all(&mut fds, Some(timeout))
}

/// Waits until `fd` is writable, regardless of signals. False if `timeout` has passed.
pub(crate) fn poll_writable(fd: BorrowedFd<'_>, timeout: Duration) -> Result<bool, Error> {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    poll_all(&mut fds, Some(timeout))?;
    Ok(fds[0].any() == Some(true))
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
