//! The position of an IP fragment in its datagram.

/// The part of a datagram in an IP packet. [`decode_with_details`](crate::decode_with_details) finds it; a
/// line contains only its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification of the datagram: 16 bits in IPv4 (RFC 791), 32 bits in IPv6 (RFC 8200, section
    /// 4.5). It distinguishes the datagrams between two hosts.
    pub id: u32,
    /// Protocol number in the IPv4 header: identifications are unique for each protocol. `None` in IPv6.
    pub protocol: Option<u8>,
    /// Number of the protocol of the datagram: that of IPv4, or the next header of IPv6, of which only that
    /// in the first fragment counts (RFC 8200, section 4.5).
    pub next_header: u8,
    /// Where its bytes begin in the frame.
    pub start: u32,
    /// Position in the datagram in bytes.
    pub offset: u32,
    /// Number of its bytes on the wire.
    pub len: u32,
    /// Whether the datagram ends with it.
    pub is_last: bool,
}

impl Fragment {
    /// Position of the byte after it in the datagram.
    pub fn end(&self) -> u32 {
        self.offset.saturating_add(self.len)
    }

    /// Its captured bytes in a frame.
    pub fn bytes<'a>(&self, frame: &'a [u8]) -> &'a [u8] {
        let start = usize::try_from(self.start).unwrap_or(usize::MAX);
        let bytes = frame.get(start..).unwrap_or_default();
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        &bytes[..bytes.len().min(len)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{HeaderDetails, LinkType, Summary, Tunnels, decode_with_details};

    fn find(bytes: &[u8]) -> Option<Fragment> {
        let len = u32::try_from(bytes.len()).unwrap();
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        let mut details = HeaderDetails::default();
        let inner = Tunnels::Inner;
        decode_with_details(LinkType::RAW, bytes, len, inner, &mut summary, &mut details);
        assert_eq!(summary.frag.is_some(), details.fragment.is_some());
        details.fragment
    }

    /// An IPv4 packet with these flags and this offset.
    fn ipv4(protocol: u8, field: u16, payload: &[u8]) -> Vec<u8> {
        let len = u8::try_from(20 + payload.len()).unwrap();
        let [high, low] = field.to_be_bytes();
        let start = [0x45, 0, 0, len, 1, 2, high, low, 64, protocol, 0, 0];
        [&start[..], &[10, 0, 0, 1, 10, 0, 0, 2], payload].concat()
    }

    fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
        let len = u8::try_from(payload.len()).unwrap();
        [&[0x60, 0, 0, 0, 0, len, next, 64][..], &[1; 16], &[2; 16], payload].concat()
    }

    #[test]
    fn parts_have_identification_and_position() {
        let expected = Fragment {
            id: 0x102,
            protocol: Some(17),
            next_header: 17,
            start: 20,
            offset: 0,
            len: 8,
            is_last: false,
        };
        let padded = [ipv4(17, 0x2000, &[0; 8]), vec![0; 2]].concat();
        assert_eq!(find(&padded), Some(expected));
        assert_eq!(expected.bytes(&padded), [0; 8]);
        assert_eq!(
            (expected.bytes(&padded[..24]).len(), expected.bytes(&padded[..9]).len()),
            (4, 0)
        );
        let later = Fragment { offset: 0x1fff * 8, is_last: true, ..expected };
        assert_eq!(find(&ipv4(17, 0x1fff, &[0; 8])), Some(later));
        // After hop-by-hop options.
        let header = [17, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
        let packet = ipv6(0, &[&[44, 0, 1, 4, 0, 0, 0, 0][..], &header, &[0; 16]].concat());
        let expected = Fragment {
            id: 0xdead_beef,
            protocol: None,
            next_header: 17,
            start: 56,
            offset: 8,
            len: 16,
            is_last: false,
        };
        assert_eq!(find(&packet), Some(expected));
    }

    #[test]
    fn innermost_header_counts() {
        let inner = ipv4(17, 0x2000, &[0; 8]);
        let id = find(&ipv6(4, &inner)).map(|fragment| (fragment.id, fragment.protocol));
        assert_eq!(id, Some((0x102, Some(17))));
        // A fragment of a tunnel is not entered.
        let outer = find(&ipv4(4, 0x2000, &inner)).unwrap();
        assert_eq!((outer.protocol, outer.len), (Some(4), 28));
    }

    #[test]
    fn complete_datagrams_are_not_fragments() {
        let atomic = [17, 0, 0, 0, 0, 0, 0, 1];
        // The flag that forbids fragments.
        for packet in [ipv4(17, 0x4000, &[0; 8]), ipv6(17, &[0; 8]), ipv6(44, &atomic), vec![]] {
            assert_eq!(find(&packet), None, "{packet:?}");
        }
    }
}
