//! The options with their texts. The first paragraph of a comment is the text of `--help`; the manual
//! page adds the others. Option letters are tcpdump's; `tcpdump` answers those of its options that
//! are missing here.

use clap::{ArgAction, Command, CommandFactory, Parser, ValueHint};
use clap_complete::ArgValueCandidates;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::choices::{CompressionFormat, Direction, Generate, SandboxMode, TunnelPacket};
use super::records::{self, TimeFormat, TypeName};
use super::values::{
    duration, file_size, interface_name, link_type, namespace, path, positive, positive_duration,
    ring_limits, rotation_interval, snaplen, socket_address, within,
};
use super::{completion, sections, tcpdump, version};
use crate::capture::{DEFAULT_BLOCK_KIB, DEFAULT_BUFFER_KIB, DEFAULT_SNAPLEN};
use crate::interfaces::NamespaceName;
use crate::packet_file::RingLimits;

/// Where the page is served.
const DEFAULT_SERVE_ADDRESS: &str = "127.0.0.1:8000";

/// Ports in examples of addresses.
const METRICS_PORT: u16 = 9470;
const SERVE_PORT: u16 = 8000;

const INPUT: &str = "Input";
const OUTPUT: &str = "Output";
const ROTATION: &str = "Rotation";
const FILTER: &str = "Filter";
const FIELDS: &str = "Fields";
const PERFORMANCE: &str = "Performance";
const OTHER: &str = "Other";

/// The command with all options, for parsing.
pub(super) fn command() -> Command {
    tcpdump::add_to(Args::command())
}

/// The parsed command line.
#[derive(Debug, Parser)]
#[command(
    name = "sniffer",
    version = version::version(),
    about = sections::ABOUT,
    max_term_width = 80,
    override_usage = "sniffer [OPTIONS] [-i INTERFACE]... [-w FILE] [EXPRESSION]\n       \
                      sniffer [OPTIONS] -r FILE... [-w FILE] [EXPRESSION]",
    args_override_self = true,
    infer_long_args = true,
    disable_help_flag = true,
    disable_version_flag = true
)]
pub(super) struct Args {
    /// Capture on this interface; `any` is all of them
    ///
    /// Takes a name, an alternative name, the number of an interface in the list of -D, or several
    /// of these separated by commas. May be repeated. Without this option, sniffer captures on the
    /// interface of the default route.
    #[arg(short, long, value_name = "INTERFACE", value_parser = interface_name,
          value_delimiter = ',', add = ArgValueCandidates::new(completion::interface_names),
          help_heading = INPUT)]
    pub(super) interface: Vec<String>,

    /// Read a capture file; `-` is standard input
    ///
    /// The formats are pcap and pcapng. May be repeated; files are merged by timestamp. Compression
    /// with gzip, zstd or xz is detected by content. If a file is damaged, the packets before the
    /// damage are written, and the error gives the byte offset.
    #[arg(short, long, value_name = "FILE", value_parser = path(),
          value_hint = ValueHint::FilePath, help_heading = INPUT)]
    pub(super) read: Vec<PathBuf>,

    /// Read the files that FILE lists, one per line
    ///
    /// `-` is standard input. Lines that start with `#` are comments. The files are merged by timestamp,
    /// as with several -r.
    #[arg(short = 'V', long, value_name = "FILE", value_parser = path(),
          value_hint = ValueHint::FilePath, help_heading = INPUT,
          hide_short_help = true)]
    pub(super) read_list: Option<PathBuf>,

    /// Capture in another network namespace, e.g. of a container
    ///
    /// Takes a name from `ip netns list`, a path such as /proc/PID/ns/net, or a process ID. Needs the
    /// capability CAP_SYS_ADMIN, and CAP_SYS_PTRACE for processes of other users. They are dropped
    /// before the first packet is read. Applies to -i, -D, -d and --check. Host names in filters are
    /// looked up from that namespace.
    #[arg(long, value_name = "NAMESPACE", value_parser = namespace, help_heading = INPUT,
          add = ArgValueCandidates::new(completion::namespace_names),
          hide_short_help = true)]
    pub(super) netns: Option<NamespaceName>,

    /// List the interfaces and exit
    ///
    /// Shows the number, state, link type, alternative names and addresses of each interface.
    #[arg(short = 'D', long, help_heading = INPUT,
          conflicts_with_all = ["interface", "read", "read_list", "write", "pcapng"])]
    pub(super) list_interfaces: bool,

    /// Stop after COUNT packets
    #[arg(short = 'c', long, value_name = "COUNT", value_parser = positive::<u64>,
          allow_negative_numbers = true,
          help_heading = INPUT)]
    pub(super) max_packets: Option<u64>,

    /// Stop after TIME, e.g. 30 (seconds), 10m or 1h
    #[arg(long, value_name = "TIME", value_parser = positive_duration,
          allow_negative_numbers = true, help_heading = INPUT,
          hide_short_help = true)]
    pub(super) duration: Option<Duration>,

    /// Capture at most LEN bytes of each packet
    ///
    /// From 1 to 262144; 0 means the default.
    #[arg(short, long, value_name = "LEN", default_value_t = DEFAULT_SNAPLEN,
          value_parser = snaplen,
          allow_negative_numbers = true, help_heading = INPUT, hide_short_help = true)]
    pub(super) snapshot_length: u32,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long = "no-promiscuous-mode", help_heading = INPUT, hide_short_help = true)]
    pub(super) no_promiscuous: bool,

    /// Capture only packets in this direction
    #[arg(short = 'Q', long, value_name = "DIRECTION", value_enum, default_value = "inout",
          help_heading = INPUT, hide_short_help = true)]
    pub(super) direction: Direction,

    /// Exit if an interface goes down or disappears
    ///
    /// Also exits if the namespace of --netns is deleted. Without this option, sniffer waits for the
    /// interface and continues when it is back.
    #[arg(long, help_heading = INPUT, hide_short_help = true)]
    pub(super) exit_on_down: bool,

    /// Write to FILE; `-` is standard output
    ///
    /// Names ending in .gz or .zst are compressed. With -G, FILE is a strftime(3) template, e.g.
    /// %Y%m%d-%H%M%S.ndjson. Only the owner can read a new file.
    #[arg(short, long, value_name = "FILE", value_parser = path(),
          value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub(super) write: Option<PathBuf>,

    /// Write the packets to FILE as pcapng
    ///
    /// The packets have all captured bytes, times in nanoseconds, interfaces and directions. Their
    /// numbers (`epb_packetid`) are those of the lines. Without -w, no lines are written. -C, -G, -W,
    /// --force, --compress and the extensions .gz and .zst apply as with -w.
    #[arg(long, value_name = "FILE", value_parser = path(),
          value_hint = ValueHint::FilePath, help_heading = OUTPUT, hide_short_help = true)]
    pub(super) pcapng: Option<PathBuf>,

    /// With --pcapng, write only packets that match EXPRESSION
    ///
    /// Lines describe all packets. The syntax is that of the capture filter, which selects the packets
    /// that are captured at all. Like the filter of a file, it sees the VLAN tag as part of the packet, and
    /// no direction.
    #[arg(long, value_name = "EXPRESSION", requires = "pcapng", help_heading = OUTPUT,
          hide_short_help = true)]
    pub(super) keep: Option<String>,

    /// With --pcapng, keep packets in memory until a trigger
    ///
    /// LIMIT is a time such as 30s, a size such as 64MiB, or both (30s,1GiB). SIGUSR1 and --trigger write
    /// the packets of this time or size before and after them. The memory of a time is limited to
    /// 256 MiB, unless LIMIT has a size.
    #[arg(long, value_name = "LIMIT", value_parser = ring_limits, requires = "pcapng",
          allow_negative_numbers = true, help_heading = OUTPUT, hide_short_help = true)]
    pub(super) ring: Option<RingLimits>,

    /// With --ring, packets that match EXPRESSION are triggers
    #[arg(long, value_name = "EXPRESSION", requires = "ring", help_heading = OUTPUT,
          hide_short_help = true)]
    pub(super) trigger: Option<String>,

    /// Overwrite an existing file
    #[arg(long, help_heading = OUTPUT, hide_short_help = true)]
    pub(super) force: bool,

    /// Compress, whatever the file name
    #[arg(long, value_name = "FORMAT", value_enum, help_heading = OUTPUT, hide_short_help = true)]
    pub(super) compress: Option<CompressionFormat>,

    /// Write a `stats` record every TIME; 0: only at the end
    #[arg(long, value_name = "TIME", default_value = "1", value_parser = duration,
          allow_negative_numbers = true,
          help_heading = OUTPUT, hide_short_help = true)]
    pub(super) stats: Duration,

    /// Write only records of these types, e.g. pkt
    ///
    /// The counters in `stats` and `end` include the packets that are left out.
    #[arg(long, value_name = "TYPE", value_enum, value_delimiter = ',', help_heading = OUTPUT,
          hide_short_help = true)]
    pub(super) only: Vec<TypeName>,

    /// Write a `flow` record for each flow
    ///
    /// A flow has the packets of both directions between two endpoints. Its record counts them, and what
    /// went wrong: retransmissions, resets, zero windows, failed DNS questions. It is written when the
    /// connection closes, after 120 seconds without packets, and at the end. `--only flow` leaves out
    /// packets.
    #[arg(long, help_heading = OUTPUT, hide_short_help = true)]
    pub(super) flows: bool,

    /// Also write flows that last for TIME; 0: only at their end
    ///
    /// The next packet after TIME reports the packets so far, with the reason `active`, and the counts
    /// start at 0.
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = duration,
          allow_negative_numbers = true, requires = "flows",
          help_heading = OUTPUT, hide_short_help = true)]
    pub(super) flow_interval: Duration,

    /// Show the busiest flows and those with problems
    ///
    /// The list is updated every second. The keys r, b, p, x, l and d sort it by rate, bytes, packets,
    /// problems, latency or duration; the arrow keys scroll, and q quits. Files are shown until q is
    /// pressed. Without -w, no records are written.
    #[arg(long, help_heading = OUTPUT, hide_short_help = true,
          conflicts_with_all = ["count", "list_interfaces", "dump", "check"])]
    pub(super) top: bool,

    /// Serve counters for Prometheus, e.g. on 127.0.0.1:9470
    ///
    /// `http://ADDRESS:PORT/metrics` reports packets, bytes and drops of each interface, packets by
    /// protocol, TCP round-trip times and DNS response times, updated every second. Live captures only.
    /// Other hosts can read the counters unless ADDRESS is a loopback address.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = socket_address(METRICS_PORT), help_heading = OUTPUT,
          hide_short_help = true)]
    pub(super) metrics: Option<SocketAddr>,

    /// Show the running capture in a browser
    ///
    /// Prints the URL of a page that shows the packets as they arrive. Without -w, lines are not written to
    /// standard output. The address is 127.0.0.1:8000 unless one is given; if the port is in use, one of the
    /// next. Everyone who has the URL can read the capture. From another machine:
    /// `ssh -L 8000:127.0.0.1:8000 server sniffer --serve`.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = socket_address(SERVE_PORT), help_heading = OUTPUT,
          num_args = 0..=1, require_equals = true, default_missing_value = DEFAULT_SERVE_ADDRESS,
          hide_short_help = true, conflicts_with_all = ["count", "list_interfaces", "dump", "check"])]
    pub(super) serve: Option<SocketAddr>,

    /// Form of the times
    ///
    /// Numbers have a field of their own, `ts_ns`, `ts_us` or `ts_ms` instead of `ts`.
    #[arg(long, value_name = "FORM", value_enum, default_value = "rfc3339", help_heading = OUTPUT,
          hide_short_help = true)]
    pub(super) time: TimeFormat,

    /// Print only the number of packets in files
    ///
    /// With a filter, sniffer counts the packets that match.
    #[arg(long, help_heading = OUTPUT, hide_short_help = true,
          conflicts_with_all = ["write", "pcapng", "interface", "compress"])]
    pub(super) count: bool,

    /// Print only errors on standard error
    ///
    /// In tcpdump, -q shortens the lines of packets instead. Records do not depend on it.
    #[arg(short, long, help_heading = OUTPUT)]
    pub(super) quiet: bool,

    /// Start a new file after SIZE MB, or 64k, 10m, 1g
    ///
    /// SIZE is in millions of bytes; the suffixes k, m and g mean KiB, MiB and GiB, as in tcpdump. Numbers
    /// precede the extensions: the file after a.ndjson is a-1.ndjson, the next a-2.ndjson, and so on; with
    /// -W, they start at 0 and have the same length. A file has the suffix .part until it is complete.
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = file_size,
          allow_negative_numbers = true,
          help_heading = ROTATION)]
    pub(super) rotate_size: Option<u64>,

    /// Start a new file every TIME, e.g. 60, 10m or 1h
    ///
    /// FILE is a strftime(3) template in local time; %{host} is the host name. Directories that the
    /// template names are created. TIME is at least 0.1 seconds, measured by the clock, also with -r:
    /// the first packet that is read after it starts the next file.
    #[arg(short = 'G', long, value_name = "TIME", value_parser = rotation_interval,
          allow_negative_numbers = true, help_heading = ROTATION)]
    pub(super) rotate_interval: Option<Duration>,

    /// Keep COUNT files (-C) or stop after them (-G)
    ///
    /// With -C, the newest file overwrites the oldest. With -G, the capture ends after COUNT files.
    #[arg(short = 'W', long, value_name = "COUNT", value_parser = positive::<u32>,
          allow_negative_numbers = true,
          help_heading = ROTATION)]
    pub(super) file_count: Option<u32>,

    /// Capture only packets that match, e.g. 'tcp port 443'
    ///
    /// The syntax is that of pcap-filter(7). Several arguments are joined with spaces. The kernel
    /// runs the filter of a live capture if it can; otherwise sniffer does.
    #[arg(value_name = "EXPRESSION", help_heading = FILTER, conflicts_with = "list_interfaces")]
    pub(super) expression: Vec<String>,

    /// Read the expression from FILE; `#` starts a comment
    #[arg(short = 'F', long, value_name = "FILE", value_parser = path(),
          value_hint = ValueHint::FilePath, help_heading = FILTER,
          conflicts_with = "expression", hide_short_help = true)]
    pub(super) filter_file: Option<PathBuf>,

    /// Print the compiled filter; -dd prints C, -ddd numbers
    ///
    /// The filter is compiled for the link type of the file of -r, the interface of -i, or the
    /// argument of -y; without them for Ethernet.
    #[arg(short, long = "dump-filter", action = ArgAction::Count, help_heading = FILTER,
          conflicts_with_all = ["write", "pcapng"], hide_short_help = true)]
    pub(super) dump: u8,

    /// With -d, compile for this link type, e.g. EN10MB
    ///
    /// Captures always have the link type of their interface or file.
    #[arg(short = 'y', long, value_name = "LINKTYPE", value_parser = link_type,
          add = ArgValueCandidates::new(completion::link_type_names),
          help_heading = FILTER, hide_short_help = true)]
    pub(super) linktype: Option<filter::LinkType>,

    /// Do not optimize the filter program
    #[arg(short = 'O', long, help_heading = FILTER, hide_short_help = true)]
    pub(super) no_optimize: bool,

    /// Add MAC addresses to IP packets: `eth_src`, `eth_dst`
    #[arg(short = 'e', long, help_heading = FIELDS)]
    pub(super) ethernet: bool,

    /// Add names from DNS, TLS, HTTP and QUIC packets
    ///
    /// The fields are `dns`, `dns_type`, `dns_rcode`, `dns_answers` and `dns_time_us`, `sni`, `alpn` and
    /// `ech` (TLS and QUIC), `http_method`, `http_host`, `http_path` and `http_status` (HTTP/1) and `quic`
    /// (the version). If several packets contain a message, the packet that completes it has the names.
    /// IP fragments get the ports of the first one.
    #[arg(long, help_heading = FIELDS)]
    pub(super) names: bool,

    /// Add JA4 fingerprints of TLS and QUIC clients: `ja4`
    #[arg(long, help_heading = FIELDS, hide_short_help = true)]
    pub(super) ja4: bool,

    /// Add findings about TCP: `rtx`, `ooo`, `rtt_us`, ...
    ///
    /// The fields are `rtx` (a retransmission: `fast`, `timeout` or `spurious`), `ooo` (out of order),
    /// `dup_ack`, `zero_window`, `window_full`, `keep_alive`, `reset` (of a connection without data:
    /// `refused` or `no_data`), `unseen` (bytes that are acknowledged but not captured), `rtt_us` (since
    /// the segment that the packet acknowledges) and `handshake_us` (since the SYN, where the handshake
    /// ends).
    #[arg(long, help_heading = FIELDS, hide_short_help = true)]
    pub(super) tcp_analysis: bool,

    /// Add the field `tag_KEY` to each record, e.g. site=fra1
    ///
    /// May be repeated. KEY consists of a-z, 0-9 and _; VALUE is any text. Tags tell sensors apart
    /// after their outputs are merged.
    #[arg(long, value_name = "KEY=VALUE", value_parser = records::tag, help_heading = FIELDS,
          hide_short_help = true)]
    pub(super) tag: Vec<(String, String)>,

    /// Describe the innermost or the outermost packet of a tunnel
    ///
    /// With `inner`, `tunnel` lists the tunnels that were entered, and `outer_src` and `outer_dst` are the
    /// addresses around them. Filters always see the outermost packet.
    #[arg(long, value_name = "PACKET", value_enum, default_value = "inner",
          help_heading = FIELDS, hide_short_help = true)]
    pub(super) tunnels: TunnelPacket,

    /// Add the Community ID flow hash: `community_id`
    #[arg(long, help_heading = FIELDS, hide_short_help = true)]
    pub(super) community_id: bool,

    /// Do not record segmentation offload (GSO/GRO)
    #[arg(long, help_heading = FIELDS, hide_short_help = true)]
    pub(super) no_gso: bool,

    /// Ring buffer per interface, in KiB
    ///
    /// The kernel stores packets in this buffer until sniffer reads them. A larger buffer avoids
    /// drops when packets arrive in bursts. The smallest buffer is 256 KiB.
    #[arg(short = 'B', long, value_name = "KIB", default_value_t = DEFAULT_BUFFER_KIB,
          value_parser = within::<u32>(1..=2 << 20),
          allow_negative_numbers = true, help_heading = PERFORMANCE,
          hide_short_help = true)]
    pub(super) buffer_size: u32,

    /// Block of the ring buffer, in KiB
    ///
    /// Packets longer than a block are truncated.
    #[arg(long, value_name = "KIB", default_value_t = DEFAULT_BLOCK_KIB,
          value_parser = within::<u32>(64..=16 << 10),
          allow_negative_numbers = true, help_heading = PERFORMANCE,
          hide_short_help = true)]
    pub(super) block_size: u32,

    /// Write each packet as soon as it arrives
    ///
    /// Without this option, packets are written within 0.1 seconds, which takes less CPU time.
    #[arg(long, help_heading = PERFORMANCE, hide_short_help = true)]
    pub(super) immediate_mode: bool,

    /// Use N threads per interface, or to format files
    ///
    /// The kernel splits the packets of an interface between the threads by flow. Each thread has
    /// an equal share of the buffer. The output is still sorted by timestamp.
    #[arg(long, value_name = "N", value_parser = within::<u32>(1..=64),
          allow_negative_numbers = true, help_heading = PERFORMANCE,
          hide_short_help = true)]
    pub(super) threads: Option<u32>,

    /// If started as root, run as USER after opening everything
    ///
    /// Without this option, sniffer changes to the user who called sudo, or else to `nobody`. If
    /// that user cannot create files in the directory of -w, it changes to the directory's owner.
    #[arg(short = 'Z', long, value_name = "USER", value_hint = ValueHint::Username,
          help_heading = OTHER, hide_short_help = true)]
    pub(super) relinquish_privileges: Option<String>,

    /// What to do if parts of the sandbox are missing
    ///
    /// After opening interfaces, files and output, sniffer drops its privileges and restricts
    /// itself to the system calls and the directory that it still needs.
    #[arg(long, value_name = "MODE", value_enum, default_value = "best-effort",
          help_heading = OTHER, hide_short_help = true)]
    pub(super) sandbox: SandboxMode,

    /// Report whether capturing works on this machine
    ///
    /// Also reports which parts of the sandbox work. Each problem is followed by a remedy. The exit
    /// status is 0 if capturing is possible, and 1 otherwise.
    #[arg(long, help_heading = OTHER, hide_short_help = true,
          conflicts_with_all = ["interface", "read", "read_list", "write", "pcapng",
                                "list_interfaces", "expression", "dump"])]
    pub(super) check: bool,

    /// Print the manual page or shell completions
    #[arg(long, value_name = "KIND", value_enum, exclusive = true, help_heading = OTHER,
          hide_short_help = true)]
    pub(super) generate: Option<Generate>,

    /// Print the most used options; --help prints all
    #[arg(short, long, action = ArgAction::Help, help_heading = OTHER)]
    help: Option<bool>,

    /// Print the version and the features
    #[arg(long, action = ArgAction::Version, help_heading = OTHER)]
    version: Option<bool>,
}
