//! TCP options that analysis needs (RFC 9293, section 3.2): MSS, window scale, SACK and timestamps.

const END: u8 = 0;
const NO_OPERATION: u8 = 1;
const MSS: u8 = 2;
const WINDOW_SCALE: u8 = 3;
const SACK_PERMITTED: u8 = 4;
const SACK: u8 = 5;
const TIMESTAMPS: u8 = 8;

/// The options of one TCP header. [`decode_with_details`](crate::decode_with_details) finds them; a line
/// does not contain them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpOptions {
    /// Maximum segment size in bytes (RFC 9293, section 3.7.1).
    pub mss: Option<u16>,
    /// Shift count of the window (RFC 7323, section 2), 0 to 255 as on the wire.
    pub window_scale: Option<u8>,
    /// Whether the sender accepts selective acknowledgments (RFC 2018, section 2).
    pub is_sack_permitted: bool,
    /// TSval and TSecr (RFC 7323, section 3).
    pub timestamps: Option<(u32, u32)>,
    sack: [(u32, u32); Self::MAX_SACK_BLOCKS],
    /// `sack_count <= MAX_SACK_BLOCKS`
    sack_count: u8,
}

impl TcpOptions {
    /// The largest number of blocks that fits a header.
    const MAX_SACK_BLOCKS: usize = 4;

    /// Parses the bytes after the fixed part of a TCP header. An option with an impossible length ends
    /// the list; those before it count.
    ///
    /// ```
    /// use summary::TcpOptions;
    ///
    /// let options = TcpOptions::parse(&[2, 4, 5, 0xb4, 1, 3, 3, 7]);
    /// assert_eq!((options.mss, options.window_scale), (Some(1460), Some(7)));
    /// ```
    pub fn parse(mut bytes: &[u8]) -> Self {
        let mut options = Self::default();
        while let [kind, rest @ ..] = bytes {
            match *kind {
                END => break,
                NO_OPERATION => bytes = rest,
                kind => {
                    let len = rest.first().map_or(0, |len| usize::from(*len));
                    let (Some(option), true) = (bytes.get(..len), 2 <= len) else { break };
                    options.add(kind, &option[2..]);
                    bytes = &bytes[len..];
                }
            }
        }
        options
    }

    /// Blocks of data that the sender received after a gap: the first sequence number of each, and the
    /// one after its last (RFC 2018, section 3).
    pub fn sack(&self) -> &[(u32, u32)] {
        &self.sack[..usize::from(self.sack_count)]
    }

    fn add(&mut self, kind: u8, data: &[u8]) {
        match (kind, data) {
            (MSS, &[high, low]) => self.mss = Some(u16::from_be_bytes([high, low])),
            (WINDOW_SCALE, [shift]) => self.window_scale = Some(*shift),
            (SACK_PERMITTED, []) => self.is_sack_permitted = true,
            (SACK, data) => {
                self.sack_count = 0;
                for (block, slot) in data.chunks_exact(8).zip(&mut self.sack) {
                    *slot = pair(block);
                    self.sack_count += 1;
                }
            }
            (TIMESTAMPS, data) if data.len() == 8 => self.timestamps = Some(pair(data)),
            _ => {}
        }
    }
}

/// Two numbers of 32 bits in network byte order.
fn pair(bytes: &[u8]) -> (u32, u32) {
    let number = |bytes: &[u8]| bytes.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    (number(&bytes[..4]), number(&bytes[4..8]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HeaderDetails, LinkType, Summary, Tunnels, decode_with_details};
    use proptest::prelude::*;

    #[test]
    fn options_are_read_up_to_a_wrong_length() {
        let bytes = [
            &[SACK_PERMITTED, 2, NO_OPERATION][..],
            &[TIMESTAMPS, 10, 0, 0, 1, 0, 0, 0, 0, 9],
            &[SACK, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 6],
            &[30, 3, 0, 99, 1, MSS, 4, 5, 0xb4],
        ]
        .concat();
        let options = TcpOptions::parse(&bytes);
        assert!(options.is_sack_permitted);
        assert_eq!(options.timestamps, Some((256, 9)));
        assert_eq!(options.sack(), [(1, 2), (5, 6)]);
        assert_eq!(options.mss, None);
    }

    #[test]
    fn nothing_follows_the_end_of_options() {
        assert_eq!(TcpOptions::parse(&[END, MSS, 4, 5, 0xb4]), TcpOptions::default());
    }

    #[test]
    fn decoding_finds_the_options_of_the_described_header() {
        let frame = [
            &[0x45, 0, 0, 44, 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..], // IPv4
            &[0, 80, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0x60, 2, 0, 64, 0, 0, 0, 0, MSS, 4, 5, 0xb4],
        ]
        .concat();
        let decode = |bytes: &[u8]| {
            let mut summary = Summary::new(LinkType::RAW, 0, 0);
            let options = TcpOptions { window_scale: Some(1), ..TcpOptions::default() };
            let mut details = HeaderDetails::default();
            details.tcp_options = options;
            let inner = Tunnels::Inner;
            decode_with_details(LinkType::RAW, bytes, 44, inner, &mut summary, &mut details);
            assert_eq!(summary, crate::decode(LinkType::RAW, bytes, 44));
            details.tcp_options
        };
        assert_eq!(decode(&frame), TcpOptions { mss: Some(1460), ..TcpOptions::default() });
        assert_eq!(decode(&frame[..42]), TcpOptions::default());
    }

    proptest! {
        #[test]
        fn any_bytes_are_accepted(bytes in prop::collection::vec(any::<u8>(), 0..=40)) {
            prop_assert!(TcpOptions::parse(&bytes).sack().len() <= TcpOptions::MAX_SACK_BLOCKS);
        }
    }
}
