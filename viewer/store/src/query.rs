//! What the page asks the workers, what each answers of its parts, and how answers become one.

use crate::columns::Row;
use crate::density::Density;
use viewer_model::axis::Bins;
use viewer_model::order::sorted;
use viewer_model::selection::Care;
use viewer_model::wire::wire;

/// A question about the packets of all parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// What is asked.
    pub what: What,
    /// Of which packets: those that are selected in these dimensions.
    pub care: Care,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// How many packets and bytes are there?
    Total,
    /// How many are in each cell of an axis?
    Bins(Bins),
    /// How many packets are in each cell of a plane?
    Density(Grid),
    /// How many have each destination port?
    Ports,
    /// How many has each source address?
    Sources,
    /// How many has each destination address?
    Destinations,
    /// How many has each protocol?
    Protocols,
    /// How many does each flow have, and when?
    Conversations,
    /// Which packet is nearest to a cell of a plane?
    Nearest {
        /// The plane.
        grid: Grid,
        /// Column and row.
        cell: (usize, usize),
    },
    /// How many come before a place in the order of time, in each part?
    Ranks {
        /// The latest time up to there, in nanoseconds since the epoch.
        key_ns: i64,
    },
    /// The packets from a place on in each part.
    Rows {
        /// Part and how many of its packets come before; of other parts, none are asked for.
        starts: Vec<(usize, u64)>,
        /// How many of each at most.
        count: usize,
    },
}

/// A plane cut into cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Along x.
    pub x: Bins,
    /// Along y; the first row holds the smallest values.
    pub y: Bins,
}

impl Grid {
    /// Cells of one class.
    pub fn cell_count(&self) -> usize {
        self.x.count * self.y.count
    }
}

/// Packets and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
}

impl Tally {
    /// Counts some more.
    pub fn add(&mut self, more: Self) {
        self.packets += more.packets;
        self.bytes += more.bytes;
    }

    /// A packet of that length.
    pub fn of(len: u64) -> Self {
        Self { packets: 1, bytes: len }
    }

    /// Counts some more, or some less where `COMES` is false: never less than there are.
    #[inline]
    pub fn change<const COMES: bool>(&mut self, by: Self) {
        if COMES {
            self.add(by);
        } else {
            self.packets = self.packets.wrapping_sub(by.packets);
            self.bytes = self.bytes.wrapping_sub(by.bytes);
        }
    }
}

/// What a flow of a part has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowTally {
    /// Of which part.
    pub part: usize,
    /// Its place among the part's flows.
    pub flow: u32,
    /// Packets and bytes: one packet at least.
    pub tally: Tally,
    /// Least and greatest time in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

/// What an address or a protocol of a part has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlaceTally {
    /// Of which part.
    pub part: usize,
    /// Its place among the part's addresses or protocols.
    pub place: u32,
    /// Packets and bytes: one packet at least.
    pub tally: Tally,
}

/// A packet of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Of which part.
    pub part: usize,
    /// Its place among the part's packets.
    pub index: usize,
    /// Its place in the order of time: the latest time up to it in its file.
    pub key_ns: i64,
    /// Its values.
    pub row: Row,
}

/// A packet near the pointed cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its distance in cells, squared.
    pub distance: usize,
    /// Its cell: column and row.
    pub cell: (usize, usize),
    /// The packet.
    pub packet: Packet,
}

/// How many packets of a part come before a key, and up to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// Of which part.
    pub part: usize,
    /// Packets before.
    pub below: u64,
    /// Packets before and at the key.
    pub up_to: u64,
}

/// The answer to a [`What`] of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// All together.
    Total(Tally),
    /// By class and cell: `tallies[class * cells + cell]`.
    Bins(Vec<Tally>),
    /// By class and cell.
    Density(Density),
    /// By port, in the order of ports.
    Ports(Vec<(u16, Tally)>),
    /// By part and place, in no order: of sources, destinations and protocols.
    Places(Vec<PlaceTally>),
    /// By part and flow, in no order: of conversations.
    Flows(Vec<FlowTally>),
    /// The nearest packet, if any is within reach.
    Nearest(Option<Hit>),
    /// By part, in the order of parts.
    Ranks(Vec<Rank>),
    /// In the order of time.
    Rows(Vec<Packet>),
}

impl Answer {
    /// Of both together.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Total(mut tally), Self::Total(more)) => {
                tally.add(more);
                Self::Total(tally)
            }
            (Self::Bins(mut tallies), Self::Bins(more)) => {
                tallies.iter_mut().zip(more).for_each(|(tally, more)| tally.add(more));
                Self::Bins(tallies)
            }
            (Self::Density(one), Self::Density(other)) => Self::Density(one.merge(&other)),
            (Self::Ports(ports), Self::Ports(more)) => Self::Ports(merge_ports(ports, more)),
            (Self::Places(mut places), Self::Places(more)) => {
                places.extend(more);
                Self::Places(places)
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
                Self::Ranks(sorted(&ranks, |a, b| a.part.cmp(&b.part)))
            }
            (Self::Rows(mut rows), Self::Rows(more)) => {
                rows.extend(more);
                let key = |packet: &Packet| (packet.key_ns, packet.part, packet.index);
                Self::Rows(sorted(&rows, |a, b| key(a).cmp(&key(b))))
            }
            (one, _) => one,
        }
    }
}

/// Both in the order of ports.
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

wire!(struct Query { what, care });
wire!(enum What {
    0 Total, 1 Bins(bins), 2 Density(grid), 3 Ports, 4 Sources, 5 Destinations, 6 Protocols,
    7 Conversations, 8 Nearest { grid, cell }, 9 Ranks { key_ns }, 10 Rows { starts, count },
});
wire!(struct Grid { x, y });
wire!(struct Tally { packets, bytes });
wire!(struct FlowTally { part, flow, tally, ts_ns });
wire!(struct PlaceTally { part, place, tally });
wire!(struct Packet { part, index, key_ns, row });
wire!(struct Hit { distance, cell, packet });
wire!(struct Rank { part, below, up_to });
wire!(enum Answer {
    0 Total(tally), 1 Bins(tallies), 2 Density(density), 3 Ports(ports), 4 Places(places),
    5 Flows(flows), 6 Nearest(hit), 7 Ranks(ranks), 8 Rows(rows),
});
