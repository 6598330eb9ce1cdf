//! The result of decoding while it is being filled.

use super::Tunnels;
use crate::Summary;

/// What the layers decoded so far have found.
pub(super) struct DecodeState<'s, 'p, 'a, O> {
    pub(super) summary: &'s mut Summary<'p>,
    /// The captured bytes after the transport header; empty until that is reached.
    pub(super) payload: &'a [u8],
    pub(super) tunnels: Tunnels,
    /// Learns where each header is; `()` if nobody asks.
    pub(super) observer: O,
}
