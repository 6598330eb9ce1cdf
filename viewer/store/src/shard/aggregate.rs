//! The results that accumulators compute, and the choice of one for a query.

use super::flow_counter::FlowField;
use crate::columns::Columns;
use crate::density::Grid;
use crate::query::{Query, QueryKind};
use viewer_model::axis::Bins;
use viewer_model::selection::DimensionSet;

/// What an accumulator computes. Queries of the same aggregate can share one accumulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aggregate {
    Total,
    Bins(Bins),
    Density(Grid),
    Ports,
    Field(FlowField),
    Flows { by_ports: bool },
    Nearest { grid: Grid, cell: (usize, usize) },
}

impl Aggregate {
    /// Whether both belong to the same view, possibly with different ranges or bins.
    pub(super) fn is_same_view(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bins(bins), Self::Bins(others)) => bins.axis.quantity == others.axis.quantity,
            (Self::Density(_), Self::Density(_)) | (Self::Flows { .. }, Self::Flows { .. }) => true,
            _ => self == other,
        }
    }
}

/// Which counts answer queries by address and protocol. While flows are few, packets are counted once by flow,
/// and these counts are summed by each field of the flows.
#[derive(Debug, Default)]
pub(super) struct Sharing {
    has_few_flows: bool,
    /// The packets whose flows are counted for a table anyway.
    tables: Vec<DimensionSet>,
}

impl Sharing {
    /// Adapts to columns that may have grown. Near the limit nothing changes: each change means that packets are
    /// counted again.
    pub(super) fn update(&mut self, columns: &Columns) {
        /// Summing the flows has to take less time than counting by another field.
        const MIN_PACKETS_PER_FLOW: usize = 64;
        let divisor = if self.has_few_flows { 2 } else { 1 };
        let min_packets = columns.flows().len().saturating_mul(MIN_PACKETS_PER_FLOW / divisor);
        self.has_few_flows = min_packets <= columns.len();
    }

    /// Sets the packets whose flows are counted for a table.
    pub(super) fn set_tables(&mut self, tables: impl Iterator<Item = DimensionSet>) {
        self.tables.clear();
        self.tables.extend(tables);
    }

    /// The aggregate that answers a query; `None` for queries about the order of packets and about
    /// filters.
    pub(super) fn aggregate(&self, query: &Query) -> Option<Aggregate> {
        Some(match &query.kind {
            QueryKind::Total => Aggregate::Total,
            QueryKind::Bins(bins) => Aggregate::Bins(*bins),
            QueryKind::Density(grid) => Aggregate::Density(*grid),
            QueryKind::Ports => Aggregate::Ports,
            QueryKind::Sources | QueryKind::Destinations | QueryKind::Protocols => {
                let field = FlowField::of(&query.kind)?;
                match (self.has_few_flows, self.tables.contains(&query.dimensions)) {
                    (false, _) => Aggregate::Field(field),
                    (true, false) => Aggregate::Field(FlowField::All),
                    (true, true) => Aggregate::Flows { by_ports: false },
                }
            }
            QueryKind::Conversations => Aggregate::Flows { by_ports: false },
            QueryKind::Connections => Aggregate::Flows { by_ports: true },
            QueryKind::Nearest { grid, cell } => Aggregate::Nearest { grid: *grid, cell: *cell },
            QueryKind::Ranks { .. }
            | QueryKind::Rows { .. }
            | QueryKind::RankOf(_)
            | QueryKind::Matches(_)
            | QueryKind::Refusals { .. } => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::columns::Columns;
    use crate::columns::tests::packet;
    use crate::query::{Answer, Query, QueryKind};
    use crate::shard::{Preceding, Shard};
    use crate::tally::Tally;
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use viewer_model::filter::{Context, parse};
    use viewer_model::selection::{Dimension, Selection};

    const PROTOS: [&str; 2] = ["tcp", "udp"];

    /// Length, protocol and hosts.
    type Plain = (u32, usize, u8, u8);

    fn columns(packets: &[Plain]) -> Columns {
        let mut columns = Columns::default();
        for (n, (len, proto, src, dst)) in (0..).zip(packets) {
            let mut packet = packet(n + 1, 0, *len, PROTOS[*proto]);
            packet.summary.src = Some([10, 0, 0, *src].into());
            packet.summary.dst = Some([10, 0, 1, *dst].into());
            columns.push(&packet, n).unwrap();
        }
        columns
    }

    /// Counts packets of at least this length by a text.
    fn naive(
        packets: &[Plain],
        min_len: u32,
        text: impl Fn(&Plain) -> String,
    ) -> BTreeMap<String, Tally> {
        let mut tallies = BTreeMap::<_, Tally>::new();
        for packet in packets.iter().filter(|packet| min_len <= packet.0) {
            tallies.entry(text(packet)).or_default().add(Tally::of(packet.0.into()));
        }
        tallies
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        /// With one flow or many, whichever queries are asked together, and whatever was selected before.
        #[test]
        fn fields_match_a_naive_evaluation(
            hosts in prop_oneof![1u8..4, 20u8..40],
            seeds in proptest::collection::vec(any::<[u8; 4]>(), 1_500),
            steps in proptest::collection::vec((0u32..120, any::<[bool; 4]>()), 1..6),
        ) {
            let plain = seeds.iter().map(|[len, proto, src, dst]| {
                ((*len).into(), usize::from(proto % 2), src % hosts, dst % hosts)
            });
            let packets: Vec<Plain> = plain.collect();
            let columns = columns(&packets);
            let mut shard = Shard::new(0, String::new());
            for (min_len, is_asked) in steps {
                let filter = parse(&format!("len >= {min_len}"), &Context::default()).unwrap();
                let mut selection = Selection::default();
                selection.set(Dimension::Size, filter);
                let dimensions = selection.dimensions();
                let kinds =
                    [QueryKind::Sources, QueryKind::Destinations, QueryKind::Protocols, QueryKind::Conversations];
                let asked = kinds.into_iter().zip(is_asked).filter(|(_, is_asked)| *is_asked);
                let queries: Vec<_> = asked.map(|(kind, _)| Query { kind, dimensions }).collect();
                let answers = shard.answer(&columns, Preceding::default(), &selection, &queries);
                for (query, answer) in queries.iter().zip(answers) {
                    let expected = match query.kind {
                        QueryKind::Sources => naive(&packets, min_len, |packet| format!("10.0.0.{}", packet.2)),
                        QueryKind::Destinations => naive(&packets, min_len, |packet| format!("10.0.1.{}", packet.3)),
                        _ => naive(&packets, min_len, |packet| PROTOS[packet.1].to_owned()),
                    };
                    let Answer::Ids(ids) = answer else { continue };
                    let name = |id: u32| match query.kind {
                        QueryKind::Protocols => columns.protos()[id as usize].clone(),
                        _ => columns.addresses()[id as usize].to_string(),
                    };
                    let found: BTreeMap<_, _> = ids.iter().map(|ids| (name(ids.id), ids.tally)).collect();
                    prop_assert_eq!(ids.len(), found.len());
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}
