//! `-V`: the names of capture files in a list.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Error, text_file};

/// Reads names of files, one per line, from a file; `-` is standard input. `#` starts a comment at the
/// start of a line only, because names may contain it.
///
/// # Errors
///
/// If the list cannot be read, is not UTF-8, is longer than 16 MiB, or contains no name.
pub(crate) fn read_list(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let (name, text) = text_file::read(path).map_err(|error| match error {
        Error::Input { name, source } if source.kind() == io::ErrorKind::InvalidData => {
            let message = "not a list of file names; to read a capture, use -r";
            Error::Input { name, source: io::Error::other(message) }
        }
        error => error,
    })?;
    let names = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let paths: Vec<PathBuf> = names.map(PathBuf::from).collect();
    if paths.is_empty() { Err(Error::EmptyInput { name }) } else { Ok(paths) }
}
