//! Reads packets from pcap and pcapng files, with the decoder of the sniffer.

use summary::capture_file::{Frame, Reader, Step};
use summary::{Packet, decode};

/// A capture file being read.
#[derive(Debug, Default)]
pub(super) struct Capture {
    reader: Reader,
    /// Bytes after the last complete record.
    rest: Vec<u8>,
    /// Number of packets so far.
    count: u64,
    /// Offset of `rest` in the file.
    position: u64,
    /// Copies of the reader for rereading single records: one at the first packet, and one after each new
    /// interface or section, with the offset from which it applies. At most [`MAX_CHECKPOINTS`].
    checkpoints: Vec<(u64, Reader)>,
    /// Blocks without packets have been read since the last packet.
    has_new_blocks: bool,
}

/// The largest number of checkpoints. Captured files have far fewer interfaces.
const MAX_CHECKPOINTS: usize = 1_000;

impl Capture {
    /// Takes the next bytes of the file and passes on the packets that end in them, with the offsets of
    /// their records. An empty chunk is the end of the file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged or truncated. All packets before have been passed on.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        mut visit: impl FnMut(&Packet<'_>, u64),
    ) -> Result<(), String> {
        self.rest.extend_from_slice(chunk);
        let mut consumed_len = 0;
        let result = loop {
            let bytes = &self.rest[consumed_len..];
            match self.reader.step(bytes) {
                Ok(Step::Skipped { consumed }) => {
                    self.has_new_blocks = true;
                    consumed_len += consumed;
                }
                Ok(Step::NeedMore { .. }) if !chunk.is_empty() || bytes.is_empty() => break Ok(()),
                Ok(Step::NeedMore { .. }) => {
                    break Err(self.reader.truncation_error(bytes.len()).to_string());
                }
                Ok(Step::Frame { consumed, frame }) => {
                    self.count += 1;
                    let start = self.position + consumed_len as u64;
                    if std::mem::take(&mut self.has_new_blocks)
                        && self.checkpoints.len() < MAX_CHECKPOINTS
                    {
                        let last = self.checkpoints.last();
                        if last.is_none_or(|(_, last)| !last.same_format(&self.reader)) {
                            self.checkpoints.push((start, self.reader.clone()));
                        }
                    }
                    visit(&packet(&frame, self.count, &self.reader), start);
                    consumed_len += consumed;
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        self.rest.drain(..consumed_len);
        self.position += consumed_len as u64;
        result
    }

    /// Rereads a packet, given by its number, the offset of its record, and the bytes from that offset.
    ///
    /// # Errors
    ///
    /// The number of bytes needed if there are too few; `None` if only reading the whole file can
    /// reproduce the packet.
    pub(super) fn reread<'a>(
        &'a self,
        n: u64,
        start: u64,
        bytes: &'a [u8],
    ) -> Result<Packet<'a>, Option<usize>> {
        let count = self.checkpoints.partition_point(|(from, _)| *from <= start);
        // If the limit was reached, later checkpoints may be missing.
        let is_exact = count < self.checkpoints.len() || self.checkpoints.len() < MAX_CHECKPOINTS;
        let reader =
            count.checked_sub(1).filter(|_| is_exact).map(|index| &self.checkpoints[index].1);
        let reader = reader.ok_or(None)?;
        match reader.clone().step(bytes) {
            Ok(Step::Frame { frame, .. }) => Ok(packet(&frame, n, reader)),
            Ok(Step::NeedMore { needed }) => Err(Some(needed)),
            _ => Err(None),
        }
    }
}

/// Decodes a frame. Leaves out the Ethernet addresses, as the sniffer does without `-e`.
fn packet<'a>(frame: &Frame<'a>, n: u64, reader: &'a Reader) -> Packet<'a> {
    let mut summary = decode(frame.link, frame.bytes, frame.wire_len);
    summary.eth = None;
    let mut packet = Packet::new(n, frame.ts, summary);
    let interface = reader.interfaces().get(frame.interface);
    packet.interface = interface.and_then(|interface| interface.name.as_deref()).map(Into::into);
    packet
}
