//! A run over capture files: the same lines as a live run writes. Several files become one stream in
//! the order of time.

mod capture_file;
mod input;
mod parallel;
mod run;

pub(crate) use run::Config;

use std::path::Path;
use summary::LinkType;
use summary::record::Reason;

use crate::Error;
use crate::filter::{Filter, FilterOptions};
use crate::progress::{self, Progress, packets};
use crate::signals::Signals;
use crate::stream::{Losses, Stream};
use capture_file::CaptureFile;
use input::{Input, OpenFile, SignalState};
use run::FileRun;

/// Reads the files to their ends, or to where something else ends it.
pub(crate) fn run(config: &Config) -> Result<(), Error> {
    let places =
        config.paths.iter().map(|path| OpenFile::open(path)).collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = places.iter().map(|place| place.name.clone()).collect();
    // Not before: opening a pipe waits for its writer, and a signal may end that.
    let signals = Signals::catch(false)?;
    let signal_state = SignalState::default();
    let filter = Filter::new(&config.filter);
    let files = places.into_iter().map(|place| {
        let snaplen = config.stream.snaplen as usize;
        Ok(CaptureFile::new(Input::new(place, &signals, &signal_state)?, snaplen, &filter))
    });
    let mut run = FileRun {
        files: files.collect::<Result<_, Error>>()?,
        stream: None,
        names: &names,
        config,
        signals: &signals,
        signal_state: &signal_state,
        progress: Progress::start(config.is_quiet, config.output.path.is_none()),
        failures: Vec::new(),
    };
    let ended = run_loop(&mut run);
    run.progress.clear();
    // A file that a signal ends is not cut.
    let ended = match run.failures.pop() {
        _ if signal_state.is_stopped.get() => ended.and(Ok(Reason::Signal)),
        Some(last) => {
            // The last is told where the program ends.
            run.failures.iter().for_each(progress::print_message);
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
            stream.count_skipped(0, run.take_skipped());
            stream
        }
        (None, Err(_)) => return ended.map(drop),
    };
    let out = finish(stream, reason)?;
    ended?;
    run.progress.info(format_args!(
        "{} read from {} in {}",
        packets(out),
        names.join(", "),
        run.progress.elapsed()
    ));
    Ok(())
}

fn run_loop(run: &mut FileRun<'_>) -> Result<Reason, Error> {
    for file in 0..run.files.len() {
        run.advance(file)?;
    }
    if run.files.iter().all(|file| file.next_timestamp().is_none()) {
        return Ok(Reason::Eof);
    }
    run.stream = Some(run.open_stream()?);
    run.count_skipped();
    match run.config.thread_count {
        None => run_single_threaded(run),
        Some(count) => parallel::run(run, count),
    }
}

fn run_single_threaded(run: &mut FileRun<'_>) -> Result<Reason, Error> {
    while let Some(next) = run.earliest() {
        let (Some(packet), Some(stream)) = (run.files[next].packet(), &mut run.stream) else {
            break;
        };
        stream.rotate_if_full()?;
        stream.write_packet(0, &packet)?;
        if stream.is_full() {
            return Ok(Reason::Count);
        }
        run.advance(next)?;
        run.count_skipped();
    }
    Ok(Reason::Eof)
}

/// Writes the last `stats` and `end`; returns the packets written.
fn finish(mut stream: Stream, reason: Reason) -> Result<u64, Error> {
    stream.write_stats(0, None, Losses::default(), None)?;
    let out = stream.out();
    stream.finish(reason)?;
    Ok(out)
}

/// The link type of the first interface of a capture file, and whether the machine that wrote it has the
/// most significant byte first.
pub(crate) fn link_type(path: &Path) -> Result<(LinkType, bool), Error> {
    let place = OpenFile::open(path)?;
    let signals = Signals::catch(false)?;
    let signal_state = SignalState::default();
    let choice = FilterOptions { text: None, is_optimized: true, snaplen: 0 };
    let filter = Filter::new(&choice);
    let mut file = CaptureFile::new(Input::new(place, &signals, &signal_state)?, 0, &filter);
    while !file.next_matching()? && file.interfaces().is_empty() {
        file.read()?;
    }
    let link = file.interfaces().first().map_or(LinkType::ETHERNET, |interface| interface.link);
    Ok((link, file.is_big_endian()))
}
