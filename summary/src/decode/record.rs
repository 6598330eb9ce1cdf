//! Headers that devices write before the frames they capture.

use super::{DecodeState, Extent, Observer, ethernet, ip, wrapped};
use crate::Faults;
use crate::inspect::record as fields;

/// The extensible record format of Endace: time, type, flags, length of the record, losses, length on the wire;
/// further headers of eight bytes, each with a bit that announces the next one; the frame.
pub(super) fn erf<'a>(frame: Extent<'a>, state: &mut DecodeState<'_, '_, 'a, impl Observer>) {
    /// Offset of an Ethernet frame.
    const PADDING_LEN: usize = 2;
    state.observer.layer(frame.bytes(), fields::erf);
    let Some((kind, len)) = erf_header(frame.bytes()) else {
        // The last header that was captured announces another one.
        return state.summary.faults.insert(frame.short_header_faults(frame.wire_len() + 1));
    };
    let packet = frame.after(len);
    match kind {
        2 | 11 | 16 | 20 if packet.bytes().len() < PADDING_LEN => {
            state.summary.faults.insert(packet.short_header_faults(PADDING_LEN));
        }
        2 | 11 | 16 | 20 => ethernet::decode(packet.after(PADDING_LEN), state),
        1 | 10 | 15 | 19 => wrapped::ppp_or_cisco(packet, state),
        22 => ip::decode_v4(packet, state),
        23 => ip::decode_v6(packet, state),
        _ => state.summary.faults.insert(Faults::UNSUPPORTED),
    }
}

/// Type of a record, and the length of its headers. `None` if bytes of them are missing.
pub(crate) fn erf_header(record: &[u8]) -> Option<(u8, usize)> {
    const KIND_AT: usize = 8;
    const HAS_MORE: u8 = 0x80;
    let first = *record.get(KIND_AT)?;
    let (mut len, mut last) = (16, first);
    while last & HAS_MORE != 0 {
        last = *record.get(len)?;
        len += 8;
    }
    (len <= record.len()).then_some((first & !HAS_MORE, len))
}

/// A frame of Juniper's routers: magic number, flags; extensions after their length (16 bits), if a flag says so.
/// Without a link header, IP follows four further bytes.
pub(super) fn juniper<'a, O: Observer>(
    frame: Extent<'a>,
    decode: impl FnOnce(Extent<'a>, &mut DecodeState<'_, '_, 'a, O>),
    state: &mut DecodeState<'_, '_, 'a, O>,
) {
    const MIN_LEN: usize = 6;
    state.observer.layer(frame.bytes(), fields::juniper);
    if !frame.bytes().starts_with(b"MGC") {
        let fault = match frame.bytes().len() < 3 {
            true => frame.short_header_faults(MIN_LEN),
            false => Faults::BAD_HEADER,
        };
        return state.summary.faults.insert(fault);
    }
    let len = juniper_len(frame.bytes()).unwrap_or(MIN_LEN.max(frame.wire_len() + 1));
    if frame.bytes().len() < len {
        return state.summary.faults.insert(frame.short_header_faults(len));
    }
    match has_link(frame.bytes()[3]) {
        true => decode(frame.after(len), state),
        false => ip::decode(frame.after(len), state),
    }
}

/// Whether a link header follows the header of Juniper's routers with these flags.
fn has_link(flags: u8) -> bool {
    const NO_LINK: u8 = 0x02;
    flags & NO_LINK == 0
}

/// Length of the header of Juniper's routers. `None` if bytes of it are missing that tell the length.
pub(crate) fn juniper_len(frame: &[u8]) -> Option<usize> {
    const HAS_EXTENSIONS: u8 = 0x80;
    const FIXED_LEN: usize = 4;
    let flags = *frame.get(3)?;
    let mut len = FIXED_LEN;
    if flags & HAS_EXTENSIONS != 0 {
        let extensions_len = *frame.get(FIXED_LEN..)?.first_chunk()?;
        len += 2 + usize::from(u16::from_be_bytes(extensions_len));
    }
    Some(if has_link(flags) { len } else { len + 4 })
}
