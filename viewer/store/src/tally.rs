//! Packet and byte counts, and ranking by them.

use viewer_model::partial_sort::sorted_range;
use viewer_model::wire::wire;

/// Number of packets and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of packets.
    pub packets: u64,
    /// Sum of their lengths on the wire, in bytes.
    pub bytes: u64,
}

impl Tally {
    /// A single packet of `len` bytes.
    pub fn of(len: u64) -> Self {
        Self { packets: 1, bytes: len }
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
    }

    /// Adds another tally, or subtracts it unless `ADD`. Only tallies that were added may be subtracted.
    #[inline]
    pub fn update<const ADD: bool>(&mut self, other: Self) {
        if ADD {
            self.add(other);
        } else {
            self.packets = self.packets.wrapping_sub(other.packets);
            self.bytes = self.bytes.wrapping_sub(other.bytes);
        }
    }
}

/// Measure by which rankings are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RankBy {
    /// Number of packets.
    #[default]
    Packets,
    /// Number of bytes.
    Bytes,
}

impl RankBy {
    /// The count that is compared.
    pub fn amount(self, tally: Tally) -> u64 {
        match self {
            Self::Packets => tally.packets,
            Self::Bytes => tally.bytes,
        }
    }
}

/// The `count` largest items, in descending order. Ties are in the order of the items themselves.
pub fn top<T: Ord + Clone>(items: &[(T, Tally)], by: RankBy, count: usize) -> Vec<(T, Tally)> {
    let compare = |a: &(T, Tally), b: &(T, Tally)| {
        by.amount(b.1).cmp(&by.amount(a.1)).then_with(|| a.0.cmp(&b.0))
    };
    let indices = sorted_range(items, 0, count, compare);
    indices.into_iter().map(|index| items[index].clone()).collect()
}

wire!(struct Tally { packets, bytes });
