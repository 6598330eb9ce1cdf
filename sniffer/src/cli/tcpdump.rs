//! The options of tcpdump that [`Args`](super::args::Args) lacks. Those for default behaviour of
//! sniffer are accepted; each of the others is refused with one line that says what to use
//! instead. All are hidden from the help, and listed in the manual page.

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};

/// An option of tcpdump, or of an older or newer version of it.
pub(super) struct TcpdumpOption {
    /// `-n`, `--nano`, or both separated by a space.
    names: &'static str,
    /// Name of its value, if it takes one.
    value: Option<&'static str>,
    answer: Answer,
}

/// What sniffer does about an option.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// Nothing. Contains the default behaviour that it requests.
    Accept(&'static str),
    /// Exits with a usage error. Contains the reason and the alternative.
    Refuse(&'static str),
}

use Answer::{Accept, Refuse};

const fn flag(names: &'static str, answer: Answer) -> TcpdumpOption {
    TcpdumpOption { names, value: None, answer }
}

const fn valued(names: &'static str, value: &'static str, answer: Answer) -> TcpdumpOption {
    TcpdumpOption { names, value: Some(value), answer }
}

const NO_PAYLOAD: Answer =
    Refuse("lines have no payload; write packets with --pcapng FILE, then use tcpdump {} -r FILE");

/// The options in alphabetical order: those that are accepted, then those that are refused.
pub(super) const OPTIONS: &[TcpdumpOption] = &[
    flag("-# --number", Accept("packets are numbered")),
    flag("-f", Accept("addresses are numeric")),
    flag("-g --ip-oneline", Accept("each packet is one line")),
    flag("-K --dont-verify-checksums", Accept("checksums are not verified")),
    flag("-l", Accept("lines are written within 0.1 seconds")),
    flag("--lengths", Accept("records contain lengths")),
    flag("-n", Accept("addresses and ports are numeric")),
    flag("-N", Accept("addresses are numeric")),
    flag("--nano", Accept("timestamps have nanoseconds")),
    flag("--print", Accept("records are printed, unless -w writes them to a file")),
    flag("-S --absolute-tcp-sequence-numbers", Accept("sequence numbers are absolute")),
    flag("-t", Accept("timestamps are absolute, with date; also -tt to -ttttt")),
    flag("-u", Accept("NFS is not decoded")),
    flag("-U --packet-buffered", Accept("lines are written within 0.1 seconds")),
    flag("-v", Accept("records do not depend on it; also -vv, -vvv")),
    valued(
        "--time-stamp-precision",
        "PRECISION",
        Accept("timestamps have nanoseconds; PRECISION must be nano"),
    ),
    flag(
        "-a",
        Refuse("addresses are not converted to names; to stop after a time: --duration TIME"),
    ),
    flag("-A", NO_PAYLOAD),
    flag("-b", Refuse("BGP is not decoded; use tcpdump -b")),
    valued("-E", "SECRET", Refuse("ESP is not decrypted; use tcpdump -E")),
    flag("-H", Refuse("802.11s mesh headers are not decoded; use tcpdump -H")),
    flag(
        "-I --monitor-mode",
        Refuse("set monitor mode beforehand, e.g. with: iw dev INTERFACE set type monitor"),
    ),
    valued(
        "-j --time-stamp-type",
        "TYPE",
        Refuse("timestamps are always the kernel's; for those of the hardware use tcpdump -j"),
    ),
    flag(
        "-J --list-time-stamp-types",
        Refuse("timestamps are always the kernel's; for those of the hardware use tcpdump -J"),
    ),
    flag(
        "-L --list-data-link-types",
        Refuse("each interface has one link type; list them with sniffer -D"),
    ),
    valued("-m", "MODULE", Refuse("SNMP is not decoded; use tcpdump -m")),
    valued("-M", "SECRET", Refuse("TCP-MD5 digests are not validated; use tcpdump -M")),
    flag("--micro", Refuse("timestamps have nanoseconds; for microseconds: --time us")),
    valued(
        "--print-sampling",
        "N",
        Refuse("all packets are written; the viewer can load a sample"),
    ),
    flag("-R", Refuse("not an option of tcpdump any more; for display filters use tshark -Y")),
    valued(
        "--skip",
        "COUNT",
        Refuse("no packets are skipped; pipe the output through: tail -n +N"),
    ),
    valued(
        "-T",
        "TYPE",
        Refuse("application protocols are not decoded; use tcpdump -T or tshark -d"),
    ),
    flag("-x", NO_PAYLOAD),
    flag("-X", NO_PAYLOAD),
    flag(
        "-Y",
        Refuse(
            "capture filters are an argument, e.g. 'tcp port 443'; for display filters use tshark -Y",
        ),
    ),
    valued(
        "-z",
        "COMMAND",
        Refuse(
            "no command is run; names ending in .gz or .zst are compressed, and complete files lose \
             the suffix .part, which inotifywait -m -e moved_to DIRECTORY reports",
        ),
    ),
];

/// The option with that long name, for the message about a wrong value.
const PRECISION: &str = "--time-stamp-precision";

impl TcpdumpOption {
    /// The name of the argument in clap, which is also how messages name it.
    fn id(&self) -> &'static str {
        self.names.split(' ').next().unwrap_or(self.names)
    }

    fn arg(&self) -> Arg {
        let mut arg = Arg::new(self.id()).hide(true);
        for name in self.names.split(' ') {
            arg = match name.strip_prefix("--") {
                Some(long) => arg.long(long),
                None => arg.short(name.chars().nth(1)),
            };
        }
        match self.value {
            Some(value) => arg.value_name(value).action(ArgAction::Append),
            None => arg.action(ArgAction::Count),
        }
    }

    /// Why the option is refused; `None` if it is accepted.
    fn refusal(&self) -> Option<String> {
        match self.answer {
            Accept(_) => None,
            Refuse(reason) => Some(format!("{}: {}", self.id(), reason.replace("{}", self.id()))),
        }
    }

    /// The names and the value, as the manual page shows them: `-j, --time-stamp-type TYPE`.
    pub(super) fn usage(&self) -> String {
        let names = self.names.replace(' ', ", ");
        self.value.map_or(names.clone(), |value| format!("{names} {value}"))
    }

    /// The default behaviour that the option requests, or what to use instead.
    pub(super) fn explanation(&self) -> (bool, String) {
        match self.answer {
            Accept(text) => (true, text.to_owned()),
            Refuse(text) => (false, text.replace("{}", self.id())),
        }
    }
}

/// Adds the options to a command.
pub(super) fn add_to(command: Command) -> Command {
    command.args(OPTIONS.iter().map(TcpdumpOption::arg))
}

/// The answer to the first option that is refused.
pub(super) fn refusal(matches: &ArgMatches) -> Option<String> {
    let is_given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
    let precision = matches.get_many::<String>(PRECISION).into_iter().flatten();
    if precision.into_iter().any(|value| value != "nano") {
        return Some(format!(
            "{PRECISION}: timestamps have nanoseconds; for microseconds: --time us"
        ));
    }
    if is_given("--print") && is_given("write") {
        return Some(
            "--print: there is one output of lines; to see it as well: sniffer ... | tee FILE"
                .into(),
        );
    }
    OPTIONS.iter().filter(|option| is_given(option.id())).find_map(TcpdumpOption::refusal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &str) -> ArgMatches {
        let command = add_to(Command::new("sniffer").no_binary_name(true));
        command.try_get_matches_from(args.split(' ')).unwrap()
    }

    #[test]
    fn accepted_options_repeat_and_cluster() {
        for args in ["-nnvvStttttlU#", "-n -nn -v -vvv", "--nano --time-stamp-precision=nano"] {
            assert_eq!(refusal(&parse(args)), None, "{args}");
        }
    }

    #[test]
    fn refused_options_are_answered() {
        for (args, answer) in [
            (
                "-nXX",
                "-X: lines have no payload; write packets with --pcapng FILE, then use tcpdump -X -r FILE",
            ),
            (
                "--monitor-mode",
                "-I: set monitor mode beforehand, e.g. with: iw dev INTERFACE set type monitor",
            ),
            ("-zgzip", "-z: no command is run; "),
            (
                "--time-stamp-precision micro",
                "--time-stamp-precision: timestamps have nanoseconds; for microseconds: --time us",
            ),
        ] {
            let refusal = refusal(&parse(args)).unwrap();
            assert!(refusal.starts_with(answer), "{args}: {refusal}");
        }
    }
}
