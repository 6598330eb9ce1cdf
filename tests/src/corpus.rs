//! The captures that others made, where they are on this machine.

use std::path::PathBuf;
use std::{env, fs};

/// All capture files of `SNIFFER_CORPUS`, by default `../shared/corpus` beside the project; `None`,
/// said aloud, where that is missing.
///
/// # Panics
///
/// Where a directory cannot be read.
pub fn files() -> Option<Vec<PathBuf>> {
    let default = || xtask::build::root().join("../shared/corpus");
    let root = env::var_os("SNIFFER_CORPUS").map_or_else(default, PathBuf::from);
    if !root.is_dir() {
        eprintln!("SKIPPED: no corpus at {} (SNIFFER_CORPUS names it)", root.display());
        return None;
    }
    let mut files = Vec::new();
    for directory in fs::read_dir(root).unwrap().flatten() {
        let entries = fs::read_dir(directory.path()).unwrap().flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort();
    assert!(!files.is_empty(), "the corpus has files");
    Some(files)
}
