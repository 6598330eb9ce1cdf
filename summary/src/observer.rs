//! Observation of decoding: which header is where in the frame.
//!
//! One decoder serves several purposes. With the observer `()`, the calls compile to nothing, and decoding
//! is as fast as without them. [`inspect`](crate::inspect()) passes a recorder, and the same decoder
//! also lists the layers and fields of the frame.

use crate::Fragment;
use crate::inspect::Fields;
use std::fmt::Display;

/// Receives what the decoder finds. All slices are parts of the frame.
pub(crate) trait Observer {
    /// A header starts at the front of `bytes`, which end where the layer ends according to the outer
    /// headers. `describe` lists its fields.
    #[inline]
    fn layer(&mut self, _bytes: &[u8], _describe: fn(&mut Fields<'_>)) {}

    /// What follows is in a tunnel. The layers so far are around it, except for the link layer if the tunnel
    /// carries no frame. `is_outermost` is true once, for the tunnel whose addresses are those of
    /// `outer_src` and `outer_dst`.
    #[inline]
    fn tunnel(&mut self, _is_outermost: bool, _is_frame: bool) {}

    /// The content of the current layer is `bytes`. The bytes after it are padding.
    #[inline]
    fn content(&mut self, _bytes: &[u8]) {}

    /// An IP header has this field of explicit congestion notification: two bits (RFC 3168, section 5).
    #[inline]
    fn ecn(&mut self, _ecn: u8) {}

    /// The IP packet is a fragment, with these captured bytes. Its `start` is 0.
    #[inline]
    fn fragment(&mut self, _fragment: Fragment, _bytes: &[u8]) {}

    /// The captured bytes between the fixed part of a TCP header and the payload.
    #[inline]
    fn tcp_options(&mut self, _options: &[u8]) {}

    /// A field of the layer reported last, whose value the decoder has computed. It reaches from the
    /// start of one slice to the start of the other. `key` is its name in a line.
    #[inline]
    fn field(
        &mut self,
        _key: Option<&'static str>,
        _name: &'static str,
        (_start, _end): (&[u8], &[u8]),
        _value: &impl Display,
    ) {
    }

    /// A field of the layer reported last that consists of text.
    #[inline]
    fn text_field(&mut self, _key: &'static str, _name: &'static str, _text: &[u8]) {}
}

/// Decodes without observation.
impl Observer for () {}
