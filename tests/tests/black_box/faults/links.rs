//! Links that another user planted, inputs as outputs, and two captures into one file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use tempfile::tempdir;
use tests::frames::pcap;
use tests::process::{Capture, run};
use tests::veth::with_veth;

#[test]
fn planted_links_are_not_followed() {
    let directory = tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("in"), pcap(1_000)).unwrap();
    fs::write(path("victim"), "precious").unwrap();
    for (link, args) in [
        ("a", &[][..]),
        ("b.part", &["-C", "20k"]),
        ("c0.part", &["-C", "20k", "-W", "3"]),
        ("d1.part", &["-C", "20k", "-W", "3", "--force"]),
    ] {
        symlink(path("victim"), path(link)).unwrap();
        run(&[&["-q", "-r", &path("in"), "-w", &path(&link[..1])], args].concat());
        assert_eq!(fs::read(path("victim")).unwrap(), b"precious", "{link}");
        assert!(fs::symlink_metadata(path(link)).unwrap().is_symlink(), "{link}");
    }
    // With --force a link to a file is replaced.
    let output = run(&["-q", "-r", &path("in"), "-w", &path("a"), "--force"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(fs::symlink_metadata(path("a")).unwrap().is_file());
    assert_eq!(fs::read(path("victim")).unwrap(), b"precious");
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
    fs::hard_link(path("in"), path("ring1")).unwrap();
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
