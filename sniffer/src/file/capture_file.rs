//! One capture file: its next frame, and the part of it that is in memory.

use filter::{Metadata, Program};
use std::net::Ipv4Addr;
use std::sync::Arc;
use summary::capture_file::{FileError, FileInterface, Reader, Step};
use summary::{LinkType, Timestamp};

use super::input::Input;
use crate::Error;
use crate::filter::Filter;
use crate::line_formatter::CapturedPacket;

/// Bytes read at once, and room for records of usual size: they are to stay in the processor's cache
/// until they are described.
const CHUNK_LEN: usize = 256 << 10;

/// A file being read.
pub(super) struct CaptureFile<'a> {
    input: Input<'a>,
    reader: Reader,
    /// Most bytes kept of a frame.
    snaplen: usize,
    buffer: Vec<u8>,
    /// `start <= end <= buffer.len()`: what was read and not consumed.
    start: usize,
    end: usize,
    /// The next frame; its bytes are in the buffer.
    pending: Option<PendingFrame>,
    /// What the reader wants to see before it goes on.
    needed: usize,
    filter: &'a Filter<'a>,
    /// The filter's program for the frames of a link type.
    program: Option<(LinkType, Arc<Program>)>,
    /// Packets that the filter did not take, since they were asked for.
    skipped: u64,
    /// Nothing more will come.
    is_finished: bool,
    failure: Option<FileError>,
}

/// A frame in the buffer.
#[derive(Clone, Copy)]
struct PendingFrame {
    ts: Timestamp,
    link: LinkType,
    wire_len: u32,
    interface: usize,
    /// Where its bytes begin and end in the buffer.
    bytes: (usize, usize),
    /// Where they would end without a snap length: the filter sees all.
    end: usize,
}

impl<'a> CaptureFile<'a> {
    pub(super) fn new(input: Input<'a>, snaplen: usize, filter: &'a Filter<'a>) -> Self {
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
            program: None,
            skipped: 0,
            is_finished: false,
            failure: None,
        }
    }

    /// When the next frame was captured.
    pub(super) fn next_timestamp(&self) -> Option<Timestamp> {
        self.pending.map(|frame| frame.ts)
    }

    /// The next frame.
    pub(super) fn packet(&self) -> Option<CapturedPacket<'_>> {
        let PendingFrame { ts, link, wire_len, interface, bytes: (start, end), .. } =
            self.pending?;
        Some(CapturedPacket {
            ts,
            link,
            bytes: &self.buffer[start..end],
            wire_len,
            interface: self.interfaces()[interface].name.as_deref(),
            direction: None,
            gso: None,
        })
    }

    /// OpenFile of the next frame's interface in [`CaptureFile::interfaces`].
    pub(super) fn interface(&self) -> Option<usize> {
        self.pending.map(|frame| frame.interface)
    }

    pub(super) fn interfaces(&self) -> &[FileInterface] {
        self.reader.interfaces()
    }

    /// Whether the machine that wrote the file has the most significant byte first.
    pub(super) fn is_big_endian(&self) -> bool {
        self.reader.is_big_endian()
    }

    /// Packets that the filter did not take since the last time.
    pub(super) fn take_skipped(&mut self) -> u64 {
        std::mem::take(&mut self.skipped)
    }

    pub(super) fn is_regular(&self) -> bool {
        self.input.is_regular()
    }

    /// Bytes of the file that were read so far, as it is on the disk.
    pub(super) fn read_len(&self) -> u64 {
        self.input.read_len()
    }

    /// Bytes of the file, where that is known.
    pub(super) fn whole_len(&self) -> Option<u64> {
        self.input.whole_len
    }

    /// Goes on to the next frame in memory that the filter takes, or to the end; false where more has to
    /// be read first.
    ///
    /// # Errors
    ///
    /// Where the filter does not compile for a frame's link type.
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

    /// Whether the filter takes a frame.
    fn matches_filter(&mut self, frame: PendingFrame) -> Result<bool, Error> {
        if self.program.as_ref().is_none_or(|(link, _)| *link != frame.link) {
            let source = filter::Source::File { big_endian: self.reader.is_big_endian() };
            let Some(program) = self.filter.program(frame.link, source, Ipv4Addr::UNSPECIFIED)?
            else {
                return Ok(true);
            };
            self.program = Some((frame.link, program));
        }
        let Some((_, program)) = &self.program else { return Ok(true) };
        let bytes = &self.buffer[frame.bytes.0..frame.end];
        Ok(filter::run(program, bytes, frame.wire_len, &Metadata::default()) != 0)
    }

    /// Goes on to the next frame in memory, or to the end.
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
                    // The frame's bytes are a part of the window.
                    let offset = frame.bytes.as_ptr().addr() - window.as_ptr().addr();
                    let start = self.start + offset;
                    let end = start + frame.bytes.len().min(self.snaplen);
                    // More may have been captured than the file says the wire had, and cut here.
                    let len = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
                    let wire_len = frame.wire_len.max(len);
                    self.pending = Some(PendingFrame {
                        ts: frame.ts,
                        link: frame.link,
                        wire_len,
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

    /// Reads until there is as much as [`CaptureFile::next_matching`] wants, or to the end.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, is damaged, or ends in the middle of a record.
    pub(super) fn read(&mut self) -> Result<(), Error> {
        if let Some(failure) = self.failure.take() {
            return Err(self.damaged(failure));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        while self.end < self.needed {
            if self.end == self.buffer.len() {
                // Doubled as bytes come, so that a damaged length alone takes no memory.
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
                        left => Err(self.damaged(self.reader.truncation_error(left))),
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

    fn damaged(&self, source: FileError) -> Error {
        Error::CaptureFile { name: self.input.name.clone(), source }
    }
}
