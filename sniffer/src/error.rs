//! What can go wrong, each with the object's name and a remedy where there is one.

use std::io;
use std::path::PathBuf;
use summary::capture_file::FileError;

/// Why the program stops before it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter's expression does not compile.
    #[error("filter: {0}")]
    Filter(#[from] filter::Error),
    /// The kernel does not let this process open packet sockets.
    #[error(
        "no permission to capture: CAP_NET_RAW is missing\n  \
         give it to the program once:  sudo setcap cap_net_raw=ep {}\n  \
         or run it once as root:       sudo {}",
        .program.display(), .program.display()
    )]
    NoPermission {
        /// The running program.
        program: PathBuf,
    },
    /// No interface has the name asked for.
    #[error("no interface is named `{name}`; there are: {}", .available.join(", "))]
    NoSuchInterface {
        /// The name asked for.
        name: String,
        /// The names that exist, and `any`.
        available: Vec<String>,
    },
    /// No interface was named and none can be chosen.
    #[error("no interface is up; name one with -i (sniffer -D lists them)")]
    NoInterface,
    /// The interface exists but is down.
    #[error("interface `{name}` is down; bring it up with: ip link set {name} up")]
    InterfaceDown {
        /// Its name.
        name: String,
    },
    /// The interface went down while capturing, and the run was to end then.
    #[error("interface `{name}` went down; what was captured until then is complete")]
    WentDown {
        /// Its name.
        name: String,
    },
    /// The interface was removed while capturing, and the run was to end then.
    #[error("interface `{name}` disappeared; what was captured until then is complete")]
    InterfaceGone {
        /// Its name.
        name: String,
    },
    /// The interface's frames begin with something that cannot be decoded.
    #[error("interface `{name}` has link type ARPHRD {arphrd}, which is not supported; try -i any")]
    UnsupportedLinkType {
        /// Its name.
        name: String,
        /// The kernel's number of its type (linux/if_arp.h).
        arphrd: u16,
    },
    /// The kernel has no ring buffers.
    #[error("the kernel refuses a ring buffer for packets: {source}")]
    RingUnsupported {
        /// What the system said.
        source: io::Error,
    },
    /// The kernel has no memory for the buffer.
    #[error("no buffer of {kib} KiB: {source}; a smaller one may do: -B {}", .kib / 4)]
    RingAllocation {
        /// Size of the buffer that was asked for, in KiB.
        kib: usize,
        /// What the system said.
        source: io::Error,
    },
    /// A system call on the packet socket failed.
    #[error("capturing on `{interface}`: {call}: {source}")]
    Socket {
        /// The interface's name.
        interface: String,
        /// The call that failed, with its option.
        call: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The kernel did not answer about its interfaces.
    #[error("asking the kernel about interfaces: {source}")]
    Netlink {
        /// What the system said.
        source: io::Error,
    },
    /// Signals or polling could not be set up.
    #[error("{call}: {source}")]
    System {
        /// The call that failed.
        call: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A file name is no format of strftime(3).
    #[error("`{}` is no time format: {reason}", .template.display())]
    TimeFormat {
        /// The file name.
        template: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The output file exists already.
    #[error("`{}` exists; use --force to overwrite it", .path.display())]
    OutputExists {
        /// The output file.
        path: PathBuf,
    },
    /// The output cannot be written (on).
    #[error("cannot write `{name}`: {source}")]
    Output {
        /// The output file, or `standard output`.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The input cannot be opened or read (on).
    #[error("cannot read `{name}`: {source}")]
    Input {
        /// The input file, or `standard input`.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// A compressed input is damaged.
    #[error("`{name}`: cannot be unpacked behind byte {offset}: {source}")]
    Decompression {
        /// The input file, or `standard input`.
        name: String,
        /// Bytes of the file that were read so far: the damage is before that.
        offset: u64,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The input has no bytes.
    #[error("`{name}` is empty")]
    EmptyInput {
        /// The input file, or `standard input`.
        name: String,
    },
    /// The input is no capture file, or a damaged one.
    #[error("`{name}`: {source}")]
    CaptureFile {
        /// The input file, or `standard input`.
        name: String,
        /// What is wrong with it.
        source: FileError,
    },
}

impl Error {
    /// True where the interface was gone by the time the kernel was asked for it.
    pub(crate) fn is_no_device(&self) -> bool {
        let Self::Socket { source, .. } = self else { return false };
        matches!(source.raw_os_error(), Some(libc::ENODEV | libc::ENXIO))
    }

    /// True where nobody reads the output any more, as in `sniffer | head`.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}
