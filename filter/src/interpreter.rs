//! Runs programs on packets in memory, with the semantics of the kernel's BPF interpreter.

use crate::instruction::{Program, code::*, compute, metadata};

/// Metadata of a packet, which the kernel provides in addition to its bytes. Programs read fields
/// that are not set as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Protocol of the packet, an EtherType.
    pub protocol: u16,
    /// Packet type (`sll_pkttype`, packet(7)).
    pub packet_type: u8,
    /// Index of the interface.
    pub interface_index: u32,
    /// Protocol identifier and tag control information of the outermost VLAN tag, if it was removed
    /// from the bytes.
    pub vlan: Option<(u16, u16)>,
}

impl Metadata {
    fn word(&self, offset: u32) -> Option<u32> {
        Some(match offset {
            metadata::PROTOCOL => self.protocol.into(),
            metadata::PACKET_TYPE => self.packet_type.into(),
            metadata::INTERFACE_INDEX => self.interface_index,
            metadata::VLAN_TAG => self.vlan.map_or(0, |(_, control)| control.into()),
            metadata::VLAN_TAG_PRESENT => self.vlan.is_some().into(),
            metadata::VLAN_PROTOCOL => self.vlan.map_or(0, |(protocol, _)| protocol.into()),
            _ => return None,
        })
    }
}

/// Applies a program to a packet. Returns the number of bytes to keep, or 0 if the packet is
/// rejected.
///
/// `bytes` are the captured bytes, `len` is the length on the wire. A load beyond the captured bytes,
/// a division by zero and an invalid instruction reject the packet, as does the end of the program.
/// Every program terminates, because jumps only go forward.
pub fn run(program: &Program, bytes: &[u8], len: u32, metadata: &Metadata) -> u32 {
    execute(program, bytes, len, metadata).unwrap_or(0)
}

fn execute(program: &Program, bytes: &[u8], len: u32, metadata: &Metadata) -> Option<u32> {
    let (mut a, mut x) = (0u32, 0u32);
    let mut memory = [0u32; 16];
    let mut instructions = program.instructions().iter();
    loop {
        let instruction = instructions.next()?;
        let k = instruction.k;
        match instruction.code & 7 {
            LD => {
                let size = instruction.code & 0x18;
                a = match instruction.code & 0xe0 {
                    IMM => k,
                    ABS => match metadata.word(k) {
                        Some(word) => word,
                        None => load(bytes, k, size)?,
                    },
                    IND => load(bytes, x.checked_add(k)?, size)?,
                    MEM => *memory.get(k as usize)?,
                    LEN => len,
                    _ => return None,
                };
            }
            LDX => {
                x = match instruction.code & 0xe0 {
                    IMM => k,
                    MEM => *memory.get(k as usize)?,
                    LEN => len,
                    MSH => (load(bytes, k, B)? & 0xf) << 2,
                    _ => return None,
                };
            }
            ST => *memory.get_mut(k as usize)? = a,
            STX => *memory.get_mut(k as usize)? = x,
            ALU => {
                let operand = if instruction.code & X == 0 { k } else { x };
                a = compute(instruction.code & 0xf0, a, operand)?;
            }
            JMP => {
                let operand = if instruction.code & X == 0 { k } else { x };
                let holds = match instruction.code & 0xf0 {
                    JA => {
                        instructions = instructions.as_slice().get(k as usize..)?.iter();
                        continue;
                    }
                    JEQ => a == operand,
                    JGT => operand < a,
                    JGE => operand <= a,
                    JSET => a & operand != 0,
                    _ => return None,
                };
                let skipped = if holds { instruction.jt } else { instruction.jf };
                instructions = instructions.as_slice().get(usize::from(skipped)..)?.iter();
            }
            RET if instruction.code & A != 0 => return Some(a),
            RET => return Some(k),
            _ if instruction.code & TXA != 0 => a = x,
            _ => x = a,
        }
    }
}

/// Reads a number in network byte order.
fn load(bytes: &[u8], offset: u32, size: u16) -> Option<u32> {
    let bytes = bytes.get(offset as usize..)?;
    match size {
        W => bytes.first_chunk().map(|chunk| u32::from_be_bytes(*chunk)),
        H => bytes.first_chunk().map(|chunk| u16::from_be_bytes(*chunk).into()),
        B => bytes.first().map(|byte| (*byte).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Instruction;

    fn verdict(instructions: &[Instruction], bytes: &[u8]) -> u32 {
        run(&Program::new(instructions.to_vec()), bytes, 100, &Metadata::default())
    }

    #[test]
    fn invalid_programs_reject_the_packet() {
        let end = Instruction::new(RET | A, 0);
        assert_eq!(verdict(&[], &[]), 0, "no instructions");
        assert_eq!(
            verdict(&[Instruction::new(LD | B | ABS, 3), end], &[1, 2, 3]),
            0,
            "load beyond the packet"
        );
        assert_eq!(verdict(&[Instruction::new(LD | W | ABS, u32::MAX), end], &[1; 64]), 0);
        assert_eq!(verdict(&[Instruction::new(ALU | DIV | X, 0), end], &[]), 0, "division by zero");
        assert_eq!(
            verdict(&[Instruction::new(JMP | JA, u32::MAX), end], &[]),
            0,
            "jump beyond the program"
        );
        assert_eq!(verdict(&[Instruction::new(ST, 16), end], &[]), 0, "no such memory");
        assert_eq!(verdict(&[Instruction::new(0xffff, 0), end], &[]), 0, "no such instruction");
    }

    #[test]
    fn loads_and_arithmetic_give_expected_results() {
        let end = Instruction::new(RET | A, 0);
        assert_eq!(verdict(&[Instruction::new(LD | H | ABS, 1), end], &[1, 2, 3]), 0x203);
        assert_eq!(verdict(&[Instruction::new(LD | LEN, 0), end], &[1, 2, 3]), 100);
        let header = [Instruction::new(LDX | MSH | B, 0), Instruction::new(LD | B | IND, 1), end];
        let mut bytes = [0; 64];
        bytes[0] = 0x4f;
        bytes[61] = 7;
        assert_eq!(verdict(&header, &bytes), 7);
        let shift = [Instruction::new(LD, 1), Instruction::new(ALU | LSH, 32), end];
        assert_eq!(verdict(&shift, &[]), 0);
    }
}
