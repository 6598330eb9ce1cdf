//! Outputs that are not files: devices, pipes whose reader goes away, terminals that are closed.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use tempfile::tempdir;
use tests::frames::pcap;
use tests::process::{Process, finish, run, sniffer, wait_for};
use tests::stream::Stream;
use tests::veth::with_veth;

/// No packet arrives and no `stats` are due: only the end of the reader can end the capture.
#[test]
fn capture_ends_when_its_reader_does() {
    with_veth(|| {
        let mut command = sniffer();
        command.args(["-i", "right", "--stats", "0"]);
        let mut child = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let mut stdout = child.stdout.take().unwrap();
        stdout.read_exact(&mut [0; 10]).unwrap();
        drop(stdout);
        let output = finish(child);
        assert!(output.status.success(), "{}", output.stderr);
    });
}

#[test]
fn named_pipe_needs_no_force() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1_000)).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let mut command = sniffer();
    command.args(["-r", &path("in"), "-w", &path("pipe")]).stderr(Stdio::piped());
    let child = Process::spawn(&mut command);
    let stream = Stream::read(&fs::read(path("pipe")).unwrap());
    let output = finish(child);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(stream.packets.len(), 1_000);
    let output = run(&["-r", &path("in"), "-w", &path("pipe"), "-C", "1"]);
    assert!(output.stderr.contains("require a regular file"), "{}", output.stderr);
}

#[test]
fn signal_ends_the_wait_for_a_reader() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1)).unwrap();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    let mut command = sniffer();
    command.args(["-r", &path("in"), "-w", &path("pipe")]).stderr(Stdio::piped());
    let child = Process::spawn(&mut command);
    wait_for("the handling of signals", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        // SIGTERM is blocked once it is received through a descriptor.
        let blocked = status.lines().find_map(|line| line.strip_prefix("SigBlk:")).unwrap();
        u64::from_str_radix(blocked.trim(), 16).unwrap() & 1 << 14 != 0
    });
    tests::process::signal(&child, nix::sys::signal::Signal::SIGTERM);
    let output = finish(child);
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("stopped by a signal before"), "{}", output.stderr);
}

#[test]
fn devices_and_descriptors_need_no_force() {
    let directory = tempdir().unwrap();
    let input = directory.path().join("in");
    fs::write(&input, pcap(1_000)).unwrap();
    let input = input.to_str().unwrap();
    let output = run(&["-r", input, "-w", "/dev/null"]);
    assert!(output.status.success(), "{}", output.stderr);
    for path in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let output = run(&["-r", input, "-w", path]);
        assert!(output.status.success(), "{path}: {}", output.stderr);
        assert_eq!(Stream::read(&output.stdout).packets.len(), 1_000, "{path}");
    }
    let output = run(&["-r", input, "-w", "/dev/full"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("`/dev/full`: No space left on device"), "{}", output.stderr);
}
