//! Files of tests.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes a file of that name, and gives its path.
///
/// # Panics
///
/// Where it cannot be written.
pub fn write(directory: impl AsRef<Path>, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.as_ref().join(name);
    fs::write(&path, content).unwrap();
    path
}

/// The bytes as a member of a gzip file.
///
/// # Panics
///
/// Never: memory takes all bytes.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
