//! The configurations of Vector and Fluent Bit, as far as tools of package registries can check them.

use serde_json::{Value, json};
use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use tempfile::tempdir;
use tests::stream::Packet;
use xtask::build;

use super::captures;
use super::engines::Engines;
use super::pages::run_page;

/// Fields that keep their names, below `sniffer`.
const OTHER_FIELDS: [&str; 24] = [
    "ttl",
    "flags",
    "seq",
    "ack",
    "win",
    "payload",
    "icmp_type",
    "icmp_code",
    "icmp_src",
    "icmp_dst",
    "icmp_proto",
    "icmp_sport",
    "icmp_dport",
    "arp_op",
    "frag",
    "tunnel",
    "outer_src",
    "outer_dst",
    "dns_time_us",
    "alpn",
    "ech",
    "ja4",
    "quic",
    "err",
];

#[test]
fn shippers() {
    let directory = tempdir().unwrap();
    let captures = captures::write_one(directory.path());
    run_page("docs/shippers.md", directory.path(), &captures);
    let engines = Engines::new(directory.path());

    let mut check = engines.command("python3");
    check.arg(build::root().join("tests/tests/black_box/recipes/yaml_files.py"));
    for entry in fs::read_dir(build::root().join("docs/shippers")).unwrap() {
        check.arg(entry.unwrap().path());
    }
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 3);

    let lines = captures::lines(&directory.path().join("dump.pcap"));
    let events: Vec<Value> =
        lines.lines().map(|line| json!({"message": line, "host": "edge-1"})).collect();
    let packets = remap(&engines, "packets.vrl", &events);
    assert_eq!(packets.len(), captures[0].len());
    for (event, packet) in packets.iter().zip(&captures[0]) {
        let mut event = event.clone();
        assert_eq!(event.as_object_mut().unwrap().remove("host"), Some("edge-1".into()));
        event["type"] = "pkt".into();
        assert_eq!(&serde_json::from_value::<Packet>(event).unwrap(), packet);
    }
    for (event, packet) in remap(&engines, "ecs.vrl", &packets).iter().zip(&captures[0]) {
        check_ecs(event, packet);
    }
    check_http(&engines);
    insert_into_clickhouse(&engines, &packets);
}

/// Requests and a response of HTTP in the Elastic Common Schema.
fn check_http(engines: &Engines) {
    let cases = [
        (json!({"http_method": "GET", "http_host": "a.example:8080", "http_path": "/x"}), {
            let url = json!({"domain": "a.example", "port": 8080, "path": "/x"});
            json!([{"request": {"method": "GET"}}, url])
        }),
        (json!({"http_method": "HEAD", "http_host": "[::1]:81"}), {
            json!([{"request": {"method": "HEAD"}}, {"domain": "[::1]", "port": 81}])
        }),
        (json!({"http_method": "PUT", "http_host": "a:b:81"}), {
            json!([{"request": {"method": "PUT"}}, {"domain": "a:b:81"}])
        }),
        (json!({"http_status": 404}), json!([{"response": {"status_code": 404}}, null])),
    ];
    let events = cases.iter().map(|(fields, _)| {
        let mut event = json!({"n": 1, "len": 60, "proto": "tcp", "host": "edge-1"});
        event.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        event
    });
    let events = remap(engines, "ecs.vrl", &events.collect::<Vec<_>>());
    let found: Vec<_> = events.iter().map(|event| json!([event["http"], event["url"]])).collect();
    let expected: Vec<_> = cases.into_iter().map(|(_, expected)| expected).collect();
    assert_eq!(found, expected);
    assert!(events.iter().all(|event| event.get("sniffer").is_none()));
}

/// Runs a program of Vector's language on events, and returns those that it does not drop.
fn remap(engines: &Engines, program: &str, events: &[Value]) -> Vec<Value> {
    let mut python = engines.command("python3");
    python.arg(build::root().join("tests/tests/black_box/recipes/remap.py"));
    python.arg(build::root().join("docs/shippers").join(program));
    python.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = python.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text: String = events.iter().map(|event| format!("{event}\n")).collect();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{program}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Compares an event in the Elastic Common Schema with its packet.
fn check_ecs(event: &Value, packet: &Packet) {
    let value = |path: &str| event.pointer(path).unwrap_or(&Value::Null);
    assert_eq!(value("/@timestamp"), &json!(packet.ts));
    assert_eq!(value("/event/sequence"), &json!(packet.n));
    assert_eq!(value("/network/bytes"), &json!(packet.len));
    assert_eq!(value("/observer/hostname"), "edge-1");
    assert_eq!(value("/source/ip"), &json!(packet.src));
    assert_eq!(value("/destination/ip"), &json!(packet.dst));
    assert_eq!(value("/source/port"), &json!(packet.sport));
    assert_eq!(value("/destination/port"), &json!(packet.dport));
    assert_eq!(value("/network/community_id"), &json!(packet.community_id));
    assert_eq!(value("/dns/question/name"), &json!(packet.dns));
    assert_eq!(value("/dns/question/type"), &json!(packet.dns_type));
    assert_eq!(value("/dns/response_code"), &json!(packet.dns_rcode));
    let answers = packet.dns_answers.as_ref();
    let answers = answers.map(|all| all.iter().map(|data| json!({"data": data})).collect());
    assert_eq!(value("/dns/answers"), &json!(answers.map(Value::Array)));
    assert_eq!(value("/tls/client/server_name"), &json!(packet.sni));
    assert_eq!(value("/http/request/method"), &json!(packet.http_method));
    assert_eq!(value("/http/response/status_code"), &json!(packet.http_status));
    assert_eq!(value("/url/path"), &json!(packet.http_path));
    assert_eq!(value("/url/domain").is_null(), packet.http_host.is_none());
    let vlan = packet.vlan.as_ref().map(|ids| ids[0].to_string());
    assert_eq!(value("/network/vlan/id"), &json!(vlan));
    let proto = match &*packet.proto {
        "arp" => value("/network/protocol"),
        _ => value("/network/transport"),
    };
    let expected = if packet.proto == "icmp6" { "ipv6-icmp" } else { &packet.proto };
    assert_eq!(proto, expected);
    let others = value("/sniffer").as_object().cloned().unwrap_or_default();
    assert!(others.keys().all(|key| OTHER_FIELDS.contains(&&**key)), "{others:?}");
    assert_eq!(value("/sniffer/seq"), &json!(packet.seq));
    assert_eq!(value("/sniffer/ttl"), &json!(packet.ttl));
}

/// Inserts events as Vector and Fluent Bit do, into the table of the page on ClickHouse.
fn insert_into_clickhouse(engines: &Engines, packets: &[Value]) {
    let page = fs::read_to_string(build::root().join("docs/clickhouse.md")).unwrap();
    let blocks = tests::code_blocks::code_blocks(&page).unwrap();
    let table = blocks.iter().find(|block| block.text.starts_with("CREATE TABLE packets")).unwrap();
    let rows: String = packets.iter().map(|packet| format!("{packet}\n")).collect();
    fs::write(engines.directory().join("rows.ndjson"), rows).unwrap();
    let mut clickhouse = engines.start_python("clickhouse");
    clickhouse.run(&table.text, None, "the table");
    let insert = "INSERT INTO packets FROM INFILE 'rows.ndjson' \
                  SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow";
    clickhouse.run(insert, None, "the insert");
    let totals =
        "SELECT count(), sum(len), max(host), sum(toUnixTimestamp64Nano(ts) % 1000) FROM packets";
    let rows = clickhouse.run(totals, Some("totals"), "the totals");
    let bytes: u64 = packets.iter().map(|packet| packet["len"].as_u64().unwrap()).sum();
    let ns = |packet: &Value| packet["ts"].as_str().unwrap()[26..29].parse::<u64>().unwrap();
    let nanoseconds: u64 = packets.iter().map(ns).sum();
    let expected = [
        packets.len().to_string(),
        bytes.to_string(),
        "edge-1".to_owned(),
        nanoseconds.to_string(),
    ];
    assert_eq!(rows, [expected]);
}
