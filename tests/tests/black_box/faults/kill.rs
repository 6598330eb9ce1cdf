//! SIGKILL at random moments.

use flate2::read::MultiGzDecoder;
use std::fs;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::{NamedTempFile, tempdir};
use tests::files::names;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::{Process, finish, run, sniffer, wait_for};
use tests::veth::with_veth;
use xtask::random::Random;

use crate::sandbox::{NOBODY, or_root};

use super::{BURST, Row, Traffic, check_lines};

/// The longest time between the start of the traffic and the kill, in milliseconds: several times as
/// long as lines stay in a buffer. Compressed captures run longer, so that the encoder fills its buffers.
const MAX_DELAY_MS: u64 = 300;
const MAX_COMPRESSED_DELAY_MS: u64 = 2_500;

fn rounds() -> u64 {
    std::env::var("SNIFFER_FAULT_ROUNDS").map_or(5, |count| count.parse().unwrap())
}

/// A generator whose seed is printed.
fn random() -> Random {
    let time = std::time::UNIX_EPOCH.elapsed().unwrap().subsec_nanos();
    let seed =
        std::env::var("SNIFFER_FAULT_SEED").map_or(time.into(), |seed| seed.parse().unwrap());
    eprintln!("SNIFFER_FAULT_SEED={seed}");
    Random::new(u64::max(seed, 1))
}

/// Starts a capture and waits until it runs.
fn start(args: &[&str], path: &Path) -> Process {
    let messages = NamedTempFile::new().unwrap();
    let mut command = sniffer();
    command.args(["-i", "right", "-w"]).arg(path).args(args);
    let child = Process::spawn(command.stderr(messages.reopen().unwrap()));
    wait_for("the capture", || {
        let text = fs::read_to_string(messages.path()).unwrap();
        assert!(!text.contains("exists"), "{text}");
        text.contains("capturing on right")
    });
    child
}

/// Kills the capture after `delay` of traffic. Returns the packets sent before, and when each burst
/// of them was sent, as time before the kill.
fn kill_in_traffic(child: &mut Child, delay: Duration) -> (u64, Vec<Duration>) {
    let (sent, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let traffic = Traffic { sent: &sent, is_over: &is_over };
    thread::scope(|scope| {
        let sender = scope.spawn(|| traffic.send());
        thread::sleep(delay);
        let (sent_before, moment) = (sent.load(Ordering::Relaxed), Instant::now());
        child.kill().unwrap();
        child.wait().unwrap();
        is_over.store(true, Ordering::Relaxed);
        let bursts = sender.join().unwrap();
        (sent_before, bursts.iter().map(|burst| moment.saturating_duration_since(*burst)).collect())
    })
}

/// The text in a file, as far as it can be decompressed.
fn text_of(path: &Path) -> String {
    let bytes = fs::read(path).unwrap();
    let mut text = Vec::new();
    // The end is missing.
    let _ = match path.extension().and_then(|extension| extension.to_str()) {
        Some("gz") => MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text),
        Some("zst") => zstd::Decoder::new(&bytes[..]).unwrap().read_to_end(&mut text),
        _ => (&bytes[..]).read_to_end(&mut text),
    };
    String::from_utf8(text).unwrap()
}

/// Kills captures into a file of this name.
fn kill_captures(fault: &str, name: &str, max_delay_ms: u64) {
    let mut random = random();
    let row = with_veth(|| {
        let mut row = Row::default();
        for _ in 0..rounds() {
            let directory = tempdir().unwrap();
            let path = directory.path().join(name);
            let mut child = start(&[], &path);
            let delay = Duration::from_millis(random.between(1, max_delay_ms));
            let (sent, bursts) = kill_in_traffic(&mut child, delay);
            let kept = check_lines(&text_of(&path)).map_or(0, |(_, last)| last);
            // The sender counts a packet after it was sent.
            let kept = kept.min(sent);
            row.rounds += 1;
            row.sent += sent;
            row.kept += kept;
            if kept < sent {
                let first_lost = usize::try_from(kept / BURST).unwrap();
                row.max_age = row.max_age.max(bursts[first_lost]);
            }
        }
        row
    });
    assert!(0 < row.sent);
    row.print(fault);
}

#[test]
fn killed_capture_leaves_valid_lines() {
    kill_captures("SIGKILL, plain file", "a.ndjson", MAX_DELAY_MS);
}

#[test]
fn killed_compressed_capture_leaves_valid_lines() {
    kill_captures("SIGKILL, gzip", "a.ndjson.gz", MAX_COMPRESSED_DELAY_MS);
    kill_captures("SIGKILL, zstd", "a.ndjson.zst", MAX_COMPRESSED_DELAY_MS);
}

/// Each kill arrives before the compressed ring has written a packet.
#[test]
fn compressed_ring_survives_kills_in_a_row() {
    for extension in ["gz", "zst"] {
        let name = format!("ring.{extension}");
        with_veth(|| {
            let directory = tempdir().unwrap();
            let path = directory.path().join(&name);
            for _ in 0..4 {
                let mut child = start(&["-C", "20k", "-W", "2"], &path);
                child.kill().unwrap();
                child.wait().unwrap();
                assert_eq!(names(directory.path()).len(), 1, "the rest of the last run is removed");
            }
        });
    }
}

/// A file that is rewritten still belongs to the user that captures.
#[test]
fn recovered_file_belongs_to_the_user_of_the_run() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        chown(directory.path(), Some(or_root(NOBODY)), None).unwrap();
        let path = directory.path().join("ring.zst");
        let mut child = start(&["-C", "20k", "-W", "3"], &path);
        let part = directory.path().join("ring-0.zst.part");
        let sender = Sender::new("left");
        let meta_len = fs::metadata(&part).unwrap().len();
        wait_for("packets in the file", || {
            sender.send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100]))));
            meta_len < fs::metadata(&part).unwrap().len()
        });
        let owner = fs::metadata(&part).unwrap().uid();
        child.kill().unwrap();
        child.wait().unwrap();
        let args = ["-i", "right", "-C", "20k", "-W", "3", "--duration", "0.01", "-w"];
        let output = run(&[&args[..], &[path.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}", output.stderr);
        assert!(output.stderr.contains("ring-0.zst` of an interrupted run"), "{}", output.stderr);
        let names = names(directory.path());
        assert_eq!(names, ["ring-0.zst", "ring-1.zst"]);
        for name in names {
            assert_eq!(fs::metadata(directory.path().join(&name)).unwrap().uid(), owner, "{name}");
        }
    });
}

/// After each kill the ring is restarted without `--force`, and continues.
#[test]
fn killed_ring_restarts_and_keeps_its_files() {
    let mut random = random();
    let row = with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("ring");
        let parts = || -> Vec<_> {
            names(directory.path()).into_iter().filter(|name| name.ends_with(".part")).collect()
        };
        let mut row = Row::default();
        for _ in 0..rounds() {
            // Completes what the previous round left.
            let mut child = start(&["-C", "20k", "-W", "100000"], &path);
            assert_eq!(parts().len(), 1, "{:?}", parts());
            let files: Vec<_> = names(directory.path());
            let delay = Duration::from_millis(random.between(1, MAX_DELAY_MS));
            let (sent, _) = kill_in_traffic(&mut child, delay);
            let mut kept = 0;
            for name in names(directory.path()) {
                let is_new = !files.contains(&name) || name.ends_with(".part");
                let numbers = check_lines(&text_of(&directory.path().join(&name)));
                if let Some((_, last)) = numbers.filter(|_| is_new) {
                    kept = kept.max(last);
                }
            }
            // While it changes files, the next one exists before the last one has its final name.
            assert!(parts().len() <= 2, "{:?}", parts());
            row.rounds += 1;
            row.sent += sent;
            row.kept += kept.min(sent);
        }
        // The last part is completed too, and the ring ends properly.
        let mut command = sniffer();
        command.args(["-q", "-i", "right", "-C", "20k", "-W", "100000", "--duration", "0.01"]);
        let child = Process::spawn(command.arg("-w").arg(&path).stderr(Stdio::piped()));
        let output = finish(child);
        assert!(output.status.success(), "{}", output.stderr);
        assert_eq!(parts(), [] as [String; 0]);
        row
    });
    row.print("SIGKILL, ring restarted");
}
