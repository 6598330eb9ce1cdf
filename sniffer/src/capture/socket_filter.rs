//! Filter programs for the packet socket, in classic BPF (linux/filter.h).
//!
//! In the kernel they cut packets to the snap length and drop the outgoing copy of each loopback
//! packet, so that neither takes up space in the ring or shows in the counters.
#![expect(clippy::cast_possible_truncation, reason = "the kernel's constants fit its fields")]

use super::frame::SLL2_LEN;
use super::options::DirectionFilter;
use filter::{Instruction, Program, code, metadata};
use socket2::SockFilter;

const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets that load packet metadata instead of packet bytes (linux/filter.h, `SKF_AD_OFF`).
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
const INTERFACE_INDEX: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned();

/// Accepts packets of one direction: all of them, cut to `snaplen`, or those that `filter` accepts.
///
/// `loopback` is the index of the loopback interface if the socket sees it. Each packet passes it
/// twice, going out and coming in; only the second is accepted, whatever the direction.
pub(super) fn accept(
    snaplen: u32,
    direction: DirectionFilter,
    loopback: Option<u32>,
    filter: Option<&Program>,
) -> Vec<SockFilter> {
    let reject = || SockFilter::new(RETURN, 0, 0, 0);
    let load_packet_type = || SockFilter::new(LOAD_BYTE, 0, 0, PACKET_TYPE);
    // Skips the given number of instructions for outgoing packets and for all others.
    let skip_if_outgoing = |outgoing, other| {
        SockFilter::new(JUMP_IF_EQUAL, outgoing, other, u32::from(libc::PACKET_OUTGOING))
    };
    // Each part either rejects the packet or falls through to the next part.
    let direction_check = match direction {
        DirectionFilter::InOut => Vec::new(),
        DirectionFilter::In => vec![load_packet_type(), skip_if_outgoing(0, 1), reject()],
        DirectionFilter::Out => vec![load_packet_type(), skip_if_outgoing(1, 0), reject()],
    };
    let mut program = Vec::new();
    if let Some(loopback) = loopback {
        // Loopback packets that come in skip the direction check: they also went out.
        program.push(SockFilter::new(LOAD_WORD, 0, 0, INTERFACE_INDEX));
        program.push(SockFilter::new(JUMP_IF_EQUAL, 0, 4, loopback));
        program.extend([load_packet_type(), skip_if_outgoing(0, 1), reject()]);
        program.push(SockFilter::new(JUMP, 0, 0, direction_check.len() as u32));
    }
    program.extend(direction_check);
    match filter {
        None => program.push(SockFilter::new(RETURN, 0, 0, snaplen)),
        Some(filter) => {
            let instructions = filter.instructions().iter();
            program.extend(instructions.map(|i| SockFilter::new(i.code, i.jt, i.jf, i.k)));
        }
    }
    program
}

/// Rejects all packets.
pub(super) fn reject_all() -> Vec<SockFilter> {
    vec![SockFilter::new(RETURN, 0, 0, 0)]
}

/// Translates a filter on `LINUX_SLL2` packets for a socket that delivers packets without a link
/// header: loads of cooked header fields become loads of packet metadata.
///
/// `None` if the filter depends on a field without metadata, or on the packet length, which
/// includes the cooked header.
pub(super) fn without_cooked_header(filter: &Program) -> Option<Program> {
    let packet_offset = |k: u32| k.checked_sub(SLL2_LEN as u32);
    let translated = filter.instructions().iter().map(|instruction| {
        let size = instruction.code & (code::H | code::B);
        let k = match (instruction.code & 7, instruction.code & 0xe0) {
            (code::LD, code::ABS) => match (instruction.k, size) {
                (0, code::H) => metadata::PROTOCOL,
                (4, code::W) => metadata::INTERFACE_INDEX,
                (8, code::H) => metadata::HARDWARE_TYPE,
                (10, code::B) => metadata::PACKET_TYPE,
                (k, _) => packet_offset(k)?,
            },
            (code::LD, code::IND) | (code::LDX, code::MSH) => packet_offset(instruction.k)?,
            (code::LD | code::LDX, code::LEN) => return None,
            _ => instruction.k,
        };
        Some(Instruction { k, ..*instruction })
    });
    translated.collect::<Option<Vec<_>>>().map(Program::new)
}
