//! What goes wrong: each with a message that names the object, the right exit code, and nothing
//! lost that was captured.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
use tests::process::{Capture, Output, run};
use tests::stream::check_line;
use tests::veth::with_veth;
use xtask::namespace;

fn check(words: &[&str], code: i32, message: &str) -> Output {
    let output = run(words);
    assert_eq!(output.status.code(), Some(code), "{words:?}: {}", output.stderr);
    assert!(output.stderr.contains(message), "{words:?}: {}", output.stderr);
    output
}

#[test]
fn wrong_words_are_explained_and_exit_with_2() {
    check(&["-i", ""], 2, "an interface has a name");
    check(&["-s", "0"], 2, "0 is not in 1..=262144");
    check(&["-c", "none"], 2, "invalid value 'none' for '--count <COUNT>'");
    check(&["--frobnicate"], 2, "unexpected argument '--frobnicate'");
    check(&["-r", "a.pcap", "-i", "lo"], 2, "cannot be used with");
}

#[test]
fn files_that_cannot_be_read_are_named() {
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
    check(&["-r", &packed], 1, &format!("`{packed}`: cannot be unpacked behind byte 5"));
    let here = directory.path().to_str().unwrap();
    check(&["-r", here], 1, &format!("cannot read `{here}`: Is a directory"));
    check(&["-r", "/no/such/file"], 1, "cannot read `/no/such/file`: No such file");
}

#[test]
fn an_existing_file_is_kept_unless_forced_and_captures_are_private() {
    namespace::run(|| {
        let directory = tempdir().unwrap();
        let out = directory.path().join("out");
        let words = ["-i", "lo", "--duration", "0.01", "-w", out.to_str().unwrap()];
        check(&words, 0, "0 packets captured");
        assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
        let before = fs::read(&out).unwrap();
        check(&words, 1, "exists; use --force to overwrite it");
        assert_eq!(fs::read(&out).unwrap(), before);
        check(&[&words[..], &["--force"]].concat(), 0, "0 packets captured");
        assert_ne!(fs::read(&out).unwrap(), before);
        let here = directory.path().to_str().unwrap();
        check(&["-i", "lo", "-c", "1", "-w", here], 1, &format!("cannot write `{here}`"));
    });
}

#[test]
fn a_misspelled_interface_gets_the_names_that_exist() {
    namespace::run(|| {
        check(&["-i", "l0"], 1, "no interface is named `l0`; there are: lo, any");
    });
}

#[test]
fn an_interface_that_is_down_is_said_to_be() {
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
fn without_the_capability_the_remedy_is_printed() {
    let sniffer = xtask::build::sniffer_path();
    // A user namespace's nobody has no capability over the machine's network.
    let output =
        Command::new("unshare").arg("--user").arg(&sniffer).args(["-i", "lo"]).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains("CAP_NET_RAW is missing"), "{words}");
    assert!(
        words.contains(&format!("sudo setcap cap_net_raw=ep {}", sniffer.display())),
        "{words}"
    );
}

fn packet() -> Vec<u8> {
    ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100])))
}

#[test]
fn an_interface_that_vanishes_ends_the_run_where_that_is_wanted() {
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
fn an_interface_that_goes_down_and_up_is_captured_on() {
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
fn a_full_disk_is_named_and_the_lines_that_fit_are_whole() {
    let directory = tempdir().unwrap();
    let disk = directory.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let disk = disk.to_str().unwrap().to_owned();
    let big = directory.path().join("big.pcap");
    fs::write(&big, pcap(10_000)).unwrap();
    // A disk of 64 kB, in a mount namespace that ends with the command.
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
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{words}");
    assert!(words.contains(&format!("cannot write `{disk}/out`: No space left")), "{words}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(60_000 < text.len() && text.ends_with("}\n"), "{} bytes", text.len());
    text.lines().for_each(check_line);
}
