//! A capture file, pcap or pcapng, to packets: the same decoding as the sniffer's.

use summary::capture_file::{Reader, Step};
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
}

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
                Ok(Step::Passed { consumed }) => taken += consumed,
                Ok(Step::More { .. }) if !chunk.is_empty() || bytes.is_empty() => break Ok(()),
                Ok(Step::More { .. }) => break Err(self.reader.cut(bytes.len()).to_string()),
                Ok(Step::Frame { consumed, frame }) => {
                    self.count += 1;
                    let mut summary = decode(frame.link, frame.bytes, frame.wire_len);
                    summary.eth = None; // as the sniffer's lines without -e
                    let mut packet = Packet::new(self.count, frame.ts, summary);
                    let interface = self.reader.interfaces().get(frame.interface);
                    packet.interface =
                        interface.and_then(|interface| interface.name.as_deref()).map(Into::into);
                    visit(&packet, self.position + taken as u64);
                    taken += consumed;
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        self.rest.drain(..taken);
        self.position += taken as u64;
        result
    }
}
