//! The socket's filter in classic BPF: cuts packets to the snap length in the kernel, and drops the
//! second sight of each loopback packet there, before it is counted or takes room in the ring.
#![expect(clippy::cast_possible_truncation, reason = "the kernel's constants fit its fields")]

use socket2::SockFilter;

const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets that load what the kernel knows of a packet instead of its bytes (linux/filter.h).
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
const INTERFACE_INDEX: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned();

/// Accepts packets up to `snaplen` bytes, but not what leaves through the interface `loopback`:
/// it comes back in at once, and one packet is one line.
pub(super) fn accept(snaplen: u32, loopback: Option<u32>) -> Vec<SockFilter> {
    let Some(loopback) = loopback else { return vec![SockFilter::new(RETURN, 0, 0, snaplen)] };
    vec![
        SockFilter::new(LOAD_BYTE, 0, 0, PACKET_TYPE),
        SockFilter::new(JUMP_IF_EQUAL, 0, 3, u32::from(libc::PACKET_OUTGOING)),
        SockFilter::new(LOAD_WORD, 0, 0, INTERFACE_INDEX),
        SockFilter::new(JUMP_IF_EQUAL, 0, 1, loopback),
        SockFilter::new(RETURN, 0, 0, 0),
        SockFilter::new(RETURN, 0, 0, snaplen),
    ]
}

/// Accepts nothing.
pub(super) fn reject() -> Vec<SockFilter> {
    vec![SockFilter::new(RETURN, 0, 0, 0)]
}
