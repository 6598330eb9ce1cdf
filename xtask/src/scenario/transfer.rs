//! Data on a TCP connection: a small simulation of sender, path and receiver.
//!
//! The sender has a congestion window (slow start, fast retransmit and fast recovery of RFC 5681
//! and RFC 6582) and a retransmission timer; the receiver delays acknowledgments. Losses happen
//! between mirror port and server.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::recording::Micros;
use super::tcp::{Connection, Segment, Side};

/// Segments of the initial window (RFC 6928).
const INITIAL_WINDOW: usize = 10;
const MAX_WINDOW: usize = 64;
/// Duplicate acknowledgments that trigger a fast retransmit.
const DUPLICATES: u32 = 3;
const ACK_DELAY_US: Micros = 40_000;
const MIN_TIMEOUT_US: Micros = 200_000;

/// How data is sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'a> {
    /// Shortest time between two segments.
    pub(super) gap_us: Micros,
    /// Transmissions that are lost, counted from 0.
    pub(super) lost: &'a [usize],
}

impl Pace<'_> {
    /// At the speed of a 100 Mbit/s link, without loss.
    pub(super) const FAST: Self = Self { gap_us: 123, lost: &[] };
}

/// An event of the simulation. Numbers are segment indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Send,
    Arrival(usize),
    Ack(usize),
    DelayedAck(usize),
    Timeout { timer: u32, after_us: Micros },
}

/// A transfer from one side to the other. Segments are counted from 0.
struct Transfer<'a, 'b> {
    connection: &'a mut Connection<'b>,
    from: Side,
    data: &'a [u8],
    pace: Pace<'a>,
    /// Segments of the data.
    count: usize,
    events: BinaryHeap<Reverse<(Micros, u64, Event)>>,
    /// Events so far: keeps simultaneous ones in order.
    event_count: u64,
    /// Transmissions so far.
    sent_count: usize,
    // Sender: `acked <= next <= count`.
    acked: usize,
    next: usize,
    next_send: Micros,
    window: usize,
    threshold: usize,
    duplicates: u32,
    /// While recovering from a loss: the first segment sent after it.
    recovery_end: Option<usize>,
    timer: u32,
    // Receiver.
    received: Vec<bool>,
    expected: usize,
    unacked: usize,
}

impl Connection<'_> {
    /// Sends a message without loss.
    pub(super) fn send(&mut self, from: Side, data: &[u8]) {
        self.transfer(from, data, Pace::FAST);
    }

    /// Sends data and returns when all of it is acknowledged.
    pub(super) fn transfer(&mut self, from: Side, data: &[u8], pace: Pace<'_>) {
        let count = data.len().div_ceil(self.mss());
        let start = self.now.saturating_sub(self.delay(from));
        let mut transfer = Transfer {
            connection: self,
            from,
            data,
            pace,
            count,
            events: BinaryHeap::new(),
            event_count: 0,
            sent_count: 0,
            acked: 0,
            next: 0,
            next_send: start,
            window: INITIAL_WINDOW,
            threshold: MAX_WINDOW,
            duplicates: 0,
            recovery_end: None,
            timer: 0,
            received: vec![false; count],
            expected: 0,
            unacked: 0,
        };
        transfer.schedule(start, Event::Send);
        transfer.run();
        let len = u32::try_from(data.len()).expect("a transfer is shorter than 4 GiB");
        self.advance(from, len);
    }
}

impl Transfer<'_, '_> {
    fn run(&mut self) {
        // Ends because only listed transmissions are lost: every segment arrives eventually.
        while self.acked < self.count {
            let Some(Reverse((time, _, event))) = self.events.pop() else {
                unreachable!("the retransmission timer runs until everything is acknowledged")
            };
            match event {
                Event::Send => self.send_next(time),
                Event::Arrival(segment) => self.on_arrival(time, segment),
                Event::DelayedAck(expected) if expected == self.expected && 0 < self.unacked => {
                    self.send_ack(time, None);
                }
                Event::DelayedAck(_) => {}
                Event::Ack(expected) => self.on_ack(time, expected),
                Event::Timeout { timer, after_us } if timer == self.timer => {
                    self.window = 1;
                    self.recovery_end = Some(self.next);
                    self.retransmit(time);
                    self.start_timer(time, 2 * after_us);
                }
                Event::Timeout { .. } => {}
            }
        }
    }

    fn send_next(&mut self, time: Micros) {
        let window_end = self.count.min(self.acked + self.window);
        if window_end <= self.next || time < self.next_send {
            return;
        }
        if self.acked == self.next {
            self.start_timer(time, self.timeout());
        }
        self.transmit(time, self.next);
        self.next += 1;
        let jitter = self.connection.recording.random.between(0, self.pace.gap_us / 4);
        self.next_send = time + self.pace.gap_us + jitter;
        self.schedule(self.next_send, Event::Send);
    }

    fn retransmit(&mut self, time: Micros) {
        self.transmit(time, self.acked);
    }

    fn transmit(&mut self, time: Micros, segment: usize) {
        let mss = self.connection.mss();
        let start = segment * mss;
        let end = self.data.len().min(start + mss);
        let is_lost = self.pace.lost.contains(&self.sent_count);
        self.sent_count += 1;
        let passing = time + self.connection.delay(self.from);
        if !is_lost || self.from == Side::Client {
            let data = self.data;
            let segment = Segment {
                offset: offset(start),
                is_push: segment + 1 == self.count || segment % 22 == 21,
                payload: &data[start..end],
                ..Segment::default()
            };
            self.connection.emit(self.from, passing, segment);
        }
        if !is_lost {
            let arrival = passing + self.connection.delay(self.from.other());
            self.schedule(arrival, Event::Arrival(segment));
        }
    }

    fn on_arrival(&mut self, time: Micros, segment: usize) {
        let is_hole_open = self.received[self.expected..].contains(&true);
        self.received[segment] = true;
        if segment != self.expected {
            let start = self.received[..segment].iter().rposition(|is_here| !is_here);
            let start = start.map_or(0, |before| before + 1).max(self.expected);
            return self
                .send_ack(time, Some((start, segment + 1)).filter(|_| self.expected < start));
        }
        let missing = self.received[segment..].iter().position(|is_here| !is_here);
        self.expected = missing.map_or(self.count, |distance| segment + distance);
        self.unacked += 1;
        if 2 <= self.unacked || is_hole_open || self.expected == self.count {
            self.send_ack(time, None);
        } else {
            self.schedule(time + ACK_DELAY_US, Event::DelayedAck(self.expected));
        }
    }

    fn send_ack(&mut self, time: Micros, sack: Option<(usize, usize)>) {
        self.unacked = 0;
        let receiver = self.from.other();
        let time = time + self.connection.recording.random.between(5, 40);
        let passing = time + self.connection.delay(receiver);
        let mss = self.connection.mss();
        let end_of = |segment: usize| offset(self.data.len().min(segment * mss));
        let segment = Segment {
            ack_offset: end_of(self.expected),
            window_growth: u16::try_from(11 * self.expected.min(180)).unwrap_or(0),
            sack: sack.map(|(start, end)| (end_of(start), end_of(end))),
            ..Segment::default()
        };
        self.connection.emit(receiver, passing, segment);
        self.connection.now = passing;
        let arrival = passing + self.connection.delay(self.from);
        self.schedule(arrival, Event::Ack(self.expected));
    }

    fn on_ack(&mut self, time: Micros, expected: usize) {
        if self.acked < expected {
            self.acked = expected;
            self.duplicates = 0;
            self.start_timer(time, self.timeout());
            match self.recovery_end {
                Some(end) if expected < end => self.retransmit(time),
                Some(_) => {
                    self.recovery_end = None;
                    self.window = self.threshold;
                }
                None if self.window < self.threshold => self.window += 1,
                None => {}
            }
        } else if self.acked < self.next {
            self.duplicates += 1;
            match self.recovery_end {
                None if self.duplicates == DUPLICATES => {
                    self.recovery_end = Some(self.next);
                    self.threshold = ((self.next - self.acked) / 2).max(2);
                    self.window = self.threshold + 3;
                    self.retransmit(time);
                }
                Some(_) => self.window += 1,
                None => {}
            }
        }
        self.send_next(time);
    }

    fn timeout(&self) -> Micros {
        let delay = |side| self.connection.delay(side);
        MIN_TIMEOUT_US + 2 * (delay(Side::Client) + delay(Side::Server))
    }

    /// Restarts the retransmission timer.
    fn start_timer(&mut self, time: Micros, after_us: Micros) {
        self.timer += 1;
        self.schedule(time + after_us, Event::Timeout { timer: self.timer, after_us });
    }

    fn schedule(&mut self, time: Micros, event: Event) {
        self.event_count += 1;
        self.events.push(Reverse((time, self.event_count, event)));
    }
}

fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a transfer is shorter than 4 GiB")
}
