//! Properties that hold for every expression and every program.

use filter::{Instruction, LinkType, Metadata, Options, Program, Source, code, compile, run};
use proptest::prelude::*;

const LINKS: [&str; 8] =
    ["EN10MB", "RAW", "NULL", "LINUX_SLL", "LINUX_SLL2", "PPP", "IEEE802_11", "IEEE802_11_RADIO"];

const TOKENS: [&str; 74] = [
    "ip",
    "ip6",
    "arp",
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "sctp",
    "stp",
    "iso",
    "isis",
    "decnet",
    "ether",
    "wlan",
    "src",
    "dst",
    "host",
    "net",
    "port",
    "portrange",
    "proto",
    "protochain",
    "gateway",
    "broadcast",
    "multicast",
    "vlan",
    "mpls",
    "pppoes",
    "geneve",
    "vxlan",
    "llc",
    "less",
    "greater",
    "byte",
    "len",
    "inbound",
    "ifindex",
    "type",
    "subtype",
    "dir",
    "mgt",
    "tods",
    "and",
    "or",
    "not",
    "and",
    "or",
    "not",
    "(",
    ")",
    "[",
    "]",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "&",
    "|",
    "^",
    "<<",
    ">>",
    "=",
    "!=",
    ">",
    "0",
    "1",
    "2",
    "4",
    "80",
    "10.0.0.1",
    "::1",
    "00:11:22:33:44:55",
];

/// Whether all jumps and memory accesses are in bounds, as the kernel's verifier requires.
fn is_sound(program: &Program) -> bool {
    let len = program.instructions().len();
    program.instructions().iter().enumerate().all(|(index, instruction)| {
        let left = len - index - 1;
        let memory = match instruction.code & 7 {
            code::ST | code::STX => true,
            code::LD | code::LDX => instruction.code & 0xe0 == code::MEM,
            _ => false,
        };
        match instruction.code {
            jump if jump & 7 == code::JMP && jump & 0xf0 == code::JA => {
                (instruction.k as usize) < left
            }
            jump if jump & 7 == code::JMP => usize::from(instruction.jt.max(instruction.jf)) < left,
            _ => !memory || instruction.k < 16,
        }
    })
}

fn expressions() -> impl Strategy<Value = String> {
    let token = prop::sample::select(TOKENS.to_vec());
    prop::collection::vec(token, 0..14).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    #[test]
    fn any_text_compiles_or_fails_with_a_valid_span(text in ".{0,60}", link in prop::sample::select(LINKS.to_vec())) {
        if let Err(error) = compile(&text, LinkType::from_name(link).unwrap(), &Options::default()) {
            prop_assert!(text.get(error.span()).is_some());
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn any_token_sequence_compiles_or_fails_with_a_valid_span(text in expressions(), link in prop::sample::select(LINKS.to_vec()), is_live: bool) {
        let source = if is_live { Source::Live } else { Source::Anywhere };
        let options = Options { source, ..Options::default() };
        let link = LinkType::from_name(link).unwrap();
        match compile(&text, link, &options) {
            Ok(program) => prop_assert!(is_sound(&program), "{text}"),
            Err(error) => prop_assert!(text.get(error.span()).is_some(), "{text}: {error}"),
        }
    }

    /// Optimization does not change the verdict on a packet that is long enough for all tests.
    #[test]
    fn optimization_preserves_verdicts(
        text in expressions(),
        link in prop::sample::select(LINKS.to_vec()),
        head in prop::collection::vec(any::<u8>(), 0..80),
        ether_type in prop::sample::select(vec![0x0800u16, 0x86dd, 0x0806, 0x8100, 0x8847, 0x8864, 20]),
        protocol in prop::sample::select(vec![6u8, 17, 1, 44, 132]),
    ) {
        let link = LinkType::from_name(link).unwrap();
        let Ok(optimized) = compile(&text, link, &Options::default()) else { return Ok(()) };
        let unoptimized = Options { optimize: false, ..Options::default() };
        let plain = compile(&text, link, &unoptimized).unwrap();
        prop_assert!(is_sound(&plain));
        let mut packet = head;
        packet.resize(1 << 16, 0);
        packet[12..14].copy_from_slice(&ether_type.to_be_bytes());
        (packet[14], packet[20], packet[23]) = (0x45, packet[20] & 0x20, protocol);
        let verdict = |program| run(program, &packet, 1 << 16, &Metadata::default());
        // Exception: the optimizer can remove a division by zero, which rejects the packet.
        if verdict(&optimized) != verdict(&plain) {
            prop_assert!(text.contains(['/', '%']), "{text}");
        }
    }

    #[test]
    fn interpreter_terminates_on_any_program(
        instructions in prop::collection::vec((0u16..0x100, 0u8..8, 0u8..8, prop_oneof![0u32..20, any::<u32>()]), 0..40),
        bytes in prop::collection::vec(any::<u8>(), 0..64),
        len: u32,
    ) {
        let program = instructions.into_iter().map(|(code, jt, jf, k)| Instruction { code, jt, jf, k });
        run(&Program::new(program.collect()), &bytes, len, &Metadata::default());
    }
}

#[test]
fn long_and_deep_expressions_compile_or_fail() {
    let ethernet = |text: &str| compile(text, LinkType::ETHERNET, &Options::default());
    let hosts: Vec<_> = (0..6_000).map(|n| format!("host 10.{}.{}.1", n / 256, n % 256)).collect();
    let long = hosts.join(" or ");
    assert!(100_000 < long.len());
    let program = ethernet(&long).unwrap();
    assert!(is_sound(&program) && Program::KERNEL_MAX_LEN < program.instructions().len());
    assert!(ethernet(&vec!["port 80"; 10_000].join(" and ")).unwrap().instructions().len() < 40);
    let alternating: Vec<_> =
        (0..9_000).map(|n| format!("port {n} {}", ["or", "and"][n % 2])).collect();
    assert!(is_sound(&ethernet(&format!("{} ip", alternating.join(" "))).unwrap()));
    for (head, middle, tail) in [
        ("(", "ip", ")"),
        ("not ", "ip", ""),
        ("!(", "ip", ")"),
        ("ip[", "0", "] = 1"),
        ("-", "1", " = 1"),
        ("(", "1", ") = 1"),
        ("host (", "1.2.3.4", ")"),
        ("1 + ", "1", " = 2"),
        ("ether[ether[", "0", "]]"),
    ] {
        let deep = format!("{}{middle}{}", head.repeat(10_000), tail.repeat(10_000));
        if let Err(error) = ethernet(&deep) {
            assert!(!error.message().is_empty());
        }
    }
    assert!(ethernet(&"(".repeat(10_000)).unwrap_err().message().contains("nested"));
    assert!(ethernet(&"not ".repeat(10_000)).is_err());
    assert!(ethernet(&" ".repeat(2 << 20)).is_err(), "too long");
}

#[test]
fn errors_point_at_the_offending_text() {
    let message =
        |text| compile(text, LinkType::ETHERNET, &Options::default()).unwrap_err().to_string();
    assert_eq!(
        message("tcp port 70000"),
        "port number 70000 greater than maximum 65535\n  tcp port 70000\n           ^^^^^"
    );
    assert_eq!(
        message("ip and host"),
        "can't parse filter expression: syntax error: expected a name, an address or a number\n  ip and host\n             ^"
    );
    assert!(message("ip proto tcp").contains("write \\tcp\n"));
    assert!(message("host nowhere.example").starts_with("unknown host 'nowhere.example'"));
    assert!(message("tcp port unheardof").starts_with("unknown port 'unheardof'"));
    assert!(message("net unheardof").starts_with("unknown network 'unheardof'"));
    assert!(message("ip proto \\unheardof").starts_with("unknown ip proto 'unheardof'"));
    assert!(message("ether host unheardof").starts_with("unknown ether host 'unheardof'"));
}
