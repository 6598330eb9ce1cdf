//! Options that change how records are written: `--tag`, `--time` and `--only`.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::tempdir;
use tests::files::write;
use tests::frames::pcap;
use tests::process::run;
use tests::reference::parse_ns;
use tests::stream::{Stream, check_line};

/// The lines of a run over a file, which the schema accepts.
fn lines(file: &Path, args: &[&str]) -> Vec<String> {
    let output = run(&[&["-q", "-r", file.to_str().unwrap()], args].concat());
    assert!(output.status.success(), "{}", output.stderr);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().inspect(|line| check_line(line)).map(str::to_owned).collect()
}

fn records(file: &Path, args: &[&str]) -> Vec<Map<String, Value>> {
    lines(file, args).iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_record_has_the_tags() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", pcap(100));
    let plain = lines(&file, &["-c", "50"]);
    let tagged = lines(&file, &["-c", "50", "--tag", "site=fra1", "--tag", "note=a=\"b\",\u{7}ü"]);
    assert_eq!(plain.len(), tagged.len());
    for (plain, tagged) in plain.iter().zip(&tagged) {
        let end = r#","tag_site":"fra1","tag_note":"a=\"b\",\u0007ü"}"#;
        let rest = tagged.strip_suffix(end).unwrap_or_else(|| panic!("{tagged}"));
        if plain.contains("\"pkt\"") {
            assert_eq!(format!("{rest}}}"), *plain);
        }
    }
    // Also if several threads format them.
    assert_eq!(
        lines(&file, &["-c", "50", "--tag", "site=fra1", "--threads", "3"])[1..51],
        lines(&file, &["-c", "50", "--tag", "site=fra1"])[1..51]
    );
}

#[test]
fn times_are_numbers_in_fields_of_their_own() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", pcap(100));
    let plain = records(&file, &[]);
    for (unit, ns) in [("ns", 1), ("us", 1_000), ("ms", 1_000_000)] {
        let numbers = records(&file, &["--time", unit]);
        assert_eq!(numbers.len(), plain.len());
        for (mut number, mut plain) in numbers.into_iter().zip(plain.clone()) {
            let name = if plain["type"] == "meta" { "start" } else { "ts" };
            let text = plain.remove(name).unwrap();
            let number_of_time = number.remove(&format!("{name}_{unit}")).unwrap();
            if plain["type"] == "pkt" {
                assert_eq!(number_of_time, json!(parse_ns(text.as_str().unwrap()) / ns));
            }
            assert_eq!(number, plain);
        }
    }
}

#[test]
fn other_types_are_left_out_and_counted() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", pcap(100));
    let all = lines(&file, &[]);
    assert_eq!(Stream::read((all.join("\n") + "\n").as_bytes()).end.out, 100);
    assert_eq!(lines(&file, &["--only", "pkt"]), all[1..101]);
    assert_eq!(lines(&file, &["--only", "pkt", "--threads", "2"]), all[1..101]);
    let counters = records(&file, &["--only", "end,stats"]);
    let kinds: Vec<_> = counters.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["stats", "end"]);
    for record in counters {
        let of = |key: &str| record[key].as_u64().unwrap();
        assert_eq!((of("recv"), of("out"), of("bytes")), (100, 100, 100 * 60));
    }
}

/// Rotated files contain the listed types only, and interrupted files are completed.
#[test]
fn files_without_meta_are_rotated_and_completed() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", pcap(1_000));
    let out = directory.path().join("out");
    fs::create_dir(&out).unwrap();
    let first = out.join("x.ndjson").to_str().unwrap().to_owned();
    write(&out, "x.ndjson.part", "{\"type\":\"pkt\",\"n\":1}\n{\"type\":\"pk");
    let args = ["-q", "-r", file.to_str().unwrap(), "-w", &first, "--only", "pkt", "-C", "40k"];
    let output = run(&args);
    assert!(output.status.success(), "{}", output.stderr);
    let files: BTreeMap<_, _> = fs::read_dir(&out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(2 < files.len(), "{:?}", files.keys());
    let text: String = files.into_values().collect();
    assert_eq!(text.lines().count(), 1_001, "with one of the interrupted run");
    assert!(text.lines().all(|line| line.starts_with("{\"type\":\"pkt\"")));
}
