//! Cuts a byte range of a file into the lines that begin in it, however the bytes come in chunks.
//! The ranges of a file's parts meet without losing or doubling a line.

use memchr::memchr;
use std::ops::Range;

/// A line longer than this is none: it is passed over, and no memory is spent on it.
pub const MAX_LINE_LEN: usize = 1 << 20;

/// What a range's bytes gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A line without its line feed.
    Complete(&'a [u8]),
    /// A line of more than [`MAX_LINE_LEN`] bytes.
    TooLong,
}

/// Who takes lines, each with where in the file it begins.
pub trait LineSink {
    /// Takes lines from the front of `bytes`, which begin at `offset` of the file, as far as they are
    /// known at a glance and begin before `limit`: nobody need look for their ends then. Says how
    /// many bytes they are, with their line feeds.
    fn consume_fast(&mut self, _bytes: &[u8], _offset: u64, _limit: u64) -> usize {
        0
    }

    /// Takes the next line.
    fn line(&mut self, line: Line<'_>, offset: u64);
}

/// Cuts one range into lines.
#[derive(Debug)]
pub struct LineSplitter {
    /// Where in the file the next byte comes from.
    position: u64,
    /// Lines that begin from here on belong to somebody else.
    end: u64,
    state: State,
    /// The front of a line whose end was not in the chunk: `carry.len() <= MAX_LINE_LEN`.
    carry: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the tail of a line that begins before the range.
    BeforeFirst,
    InLine,
    InTooLong,
    Done,
}

impl LineSplitter {
    /// The lines that begin in `range`. Bytes are wanted from [`LineSplitter::position`] on.
    pub fn new(range: &Range<u64>) -> Self {
        // One byte early: a line feed there says that a line begins with the range.
        let state = if range.start == 0 { State::InLine } else { State::BeforeFirst };
        let state = if range.is_empty() { State::Done } else { state };
        Self { position: range.start.saturating_sub(1), end: range.end, state, carry: Vec::new() }
    }

    /// Where in the file the next bytes are wanted from.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// True where all lines of the range were seen.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Takes the next bytes of the file and hands on the lines that end in them.
    pub fn feed(&mut self, mut chunk: &[u8], sink: &mut (impl LineSink + ?Sized)) {
        while self.state != State::Done {
            if self.state == State::InLine && self.carry.is_empty() {
                let taken = sink.consume_fast(chunk, self.position, self.end - self.position);
                self.position += taken as u64;
                chunk = &chunk[taken..];
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

    /// Ends the file: a last line without line feed is handed on.
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

    /// Keeps lines; those that begin with a `b` are known at a glance.
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
            let mut taken = 0;
            while (taken as u64) < limit && bytes[taken..].starts_with(b"b") {
                let Some(len) = memchr(b'\n', &bytes[taken..]) else { break };
                self.keep(&bytes[taken..taken + len], offset + taken as u64);
                taken += len + 1;
            }
            taken
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
    fn a_line_that_is_too_long_is_passed_over() {
        let file = [b"a\n".to_vec(), vec![b'x'; MAX_LINE_LEN + 1], b"\nb\n".to_vec()].concat();
        let expected = [b"a".to_vec(), b"too long".to_vec(), b"b".to_vec()];
        assert_eq!(lines_of(&file, 0..file.len() as u64, 1 << 16), expected);
        assert_eq!(lines_of(&file, 0..file.len() as u64, file.len()), expected);
    }

    proptest! {
        /// However the file is parted and the parts come in chunks, the lines are the file's.
        #[test]
        fn any_parts_in_any_chunks_give_the_files_lines(
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
