//! The packets of one part of a file as columns: about 17 bytes a packet, what repeats kept once.

mod block;
mod block_mask;
mod line_offsets;
mod packed_column;
mod row_batch;
mod text_cache;
mod totals;

use block::Block;
pub(crate) use block::{BLOCK_LEN, Rows};
pub(crate) use block_mask::BlockMask;
pub(crate) use row_batch::RowBatch;
pub use totals::{Extent, Totals};

use crate::flow::{Flow, FlowDelta, NO_ADDRESS, SyncCursor};
use crate::intern::Interner;
use std::ops::Range;
use summary::line::Excerpt;
use summary::{Address, Direction, Packet, Proto, Tcp, VlanIds};
use text_cache::{DirectMappedCache, words};
use viewer_model::protocol::Class;
use viewer_model::wire::wire;

/// Columns of equal length, in the order of the file, block by block.
#[derive(Debug, Default)]
pub struct Columns {
    /// All but the last one are full.
    blocks: Vec<Box<Block>>,
    len: usize,
    flows: Interner<Flow>,
    addresses: Interner<Address>,
    kinds: Interner<Kind>,
    protos: Interner<String>,
    interfaces: Interner<String>,
    totals: Totals,
    caches: TextCaches,
}

/// What the texts of lines were found to be.
#[derive(Debug, Default)]
struct TextCaches {
    addresses: DirectMappedCache<3, 12>,
    /// Those with longer texts.
    long_addresses: DirectMappedCache<6, 12>,
    kinds: DirectMappedCache<1, 10>,
    protos: DirectMappedCache<3, 8>,
    interfaces: DirectMappedCache<3, 8>,
}

/// What of a packet has a column.
struct Cells {
    n: i64,
    ts_ns: i64,
    len: u32,
    flow: u32,
    kind: u16,
    sport: Option<u16>,
    dport: Option<u16>,
    ttl: Option<u8>,
}

/// About how many bytes of memory a packet takes.
const PACKET_LEN: usize = 18;

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
    /// Whether there is a source port.
    pub has_sport: bool,
    /// Whether there is a destination port.
    pub has_dport: bool,
    /// Whether there is a time to live.
    pub has_ttl: bool,
    /// TCP flags, FIN lowest.
    pub flags: Option<u8>,
}

/// One packet with its values spelt out; empty words where it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketRow {
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
    /// Where there are too many different kinds of packets: the packet is left out.
    pub fn push(&mut self, packet: &Packet<'_>, offset: u64) -> Result<(), &'static str> {
        let summary = &packet.summary;
        let proto = self.proto(&summary.proto)?;
        let interface = match &packet.interface {
            Some(name) => Some(short(self.interfaces.id_of(&**name))?),
            None => None,
        };
        let kind = Kind {
            proto,
            class: Class::of(&self.protos.items()[usize::from(proto)]),
            interface,
            direction: packet.direction,
            vlan: summary.vlan,
            has_sport: summary.sport.is_some(),
            has_dport: summary.dport.is_some(),
            has_ttl: summary.ttl.is_some(),
            flags: summary.tcp.flags,
        };
        let kind = short(self.kinds.id(kind))?;
        let mut id = |address: Option<Address>| {
            address.map_or(NO_ADDRESS, |address| self.addresses.id(address))
        };
        let (src, dst) = (id(summary.src), id(summary.dst));
        let flow = self.flows.id(Flow { src, dst, proto });
        let cells = Cells {
            n: number(packet.n),
            ts_ns: packet.ts.ns(),
            len: summary.len,
            flow,
            kind,
            sport: summary.sport,
            dport: summary.dport,
            ttl: summary.ttl,
        };
        self.append(&cells, offset);
        Ok(())
    }

    /// Appends the packet of a line, as [`Columns::push`] does; `None` where one of its texts is not
    /// what the sniffer writes.
    #[inline(never)] // into what is compiled for size
    pub fn push_excerpt(
        &mut self,
        excerpt: &Excerpt<'_>,
        offset: u64,
    ) -> Option<Result<(), &'static str>> {
        Some(match self.ids(excerpt)? {
            Ok((flow, kind)) => {
                let cells = Cells {
                    n: number(excerpt.n),
                    ts_ns: excerpt.ts.ns(),
                    len: excerpt.len,
                    flow,
                    kind,
                    sport: excerpt.sport,
                    dport: excerpt.dport,
                    ttl: excerpt.ttl,
                };
                self.append(&cells, offset);
                Ok(())
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
        let src = self.address_of_text(excerpt.src)?;
        let dst = self.address_of_text(excerpt.dst)?;
        let flow = self.flows.id(Flow { src, dst, proto });
        let (has_sport, has_dport) = (excerpt.sport.is_some(), excerpt.dport.is_some());
        let kind = |class: Class| Kind {
            proto,
            class,
            interface,
            direction: excerpt.direction,
            vlan: excerpt.vlan,
            has_sport,
            has_dport,
            has_ttl: excerpt.ttl.is_some(),
            flags: excerpt.flags,
        };
        let key = [u64::from(proto)
            | interface.map_or(0, |interface| u64::from(interface) + 1) << 16
            | excerpt.flags.map_or(0, |flags| u64::from(flags) + 1) << 33
            | excerpt.direction.map_or(0, |direction| direction as u64 + 1) << 42
            | u64::from(has_sport) << 45
            | u64::from(has_dport) << 46
            | u64::from(excerpt.ttl.is_some()) << 47];
        let is_plain = excerpt.vlan == VlanIds::default();
        if is_plain && let Some(kind) = self.caches.kinds.get(&key) {
            return Some(short(kind).map(|kind| (flow, kind)));
        }
        let kind = self.kinds.id(kind(Class::of(&self.protos.items()[usize::from(proto)])));
        if is_plain {
            self.caches.kinds.put(&key, kind);
        }
        Some(short(kind).map(|kind| (flow, kind)))
    }

    fn proto(&mut self, proto: &Proto<'_>) -> Result<u16, &'static str> {
        short(match proto.name() {
            Some(name) => self.protos.id_of(name),
            None => self.protos.id_of(&proto.to_string()),
        })
    }

    #[inline]
    fn proto_of_text(&mut self, text: &[u8]) -> Option<Result<u16, &'static str>> {
        let key = text_key(text);
        if let Some(id) = key.and_then(|key| self.caches.protos.get(&key)) {
            return Some(short(id));
        }
        let proto = self.proto(&Proto::parse(str::from_utf8(text).ok()?));
        if let (Some(key), Ok(id)) = (key, proto) {
            self.caches.protos.put(&key, id.into());
        }
        Some(proto)
    }

    fn interface_of_text(&mut self, text: &[u8]) -> Option<Result<u16, &'static str>> {
        let key = text_key(text);
        if let Some(id) = key.and_then(|key| self.caches.interfaces.get(&key)) {
            return Some(short(id));
        }
        let id = self.interfaces.id_of(str::from_utf8(text).ok()?);
        if let Some(key) = key {
            self.caches.interfaces.put(&key, id);
        }
        Some(short(id))
    }

    #[inline]
    fn address_of_text(&mut self, text: Option<&[u8]>) -> Option<u32> {
        let Some(text) = text else { return Some(NO_ADDRESS) };
        let parse = || Address::parse(text);
        if let Some(key) = text_key(text) {
            if let Some(id) = self.caches.addresses.get(&key) {
                return Some(id);
            }
            let id = self.addresses.id(parse()?);
            self.caches.addresses.put(&key, id);
            return Some(id);
        }
        let [a, b, c, d, e] = words::<5>(text)?;
        let key = [text.len() as u64, a, b, c, d, e];
        if let Some(id) = self.caches.long_addresses.get(&key) {
            return Some(id);
        }
        let id = self.addresses.id(parse()?);
        self.caches.long_addresses.put(&key, id);
        Some(id)
    }

    #[inline]
    fn append(&mut self, cells: &Cells, offset: u64) {
        let row = self.len % BLOCK_LEN;
        if row == 0 {
            self.add_block(cells);
        }
        self.totals.count(cells.n, cells.ts_ns, cells.len);
        if let Some(block) = self.blocks.last_mut() {
            block.set(row, cells, offset);
            self.len += 1;
        }
    }

    #[cold]
    fn add_block(&mut self, first: &Cells) {
        /// Blocks for which memory is asked at once.
        const STEP: usize = 256;
        if self.blocks.len().is_multiple_of(STEP) {
            // WebAssembly's memory grows by as little as is asked for, and each time costs much: what
            // is had here and given back at once is where the next blocks will be.
            let buf: Vec<u8> = Vec::with_capacity(STEP * BLOCK_LEN * PACKET_LEN);
            drop(std::hint::black_box(buf));
        }
        self.blocks.push(Box::new(Block::new(first)));
    }

    /// Makes the numbers of all packets greater by as much: those of packets without one of their own,
    /// once more is known of what is before them.
    pub fn renumber(&mut self, by: i64) {
        self.blocks.iter_mut().for_each(|block| block.n.shift(by));
        self.totals = self.totals.renumbered(by);
    }

    /// How many packets there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True where there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many blocks of rows there are.
    pub(crate) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The rows of a block; all but the last have [`BLOCK_LEN`].
    pub(crate) fn block_rows(&self, block: usize) -> Range<usize> {
        let start = (block * BLOCK_LEN).min(self.len);
        start..(start + BLOCK_LEN).min(self.len)
    }

    /// What is known of all packets together.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Names of the protocols.
    pub fn protos(&self) -> &[String] {
        self.protos.items()
    }

    /// Names of the interfaces.
    pub fn interfaces(&self) -> &[String] {
        self.interfaces.items()
    }

    /// All flows.
    pub fn flows(&self) -> &[Flow] {
        self.flows.items()
    }

    /// All kinds.
    pub fn kinds(&self) -> &[Kind] {
        self.kinds.items()
    }

    /// All addresses.
    pub fn addresses(&self) -> &[Address] {
        self.addresses.items()
    }

    /// The address of a flow's side.
    pub fn address(&self, place: u32) -> Option<Address> {
        self.addresses.items().get(place as usize).copied()
    }

    /// What was not told before, of flows at most so many; nothing where all is known.
    pub fn flow_delta(&self, cursor: &mut SyncCursor, most: usize) -> FlowDelta {
        let delta = FlowDelta {
            protos: self.protos()[cursor.protos..].to_vec(),
            addresses: self.addresses()[cursor.addresses..].to_vec(),
            flows: self.flows()[cursor.flows..].iter().take(most).copied().collect(),
        };
        cursor.protos += delta.protos.len();
        cursor.addresses += delta.addresses.len();
        cursor.flows += delta.flows.len();
        delta
    }

    /// Where the line of the packet begins in the file, once unpacked.
    pub fn offset(&self, row: usize) -> u64 {
        self.blocks[row / BLOCK_LEN].offsets.get(row % BLOCK_LEN)
    }

    /// One packet spelt out.
    ///
    /// # Panics
    ///
    /// Where there is no such row.
    pub fn row(&self, row: usize) -> PacketRow {
        assert!(row < self.len, "there are {} rows", self.len);
        let (block, at) = (&self.blocks[row / BLOCK_LEN], row % BLOCK_LEN);
        let address = |place: u32| {
            self.address(place).map_or_else(String::new, |address| address.to_string())
        };
        let kind = &self.kinds.items()[usize::from(block.kind[at])];
        let flow = usize::try_from(block.flow.get(at)).unwrap_or(0);
        let flow = &self.flows.items()[flow];
        let interface = |id: u16| self.interfaces.items()[usize::from(id)].clone();
        PacketRow {
            n: block.n.get(at),
            ts_ns: block.ts_ns.get(at),
            len: u32::try_from(block.len.get(at)).unwrap_or(u32::MAX),
            src: address(flow.src),
            sport: kind.has_sport.then_some(block.sport[at]),
            dst: address(flow.dst),
            dport: kind.has_dport.then_some(block.dport[at]),
            proto: self.protos.items()[usize::from(kind.proto)].clone(),
            ttl: kind.has_ttl.then_some(block.ttl[at]),
            flags: kind.flags.map(Tcp::flag_letters),
            interface: kind.interface.map_or_else(String::new, interface),
            direction: kind.direction.map_or("", Direction::name).to_owned(),
            vlan: kind.vlan.as_slice().to_vec(),
            offset: self.offset(row),
        }
    }
}

/// A packet's number; what is too large for a number of this program becomes its largest.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX - 1)
}

/// A text of up to 16 bytes as the key of a memo.
#[inline]
fn text_key(text: &[u8]) -> Option<[u64; 3]> {
    words::<2>(text).map(|[a, b]| [text.len() as u64, a, b])
}

fn short(id: u32) -> Result<u16, &'static str> {
    u16::try_from(id).map_err(|_| "too many different protocols, interfaces, VLANs and flags")
}

wire!(struct PacketRow {
    n, ts_ns, len, src, sport, dst, dport, proto, ttl, flags, interface, direction, vlan, offset,
});

#[cfg(test)]
pub(crate) mod tests;
