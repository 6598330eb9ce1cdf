//! Errors that end a run. Each message names the object, and a remedy if there is one. Names are escaped:
//! a file or an interface can have a name that controls the terminal.

use std::fmt;
use std::io;
use std::path::PathBuf;
use summary::capture_file::FileError;
use summary::{Printable, is_display_control};

use crate::interfaces::ANY;

/// The names of the standard streams in messages.
pub(crate) const STANDARD_INPUT_NAME: &str = "standard input";
pub(crate) const STANDARD_OUTPUT_NAME: &str = "standard output";

/// The name of a file in a message, in quotes unless it is a standard stream.
pub(crate) struct FileName<'a>(pub(crate) &'a str);

impl fmt::Display for FileName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            name @ (STANDARD_INPUT_NAME | STANDARD_OUTPUT_NAME) => formatter.write_str(name),
            name => write!(formatter, "`{}`", Printable(name)),
        }
    }
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing can listen on the address of `--metrics`.
    #[error("cannot serve metrics on {address}: {source}")]
    Metrics {
        /// The given address.
        address: std::net::SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// Nothing can listen on the address of `--serve`.
    #[error("cannot serve the page on {address}: {source}")]
    Serve {
        /// The given address.
        address: std::net::SocketAddr,
        /// The system's error.
        source: io::Error,
    },
    /// The program contains no page for `--serve`.
    #[error(
        "this program contains no page for --serve; to build target/release/sniffer with the page: cargo \
         xtask site"
    )]
    NoPage,
    /// The terminal of `--top` cannot be used.
    #[error("cannot use the terminal: {source}")]
    Terminal {
        /// The system's error.
        source: io::Error,
    },
    /// The filter expression does not compile.
    #[error("invalid filter: {}", .0.display(is_display_control))]
    Filter(#[from] filter::Error),
    /// The filter expression of an option does not compile.
    #[error("{option}: invalid filter: {}", .source.display(is_display_control))]
    OptionFilter {
        /// The option.
        option: &'static str,
        /// What is wrong with the expression.
        source: filter::Error,
    },
    /// The process may not open packet sockets.
    #[error(
        "cannot capture: CAP_NET_RAW is missing\n  \
         grant it to this program:  sudo setcap cap_net_raw=ep {}\n  \
         or run as root:            sudo {}",
        Printable(.program.display()), Printable(.program.display())
    )]
    NoPermission {
        /// The running program.
        program: PathBuf,
    },
    /// No interface has the given name.
    #[error("no interface named `{}`; available: {}", Printable(.name), Printable(.available.join(", ")))]
    NoSuchInterface {
        /// The given name.
        name: String,
        /// The existing names, and `any`.
        available: Vec<String>,
    },
    /// `any` and another interface are selected.
    #[error("`{ANY}` includes all other interfaces")]
    AnyAmongInterfaces,
    /// Two names mean the same interface.
    #[error("`{}` is `{}`, which is selected already", Printable(.given), Printable(.name))]
    DuplicateInterface {
        /// The second name or number, as given.
        given: String,
        /// The interface's name.
        name: String,
    },
    /// No network namespace has that name.
    #[error("no network namespace `{}`: {source}; {}", Printable(.name), available_namespaces(.available))]
    NoSuchNamespace {
        /// The given name, path or process ID.
        name: String,
        /// The system's error.
        source: io::Error,
        /// The existing names.
        available: Vec<String>,
    },
    /// The process may not enter the network namespace.
    #[error(
        "cannot enter network namespace `{}`: {source}\n  \
         needs {needed}; run as root, or grant capabilities to this program:\n  \
         sudo setcap cap_net_raw,cap_sys_admin,cap_sys_ptrace=ep {}",
        Printable(.name), Printable(.program.display())
    )]
    EnterNamespace {
        /// The given name, path or process ID.
        name: String,
        /// The system's error.
        source: io::Error,
        /// The missing capabilities.
        needed: &'static str,
        /// The running program.
        program: PathBuf,
    },
    /// No interface was given, and none is up.
    #[error("no interface is up; choose one with -i (sniffer -D lists them)")]
    NoInterface,
    /// The interface exists but is down.
    #[error("interface `{}` is down; bring it up with: ip link set {} up", Printable(.name), Printable(.name))]
    InterfaceDown {
        /// Its name.
        name: String,
    },
    /// The interface went down during a capture with `--exit-on-down`.
    #[error("interface `{}` went down; earlier packets have been written", Printable(.name))]
    WentDown {
        /// Its name.
        name: String,
    },
    /// The interface was removed during a capture with `--exit-on-down`.
    #[error("interface `{}` disappeared; earlier packets have been written", Printable(.name))]
    InterfaceGone {
        /// Its name.
        name: String,
    },
    /// The network namespace was deleted during a capture with `--exit-on-down`.
    #[error("network namespace `{}` was deleted; earlier packets have been written", Printable(.name))]
    NamespaceGone {
        /// The given name, path or process ID.
        name: String,
    },
    /// The decoder does not support the interface's link type.
    #[error("interface `{}` has an unsupported link type (ARPHRD {arphrd}); try -i any", Printable(.name))]
    UnsupportedLinkType {
        /// The interface's name.
        name: String,
        /// The kernel's link type: an `ARPHRD_` number (linux/if_arp.h).
        arphrd: u16,
    },
    /// The kernel supports neither version of packet ring buffers.
    #[error("the kernel does not support packet ring buffers: {source}")]
    RingUnsupported {
        /// The system's error.
        source: io::Error,
    },
    /// The kernel cannot allocate the ring buffer.
    #[error("cannot allocate a ring buffer of {kib} KiB: {source}; try a smaller one: -B {}", (.kib / 4).max(256))]
    RingAllocation {
        /// The requested size in KiB.
        kib: usize,
        /// The system's error.
        source: io::Error,
    },
    /// A system call on the packet socket failed.
    #[error("cannot capture on `{}`: {call}: {source}", Printable(.interface))]
    Socket {
        /// The interface's name.
        interface: String,
        /// The call that failed, or its socket option.
        call: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// A netlink request failed.
    #[error("cannot query network interfaces: {source}")]
    Netlink {
        /// The system's error.
        source: io::Error,
    },
    /// `-Z` names no user.
    #[error("no user named `{}`", Printable(.name))]
    NoSuchUser {
        /// The name.
        name: String,
    },
    /// A part of the sandbox is missing, and the user requires all.
    #[error("incomplete sandbox: {missing}; to run without these parts: --sandbox=best-effort")]
    Sandbox {
        /// The missing parts, with reasons.
        missing: String,
    },
    /// `--check` found that capturing is impossible.
    #[error("capturing is not possible; see the lines marked `missing`")]
    CannotCapture,
    /// A system call outside capturing failed.
    #[error("{call} failed: {source}")]
    System {
        /// The call.
        call: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The system refuses to start the threads of `--threads`.
    #[error(
        "cannot start {count} threads: {source}; use fewer (--threads N), or raise the limits of \
         memory (ulimit -v) and processes (ulimit -u)"
    )]
    Threads {
        /// The requested number.
        count: usize,
        /// The system's error.
        source: io::Error,
    },
    /// A capture thread panicked.
    #[error("a capture thread panicked; its packets are missing from the output")]
    ReaderPanicked,
    /// The output file name is not a valid strftime(3) template.
    #[error("invalid time format `{}`: {reason}", Printable(.template.display()))]
    TimeFormat {
        /// The file name.
        template: PathBuf,
        /// Why it is invalid.
        reason: &'static str,
    },
    /// The output file already exists.
    #[error("`{}` already exists; use --force to overwrite it", Printable(.path.display()))]
    OutputExists {
        /// The output file.
        path: PathBuf,
    },
    /// An interrupted run left an unfinished file, which this run may not complete.
    #[error(
        "`{}` is unfinished, and sniffer cannot complete it: it belongs to another user, everyone may write \
         to its directory, or another program wrote it; rename it to keep it, or replace it with --force",
        Printable(.path.display())
    )]
    UnfinishedOutput {
        /// The unfinished file.
        path: PathBuf,
    },
    /// Another process has locked the output file.
    #[error("`{}` is being written by another process", Printable(.path.display()))]
    OutputInUse {
        /// The output file.
        path: PathBuf,
    },
    /// The output would overwrite an input.
    #[error("{} is also an input; write to another file", FileName(.name))]
    OutputIsInput {
        /// The output file, or `standard output`.
        name: String,
    },
    /// A pipe, device or link of another user in a directory that all users may write to.
    #[error("`{}` belongs to another user; use --force to write to it", Printable(.path.display()))]
    ForeignOutput {
        /// The pipe, device or link.
        path: PathBuf,
    },
    /// A complete output file cannot get its final name.
    #[error("cannot rename `{}` to `{}`: {source}", Printable(.from.display()), Printable(.to.display()))]
    Rename {
        /// The complete file.
        from: PathBuf,
        /// Its final name.
        to: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file that an interrupted run left cannot be completed.
    #[error(
        "cannot complete `{}`, which an interrupted capture left: {source}",
        Printable(.path.display())
    )]
    Recovery {
        /// The unfinished file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The output cannot be created or written.
    #[error("cannot write {}: {source}", FileName(.name))]
    Output {
        /// The output file, or `standard output`.
        name: String,
        /// The system's error.
        source: io::Error,
    },
    /// Packets would be written to a terminal.
    #[error("standard output is a terminal; write packets to a file or a pipe: --pcapng FILE")]
    PacketsToTerminal,
    /// The input cannot be opened or read.
    #[error("cannot read {}: {source}", FileName(.name))]
    Input {
        /// The input file, or `standard input`.
        name: String,
        /// The system's error.
        source: io::Error,
    },
    /// A compressed input is damaged.
    #[error("{}: decompression failed after byte {offset}: {source}", FileName(.name))]
    Decompression {
        /// The input file, or `standard input`.
        name: String,
        /// Compressed bytes read before the error; the damage is in them.
        offset: u64,
        /// The decompressor's error.
        source: io::Error,
    },
    /// The input contains no bytes.
    #[error("{} is empty", FileName(.name))]
    EmptyInput {
        /// The input file, or `standard input`.
        name: String,
    },
    /// The input is a file of another kind.
    #[error("{}: not a pcap or pcapng file but {kind}", FileName(.name))]
    OtherFileKind {
        /// The input file, or `standard input`.
        name: String,
        /// What it is, and what to do with it.
        kind: &'static str,
    },
    /// The input is not a capture file, or a damaged one.
    #[error("{}: {source}", FileName(.name))]
    CaptureFile {
        /// The input file, or `standard input`.
        name: String,
        /// The parser's error.
        source: FileError,
    },
}

fn available_namespaces(names: &[String]) -> String {
    match names {
        [] => "`ip netns list` is empty".into(),
        names => format!("available: {}", Printable(names.join(", "))),
    }
}

impl Error {
    /// Whether the interface disappeared before the failed system call.
    pub(crate) fn is_no_device(&self) -> bool {
        let Self::Socket { source, .. } = self else { return false };
        matches!(source.raw_os_error(), Some(libc::ENODEV | libc::ENXIO))
    }

    /// Whether the output is unusable: not even an `end` record can be written.
    pub(crate) fn is_output(&self) -> bool {
        matches!(
            self,
            Self::Output { .. }
                | Self::OutputExists { .. }
                | Self::UnfinishedOutput { .. }
                | Self::OutputInUse { .. }
                | Self::OutputIsInput { .. }
                | Self::ForeignOutput { .. }
                | Self::PacketsToTerminal
                | Self::Rename { .. }
                | Self::Recovery { .. }
        )
    }

    /// Whether the command line is to blame: the filter does not compile.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Filter(_) | Self::OptionFilter { .. })
    }

    /// Whether the reader of the output closed it, as in `sniffer | head`.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
