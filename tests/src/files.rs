//! Writes and lists test files.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file into a directory and returns its path.
///
/// # Panics
///
/// If it cannot be written.
pub fn write(directory: impl AsRef<Path>, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.as_ref().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// The sorted names of the files in a directory.
///
/// # Panics
///
/// If the directory cannot be read, or a name is not UTF-8.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Compresses bytes to a gzip member, fast.
///
/// # Panics
///
/// Never: writing to memory does not fail.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    gzip_with(bytes, Compression::fast())
}

/// Compresses bytes to a gzip member.
///
/// # Panics
///
/// Never: writing to memory does not fail.
pub fn gzip_with(bytes: &[u8], level: Compression) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
