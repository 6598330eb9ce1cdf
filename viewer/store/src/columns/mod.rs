//! Columnar storage of the packets of one part of a file.
//!
//! # Memory
//!
//! A packet takes 17 bytes if flows are few and timestamps and sizes are close together, and 19 bytes
//! with more than 65,536 flows. Each flow (two addresses in one direction and a protocol) takes 16 to
//! 23 bytes more. Together with rankings by address and port, this stays below 32 bytes per packet at
//! up to one flow for each two packets, if addresses are few.
//!
//! Each address takes up to 200 bytes on top, here and on the page, most of it only while rankings are
//! computed. The conversation table takes about 250 bytes for each conversation while it is shown. A
//! flow or address that occurs in several parts counts once for each part.
//!
//! Fields that few filters refer to, such as `seq`, have no column until one is needed.

mod block;
mod block_mask;
mod dictionary;
mod extra_column;
mod line_offsets;
mod packed_column;
mod packet_row;
mod row_batch;
mod text_cache;
mod totals;

pub(crate) use block::{BLOCK_LEN, Rows};
use block::{Block, BlockValues};
pub(crate) use block_mask::BlockMask;
pub use dictionary::Kind;
use dictionary::{Dictionary, Ids, Refusal};
pub use extra_column::ExtraColumn;
pub use packet_row::PacketRow;
pub(crate) use row_batch::RowBatch;
pub use totals::{Extent, Totals};

use crate::findings::Findings;
use crate::flow::{Flow, FlowDelta, SyncCursor};
use ::flow::Marks;
use std::ops::Range;
use summary::line::Excerpt;
use summary::{Address, Direction, Packet, Tcp};
use viewer_model::filter::ExtraField;
use viewer_model::protocol::Class;

/// Columns of equal length, in file order, divided into blocks.
#[derive(Debug, Default)]
pub struct Columns {
    /// All blocks but the last are full.
    blocks: Vec<Box<Block>>,
    len: usize,
    dictionary: Dictionary,
    totals: Totals,
    extra: Vec<(ExtraField, ExtraColumn)>,
    /// What the analysis of TCP found; `None` before it.
    findings: Option<Findings>,
}

/// Approximate memory per packet in bytes.
const PACKET_LEN: usize = 18;

impl Columns {
    /// Appends a packet. `offset` is the position of its line or record in the decompressed file.
    ///
    /// # Errors
    ///
    /// A message if there are too many combinations of properties. The packet is skipped.
    pub fn push(&mut self, packet: &Packet<'_>, offset: u64) -> Result<(), &'static str> {
        let Ids { flow, kind } = self.dictionary.packet_ids(packet).map_err(|_| Refusal::FULL)?;
        let summary = &packet.summary;
        let values = BlockValues {
            n: signed_number(packet.n),
            ts_ns: packet.ts.ns(),
            len: summary.len,
            flow,
            kind,
            sport: summary.sport,
            dport: summary.dport,
            ttl: summary.ttl,
        };
        self.append(&values, offset);
        Ok(())
    }

    /// Appends the packet of a line; otherwise like [`Columns::push`]. `None` if a text of the line is
    /// not one that sniffer writes: the line has to be parsed in full.
    #[inline(never)] // would otherwise be compiled for size with its caller
    pub fn push_excerpt(
        &mut self,
        excerpt: &Excerpt<'_>,
        offset: u64,
    ) -> Option<Result<(), &'static str>> {
        let Ids { flow, kind } = match self.dictionary.excerpt_ids(excerpt) {
            Ok(ids) => ids,
            Err(Refusal::Unreadable) => return None,
            Err(Refusal::Full) => return Some(Err(Refusal::FULL)),
        };
        let values = BlockValues {
            n: signed_number(excerpt.n),
            ts_ns: excerpt.ts.ns(),
            len: excerpt.len,
            flow,
            kind,
            sport: excerpt.sport,
            dport: excerpt.dport,
            ttl: excerpt.ttl,
        };
        self.append(&values, offset);
        Some(Ok(()))
    }

    #[inline]
    fn append(&mut self, values: &BlockValues, offset: u64) {
        let row = self.len % BLOCK_LEN;
        if row == 0 {
            self.add_block(values);
        }
        self.totals.count(values.n, values.ts_ns, values.len);
        if let Some(block) = self.blocks.last_mut() {
            block.set(row, values, offset);
            self.len += 1;
        }
    }

    #[cold]
    fn add_block(&mut self, first: &BlockValues) {
        /// Blocks that are reserved at once.
        const RESERVED_BLOCKS: usize = 256;
        if self.blocks.len().is_multiple_of(RESERVED_BLOCKS) {
            // Each growth of WebAssembly memory is expensive, and the allocator grows it by as little
            // as possible. Allocating and freeing a large buffer leaves space for the next blocks.
            let reserve: Vec<u8> = Vec::with_capacity(RESERVED_BLOCKS * BLOCK_LEN * PACKET_LEN);
            drop(std::hint::black_box(reserve));
        }
        self.blocks.push(Box::new(Block::new(first)));
    }

    /// Adds to the number of every packet. Used when packets are numbered by line and the number of
    /// preceding lines becomes known.
    pub fn renumber(&mut self, by: i64) {
        self.blocks.iter_mut().for_each(|block| block.n.shift(by));
        self.totals = self.totals.renumbered(by);
    }

    /// The first and last time in a block, in nanoseconds since the epoch.
    pub(crate) fn time_bounds(&self, block: usize) -> (i64, i64) {
        let len = (self.len - block * BLOCK_LEN).min(BLOCK_LEN);
        self.blocks[block].ts_ns.bounds(len)
    }

    /// The time of a row, in nanoseconds since the epoch.
    pub(crate) fn time_ns(&self, row: usize) -> i64 {
        self.blocks[row / BLOCK_LEN].ts_ns.get(row % BLOCK_LEN)
    }

    /// Number of packets.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no packets.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of blocks.
    pub(crate) fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The rows of a block: [`BLOCK_LEN`] of them, or fewer in the last block.
    pub(crate) fn block_rows(&self, block: usize) -> Range<usize> {
        let start = (block * BLOCK_LEN).min(self.len);
        start..(start + BLOCK_LEN).min(self.len)
    }

    /// Counts and extreme values of all packets.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Names of the protocols, by id.
    pub fn protos(&self) -> &[String] {
        self.dictionary.protos.items()
    }

    /// Names of the interfaces, by id.
    pub fn interfaces(&self) -> &[String] {
        self.dictionary.interfaces.items()
    }

    /// Flows, by id.
    pub fn flows(&self) -> &[Flow] {
        self.dictionary.flows.items()
    }

    /// Kinds, by id.
    pub fn kinds(&self) -> &[Kind] {
        self.dictionary.kinds.items()
    }

    /// Protocol classes of the kinds, by id.
    pub(crate) fn classes(&self) -> Vec<Class> {
        self.kinds().iter().map(|kind| kind.class).collect()
    }

    /// Addresses, by id.
    pub fn addresses(&self) -> &[Address] {
        self.dictionary.addresses.items()
    }

    /// Up to `max_len` addresses, and all protocols, that have been added since the cursor, which
    /// advances. The default value if there are none.
    pub fn address_delta(&self, cursor: &mut SyncCursor, max_len: usize) -> FlowDelta {
        let delta = FlowDelta {
            protos: self.protos()[cursor.protos..].to_vec(),
            addresses: self.addresses()[cursor.addresses..].iter().take(max_len).copied().collect(),
            flows: Vec::new(),
        };
        cursor.protos += delta.protos.len();
        cursor.addresses += delta.addresses.len();
        delta
    }

    /// Same as [`Columns::address_delta`], followed by up to `max_len` flows once all addresses have
    /// been sent. Only conversations need them.
    pub fn flow_delta(&self, cursor: &mut SyncCursor, max_len: usize) -> FlowDelta {
        let mut delta = self.address_delta(cursor, max_len);
        if cursor.addresses == self.addresses().len() {
            delta.flows = self.flows()[cursor.flows..].iter().take(max_len).copied().collect();
            cursor.flows += delta.flows.len();
        }
        delta
    }

    /// The rows with findings that match, in order.
    pub(crate) fn rows_with(
        &self,
        is_match: impl Fn(&Marks) -> bool,
    ) -> impl Iterator<Item = usize> {
        let findings = self.findings().into_iter();
        let blocks = findings.flat_map(|all| (0..self.block_count()).map(move |at| (all, at)));
        let rows = blocks.flat_map(|(all, block)| {
            all.of_block(block).map(move |(row, marks)| (block * BLOCK_LEN + row, marks))
        });
        rows.filter(move |(_, marks)| is_match(marks)).map(|(row, _)| row)
    }

    /// The flow of a packet, and its source port.
    pub(crate) fn flow_and_source_port(&self, row: usize) -> (Flow, Option<u16>) {
        let (block, index) = (&self.blocks[row / BLOCK_LEN], row % BLOCK_LEN);
        let flow = self.flows()[usize::try_from(block.flow.get(index)).unwrap_or(0)];
        let has_port = self.kinds()[usize::from(block.kind[index])].has_sport;
        (flow, has_port.then_some(block.sport[index]))
    }

    /// The number of a packet.
    pub fn number(&self, row: usize) -> i64 {
        self.blocks[row / BLOCK_LEN].n.get(row % BLOCK_LEN)
    }

    /// Offset of a packet's line or record in the decompressed file.
    pub fn offset(&self, row: usize) -> u64 {
        self.blocks[row / BLOCK_LEN].offsets.get(row % BLOCK_LEN)
    }

    /// The values of one packet.
    ///
    /// # Panics
    ///
    /// If `row` is out of range.
    pub fn row(&self, row: usize) -> PacketRow {
        assert!(row < self.len, "row {row} of {}", self.len);
        let (block, index) = (&self.blocks[row / BLOCK_LEN], row % BLOCK_LEN);
        let address = |id: u32| {
            self.addresses().get(id as usize).map_or_else(String::new, Address::to_string)
        };
        let kind = &self.kinds()[usize::from(block.kind[index])];
        let flow = &self.flows()[usize::try_from(block.flow.get(index)).unwrap_or(0)];
        let interface = |id: u16| self.interfaces()[usize::from(id)].clone();
        PacketRow {
            n: block.n.get(index),
            ts_ns: block.ts_ns.get(index),
            len: u32::try_from(block.len.get(index)).unwrap_or(u32::MAX),
            src: address(flow.src),
            sport: kind.has_sport.then_some(block.sport[index]),
            dst: address(flow.dst),
            dport: kind.has_dport.then_some(block.dport[index]),
            proto: self.protos()[usize::from(kind.proto)].clone(),
            ttl: kind.has_ttl.then_some(block.ttl[index]),
            flags: kind.flags.map(Tcp::flag_letters),
            interface: kind.interface.map_or_else(String::new, interface),
            direction: kind.direction.map_or("", Direction::name).to_owned(),
            vlan: kind.vlan.as_slice().to_vec(),
            offset: self.offset(row),
        }
    }
}

/// A packet number as a signed number, saturating.
fn signed_number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX - 1)
}

#[cfg(test)]
pub(crate) mod tests;
