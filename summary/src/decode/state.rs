//! The result of decoding while it is being filled.

use crate::Summary;

/// What the layers decoded so far have found.
pub(super) struct DecodeState<'s, 'p, 'a> {
    pub(super) summary: &'s mut Summary<'p>,
    /// The captured bytes after the transport header; empty until that is reached.
    pub(super) payload: &'a [u8],
}
