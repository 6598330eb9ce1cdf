//! Queries from the page to the workers, their answers, and how the answers of several parts merge.

use crate::columns::PacketRow;
use crate::density::{Density, Grid};
use crate::flow::Ports;
use crate::health::Health;
use crate::refusals::Refusals;
use crate::tally::Tally;
use viewer_model::axis::Bins;
use viewer_model::partial_sort::sort;
use viewer_model::selection::DimensionSet;
use viewer_model::wire::wire;

/// A question about the packets of all parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What to compute.
    pub kind: QueryKind,
    /// Dimensions whose selections restrict the packets. The empty set means all packets.
    pub dimensions: DimensionSet,
}

/// What a [`Query`] computes.
#[derive(Clone, Debug, PartialEq)]
pub enum QueryKind {
    /// Packets and bytes in total.
    Total,
    /// Packets and bytes by bin and protocol class.
    Bins(Bins),
    /// Packets by grid cell and protocol class.
    Density(Grid),
    /// Packets and bytes by destination port.
    Ports,
    /// Packets and bytes by source address.
    Sources,
    /// Packets and bytes by destination address.
    Destinations,
    /// Packets and bytes by protocol.
    Protocols,
    /// Packets, bytes, time range and signs of trouble by flow.
    Conversations,
    /// The same by flow and ports.
    Connections,
    /// The packet nearest to a grid cell.
    Nearest {
        /// The grid.
        grid: Grid,
        /// Column and row.
        cell: (usize, usize),
    },
    /// The number of packets before a sort key, by part.
    Ranks {
        /// Sort key: the latest timestamp so far in the file, in nanoseconds since the epoch.
        key_ns: i64,
    },
    /// Consecutive packets in time order.
    Rows {
        /// Parts, and how many packets of each to skip. Other parts contribute none.
        starts: Vec<(usize, u64)>,
        /// Maximum number of packets per part.
        count: usize,
    },
    /// The number of packets before a packet in time order, and up to it, by part.
    RankOf(Position),
    /// Packets and bytes that match each of these filters.
    Matches(Vec<String>),
    /// The connections of all packets that were refused, by address.
    Refusals {
        /// The largest number of ports per address.
        max_ports: usize,
    },
}

/// The position of a packet in time order: packets are sorted by the fields from first to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Sort key: the latest timestamp so far in the file, in nanoseconds since the epoch.
    pub key_ns: i64,
    /// Index of the part.
    pub part: usize,
    /// Index of the packet within the part.
    pub index: usize,
}

/// Totals of one flow of a part, or of its packets between two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowTally {
    /// Index of the part.
    pub part: usize,
    /// Id of the flow within the part.
    pub flow: u32,
    /// The ports, if counted by ports.
    pub ports: Ports,
    /// At least one packet.
    pub tally: Tally,
    /// First and last timestamp in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// Packets with signs of trouble.
    pub health: Health,
}

/// Totals of one address or protocol of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdTally {
    /// Index of the part.
    pub part: usize,
    /// Id of the address or protocol within the part.
    pub id: u32,
    /// At least one packet.
    pub tally: Tally,
}

/// A packet and its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedPacket {
    /// Index of the part.
    pub part: usize,
    /// Index of the packet within the part.
    pub index: usize,
    /// Sort key: the latest timestamp so far in the file, in nanoseconds since the epoch.
    pub key_ns: i64,
    /// Field values.
    pub row: PacketRow,
}

impl LocatedPacket {
    /// Its position in time order.
    pub fn position(&self) -> Position {
        Position { key_ns: self.key_ns, part: self.part, index: self.index }
    }
}

/// The packet nearest to a grid cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Squared distance in cells.
    pub distance: usize,
    /// Column and row of the packet.
    pub cell: (usize, usize),
    /// The packet.
    pub packet: LocatedPacket,
}

/// How many packets of a part precede a sort key, or a position in time order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeRank {
    /// Index of the part.
    pub part: usize,
    /// Packets with a smaller key or position.
    pub below: u64,
    /// Packets with a smaller or equal key or position.
    pub up_to: u64,
}

/// The answer to a [`QueryKind`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Total packets and bytes.
    Total(Tally),
    /// By class and bin: `tallies[class * bin_count + bin]`.
    Bins(Vec<Tally>),
    /// By class and cell.
    Density(Density),
    /// By port, in ascending order.
    Ports(Vec<(u16, Tally)>),
    /// By part and id, unordered; for sources, destinations and protocols.
    Ids(Vec<IdTally>),
    /// By part and flow, unordered; for conversations and connections.
    Flows(Vec<FlowTally>),
    /// The nearest packet, if any is close enough.
    Nearest(Option<Hit>),
    /// By part, in ascending order.
    Ranks(Vec<TimeRank>),
    /// In time order.
    Rows(Vec<LocatedPacket>),
    /// By filter; `None` if a field of the filter has not been read from the file.
    Tallies(Vec<Option<Tally>>),
    /// By part and address, unordered.
    Refusals(Vec<Refusals>),
}

impl Answer {
    /// Combines the answers to the same query from different parts.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Total(mut tally), Self::Total(more)) => {
                tally.add(more);
                Self::Total(tally)
            }
            (Self::Bins(tallies), Self::Bins(more)) => Self::Bins(sums(tallies, more)),
            (Self::Tallies(tallies), Self::Tallies(more)) => {
                let sums = tallies.into_iter().zip(more).map(|(tally, more)| {
                    let (mut tally, more) = (tally?, more?);
                    tally.add(more);
                    Some(tally)
                });
                Self::Tallies(sums.collect())
            }
            (Self::Refusals(mut refusals), Self::Refusals(more)) => {
                refusals.extend(more);
                Self::Refusals(refusals)
            }
            (Self::Density(one), Self::Density(other)) => Self::Density(one.merge(&other)),
            (Self::Ports(ports), Self::Ports(more)) => Self::Ports(merge_ports(ports, more)),
            (Self::Ids(mut tallies), Self::Ids(more)) => {
                tallies.extend(more);
                Self::Ids(tallies)
            }
            (Self::Flows(mut flows), Self::Flows(more)) => {
                flows.extend(more);
                Self::Flows(flows)
            }
            (Self::Nearest(one), Self::Nearest(other)) => {
                let hits = [one, other].into_iter().flatten();
                Self::Nearest(hits.min_by_key(|hit| (hit.distance, hit.packet.part)))
            }
            (Self::Ranks(mut ranks), Self::Ranks(more)) => {
                ranks.extend(more);
                sort(&mut ranks, |a, b| a.part.cmp(&b.part));
                Self::Ranks(ranks)
            }
            (Self::Rows(mut rows), Self::Rows(more)) => {
                rows.extend(more);
                let key = |packet: &LocatedPacket| (packet.key_ns, packet.part, packet.index);
                sort(&mut rows, |a, b| key(a).cmp(&key(b)));
                Self::Rows(rows)
            }
            (one, _) => one,
        }
    }
}

/// Adds up two lists of the same length.
fn sums(mut tallies: Vec<Tally>, more: Vec<Tally>) -> Vec<Tally> {
    tallies.iter_mut().zip(more).for_each(|(tally, more)| tally.add(more));
    tallies
}

/// Merges two lists sorted by port.
fn merge_ports(ports: Vec<(u16, Tally)>, more: Vec<(u16, Tally)>) -> Vec<(u16, Tally)> {
    let mut merged = Vec::with_capacity(ports.len() + more.len());
    let mut more = more.into_iter().peekable();
    for (port, mut tally) in ports {
        while let Some(before) = more.next_if(|other| other.0 < port) {
            merged.push(before);
        }
        if let Some(same) = more.next_if(|other| other.0 == port) {
            tally.add(same.1);
        }
        merged.push((port, tally));
    }
    merged.extend(more);
    merged
}

wire!(struct Query { kind, dimensions });
wire!(enum QueryKind {
    0 Total, 1 Bins(bins), 2 Density(grid), 3 Ports, 4 Sources, 5 Destinations, 6 Protocols,
    7 Conversations, 8 Nearest { grid, cell }, 9 Ranks { key_ns }, 10 Rows { starts, count },
    11 RankOf(position), 12 Connections, 13 Matches(filters), 14 Refusals { max_ports },
});
wire!(struct FlowTally { part, flow, ports, tally, ts_ns, health });
wire!(struct IdTally { part, id, tally });
wire!(struct LocatedPacket { part, index, key_ns, row });
wire!(struct Position { key_ns, part, index });
wire!(struct Hit { distance, cell, packet });
wire!(struct TimeRank { part, below, up_to });
wire!(enum Answer {
    0 Total(tally), 1 Bins(tallies), 2 Density(density), 3 Ports(ports), 4 Ids(tallies),
    5 Flows(flows), 6 Nearest(hit), 7 Ranks(ranks), 8 Rows(rows), 9 Tallies(tallies),
    10 Refusals(refusals),
});
