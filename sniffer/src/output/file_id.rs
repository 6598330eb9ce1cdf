//! Identifies regular files by device and inode, whatever their name: an output must not replace an
//! input, and a ring replaces only its own files.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The identity of a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    /// `None` unless the file is a regular one: writing destroys nothing in a pipe, a socket or a
    /// device.
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        metadata.is_file().then(|| Self { device: metadata.dev(), inode: metadata.ino() })
    }

    /// The file that `path` leads to, also through symbolic links; `-` is standard input.
    pub(crate) fn of_input(path: &Path) -> Option<Self> {
        let metadata = if path.as_os_str() == "-" {
            File::from(io::stdin().as_fd().try_clone_to_owned().ok()?).metadata()
        } else {
            fs::metadata(path)
        };
        Self::of(&metadata.ok()?)
    }
}

/// The identity of a regular file and the time of its last modification. File systems use the inode
/// of a removed file for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileVersion {
    id: FileId,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
}

impl FileVersion {
    /// `None` unless the file is a regular one.
    pub(super) fn of(metadata: &Metadata) -> Option<Self> {
        let modified = (metadata.mtime(), metadata.mtime_nsec());
        FileId::of(metadata).map(|id| Self { id, modified })
    }
}
