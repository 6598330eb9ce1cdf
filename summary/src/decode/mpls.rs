//! MPLS label stacks (RFC 3032): passed over, for what is described is the packet that they carry.

use super::{Extent, Out, ip};

/// A label, three bits of traffic class, the bottom bit, and a time to live.
const ENTRY_LEN: usize = 4;
const IS_BOTTOM: u8 = 1;

/// Describes what the stack carries where its first bits say IP. Nothing else tells what follows a
/// stack, so all else stays `mpls`; a pseudowire's control word begins with zeros (RFC 4385, 3).
pub(super) fn decode<'a>(mut stack: Extent<'a>, out: &mut Out<'_, '_, 'a>) {
    loop {
        let Some(entry) = stack.bytes().first_chunk::<ENTRY_LEN>() else {
            return out.summary.faults.insert(stack.shortage(ENTRY_LEN));
        };
        stack = stack.after(ENTRY_LEN);
        if entry[2] & IS_BOTTOM != 0 {
            break;
        }
    }
    match stack.bytes().first().map(|byte| byte >> 4) {
        Some(4) => ip::decode_v4(stack, out),
        Some(6) => ip::decode_v6(stack, out),
        Some(_) => {}
        None if stack.wire_len() == 0 => {}
        None => out.summary.faults.insert(stack.shortage(1)),
    }
}
