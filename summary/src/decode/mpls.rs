//! MPLS label stacks (RFC 3032). They are skipped: the summary describes the packet inside.

use super::{DecodeState, Extent, Observer, ip, tunnel};

use crate::inspect::link;

/// Label, traffic class, bottom-of-stack flag, time to live.
const ENTRY_LEN: usize = 4;
/// The bottom-of-stack flag in the third byte.
const BOTTOM_OF_STACK: u8 = 1;

/// Decodes the packet after the stack if its first four bits are an IP version, or the frame of a
/// pseudowire if its bytes prove one. MPLS has no protocol field, so everything else remains `mpls`. The
/// control word of a pseudowire starts with zeros (RFC 4385, section 3), so it is not mistaken for IP.
pub(super) fn decode<'a>(
    mut stack: Extent<'a>,
    state: &mut DecodeState<'_, '_, 'a, impl Observer>,
) {
    loop {
        state.observer.layer(stack.bytes(), link::mpls);
        let Some(entry) = stack.bytes().first_chunk::<ENTRY_LEN>() else {
            return state.summary.faults.insert(stack.short_header_faults(ENTRY_LEN));
        };
        stack = stack.after(ENTRY_LEN);
        if entry[2] & BOTTOM_OF_STACK != 0 {
            break;
        }
    }
    match stack.bytes().first().map(|byte| byte >> 4) {
        Some(4) => ip::decode_v4(stack, state),
        Some(6) => ip::decode_v6(stack, state),
        Some(_) => tunnel::pseudowire(stack, state),
        None if stack.wire_len() == 0 => {}
        None => state.summary.faults.insert(stack.short_header_faults(1)),
    }
}
