//! Details of headers that a summary does not contain.

use crate::observer::Observer;
use crate::{Fragment, TcpOptions};

/// The field of a packet that experienced congestion (RFC 3168, section 5).
const CE: u8 = 3;

/// Details of the headers that a summary describes.
///
/// ```
/// use summary::{HeaderDetails, LinkType, Summary, Tunnels, decode_with_details};
///
/// let last = [
///     0x45, 0, 0, 28, 0xab, 0xcd, 0, 1, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     1, 2, 3, 4, 5, 6, 7, 8,
/// ];
/// let mut summary = Summary::new(LinkType::RAW, 0, 0);
/// let mut details = HeaderDetails::default();
/// decode_with_details(LinkType::RAW, &last, 28, Tunnels::Inner, &mut summary, &mut details);
/// let fragment = details.fragment.unwrap();
/// assert_eq!((fragment.id, fragment.protocol, fragment.is_last), (0xabcd, Some(17), true));
/// assert_eq!((fragment.offset, fragment.len), (8, 8));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct HeaderDetails {
    /// The options of the TCP header; none if there is no such header.
    pub tcp_options: TcpOptions,
    /// The fragment in the innermost IP header; `None` if the frame contains a complete datagram.
    pub fragment: Option<Fragment>,
    /// The innermost IP header says that the packet experienced congestion: CE (RFC 3168, section 5).
    pub is_ce: bool,
    /// Address of the frame.
    frame: usize,
}

impl HeaderDetails {
    /// For the headers in a frame.
    pub(crate) fn new(frame: &[u8]) -> Self {
        Self { frame: frame.as_ptr().addr(), ..Self::default() }
    }
}

impl Observer for &mut HeaderDetails {
    #[inline]
    fn tcp_options(&mut self, options: &[u8]) {
        self.tcp_options = TcpOptions::parse(options);
    }

    #[inline]
    fn tunnel(&mut self, _is_outermost: bool, _is_frame: bool) {
        self.is_ce = false;
    }

    #[inline]
    fn ecn(&mut self, ecn: u8) {
        self.is_ce = ecn == CE;
    }

    /// Fragments are not entered, so the last one is in the innermost header.
    #[inline]
    fn fragment(&mut self, fragment: Fragment, bytes: &[u8]) {
        // An empty slice may be of other memory.
        let start = bytes.as_ptr().addr().wrapping_sub(self.frame);
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        self.fragment = Some(Fragment { start, ..fragment });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LinkType, Summary, Tunnels, decode_with_details};

    const V4: usize = 20;

    /// IP-in-IP: IPv4 with the first ECN field, around IPv6 with the second, around UDP.
    fn packet(outer: u8, inner: u8) -> Vec<u8> {
        let mut bytes = vec![0; V4 + 40 + 8];
        bytes[..10].copy_from_slice(&[0x45, outer, 0, 68, 0, 0, 0, 0, 64, 41]);
        bytes[12..V4].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
        bytes[V4..V4 + 8].copy_from_slice(&[0x60, inner << 4, 0, 0, 0, 8, 17, 64]);
        bytes[V4 + 40..].copy_from_slice(&[0, 7, 0, 9, 0, 8, 0, 0]);
        bytes
    }

    #[test]
    fn congestion_is_that_of_the_innermost_header() {
        let is_ce = |bytes: &[u8], tunnels| {
            let mut summary = Summary::new(LinkType::RAW, 0, 0);
            let mut details = HeaderDetails::default();
            let len = u32::try_from(bytes.len()).unwrap();
            decode_with_details(LinkType::RAW, bytes, len, tunnels, &mut summary, &mut details);
            details.is_ce
        };
        for ecn in 0..4 {
            assert_eq!(is_ce(&packet(3 - ecn, ecn), Tunnels::Inner), ecn == 3);
            assert_eq!(is_ce(&packet(ecn, 3 - ecn), Tunnels::Outer), ecn == 3);
        }
    }
}
