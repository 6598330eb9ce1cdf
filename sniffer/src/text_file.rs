//! Text files named on the command line: filter expressions (`-F`) and lists of captures (`-V`).

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::error::STANDARD_INPUT_NAME;
use crate::{Error, signals};

/// Longest text in bytes. It is in memory as a whole.
const MAX_LEN: usize = 16 << 20;

/// Reads a text file, `-` being standard input. Returns its name for messages, and the text.
///
/// # Errors
///
/// If the file cannot be read, is not UTF-8, or is longer than 16 MiB.
pub(crate) fn read(path: &Path) -> Result<(String, String), Error> {
    let read_file = || File::open(path).and_then(read_limited);
    let (name, text) = match path.to_str() {
        Some("-") => {
            let read = || read_limited(io::stdin().lock());
            (STANDARD_INPUT_NAME.to_owned(), signals::with_hangup_unblocked(read))
        }
        _ if path.is_file() => (path.display().to_string(), read_file()),
        // Waits for the writer of a named pipe.
        _ => (path.display().to_string(), signals::with_hangup_unblocked(read_file)),
    };
    match text {
        Ok(text) => Ok((name, text)),
        Err(source) => Err(Error::Input { name, source }),
    }
}

fn read_limited(input: impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    input.take(MAX_LEN as u64 + 1).read_to_end(&mut bytes)?;
    if MAX_LEN < bytes.len() {
        return Err(io::Error::other("longer than 16 MiB"));
    }
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endless_text_is_an_error() {
        assert_eq!(read_limited(&b"tcp"[..]).unwrap(), "tcp");
        assert_eq!(read_limited(io::repeat(b'a').take(16 << 20)).unwrap().len(), 16 << 20);
        let error = read_limited(io::repeat(b'a')).unwrap_err();
        assert_eq!(error.to_string(), "longer than 16 MiB");
        assert_eq!(read_limited(&b"\xff"[..]).unwrap_err().to_string(), "not UTF-8 text");
    }
}
