//! Compares the findings in TCP connections with `tcp.analysis` of tshark, and the totals of flows with
//! those of `tshark -z conv`.
//!
//! tshark takes long to start, so it reads many files as one. Files with the same addresses and ports are
//! in different batches: tshark would take their packets for one connection.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use tests::corpus;
use tests::process::run;

use super::{merged, readable};

/// Tab-separated: finding of the sniffer, finding of tshark, reason, files with numbers of packets.
const FINDINGS: &str = include_str!("findings.tsv");
/// Tab-separated: protocol, ends, packets and bytes of both directions in the sniffer and in tshark, reason.
const TOTALS: &str = include_str!("totals.tsv");

/// tshark's fields: the first three are the kinds of retransmissions, the more specific ones first. The last
/// two are one finding here.
const FIELDS: [(&str, &str); 9] = [
    ("tcp.analysis.spurious_retransmission", "rtx spurious"),
    ("tcp.analysis.fast_retransmission", "rtx fast"),
    ("tcp.analysis.retransmission", "rtx timeout"),
    ("tcp.analysis.out_of_order", "ooo"),
    ("tcp.analysis.duplicate_ack", "dup_ack"),
    ("tcp.analysis.zero_window", "zero_window"),
    ("tcp.analysis.window_full", "window_full"),
    ("tcp.analysis.keep_alive", "keep_alive"),
    ("tcp.analysis.zero_window_probe", "keep_alive"),
];

/// tshark has to look at each packet on its own.
const PREFERENCES: [&str; 3] =
    ["ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE"];

/// A protocol and two ends, in ascending order.
type Key = (String, [String; 2]);

/// Packets and bytes from the first end, and from the second.
type Totals = [i64; 4];

/// What the sniffer writes about a file.
struct Capture {
    file: PathBuf,
    /// Findings of each packet.
    findings: Vec<BTreeSet<&'static str>>,
    flows: BTreeMap<Key, Totals>,
}

/// The key of a record with ports, and whether its source is the first end.
fn key(record: &Value) -> Option<(Key, bool)> {
    let end = |address: &str, port: &str| {
        Some(format!("{}:{}", record[address].as_str()?, record[port].as_u64()?))
    };
    let (src, dst) = (end("src", "sport")?, end("dst", "dport")?);
    let proto = record["proto"].as_str().filter(|proto| ["tcp", "udp"].contains(proto))?;
    let is_first = src <= dst;
    Some(((proto.to_owned(), if is_first { [src, dst] } else { [dst, src] }), is_first))
}

fn add(sums: &mut BTreeMap<Key, Totals>, key: Key, is_first: bool, totals: Totals) {
    let [packets, bytes, rev_packets, rev_bytes] = totals;
    let totals = if is_first { totals } else { [rev_packets, rev_bytes, packets, bytes] };
    let sum = sums.entry(key).or_default();
    sum.iter_mut().zip(totals).for_each(|(sum, number)| *sum += number);
}

impl Capture {
    fn read(file: PathBuf) -> Self {
        let output = run(&["-q", "--flows", "--tcp-analysis", "-r", file.to_str().unwrap()]);
        let text = String::from_utf8(output.stdout).unwrap();
        let mut capture = Self { file, findings: Vec::new(), flows: BTreeMap::new() };
        for record in text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
            match record["type"].as_str().unwrap() {
                "pkt" => capture.findings.push(findings(&record)),
                "flow" => {
                    let Some((key, is_first)) = key(&record) else { continue };
                    let names = ["packets", "bytes", "rev_packets", "rev_bytes"];
                    let totals = names.map(|name| record[name].as_i64().unwrap());
                    add(&mut capture.flows, key, is_first, totals);
                }
                _ => {}
            }
        }
        capture
    }

    fn name(&self) -> String {
        self.file.file_name().unwrap().to_string_lossy().into_owned()
    }
}

/// The findings in a packet of the sniffer.
fn findings(packet: &Value) -> BTreeSet<&'static str> {
    let has = |name: &str| match name.split_once(' ') {
        Some((field, value)) => packet[field] == value,
        None => packet.get(name).is_some(),
    };
    FIELDS.iter().map(|(_, name)| *name).filter(|name| has(name)).collect()
}

/// The findings in a packet of tshark.
fn tshark_findings(row: &str) -> BTreeSet<&'static str> {
    let columns = row.split('\t').zip(FIELDS).filter(|(cell, _)| !cell.is_empty());
    let mut found: Vec<_> = columns.map(|(_, (_, name))| name).collect();
    // A retransmission of a special kind has both fields.
    if found.len() > 1 && found[0].starts_with("rtx") {
        let kind = found[0];
        found.retain(|name| *name == kind || !name.starts_with("rtx"));
    }
    found.into_iter().collect()
}

/// A line of `-z conv`: the key, whether the first address is the first end, and the totals.
fn conversation(proto: &str, line: &str) -> Option<(Key, bool, Totals)> {
    let columns: Vec<_> = line.split_whitespace().collect();
    let [a, "<->", b, rev_packets, rev_bytes, rev_unit, packets, bytes, unit, ..] = columns[..]
    else {
        return None;
    };
    let number = |number: &str, unit: &str| {
        let factor = match unit {
            "bytes" => 1,
            "kB" => 1_000,
            "MB" => 1_000_000,
            _ => panic!("a unit: {line}"),
        };
        number.replace(',', "").parse::<i64>().unwrap() * factor
    };
    let totals = [
        packets.parse().unwrap(),
        number(bytes, unit),
        rev_packets.parse().unwrap(),
        number(rev_bytes, rev_unit),
    ];
    let (a, b) = (a.to_owned(), b.to_owned());
    let is_first = a <= b;
    Some(((proto.to_owned(), if is_first { [a, b] } else { [b, a] }), is_first, totals))
}

/// A number of bytes as tshark shows it: from 10,000 on, in whole kilobytes. Damaged lengths are negative.
fn rounded(bytes: i64) -> i64 {
    let unit = match bytes {
        ..10_000 => 1,
        10_000..10_000_000 => 1_000,
        _ => 1_000_000,
    };
    bytes / unit * unit
}

/// Files in batches without a conversation in two files.
fn batches(captures: Vec<Capture>) -> Vec<Vec<Capture>> {
    let mut batches: Vec<(BTreeSet<Key>, Vec<Capture>)> = Vec::new();
    for capture in captures {
        let keys: BTreeSet<_> = capture.flows.keys().cloned().collect();
        match batches.iter_mut().find(|(others, _)| others.is_disjoint(&keys)) {
            Some((others, batch)) => {
                others.extend(keys);
                batch.push(capture);
            }
            None => batches.push((keys, vec![capture])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

/// The findings of each packet, and the conversations.
fn tshark(batch: &[Capture]) -> (Vec<BTreeSet<&'static str>>, BTreeMap<Key, Totals>) {
    let directory = tempfile::tempdir().unwrap();
    let files: Vec<_> = batch.iter().map(|capture| (capture.file.clone(), 0)).collect();
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(merged(&files, directory.path()));
    PREFERENCES.iter().for_each(|preference| _ = command.args(["-o", preference]));
    command.args(["-z", "conv,tcp", "-z", "conv,udp", "-T", "fields"]);
    FIELDS.iter().for_each(|(field, _)| _ = command.args(["-e", field]));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines = text.lines();
    let rows = lines.by_ref().take_while(|line| !line.starts_with('='));
    let findings = rows.map(tshark_findings).collect();
    let (mut proto, mut conversations) = ("", BTreeMap::new());
    for line in lines {
        proto = match line {
            "TCP Conversations" => "tcp",
            "UDP Conversations" => "udp",
            _ => proto,
        };
        if let Some((key, is_first, totals)) = conversation(proto, line) {
            add(&mut conversations, key, is_first, totals);
        }
    }
    (findings, conversations)
}

/// The findings that only one side has, as text.
fn without(findings: &BTreeSet<&'static str>, others: &BTreeSet<&'static str>) -> String {
    let names: Vec<_> = findings.difference(others).copied().collect();
    if names.is_empty() { "-".to_owned() } else { names.join("+") }
}

/// The expected differences in findings: findings and file, and the number of packets.
fn expected_findings() -> BTreeMap<[String; 3], usize> {
    let mut all = BTreeMap::new();
    for line in FINDINGS.lines().filter(|line| !line.starts_with('#')) {
        let [ours, theirs, reason, files] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not findings, a reason and files: {line}")
        };
        assert!(!reason.is_empty());
        for file in files.split(' ') {
            let (file, count) = file.rsplit_once('=').unwrap();
            let key = [ours, theirs, file].map(str::to_owned);
            assert!(all.insert(key, count.parse().unwrap()).is_none(), "{ours} {theirs} {file}");
        }
    }
    all
}

/// The expected differences in totals. Each has a reason.
fn expected_totals() -> BTreeSet<String> {
    let lines = TOTALS.lines().filter(|line| !line.starts_with('#'));
    let lines = lines.map(|line| line.rsplit_once('\t').unwrap());
    lines.inspect(|(_, reason)| assert!(!reason.is_empty())).map(|(line, _)| line.into()).collect()
}

/// A line of `totals.tsv` without its reason.
fn difference((proto, ends): &Key, ours: Option<Totals>, theirs: Option<Totals>) -> String {
    let text = |totals: Option<Totals>| {
        totals.map_or("-".to_owned(), |totals| totals.map(|number| number.to_string()).join(" "))
    };
    [proto.clone(), ends.join(" "), text(ours), text(theirs)].join("\t")
}

#[test]
fn findings_and_totals_equal_those_of_tshark() {
    let Some(files) = corpus::files().unwrap() else { return };
    let captures = readable(&files).into_iter().map(|(file, count)| {
        let capture = Capture::read(file);
        assert_eq!(capture.findings.len(), count, "{}", capture.name());
        capture
    });
    let captures: Vec<_> = captures.filter(|capture| !capture.flows.is_empty()).collect();
    let (mut differences, mut totals) = (BTreeMap::<[String; 3], usize>::new(), BTreeSet::new());
    let (mut equal, mut conversations) = (BTreeMap::<&str, usize>::new(), 0);
    for batch in batches(captures) {
        let (mut rows, theirs) = tshark(&batch);
        for capture in &batch {
            let rest = rows.split_off(capture.findings.len());
            for (ours, theirs) in capture.findings.iter().zip(rows) {
                ours.intersection(&theirs).for_each(|name| *equal.entry(name).or_default() += 1);
                if *ours != theirs {
                    let key = [without(ours, &theirs), without(&theirs, ours), capture.name()];
                    *differences.entry(key).or_default() += 1;
                }
            }
            rows = rest;
        }
        assert!(rows.is_empty(), "{} packets more", rows.len());
        let ours: BTreeMap<_, _> = batch.into_iter().flat_map(|capture| capture.flows).collect();
        let shown = |[packets, bytes, rev_packets, rev_bytes]: Totals| {
            [packets, rounded(bytes), rev_packets, rounded(rev_bytes)]
        };
        for key in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
            let pair = [ours.get(key).copied().map(shown), theirs.get(key).copied().map(shown)];
            conversations += 1;
            if pair[0] != pair[1] {
                totals.insert(difference(key, pair[0], pair[1]));
            }
        }
    }
    eprintln!("{equal:?}; {} of {conversations} conversations differ", totals.len());
    assert_eq!(differences, expected_findings());
    let expected = expected_totals();
    let list = |lines: Vec<&String>| lines.into_iter().cloned().collect::<Vec<_>>().join("\n");
    let unexplained = list(totals.difference(&expected).collect());
    let unused = list(expected.difference(&totals).collect());
    assert!(unexplained.is_empty() && unused.is_empty(), "{unexplained}\nunused:\n{unused}");
    assert!(files.len() < 1_000 || 3_000 < equal.values().sum::<usize>(), "{equal:?}");
}
