//! Recognizes files of the sniffer by their first bytes. Runs with full privileges, so it only
//! compares bytes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::compression::Compression;

/// How a file starts, unless `--only` leaves `meta` out.
pub(super) const META_START: &[u8] = b"{\"type\":\"meta\",";

/// How a file can start.
const STARTS: [&[u8]; 5] = [
    META_START,
    b"{\"type\":\"pkt\",",
    b"{\"type\":\"stats\",",
    b"{\"type\":\"event\",",
    b"{\"type\":\"end\",",
];

/// The length of the longest of them.
const MAX_START_LEN: usize = 16;

/// Opens a file without following links or waiting for the writer of a pipe.
pub(super) fn open(path: &Path, writable: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(writable).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options.open(path)
}

/// Whether a file starts like one of the sniffer, or is compressed in one of its formats. Also true
/// for an empty file, and one that ends early.
pub(super) fn matches(file: &File) -> io::Result<bool> {
    let mut start = [0; MAX_START_LEN];
    let len = file.read_at(&mut start, 0)?;
    let start = &start[..len];
    Ok(is_start(start) || Compression::from_magic(start) != Compression::None)
}

/// Whether uncompressed bytes start like a file of the sniffer, or end before that shows.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    STARTS.iter().any(|start| {
        let len = start.len().min(bytes.len());
        bytes[..len] == start[..len]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn files_are_recognized_by_their_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        for (bytes, expected) in [
            (&b"{\"type\":\"meta\",\"v\":1}\n"[..], true),
            (b"{\"type\":\"me", true),
            (b"", true),
            (b"\x1f\x8b\x08", true),
            (b"\x28\xb5\x2f\xfd", true),
            (b"{\"type\":\"pkt\",\"n\":1}\n", true),
            (b"{\"type\":\"event\",\"ts\":1}\n", true),
            (b"{\"type\":\"log\",\"n\":1}\n", false),
            (b"notes\n", false),
        ] {
            fs::write(&path, bytes).unwrap();
            let file = open(&path, false).unwrap();
            assert_eq!(matches(&file).unwrap(), expected, "{}", bytes.escape_ascii());
        }
    }
}
