//! A live run: waits, takes packets from the rings, writes lines, and ends for a reason.

mod books;
mod fanout;
mod intake;
mod names;
mod source;

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};
use summary::grouped;
use summary::record::{Event, EventKind, Reason, SourceKind};

use crate::Error;
use crate::capture::{self, Capture, Reader};
use crate::filter::{Filter, FilterOptions};
use crate::interfaces::{self, Change, Interface, Watch};
use crate::output::{self, Output};
use crate::progress::Progress;
use crate::signals::{self, Request, Signals};
use crate::stream::{self, Stream, new_event};
use books::{Books, nanoseconds, next_due};
use filter::Program;
use intake::Intake;
use names::Names;
use source::{Source, State};

/// How often the kernel's counters are read: they are 32 bits wide, and wrap.
const COUNTERS_INTERVAL: Duration = Duration::from_secs(1);

/// How long the last packets may take out of the ring after the end; a block is handed over in a
/// tenth of that.
const DRAIN_DEADLINE: Duration = Duration::from_secs(1);

/// Configuration of a live run.
#[derive(Debug)]
pub(crate) struct Config {
    /// Names of the interfaces; if empty, the interface of the default route.
    pub(crate) interfaces: Vec<String>,
    /// How the sockets are opened.
    pub(crate) capture: capture::Options,
    /// Reader threads per interface; `None` reads everything on the main thread.
    pub(crate) thread_count: Option<usize>,
    /// Whether the run ends with an error when an interface goes down or disappears.
    pub(crate) exits_on_down: bool,
    /// Length of the run; `None` is unlimited.
    pub(crate) duration: Option<Duration>,
    /// Time between `stats` records; zero writes them only at the end.
    pub(crate) stats_interval: Duration,
    pub(crate) output: output::Options,
    pub(crate) stream: stream::Options,
    pub(crate) filter: FilterOptions,
    /// Print only errors.
    pub(crate) is_quiet: bool,
}

/// Captures until something ends it.
pub(crate) fn run(config: &Config) -> Result<(), Error> {
    // Before the interfaces are looked up, so that no change is missed.
    let watch = Watch::open()?;
    let chosen = match &config.interfaces[..] {
        [] => vec![interfaces::default()?],
        names => names.iter().map(|name| interfaces::named(name)).collect::<Result<_, _>>()?,
    };
    let filter = Filter::new(&config.filter);
    let mut opened = Vec::with_capacity(chosen.len());
    for interface in &chosen {
        opened.push(open(interface, config, &filter)?);
    }
    let mut output = Output::open(&config.output)?;
    // Not before: until there is something to end, a signal may end all. And before threads.
    let signals = Signals::catch(output.can_rotate())?;
    output.set_signals(signals.clone());
    let progress = Progress::start(config.is_quiet, config.output.path.is_none());
    if opened.iter().flat_map(|(_, readers)| readers).any(Reader::is_fallback) {
        progress.info(
            "the kernel refuses the ring buffer of version 3: version 2 takes its place, which \
             needs more of it for small packets and wakes up for each (a larger one helps: -B KIB)",
        );
    }

    for (interface, (_, readers)) in chosen.iter().zip(&opened) {
        let Some(program) = readers.iter().find_map(Reader::filter) else { continue };
        let name = &interface.name;
        progress.info(match interface.index {
            0 if program.instructions().len() <= Program::KERNEL_MAX_LEN => format!(
                "{name}: the filter is about headers that the kernel does not have, so packets are filtered \
                 here"
            ),
            _ => format!(
                "{name}: the filter has {} instructions, more than the kernel takes ({} at most, and \
                 net.core.optmem_max bytes): packets are filtered here",
                program.instructions().len(),
                Program::KERNEL_MAX_LEN
            ),
        });
    }

    let names = Names::new();
    let mut run = Run::new(config, &filter, watch, names, signals, progress);
    let mut sources = Vec::with_capacity(chosen.len());
    for (interface, (captures, readers)) in chosen.into_iter().zip(opened) {
        run.names.set(interface.index, &interface.name);
        run.intakes.push(Intake::new(readers, &run.names, config.stream.fields)?);
        sources.push(Source::new(interface, captures, config.capture.is_promiscuous));
    }
    sources.iter_mut().try_for_each(Source::begin)?;
    let described = sources.iter().map(Source::describe).collect();
    let stream = Stream::open(output, &config.stream, SourceKind::Live, None, described)?;
    let mut books = Books::new(stream, sources, config.output.rotation);
    let links: Vec<_> = (books.sources.iter())
        .map(|source| match source.interface.link_type() {
            Some(link) => format!("{} ({link})", source.name()),
            None => source.name().to_owned(),
        })
        .collect();
    let snaplen = config.stream.snaplen;
    run.progress.info(format_args!("capturing on {}, snap length {snaplen}", links.join(", ")));

    let ended = run.until_ended(&mut books);
    run.progress.clear();
    match ended {
        Ok(reason) => run.end(books, reason),
        // Nothing can be written behind what could not be written.
        Err(error @ (Error::Output { .. } | Error::OutputExists { .. })) => Err(error),
        Err(error) => run.end(books, Reason::Error).and(Err(error)),
    }
}

/// Opens an interface once, or as often as there will be threads.
fn open(
    interface: &Interface,
    config: &Config,
    filter: &Filter<'_>,
) -> Result<(Vec<Capture>, Vec<Reader>), Error> {
    let program = match interface.link_type() {
        Some(link) => {
            let netmask = interfaces::netmask(&interface.name);
            filter.program(link, filter::Source::Live, netmask)?
        }
        None => None, // told when it is opened
    };
    let options = &config.capture;
    Ok(match config.thread_count {
        None | Some(1) => std::iter::once(capture::open(interface, options, program)?).unzip(),
        Some(count) => {
            let opened = capture::open_group(interface, options, program.as_ref(), count)?;
            opened.into_iter().unzip()
        }
    })
}

/// What a run needs besides its books.
struct Run<'a> {
    config: &'a Config,
    filter: &'a Filter<'a>,
    watch: Watch,
    /// One for each source.
    intakes: Vec<Intake>,
    names: Names,
    signals: Signals,
    progress: Progress,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a Config,
        filter: &'a Filter<'a>,
        watch: Watch,
        names: Names,
        signals: Signals,
        progress: Progress,
    ) -> Self {
        Self { config, filter, watch, intakes: Vec::new(), names, signals, progress }
    }

    fn until_ended(&mut self, books: &mut Books) -> Result<Reason, Error> {
        let start = Instant::now();
        let deadline = self.config.duration.map(|duration| start + duration);
        let interval = Some(self.config.stats_interval).filter(|interval| !interval.is_zero());
        let mut stats_due = interval.map(|interval| start + interval);
        let mut counters_due = start;
        loop {
            let mut is_idle = true;
            for source in 0..self.intakes.len() {
                is_idle &= !self.read(books, source)?;
                if let Some(reason) = books.over() {
                    return Ok(reason);
                }
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Ok(Reason::Duration);
            }
            books.rotate_when_due(now)?;
            if let Some(reason) = books.over() {
                return Ok(reason);
            }
            let stats_are_due = stats_due.is_some_and(|due| due <= now);
            if counters_due <= now || stats_are_due {
                books.read_all_counters()?;
                counters_due = now + COUNTERS_INTERVAL;
            }
            if let (true, Some(due), Some(interval)) = (stats_are_due, stats_due, interval) {
                books.stats()?;
                stats_due = Some(next_due(due, interval, now));
            }
            self.progress.draw(books.stream.out(), books.dropped());
            if is_idle {
                books.stream.flush()?;
            }
            let dues = [
                deadline,
                stats_due,
                self.progress.due(),
                Some(counters_due),
                books.rotation_due(),
            ];
            let wake = dues.into_iter().flatten().min();
            let rest = wake.map(|wake| wake.saturating_duration_since(now));
            if let Some(reason) =
                self.wait(books, if is_idle { rest } else { Some(Duration::ZERO) })?
            {
                return Ok(reason);
            }
        }
    }

    /// Writes the packets of one source that are ready; false where there are none.
    fn read(&mut self, books: &mut Books, source: usize) -> Result<bool, Error> {
        let read = self.intakes[source].read(|arrival| books.arrive(source, arrival))?;
        if read == Some(true) {
            books.read_counters(source)?;
        }
        Ok(read.is_some())
    }

    /// Waits for something to do, and does what signals and interfaces ask for.
    fn wait(
        &mut self,
        books: &mut Books,
        timeout: Option<Duration>,
    ) -> Result<Option<Reason>, Error> {
        let patience = self.intakes.iter().filter_map(Intake::patience);
        let timeout = patience.chain(timeout).min();
        let fds: Vec<_> = self.fds().chain([self.watch.as_fd()]).collect();
        let ready = self.signals.wait(&fds, timeout)?;
        if ready.is_stopped {
            return Ok(Some(Reason::Signal));
        }
        for place in ready.errors {
            if let Some(intake) = self.intakes.get(place) {
                intake.take_error()?;
            }
        }
        for change in self.watch.changes()? {
            self.heed(books, change)?;
        }
        if ready.has_requests {
            for request in self.signals.requests()? {
                match request {
                    Request::End => return Ok(Some(Reason::Signal)),
                    Request::Rotate => books.rotate(Reason::Signal)?,
                    Request::Report => {
                        books.read_all_counters()?;
                        self.progress.print(books.sentence(&self.progress.elapsed()));
                    }
                }
            }
        }
        Ok(None)
    }

    fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.intakes.iter().map(Intake::as_fd)
    }

    fn heed(&mut self, books: &mut Books, change: Change) -> Result<(), Error> {
        match change {
            Change::Is(interface) => self.heed_interface(books, &interface),
            Change::Gone(index) => self.heed_gone(books, index),
            Change::All(interfaces) => {
                for index in
                    books.sources.iter().map(|source| source.interface.index).collect::<Vec<_>>()
                {
                    if interfaces.iter().all(|interface| interface.index != index) {
                        self.heed_gone(books, index)?;
                    }
                }
                interfaces.iter().try_for_each(|interface| self.heed_interface(books, interface))
            }
        }
    }

    /// Tells what is new about an interface, and goes on with one that is there again.
    fn heed_interface(&mut self, books: &mut Books, now: &Interface) -> Result<(), Error> {
        self.names.set(now.index, &now.name);
        for index in 0..books.sources.len() {
            let source = &mut books.sources[index];
            let before = source.interface.clone();
            if let State::Gone { since } = source.state {
                if before.name == now.name && now.link_type().is_some() {
                    match self.attach(books, index, now, since) {
                        // Gone again; that it is there once more will be told.
                        Err(error) if error.is_no_device() => {}
                        attached => attached?,
                    }
                }
                continue;
            }
            if before.index != now.index {
                continue;
            }
            source.interface = now.clone();
            if before.name != now.name {
                let renamed = new_event(&before.name, EventKind::IfaceRenamed);
                books.stream.write_event(Event { new_name: Some(now.name.clone()), ..renamed })?;
            }
            if before.mtu != now.mtu {
                let changed = new_event(&now.name, EventKind::IfaceMtu);
                books.stream.write_event(Event { mtu: now.mtu, ..changed })?;
            }
            self.heed_state(books, index)?;
        }
        Ok(())
    }

    /// Tells that the interface went down or came up, where it did.
    fn heed_state(&mut self, books: &mut Books, index: usize) -> Result<(), Error> {
        let source = &mut books.sources[index];
        let name = source.interface.name.clone();
        let (state, kind) = match (source.state, source.interface.is_up) {
            (State::Up, false) => (State::Down { since: Instant::now() }, EventKind::IfaceDown),
            (State::Down { .. }, true) => (State::Up, EventKind::IfaceUp),
            (State::Back { .. }, true) => (State::Up, EventKind::Reattached),
            _ => return Ok(()),
        };
        let gap = (state == State::Up).then(|| nanoseconds(source.state.since().elapsed()));
        source.state = state;
        books.stream.write_event(Event { gap_ns: gap, ..new_event(&name, kind) })?;
        match state {
            State::Down { .. } if self.config.exits_on_down => Err(Error::WentDown { name }),
            _ => Ok(()),
        }
    }

    fn heed_gone(&mut self, books: &mut Books, gone: u32) -> Result<(), Error> {
        for source in &mut books.sources {
            let is_there = !matches!(source.state, State::Gone { .. });
            if source.interface.index != gone || gone == 0 || !is_there {
                continue;
            }
            let name = source.interface.name.clone();
            source.state = State::Gone { since: source.state.since() };
            books.stream.write_event(new_event(&name, EventKind::IfaceGone))?;
            if self.config.exits_on_down {
                return Err(Error::InterfaceGone { name });
            }
        }
        Ok(())
    }

    /// Goes on with another interface of the same name.
    fn attach(
        &mut self,
        books: &mut Books,
        index: usize,
        now: &Interface,
        since: Instant,
    ) -> Result<(), Error> {
        let is_fanned = matches!(self.intakes[index], Intake::Fanned(_));
        let is_of_other_link = books.sources[index].interface.link_type() != now.link_type();
        if is_fanned || is_of_other_link {
            // Sockets that share packets cannot be bound again, and a filter is for one link type: others
            // take their place.
            if !now.is_up {
                return Ok(());
            }
            self.drain(books, index)?;
            let (captures, readers) = open(now, self.config, self.filter)?;
            self.intakes[index] = Intake::new(readers, &self.names, self.config.stream.fields)?;
            books.sources[index].replace_captures(captures);
        } else if let Intake::Direct { reader, .. } = &mut self.intakes[index] {
            let mut captures = books.sources[index].captures.iter();
            captures.try_for_each(|capture| capture.attach(reader, now))?;
        }
        let source = &mut books.sources[index];
        source.interface = now.clone();
        source.forget_lost();
        source.state = State::Back { since };
        self.heed_state(books, index)
    }

    /// Takes the last packets of a source, which gets no more, out of its ring, and reads what the
    /// kernel counted.
    fn drain(&mut self, books: &mut Books, source: usize) -> Result<(), Error> {
        let deadline = Instant::now() + DRAIN_DEADLINE;
        loop {
            while books.over().is_none() && self.read(books, source)? {}
            books.read_counters(source)?;
            let counters = books.sources[source].counters();
            let is_drained = counters.recv == books.stream.processed(source) + counters.drop;
            let now = Instant::now();
            if is_drained || books.over().is_some() || deadline <= now {
                return Ok(());
            }
            let left = self.intakes[source].patience().unwrap_or(deadline - now);
            // Only the ring is waited for: the signal that ended the run may still be there.
            signals::poll_readable(&[self.intakes[source].as_fd()], left)?;
        }
    }

    /// Lets no more packets in, takes the last ones out of the rings, and closes the accounts.
    ///
    /// Where no more are wanted, what is left in the rings came after the run: it is not taken, and
    /// not counted.
    fn end(mut self, mut books: Books, reason: Reason) -> Result<(), Error> {
        let mut captures = books.sources.iter().flat_map(|source| &source.captures);
        captures.try_for_each(Capture::reject_all)?;
        for source in 0..self.intakes.len() {
            self.drain(&mut books, source)?;
        }
        books.last_stats()?;
        let dropped = books.dropped();
        let sentence = books.sentence(&self.progress.elapsed());
        books.stream.finish(reason)?;
        self.progress.info(sentence);
        if dropped > 0 {
            self.progress.info(format_args!(
                "the kernel dropped {} packets for which its buffer had no room; a larger one \
                 (-B KIB), shorter packets (-s SNAPLEN) or more threads (--threads N) help",
                grouped(dropped)
            ));
        }
        Ok(())
    }
}
