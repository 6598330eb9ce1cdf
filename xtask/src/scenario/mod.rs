//! The traffic of the page's sample: ten minutes at the mirror port of an office's switch.
//!
//! | Minutes | What happens |
//! |---|---|
//! | 0–10 | Five workstations browse the web over IPv4 and IPv6; ARP, pings, NTP, mDNS, SSH |
//! | 2–4 | A NAS makes a backup over a path that loses packets |
//! | 4–5 | A phone call, in a VLAN |
//! | 5 | A port scan from outside |
//! | 6½–8 | The server of a web shop fails: resets, refused connections, then no answers |
//! | 8–10 | A video over QUIC |
//!
//! The frames are made up, byte by byte the same in each run; `sniffer -r` turns them into the
//! sample, so it shows what a capture of such a network looks like.

mod background;
mod bulk;
mod network;
mod payload;
mod random;
mod recording;
mod scan;
mod tcp;
mod transfer;
mod web;

use anyhow::{Context, Result};
use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::build;
use crate::pcap::PcapFile;
use recording::{Micros, Recording};

/// Monday, 2 March 2026, 09:00 UTC.
const START_NS: u64 = 1_772_442_000_000_000_000;
/// When the sample says it was made: an hour later.
const SAMPLE_TIME: &str = "2026-03-02T10:00:00.000000000Z";
const LINKTYPE_ETHERNET: u16 = 1;
/// Name of the capture file, which stands in the sample.
const PCAP_NAME: &str = "office.pcap";
const END: Micros = seconds(600);
const SEED: u64 = 0x5eed_0f0f_ca97_0001;

const fn seconds(count: u64) -> Micros {
    count * 1_000_000
}

/// An Ethernet frame and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedFrame {
    /// Nanoseconds since the Unix epoch; whole microseconds, as most captures have them.
    pub ts_ns: u64,
    /// The frame from the destination address on, without the checksum.
    pub bytes: Vec<u8>,
}

/// All frames, in the order of their times.
pub fn frames() -> Vec<TimedFrame> {
    let mut recording = Recording::new(SEED);
    background::background(&mut recording);
    web::browse(&mut recording);
    web::crash(&mut recording);
    bulk::shell(&mut recording);
    bulk::backup(&mut recording);
    bulk::call(&mut recording);
    bulk::video(&mut recording);
    scan::scan(&mut recording);
    let mut frames = recording.frames;
    frames.sort_by_key(|(time, _)| *time);
    let timed = |(time, bytes)| TimedFrame { ts_ns: START_NS + time * 1_000, bytes };
    frames.into_iter().map(timed).collect()
}

/// Writes the sample: has the sniffer, which must be built, read the frames from a pcap file.
///
/// # Errors
///
/// If a file cannot be written, or the sniffer fails.
pub fn write_sample(sample: &Path) -> Result<()> {
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    for frame in frames() {
        file.push(frame.ts_ns, &frame.bytes);
    }
    let directory = build::target();
    let pcap = directory.join(PCAP_NAME);
    fs::write(&pcap, file.into_bytes()).with_context(|| format!("writing {}", pcap.display()))?;
    // The name stands in the sample: a relative one is the same everywhere.
    let mut sniffer = Command::new(build::sniffer_path());
    sniffer.current_dir(&directory).args(["-q", "--names", "-r", PCAP_NAME, "--force", "-w"]);
    build::run(sniffer.arg(sample)).context("making the sample")?;
    let text = fs::read_to_string(sample)?;
    let lines: Vec<_> = text.lines().map(without_build_details).collect();
    Ok(fs::write(sample, lines.join("\n") + "\n")?)
}

/// A line without the host name and the wall clock of the machine that builds the site: the sample
/// is the same in each build. Packets have neither.
fn without_build_details(line: &str) -> Cow<'_, str> {
    if line.starts_with(r#"{"type":"pkt","#) {
        return line.into();
    }
    let mut line = line.to_owned();
    for key in [r#""start":""#, r#""ts":""#] {
        if let Some(value) = line.find(key).map(|at| at + key.len()) {
            line.replace_range(value..value + SAMPLE_TIME.len(), SAMPLE_TIME);
        }
    }
    if let Some(host) = line.find(r#""host":""#)
        && let Some(len) = line[host..].find("\",")
    {
        line.replace_range(host..host + len + 2, "");
    }
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
    use summary::line::parse;
    use summary::{LinkType, PayloadNames, decode_with_payload};

    #[test]
    fn frames_are_the_same_in_each_run() {
        assert!(frames() == frames());
    }

    #[test]
    fn frames_are_in_order_and_within_ten_minutes() {
        let frames = frames();
        assert!(frames.is_sorted_by_key(|frame| frame.ts_ns));
        let span_us = (frames[frames.len() - 1].ts_ns - frames[0].ts_ns) / 1_000;
        assert!((END - seconds(15)..END + seconds(5)).contains(&span_us), "{span_us}");
        assert!((20_000..40_000).contains(&frames.len()), "{}", frames.len());
    }

    #[test]
    fn sample_names_neither_host_nor_time_of_the_build() {
        let meta = concat!(
            r#"{"type":"meta","v":1,"tool":"sniffer","version":"0.1.0","#,
            r#""start":"2026-11-25T18:23:38.173279503Z","host":"vm","source":"file","#,
            r#""snaplen":262144,"interfaces":[]}"#
        );
        let end = concat!(
            r#"{"type":"end","ts":"2026-11-25T18:23:38.209722839Z","reason":"eof","#,
            r#""recv":1,"drop":0,"out":1,"skip":0,"bytes":60}"#
        );
        let packet =
            r#"{"type":"pkt","n":1,"ts":"2026-03-02T09:00:01.000000000Z","len":60,"proto":"arp"}"#;
        for line in [meta, end, packet] {
            let line = without_build_details(line);
            assert!(!line.contains("2026-11") && !line.contains("host"), "{line}");
            assert!(line.contains("\"2026-03-02T"), "{line}");
            parse(line.as_bytes()).unwrap();
        }
    }

    #[test]
    fn every_frame_decodes_without_faults() {
        let mut packets = BTreeMap::<String, usize>::new();
        let (mut hosts, mut vlans, mut names) = (BTreeSet::new(), 0, BTreeSet::new());
        for frame in frames() {
            let len = u32::try_from(frame.bytes.len()).unwrap();
            let decoded = decode_with_payload(LinkType::ETHERNET, &frame.bytes, len);
            let summary = &decoded.summary;
            assert!(summary.faults.is_empty(), "{summary:?}");
            *packets.entry(summary.proto.to_string()).or_default() += 1;
            hosts.extend(summary.src);
            vlans += usize::from(!summary.vlan.as_slice().is_empty());
            let mut buf = String::new();
            let read = PayloadNames::parse(summary, decoded.payload, &mut buf);
            names.extend(read.dns.map(|_| "dns"));
            names.extend(read.sni.map(|_| "sni"));
            names.extend(read.host.map(|_| "host"));
            names.extend(read.quic.map(|_| "quic"));
        }
        let protocols: Vec<_> = packets.keys().map(String::as_str).collect();
        assert_eq!(protocols, ["arp", "icmp", "icmp6", "tcp", "udp"]);
        assert!(packets.values().all(|count| 50 <= *count), "{packets:?}");
        assert_eq!(names, BTreeSet::from(["dns", "host", "quic", "sni"]));
        assert!(20 <= hosts.len() && 1_000 < vlans, "{} hosts, {vlans} tagged", hosts.len());
    }
}
