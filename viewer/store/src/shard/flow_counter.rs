//! Counts per flow, and per address or protocol of the flows.

use crate::columns::{Columns, RowBatch};
use crate::flow::Flow;
use crate::query::{FlowTally, IdTally};
use crate::tally::Tally;
use viewer_model::axis::Quantity;

/// A field of a flow by which packets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowField {
    Source,
    Destination,
    Protocol,
}

/// Packets and bytes by source, destination or protocol.
///
/// Counts by address directly rather than by flow: there can be many more flows than addresses.
#[derive(Debug)]
pub(super) struct FieldCounter {
    field: FlowField,
    /// Indexed by id.
    tallies: Vec<Tally>,
}

impl FieldCounter {
    pub(super) fn new(field: FlowField, columns: &Columns) -> Self {
        let count = match field {
            FlowField::Source | FlowField::Destination => columns.addresses().len(),
            FlowField::Protocol => columns.protos().len(),
        };
        Self { field, tallies: vec![Tally::default(); count] }
    }

    pub(super) fn count<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>) {
        match self.field {
            FlowField::Source => self.count_by::<ADD>(batch, |flow| flow.src),
            FlowField::Destination => self.count_by::<ADD>(batch, |flow| flow.dst),
            FlowField::Protocol => self.count_by::<ADD>(batch, |flow| flow.proto.into()),
        }
    }

    #[inline]
    fn count_by<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>, id: impl Fn(&Flow) -> u32) {
        batch.read_flows();
        batch.read(Quantity::Size);
        let flows = batch.columns().flows();
        for (flow, len) in batch.flows().iter().zip(batch.values(Quantity::Size)) {
            // A missing address has an id beyond the end.
            if let Some(tally) = self.tallies.get_mut(id(&flows[*flow as usize]) as usize) {
                tally.update::<ADD>(Tally::of(len.unsigned_abs()));
            }
        }
    }

    /// The ids that have packets.
    pub(super) fn tallies(&self, part: usize) -> Vec<IdTally> {
        let ids = (0..).zip(&self.tallies).filter(|(_, tally)| 0 < tally.packets);
        // Allocated at its final size: there can be many.
        let mut tallies = Vec::with_capacity(ids.clone().count());
        tallies.extend(ids.map(|(id, tally)| IdTally { part, id, tally: *tally }));
        tallies
    }
}

/// Packets, bytes and time range of each flow.
#[derive(Debug)]
pub(super) struct FlowCounter {
    /// Indexed by flow.
    flows: Vec<FlowSum>,
    /// Whether any flow has loose time bounds.
    has_loose_bounds: bool,
}

#[derive(Clone, Copy, Debug)]
struct FlowSum {
    tally: Tally,
    /// First and last timestamp; reversed if nothing has been counted.
    ts_ns: (i64, i64),
    /// The first or last packet has been removed: the time range may be too wide.
    is_loose: bool,
}

const EMPTY: FlowSum =
    FlowSum { tally: Tally { packets: 0, bytes: 0 }, ts_ns: (i64::MAX, i64::MIN), is_loose: false };

impl FlowCounter {
    pub(super) fn new(columns: &Columns) -> Self {
        Self { flows: vec![EMPTY; columns.flows().len()], has_loose_bounds: false }
    }

    pub(super) fn count<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>) {
        batch.read_flows();
        batch.read(Quantity::Time);
        batch.read(Quantity::Size);
        let values = batch.values(Quantity::Time).iter().zip(batch.values(Quantity::Size));
        for (flow, (ts, len)) in batch.flows().iter().zip(values) {
            let sum = &mut self.flows[*flow as usize];
            sum.tally.update::<ADD>(Tally::of(len.unsigned_abs()));
            if ADD {
                sum.ts_ns = (sum.ts_ns.0.min(*ts), sum.ts_ns.1.max(*ts));
            } else if *ts == sum.ts_ns.0 || *ts == sum.ts_ns.1 {
                sum.is_loose = true;
                self.has_loose_bounds = true;
            }
        }
    }

    /// Resets loose time bounds. If it returns true, pass all counted rows to
    /// [`FlowCounter::recompute_time_bounds`] and then call
    /// [`FlowCounter::finish_recomputing_time_bounds`].
    pub(super) fn begin_recomputing_time_bounds(&mut self) -> bool {
        if self.has_loose_bounds {
            for sum in self.flows.iter_mut().filter(|sum| sum.is_loose) {
                sum.ts_ns = EMPTY.ts_ns;
            }
        }
        self.has_loose_bounds
    }

    /// Widens the time bounds that were reset to include these rows.
    pub(super) fn recompute_time_bounds(&mut self, batch: &mut RowBatch<'_>) {
        batch.read_flows();
        batch.read(Quantity::Time);
        for (flow, ts) in batch.flows().iter().zip(batch.values(Quantity::Time)) {
            let sum = &mut self.flows[*flow as usize];
            if sum.is_loose {
                sum.ts_ns = (sum.ts_ns.0.min(*ts), sum.ts_ns.1.max(*ts));
            }
        }
    }

    pub(super) fn finish_recomputing_time_bounds(&mut self) {
        self.has_loose_bounds = false;
        self.flows.iter_mut().for_each(|sum| sum.is_loose = false);
    }

    /// The flows that have packets.
    pub(super) fn tallies(&self, part: usize) -> Vec<FlowTally> {
        let flows = (0..).zip(&self.flows).filter(|(_, sum)| 0 < sum.tally.packets);
        let tally = |(flow, sum): (u32, &FlowSum)| FlowTally {
            part,
            flow,
            tally: sum.tally,
            ts_ns: sum.ts_ns,
        };
        let mut tallies = Vec::with_capacity(flows.clone().count());
        tallies.extend(flows.map(tally));
        tallies
    }
}
