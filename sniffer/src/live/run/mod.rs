//! The event loop of a live run: reads packets, and reacts to timers, signals and changes of
//! interfaces.

mod links;

use std::os::fd::AsFd;
use std::thread::Builder;
use std::time::{Duration, Instant};
use summary::grouped;
use summary::record::Reason;

use super::accounting::Accounting;
use super::all_links::AllLinks;
use super::config::Config;
use super::interface_names::InterfaceNames;
use super::notices::DropNotices;
use super::opener::Opener;
use super::packet_source::PacketSource;
use crate::Error;
use crate::interfaces::{LinkMonitor, NamespaceWatch};
use crate::metrics::{Page, RunState};
use crate::output::Output;
use crate::progress::{Progress, packets};
use crate::serve::LiveView;
use crate::signals::{self, Request, Signals};
use crate::timer::Timer;
use crate::top::Top;

/// How often to read the kernel's counters, which are 32 bits wide and wrap.
const COUNTERS_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait for the last packets at the end of a run. The kernel hands over a block in a
/// tenth of that.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// A live run. Owns everything that it needs.
pub(super) struct Run<'a> {
    pub(super) config: &'a Config,
    pub(super) opener: Opener<'a>,
    pub(super) monitor: LinkMonitor,
    /// The network namespace, until it is gone; `None` if it is that of the process.
    pub(super) namespace: Option<NamespaceWatch>,
    pub(super) accounting: Accounting,
    /// The packets of each interface in `accounting`, in the same order.
    pub(super) sources: Vec<PacketSource>,
    /// The interfaces that `any` includes, if it is captured.
    pub(super) all_links: Option<AllLinks>,
    pub(super) names: InterfaceNames,
    pub(super) signals: Signals,
    pub(super) progress: Progress,
    pub(super) drop_notices: DropNotices,
    /// The page of `--metrics`, and what it says about the run.
    pub(super) metrics: Option<(Page, RunState)>,
    /// The flows on the terminal.
    pub(super) top: Option<Top>,
    /// The capture in the browser.
    pub(super) view: Option<LiveView>,
}

impl Run<'_> {
    /// Captures until something ends the run, and prints the totals unless the reader of the output
    /// has gone away: it has what it wanted.
    pub(super) fn run(mut self) -> Result<(), Error> {
        let result = self.run_loop();
        // Restores the terminal before anything is printed, or a second signal ends the process.
        self.top = None;
        self.progress.clear();
        let result = match result {
            Ok(reason) => self.end(reason),
            // Not even an end can be written.
            Err(error) if error.is_output() && self.accounting.has_failed() => Err(error),
            Err(error) => self.end(Reason::Error).and(Err(error)),
        };
        if result.is_err() {
            self.accounting.refresh_counters();
        }
        if !result.as_ref().is_err_and(Error::is_closed_pipe) {
            self.print_triggers();
            self.print_totals();
            let unread = self.accounting.unread();
            if result.is_err() && 0 < unread {
                self.progress.info(format_args!(
                    "{} in the kernel's buffer could not be read",
                    packets(unread)
                ));
            }
        }
        if let Some(view) = &self.view {
            view.end();
        }
        let view = self.close();
        if let Some(view) = view {
            view.wait_for_readers();
        }
        result
    }

    /// Closes the sockets of all interfaces at the same time. The kernel waits 20 to 30 ms for packet
    /// processing in progress before it releases one, however small its ring is. Returns what outlives them.
    fn close(self) -> Option<LiveView> {
        let Self { accounting, sources, view, .. } = self;
        // Its references to the sockets, so that dropping a source closes them.
        drop(accounting);
        if let [_] = sources[..] {
            return view;
        }
        std::thread::scope(|scope| {
            for source in sources {
                // If no thread can be started, this closes the sockets, too.
                let _ = Builder::new().spawn_scoped(scope, move || drop(source));
            }
        });
        view
    }

    fn run_loop(&mut self) -> Result<Reason, Error> {
        let start = Instant::now();
        let deadline = self.config.duration.map(|duration| start + duration);
        let stats_interval =
            Some(self.config.stats_interval).filter(|interval| !interval.is_zero());
        let mut stats_timer = stats_interval.map(|interval| Timer::new(start, interval));
        let mut counters_due = start;
        loop {
            let mut is_idle = true;
            for index in 0..self.sources.len() {
                is_idle &= !self.read(index)?;
                if let Some(reason) = self.accounting.stop_reason() {
                    return Ok(reason);
                }
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Reason::Duration);
            }
            self.accounting.rotate_if_due(now)?;
            if let Some(reason) = self.accounting.stop_reason() {
                return Ok(reason);
            }
            let are_stats_due = stats_timer.as_mut().is_some_and(|timer| timer.fires(now));
            if counters_due <= now || are_stats_due {
                self.accounting.read_all_counters()?;
                self.check_namespace()?;
                self.accounting.expire_flows()?;
                self.publish_metrics();
                counters_due = now + COUNTERS_INTERVAL;
            }
            if are_stats_due {
                self.accounting.write_stats()?;
            }
            if let Some(top) = self.top.as_mut().filter(|top| top.due() <= now) {
                self.accounting.show_flows(top);
            }
            let dropped = self.accounting.dropped();
            if let Some(message) = self.drop_notices.message(dropped, now) {
                self.progress.info(message);
            }
            self.print_triggers();
            self.progress.draw(self.accounting.packet_count(), dropped);
            let timeout = if is_idle {
                self.accounting.flush()?;
                let flush_due = self.accounting.outputs().filter_map(Output::flush_due).min();
                let dues = [
                    deadline,
                    stats_timer.as_ref().map(Timer::due),
                    self.progress.due(),
                    self.top.as_ref().map(Top::due),
                    Some(counters_due),
                    self.accounting.rotation_due(),
                    flush_due,
                ];
                let next = dues.into_iter().flatten().min();
                next.map(|next| next.saturating_duration_since(now))
            } else {
                if self.accounting.outputs().any(|output| output.is_flush_due(now)) {
                    self.accounting.flush()?;
                }
                Some(Duration::ZERO)
            };
            if let Some(reason) = self.wait(timeout)? {
                return Ok(reason);
            }
        }
    }

    /// Prints messages about new triggers.
    fn print_triggers(&mut self) {
        for triggered in self.accounting.take_triggered() {
            self.progress.info(triggered);
        }
    }

    /// Updates the page of `--metrics`.
    fn publish_metrics(&self) {
        if let Some((page, state)) = &self.metrics {
            self.accounting.metrics(*state).into_iter().for_each(|text| page.set(text));
        }
    }

    /// Records packets of one source that are ready. False if there are none.
    fn read(&mut self, index: usize) -> Result<bool, Error> {
        let Self { sources, accounting, .. } = self;
        sources[index].read(|event| accounting.record_packet(index, event))
    }

    /// Waits for packets, signals, changes of interfaces or the timeout, and handles all but
    /// packets. Returns a reason to end the run, if there is one.
    fn wait(&mut self, timeout: Option<Duration>) -> Result<Option<Reason>, Error> {
        let timeout =
            self.sources.iter().filter_map(PacketSource::poll_timeout).chain(timeout).min();
        let sources = self.sources.iter().map(PacketSource::as_fd);
        let hangups = self.accounting.outputs().filter_map(Output::hangup_fd);
        let hangups = hangups.chain(self.view.as_ref().and_then(LiveView::hangup_fd));
        let fds: Vec<_> = sources.chain([self.monitor.as_fd()]).chain(hangups).collect();
        let ready = self.signals.wait(&fds, timeout)?;
        self.accounting.check_readers()?;
        let is_abandoned = self.view.as_ref().is_some_and(LiveView::is_abandoned);
        if ready.is_stopped || is_abandoned {
            return Ok(Some(Reason::Signal));
        }
        for index in ready.errors {
            if let Some(source) = self.sources.get(index) {
                source.take_error()?;
            }
        }
        for change in self.monitor.changes()? {
            self.on_link_change(change)?;
        }
        if ready.has_requests {
            for request in self.signals.requests()? {
                match request {
                    Request::End => return Ok(Some(Reason::Signal)),
                    Request::Rotate => self.accounting.rotate(Reason::Rotated)?,
                    Request::Flush => self.accounting.flush_all()?,
                    Request::Report => {
                        self.accounting.trigger()?;
                        self.accounting.read_all_counters()?;
                        // Distinguishes the line in a log from the totals at the end.
                        let elapsed = self.progress.elapsed();
                        self.progress.print(self.accounting.summary(" so far", &elapsed));
                    }
                }
            }
        }
        Ok(None)
    }

    /// Reads the last packets of a source that gets no more, and the final counters.
    fn drain(&mut self, index: usize) -> Result<(), Error> {
        let deadline = Instant::now() + DRAIN_TIMEOUT;
        loop {
            while self.accounting.stop_reason().is_none() && self.read(index)? {}
            self.accounting.read_counters(index)?;
            let received = self.accounting.interfaces[index].counters().recv;
            let is_drained = received == self.accounting.accounted(index);
            let now = Instant::now();
            if is_drained || self.accounting.stop_reason().is_some() || deadline <= now {
                return Ok(());
            }
            let source = &self.sources[index];
            let timeout = source.poll_timeout().unwrap_or(deadline - now);
            // Regardless of signals: one of them has ended the run, or the wait is short.
            signals::poll_readable(&[source.as_fd()], timeout)?;
        }
    }

    /// Stops reception, drains the rings and completes the stream.
    ///
    /// At a limit, packets left in the rings arrived after the end of the run: they are neither
    /// read nor counted.
    fn end(&mut self, reason: Reason) -> Result<(), Error> {
        self.accounting.reject_packets()?;
        for index in 0..self.sources.len() {
            self.drain(index)?;
        }
        self.signals.settle()?;
        self.accounting.finish(reason)
    }

    fn print_totals(&self) {
        let dropped = self.accounting.dropped();
        self.progress.info(self.accounting.summary("", &self.progress.elapsed()));
        self.progress.evicted_flows(self.accounting.evicted_flows());
        self.progress.evicted_names(self.accounting.evicted_names());
        self.accounting.outputs().for_each(|output| self.progress.lost(output));
        if 0 < dropped {
            self.progress.info(format_args!(
                "the kernel dropped {} packets because its buffer was full; try a larger buffer \
                 (-B KIB), a smaller snap length (-s LEN) or more threads (--threads N)",
                grouped(dropped)
            ));
        }
    }
}
