//! Outputs that already exist and are not regular files: standard streams, other open descriptors,
//! named pipes and character devices. They need no `--force`, because writing replaces nothing.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::signals::{self, Signals};

/// How often to try to open a named pipe that has no reader.
const OPEN_INTERVAL: Duration = Duration::from_millis(20);

/// Bits of a directory's mode: anyone may create files there, and nobody may remove those of others.
const STICKY: u32 = 0o1000;
const WORLD_WRITABLE: u32 = 0o002;

/// Opens a special output; `None` if `path` is a regular file, a directory, or nothing.
///
/// A named pipe without a reader is waited for. With `signals`, a termination signal ends that;
/// without, signals have their default effect.
///
/// # Errors
///
/// If `path` is a block device, or belongs to another user in a directory such as /tmp and `force`
/// is not set. If it cannot be opened.
pub(super) fn open(
    path: &Path,
    force: bool,
    signals: Option<&Signals>,
) -> Result<Option<File>, Error> {
    let error = |source| Error::Output { name: path.display().to_string(), source };
    if let Some(descriptor) = descriptor(path) {
        return open_descriptor(path, descriptor).map(Some).map_err(error);
    }
    if !is_special(path) {
        return Ok(None);
    }
    let file_type = fs::metadata(path).map_err(error)?.file_type();
    if file_type.is_block_device() {
        return Err(error(io::Error::other("it is a block device")));
    }
    if !force && is_planted(path).map_err(error)? {
        return Err(Error::ForeignOutput { path: path.to_owned() });
    }
    if let (true, Some(signals)) = (file_type.is_fifo(), signals) {
        return open_pipe(path, signals).map(Some);
    }
    // Opening a named pipe waits for its reader.
    let opened = signals::with_hangup_unblocked(|| OpenOptions::new().write(true).open(path));
    opened.map(Some).map_err(error)
}

/// Whether `path` exists and is neither a regular file nor a directory.
pub(super) fn is_special(path: &Path) -> bool {
    let metadata = fs::metadata(path);
    descriptor(path).is_some()
        || metadata.is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// The number of the descriptor that `path` stands for.
fn descriptor(path: &Path) -> Option<u32> {
    match path.to_str()? {
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        path => {
            let number =
                path.strip_prefix("/dev/fd/").or_else(|| path.strip_prefix("/proc/self/fd/"))?;
            number.parse().ok()
        }
    }
}

/// Duplicates a standard stream, because opening it would start at offset 0 of a regular file.
/// Appends to a regular file behind another descriptor.
fn open_descriptor(path: &Path, descriptor: u32) -> io::Result<File> {
    match descriptor {
        1 => io::stdout().as_fd().try_clone_to_owned().map(File::from),
        2 => io::stderr().as_fd().try_clone_to_owned().map(File::from),
        _ => OpenOptions::new().append(true).open(path),
    }
}

/// Opens a named pipe for writing once it has a reader, or until a termination signal arrives.
fn open_pipe(path: &Path, signals: &Signals) -> Result<File, Error> {
    let error = |source| Error::Output { name: path.display().to_string(), source };
    loop {
        match OpenOptions::new().write(true).custom_flags(libc::O_NONBLOCK).open(path) {
            // The pipe stays non-blocking: `Target` waits until it is writable.
            Ok(pipe) => return Ok(pipe),
            Err(source) if source.raw_os_error() == Some(libc::ENXIO) => {}
            Err(source) => return Err(error(source)),
        }
        if signals.wait(&[], Some(OPEN_INTERVAL))?.is_stopped {
            let message = "stopped by a signal before a program opened it for reading";
            return Err(error(io::Error::new(io::ErrorKind::Interrupted, message)));
        }
    }
}

/// Whether another user may have put `path` there to receive the packets: the rule of
/// `fs.protected_fifos` and `fs.protected_symlinks` (proc_sys_fs(5)).
fn is_planted(path: &Path) -> io::Result<bool> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (entry, directory) = (fs::symlink_metadata(path)?, fs::metadata(directory)?);
    let trusted = [directory.uid(), nix::unistd::geteuid().as_raw()];
    Ok(is_shared(directory.mode()) && !trusted.contains(&entry.uid()))
}

/// Whether a directory has the mode of /tmp.
fn is_shared(mode: u32) -> bool {
    let shared = STICKY | WORLD_WRITABLE;
    mode & shared == shared
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn descriptors_are_recognized_by_path() {
        for (path, number) in [
            ("/dev/stdout", Some(1)),
            ("/dev/stderr", Some(2)),
            ("/dev/fd/63", Some(63)),
            ("/proc/self/fd/1", Some(1)),
            ("/dev/fd/", None),
            ("/dev/null", None),
            ("stdout", None),
        ] {
            assert_eq!(descriptor(Path::new(path)), number, "{path}");
        }
    }

    #[test]
    fn devices_open_without_force_and_regular_files_are_not_special() {
        assert!(open(Path::new("/dev/null"), false, None).unwrap().is_some());
        let directory = tempfile::tempdir().unwrap();
        assert!(open(directory.path(), false, None).unwrap().is_none());
        let file = directory.path().join("a");
        assert!(open(&file, false, None).unwrap().is_none());
        fs::write(&file, "").unwrap();
        assert!(open(&file, false, None).unwrap().is_none());
    }

    #[test]
    fn links_in_directories_like_tmp_are_trusted_if_their_owner_is() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        symlink("/dev/null", &link).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(!is_planted(&link).unwrap());
        assert!([0o1777, 0o41777].into_iter().all(is_shared));
        assert!([0o755, 0o777, 0o1775].into_iter().all(|mode| !is_shared(mode)));
    }
}
