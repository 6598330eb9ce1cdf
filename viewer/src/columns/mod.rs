//! The packets of one part of a file as columns: 29 bytes a packet, what repeats kept once.

mod block;
mod intern;
mod memo;
mod offsets;
mod totals;

pub use block::{BLOCK_LEN, Block};
pub use totals::{Extent, Totals};

use crate::protocol::Class;
use crate::wire::wire;
use intern::Interner;
use memo::{Memo, words};
use offsets::Offsets;
use summary::line::Excerpt;
use summary::{Address, Direction, Packet, Proto, Tcp, VlanIds};

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
    memos: Memos,
}

/// What the texts of lines were found to be.
#[derive(Debug, Default)]
struct Memos {
    flows: Memo<5>,
    /// Of addresses with longer texts.
    long_flows: Memo<11>,
    kinds: Memo<1>,
    protos: Memo<3>,
    interfaces: Memo<3>,
}

/// What of a packet has a column.
struct Cells {
    n: u64,
    ts_ns: i64,
    len: u32,
    flow: u32,
    kind: u16,
    sport: Option<u16>,
    dport: Option<u16>,
    ttl: Option<u8>,
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
        let summary = &packet.summary;
        let proto = self.proto(&summary.proto)?;
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
        let cells = Cells {
            n: packet.n,
            ts_ns: packet.ts.ns(),
            len: summary.len,
            flow,
            kind,
            sport: summary.sport,
            dport: summary.dport,
            ttl: summary.ttl,
        };
        self.append(&cells, offset)
    }

    /// Appends the packet of a line, as [`Columns::push`] does; `None` where one of its texts is not
    /// what the sniffer writes.
    pub fn push_excerpt(
        &mut self,
        excerpt: &Excerpt<'_>,
        offset: u64,
    ) -> Option<Result<(), &'static str>> {
        Some(match self.ids(excerpt)? {
            Ok((flow, kind)) => {
                let cells = Cells {
                    n: excerpt.n,
                    ts_ns: excerpt.ts.ns(),
                    len: excerpt.len,
                    flow,
                    kind,
                    sport: excerpt.sport,
                    dport: excerpt.dport,
                    ttl: excerpt.ttl,
                };
                self.append(&cells, offset)
            }
            Err(reason) => Err(reason),
        })
    }

    /// Flow and kind of a line's packet.
    fn ids(&mut self, excerpt: &Excerpt<'_>) -> Option<Result<(u32, u16), &'static str>> {
        let proto = match self.proto_of_text(excerpt.proto)? {
            Ok(proto) => proto,
            Err(reason) => return Some(Err(reason)),
        };
        let interface = match excerpt.interface.map(|name| self.interface_of_text(name)) {
            Some(Some(Ok(interface))) => Some(interface),
            None => None,
            Some(None) => return None,
            Some(Some(Err(reason))) => return Some(Err(reason)),
        };
        let flow = self.flow_of_texts(excerpt.src, excerpt.dst, proto)?;
        let has_ports = excerpt.sport.is_some() && excerpt.dport.is_some();
        let kind = |class: Class| Kind {
            proto,
            class,
            interface,
            direction: excerpt.direction,
            vlan: excerpt.vlan,
            has_ports,
            has_ttl: excerpt.ttl.is_some(),
            flags: excerpt.flags,
        };
        let key = [u64::from(proto)
            | interface.map_or(0, |interface| u64::from(interface) + 1) << 16
            | excerpt.flags.map_or(0, |flags| u64::from(flags) + 1) << 33
            | excerpt.direction.map_or(0, |direction| direction as u64 + 1) << 42
            | u64::from(has_ports) << 45
            | u64::from(excerpt.ttl.is_some()) << 46];
        let is_plain = excerpt.vlan == VlanIds::default();
        if is_plain && let Some(kind) = self.memos.kinds.get(&key) {
            return Some(short(kind).map(|kind| (flow, kind)));
        }
        let kind = self.kinds.id(kind(Class::of(&self.protos.items[usize::from(proto)])));
        if is_plain {
            self.memos.kinds.put(&key, kind);
        }
        Some(short(kind).map(|kind| (flow, kind)))
    }

    fn proto(&mut self, proto: &Proto<'_>) -> Result<u16, &'static str> {
        short(match proto.name() {
            Some(name) => self.protos.id_of(name),
            None => self.protos.id_of(&proto.to_string()),
        })
    }

    fn proto_of_text(&mut self, text: &[u8]) -> Option<Result<u16, &'static str>> {
        let key = text_key(text);
        if let Some(id) = key.and_then(|key| self.memos.protos.get(&key)) {
            return Some(short(id));
        }
        let proto = self.proto(&Proto::parse(str::from_utf8(text).ok()?));
        if let (Some(key), Ok(id)) = (key, proto) {
            self.memos.protos.put(&key, id.into());
        }
        Some(proto)
    }

    fn interface_of_text(&mut self, text: &[u8]) -> Option<Result<u16, &'static str>> {
        let key = text_key(text);
        if let Some(id) = key.and_then(|key| self.memos.interfaces.get(&key)) {
            return Some(short(id));
        }
        let id = self.interfaces.id_of(str::from_utf8(text).ok()?);
        if let Some(key) = key {
            self.memos.interfaces.put(&key, id);
        }
        Some(short(id))
    }

    fn flow_of_texts(&mut self, src: Option<&[u8]>, dst: Option<&[u8]>, proto: u16) -> Option<u32> {
        // No text is none.
        let [src_len, dst_len] =
            [src, dst].map(|text| text.map_or(0, |text| text.len() as u64 + 1));
        let first = src_len << 40 | dst_len << 16 | u64::from(proto);
        let (src_text, dst_text) = (src.unwrap_or_default(), dst.unwrap_or_default());
        let short_key = words::<2>(src_text).zip(words::<2>(dst_text));
        let short_key = short_key.map(|([a, b], [c, d])| [first, a, b, c, d]);
        if let Some(key) = &short_key {
            if let Some(flow) = self.memos.flows.get(key) {
                return Some(flow);
            }
            let flow = self.flow_anew(src, dst, proto)?;
            self.memos.flows.put(key, flow);
            return Some(flow);
        }
        let mut key = [0; 11];
        key[0] = first;
        key[1..6].copy_from_slice(&words::<5>(src_text)?);
        key[6..].copy_from_slice(&words::<5>(dst_text)?);
        if let Some(flow) = self.memos.long_flows.get(&key) {
            return Some(flow);
        }
        let flow = self.flow_anew(src, dst, proto)?;
        self.memos.long_flows.put(&key, flow);
        Some(flow)
    }

    #[cold]
    fn flow_anew(&mut self, src: Option<&[u8]>, dst: Option<&[u8]>, proto: u16) -> Option<u32> {
        let address = |text: Option<&[u8]>| match text {
            Some(text) => Address::parse(text).map(Some),
            None => Some(None),
        };
        Some(self.flows.id(Flow { src: address(src)?, dst: address(dst)?, proto }))
    }

    fn append(&mut self, cells: &Cells, offset: u64) -> Result<(), &'static str> {
        if self.ts_ns.is_empty() {
            // Room on both sides: a stream may hold several runs, each counted from 1.
            self.n_base = cells.n.saturating_sub(1 << 31);
        }
        let n_delta = (cells.n.checked_sub(self.n_base))
            .and_then(|delta| u32::try_from(delta).ok())
            .ok_or("`n` is too far from the first packet's")?;
        self.totals.count(cells.n, cells.ts_ns, cells.len);
        self.ts_ns.push(cells.ts_ns);
        self.len.push(cells.len);
        self.n_delta.push(n_delta);
        self.flow.push(cells.flow);
        self.sport.push(cells.sport.unwrap_or(0));
        self.dport.push(cells.dport.unwrap_or(0));
        self.ttl.push(cells.ttl.unwrap_or(0));
        self.kind.push(cells.kind);
        self.offsets.push(offset);
        Ok(())
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

/// A text of up to 16 bytes as the key of a memo.
fn text_key(text: &[u8]) -> Option<[u64; 3]> {
    words::<2>(text).map(|[a, b]| [text.len() as u64, a, b])
}

fn short(id: u32) -> Result<u16, &'static str> {
    u16::try_from(id).map_err(|_| "too many different protocols, interfaces, VLANs and flags")
}

wire!(struct Row {
    n, ts_ns, len, src, sport, dst, dport, proto, ttl, flags, interface, direction, vlan, offset,
});

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::axis::{ABSENT, Value};
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
