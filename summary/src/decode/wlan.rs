//! IEEE 802.11 frames (IEEE Std 802.11-2020, 9.2 and 9.3), and the radiotap header that monitor mode
//! puts before them (<https://www.radiotap.org>).

use super::{Extent, Out, link};
use crate::{Address, Faults, Proto};

/// Version, padding, length, first word of presence bits.
const MIN_RADIOTAP_LEN: usize = 8;
/// Presence bits: time, flags, and that another word of bits follows.
const HAS_TIME: u32 = 1;
const HAS_FLAGS: u32 = 1 << 1;
const HAS_MORE_BITS: u32 = 1 << 31;
/// Of the flags field: the frame ends in its checksum; the payload begins at a multiple of four.
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
/// Control frames that have one address only: clear to send, and acknowledgment.
const SUBTYPES_OF_ONE_ADDRESS: [u8; 2] = [12, 13];
/// Of a data frame's subtype: no data, quality of service.
const SUBTYPE_NULL: u8 = 4;
const SUBTYPE_QOS: u8 = 8;

const TO_DS: u8 = 0x01;
const FROM_DS: u8 = 0x02;
const PROTECTED: u8 = 0x40;
const ORDER: u8 = 0x80;
/// Of the quality of service field: the payload is several frames.
const IS_AGGREGATE: u8 = 0x80;

/// What is known besides the frame's bytes.
#[derive(Clone, Copy, Default)]
struct Layout {
    /// Bytes before the payload come in multiples of four.
    is_padded: bool,
}

/// A frame behind a radiotap header, whose fields are little-endian.
pub(super) fn radiotap<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    let bytes = frame.bytes();
    let Some(&[version, _, low, high]) = bytes.first_chunk() else {
        return out.summary.faults.insert(frame.shortage(MIN_RADIOTAP_LEN));
    };
    let len = usize::from(u16::from_le_bytes([low, high]));
    if version != 0 {
        return out.summary.faults.insert(Faults::UNSUPPORTED);
    }
    if len < MIN_RADIOTAP_LEN {
        return out.summary.faults.insert(Faults::BAD_HEADER);
    }
    let flags = bytes.get(..len).and_then(radiotap_flags).unwrap_or(0);
    if frame.wire_len() < len {
        return out.summary.faults.insert(Faults::BAD_LENGTH);
    }
    let mut inner = frame.after(len);
    if flags & FLAG_FCS != 0 {
        inner = inner.limited_to(inner.wire_len().saturating_sub(FCS_LEN));
    }
    wlan(inner, Layout { is_padded: flags & FLAG_PADDED != 0 }, out);
}

/// The flags field of a radiotap header: behind the time, which is aligned to its own length.
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

/// A frame as it was on the air.
pub(super) fn decode<'a>(frame: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    wlan(frame, Layout::default(), out);
}

fn wlan<'a>(frame: Extent<'a>, layout: Layout, out: &mut Out<'_, '_, 'a>) {
    out.summary.proto = Proto::named("wlan");
    let bytes = frame.bytes();
    let Some(&[control, flags]) = bytes.first_chunk() else {
        return out.summary.faults.insert(frame.shortage(MIN_HEADER_LEN));
    };
    let (version, kind, subtype) = (control & 3, control >> 2 & 3, control >> 4);
    if version != 0 {
        return out.summary.faults.insert(Faults::BAD_HEADER);
    }
    let address = |offset: usize| {
        bytes.get(offset..).and_then(<[u8]>::first_chunk).map(|mac| Address::Mac(*mac))
    };
    let [first, second, third] = [4, 10, 16];
    let has_two = kind != TYPE_CONTROL || !SUBTYPES_OF_ONE_ADDRESS.contains(&subtype);
    let (destination, source) = match (kind, flags & (TO_DS | FROM_DS)) {
        (TYPE_DATA, TO_DS) => (third, second),
        (TYPE_DATA, FROM_DS) => (first, third),
        (TYPE_DATA, 0x03) => (third, HEADER_LEN),
        _ => (first, second),
    };
    out.summary.dst = address(destination);
    out.summary.src = has_two.then(|| address(source)).flatten();
    let header_len = match (kind, has_two) {
        (TYPE_CONTROL, false) => MIN_HEADER_LEN,
        (TYPE_CONTROL, true) => second + 6,
        _ => HEADER_LEN,
    };
    if bytes.len() < header_len {
        return out.summary.faults.insert(frame.shortage(header_len));
    }
    match kind {
        TYPE_DATA => data(frame, layout, (subtype, flags), out),
        TYPE_MANAGEMENT | TYPE_CONTROL => {}
        _ => out.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// What a data frame carries, where it is not encrypted.
fn data<'a>(
    frame: Extent<'a>,
    layout: Layout,
    (subtype, flags): (u8, u8),
    out: &mut Out<'_, '_, 'a>,
) {
    let has_qos = subtype & SUBTYPE_QOS != 0;
    let qos_offset = HEADER_LEN + if flags & 0x03 == 0x03 { 6 } else { 0 };
    let mut len = qos_offset;
    if has_qos {
        len += if flags & ORDER != 0 { 2 + 4 } else { 2 };
    }
    if layout.is_padded {
        len = len.next_multiple_of(4);
    }
    if subtype & SUBTYPE_NULL != 0 || flags & PROTECTED != 0 {
        return;
    }
    if frame.bytes().len() < len {
        return out.summary.faults.insert(frame.shortage(len));
    }
    let is_aggregate = has_qos && frame.bytes()[qos_offset] & IS_AGGREGATE != 0;
    let is_later_fragment = frame.bytes()[22] & 0x0f != 0;
    if is_aggregate {
        return out.summary.faults.insert(Faults::UNSUPPORTED);
    }
    if !is_later_fragment {
        link::llc(frame.after(len), out);
    }
}
