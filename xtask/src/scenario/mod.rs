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
//! The frames are synthetic and the same in each run. `web`, `bulk`, `scan` and `background` generate
//! them; `tcp` and `transfer` simulate connections; `recording` encodes the frames.
//!
//! This module does no I/O: `sample` writes the frames to a file and runs the sniffer on it.

mod background;
mod bulk;
mod network;
mod payload;
mod recording;
mod scan;
mod tcp;
mod transfer;
mod web;

use recording::{Micros, Recording};

/// Monday, 2 March 2026, 09:00 UTC.
const START_NS: u64 = 1_772_442_000_000_000_000;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};
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
            names.extend(read.http_host.map(|_| "http_host"));
            names.extend(read.quic.map(|_| "quic"));
        }
        let protocols: Vec<_> = packets.keys().map(String::as_str).collect();
        assert_eq!(protocols, ["arp", "icmp", "icmp6", "tcp", "udp"]);
        assert!(packets.values().all(|count| 50 <= *count), "{packets:?}");
        assert_eq!(names, BTreeSet::from(["dns", "http_host", "quic", "sni"]));
        assert!(20 <= hosts.len() && 1_000 < vlans, "{} hosts, {vlans} tagged", hosts.len());
    }
}
