//! Outputs that fail while a capture runs: full disks, limits, directories that disappear.

use nix::sys::signal::Signal;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, pcap, udp};
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
    assert_failed(&output, "/out/a-1`: Too many open files");
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
    fail_in_script("full disk, ring", "/out-0.part`: No space left", setup, "-C 1 -W 3");
}

/// The oldest file makes way before the next one grows. On a smaller disk, the file that failed remains
/// unfinished, and none is empty.
#[test]
fn ring_fits_on_a_disk_of_its_size() {
    for (size, end) in [("80k", "code 0\na-0\na-1\na-2\n"), ("40k", "code 1\na-0\na-1.part\n")] {
        fill_disk(size, end);
    }
}

/// Fills a disk of this size with a ring of three files of 20 KiB. The exit status and the names of the
/// files end the output.
fn fill_disk(size: &str, end: &str) {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let disk = directory.path().join("disk");
        fs::create_dir(&disk).unwrap();
        let input = directory.path().join("in");
        fs::write(&input, pcap(2_000)).unwrap();
        // Three files of 20 KiB with their last lines, in pages of 4 KiB.
        let script = format!(
            "mount -t tmpfs -o size={size} none {disk} && {} -r {} -C 20k -W 3 -w {disk}/a 2>&1; \
             echo \"code $?\"; ls {disk}",
            xtask::build::sniffer_path().display(),
            input.display(),
            disk = disk.display(),
        );
        let output = Command::new("unshare").args(["--mount", "bash", "-c", &script]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        assert!(text.ends_with(end), "{text}");
    });
}

/// Makes large writes of this thread and its children fail.
fn fail_large_writes(errno: i32) {
    let (argument, kind) = (2, SeccompCmpArgLen::Qword);
    let is_large = SeccompCondition::new(argument, kind, SeccompCmpOp::Ge, 512).unwrap();
    let rule = SeccompRule::new(vec![is_large]).unwrap();
    let filter = SeccompFilter::new(
        [(nix::libc::SYS_write, vec![rule])].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn failed_writes_end_the_run_with_totals() {
    let directory = tempdir().unwrap();
    let input = directory.path().join("in");
    fs::write(&input, pcap(50_000)).unwrap();
    for (errno, reason) in [
        (nix::libc::EIO, "Input/output error"),
        (nix::libc::EDQUOT, "Disk quota exceeded"),
        (nix::libc::ENOSPC, "No space left on device"),
    ] {
        for (name, lost) in [("a", "the last "), ("a.gz", "up to the last "), ("a.zst", "up to")] {
            let path = directory.path().join(name);
            let mut command = sniffer();
            command.arg("-r").arg(&input).arg("--force").arg("-w").arg(&path);
            let command = command.stderr(Stdio::piped());
            let failing = || {
                fail_large_writes(errno);
                Process::spawn(command)
            };
            let child = std::thread::scope(|scope| scope.spawn(failing).join().unwrap());
            let output = finish(child);
            let stderr = &output.stderr;
            assert_eq!(output.status.code(), Some(1), "{name}: {stderr}");
            let expected = format!("cannot write `{}`: {reason}", path.display());
            assert!(stderr.contains(&expected), "{name}: {stderr}");
            assert!(stderr.contains(" packets read from "), "{name}: totals: {stderr}");
            let lost_lines = stderr.lines().find(|line| line.contains("could not be written"));
            assert!(lost_lines.is_some_and(|line| line.contains(lost)), "{name}: {stderr}");
        }
    }
}

/// Each limit on descriptors is an error of the step that reaches it.
#[test]
fn exhausted_descriptors_are_named_at_the_start() {
    let directory = tempdir().unwrap();
    let input = directory.path().join("in");
    fs::write(&input, pcap(1_000)).unwrap();
    let mut failures = 0;
    for limit in 4..32 {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={limit}")).arg(xtask::build::sniffer_path());
        command.arg("-r").arg(&input).args(["-C", "20k", "--force", "-w"]);
        let output = command.arg(directory.path().join("a")).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(!stderr.contains("denied"), "{limit}: {stderr}");
        // The dynamic linker gives the number of the error.
        let is_named = stderr.contains("Too many open files") || stderr.contains("Error 24");
        assert!(output.status.success() || is_named, "{limit}: {stderr}");
        failures += u32::from(!output.status.success());
    }
    assert!(0 < failures);
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
