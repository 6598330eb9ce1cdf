//! A capture file, pcap or pcapng, to columns: the same decoding as the sniffer's.

use summary::capture_file::{Reader, Step};
use summary::{Packet, decode};

use crate::columns::Columns;

/// A capture file being read.
#[derive(Debug, Default)]
pub(super) struct Capture {
    reader: Reader,
    /// Bytes behind the last whole record.
    rest: Vec<u8>,
    /// Packets so far.
    pub(super) count: u64,
}

impl Capture {
    /// Takes the next bytes of the file; none is its end.
    ///
    /// # Errors
    ///
    /// Where the file is damaged or cut, in words; the packets before that are good.
    pub(super) fn feed(&mut self, chunk: &[u8], columns: &mut Columns) -> Result<(), String> {
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
                    let summary = decode(frame.link, frame.bytes, frame.wire_len);
                    let pushed = columns.push(&Packet::new(self.count, frame.ts, summary));
                    taken += consumed;
                    if let Err(reason) = pushed {
                        break Err(reason.to_owned());
                    }
                }
                Err(error) => break Err(error.to_string()),
            }
        };
        self.rest.drain(..taken);
        result
    }
}
