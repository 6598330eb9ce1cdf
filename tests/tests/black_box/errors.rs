//! Errors: the message names the object, the exit code is right, and no captured packet is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use summary::is_display_control;
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Output, run};
use tests::stream::check_line;
use tests::veth::with_veth;
use xtask::namespace;

fn check(args: &[&str], code: i32, message: &str) -> Output {
    let output = run(args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", output.stderr);
    assert!(output.stderr.contains(message), "{args:?}: {}", output.stderr);
    output
}

#[test]
fn usage_errors_exit_with_2() {
    check(&["-i", ""], 2, "interface name is empty");
    check(&["-s", "262145"], 2, "must be between 1 and 262144");
    check(
        &["-c", "none"],
        2,
        "invalid value 'none' for '--max-packets <COUNT>': not a whole number",
    );
    check(&["--frobnicate"], 2, "unexpected argument '--frobnicate'");
    check(&["-r", "a.pcap", "-i", "lo"], 2, "choose one of them");
}

/// File names, interface names, arguments and filters with escape sequences, a C1 control, a line feed
/// and a right-to-left override reach standard error escaped.
#[test]
fn messages_cannot_control_the_terminal() {
    let directory = tempdir().unwrap();
    let hostile = "a\u{1b}[31m\u{9b}2J\u{202e}\nsniffer: b";
    let path = directory.path().join(hostile);
    fs::write(&path, [0x80; 8]).unwrap();
    let path = path.to_str().unwrap();
    let missing = format!("{path}c");
    let capture = directory.path().join("capture");
    fs::write(&capture, pcap(1)).unwrap();
    let capture = capture.to_str().unwrap();
    let filter = "host \"x\u{1b}[31m\u{9b}\u{202e}";
    for (args, code) in [
        (&["-r", path][..], 1),
        (&["-r", &missing], 1),
        (&["-r", capture, "-w", path], 1),
        (&["-r", capture, filter], 2),
        (&["-F", &missing, "-r", capture], 1),
        (&["-i", "\u{1b}[31mx"], 1),
        (&["-i", hostile], 1),
        (&["-s", hostile], 2),
        (&["-w", &format!("{hostile}.pcap")], 2),
        (&[&format!("{hostile}.pcap")], 2),
        (&["-r", capture, "-Z", hostile], 1),
        (&["--\u{1b}[31m\u{202e}\nsniffer: b"], 2),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", output.stderr);
        let control = output.stderr.lines().find(|line| line.contains(is_display_control));
        assert_eq!(control, None, "{args:?}");
        let is_forged = output.stderr.contains("\nsniffer: b");
        assert!(!is_forged, "{args:?}: {}", output.stderr);
    }
    check(&["-r", path], 1, r"a\u{1b}[31m\u{9b}2J\u{202e}\u{a}sniffer: b`: not a pcap");
}

#[test]
fn unreadable_files_are_named() {
    let directory = tempdir().unwrap();
    let path = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let empty = path("empty", &[]);
    check(&["-r", &empty], 1, &format!("`{empty}` is empty"));
    let junk = path("junk", &[0x80, 0xff, 0, 1, 2, 3, 4, 5]);
    check(&["-r", &junk], 1, &format!("`{junk}`: not a pcap or pcapng file"));
    let three = path("three", &[1, 2, 3]);
    check(&["-r", &three], 1, &format!("`{three}`: not a pcap or pcapng file"));
    let packed = path("packed", &[0x1f, 0x8b, 8, 0, 0]);
    check(&["-r", &packed], 1, &format!("`{packed}`: decompression failed after byte 5"));
    let here = directory.path().to_str().unwrap();
    check(&["-r", here], 1, &format!("cannot read `{here}`: Is a directory"));
    check(&["-r", "/no/such/file"], 1, "cannot read `/no/such/file`: No such file");
}

#[test]
fn existing_files_are_kept_without_force_and_new_ones_are_private() {
    namespace::run(|| {
        let directory = tempdir().unwrap();
        let out = directory.path().join("out");
        let args = ["-i", "lo", "--duration", "0.01", "-w", out.to_str().unwrap()];
        check(&args, 0, "0 packets captured");
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read(&out).unwrap();
        check(&args, 1, "already exists; use --force to overwrite it");
        assert_eq!(fs::read(&out).unwrap(), before);
        check(&[&args[..], &["--force"]].concat(), 0, "0 packets captured");
        assert_ne!(fs::read(&out).unwrap(), before);
        let here = directory.path().to_str().unwrap();
        check(&["-i", "lo", "-c", "1", "-w", here], 1, &format!("cannot write `{here}`"));
    });
}

#[test]
fn unknown_interface_lists_the_available_ones() {
    namespace::run(|| {
        check(&["-i", "l0"], 1, "no interface named `l0`; available: lo, any");
    });
}

#[test]
fn interface_that_is_down_is_an_error() {
    namespace::run(|| {
        namespace::ip("link add cable type veth peer name other").unwrap();
        check(
            &["-i", "cable"],
            1,
            "interface `cable` is down; bring it up with: ip link set cable up",
        );
    });
}

#[test]
fn missing_capability_prints_the_remedy() {
    let sniffer = xtask::build::sniffer_path();
    // In a new user namespace the process has no capabilities over the machine's network.
    let output =
        Command::new("unshare").arg("--user").arg(&sniffer).args(["-i", "lo"]).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("CAP_NET_RAW is missing"), "{stderr}");
    assert!(
        stderr.contains(&format!("sudo setcap cap_net_raw=ep {}", sniffer.display())),
        "{stderr}"
    );
}

fn packet() -> Vec<u8> {
    ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100])))
}

#[test]
fn exit_on_down_ends_the_run_when_the_interface_disappears() {
    let (output, stream) = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right", "--exit-on-down"]);
        let sender = Sender::new("left");
        (0..50).for_each(|_| sender.send(&packet()));
        capture.wait_until(|text| text.matches("\"pkt\"").count() == 50);
        namespace::ip("link delete right").unwrap();
        capture.wait()
    });
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.contains("interface `right` went down"), "{}", output.stderr);
    assert_eq!((stream.packets.len(), &stream.reason[..]), (50, "error"));
    assert_eq!(stream.events.last().unwrap()["event"], "iface_down");
}

#[test]
fn capture_continues_after_the_interface_goes_down_and_up() {
    let stream = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right"]);
        Sender::new("left").send(&packet());
        capture.wait_until(|text| text.contains("\"pkt\""));
        namespace::ip("link set right down").unwrap();
        capture.wait_until(|text| text.contains("iface_down"));
        namespace::ip("link set right up").unwrap();
        capture.wait_until(|text| text.contains("iface_up"));
        Sender::new("left").send(&packet());
        capture.stop()
    });
    assert_eq!((stream.packets.len(), stream.events.len()), (2, 2));
    assert!(stream.events[1]["gap_ns"].as_u64().unwrap() > 0);
}

#[test]
fn full_disk_keeps_the_whole_lines_that_fit() {
    let directory = tempdir().unwrap();
    let disk = directory.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let disk = disk.to_str().unwrap().to_owned();
    let big = directory.path().join("big.pcap");
    fs::write(&big, pcap(10_000)).unwrap();
    // A file system of 64 KiB, in a mount namespace that ends with the command.
    let program = xtask::build::sniffer_path();
    let script = format!(
        "mount -t tmpfs -o size=64k none {disk} && {} -q -r {} -w {disk}/out; status=$?; cat {disk}/out; exit $status",
        program.display(),
        big.display()
    );
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains(&format!("cannot write `{disk}/out`: No space left")), "{stderr}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(60_000 < text.len() && text.ends_with("}\n"), "{} bytes", text.len());
    text.lines().for_each(check_line);
}

/// The stacks of 64 threads exceed the limit of memory. They are large, so that enough is left for the
/// allocations of the threads that have started.
#[test]
fn threads_that_cannot_start_are_an_error() {
    let directory = tempdir().unwrap();
    let (input, output) = (directory.path().join("a.pcap"), directory.path().join("out"));
    fs::write(&input, pcap(1)).unwrap();
    namespace::run(|| {
        for (source, is_live) in [(["-i", "lo"], true), (["-r", input.to_str().unwrap()], false)] {
            let mut command = Command::new("prlimit");
            command.env("RUST_MIN_STACK", "67108864").arg("--as=1000000000");
            command.arg(xtask::build::sniffer_path()).args(source);
            let run = command.args(["--threads", "64", "-w"]).arg(&output).output().unwrap();
            let stderr = String::from_utf8(run.stderr).unwrap();
            assert_eq!(run.status.code(), Some(1), "{stderr}");
            assert!(stderr.contains("cannot start 64 threads: "), "{stderr}");
            assert!(stderr.contains("use fewer (--threads N)"), "{stderr}");
            assert_eq!(stderr.contains("0 packets read from"), !is_live, "{stderr}");
            assert_eq!(output.exists(), !is_live, "an empty file is left");
        }
    });
}

#[test]
fn missing_default_route_is_reported() {
    namespace::run(|| {
        let output = check(&["--duration", "0.01"], 0, "0 packets captured on lo");
        let notice = "sniffer: no default route; capturing on lo (choose an interface with -i)\n";
        assert!(output.stderr.contains(notice), "{}", output.stderr);
        let output = check(&["-i", "lo", "--duration", "0.01"], 0, "0 packets captured on lo");
        assert!(!output.stderr.contains("default route"), "{}", output.stderr);
    });
}
