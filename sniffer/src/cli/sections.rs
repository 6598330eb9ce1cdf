//! The texts of the manual page that are not about single options. Text between backticks is set in
//! bold.

/// What sniffer does, in one line.
pub(super) const ABOUT: &str = "Capture packets and write one JSON line per packet";

/// A section of terms with explanations.
pub(super) struct Section {
    pub(super) title: &'static str,
    /// The paragraph before the terms; may be empty.
    pub(super) introduction: &'static str,
    /// Each entry is a term and its explanation.
    pub(super) entries: &'static [(&'static str, &'static str)],
}

/// The forms of the command line.
pub(super) const SYNOPSIS: [&str; 4] = [
    "sniffer [-i INTERFACE]... [-w FILE] [--pcapng FILE] [-c COUNT] [-s LEN] [-C SIZE] [-G TIME] [-W COUNT] \
     [-F FILE] [-Q DIRECTION] [-B KIB] [-Z USER] [OPTION]... [EXPRESSION]",
    "sniffer -r FILE... [-w FILE] [--pcapng FILE] [-c COUNT] [-F FILE] [OPTION]... [EXPRESSION]",
    "sniffer -d [-y LINKTYPE | -r FILE | -i INTERFACE] [EXPRESSION]",
    "sniffer -D | --check | --generate KIND | --help | --version",
];

pub(super) const DESCRIPTION: [&str; 4] = [
    "`sniffer` captures packets on network interfaces, or reads them from capture files, and writes \
     one line of JSON for each packet: its time, length, addresses, ports, protocol and more, but not \
     its payload. Lines about the capture itself report every lost packet. With `--pcapng`, it also \
     writes the packets with their bytes.",
    "Without `-i`, it captures on the interface of the default route. Without `-w`, `--pcapng` and \
     `--serve`, it writes to standard output. Press Ctrl+C to stop.",
    "Capturing needs the capability CAP_NET_RAW, which can be granted to the program file: \
     `sudo setcap cap_net_raw=ep /usr/local/bin/sniffer`. Reading files needs no privilege.",
    "Options have tcpdump's letters, and expressions the syntax of pcap-filter(7). Options may be \
     repeated; of options with one value, the last counts.",
];

pub(super) const SECTIONS: [Section; 5] = [RECORDS, SIGNALS, EXIT_STATUS, FILES, SECURITY];

const RECORDS: Section = Section {
    title: "Records",
    introduction: "Each line of the output is a flat JSON object. Its first key is `type`. Fields that \
                   do not apply are absent. Times are RFC 3339 in UTC with nanoseconds; with `--time`, \
                   they are integers in fields of another name, such as `ts_ns` instead of `ts`. Other \
                   numbers are integers below 2^53. `--tag KEY=VALUE` adds the field `tag_KEY` to all \
                   records.",
    entries: &[
        ("meta", "First line: version of the format, program, start time, source and interfaces"),
        (
            "pkt",
            "A packet: `n` is its number, `ts` the time, `len` the length on the wire (with `-i any`, \
             6 bytes more for Ethernet packets), `src` and `dst` the addresses, `sport` and `dport` \
             the ports, `proto` the protocol",
        ),
        (
            "stats",
            "Every second, for each interface: packets received (`recv`), dropped by the kernel \
             (`drop`), written (`out`) and rejected by the filter of sniffer (`skip`) since the \
             previous one; `recv` = `out` + `skip` + `drop`",
        ),
        (
            "event",
            "Something happened: an interface went down, came back or changed, packets were lost, or \
             a new file began",
        ),
        (
            "flow",
            "With `--flows`, the packets between two endpoints: their numbers and bytes in both \
             directions, times, and what went wrong",
        ),
        ("end", "Last line: the reason for the end, and totals"),
    ],
};

const SIGNALS: Section = Section {
    title: "Signals",
    introduction: "",
    entries: &[
        (
            "SIGINT, SIGTERM",
            "Stop: write the packets already captured and the final counters, then exit; a second \
             one ends the process at once",
        ),
        (
            "SIGHUP",
            "Start new output files, for example after logrotate has moved the current ones; without \
             `-w` and `--pcapng`, with `-r`, or if the terminal was closed, stop",
        ),
        (
            "SIGUSR1",
            "Print the packet counters to standard error; with `--ring`, also write the packets in memory",
        ),
        ("SIGUSR2", "Write all lines now; with `-r`, together with the next input"),
        ("SIGALRM, SIGIO, SIGPROF, SIGPWR, SIGSTKFLT, SIGVTALRM, SIGXCPU", "Stop, as SIGTERM does"),
        ("SIGQUIT", "End the process at once, with a core dump if these are enabled"),
    ],
};

const EXIT_STATUS: Section = Section {
    title: "Exit status",
    introduction: "",
    entries: &[
        ("0", "Success, including when the reader of standard output exits"),
        ("1", "An error, described on standard error; lines written before it are valid"),
        ("2", "Usage error"),
    ],
};

const FILES: Section = Section {
    title: "Files",
    introduction: "",
    entries: &[
        ("FILE.part", "An output of `-C` and `-G` until the file is complete"),
        (
            "/etc/services, /etc/protocols, /etc/networks, /etc/ethers",
            "Names in filter expressions, read only if an expression contains one",
        ),
        ("/run/netns/NAME", "Network namespaces that `ip netns` created, for `--netns`"),
    ],
};

const SECURITY: Section = Section {
    title: "Security",
    introduction: "Once interfaces, files and output are open, sniffer drops its privileges before it \
                   reads the first packet. `--sandbox=strict` requires all of the following, \
                   `--sandbox=off` nothing; `--check` reports what this machine offers.",
    entries: &[
        (
            "User",
            "Started as root, sniffer changes to the user of `-Z`, to the caller of sudo or to \
             `nobody`",
        ),
        ("Capabilities", "All are dropped"),
        ("Landlock", "No files can be opened but new ones in the directories of the outputs"),
        ("seccomp", "Only the system calls that capturing and writing need are allowed"),
    ],
};

/// Each example is an explanation and a command. The most useful first.
pub(super) const EXAMPLES: [(&str, &str); 13] = [
    ("Capture on eth0 until Ctrl+C", "sniffer -i eth0 -w capture.ndjson"),
    ("Capture what matches a filter", "sniffer -i eth0,eth1 tcp port 443"),
    ("Show the busiest flows, and those with problems", "sniffer -i eth0 --top"),
    ("Convert a capture file", "sniffer -r dump.pcapng.gz"),
    ("Also keep the bytes", "sniffer -w a.ndjson --pcapng a.pcapng"),
    ("Show the running capture in a browser", "sniffer -i eth0 --serve"),
    ("Write a compressed file per hour", "sniffer -G 1h -w %Y%m%d-%H.ndjson.zst"),
    ("Keep the last ten files of 100 MiB each", "sniffer -C 100m -W 10 -w ring.ndjson"),
    (
        "Print the destinations of the next 100 packets",
        "sniffer -i any -c 100 | jq -r 'select(.type == \"pkt\").dst'",
    ),
    ("Capture on another machine", "ssh server tcpdump -U -w - | sniffer -r - -w capture.ndjson"),
    (
        "Lines of all packets, and the bytes around each TCP reset",
        "sniffer -w a.ndjson --pcapng a.pcapng --ring 30s --trigger 'tcp[tcpflags] & tcp-rst != 0'",
    ),
    ("Count the packets of a file that match a filter", "sniffer -r dump.pcap --count udp port 53"),
    (
        "Capture in the network namespace of a container",
        "sniffer --netns $(docker inspect -f '{{.State.Pid}}' web) -i eth0",
    ),
];

pub(super) const SEE_ALSO: &str = "`tcpdump`(8), `pcap-filter`(7), `packet`(7), `capabilities`(7), \
                                   `ip-netns`(8), `jq`(1)";
