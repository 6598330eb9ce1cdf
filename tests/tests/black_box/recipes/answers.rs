//! Plain counts over the packets of captures, which the engines must agree with.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use tests::reference::parse_ns;
use tests::stream::Packet;

use super::captures::{Captures, SENSORS};

/// Rows of text cells.
pub(crate) type Rows = Vec<Vec<String>>;

/// Bytes in a step of packet sizes.
const SIZE_STEP: u64 = 128;
/// Length of the minute in a timestamp.
const MINUTE_LEN: usize = "2026-03-02T09:05".len();
/// The time window of the pages.
const WINDOW: [&str; 2] = ["2026-03-02T09:05:00", "2026-03-02T09:05:30"];
/// One packet in this many is in a sample.
const SAMPLING: u64 = 100;
const DNS_PORT: u16 = 53;

/// Most rows of a ranking.
const TOP: usize = 10;
/// Cell of the scatter plot on the axis of time.
const CELL_NS: i64 = 10_000_000_000;

/// The answer with this name.
///
/// # Panics
///
/// If there is none.
pub(crate) fn answer(name: &str, captures: &Captures) -> Rows {
    let packets: Vec<&Packet> = captures.iter().flatten().collect();
    let mut rows = match name {
        "sizes" => sizes(&packets),
        "throughput" => throughput(&packets),
        "conversations" => conversations(&packets, str::to_owned),
        // ClickHouse compares addresses as numbers.
        "pairs" => conversations(&packets, mapped),
        "dns" => {
            let queries = packets.iter().filter(|packet| packet.dport == Some(DNS_PORT));
            ranked(queries.filter_map(|packet| packet.dns.as_ref()).map(|name| row(&[name])))
        }
        "sni" => {
            ranked(packets.iter().filter_map(|packet| packet.sni.as_ref()).map(|sni| row(&[sni])))
        }
        "repeats" => repeats(&packets),
        "window" => {
            let window = || packets.iter().filter(|packet| is_in_window(packet));
            let bytes: u64 = window().map(|packet| packet.len).sum();
            vec![row(&[&window().count(), &bytes])]
        }
        "sample" => {
            let sample = packets.iter().filter(|packet| packet.n % SAMPLING == 1);
            return sample.map(|packet| row(&[&packet.n, &packet.ts])).collect();
        }
        "gaps" => captures
            .iter()
            .flat_map(|capture| gaps(capture))
            .take(5)
            .map(|(n, gap)| row(&[&n, &gap]))
            .collect(),
        "gap_magnitudes" => gap_magnitudes(captures),
        "protocols" => by_packets(packets.iter().map(|packet| (packet.proto.clone(), packet.len))),
        "ports" => {
            let ports = packets.iter().filter_map(|packet| Some((packet.dport?, packet.len)));
            by_packets(ports)
        }
        "sources" => {
            let sources =
                packets.iter().filter_map(|packet| Some((packet.src.clone()?, packet.len)));
            by_packets(sources)
        }
        "sensors" => {
            captures.iter().zip(SENSORS).map(|(capture, name)| sensor(name, capture)).collect()
        }
        "scatter" => return scatter(&packets),
        name => panic!("no answer is named `{name}`"),
    };
    if ["conversations", "pairs", "dns", "repeats", "ports", "sources"].contains(&name) {
        rows.truncate(TOP);
    }
    rows
}

/// The rows of a text with tabs between cells.
pub(crate) fn rows(text: &[u8]) -> Rows {
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

fn row(cells: &[&dyn ToString]) -> Vec<String> {
    cells.iter().map(|cell| cell.to_string()).collect()
}

fn is_in_window(packet: &Packet) -> bool {
    (WINDOW[0]..WINDOW[1]).contains(&&*packet.ts)
}

fn sizes(packets: &[&Packet]) -> Rows {
    let mut counts = BTreeMap::<u64, u64>::new();
    for packet in packets {
        *counts.entry(packet.len / SIZE_STEP * SIZE_STEP).or_default() += 1;
    }
    counts.iter().map(|(bin, count)| row(&[bin, count])).collect()
}

/// Packets and bytes per key.
fn totals<K: Ord>(packets: impl Iterator<Item = (K, u64)>) -> BTreeMap<K, (u64, u64)> {
    let mut totals = BTreeMap::<K, (u64, u64)>::new();
    for (key, len) in packets {
        let (packets, bytes) = totals.entry(key).or_default();
        *packets += 1;
        *bytes += len;
    }
    totals
}

fn throughput(packets: &[&Packet]) -> Rows {
    let key = |packet: &Packet| (packet.ts[..MINUTE_LEN].to_owned(), packet.proto.clone());
    let totals = totals(packets.iter().map(|packet| (key(packet), packet.len)));
    let rows = totals
        .iter()
        .map(|((minute, proto), (packets, bytes))| row(&[minute, proto, packets, bytes]));
    rows.collect()
}

/// Totals of pairs of addresses, in which the first address is the smaller one in the order of `key`.
fn conversations<K: Ord>(packets: &[&Packet], key: impl Fn(&str) -> K) -> Rows {
    let pair = |packet: &&Packet| {
        let (src, dst) = (packet.src.as_deref()?, packet.dst.as_deref()?);
        let (a, b) = if key(src) <= key(dst) { (src, dst) } else { (dst, src) };
        Some(((key(a), key(b), packet.proto.clone(), a.to_owned(), b.to_owned()), packet.len))
    };
    let totals = totals(packets.iter().filter_map(pair));
    let mut totals: Vec<_> = totals.into_iter().collect();
    // Stable: pairs with equal totals stay in the order of addresses.
    totals.sort_by_key(|(_, (_, bytes))| Reverse(*bytes));
    let rows = totals
        .iter()
        .map(|((_, _, proto, a, b), (packets, bytes))| row(&[a, b, proto, packets, bytes]));
    rows.collect()
}

/// An address as 128 bits.
fn mapped(address: &str) -> Ipv6Addr {
    match address.parse().unwrap() {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

/// Keys with packets and bytes, those with the most packets first.
fn by_packets<K: Ord + ToString>(packets: impl Iterator<Item = (K, u64)>) -> Rows {
    let mut totals: Vec<_> = totals(packets).into_iter().collect();
    totals.sort_by_key(|(_, (packets, _))| Reverse(*packets));
    totals.iter().map(|(key, (packets, bytes))| row(&[key, packets, bytes])).collect()
}

/// Distinct keys with their counts, the most frequent first.
fn ranked(keys: impl Iterator<Item = Vec<String>>) -> Rows {
    let mut counts = BTreeMap::<Vec<String>, u64>::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let with_count = |(mut key, count): (Vec<String>, u64)| {
        key.push(count.to_string());
        key
    };
    counts.into_iter().map(with_count).collect()
}

/// Connections with the number of TCP segments that were captured more than once.
fn repeats(packets: &[&Packet]) -> Rows {
    let mut seen = HashSet::new();
    let mut repeated = Vec::new();
    let segments = packets.iter().filter(|packet| packet.proto == "tcp");
    for packet in segments.filter(|packet| packet.payload.is_some_and(|len| 0 < len)) {
        let connection = (&packet.src, packet.sport, &packet.dst, packet.dport);
        if !seen.insert((connection, packet.seq, packet.payload)) {
            repeated.push(packet);
        }
    }
    let keys = repeated.iter().map(|packet| {
        let text = |address: &Option<String>| address.clone().unwrap();
        let (sport, dport) = (packet.sport.unwrap(), packet.dport.unwrap());
        row(&[&text(&packet.src), &sport, &text(&packet.dst), &dport])
    });
    ranked(keys)
}

/// The times between two packets in nanoseconds, the longest first, with the number of the second.
fn gaps(capture: &[Packet]) -> Vec<(u64, i64)> {
    let gap = |pair: &[Packet]| (pair[1].n, parse_ns(&pair[1].ts) - parse_ns(&pair[0].ts));
    let mut gaps: Vec<_> = capture.windows(2).map(gap).collect();
    gaps.sort_by_key(|&(n, gap)| (Reverse(gap), n));
    gaps
}

/// Times between two packets of a capture, by the number of their digits less one.
fn gap_magnitudes(captures: &Captures) -> Rows {
    let mut counts = BTreeMap::<u32, u64>::new();
    for (_, gap) in captures.iter().flat_map(|capture| gaps(capture)) {
        *counts.entry(gap.checked_ilog10().unwrap_or(0)).or_default() += 1;
    }
    counts.iter().map(|(magnitude, count)| row(&[magnitude, count])).collect()
}

/// A sensor with packets, bytes and distinct source addresses.
fn sensor(name: &str, capture: &[Packet]) -> Vec<String> {
    let bytes: u64 = capture.iter().map(|packet| packet.len).sum();
    let sources: HashSet<_> = capture.iter().filter_map(|packet| packet.src.as_ref()).collect();
    row(&[&name, &capture.len(), &bytes, &sources.len()])
}

/// Packets per cell of time (in seconds) and size.
fn scatter(packets: &[&Packet]) -> Rows {
    let mut counts = BTreeMap::<(i64, u64), u64>::new();
    for packet in packets {
        let x = parse_ns(&packet.ts) / CELL_NS * CELL_NS / 1_000_000_000;
        *counts.entry((x, packet.len / SIZE_STEP * SIZE_STEP)).or_default() += 1;
    }
    counts.iter().map(|((x, y), count)| row(&[x, y, count])).collect()
}
