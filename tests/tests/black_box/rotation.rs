//! Output files: rotation and compression.

use flate2::read::MultiGzDecoder;
use nix::sys::signal::Signal;
use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use tempfile::{TempDir, tempdir};
use tests::files::names;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Output, Process, finish, run, signal, sniffer, wait_for};
use tests::stream::Stream;
use tests::veth::with_veth;

const COUNT: usize = 2_000;

fn send(sender: &Sender, count: usize) {
    let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
    (0..count).for_each(|_| sender.send(&frame));
}

/// Captures on `right` into a new directory while `work` runs.
fn files(
    args: &[&str],
    name: &str,
    work: impl FnOnce(&Path, &std::process::Child) + Send,
) -> (TempDir, Output) {
    let directory = tempdir().unwrap();
    let output = with_veth(|| {
        let mut command = sniffer();
        command.args(["-i", "right", "-w"]).arg(directory.path().join(name)).args(args);
        let child = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        wait_for("the first file", || {
            let mut entries = fs::read_dir(directory.path()).unwrap();
            entries.any(|entry| entry.unwrap().metadata().unwrap().len() > 0)
        });
        work(directory.path(), &child);
        finish(child)
    });
    (directory, output)
}

fn sorted(names: &[&str]) -> Vec<String> {
    let mut names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
    names.sort();
    names
}

fn read(path: &Path) -> Stream {
    Stream::read(&fs::read(path).unwrap())
}

/// Checks that the files are one run: the numbers continue from file to file.
fn check_run(streams: &[Stream], count: usize) {
    let mut numbers = streams.iter().flat_map(|stream| &stream.packets).map(|packet| packet.n);
    assert!(numbers.by_ref().eq(1..=count as u64), "each packet once");
    let (last, before) = streams.split_last().unwrap();
    for stream in before {
        assert_eq!(stream.event_kinds(), ["rotated"]);
    }
    assert!(last.events.is_empty());
}

fn interrupt(child: &std::process::Child) {
    signal(child, Signal::SIGTERM);
}

#[test]
fn rotates_by_size() {
    let (directory, output) = files(&["-C", "100k"], "a.ndjson", |directory, child| {
        assert_eq!(names(directory), ["a.ndjson.part"]);
        send(&Sender::new("left"), COUNT);
        interrupt(child);
    });
    assert!(output.status.success(), "{}", output.stderr);
    let expected = ["a.ndjson", "a-1.ndjson", "a-2.ndjson", "a-3.ndjson"];
    assert_eq!(sorted(&expected), names(directory.path()));
    let streams: Vec<_> = expected.iter().map(|name| read(&directory.path().join(name))).collect();
    check_run(&streams, COUNT);
    for (name, stream) in expected.iter().zip(&streams) {
        let len = fs::metadata(directory.path().join(name)).unwrap().len();
        let is_last = *name == "a-3.ndjson";
        assert_eq!(stream.reason, if is_last { "signal" } else { "size" });
        assert!(is_last || (102_400..104_000).contains(&len), "{name}: {len}");
    }
}

#[test]
fn ring_keeps_the_last_files() {
    let args = ["-C", "50k", "-W", "3"];
    let (directory, output) = files(&args, "a", |_, child| {
        send(&Sender::new("left"), COUNT);
        interrupt(child);
    });
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(names(directory.path()), ["a-0", "a-1", "a-2"]);
    let mut streams: Vec<_> =
        names(directory.path()).iter().map(|name| read(&directory.path().join(name))).collect();
    streams.sort_by_key(|stream| stream.packets[0].n);
    let kept: Vec<_> =
        streams.iter().flat_map(|stream| &stream.packets).map(|packet| packet.n).collect();
    assert!(kept.windows(2).all(|pair| pair[0] + 1 == pair[1]), "without gaps");
    assert_eq!((kept.last(), kept.len() < COUNT), (Some(&(COUNT as u64)), true));
    // A new run does not overwrite the files.
    let second =
        with_veth(|| run(&["-i", "right", "-w", &path_of(&directory, "a"), "-C", "1", "-W", "3"]));
    assert!(second.stderr.contains("exists; use --force"), "{}", second.stderr);
}

fn path_of(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

#[test]
fn rotates_by_time_and_expands_the_template() {
    let (directory, output) = files(&["-G", "0.1"], "%Y%m%d-%H%M%S", |directory, child| {
        let sender = Sender::new("left");
        send(&sender, 10);
        wait_for("a second complete file", || 2 < names(directory).len());
        send(&sender, 10);
        interrupt(child);
    });
    assert!(output.status.success(), "{}", output.stderr);
    let names = names(directory.path());
    assert!(
        names.iter().all(|name| name.starts_with("20") && name.as_bytes()[8] == b'-'),
        "{names:?}"
    );
    let mut streams: Vec<_> = names.iter().map(|name| read(&directory.path().join(name))).collect();
    streams.sort_by(|a, b| a.meta["start"].as_str().cmp(&b.meta["start"].as_str()));
    check_run(&streams, 20);
    assert_eq!(
        (&streams[0].reason[..], &streams.last().unwrap().reason[..]),
        ("rotated", "signal")
    );
}

/// Programs that collect the files find them by a pattern.
#[test]
fn all_files_of_a_name_have_its_extensions() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(500)).unwrap();
    for args in [["-G", "3600"], ["-G", "3600"], ["-C", "20k"]] {
        let name = if args[0] == "-G" { "%Y.ndjson.zst" } else { "size.ndjson" };
        let output = run(&[&args[..], &["-r", &path("in"), "-w", &path(name)]].concat());
        assert!(output.status.success(), "{}", output.stderr);
    }
    fs::remove_file(path("in")).unwrap();
    let names = names(directory.path());
    assert!(4 < names.len(), "{names:?}");
    let by_time = |name: &&String| name.ends_with(".ndjson.zst");
    assert_eq!(names.iter().filter(by_time).count(), 2, "{names:?}");
    assert!(names.iter().all(|name| by_time(&name) || name.ends_with(".ndjson")), "{names:?}");
}

#[test]
fn file_count_ends_a_run_rotated_by_time() {
    let (directory, output) = files(&["-G", "0.1", "-W", "2"], "a", |_, _| {});
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(names(directory.path()), ["a", "a-1"]);
    assert_eq!(read(&directory.path().join("a-1")).reason, "duration");
}

#[test]
fn sighup_starts_a_new_file() {
    let (directory, output) = files(&[], "a", |directory, child| {
        let sender = Sender::new("left");
        send(&sender, 5);
        fs::rename(directory.join("a"), directory.join("a.old")).unwrap();
        signal(child, Signal::SIGHUP);
        wait_for("the next file", || {
            fs::read(directory.join("a")).is_ok_and(|bytes| !bytes.is_empty())
        });
        send(&sender, 7);
        signal(child, Signal::SIGHUP);
        wait_for("a numbered file", || {
            fs::read(directory.join("a-1")).is_ok_and(|bytes| !bytes.is_empty())
        });
        interrupt(child);
    });
    assert!(output.status.success(), "{}", output.stderr);
    let streams = ["a.old", "a", "a-1"].map(|name| read(&directory.path().join(name)));
    check_run(&streams, 12);
    assert_eq!(streams.map(|stream| stream.reason), ["rotated", "rotated", "signal"]);
}

#[test]
fn sigusr1_prints_the_counters() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right", "-i", "left", "-q"]);
        send(&Sender::new("left"), 3);
        capture.wait_until(|text| text.matches("\"pkt\"").count() == 6);
        capture.signal(Signal::SIGUSR1);
        // SIGUSR1 is handled before SIGTERM, or together with it.
        capture.wait_until(|text| text.matches("\"stats\"").count() > 1);
        capture.signal(Signal::SIGTERM);
        let output = capture.finish();
        let expected = "sniffer: 6 packets captured so far on right, left in ";
        assert!(output.stderr.starts_with(expected), "{}", output.stderr);
        assert!(output.stderr.contains("\n  left: 3 packets, 0 dropped\n"), "{}", output.stderr);
    });
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

#[test]
fn extension_selects_the_compression() {
    for (name, unpack) in [
        ("a.ndjson.gz", gunzip as fn(&[u8]) -> Vec<u8>),
        ("a.ndjson.zst", |bytes| zstd::decode_all(bytes).unwrap()),
    ] {
        let (directory, output) = files(&[], name, |_, child| {
            send(&Sender::new("left"), COUNT);
            interrupt(child);
        });
        assert!(output.status.success(), "{}", output.stderr);
        let packed = fs::read(directory.path().join(name)).unwrap();
        assert_eq!(Stream::read(&unpack(&packed)).packets.len(), COUNT);
        assert!(packed.len() < COUNT * 50, "{name}: {} bytes", packed.len());
    }
}

#[test]
fn rotates_compressed_files() {
    let (directory, output) = files(&["-C", "4k"], "a.gz", |directory, child| {
        let sender = Sender::new("left");
        wait_for("three files", || {
            send(&sender, 200);
            3 <= names(directory).len()
        });
        interrupt(child);
    });
    assert!(output.status.success(), "{}", output.stderr);
    let mut streams: Vec<_> = names(directory.path())
        .iter()
        .map(|name| {
            assert!(name.ends_with(".gz"), "{name}");
            Stream::read(&gunzip(&fs::read(directory.path().join(name)).unwrap()))
        })
        .collect();
    streams.sort_by_key(|stream| stream.packets.first().map(|packet| packet.n));
    check_run(&streams, streams.iter().map(|stream| stream.packets.len()).sum());
}

#[test]
fn compressed_file_is_readable_while_being_written() {
    let (_, output) = files(&[], "a.gz", |directory, child| {
        send(&Sender::new("left"), 10);
        wait_for("the packets in what is written", || {
            let bytes = fs::read(directory.join("a.gz")).unwrap();
            let mut plain = Vec::new();
            // The stream is incomplete while it is being written.
            let _ = MultiGzDecoder::new(&bytes[..]).read_to_end(&mut plain);
            String::from_utf8_lossy(&plain).matches("\"pkt\"").count() == 10
        });
        interrupt(child);
    });
    assert!(output.status.success(), "{}", output.stderr);
}

#[test]
fn output_of_files_is_rotated_and_compressed() {
    let directory = tempdir().unwrap();
    fs::write(directory.path().join("in.pcap"), pcap(1_000)).unwrap();
    let input = path_of(&directory, "in.pcap");
    let output = run(&["-r", &input, "-w", &path_of(&directory, "a"), "-C", "50k"]);
    assert!(output.status.success(), "{}", output.stderr);
    let streams: Vec<_> = names(directory.path())[..]
        .iter()
        .filter(|name| *name != "in.pcap")
        .map(|name| read(&directory.path().join(name)))
        .collect();
    assert!(2 < streams.len());
    check_run(&streams, 1_000);
    let output = run(&["-r", &input, "--compress", "zstd"]);
    let stream = Stream::read(&zstd::decode_all(&output.stdout[..]).unwrap());
    assert_eq!(stream.packets.len(), 1_000);
}

/// Packets that are written to a pipe at once.
const PIPED: u32 = 500;

/// Writes packets to a pipe until `is_over`. Returns how many were written.
fn rotate_pipe(args: &[&str], directory: &Path, is_over: impl Fn() -> bool) -> (usize, Output) {
    let (header, packets) = (pcap(0), pcap(PIPED));
    let mut command = sniffer();
    command.args(["-q", "-r", "-", "-G", "0.1", "-w"]).arg(directory.join("a")).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = Process::spawn(&mut command);
    let mut input = process.stdin.take().unwrap();
    input.write_all(&header).unwrap();
    let mut sent = 0;
    wait_for("complete files", || {
        // Fails if the process has ended.
        sent += PIPED * u32::from(input.write_all(&packets[header.len()..]).is_ok());
        is_over()
    });
    drop(input);
    (sent as usize, finish(process))
}

#[test]
fn output_of_pipes_is_rotated_by_time() {
    for threads in [&[][..], &["--threads", "2"]] {
        let directory = tempdir().unwrap();
        let path = directory.path();
        let (sent, output) = rotate_pipe(threads, path, || 2 < names(path).len());
        assert!(output.status.success(), "{}", output.stderr);
        let streams: Vec<_> = names(path).iter().map(|name| read(&path.join(name))).collect();
        check_run(&streams, sent);
        let reasons: Vec<_> = streams.iter().map(|stream| &stream.reason[..]).collect();
        assert_eq!((reasons[0], *reasons.last().unwrap()), ("rotated", "eof"));

        let directory = tempdir().unwrap();
        let path = directory.path();
        let args = [threads, &["-W", "2"]].concat();
        let is_complete = || names(path) == ["a", "a-1"];
        let (_, output) = rotate_pipe(&args, path, is_complete);
        assert!(output.status.success(), "{}", output.stderr);
        assert_eq!(read(&path.join("a-1")).reason, "duration");
    }
}

/// Captures into the directories of a template, which end with a time, and sends frames once the
/// first file exists.
fn capture_into_directories(root: &Path, args: &[&str], end: impl FnOnce(&mut Process) + Send) {
    with_veth(|| {
        let mut command = sniffer();
        command.args(["-q", "-i", "right", "-w"]).arg(root.join("host=%{host}/second=%s/a.ndjson"));
        let mut process = Process::spawn(command.args(args));
        wait_for("the first file", || {
            directories(root).iter().any(|directory| {
                fs::read_to_string(directory.join("a.ndjson.part"))
                    .is_ok_and(|text| text.starts_with("{\"type\":\"meta\""))
            })
        });
        send(&Sender::new("left"), 10);
        end(&mut process);
    });
}

/// The directories of this machine, sorted.
fn directories(root: &Path) -> Vec<std::path::PathBuf> {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let host = root.join(format!("host={}", host.trim_end()));
    if host.exists() { names(&host).iter().map(|name| host.join(name)).collect() } else { vec![] }
}

#[test]
fn directories_of_the_template_are_created() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    capture_into_directories(root, &["-G", "1", "-W", "3"], |process| {
        assert!(process.wait().unwrap().success());
    });
    let directories = directories(root);
    assert!(2 <= directories.len(), "{directories:?}");
    let files = directories.iter().flat_map(|directory| {
        names(directory).into_iter().map(|name| read(&directory.join(name))).collect::<Vec<_>>()
    });
    let streams: Vec<_> = files.collect();
    assert_eq!(streams.len(), 3);
    check_run(&streams, 10);
}

#[test]
fn unfinished_files_in_directories_of_earlier_runs_are_completed() {
    let directory = tempdir().unwrap();
    let root = directory.path();
    capture_into_directories(root, &["-G", "3600"], |process| {
        wait_for("the packets", || {
            let text = fs::read_to_string(directories(root)[0].join("a.ndjson.part")).unwrap();
            text.lines().filter(|line| line.starts_with("{\"type\":\"pkt\"")).count() == 10
        });
        process.kill().unwrap();
        process.wait().unwrap();
    });
    let first = directories(root)[0].clone();
    assert_eq!(names(&first), ["a.ndjson.part"]);
    // Another second, and thus another directory.
    wait_for("the next second", || {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        !first.ends_with(format!("second={now}"))
    });
    capture_into_directories(root, &["-G", "1", "-W", "1"], |process| {
        assert!(process.wait().unwrap().success());
    });
    assert_eq!(names(&first), ["a.ndjson"]);
    let text = fs::read_to_string(first.join("a.ndjson")).unwrap();
    assert!(text.ends_with('\n') && 10 < text.lines().count());
}
