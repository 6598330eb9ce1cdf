//! The content of packets whose fragments were captured.

use summary::{HeaderDetails, LinkType, Summary, Tunnels, decode_with_details};

/// A packet that a fragment completes, decoded.
#[derive(Clone, Debug)]
pub struct AssembledPacket<'a> {
    /// Describes the packet. Lengths and link type are those of the fragment, and so is the link header,
    /// unless the packet contains a frame.
    pub summary: Summary<'static>,
    /// Details of the headers that the summary describes.
    pub details: HeaderDetails,
    /// The bytes after the transport header.
    pub payload: &'a [u8],
    /// Whether the packet is that of a tunnel, which the summary of the fragment does not describe.
    pub is_tunnel: bool,
}

impl<'a> AssembledPacket<'a> {
    /// Decodes the bytes that [`DatagramAssembler::add`](crate::DatagramAssembler::add) returned for a
    /// fragment. `None` if the packet is in too many tunnels.
    pub fn decode(bytes: &'a [u8], fragment: &Summary<'_>, tunnels: Tunnels) -> Option<Self> {
        let mut summary = Summary::new(LinkType::RAW, 0, 0);
        let mut details = HeaderDetails::default();
        let len = u32::try_from(bytes.len()).ok()?;
        let link = LinkType::RAW;
        let payload = decode_with_details(link, bytes, len, tunnels, &mut summary, &mut details);
        let is_tunnel = !summary.tunnel.is_empty();
        // The fragment may be in tunnels, too.
        let mut path = fragment.tunnel;
        for (kind, id) in summary.tunnel.iter() {
            path.push(kind, id).then_some(())?;
        }
        if !fragment.tunnel.is_empty() {
            (summary.outer_src, summary.outer_dst) = (fragment.outer_src, fragment.outer_dst);
        }
        // A frame in a tunnel has its own addresses and tags.
        if summary.eth_src.is_none() {
            (summary.eth_src, summary.eth_dst) = (fragment.eth_src, fragment.eth_dst);
            summary.vlan = fragment.vlan;
        }
        summary.tunnel = path;
        (summary.link, summary.len, summary.cap) = (fragment.link, fragment.len, fragment.cap);
        summary.faults.insert(fragment.faults);
        Some(Self { summary, details, payload, is_tunnel })
    }
}
