//! Sends packets of many flows at a steady rate.

use std::thread;
use std::time::{Duration, Instant};
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};

/// Bursts per second.
const BURSTS_PER_SECOND: u32 = 100;

/// Bytes before the payload of UDP.
const HEADERS_LEN: usize = 42;

/// Packets to send through the interface `left`.
#[derive(Clone, Copy)]
pub(super) struct Packets {
    /// Bytes of a frame.
    pub(super) frame_len: usize,
    /// Packets per second, as far as the machine can.
    pub(super) rate: u32,
    /// The last two bytes of the source address, and the source port, of the packet with a number. Both make
    /// a flow.
    pub(super) flow: fn(u64) -> ([u8; 2], [u8; 2]),
}

impl Packets {
    /// Sends packets until `is_over` returns true for the time since the start. Returns their number.
    pub(super) fn send(self, is_over: impl Fn(Duration) -> bool) -> u64 {
        let sender = Sender::new("left");
        let mut frame =
            ethernet(&[], IPV4, &ipv4(17, &udp(&vec![0; self.frame_len - HEADERS_LEN])));
        let start = Instant::now();
        let (mut sent, mut bursts) = (0u64, 0u32);
        while !is_over(start.elapsed()) {
            for _ in 0..self.rate / BURSTS_PER_SECOND {
                let (address, port) = (self.flow)(sent);
                frame[28..30].copy_from_slice(&address);
                frame[34..36].copy_from_slice(&port);
                sender.send(&frame);
                sent += 1;
            }
            bursts += 1;
            let next = Duration::from_secs(1) / BURSTS_PER_SECOND * bursts;
            thread::sleep(next.saturating_sub(start.elapsed()));
        }
        sent
    }
}
