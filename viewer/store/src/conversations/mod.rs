//! Conversations across all parts, on the page.
//!
//! Each part numbers its protocols, addresses and flows on its own. [`FlowTable`] translates those
//! ids, adds up the tallies of all parts, and pairs the two directions of each conversation.

mod endpoints;
mod scans;

#[cfg(test)]
mod tests;

pub use endpoints::Endpoint;

use crate::flow::{FlowDelta, NO_ADDRESS, Ports};
use crate::health::Health;
use crate::intern::{Interner, push_compact};
use crate::query::{FlowTally, IdTally};
use crate::tally::Tally;
use summary::Address;
use viewer_model::axis::Quantity;
use viewer_model::filter::{Expr, Field, Set};

/// Two endpoints and a protocol. Invariant: `(a, ports.0) <= (b, ports.1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointPair {
    /// One endpoint; `None` for packets without an address.
    pub a: Option<Address>,
    /// The other endpoint.
    pub b: Option<Address>,
    /// Index into [`FlowTable::protos`].
    pub proto: u32,
    /// Ports of `a` and `b`; `None` for packets without ports, and if the ports are not told apart.
    pub ports: Ports,
}

/// Totals of both directions between two endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Endpoints and protocol.
    pub pair: EndpointPair,
    /// Packets from `a` to `b`.
    pub a_to_b: Tally,
    /// Packets from `b` to `a`.
    pub b_to_a: Tally,
    /// First and last timestamp in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// Packets of both directions with signs of trouble.
    pub health: Health,
}

impl Conversation {
    /// Both directions together.
    pub fn total(&self) -> Tally {
        let mut total = self.a_to_b;
        total.add(self.b_to_a);
        total
    }

    /// Nanoseconds from the first to the last packet.
    pub fn duration_ns(&self) -> u64 {
        self.ts_ns.1.abs_diff(self.ts_ns.0)
    }

    /// Mean rate in bits per second; `None` if all packets have the same timestamp.
    pub fn rate(&self) -> Option<f64> {
        let ns = self.duration_ns();
        (0 < ns).then(|| self.total().bytes as f64 * 8e9 / ns as f64)
    }
}

/// Protocols, addresses and endpoint pairs of all parts.
#[derive(Debug, Default)]
pub struct FlowTable {
    addresses: Interner<Address>,
    protos: Interner<String>,
    pairs: Interner<PairIds>,
    /// The ids of the parts from [`Self::first_part`] on.
    parts: Vec<PartIds>,
    first_part: usize,
}

/// An [`EndpointPair`] by ids of the table. The order of `a` and `b` is that of their addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PairIds {
    a: u32,
    b: u32,
    proto: u32,
}

/// Maps the ids of a part to those of the table.
#[derive(Debug, Default)]
struct PartIds {
    protos: Vec<u32>,
    addresses: Vec<u32>,
    flows: Vec<PairDirection>,
}

/// Id of a pair, and in the highest bit whether the flow goes from `b` to `a`. There are fewer than
/// 2^31 pairs, because each takes more than two bytes of a 32-bit address space.
#[derive(Clone, Copy, Debug)]
struct PairDirection(u32);

impl PairDirection {
    const B_TO_A: u32 = 1 << 31;

    fn new(pair: u32, is_a_to_b: bool) -> Self {
        Self(if is_a_to_b { pair } else { pair | Self::B_TO_A })
    }

    fn pair(self) -> usize {
        (self.0 & !Self::B_TO_A) as usize
    }

    fn is_a_to_b(self) -> bool {
        self.0 & Self::B_TO_A == 0
    }
}

impl FlowTable {
    /// Adds the new addresses and flows of a part. Deltas of a part must arrive in order, and before answers that
    /// refer to them.
    pub fn apply(&mut self, part: usize, delta: FlowDelta) {
        let Some(index) = part.checked_sub(self.first_part) else { return };
        if self.parts.len() <= index {
            self.parts.resize_with(index + 1, Default::default);
        }
        let Self { addresses, protos, pairs, parts, .. } = self;
        let ids = &mut parts[index];
        for name in delta.protos {
            push_compact(&mut ids.protos, protos.id(name));
        }
        for address in delta.addresses {
            push_compact(&mut ids.addresses, addresses.id(address));
        }
        for flow in delta.flows {
            let address = |id: u32| ids.addresses.get(id as usize).copied().unwrap_or(NO_ADDRESS);
            let (src, dst) = (address(flow.src), address(flow.dst));
            let is_a_to_b =
                addresses.items().get(src as usize) <= addresses.items().get(dst as usize);
            let (a, b) = if is_a_to_b { (src, dst) } else { (dst, src) };
            let proto = ids.protos.get(usize::from(flow.proto)).copied().unwrap_or(0);
            let pair = pairs.id(PairIds { a, b, proto });
            push_compact(&mut ids.flows, PairDirection::new(pair, is_a_to_b));
        }
    }

    /// Drops the ids of the parts before this one. The addresses and flows that they refer to are kept.
    pub fn drop_before(&mut self, part: usize) {
        let count = part.saturating_sub(self.first_part);
        self.parts.drain(..count.min(self.parts.len()));
        self.first_part += count;
    }

    /// Returns true if most of the addresses and flows are only of parts that were dropped.
    pub fn has_many_unused(&self) -> bool {
        /// Fewer are not worth sending all others once more.
        const MIN_COUNT: usize = 100_000;
        let used: usize =
            self.parts.iter().map(|part| part.addresses.len() + part.flows.len()).sum();
        MIN_COUNT + 2 * used < self.addresses.items().len() + self.pairs.items().len()
    }

    /// Removes all addresses and flows, which must be added again. Protocols are kept, because conversations
    /// refer to them.
    pub fn clear(&mut self) {
        let protos = std::mem::take(&mut self.protos);
        *self = Self { protos, first_part: self.first_part, ..Self::default() };
    }

    fn part(&self, part: usize) -> Option<&PartIds> {
        self.parts.get(part.checked_sub(self.first_part)?)
    }

    /// Names of the protocols.
    pub fn protos(&self) -> &[String] {
        self.protos.items()
    }

    /// Totals of each address that has packets.
    pub fn by_address(&self, tallies: &[IdTally]) -> Vec<(Address, Tally)> {
        let sums = self.sums(tallies, self.addresses.items().len(), |part| &part.addresses);
        // Allocated at its final size: there can be many.
        let mut all = Vec::with_capacity(sums.iter().filter(|tally| 0 < tally.packets).count());
        let addresses = self.addresses.items().iter().copied().zip(sums);
        all.extend(addresses.filter(|(_, tally)| 0 < tally.packets));
        all
    }

    /// Totals of each protocol that has packets.
    pub fn by_proto(&self, tallies: &[IdTally]) -> Vec<(&str, Tally)> {
        let sums = self.sums(tallies, self.protos.items().len(), |part| &part.protos);
        let all = self.protos.items().iter().map(String::as_str).zip(sums);
        all.filter(|(_, tally)| 0 < tally.packets).collect()
    }

    /// Adds up tallies by the ids of the table. `ids` selects a list of a part's ids.
    fn sums(
        &self,
        tallies: &[IdTally],
        count: usize,
        ids: impl Fn(&PartIds) -> &[u32],
    ) -> Vec<Tally> {
        let mut sums = vec![Tally::default(); count];
        for IdTally { part, id, tally } in tallies {
            let id = self.part(*part).and_then(|part| ids(part).get(*id as usize));
            if let Some(id) = id {
                sums[*id as usize].add(*tally);
            }
        }
        sums
    }

    /// All conversations that have packets, in no particular order. Tallies by ports give one
    /// conversation for each pair of ports.
    pub fn conversations(&self, tallies: &[FlowTally]) -> Vec<Conversation> {
        const NONE: u32 = u32::MAX;
        // Index of each pair without ports in the result, and the conversations with ports.
        let mut indices = vec![NONE; self.pairs.items().len()];
        let mut connections: Interner<(u32, Ports)> = Interner::default();
        let mut connection_indices: Vec<u32> = Vec::new();
        let mut all: Vec<Conversation> = Vec::new();
        for flow in tallies {
            let part = self.part(flow.part);
            let direction = part.and_then(|part| part.flows.get(flow.flow as usize));
            let Some(direction) = direction else { continue };
            let ids = self.pairs.items()[direction.pair()];
            let (sport, dport) = flow.ports;
            // Between equal addresses, the ports decide which direction is which.
            let is_a_to_b = if ids.a == ids.b { sport <= dport } else { direction.is_a_to_b() };
            let ports = if is_a_to_b { (sport, dport) } else { (dport, sport) };
            let index = if ports == (None, None) {
                &mut indices[direction.pair()]
            } else {
                let id = connections.id((direction.0 & !PairDirection::B_TO_A, ports)) as usize;
                if id == connection_indices.len() {
                    push_compact(&mut connection_indices, NONE);
                }
                &mut connection_indices[id]
            };
            if *index == NONE {
                *index = u32::try_from(all.len()).unwrap_or(NONE);
                let pair = EndpointPair { ports, ..self.pair(ids) };
                let ((a_to_b, b_to_a, health), ts_ns) = (Default::default(), flow.ts_ns);
                push_compact(&mut all, Conversation { pair, a_to_b, b_to_a, ts_ns, health });
            }
            let sum = &mut all[*index as usize];
            if is_a_to_b { &mut sum.a_to_b } else { &mut sum.b_to_a }.add(flow.tally);
            sum.ts_ns = union(sum.ts_ns, flow.ts_ns);
            sum.health.add(flow.health);
        }
        all
    }

    fn pair(&self, PairIds { a, b, proto }: PairIds) -> EndpointPair {
        let address = |id: u32| self.addresses.items().get(id as usize).copied();
        EndpointPair { a: address(a), b: address(b), proto, ports: (None, None) }
    }

    /// The expression that matches a conversation.
    pub fn expr(&self, pair: EndpointPair) -> Expr {
        let is = |field, address: Option<Address>| match address {
            Some(address) => Expr::In(field, Set::Addresses(vec![(address, address)])),
            None => Expr::Not(Box::new(Expr::Has(field))),
        };
        let has_ports = pair.ports != (None, None);
        let is_port = |quantity, port: Option<u16>| match port {
            Some(port) => Expr::numbers(quantity, port.into(), port.into()),
            None => Expr::Not(Box::new(Expr::Has(Field::Quantity(quantity)))),
        };
        let direction = |(src, sport), (dst, dport)| {
            let mut all = vec![is(Field::Src, src), is(Field::Dst, dst)];
            if has_ports {
                all.push(is_port(Quantity::SourcePort, sport));
                all.push(is_port(Quantity::DestinationPort, dport));
            }
            Expr::And(all)
        };
        let proto = self.protos.items()[pair.proto as usize].clone();
        let proto = Expr::In(Field::Proto, Set::Texts(vec![proto]));
        let (a, b) = ((pair.a, pair.ports.0), (pair.b, pair.ports.1));
        let either = Expr::Or(vec![direction(a, b), direction(b, a)]);
        Expr::And(vec![either, proto])
    }
}

/// The time range that covers both.
fn union(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}
