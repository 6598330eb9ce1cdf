//! Conversations across all parts, on the page.
//!
//! Each part numbers its protocols, addresses and flows on its own. [`FlowTable`] translates those
//! ids, adds up the tallies of all parts, and pairs the two directions of each conversation.

use crate::flow::{FlowDelta, NO_ADDRESS};
use crate::intern::{Interner, push_compact};
use crate::query::{FlowTally, IdTally};
use crate::tally::Tally;
use summary::Address;
use viewer_model::filter::{Expr, Field, Set};

/// Two endpoints and a protocol. Invariant: `a <= b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointPair {
    /// One endpoint; `None` for packets without an address.
    pub a: Option<Address>,
    /// The other endpoint.
    pub b: Option<Address>,
    /// Index into [`FlowTable::protos`].
    pub proto: u32,
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
    parts: Vec<PartIds>,
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
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, Default::default);
        }
        let Self { addresses, protos, pairs, parts } = self;
        let ids = &mut parts[part];
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
            let id = self.parts.get(*part).and_then(|part| ids(part).get(*id as usize));
            if let Some(id) = id {
                sums[*id as usize].add(*tally);
            }
        }
        sums
    }

    /// All conversations that have packets, in no particular order.
    pub fn conversations(&self, tallies: &[FlowTally]) -> Vec<Conversation> {
        const NONE: u32 = u32::MAX;
        // Index of each pair in the result.
        let mut indices = vec![NONE; self.pairs.items().len()];
        let mut all: Vec<Conversation> = Vec::new();
        for flow in tallies {
            let part = self.parts.get(flow.part);
            let direction = part.and_then(|part| part.flows.get(flow.flow as usize));
            let Some(direction) = direction else { continue };
            let index = &mut indices[direction.pair()];
            if *index == NONE {
                *index = u32::try_from(all.len()).unwrap_or(NONE);
                let pair = self.pair(self.pairs.items()[direction.pair()]);
                let (a_to_b, b_to_a) = Default::default();
                push_compact(&mut all, Conversation { pair, a_to_b, b_to_a, ts_ns: flow.ts_ns });
            }
            let sum = &mut all[*index as usize];
            if direction.is_a_to_b() { &mut sum.a_to_b } else { &mut sum.b_to_a }.add(flow.tally);
            sum.ts_ns = (sum.ts_ns.0.min(flow.ts_ns.0), sum.ts_ns.1.max(flow.ts_ns.1));
        }
        all
    }

    fn pair(&self, PairIds { a, b, proto }: PairIds) -> EndpointPair {
        let address = |id: u32| self.addresses.items().get(id as usize).copied();
        EndpointPair { a: address(a), b: address(b), proto }
    }

    /// The expression that matches a conversation.
    pub fn expr(&self, pair: EndpointPair) -> Expr {
        let is = |field, address: Option<Address>| match address {
            Some(address) => Expr::In(field, Set::Addresses(vec![(address, address)])),
            None => Expr::Not(Box::new(Expr::Has(field))),
        };
        let direction = |src, dst| Expr::And(vec![is(Field::Src, src), is(Field::Dst, dst)]);
        let proto = self.protos.items()[pair.proto as usize].clone();
        let proto = Expr::In(Field::Proto, Set::Texts(vec![proto]));
        let either = Expr::Or(vec![direction(pair.a, pair.b), direction(pair.b, pair.a)]);
        Expr::And(vec![either, proto])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Flow;
    use crate::tally::{RankBy, top};
    use viewer_model::time::Zone;

    fn delta(protos: &[&str], addresses: &[u32], flows: &[(u32, u32, u16)]) -> FlowDelta {
        FlowDelta {
            protos: protos.iter().map(|name| (*name).to_owned()).collect(),
            addresses: addresses.iter().map(|bits| Address::V4(u32::to_be_bytes(*bits))).collect(),
            flows: flows.iter().map(|&(src, dst, proto)| Flow { src, dst, proto }).collect(),
        }
    }

    fn tally(part: usize, flow: u32, packets: u64, ts_ns: (i64, i64)) -> FlowTally {
        FlowTally { part, flow, tally: Tally { packets, bytes: packets * 100 }, ts_ns }
    }

    fn id_tally(part: usize, id: u32, packets: u64) -> IdTally {
        IdTally { part, id, tally: Tally { packets, bytes: packets * 100 } }
    }

    #[test]
    fn parts_with_different_ids_are_merged() {
        let mut flows = FlowTable::default();
        flows.apply(0, delta(&["tcp", "udp"], &[1, 2], &[(0, 1, 0), (1, 0, 0)]));
        flows.apply(1, delta(&["udp", "tcp"], &[2, 1], &[(1, 0, 0), (0, 1, 1)]));
        flows.apply(1, delta(&[], &[3], &[(2, NO_ADDRESS, 1)]));
        let tallies = [
            tally(0, 0, 5, (10, 20)),
            tally(0, 1, 3, (12, 15)),
            tally(1, 0, 1, (7, 7)),
            tally(1, 1, 2, (30, 40)),
        ];
        let by = RankBy::Packets;
        let addresses = [id_tally(0, 0, 5), id_tally(0, 1, 3), id_tally(1, 1, 1)];
        let ranked = top(&flows.by_address(&addresses), by, 9);
        let ranked: Vec<_> = ranked.into_iter().map(|(p, t)| (p, t.packets)).collect();
        assert_eq!(ranked, [(Address::V4([0, 0, 0, 1]), 6), (Address::V4([0, 0, 0, 2]), 3)]);
        let protos = [id_tally(0, 0, 8), id_tally(1, 1, 2), id_tally(1, 0, 1)];
        let protos = top(&flows.by_proto(&protos), by, 9);
        assert_eq!(
            protos.iter().map(|(n, t)| (*n, t.packets)).collect::<Vec<_>>(),
            [("tcp", 10), ("udp", 1)]
        );
        let conversations = flows.conversations(&tallies);
        assert_eq!(conversations.len(), 2);
        assert_eq!(
            (
                conversations[0].a_to_b.packets,
                conversations[0].b_to_a.packets,
                conversations[0].ts_ns
            ),
            (5, 5, (10, 40))
        );
        assert_eq!(conversations[0].rate(), Some(1000.0 * 8e9 / 30.0));
        assert_eq!((conversations[1].duration_ns(), conversations[1].rate()), (0, None));
        assert_eq!(
            flows.expr(conversations[0].pair).to_text(&Zone::Utc),
            "(src == 0.0.0.1 and dst == 0.0.0.2 or src == 0.0.0.2 and dst == 0.0.0.1) and proto == tcp"
        );
    }
}
