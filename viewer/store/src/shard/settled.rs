//! Decides which rows are read to find the time bounds of flows again.

use super::flow_counter::FlowCounter;

/// Which rows can no longer change the time bounds that are recomputed: those from `begin_ns` on not the
/// beginning of a flow, those up to `end_ns` not the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub(super) begin_ns: i64,
    pub(super) end_ns: i64,
    batch_count: u32,
}

impl Default for Settled {
    fn default() -> Self {
        Self { begin_ns: i64::MAX, end_ns: i64::MIN, batch_count: 0 }
    }
}

impl Settled {
    /// Takes another batch into account. There can be many flows, so only after twice as many batches as
    /// the time before.
    pub(super) fn update(&mut self, flows: &FlowCounter) {
        self.batch_count += 1;
        if self.batch_count.is_power_of_two() {
            (self.begin_ns, self.end_ns) = flows.settled_ns();
        }
    }
}
