//! The packets of one part of a file as columns: 26 bytes a packet, addresses and protocol names
//! kept once.

use crate::protocol::{CLASS_COUNT, Class};
use foldhash::fast::FixedState;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use summary::{Address, Packet};

/// Columns of equal length, in the order of the file.
#[derive(Debug, Default)]
pub struct Columns {
    /// Time in nanoseconds since the epoch.
    ts_ns: Vec<i64>,
    /// Bytes on the wire.
    len: Vec<u32>,
    /// Number of the packet, from `n_base` on.
    n_delta: Vec<u32>,
    n_base: u64,
    /// Places in `addresses`.
    src: Vec<u32>,
    dst: Vec<u32>,
    /// Places in `protos`.
    proto: Vec<u16>,
    addresses: Interner,
    protos: Vec<Proto>,
    proto_ids: HashMap<String, u16, FixedState>,
    /// The protocol seen last: packets come in runs.
    last_proto: usize,
    totals: Totals,
}

/// A protocol of this part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Proto {
    name: String,
    class: Class,
    packets: u64,
}

/// What is known of all packets together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// How many packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Least and greatest values; `None` without packets.
    pub extent: Option<Extent>,
}

/// Least and greatest values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// Numbers of packets.
    pub n: (u64, u64),
    /// Times in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// Bytes on the wire.
    pub len: (u32, u32),
}

impl Extent {
    fn of(n: u64, ts_ns: i64, len: u32) -> Self {
        Self { n: (n, n), ts_ns: (ts_ns, ts_ns), len: (len, len) }
    }

    fn union(self, other: Self) -> Self {
        fn union<T: Ord>(a: (T, T), b: (T, T)) -> (T, T) {
            (a.0.min(b.0), a.1.max(b.1))
        }
        Self {
            n: union(self.n, other.n),
            ts_ns: union(self.ts_ns, other.ts_ns),
            len: union(self.len, other.len),
        }
    }
}

impl Totals {
    /// Of both together.
    pub fn merge(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            wire_bytes: self.wire_bytes + other.wire_bytes,
            extent: [self.extent, other.extent].into_iter().flatten().reduce(Extent::union),
        }
    }
}

/// One packet with its values spelt out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Number in its run.
    pub n: u64,
    /// Time in nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Bytes on the wire.
    pub len: u32,
    /// Source address; empty where there is none.
    pub src: String,
    /// Destination address; empty where there is none.
    pub dst: String,
    /// Protocol.
    pub proto: String,
}

impl Columns {
    /// Appends a packet.
    ///
    /// # Errors
    ///
    /// Where a number is too far from the first one, or there are too many protocols: the packet is
    /// left out.
    pub fn push(&mut self, packet: &Packet<'_>) -> Result<(), &'static str> {
        if self.ts_ns.is_empty() {
            // Room on both sides: a stream may hold several runs, each counted from 1.
            self.n_base = packet.n.saturating_sub(1 << 31);
        }
        let n_delta = (packet.n.checked_sub(self.n_base))
            .and_then(|delta| u32::try_from(delta).ok())
            .ok_or("`n` is too far from the first packet's")?;
        let summary = &packet.summary;
        let proto = match summary.proto.name() {
            Some(name) => self.proto_id(name),
            None => self.proto_id(&summary.proto.to_string()),
        };
        let proto = proto.ok_or("too many different protocols")?;
        let (ts_ns, len) = (packet.ts.ns(), summary.len);
        self.protos[usize::from(proto)].packets += 1;
        self.ts_ns.push(ts_ns);
        self.len.push(len);
        self.n_delta.push(n_delta);
        self.src.push(self.addresses.id(summary.src));
        self.dst.push(self.addresses.id(summary.dst));
        self.proto.push(proto);
        self.totals = self.totals.merge(Totals {
            packets: 1,
            wire_bytes: u64::from(len),
            extent: Some(Extent::of(packet.n, ts_ns, len)),
        });
        Ok(())
    }

    /// Makes room for as many packets in all, so that growing does not copy.
    pub fn reserve(&mut self, packets: usize) {
        let more = packets.saturating_sub(self.ts_ns.len());
        self.ts_ns.reserve_exact(more);
        self.len.reserve_exact(more);
        self.n_delta.reserve_exact(more);
        self.src.reserve_exact(more);
        self.dst.reserve_exact(more);
        self.proto.reserve_exact(more);
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.ts_ns.len()
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.ts_ns.is_empty()
    }

    /// What is known of all packets together.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Name of each protocol and how many packets have it.
    pub fn protocols(&self) -> impl Iterator<Item = (&str, u64)> {
        self.protos.iter().map(|proto| (proto.name.as_str(), proto.packets))
    }

    /// Times in nanoseconds since the epoch.
    pub fn ts_ns(&self) -> &[i64] {
        &self.ts_ns
    }

    /// Bytes on the wire.
    pub fn lens(&self) -> &[u32] {
        &self.len
    }

    /// Numbers of the packets.
    pub fn numbers(&self) -> Numbers<'_> {
        Numbers { base: self.n_base, deltas: &self.n_delta }
    }

    /// Protocol of each packet as a place in [`Columns::class_of_proto`].
    pub fn protos(&self) -> &[u16] {
        &self.proto
    }

    /// Place in `CLASSES` of each protocol.
    pub fn class_of_proto(&self) -> Vec<u8> {
        debug_assert!(CLASS_COUNT <= usize::from(u8::MAX));
        self.protos.iter().map(|proto| proto.class as u8).collect()
    }

    /// One packet spelt out.
    ///
    /// # Panics
    ///
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> Row {
        let address = |id: u32| match self.addresses.addresses[id as usize] {
            Some(address) => address.to_string(),
            None => String::new(),
        };
        Row {
            n: self.numbers().at(row),
            ts_ns: self.ts_ns[row],
            len: self.len[row],
            src: address(self.src[row]),
            dst: address(self.dst[row]),
            proto: self.protos[usize::from(self.proto[row])].name.clone(),
        }
    }

    fn proto_id(&mut self, name: &str) -> Option<u16> {
        if self.protos.get(self.last_proto).is_some_and(|proto| proto.name == name) {
            return u16::try_from(self.last_proto).ok();
        }
        let id = match self.proto_ids.get(name) {
            Some(id) => *id,
            None => {
                let id = u16::try_from(self.protos.len()).ok()?;
                let class = Class::of(name);
                self.protos.push(Proto { name: name.to_owned(), class, packets: 0 });
                self.proto_ids.insert(name.to_owned(), id);
                id
            }
        };
        self.last_proto = usize::from(id);
        Some(id)
    }
}

/// The numbers of the packets, which are kept as distances.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    base: u64,
    deltas: &'a [u32],
}

impl Numbers<'_> {
    /// The number of the packet in `row`.
    pub fn at(&self, row: usize) -> u64 {
        self.base + u64::from(self.deltas[row])
    }
}

/// Addresses by small numbers.
#[derive(Debug)]
struct Interner {
    /// The first is "none".
    addresses: Vec<Option<Address>>,
    ids: HashMap<Address, u32, FixedState>,
}

impl Default for Interner {
    fn default() -> Self {
        Self { addresses: vec![None], ids: HashMap::default() }
    }
}

impl Interner {
    fn id(&mut self, address: Option<Address>) -> u32 {
        let Some(address) = address else { return 0 };
        *self.ids.entry(address).or_insert_with(|| {
            self.addresses.push(Some(address));
            // There are fewer addresses than rows, and fewer rows than fit 4 GiB of memory.
            u32::try_from(self.addresses.len() - 1).unwrap_or(0)
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use summary::{LinkType, Proto, Summary, Timestamp};

    /// Columns of packets given by number, time, length and protocol.
    pub(crate) fn columns(packets: &[(u64, i64, u32, &str)]) -> Columns {
        let mut columns = Columns::default();
        for &(n, ts_ns, len, proto) in packets {
            let mut summary = Summary::new(LinkType::ETHERNET, len, len);
            summary.proto = Proto::parse(proto);
            summary.src = Some(Address::V4([10, 0, 0, 1]));
            let ts = Timestamp::from_ns(ts_ns);
            columns.push(&Packet::new(n, ts, summary)).unwrap();
        }
        columns
    }

    #[test]
    fn rows_read_back_as_they_were() {
        let columns = columns(&[(7, 1_000, 60, "tcp"), (8, 999, 1514, "gre")]);
        let row = columns.row(1);
        assert_eq!((row.n, row.ts_ns, row.len), (8, 999, 1514));
        assert_eq!((&row.src[..], &row.dst[..], &row.proto[..]), ("10.0.0.1", "", "gre"));
        let extent = Extent { n: (7, 8), ts_ns: (999, 1_000), len: (60, 1514) };
        let totals = Totals { packets: 2, wire_bytes: 1574, extent: Some(extent) };
        assert_eq!(columns.totals(), totals);
        assert_eq!(columns.protocols().collect::<Vec<_>>(), [("tcp", 1), ("gre", 1)]);
    }

    #[test]
    fn numbers_may_begin_anywhere_and_begin_again() {
        let columns = columns(&[(5_000_000_000, 0, 1, "x"), (5_000_000_001, 0, 1, "x")]);
        assert_eq!(columns.numbers().at(1), 5_000_000_001);
        let runs = self::columns(&[(900, 0, 1, "x"), (1, 0, 1, "x")]);
        assert_eq!((runs.numbers().at(0), runs.numbers().at(1)), (900, 1));
    }
}
