//! A run over capture files: the same lines as a live run writes. Several files become one stream in
//! the order of time.

mod capture_file;
mod input;
mod parallel;

use std::cell::Cell;
use std::path::Path;
use summary::LinkType;
use summary::record::{Interface, Reason, Source};

use crate::Error;
use crate::cli::ReadJob;
use crate::filter::{Choice, Filter};
use crate::output::Output;
use crate::progress::{self, Progress, packets};
use crate::signals::Signals;
use crate::stream::{Losses, Stream};
use capture_file::CaptureFile;
use input::{Input, Place};

/// Reads the files to their ends, or to where something else ends it.
pub(crate) fn run(job: &ReadJob<'_>) -> Result<(), Error> {
    let places = job.paths.iter().map(|path| Place::open(path)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = places.iter().map(|place| place.name.clone()).collect();
    // Not before: opening a pipe waits for its writer, and a signal may end that.
    let signals = Signals::catch(false)?;
    let heard = Heard::default();
    let filter = Filter::new(job.common.choice);
    let files = places.into_iter().map(|place| {
        let snaplen = job.common.snaplen as usize;
        Ok(CaptureFile::new(Input::new(place, &signals, &heard)?, snaplen, &filter))
    });
    let mut run = Run {
        files: files.collect::<Result<_, Error>>()?,
        stream: None,
        names: &names,
        job,
        signals: &signals,
        heard: &heard,
        progress: Progress::start(job.common.is_quiet, job.common.output.is_none()),
        failures: Vec::new(),
    };
    let ended = run.until_ended();
    run.progress.clear();
    // A file that a signal ends is not cut.
    let ended = match run.failures.pop() {
        _ if heard.is_stopped.get() => ended.and(Ok(Reason::Signal)),
        Some(last) => {
            // The last is told where the program ends.
            run.failures.iter().for_each(progress::report);
            ended.and(Err(last))
        }
        None => ended,
    };
    let reason = match &ended {
        Ok(reason) => *reason,
        Err(Error::Output { .. }) => return ended.map(drop),
        Err(_) => Reason::Error,
    };
    // Files that were no captures from the start leave no stream behind.
    let stream = match (run.stream.take(), &ended) {
        (Some(stream), _) => stream,
        (None, Ok(_)) => {
            let mut stream = run.open_stream()?;
            stream.skip(0, run.take_skipped());
            stream
        }
        (None, Err(_)) => return ended.map(drop),
    };
    let out = finish(stream, reason)?;
    ended?;
    run.progress.say(format_args!(
        "{} read from {} in {}",
        packets(out),
        names.join(", "),
        run.progress.elapsed()
    ));
    Ok(())
}

/// What signals did while there was nothing to read, and what they are told.
#[derive(Default)]
struct Heard {
    is_stopped: Cell<bool>,
    /// Packets written so far.
    out: Cell<u64>,
}

struct Run<'a> {
    files: Vec<CaptureFile<'a>>,
    stream: Option<Stream>,
    names: &'a [String],
    job: &'a ReadJob<'a>,
    signals: &'a Signals,
    heard: &'a Heard,
    progress: Progress,
    /// Why files that are damaged were not read on; the others were.
    failures: Vec<Error>,
}

impl Run<'_> {
    fn until_ended(&mut self) -> Result<Reason, Error> {
        for file in 0..self.files.len() {
            self.advance(file)?;
        }
        if self.files.iter().all(|file| file.head().is_none()) {
            return Ok(Reason::Eof);
        }
        self.stream = Some(self.open_stream()?);
        self.count_skipped();
        match self.job.thread_count {
            None => self.one_by_one(),
            Some(count) => parallel::run(self, count),
        }
    }

    fn one_by_one(&mut self) -> Result<Reason, Error> {
        while let Some(next) = self.earliest() {
            let (Some(seen), Some(stream)) = (self.files[next].seen(), &mut self.stream) else {
                break;
            };
            stream.rotate_when_full()?;
            stream.packet(0, &seen)?;
            if stream.is_full() {
                return Ok(Reason::Count);
            }
            self.advance(next)?;
            self.count_skipped();
        }
        Ok(Reason::Eof)
    }

    /// Counts the packets that the filter did not take since the last time.
    fn count_skipped(&mut self) {
        let skipped = self.take_skipped();
        if let Some(stream) = &mut self.stream {
            stream.skip(0, skipped);
        }
    }

    fn take_skipped(&mut self) -> u64 {
        self.files.iter_mut().map(CaptureFile::take_skipped).sum()
    }

    /// The file whose next frame is the earliest; the first of them where several are.
    fn earliest(&self) -> Option<usize> {
        let heads = self.files.iter().enumerate();
        heads.filter_map(|(file, state)| Some((state.head()?, file))).min().map(|(_, file)| file)
    }

    /// Goes on to the next frame of a file. Damage ends that file, and is told at the end.
    fn advance(&mut self, file: usize) -> Result<(), Error> {
        while !self.files[file].step()? {
            self.before_reading()?;
            if let Err(error) = self.files[file].read() {
                self.failures.push(error);
            }
        }
        Ok(())
    }

    /// Reading may take a while: what is there is written first, and told.
    fn before_reading(&mut self) -> Result<(), Error> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        if !self.files.iter().all(CaptureFile::is_regular) {
            stream.flush()?;
        }
        self.heard.out.set(stream.out());
        let read = self.files.iter().map(CaptureFile::read_len).sum();
        let whole = self.files.iter().map(CaptureFile::whole_len).sum::<Option<u64>>();
        self.progress.draw_share(stream.out(), whole.map(|whole| (read, whole)));
        Ok(())
    }

    fn open_stream(&self) -> Result<Stream, Error> {
        let interfaces = self.files.iter().flat_map(CaptureFile::interfaces).enumerate();
        let interfaces = interfaces.map(|(index, interface)| Interface {
            name: interface.name.clone(),
            index: u32::try_from(index).unwrap_or(u32::MAX),
            linktype: interface.link.0,
            mac: None,
            mtu: None,
            promisc: None,
        });
        let names: Vec<_> = self
            .names
            .iter()
            .map(|name| if name == input::STANDARD_INPUT { "-" } else { name })
            .collect();
        let mut output = Output::open(&self.job.common)?;
        output.heed(self.signals.clone());
        let file = Some(names.join(", "));
        Stream::open(output, &self.job.common, Source::File, file, interfaces.collect())
    }
}

/// Writes the last `stats` and `end`; returns the packets written.
fn finish(mut stream: Stream, reason: Reason) -> Result<u64, Error> {
    stream.stats(0, None, Losses::default(), None)?;
    let out = stream.out();
    stream.end(reason)?;
    Ok(out)
}

/// The link type of the first interface of a capture file, and whether the machine that wrote it has the
/// most significant byte first.
pub(crate) fn link_type(path: &Path) -> Result<(LinkType, bool), Error> {
    let place = Place::open(path)?;
    let signals = Signals::catch(false)?;
    let heard = Heard::default();
    let filter = Filter::new(Choice { text: None, is_optimized: true, snaplen: 0 });
    let mut file = CaptureFile::new(Input::new(place, &signals, &heard)?, 0, &filter);
    while !file.step()? && file.interfaces().is_empty() {
        file.read()?;
    }
    let link = file.interfaces().first().map_or(LinkType::ETHERNET, |interface| interface.link);
    Ok((link, file.is_big_endian()))
}
