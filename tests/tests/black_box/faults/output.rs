//! Outputs that fail while a capture runs: full disks, limits, directories that disappear.

use nix::sys::signal::Signal;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::{Output, Process, finish, signal, sniffer, wait_for};
use tests::veth::with_veth;

use super::{Row, check_lines};

fn assert_failed(output: &Output, message: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains(message), "{}", output.stderr);
    assert!(output.stderr.contains(" captured on right in "), "totals: {}", output.stderr);
}

/// Starts a capture into `directory/a`, lets `break_output` do harm, and requests the next file.
fn break_rotation(break_output: impl FnOnce(&Path, u32) + Send) -> Output {
    with_veth(|| {
        let parent = tempdir().unwrap();
        let directory = parent.path().join("out");
        fs::create_dir(&directory).unwrap();
        let path = directory.join("a");
        let mut command = sniffer();
        command.args(["-i", "right", "-w"]).arg(&path).stderr(Stdio::piped());
        let child = Process::spawn(&mut command);
        wait_for("the first file", || fs::read(&path).is_ok_and(|bytes| !bytes.is_empty()));
        break_output(&directory, child.id());
        signal(&child, Signal::SIGHUP);
        finish(child)
    })
}

#[test]
fn removed_directory_ends_the_capture_with_totals() {
    let output = break_rotation(|directory, _| fs::remove_dir_all(directory).unwrap());
    assert_failed(&output, "/out/a`: No such file or directory");
}

#[test]
fn exhausted_descriptors_end_the_capture_with_totals() {
    let output = break_rotation(|_, process| {
        let process = process.to_string();
        let mut command = Command::new("prlimit");
        assert!(command.args(["--nofile=3", "--pid", &process]).status().unwrap().success());
    });
    assert_failed(&output, "/out/a1`: Too many open files");
}

/// Captures into a file in a shell script until the output fails. `copy` in the script is a file
/// outside.
fn fail_in_script(fault: &str, message: &str, setup: &str, args: &str) {
    let (output, text, sent) = with_veth(|| {
        let directory = tempdir().unwrap();
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let copy = directory.path().join("copy");
        let (disk, copy_path) = (disk.display(), copy.display());
        let program = xtask::build::sniffer_path();
        let script = format!(
            "disk={disk}; {setup}; {} -i right {args} -w {disk}/out; code=$?; \
             cat {disk}/out* > {copy_path}.new; mv {copy_path}.new {copy_path}; exit $code",
            program.display(),
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "bash", "-c", &script]).stderr(Stdio::piped());
        let child = Process::spawn(&mut command);
        wait_for("the capture", || {
            fs::read_to_string("/proc/thread-self/net/packet").unwrap().lines().count() == 2
        });
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100])));
        let mut sent = 0;
        wait_for("the end of the capture", || {
            // Until the output failed.
            if !copy.exists() {
                (0..100).for_each(|_| sender.send(&frame));
                sent += 100;
            }
            copy.exists()
        });
        (finish(child), fs::read_to_string(&copy).unwrap(), sent)
    });
    assert_failed(&output, message);
    assert!(output.stderr.contains("could not be written"), "{}", output.stderr);
    assert!(text.ends_with("}\n"), "whole lines");
    let kept = check_lines(&text).map_or(0, |(_, last)| last);
    Row { rounds: 1, sent, kept, ..Row::default() }.print(fault);
}

#[test]
fn full_disk_ends_the_capture_with_totals() {
    let setup = "mount -t tmpfs -o size=64k none $disk";
    fail_in_script("full disk, 16 pages", "/out`: No space left on device", setup, "");
    fail_in_script("full disk, ring", "/out0.part`: No space left", setup, "-C 1 -W 3");
}

#[test]
fn size_limit_ends_the_capture_with_totals() {
    // The copy is larger than the limit of the capture.
    let setup = "ulimit -S -f 32";
    let args = "-s 200";
    fail_in_script("size limit (RLIMIT_FSIZE)", "/out`: File too large", setup, args);
}

#[test]
fn read_only_directory_is_named() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let script = format!(
            "mount -t tmpfs -o ro none {0} && exec {1} -i right -w {0}/out",
            directory.path().display(),
            xtask::build::sniffer_path().display()
        );
        let mut command = Command::new("unshare");
        let output = command.args(["--mount", "sh", "-c", &script]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("/out`: Read-only file system"), "{stderr}");
    });
}

#[test]
fn too_little_memory_for_the_ring_buffer_is_an_error() {
    with_veth(|| {
        let mut command = Command::new("prlimit");
        command.arg("--as=100000000").arg(xtask::build::sniffer_path());
        let output = command.args(["-i", "right", "-B", "131072"]).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        assert!(stderr.contains("-B"), "the remedy: {stderr}");
    });
}
