//! The numbers of one direction of a connection over time: segments, acknowledgments and the window.

use crate::connection::{Connection, Entry, Side};
use flow::{Marks, Retransmission};
use summary::Tcp;

/// Numbers further away than this belong to another connection, or to a damaged packet.
const MAX_DISTANCE: i64 = 1 << 30;

/// Times further away, 73 years, are drawn there: distances between times fit 64 bits.
const MAX_NS: i64 = 1 << 61;

/// One direction of a connection. Numbers are relative to the first one; times are in nanoseconds since the
/// first packet of the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    /// The points in the order of the packets.
    pub points: Vec<Point>,
    /// The window is scaled.
    pub is_scaled: bool,
    /// The time of the first packet of the connection, in nanoseconds since the epoch.
    pub start_ns: i64,
}

/// What a packet says about the direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Index of the packet.
    pub packet: usize,
    /// Its number in the file.
    pub n: i64,
    /// Its time.
    pub ns: i64,
    /// Its numbers.
    pub values: Values,
    /// What the analysis found in it.
    pub finding: Option<Finding>,
}

/// The numbers of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// A segment of the sender: the sequence numbers that it takes.
    Segment {
        /// The first one.
        from: i64,
        /// The one after the last.
        to: i64,
    },
    /// A segment of the receiver.
    Ack {
        /// The next sequence number that it expects.
        ack: i64,
        /// The end of its window.
        edge: i64,
    },
}

/// Findings that have a mark of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The segment repeats data.
    Retransmission(Retransmission),
    /// The segment arrived after segments that follow it.
    OutOfOrder,
    /// The segment probes whether the other side is there, or whether its window is still zero.
    KeepAlive,
    /// The data fills the receiver's window.
    WindowFull,
    /// The receiver's window is zero.
    ZeroWindow,
    /// The receiver repeats an acknowledgment.
    DupAck,
}

impl Finding {
    /// What is drawn of the findings in a packet: the most important one.
    fn of(marks: &Marks, is_segment: bool) -> Option<Self> {
        let findings = match is_segment {
            true => [
                marks.rtx.map(Self::Retransmission),
                marks.is_out_of_order.then_some(Self::OutOfOrder),
                marks.is_keep_alive.then_some(Self::KeepAlive),
                marks.is_window_full.then_some(Self::WindowFull),
            ],
            false => [
                marks.is_zero_window.then_some(Self::ZeroWindow),
                marks.is_dup_ack.then_some(Self::DupAck),
                None,
                None,
            ],
        };
        findings.into_iter().flatten().next()
    }

    /// The name that people read.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Retransmission(Retransmission::Fast) => "fast retransmission",
            Self::Retransmission(Retransmission::Timeout) => "retransmission after a time-out",
            Self::Retransmission(Retransmission::Spurious) => "spurious retransmission",
            Self::OutOfOrder => "out of order",
            Self::KeepAlive => "keep-alive",
            Self::WindowFull => "window full",
            Self::ZeroWindow => "zero window",
            Self::DupAck => "duplicate ACK",
        }
    }
}

impl Sequence {
    /// The bytes that `sender` sends, and the acknowledgments of the other side.
    pub fn of(connection: &Connection, sender: Side) -> Self {
        let packets = connection.packets();
        let start_ns = packets.first().map_or(0, |packet| packet.ts_ns);
        let scale = connection.window_scale(sender.other());
        let first = |packet: &Entry| {
            let numbers = packet.numbers?;
            if packet.side == sender { Some(numbers.seq) } else { numbers.ack }
        };
        let base = connection.isn(sender).or_else(|| packets.iter().find_map(first));
        let mut sequence = Self { points: Vec::new(), is_scaled: scale.is_some(), start_ns };
        let Some(base) = base else { return sequence };
        let mut latest = 0;
        for (index, packet) in packets.iter().enumerate() {
            let Some(values) = values(packet, sender, scale, base, &mut latest) else { continue };
            let is_segment = matches!(values, Values::Segment { .. });
            sequence.points.push(Point {
                packet: index,
                n: packet.n,
                ns: packet.ts_ns.saturating_sub(start_ns).clamp(-MAX_NS, MAX_NS),
                values,
                finding: Finding::of(&packet.marks, is_segment),
            });
        }
        sequence
    }

    /// The number of points with each finding, as text; empty if there are none.
    pub fn findings(&self) -> String {
        let mut counts: Vec<(&str, u64)> = Vec::new();
        for name in self.points.iter().filter_map(|point| point.finding.map(Finding::name)) {
            match counts.iter_mut().find(|(other, _)| *other == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
        let texts = counts.iter().map(|(name, count)| format!("{name}: {count}"));
        texts.collect::<Vec<_>>().join(" · ")
    }
}

impl Point {
    /// The lowest and the highest number of the point.
    pub fn range(&self) -> (i64, i64) {
        match self.values {
            Values::Segment { from, to } => (from, to),
            Values::Ack { ack, edge } => (ack, edge),
        }
    }
}

/// The numbers of a packet; `None` if it says nothing about the direction.
fn values(
    packet: &Entry,
    sender: Side,
    scale: Option<u8>,
    base: u32,
    latest: &mut i64,
) -> Option<Values> {
    let numbers = packet.numbers?;
    let mut relative = |number: u32| {
        // Sequence numbers have 32 bits, and the connection may be longer.
        let [a, b, c, d, ..] = latest.to_le_bytes();
        let expected = base.wrapping_add(u32::from_le_bytes([a, b, c, d]));
        let distance = i64::from(number.wrapping_sub(expected).cast_signed());
        if MAX_DISTANCE < distance.abs() {
            return None;
        }
        let number = *latest + distance;
        *latest = number.max(*latest);
        Some(number)
    };
    if packet.side == sender {
        let from = relative(numbers.seq)?;
        let flags = [Tcp::SYN, Tcp::FIN].map(|flag| i64::from(numbers.has(flag)));
        let to = from + i64::from(numbers.len) + flags[0] + flags[1];
        // Its acknowledgments are those of the other direction.
        return (from < to || numbers.has(Tcp::RST)).then_some(Values::Segment { from, to });
    }
    let ack = relative(numbers.ack?)?;
    if numbers.has(Tcp::RST) {
        return None;
    }
    // The window of a SYN is never scaled.
    let shift = if numbers.has(Tcp::SYN) { 0 } else { scale.unwrap_or(0) };
    Some(Values::Ack { ack, edge: ack + (i64::from(numbers.win) << shift) })
}
