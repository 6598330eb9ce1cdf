//! IEEE 802.11 frames (IEEE Std 802.11-2020, 9.2 and 9.3), and the radiotap header that precedes them
//! in monitor mode (<https://www.radiotap.org>).

use super::{DecodeState, Extent, Observer, llc};
use crate::inspect::link;
use crate::{Faults, Proto};

/// Version, padding, length, first word of presence bits.
const MIN_RADIOTAP_LEN: usize = 8;
/// Presence bits: time, flags, another word of presence bits.
const HAS_TIME: u32 = 1;
const HAS_FLAGS: u32 = 1 << 1;
const HAS_MORE_BITS: u32 = 1 << 31;
/// Bits of the flags field: the frame ends with a frame check sequence; the header is padded to a
/// multiple of four bytes.
const FLAG_FCS: u8 = 0x10;
const FLAG_PADDED: u8 = 0x20;
const FCS_LEN: usize = 4;

/// Frame control, duration, address 1.
const MIN_HEADER_LEN: usize = 10;
/// The same with addresses 2 and 3 and sequence control.
const HEADER_LEN: usize = 24;

const TYPE_MANAGEMENT: u8 = 0;
const TYPE_CONTROL: u8 = 1;
const TYPE_DATA: u8 = 2;
/// Control frames with only one address: clear to send, acknowledgment.
const SUBTYPES_OF_ONE_ADDRESS: [u8; 2] = [12, 13];
/// Bits of the subtype of a data frame: no data, quality of service.
const SUBTYPE_NULL: u8 = 4;
const SUBTYPE_QOS: u8 = 8;

const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// Bit of the quality-of-service field: the payload consists of several frames (A-MSDU).
const IS_AGGREGATE: u8 = 0x80;

/// What the radiotap header says about the layout of the frame.
#[derive(Clone, Copy, Default)]
struct Layout {
    /// The header is padded to a multiple of four bytes.
    is_padded: bool,
    /// The bytes of the frame control field are exchanged.
    is_swapped: bool,
}

/// Decodes a frame from its radiotap header on, whose fields are little-endian.
pub(super) fn radiotap<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    let bytes = frame.bytes();
    state.observer.layer(bytes, link::radiotap);
    let Some(&[version, _, low, high]) = bytes.first_chunk() else {
        return state.summary.faults.insert(frame.short_header_faults(MIN_RADIOTAP_LEN));
    };
    let len = usize::from(u16::from_le_bytes([low, high]));
    if version != 0 {
        return state.summary.faults.insert(Faults::UNSUPPORTED);
    }
    if len < MIN_RADIOTAP_LEN {
        return state.summary.faults.insert(Faults::BAD_HEADER);
    }
    let flags = bytes.get(..len).and_then(radiotap_flags).unwrap_or(0);
    if frame.wire_len() < len {
        return state.summary.faults.insert(Faults::BAD_LENGTH);
    }
    let mut inner = frame.after(len);
    if flags & FLAG_FCS != 0 {
        inner = inner.limited_to(inner.wire_len().saturating_sub(FCS_LEN));
    }
    let layout = Layout { is_padded: flags & FLAG_PADDED != 0, ..Layout::default() };
    wlan(inner, layout, state);
}

/// The flags field of a radiotap header. It follows the time, which is aligned to 8 bytes.
fn radiotap_flags(header: &[u8]) -> Option<u8> {
    let word = |offset: usize| Some(u32::from_le_bytes(*header.get(offset..)?.first_chunk()?));
    let present = word(4)?;
    let mut offset = MIN_RADIOTAP_LEN;
    let mut bits = present;
    while bits & HAS_MORE_BITS != 0 {
        bits = word(offset)?;
        offset += 4;
    }
    if present & HAS_FLAGS == 0 {
        return None;
    }
    if present & HAS_TIME != 0 {
        offset = offset.next_multiple_of(8) + 8;
    }
    header.get(offset).copied()
}

/// Decodes a frame without a radiotap header.
pub(super) fn decode<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    wlan(frame, Layout::default(), state);
}

/// Decodes a frame whose frame control field has its bytes exchanged.
pub(super) fn decode_swapped<'a>(
    frame: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    wlan(frame, Layout { is_swapped: true, ..Layout::default() }, state);
}

/// Whether the first byte of a frame control field has a version and a type that exist.
pub(super) fn is_control(control: u8) -> bool {
    control & 3 == 0 && control >> 2 & 3 <= TYPE_DATA
}

/// Whether it is a data frame with an EtherType (IEEE 802.2, SNAP), which is not encrypted.
pub(super) fn has_ether_type(frame: Extent<'_>, is_swapped: bool) -> bool {
    const SNAP: [u8; 6] = [0xaa, 0xaa, 3, 0, 0, 0];
    let Some((control, flags)) = control_of(frame.bytes(), is_swapped) else { return false };
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    let is_plain = control & 3 == 0 && subtype & SUBTYPE_NULL == 0 && flags & PROTECTED == 0;
    let len = data_header_len(subtype, flags);
    let content = frame.bytes().get(len..).unwrap_or_default();
    kind == TYPE_DATA && is_plain && content.starts_with(&SNAP)
}

/// The two bytes of the frame control field: version, type and subtype; flags.
fn control_of(frame: &[u8], is_swapped: bool) -> Option<(u8, u8)> {
    let &[first, second] = frame.first_chunk()?;
    Some(if is_swapped { (second, first) } else { (first, second) })
}

/// Length of the header of a data frame without padding.
fn data_header_len(subtype: u8, flags: u8) -> usize {
    let addresses_end = HEADER_LEN + if flags & 0x03 == 0x03 { 6 } else { 0 };
    let has_qos = subtype & SUBTYPE_QOS != 0;
    addresses_end
        + if !has_qos {
            0
        } else if flags & ORDER != 0 {
            2 + 4
        } else {
            2
        }
}

fn wlan<'a>(frame: Extent<'a>, layout: Layout, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    state.summary.proto = Proto::named("wlan");
    let bytes = frame.bytes();
    let fields = if layout.is_swapped { link::wlan_swapped } else { link::wlan };
    state.observer.layer(bytes, fields);
    let Some((control, flags)) = control_of(bytes, layout.is_swapped) else {
        return state.summary.faults.insert(frame.short_header_faults(MIN_HEADER_LEN));
    };
    let (version, kind, subtype) = (control & 3, control >> 2 & 3, control >> 4);
    if version != 0 {
        return state.summary.faults.insert(Faults::BAD_HEADER);
    }
    let address = |offset: usize| bytes.get(offset..).and_then(<[u8]>::first_chunk).copied();
    let [first, second, third] = [4, 10, 16];
    let has_two = kind != TYPE_CONTROL || !SUBTYPES_OF_ONE_ADDRESS.contains(&subtype);
    let (destination, source) = match (kind, flags & (TO_DS | FROM_DS)) {
        (TYPE_DATA, TO_DS) => (third, second),
        (TYPE_DATA, FROM_DS) => (first, third),
        (TYPE_DATA, 0x03) => (third, HEADER_LEN),
        _ => (first, second),
    };
    state.summary.eth_dst = address(destination);
    state.summary.eth_src = has_two.then(|| address(source)).flatten();
    let header_len = match (kind, has_two) {
        (TYPE_CONTROL, false) => MIN_HEADER_LEN,
        (TYPE_CONTROL, true) => second + 6,
        _ => HEADER_LEN,
    };
    if bytes.len() < header_len {
        return state.summary.faults.insert(frame.short_header_faults(header_len));
    }
    match kind {
        TYPE_DATA => data(frame, layout, (subtype, flags), state),
        TYPE_MANAGEMENT | TYPE_CONTROL => {}
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// Decodes the payload of a data frame, unless it is encrypted.
fn data<'a>(
    frame: Extent<'a>,
    layout: Layout,
    (subtype, flags): (u8, u8),
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    let has_qos = subtype & SUBTYPE_QOS != 0;
    let qos_offset = HEADER_LEN + if flags & 0x03 == 0x03 { 6 } else { 0 };
    let mut len = data_header_len(subtype, flags);
    if layout.is_padded {
        len = len.next_multiple_of(4);
    }
    if subtype & SUBTYPE_NULL != 0 || flags & PROTECTED != 0 {
        return;
    }
    if frame.bytes().len() < len {
        return state.summary.faults.insert(frame.short_header_faults(len));
    }
    let is_aggregate = has_qos && frame.bytes()[qos_offset] & IS_AGGREGATE != 0;
    // Access points that exchange bytes also do so here, and their frames are complete.
    let is_later_fragment = !layout.is_swapped && frame.bytes()[22] & 0x0f != 0;
    if is_aggregate {
        return state.summary.faults.insert(Faults::UNSUPPORTED);
    }
    if !is_later_fragment {
        llc::decode(frame.after(len), state);
    }
}
