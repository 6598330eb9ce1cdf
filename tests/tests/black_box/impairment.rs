//! The analysis of connections whose segments a relay loses, delays and duplicates. The counts of the
//! sniffer on both sides of the relay must equal those of the relay.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tempfile::tempdir;
use tests::process::{Capture, wait_for};
use tests::relay::{Action, Counts, INTERFACES, Report, SERVER, Segment, with_relay};
use tests::stream::{Packet, Stream};
use xtask::random::Random;

/// The port of the first connection, and its successors.
const FIRST_PORT: u16 = 5_000;

/// Bytes that the client sends, and those that the server answers.
type Transfer = (usize, usize);

/// Makes connections through the relay, and captures on both sides of it.
fn capture(
    transfers: &[Transfer],
    decide: impl FnMut(&Segment) -> Action + Send,
) -> (Report, Stream) {
    let directory = tempdir().unwrap();
    let ports = || transfers.iter().zip(FIRST_PORT..);
    let is_listening = AtomicBool::new(false);
    let server = || {
        let listen = |port| TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).unwrap();
        let listeners: Vec<_> = ports().map(|(_, port)| listen(port)).collect();
        is_listening.store(true, Ordering::SeqCst);
        thread::scope(|scope| {
            for (&(up, down), listener) in transfers.iter().zip(&listeners) {
                scope.spawn(move || answer(&listener.accept().unwrap().0, up, down));
            }
        });
    };
    let client = || {
        wait_for("the server", || is_listening.load(Ordering::SeqCst));
        thread::scope(|scope| {
            for (&(up, down), port) in ports() {
                scope.spawn(move || {
                    request(&TcpStream::connect((SERVER, port)).unwrap(), up, down);
                });
            }
        });
    };
    let stream = Mutex::new(None);
    let [left, right] = INTERFACES;
    let args = ["-i", left, "-i", right, "--flows", "--tcp-analysis", "tcp"];
    let start = || Capture::start(directory.path(), &args);
    let report = with_relay(client, server, decide, start, |capture: Capture| {
        *stream.lock().unwrap() = Some(capture.stop());
    });
    (report, stream.into_inner().unwrap().unwrap())
}

fn request(mut stream: &TcpStream, up: usize, down: usize) {
    stream.write_all(&vec![b'?'; up]).unwrap();
    let mut answer = Vec::new();
    assert_eq!(stream.read_to_end(&mut answer).unwrap(), down);
}

fn answer(mut stream: &TcpStream, up: usize, down: usize) {
    stream.read_exact(&mut vec![0; up]).unwrap();
    stream.write_all(&vec![b'!'; down]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0);
}

/// An interface, a connection and a direction, as in the report.
type Key = (&'static str, u16, bool);

fn key(interface: Option<&str>, ports: [Option<u64>; 2]) -> Key {
    let interface = *INTERFACES.iter().find(|name| Some(**name) == interface).unwrap();
    let [sport, dport] = ports.map(Option::unwrap);
    let is_from_client = sport > dport;
    (interface, u16::try_from(sport.min(dport)).unwrap(), is_from_client)
}

/// The counts of the relay, from the packets of the sniffer.
fn counts(packets: &[Packet]) -> BTreeMap<Key, Counts> {
    let mut first_seqs = BTreeMap::new();
    let mut all = BTreeMap::<Key, Counts>::new();
    for packet in packets {
        let ports = [packet.sport, packet.dport].map(|port| port.map(u64::from));
        let key = key(packet.r#if.as_deref(), ports);
        let seq = packet.seq.unwrap();
        let start = seq.wrapping_sub(*first_seqs.entry(key).or_insert(seq));
        let counts = all.entry(key).or_default();
        counts.packets += 1;
        counts.payload += u64::from(packet.payload.unwrap());
        counts.repeated.extend(packet.rtx.is_some().then_some(start));
        counts.out_of_order.extend(packet.ooo.is_some().then_some(start));
        counts.dup_acks += u64::from(packet.dup_ack.is_some());
    }
    all
}

/// Packets, payload, retransmissions, segments out of order and duplicate acknowledgments.
fn totals(counts: &Counts) -> [u64; 5] {
    let [repeated, out_of_order] =
        [&counts.repeated, &counts.out_of_order].map(|starts| starts.len() as u64);
    [counts.packets, counts.payload, repeated, out_of_order, counts.dup_acks]
}

/// Packets and flows have the counts of the relay.
fn check(report: &Report, stream: &Stream) {
    assert_eq!(counts(&stream.packets), report.counts);
    let mut sums = BTreeMap::<Key, [u64; 5]>::new();
    for flow in &stream.flows {
        let (interface, _, is_from_client) =
            key(flow["if"].as_str(), [flow["sport"].as_u64(), flow["dport"].as_u64()]);
        assert!(is_from_client, "the client is the source: {flow}");
        let port = u16::try_from(flow["dport"].as_u64().unwrap()).unwrap();
        assert!(flow.get("unseen").is_none() && flow.get("rev_unseen").is_none(), "{flow}");
        for (prefix, is_from_client) in [("", true), ("rev_", false)] {
            let number = |name: &str| flow[format!("{prefix}{name}")].as_u64().unwrap_or(0);
            let sum = sums.entry((interface, port, is_from_client)).or_default();
            let names = ["packets", "payload", "rtx", "ooo", "dup_acks"];
            sum.iter_mut().zip(names).for_each(|(sum, name)| *sum += number(name));
        }
    }
    let expected = report.counts.iter().map(|(key, counts)| (*key, totals(counts))).collect();
    assert_eq!(sums, expected);
}

/// The number of segments at an interface that the sniffer marks with these values of `rtx`.
fn kinds(stream: &Stream, interface: &str) -> Vec<String> {
    let packets = stream.packets.iter().filter(|packet| packet.r#if.as_deref() == Some(interface));
    packets.filter_map(|packet| packet.rtx.clone()).collect()
}

#[test]
fn impaired_connections_are_counted_as_by_the_relay() {
    for seed in [1u64, 2] {
        let decide = |segment: &Segment| {
            let Segment { port, is_from_client, start, number, repeats, .. } = *segment;
            let has_data = 0 < segment.span;
            // Depends on the segment only, not on the order of connections.
            let id = if has_data { u64::from(start) } else { (1 << 32) + number as u64 };
            let place = u64::from(port) << 1 | u64::from(is_from_client);
            let mut random = Random::new(seed << 48 | place << 36 ^ id << 3 | repeats as u64 & 7);
            // The first numbers are like the seed.
            (0..8).for_each(|_| _ = random.between(0, 99));
            match random.between(0, 99) {
                _ if segment.is_syn => Action::Forward,
                0..4 => Action::Drop,
                4..8 => Action::Duplicate,
                8..12 if has_data && repeats == 0 => {
                    Action::Hold(usize::try_from(random.between(1, 3)).unwrap())
                }
                _ => Action::Forward,
            }
        };
        let transfers = [(150_000, 1), (1, 150_000), (100_000, 100_000), (5_000, 60_000)];
        let (report, stream) = capture(&transfers, decide);
        check(&report, &stream);
        let count = |of: fn(&Counts) -> u64| report.counts.values().map(of).sum::<u64>();
        let out_of_order = count(|counts| counts.out_of_order.len() as u64);
        let found = (report.lost, report.duplicated, report.held, out_of_order);
        assert!(
            5 < report.lost && 5 < report.duplicated && 5 < report.held && 5 < out_of_order,
            "{found:?}"
        );
        assert!(0 < count(|counts| counts.dup_acks), "{found:?}");
    }
}

#[test]
fn perfect_connections_have_no_findings() {
    let (report, stream) = capture(&[(200_000, 200_000)], |_| Action::Forward);
    check(&report, &stream);
    for counts in report.counts.values() {
        assert_eq!((&counts.repeated[..], &counts.out_of_order[..]), (&[][..], &[][..]));
    }
    // Every segment takes five steps through the relay, and its acknowledgment takes five.
    let handshakes = stream.flows.iter().map(|flow| flow["handshake_us"].as_u64().unwrap());
    assert!(handshakes.min() >= Some(50_000));
    assert!(stream.flows.iter().all(|flow| flow["rtt_samples"].is_u64()));
}

/// A segment in the middle is lost: the receiver asks for it.
#[test]
fn retransmission_after_selective_acknowledgments_is_fast() {
    let is_lost = |segment: &Segment| {
        segment.is_from_client && segment.start == 1 + 5 * 1_448 && segment.repeats == 0
    };
    let decide = |segment: &Segment| if is_lost(segment) { Action::Drop } else { Action::Forward };
    let (report, stream) = capture(&[(50_000, 0)], decide);
    check(&report, &stream);
    assert_eq!(report.lost, 1);
    for interface in INTERFACES {
        assert_eq!(kinds(&stream, interface), ["fast"], "{interface}");
    }
}

/// The only segment is lost: nothing after it asks for it. After the relay, it is new.
#[test]
fn retransmission_without_acknowledgments_is_a_timeout() {
    let is_lost = |segment: &Segment| {
        segment.is_from_client && segment.start == 1 && 0 < segment.payload && segment.repeats == 0
    };
    let decide = |segment: &Segment| if is_lost(segment) { Action::Drop } else { Action::Forward };
    let (report, stream) = capture(&[(100, 100)], decide);
    check(&report, &stream);
    assert_eq!(report.lost, 1);
    let [left, right] = INTERFACES.map(|interface| kinds(&stream, interface));
    assert!(!left.is_empty() && left.iter().all(|kind| kind == "timeout"), "{left:?}");
    assert!(right.is_empty(), "{right:?}");
}

/// The acknowledgments are lost: the receiver has the data that the sender repeats.
#[test]
fn retransmission_of_acknowledged_data_is_spurious() {
    let mut is_repeated = false;
    let decide = |segment: &Segment| {
        is_repeated |= segment.is_from_client && segment.start == 1 && 0 < segment.repeats;
        let is_ack = !segment.is_from_client && !segment.is_syn && segment.ack.is_some();
        if is_ack && !is_repeated { Action::Drop } else { Action::Forward }
    };
    let (report, stream) = capture(&[(100, 0)], decide);
    check(&report, &stream);
    assert!(0 < report.lost);
    let right = kinds(&stream, INTERFACES[1]);
    assert!(right.contains(&"spurious".to_owned()), "{right:?}");
    assert!(!right.contains(&"fast".to_owned()), "{right:?}");
}

/// The handshake is measured only if neither SYN nor its answer was sent twice.
#[test]
fn lost_handshakes_are_not_measured() {
    for is_from_client in [true, false] {
        let is_lost = |segment: &Segment| {
            segment.is_syn && segment.is_from_client == is_from_client && segment.repeats == 0
        };
        let decide =
            |segment: &Segment| if is_lost(segment) { Action::Drop } else { Action::Forward };
        let (report, stream) = capture(&[(100, 100)], decide);
        check(&report, &stream);
        let measured = |interface: &str| {
            let flow = stream.flows.iter().find(|flow| flow["if"] == interface).unwrap();
            flow["handshake_us"].is_u64()
        };
        // After the relay, a lost SYN was never sent.
        assert_eq!(INTERFACES.map(measured), [false, is_from_client]);
    }
}
