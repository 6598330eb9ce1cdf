//! Time to compile expressions and to run their programs: `cargo bench -p filter`.
#![expect(clippy::unwrap_used, reason = "a benchmark reports failures by panicking")]

use divan::{Bencher, black_box};
use filter::{LinkType, Metadata, Options, compile, run};

const EXPRESSIONS: [&str; 6] = [
    "ip",
    "tcp port 443 and not host 10.0.0.5",
    "port 80 or 443 or 53",
    "src and dst net 2001:db8::/32 or net 192.168.0.0/16",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 and ip[2:2] - ((ip[0] & 0xf) << 2) > 40",
    "ip6 protochain 6 or ip protochain 6",
];

fn main() {
    divan::main();
}

#[divan::bench(args = EXPRESSIONS)]
fn compiling(bencher: Bencher<'_, '_>, expression: &str) {
    bencher
        .bench(|| compile(black_box(expression), LinkType::ETHERNET, &Options::default()).unwrap());
}

/// Runs the programs on a TCP packet over IPv4.
#[divan::bench(args = EXPRESSIONS)]
fn running(bencher: Bencher<'_, '_>, expression: &str) {
    let program = compile(expression, LinkType::ETHERNET, &Options::default()).unwrap();
    let mut frame = [0; 74];
    frame[12..14].copy_from_slice(&[0x08, 0x00]);
    (frame[14], frame[23]) = (0x45, 6);
    bencher.bench(|| run(black_box(&program), black_box(&frame), 74, &Metadata::default()));
}
