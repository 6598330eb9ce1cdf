//! The captures that others made, where they are on this machine.

use anyhow::Result;
use std::path::{Path, PathBuf};
use std::{env, fs};
use summary::LinkType;
use summary::capture_file::{Reader, Step};

use xtask::build;

/// All capture files of `SNIFFER_CORPUS`, by default `../shared/corpus` beside the project, in the
/// order of their names; `None`, said aloud, where that is missing.
///
/// # Errors
///
/// Where a directory cannot be read.
pub fn files() -> Result<Option<Vec<PathBuf>>> {
    let Some(root) = root() else { return Ok(None) };
    let mut files = Vec::new();
    for directory in fs::read_dir(root)? {
        let entries = fs::read_dir(directory?.path())?.flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort();
    Ok(Some(files))
}

/// The directory of the corpus; `None`, said aloud, where it is missing.
pub fn root() -> Option<PathBuf> {
    let default = || build::root().join("../shared/corpus");
    let root = env::var_os("SNIFFER_CORPUS").map_or_else(default, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    eprintln!("SKIPPED: no corpus at {} (SNIFFER_CORPUS names it)", root.display());
    None
}

/// A file of the cases of filters, beside the corpus; `None`, said aloud, where it is missing.
///
/// # Errors
///
/// Where it is there and cannot be read.
pub fn filter_cases(name: &str) -> Result<Option<String>> {
    let Some(root) = root() else { return Ok(None) };
    let path = root.join("../filter-cases").join(name);
    if path.is_file() {
        return Ok(Some(fs::read_to_string(path)?));
    }
    eprintln!("SKIPPED: no cases of filters at {}", path.display());
    Ok(None)
}

/// A frame of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What its first bytes are.
    pub link: LinkType,
    /// The captured bytes.
    pub bytes: Vec<u8>,
    /// Bytes on the wire.
    pub wire_len: u32,
}

/// A file of the corpus.
#[derive(Clone, Debug)]
pub struct Capture {
    /// Its frames, up to where it is damaged.
    pub frames: Vec<Frame>,
    /// Whether the machine that wrote it has the most significant byte first.
    pub is_big_endian: bool,
}

/// Reads a capture file.
///
/// # Errors
///
/// Where it cannot be read.
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

/// The frames of all captures, up to where one is damaged; `None` without corpus.
///
/// # Errors
///
/// Where a file cannot be read.
pub fn frames() -> Result<Option<Vec<Frame>>> {
    let Some(paths) = files()? else { return Ok(None) };
    let mut frames = Vec::new();
    for path in paths {
        frames.append(&mut capture(&path)?.frames);
    }
    Ok(Some(frames))
}
