//! The packets of one part of a file as columns: 29 bytes a packet, what repeats kept once.

mod offsets;

use crate::axis::{ABSENT, VALUE_COUNT, Value};
use crate::protocol::Class;
use crate::wire::wire;
use foldhash::fast::FixedState;
use offsets::Offsets;
use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Range;
use summary::{Address, Direction, Packet, Tcp, VlanIds};

/// Rows that are looked at together: their values fit the processor's nearest memory.
pub const BLOCK_LEN: usize = 1024;

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
    /// Places in `flows`.
    flow: Vec<u32>,
    /// 0 where there are none: the kind says which.
    sport: Vec<u16>,
    dport: Vec<u16>,
    ttl: Vec<u8>,
    /// Places in `kinds`.
    kind: Vec<u16>,
    offsets: Offsets,
    flows: Interner<Flow>,
    kinds: Interner<Kind>,
    protos: Interner<String>,
    interfaces: Interner<String>,
    totals: Totals,
}

/// Who sends what to whom. Packets that only share both addresses and the protocol are one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// Source address.
    pub src: Option<Address>,
    /// Destination address.
    pub dst: Option<Address>,
    /// Place of the protocol in [`Columns::protos`].
    pub proto: u16,
}

/// What many packets have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Place of the protocol in [`Columns::protos`].
    pub proto: u16,
    /// Its colour.
    pub class: Class,
    /// Place of the interface in [`Columns::interfaces`].
    pub interface: Option<u16>,
    /// Where the packet went.
    pub direction: Option<Direction>,
    /// VLAN ids, outermost first.
    pub vlan: VlanIds,
    /// Whether there are ports.
    pub has_ports: bool,
    /// Whether there is a time to live.
    pub has_ttl: bool,
    /// TCP flags, FIN lowest.
    pub flags: Option<u8>,
}

/// What is known of all packets together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Least and greatest values; `None` without packets.
    pub extent: Option<Extent>,
}

/// Least and greatest values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Numbers of packets.
    pub n: (i64, i64),
    /// Times in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// Bytes on the wire.
    pub len: (i64, i64),
    /// Distances in time to the packet before, in nanoseconds; `None` of one packet.
    pub gap_ns: Option<(i64, i64)>,
    /// Times of the first and the last packet in the order of the file.
    pub ends_ns: (i64, i64),
}

fn union(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

impl Extent {
    /// Of both together; whether the gap between them counts is the caller's to know.
    #[must_use]
    pub fn union(self, later: Self) -> Self {
        Self {
            n: union(self.n, later.n),
            ts_ns: union(self.ts_ns, later.ts_ns),
            len: union(self.len, later.len),
            gap_ns: [self.gap_ns, later.gap_ns].into_iter().flatten().reduce(union),
            ends_ns: (self.ends_ns.0, later.ends_ns.1),
        }
    }

    /// With a gap more.
    #[must_use]
    pub fn with_gap(self, gap_ns: i64) -> Self {
        let gap = (gap_ns, gap_ns);
        Self { gap_ns: Some(self.gap_ns.map_or(gap, |known| union(known, gap))), ..self }
    }
}

impl Totals {
    /// Of both together, `later` of another part.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        Self {
            packets: self.packets + later.packets,
            wire_bytes: self.wire_bytes + later.wire_bytes,
            extent: [self.extent, later.extent].into_iter().flatten().reduce(Extent::union),
        }
    }
}

/// One packet with its values spelt out; empty words where it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Number in its run.
    pub n: i64,
    /// Time in nanoseconds since the epoch.
    pub ts_ns: i64,
    /// Bytes on the wire.
    pub len: u32,
    /// Source address.
    pub src: String,
    /// Source port.
    pub sport: Option<u16>,
    /// Destination address.
    pub dst: String,
    /// Destination port.
    pub dport: Option<u16>,
    /// Protocol.
    pub proto: String,
    /// Time to live.
    pub ttl: Option<u8>,
    /// Letters of the TCP flags.
    pub flags: Option<String>,
    /// Interface.
    pub interface: String,
    /// Direction.
    pub direction: String,
    /// VLAN ids, outermost first.
    pub vlan: Vec<u16>,
    /// Where its line begins in the file.
    pub offset: u64,
}

impl Columns {
    /// Appends a packet whose line or record begins at `offset` of the file, once unpacked.
    ///
    /// # Errors
    ///
    /// Where a number is too far from the first one, or there are too many different kinds of
    /// packets: the packet is left out.
    pub fn push(&mut self, packet: &Packet<'_>, offset: u64) -> Result<(), &'static str> {
        if self.ts_ns.is_empty() {
            // Room on both sides: a stream may hold several runs, each counted from 1.
            self.n_base = packet.n.saturating_sub(1 << 31);
        }
        let n_delta = (packet.n.checked_sub(self.n_base))
            .and_then(|delta| u32::try_from(delta).ok())
            .ok_or("`n` is too far from the first packet's")?;
        let summary = &packet.summary;
        let proto = match summary.proto.name() {
            Some(name) => self.protos.id_of(name),
            None => self.protos.id_of(&summary.proto.to_string()),
        };
        let proto = short(proto)?;
        let interface = match &packet.interface {
            Some(name) => Some(short(self.interfaces.id_of(name))?),
            None => None,
        };
        let kind = Kind {
            proto,
            class: Class::of(&self.protos.items[usize::from(proto)]),
            interface,
            direction: packet.direction,
            vlan: summary.vlan,
            has_ports: summary.sport.is_some() && summary.dport.is_some(),
            has_ttl: summary.ttl.is_some(),
            flags: summary.tcp.flags,
        };
        let kind = short(self.kinds.id(kind))?;
        let flow = self.flows.id(Flow { src: summary.src, dst: summary.dst, proto });
        let (ts_ns, len) = (packet.ts.ns(), summary.len);
        self.count(packet.n, ts_ns, len);
        self.ts_ns.push(ts_ns);
        self.len.push(len);
        self.n_delta.push(n_delta);
        self.flow.push(flow);
        self.sport.push(summary.sport.unwrap_or(0));
        self.dport.push(summary.dport.unwrap_or(0));
        self.ttl.push(summary.ttl.unwrap_or(0));
        self.kind.push(kind);
        self.offsets.push(offset);
        Ok(())
    }

    /// Counts a packet in.
    fn count(&mut self, n: u64, ts_ns: i64, len: u32) {
        let n = i64::try_from(n).unwrap_or(i64::MAX - 1);
        let len_bytes = i64::from(len);
        self.totals.packets += 1;
        self.totals.wire_bytes += u64::from(len);
        let (ts, len) = ((ts_ns, ts_ns), (len_bytes, len_bytes));
        let one = Extent { n: (n, n), ts_ns: ts, len, gap_ns: None, ends_ns: ts };
        self.totals.extent = Some(match self.totals.extent {
            Some(known) => {
                let gap = ts_ns.saturating_sub(known.ends_ns.1);
                known.union(one).with_gap(gap)
            }
            None => one,
        });
    }

    /// Makes room for as many packets in all, so that growing does not copy.
    pub fn reserve(&mut self, packets: usize) {
        let more = packets.saturating_sub(self.ts_ns.len());
        self.ts_ns.reserve_exact(more);
        self.len.reserve_exact(more);
        self.n_delta.reserve_exact(more);
        self.flow.reserve_exact(more);
        self.sport.reserve_exact(more);
        self.dport.reserve_exact(more);
        self.ttl.reserve_exact(more);
        self.kind.reserve_exact(more);
        self.offsets.reserve_exact(more);
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

    /// Names of the protocols.
    pub fn protos(&self) -> &[String] {
        &self.protos.items
    }

    /// Names of the interfaces.
    pub fn interfaces(&self) -> &[String] {
        &self.interfaces.items
    }

    /// All flows.
    pub fn flows(&self) -> &[Flow] {
        &self.flows.items
    }

    /// All kinds.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds.items
    }

    /// Bytes on the wire.
    pub fn lens(&self) -> &[u32] {
        &self.len
    }

    /// Each packet's place in [`Columns::flows`].
    pub fn flow_ids(&self) -> &[u32] {
        &self.flow
    }

    /// Each packet's place in [`Columns::kinds`].
    pub fn kind_ids(&self) -> &[u16] {
        &self.kind
    }

    /// Where the line of the packet begins in the file, once unpacked.
    pub fn offset(&self, row: usize) -> u64 {
        self.offsets.get(row)
    }

    /// Times in nanoseconds since the epoch.
    pub fn ts_ns(&self) -> &[i64] {
        &self.ts_ns
    }

    /// One packet spelt out.
    ///
    /// # Panics
    ///
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> Row {
        let address = |address: Option<Address>| {
            address.map_or_else(String::new, |address| address.to_string())
        };
        let kind = &self.kinds.items[usize::from(self.kind[row])];
        let flow = &self.flows.items[self.flow[row] as usize];
        let interface = |id: u16| self.interfaces.items[usize::from(id)].clone();
        Row {
            n: self.number(row),
            ts_ns: self.ts_ns[row],
            len: self.len[row],
            src: address(flow.src),
            sport: kind.has_ports.then_some(self.sport[row]),
            dst: address(flow.dst),
            dport: kind.has_ports.then_some(self.dport[row]),
            proto: self.protos.items[usize::from(kind.proto)].clone(),
            ttl: kind.has_ttl.then_some(self.ttl[row]),
            flags: kind.flags.map(Tcp::letters),
            interface: kind.interface.map_or_else(String::new, interface),
            direction: kind.direction.map_or("", Direction::name).to_owned(),
            vlan: kind.vlan.as_slice().to_vec(),
            offset: self.offset(row),
        }
    }

    fn number(&self, row: usize) -> i64 {
        i64::try_from(self.n_base + u64::from(self.n_delta[row])).unwrap_or(i64::MAX - 1)
    }
}

fn short(id: u32) -> Result<u16, &'static str> {
    u16::try_from(id).map_err(|_| "too many different protocols, interfaces, VLANs and flags")
}

/// Some rows of the columns, their values as they are asked for.
#[derive(Debug)]
pub struct Block<'a> {
    columns: &'a Columns,
    rows: Range<usize>,
    /// Time of the packet before the first row, in its file.
    before_ns: Option<i64>,
    values: [Vec<i64>; VALUE_COUNT],
}

impl<'a> Block<'a> {
    /// No rows yet; `before_ns` is the time of the file's packet before the columns.
    pub fn new(columns: &'a Columns, before_ns: Option<i64>) -> Self {
        Self { columns, rows: 0..0, before_ns, values: Default::default() }
    }

    /// Goes on to other rows, at most [`BLOCK_LEN`] of them.
    pub fn turn(&mut self, rows: Range<usize>) {
        self.rows = rows;
        self.values.iter_mut().for_each(Vec::clear);
    }

    /// The columns.
    pub fn columns(&self) -> &'a Columns {
        self.columns
    }

    /// Which rows.
    pub fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// Each row's value, [`ABSENT`] where it has none.
    pub fn values(&mut self, value: Value) -> &[i64] {
        let (columns, rows) = (self.columns, self.rows.clone());
        if value == Value::Time {
            return &columns.ts_ns[rows];
        }
        let room = &mut self.values[value as usize];
        if !room.is_empty() {
            return room;
        }
        let kinds = &columns.kinds.items;
        let if_any = |has: fn(&Kind) -> bool, value: i64, kind: u16| {
            if has(&kinds[usize::from(kind)]) { value } else { ABSENT }
        };
        let ports = |room: &mut Vec<i64>, ports: &[u16]| {
            room.extend(
                ports[rows.clone()]
                    .iter()
                    .zip(&columns.kind[rows.clone()])
                    .map(|(port, kind)| if_any(|kind| kind.has_ports, i64::from(*port), *kind)),
            );
        };
        match value {
            Value::Time => {}
            Value::Number => room.extend(rows.map(|row| columns.number(row))),
            Value::Size => room.extend(columns.len[rows].iter().map(|len| i64::from(*len))),
            Value::SourcePort => ports(room, &columns.sport),
            Value::DestinationPort => ports(room, &columns.dport),
            Value::Ttl => room.extend(
                columns.ttl[rows.clone()]
                    .iter()
                    .zip(&columns.kind[rows])
                    .map(|(ttl, kind)| if_any(|kind| kind.has_ttl, i64::from(*ttl), *kind)),
            ),
            Value::Gap => {
                let mut before = match rows.start {
                    0 => self.before_ns,
                    row => Some(columns.ts_ns[row - 1]),
                };
                room.extend(columns.ts_ns[rows].iter().map(|ts| {
                    // Never ABSENT by chance: that far apart no two times are.
                    before.replace(*ts).map_or(ABSENT, |before| ts.saturating_sub(before))
                }));
            }
        }
        room
    }
}

/// Things by small numbers.
#[derive(Debug)]
struct Interner<T> {
    items: Vec<T>,
    ids: HashMap<T, u32, FixedState>,
    /// The number given last: packets come in runs.
    last: u32,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: HashMap::default(), last: 0 }
    }
}

impl<T: Eq + Hash + Clone> Interner<T> {
    fn id(&mut self, item: T) -> u32 {
        if self.items.get(self.last as usize) == Some(&item) {
            return self.last;
        }
        self.last = *self.ids.entry(item).or_insert_with_key(|item| {
            self.items.push(item.clone());
            // There are fewer items than rows, and fewer rows than fit 4 GiB of memory.
            u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
        });
        self.last
    }
}

impl Interner<String> {
    /// As `id`, without a copy of what is known.
    fn id_of(&mut self, text: &str) -> u32 {
        if self.items.get(self.last as usize).is_some_and(|last| last == text) {
            return self.last;
        }
        match self.ids.get(text) {
            Some(id) => self.last = *id,
            None => self.last = self.id(text.to_owned()),
        }
        self.last
    }
}

wire!(struct Totals { packets, wire_bytes, extent });
wire!(struct Extent { n, ts_ns, len, gap_ns, ends_ns });
wire!(struct Row {
    n, ts_ns, len, src, sport, dst, dport, proto, ttl, flags, interface, direction, vlan, offset,
});

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use summary::{LinkType, Proto, Summary, Timestamp};

    /// A packet by number, time, length and protocol, from 10.0.0.1.
    pub(crate) fn packet(n: u64, ts_ns: i64, len: u32, proto: &str) -> Packet<'_> {
        let mut summary = Summary::new(LinkType::ETHERNET, len, len);
        summary.proto = Proto::parse(proto);
        summary.src = Some(Address::V4([10, 0, 0, 1]));
        Packet::new(n, Timestamp::from_ns(ts_ns), summary)
    }

    /// Columns of packets given by number, time, length and protocol.
    pub(crate) fn columns(packets: &[(u64, i64, u32, &str)]) -> Columns {
        let mut columns = Columns::default();
        for (index, &(n, ts_ns, len, proto)) in packets.iter().enumerate() {
            columns.push(&packet(n, ts_ns, len, proto), index as u64 * 100).unwrap();
        }
        columns
    }

    #[test]
    fn rows_read_back_as_they_were() {
        let mut columns = columns(&[(7, 1_000, 60, "tcp"), (8, 999, 1514, "gre")]);
        let mut full = packet(9, 2_000, 61, "tcp");
        full.interface = Some("eth0".into());
        full.direction = Some(Direction::Out);
        full.summary.dst = Some(Address::V4([10, 0, 0, 2]));
        (full.summary.sport, full.summary.dport) = (Some(0), Some(443));
        full.summary.ttl = Some(0);
        full.summary.tcp.flags = Some(0x12);
        assert!(full.summary.vlan.push(7));
        columns.push(&full, 70_000).unwrap();
        let row = columns.row(1);
        assert_eq!((row.n, row.ts_ns, row.len, row.offset), (8, 999, 1514, 100));
        assert_eq!((&row.src[..], &row.dst[..], &row.proto[..]), ("10.0.0.1", "", "gre"));
        assert_eq!((row.sport, row.ttl, row.flags, &row.vlan[..]), (None, None, None, &[][..]));
        let row = columns.row(2);
        assert_eq!((row.sport, row.dport, row.ttl), (Some(0), Some(443), Some(0)));
        assert_eq!(
            (&row.interface[..], &row.direction[..], &row.vlan[..]),
            ("eth0", "out", &[7][..])
        );
        assert_eq!((row.flags.as_deref(), row.offset), (Some("SA"), 70_000));
        let extent = Extent {
            n: (7, 9),
            ts_ns: (999, 2_000),
            len: (60, 1514),
            gap_ns: Some((-1, 1_001)),
            ends_ns: (1_000, 2_000),
        };
        let totals = Totals { packets: 3, wire_bytes: 1635, extent: Some(extent) };
        assert_eq!(columns.totals(), totals);
    }

    #[test]
    fn values_are_those_of_the_rows() {
        let columns = columns(&[(7, 1_000, 60, "tcp"), (8, 999, 1514, "gre")]);
        let mut block = Block::new(&columns, Some(400));
        block.turn(0..2);
        let of = |block: &mut Block<'_>| Value::ALL.map(|value| block.values(value).to_vec());
        let none = vec![ABSENT; 2];
        let expected = [
            vec![7, 8],
            vec![1_000, 999],
            vec![60, 1514],
            none.clone(),
            none.clone(),
            none,
            vec![600, -1],
        ];
        assert_eq!(of(&mut block), expected);
        block.turn(1..2);
        assert_eq!(of(&mut block), expected.map(|values| values[1..].to_vec()));
        let mut first = Block::new(&columns, None);
        first.turn(0..1);
        assert_eq!(first.values(Value::Gap), [ABSENT]);
    }

    #[test]
    fn numbers_may_begin_anywhere_and_begin_again() {
        let columns = columns(&[(5_000_000_000, 0, 1, "x"), (5_000_000_001, 0, 1, "x")]);
        assert_eq!(columns.number(1), 5_000_000_001);
        let runs = self::columns(&[(900, 0, 1, "x"), (1, 0, 1, "x")]);
        assert_eq!((runs.number(0), runs.number(1)), (900, 1));
    }
}
