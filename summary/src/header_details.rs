//! Details of headers that a summary does not contain.

use crate::observer::Observer;
use crate::{Fragment, TcpOptions};

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

    /// Fragments are not entered, so the last one is in the innermost header.
    #[inline]
    fn fragment(&mut self, fragment: Fragment, bytes: &[u8]) {
        // An empty slice may be of other memory.
        let start = bytes.as_ptr().addr().wrapping_sub(self.frame);
        let start = u32::try_from(start).unwrap_or(u32::MAX);
        self.fragment = Some(Fragment { start, ..fragment });
    }
}
