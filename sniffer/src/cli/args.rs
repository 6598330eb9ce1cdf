//! The options, and their help.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

use super::values::{file_size, interface_name, link_type, path, positive_seconds, seconds};
use crate::capture::{DEFAULT_BLOCK_KIB, DEFAULT_BUFFER_KIB, DEFAULT_SNAPLEN, DirectionFilter};
use crate::output::Compression;

/// Captures packets and writes a line of JSON for each.
///
/// Without -i it captures on the interface of the default route; without -w the lines go to
/// standard output. Ctrl-C ends a capture.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub(super) struct Args {
    /// Capture on INTERFACE, and on each other one that is given so; `any` is all of them
    #[arg(short, long, value_name = "INTERFACE", value_parser = interface_name)]
    pub(super) interface: Vec<String>,

    /// Read a pcap or pcapng file instead of capturing, and each other one that is given so, in the
    /// order of time; .gz, .zst and .xz are unpacked, `-` is standard input
    #[arg(short, long, value_name = "FILE", value_parser = path,
          conflicts_with_all = ["interface", "no_promiscuous", "duration", "stats", "direction",
                                "buffer_size", "block_size", "immediate", "no_gso",
                                "exit_on_down", "rotate_seconds"])]
    pub(super) read: Vec<PathBuf>,

    /// Write to FILE instead of standard output; `-` is standard output. A name that ends in .gz or
    /// .zst is compressed so; with -G the name is a time format, as %Y%m%d-%H%M%S
    #[arg(short, long, value_name = "FILE", value_parser = path)]
    pub(super) write: Option<PathBuf>,

    /// Overwrite the file of -w where it exists
    #[arg(long, requires = "write")]
    pub(super) force: bool,

    /// Compress the output, whatever its name ends in
    #[arg(long, value_name = "KIND", value_enum)]
    pub(super) compress: Option<CompressionFormat>,

    /// Go on in the next file when one has SIZE millions of bytes; k, m and g behind it make that
    /// KiB, MiB and GiB
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = file_size, requires = "write")]
    pub(super) rotate_size: Option<u64>,

    /// Go on in the next file every SECONDS
    #[arg(short = 'G', long, value_name = "SECONDS", value_parser = positive_seconds,
          requires = "write")]
    pub(super) rotate_seconds: Option<Duration>,

    /// Keep COUNT files of -C and overwrite the oldest; with -G stop after COUNT files
    #[arg(short = 'W', long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) file_count: Option<u32>,

    /// Stop after COUNT packets
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,

    /// Stop after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds)]
    pub(super) duration: Option<Duration>,

    /// Keep at most SNAPLEN bytes of a packet
    #[arg(short, long, value_name = "SNAPLEN", default_value_t = DEFAULT_SNAPLEN,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(DEFAULT_SNAPLEN)))]
    pub(super) snapshot_length: u32,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long = "no-promiscuous-mode")]
    pub(super) no_promiscuous: bool,

    /// Capture only what comes in, goes out, or both
    #[arg(short = 'Q', long, value_name = "DIRECTION", value_enum, default_value = "inout")]
    pub(super) direction: Direction,

    /// Size of the kernel's buffer in KiB: room for packets that come faster than they are written
    #[arg(short = 'B', long, value_name = "KIB", default_value_t = DEFAULT_BUFFER_KIB,
          value_parser = clap::value_parser!(u32).range(256..=2 << 20))]
    pub(super) buffer_size: u32,

    /// Size of the buffer's blocks in KiB: a packet longer than a block is cut
    #[arg(long, value_name = "KIB", default_value_t = DEFAULT_BLOCK_KIB,
          value_parser = clap::value_parser!(u32).range(64..=16 << 10))]
    pub(super) block_size: u32,

    /// Write each packet as soon as it is there, at the cost of more CPU time
    #[arg(long)]
    pub(super) immediate: bool,

    /// Read each interface with N threads, each with its share of the buffer, by flow; of files, make
    /// lines of packets with N threads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) threads: Option<u32>,

    /// Do not ask the kernel which packets segmentation offload cuts or joins
    #[arg(long)]
    pub(super) no_gso: bool,

    /// Stop when an interface goes down or away, instead of waiting until it is back
    #[arg(long)]
    pub(super) exit_on_down: bool,

    /// Write the Ethernet addresses too, as `eth_src` and `eth_dst`
    #[arg(short = 'e', long)]
    pub(super) ethernet: bool,

    /// Look into payloads, and write names: `dns` and `dns_type`, `sni` of TLS, `host` of HTTP, the
    /// version of `quic`
    #[arg(long)]
    pub(super) names: bool,

    /// Write `community_id`, the name of the flow that other tools have for it too
    #[arg(long)]
    pub(super) community_id: bool,

    /// Write a `stats` record every SECONDS; 0 writes one at the end only
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    pub(super) stats: Duration,

    /// Say nothing on standard error but errors
    #[arg(short, long)]
    pub(super) quiet: bool,

    /// Read the filter from FILE, where `#` begins a comment
    #[arg(short = 'F', long, value_name = "FILE", value_parser = path, conflicts_with = "expression")]
    pub(super) filter_file: Option<PathBuf>,

    /// Print the filter's program instead of capturing; -dd as C, -ddd as numbers
    #[arg(short, long = "dump-filter", action = clap::ArgAction::Count, conflicts_with = "write")]
    pub(super) dump: u8,

    /// Print it for packets of LINKTYPE, as EN10MB, RAW or LINUX_SLL2; needs no interface
    #[arg(short = 'y', long, value_name = "LINKTYPE", value_parser = link_type, requires = "dump",
          conflicts_with_all = ["interface", "read"])]
    pub(super) linktype: Option<filter::LinkType>,

    /// Leave the filter's program as it is first made, for who looks for a fault in making it short
    #[arg(short = 'O', long)]
    pub(super) no_optimize: bool,

    /// List the interfaces with state, link type and addresses, and exit
    #[arg(short = 'D', long, conflicts_with_all = ["interface", "read", "write"])]
    pub(super) list_interfaces: bool,

    /// Print the manual page or a shell's completions, and exit
    #[arg(long, value_name = "KIND", value_enum, exclusive = true)]
    pub(super) generate: Option<Generate>,

    /// Take only packets that match: the language of pcap-filter(7), as `tcp port 443`
    #[arg(value_name = "EXPRESSION", conflicts_with = "list_interfaces")]
    pub(super) expression: Vec<String>,
}

const EXAMPLES: &str = "Examples:
  sniffer -i eth0 -w capture.ndjson      capture until Ctrl-C
  sniffer -i any -c 100 | jq .dst        the next hundred packets, through jq
  sniffer -i eth0 -i eth1 -G 3600 -w %Y%m%d-%H.ndjson.zst
                                         two interfaces, a compressed file an hour
  sniffer -i eth0 'tcp port 443 and not host 10.0.0.5'
                                         what tcpdump would take for it
  sniffer -r dump.pcapng.gz              a capture file as lines of JSON";

/// Which packets are captured, by their direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Direction {
    /// What arrives
    In,
    /// What is sent from here
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

/// How the output is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompressionFormat {
    /// Not at all
    None,
    /// gzip, which every program reads
    Gzip,
    /// Zstandard: smaller and faster
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

/// What `--generate` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Generate {
    /// The manual page, in roff
    Man,
    /// Completions for bash
    Bash,
    /// Completions for fish
    Fish,
    /// Completions for zsh
    Zsh,
}
