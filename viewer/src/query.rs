//! What the page asks the workers, what each answers of its parts, and how answers become one.

use crate::axis::Bins;
use crate::columns::Row;
use crate::order::sorted;
use crate::selection::Care;
use crate::wire::wire;

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
    /// How many does each flow have, and when?
    Flows,
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

    /// Counts a packet.
    pub fn count(&mut self, len: u32) {
        self.packets += 1;
        self.bytes += u64::from(len);
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
#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(clippy::large_enum_variant, reason = "a few at a time")
)]
pub enum Answer {
    /// All together.
    Total(Tally),
    /// By class and cell: `tallies[class * cells + cell]`.
    Bins(Vec<Tally>),
    /// By class, row and column: `counts[(class * rows + row) * columns + column]`.
    Density(Vec<u32>),
    /// By port, in the order of ports.
    Ports(Vec<(u16, Tally)>),
    /// By part and flow, in no order.
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
            (Self::Density(mut counts), Self::Density(more)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
                Self::Density(counts)
            }
            (Self::Ports(ports), Self::Ports(more)) => Self::Ports(merge_ports(ports, more)),
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

fn merge_ports(mut ports: Vec<(u16, Tally)>, more: Vec<(u16, Tally)>) -> Vec<(u16, Tally)> {
    ports.extend(more);
    let mut ports = sorted(&ports, |a, b| a.0.cmp(&b.0));
    ports.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        if is_same {
            kept.1.add(later.1);
        }
        is_same
    });
    ports
}

wire!(struct Query { what, care });
wire!(enum What {
    0 Total, 1 Bins(bins), 2 Density(grid), 3 Ports, 4 Flows, 5 Nearest { grid, cell },
    6 Ranks { key_ns }, 7 Rows { starts, count },
});
wire!(struct Grid { x, y });
wire!(struct Tally { packets, bytes });
wire!(struct FlowTally { part, flow, tally, ts_ns });
wire!(struct Packet { part, index, key_ns, row });
wire!(struct Hit { distance, cell, packet });
wire!(struct Rank { part, below, up_to });
wire!(enum Answer {
    0 Total(tally), 1 Bins(tallies), 2 Density(counts), 3 Ports(ports), 4 Flows(flows),
    5 Nearest(hit), 6 Ranks(ranks), 7 Rows(rows),
});
