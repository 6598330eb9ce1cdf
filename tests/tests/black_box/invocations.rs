//! What happens for what people type: a table of invocations, and tcpdump's options.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::tempdir;
use tests::files;
use tests::frames::pcap;
use tests::process::run;
use xtask::namespace;

/// One invocation per line: what is typed, the exit status, the start of the first line on standard
/// error, and the output: a number of `pkt` records, new files, or the start of the text. An empty
/// column means an empty stream. `3.pcap` has three packets to UDP port 53; of the interfaces, `lo`
/// (also `loopback`) and `up0` are up, `down0` is not.
const TABLE: &str = r#"
# Habits of tcpdump's users: options for default behaviour are accepted, repeated and clustered.
sniffer -n -r 3.pcap                        | 0 | sniffer: 3 packets read from 3.pcap | 3 records
sniffer -nn -r 3.pcap                       | 0 | sniffer: 3 packets read | 3 records
sniffer -nnvvv -r 3.pcap                    | 0 | sniffer: 3 packets read | 3 records
sniffer -nnvvSs0 -r 3.pcap                  | 0 | sniffer: 3 packets read | 3 records
sniffer -nnvvSs0 -i lo --duration 10ms      | 0 | sniffer: capturing on lo | 0 records
sniffer -ttttnnl -r 3.pcap                  | 0 | sniffer: 3 packets read | 3 records
sniffer -tt -ttt -K -N -f -u -U -r 3.pcap   | 0 | sniffer: 3 packets read | 3 records
sniffer -# --number --lengths -r 3.pcap     | 0 | sniffer: 3 packets read | 3 records
sniffer --nano --print -r 3.pcap            | 0 | sniffer: 3 packets read | 3 records
sniffer --time-stamp-precision=nano -r 3.pcap | 0 | sniffer: 3 packets read | 3 records
sniffer --immediate-mode -i lo --duration 10ms | 0 | sniffer: capturing on lo | 0 records
sniffer --snapshot 96 --read 3.pcap --num   | 0 | sniffer: 3 packets read | 3 records
sniffer --immediate -i lo --duration 10ms   | 0 | sniffer: capturing on lo | 0 records
sniffer -r 3.pcap -f 'udp port 53'          | 0 | sniffer: 3 packets read | 3 records
sniffer -neqr 3.pcap                        | 0 | | 3 records
sniffer -r 3.pcap -c 2                      | 0 | sniffer: 2 packets read | 2 records
sniffer -c2 -r3.pcap                        | 0 | sniffer: 2 packets read | 2 records
sniffer -r 3.pcap -s 0 -s 96                | 0 | sniffer: 3 packets read | 3 records
sniffer -r 3.pcap udp port 53               | 0 | sniffer: 3 packets read | 3 records
sniffer -r 3.pcap 'udp and not port 53'     | 0 | sniffer: 3 packets read | 0 records
sniffer udp -r 3.pcap                       | 0 | sniffer: 3 packets read | 3 records
cat 3.pcap \| sniffer -nr - -w -            | 0 | sniffer: 3 packets read from standard input | 3 records
sniffer -V list                             | 0 | sniffer: 6 packets read from 2 files | 6 records
echo 3.pcap \| sniffer -V -                 | 0 | sniffer: 3 packets read from 3.pcap | 3 records
sniffer -V empty                            | 1 | sniffer: `empty` is empty |

# Counting
sniffer -r 3.pcap --count                   | 0 | | 3 packets
sniffer -V list --count                     | 0 | | 6 packets
sniffer -r 3.pcap --count -c 1              | 0 | | 1 packet
sniffer -nr 3.pcap --count tcp              | 0 | | 0 packets
sniffer -r cut.pcap --count                 | 1 | sniffer: `cut.pcap`: incomplete record | 2 packets
sniffer --count 100                         | 2 | sniffer: --count counts the packets of files (-r); to stop after COUNT packets, use -c COUNT |

# Interfaces
sniffer -D                                  | 0 | | 1.lo  [up]
sniffer -i lo --duration 10ms               | 0 | sniffer: capturing on lo (ethernet) | 0 records
sniffer -i 1 --duration 10ms                | 0 | sniffer: capturing on lo (ethernet) | 0 records
sniffer -i any --duration 10ms              | 0 | sniffer: capturing on any | 0 records
sniffer -i loopback --duration 10ms         | 0 | sniffer: capturing on lo (ethernet) | 0 records
sniffer -i lo,up0 --duration 10ms           | 0 | sniffer: capturing on lo (ethernet), up0 (ethernet) | 0 records
sniffer -i lo -i up0 --duration 10ms        | 0 | sniffer: capturing on lo (ethernet), up0 (ethernet) | 0 records
sniffer -i lo,loopback                      | 1 | sniffer: `loopback` is `lo`, which is selected already |
sniffer -i any,lo                           | 2 | sniffer: `any` already includes all other interfaces |
sniffer -i down0                            | 1 | sniffer: interface `down0` is down; bring it up with: ip link set down0 up |
sniffer -i lo -y EN10MB                     | 2 | sniffer: -y is for -d; a capture has the link type of its interface |
sniffer -i nope                             | 1 | sniffer: no interface named `nope`; available: lo |
sniffer -i 99                               | 1 | sniffer: no interface named `99`; available: lo |
sniffer -D --netns nope                     | 1 | sniffer: no network namespace `nope`: No such file |

# Files, with options for live captures that make no difference
sniffer -p -r 3.pcap                        | 0 | sniffer: no effect on files: -p | 3 records
sniffer -Q in -y EN10MB -r 3.pcap           | 0 | sniffer: no effect on files: -Q, -y | 3 records
sniffer -qr 3.pcap -G 1h -w %%.ndjson       | 0 | | files %.ndjson
sniffer -r 3.pcap --netns nope              | 0 | sniffer: no effect on files: --netns | 3 records
sniffer -r 3.pcap -i lo                     | 2 | sniffer: -i captures live, -r and -V read files; choose one of them |
sniffer -r 3.pcap --serve                   | 2 | sniffer: --serve shows live captures; to view a file, open it in the page |
sniffer --serve udp --duration 10ms -i lo   | 0 | sniffer: capturing on lo (ethernet) |
sniffer -r 3.pcap --duration 1m             | 2 | sniffer: --duration limits live captures; for files: timeout TIME sniffer ... |

# Outputs
sniffer -qr 3.pcap -w out.ndjson            | 0 | | files out.ndjson
sniffer -qr 3.pcap -w out.ndjson.zst        | 0 | | files out.ndjson.zst
sniffer -qr 3.pcap -C 1k -w out             | 0 | | files out
sniffer -qi lo -G 1h -W 2 --duration 10ms -w o | 0 | | files o
sniffer -r 3.pcap -w out.pcap               | 2 | sniffer: -w out.pcap: -w writes JSON lines, e.g. to out.ndjson; to write packets: --pcapng FILE |
sniffer -r 3.pcap -w out.pcapng.gz          | 2 | sniffer: -w out.pcapng.gz: -w writes JSON lines, e.g. to out.ndjson; to write packets: --pcapng FILE |
sniffer -qr 3.pcap --pcapng out.pcapng      | 0 | | files out.pcapng
sniffer -qr 3.pcap --pcapng out -w out.zst  | 0 | | files out out.zst
sniffer -r 3.pcap --pcapng out --names      | 0 | sniffer: no effect without lines (add -w FILE): --names | files out
sniffer -r 3.pcap --pcapng out.ndjson       | 2 | sniffer: --pcapng out.ndjson: --pcapng writes packets, e.g. to out.pcapng; to write lines: -w FILE |
sniffer -r 3.pcap --pcapng out -w out       | 2 | sniffer: -w and --pcapng require different outputs |
sniffer -qr 3.pcap --pcapng 3.pcap --force  | 1 | sniffer: `3.pcap` is also an input; write to another file |
sniffer -qr 3.pcap --pcapng out --keep udp  | 0 | | files out
sniffer -qi lo --pcapng out --keep 'prot 7' | 2 | sniffer: --keep: invalid filter: |
sniffer -qi lo --pcapng out --ring 1s --trigger 'prot 7' | 2 | sniffer: --trigger: invalid filter: |
sniffer -qi lo --pcapng out --ring 1s,2MiB --trigger tcp --duration 10ms | 0 | | files out
sniffer -i lo --pcapng out --ring 64MB      | 2 | sniffer: invalid value '64MB' for '--ring <LIMIT>': not a time such as 30s, nor a size such as 64MiB |
sniffer -r 3.pcap --pcapng out --ring 1s    | 2 | sniffer: --ring is for live captures; to select packets of files: --keep |
sniffer -r 3.pcap --keep udp                | 2 | sniffer: the following required arguments were not provided: --pcapng <FILE> |
sniffer -r 3.pcap --force                   | 2 | sniffer: --force requires an output file; name it with -w or --pcapng |
sniffer -r 3.pcap -w out.lz4                | 2 | sniffer: -w out.lz4: cannot compress to .lz4; use .gz or .zst, or -w - and a pipe |
sniffer -r 3.pcap -w out.json.bz2           | 2 | sniffer: -w out.json.bz2: cannot compress to .bz2; use .gz or .zst |
sniffer --print -w out -r 3.pcap            | 2 | sniffer: --print: there is one output of lines; to see it as well: sniffer ... \| tee FILE |
sniffer -C 1 -r 3.pcap                      | 2 | sniffer: -C and -G require an output file; name it with -w or --pcapng |
sniffer -G 1w -w out                        | 2 | sniffer: invalid value '1w' for '--rotate-interval <TIME>': not a duration such as |

# What sniffer does not do
sniffer -A -r 3.pcap                        | 2 | sniffer: -A: lines have no payload; write packets with --pcapng FILE, then use tcpdump -A -r FILE |
sniffer -nXX -r 3.pcap                      | 2 | sniffer: -X: lines have no payload; write packets with --pcapng FILE, then use tcpdump -X -r FILE |
sniffer -I -i wlan0                         | 2 | sniffer: -I: set monitor mode beforehand, e.g. with: iw dev INTERFACE set type monitor |
sniffer -L                                  | 2 | sniffer: -L: each interface has one link type; list them with sniffer -D |
sniffer -G 60 -w out -z gzip                | 2 | sniffer: -z: no command is run; names ending in .gz or .zst are compressed |
sniffer --time-stamp-precision micro        | 2 | sniffer: --time-stamp-precision: timestamps have nanoseconds; for microseconds: --time us |
sniffer -Y 'ip.addr == 10.0.0.5'            | 2 | sniffer: -Y: capture filters are an argument |

# Mistakes
sniffer lo                                  | 2 | sniffer: `lo` is an interface; did you mean -i lo? |
sniffer any port 53                         | 2 | sniffer: `any` is an interface; did you mean -i any? |
sniffer 3.pcap                              | 2 | sniffer: `3.pcap` is a file; did you mean -r 3.pcap? |
sniffer 4.pcapng.gz                         | 2 | sniffer: `4.pcapng.gz` is the name of a capture file; did you mean -r 4.pcapng.gz? |
sniffer -r 3.pcap 'ip.addr == 10.0.0.5'     | 2 | sniffer: this is a display filter of Wireshark; the capture filter is: host 10.0.0.5 |
sniffer -r 3.pcap 'tcp.port==80 && !dns'    | 2 | sniffer: this is a display filter of Wireshark; the capture filter is: tcp port 80 and not port 53 |
sniffer -r 3.pcap 'dns.qry.name contains x' | 2 | sniffer: this is a display filter of Wireshark; write a filter of pcap-filter(7) |
sniffer -r 3.pcap tcp port 70000            | 2 | sniffer: invalid filter: port number 70000 greater than maximum 65535 |
sniffer -r out.json                         | 1 | sniffer: `out.json`: not a pcap or pcapng file but the output of sniffer; open it in the viewer |
sniffer -r 3.pcap.bz2                       | 1 | sniffer: `3.pcap.bz2`: not a pcap or pcapng file but compressed with bzip2; use: bzip2 -dc FILE \| sniffer -r - |
sniffer -r list                             | 1 | sniffer: `list`: not a pcap or pcapng file but text; write capture files with tcpdump -w |
sniffer -r 4.pcap                           | 1 | sniffer: cannot read `4.pcap`: No such file or directory |
sniffer -c -1                               | 2 | sniffer: invalid value '-1' for '--max-packets <COUNT>': must be greater than 0 |
sniffer -G 60                               | 2 | sniffer: -C and -G require an output file; name it with -w or --pcapng |
sniffer -G 60 -w %D.ndjson                  | 2 | sniffer: -w %D.ndjson: a directive stands for a text with `/` |
sniffer -r 3.pcap -w out.PCAP1              | 2 | sniffer: -w out.PCAP1: -w writes JSON lines, e.g. to out.ndjson |
sniffer -r 3.pcap 10.0.0.1                  | 2 | sniffer: invalid filter; did you mean host 10.0.0.1? |
sniffer -r 3.pcap port 80,443               | 2 | sniffer: invalid filter; did you mean '(port 80 or port 443)'? |
sniffer -r 3.pcap port 80-90                | 2 | sniffer: invalid filter; did you mean portrange 80-90? |
sniffer -r 3.pcap host 1.2.3.4:80           | 2 | sniffer: invalid filter; did you mean '(host 1.2.3.4 and port 80)'? |
sniffer -r 3.pcap proto == tcp              | 2 | sniffer: this is a filter of the viewer; |
sniffer -r 3.pcap http.request              | 2 | sniffer: this is a display filter of Wireshark; |
sniffer help                                | 2 | sniffer: did you mean --help? |
sniffer -?                                  | 2 | sniffer: did you mean --help? |
sniffer -V 3.pcap                           | 1 | sniffer: cannot read `3.pcap`: not a list of file names; to read a capture, use -r |
sniffer --tag a=1 --tag a=2                 | 2 | sniffer: tag `a` is given more than once |
sniffer -r 3.pcap -w no-directory/out       | 1 | sniffer: cannot write `no-directory/out`: No such file or directory |
sniffer -s 262145                           | 2 | sniffer: invalid value '262145' for '--snapshot-length <LEN>': must be between 1 and 262144 |
sniffer -c many                             | 2 | sniffer: invalid value 'many' for '--max-packets <COUNT>': not a whole number |
sniffer --wirte x                           | 2 | sniffer: unexpected argument '--wirte' found |
sniffer -V                                  | 2 | sniffer: a value is required for '--read-list <FILE>' but none was supplied |

# Information
sniffer -d ip                               | 0 | | (000) ldh      [12]
sniffer -ddd -i lo ip                       | 0 | | 4
sniffer -h                                  | 0 | | Capture packets and write one JSON line per packet
sniffer --help -i                           | 0 | | Capture packets and write one JSON line per packet
sniffer --version                           | 0 | | sniffer 0.1.0
"#;

#[test]
fn invocations_do_what_people_expect() {
    let directory = tempdir().unwrap();
    let here = directory.path();
    let capture = pcap(3);
    files::write(here, "3.pcap", &capture);
    files::write(here, "cut.pcap", &capture[..capture.len() - 1]);
    files::write(here, "list", "# captures\n3.pcap\n3.pcap\n");
    files::write(here, "empty", "");
    files::write(here, "3.pcap.bz2", b"BZh91AY&SY\x80");
    files::write(here, "out.json", "{\"type\":\"meta\",\"v\":1,\"tool\":\"sniffer\"}\n");
    let mut failures = String::new();
    let mut count = 0;
    namespace::run(|| {
        namespace::ip("link add down0 type veth peer name up0").unwrap();
        namespace::ip("link set up0 up").unwrap();
        namespace::ip("link property add dev lo altname loopback").unwrap();
        for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            count += 1;
            if let Err(reason) = check(here, line) {
                let _ = writeln!(failures, "{line}\n    {reason}");
            }
        }
    });
    assert!(60 < count, "{count}");
    assert!(failures.is_empty(), "\n{failures}");
}

/// Runs a line of the table in a directory, and removes the new files.
fn check(here: &Path, line: &str) -> Result<(), String> {
    // A vertical bar in a cell is escaped.
    let cells: Vec<_> =
        line.split(" |").map(|cell| cell.replace("\\|", "|").trim().to_owned()).collect();
    let [typed, status, error, effect] = &cells[..] else { return Err("four columns".into()) };
    let program = xtask::build::sniffer_path();
    let before = file_names(here);
    let output = Command::new("env")
        .args(["--default-signal", "timeout", "20", "sh", "-c"])
        .arg(typed.replace("sniffer ", &format!("{} ", program.display())))
        .current_dir(here)
        .output()
        .unwrap();
    let new: BTreeSet<_> = file_names(here).difference(&before).cloned().collect();
    for name in &new {
        fs::remove_file(here.join(name)).unwrap();
    }
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    let found = format!("{}: {stderr}{stdout}", output.status);
    let begins = |text: &str, start: &str| {
        if start.is_empty() { text.is_empty() } else { text.starts_with(start) }
    };
    if output.status.code() != status.parse().ok() || !begins(&stderr, error) {
        return Err(found);
    }
    let is_as_expected = if let Some(count) = effect.strip_suffix(" records") {
        stdout.matches("{\"type\":\"pkt\"").count().to_string() == count && stdout.ends_with("}\n")
    } else if let Some(names) = effect.strip_prefix("files ") {
        new == names.split(' ').map(OsString::from).collect()
    } else {
        begins(&stdout, effect) && new.is_empty()
    };
    if is_as_expected { Ok(()) } else { Err(format!("{found} {new:?}")) }
}

fn file_names(directory: &Path) -> BTreeSet<OsString> {
    fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect()
}

/// The options of tcpdump 4.99 and 5.0 by their manuals, with a value where they take one. Those
/// that begin with `!` are answered with one line.
const TCPDUMP_OPTIONS: &str = "
    !-A !-a !-b -B=4096 --buffer-size=4096 -c=1 --count -C=1 -d -dd -ddd -D --list-interfaces -e
    !-E=none -f -F=filter -g --ip-oneline -G=1 -h --help --version !-H -i=lo --interface=lo !-I
    !--monitor-mode --immediate-mode !-j=host !--time-stamp-type=host !-J !--list-time-stamp-types
    --time-stamp-precision=nano !--micro --nano -K --dont-verify-checksums -l --lengths !-L
    !--list-data-link-types !-m=MIB !-M=secret -n -N -# --number -O --no-optimize -p
    --no-promiscuous-mode --print !--print-sampling=2 -Q=in --direction=in -q -r=3.pcap !-R -S
    --absolute-tcp-sequence-numbers -s=96 --snapshot-length=96 !--skip=1 !-T=rtp -t -tt -ttt -tttt
    -ttttt -u -U --packet-buffered -v -vv -vvv -V=list -w=out -W=2 !-x !-xx !-X !-XX -y=EN10MB
    --linktype=EN10MB !-Y !-z=gzip -Z=nobody --relinquish-privileges=nobody
";

/// Options that need another one.
const COMPANIONS: [(&str, &str); 3] = [("-C", "-wout"), ("-G", "-wout"), ("-W", "-C1")];

#[test]
fn every_option_of_tcpdump_is_answered() {
    let directory = tempdir().unwrap();
    let here = directory.path();
    files::write(here, "3.pcap", pcap(3));
    files::write(here, "filter", "udp");
    files::write(here, "list", "3.pcap\n");
    let mut names = BTreeSet::new();
    for option in TCPDUMP_OPTIONS.split_whitespace() {
        let (option, is_refused) = match option.strip_prefix('!') {
            Some(option) => (option, true),
            None => (option, false),
        };
        let name = option.split('=').next().unwrap();
        names.insert(if name.starts_with("--") { name } else { &name[..2] });
        let mut args = if name.starts_with("--") || name == option {
            vec![option.to_owned()]
        } else {
            vec![option.replacen('=', "", 1)]
        };
        args.extend(COMPANIONS.iter().filter(|(of, _)| *of == name).map(|(_, arg)| (*arg).into()));
        if name == "-W" {
            args.push("-wout".into());
        }
        // Reading a file ends; an interface or a list of files excludes it.
        if !["-r", "-V", "-i", "--interface", "-D", "--list-interfaces"].contains(&name) {
            args.push("-r3.pcap".into());
        }
        if name.trim_start_matches('-').starts_with('i')
            && name != "--immediate-mode"
            && name != "--ip-oneline"
        {
            args.push("--duration=10ms".into());
        }
        let output = sniffer_in(here, &args);
        let (code, stderr) = output;
        if is_refused {
            assert_eq!(code, Some(2), "{args:?}: {stderr}");
            assert!(
                stderr.starts_with("sniffer: -") && stderr.lines().count() == 1,
                "{args:?}: {stderr}"
            );
        } else {
            assert_eq!(code, Some(0), "{args:?}: {stderr}");
        }
        let _ = fs::remove_file(here.join("out"));
    }
    // The usage of the installed tcpdump lists no other.
    let usage = Command::new("tcpdump").arg("--help").output().unwrap();
    let usage = String::from_utf8_lossy(&[usage.stdout, usage.stderr].concat()).into_owned();
    let words = usage.split(|c: char| c.is_whitespace() || "[]|=".contains(c));
    for word in words.filter(|word| word.starts_with('-') && 1 < word.len()) {
        let is_cluster = !word.starts_with("--") && 2 < word.len();
        let options: Vec<_> = match word.strip_prefix('-').filter(|_| is_cluster) {
            Some(letters) => letters.chars().map(|letter| format!("-{letter}")).collect(),
            None => vec![word.to_owned()],
        };
        for option in options {
            assert!(names.contains(option.as_str()), "{option} of {usage}");
        }
    }
    assert!(usage.contains("--time-stamp-precision"), "{usage}");
}

/// The exit status and standard error of the sniffer in a network namespace.
fn sniffer_in(here: &Path, args: &[String]) -> (Option<i32>, String) {
    namespace::run(|| {
        let output = Command::new(xtask::build::sniffer_path())
            .args(args)
            .current_dir(here)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    })
}

/// `--help` fits two screens of 50 lines, and `-h` one of 30.
#[test]
fn help_fits_screens_of_80_columns() {
    for (option, limit) in [("-h", 30), ("--help", 100)] {
        let help = String::from_utf8(run(&[option]).stdout).unwrap();
        assert!(help.lines().count() <= limit, "{option}: {} lines", help.lines().count());
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{option}: {line}");
        }
    }
}
