//! A capture file, pcap or pcapng, to packets: the same decoding as the sniffer's.

use summary::capture_file::{Frame, Reader, Step};
use summary::{Packet, decode};

/// A capture file being read.
#[derive(Debug, Default)]
pub(super) struct Capture {
    reader: Reader,
    /// Bytes behind the last whole record.
    rest: Vec<u8>,
    /// Packets so far.
    count: u64,
    /// Where in the file `rest` begins.
    position: u64,
    /// The reader as it was at the first packet, and at each that comes behind a description of another
    /// interface or section, with where in the file those are: the first so many.
    readers: Vec<(u64, Reader)>,
    /// Something else than packets came since the last of them.
    is_other: bool,
}

/// How many states of the reader are kept: more have only files that nobody wrote by capturing.
const MAX_READERS: usize = 1_000;

impl Capture {
    /// Takes the next bytes of the file and hands on the packets that end in them, each with where
    /// in the file its record begins; no bytes are the file's end.
    ///
    /// # Errors
    ///
    /// Where the file is damaged or cut, in words; the packets before that are good.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut visit: impl FnMut(&Packet<'_>, u64),
    ) -> Result<(), String> {
        self.rest.extend_from_slice(chunk);
        let mut taken = 0;
        let result = loop {
            let bytes = &self.rest[taken..];
            match self.reader.step(bytes) {
                Ok(Step::Skipped { consumed }) => {
                    self.is_other = true;
                    taken += consumed;
                }
                Ok(Step::NeedMore { .. }) if !chunk.is_empty() || bytes.is_empty() => break Ok(()),
                Ok(Step::NeedMore { .. }) => {
                    break Err(self.reader.truncation_error(bytes.len()).to_string());
                }
                Ok(Step::Frame { consumed, frame }) => {
                    self.count += 1;
                    let start = self.position + taken as u64;
                    if std::mem::take(&mut self.is_other) && self.readers.len() < MAX_READERS {
                        let known = self.readers.last();
                        if known.is_none_or(|(_, known)| !known.same_format(&self.reader)) {
                            self.readers.push((start, self.reader.clone()));
                        }
                    }
                    visit(&packet(&frame, self.count, &self.reader), start);
                    taken += consumed;
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        self.rest.drain(..taken);
        self.position += taken as u64;
        result
    }

    /// The packet of a record that was read before, again, of its number, where it begins in the file,
    /// and the bytes from there on.
    ///
    /// # Errors
    ///
    /// Where there are too few bytes, with how many it takes; where it cannot be read so, with `None`.
    pub(super) fn again<'a>(
        &'a self,
        n: u64,
        start: u64,
        bytes: &'a [u8],
    ) -> Result<Packet<'a>, Option<usize>> {
        let known = self.readers.partition_point(|(from, _)| *from <= start);
        // Behind the last that is kept there may be others.
        let is_kept = known < self.readers.len() || self.readers.len() < MAX_READERS;
        let reader = known.checked_sub(1).filter(|_| is_kept).map(|place| &self.readers[place].1);
        let reader = reader.ok_or(None)?;
        match reader.clone().step(bytes) {
            Ok(Step::Frame { frame, .. }) => Ok(packet(&frame, n, reader)),
            Ok(Step::NeedMore { needed }) => Err(Some(needed)),
            _ => Err(None),
        }
    }
}

/// The packet of a frame, as the sniffer's lines without -e have it.
fn packet<'a>(frame: &Frame<'a>, n: u64, reader: &'a Reader) -> Packet<'a> {
    let mut summary = decode(frame.link, frame.bytes, frame.wire_len);
    summary.eth = None;
    let mut packet = Packet::new(n, frame.ts, summary);
    let interface = reader.interfaces().get(frame.interface);
    packet.interface = interface.and_then(|interface| interface.name.as_deref()).map(Into::into);
    packet
}
