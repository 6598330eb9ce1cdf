//! The findings about one side of a connection. Most connections have none.

use super::holes::Holes;
use super::{Marks, Retransmission};
use crate::counts::TcpCounts;

/// The findings, and the state that they need.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    /// All counts except those of round-trip times and the last resets.
    pub(crate) counts: TcpCounts,
    /// The right edge of the highest block in selective acknowledgments.
    pub(super) sacked: Option<u32>,
    pub(super) holes: Holes,
    /// When the last segment with a window of zero was sent.
    pub(super) zero_window_since: Option<i64>,
}

impl Trouble {
    /// Counts the marks of a segment.
    pub(super) fn count(&mut self, marks: &Marks) {
        let counts = &mut self.counts;
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

    /// Adds the time since the last segment with a window of zero: the window may never open again.
    pub(super) fn end_zero_window(&mut self, ns: i64) {
        if let Some(since) = self.zero_window_since.take() {
            let elapsed = u64::try_from(ns.saturating_sub(since)).unwrap_or(0);
            self.counts.zero_window_ns = self.counts.zero_window_ns.saturating_add(elapsed);
        }
    }
}

fn add(count: &mut u32, is_marked: bool) {
    *count = count.saturating_add(is_marked.into());
}
