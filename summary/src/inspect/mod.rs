//! The layers and fields of a frame, each with the bits that it occupies.

mod fields;
pub(crate) mod framed;
mod keys;
pub(crate) mod lan;
pub(crate) mod link;
pub(crate) mod network;
mod options;
pub(crate) mod payload;
pub(crate) mod record;
mod recorder;
pub(crate) mod transport;
pub(crate) mod tunnel;
pub(crate) mod wrapped;

#[cfg(test)]
mod tests;

pub(crate) use fields::Fields;

use crate::decode::{Tunnels, decode_observed};
use crate::{LinkType, PayloadNames, Summary};
use recorder::Recorder;
use std::borrow::Cow;
use std::ops::Range;

/// A header, or other consecutive bytes of a frame, with its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Name of the protocol, such as `IPv4`. Bytes that are not decoded are `Payload`, `Data` or
    /// `Padding`.
    pub name: Cow<'static, str>,
    /// The captured bytes of the layer, counted from the start of the frame. Layers are in the order of
    /// the frame and do not overlap.
    pub bytes: Range<usize>,
    /// The fields that were captured completely.
    pub fields: Vec<Field>,
}

/// A field of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name for people, such as `Time to live`.
    pub name: Cow<'static, str>,
    /// The value as text. The text comes from the network in part: do not use it as markup.
    pub value: String,
    /// Explanation of the value, such as `20 bytes` for a header length of 5; empty if none is needed.
    pub meaning: String,
    /// Name of the same field in a line, such as `ttl`, if the line of this packet has it. `value` is
    /// then the value in the line.
    pub key: Option<&'static str>,
    /// The bits of the field, counted from the first bit of the frame, where a byte begins with its
    /// most significant bit. They lie within the layer.
    pub bits: Range<usize>,
    /// The parts of this field, such as single flags.
    pub fields: Vec<Field>,
}

impl Field {
    /// The bytes that contain the field, counted from the start of the frame.
    pub fn bytes(&self) -> Range<usize> {
        self.bits.start / 8..self.bits.end.div_ceil(8)
    }
}

/// Lists the layers and fields of a frame, in the order of its bytes. The decoder is that of
/// [`decode`](crate::decode()) and [`PayloadNames::parse`], so a field has the value of the summary.
///
/// ```
/// use summary::{LinkType, inspect};
///
/// let datagram = [
///     0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, // IPv4
///     0x30, 0x39, 0, 53, 0, 11, 0, 0, b'a', b'b', b'c', // UDP
/// ];
/// let layers = inspect(LinkType::RAW, &datagram, 31);
/// let names: Vec<_> = layers.iter().map(|layer| &*layer.name).collect();
/// assert_eq!(names, ["IPv4", "UDP", "Payload"]);
/// let ttl = layers[0].fields.iter().find(|field| field.key == Some("ttl")).unwrap();
/// assert_eq!((&*ttl.value, ttl.bytes()), ("64", 8..9));
/// ```
pub fn inspect(link: LinkType, bytes: &[u8], wire_len: u32) -> Vec<Layer> {
    let mut summary = Summary::new(link, 0, 0);
    let recorder = Recorder::new(bytes);
    let (payload, mut recorder) =
        decode_observed(link, bytes, wire_len, Tunnels::Inner, &mut summary, recorder);
    recorder.begin_payload();
    let mut buf = String::new();
    let names = PayloadNames::parse_observed(&summary, payload, &mut buf, &mut recorder);
    let mut layers = recorder.finish(payload);
    keys::retain_valid(&mut layers, &summary, &names);
    layers
}
