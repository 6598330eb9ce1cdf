//! Compares the sniffer's lines with tshark's fields for all packets of the corpus.
//!
//! `mergecap` joins all files that Wireshark can read, since tshark takes long to start; the sniffer
//! reads each file separately. `differences.tsv` lists the expected differences by file and field,
//! each with its reason; an entry that no packet needs is an error as well.

mod flows;
mod fragments;
mod names;
mod payload;
mod tshark;
mod tunnels;

use fragments::FirstFragments;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::corpus;
use tests::process::run;

/// At most one value in this many may differ.
const VALUES_PER_DIFFERENCE: usize = 1_000;

/// Tab-separated: files, fields, reason. Files and fields are comma-separated lists.
const DIFFERENCES: &str = include_str!("differences.tsv");

#[test]
fn fields_equal_those_of_tshark() {
    let Some(files) = corpus::files().unwrap() else { return };
    let files = readable(&files);
    let directory = tempfile::tempdir().unwrap();
    let rows = tshark::rows(&merged(&files, directory.path()));
    let total: usize = files.iter().map(|(_, count)| count).sum();
    assert_eq!(rows.len(), total, "tshark's packets and capinfos'");
    let reasons = reasons();
    let (mut unused, mut rows) = (reasons.clone(), rows.into_iter());
    let (mut compared, mut explained, mut unexplained) = (0, 0, Vec::new());
    let mut later_fragments = 0;
    for (file, count) in &files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let output = run(&["-q", "-e", "--names", "--community-id", "-r", &file.to_string_lossy()]);
        assert!(output.status.success(), "{name}: {}", output.stderr);
        let packets = packets(&output.stdout);
        assert_eq!(packets.len(), *count, "{name}");
        let mut fragments = FirstFragments::default();
        for ((number, packet), row) in (1..).zip(&packets).zip(rows.by_ref()) {
            assert_eq!(packet["n"].as_u64(), Some(number), "{name}: {packet}");
            compared += 1;
            let ts =
                ("ts", ns(packet["ts"].as_str().unwrap()).to_string(), row.time_ns().to_string());
            let fields = row.fields(packet).into_iter().map(|(field, theirs)| {
                (field, packet.get(field).unwrap_or(&Value::Null).to_string(), theirs.to_string())
            });
            let ports = fragments
                .add(&row, packet)
                .into_iter()
                .map(|(field, theirs)| (field, packet[field].to_string(), theirs.to_string()));
            for (field, ours, theirs) in fields.chain([ts]).chain(ports) {
                compared += 1;
                if ours == theirs {
                    continue;
                }
                let key = (name.clone(), field.to_owned());
                if reasons.contains(&key) {
                    unused.remove(&key);
                    explained += 1;
                } else {
                    unexplained.push(format!(
                        "{name} {number} {field}: {ours}, tshark has {theirs} ({})",
                        row.protocols()
                    ));
                }
            }
        }
        later_fragments += fragments.compared;
    }
    eprintln!("{compared} values of {total} packets compared, {explained} differ as expected");
    eprintln!("ports of {later_fragments} later fragments");
    assert!(0 < later_fragments, "no later fragment has ports");
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    assert!(unused.is_empty(), "unused entries in differences.tsv: {unused:?}");
    assert!(explained * VALUES_PER_DIFFERENCE <= compared, "{explained} of {compared}");
    assert!(files.len() < 1_000 || 500_000 < compared, "{compared} values are too few");
}

/// The files that Wireshark reads without a warning, with their numbers of packets.
fn readable(files: &[PathBuf]) -> Vec<(PathBuf, usize)> {
    let output = Command::new("capinfos").args(["-c", "-M", "-T", "-r"]).args(files).output();
    let output = output.unwrap();
    let warnings = String::from_utf8_lossy(&output.stderr).into_owned();
    let counts: BTreeMap<String, usize> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| {
            let (file, count) = line.split_once('\t')?;
            Some((file.to_owned(), count.parse().ok()?))
        })
        .collect();
    let is_clean = |file: &&PathBuf| !warnings.contains(&format!("\"{}\"", file.display()));
    let count = |file: &PathBuf| Some((file.clone(), *counts.get(&*file.to_string_lossy())?));
    files.iter().filter(is_clean).filter_map(count).collect()
}

fn packets(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    let records = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|record| record["type"] == "pkt").collect()
}

/// Concatenates the packets of all files.
fn merged(files: &[(PathBuf, usize)], directory: &Path) -> PathBuf {
    let all = directory.join("all.pcapng");
    let mut command = Command::new("mergecap");
    command.args(["-a", "-F", "pcapng", "-I", "none", "-w"]).arg(&all);
    let output = command.args(files.iter().map(|(file, _)| file)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    all
}

/// The files and fields of `differences.tsv`.
fn reasons() -> BTreeSet<(String, String)> {
    let mut reasons = BTreeSet::new();
    for line in DIFFERENCES.lines().filter(|line| !line.starts_with('#')) {
        let [files, fields, reason] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("not files, fields and a reason: {line}")
        };
        assert!(!reason.is_empty());
        for file in files.split(',') {
            for field in fields.split(',') {
                assert!(
                    reasons.insert((file.to_owned(), field.to_owned())),
                    "{file} {field} twice"
                );
            }
        }
    }
    reasons
}

fn ns(text: &str) -> i128 {
    text.parse::<Timestamp>().unwrap().as_nanosecond()
}
