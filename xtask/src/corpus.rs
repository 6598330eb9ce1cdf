//! The captures that others made, where they are on this machine.

use anyhow::Result;
use std::path::PathBuf;
use std::{env, fs};

use crate::build;

/// All capture files of `SNIFFER_CORPUS`, by default `../shared/corpus` beside the project, in the
/// order of their names; `None`, said aloud, where that is missing.
///
/// # Errors
///
/// Where a directory cannot be read.
pub fn files() -> Result<Option<Vec<PathBuf>>> {
    let default = || build::root().join("../shared/corpus");
    let root = env::var_os("SNIFFER_CORPUS").map_or_else(default, PathBuf::from);
    if !root.is_dir() {
        eprintln!("SKIPPED: no corpus at {} (SNIFFER_CORPUS names it)", root.display());
        return Ok(None);
    }
    let mut files = Vec::new();
    for directory in fs::read_dir(root)? {
        let entries = fs::read_dir(directory?.path())?.flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| path.is_file()));
    }
    files.sort();
    Ok(Some(files))
}
