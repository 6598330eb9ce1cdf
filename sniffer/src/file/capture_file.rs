//! One capture file: a window of its bytes in memory, and its next frame. Parsing is left to
//! `summary::capture_file`.

use std::time::Duration;
use summary::capture_file::{FileError, FileInterface, Reader, Step};
use summary::{Faults, LinkType, Timestamp};

use super::input::Input;
use super::kind::FileKind;
use crate::Error;
use crate::filter::{FileFilter, Filter};
use crate::line_formatter::CapturedPacket;

/// Initial buffer size in bytes: small enough that the frames stay in the CPU cache until they are
/// formatted.
const CHUNK_LEN: usize = 256 << 10;

/// A capture file being read.
pub(super) struct CaptureFile<'a> {
    input: Input<'a>,
    reader: Reader,
    /// Frames are truncated to this many bytes.
    snaplen: usize,
    buffer: Vec<u8>,
    /// `start <= end <= buffer.len()`: the bytes read and not yet consumed.
    start: usize,
    end: usize,
    /// The next frame.
    pending: Option<PendingFrame>,
    /// Unconsumed bytes that the reader needs to continue.
    needed: usize,
    filter: &'a Filter,
    file_filter: FileFilter,
    /// Packets rejected since the last `take_skipped`.
    skipped: u64,
    /// No frame follows: the file ended or is damaged.
    is_finished: bool,
    /// The parser's error, until `read` returns it.
    failure: Option<FileError>,
}

/// A frame whose bytes are in the buffer.
#[derive(Clone, Copy)]
struct PendingFrame {
    ts: Timestamp,
    link: LinkType,
    wire_len: u32,
    faults: Faults,
    interface: usize,
    /// Start and end of its bytes in the buffer, truncated to the snap length.
    bytes: (usize, usize),
    /// End without truncation: the filter sees all bytes.
    end: usize,
}

impl<'a> CaptureFile<'a> {
    pub(super) fn new(input: Input<'a>, snaplen: usize, filter: &'a Filter) -> Self {
        Self {
            input,
            reader: Reader::new(),
            snaplen,
            buffer: vec![0; CHUNK_LEN],
            start: 0,
            end: 0,
            pending: None,
            needed: 1,
            filter,
            file_filter: FileFilter::default(),
            skipped: 0,
            is_finished: false,
            failure: None,
        }
    }

    /// The timestamp of the next frame; `None` if there is none.
    pub(super) fn next_timestamp(&self) -> Option<Timestamp> {
        self.pending.map(|frame| frame.ts)
    }

    /// The next frame.
    pub(super) fn packet(&self) -> Option<CapturedPacket<'_>> {
        let PendingFrame { ts, link, wire_len, faults, interface, bytes: (start, end), .. } =
            self.pending?;
        Some(CapturedPacket {
            ts,
            link,
            is_big_endian: self.reader.is_big_endian(),
            bytes: &self.buffer[start..end],
            wire_len,
            faults,
            interface: self.interfaces()[interface].name.as_deref(),
            direction: None,
            gso: None,
        })
    }

    /// Index of the next frame's interface in [`CaptureFile::interfaces`].
    pub(super) fn interface(&self) -> Option<usize> {
        self.pending.map(|frame| frame.interface)
    }

    pub(super) fn interfaces(&self) -> &[FileInterface] {
        self.reader.interfaces()
    }

    /// Whether the file was written on a big-endian machine.
    pub(super) fn is_big_endian(&self) -> bool {
        self.reader.is_big_endian()
    }

    /// Packets that the filter rejected since the last call.
    pub(super) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    pub(super) fn is_regular(&self) -> bool {
        self.input.is_regular()
    }

    /// Waits until a pipe can be read, or a signal arrives. False if `timeout` has passed first.
    pub(super) fn wait(&self, timeout: Duration) -> Result<bool, Error> {
        self.input.wait(timeout)
    }

    /// Whether reading a pipe would block now.
    pub(super) fn would_block(&self) -> bool {
        self.input.would_block()
    }

    /// Bytes of the file read so far, before decompression.
    pub(super) fn read_len(&self) -> u64 {
        self.input.read_len()
    }

    /// Size of the file in bytes; `None` unless it is a regular file.
    pub(super) fn total_len(&self) -> Option<u64> {
        self.input.total_len
    }

    /// Moves to the next frame that matches the filter, or to the end of the file. Returns false if
    /// more bytes must be read first.
    ///
    /// # Errors
    ///
    /// If the filter does not compile for a frame's link type.
    pub(super) fn next_matching(&mut self) -> Result<bool, Error> {
        loop {
            let has_stepped = self.next_unfiltered();
            let Some(frame) = self.pending.filter(|_| has_stepped) else { return Ok(has_stepped) };
            if self.matches_filter(frame)? {
                return Ok(true);
            }
            self.skipped += 1;
        }
    }

    /// Whether the filter accepts a frame.
    fn matches_filter(&mut self, frame: PendingFrame) -> Result<bool, Error> {
        let order = self.reader.is_big_endian();
        let bytes = &self.buffer[frame.bytes.0..frame.end];
        self.file_filter.accepts(self.filter, (frame.link, order), bytes, frame.wire_len)
    }

    /// Moves to the next frame, or to the end of the file. Returns false if more bytes must be read.
    fn next_unfiltered(&mut self) -> bool {
        self.pending = None;
        if self.is_finished {
            return true;
        }
        if self.end - self.start < self.needed {
            return false;
        }
        loop {
            let window = &self.buffer[self.start..self.end];
            match self.reader.step(window) {
                Ok(Step::Skipped { consumed }) => self.start += consumed,
                Ok(Step::NeedMore { needed }) => {
                    self.needed = needed;
                    return false;
                }
                Ok(Step::Frame { consumed, frame }) => {
                    // The frame's bytes are a subslice of the window.
                    let offset = frame.bytes.as_ptr().addr() - window.as_ptr().addr();
                    let start = self.start + offset;
                    let end = start + frame.bytes.len().min(self.snaplen);
                    self.pending = Some(PendingFrame {
                        ts: frame.ts,
                        link: frame.link,
                        wire_len: frame.wire_len,
                        faults: frame.faults,
                        interface: frame.interface,
                        bytes: (start, end),
                        end: start + frame.bytes.len(),
                    });
                    self.start += consumed;
                    self.needed = 1;
                    return true;
                }
                Err(error) => {
                    (self.is_finished, self.failure) = (true, Some(error));
                    return false;
                }
            }
        }
    }

    /// Reads the bytes that [`CaptureFile::next_matching`] needs, or to the end of the file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or ends within a record.
    pub(super) fn read(&mut self) -> Result<(), Error> {
        if let Some(failure) = self.failure.take() {
            if failure == FileError::Unrecognized {
                // The first read returns few bytes, from which the kind of file is not clear yet.
                self.end += self.input.read(&mut self.buffer[self.end..])?;
            }
            return Err(self.file_error(failure));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        while self.end < self.needed {
            if self.end == self.buffer.len() {
                // Grow with the bytes that arrive, so that a damaged length alone allocates nothing.
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.is_finished = true;
                    return match self.end {
                        0 if self.reader.is_empty() => {
                            Err(Error::EmptyInput { name: self.input.name.clone() })
                        }
                        0 => Ok(()),
                        left => Err(self.file_error(self.reader.truncation_error(left))),
                    };
                }
                Ok(len) => self.end += len,
                Err(error) => {
                    self.is_finished = true;
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    fn file_error(&self, source: FileError) -> Error {
        let name = self.input.name.clone();
        let kind = FileKind::detect(&self.buffer[self.start..self.end]);
        match kind.filter(|_| source == FileError::Unrecognized) {
            Some(kind) => Error::OtherFileKind { name, kind: kind.description() },
            None => Error::CaptureFile { name, source },
        }
    }
}
