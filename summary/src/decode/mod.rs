//! Frame bytes to [`Summary`], layer by layer, with one file per protocol:
//!
//! ```text
//! link -> ethernet, cooked, wlan -> llc -> ether_type -> arp, mpls, ip -> transport
//!                                          ether_type -> ppp -> mpls, ip
//! ether_type, ip, transport -> tunnel -> ethernet, ip, ppp, mpls
//! ```
//!
//! etherparse parses most headers. These modules decide what a summary says about them, and what
//! happens if bytes are missing: each layer receives an [`Extent`], which knows how many bytes were
//! captured and how many were on the wire, and can therefore distinguish a truncated capture from a
//! wrong length field.

mod arp;
mod cooked;
mod docsis;
mod ether_type;
mod ethernet;
mod extent;
mod framed;
mod ip;
mod lan;
mod link;
mod llc;
mod mpls;
mod ppp;
mod quoted;
mod record;
mod state;
mod transport;
mod tunnel;
mod wlan;
mod wrapped;

use crate::observer::Observer;
use crate::{Faults, HeaderDetails, LinkType, Summary};
pub(crate) use docsis::docsis_extension_len;
use extent::Extent;
pub(crate) use lan::route_len;
pub(crate) use record::{erf_header, juniper_len};
use state::DecodeState;
pub(crate) use tunnel::tzsp::tags_len as tzsp_tags_len;

/// Which packet of a tunnel the summary describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tunnels {
    /// The innermost one; [`Summary::tunnel`] lists the tunnels around it.
    #[default]
    Inner,
    /// The outermost one, whose protocol is that of the tunnel.
    Outer,
}

/// A decoded frame with its transport payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The decoded headers.
    pub summary: Summary<'static>,
    /// The captured bytes after the transport header, without padding. Empty if there is no transport
    /// header, and in fragments after the first.
    pub payload: &'a [u8],
}

/// Decodes the captured `bytes` of a frame that had `wire_len` bytes on the wire.
///
/// Every frame has a summary; [`Summary::faults`] lists the faults in the bytes. In a tunnel, the summary
/// describes the innermost packet. See [`line`](crate::line) for the meaning of each field.
///
/// ```
/// use summary::{LinkType, decode};
///
/// let datagram = [
///     0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     0x30, 0x39, 0, 53, 0, 11, 0, 0, b'a', b'b', b'c', // UDP
/// ];
/// let summary = decode(LinkType::RAW, &datagram, 31);
/// assert_eq!((summary.sport, summary.dport, summary.payload), (Some(12_345), Some(53), Some(3)));
/// assert!(summary.faults.is_empty());
/// ```
pub fn decode(link: LinkType, bytes: &[u8], wire_len: u32) -> Summary<'static> {
    let mut summary = Summary::new(link, 0, 0);
    decode_into(link, bytes, wire_len, Tunnels::Inner, &mut summary);
    summary
}

/// Like [`decode`], and also returns the transport payload.
pub fn decode_with_payload(link: LinkType, bytes: &[u8], wire_len: u32) -> Decoded<'_> {
    let mut summary = Summary::new(link, 0, 0);
    let payload = decode_into(link, bytes, wire_len, Tunnels::Inner, &mut summary);
    Decoded { summary, payload }
}

/// Like [`decode_with_payload`], with a choice of the packet in a tunnel, but overwrites an existing
/// summary, because moving a summary is measurable. Returns the transport payload.
pub fn decode_into<'a>(
    link: LinkType,
    bytes: &'a [u8],
    wire_len: u32,
    tunnels: Tunnels,
    summary: &mut Summary<'_>,
) -> &'a [u8] {
    decode_observed(link, bytes, wire_len, tunnels, summary, ()).0
}

/// Like [`decode_into`], and sets `details` to those of the headers that the summary describes.
pub fn decode_with_details<'a>(
    link: LinkType,
    bytes: &'a [u8],
    wire_len: u32,
    tunnels: Tunnels,
    summary: &mut Summary<'_>,
    details: &mut HeaderDetails,
) -> &'a [u8] {
    *details = HeaderDetails::new(bytes);
    decode_observed(link, bytes, wire_len, tunnels, summary, details).0
}

/// Like [`decode_into`], with an observer, which it returns.
#[inline]
pub(crate) fn decode_observed<'a, O: Observer>(
    link: LinkType,
    bytes: &'a [u8],
    wire_len: u32,
    tunnels: Tunnels,
    summary: &mut Summary<'_>,
    observer: O,
) -> (&'a [u8], O) {
    let cap = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    *summary = Summary::new(link, cap, wire_len);
    let mut state = DecodeState { summary, payload: &[], tunnels, observer };
    // A damaged file can claim that more was captured than was on the wire.
    link::decode(Extent::new(bytes, wire_len.max(cap) as usize), &mut state);
    if wire_len < cap {
        state.summary.faults.insert(Faults::BAD_LENGTH);
    }
    (state.payload, state.observer)
}

#[cfg(test)]
mod tests;
