//! A port scan from outside: SYN packets to many ports of the office's server.

use etherparse::TcpHeader;
use etherparse::TcpOptionElement::MaximumSegmentSize;

use super::network::{Endpoint, SCANNER, SERVER};
use super::recording::{Micros, Recording};
use super::seconds;

const START: Micros = seconds(300);
/// Ports scanned first, in this order: nmap's top ports.
const TOP_PORTS: [u16; 20] = [
    80, 23, 443, 21, 22, 25, 3389, 110, 445, 139, 143, 53, 135, 3306, 8080, 1723, 111, 995, 993,
    5900,
];
const OPEN_PORTS: [u16; 3] = [22, 53, 80];
/// Dropped by a packet filter, so that the scanner tries them twice.
const FILTERED_PORTS: [u16; 4] = [135, 139, 445, 3389];
const PORT_COUNT: u16 = 1_024;
const WINDOW: u16 = 1_024;

/// Scans the top ports, then all up to [`PORT_COUNT`].
pub(super) fn scan(recording: &mut Recording) {
    let source_port = recording.random.ephemeral_port();
    let others = (1..=PORT_COUNT).filter(|port| !TOP_PORTS.contains(port));
    let mut time = START;
    for port in TOP_PORTS.into_iter().chain(others) {
        probe(recording, time, SCANNER.v4(source_port), port);
        // Scanners send in bursts.
        let is_pause = recording.random.chance(3);
        time += if is_pause {
            recording.random.between(180_000, 520_000)
        } else {
            recording.random.between(900, 26_000)
        };
    }
}

/// A SYN, and the answer.
fn probe(recording: &mut Recording, time: Micros, scanner: Endpoint, port: u16) {
    let target = SERVER.v4(port);
    let seq = recording.random.next_u32();
    let mut syn = TcpHeader::new(scanner.address.port(), port, seq, WINDOW);
    syn.syn = true;
    syn.set_options(&[MaximumSegmentSize(1_460)]).expect("the option fits");
    recording.tcp(time, (scanner, target), syn.clone(), &[]);
    if FILTERED_PORTS.contains(&port) {
        return recording.tcp(time + seconds(1) + 4_200, (scanner, target), syn, &[]);
    }
    let answer_time = time + 2 * target.host.delay_us + recording.random.between(15, 80);
    let mut answer = TcpHeader::new(port, scanner.address.port(), 0, 0);
    answer.ack = true;
    answer.acknowledgment_number = seq.wrapping_add(1);
    if !OPEN_PORTS.contains(&port) {
        answer.rst = true;
        return recording.tcp(answer_time, (target, scanner), answer, &[]);
    }
    answer.syn = true;
    answer.sequence_number = recording.random.next_u32();
    answer.window_size = 64_240;
    answer.set_options(&[MaximumSegmentSize(1_460)]).expect("the option fits");
    recording.tcp(answer_time, (target, scanner), answer, &[]);
    // The scanner sent the SYN through a raw socket: its kernel resets the unknown connection.
    let mut reset = TcpHeader::new(scanner.address.port(), port, seq.wrapping_add(1), 0);
    reset.rst = true;
    let reset_time = answer_time + 2 * scanner.host.delay_us + recording.random.between(20, 90);
    recording.tcp(reset_time, (scanner, target), reset, &[]);
}
