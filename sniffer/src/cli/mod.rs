//! The command line: tcpdump's option letters wherever tcpdump has one.

mod job;
mod values;

pub(crate) use job::{Common, DumpJob, Job, ReadJob};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::Error;
use crate::capture::{
    DEFAULT_BLOCK_KIB, DEFAULT_BUFFER_KIB, DEFAULT_SNAPLEN, DirectionFilter, Options,
};
use crate::describe::Details;
use crate::filter::Choice;
use crate::interfaces::ANY;
use crate::live;
use crate::output::{Compression, Rotation, strftime};
use values::{file_size, interface_name, link_type, path, positive_seconds, seconds};

/// Captures packets and writes a line of JSON for each.
///
/// Without -i it captures on the interface of the default route; without -w the lines go to
/// standard output. Ctrl-C ends a capture.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Cli {
    /// Capture on INTERFACE, and on each other one that is given so; `any` is all of them
    #[arg(short, long, value_name = "INTERFACE", value_parser = interface_name)]
    interface: Vec<String>,

    /// Read a pcap or pcapng file instead of capturing, and each other one that is given so, in the
    /// order of time; .gz, .zst and .xz are unpacked, `-` is standard input
    #[arg(short, long, value_name = "FILE", value_parser = path,
          conflicts_with_all = ["interface", "no_promiscuous", "duration", "stats", "direction",
                                "buffer_size", "block_size", "immediate", "no_gso",
                                "exit_on_down", "rotate_seconds"])]
    read: Vec<PathBuf>,

    /// Write to FILE instead of standard output; `-` is standard output. A name that ends in .gz or
    /// .zst is compressed so; with -G the name is a time format, as %Y%m%d-%H%M%S
    #[arg(short, long, value_name = "FILE", value_parser = path)]
    write: Option<PathBuf>,

    /// Overwrite the file of -w where it exists
    #[arg(long, requires = "write")]
    force: bool,

    /// Compress the output, whatever its name ends in
    #[arg(long, value_name = "KIND", value_enum)]
    compress: Option<Compression>,

    /// Go on in the next file when one has SIZE millions of bytes; k, m and g behind it make that
    /// KiB, MiB and GiB
    #[arg(short = 'C', long, value_name = "SIZE", value_parser = file_size, requires = "write")]
    rotate_size: Option<u64>,

    /// Go on in the next file every SECONDS
    #[arg(short = 'G', long, value_name = "SECONDS", value_parser = positive_seconds,
          requires = "write")]
    rotate_seconds: Option<Duration>,

    /// Keep COUNT files of -C and overwrite the oldest; with -G stop after COUNT files
    #[arg(short = 'W', long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    file_count: Option<u32>,

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

    /// Read each interface with N threads, each with its share of the buffer, by flow; of files, make
    /// lines of packets with N threads
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: Option<u32>,

    /// Do not ask the kernel which packets segmentation offload cuts or joins
    #[arg(long)]
    no_gso: bool,

    /// Stop when an interface goes down or away, instead of waiting until it is back
    #[arg(long)]
    exit_on_down: bool,

    /// Write the Ethernet addresses too, as `eth_src` and `eth_dst`
    #[arg(short = 'e', long)]
    ethernet: bool,

    /// Look into payloads, and write names: `dns` and `dns_type`, `sni` of TLS, `host` of HTTP, the
    /// version of `quic`
    #[arg(long)]
    names: bool,

    /// Write `community_id`, the name of the flow that other tools have for it too
    #[arg(long)]
    community_id: bool,

    /// Write a `stats` record every SECONDS; 0 writes one at the end only
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    stats: Duration,

    /// Say nothing on standard error but errors
    #[arg(short, long)]
    quiet: bool,

    /// Read the filter from FILE, where `#` begins a comment
    #[arg(short = 'F', long, value_name = "FILE", value_parser = path, conflicts_with = "expression")]
    filter_file: Option<PathBuf>,

    /// Print the filter's program instead of capturing; -dd as C, -ddd as numbers
    #[arg(short, long = "dump-filter", action = clap::ArgAction::Count, conflicts_with = "write")]
    dump: u8,

    /// Print it for packets of LINKTYPE, as EN10MB, RAW or LINUX_SLL2; needs no interface
    #[arg(short = 'y', long, value_name = "LINKTYPE", value_parser = link_type, requires = "dump",
          conflicts_with_all = ["interface", "read"])]
    linktype: Option<filter::LinkType>,

    /// Leave the filter's program as it is first made, for who looks for a fault in making it short
    #[arg(short = 'O', long)]
    no_optimize: bool,

    /// List the interfaces with state, link type and addresses, and exit
    #[arg(short = 'D', long, conflicts_with_all = ["interface", "read", "write"])]
    list_interfaces: bool,

    /// Print the manual page or a shell's completions, and exit
    #[arg(long, value_name = "KIND", value_enum, exclusive = true)]
    generate: Option<Generate>,

    /// Take only packets that match: the language of pcap-filter(7), as `tcp port 443`
    #[arg(value_name = "EXPRESSION", conflicts_with = "list_interfaces")]
    expression: Vec<String>,
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
pub enum Direction {
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

/// Reads the words of the process; wrong ones end it with an explanation and exit code 2.
pub fn parse() -> Cli {
    let cli = Cli::parse();
    if let Err(reason) = cli.check() {
        Cli::command().error(ErrorKind::ValueValidation, reason).exit();
    }
    cli
}

impl Cli {
    /// What the words mean together.
    fn check(&self) -> Result<(), String> {
        let names = &self.interface;
        if names.iter().enumerate().any(|(place, name)| names[..place].contains(name)) {
            return Err("an interface is named twice".into());
        }
        if 1 < names.len() && names.iter().any(|name| name == ANY) {
            return Err(format!("`{ANY}` has the packets of all other interfaces already"));
        }
        if 1 < self.read.iter().filter(|path| path.as_os_str() == "-").count() {
            return Err("standard input can be read once only".into());
        }
        let is_rotated = self.rotate_size.is_some() || self.rotate_seconds.is_some();
        if self.file_count.is_some() && !is_rotated {
            return Err("-W counts the files of -C or -G".into());
        }
        if let Some(template) = self.write.as_ref().filter(|_| is_rotated) {
            if template.as_os_str() == "-" {
                return Err("standard output has no next file: -C and -G need a file name".into());
            }
            if self.rotate_seconds.is_some() {
                strftime(template, &jiff::Zoned::now()).map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// The filter's text, from the words or the file.
    pub(crate) fn filter(&self) -> Result<Option<String>, Error> {
        match &self.filter_file {
            Some(path) => crate::filter::read(path).map(Some),
            None if self.expression.is_empty() => Ok(None),
            None => Ok(Some(self.expression.join(" "))),
        }
    }

    /// What is to be done, with a filter of that text.
    pub(crate) fn job<'a>(&'a self, filter: Option<&'a str>) -> Job<'a> {
        let choice = Choice {
            text: filter.filter(|text| !text.trim().is_empty()),
            is_optimized: !self.no_optimize,
            snaplen: self.snapshot_length,
        };
        let common = Common {
            output: self.write.as_ref().filter(|path| path.as_os_str() != "-"),
            is_forced: self.force,
            compression: self.compress,
            rotation: Rotation {
                size: self.rotate_size,
                interval: self.rotate_seconds,
                count: self.file_count,
            },
            count: self.count,
            snaplen: self.snapshot_length,
            choice,
            details: Details {
                has_ethernet: self.ethernet,
                has_names: self.names,
                has_community_id: self.community_id,
            },
            is_quiet: self.quiet,
        };
        if let Some(what) = self.generate {
            return Job::Generate(what);
        }
        if self.list_interfaces {
            return Job::ListInterfaces;
        }
        if 0 < self.dump {
            return Job::Dump(DumpJob {
                choice,
                form: self.dump,
                link: self.linktype,
                reads: self.read.first().map(PathBuf::as_path),
                interfaces: self.interface.iter().map(String::as_str).collect(),
            });
        }
        let thread_count = self.threads.and_then(|count| usize::try_from(count).ok());
        match &self.read[..] {
            paths @ [_, ..] => Job::Read(ReadJob { paths, thread_count, common }),
            [] => Job::Live(live::Config {
                interfaces: self.interface.iter().map(String::as_str).collect(),
                capture: Options {
                    snaplen: self.snapshot_length,
                    is_promiscuous: !self.no_promiscuous,
                    direction: self.direction.into(),
                    buffer_kib: self.buffer_size,
                    block_kib: self.block_size,
                    is_immediate: self.immediate,
                    has_gso: !self.no_gso,
                },
                thread_count,
                exits_on_down: self.exit_on_down,
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
            &["-C", "0", "-w", "a"],
            &["-C", "1x", "-w", "a"],
            &["-C", "99999999999999999999g", "-w", "a"],
            &["-C", "1"],
            &["-G", "0", "-w", "a"],
            &["--threads", "0"],
            &["--compress", "rar"],
            &["-i", "a-name-that-is-too-long"],
        ] {
            assert!(Cli::try_parse_from(["sniffer"].iter().chain(words)).is_err(), "{words:?}");
        }
    }

    #[test]
    fn words_that_do_not_go_together_are_refused() {
        for (words, part) in [
            (&["-i", "a", "-i", "a"][..], "twice"),
            (&["-i", "a", "-i", "any"], "all other interfaces"),
            (&["-r", "-", "-r", "a", "-r", "-"], "once only"),
            (&["-W", "3", "-w", "a"], "-C or -G"),
            (&["-C", "1", "-w", "-"], "no next file"),
            (&["-G", "1", "-w", "a-%!"], "no time format"),
        ] {
            let cli = Cli::try_parse_from(["sniffer"].iter().chain(words)).unwrap();
            let reason = cli.check().unwrap_err();
            assert!(reason.contains(part), "{words:?}: {reason}");
        }
    }

    #[test]
    fn letters_are_tcpdumps() {
        let words = ["sniffer", "-i", "lo", "-c", "5", "-s", "96", "-w", "-", "-p", "-e", "-q"];
        let cli = Cli::try_parse_from(words).unwrap();
        let Job::Live(job) = cli.job(None) else { panic!("not live") };
        assert_eq!((&job.interfaces[..], job.capture.is_promiscuous), (&["lo"][..], false));
        assert_eq!((job.common.count, job.common.snaplen, job.common.output), (Some(5), 96, None));
    }
}
