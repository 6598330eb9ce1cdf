//! Runs that read capture files, and write the same lines as a live capture. Several files are
//! merged by timestamp into one stream.

mod capture_file;
mod count;
mod input;
mod kind;
mod parallel;
mod read_list;
mod run;

pub(crate) use count::count;
pub(crate) use read_list::read_list;
pub(crate) use run::Config;

use std::path::Path;
use summary::LinkType;
use summary::record::Reason;

use crate::Error;
use crate::filter::{Filter, FilterOptions};
use crate::progress::{self, Progress};
use crate::rotation_schedule::RotationSchedule;
use crate::sandbox::{self, Policy};
use crate::signals::Signals;
use crate::top::{self, Status, Top};
use capture_file::CaptureFile;
use input::{Input, OpenFile, SignalHandler};
use run::{FileRun, source_text};

/// Reads the files until they end, a signal arrives, or enough packets are written.
///
/// # Errors
///
/// If a file cannot be read or is damaged; the packets before the damage and all packets of the
/// other files are written first. If the output cannot be written.
pub(crate) fn run(config: &Config) -> Result<(), Error> {
    let open_files = open_all(config)?;
    let names: Vec<_> = open_files.iter().map(|file| file.name.clone()).collect();
    let filter = Filter::new(&config.filter);
    filter.resolve_names();
    // Opening a pipe blocks until it has a writer, and resolving a name until the server answers.
    // Until here signals keep their default actions.
    let signal_handler = SignalHandler::new(Signals::catch(false)?);
    let mut progress = Progress::start(config.is_quiet, config.outputs.uses_stdout());
    let terminal = config.has_top.then(|| top::open_terminal(&mut progress)).transpose()?;
    let prepared = config.outputs.prepare(Some(signal_handler.signals()))?;
    let policy = Policy {
        files: prepared.file_access(),
        starts_threads: config.thread_count.is_some() || terminal.is_some(),
        sets_terminal: terminal.is_some(),
        ..Policy::MINIMAL
    };
    if let Some(message) = sandbox::enter(&config.sandbox, &policy)? {
        progress.info(message);
    }
    // Before the first read, which blocks if a pipe has no data yet.
    let top = terminal
        .map(|terminal| {
            let quit = signal_handler.signals().quit_event()?;
            let status = Status { source: source_text(&names), ..Status::default() };
            Top::start(terminal, quit, status)
        })
        .transpose()?;
    let snaplen = config.stream.snaplen as usize;
    let files = open_files
        .into_iter()
        .map(|file| Ok(CaptureFile::new(Input::new(file, &signal_handler)?, snaplen, &filter)));
    let mut run = FileRun {
        files: files.collect::<Result<_, Error>>()?,
        top,
        prepared: Some(prepared),
        stream: None,
        names: &names,
        config,
        signal_handler: &signal_handler,
        progress,
        schedule: RotationSchedule::new(config.outputs.rotation),
        is_rotation_due: false,
        failures: Vec::new(),
    };
    let result = run_loop(&mut run);
    // After a signal the files seem to be cut short. That is not an error. Later, a signal ends the list of flows.
    let is_cut_short = signal_handler.is_stopped();
    let result = result.and_then(|reason| run.wait_for_user().map(|()| reason));
    run.top = None;
    run.progress.clear();
    let result = match run.failures.pop() {
        _ if is_cut_short => result.and(Ok(Reason::Signal)),
        Some(last) => {
            // `main` prints the last one.
            run.failures.iter().for_each(progress::print_message);
            result.and(Err(last))
        }
        None => result,
    };
    let result = match result {
        // Not even an end can be written.
        Err(error) if error.is_output() && run.has_failed() => Err(error),
        Err(error) if run.stream.is_none() => return Err(error), // no file is a capture
        Ok(reason) => run.finish(reason),
        Err(error) => run.finish(Reason::Error).and(Err(error)),
    };
    if !result.as_ref().is_err_and(Error::is_closed_pipe) {
        run.print_totals();
    }
    result
}

fn open_all(config: &Config) -> Result<Vec<OpenFile>, Error> {
    config.paths.iter().map(|path| OpenFile::open(path)).collect()
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
        if let Some(reason) = run.rotate_if_due()? {
            return Ok(reason);
        }
        let (Some(packet), Some(stream)) = (run.files[next].packet(), &mut run.stream) else {
            break;
        };
        stream.write_packet(0, &packet)?;
        if stream.is_full() {
            return Ok(Reason::Count);
        }
        run.advance(next)?;
        run.count_skipped();
    }
    Ok(Reason::Eof)
}

/// The link type of a capture file's first interface, and whether the file was written on a
/// big-endian machine. Enters the sandbox before it reads the file.
pub(crate) fn link_type(
    path: &Path,
    sandbox: &sandbox::Options,
) -> Result<(LinkType, bool), Error> {
    let file = OpenFile::open(path)?;
    let signal_handler = SignalHandler::new(Signals::none()?);
    if let Some(message) = sandbox::enter(sandbox, &Policy::MINIMAL)? {
        progress::print_message(message);
    }
    let options = FilterOptions { expression: None, optimize: true, snaplen: 0 };
    let filter = Filter::new(&options);
    let mut file = CaptureFile::new(Input::new(file, &signal_handler)?, 0, &filter);
    while !file.next_matching()? && file.interfaces().is_empty() {
        file.read()?;
    }
    let link = file.interfaces().first().map_or(LinkType::ETHERNET, |interface| interface.link);
    Ok((link, file.is_big_endian()))
}
