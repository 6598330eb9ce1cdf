//! Which datagram a fragment is a part of.

use crate::decode::decode_observed;
use crate::observer::Observer;
use crate::{LinkType, Summary, Tunnels};

/// A part of a datagram: what a line does not contain.
///
/// ```
/// use summary::{Fragment, LinkType, Tunnels};
///
/// let last = [
///     0x45, 0, 0, 28, 0xab, 0xcd, 0, 1, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     1, 2, 3, 4, 5, 6, 7, 8,
/// ];
/// let fragment = Fragment::find(LinkType::RAW, &last, 28, Tunnels::Inner).unwrap();
/// assert_eq!((fragment.id, fragment.protocol, fragment.is_last), (0xabcd, Some(17), true));
/// assert_eq!((fragment.offset, fragment.len), (8, 8));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// Identification of the datagram: 16 bits in IPv4 (RFC 791), 32 bits in IPv6 (RFC 8200, section
    /// 4.5). It distinguishes the datagrams between two hosts.
    pub id: u32,
    /// Protocol number in the IPv4 header, for each of which the datagrams have identifications of
    /// their own. `None` in IPv6.
    pub protocol: Option<u8>,
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

    /// The fragment that the summary of a frame describes: the one in its innermost IP header. `None` if
    /// the frame contains a whole datagram, or no IP header. Decodes the frame once more: call it only
    /// if [`Summary::frag`] is set.
    pub fn find(link: LinkType, bytes: &[u8], wire_len: u32, tunnels: Tunnels) -> Option<Self> {
        let mut summary = Summary::new(link, 0, 0);
        let finder = FragmentFinder::default();
        let (_, finder) = decode_observed(link, bytes, wire_len, tunnels, &mut summary, finder);
        finder.0
    }
}

/// Keeps the last fragment. Fragments are not entered, so it is the innermost one.
#[derive(Default)]
struct FragmentFinder(Option<Fragment>);

impl Observer for FragmentFinder {
    #[inline]
    fn fragment(&mut self, fragment: Fragment) {
        self.0 = Some(fragment);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(bytes: &[u8]) -> Option<Fragment> {
        let len = u32::try_from(bytes.len()).unwrap();
        Fragment::find(LinkType::RAW, bytes, len, Tunnels::Inner)
    }

    /// An IPv4 packet with these bits and this offset, and a padding of two bytes after it.
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
        let expected =
            Fragment { id: 0x102, protocol: Some(17), offset: 0, len: 8, is_last: false };
        let padded = [ipv4(17, 0x2000, &[0; 8]), vec![0; 2]].concat();
        assert_eq!(find(&padded), Some(expected));
        let later = Fragment { offset: 0x1fff * 8, is_last: true, ..expected };
        assert_eq!(find(&ipv4(17, 0x1fff, &[0; 8])), Some(later));
        // After hop-by-hop options.
        let header = [17, 0, 0, 9, 0xde, 0xad, 0xbe, 0xef];
        let packet = ipv6(0, &[&[44, 0, 1, 4, 0, 0, 0, 0][..], &header, &[0; 16]].concat());
        let expected =
            Fragment { id: 0xdead_beef, protocol: None, offset: 8, len: 16, is_last: false };
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
    fn whole_datagrams_are_no_fragments() {
        let atomic = [17, 0, 0, 0, 0, 0, 0, 1];
        // The flag that forbids fragments.
        for packet in [ipv4(17, 0x4000, &[0; 8]), ipv6(17, &[0; 8]), ipv6(44, &atomic), vec![]] {
            assert_eq!(find(&packet), None, "{packet:?}");
        }
    }
}
