//! A reference reader of packet lines, independent of the product's code, and generated lines.

use serde_json::Value;
use std::fmt::Write as _;

/// The fields of a packet that tests compute with.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Number in the capture, from 1.
    pub n: u64,
    /// Timestamp in nanoseconds since the Unix epoch.
    pub ts_ns: i64,
    /// Length on the wire in bytes.
    pub len: u64,
    /// Protocol.
    pub proto: String,
    /// Source address, a MAC address if the packet has no IP addresses; empty if there is none.
    pub src: String,
    /// Destination address, of the same kind.
    pub dst: String,
    /// Destination port.
    pub dport: Option<u64>,
    /// Source port.
    pub sport: Option<u64>,
    /// The whole line.
    pub line: String,
}

/// Reads the packets of the sniffer's output.
///
/// # Panics
///
/// If a line is invalid.
pub fn read_packets(lines: &str) -> Vec<Packet> {
    let mut packets = Vec::new();
    for line in lines.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        if value["type"] != "pkt" {
            continue;
        }
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        let has_ip = value.get("src").is_some() || value.get("dst").is_some();
        let (src, dst) = if has_ip { ("src", "dst") } else { ("eth_src", "eth_dst") };
        packets.push(Packet {
            n: value["n"].as_u64().unwrap(),
            ts_ns: parse_ns(value["ts"].as_str().unwrap()),
            len: value["len"].as_u64().unwrap(),
            proto: text("proto"),
            src: text(src),
            dst: text(dst),
            dport: value["dport"].as_u64(),
            sport: value["sport"].as_u64(),
            line: line.to_owned(),
        });
    }
    packets
}

/// Nanoseconds since the Unix epoch of a timestamp such as `2026-11-24T12:00:00.123456789Z`.
///
/// # Panics
///
/// If the text has another format.
pub fn parse_ns(text: &str) -> i64 {
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut days: i64 = (1970..year).map(|year| 365 + i64::from(is_leap(year))).sum();
    let months = [31, 28 + i64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    days += months[..usize::try_from(month - 1).unwrap()].iter().sum::<i64>() + day - 1;
    let seconds = days * 86_400 + number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19);
    seconds * 1_000_000_000 + number(20, 29)
}

/// Generates lines with many sizes, gaps, hosts, ports and protocols, every thousandth out of order.
pub fn generate_lines(count: u64) -> String {
    let mut text = String::new();
    let mut random = 1u64;
    let mut ns = 0;
    for n in 1..=count {
        // A pseudorandom generator (Marsaglia's xorshift64).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ns += random % 5_000;
        let ts = if n % 1_000 == 0 { ns - 3_000 } else { ns };
        let (second, fraction) = (ts / 1_000_000_000, ts % 1_000_000_000);
        let (len, host, port) = (60 + random % 1_455, random % 60, random % 300);
        let proto = ["tcp", "tcp", "udp", "icmp"][(random % 4) as usize];
        let ports = match proto {
            "icmp" => String::new(),
            _ => format!("\"sport\":{},\"dport\":{port},", 1_024 + port),
        };
        writeln!(
            text,
            "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-24T12:00:{second:02}.{fraction:09}Z\",\"len\":{len},\"src\":\"10.0.0.{host}\",\"dst\":\"10.0.1.{}\",{ports}\"proto\":\"{proto}\"}}",
            random % 7,
        )
        .unwrap();
    }
    text
}
