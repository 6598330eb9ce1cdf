//! The help, and the texts of the manual page that are not about options.

use clap::{Command, CommandFactory};

use super::args::Args;

pub(super) const ABOUT: &str = "Capture packets and write one JSON line per packet";

pub(super) const LONG_ABOUT: &str = "\
Capture packets and write one JSON line per packet.

Without -i, sniffer captures on the interface of the default route. Without -w, it writes to \
standard output. Press Ctrl+C to stop.";

/// Each entry is a term and its explanation.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) entries: &'static [(&'static str, &'static str)],
}

/// How many examples `-h` shows.
const SHORT_EXAMPLES: usize = 4;

/// The most useful first.
const EXAMPLES: Section = Section {
    title: "Examples",
    entries: &[
        ("sniffer -i eth0 -w capture.ndjson", "Capture on eth0 until Ctrl+C"),
        ("sniffer -i eth0,eth1 tcp port 443", "Capture what matches a filter"),
        ("sniffer -r dump.pcapng.gz", "Convert a capture file"),
        ("sniffer -G 1h -w %Y%m%d-%H.ndjson.zst", "Write a compressed file per hour"),
        (
            "sniffer -i any -c 100 | jq -r 'select(.type == \"pkt\").dst'",
            "Print the destinations of the next 100 packets",
        ),
        (
            "ssh server tcpdump -U -w - | sniffer -r - -w capture.ndjson",
            "Capture on another machine",
        ),
        (
            "sniffer --netns $(docker inspect -f '{{.State.Pid}}' web) -D",
            "List the interfaces of a container",
        ),
    ],
};

const SIGNALS: Section = Section {
    title: "Signals",
    entries: &[
        (
            "SIGINT, SIGTERM",
            "Stop: write the packets already captured and the final counters, then exit; a second \
             one ends the process at once",
        ),
        (
            "SIGHUP",
            "Start a new output file, for example after logrotate has moved the current one; without \
             -w, with -r, or if the terminal was closed, stop",
        ),
        ("SIGUSR1", "Print the packet counters to standard error"),
        ("SIGUSR2", "Write all lines now; with -r, together with the next input"),
        ("SIGALRM, SIGIO, SIGPROF, SIGPWR, SIGSTKFLT, SIGVTALRM, SIGXCPU", "Stop, as SIGTERM does"),
        ("SIGQUIT", "End the process at once, with a core dump if these are enabled"),
    ],
};

const EXIT_STATUS: Section = Section {
    title: "Exit status",
    entries: &[
        ("0", "Success, including when the reader of standard output exits"),
        ("1", "An error, described on standard error"),
        ("2", "Usage error"),
    ],
};

pub(super) const SECTIONS: [Section; 3] = [EXAMPLES, SIGNALS, EXIT_STATUS];

/// The help of `-h`: the most used options in one list, and examples.
pub(super) fn short() -> Command {
    let mut examples = String::from("Examples:");
    for (command, explanation) in EXAMPLES.entries.iter().take(SHORT_EXAMPLES) {
        examples += &format!("\n  {command:<37} {explanation}");
    }
    Args::command().mut_args(|arg| arg.help_heading(None)).after_help(examples)
}

/// The help of `--help`: all options in groups, one or two lines for each.
pub(super) fn full() -> Command {
    Args::command()
        .mut_args(|arg| arg.hide_short_help(false))
        .after_help("The manual page has examples, signals, the exit status and more: man sniffer")
}
