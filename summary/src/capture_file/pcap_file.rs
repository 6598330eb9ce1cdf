//! Writes pcap files in memory: the page's sample, and the capture files of tests.
//!
//! Format: <https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/>, little-endian, with
//! nanosecond timestamps.

/// Magic number of a file with nanosecond timestamps.
const MAGIC_NS: u32 = 0xa1b2_3c4d;

/// Snapshot length in the file header: libpcap's default, above every frame written here.
const SNAPLEN: u32 = 262_144;

const NS_PER_SECOND: u64 = 1_000_000_000;

/// A pcap file in memory.
///
/// ```
/// use summary::capture_file::PcapFile;
///
/// let mut file = PcapFile::new(1);
/// file.push(1_500_000_000, &[0; 60]);
/// assert_eq!(file.into_bytes().len(), 24 + 16 + 60);
/// ```
#[derive(Clone, Debug)]
pub struct PcapFile {
    bytes: Vec<u8>,
}

impl PcapFile {
    /// A file without packets. `link` is a LINKTYPE_ number: 1 for Ethernet
    /// (<https://www.tcpdump.org/linktypes.html>).
    pub fn new(link: u16) -> Self {
        let mut bytes = Vec::new();
        bytes.extend(MAGIC_NS.to_le_bytes());
        // Version 2.4, then two reserved fields.
        bytes.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        bytes.extend(SNAPLEN.to_le_bytes());
        bytes.extend(u32::from(link).to_le_bytes());
        Self { bytes }
    }

    /// Appends a packet that was captured completely. `ts_ns` counts from the Unix epoch.
    ///
    /// # Panics
    ///
    /// If the frame has 4 GiB or more, or the time lies after the year 2105.
    pub fn push(&mut self, ts_ns: u64, frame: &[u8]) {
        let wire_len = u32::try_from(frame.len()).expect("a frame is shorter than 4 GiB");
        self.push_truncated(ts_ns, frame, wire_len);
    }

    /// Appends a packet that had `wire_len` bytes on the wire, of which `captured` were kept.
    ///
    /// # Panics
    ///
    /// See [`PcapFile::push`].
    pub fn push_truncated(&mut self, ts_ns: u64, captured: &[u8], wire_len: u32) {
        let u32_of = |value: u64| u32::try_from(value).expect("fits into 32 bits");
        let fields = [
            u32_of(ts_ns / NS_PER_SECOND),
            u32_of(ts_ns % NS_PER_SECOND),
            u32_of(captured.len() as u64),
            wire_len,
        ];
        self.bytes.extend(fields.iter().flat_map(|field| field.to_le_bytes()));
        self.bytes.extend(captured);
    }

    /// The file's bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture_file::{Reader, Step};

    #[test]
    fn written_packets_are_read_back() {
        let mut file = PcapFile::new(101);
        file.push(1_000_000_001, &[1, 2, 3]);
        file.push_truncated(2_999_999_999, &[4, 5], 60);
        let bytes = file.into_bytes();

        let (mut reader, mut rest, mut packets) = (Reader::new(), &bytes[..], Vec::new());
        while !rest.is_empty() {
            match reader.step(rest).unwrap() {
                Step::Frame { consumed, frame } => {
                    packets.push((frame.ts.ns(), frame.bytes.to_vec(), frame.wire_len));
                    rest = &rest[consumed..];
                }
                Step::Skipped { consumed } => rest = &rest[consumed..],
                Step::NeedMore { .. } => panic!("the file ends in the middle of a record"),
            }
        }
        assert_eq!(packets, [(1_000_000_001, vec![1, 2, 3], 3), (2_999_999_999, vec![4, 5], 60)]);
    }
}
