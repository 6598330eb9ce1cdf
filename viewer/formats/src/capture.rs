//! Reads packets from pcap and pcapng files, with the decoder of the sniffer.

use summary::capture_file::{Frame, Reader, Step};
use summary::{HeaderDetails, Packet, Summary, Tunnels, decode_with_details};

/// A packet of a capture file, not yet decoded.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// Its number in the file, from 1.
    pub(crate) n: u64,
    pub(crate) frame: Frame<'a>,
    /// The reader that read it, which knows its interface.
    pub(crate) reader: &'a Reader,
}

impl<'a> Record<'a> {
    /// The packet as the sniffer describes it without options: without the MAC addresses of IP packets.
    pub(crate) fn packet(&self) -> Packet<'a> {
        let mut packet = self.undecoded();
        self.decode(&mut packet, &mut HeaderDetails::default());
        packet.summary.faults.insert(self.frame.faults);
        packet.summary.omit_redundant_eth();
        packet
    }

    /// The packet without a summary.
    pub(crate) fn undecoded(&self) -> Packet<'a> {
        let interface = self.reader.interfaces().get(self.frame.interface);
        let interface = interface.and_then(|interface| interface.name.as_deref()).map(Into::into);
        let summary = Summary::new(self.frame.link, 0, 0);
        Packet { interface, ..Packet::new(self.n, self.frame.ts, summary) }
    }

    /// Decodes the frame: sets the summary, with MAC addresses and without the faults of the record, and returns
    /// the transport payload. All forms of packets use this, so that this module contains the decoder once. It
    /// overwrites a packet, because moving one is measurable.
    pub(crate) fn decode(&self, packet: &mut Packet<'a>, details: &mut HeaderDetails) -> &'a [u8] {
        let Frame { link, bytes, wire_len, .. } = self.frame;
        let summary = &mut packet.summary;
        decode_with_details(link, bytes, wire_len, Tunnels::Inner, summary, details)
    }
}

/// A capture file being read.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    reader: Reader,
    /// Bytes after the last complete record.
    rest: Vec<u8>,
    /// Number of packets so far.
    count: u64,
    /// Offset of `rest` in the file.
    position: u64,
    checkpoints: Checkpoints,
    /// [`Reader::description_count`] at the last packet.
    description_count: u64,
}

/// Copies of the reader for rereading single records: one at the first packet, and one after each new
/// interface or section.
#[derive(Debug, Default)]
struct Checkpoints {
    /// Readers with the offset from which they apply, ascending.
    readers: Vec<(u64, Reader)>,
    /// Number of interfaces of all readers.
    interface_count: usize,
    /// A limit was reached: the readers of packets from this offset on are missing.
    missing_from: Option<u64>,
}

impl Checkpoints {
    /// Adds the reader of the packet at `start` if the last one does not apply to it.
    fn add(&mut self, start: u64, reader: &Reader) {
        let last = self.readers.last();
        if self.missing_from.is_some() || last.is_some_and(|(_, last)| last.same_format(reader)) {
            return;
        }
        let count = self.interface_count + reader.interfaces().len();
        if MAX_CHECKPOINTS <= self.readers.len() || MAX_CHECKPOINT_INTERFACES < count {
            self.missing_from = Some(start);
            return;
        }
        self.interface_count = count;
        self.readers.push((start, reader.clone()));
    }

    /// The reader of the packet at `start`; `None` if it is missing.
    fn find(&self, start: u64) -> Option<&Reader> {
        let count = self.readers.partition_point(|(from, _)| *from <= start);
        let is_stored = self.missing_from.is_none_or(|from| start < from);
        count.checked_sub(1).filter(|_| is_stored).map(|index| &self.readers[index].1)
    }
}

/// The largest number of checkpoints. Captured files have far fewer interfaces.
const MAX_CHECKPOINTS: usize = 1_000;

/// The largest number of interfaces in all checkpoints together, which bounds their memory: a file can
/// describe 65,536 interfaces and then one more before each packet.
const MAX_CHECKPOINT_INTERFACES: usize = 100_000;

impl Capture {
    /// Takes the next bytes of the file and passes on the packets that end in them, with the offsets of
    /// their records. An empty chunk is the end of the file.
    ///
    /// # Errors
    ///
    /// A message if the file is damaged or truncated. All packets before have been passed on.
    pub(crate) fn feed(
        &mut self,
        chunk: &[u8],
        mut visit: impl FnMut(&Record<'_>, u64),
    ) -> Result<(), String> {
        self.rest.extend_from_slice(chunk);
        let mut consumed_len = 0;
        let result = loop {
            let bytes = &self.rest[consumed_len..];
            match self.reader.step(bytes) {
                Ok(Step::Skipped { consumed }) => consumed_len += consumed,
                Ok(Step::NeedMore { .. }) if !chunk.is_empty() || bytes.is_empty() => break Ok(()),
                Ok(Step::NeedMore { .. }) => {
                    break Err(self.reader.truncation_error(bytes.len()).to_string());
                }
                Ok(Step::Frame { consumed, frame }) => {
                    self.count += 1;
                    let start = self.position + consumed_len as u64;
                    if self.description_count != self.reader.description_count() {
                        self.description_count = self.reader.description_count();
                        self.checkpoints.add(start, &self.reader);
                    }
                    visit(&Record { n: self.count, frame, reader: &self.reader }, start);
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
    pub(crate) fn reread<'a>(
        &'a self,
        n: u64,
        start: u64,
        bytes: &'a [u8],
    ) -> Result<Record<'a>, Option<usize>> {
        let reader = self.checkpoints.find(start).ok_or(None)?;
        match reader.clone().step(bytes) {
            Ok(Step::Frame { frame, .. }) => Ok(Record { n, frame, reader }),
            Ok(Step::NeedMore { needed }) => Err(Some(needed)),
            _ => Err(None),
        }
    }
}
