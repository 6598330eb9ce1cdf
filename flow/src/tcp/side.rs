//! One side of a connection: what it sent, and what it acknowledged.

use super::holes::{Hole, Holes};
use super::rtt::RttMeter;
use super::{
    FAST_DUP_ACKS, FIN, MAX_DISTANCE, MAX_WINDOW_SCALE, Marks, RST, Retransmission, SYN, Segment,
    distance,
};
use crate::counts::TcpCounts;

#[derive(Debug, Default)]
pub(super) struct Side {
    /// Sequence number of the SYN.
    pub(super) isn: Option<u32>,
    /// The sequence number after all data that was sent.
    next: Option<u32>,
    /// The sequence number after the FIN.
    fin: Option<u32>,
    /// The acknowledgment sent last.
    ack: Option<u32>,
    /// The right edge of the highest block in selective acknowledgments.
    sacked: Option<u32>,
    holes: Holes,
    rtt: RttMeter,
    zero_window_since: Option<i64>,
    win: u16,
    pub(super) mss: Option<u16>,
    pub(super) window_scale: Option<u8>,
    pub(super) permits_sack: bool,
    /// Flags of the SYN; 0 if it was not captured.
    pub(super) syn_flags: u8,
    /// Duplicates of `ack`.
    dup_acks: u8,
    /// Whether the last segment was a keep-alive, whose answer repeats an acknowledgment.
    was_keep_alive: bool,
    pub(super) counts: TcpCounts,
}

impl Side {
    pub(super) fn has_sent(&self) -> bool {
        self.next.is_some() && self.ack.is_some()
    }

    pub(super) fn is_fin_acked_by(&self, other: &Self) -> bool {
        match (self.fin, other.ack) {
            (Some(fin), Some(ack)) => 0 <= distance(fin, ack),
            _ => false,
        }
    }

    pub(super) fn on_syn(&mut self, segment: &Segment) {
        if self.isn != Some(segment.seq) {
            // Data of an earlier connection says nothing about this one.
            self.holes.clear();
            self.next = Some(segment.seq);
        }
        self.isn = Some(segment.seq);
        self.syn_flags = segment.flags;
        self.mss = segment.options.mss;
        self.window_scale = segment.options.window_scale.map(|shift| shift.min(MAX_WINDOW_SCALE));
        self.permits_sack = segment.options.is_sack_permitted;
    }

    /// Examines the sequence numbers of a segment of this side.
    pub(super) fn on_data(
        &mut self,
        receiver: &Self,
        ns: i64,
        payload: u32,
        segment: &Segment,
        rtt_ns: i64,
        marks: &mut Marks,
    ) {
        self.was_keep_alive = false;
        let (seq, span) = (segment.seq, segment.span(payload));
        let end = seq.wrapping_add(span);
        let next = *self.next.get_or_insert(seq);
        let ahead = distance(next, seq);
        let is_control = segment.has(SYN | FIN);
        // Data that is not acknowledged is not sent to keep a connection alive.
        let is_keep_alive = ahead == -1 && receiver.ack == Some(next) && self.fin.is_none();
        // A probe of a zero window is not data until it is acknowledged.
        let is_probe = payload == 1 && ahead == 0 && receiver.win == 0 && receiver.ack.is_some();
        if !is_control && payload <= 1 && (is_keep_alive || is_probe) {
            marks.is_keep_alive = true;
            self.was_keep_alive = true;
            return;
        }
        let limit = MAX_DISTANCE.unsigned_abs();
        if limit < ahead.unsigned_abs() || limit < span {
            self.restart(end);
            return;
        }
        if span == 0 {
            return;
        }
        if segment.has(FIN) {
            self.fin = Some(end);
        }
        let ts_val = segment.options.timestamps.map(|(value, _)| value);
        if 0 <= ahead {
            if 0 < ahead {
                self.holes.push(next, seq, ns, ts_val);
            }
            self.next = Some(end);
            self.rtt.on_new_data(end, ns, ts_val);
            let is_scaled = self.window_scale.is_some();
            marks.is_window_full = !is_control && receiver.is_filled_by(end, is_scaled);
            return;
        }
        let filled = self.holes.fill(seq, end);
        if 0 < distance(next, end) {
            self.next = Some(end);
        }
        self.rtt.on_disorder();
        if filled.is_some_and(|hole| is_late(&hole, ns, ts_val, rtt_ns)) {
            marks.is_out_of_order = true;
        } else {
            marks.rtx = Some(receiver.reason_to_repeat(seq, end));
        }
    }

    /// Examines the acknowledgment in a segment of this side.
    pub(super) fn on_ack(
        &mut self,
        other: &mut Self,
        ns: i64,
        payload: u32,
        segment: &Segment,
        marks: &mut Marks,
    ) {
        let Some(ack) = segment.ack else { return };
        let other_next = *other.next.get_or_insert(ack);
        let unseen = distance(other_next, ack);
        if MAX_DISTANCE < unseen {
            return;
        }
        let unseen_bytes = other.holes.acknowledge(other_next, ack, ns);
        if 0 < unseen {
            other.next = Some(ack);
        }
        if 0 < unseen_bytes {
            marks.unseen_bytes = Some(unseen_bytes);
            other.rtt.cancel();
        }
        let advance = self.ack.map_or(1, |last| distance(last, ack));
        if 0 < advance {
            self.ack = Some(ack);
            self.dup_acks = 0;
            self.sacked = self.sacked.filter(|sacked| 0 < distance(ack, *sacked));
        } else if advance == 0 {
            let is_plain = payload == 0 && !segment.has(SYN | FIN | RST) && !marks.is_keep_alive;
            let repeats =
                segment.win == self.win && segment.win != 0 && self.next == Some(segment.seq);
            if is_plain && repeats && !other.was_keep_alive {
                marks.is_dup_ack = true;
                self.dup_acks = self.dup_acks.saturating_add(1);
            }
        }
        for (_, right) in segment.options.sack() {
            let reference = self.sacked.unwrap_or(ack);
            let is_ahead = 0 < distance(reference, *right) && distance(ack, *right) <= MAX_DISTANCE;
            if is_ahead {
                self.sacked = Some(*right);
            }
        }
        marks.rtt_us = other.rtt.on_ack(ns, ack, segment);
    }

    /// Examines the window in a segment of this side.
    pub(super) fn on_window(&mut self, ns: i64, segment: &Segment, marks: &mut Marks) {
        self.win = segment.win;
        // Each segment adds the time since the one before it: the window may never open again.
        if let Some(since) = self.zero_window_since.take() {
            let elapsed = u64::try_from(ns.saturating_sub(since)).unwrap_or(0);
            self.counts.zero_window_ns = self.counts.zero_window_ns.saturating_add(elapsed);
        }
        if segment.win == 0 && !segment.has(SYN | FIN) {
            marks.is_zero_window = true;
            self.zero_window_since = Some(ns);
        }
    }

    /// Adds the marks of a segment of this side to its counts.
    pub(super) fn count(&mut self, marks: &Marks) {
        let Self { counts, .. } = self;
        match marks.rtx {
            None => {}
            Some(Retransmission::Fast) => add(&mut counts.rtx_fast, true),
            Some(Retransmission::Timeout) => add(&mut counts.rtx_timeout, true),
            Some(Retransmission::Spurious) => add(&mut counts.rtx_spurious, true),
        }
        add(&mut counts.out_of_order, marks.is_out_of_order);
        add(&mut counts.dup_acks, marks.is_dup_ack);
        add(&mut counts.zero_windows, marks.is_zero_window);
        add(&mut counts.window_full, marks.is_window_full);
        add(&mut counts.keep_alives, marks.is_keep_alive);
    }

    /// Why the other side sends data again that this one may have acknowledged.
    fn reason_to_repeat(&self, seq: u32, end: u32) -> Retransmission {
        if self.ack.is_some_and(|ack| 0 <= distance(end, ack)) {
            return Retransmission::Spurious;
        }
        let is_next = self.ack == Some(seq) && FAST_DUP_ACKS <= self.dup_acks;
        let is_before_sacked = self.sacked.is_some_and(|sacked| 0 < distance(seq, sacked));
        match is_next || is_before_sacked {
            true => Retransmission::Fast,
            false => Retransmission::Timeout,
        }
    }

    /// Whether data up to `end` fills the window that this side announced last.
    /// `is_scaled` says whether the other side scales windows, too: only then both do.
    fn is_filled_by(&self, end: u32, is_scaled: bool) -> bool {
        let (Some(ack), true) = (self.ack, self.isn.is_some()) else { return false };
        let window = u32::from(self.win) << self.window_scale.filter(|_| is_scaled).unwrap_or(0);
        ack.wrapping_add(window) == end
    }

    /// Begins anew at a sequence number that has nothing to do with those before.
    fn restart(&mut self, next: u32) {
        self.next = Some(next);
        self.holes.clear();
        self.rtt.cancel();
    }
}

fn add(count: &mut u32, is_marked: bool) {
    *count = count.saturating_add(is_marked.into());
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
