//! Small inputs made after public reports about other programs, each with the right answer.

use serde_json::{Map, Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use tests::corpus;
use tests::process::{Output, Process, finish, run, sniffer};

/// Fields that a line has only where a case lists them.
const COMPARED: [&str; 17] = [
    "if",
    "cap",
    "link",
    "tunnel",
    "frag",
    "dns",
    "dns_type",
    "dns_rcode",
    "dns_answers",
    "sni",
    "alpn",
    "ech",
    "http_method",
    "http_host",
    "http_path",
    "http_status",
    "quic",
];

/// The answer to a file: fields of each packet, and the end of the error message.
struct Case {
    file: &'static str,
    packets: Vec<Value>,
    error: &'static str,
}

fn case(file: &'static str, packets: impl IntoIterator<Item = Value>) -> Case {
    Case { file, packets: packets.into_iter().collect(), error: "" }
}

fn refused(file: &'static str, error: &'static str) -> Case {
    Case { file, packets: Vec::new(), error }
}

/// `fields` of a datagram, and its addresses and ports.
fn udp(fields: Value) -> Value {
    let mut all = json!({
        "src": "192.0.2.1", "dst": "198.51.100.2", "sport": 40000, "dport": 9999,
        "proto": "udp", "payload": 5,
    });
    merge(&mut all, fields);
    all
}

fn merge(all: &mut Value, fields: Value) {
    let (Value::Object(all), Value::Object(fields)) = (all, fields) else { panic!("no objects") };
    all.extend(fields);
}

fn tcp(fields: Value) -> Value {
    let mut all = json!({ "proto": "tcp" });
    merge(&mut all, fields);
    all
}

fn cases() -> Vec<Case> {
    let sni = || tcp(json!({ "sni": "www.example.com" }));
    let first = "2023-11-14T22:13:20.000001000Z";
    let fifth = "2023-11-14T22:13:20.000005000Z";
    let link = |link: &str| [udp(json!({ "ts": first, "link": link }))];
    let latest = "2262-04-11T23:47:16.854775807Z";
    vec![
        // Names.
        case("nm_sni_2rec_in_name.pcap", [sni()]),
        case("nm_sni_2rec_before_ext.pcap", [sni()]),
        case("nm_sni_big4k.pcap", [sni()]),
        case("nm_sni_sport5353.pcap", [sni()]),
        case(
            "nm_quic_sport5353.pcap",
            [json!({ "proto": "udp", "sport": 5353, "quic": "0x00000001" })],
        ),
        case("nm_rtp.pcap", [json!({ "proto": "udp", "payload": 168 })]),
        case("nm_axfr.pcap", [tcp(json!({ "sport": 53 }))]),
        case("nm_dns_tcp_split_len.pcap", [tcp(json!({ "dport": 53, "payload": 2 }))]),
        case(
            "nm_doh_port5300.pcap",
            [json!({ "proto": "udp", "dns": "www.example.com", "dns_type": "A" })],
        ),
        case(
            "nm_http_lf.pcap",
            [tcp(json!({
                "http_method": "GET", "http_host": "www.example.com", "http_path": "/",
            }))],
        ),
        case(
            "nm_http_report.pcap",
            [tcp(json!({ "http_method": "REPORT", "http_host": "a.example", "http_path": "/" }))],
        ),
        case("03-dns-tcp-later-segment.pcap", [tcp(json!({})), tcp(json!({}))]),
        case(
            "04-own-port-5353.pcap",
            [
                sni(),
                tcp(json!({
                    "http_method": "GET", "http_host": "www.example.com", "http_path": "/",
                })),
                json!({ "proto": "udp", "quic": "0x00000001" }),
            ],
        ),
        case(
            "05-dns-backslash-label.pcap",
            [r"a\\.com", r"a\.com"].map(|name| json!({ "dns": name, "dns_type": "A" })),
        ),
        // Link types, tags and protocols.
        case("lt_null_et0800le.pcap", link("null")),
        case(
            "lt_null_et86dd.pcap",
            [json!({ "src": "2001:db8::1", "dst": "2001:db8::2", "proto": "udp", "link": "null" })],
        ),
        case("lt_nflog.pcap", link("nflog")),
        case("lt_ppi.pcap", link("ppi")),
        case("lt_chdlc104.pcap", link("cisco-hdlc")),
        case("lt_ppp_dir204.pcap", link("ppp-dir")),
        case("lt_pppoe51.pcap", link("pppoe")),
        case("lt_frelay107.pcap", link("frame-relay")),
        case("pr_cmd.pcap", [udp(json!({ "tunnel": "cmd:100" }))]),
        case("pr_trill.pcap", [udp(json!({ "tunnel": "trill" }))]),
        case("pr_udp_len0.pcap", [json!({ "payload": 3, "err": ["bad_length"] })]),
        case("15-pvst.pcap", [json!({ "proto": "stp" })]),
        // Files.
        case("pc_kuz_be.pcap", [udp(json!({ "ts": fifth }))]),
        case("pc_ixia_le.pcap", [udp(json!({ "ts": fifth }))]),
        case("10-two-pcaps-in-one.pcap", [udp(json!({})), udp(json!({}))]),
        refused(
            "ng_tsres_len2.pcapng",
            "damaged at byte 28: an option for the clock has a wrong length",
        ),
        refused(
            "07-idb-option-overruns-hides-tsresol.pcapng",
            "damaged at byte 28: an option is longer than its block",
        ),
        case(
            "ng_cap_gt_len.pcapng",
            [udp(json!({ "len": 10, "err": ["bad_length"] })), udp(json!({ "len": 47 }))],
        ),
        case(
            "ng_spb.pcapng",
            [
                json!({ "len": 47, "cap": 20, "err": ["truncated", "no_time"] }),
                json!({ "len": 20, "err": ["bad_length", "no_time"] }),
            ],
        ),
        case("06-if_name-with-nul.pcapng", [udp(json!({ "if": "eth0" }))]),
        case(
            "08-if_tsresol-twice.pcapng",
            [udp(json!({ "ts": "2023-11-14T22:13:20.000000123Z" }))],
        ),
        case(
            "09-time-after-2262.pcapng",
            [0, 1].map(|_| udp(json!({ "ts": latest, "err": ["bad_time"] }))),
        ),
    ]
}

impl Case {
    fn check(&self, output: &Output, way: &str) {
        let Self { file, packets, error } = self;
        let stderr = output.stderr.trim_end();
        assert!(stderr.ends_with(error), "{file} {way}: {stderr}");
        assert_eq!(
            (stderr.is_empty(), output.status.success()),
            (error.is_empty(), error.is_empty()),
            "{file}"
        );
        let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let lines: Vec<Map<String, Value>> =
            lines.map(|line| serde_json::from_slice(line).unwrap()).collect();
        assert_eq!(lines.len(), packets.len(), "{file} {way}");
        for (line, packet) in lines.iter().zip(packets) {
            let Value::Object(expected) = packet else { panic!("no object") };
            let names = expected.keys().map(String::as_str).chain(COMPARED).chain(["err"]);
            for name in names {
                assert_eq!(line.get(name), expected.get(name), "{file} {way}: {name}");
            }
        }
    }
}

/// The output for a file that arrives byte by byte.
fn in_bytes(path: &Path, args: &[&str]) -> Output {
    let file = fs::read(path).unwrap();
    let mut command = sniffer();
    command.args(args).args(["-r", "-"]).stdin(Stdio::piped());
    let mut process = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
    let mut stdin = process.stdin.take().unwrap();
    // After an error, the sniffer does not read the rest.
    let _ = file.iter().try_for_each(|byte| stdin.write_all(&[*byte]));
    drop(stdin);
    finish(process)
}

#[test]
fn inputs_of_public_reports_have_their_answers() {
    let Some(directory) = corpus::reports().unwrap() else { return };
    let cases = cases();
    let mut names = tests::files::names(&directory);
    names.retain(|name| name != "README.md");
    let mut expected: Vec<_> = cases.iter().map(|case| case.file.to_owned()).collect();
    expected.sort();
    assert_eq!(names, expected);
    for case in &cases {
        let path = directory.join(case.file);
        for args in [&[][..], &["--threads", "2"]] {
            let args = [&["-q", "--names", "--only", "pkt"], args].concat();
            let whole = run(&[&args[..], &["-r", path.to_str().unwrap()]].concat());
            case.check(&whole, "as a file");
            case.check(&in_bytes(&path, &args), "byte by byte");
        }
    }
}
