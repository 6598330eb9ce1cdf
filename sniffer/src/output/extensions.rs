//! The extensions of output files, such as `.ndjson.zst`. Numbers precede them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::compression::Compression;

/// Splits a file name before its extensions: the last one, and the one before an extension of a
/// compression format.
pub(super) fn split(name: &OsStr) -> (&OsStr, &OsStr) {
    let Some(last) = extension_start(name) else { return (name, OsStr::new("")) };
    let (stem, extension) = split_at(name, last);
    let is_compression =
        Path::new(name).extension().is_some_and(|text| Compression::from_extension(text).is_some());
    match extension_start(stem) {
        Some(inner) if is_compression => split_at(name, inner),
        _ => (stem, extension),
    }
}

/// Where the last extension starts. It starts with a letter, because the end of `capture-2026.11.26` is
/// not an extension.
fn extension_start(name: &OsStr) -> Option<usize> {
    let extension = Path::new(name).extension()?;
    let is_letter = extension.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    is_letter.then(|| name.len() - extension.len() - 1)
}

fn split_at(name: &OsStr, index: usize) -> (&OsStr, &OsStr) {
    let (start, end) = name.as_bytes().split_at(index);
    (OsStr::from_bytes(start), OsStr::from_bytes(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions_are_the_last_and_the_one_before_compression() {
        for (name, stem, extensions) in [
            ("a", "a", ""),
            ("a.ndjson", "a", ".ndjson"),
            ("a.ndjson.zst", "a", ".ndjson.zst"),
            ("a.gz", "a", ".gz"),
            ("host.example.ndjson", "host.example", ".ndjson"),
            ("a-2026.11.26", "a-2026.11.26", ""),
            ("a-2026.11.26.gz", "a-2026.11.26", ".gz"),
            (".ndjson", ".ndjson", ""),
            (".ndjson.gz", ".ndjson", ".gz"),
            ("a.", "a.", ""),
        ] {
            assert_eq!(split(OsStr::new(name)), (OsStr::new(stem), OsStr::new(extensions)));
        }
        let name = OsStr::from_bytes(b"\xff.ndjson");
        assert_eq!(split(name), (OsStr::from_bytes(b"\xff"), OsStr::new(".ndjson")));
    }
}
