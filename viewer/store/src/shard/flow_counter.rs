//! Counts per flow, and per address or protocol of the flows.

use crate::columns::{Columns, RowBatch};
use crate::flow::{Flow, Ports};
use crate::health::Health;
use crate::intern::{Interner, push_compact};
use crate::query::{FlowTally, IdTally, QueryKind};
use crate::tally::Tally;
use summary::Tcp;
use viewer_model::axis::Quantity;

/// A field of a flow by which packets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlowField {
    Source,
    Destination,
    Protocol,
    /// By the flow itself, which has all fields.
    All,
}

impl FlowField {
    /// The field by which a query counts packets; `None` if it counts otherwise.
    pub(super) fn of(kind: &QueryKind) -> Option<Self> {
        match kind {
            QueryKind::Sources => Some(Self::Source),
            QueryKind::Destinations => Some(Self::Destination),
            QueryKind::Protocols => Some(Self::Protocol),
            _ => None,
        }
    }
}

/// Packets and bytes by source, destination or protocol.
///
/// Counts by address directly where there are many more flows than addresses.
#[derive(Debug)]
pub(super) struct FieldCounter {
    field: FlowField,
    /// Indexed by id.
    tallies: Vec<Tally>,
}

impl FieldCounter {
    pub(super) fn new(field: FlowField, columns: &Columns) -> Self {
        let mut counter = Self { field, tallies: Vec::new() };
        counter.grow(columns);
        counter
    }

    /// Makes room for all ids of the columns.
    pub(super) fn grow(&mut self, columns: &Columns) {
        let count = match self.field {
            FlowField::Source | FlowField::Destination => columns.addresses().len(),
            FlowField::Protocol => columns.protos().len(),
            FlowField::All => columns.flows().len(),
        };
        resize(&mut self.tallies, count, Tally::default());
    }

    pub(super) fn count<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>) {
        match self.field {
            FlowField::Source => self.count_by::<ADD>(batch, |flows, id| flows[id].src),
            FlowField::Destination => self.count_by::<ADD>(batch, |flows, id| flows[id].dst),
            FlowField::Protocol => self.count_by::<ADD>(batch, |flows, id| flows[id].proto.into()),
            FlowField::All => self.count_by::<ADD>(batch, |_, id| u32::try_from(id).unwrap_or(0)),
        }
    }

    #[inline]
    fn count_by<const ADD: bool>(
        &mut self,
        batch: &mut RowBatch<'_>,
        id: impl Fn(&[Flow], usize) -> u32,
    ) {
        batch.read_flows();
        batch.read(Quantity::Size);
        let flows = batch.columns().flows();
        for (flow, len) in batch.flows().iter().zip(batch.values(Quantity::Size)) {
            // A missing address has an id beyond the end.
            if let Some(tally) = self.tallies.get_mut(id(flows, *flow as usize) as usize) {
                tally.update::<ADD>(Tally::of(len.unsigned_abs()));
            }
        }
    }

    /// The tallies of the values of a field that have packets. Packets are counted by this field or by flow.
    pub(super) fn tallies_by(
        &self,
        field: FlowField,
        part: usize,
        columns: &Columns,
    ) -> Vec<IdTally> {
        if self.field == field {
            return self.tallies(part);
        }
        Self::of_flows(field, columns, self.tallies.iter().copied()).tallies(part)
    }

    /// Sums the tallies of all flows by a field.
    fn of_flows(field: FlowField, columns: &Columns, tallies: impl Iterator<Item = Tally>) -> Self {
        let mut counter = Self::new(field, columns);
        for (flow, tally) in columns.flows().iter().zip(tallies) {
            let id = match field {
                FlowField::Source => flow.src,
                FlowField::Destination => flow.dst,
                FlowField::Protocol | FlowField::All => flow.proto.into(),
            };
            if let Some(sum) = counter.tallies.get_mut(id as usize) {
                sum.add(tally);
            }
        }
        counter
    }

    /// The ids that have packets.
    fn tallies(&self, part: usize) -> Vec<IdTally> {
        let ids = (0..).zip(&self.tallies).filter(|(_, tally)| 0 < tally.packets);
        // Allocated at its final size: there can be many.
        let mut tallies = Vec::with_capacity(ids.clone().count());
        tallies.extend(ids.map(|(id, tally)| IdTally { part, id, tally: *tally }));
        tallies
    }
}

/// Packets, bytes, time range and signs of trouble of each flow, or of each pair of ports of a flow.
#[derive(Debug)]
pub(super) struct FlowCounter {
    /// Indexed by flow, or by the id of a connection.
    sums: Vec<FlowSum>,
    /// Flow and ports of each sum; `None` if only flows are counted.
    connections: Option<Interner<(u32, Ports)>>,
    /// The index of each row's sum in a batch, if connections are counted.
    indices: Vec<u32>,
    /// The sums with loose time bounds.
    loose: Vec<u32>,
    /// The signs of trouble. Few sums have any.
    healths: Vec<Health>,
    /// Whether the packets of each kind have RST; empty if none have.
    is_reset: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
struct FlowSum {
    tally: Tally,
    /// First and last timestamp; reversed if nothing has been counted.
    ts_ns: (i64, i64),
    /// Index of the signs of trouble, or [`NO_HEALTH`].
    health: u32,
    /// The first or last packet has been removed: the time range may be too wide.
    is_loose: bool,
}

const NO_HEALTH: u32 = u32::MAX;

const EMPTY: FlowSum = FlowSum {
    tally: Tally { packets: 0, bytes: 0 },
    ts_ns: (i64::MAX, i64::MIN),
    health: NO_HEALTH,
    is_loose: false,
};

impl FlowCounter {
    pub(super) fn new(columns: &Columns, by_ports: bool) -> Self {
        Self {
            sums: if by_ports { Vec::new() } else { vec![EMPTY; columns.flows().len()] },
            connections: by_ports.then(Interner::default),
            indices: Vec::new(),
            loose: Vec::new(),
            healths: Vec::new(),
            is_reset: reset_kinds(columns),
        }
    }

    /// Makes room for all flows of the columns.
    pub(super) fn grow(&mut self, columns: &Columns) {
        self.is_reset = reset_kinds(columns);
        if self.is_by_flow() {
            resize(&mut self.sums, columns.flows().len(), EMPTY);
        }
    }

    /// Finds the sum of each row, for [`FlowCounter::index`].
    fn find(&mut self, batch: &mut RowBatch<'_>) {
        batch.read_flows();
        let Some(connections) = &mut self.connections else { return };
        let quantities = [Quantity::SourcePort, Quantity::DestinationPort];
        quantities.into_iter().for_each(|quantity| batch.read(quantity));
        let [sports, dports] = quantities.map(|quantity| batch.values(quantity));
        let rows = batch.flows().iter().zip(sports.iter().zip(dports));
        self.indices.clear();
        self.indices.extend(rows.map(|(flow, (sport, dport))| {
            // A missing port is not between 0 and 65,535.
            connections.id((*flow, (u16::try_from(*sport).ok(), u16::try_from(*dport).ok())))
        }));
        self.sums.resize(connections.items().len(), EMPTY);
    }

    /// The index of the sum of a row, given the row's flow.
    #[inline]
    fn index(&self, row: usize, flow: u32) -> usize {
        let index = if self.connections.is_some() { self.indices[row] } else { flow };
        index as usize
    }

    pub(super) fn count<const ADD: bool>(&mut self, batch: &mut RowBatch<'_>) {
        self.find(batch);
        batch.read(Quantity::Time);
        batch.read(Quantity::Size);
        let values = batch.values(Quantity::Time).iter().zip(batch.values(Quantity::Size));
        for ((row, flow), (ts, len)) in batch.flows().iter().enumerate().zip(values) {
            let index = self.index(row, *flow);
            let sum = &mut self.sums[index];
            sum.tally.update::<ADD>(Tally::of(len.unsigned_abs()));
            if ADD {
                sum.ts_ns = (sum.ts_ns.0.min(*ts), sum.ts_ns.1.max(*ts));
            } else if !sum.is_loose && (*ts == sum.ts_ns.0 || *ts == sum.ts_ns.1) {
                sum.is_loose = true;
                push_compact(&mut self.loose, u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
        self.count_health::<ADD>(batch);
    }

    /// Counts the rows with signs of trouble, after [`FlowCounter::find`].
    fn count_health<const ADD: bool>(&mut self, batch: &RowBatch<'_>) {
        let Self { sums, connections, indices, healths, is_reset, .. } = self;
        let flows = if connections.is_some() { &indices[..] } else { batch.flows() };
        let mut update = |row: usize, health: Health| {
            let index = &mut sums[flows[row] as usize].health;
            if *index == NO_HEALTH {
                *index = u32::try_from(healths.len()).unwrap_or(NO_HEALTH);
                push_compact(healths, Health::default());
            }
            healths[*index as usize].update::<ADD>(health);
        };
        if !is_reset.is_empty() {
            batch.each_of_kinds(is_reset, |row| update(row, Health::RESET));
        }
        batch.each_marked(|row, marks| {
            if let Some(health) = Health::of(marks) {
                update(row, health);
            }
        });
    }

    /// Whether only flows are counted, not their ports.
    pub(super) fn is_by_flow(&self) -> bool {
        self.connections.is_none()
    }

    /// Whether some time bounds have to be recomputed.
    pub(super) fn has_loose_time_bounds(&self) -> bool {
        !self.loose.is_empty()
    }

    /// Replaces loose time bounds by those of the counted packets of the flow.
    pub(super) fn set_loose_time_bounds(&mut self, bounds: impl Fn(usize) -> (i64, i64)) {
        for index in self.loose.drain(..) {
            let sum = &mut self.sums[index as usize];
            let is_empty = sum.tally.packets == 0;
            sum.ts_ns = if is_empty { EMPTY.ts_ns } else { bounds(index as usize) };
            sum.is_loose = false;
        }
    }

    /// Resets loose time bounds. If it returns true, pass the counted rows to
    /// [`FlowCounter::recompute_time_bounds`] that [`FlowCounter::settled_ns`] does not exclude, and then
    /// call [`FlowCounter::finish_recomputing_time_bounds`].
    pub(super) fn begin_recomputing_time_bounds(&mut self) -> bool {
        for index in &self.loose {
            self.sums[*index as usize].ts_ns = EMPTY.ts_ns;
        }
        !self.loose.is_empty()
    }

    /// Rows from the first of these times on cannot change when a flow begins, and rows up to the second
    /// one cannot change when a flow ends.
    pub(super) fn settled_ns(&self) -> (i64, i64) {
        let sums = self.loose.iter().map(|index| &self.sums[*index as usize]);
        sums.filter(|sum| 0 < sum.tally.packets).fold((i64::MIN, i64::MAX), |settled, sum| {
            (settled.0.max(sum.ts_ns.0), settled.1.min(sum.ts_ns.1))
        })
    }

    /// Widens the time bounds that were reset to include these rows.
    pub(super) fn recompute_time_bounds(&mut self, batch: &mut RowBatch<'_>) {
        self.find(batch);
        batch.read(Quantity::Time);
        let rows = batch.flows().iter().zip(batch.values(Quantity::Time));
        for (row, (flow, ts)) in rows.enumerate() {
            let index = self.index(row, *flow);
            let sum = &mut self.sums[index];
            if sum.is_loose {
                sum.ts_ns = (sum.ts_ns.0.min(*ts), sum.ts_ns.1.max(*ts));
            }
        }
    }

    pub(super) fn finish_recomputing_time_bounds(&mut self) {
        for index in self.loose.drain(..) {
            self.sums[index as usize].is_loose = false;
        }
    }

    /// The tallies of the values of a field that have packets. Only flows are counted, not their ports.
    pub(super) fn tallies_by(
        &self,
        field: FlowField,
        part: usize,
        columns: &Columns,
    ) -> Vec<IdTally> {
        let tallies = self.sums.iter().map(|sum| sum.tally);
        FieldCounter::of_flows(field, columns, tallies).tallies(part)
    }

    /// The flows or connections that have packets.
    pub(super) fn tallies(&self, part: usize) -> Vec<FlowTally> {
        let sums = (0..).zip(&self.sums).filter(|(_, sum)| 0 < sum.tally.packets);
        let tally = |(index, sum): (u32, &FlowSum)| {
            let connection = self.connections.as_ref().map(|all| all.items()[index as usize]);
            let (flow, ports) = connection.unwrap_or((index, (None, None)));
            let health = self.healths.get(sum.health as usize).copied().unwrap_or_default();
            FlowTally { part, flow, ports, tally: sum.tally, ts_ns: sum.ts_ns, health }
        };
        let mut tallies = Vec::with_capacity(sums.clone().count());
        tallies.extend(sums.map(tally));
        tallies
    }
}

/// Whether the packets of each kind have RST; empty if none have.
fn reset_kinds(columns: &Columns) -> Vec<bool> {
    let has_reset = |flags| flags & Tcp::RST != 0;
    let kinds = columns.kinds().iter().map(|kind| kind.flags.is_some_and(has_reset));
    let kinds: Vec<_> = kinds.collect();
    if kinds.contains(&true) { kinds } else { Vec::new() }
}

/// Lengthens a list. Its memory grows by an eighth at least, so that short steps do not copy it each time.
fn resize<T: Clone>(items: &mut Vec<T>, count: usize, empty: T) {
    if items.capacity() < count {
        let spare = if items.is_empty() { 0 } else { count / 8 };
        items.reserve_exact(count - items.len() + spare);
    }
    items.resize(count, empty);
}
