//! Creates regular output files. A file is always a new inode of mode 0600: links are never
//! followed, and programs that still read a replaced file keep it. A lock (flock(2)) keeps other
//! sniffers from replacing a file that is being written.

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::file_id::FileId;
use super::file_namer::OutputPath;
use crate::Error;

/// Creates the file and locks it.
///
/// # Errors
///
/// If a file exists and may not be replaced, is one of `inputs`, or is being written by another
/// process. If the file cannot be created.
pub(super) fn create(output: &OutputPath, inputs: &[FileId]) -> Result<File, Error> {
    let OutputPath { path, final_path, overwrite, removes_oldest } = output;
    ensure_not_input(path, inputs)?;
    ensure_not_input(final_path, inputs)?;
    if *removes_oldest && path != final_path {
        match fs::remove_file(final_path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(error(final_path, explain_removal(final_path, source)));
            }
            _ => {}
        }
    }
    match create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => return lock(result.map_err(|source| error(path, source))?, path),
    }
    if path.is_dir() {
        return Err(error(path, io::ErrorKind::IsADirectory.into()));
    }
    if !overwrite {
        return Err(Error::OutputExists { path: path.clone() });
    }
    // Holds the lock of the old file until the new one exists. A file that cannot be opened, such as
    // a symbolic link, is not being written by a sniffer of this user.
    let _old = open_existing(path).ok().map(|old| lock(old, path)).transpose()?;
    fs::remove_file(path).map_err(|source| error(path, explain_removal(path, source)))?;
    lock(create_new(path).map_err(|source| error(path, source))?, path)
}

/// Explains why an existing file cannot be removed: in a directory such as /tmp, only its owner may.
fn explain_removal(path: &Path, source: io::Error) -> io::Error {
    let is_foreign = || {
        let metadata = fs::symlink_metadata(path);
        metadata.is_ok_and(|metadata| metadata.uid() != nix::unistd::geteuid().as_raw())
    };
    if source.raw_os_error() != Some(libc::EPERM) || !is_foreign() {
        return source;
    }
    let message =
        "another user's file cannot be replaced here (remove it, or choose its user with -Z)";
    io::Error::new(source.kind(), message)
}

/// Creates a file that must not exist. `O_EXCL` fails on links, even if they lead nowhere.
fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW)
        .open(path)
}

/// Opens an existing file to lock it, without following links or waiting for the reader of a pipe.
fn open_existing(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

/// Locks a file for as long as it is open. File systems without locks are no error.
pub(super) fn lock(file: File, path: &Path) -> Result<File, Error> {
    match file.try_lock() {
        Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::OutputInUse { path: path.to_owned() }),
    }
}

/// Refuses a path that leads to an input, under whatever name.
pub(super) fn ensure_not_input(path: &Path, inputs: &[FileId]) -> Result<(), Error> {
    let id = fs::metadata(path).ok().and_then(|metadata| FileId::of(&metadata));
    match id.filter(|id| inputs.contains(id)) {
        Some(_) => Err(Error::OutputIsInput { name: path.display().to_string() }),
        None => Ok(()),
    }
}

/// Gives a complete file its final name.
///
/// # Errors
///
/// If `final_path` exists and `overwrite` is not set: [`io::ErrorKind::AlreadyExists`].
pub(super) fn rename(path: &Path, final_path: &Path, overwrite: bool) -> io::Result<()> {
    if overwrite {
        return fs::rename(path, final_path);
    }
    match renameat_with(CWD, path, CWD, final_path, RenameFlags::NOREPLACE) {
        // The file system does not support the flag.
        Err(Errno::INVAL | Errno::NOSYS) if fs::symlink_metadata(final_path).is_err() => {
            fs::rename(path, final_path)
        }
        Err(Errno::INVAL | Errno::NOSYS) => Err(io::ErrorKind::AlreadyExists.into()),
        result => result.map_err(io::Error::from),
    }
}

fn error(path: &Path, source: io::Error) -> Error {
    Error::Output { name: path.display().to_string(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn output(path: &Path, overwrite: bool) -> OutputPath {
        OutputPath {
            path: path.to_owned(),
            final_path: path.to_owned(),
            overwrite,
            removes_oldest: false,
        }
    }

    #[test]
    fn links_are_replaced_but_never_followed() {
        let directory = tempfile::tempdir().unwrap();
        let [victim, link, dangling] =
            ["victim", "link", "dangling"].map(|name| directory.path().join(name));
        fs::write(&victim, "precious").unwrap();
        symlink(&victim, &link).unwrap();
        symlink(directory.path().join("nowhere"), &dangling).unwrap();
        for path in [&link, &dangling] {
            let refused = create(&output(path, false), &[]).unwrap_err();
            assert!(matches!(refused, Error::OutputExists { .. }), "{refused}");
            create(&output(path, true), &[]).unwrap().write_all(b"new").unwrap();
            assert!(fs::symlink_metadata(path).unwrap().is_file());
        }
        assert_eq!(fs::read(&victim).unwrap(), b"precious");
        assert!(!directory.path().join("nowhere").exists());
    }

    #[test]
    fn a_replaced_file_is_private_and_leaves_the_old_one_to_its_readers() {
        let directory = tempfile::tempdir().unwrap();
        let [path, hard_link] = ["a", "b"].map(|name| directory.path().join(name));
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        fs::hard_link(&path, &hard_link).unwrap();
        let mut reader = File::open(&path).unwrap();
        let file = create(&output(&path, true), &[]).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!((&text[..], &fs::read(&hard_link).unwrap()[..]), ("old", &b"old"[..]));
    }

    #[test]
    fn a_file_being_written_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let first = create(&output(&path, false), &[]).unwrap();
        let refused = create(&output(&path, true), &[]).unwrap_err();
        assert!(matches!(refused, Error::OutputInUse { .. }), "{refused}");
        drop(first);
        create(&output(&path, true), &[]).unwrap();
    }

    #[test]
    fn inputs_are_recognized_under_every_name() {
        let directory = tempfile::tempdir().unwrap();
        let [input, hard_link, link] =
            ["input", "hard", "link"].map(|name| directory.path().join(name));
        fs::write(&input, "packets").unwrap();
        fs::hard_link(&input, &hard_link).unwrap();
        symlink(&input, &link).unwrap();
        let inputs = [FileId::of_input(&link).unwrap()];
        for path in [&input, &hard_link, &link] {
            let refused = create(&output(path, true), &inputs).unwrap_err();
            assert!(matches!(refused, Error::OutputIsInput { .. }), "{refused}");
            let part = OutputPath {
                path: path.with_extension("part"),
                final_path: path.clone(),
                overwrite: true,
                removes_oldest: true,
            };
            let refused = create(&part, &inputs).unwrap_err();
            assert!(matches!(refused, Error::OutputIsInput { .. }), "{refused}");
        }
        assert_eq!(fs::read(&input).unwrap(), b"packets");
    }

    #[test]
    fn renaming_replaces_nothing_without_permission() {
        let directory = tempfile::tempdir().unwrap();
        let [part, path] = ["a.part", "a"].map(|name| directory.path().join(name));
        fs::write(&part, "new").unwrap();
        fs::write(&path, "old").unwrap();
        let refused = rename(&part, &path, false).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"old");
        rename(&part, &path, true).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
