//! Texts before and after the options, in `--help` and in the manual page.

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

const EXAMPLES: Section = Section {
    title: "Examples",
    entries: &[
        ("sniffer -i eth0 -w capture.ndjson", "Capture on eth0 until Ctrl+C"),
        (
            "sniffer -i any -c 100 | jq -r 'select(.type == \"pkt\").dst'",
            "Print the destinations of the next 100 packets",
        ),
        (
            "sniffer -i eth0 -i eth1 -G 3600 -w %Y%m%d-%H.ndjson.zst",
            "Capture on two interfaces into one compressed file per hour",
        ),
        (
            "sniffer -i eth0 'tcp port 443 and not host 10.0.0.5'",
            "Capture only packets that match a pcap filter",
        ),
        ("sniffer -r dump.pcapng.gz", "Convert a capture file to JSON lines"),
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

/// The examples, for `-h`.
pub(super) fn examples() -> String {
    text(&EXAMPLES)
}

/// All sections, for `--help`.
pub(super) fn all_sections() -> String {
    SECTIONS.iter().map(text).collect::<Vec<_>>().join("\n\n")
}

fn text(section: &Section) -> String {
    let entries = section.entries.iter().map(|(term, text)| format!("\n  {term}\n      {text}"));
    format!("{}:{}", section.title, entries.collect::<String>())
}
