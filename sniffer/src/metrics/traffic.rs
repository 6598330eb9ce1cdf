//! Counters of packets by what they are.

use flow::{Marks, Observation, Retransmission};
use summary::Proto;

use super::histogram::Histogram;

/// The protocols that are counted separately; all others are `other`.
pub(super) const PROTOCOLS: [&str; 6] = ["tcp", "udp", "icmp", "icmp6", "arp", "other"];

/// Counters of packets by what they are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traffic {
    /// Packets and bytes of each of [`PROTOCOLS`].
    pub(super) protocols: [(u64, u64); PROTOCOLS.len()],
    /// Retransmissions, in the order of [`Retransmission::ALL`].
    pub(super) retransmissions: [u64; Retransmission::ALL.len()],
    pub(super) out_of_order: u64,
    pub(super) zero_windows: u64,
    pub(super) rtt: Histogram,
    pub(super) dns_failures: u64,
    pub(super) dns_time: Histogram,
}

impl Traffic {
    /// Counts a packet.
    pub(crate) fn add(&mut self, packet: &Observation, marks: &Marks) {
        let (packets, bytes) = &mut self.protocols[protocol(&packet.proto)];
        *packets += 1;
        *bytes = bytes.saturating_add(packet.len.into());
        if let Some(kind) = marks.rtx {
            self.retransmissions[kind as usize] += 1;
        }
        self.out_of_order += u64::from(marks.is_out_of_order);
        self.zero_windows += u64::from(marks.is_zero_window);
        if let Some(us) = marks.rtt_us {
            self.rtt.add(us.into());
        }
        if let Some(message) = packet.dns {
            self.dns_failures += u64::from(message.code.is_some_and(|code| code.0 != 0));
            message.time_us.into_iter().for_each(|us| self.dns_time.add(us));
        }
    }
}

/// The index of a protocol among [`PROTOCOLS`].
fn protocol(proto: &Proto<'_>) -> usize {
    let name = proto.name();
    PROTOCOLS.iter().position(|known| *known == name).unwrap_or(PROTOCOLS.len() - 1)
}
