//! Splits a byte range of a file into the lines that begin in it. Adjacent ranges lose and repeat no
//! line, and the result does not depend on how the bytes are divided into chunks.

use memchr::memchr;
use std::ops::Range;

/// Longer lines are skipped without buffering them, in bytes.
pub const MAX_LINE_LEN: usize = 1 << 20;

/// A line of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its line feed.
    Complete(&'a [u8]),
    /// A line of more than [`MAX_LINE_LEN`] bytes.
    TooLong,
}

/// Receives lines with their offsets in the file.
pub trait LineSink {
    /// Consumes lines at the start of `bytes` whose format gives their length, which avoids searching
    /// for line feeds. `bytes` begins at `offset` in the file; only lines that begin within `limit` bytes
    /// may be consumed. Returns the number of consumed bytes, including line feeds.
    fn consume_fast(&mut self, _bytes: &[u8], _offset: u64, _limit: u64) -> usize {
        0
    }

    /// Receives the next line.
    fn line(&mut self, line: Line<'_>, offset: u64);
}

/// Splits one range into lines.
#[derive(Debug)]
pub struct LineSplitter {
    /// Offset of the next byte in the file.
    position: u64,
    /// Lines that begin at or after this offset belong to the next range.
    end: u64,
    state: State,
    /// The start of a line whose end was not in the chunk: `carry.len() <= MAX_LINE_LEN`.
    carry: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In a line that begins before the range.
    BeforeFirst,
    InLine,
    InTooLong,
    Done,
}

impl LineSplitter {
    /// Splits the lines that begin in `range`. Feed bytes from [`LineSplitter::position`] on.
    pub fn new(range: &Range<u64>) -> Self {
        // Reading starts one byte early: a line feed there means that the range begins with a line.
        let state = if range.start == 0 { State::InLine } else { State::BeforeFirst };
        let state = if range.is_empty() { State::Done } else { state };
        Self { position: range.start.saturating_sub(1), end: range.end, state, carry: Vec::new() }
    }

    /// Offset in the file of the bytes to feed next.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Returns true if all lines of the range have been passed on.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next bytes of the file and passes on the lines that end in them.
    pub fn feed(&mut self, mut chunk: &[u8], sink: &mut (impl LineSink + ?Sized)) {
        while self.state != State::Done {
            if self.state == State::InLine && self.carry.is_empty() {
                let consumed = sink.consume_fast(chunk, self.position, self.end - self.position);
                self.position += consumed as u64;
                chunk = &chunk[consumed..];
                if self.end <= self.position {
                    self.state = State::Done;
                    return;
                }
            }
            let Some(len) = memchr(b'\n', chunk) else {
                self.position += chunk.len() as u64;
                if self.state == State::InLine && self.carry.len() + chunk.len() <= MAX_LINE_LEN {
                    self.carry.extend_from_slice(chunk);
                } else if self.state == State::InLine {
                    self.carry.clear();
                    self.state = State::InTooLong;
                }
                return;
            };
            let start = self.position - self.carry.len() as u64;
            match self.state {
                State::InTooLong => sink.line(Line::TooLong, start),
                State::InLine if MAX_LINE_LEN < self.carry.len() + len => {
                    sink.line(Line::TooLong, start);
                }
                State::InLine if self.carry.is_empty() => {
                    sink.line(Line::Complete(&chunk[..len]), start);
                }
                State::InLine => {
                    self.carry.extend_from_slice(&chunk[..len]);
                    sink.line(Line::Complete(&self.carry), start);
                }
                State::BeforeFirst | State::Done => {}
            }
            self.carry.clear();
            self.position += len as u64 + 1;
            self.state = if self.position < self.end { State::InLine } else { State::Done };
            chunk = &chunk[len + 1..];
        }
    }

    /// Passes on a last line without a line feed at the end of the file.
    pub fn finish(&mut self, sink: &mut (impl LineSink + ?Sized)) {
        let start = self.position - self.carry.len() as u64;
        match self.state {
            State::InLine if !self.carry.is_empty() => {
                sink.line(Line::Complete(&self.carry), start);
            }
            State::InTooLong => sink.line(Line::TooLong, start),
            _ => {}
        }
        self.carry.clear();
        self.state = State::Done;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Collects lines. Consumes those that begin with `b` through `consume_fast`.
    struct TestSink<'a> {
        file: &'a [u8],
        lines: Vec<Vec<u8>>,
    }

    impl TestSink<'_> {
        fn keep(&mut self, line: &[u8], offset: u64) {
            assert!(self.file[usize::try_from(offset).unwrap()..].starts_with(line));
            self.lines.push(line.to_vec());
        }
    }

    impl LineSink for TestSink<'_> {
        fn consume_fast(&mut self, bytes: &[u8], offset: u64, limit: u64) -> usize {
            let mut consumed = 0;
            while (consumed as u64) < limit && bytes[consumed..].starts_with(b"b") {
                let Some(len) = memchr(b'\n', &bytes[consumed..]) else { break };
                self.keep(&bytes[consumed..consumed + len], offset + consumed as u64);
                consumed += len + 1;
            }
            consumed
        }

        fn line(&mut self, line: Line<'_>, offset: u64) {
            match line {
                Line::Complete(bytes) => self.keep(bytes, offset),
                Line::TooLong => self.lines.push(b"too long".to_vec()),
            }
        }
    }

    fn lines_of(file: &[u8], range: Range<u64>, chunk_len: usize) -> Vec<Vec<u8>> {
        let mut lines = LineSplitter::new(&range);
        let mut kept = TestSink { file, lines: Vec::new() };
        while !lines.is_done() {
            let at = usize::try_from(lines.position()).unwrap();
            if file.len() <= at {
                lines.finish(&mut kept);
                break;
            }
            lines.feed(&file[at..file.len().min(at + chunk_len)], &mut kept);
        }
        kept.lines
    }

    #[test]
    fn overlong_lines_are_skipped() {
        let file = [b"a\n".to_vec(), vec![b'x'; MAX_LINE_LEN + 1], b"\nb\n".to_vec()].concat();
        let expected = [b"a".to_vec(), b"too long".to_vec(), b"b".to_vec()];
        assert_eq!(lines_of(&file, 0..file.len() as u64, 1 << 16), expected);
        assert_eq!(lines_of(&file, 0..file.len() as u64, file.len()), expected);
    }

    proptest! {
        #[test]
        fn ranges_and_chunks_do_not_change_the_lines(
            file in "[ab\n]{0,60}", mut cuts in proptest::collection::vec(0u64..=60, 0..4),
            chunk_len in 1usize..9,
        ) {
            let len = file.len() as u64;
            cuts.extend([0, len]);
            cuts.iter_mut().for_each(|cut| *cut = (*cut).min(len));
            cuts.sort_unstable();
            let seen: Vec<_> = cuts
                .windows(2)
                .flat_map(|cut| lines_of(file.as_bytes(), cut[0]..cut[1], chunk_len))
                .collect();
            let mut expected: Vec<_> = file.split('\n').map(|line| line.as_bytes().to_vec()).collect();
            if expected.last().is_some_and(Vec::is_empty) {
                expected.pop();
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
