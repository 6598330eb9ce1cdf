//! TZSP: frames that another machine captured, in UDP or as a link type.

use super::{Content, Extent, Header, Tunnel};
use crate::Faults;
use crate::TunnelKind;
use crate::decode::{DecodeState, Observer, ethernet, wlan};
use crate::inspect::tunnel as fields;

/// Version, type, protocol.
const FIXED_LEN: usize = 4;
const END: u8 = 1;
const PADDING: u8 = 0;

/// The frame in the payload of UDP.
pub(super) fn tunnel(packet: Extent<'_>) -> Option<Tunnel<'_>> {
    let (header_len, content) = header(packet)?;
    let (kind, header) = (TunnelKind::Tzsp, Header::OfKind);
    Some(Tunnel { kind, id: None, packet, header_len, header, content })
}

/// Decodes the frame of a link with this header.
pub(in crate::decode) fn decode<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    state.observer.layer(frame.bytes(), fields::tzsp);
    match header(frame) {
        Some((len, Content::Ethernet)) => ethernet::decode(frame.after(len), state),
        Some((len, _)) => wlan::decode(frame.after(len), state),
        None if frame.bytes().len() < frame.wire_len().max(FIXED_LEN) => {
            state.summary.faults.insert(frame.short_header_faults(frame.wire_len().max(FIXED_LEN)));
        }
        None => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// Length of the header, with its tags, and what follows it.
fn header(packet: Extent<'_>) -> Option<(usize, Content)> {
    const VERSION: u8 = 1;
    const RECEIVED: u8 = 0;
    const TRANSMITTED: u8 = 1;
    let &[VERSION, RECEIVED | TRANSMITTED, p0, p1] = packet.bytes().first_chunk()? else {
        return None;
    };
    let content = match u16::from_be_bytes([p0, p1]) {
        1 => Content::Ethernet,
        18 => Content::Wlan,
        _ => return None,
    };
    let tags_len = tags_len(packet.after(FIXED_LEN).bytes())?;
    Some((FIXED_LEN + tags_len, content))
}

/// Length of the tags up to the last one, each with its type, a length and a value. Two have only the type.
pub(crate) fn tags_len(tags: &[u8]) -> Option<usize> {
    let mut len = 0;
    loop {
        match *tags.get(len..)? {
            [END, ..] => return Some(len + 1),
            [PADDING, ..] => len += 1,
            [_, value_len, ..] => len += 2 + usize::from(value_len),
            _ => return None,
        }
    }
}
