//! The corpus: capture files made by other projects, kept outside the repository.
//!
//! `SNIFFER_CORPUS` names its directory, by default `../shared/corpus` beside the workspace. Where it
//! is missing, tests that need it say so and pass, except in CI (if `CI` is set), where they fail.

use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::{env, fs};
use summary::LinkType;
use summary::capture_file::{Reader, Step};
use xtask::build;

/// All capture files of the corpus, sorted by path; `None` without corpus.
///
/// # Errors
///
/// If a directory cannot be read, or in CI if the corpus is missing.
pub fn files() -> Result<Option<Vec<PathBuf>>> {
    let Some(root) = root()? else { return Ok(None) };
    let mut files = Vec::new();
    for directory in fs::read_dir(root)? {
        let entries = fs::read_dir(directory?.path())?.flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort();
    Ok(Some(files))
}

/// The corpus's directory; `None` without corpus.
///
/// # Errors
///
/// In CI, if the corpus is missing.
pub fn root() -> Result<Option<PathBuf>> {
    let default = || build::root().join("../shared/corpus");
    let root = env::var_os("SNIFFER_CORPUS").map_or_else(default, PathBuf::from);
    existing(root, Path::is_dir, env::var_os("CI").is_some())
}

/// The text of a file of filter test cases, which lie beside the corpus; `None` without that file.
///
/// # Errors
///
/// If the file cannot be read, or in CI if it is missing.
pub fn filter_cases(name: &str) -> Result<Option<String>> {
    let Some(root) = root()? else { return Ok(None) };
    let path = root.join("../filter-cases").join(name);
    let path = existing(path, Path::is_file, env::var_os("CI").is_some())?;
    Ok(path.map(fs::read_to_string).transpose()?)
}

/// The text of the list of JA4 fingerprints, which lies beside the corpus; `None` without that file.
///
/// # Errors
///
/// If the file cannot be read, or in CI if it is missing.
pub fn ja4_cases() -> Result<Option<String>> {
    let Some(root) = root()? else { return Ok(None) };
    let path =
        existing(root.join("../ja4-cases.json"), Path::is_file, env::var_os("CI").is_some())?;
    Ok(path.map(fs::read_to_string).transpose()?)
}

/// The directory of small inputs after public reports, which lies beside the corpus; `None` without it.
///
/// # Errors
///
/// In CI, if it is missing.
pub fn reports() -> Result<Option<PathBuf>> {
    let Some(root) = root()? else { return Ok(None) };
    existing(root.join("../reports"), Path::is_dir, env::var_os("CI").is_some())
}

/// The path if it exists. If not: an error where it is required, else `None` and a message.
fn existing(
    path: PathBuf,
    exists: impl Fn(&Path) -> bool,
    is_required: bool,
) -> Result<Option<PathBuf>> {
    if exists(&path) {
        return Ok(Some(path));
    }
    let message = format!("no test data at {} (set SNIFFER_CORPUS)", path.display());
    if is_required {
        bail!(message);
    }
    eprintln!("SKIPPED: {message}");
    Ok(None)
}

/// A frame of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Link-layer type.
    pub link: LinkType,
    /// The captured bytes.
    pub bytes: Vec<u8>,
    /// Length on the wire in bytes.
    pub wire_len: u32,
}

/// A file of the corpus.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Its frames, up to the first damage.
    pub frames: Vec<Frame>,
    /// Whether a big-endian machine wrote it.
    pub is_big_endian: bool,
}

/// Reads a capture file.
///
/// # Errors
///
/// If it cannot be read.
pub fn capture(path: &Path) -> Result<Capture> {
    let bytes = fs::read(path)?;
    let (mut reader, mut rest) = (Reader::new(), &bytes[..]);
    let mut frames = Vec::new();
    while let Ok(step) = reader.step(rest) {
        match step {
            Step::Frame { consumed, frame } => {
                frames.push(Frame {
                    link: frame.link,
                    bytes: frame.bytes.to_vec(),
                    wire_len: frame.wire_len,
                });
                rest = &rest[consumed..];
            }
            Step::Skipped { consumed } => rest = &rest[consumed..],
            Step::NeedMore { .. } => break,
        }
    }
    Ok(Capture { frames, is_big_endian: reader.is_big_endian() })
}

/// The frames of all capture files, of each up to its first damage; `None` without corpus.
///
/// # Errors
///
/// If a file cannot be read, or in CI if the corpus is missing.
pub fn frames() -> Result<Option<Vec<Frame>>> {
    let Some(paths) = files()? else { return Ok(None) };
    let mut frames = Vec::new();
    for path in paths {
        frames.append(&mut capture(&path)?.frames);
    }
    Ok(Some(frames))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_data_is_an_error_only_where_it_is_required() {
        let missing = || existing("/nonexistent".into(), Path::is_dir, false);
        assert_eq!(missing().unwrap(), None);
        let error = existing("/nonexistent".into(), Path::is_dir, true).unwrap_err();
        assert!(error.to_string().contains("/nonexistent"), "{error}");
        assert!(existing("/".into(), Path::is_dir, true).unwrap().is_some());
    }
}
