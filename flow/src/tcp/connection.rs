//! The analysis of segments.

use summary::Tcp;

use super::holes::Hole;
use super::side::{
    HAS_FIN, HAS_SCALE, IS_AMBIGUOUS, RESETS, SAMPLE_HAS_TS, SYN_CWR, SYN_ECE, Sample, Side,
    WAS_KEEP_ALIVE,
};
use super::{
    DEFAULT_RTT_NS, MAX_DISTANCE, Marks, Reset, Retransmission, Segment, Trouble, distance, micros,
};
use crate::extra::{Extra, Rare};
use crate::slab::{NONE, Slab};
use crate::slot::{Slot, flags};
use crate::times::PackedTime;

/// A connection while a segment is added. Side 0 is the source of the flow.
pub(crate) struct Connection<'a> {
    /// Copies, which the caller stores.
    pub(crate) sides: [Side; 2],
    pub(crate) slot: &'a mut Slot,
    pub(crate) samples: &'a mut Slab<Sample>,
    pub(crate) extras: &'a mut Slab<Extra>,
}

impl Connection<'_> {
    /// Adds a segment of side `from`, which the flow has counted.
    pub(crate) fn add(&mut self, from: usize, ns: i64, payload: u32, segment: &Segment) -> Marks {
        let mut marks = Marks::default();
        if segment.has(Tcp::RST) {
            marks.reset = Reset::of(&self.sides, from, segment);
            self.count_reset(from);
            self.slot.set(flags::IS_RESET, true);
            return marks;
        }
        if segment.has(Tcp::SYN) {
            self.on_syn(from, segment);
        } else {
            marks.handshake_us = self.end_handshake(from, ns, segment);
            if segment.has(Tcp::ECE) {
                let counts = &mut self.add_trouble(from).counts;
                counts.ece = counts.ece.saturating_add(1);
            }
        }
        self.on_data(from, ns, payload, segment, &mut marks);
        self.on_ack(from, ns, payload, segment, &mut marks);
        self.on_window(from, ns, segment, &mut marks);
        if marks.is_counted() {
            self.add_trouble(from).count(&marks);
        }
        let [first, second] = &self.sides;
        if first.is_fin_acked_by(second) && second.is_fin_acked_by(first) {
            self.slot.set(flags::IS_FINISHED, true);
        }
        marks
    }

    fn on_syn(&mut self, from: usize, segment: &Segment) {
        let is_repeated = self.sides[from].isn() == Some(segment.seq);
        if is_repeated {
            self.slot.set(flags::HAS_SYN, false);
        } else {
            if !segment.is_syn_ack() {
                let is_first = self.slot.has_one_packet(from, self.extras);
                self.slot.set(flags::HAS_SYN, is_first);
                self.slot.set(flags::IS_SYN_REVERSED, from != 0);
            }
            // Data of an earlier connection says nothing about this one.
            self.clear_holes(from);
            self.sides[from].set(HAS_FIN, false);
            self.sides[from].set_next(segment.seq);
        }
        self.sides[from].set_syn(segment);
    }

    /// Measures the handshake if the segment ends it. Returns its time in microseconds.
    fn end_handshake(&mut self, from: usize, ns: i64, segment: &Segment) -> Option<u32> {
        if from != 0 || !self.slot.has(flags::HAS_SYN) {
            return None;
        }
        let expected = self.sides[1].isn()?.wrapping_add(1);
        if segment.ack? != expected {
            return None;
        }
        self.slot.set(flags::HAS_SYN, false);
        if self.slot.has(flags::HAS_HANDSHAKE) {
            return None;
        }
        let syn = usize::from(self.slot.has(flags::IS_SYN_REVERSED));
        self.slot.handshake_us = micros(ns.saturating_sub(self.slot.first_ns(syn, self.extras)));
        self.slot.set(flags::HAS_HANDSHAKE, true);
        Some(self.slot.handshake_us)
    }

    /// Examines the sequence numbers of a segment.
    fn on_data(
        &mut self,
        from: usize,
        ns: i64,
        payload: u32,
        segment: &Segment,
        marks: &mut Marks,
    ) {
        let receiver = self.sides[1 - from];
        let sender = &mut self.sides[from];
        sender.set(WAS_KEEP_ALIVE, false);
        let (seq, span) = (segment.seq, segment.span(payload));
        let end = seq.wrapping_add(span);
        let next = sender.next().unwrap_or(seq);
        sender.set_next(next);
        let ahead = distance(next, seq);
        let is_control = segment.has(Tcp::SYN | Tcp::FIN);
        // Data that is not acknowledged is not sent to keep a connection alive.
        let is_keep_alive = ahead == -1 && receiver.ack() == Some(next) && !sender.has(HAS_FIN);
        // A probe of a zero window is not data until it is acknowledged.
        let is_probe = payload == 1 && ahead == 0 && receiver.win == 0 && receiver.ack().is_some();
        if !is_control && payload <= 1 && (is_keep_alive || is_probe) {
            marks.is_keep_alive = true;
            sender.set(WAS_KEEP_ALIVE, true);
            return;
        }
        let limit = MAX_DISTANCE.unsigned_abs();
        if limit < ahead.unsigned_abs() || limit < span {
            // The number has nothing to do with those before.
            sender.set_next(end);
            self.clear_holes(from);
            self.end_sample(from);
            return;
        }
        if span == 0 {
            return;
        }
        sender.set(HAS_FIN, sender.has(HAS_FIN) || segment.has(Tcp::FIN));
        let ts_val = segment.options.timestamps.map(|(value, _)| value);
        if 0 <= ahead {
            sender.set_next(end);
            let is_scaled = sender.has(HAS_SCALE);
            marks.is_window_full = !is_control && receiver.is_filled_by(end, is_scaled);
            if 0 < ahead {
                self.add_trouble(from).holes.push(next, seq, ns, ts_val);
            }
            self.begin_sample(from, end, ns, ts_val);
            return;
        }
        if 0 < distance(next, end) {
            sender.set_next(end);
        }
        if sender.sample() != NONE {
            // The acknowledgment may be for data that comes late or again.
            match sender.has(SAMPLE_HAS_TS) {
                true => sender.set(IS_AMBIGUOUS, true),
                false => self.end_sample(from),
            }
        }
        let filled = self.trouble(from).and_then(|trouble| trouble.holes.fill(seq, end));
        let rtt_ns = match self.slot.has(flags::HAS_HANDSHAKE) {
            true => i64::from(self.slot.handshake_us) * 1_000,
            false => DEFAULT_RTT_NS,
        };
        if filled.is_some_and(|hole| is_late(&hole, ns, ts_val, rtt_ns)) {
            marks.is_out_of_order = true;
        } else {
            marks.rtx = Some(self.reason_to_repeat(from, seq, end));
        }
    }

    /// Examines the acknowledgment in a segment.
    fn on_ack(&mut self, from: usize, ns: i64, payload: u32, segment: &Segment, marks: &mut Marks) {
        let Some(ack) = segment.ack else { return };
        let to = 1 - from;
        let next = self.sides[to].next().unwrap_or(ack);
        self.sides[to].set_next(next);
        let unseen = distance(next, ack);
        if MAX_DISTANCE < unseen {
            return;
        }
        let unseen_bytes = match 0 < unseen {
            true => self.add_trouble(to).holes.acknowledge(next, ack, ns),
            false => self.trouble(to).map_or(0, |trouble| trouble.holes.acknowledge(next, ack, ns)),
        };
        if 0 < unseen {
            self.sides[to].set_next(ack);
        }
        if 0 < unseen_bytes {
            marks.unseen_bytes = Some(unseen_bytes);
            self.end_sample(to);
            let counts = &mut self.add_trouble(to).counts;
            counts.unseen_bytes = counts.unseen_bytes.saturating_add(unseen_bytes.into());
        }
        let was_keep_alive = self.sides[to].has(WAS_KEEP_ALIVE);
        let sender = &mut self.sides[from];
        let advance = sender.ack().map_or(1, |last| distance(last, ack));
        if 0 < advance {
            sender.set_ack(ack);
            sender.clear_dup_acks();
            if let Some(trouble) = self.trouble(from) {
                trouble.sacked = trouble.sacked.filter(|sacked| 0 < distance(ack, *sacked));
            }
        } else if advance == 0 {
            let is_plain = payload == 0
                && !segment.has(Tcp::SYN | Tcp::FIN | Tcp::RST)
                && !marks.is_keep_alive;
            let repeats =
                segment.win == sender.win && segment.win != 0 && sender.next() == Some(segment.seq);
            if is_plain && repeats && !was_keep_alive {
                marks.is_dup_ack = true;
                // Without data under way, it does not ask for any (RFC 5681, section 2).
                if unseen < 0 {
                    sender.add_dup_ack();
                }
            }
        }
        self.add_sack(from, ack, segment);
        if self.sides[to].sample() != NONE {
            marks.rtt_us = self.measure(to, ns, ack, segment);
        }
    }

    fn add_sack(&mut self, from: usize, ack: u32, segment: &Segment) {
        for &(_, right) in segment.options.sack() {
            let sacked = self.trouble(from).and_then(|trouble| trouble.sacked);
            let is_ahead = 0 < distance(sacked.unwrap_or(ack), right);
            if is_ahead && distance(ack, right) <= MAX_DISTANCE {
                self.add_trouble(from).sacked = Some(right);
            }
        }
    }

    /// Examines the window in a segment.
    fn on_window(&mut self, from: usize, ns: i64, segment: &Segment, marks: &mut Marks) {
        self.sides[from].win = segment.win;
        if let Some(trouble) = self.trouble(from) {
            trouble.end_zero_window(ns);
        }
        if segment.win == 0 && !segment.has(Tcp::SYN | Tcp::FIN) {
            marks.is_zero_window = true;
            self.add_trouble(from).zero_window_since = Some(ns);
        }
    }

    /// Why a side sends data again that the other one may have acknowledged.
    fn reason_to_repeat(&mut self, from: usize, seq: u32, end: u32) -> Retransmission {
        let receiver = self.sides[1 - from];
        if receiver.ack().is_some_and(|ack| 0 <= distance(end, ack)) {
            return Retransmission::Spurious;
        }
        let is_next = receiver.ack() == Some(seq) && receiver.asks_for_data();
        let sacked = self.trouble(1 - from).and_then(|trouble| trouble.sacked);
        match is_next || sacked.is_some_and(|sacked| 0 < distance(seq, sacked)) {
            true => Retransmission::Fast,
            false => Retransmission::Timeout,
        }
    }

    /// Begins a measurement of the round-trip time with new data, if none is under way (RFC 6298,
    /// section 3).
    fn begin_sample(&mut self, from: usize, end: u32, ns: i64, ts_val: Option<u32>) {
        let side = &mut self.sides[from];
        if side.sample() == NONE {
            let sample = Sample { end, time: PackedTime::new(ns), ts_val: ts_val.unwrap_or(0) };
            side.set_sample(self.samples.insert(sample));
            side.set(SAMPLE_HAS_TS, ts_val.is_some());
            side.set(IS_AMBIGUOUS, false);
        }
    }

    fn end_sample(&mut self, from: usize) {
        let side = &mut self.sides[from];
        if side.sample() != NONE {
            self.samples.remove(side.sample());
            side.set_sample(NONE);
        }
    }

    /// Ends the measurement if its segment is acknowledged. Returns the time in microseconds.
    fn measure(&mut self, side: usize, ns: i64, ack: u32, segment: &Segment) -> Option<u32> {
        let Sample { end, time, ts_val } = *self.samples.get(self.sides[side].sample());
        let is_covered =
            |&(left, right): &(u32, u32)| 0 < distance(left, end) && 0 <= distance(end, right);
        if distance(end, ack) < 0 && !segment.options.sack().iter().any(is_covered) {
            return None;
        }
        self.end_sample(side);
        let has_ts = self.sides[side].has(SAMPLE_HAS_TS);
        let is_echo = segment.options.timestamps.is_some_and(|(_, echo)| has_ts && echo == ts_val);
        let is_proved = !self.sides[side].has(IS_AMBIGUOUS) || is_echo;
        is_proved.then(|| micros(ns.saturating_sub(time.ns())))
    }

    fn count_reset(&mut self, from: usize) {
        if self.sides[from].add_reset() {
            let counts = &mut self.add_trouble(from).counts;
            counts.resets = counts.resets.saturating_add(RESETS);
        }
    }

    fn clear_holes(&mut self, from: usize) {
        self.trouble(from).into_iter().for_each(|trouble| trouble.holes.clear());
    }

    fn trouble(&mut self, side: usize) -> Option<&mut Trouble> {
        Rare::find_mut(self.slot.extra, self.extras)?.troubles[side].as_deref_mut()
    }

    fn add_trouble(&mut self, side: usize) -> &mut Trouble {
        let rare = Rare::find_or_insert(&mut self.slot.extra, self.extras);
        rare.troubles[side].get_or_insert_default()
    }
}

/// Whether a segment of side `from` begins another connection: its SYN has another number.
pub(crate) fn is_reused(sides: &[Side; 2], from: usize, segment: &Segment) -> bool {
    let [sender, receiver] = [&sides[from], &sides[1 - from]];
    // Both sides of a simultaneous open send a SYN.
    let is_simultaneous =
        sender.isn().is_none() && !sender.has_exchanged() && receiver.isn().is_some();
    let is_client_syn = segment.has(Tcp::SYN) && !segment.is_syn_ack();
    is_client_syn && sender.isn() != Some(segment.seq) && !is_simultaneous
}

/// Whether both sides agreed on ECN: the client asks with ECE and CWR, the server agrees with ECE
/// (RFC 3168, section 6.1.1).
pub(crate) fn has_ecn([client, server]: &[Side; 2]) -> bool {
    client.has(SYN_ECE) && client.has(SYN_CWR) && server.has(SYN_ECE) && !server.has(SYN_CWR)
}

/// Whether a segment that fills a hole was sent before the segment after the hole.
fn is_late(hole: &Hole, ns: i64, ts_val: Option<u32>, rtt_ns: i64) -> bool {
    let later = match (hole.ts_val, ts_val) {
        (Some(after), Some(value)) => distance(after, value),
        _ => 0,
    };
    match later {
        0 => ns.saturating_sub(hole.ns) < rtt_ns,
        later => later < 0,
    }
}
