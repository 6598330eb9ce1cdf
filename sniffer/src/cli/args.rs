//! The options with their help texts. Option letters are tcpdump's, except `-q`.

use clap::{ArgAction, Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

use super::help;
use super::values::{
    file_size, interface_name, link_type, path, positive, positive_seconds, seconds, within,
};
use crate::capture::{DEFAULT_BLOCK_KIB, DEFAULT_BUFFER_KIB, DEFAULT_SNAPLEN, DirectionFilter};
use crate::output::Compression;
use crate::sandbox;

const INPUT: &str = "Input options";
const FILTER: &str = "Filter options";
const CAPTURE: &str = "Capture options";
const OUTPUT: &str = "Output options";
const FIELDS: &str = "Field options";
const SECURITY: &str = "Security options";
const OTHER: &str = "Other options";

/// The parsed command line.
#[derive(Debug, Parser)]
#[command(
    version,
    about = help::ABOUT,
    long_about = help::LONG_ABOUT,
    max_term_width = 100,
    override_usage = "sniffer [OPTIONS] [-i INTERFACE]... [-w FILE] [EXPRESSION]\n       \
                      sniffer [OPTIONS] -r FILE... [-w FILE] [EXPRESSION]",
    after_help = help::examples(),
    after_long_help = help::all_sections(),
    disable_help_flag = true,
    disable_version_flag = true
)]
pub(super) struct Args {
    /// Capture on INTERFACE; may be repeated; `any` means all interfaces
    ///
    /// Without this option, sniffer captures on the interface of the default route.
    #[arg(short, long, value_name = "INTERFACE", value_parser = interface_name,
          help_heading = INPUT)]
    pub(super) interface: Vec<String>,

    /// Read packets from a pcap or pcapng FILE; may be repeated; `-` means standard input
    ///
    /// Several files are merged by timestamp. Compression with gzip, zstd or xz is detected by
    /// content. If a file is damaged, the packets before the damage are written, and the error
    /// gives the byte offset.
    #[arg(short, long, value_name = "FILE", value_parser = path, help_heading = INPUT,
          conflicts_with_all = ["interface", "no_promiscuous", "duration", "stats", "direction",
                                "buffer_size", "block_size", "immediate", "no_gso",
                                "exit_on_down", "rotate_seconds"])]
    pub(super) read: Vec<PathBuf>,

    /// List interfaces and exit
    ///
    /// Shows the state, link type and addresses of each interface.
    #[arg(short = 'D', long, help_heading = INPUT,
          conflicts_with_all = ["interface", "read", "write"])]
    pub(super) list_interfaces: bool,

    /// Capture only matching packets; syntax of pcap-filter(7), e.g. 'tcp port 443'
    ///
    /// Several arguments are joined with spaces. The kernel runs the filter of a live capture if
    /// it can; otherwise sniffer does.
    #[arg(value_name = "EXPRESSION", help_heading = FILTER, conflicts_with = "list_interfaces")]
    pub(super) expression: Vec<String>,

    /// Read the filter expression from FILE; `#` starts a comment
    #[arg(short = 'F', long, value_name = "FILE", value_parser = path, help_heading = FILTER,
          conflicts_with = "expression")]
    pub(super) filter_file: Option<PathBuf>,

    /// Print the compiled filter and exit; -dd prints C, -ddd prints numbers
    #[arg(short, long = "dump-filter", action = ArgAction::Count, help_heading = FILTER,
          conflicts_with = "write")]
    pub(super) dump: u8,

    /// With -d, compile for LINKTYPE, e.g. EN10MB, RAW or LINUX_SLL2
    ///
    /// Without this option, -d uses the link type of the file of -r, or of the interface.
    #[arg(short = 'y', long, value_name = "LINKTYPE", value_parser = link_type,
          help_heading = FILTER, requires = "dump", conflicts_with_all = ["interface", "read"])]
    pub(super) linktype: Option<filter::LinkType>,

    /// Do not optimize the filter program
    #[arg(short = 'O', long, help_heading = FILTER)]
    pub(super) no_optimize: bool,

    /// Stop after COUNT packets
    #[arg(short, long, value_name = "COUNT", value_parser = positive::<u64>,
          help_heading = CAPTURE)]
    pub(super) count: Option<u64>,

    /// Stop after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds, help_heading = CAPTURE)]
    pub(super) duration: Option<Duration>,

    /// Capture at most SNAPLEN bytes of each packet
    #[arg(short, long, value_name = "SNAPLEN", default_value_t = DEFAULT_SNAPLEN,
          value_parser = within::<u32>(1..=DEFAULT_SNAPLEN), help_heading = CAPTURE)]
    pub(super) snapshot_length: u32,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long = "no-promiscuous-mode", help_heading = CAPTURE)]
    pub(super) no_promiscuous: bool,

    /// Capture only packets in this direction
    #[arg(short = 'Q', long, value_name = "DIRECTION", value_enum, default_value = "inout",
          help_heading = CAPTURE)]
    pub(super) direction: Direction,

    /// Size of the kernel's ring buffer in KiB, for each interface
    ///
    /// A larger buffer avoids drops when packets arrive in bursts.
    #[arg(short = 'B', long, value_name = "KIB", default_value_t = DEFAULT_BUFFER_KIB,
          value_parser = within::<u32>(256..=2 << 20), help_heading = CAPTURE)]
    pub(super) buffer_size: u32,

    /// Size of a ring buffer block in KiB; packets longer than a block are truncated
    #[arg(long, value_name = "KIB", default_value_t = DEFAULT_BLOCK_KIB,
          value_parser = within::<u32>(64..=16 << 10), help_heading = CAPTURE)]
    pub(super) block_size: u32,

    /// Write each packet as soon as it arrives, at the cost of CPU time
    #[arg(long, help_heading = CAPTURE)]
    pub(super) immediate: bool,

    /// Use N threads per interface, or N threads to format packets from files
    ///
    /// The kernel splits the packets of an interface between the threads by flow. Each thread has
    /// an equal share of the buffer. The output is still sorted by timestamp.
    #[arg(long, value_name = "N", value_parser = within::<u32>(1..=64), help_heading = CAPTURE)]
    pub(super) threads: Option<u32>,

    /// Do not record segmentation offload (GSO/GRO)
    #[arg(long, help_heading = CAPTURE)]
    pub(super) no_gso: bool,

    /// Exit if an interface goes down or disappears, instead of waiting for it
    #[arg(long, help_heading = CAPTURE)]
    pub(super) exit_on_down: bool,

    /// Write to FILE instead of standard output; `-` means standard output
    ///
    /// Names ending in .gz or .zst are compressed. With -G, FILE is a strftime(3) template, e.g.
    /// %Y%m%d-%H%M%S.ndjson. Only the owner can read a new file.
    #[arg(short, long, value_name = "FILE", value_parser = path, help_heading = OUTPUT)]
    pub(super) write: Option<PathBuf>,

    /// Overwrite an existing output file
    #[arg(long, requires = "write", help_heading = OUTPUT)]
    pub(super) force: bool,

    /// Compress the output with FORMAT, regardless of the file name
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = OUTPUT)]
    pub(super) compress: Option<CompressionFormat>,

    /// Start a new file after SIZE million bytes; suffixes k, m, g mean KiB, MiB, GiB
    ///
    /// The second file is named FILE1, the next FILE2, and so on; with -W, numbers start at 0 and
    /// have the same length. The number precedes .gz or .zst. A file has the suffix .part until it
    /// is complete.
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = file_size, requires = "write",
          help_heading = OUTPUT)]
    pub(super) rotate_size: Option<u64>,

    /// Start a new file every SECONDS
    ///
    /// FILE is a strftime(3) template in local time.
    #[arg(short = 'G', long, value_name = "SECONDS", value_parser = positive_seconds,
          requires = "write", help_heading = OUTPUT)]
    pub(super) rotate_seconds: Option<Duration>,

    /// With -C, keep COUNT files and overwrite the oldest; with -G, stop after COUNT files
    #[arg(short = 'W', long, value_name = "COUNT", value_parser = positive::<u32>,
          help_heading = OUTPUT)]
    pub(super) file_count: Option<u32>,

    /// Write a `stats` record every SECONDS; 0 writes only the last one
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds,
          help_heading = OUTPUT)]
    pub(super) stats: Duration,

    /// Add Ethernet addresses: `eth_src`, `eth_dst`
    #[arg(short = 'e', long, help_heading = FIELDS)]
    pub(super) ethernet: bool,

    /// Add names found in DNS, TLS, HTTP and QUIC packets
    ///
    /// The fields are `dns` and `dns_type`, `sni` (TLS), `host` (HTTP) and `quic` (the version).
    #[arg(long, help_heading = FIELDS)]
    pub(super) names: bool,

    /// Add the Community ID flow hash: `community_id`
    #[arg(long, help_heading = FIELDS)]
    pub(super) community_id: bool,

    /// If started as root, change to USER after opening interfaces and output
    ///
    /// Without this option, sniffer changes to the user who called sudo, or else to `nobody`. If
    /// that user cannot create files in the directory of -w, it changes to the directory's owner.
    #[arg(short = 'Z', long, value_name = "USER", help_heading = SECURITY)]
    pub(super) relinquish_privileges: Option<String>,

    /// What to do if the system does not offer all parts of the sandbox
    ///
    /// After opening interfaces, files and output, sniffer drops its privileges and restricts
    /// itself to the system calls and the directory that it still needs.
    #[arg(long, value_name = "MODE", value_enum, default_value = "best-effort",
          help_heading = SECURITY)]
    pub(super) sandbox: SandboxMode,

    /// Report whether capturing and the sandbox work on this machine, and exit
    ///
    /// Each problem is followed by a remedy. The exit status is 0 if capturing is possible, and 1
    /// otherwise.
    #[arg(long, exclusive = true, help_heading = SECURITY)]
    pub(super) check: bool,

    /// Print only errors
    #[arg(short, long, help_heading = OTHER)]
    pub(super) quiet: bool,

    /// Print the manual page or shell completions and exit
    #[arg(long, value_name = "KIND", value_enum, exclusive = true, help_heading = OTHER)]
    pub(super) generate: Option<Generate>,

    /// Print help; --help prints more than -h
    #[arg(short, long, action = ArgAction::Help, help_heading = OTHER)]
    help: Option<bool>,

    /// Print the version
    #[arg(short = 'V', long, action = ArgAction::Version, help_heading = OTHER)]
    version: Option<bool>,
}

/// The values of `--direction`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Direction {
    /// Received packets
    In,
    /// Sent packets
    Out,
    /// Both
    Inout,
}

impl From<Direction> for DirectionFilter {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::In => Self::In,
            Direction::Out => Self::Out,
            Direction::Inout => Self::InOut,
        }
    }
}

/// The values of `--compress`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompressionFormat {
    /// No compression
    None,
    /// gzip, the most widely supported
    Gzip,
    /// Zstandard, smaller and faster
    Zstd,
}

impl From<CompressionFormat> for Compression {
    fn from(format: CompressionFormat) -> Self {
        match format {
            CompressionFormat::None => Self::None,
            CompressionFormat::Gzip => Self::Gzip,
            CompressionFormat::Zstd => Self::Zstd,
        }
    }
}

/// The values of `--sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum SandboxMode {
    /// Exit with an error
    Strict,
    /// Print a message and run with the other parts
    BestEffort,
    /// Run without a sandbox and keep all privileges
    Off,
}

impl From<SandboxMode> for sandbox::Mode {
    fn from(mode: SandboxMode) -> Self {
        match mode {
            SandboxMode::Strict => Self::Strict,
            SandboxMode::BestEffort => Self::BestEffort,
            SandboxMode::Off => Self::Off,
        }
    }
}

/// The values of `--generate`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generate {
    /// Manual page in roff
    Man,
    /// Completions for bash
    Bash,
    /// Completions for fish
    Fish,
    /// Completions for zsh
    Zsh,
}
