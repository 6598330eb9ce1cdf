//! The socket's filter in classic BPF: cuts packets to the snap length in the kernel, and drops the
//! second sight of each loopback packet there, before it is counted or takes room in the ring.
#![expect(clippy::cast_possible_truncation, reason = "the kernel's constants fit its fields")]

use crate::cli::Direction;
use socket2::SockFilter;

const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets that load what the kernel knows of a packet instead of its bytes (linux/filter.h).
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
const INTERFACE_INDEX: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned();

/// Accepts packets of that direction up to `snaplen` bytes, but not what leaves through the interface
/// `loopback`: it comes back in at once, and one packet is one line. There, out is in.
pub(super) fn accept(snaplen: u32, direction: Direction, loopback: Option<u32>) -> Vec<SockFilter> {
    let reject = || SockFilter::new(RETURN, 0, 0, 0);
    let accept = || SockFilter::new(RETURN, 0, 0, snaplen);
    let load_packet_type = || SockFilter::new(LOAD_BYTE, 0, 0, PACKET_TYPE);
    // Skips one instruction where the packet is not outgoing.
    let if_outgoing = || SockFilter::new(JUMP_IF_EQUAL, 0, 1, u32::from(libc::PACKET_OUTGOING));
    let mut program = Vec::new();
    if let Some(loopback) = loopback {
        // Of loopback all that comes in is accepted, whatever the direction: it went out, too.
        program.push(SockFilter::new(LOAD_WORD, 0, 0, INTERFACE_INDEX));
        program.push(SockFilter::new(JUMP_IF_EQUAL, 0, 4, loopback));
        program.extend([load_packet_type(), if_outgoing(), reject(), accept()]);
    }
    match direction {
        Direction::Inout => program.push(accept()),
        Direction::In => program.extend([load_packet_type(), if_outgoing(), reject(), accept()]),
        Direction::Out => program.extend([load_packet_type(), if_outgoing(), accept(), reject()]),
    }
    program
}

/// Accepts nothing.
pub(super) fn reject() -> Vec<SockFilter> {
    vec![SockFilter::new(RETURN, 0, 0, 0)]
}
