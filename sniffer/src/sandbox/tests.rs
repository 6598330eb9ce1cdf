//! Tries from inside the sandbox what it must refuse. Each test applies the layers to a thread of
//! its own, as the layers apply to threads: the other tests run on.

use super::*;
use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::execv;
use std::fs;
use std::io::{self, ErrorKind};
use tempfile::tempdir;

/// Runs `work` on a thread with all layers, except for the change of the user.
fn inside(files: FileAccess, sockets: SocketAccess, work: impl FnOnce() + Send) {
    let enter = || {
        let policy = Policy { files, sockets, starts_threads: true, ..Policy::MINIMAL };
        let ruleset = landlock::ruleset(&policy.files);
        capabilities::drop_all(false).unwrap();
        set_no_new_privs().unwrap();
        ruleset.and_then(landlock::restrict).unwrap();
        seccomp::restrict(&policy).unwrap();
        work();
    };
    std::thread::scope(|scope| scope.spawn(enter).join().unwrap());
}

fn open_socket(family: AddressFamily, kind: SockType) -> Result<(), Errno> {
    socket(family, kind, SockFlag::empty(), None).map(drop)
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn run_over_files_opens_neither_files_nor_sockets_nor_programs() {
    inside(FileAccess::NONE, SocketAccess::None, || {
        let refused = Some(ErrorKind::PermissionDenied);
        assert_eq!(kind(fs::read("/etc/passwd")), refused);
        assert_eq!(kind(fs::read_dir("/")), refused);
        assert_eq!(kind(fs::write("/tmp/file", "")), refused);
        assert_eq!(kind(fs::create_dir("/tmp/directory")), refused);
        for family in [AddressFamily::Inet, AddressFamily::Unix, AddressFamily::Netlink] {
            assert_eq!(open_socket(family, SockType::Datagram), Err(Errno::EPERM), "{family:?}");
        }
        // If this succeeded, the test would end with the status of false(1).
        assert_eq!(execv::<&std::ffi::CStr>(c"/bin/false", &[c"false"]), Err(Errno::EPERM));
        assert_eq!(kind(std::process::Command::new("true").spawn()), refused);
        assert_eq!(std::thread::spawn(|| 1).join().unwrap(), 1, "threads can be started");
    });
}

#[test]
fn live_run_opens_netlink_sockets_only() {
    inside(FileAccess::NONE, SocketAccess::Control, || {
        assert_ne!(crate::interfaces::all().unwrap(), []);
        for (family, kind) in [
            (AddressFamily::Inet, SockType::Stream),
            (AddressFamily::Inet6, SockType::Datagram),
            (AddressFamily::Unix, SockType::Stream),
            (AddressFamily::Packet, SockType::Raw),
        ] {
            assert_eq!(open_socket(family, kind), Err(Errno::EPERM), "{family:?}");
        }
        assert_eq!(kind(fs::read("/etc/passwd")), Some(ErrorKind::PermissionDenied));
    });
}

#[test]
fn output_files_are_created_in_their_directory_only() {
    let directory = tempdir().unwrap();
    let (inner, outer) = (directory.path().join("inner"), directory.path().join("outer"));
    fs::create_dir(&inner).unwrap();
    fs::write(&outer, "secret").unwrap();
    let files = DirectoryAccess { path: inner.clone(), creates_directories: false };
    inside(FileAccess { directories: vec![files] }, SocketAccess::None, || {
        let refused = Some(ErrorKind::PermissionDenied);
        let (part, file) = (inner.join("a.part"), inner.join("a"));
        fs::write(&part, "line").unwrap();
        fs::rename(&part, &file).unwrap();
        fs::write(&part, "next").unwrap();
        fs::rename(&part, &file).unwrap();
        assert_eq!(kind(fs::read(&file)), refused, "captures cannot be read");
        assert_eq!(kind(fs::rename(&file, directory.path().join("a"))), refused);
        fs::remove_file(&file).unwrap();
        assert_eq!(kind(fs::write(&outer, "")), refused);
        assert_eq!(kind(fs::read(&outer)), refused);
        assert_eq!(kind(fs::remove_file(&outer)), refused);
        assert_eq!(kind(fs::create_dir(inner.join("directory"))), refused);
        assert_eq!(kind(std::os::unix::fs::symlink("/etc/passwd", &file)), refused);
    });
    assert_eq!(fs::read_to_string(outer).unwrap(), "secret");
}

#[test]
fn directories_are_created_in_the_output_directory_only() {
    let directory = tempdir().unwrap();
    let path = directory.path().join("inner");
    let other = directory.path().join("other");
    for path in [&path, &other] {
        fs::create_dir(path).unwrap();
    }
    let directories = vec![
        DirectoryAccess { path: path.clone(), creates_directories: true },
        DirectoryAccess { path: other.clone(), creates_directories: false },
    ];
    inside(FileAccess { directories }, SocketAccess::None, || {
        let hour = path.join("day/hour");
        fs::create_dir_all(&hour).unwrap();
        fs::write(hour.join("a"), "line").unwrap();
        fs::write(other.join("a"), "line").unwrap();
        let refused = fs::create_dir(other.join("day"));
        assert_eq!(kind(refused), Some(ErrorKind::PermissionDenied));
        let outer = fs::create_dir(directory.path().join("outer"));
        assert_eq!(kind(outer), Some(ErrorKind::PermissionDenied));
    });
}

#[test]
fn all_layers_can_be_probed() {
    let failed: Vec<_> = probe().into_iter().filter(|(_, result)| result.is_err()).collect();
    assert_eq!(failed, []);
}
