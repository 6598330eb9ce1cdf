//! The visible packets of one direction of a connection at an interface of the relay.

use std::collections::BTreeMap;

use super::Segment;

/// The counts that an observer should report, according to the actions of the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Segments.
    pub packets: u64,
    /// Bytes of payload.
    pub payload: u64,
    /// Segments whose data begins before the end of the data seen before: sent again by the host, or
    /// duplicated by the relay. Their relative sequence numbers.
    pub repeated: Vec<u32>,
    /// Segments that the relay has held back and that have data that was not seen before. Their relative
    /// sequence numbers.
    pub out_of_order: Vec<u32>,
    /// Segments without data, and with the acknowledgment and the window of the one before.
    pub dup_acks: u64,
}

/// One direction of a connection at an interface, so far.
#[derive(Debug, Default)]
pub struct Point {
    first_seq: Option<u32>,
    segments: usize,
    /// The end of the data, relative to the first sequence number.
    end: u32,
    /// Whether each byte was seen, by its relative sequence number.
    seen: Vec<bool>,
    /// Segments with data by their relative sequence number.
    repeats: BTreeMap<u32, usize>,
    /// Highest acknowledgment, and the last window.
    acked: Option<(u32, u16)>,
}

impl Point {
    /// Adds a segment to the counts. Returns it with its numbers.
    pub(super) fn add(&mut self, segment: &Segment, is_held: bool, counts: &mut Counts) -> Segment {
        let first_seq = *self.first_seq.get_or_insert(segment.seq);
        let start = segment.seq.wrapping_sub(first_seq);
        let repeats = match 0 < segment.span {
            true => self.repeats.entry(start).or_default(),
            false => &mut 0,
        };
        let numbered = Segment { start, number: self.segments, repeats: *repeats, ..*segment };
        *repeats += 1;
        self.segments += 1;
        counts.packets += 1;
        counts.payload += u64::from(segment.payload);
        if 0 < segment.span {
            self.add_data(start, segment.span, is_held, counts);
        }
        self.add_ack(&numbered, counts);
        numbered
    }

    fn add_data(&mut self, start: u32, span: u32, is_held: bool, counts: &mut Counts) {
        let end = start + span;
        if self.seen.len() < end as usize {
            self.seen.resize(end as usize, false);
        }
        let seen = &mut self.seen[start as usize..end as usize];
        let is_new = seen.iter().any(|byte| !byte);
        seen.fill(true);
        if start < self.end {
            match is_held && is_new {
                true => counts.out_of_order.push(start),
                false => counts.repeated.push(start),
            }
        }
        self.end = self.end.max(end);
    }

    fn add_ack(&mut self, segment: &Segment, counts: &mut Counts) {
        let Some(ack) = segment.ack else { return };
        let is_plain = segment.span == 0 && !segment.is_reset && segment.start == self.end;
        let Some((highest, window)) = self.acked else {
            self.acked = Some((ack, segment.window));
            return;
        };
        if is_plain && (ack, segment.window) == (highest, window) {
            counts.dup_acks += 1;
        }
        let is_higher = 0 < ack.wrapping_sub(highest).cast_signed();
        self.acked = Some((if is_higher { ack } else { highest }, segment.window));
    }
}
