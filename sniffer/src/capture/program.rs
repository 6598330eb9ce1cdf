//! The socket's filter in classic BPF: cuts packets to the snap length in the kernel, and drops the
//! second sight of each loopback packet there, before it is counted or takes room in the ring.
#![expect(clippy::cast_possible_truncation, reason = "the kernel's constants fit its fields")]

use super::DirectionFilter;
use filter::{Instruction, Program, code, metadata};
use socket2::SockFilter;

const LOAD_BYTE: u16 = (libc::BPF_LD | libc::BPF_B | libc::BPF_ABS) as u16;
const LOAD_WORD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const JUMP_IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const JUMP: u16 = (libc::BPF_JMP | libc::BPF_JA) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Offsets that load what the kernel knows of a packet instead of its bytes (linux/filter.h).
const PACKET_TYPE: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_PKTTYPE).cast_unsigned();
const INTERFACE_INDEX: u32 = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX).cast_unsigned();

/// Accepts packets of that direction up to `snaplen` bytes, or as the filter says, but not what leaves
/// through the interface `loopback`: it comes back in at once, and one packet is one line. There, out is
/// in.
pub(super) fn accept(
    snaplen: u32,
    direction: DirectionFilter,
    loopback: Option<u32>,
    filter: Option<&Program>,
) -> Vec<SockFilter> {
    let reject = || SockFilter::new(RETURN, 0, 0, 0);
    let load_packet_type = || SockFilter::new(LOAD_BYTE, 0, 0, PACKET_TYPE);
    // Skips so many instructions where the packet is outgoing, and where it is not.
    let if_outgoing = |outgoing, other| {
        SockFilter::new(JUMP_IF_EQUAL, outgoing, other, u32::from(libc::PACKET_OUTGOING))
    };
    // Each part goes on to the next one, or rejects.
    let of_direction = match direction {
        DirectionFilter::InOut => Vec::new(),
        DirectionFilter::In => vec![load_packet_type(), if_outgoing(0, 1), reject()],
        DirectionFilter::Out => vec![load_packet_type(), if_outgoing(1, 0), reject()],
    };
    let mut program = Vec::new();
    if let Some(loopback) = loopback {
        // Of loopback all that comes in is accepted, whatever the direction: it went out, too.
        program.push(SockFilter::new(LOAD_WORD, 0, 0, INTERFACE_INDEX));
        program.push(SockFilter::new(JUMP_IF_EQUAL, 0, 4, loopback));
        program.extend([load_packet_type(), if_outgoing(0, 1), reject()]);
        program.push(SockFilter::new(JUMP, 0, 0, of_direction.len() as u32));
    }
    program.extend(of_direction);
    match filter {
        None => program.push(SockFilter::new(RETURN, 0, 0, snaplen)),
        Some(filter) => {
            let instructions = filter.instructions().iter();
            program.extend(instructions.map(|i| SockFilter::new(i.code, i.jt, i.jf, i.k)));
        }
    }
    program
}

/// The same filter for packets of `any` as the kernel has them: without link header, and without the cooked
/// one that this program puts before them, whose fields it tells beside. `None` where the filter is about
/// what is not told, or about the length, which has the header in it.
pub(super) fn without_cooked_header(filter: &Program) -> Option<Program> {
    const HEADER_LEN: u32 = super::frame::SLL2_LEN as u32;
    let packet = |k: u32| k.checked_sub(HEADER_LEN);
    let translated = filter.instructions().iter().map(|instruction| {
        let size = instruction.code & (code::H | code::B);
        let k = match (instruction.code & 7, instruction.code & 0xe0) {
            (code::LD, code::ABS) => match (instruction.k, size) {
                (0, code::H) => metadata::PROTOCOL,
                (4, code::W) => metadata::INTERFACE_INDEX,
                (8, code::H) => metadata::HARDWARE_TYPE,
                (10, code::B) => metadata::PACKET_TYPE,
                (k, _) => packet(k)?,
            },
            (code::LD, code::IND) | (code::LDX, code::MSH) => packet(instruction.k)?,
            (code::LD | code::LDX, code::LEN) => return None,
            _ => instruction.k,
        };
        Some(Instruction { k, ..*instruction })
    });
    translated.collect::<Option<Vec<_>>>().map(Program::new)
}

/// Accepts nothing.
pub(super) fn reject() -> Vec<SockFilter> {
    vec![SockFilter::new(RETURN, 0, 0, 0)]
}
