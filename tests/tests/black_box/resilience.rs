//! Captures continue, or end properly, when interfaces change, the process stops or a disk fills up.

use nix::sys::signal::Signal;
use std::fs;
use std::process::Command;
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::{Capture, Process};
use tests::stream::{Stream, check_line};
use tests::veth::{self, with_veth};
use xtask::namespace;

fn packet() -> Vec<u8> {
    ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 1_000])))
}

/// Captures on `right` with these arguments while `work` runs.
fn capture_during(args: &[&str], work: impl FnOnce(&Capture) + Send) -> Stream {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &[&["-i", "right"], args].concat());
        Sender::new("left").send(&packet());
        work(&capture);
        capture.stop()
    })
}

fn recreate_interface(capture: &Capture) {
    namespace::ip("link delete right").unwrap();
    capture.wait_until(|text| text.contains("iface_gone"));
    veth::add();
    capture.wait_until(|text| text.contains("reattached"));
    Sender::new("left").send(&packet());
    capture.wait_until(|text| text.matches("\"pkt\"").count() == 2);
}

#[test]
fn capture_continues_on_a_recreated_interface() {
    for args in [&[][..], &["--threads", "2"]] {
        let stream = capture_during(args, recreate_interface);
        assert_eq!(stream.event_kinds(), ["iface_down", "iface_gone", "reattached"]);
        let event = &stream.events[2];
        assert_eq!(event["if"], "right");
        assert!(0 < event["gap_ns"].as_u64().unwrap());
        assert_eq!((stream.packets.len(), stream.end.recv), (2, 2));
    }
}

#[test]
fn interface_loss_and_return_are_printed_unless_quiet() {
    for (args, is_quiet) in [(&["-i", "right"][..], false), (&["-i", "right", "-q"], true)] {
        let (output, _) = with_veth(|| {
            let directory = tempdir().unwrap();
            let capture = Capture::start(directory.path(), args);
            namespace::ip("link set right down").unwrap();
            capture.wait_until(|text| text.contains("iface_down"));
            namespace::ip("link set right up").unwrap();
            capture.wait_until(|text| text.contains("iface_up"));
            capture.signal(Signal::SIGTERM);
            capture.wait()
        });
        let text = output.stderr;
        for message in ["sniffer: right went down; waiting for it", "sniffer: right is back after "]
        {
            assert_eq!(text.contains(message), !is_quiet, "{text}");
        }
    }
}

#[test]
fn any_reports_each_interface_under_its_name() {
    let (output, stream) = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "any", "--exit-on-down"]);
        namespace::ip("link delete right").unwrap();
        capture.wait_until(|text| text.matches("iface_gone").count() == 2);
        veth::add();
        capture.wait_until(|text| text.matches("reattached").count() == 2);
        Sender::new("left").send(&packet());
        capture.wait_until(|text| text.matches("\"pkt\"").count() == 2);
        capture.signal(Signal::SIGTERM);
        capture.wait()
    });
    assert!(output.status.success(), "{}", output.stderr);
    for name in ["left", "right"] {
        let events = stream.events.iter().filter(|event| event["if"] == name);
        let kinds: Vec<_> = events.map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["iface_down", "iface_gone", "reattached"], "{name}");
        for message in ["went down\n", "disappeared\n", "is up\n"] {
            assert!(output.stderr.contains(&format!("sniffer: {name} {message}")), "{message}");
        }
    }
}

#[test]
fn interface_can_be_recreated_repeatedly() {
    let stream = capture_during(&[], |capture| {
        for turn in 1..=3 {
            namespace::ip("link delete right").unwrap();
            capture.wait_until(|text| text.matches("iface_gone").count() == turn);
            veth::add();
            capture.wait_until(|text| text.matches("reattached").count() == turn);
        }
    });
    assert_eq!(stream.event_kinds().iter().filter(|kind| **kind == "reattached").count(), 3);
}

#[test]
fn renamed_interface_is_reported_under_its_new_name() {
    let stream = capture_during(&[], |capture| {
        capture.wait_until(|text| text.contains("\"pkt\""));
        namespace::ip("link set right down").unwrap();
        namespace::ip("link set right name wan0").unwrap();
        namespace::ip("link set wan0 up").unwrap();
        capture.wait_until(|text| text.contains("iface_up"));
        Sender::new("left").send(&packet());
    });
    assert_eq!(stream.event_kinds(), ["iface_down", "iface_renamed", "iface_up"]);
    let renamed = &stream.events[1];
    assert_eq!((&renamed["if"], &renamed["new_name"]), (&"right".into(), &"wan0".into()));
    let names: Vec<_> = stream.packets.iter().map(|packet| packet.r#if.as_deref()).collect();
    assert_eq!(names, [Some("right"), Some("wan0")]);
    assert_eq!(stream.stats_of.last().unwrap().as_deref(), Some("wan0"));
}

#[test]
fn changed_mtu_is_reported_and_larger_frames_captured() {
    let stream = capture_during(&[], |capture| {
        namespace::ip("link set right mtu 9000").unwrap();
        capture.wait_until(|text| text.contains("iface_mtu"));
        Sender::new("left").send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 8_000]))));
    });
    assert_eq!((&stream.events[0]["mtu"], stream.events.len()), (&9_000.into(), 1));
    assert_eq!(stream.packets[1].payload, Some(8_000));
}

#[test]
fn stopped_capture_reports_losses_and_continues() {
    for threads in ["1", "2"] {
        check_losses(threads);
    }
}

#[test]
fn losses_at_the_end_of_a_capture_are_reported_completely() {
    let stream = capture_during(&["-B", "256", "--block-size", "64"], |capture| {
        capture.signal(Signal::SIGSTOP);
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 1_000])));
        (0..1_400).for_each(|_| sender.send(&frame));
        capture.signal(Signal::SIGCONT);
        capture.wait_until(|text| text.contains("drop_begin"));
    });
    assert_eq!(stream.event_kinds(), ["drop_begin", "drop_end"]);
    assert!(0 < stream.end.drop);
    assert_eq!(stream.events[1]["drop"], stream.end.drop);
}

/// Packets received according to the `stats` records.
fn received(text: &str) -> u64 {
    let lines = text.lines().filter(|line| line.starts_with("{\"type\":\"stats\""));
    // The last line may be incomplete.
    let stats = lines.filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    stats.filter_map(|stats| stats["recv"].as_u64()).sum()
}

/// Each packet is longer than the one before, which shows where packets are missing.
fn check_losses(threads: &str) {
    let args = ["-B", "256", "--block-size", "64", "--stats", "0.05", "--threads", threads];
    let sized = |len: usize| ethernet(&[], IPV4, &ipv4(17, &udp(&vec![0; len])));
    let stream = capture_during(&args, |capture| {
        capture.wait_until(|text| text.contains("\"pkt\""));
        capture.signal(Signal::SIGSTOP);
        let sender = Sender::new("left");
        (1..1_400).for_each(|len| sender.send(&sized(len)));
        capture.signal(Signal::SIGCONT);
        // The ring is empty again once all packets are accounted for.
        capture.wait_until(|text| received(text) == 1_400);
        sender.send(&sized(1_400));
        sender.send(&sized(1_401));
        capture.wait_until(|text| text.contains("drop_end"));
        sender.send(&sized(1_402));
    });
    assert_eq!(stream.event_kinds(), ["drop_begin", "drop_end"]);
    let event = &stream.events[1];
    assert!(0 < event["gap_ns"].as_u64().unwrap(), "{event:?}");
    assert_eq!((stream.end.recv, &stream.reason[..]), (1_403, "signal"));
    assert!(0 < stream.end.drop);
    assert_eq!(event["drop"], stream.end.drop);
    assert_eq!(stream.packets.last().unwrap().n, stream.end.out);
    // The capture is complete up to the one time and from the other on.
    let sizes = |part: &[tests::stream::Packet]| -> Vec<u32> {
        part.iter().filter_map(|packet| packet.payload).collect()
    };
    let position = |ts: &str| stream.packets.iter().position(|packet| packet.ts == event[ts]);
    let (before, after) = (position("ts_before").unwrap(), position("ts_after").unwrap());
    assert!(before < after, "{event:?}");
    let last = u32::try_from(before).unwrap();
    assert_eq!(sizes(&stream.packets[1..=before]), (1..=last).collect::<Vec<_>>());
    assert_eq!(sizes(&stream.packets[after..]), [1_400, 1_401, 1_402]);
}

#[test]
fn full_disk_leaves_whole_lines_and_an_error_with_the_path() {
    let (output, text) = with_veth(|| {
        let directory = tempdir().unwrap();
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let copy = directory.path().join("copy");
        // A disk of 128 KiB in a mount namespace that ends with the command.
        let script = format!(
            "mount -t tmpfs -o size=128k none {0} && {1} -i right -w {0}/out; code=$?; \
             cp {0}/out {2}; exit $code",
            disk.display(),
            xtask::build::sniffer_path().display(),
            copy.display()
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", &script]);
        let child = Process::spawn(command.stderr(std::process::Stdio::piped()));
        tests::process::wait_for("the capture", || {
            fs::read_to_string("/proc/thread-self/net/packet").unwrap().lines().count() == 2
        });
        let sender = Sender::new("left");
        tests::process::wait_for("the disk to be full", || {
            (0..100).for_each(|_| sender.send(&packet()));
            copy.exists()
        });
        let output = tests::process::finish(child);
        (output, fs::read_to_string(&copy).unwrap())
    });
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("/disk/out`: No space left"), "{}", output.stderr);
    assert!(100_000 < text.len() && text.ends_with("}\n"), "{} bytes", text.len());
    text.lines().for_each(check_line);
}
