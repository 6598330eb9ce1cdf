//! Links that another user planted, files of others, inputs as outputs, and two captures into one file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::process::Command;
use tempfile::tempdir;
use tests::files::names;
use tests::frames::pcap;
use tests::process::{Capture, run};
use tests::veth::with_veth;
use xtask::build::sniffer_path;

use crate::sandbox::{NOBODY, or_root};

#[test]
fn planted_links_are_not_followed() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1_000)).unwrap();
    fs::write(path("victim"), "precious").unwrap();
    for (link, args) in [
        ("a", &[][..]),
        ("b.part", &["-C", "20k"]),
        ("c-0.part", &["-C", "20k", "-W", "3"]),
        ("d-1.part", &["-C", "20k", "-W", "3"]),
    ] {
        symlink(path("victim"), path(link)).unwrap();
        let (input, file) = (path("in"), path(&link[..1]));
        let args = [&["-q", "-r", &input, "-w", &file], args].concat();
        let output = run(&args);
        assert_eq!(output.status.code(), Some(1), "{link}: {}", output.stderr);
        let expected = match link.ends_with(".part") {
            true => format!("`{}` is unfinished, and sniffer cannot complete it", path(link)),
            false => format!("`{}` already exists; use --force", path(link)),
        };
        assert!(output.stderr.contains(&expected), "{link}: {}", output.stderr);
        assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
        // With --force the link is replaced.
        let output = run(&[&args[..], &["--force"]].concat());
        assert!(output.status.success(), "{link}: {}", output.stderr);
        assert!(!fs::symlink_metadata(path(link)).is_ok_and(|link| link.is_symlink()), "{link}");
        assert!(fs::metadata(path(link.trim_end_matches(".part"))).unwrap().is_file(), "{link}");
        assert_eq!(fs::read(path("victim")).unwrap(), b"precious", "{link}");
    }
}

/// A file whose name the capture comes to later is skipped.
#[test]
fn ring_spares_files_of_others() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1_000)).unwrap();
    let meta = "{\"type\":\"meta\",\"v\":1}\n{\"type\":\"pkt\"}\n";
    fs::write(path("a-0.part"), meta).unwrap();
    fs::write(path("a-1"), "notes").unwrap();
    symlink(path("a-1"), path("a-2.part")).unwrap();
    let args = ["-r", &path("in"), "-C", "20k", "-W", "4", "-w", &path("a")];
    let output = run(&args);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(output.stderr.contains("kept"), "{}", output.stderr);
    assert_eq!(names(directory.path()), ["a-0", "a-1", "a-2.part", "a-3", "in"]);
    assert_eq!(fs::read(path("a-1")).unwrap(), b"notes");
    let text = fs::read_to_string(path("a-0")).unwrap();
    assert_ne!(text, meta, "its own file is replaced");
}

#[test]
fn run_that_cannot_start_leaves_no_file() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("a");
        let path = path.to_str().unwrap();
        for args in [&["-i", "right", "-Z", "no-such-user"][..], &["-i", "nowhere"]] {
            let output = run(&[args, &["-w", path]].concat());
            assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
            assert_eq!(names(directory.path()), [] as [&str; 0], "{args:?}");
        }
        let script =
            format!("ulimit -S -f 0; exec {} -i right -w {path}", sniffer_path().display());
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(names(directory.path()), [] as [&str; 0]);
    });
}

#[test]
fn inputs_are_not_overwritten() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let bytes = pcap(1_000);
    fs::write(path("in"), &bytes).unwrap();
    fs::write(path("other"), &bytes).unwrap();
    symlink(path("in"), path("link")).unwrap();
    fs::hard_link(path("in"), path("hard")).unwrap();
    fs::hard_link(path("in"), path("ring-1")).unwrap();
    for (name, args) in [
        ("in", &[][..]),
        ("link", &[]),
        ("hard", &["--compress", "gzip"]),
        ("ring", &["-C", "20k", "-W", "3"]),
    ] {
        let output = path(name);
        let input = ["-q", "-r", &path("other"), "-r", &path("in"), "-w", &output, "--force"];
        let result = run(&[&input[..], args].concat());
        assert_eq!(result.status.code(), Some(1), "{name}: {}", result.stderr);
        assert!(result.stderr.contains("is also an input"), "{name}: {}", result.stderr);
        assert_eq!(fs::read(path("in")).unwrap(), bytes, "{name}");
    }
}

#[test]
fn two_captures_cannot_write_one_file() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right"]);
        let path = directory.path().join("capture.ndjson");
        let second = run(&["-i", "right", "-w", path.to_str().unwrap(), "--force"]);
        assert_eq!(second.status.code(), Some(1), "{}", second.stderr);
        let expected = format!("`{}` is being written by another process", path.display());
        assert!(second.stderr.contains(&expected), "{}", second.stderr);
        capture.stop();
    });
}

#[test]
fn replaced_files_are_private() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1)).unwrap();
    fs::write(path("out"), "").unwrap();
    fs::set_permissions(path("out"), fs::Permissions::from_mode(0o666)).unwrap();
    let output = run(&["-q", "-r", &path("in"), "-w", &path("out"), "--force"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(fs::metadata(path("out")).unwrap().permissions().mode() & 0o777, 0o600);
}

/// Anyone may have created such a file, so that it may contain anything.
#[test]
fn unfinished_files_of_others_are_reported_where_everyone_may_write() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1)).unwrap();
    let part = path("a.ndjson.part");
    fs::write(&part, "{\"type\":\"meta\",\"v\":1}\n{\"type\":\"pkt\"}\n").unwrap();
    let owner = or_root(NOBODY);
    chown(&part, Some(owner), None).unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    let output = run(&["-r", &path("in"), "-G", "3600", "-w", &path("a.ndjson")]);
    assert!(output.status.success(), "{}", output.stderr);
    let (expected, files) = match owner {
        // In a user namespace, other users do not exist.
        0 => (format!("kept `{}` of", path("a.ndjson")), ["a-1.ndjson", "a.ndjson", "in"]),
        _ => (format!("`{part}` stays unfinished"), ["a-1.ndjson", "a.ndjson.part", "in"]),
    };
    assert!(output.stderr.contains(&expected), "{}", output.stderr);
    assert_eq!(names(directory.path()), files);
}
