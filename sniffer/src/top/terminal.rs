//! The terminal: raw input, and a screen that is restored at the end.

use nix::libc;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use crate::signals::poll_writable;

/// How long a terminal that takes no output, e.g. after Ctrl+S, delays the thread of the screen.
const WRITE_TIMEOUT: Duration = Duration::from_millis(200);

/// Alternate screen, no cursor; and the opposite.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// The size of a terminal that does not report one.
const DEFAULT_SIZE: (usize, usize) = (80, 24);

/// The controlling terminal of the process (tty(4)).
#[derive(Debug)]
pub(crate) struct Terminal {
    file: File,
    saved: Termios,
    is_entered: bool,
}

/// A key that has a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Letter(char),
    Up,
    Down,
    PageUp,
    PageDown,
}

impl Terminal {
    /// Opens the terminal, and changes nothing. The file is the process' own, so it can be non-blocking.
    pub(crate) fn open() -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).custom_flags(libc::O_NONBLOCK).open("/dev/tty")?;
        let saved = tcgetattr(&file)?;
        Ok(Self { file, saved, is_entered: false })
    }

    /// Takes over screen and keyboard. Ctrl+C still sends a signal; Ctrl+Z does nothing, because a stopped
    /// process could not restore the screen.
    pub(super) fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.saved.clone();
        raw.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        raw.special_codes[SpecialCodeIndex::VSUSP] = 0;
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(&self.file, OptionalActions::Now, &raw)?;
        self.is_entered = true;
        self.write(ENTER);
        Ok(())
    }

    /// Columns and lines.
    pub(super) fn size(&self) -> (usize, usize) {
        match tcgetwinsize(&self.file) {
            Ok(size) if 0 < size.ws_col && 0 < size.ws_row => {
                (size.ws_col.into(), size.ws_row.into())
            }
            _ => DEFAULT_SIZE,
        }
    }

    /// Shows lines of printable characters. The one with index `inverse` has exchanged colours.
    pub(super) fn draw(&mut self, lines: &[String], inverse: usize) {
        let mut text = String::from("\x1b[H");
        for (index, line) in lines.iter().enumerate() {
            text += if index == 0 { "" } else { "\r\n" };
            match index == inverse {
                true => text += &format!("\x1b[7m{line}\x1b[m\x1b[K"),
                false => text += &format!("{line}\x1b[K"),
            }
        }
        self.write(&(text + "\x1b[J"));
    }

    /// The keys that were pressed. The terminal is closed if there is an error.
    pub(super) fn keys(&mut self) -> io::Result<Vec<Key>> {
        let mut buffer = [0; 256];
        match self.file.read(&mut buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => Ok(parse_keys(&buffer[..len])),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Writes, and gives up if the terminal takes nothing: the next screen replaces this one.
    fn write(&mut self, text: &str) {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(len) => rest = &rest[len..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if !poll_writable(self.file.as_fd(), WRITE_TIMEOUT).unwrap_or(false) {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for Terminal {
    /// Restores screen and keyboard.
    fn drop(&mut self) {
        if self.is_entered {
            self.write(LEAVE);
            // If the terminal is gone, there is nothing to restore.
            let _ = tcsetattr(&self.file, OptionalActions::Now, &self.saved);
        }
    }
}

/// The keys in the bytes of a terminal; other bytes have no meaning.
fn parse_keys(mut bytes: &[u8]) -> Vec<Key> {
    const SEQUENCES: [(&[u8], Key); 6] = [
        (b"\x1b[A", Key::Up),
        (b"\x1bOA", Key::Up),
        (b"\x1b[B", Key::Down),
        (b"\x1bOB", Key::Down),
        (b"\x1b[5~", Key::PageUp),
        (b"\x1b[6~", Key::PageDown),
    ];
    let mut keys = Vec::new();
    while let [first, rest @ ..] = bytes {
        if let Some((sequence, key)) = SEQUENCES.iter().find(|(text, _)| bytes.starts_with(text)) {
            keys.push(*key);
            bytes = &bytes[sequence.len()..];
        } else if let [0x1b, b'[' | b'O', rest @ ..] = bytes {
            // Another sequence ends with a byte from @ to ~ (ECMA-48, 5.4).
            let end = rest.iter().position(|byte| (b'@'..=b'~').contains(byte));
            bytes = end.map_or(&[], |end| &rest[end + 1..]);
        } else {
            if first.is_ascii_graphic() {
                keys.push(Key::Letter(char::from(*first)));
            }
            bytes = rest;
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use Key::{Down, Letter, PageDown, Up};

    #[test]
    fn keys_and_sequences_are_told_apart() {
        let keys = parse_keys(b"b\x1b[A\x1bOB\x1b[6~\x1b[15;2~q\xff\x1bx\x1b[");
        assert_eq!(keys, [Letter('b'), Up, Down, PageDown, Letter('q'), Letter('x')]);
    }
}
