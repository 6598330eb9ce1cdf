//! DOCSIS, the data link of cable modems (CM-SP-MULPIv3.1, section 6.2).

use super::{DecodeState, Extent, Observer, ethernet};
use crate::Faults;
use crate::inspect::lan as fields;

/// Frame control, parameter, length, checksum.
const MIN_LEN: usize = 6;
/// Bits of frame control: type, extended header present. The others are a parameter.
const FRAME_TYPE: u8 = 0xc0;
const PACKET: u8 = 0x00;
const ISOLATED_PACKET: u8 = 0x80;
const PARAMETER: u8 = 0x3e;
const HAS_EXTENSION: u8 = 0x01;

/// Decodes the Ethernet frame after the header, unless it is encrypted.
pub(super) fn decode<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.observer.layer(frame.bytes(), fields::docsis);
    let Some(&[control, _, high, low, ..]) = frame.bytes().first_chunk::<MIN_LEN>() else {
        return state.summary.faults.insert(frame.short_header_faults(MIN_LEN));
    };
    let extension_len = docsis_extension_len(frame.bytes());
    let header_len = MIN_LEN + extension_len;
    if frame.bytes().len() < header_len {
        return state.summary.faults.insert(frame.short_header_faults(header_len));
    }
    let is_packet = matches!(control & FRAME_TYPE, PACKET | ISOLATED_PACKET);
    if !is_packet || control & PARAMETER != 0 {
        return; // timing, management, requests, concatenation
    }
    if is_encrypted(&frame.bytes()[MIN_LEN - 2..header_len - 2]) {
        return;
    }
    let content = frame.after(header_len);
    // The length includes that of the extended header.
    let len = usize::from(u16::from_be_bytes([high, low])).saturating_sub(extension_len);
    if content.wire_len() < len {
        state.summary.faults.insert(Faults::BAD_LENGTH);
    }
    ethernet::decode(content.limited_to(len), state);
}

/// Length of the extended header between the length and the checksum.
pub(crate) fn docsis_extension_len(frame: &[u8]) -> usize {
    match *frame {
        [control, len, ..] if control & HAS_EXTENSION != 0 => len.into(),
        _ => 0,
    }
}

/// Whether an element of the extended header says that the frame is encrypted. An element has its type and the
/// length of its value in one byte.
fn is_encrypted(mut extension: &[u8]) -> bool {
    const PRIVACY_TYPES: [u8; 3] = [3, 4, 7];
    const IS_ENABLED: u8 = 0x80;
    while let [head, rest @ ..] = extension {
        let (value, next) = rest.split_at(usize::from(head & 0x0f).min(rest.len()));
        let is_enabled = value.get(1).is_some_and(|byte| byte & IS_ENABLED != 0);
        if PRIVACY_TYPES.contains(&(head >> 4)) && is_enabled {
            return true;
        }
        extension = next;
    }
    false
}
