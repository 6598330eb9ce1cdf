//! Generates large captures for the viewer, in the sniffer's format with lines of about 200 bytes.

use anyhow::{Context, Result};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use summary::line::Writer;
use summary::{LinkType, Packet, Proto, Summary, Tcp, Timestamp};

/// 2026-11-24T10:00:00Z, in nanoseconds since the epoch.
const START_NS: i64 = 1_795_514_400_000_000_000;

/// Range of the random numbers that select addresses and protocol: they result in 3,000 host pairs.
const PAIR_RANGE: u64 = 20_000;

/// How the lines of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// By the sniffer.
    Own,
    /// With sorted keys, as by `jq -cS`.
    SortedKeys,
    /// With spaces after colons and commas, as by Python's `json.dumps`.
    Spaces,
}

impl Form {
    fn name(self) -> &'static str {
        match self {
            Self::Own => "packets",
            Self::SortedKeys => "sorted",
            Self::Spaces => "spaces",
        }
    }

    /// Rewrites a line of the sniffer's.
    fn rewrite(self, line: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Own => {}
            Self::SortedKeys => {
                let fields: BTreeMap<String, Value> = serde_json::from_slice(line)?;
                line.clear();
                serde_json::to_writer(&mut *line, &fields)?;
                line.push(b'\n');
            }
            Self::Spaces => {
                // No text of these lines has such characters.
                let text = str::from_utf8(line)?.replace(",\"", ", \"").replace("\":", "\": ");
                *line = text.into_bytes();
            }
        }
        Ok(())
    }
}

/// Makes a file of `count` lines in `directory`, unless it exists: TCP connections with data and
/// acknowledgements between many hosts, nearly as much QUIC, some DNS and ICMP.
pub(super) fn file(directory: &Path, count: u64, form: Form) -> Result<PathBuf> {
    let path = directory.join(format!("{}-{count}.ndjson", form.name()));
    if path.exists() {
        return Ok(path);
    }
    let part = path.with_extension("part");
    let mut file = BufWriter::with_capacity(1 << 20, File::create(&part)?);
    let (mut writer, mut line) = (Writer::default(), Vec::new());
    let mut random = 1u64;
    let mut ts_ns = START_NS;
    for n in 1..=count {
        // Marsaglia's xorshift: any random numbers will do.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        ts_ns += i64::try_from(random >> 20 & 0x7fff)?;
        line.clear();
        writer.write(&Packet::new(n, Timestamp::from_ns(ts_ns), summary(random)), &mut line);
        form.rewrite(&mut line)?;
        file.write_all(&line)?;
    }
    file.into_inner().context("writing lines")?;
    std::fs::rename(part, &path)?;
    Ok(path)
}

/// Derives a packet from a random number.
fn summary(random: u64) -> Summary<'static> {
    let [a, b, c, d, e, f, g, h] = random.to_le_bytes();
    // Products of two random bytes are mostly small: few pairs have most of the traffic.
    let pair = (u64::from(b) * u64::from(c) * PAIR_RANGE) >> 16;
    let [client, ..] = (pair % 250).to_le_bytes();
    let [low, high, ..] = (pair * 7_919 % 600).to_le_bytes();
    let client = [10, 0, 0, client].into();
    let server = [172, 16, high, low].into();
    let is_request = a & 1 == 0;
    let service = [443, 443, 443, 80, 22, 8_443, 5_432, 993][usize::from(f & 7)];
    let port = 32_768 + u16::from_le_bytes([g, h & 0x3f]);
    let (proto, len) = match (pair % 16, a >> 4) {
        (0, _) => ("udp", 70 + u32::from(d)),
        (1..7, 0..5) => ("udp", 66 + u32::from(d) % 40),
        (1..7, _) => ("udp", 1_292),
        (7, 0..4) => ("icmp", 98),
        (_, 0..6) => ("tcp", 66),
        (_, 6..10) => ("tcp", 1_514),
        _ => ("tcp", 67 + u32::from(u16::from_le_bytes([d, e])) % 1_447),
    };
    let mut summary = Summary::new(LinkType::ETHERNET, len, len);
    (summary.src, summary.dst) =
        if is_request { (Some(client), Some(server)) } else { (Some(server), Some(client)) };
    summary.proto = Proto::parse(proto);
    summary.ttl = Some(if is_request { 64 } else { 40 + f % 20 });
    summary.payload = Some(len - if proto == "tcp" { 66 } else { 42 });
    if proto != "icmp" {
        let service = match (proto, pair % 16) {
            ("udp", 0) => 53,
            ("udp", _) => 443,
            _ => service,
        };
        let ports = if is_request { (port, service) } else { (service, port) };
        (summary.sport, summary.dport) = (Some(ports.0), Some(ports.1));
    }
    if proto == "tcp" {
        summary.tcp = Tcp {
            flags: Some(if len == 66 { Tcp::ACK } else { 0x18 }),
            seq: Some(u32::from_le_bytes([a, b, c, d])),
            ack: Some(u32::from_le_bytes([e, f, g, h])),
            win: Some(u16::from_le_bytes([h, a])),
        };
    }
    summary
}
