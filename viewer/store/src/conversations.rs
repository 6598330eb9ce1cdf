//! The flows of all parts, brought together: who the parts say talks to whom, and what that makes
//! by address, protocol and conversation.

use crate::flow::{FlowDelta, NO_ADDRESS};
use crate::intern::Interner;
use crate::query::{FlowTally, IdTally};
use crate::tally::Tally;
use summary::Address;
use viewer_model::filter::{Expr, Field, Set};

/// Two that talk with a protocol: `a <= b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointPair {
    /// One side.
    pub a: Option<Address>,
    /// The other.
    pub b: Option<Address>,
    /// Place among [`FlowTable::protos`].
    pub proto: u32,
}

/// What a conversation is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Who talks.
    pub pair: EndpointPair,
    /// From a to b.
    pub a_to_b: Tally,
    /// From b to a.
    pub b_to_a: Tally,
    /// First and last time in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

impl Conversation {
    /// Both directions.
    pub fn total(&self) -> Tally {
        let mut total = self.a_to_b;
        total.add(self.b_to_a);
        total
    }

    /// From the first to the last packet, in nanoseconds.
    pub fn duration_ns(&self) -> u64 {
        self.ts_ns.1.abs_diff(self.ts_ns.0)
    }

    /// BlockMask a second, of what takes any time.
    pub fn rate(&self) -> Option<f64> {
        let ns = self.duration_ns();
        (0 < ns).then(|| self.total().bytes as f64 * 8e9 / ns as f64)
    }
}

/// All flows that any part has told of.
#[derive(Debug, Default)]
pub struct FlowTable {
    addresses: Interner<Address>,
    protos: Interner<String>,
    pairs: Interner<EndpointPair>,
    parts: Vec<Part>,
}

/// What a part has, by its places here.
#[derive(Debug, Default)]
struct Part {
    protos: Vec<u32>,
    places: Vec<u32>,
    /// A flow's pair, and whether it goes from a to b.
    flows: Vec<(u32, bool)>,
}

impl FlowTable {
    /// What a part has told of since the last time.
    pub fn apply(&mut self, part: usize, delta: FlowDelta) {
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, Default::default);
        }
        let Self { addresses, protos, pairs, parts } = self;
        let here = &mut parts[part];
        here.protos.extend(delta.protos.into_iter().map(|name| protos.id(name)));
        here.places.extend(delta.addresses.into_iter().map(|address| addresses.id(address)));
        for flow in delta.flows {
            let place = |id: u32| {
                let place = here.places.get(id as usize).filter(|_| id != NO_ADDRESS);
                place.map(|place| addresses.items()[*place as usize])
            };
            let (src, dst) = (place(flow.src), place(flow.dst));
            let is_a_to_b = src <= dst;
            let (a, b) = if is_a_to_b { (src, dst) } else { (dst, src) };
            let proto = here.protos.get(usize::from(flow.proto)).copied().unwrap_or(0);
            here.flows.push((pairs.id(EndpointPair { a, b, proto }), is_a_to_b));
        }
    }

    /// Names of the protocols.
    pub fn protos(&self) -> &[String] {
        self.protos.items()
    }

    /// Each address that has any packet.
    pub fn by_address(&self, tallies: &[IdTally]) -> Vec<(Address, Tally)> {
        let sums = self.sums(tallies, self.addresses.items().len(), |part| &part.places);
        let all = self.addresses.items().iter().copied().zip(sums);
        all.filter(|(_, tally)| 0 < tally.packets).collect()
    }

    /// Each protocol that has any packet.
    pub fn by_proto(&self, tallies: &[IdTally]) -> Vec<(&str, Tally)> {
        let sums = self.sums(tallies, self.protos.items().len(), |part| &part.protos);
        let all = self.protos.items().iter().map(String::as_str).zip(sums);
        all.filter(|(_, tally)| 0 < tally.packets).collect()
    }

    fn sums(
        &self,
        tallies: &[IdTally],
        count: usize,
        places: impl Fn(&Part) -> &[u32],
    ) -> Vec<Tally> {
        let mut sums = vec![Tally::default(); count];
        for IdTally { part, id, tally } in tallies {
            // A part tells of what it has before it tells how much.
            let here = self.parts.get(*part).and_then(|part| places(part).get(*id as usize));
            if let Some(here) = here {
                sums[*here as usize].add(*tally);
            }
        }
        sums
    }

    /// All conversations that have any packet.
    pub fn conversations(&self, tallies: &[FlowTally]) -> Vec<Conversation> {
        let mut all: Vec<Option<Conversation>> = vec![None; self.pairs.items().len()];
        for flow in tallies {
            let here = self.parts.get(flow.part).and_then(|p| p.flows.get(flow.flow as usize));
            let Some((pair, is_a_to_b)) = here else { continue };
            let known = all[*pair as usize].get_or_insert_with(|| Conversation {
                pair: self.pairs.items()[*pair as usize],
                a_to_b: Tally::default(),
                b_to_a: Tally::default(),
                ts_ns: flow.ts_ns,
            });
            if *is_a_to_b { &mut known.a_to_b } else { &mut known.b_to_a }.add(flow.tally);
            known.ts_ns.0 = known.ts_ns.0.min(flow.ts_ns.0);
            known.ts_ns.1 = known.ts_ns.1.max(flow.ts_ns.1);
        }
        all.into_iter().flatten().collect()
    }

    /// What selects a conversation.
    pub fn expr(&self, pair: EndpointPair) -> Expr {
        let is = |field, address: Option<Address>| match address {
            Some(address) => Expr::In(field, Set::Addresses(vec![(address, address)])),
            None => Expr::Not(Box::new(Expr::Has(field))),
        };
        let way = |src, dst| Expr::And(vec![is(Field::Src, src), is(Field::Dst, dst)]);
        let proto = self.protos.items()[pair.proto as usize].clone();
        let proto = Expr::In(Field::Proto, Set::Texts(vec![proto]));
        Expr::And(vec![Expr::Or(vec![way(pair.a, pair.b), way(pair.b, pair.a)]), proto])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::Flow;
    use crate::tally::{RankBy, top};
    use viewer_model::time::Zone;

    fn delta(protos: &[&str], places: &[u32], flows: &[(u32, u32, u16)]) -> FlowDelta {
        FlowDelta {
            protos: protos.iter().map(|name| (*name).to_owned()).collect(),
            addresses: places.iter().map(|place| Address::V4(u32::to_be_bytes(*place))).collect(),
            flows: flows.iter().map(|&(src, dst, proto)| Flow { src, dst, proto }).collect(),
        }
    }

    fn tally(part: usize, flow: u32, packets: u64, ts_ns: (i64, i64)) -> FlowTally {
        FlowTally { part, flow, tally: Tally { packets, bytes: packets * 100 }, ts_ns }
    }

    fn place_tally(part: usize, place: u32, packets: u64) -> IdTally {
        IdTally { part, id: place, tally: Tally { packets, bytes: packets * 100 } }
    }

    #[test]
    fn parts_with_other_numbers_are_brought_together() {
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
        let places = [place_tally(0, 0, 5), place_tally(0, 1, 3), place_tally(1, 1, 1)];
        let ranked = top(&flows.by_address(&places), by, 9);
        let ranked: Vec<_> = ranked.into_iter().map(|(p, t)| (p, t.packets)).collect();
        assert_eq!(ranked, [(Address::V4([0, 0, 0, 1]), 6), (Address::V4([0, 0, 0, 2]), 3)]);
        let protos = [place_tally(0, 0, 8), place_tally(1, 1, 2), place_tally(1, 0, 1)];
        let protos = top(&flows.by_proto(&protos), by, 9);
        assert_eq!(
            protos.iter().map(|(n, t)| (*n, t.packets)).collect::<Vec<_>>(),
            [("tcp", 10), ("udp", 1)]
        );
        let talks = flows.conversations(&tallies);
        assert_eq!(talks.len(), 2);
        assert_eq!(
            (talks[0].a_to_b.packets, talks[0].b_to_a.packets, talks[0].ts_ns),
            (5, 5, (10, 40))
        );
        assert_eq!(talks[0].rate(), Some(1000.0 * 8e9 / 30.0));
        assert_eq!((talks[1].duration_ns(), talks[1].rate()), (0, None));
        assert_eq!(
            flows.expr(talks[0].pair).to_text(&Zone::Utc),
            "(src == 0.0.0.1 and dst == 0.0.0.2 or src == 0.0.0.2 and dst == 0.0.0.1) and proto == tcp"
        );
    }
}
