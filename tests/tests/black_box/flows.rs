//! Flows: their records, and the findings in packets.

use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use tempfile::tempdir;
use tests::corpus;
use tests::files::write;
use tests::frames::{ethernet, ipv4, pcap_of};
use tests::page::Page;
use tests::process::{Capture, run};
use tests::stream::{Stream, check_line};
use xtask::namespace;

const FIN: u8 = 1;
pub(crate) const SYN: u8 = 2;
pub(crate) const ACK: u8 = 16;

fn read(file: &Path, args: &[&str]) -> Stream {
    let output = run(&[&["-q", "-r", file.to_str().unwrap()], args].concat());
    assert!(output.status.success(), "{}", output.stderr);
    Stream::read(&output.stdout)
}

/// A segment between 10.0.0.1:50000 and 10.0.0.2:80, from the client or the server, with a window of 1,024
/// bytes.
pub(crate) fn segment(from_client: bool, flags: u8, seq: u32, ack: u32, payload: &[u8]) -> Vec<u8> {
    let ports: [u16; 2] = if from_client { [50_000, 80] } else { [80, 50_000] };
    let ports = ports.map(u16::to_be_bytes).concat();
    let numbers = [seq, ack].map(u32::to_be_bytes).concat();
    let rest = [0x50, flags, 4, 0, 0, 0, 0, 0];
    let mut packet = ipv4(6, &[&ports[..], &numbers, &rest, payload].concat());
    let hosts: [[u8; 4]; 2] = [[10, 0, 0, 1], [10, 0, 0, 2]];
    packet[12..16].copy_from_slice(&hosts[usize::from(!from_client)]);
    packet[16..20].copy_from_slice(&hosts[usize::from(from_client)]);
    ethernet(&[], 0x800, &packet)
}

/// A connection with one retransmission, one millisecond between packets.
fn connection() -> Vec<u8> {
    pcap_of(&[
        segment(true, SYN, 100, 0, b""),
        segment(false, SYN | ACK, 500, 101, b""),
        segment(true, ACK, 101, 501, b""),
        segment(true, ACK, 101, 501, b"hello"),
        segment(true, ACK, 101, 501, b"hello"),
        segment(false, ACK, 501, 106, b""),
        segment(true, FIN | ACK, 106, 501, b""),
        segment(false, FIN | ACK, 501, 107, b""),
        segment(true, ACK, 107, 502, b""),
    ])
}

#[test]
fn record_has_the_counts_and_findings_of_a_connection() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", connection());
    let stream = read(&file, &["--flows", "--tcp-analysis"]);
    Stream::check_flows(std::slice::from_ref(&stream));
    let [flow] = &stream.flows[..] else { panic!("{:?}", stream.flows) };
    let expected = [
        ("src", Value::from("10.0.0.1")),
        ("dst", "10.0.0.2".into()),
        ("sport", 50_000.into()),
        ("reason", "fin".into()),
        ("packets", 6.into()),
        ("rev_packets", 3.into()),
        ("payload", 10.into()),
        ("handshake_us", 2_000.into()),
        ("rtx", 1.into()),
        // The first SYN, and the FIN: the data between them was sent twice.
        ("rtt_samples", 2.into()),
        ("rtt_us", 1_000.into()),
    ];
    for (name, value) in expected {
        assert_eq!(flow[name], value, "{name}");
    }
    let rtx: Vec<_> = stream.packets.iter().map(|packet| packet.rtx.as_deref()).collect();
    assert_eq!(rtx.iter().flatten().collect::<Vec<_>>(), [&"timeout"]);
    assert_eq!(rtx[4], Some("timeout"));
    let rtt = stream.packets.iter().filter_map(|packet| packet.rtt_us);
    assert_eq!(rtt.collect::<Vec<_>>(), [1_000; 4]);
    let handshake = stream.packets.iter().map(|packet| packet.handshake_us);
    assert_eq!(handshake.flatten().collect::<Vec<_>>(), [2_000]);
    assert_eq!(stream.packets[2].handshake_us, Some(2_000));
}

/// The last two bits of the second byte of an IPv4 header are ECN.
#[test]
fn marks_of_congestion_are_counted_by_direction() {
    let marked = |ecn: u8, mut frame: Vec<u8>| {
        frame[15] |= ecn;
        frame
    };
    let frames = [
        marked(1, segment(true, ACK, 100, 500, b"a")),
        marked(3, segment(true, ACK, 101, 500, b"b")),
        marked(3, segment(true, ACK, 102, 500, b"c")),
        marked(2, segment(false, ACK, 500, 103, b"")),
    ];
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", pcap_of(&frames));
    let stream = read(&file, &["--flows"]);
    let [flow] = &stream.flows[..] else { panic!("{:?}", stream.flows) };
    assert_eq!((&flow["ce"], &flow["rev_ce"]), (&2.into(), &Value::Null));
    Stream::check_flows(&[stream]);
}

#[test]
fn long_flows_are_reported_in_parts() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", connection());
    let stream = read(&file, &["--flows", "--flow-interval", "4ms"]);
    let parts: Vec<_> = stream.flows.iter().map(|flow| flow["part"].as_u64().unwrap()).collect();
    let reasons: Vec<_> =
        stream.flows.iter().map(|flow| flow["reason"].as_str().unwrap()).collect();
    assert_eq!((&parts[..], &reasons[..]), (&[1, 2, 3][..], &["active", "active", "fin"][..]));
    Stream::check_flows(&[stream]);
}

#[test]
fn only_flows_are_written_on_request() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", connection());
    let path = file.to_str().unwrap();
    let output = run(&["-q", "-r", path, "--flows", "--only", "flow", "--tag", "site=a"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().for_each(check_line);
    assert!(
        text.starts_with("{\"type\":\"flow\",\"ts\":") && text.ends_with(",\"tag_site\":\"a\"}\n")
    );
    assert_eq!(text.lines().count(), 1);
    let output = run(&["-q", "-r", path, "--flows", "--only", "flow", "--time", "us"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().for_each(check_line);
    assert!(text.contains("\"ts_us\":1000008000,\"start_us\":1000000000,"), "{text}");
    let output = run(&["-r", path, "--only", "flow"]);
    assert_eq!(output.status.code(), Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("--only flow requires --flows"), "{}", output.stderr);
}

#[test]
fn flows_of_the_corpus_add_up_to_its_packets() {
    let Some(files) = corpus::files().unwrap() else { return };
    let mut rtx = 0;
    for file in files.iter().step_by(9) {
        let args = ["--flows", "--tcp-analysis", "--names", "--flow-interval", "1"];
        let path = file.to_str().unwrap();
        let output = run(&[&["-q", "-r", path], &args[..]].concat());
        if output.stdout.is_empty() {
            continue; // not a capture file
        }
        let stream = Stream::read(&output.stdout);
        rtx += stream.packets.iter().filter(|packet| packet.rtx.is_some()).count();
        Stream::check_flows(std::slice::from_ref(&stream));
        // Threads do not change the order of packets for flows.
        let threads = run(&[&["-q", "-r", path, "--threads", "2"], &args[..]].concat());
        let threads = Stream::read(&threads.stdout);
        assert_eq!((threads.flows, threads.packets), (stream.flows, stream.packets), "{path}");
    }
    assert!(0 < rtx);
}

#[test]
fn flows_continue_in_the_next_file() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", tests::frames::pcap(500));
    let first = directory.path().join("out.ndjson");
    let args =
        ["-q", "-r", file.to_str().unwrap(), "-w", first.to_str().unwrap(), "--flows", "-C", "40k"];
    let output = run(&args);
    assert!(output.status.success(), "{}", output.stderr);
    let is_output = |name: &String| name.starts_with("out");
    let names: Vec<_> =
        tests::files::names(directory.path()).into_iter().filter(is_output).collect();
    assert!(1 < names.len(), "{names:?}");
    let content = |name: &String| fs::read(directory.path().join(name)).unwrap();
    let streams: Vec<_> = names.iter().map(|name| Stream::read(&content(name))).collect();
    Stream::check_flows(&streams);
}

/// Sends data over connections, one after another.
fn talk(connections: usize) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        for _ in 0..connections {
            let (mut stream, _) = listener.accept().unwrap();
            let mut received = Vec::new();
            stream.read_to_end(&mut received).unwrap();
            stream.write_all(&received).unwrap();
        }
    });
    for _ in 0..connections {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&[7; 5_000]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert_eq!(answer.len(), 5_000);
    }
    server.join().unwrap();
}

#[test]
fn live_connections_become_flows() {
    namespace::run(|| {
        for threads in [None, Some("3")] {
            let directory = tempdir().unwrap();
            let mut args = vec!["-i", "lo", "--flows", "--tcp-analysis"];
            threads.iter().for_each(|count| args.extend(["--threads", count]));
            let capture = Capture::start(directory.path(), &args);
            talk(20);
            let stream = capture.stop();
            Stream::check_flows(std::slice::from_ref(&stream));
            assert_eq!(stream.flows.len(), 20);
            for flow in &stream.flows {
                assert_eq!((&flow["reason"], &flow["payload"]), (&"fin".into(), &5_000.into()));
                assert_eq!((&flow["rtx"], &flow["unseen"]), (&Value::Null, &Value::Null));
                assert!(flow["handshake_us"].is_u64() && flow["sack"] == true, "{flow}");
            }
        }
    });
}

#[test]
fn page_explains_files_with_flow_records_only() {
    let directory = tempdir().unwrap();
    let file = write(&directory, "a.pcap", connection());
    let path = file.to_str().unwrap();
    let output = run(&["-q", "-r", path, "--flows", "--only", "meta,flow,end"]);
    let page = Page::open("");
    page.drop_file(&write(&directory, "flows.ndjson", &output.stdout));
    let error = page.text("#error");
    assert!(error.starts_with("“flows.ndjson” contains 1 flow record and no packets."), "{error}");
    // Beside packets they are no problem.
    let output = run(&["-q", "-r", path, "--flows"]);
    page.drop_alone(&write(&directory, "both.ndjson", &output.stdout));
    assert_eq!(page.text("#error"), "");
    assert_eq!(page.eval("viewer.state().packets"), 9);
}
