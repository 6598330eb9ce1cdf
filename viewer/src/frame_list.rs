//! Packets as the sniffer that serves the page sends them.

use crate::load::RawFrame;

/// The packets in a response, each with its number, up to the first invalid record. A record has big-endian numbers:
/// that of the packet (8 bytes), its LINKTYPE_ number, its length on the wire and the number of its captured bytes
/// (4 bytes each), and the captured bytes.
pub fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (u64, RawFrame)> {
    std::iter::from_fn(move || {
        let n = u64::from_be_bytes(take(&mut bytes)?);
        let [link, wire_len, len] = [(); 3].map(|()| take(&mut bytes).map(u32::from_be_bytes));
        let (frame, rest) = bytes.split_at_checked(usize::try_from(len?).ok()?)?;
        bytes = rest;
        let link = u16::try_from(link?).ok()?;
        Some((n, RawFrame { link, wire_len: wire_len?, bytes: frame.to_vec() }))
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn records_are_read() {
        let record = [0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 1, 20, 0, 0, 5, 220, 0, 0, 0, 3, 97, 98, 99];
        let frame = RawFrame { link: 276, wire_len: 1_500, bytes: b"abc".to_vec() };
        let expected = vec![(300, frame.clone()), (300, frame)];
        let bytes = [record, record].concat();
        assert_eq!(frames(&bytes).collect::<Vec<_>>(), expected);
        for len in 24..bytes.len() {
            assert_eq!(frames(&bytes[..len]).count(), 1, "{len}");
        }
    }

    proptest! {
        #[test]
        fn bytes_of_frames_are_in_the_response(bytes in prop::collection::vec(0u8..3, 0..200)) {
            let len: usize = frames(&bytes).map(|(_, frame)| 20 + frame.bytes.len()).sum();
            prop_assert!(len <= bytes.len());
        }
    }
}
