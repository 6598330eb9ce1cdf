//! `--metrics`: counters for Prometheus over HTTP.

use nix::sys::signal::Signal;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use tempfile::{TempDir, tempdir};
use tests::frames::{Sender, ethernet, ipv4, tcp, udp};
use tests::process::{finish, run, signal, sniffer, wait_for};
use tests::served::Served;
use tests::stream::Stream;
use tests::veth::with_veth;
use xtask::namespace;

/// A capture that serves metrics.
struct Metrics {
    served: Served,
    file: PathBuf,
    _directory: TempDir,
}

impl Metrics {
    fn start(args: &[&str]) -> Self {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson");
        let mut command = sniffer();
        command.args(args).args(["--metrics", "127.0.0.1:0", "-w"]).arg(&file);
        Self { served: Served::start(&mut command), file, _directory: directory }
    }

    /// The samples, each with its labels.
    fn samples(&self) -> BTreeMap<String, f64> {
        let answer = self.served.get("metrics", "");
        assert_eq!(answer.status, 200);
        read_samples(answer.text())
    }

    fn stop(self) -> Stream {
        signal(&self.served.process, Signal::SIGTERM);
        let output = finish(self.served.process);
        assert!(output.status.success());
        Stream::read(&std::fs::read(&self.file).unwrap())
    }
}

/// A strict reader of the text format: each sample belongs to the family before it, whose type and help
/// are known, and occurs once.
fn read_samples(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'));
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let (mut family, mut kind) = ("", "");
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            family = help.split(' ').next().unwrap();
            assert!(families.insert(family), "{line}");
            kind = "";
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, rest) = rest.split_once(' ').unwrap();
            assert_eq!(name, family);
            assert!(["counter", "gauge", "histogram"].contains(&rest), "{line}");
            kind = rest;
        } else {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let name = series.split('{').next().unwrap();
            let suffix = name.strip_prefix(family).unwrap();
            let suffixes: &[&str] = match kind {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(suffixes.contains(&suffix) && !kind.is_empty(), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            let value: f64 = value.parse().unwrap();
            assert!(samples.insert(series.to_owned(), value).is_none(), "{line}");
        }
    }
    samples
}

#[test]
fn counters_are_those_of_the_output() {
    with_veth(|| {
        namespace::ip("link set lo up").unwrap();
        let metrics = Metrics::start(&["-i", "left,right", "--stats", "0.1", "udp", "or", "tcp"]);
        let series = metrics.samples().len();
        let sender = Sender::new("left");
        for _ in 0..30 {
            sender.send(&ethernet(&[], 0x800, &ipv4(17, &udp(b"text"))));
            sender.send(&ethernet(&[], 0x800, &ipv4(6, &tcp(b"text"))));
        }
        let packets = |samples: &BTreeMap<String, f64>, name: &str| -> f64 {
            let of = |i: &str| samples[&format!("sniffer_{name}_total{{interface=\"{i}\"}}")];
            of("left") + of("right")
        };
        wait_for("all packets", || packets(&metrics.samples(), "captured_packets") == 120.0);
        let samples = metrics.samples();
        assert_eq!(samples.len(), series, "the number of series is constant");
        let stream = metrics.stop();
        let end = &stream.end;
        let expected = [
            ("received_packets", end.recv),
            ("captured_packets", end.out),
            ("captured_bytes", end.bytes),
            ("filtered_packets", end.skip),
            ("dropped_packets", end.drop),
        ];
        for (name, value) in expected {
            assert_eq!(packets(&samples, name), value as f64, "{name}");
        }
        for proto in ["udp", "tcp"] {
            let name = format!("sniffer_protocol_packets_total{{protocol=\"{proto}\"}}");
            assert_eq!(samples[&name], 60.0, "{proto}");
        }
    });
}

#[test]
fn round_trips_fill_the_histogram() {
    namespace::run(|| {
        let metrics = Metrics::start(&["-i", "lo", "--flows", "tcp", "port", "4711"]);
        let listener = std::net::TcpListener::bind("127.0.0.1:4711").unwrap();
        let mut client = TcpStream::connect("127.0.0.1:4711").unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        server.read_to_end(&mut Vec::new()).unwrap();
        drop((client, server));
        let count = || metrics.samples()["sniffer_tcp_rtt_seconds_count"];
        wait_for("round trips", || 3.0 <= count());
        let samples = metrics.samples();
        let count = samples["sniffer_tcp_rtt_seconds_count"];
        assert_eq!(samples["sniffer_tcp_rtt_seconds_bucket{le=\"+Inf\"}"], count);
        let stream = metrics.stop();
        let of_flows = |name: &str| -> u64 {
            stream.flows.iter().map(|flow| flow[name].as_u64().unwrap_or(0)).sum()
        };
        // The last segments may have been captured after the request.
        assert!(count <= (of_flows("rtt_samples") + of_flows("rev_rtt_samples")) as f64);
    });
}

#[test]
fn hostile_clients_cost_no_packet() {
    with_veth(|| {
        namespace::ip("link set lo up").unwrap();
        let metrics = Metrics::start(&["-i", "left"]);
        let idle: Vec<_> = (0..20).map(|_| metrics.served.connect()).collect();
        let sender = Sender::new("left");
        (0..500).for_each(|_| sender.send(&ethernet(&[], 0x800, &ipv4(17, &udp(b"text")))));
        for (request, status) in [
            (&b"\x16\x03\x01\x02\0\x01\0\0"[..], 400),
            (&[b'x'; 4_096], 431),
            (b"DELETE /metrics HTTP/1.1\r\n\r\n", 405),
            (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", 404),
        ] {
            assert_eq!(metrics.served.ask(request).status, status);
        }
        drop(idle);
        let stream = metrics.stop();
        assert_eq!((stream.packets.len(), stream.end.drop), (500, 0));
    });
}

#[test]
fn addresses_are_checked() {
    for address in ["localhost:1", "127.0.0.1", "9470", "1.2.3.4:70000"] {
        let output = run(&["-i", "lo", "--metrics", address]);
        assert_eq!(output.status.code(), Some(2), "{address}: {}", output.stderr);
        assert!(output.stderr.contains("ADDRESS:PORT"), "{}", output.stderr);
    }
}
