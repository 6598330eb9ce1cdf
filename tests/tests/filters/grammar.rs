//! Generates random expressions of the filter language from seeds.

use std::fmt::Write;

/// The expression of a seed.
pub(crate) fn expression(seed: u64) -> String {
    let mut rng = Rng(seed);
    let mut text = String::new();
    if rng.chance(5) {
        let carriers = [
            "vlan",
            "vlan 1",
            "vlan 100",
            "mpls",
            "mpls 16",
            "pppoes",
            "pppoes 1",
            "vlan and vlan",
        ];
        write!(text, "{} and ", rng.pick(&carriers)).unwrap();
    }
    chain(&mut rng, 0, &mut text);
    text
}

/// The generator SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap()
    }

    /// True once in `times` calls, on average.
    fn chance(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

fn chain(rng: &mut Rng, depth: usize, text: &mut String) {
    let count = [1, 1, 2, 2, 3, 4][rng.below(6)];
    for n in 0..count {
        if 0 < n {
            text.push_str(rng.pick(&[" and ", " or ", " && ", " || "]));
        }
        if rng.chance(5) {
            text.push_str(rng.pick(&["not ", "!", "! "]));
        }
        if depth < 3 && rng.chance(5) {
            text.push('(');
            chain(rng, depth + 1, text);
            text.push(')');
        } else {
            term(rng, text);
        }
    }
}

const PROTOCOLS: [&str; 33] = [
    "ip", "ip", "ip6", "ip6", "arp", "rarp", "tcp", "tcp", "udp", "udp", "icmp", "icmp6", "igmp",
    "sctp", "ah", "esp", "pim", "vrrp", "carp", "igrp", "atalk", "aarp", "decnet", "lat", "sca",
    "moprc", "mopdl", "stp", "ipx", "netbeui", "iso", "esis", "clnp",
];
const HOSTS: [&str; 12] = [
    "10.0.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "10.1.1.1",
    "224.0.0.5",
    "255.255.255.255",
    "192.168.0.1",
    "10.0.0.2",
    "::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::1",
];
const PORTS: [&str; 10] = ["53", "80", "443", "22", "67", "123", "5353", "domain", "http", "ssh"];

fn term(rng: &mut Rng, text: &mut String) {
    let direction = ["", "", "src ", "dst ", "src or dst ", "dst or src ", "src and dst "];
    match rng.below(14) {
        0..=2 => text.push_str(rng.pick(&PROTOCOLS)),
        3 | 4 => {
            let protocol = rng.pick(&["", "", "", "ip ", "arp ", "rarp ", "ip6 "]);
            let host = rng.pick(if protocol == "ip6 " {
                &HOSTS[8..]
            } else if protocol.is_empty() {
                &HOSTS
            } else {
                &HOSTS[..8]
            });
            let direction = rng.pick(&direction);
            let kind = if direction.is_empty() { "host " } else { rng.pick(&["host ", ""]) };
            write!(text, "{protocol}{direction}{kind}{host}").unwrap();
            // An identifier alone takes the qualifiers of the one before it.
            if rng.chance(4) {
                let more = rng.pick(if protocol == "ip6 " { &HOSTS[8..] } else { &HOSTS[..8] });
                write!(text, " or {more}").unwrap();
            }
        }
        5 => {
            let nets = [
                "10",
                "10.0",
                "192.168",
                "192.168.1",
                "10.0.0.0/8",
                "172.16.0.0/12",
                "192.168.0.0/16",
                "fe80::/10",
                "ff00::/8",
                "2001:db8::/32",
                "224.0.0.0/4",
                "192.168.0.0 mask 255.255.0.0",
                "0.0.0.0/1",
            ];
            write!(text, "{}net {}", rng.pick(&direction), rng.pick(&nets)).unwrap();
        }
        6 | 7 => {
            let protocol = rng.pick(&["", "", "tcp ", "udp ", "sctp "]);
            let first = rng.pick(&PORTS[..7]);
            write!(text, "{protocol}{}", rng.pick(&direction)).unwrap();
            match rng.below(4) {
                0 => write!(text, "portrange {first}-{}", rng.pick(&PORTS[..7])).unwrap(),
                1 => write!(text, "port {first} or {}", rng.pick(&PORTS[..7])).unwrap(),
                2 => write!(
                    text,
                    "port ({first} or {} or {})",
                    rng.pick(&PORTS),
                    rng.pick(&PORTS[..7])
                )
                .unwrap(),
                _ => write!(text, "port {}", rng.pick(&PORTS)).unwrap(),
            }
        }
        8 => {
            let protocols = [
                "ip proto 6",
                "ip proto 17",
                "ip6 proto 58",
                "proto 6",
                "ip proto \\tcp",
                "ether proto 0x800",
                "ether proto \\arp",
                "ether proto 0x42",
                "ether proto 0x86dd",
                "ip proto 47 or 89",
                "ip6 proto 6",
            ];
            text.push_str(rng.pick(&protocols));
        }
        9 => {
            let others = [
                "broadcast",
                "multicast",
                "ip multicast",
                "ip6 multicast",
                "ether host ff:ff:ff:ff:ff:ff",
                "ether src 00:00:00:00:00:00",
                "ether dst 01:80:c2:00:00:00",
                "ether broadcast",
                "llc",
                "llc ui",
                "less 100",
                "greater 1000",
                "byte 0 = 0",
                "byte 12 > 8",
                "byte 13 < 6",
                "less 60",
            ];
            text.push_str(rng.pick(&others));
        }
        _ => {
            formula(rng, 0, text);
            text.push_str(rng.pick(&[" = ", " == ", " != ", " > ", " < ", " >= ", " <= "]));
            formula(rng, 1, text);
        }
    }
}

fn formula(rng: &mut Rng, depth: usize, text: &mut String) {
    match rng.below(if depth < 3 { 9 } else { 5 }) {
        0 | 1 => {
            let numbers = [0, 1, 2, 4, 5, 6, 17, 64, 80, 255, 1500, 0x800];
            write!(text, "{}", numbers[rng.below(12)]).unwrap();
        }
        2 => text.push_str(rng.pick(&["len", "0x0f", "tcp-syn", "icmp-echo", "010"])),
        3 | 4 => {
            let protocol = rng
                .pick(&["ip", "ip", "ip6", "tcp", "udp", "icmp", "ether", "arp", "icmp6", "sctp"]);
            let size = rng.pick(&["", "", ":2", ":4"]);
            write!(
                text,
                "{protocol}[{}{size}]",
                [0, 1, 2, 4, 6, 8, 9, 12, 13, 16, 40][rng.below(11)]
            )
            .unwrap();
        }
        5 => {
            text.push('(');
            formula(rng, depth + 1, text);
            text.push_str(rng.pick(&[" + ", " - ", " * ", " & "]));
            formula(rng, depth + 1, text);
            text.push(')');
        }
        6 => {
            text.push_str("ether[");
            formula(rng, depth + 1, text);
            text.push(']');
        }
        7 if rng.chance(3) => {
            text.push('-');
            formula(rng, depth + 1, text);
        }
        _ => {
            formula(rng, depth + 1, text);
            let operators =
                [" + ", " - ", " * ", " & ", " | ", " << ", " >> ", " / ", " % ", " ^ "];
            text.push_str(rng.pick(&operators));
            formula(rng, depth + 1, text);
        }
    }
}
