//! Starts a live run: opens interfaces and signals, enters the sandbox, creates the output, and runs
//! it.

use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use summary::record::SourceKind;

use super::accounting::Accounting;
use super::all_links::AllLinks;
use super::captured_interface::CapturedInterface;
use super::config::Config;
use super::interface_names::InterfaceNames;
use super::notices::DropNotices;
use super::opener::{Opener, user_space_filter_message};
use super::packet_source::PacketSource;
use super::run::Run;
use crate::Error;
use crate::capture::Reader;
use crate::http::Server;
use crate::interfaces::{self, Interface, LinkMonitor, NamespaceWatch};
use crate::metrics::{Page, RunState};
use crate::outputs::Outputs;
use crate::progress::Progress;
use crate::sandbox::{self, Policy, SocketAccess};
use crate::serve::{Listener, LiveView};
use crate::signals::Signals;
use crate::stream::{self, Stream};
use crate::top::{self, Status, Top};

/// Captures until something ends the run.
/// `namespace` is the network namespace that the process has entered, if any. `listener` serves the capture.
pub(crate) fn start(
    config: &Config,
    namespace: Option<NamespaceWatch>,
    mut listener: Option<Listener>,
) -> Result<(), Error> {
    // Before looking up the interfaces, to miss no change.
    let monitor = LinkMonitor::open()?;
    let chosen = interfaces::select(&config.interfaces)?;
    let opener = Opener::new(config);
    // Packets arrive once the first socket is bound.
    let start_time = stream::now();
    let mut opened = Vec::with_capacity(chosen.len());
    for interface in &chosen {
        opened.push(opener.open(interface)?);
    }
    let mut prepared = config.outputs.prepare(None)?;
    prepared.watch_readers()?;
    if let Some(listener) = listener.as_mut().filter(|_| config.outputs.is_empty()) {
        listener.watch_stdout()?;
    }
    prepared.check(chosen.iter().filter_map(Interface::link_type))?;
    // From here on signals end the run properly; until here they may end the process at once.
    // Before starting threads, which inherit the signal mask.
    let signals = Signals::catch(prepared.creates_files())?;
    let mut progress = Progress::start(config.is_quiet, config.outputs.uses_stdout());
    let terminal = config.has_top.then(|| top::open_terminal(&mut progress)).transpose()?;
    if config.interfaces.is_empty() && is_pipe(std::io::stdin()) {
        progress.info("standard input is not read; to read packets from it, use -r -");
    }
    if let ([], [interface]) = (&config.interfaces[..], &chosen[..])
        && !interfaces::has_default_route(interface)?
    {
        progress.info(format_args!(
            "no default route; capturing on {} (choose an interface with -i)",
            interface.name
        ));
    }
    if opened.iter().flat_map(|(_, readers)| readers).any(Reader::is_fallback) {
        progress.info(
            "the kernel refuses TPACKET_V3; falling back to TPACKET_V2, which uses more memory and \
             wakes up for every packet (increase the buffer with -B KIB)",
        );
    }
    for (interface, (_, readers)) in chosen.iter().zip(&opened) {
        if let Some(program) = readers.iter().find_map(Reader::filter) {
            progress.info(user_space_filter_message(interface, program));
        }
    }
    let server = config.metrics.map(|address| listen(address, &progress)).transpose()?;
    // Before the first packet is read, and before starting threads.
    let policy = Policy {
        files: prepared.file_access(),
        sockets: socket_access(config, &chosen),
        // Several interfaces are closed by threads.
        starts_threads: config.thread_count.is_some()
            || 1 < chosen.len()
            || terminal.is_some()
            || server.is_some()
            || listener.is_some(),
        accepts_connections: server.is_some() || listener.is_some(),
        sets_terminal: terminal.is_some(),
    };
    let missing_layers = sandbox::enter(&config.sandbox, &policy)?;
    let is_sandboxed = missing_layers.is_none() && config.sandbox.mode != sandbox::Mode::Off;
    missing_layers.into_iter().for_each(|message| progress.info(message));

    let names = InterfaceNames::new();
    let mut sources = Vec::with_capacity(chosen.len());
    let mut captured = Vec::with_capacity(chosen.len());
    for (interface, (captures, readers)) in chosen.into_iter().zip(opened) {
        names.set(interface.index, &interface.name);
        sources.push(PacketSource::new(readers, &names, &config.stream)?);
        captured.push(CapturedInterface::new(interface, captures, config.capture.is_promiscuous));
    }
    let has_any = captured.iter().any(|interface| interface.link.interface().index == 0);
    let all_links = if has_any { Some(AllLinks::new(interfaces::all()?)) } else { None };
    captured.iter_mut().try_for_each(CapturedInterface::init_hw_baseline)?;
    // The last step that can fail, so that a run that cannot start leaves no file.
    let copies = listener.as_ref().map(Listener::copies);
    let outputs = Outputs::open(&config.outputs, prepared, Some(&signals), copies)?;
    outputs.iter().for_each(|output| progress.recovered(output));
    let described = captured.iter().map(CapturedInterface::describe).collect();
    let source = (SourceKind::Live, cfg!(target_endian = "big"));
    let stream = Stream::open(outputs, &config.stream, source, None, described, start_time)?;
    let links: Vec<_> = captured
        .iter()
        .map(|interface| match interface.link.interface().link_type() {
            Some(link) => format!("{} ({link})", interface.name()),
            None => interface.name().to_owned(),
        })
        .collect();
    let snaplen = config.stream.snaplen;
    progress.info(format_args!("capturing on {}, snap length {snaplen}", links.join(", ")));
    let run_state = RunState {
        start: start_time,
        is_sandboxed,
        ring_bytes: u64::from(config.capture.buffer_kib) << 10,
        ..RunState::default()
    };
    let accounting = Accounting::new(stream, captured, config.outputs.rotation);
    let drop_notices = DropNotices::default();
    let metrics = match server {
        Some((server, address)) => {
            // Requests may come before the first counters are read.
            let page = Page::new(accounting.metrics(run_state).unwrap_or_default());
            server
                .start("metrics", page.clone())
                .map_err(|source| Error::Metrics { address, source })?;
            Some((page, run_state))
        }
        None => None,
    };
    let view = listener.map(|listener| serve(listener, &progress)).transpose()?;
    let top = terminal
        .map(|terminal| Top::start(terminal, signals.quit_event()?, Status::default()))
        .transpose()?;
    Run {
        config,
        opener,
        monitor,
        namespace,
        accounting,
        sources,
        all_links,
        names,
        signals,
        progress,
        drop_notices,
        top,
        metrics,
        view,
    }
    .run()
}

/// Opens the socket for `--metrics`, before the sandbox forbids it.
fn listen(address: SocketAddr, progress: &Progress) -> Result<(Server, SocketAddr), Error> {
    let failed = |source| Error::Metrics { address, source };
    let server = Server::bind(address).map_err(failed)?;
    let actual = server.address().map_err(failed)?;
    progress.info(format_args!("metrics on http://{actual}/metrics"));
    if !actual.ip().is_loopback() {
        progress.info("everyone who can connect to this address can read the metrics");
    }
    Ok((server, actual))
}

/// Starts to serve the page, and prints its URLs, also with `-q`.
fn serve(listener: Listener, progress: &Progress) -> Result<LiveView, Error> {
    listener.notices().into_iter().for_each(|notice| progress.info(notice));
    let urls = listener.urls();
    let view = listener.start()?;
    for (index, url) in urls.iter().enumerate() {
        let verb = if index == 0 { "open" } else { "or, from another machine," };
        progress.print(format_args!("{verb} {url}"));
    }
    Ok(view)
}

/// Whether another program writes to standard input, perhaps packets.
fn is_pipe(input: impl AsFd) -> bool {
    let file = input.as_fd().try_clone_to_owned().map(File::from);
    let metadata = file.and_then(|file| file.metadata());
    metadata.is_ok_and(|metadata| metadata.file_type().is_fifo())
}

/// Whether sockets may have to be opened later. Sockets in a fanout group cannot be bound to
/// another interface; the others can, and `any` is never removed.
fn socket_access(config: &Config, interfaces: &[Interface]) -> SocketAccess {
    let is_group = config.thread_count.is_some_and(|count| 1 < count);
    let can_return =
        !config.exits_on_down && interfaces.iter().any(|interface| interface.index != 0);
    if is_group && can_return { SocketAccess::Reopen } else { SocketAccess::Control }
}
