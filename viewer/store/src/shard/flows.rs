//! What each flow has, as rows come and go.

use crate::columns::{Columns, RowBatch};
use crate::flow::NO_ADDRESS;
use crate::query::{FlowTally, IdTally};
use crate::tally::Tally;
use viewer_model::axis::Quantity;

/// Packets, bytes and times of each flow of some columns.
#[derive(Debug)]
pub(super) struct FlowCount {
    flows: Vec<Sum>,
    /// Some flow's first or last packet went: its times are wider than its packets.
    is_wide: bool,
}

#[derive(Clone, Copy, Debug)]
struct Sum {
    tally: Tally,
    /// Least and greatest time; the other way round where nothing is counted.
    ts_ns: (i64, i64),
    is_wide: bool,
}

const NOTHING: Sum =
    Sum { tally: Tally { packets: 0, bytes: 0 }, ts_ns: (i64::MAX, i64::MIN), is_wide: false };

/// A side of a flow, or its protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Destination,
    Protocol,
}

impl FlowCount {
    pub(super) fn new(columns: &Columns) -> Self {
        Self { flows: vec![NOTHING; columns.flows().len()], is_wide: false }
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
                sum.is_wide = true;
                self.is_wide = true;
            }
        }
    }

    /// True where times have to be looked for again: with [`FlowCount::narrow`], over all rows.
    pub(super) fn begin_narrowing(&mut self) -> bool {
        if self.is_wide {
            for sum in self.flows.iter_mut().filter(|sum| sum.is_wide) {
                sum.ts_ns = NOTHING.ts_ns;
            }
        }
        self.is_wide
    }

    /// Looks at the times of rows that are counted.
    pub(super) fn narrow(&mut self, batch: &mut RowBatch<'_>) {
        batch.read_flows();
        batch.read(Quantity::Time);
        for (flow, ts) in batch.flows().iter().zip(batch.values(Quantity::Time)) {
            let sum = &mut self.flows[*flow as usize];
            if sum.is_wide {
                sum.ts_ns = (sum.ts_ns.0.min(*ts), sum.ts_ns.1.max(*ts));
            }
        }
    }

    pub(super) fn end_narrowing(&mut self) {
        self.is_wide = false;
        self.flows.iter_mut().for_each(|sum| sum.is_wide = false);
    }

    /// Each flow that has any packet.
    pub(super) fn tallies(&self, part: usize) -> Vec<FlowTally> {
        let tally = |(flow, sum): (u32, &Sum)| {
            let Sum { tally, ts_ns, .. } = *sum;
            (0 < tally.packets).then_some(FlowTally { part, flow, tally, ts_ns })
        };
        (0..).zip(&self.flows).filter_map(tally).collect()
    }

    /// The sums of a side, by its places in the columns.
    pub(super) fn by(&self, side: Side, part: usize, columns: &Columns) -> Vec<IdTally> {
        let count = match side {
            Side::Source | Side::Destination => columns.addresses().len(),
            Side::Protocol => columns.protos().len(),
        };
        let mut sums = vec![Tally::default(); count];
        for (flow, sum) in columns.flows().iter().zip(&self.flows) {
            let id = match side {
                Side::Source => flow.src,
                Side::Destination => flow.dst,
                Side::Protocol => flow.proto.into(),
            };
            if id != NO_ADDRESS
                && let Some(all) = sums.get_mut(id as usize)
            {
                all.add(sum.tally);
            }
        }
        let tally =
            |(id, tally): (u32, Tally)| (0 < tally.packets).then_some(IdTally { part, id, tally });
        (0..).zip(sums).filter_map(tally).collect()
    }
}
