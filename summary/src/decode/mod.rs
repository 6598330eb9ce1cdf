//! Frame bytes to [`Summary`]: link layer, then network, then transport, each in its own file.
//!
//! The headers are etherparse's work. What is decided here is what a summary says of them, and
//! what happens when bytes run out: each layer gets an [`Extent`], which knows how many bytes
//! there are and how many the wire had, and so tells a cut capture from a lie in a length field.

mod arp;
mod extent;
mod ip;
mod link;
mod mpls;
mod ppp;
mod transport;
mod wlan;

use crate::{LinkType, Summary};
use extent::Extent;

/// A frame described, and what its innermost header carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// What the line says.
    pub summary: Summary<'static>,
    /// The captured bytes behind the transport header, without padding: empty where there is no
    /// such header, and in later fragments.
    pub payload: &'a [u8],
}

/// Decodes the captured `bytes` of a frame that had `wire_len` bytes on the wire.
///
/// Total: any bytes give a summary. Of a tunnel the outer headers are described.
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
    decode_into(link, bytes, wire_len, &mut summary);
    summary
}

/// The same, with what the transport header carries: for who wants to look into it.
pub fn decode_with_payload(link: LinkType, bytes: &[u8], wire_len: u32) -> Decoded<'_> {
    let mut summary = Summary::new(link, 0, 0);
    let payload = decode_into(link, bytes, wire_len, &mut summary);
    Decoded { summary, payload }
}

/// The same into a summary that is somewhere already, whatever it said: it is large enough for a
/// move to cost something. Returns what the transport header carries.
pub fn decode_into<'a>(
    link: LinkType,
    bytes: &'a [u8],
    wire_len: u32,
    summary: &mut Summary<'_>,
) -> &'a [u8] {
    let cap = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let wire_len = wire_len.max(cap);
    *summary = Summary::new(link, cap, wire_len);
    let mut out = Out { summary, payload: &[] };
    link::decode(Extent::new(bytes, wire_len as usize), &mut out);
    out.payload
}

/// A [`Decoded`] in the making.
struct Out<'s, 'p, 'a> {
    summary: &'s mut Summary<'p>,
    payload: &'a [u8],
}

#[cfg(test)]
mod tests;
