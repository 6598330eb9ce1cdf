//! `-V`: the names of capture files in a list.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::input::STANDARD_INPUT;
use crate::Error;

/// Reads names of files, one per line, from a file; `-` is standard input.
///
/// # Errors
///
/// If the list cannot be read, is not UTF-8, or contains no name.
pub(crate) fn read_list(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let (name, text) = match path.to_str() {
        Some("-") => (STANDARD_INPUT.to_owned(), io::read_to_string(io::stdin())),
        _ => (path.display().to_string(), fs::read_to_string(path)),
    };
    let text = text.map_err(|source| Error::Input { name: name.clone(), source })?;
    let names = text.lines().filter(|line| !line.is_empty());
    let paths: Vec<PathBuf> = names.map(PathBuf::from).collect();
    if paths.is_empty() { Err(Error::EmptyInput { name }) } else { Ok(paths) }
}
