//! `--serve`: the page and the running capture over HTTP.

use flate2::read::GzDecoder;
use nix::sys::signal::Signal;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use tempfile::tempdir;
use tests::frames::{Sender, ethernet, ipv4, tcp, udp};
use tests::process::{Output, Process, finish, run, signal, sniffer, wait_for};
use tests::served::{Answer, Served};
use tests::stream::Stream;
use tests::veth::with_veth;
use xtask::{build, namespace};

const CAPTURE: &str = "capture.ndjson";

/// Starts a capture with these arguments on a free port.
pub(crate) fn start(args: &[&str]) -> Served {
    namespace::set_loopback_up().unwrap();
    Served::start(sniffer().args(["--serve", "127.0.0.1:0"]).args(args).stdout(Stdio::piped()))
}

pub(crate) fn stop(served: Served) -> Output {
    signal(&served.process, Signal::SIGINT);
    finish(served.process)
}

pub(crate) fn send(sender: &Sender, count: usize) {
    let frame = ethernet(&[], 0x800, &ipv4(17, &udp(b"text")));
    (0..count).for_each(|_| sender.send(&frame));
}

/// The first and the last byte of an answer, and the length of the capture if it is known.
pub(crate) fn content_range(answer: &Answer) -> (u64, u64, Option<u64>) {
    let range = answer.headers["content-range"].strip_prefix("bytes ").unwrap();
    let (bytes, total) = range.split_once('/').unwrap();
    let (first, last) = bytes.split_once('-').unwrap();
    (first.parse().unwrap(), last.parse().unwrap(), total.parse().ok())
}

pub(crate) fn read_range(served: &Served, from: u64) -> Answer {
    served.get(CAPTURE, &format!("Range: bytes={from}-\r\n"))
}

/// Follows a capture.
#[derive(Default)]
struct Reader {
    /// The bytes since the last gap.
    bytes: Vec<u8>,
    /// The offset of the first one.
    start: u64,
    /// The offset of the next byte.
    next: u64,
    /// Whether these are all bytes.
    is_ended: bool,
}

impl Reader {
    /// Reads what is there, or waits for it. Returns the number of bytes; `None` after the last one.
    fn read(&mut self, served: &Served) -> Option<usize> {
        if self.is_ended {
            return None;
        }
        let answer = read_range(served, self.next);
        match answer.status {
            206 => {
                let (first, last, total) = content_range(&answer);
                assert_eq!(last + 1 - first, answer.body.len() as u64);
                assert!(answer.body.len() <= 16 << 20 && answer.body.ends_with(b"\n"));
                assert!(self.next <= first && total.is_none_or(|total| last < total));
                if self.next < first {
                    self.start = first;
                    self.bytes.clear();
                }
                self.bytes.extend_from_slice(&answer.body);
                self.next = last + 1;
                self.is_ended = total == Some(self.next);
                Some(answer.body.len())
            }
            204 => Some(answer.body.len()),
            416 => {
                assert_eq!(answer.headers["content-range"], format!("bytes */{}", self.next));
                None
            }
            status => panic!("status {status}"),
        }
    }

    fn read_to_end(mut self, served: &Served) -> Self {
        while self.read(served).is_some() {}
        self
    }
}

/// Follows a capture to its end. Returns all bytes.
fn follow(served: &Served) -> Vec<u8> {
    let reader = Reader::default().read_to_end(served);
    assert_eq!(reader.start, 0);
    reader.bytes
}

/// Captures 2,000 packets with these arguments, which write lines to the file. Returns what two readers get.
fn serve_to_two_readers(file: &Path, args: &[&str]) -> Vec<u8> {
    let args = [args, &["-w", file.to_str().unwrap()]].concat();
    let served = start(&args);
    let sender = Sender::new("left");
    let [one, other] = thread::scope(|scope| {
        let readers = [(); 2].map(|()| scope.spawn(|| follow(&served)));
        (0..20).for_each(|_| send(&sender, 100));
        signal(&served.process, Signal::SIGTERM);
        readers.map(|reader| reader.join().unwrap())
    });
    let output = finish(served.process);
    assert!(output.status.success());
    assert!(output.stdout.is_empty() && one == other);
    one
}

#[test]
fn readers_get_the_bytes_of_the_file() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson");
        for args in [
            &["-i", "left,right"][..],
            &["-i", "any", "udp", "and", "not", "port", "8000"],
            &["-i", "right", "--threads", "2", "--flows", "--names"],
            &["-i", "right", "--pcapng", directory.path().join("out.pcapng").to_str().unwrap()],
        ] {
            let args = [&["--force"], args].concat();
            let bytes = serve_to_two_readers(&file, &args);
            assert!(bytes == fs::read(&file).unwrap(), "{args:?}");
            let stream = Stream::read(&bytes);
            assert!(2_000 <= stream.packets.len() && stream.end.drop == 0, "{args:?}");
        }
    });
}

#[test]
fn readers_get_rotated_files_as_one_run() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson");
        let bytes = serve_to_two_readers(&file, &["-i", "right", "-C", "100k"]);
        let mut files: Vec<_> =
            fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(1 < files.len());
        files.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let parts: Vec<_> =
            files.iter().map(|path| Stream::read(&fs::read(path).unwrap())).collect();
        let run = Stream::read(&bytes);
        let sum = |count: fn(&Stream) -> u64| parts.iter().map(count).sum::<u64>();
        assert_eq!(
            (run.end.out, run.end.bytes),
            (sum(|part| part.end.out), sum(|part| part.end.bytes))
        );
        let numbers =
            |stream: &Stream| stream.packets.iter().map(|packet| packet.n).collect::<Vec<_>>();
        assert_eq!(numbers(&run), parts.iter().flat_map(numbers).collect::<Vec<_>>());
    });
}

#[test]
fn readers_get_the_lines_of_a_compressed_file() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson.gz");
        let bytes = serve_to_two_readers(&file, &["-i", "right"]);
        let mut text = Vec::new();
        GzDecoder::new(&fs::read(&file).unwrap()[..]).read_to_end(&mut text).unwrap();
        assert!(text == bytes);
    });
}

/// Without `-w`, the page gets the lines instead of standard output.
#[test]
fn standard_output_is_empty_unless_requested() {
    with_veth(|| {
        for (args, is_written) in
            [(&["-i", "right"][..], false), (&["-i", "right", "-w", "-"], true)]
        {
            let served = start(args);
            send(&Sender::new("left"), 10);
            wait_for("the packets", || served.get(CAPTURE, "").text().lines().count() == 11);
            let text = served.get(CAPTURE, "").body;
            // The reader above was quick enough to be waited for.
            let output = stop(served);
            assert!(output.status.success());
            assert_eq!(output.stdout.starts_with(&text), is_written);
            assert_eq!(output.stdout.is_empty(), !is_written);
        }
    });
}

#[test]
fn slow_reader_learns_the_gap_and_costs_no_packet() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson");
        let tag = format!("text={}", "x".repeat(3_900));
        let served = start(&["-i", "right", "--tag", &tag, "-w", file.to_str().unwrap()]);
        let stalled = served.connect();
        let sender = Sender::new("left");
        // More lines than fit 256 MiB. The first one is kept.
        let meta = read_range(&served, 0).body;
        let mut sent = 0;
        wait_for("a dropped line", || {
            send(&sender, 1_000);
            sent += 1_000;
            let second = meta.len() as u64;
            second < content_range(&read_range(&served, second)).0
        });
        assert!(read_range(&served, 0).body == meta);
        assert!(served.get(CAPTURE, "").body.starts_with(&meta));
        // Reads all lines, and waits for the next one.
        let mut reader = Reader::default();
        while reader.read(&served).unwrap() > 100_000 || reader.start == 0 {}
        let reader = thread::scope(|scope| {
            let reading = scope.spawn(|| reader.read_to_end(&served));
            send(&sender, 1_000);
            signal(&served.process, Signal::SIGTERM);
            reading.join().unwrap()
        });
        drop(stalled);
        assert!(finish(served.process).status.success());
        let written = fs::read(&file).unwrap();
        assert!(reader.bytes.starts_with(b"{\"type\":"));
        assert!(written[usize::try_from(reader.start).unwrap()..] == reader.bytes);
        let end = written.split(|byte| *byte == b'\n').rev().nth(1).unwrap();
        let end: serde_json::Value = serde_json::from_slice(end).unwrap();
        assert_eq!((&end["out"], &end["drop"]), (&(sent + 1_000).into(), &0.into()));
    });
}

#[test]
fn hostile_requests_are_refused_and_cost_no_packet() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out.ndjson");
        let served = start(&["-i", "right", "-w", file.to_str().unwrap()]);
        let idle: Vec<_> = (0..40).map(|_| served.connect()).collect();
        let sender = Sender::new("left");
        send(&sender, 500);
        let path = served.directory();
        let wrong = path.replace(|c: char| c.is_ascii_digit(), "f");
        let own = format!("Host: {}", served.address());
        for (request, status) in [
            (format!("GET {path} HTTP/1.1\r\nHost: evil.example"), 421),
            (format!("GET {path} HTTP/1.1\r\nHost: evil.example:80\r\n{own}"), 421),
            (format!("GET {path} HTTP/1.1"), 421),
            (format!("GET / HTTP/1.1\r\n{own}"), 404),
            (format!("GET {wrong} HTTP/1.1\r\n{own}"), 404),
            (format!("GET /index.html HTTP/1.1\r\n{own}"), 404),
            (format!("GET {path}../../etc/passwd HTTP/1.1\r\n{own}"), 404),
            (format!("POST {path} HTTP/1.1\r\n{own}\r\nContent-Length: 1"), 405),
            (format!("OPTIONS {path}{CAPTURE} HTTP/1.1\r\n{own}\r\nOrigin: http://a"), 405),
            (format!("GET {path}{CAPTURE} HTTP/1.1\r\n{own}\r\nRange: bytes=0-0,0-0"), 400),
            (format!("GET {path}{CAPTURE} HTTP/1.1\r\n{own}\r\nRange: bytes=-1"), 400),
            (format!("GET {path}{CAPTURE} HTTP/1.1\r\n{own}\r\nRange: bytes={}-", u64::MAX), 416),
            (format!("GET {path} HTTP/1.1\r\n{own}\r\nA: {}", "x".repeat(4_000)), 431),
            ("\u{16}\u{3}\u{1}".to_owned(), 400),
        ] {
            let request = request + "\r\nConnection: close\r\n\r\n";
            let answer = served.ask(&request);
            assert_eq!(answer.status, status, "{request}");
            let is_open = answer.headers.keys().any(|name| name.starts_with("access-control"));
            assert!(!is_open, "{request}");
            assert!(answer.body.len() < 100, "{request}");
        }
        drop(idle);
        assert!(stop(served).status.success());
        let stream = Stream::read(&fs::read(&file).unwrap());
        assert_eq!((stream.packets.len(), stream.end.drop), (500, 0));
    });
}

#[test]
fn page_is_the_built_site() {
    namespace::run(|| {
        let served = start(&["-i", "lo"]);
        let mut count = 0;
        for entry in fs::read_dir(build::site_path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let media_type = match path.extension().unwrap().to_str().unwrap() {
                "html" => "text/html; charset=utf-8",
                "css" => "text/css; charset=utf-8",
                "js" => "text/javascript; charset=utf-8",
                "wasm" => "application/wasm",
                _ => continue,
            };
            let answer = served.get(name, "");
            if name == "service-worker.js" {
                assert_eq!(answer.status, 404);
                continue;
            }
            assert_eq!((answer.status, &*answer.headers["content-type"]), (200, media_type));
            let file = fs::read_to_string(&path).ok();
            let file = file.map(|text| text.replace("<html ", "<html data-served ").into_bytes());
            assert!(answer.body == file.unwrap_or_else(|| fs::read(&path).unwrap()), "{name}");
            for (header, value) in [
                ("x-content-type-options", "nosniff"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.headers[header], value, "{name}");
            }
            let compressed = served.get(name, "Accept-Encoding: gzip\r\n");
            assert_eq!(compressed.headers["content-encoding"], "gzip");
            assert!(compressed.body.len() <= answer.body.len(), "{name}");
            count += 1;
        }
        assert!(8 < count, "{count} files");
        assert!(stop(served).status.success());
    });
}

#[test]
fn next_free_port_is_used() {
    namespace::run(|| {
        namespace::set_loopback_up().unwrap();
        let taken: Vec<_> =
            [8_000, 8_001].map(|port| TcpListener::bind(("127.0.0.1", port)).unwrap()).into();
        let served = Served::start(sniffer().args(["--serve", "-i", "lo"]).stdout(Stdio::piped()));
        assert_eq!(served.address(), "127.0.0.1:8002");
        let messages = served.messages();
        assert!(messages.contains("port 8000 is in use; using port 8002"), "{messages}");
        assert!(!messages.contains("not encrypted"), "{messages}");
        assert!(stop(served).status.success());
        drop(taken);
        let mut command = sniffer();
        command.args(["--serve=0.0.0.0:0", "-i", "lo"]).stdout(Stdio::piped());
        let served = Served::start(command.args(["--sandbox", "strict"]));
        assert!(served.messages().contains("not encrypted"), "{}", served.messages());
        assert!(stop(served).status.success());
    });
}

/// Nobody can open the address of all interfaces.
#[test]
fn printed_urls_can_be_opened() {
    with_veth(|| {
        namespace::set_loopback_up().unwrap();
        namespace::ip("addr add 192.0.2.7/24 dev left").unwrap();
        let mut command = sniffer();
        command.args(["--serve=0.0.0.0:0", "-i", "lo"]).stdout(Stdio::piped());
        let served = Served::start(&mut command);
        let address =
            |name: &str| format!("{name}:{}", served.address().rsplit(':').next().unwrap());
        assert_eq!(served.address(), address("127.0.0.1"));
        let other = served.url().replace("127.0.0.1", "192.0.2.7");
        wait_for("the other URL", || {
            served.messages().contains(&format!("from another machine, {other}\n"))
        });
        assert!(!served.messages().contains("//0.0.0.0"), "{}", served.messages());
        for host in ["127.0.0.1", "192.0.2.7"] {
            let request = format!(
                "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
                served.directory(),
                address(host)
            );
            assert_eq!(served.ask(&request).status, 200, "{host}");
        }
        assert!(stop(served).status.success());
    });
}

/// A shell on another machine that goes away leaves no capture behind.
#[test]
fn run_ends_with_the_reader_of_standard_output() {
    namespace::run(|| {
        let mut served = start(&["-i", "lo"]);
        drop(served.process.stdout.take());
        let output = finish(served.process);
        assert!(output.status.success());
    });
}

#[test]
fn run_with_an_end_of_its_own_is_read_to_the_end() {
    with_veth(|| {
        let served = start(&["-i", "right", "-c", "5"]);
        let bytes = thread::scope(|scope| {
            let reader = scope.spawn(|| follow(&served));
            send(&Sender::new("left"), 9);
            reader.join().unwrap()
        });
        let answer = read_range(&served, bytes.len() as u64);
        assert_eq!(answer.status, 416);
        assert_eq!(answer.headers["content-range"], format!("bytes */{}", bytes.len()));
        assert!(finish(served.process).status.success());
        let stream = Stream::read(&bytes);
        assert_eq!((stream.packets.len(), stream.end.out), (5, 5));
    });
}

#[test]
fn page_gets_the_end_of_a_run_whose_file_cannot_be_written() {
    with_veth(|| {
        namespace::set_loopback_up().unwrap();
        let directory = tempdir().unwrap();
        let mut command = Command::new("prlimit");
        command.arg("--fsize=20000").arg(build::sniffer_path());
        command.args(["--serve=127.0.0.1:0", "-i", "right", "-w"]).arg(directory.path().join("a"));
        let served = Served::start(&mut command);
        let bytes = thread::scope(|scope| {
            let reader = scope.spawn(|| follow(&served));
            send(&Sender::new("left"), 500);
            reader.join().unwrap()
        });
        wait_for("the error", || served.messages().contains("/a`: File too large"));
        assert_eq!(finish(served.process).status.code(), Some(1));
        let stream = Stream::read(&bytes);
        assert_eq!((stream.packets.len(), &*stream.reason), (500, "error"));
    });
}

#[test]
fn page_of_another_namespace_is_served_here() {
    with_veth(|| {
        let resident = Process::spawn(Command::new("unshare").args(["--net", "sleep", "600"]));
        let pid = resident.id().to_string();
        let own = fs::read_link("/proc/thread-self/ns/net").unwrap();
        let other = format!("/proc/{pid}/ns/net");
        wait_for("the namespace", || fs::read_link(&other).unwrap() != own);
        let served = start(&["--netns", &pid, "-i", "any"]);
        let text = served.get(CAPTURE, "").body;
        assert!(text.starts_with(b"{\"type\":\"meta\""));
        assert!(stop(served).status.success());
    });
}

#[test]
fn options_that_do_not_fit_are_refused() {
    for (args, part) in [
        (&["--serve", "-r", "a.pcap"][..], "--serve shows live captures"),
        (&["--serve=localhost:1", "-i", "lo"], "expected ADDRESS:PORT, e.g. 127.0.0.1:8000"),
        (&["--serve", "localhost:1", "-i", "lo"], "expected ADDRESS:PORT, e.g. 127.0.0.1:8000"),
        (&["-i", "lo", "--serve", "8000"], "expected ADDRESS:PORT, e.g. 127.0.0.1:8000"),
        (&["--serve", "--count", "-r", "a.pcap"], "cannot be used with"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{args:?}: {}", output.stderr);
    }
}

/// The bytes of packets that `--pcapng` writes can be read by number.
#[test]
fn bytes_of_packets_are_served_where_they_are_kept() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("out.pcapng");
        let path = path.to_str().unwrap();
        let keep = ["-i", "right", "--pcapng", path, "--keep", "vlan and udp"];
        let ring = ["-i", "right", "--force", "--pcapng", path, "--ring", "1h", "--threads", "2"];
        for (args, kept) in
            [(&["-i", "right"][..], [false; 2]), (&keep, [true, false]), (&ring, [true; 2])]
        {
            let served = start(args);
            let sender = Sender::new("left");
            let frames =
                [(17, udp(b"some text")), (6, tcp(b"other text"))].map(|(protocol, payload)| {
                    ethernet(&[(0x8100, 5)], 0x800, &ipv4(protocol, &payload))
                });
            frames.iter().for_each(|frame| sender.send(frame));
            let lines = || served.get(CAPTURE, "").text().matches("\"pkt\"").count();
            wait_for("the packets", || lines() == 2);
            for ((n, frame), is_kept) in (1..).zip(&frames).zip(kept) {
                let answer = served.get(&format!("packets/{n}"), "");
                if is_kept {
                    assert!(answer.status == 200 && answer.body == *frame, "{args:?} {n}");
                    assert_eq!(answer.headers["link-type"], "1");
                    assert_eq!(answer.headers["wire-length"], frame.len().to_string());
                    assert_eq!(answer.headers["cross-origin-resource-policy"], "same-origin");
                } else {
                    assert_eq!((answer.status, answer.body.len()), (204, 0), "{args:?} {n}");
                }
            }
            for (name, status) in [
                ("packets/0", 204),
                ("packets/3", 204),
                ("packets/18446744073709551615", 204),
                ("packets/18446744073709551616", 404),
                ("packets/-1", 404),
                ("packets/1/", 404),
                ("packets/../packets/1", 404),
                ("packets/", 404),
            ] {
                assert_eq!(served.get(name, "").status, status, "{name}");
            }
            assert!(stop(served).status.success());
        }
    });
}
