//! A live run: waits, takes blocks from the ring, writes lines, and ends for a reason.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};
use summary::record::{self, EventKind, Reason, Source};
use summary::{LinkType, decode, grouped};

use crate::Error;
use crate::capture::{Capture, Counters, Frame, Options};
use crate::cli::LiveJob;
use crate::interfaces::{self, Interface};
use crate::output::Output;
use crate::progress::{Progress, packets};
use crate::signals::{self, Signals};
use crate::stream::{Losses, Stream};

/// While the interface is down, how often it is looked for.
const DOWN_INTERVAL: Duration = Duration::from_millis(100);

/// How often the kernel's counters are read: they are 32 bits wide, and wrap.
const COUNTERS_INTERVAL: Duration = Duration::from_secs(1);

/// How long the last packets may take out of the ring after the end; a block is handed over in a
/// hundredth of that.
const DRAIN_DEADLINE: Duration = Duration::from_secs(1);

/// Captures until something ends it.
pub(crate) fn run(job: &LiveJob<'_>) -> Result<(), Error> {
    let interface = match job.interface {
        Some(name) => interfaces::named(name)?,
        None => interfaces::default()?,
    };
    let options = Options {
        snaplen: job.common.snaplen,
        is_promiscuous: job.is_promiscuous,
        direction: job.direction,
        buffer_kib: job.buffer_kib,
        block_kib: job.block_kib,
        is_immediate: job.is_immediate,
    };
    let capture = Capture::open(interface, &options)?;
    let described = describe(capture.interface(), capture.link(), job.is_promiscuous);
    let mut output = Output::open(&job.common)?;
    // Not before: until there is something to end, a signal may end all.
    let signals = Signals::catch()?;
    output.heed(signals.clone());
    let stream = Stream::open(output, &job.common, Source::Live, None, vec![described])?;
    let progress = Progress::start(job.common.is_quiet, job.common.output.is_none());
    let name = &capture.interface().name;
    let snaplen = job.common.snaplen;
    progress.say(format_args!("capturing on {name} ({}), snap length {snaplen}", capture.link()));

    let mut run = Run {
        names: Names::new(capture.interface()),
        lost_before: lost(capture.interface().index)?,
        capture,
        stream,
        progress,
        counters: Counters::default(),
        told: Counters::default(),
        down_since: None,
    };
    let ended = run.until_ended(job, &signals);
    run.progress.clear();
    match ended {
        Ok(reason) => run.end(reason),
        // Nothing can be written behind what could not be written.
        Err(error @ Error::Output { .. }) => Err(error),
        Err(error) => run.end(Reason::Error).and(Err(error)),
    }
}

struct Run {
    capture: Capture,
    names: Names,
    stream: Stream,
    progress: Progress,
    /// The kernel's counters as last read.
    counters: Counters,
    /// The same as told in `stats` so far.
    told: Counters,
    /// Packets that the hardware had lost when last told.
    lost_before: u64,
    down_since: Option<Instant>,
}

impl Run {
    fn until_ended(&mut self, job: &LiveJob<'_>, signals: &Signals) -> Result<Reason, Error> {
        let deadline = job.duration.map(|duration| Instant::now() + duration);
        let interval = Some(job.stats_interval).filter(|interval| !interval.is_zero());
        let mut stats_due = interval.map(|interval| Instant::now() + interval);
        let mut counters_due = Instant::now();
        loop {
            let is_idle = !self.read_block()?;
            if self.stream.is_full() {
                return Ok(Reason::Count);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Reason::Duration);
            }
            if let (Some(due), Some(interval)) = (stats_due, interval)
                && due <= now
            {
                self.counters = self.capture.counters()?;
                self.stats(false)?;
                // The next full interval from the start: late ones do not pile up.
                let behind = (now - due).as_nanos() / interval.as_nanos();
                let behind = u32::try_from(behind).unwrap_or(u32::MAX - 1);
                stats_due = Some(due + interval * (behind + 1));
            }
            if counters_due <= now {
                self.counters = self.capture.counters()?;
                counters_due = now + COUNTERS_INTERVAL;
            }
            self.progress.draw(self.stream.out(), Some(self.counters.drop));
            if is_idle {
                self.stream.flush()?;
            }
            let dues = [deadline, stats_due, self.progress.due(), Some(counters_due)];
            let wake = dues.into_iter().flatten().min();
            let mut timeout = wake.map(|wake| wake.saturating_duration_since(now));
            if self.down_since.is_some() {
                self.look_for_interface()?;
                timeout = Some(timeout.unwrap_or(DOWN_INTERVAL).min(DOWN_INTERVAL));
            }
            let timeout = if is_idle { timeout } else { Some(Duration::ZERO) };
            let ready = signals.wait(self.capture.as_fd(), timeout)?;
            if ready.is_stopped {
                return Ok(Reason::Signal);
            }
            if ready.has_error && self.capture.take_down()? && self.down_since.is_none() {
                self.down_since = Some(Instant::now());
                let name = &self.capture.interface().name;
                self.stream.event(name, EventKind::IfaceDown, None)?;
            }
        }
    }

    /// Writes the lines of the next block; false where there is none.
    fn read_block(&mut self) -> Result<bool, Error> {
        let link = self.capture.link();
        let (stream, names) = (&mut self.stream, &mut self.names);
        self.capture.read_block(|frames| {
            while !stream.is_full()
                && let Some(frame) = frames.next_frame()
            {
                let Frame { ts, bytes, wire_len, interface_index, direction } = frame;
                let name = names.of(interface_index);
                stream.packet(ts, Some(name), direction, decode(link, bytes, wire_len))?;
            }
            Ok(())
        })
    }

    /// Writes what the kernel counted between the last time and the last reading of its counters;
    /// the last time with its own `recv`.
    fn stats(&mut self, is_last: bool) -> Result<(), Error> {
        let counters = self.counters;
        // Without an answer nothing is known of losses; the capture is none the worse.
        let lost = lost(self.capture.interface().index).unwrap_or(self.lost_before);
        let losses = Losses {
            drop: counters.drop - self.told.drop,
            freeze: counters.freeze - self.told.freeze,
            if_drop: lost.saturating_sub(self.lost_before),
        };
        self.told = counters;
        self.lost_before = lost;
        let recv = is_last.then_some(counters.recv);
        self.stream.stats(Some(&self.capture.interface().name), losses, recv)
    }

    fn look_for_interface(&mut self) -> Result<(), Error> {
        let Some(since) = self.down_since else { return Ok(()) };
        let index = self.capture.interface().index;
        let now = interfaces::all()?.into_iter().find(|interface| interface.index == index);
        let name = self.capture.interface().name.clone();
        match now {
            None => {
                self.stream.event(&name, EventKind::IfaceGone, None)?;
                Err(Error::InterfaceGone { name })
            }
            Some(interface) if interface.is_up => {
                self.down_since = None;
                let gap_ns = u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.stream.event(&name, EventKind::IfaceUp, Some(gap_ns))
            }
            Some(_) => Ok(()),
        }
    }

    /// Lets no more packets in, takes the last ones out of the ring, and closes the accounts.
    ///
    /// Where the count is reached, what is left in the ring came after the run: it is not taken,
    /// and not counted.
    fn end(mut self, reason: Reason) -> Result<(), Error> {
        self.capture.close()?;
        let deadline = Instant::now() + DRAIN_DEADLINE;
        while reason != Reason::Count && Instant::now() < deadline {
            while self.read_block()? && !self.stream.is_full() {}
            self.counters = self.capture.counters()?;
            let Counters { recv, drop, .. } = self.counters;
            if recv == self.stream.taken() + drop || self.stream.is_full() {
                break;
            }
            // Only the ring is waited for: the signal that ended the run may still be there.
            signals::wait_for(self.capture.as_fd(), deadline - Instant::now())?;
        }
        if reason == Reason::Count {
            self.counters = self.capture.counters()?;
        }
        let is_kernels_count_ours = reason != Reason::Count && !self.stream.is_full();
        self.stats(is_kernels_count_ours)?;
        let (out, drop) = (self.stream.out(), self.stream.dropped());
        self.stream.end(reason)?;
        let name = &self.capture.interface().name;
        let elapsed = self.progress.elapsed();
        let dropped = grouped(drop);
        self.progress.say(format_args!(
            "{} captured on {name} in {elapsed}, {dropped} dropped by the kernel",
            packets(out)
        ));
        if drop > 0 {
            self.progress.say(format_args!(
                "the kernel dropped {dropped} packets for which its buffer had no room; a larger one (-B KIB) or shorter packets (-s SNAPLEN) help"
            ));
        }
        Ok(())
    }
}

/// Names of interfaces by their index: of one interface always the same, of all looked up once.
struct Names {
    own: Option<String>,
    known: HashMap<u32, String>,
}

impl Names {
    fn new(interface: &Interface) -> Self {
        let own = (interface.index != 0).then(|| interface.name.clone());
        Self { own, known: HashMap::new() }
    }

    fn of(&mut self, index: u32) -> &str {
        if let Some(own) = &self.own {
            return own;
        }
        if !self.known.contains_key(&index) {
            let interfaces = interfaces::all().unwrap_or_default();
            self.known
                .extend(interfaces.into_iter().map(|interface| (interface.index, interface.name)));
        }
        // One that is gone already keeps its number.
        self.known.entry(index).or_insert_with(|| format!("if{index}"))
    }
}

/// Packets that the hardware lost since the interface exists; of 0, all interfaces together.
fn lost(index: u32) -> Result<u64, Error> {
    let interfaces = interfaces::all()?;
    let seen = interfaces.iter().filter(|interface| index == 0 || interface.index == index);
    Ok(seen.map(|interface| interface.lost).sum())
}

fn describe(interface: &Interface, link: LinkType, is_promiscuous: bool) -> record::Interface {
    record::Interface {
        name: Some(interface.name.clone()),
        index: interface.index,
        linktype: link.0,
        mac: interface.mac.clone(),
        mtu: interface.mtu,
        promisc: (interface.index != 0).then_some(is_promiscuous),
    }
}
