//! Packets in tunnels whose datagrams are fragmented: tshark reads them with reassembly.

use serde_json::Value;
use std::process::Command;
use tests::corpus;
use tests::process::run;

/// A file of the corpus with such packets, and their number.
const FILE: &str = "Traces__erspan.pcap";
const COUNT: usize = 16;

/// Fields of a line and those of tshark, of which the last occurrence is that of the innermost header.
const FIELDS: [(&str, &str); 7] = [
    ("src", "ip.src"),
    ("dst", "ip.dst"),
    ("ttl", "ip.ttl"),
    ("sport", "tcp.srcport"),
    ("dport", "tcp.dstport"),
    ("seq", "tcp.seq_raw"),
    ("payload", "tcp.len"),
];

fn packets(file: &str, args: &[&str]) -> Vec<Value> {
    let output = run(&[&["-q", "--only", "pkt", "-r", file], args].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn packets_in_fragmented_tunnels_equal_those_of_tshark() {
    let Some(files) = corpus::files().unwrap() else { return };
    let Some(file) = files.iter().find(|file| file.ends_with(FILE)) else { return };
    let file = file.to_str().unwrap();
    let mut command = Command::new("tshark");
    command.args(["-n", "-r", file, "-o", "tcp.relative_sequence_numbers:FALSE"]);
    command.args(["-o", "ip.defragment:TRUE", "-T", "fields", "-E", "occurrence=l"]);
    FIELDS.iter().for_each(|(_, field)| _ = command.args(["-e", field]));
    let rows = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let alone = packets(file, &[]);
    let mut compared = 0;
    for ((packet, alone), row) in packets(file, &["--names"]).iter().zip(&alone).zip(rows.lines()) {
        if packet.get("tunnel") == alone.get("tunnel") {
            continue;
        }
        let ours = FIELDS.map(|(name, _)| match &packet[name] {
            Value::String(text) => text.clone(),
            value => value.to_string(),
        });
        assert_eq!(ours.join("\t"), row, "{packet}");
        compared += 1;
    }
    assert_eq!(compared, COUNT);
}
