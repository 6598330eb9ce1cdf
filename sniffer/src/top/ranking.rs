//! The flows that lead by some value, among those of a table and those that ended.

use flow::{EndReason, Flow, FlowTable};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::time::Instant;

use super::row::{FlowRow, SortKey, Values, bytes, duration_ns, values};

/// How many flows are kept for each value.
pub(super) const ROWS_PER_KEY: usize = 200;

/// Flows that ended are reduced to the leading ones when there are so many.
const MAX_ENDED: usize = 16_384;

/// How rates are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RateKind {
    /// Since the last snapshot.
    Current,
    /// Over the whole flow, and at least over [`MIN_MEAN_NS`].
    Mean,
}

/// The shortest time over which a mean rate is computed. Current rates cover the same time. Without a minimum, a DNS
/// question and its answer would rank above a download.
const MIN_MEAN_NS: u64 = 1_000_000_000;

/// The mean rate of a flow.
fn mean_rate(flow: &Flow<'_>) -> u64 {
    per_second(bytes(flow), duration_ns(flow).max(MIN_MEAN_NS))
}

/// The flows that ended, and what rates need.
#[derive(Debug)]
pub(crate) struct Ranking {
    kind: RateKind,
    ended: Vec<FlowRow>,
    /// Bytes of all flows at the last snapshot.
    last_bytes: HashMap<u64, u64>,
    last_at: Option<Instant>,
}

impl Ranking {
    pub(crate) fn new(kind: RateKind) -> Self {
        Self { kind, ended: Vec::new(), last_bytes: HashMap::new(), last_at: None }
    }

    /// A flow ended.
    pub(crate) fn add_ended(&mut self, flow: &Flow<'_>, reason: EndReason) {
        let rate = match self.kind {
            RateKind::Current => 0,
            RateKind::Mean => mean_rate(flow),
        };
        self.ended.push(FlowRow::new(flow, rate, Some(reason)));
        if MAX_ENDED <= self.ended.len() {
            self.prune();
        }
    }

    /// The leading flows of the table, and of those that ended.
    pub(super) fn snapshot(&mut self, table: &FlowTable, now: Instant) -> Vec<FlowRow> {
        let elapsed = self.last_at.map_or(0, |last| (now - last).as_nanos());
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        let rate = |flow: &Flow<'_>| match self.kind {
            RateKind::Mean => mean_rate(flow),
            RateKind::Current => {
                let before = self.last_bytes.get(&flow.id()).copied().unwrap_or(0);
                per_second(bytes(flow).saturating_sub(before), elapsed)
            }
        };
        let leading = leading(table.iter().map(|flow| values(&flow, rate(&flow))));
        let mut rows: Vec<_> = table
            .iter()
            .enumerate()
            .filter(|(index, _)| leading.contains(index))
            .map(|(_, flow)| FlowRow::new(&flow, rate(&flow), None))
            .collect();
        if self.kind == RateKind::Current {
            self.last_bytes.clear();
            self.last_bytes.extend(table.iter().map(|flow| (flow.id(), bytes(&flow))));
        }
        self.last_at = Some(now);
        self.prune();
        rows.extend_from_slice(&self.ended);
        rows
    }

    /// Keeps the leading flows of those that ended.
    fn prune(&mut self) {
        let leading = leading(self.ended.iter().map(|row| *row.values()));
        let mut index = 0;
        self.ended.retain(|_| {
            index += 1;
            leading.contains(&(index - 1))
        });
    }
}

/// The indices of the flows that lead by some value.
fn leading(flows: impl Iterator<Item = Values>) -> BTreeSet<usize> {
    let mut heaps: [BinaryHeap<Reverse<(u64, usize)>>; SortKey::ALL.len()] = Default::default();
    for (index, values) in flows.enumerate() {
        for (heap, value) in heaps.iter_mut().zip(values) {
            if heap.len() < ROWS_PER_KEY {
                heap.push(Reverse((value, index)));
            } else if let Some(mut smallest) = heap.peek_mut()
                && smallest.0.0 < value
            {
                *smallest = Reverse((value, index));
            }
        }
    }
    heaps.into_iter().flatten().map(|Reverse((_, index))| index).collect()
}

/// Bits per second.
fn per_second(bytes: u64, ns: u64) -> u64 {
    let bits = u128::from(bytes) * 8 * 1_000_000_000;
    u64::try_from(bits.checked_div(ns.into()).unwrap_or(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::{Limits, Observation};
    use summary::{LinkType, PayloadNames, Summary, TcpOptions, Timestamp};

    #[test]
    fn flows_lead_by_any_value() {
        let flows = (0..10_000).map(|index: u64| [0, index, 9_999 - index, index % 7, 0, 5]);
        let leading = leading(flows);
        let is_kept =
            |range: std::ops::Range<usize>| range.into_iter().all(|i| leading.contains(&i));
        assert!(is_kept(9_800..10_000) && is_kept(0..200), "bytes and packets");
        assert!(leading.len() <= SortKey::ALL.len() * ROWS_PER_KEY);
    }

    /// A long download leads, not the shorter exchange with the higher rate.
    #[test]
    fn short_exchanges_have_the_rate_of_a_second() {
        let mut table = FlowTable::new(Limits::default());
        let mut add = |host: u8, ms: i64, len: u32| {
            let mut summary = Summary::new(LinkType::RAW, len, len);
            (summary.src, summary.dst) = (Some([10, 0, 0, host].into()), Some([1; 4].into()));
            let (options, names) = (TcpOptions::default(), PayloadNames::default());
            let ts = Timestamp::from_ns(ms * 1_000_000);
            let packet = Observation::new(ts, None, &summary, &options, &names);
            table.add(&packet, &mut |_, _| panic!("no flow ends"));
        };
        (0..=20).for_each(|index| add(1, index * 100, 1_000));
        add(2, 0, 200);
        add(2, 1, 200);
        let rows = Ranking::new(RateKind::Mean).snapshot(&table, Instant::now());
        let rates: Vec<_> = rows.iter().map(|row| row.value(SortKey::Rate)).collect();
        assert_eq!(rates, [84_000, 3_200]);
    }

    #[test]
    fn rates_have_no_overflow() {
        assert_eq!(per_second(1_000, 500_000_000), 16_000);
        assert_eq!(per_second(1_000, 0), 0);
        assert_eq!(per_second(u64::MAX, 1), u64::MAX);
    }
}
