//! Fault injection: kills captures, fills disks, takes descriptors, directories and readers away.
//! A sender counts its packets itself, so that lost ones cannot go unnoticed. Each test prints a row
//! of the table in `docs/faults.md`: fault, rounds, packets sent, kept and lost.
//!
//! `SNIFFER_FAULT_ROUNDS` sets the number of rounds of the tests that kill captures (default 5; the
//! documentation shows 100), `SNIFFER_FAULT_SEED` repeats a failure.

mod kill;
mod links;
mod output;
mod readers;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};

/// Packets that are sent without a pause, and the pause after them.
const BURST: u64 = 20;
const PAUSE: Duration = Duration::from_millis(1);

/// The result of all rounds of a fault.
#[derive(Debug, Default)]
struct Row {
    rounds: u64,
    sent: u64,
    kept: u64,
    /// The longest time before a kill at which a lost packet was sent.
    max_age: Duration,
}

impl Row {
    fn print(&self, fault: &str) {
        let Self { rounds, sent, kept, max_age } = self;
        let age = if max_age.is_zero() { "–".to_owned() } else { format!("{max_age:.0?}") };
        eprintln!("| {fault} | {rounds} | {sent} | {kept} | {} | {age} |", sent - kept);
    }
}

/// Sends packets at a steady rate until `is_over` is set. Returns the time of each burst.
struct Traffic<'a> {
    sent: &'a AtomicU64,
    is_over: &'a AtomicBool,
}

impl Traffic<'_> {
    fn send(&self) -> Vec<Instant> {
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100])));
        let mut bursts = Vec::new();
        while !self.is_over.load(Ordering::Relaxed) {
            bursts.push(Instant::now());
            for _ in 0..BURST {
                sender.send(&frame);
                self.sent.fetch_add(1, Ordering::Relaxed);
            }
            std::thread::sleep(PAUSE);
        }
        bursts
    }
}

/// Checks that the complete lines of a file are valid, and numbered without gaps. Returns the
/// numbers of the first and the last packet. An incomplete last line is allowed.
fn check_lines(text: &str) -> Option<(u64, u64)> {
    let (whole, _) = text.rsplit_once('\n')?;
    let mut numbers = Vec::new();
    for (index, line) in whole.lines().enumerate() {
        assert_eq!(index == 0, line.starts_with("{\"type\":\"meta\""), "{line}");
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        numbers.extend(value["n"].as_u64());
    }
    assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "numbers have no gaps");
    Some((*numbers.first()?, *numbers.last()?))
}
