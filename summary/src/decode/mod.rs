//! Frame bytes to [`Summary`]: link layer, then network, then transport, each in its own file.
//!
//! The headers are etherparse's work. What is decided here is what a summary says of them, and
//! what happens when bytes run out: each layer gets an [`Extent`], which knows how many bytes
//! there are and how many the wire had, and so tells a cut capture from a lie in a length field.

mod arp;
mod extent;
mod ip;
mod link;
mod transport;
mod wlan;

use crate::{LinkType, Summary};
use extent::Extent;

/// Decodes the captured `bytes` of a frame that had `wire_len` bytes on the wire.
///
/// Total: any bytes give a summary. Of a tunnel the outer headers are described.
pub fn decode(link: LinkType, bytes: &[u8], wire_len: u32) -> Summary<'static> {
    let cap = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let wire_len = wire_len.max(cap);
    let mut summary = Summary::new(link, cap, wire_len);
    link::decode(Extent::new(bytes, wire_len as usize), &mut summary);
    summary
}

#[cfg(test)]
mod tests;
