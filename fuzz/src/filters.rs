//! Filter expressions of the sniffer, and the programs that they become.

use filter::{Instruction, LinkType, Metadata, Options, Program, Source, code, compile, run};
use std::sync::LazyLock;

/// Packets are padded to this length, because optimization preserves the verdict only on packets that
/// are long enough for all tests.
const PADDED_LEN: usize = 1 << 16;

/// Any text compiles or fails with a valid span, for each link type. Its program terminates, and
/// optimization preserves the verdict.
///
/// Input: link type and source, then the text, then a zero byte and a packet.
pub(crate) fn filter(input: &[u8]) {
    let [kind, input @ ..] = input else { return };
    let mut parts = input.splitn(2, |byte| *byte == 0);
    let (text, packet) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let Ok(text) = str::from_utf8(text) else { return };
    let names: Vec<_> = LinkType::names().collect();
    let (name, _) = names[usize::from(*kind) % names.len()];
    let sources = [Source::Live, Source::Anywhere, Source::File { big_endian: false }];
    let source = sources[usize::from(*kind >> 6) % sources.len()];
    let link = LinkType::from_name(name).expect("a name of the list");
    let options = Options { source, ..Options::default() };
    let program = match compile(text, link, &options) {
        Ok(program) => program,
        Err(error) => {
            assert!(!error.to_string().is_empty() && text.get(error.span()).is_some());
            return;
        }
    };
    run(&program, packet, 1_500, &Metadata::default());
    // Without optimization, an expression can be too complex.
    let Ok(plain) = compile(text, link, &Options { optimize: false, ..options }) else { return };
    if has_fixed_offsets(text) {
        check_verdicts(&program, &plain, packet, text);
    }
}

/// Whether no test depends on the length of a packet, and none divides. The optimizer may remove a
/// test that would reject the packet because it reads after the end or divides by zero.
fn has_fixed_offsets(text: &str) -> bool {
    let is_small = |index: &str| {
        let (index, _) = index.split_once(']').unwrap_or((index, ""));
        let parts: Vec<_> = index.split(':').collect();
        parts.iter().all(|part| part.trim().len() <= 4 && part.trim().parse::<u16>().is_ok())
    };
    !text.contains(['/', '%']) && text.split('[').skip(1).all(is_small)
}

fn check_verdicts(optimized: &Program, plain: &Program, packet: &[u8], text: &str) {
    let mut padded = packet.to_vec();
    padded.truncate(PADDED_LEN);
    padded.resize(PADDED_LEN, 0);
    let len = u32::try_from(PADDED_LEN).expect("16 bits");
    for vlan in [None, Some((0x8100, 7))] {
        let metadata = Metadata { protocol: 0x800, vlan, ..Metadata::default() };
        let verdict = |program| run(program, &padded, len, &metadata);
        assert_eq!(verdict(optimized), verdict(plain), "{text}");
    }
}

/// Expressions with all kinds of headers before the tested field.
const EXPRESSIONS: [&str; 24] = [
    "ip6 protochain 6",
    "ip protochain 17",
    "tcp port 443 or udp portrange 50-60",
    "host 10.0.0.1 and not icmp",
    "net 10.0.0.0/8 or net fe80::/10",
    "vlan 5 and ip and udp",
    "vlan and vlan and tcp",
    "mpls 1 and mpls and ip6",
    "pppoes 3 and ip and port 80",
    "geneve and udp port 53",
    "vxlan 4 and tcp",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "icmp6[icmp6type] = icmp6-echo",
    "ip broadcast or ether multicast",
    "ether host 02:00:00:00:00:01 and len > 100",
    "llc and stp",
    "iso proto \\isis",
    "atalk or aarp or decnet src 10.15",
    "ip[6:2] & 0x1fff = 0 and udp[4:2] > 9",
    "arp and src host 10.0.0.2",
    "wlan type mgt subtype beacon",
    "wlan addr3 02:00:00:00:00:02",
    "inbound and gateway",
    "sctp or igmp or pim or vrrp or carp",
];

/// The optimized and the unoptimized program.
type Pair = (Program, Program);

/// Programs of real expressions terminate on any packet, and optimization preserves the verdict.
///
/// Input: number of the program (16 bits, little-endian), then the packet.
pub(crate) fn packet_filter(input: &[u8]) {
    static PROGRAMS: LazyLock<Vec<(String, Pair)>> = LazyLock::new(programs);
    let [n0, n1, packet @ ..] = input else { return };
    let number = usize::from(u16::from_le_bytes([*n0, *n1])) % PROGRAMS.len();
    let (text, (optimized, plain)) = &PROGRAMS[number];
    run(optimized, packet, u32::try_from(packet.len()).unwrap_or(u32::MAX), &Metadata::default());
    check_verdicts(optimized, plain, packet, text);
}

/// The programs of all expressions for all link types that support them.
fn programs() -> Vec<(String, Pair)> {
    let mut programs = Vec::new();
    for text in EXPRESSIONS {
        for (name, _) in LinkType::names() {
            let link = LinkType::from_name(name).expect("a name of the list");
            let compiled = |optimize| {
                let options = Options { optimize, source: Source::Anywhere, ..Options::default() };
                compile(text, link, &options).ok()
            };
            if let Some(pair) = compiled(true).zip(compiled(false)) {
                programs.push((format!("{text} on {name}"), pair));
            }
        }
    }
    programs
}

/// Bytes of an instruction: code, jumps, operand.
const INSTRUCTION_LEN: usize = 8;

/// Any program terminates on any packet, and leaving the program rejects the packet.
///
/// Input: number of instructions, the instructions, then the packet.
pub(crate) fn interpreter(input: &[u8]) {
    let [count, input @ ..] = input else { return };
    let len = (usize::from(*count) * INSTRUCTION_LEN).min(input.len());
    let (code, packet) = input.split_at(len - len % INSTRUCTION_LEN);
    let mut instructions: Vec<_> = code
        .chunks_exact(INSTRUCTION_LEN)
        .map(|bytes| Instruction {
            code: u16::from_le_bytes([bytes[0], bytes[1]]),
            jt: bytes[2],
            jf: bytes[3],
            k: u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
        })
        .collect();
    let metadata = Metadata::default();
    let verdict = |instructions: &[Instruction]| {
        run(&Program::new(instructions.to_vec()), packet, 1_500, &metadata)
    };
    let open = verdict(&instructions);
    instructions.push(Instruction { code: code::RET, jt: 0, jf: 0, k: 0 });
    assert_eq!(open, verdict(&instructions));
}
