//! `--netns`: captures in another network namespace than that of the process.

use std::process::{Command, Stdio};
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::{Capture, Output, Process, finish, wait_for};
use tests::veth::{self, with_veth};
use xtask::build::sniffer_path;
use xtask::namespace;

/// Commands that run in a network namespace of their own, without interfaces but loopback.
fn elsewhere(args: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--net", "--", "env", "--default-signal"]).arg(sniffer_path()).args(args);
    command
}

fn run_elsewhere(args: &[&str]) -> Output {
    let mut command = elsewhere(args);
    finish(Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())))
}

/// A process in the namespace of this thread.
fn resident() -> Process {
    Process::spawn(Command::new("sleep").arg("600"))
}

/// Packets, and changes and the return of interfaces: all sockets are in the other namespace.
#[test]
fn capture_in_another_namespace_survives_the_loss_of_its_interface() {
    for threads in ["1", "2"] {
        let stream = with_veth(|| {
            let directory = tempdir().unwrap();
            let file = directory.path().join("capture.ndjson");
            let resident = resident();
            let pid = resident.id().to_string();
            let mut command = elsewhere(&["--netns", &pid, "-i", "right", "--threads", threads]);
            let capture = Capture::start_command(command.arg("-w").arg(&file), file);
            let packet = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100])));
            Sender::new("left").send(&packet);
            capture.wait_until(|text| text.contains("\"pkt\""));
            namespace::ip("link delete right").unwrap();
            capture.wait_until(|text| text.contains("iface_gone"));
            veth::add();
            capture.wait_until(|text| text.contains("reattached"));
            Sender::new("left").send(&packet);
            capture.wait_until(|text| text.matches("\"pkt\"").count() == 2);
            let stream = capture.stop();
            assert_eq!(stream.meta["netns"], pid.as_str());
            stream
        });
        assert_eq!(stream.event_kinds(), ["iface_down", "iface_gone", "reattached"]);
        let names: Vec<_> = stream.packets.iter().map(|packet| packet.r#if.as_deref()).collect();
        assert_eq!(names, [Some("right"), Some("right")]);
    }
}

/// The capture keeps the namespace alive, so that nothing else shows its end.
#[test]
fn end_of_the_namespace_is_reported() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("capture.ndjson");
        let mut resident = resident();
        let pid = resident.id().to_string();
        let args = ["--netns", &pid, "-i", "right", "-w"];
        let capture = Capture::start_command(elsewhere(&args).arg(&file), file.clone());
        let path = directory.path().join("other");
        let mut ends =
            elsewhere(&[&args[..], &[path.to_str().unwrap(), "--exit-on-down"]].concat());
        let ends = Process::spawn(ends.stdout(Stdio::null()).stderr(Stdio::piped()));
        wait_for("the second capture", || {
            std::fs::metadata(&path).is_ok_and(|file| 0 < file.len())
        });
        resident.kill().unwrap();
        resident.wait().unwrap();
        capture.wait_until(|text| text.contains("netns_gone"));
        assert_eq!(capture.stop().event_kinds(), ["netns_gone"]);
        let output = finish(ends);
        let error = format!("sniffer: network namespace `{pid}` was deleted; earlier packets");
        assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
        assert!(output.stderr.contains(&error), "{}", output.stderr);
    });
}

#[test]
fn namespaces_are_found_by_process_path_and_name() {
    with_veth(|| {
        let resident = resident();
        let pid = resident.id().to_string();
        for netns in [pid.as_str(), &format!("/proc/{pid}/ns/net")] {
            let output = run_elsewhere(&["-D", "--netns", netns]);
            let list = String::from_utf8(output.stdout).unwrap();
            assert!(list.contains("left  [up]") && list.contains("right  [up]"), "{netns}: {list}");
        }
        let list = String::from_utf8(run_elsewhere(&["-D"]).stdout).unwrap();
        assert!(!list.contains("left"), "{list}");
    });
    // Names are files in /run/netns. Mounts in a mount namespace end with its last process.
    let script = "mount -t tmpfs none /run && ip netns add blue && \
                  ip -n blue link add wan0 type veth peer name wan1 && \
                  \"$0\" --netns blue -D && \"$0\" --netns green -D";
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", script]).arg(sniffer_path());
    let output = finish(Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())));
    let list = String::from_utf8(output.stdout).unwrap();
    assert!(list.contains("wan0  [down]"), "{list}{}", output.stderr);
    let error = "sniffer: no network namespace `green`: No such file or directory (os error 2); \
                 available: blue\n";
    assert_eq!((output.status.code(), &output.stderr[..]), (Some(1), error));
}

#[test]
fn missing_capability_for_namespaces_prints_the_remedy() {
    // In a new user namespace the process has no capabilities over other namespaces.
    let path = format!("/proc/{}/ns/net", std::process::id());
    let output = Command::new("unshare")
        .args(["--map-root-user", "--net", "--"])
        .arg(sniffer_path())
        .args(["-D", "--netns", &path])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let error = format!("sniffer: cannot enter network namespace `{path}`: ");
    assert!(stderr.starts_with(&error) && stderr.contains("CAP_SYS_ADMIN"), "{stderr}");
}

#[test]
fn check_and_dump_enter_the_namespace() {
    with_veth(|| {
        let resident = resident();
        let pid = resident.id().to_string();
        let output = run_elsewhere(&["-d", "--netns", &pid, "-i", "right", "ip"]);
        assert!(output.stdout.starts_with(b"(000) ldh      [12]"), "{}", output.stderr);
        let output = run_elsewhere(&["--check", "--netns", &pid]);
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{report}");
        assert!(report.contains("  ok       CAP_SYS_ADMIN: --netns can enter"), "{report}");
    });
}
