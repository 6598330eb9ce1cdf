//! Programs of classic BPF instructions (bpf(4), linux/filter.h), and the formats in which tcpdump
//! prints them.

use std::fmt;

/// One instruction, with the fields of the kernel's `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instruction {
    /// Class, size, mode and operation; see [`code`].
    pub code: u16,
    /// Conditional jumps: number of instructions to skip if the condition is true.
    pub jt: u8,
    /// Conditional jumps: number of instructions to skip if the condition is false.
    pub jf: u8,
    /// The operand: an offset, a constant, an index into memory, or the distance of an unconditional
    /// jump.
    pub k: u32,
}

/// Parts of [`Instruction::code`], to be combined with `|`. Names and numbers are those of
/// linux/bpf_common.h.
pub mod code {
    #![expect(missing_docs, reason = "the names are those of linux/bpf_common.h")]
    pub const LD: u16 = 0x00;
    pub const LDX: u16 = 0x01;
    pub const ST: u16 = 0x02;
    pub const STX: u16 = 0x03;
    pub const ALU: u16 = 0x04;
    pub const JMP: u16 = 0x05;
    pub const RET: u16 = 0x06;
    pub const MISC: u16 = 0x07;

    pub const W: u16 = 0x00;
    pub const H: u16 = 0x08;
    pub const B: u16 = 0x10;

    pub const IMM: u16 = 0x00;
    pub const ABS: u16 = 0x20;
    pub const IND: u16 = 0x40;
    pub const MEM: u16 = 0x60;
    pub const LEN: u16 = 0x80;
    pub const MSH: u16 = 0xa0;

    pub const ADD: u16 = 0x00;
    pub const SUB: u16 = 0x10;
    pub const MUL: u16 = 0x20;
    pub const DIV: u16 = 0x30;
    pub const OR: u16 = 0x40;
    pub const AND: u16 = 0x50;
    pub const LSH: u16 = 0x60;
    pub const RSH: u16 = 0x70;
    pub const NEG: u16 = 0x80;
    pub const MOD: u16 = 0x90;
    pub const XOR: u16 = 0xa0;

    pub const JA: u16 = 0x00;
    pub const JEQ: u16 = 0x10;
    pub const JGT: u16 = 0x20;
    pub const JGE: u16 = 0x30;
    pub const JSET: u16 = 0x40;

    pub const K: u16 = 0x00;
    pub const X: u16 = 0x08;
    pub const A: u16 = 0x10;

    pub const TAX: u16 = 0x00;
    pub const TXA: u16 = 0x80;
}

/// Offsets at which absolute loads return the kernel's metadata of a packet instead of its bytes
/// (`SKF_AD_OFF` and the constants after it, linux/filter.h).
pub mod metadata {
    const OFFSET: u32 = 0xffff_f000;
    /// Protocol of the packet, an EtherType.
    pub const PROTOCOL: u32 = OFFSET;
    /// Packet type (`sll_pkttype`, packet(7)).
    pub const PACKET_TYPE: u32 = OFFSET + 4;
    /// Index of the interface.
    pub const INTERFACE_INDEX: u32 = OFFSET + 8;
    /// Hardware type of the interface (`ARPHRD_*`, linux/if_arp.h).
    pub const HARDWARE_TYPE: u32 = OFFSET + 28;
    /// Tag control information of the VLAN tag that the kernel removed from the packet.
    pub const VLAN_TAG: u32 = OFFSET + 44;
    /// 1 if the kernel removed a VLAN tag from the packet, otherwise 0.
    pub const VLAN_TAG_PRESENT: u32 = OFFSET + 48;
    /// Protocol identifier of that tag.
    pub const VLAN_PROTOCOL: u32 = OFFSET + 60;
}

use code::*;

impl Instruction {
    /// An instruction other than a conditional jump.
    pub const fn new(code: u16, k: u32) -> Self {
        Self { code, jt: 0, jf: 0, k }
    }

    /// Mnemonic and operand, as tcpdump prints them.
    fn mnemonic(self) -> (&'static str, String) {
        let Self { code, k, .. } = self;
        let size = ["", "h", "b"][usize::from(code >> 3 & 3).min(2)];
        let load = match size {
            "h" => "ldh",
            "b" => "ldb",
            _ => "ld",
        };
        match code & 7 {
            LD => match code & 0xe0 {
                IMM => ("ld", format!("#0x{k:x}")),
                ABS => (load, offset(k)),
                IND => (load, format!("[x + {k}]")),
                MEM => ("ld", format!("M[{k}]")),
                LEN => ("ld", "#pktlen".into()),
                _ => ("unimp", format!("0x{code:x}")),
            },
            LDX => match code & 0xe0 {
                IMM => ("ldx", format!("#0x{k:x}")),
                MEM => ("ldx", format!("M[{k}]")),
                LEN => ("ldx", "#pktlen".into()),
                MSH => ("ldxb", format!("4*([{k}]&0xf)")),
                _ => ("unimp", format!("0x{code:x}")),
            },
            ST => ("st", format!("M[{k}]")),
            STX => ("stx", format!("M[{k}]")),
            ALU => {
                let name = match code & 0xf0 {
                    ADD => "add",
                    SUB => "sub",
                    MUL => "mul",
                    DIV => "div",
                    OR => "or",
                    AND => "and",
                    LSH => "lsh",
                    RSH => "rsh",
                    NEG => return ("neg", String::new()),
                    MOD => "mod",
                    XOR => "xor",
                    _ => return ("unimp", format!("0x{code:x}")),
                };
                let hexadecimal = matches!(code & 0xf0, OR | AND | XOR);
                (
                    name,
                    if code & X != 0 {
                        "x".into()
                    } else if hexadecimal {
                        format!("#0x{k:x}")
                    } else {
                        format!("#{k}")
                    },
                )
            }
            JMP => {
                let name = match code & 0xf0 {
                    JA => return ("ja", String::new()),
                    JEQ => "jeq",
                    JGT => "jgt",
                    JGE => "jge",
                    JSET => "jset",
                    _ => return ("unimp", format!("0x{code:x}")),
                };
                (name, if code & X != 0 { "x".into() } else { format!("#0x{k:x}") })
            }
            RET if code & A != 0 => ("ret", String::new()),
            RET => ("ret", format!("#{k}")),
            _ if code & TXA != 0 => ("txa", String::new()),
            _ => ("tax", String::new()),
        }
    }
}

/// Operand of an absolute load: the offset, or the name of metadata.
fn offset(k: u32) -> String {
    match k {
        metadata::PROTOCOL => "[proto]".into(),
        metadata::PACKET_TYPE => "[pkt_type]".into(),
        metadata::INTERFACE_INDEX => "[ifidx]".into(),
        metadata::VLAN_TAG => "[vlan_tci]".into(),
        metadata::VLAN_TAG_PRESENT => "[vlanp]".into(),
        _ => format!("[{}]", k.cast_signed()),
    }
}

/// The result of an ALU operation; `None` for a division by zero or an unknown operation. Shifts by
/// 32 bits or more give 0.
pub(crate) fn compute(operation: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match operation {
        ADD => a.wrapping_add(operand),
        SUB => a.wrapping_sub(operand),
        MUL => a.wrapping_mul(operand),
        DIV => a.checked_div(operand)?,
        MOD => a.checked_rem(operand)?,
        OR => a | operand,
        AND => a & operand,
        XOR => a ^ operand,
        LSH => a.checked_shl(operand).unwrap_or(0),
        RSH => a.checked_shr(operand).unwrap_or(0),
        NEG => a.wrapping_neg(),
        _ => return None,
    })
}

/// A compiled filter: a sequence of instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    instructions: Vec<Instruction>,
}

/// A format for printing a program: those of tcpdump's `-d`, `-dd` and `-ddd`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpFormat {
    /// Assembly language: `(000) ldh [12]`.
    Assembly,
    /// Initializers of a C array of `struct sock_filter`.
    C,
    /// Decimal numbers, after a line with the number of instructions.
    Decimal,
}

impl Program {
    /// Maximum number of instructions that the kernel accepts (`BPF_MAXINSNS`,
    /// linux/bpf_common.h).
    pub const KERNEL_MAX_LEN: usize = 4096;

    /// A program of these instructions, which are not validated here. [`run`](crate::run) rejects
    /// packets at an invalid instruction; the kernel refuses to attach an invalid program.
    pub fn new(instructions: Vec<Instruction>) -> Self {
        Self { instructions }
    }

    /// The instructions.
    pub fn instructions(&self) -> &[Instruction] {
        &self.instructions
    }

    /// Formats the program. Every line ends with a line feed.
    pub fn display(&self, form: DumpFormat) -> impl fmt::Display + '_ {
        ProgramDisplay { program: self, form }
    }
}

struct ProgramDisplay<'a> {
    program: &'a Program,
    form: DumpFormat,
}

impl fmt::Display for ProgramDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let instructions = self.program.instructions();
        match self.form {
            DumpFormat::Assembly => {
                for (n, instruction) in instructions.iter().enumerate() {
                    let (name, operand) = instruction.mnemonic();
                    let line = format!("({n:03}) {name:8} {operand}");
                    if instruction.code & 7 != JMP {
                        writeln!(f, "{line}")?;
                    } else if instruction.code & 0xf0 == JA {
                        writeln!(f, "({n:03}) {name:8} {}", n + 1 + instruction.k as usize)?;
                    } else {
                        let [jt, jf] =
                            [instruction.jt, instruction.jf].map(|by| n + 1 + usize::from(by));
                        writeln!(f, "{line:<31} jt {jt}\tjf {jf}")?;
                    }
                }
                Ok(())
            }
            DumpFormat::C => instructions.iter().try_for_each(|Instruction { code, jt, jf, k }| {
                writeln!(f, "{{ 0x{code:x}, {jt}, {jf}, 0x{k:08x} }},")
            }),
            DumpFormat::Decimal => {
                writeln!(f, "{}", instructions.len())?;
                instructions.iter().try_for_each(|Instruction { code, jt, jf, k }| {
                    writeln!(f, "{code} {jt} {jf} {k}")
                })
            }
        }
    }
}
