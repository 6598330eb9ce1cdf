//! The command line: tcpdump's option letters wherever tcpdump has one.

use clap::{CommandFactory, Parser, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::Error;

/// Most bytes of a packet that are captured unless `-s` says otherwise; tcpdump's default.
pub const DEFAULT_SNAPLEN: u32 = 262_144;

/// Size of the kernel's buffer in KiB unless `-B` says otherwise: a second of a fast link.
pub const DEFAULT_BUFFER_KIB: u32 = 64 << 10;

/// Size of a block in KiB unless `--block-size` says otherwise: a frame of any size fits.
pub const DEFAULT_BLOCK_KIB: u32 = 1 << 10;

/// Captures packets and writes a line of JSON for each.
///
/// Without -i it captures on the interface of the default route; without -w the lines go to
/// standard output. Ctrl-C ends a capture.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// Capture on INTERFACE; `any` is all of them
    #[arg(short, long, value_name = "INTERFACE", value_parser = interface_name)]
    interface: Option<String>,

    /// Read a pcap or pcapng file, gzipped or not, instead of capturing; `-` is standard input
    #[arg(short, long, value_name = "FILE", value_parser = path,
          conflicts_with_all = ["interface", "no_promiscuous", "duration", "stats", "direction",
                                "buffer_size", "block_size", "immediate"])]
    read: Option<PathBuf>,

    /// Write to FILE instead of standard output; `-` is standard output
    #[arg(short, long, value_name = "FILE", value_parser = path)]
    write: Option<PathBuf>,

    /// Overwrite the file of -w where it exists
    #[arg(long, requires = "write")]
    force: bool,

    /// Stop after COUNT packets
    #[arg(short, long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,

    /// Stop after SECONDS
    #[arg(long, value_name = "SECONDS", value_parser = positive_seconds)]
    duration: Option<Duration>,

    /// Keep at most SNAPLEN bytes of a packet
    #[arg(short, long, value_name = "SNAPLEN", default_value_t = DEFAULT_SNAPLEN,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(DEFAULT_SNAPLEN)))]
    snapshot_length: u32,

    /// Do not put the interface into promiscuous mode
    #[arg(short = 'p', long = "no-promiscuous-mode")]
    no_promiscuous: bool,

    /// Capture only what comes in, goes out, or both
    #[arg(short = 'Q', long, value_name = "DIRECTION", value_enum, default_value = "inout")]
    direction: Direction,

    /// Size of the kernel's buffer in KiB: room for packets that come faster than they are written
    #[arg(short = 'B', long, value_name = "KIB", default_value_t = DEFAULT_BUFFER_KIB,
          value_parser = clap::value_parser!(u32).range(256..=2 << 20))]
    buffer_size: u32,

    /// Size of the buffer's blocks in KiB: a packet longer than a block is cut
    #[arg(long, value_name = "KIB", default_value_t = DEFAULT_BLOCK_KIB,
          value_parser = clap::value_parser!(u32).range(64..=16 << 10))]
    block_size: u32,

    /// Write each packet as soon as it is there, at the cost of more CPU time
    #[arg(long)]
    immediate: bool,

    /// Write the Ethernet addresses too, as `eth_src` and `eth_dst`
    #[arg(short = 'e', long)]
    ethernet: bool,

    /// Write a `stats` record every SECONDS; 0 writes one at the end only
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    stats: Duration,

    /// Say nothing on standard error but errors
    #[arg(short, long)]
    quiet: bool,

    /// List the interfaces with state, link type and addresses, and exit
    #[arg(short = 'D', long, conflicts_with_all = ["interface", "read", "write"])]
    list_interfaces: bool,

    /// Print the manual page or a shell's completions, and exit
    #[arg(long, value_name = "KIND", value_enum, exclusive = true)]
    generate: Option<Generate>,
}

const EXAMPLES: &str = "Examples:
  sniffer -i eth0 -w capture.ndjson      capture until Ctrl-C
  sniffer -i any -c 100 | jq .dst        the next hundred packets, through jq
  sniffer -r dump.pcapng.gz              a capture file as lines of JSON";

/// Which packets are captured, by their direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// What arrives
    In,
    /// What is sent from here
    Out,
    /// Both
    Inout,
}

/// What `--generate` prints.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Generate {
    /// The manual page, in roff
    Man,
    /// Completions for bash
    Bash,
    /// Completions for fish
    Fish,
    /// Completions for zsh
    Zsh,
}

/// What the words ask for.
#[derive(Debug)]
pub enum Job<'a> {
    /// Print a manual page or completions.
    Generate(Generate),
    /// Print the interfaces.
    ListInterfaces,
    /// Capture.
    Live(LiveJob<'a>),
    /// Read a capture file.
    Read(ReadJob<'a>),
}

/// How to capture.
#[derive(Debug)]
pub struct LiveJob<'a> {
    /// Name of the interface; `None` leaves the choice to the program.
    pub interface: Option<&'a str>,
    /// Promiscuous mode.
    pub is_promiscuous: bool,
    /// Which packets are captured.
    pub direction: Direction,
    /// Size of the kernel's buffer in KiB.
    pub buffer_kib: u32,
    /// Size of its blocks in KiB.
    pub block_kib: u32,
    /// Whether latency counts more than CPU time.
    pub is_immediate: bool,
    /// When to stop by itself.
    pub duration: Option<Duration>,
    /// Time between `stats` records; zero is never.
    pub stats_interval: Duration,
    /// What both kinds of run have.
    pub common: Common<'a>,
}

/// What to read.
#[derive(Debug)]
pub struct ReadJob<'a> {
    /// The capture file.
    pub path: &'a PathBuf,
    /// What both kinds of run have.
    pub common: Common<'a>,
}

/// What live runs and runs over files have in common.
#[derive(Clone, Copy, Debug)]
pub struct Common<'a> {
    /// Where the lines go; `None` is standard output.
    pub output: Option<&'a PathBuf>,
    /// Whether that file may be overwritten.
    pub is_forced: bool,
    /// Most packets to write.
    pub count: Option<u64>,
    /// Most bytes kept of a packet.
    pub snaplen: u32,
    /// Whether the Ethernet addresses are written.
    pub has_ethernet: bool,
    /// Whether standard error is for errors only.
    pub is_quiet: bool,
}

/// Reads the words of the process; wrong ones end it with an explanation and exit code 2.
pub fn parse() -> Cli {
    Cli::parse()
}

impl Cli {
    pub(crate) fn job(&self) -> Job<'_> {
        let common = Common {
            output: self.write.as_ref().filter(|path| path.as_os_str() != "-"),
            is_forced: self.force,
            count: self.count,
            snaplen: self.snapshot_length,
            has_ethernet: self.ethernet,
            is_quiet: self.quiet,
        };
        if let Some(what) = self.generate {
            return Job::Generate(what);
        }
        if self.list_interfaces {
            return Job::ListInterfaces;
        }
        match &self.read {
            Some(path) => Job::Read(ReadJob { path, common }),
            None => Job::Live(LiveJob {
                interface: self.interface.as_deref(),
                is_promiscuous: !self.no_promiscuous,
                direction: self.direction,
                buffer_kib: self.buffer_size,
                block_kib: self.block_size,
                is_immediate: self.immediate,
                duration: self.duration,
                stats_interval: self.stats,
                common,
            }),
        }
    }
}

/// Prints the manual page or completions to standard output.
pub(crate) fn generate(what: Generate) -> Result<(), Error> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    let written = match what {
        Generate::Man => clap_mangen::Man::new(command).render(&mut text),
        Generate::Bash | Generate::Fish | Generate::Zsh => {
            let shell = match what {
                Generate::Fish => clap_complete::Shell::Fish,
                Generate::Zsh => clap_complete::Shell::Zsh,
                Generate::Bash | Generate::Man => clap_complete::Shell::Bash,
            };
            clap_complete::generate(shell, &mut command, "sniffer", &mut text);
            Ok(())
        }
    };
    written
        .and_then(|()| std::io::stdout().write_all(&text))
        .map_err(|source| Error::Output { name: "standard output".into(), source })
}

/// Longest interface name: `IFNAMSIZ` less its final zero (linux/if.h).
const MAX_INTERFACE_NAME_LEN: usize = 15;

fn interface_name(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("an interface has a name; sniffer -D lists them".into());
    }
    if MAX_INTERFACE_NAME_LEN < text.len() {
        return Err(format!("an interface's name has at most {MAX_INTERFACE_NAME_LEN} bytes"));
    }
    Ok(text.to_owned())
}

fn path(text: &str) -> Result<PathBuf, String> {
    if text.is_empty() { Err("a file has a name".into()) } else { Ok(text.into()) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    if MAX_SECONDS < seconds {
        return Err("longer than a lifetime".to_owned());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| "not a length of time".to_owned())
}

/// No run is longer: about 95 years.
const MAX_SECONDS: f64 = 3e9;

fn positive_seconds(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        Duration::ZERO => Err("has to be more than nothing".into()),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_words_are_refused() {
        for words in [
            &["-i", ""][..],
            &["-s", "0"],
            &["-s", "262145"],
            &["-c", "0"],
            &["--duration", "0"],
            &["--duration", "-1"],
            &["--stats", "soon"],
            &["--stats", "1e19"],
            &["-r", "a", "-i", "b"],
            &["-r", "a", "-Q", "in"],
            &["-Q", "sideways"],
            &["-B", "1"],
            &["--block-size", "0"],
            &["-w", ""],
            &["--force"],
            &["-i", "a-name-that-is-too-long"],
        ] {
            assert!(Cli::try_parse_from(["sniffer"].iter().chain(words)).is_err(), "{words:?}");
        }
    }

    #[test]
    fn letters_are_tcpdumps() {
        let words = ["sniffer", "-i", "lo", "-c", "5", "-s", "96", "-w", "-", "-p", "-e", "-q"];
        let cli = Cli::try_parse_from(words).unwrap();
        let Job::Live(job) = cli.job() else { panic!("not live") };
        assert_eq!((job.interface, job.is_promiscuous), (Some("lo"), false));
        assert_eq!((job.common.count, job.common.snaplen, job.common.output), (Some(5), 96, None));
    }
}
