//! The flows of all parts, brought together: who the parts say talks to whom, and what that makes
//! by address, protocol and conversation.

use crate::columns::{Flow, NO_ADDRESS};
use crate::intern::Interner;
use crate::query::{FlowTally, PlaceTally, Tally};
use summary::Address;
use viewer_model::filter::{Expr, Field, Set};
use viewer_model::order::part;
use viewer_model::wire::wire;

/// Two that talk with a protocol: `a <= b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// One side.
    pub a: Option<Address>,
    /// The other.
    pub b: Option<Address>,
    /// Place among [`Flows::protos`].
    pub proto: u32,
}

/// What a conversation is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Who talks.
    pub pair: Pair,
    /// From a to b.
    pub forth: Tally,
    /// From b to a.
    pub back: Tally,
    /// First and last time in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

impl Conversation {
    /// Both directions.
    pub fn total(&self) -> Tally {
        let mut total = self.forth;
        total.add(self.back);
        total
    }

    /// From the first to the last packet, in nanoseconds.
    pub fn duration_ns(&self) -> u64 {
        self.ts_ns.1.abs_diff(self.ts_ns.0)
    }

    /// Bits a second, of what takes any time.
    pub fn rate(&self) -> Option<f64> {
        let ns = self.duration_ns();
        (0 < ns).then(|| self.total().bytes as f64 * 8e9 / ns as f64)
    }
}

/// What a part has that it has not told of before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Names of protocols.
    pub protos: Vec<String>,
    /// Addresses.
    pub addresses: Vec<Address>,
    /// Flows between them.
    pub flows: Vec<Flow>,
}

/// All flows that any part has told of.
#[derive(Debug, Default)]
pub struct Flows {
    addresses: Interner<Address>,
    protos: Interner<String>,
    pairs: Interner<Pair>,
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

impl Flows {
    /// What a part has told of since the last time.
    pub fn learn(&mut self, part: usize, news: News) {
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, Default::default);
        }
        let Self { addresses, protos, pairs, parts } = self;
        let here = &mut parts[part];
        here.protos.extend(news.protos.into_iter().map(|name| protos.id(name)));
        here.places.extend(news.addresses.into_iter().map(|address| addresses.id(address)));
        for flow in news.flows {
            let place = |id: u32| {
                let place = here.places.get(id as usize).filter(|_| id != NO_ADDRESS);
                place.map(|place| addresses.items()[*place as usize])
            };
            let (src, dst) = (place(flow.src), place(flow.dst));
            let is_forth = src <= dst;
            let (a, b) = if is_forth { (src, dst) } else { (dst, src) };
            let proto = here.protos.get(usize::from(flow.proto)).copied().unwrap_or(0);
            here.flows.push((pairs.id(Pair { a, b, proto }), is_forth));
        }
    }

    /// Names of the protocols.
    pub fn protos(&self) -> &[String] {
        self.protos.items()
    }

    /// Each address that has any packet.
    pub fn by_address(&self, tallies: &[PlaceTally]) -> Vec<(Address, Tally)> {
        let sums = self.sums(tallies, self.addresses.items().len(), |part| &part.places);
        let all = self.addresses.items().iter().copied().zip(sums);
        all.filter(|(_, tally)| 0 < tally.packets).collect()
    }

    /// Each protocol that has any packet.
    pub fn by_proto(&self, tallies: &[PlaceTally]) -> Vec<(&str, Tally)> {
        let sums = self.sums(tallies, self.protos.items().len(), |part| &part.protos);
        let all = self.protos.items().iter().map(String::as_str).zip(sums);
        all.filter(|(_, tally)| 0 < tally.packets).collect()
    }

    fn sums(
        &self,
        tallies: &[PlaceTally],
        count: usize,
        places: impl Fn(&Part) -> &[u32],
    ) -> Vec<Tally> {
        let mut sums = vec![Tally::default(); count];
        for PlaceTally { part, place, tally } in tallies {
            // A part tells of what it has before it tells how much.
            let here = self.parts.get(*part).and_then(|part| places(part).get(*place as usize));
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
            let Some((pair, is_forth)) = here else { continue };
            let known = all[*pair as usize].get_or_insert_with(|| Conversation {
                pair: self.pairs.items()[*pair as usize],
                forth: Tally::default(),
                back: Tally::default(),
                ts_ns: flow.ts_ns,
            });
            if *is_forth { &mut known.forth } else { &mut known.back }.add(flow.tally);
            known.ts_ns.0 = known.ts_ns.0.min(flow.ts_ns.0);
            known.ts_ns.1 = known.ts_ns.1.max(flow.ts_ns.1);
        }
        all.into_iter().flatten().collect()
    }

    /// What selects a conversation.
    pub fn expr(&self, pair: Pair) -> Expr {
        let is = |field, address: Option<Address>| match address {
            Some(address) => Expr::In(field, Set::Addresses(vec![(address, address)])),
            None => Expr::Not(Box::new(Expr::Has(field))),
        };
        let way = |src, dst| Expr::And(vec![is(Field::Src, src), is(Field::Dst, dst)]);
        let proto = self.protos.items()[pair.proto as usize].clone();
        let proto = Expr::In(Field::Proto, Set::Words(vec![proto]));
        Expr::And(vec![Expr::Or(vec![way(pair.a, pair.b), way(pair.b, pair.a)]), proto])
    }
}

/// What makes something large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rank {
    /// Many packets.
    #[default]
    Packets,
    /// Many bytes.
    Bytes,
}

impl Rank {
    /// How large it is.
    pub fn of(self, tally: Tally) -> u64 {
        match self {
            Self::Packets => tally.packets,
            Self::Bytes => tally.bytes,
        }
    }
}

/// The largest, at most `count`; equals in their own order.
pub fn largest<T: Ord + Clone>(items: &[(T, Tally)], by: Rank, count: usize) -> Vec<(T, Tally)> {
    let compare =
        |a: &(T, Tally), b: &(T, Tally)| by.of(b.1).cmp(&by.of(a.1)).then_with(|| a.0.cmp(&b.0));
    part(items, 0, count, compare).into_iter().map(|place| items[place].clone()).collect()
}

wire!(struct News { protos, addresses, flows });

#[cfg(test)]
mod tests {
    use super::*;
    use viewer_model::clock::Zone;

    fn news(protos: &[&str], places: &[u32], flows: &[(u32, u32, u16)]) -> News {
        News {
            protos: protos.iter().map(|name| (*name).to_owned()).collect(),
            addresses: places.iter().map(|place| Address::V4(u32::to_be_bytes(*place))).collect(),
            flows: flows.iter().map(|&(src, dst, proto)| Flow { src, dst, proto }).collect(),
        }
    }

    fn tally(part: usize, flow: u32, packets: u64, ts_ns: (i64, i64)) -> FlowTally {
        FlowTally { part, flow, tally: Tally { packets, bytes: packets * 100 }, ts_ns }
    }

    fn place_tally(part: usize, place: u32, packets: u64) -> PlaceTally {
        PlaceTally { part, place, tally: Tally { packets, bytes: packets * 100 } }
    }

    #[test]
    fn parts_with_other_numbers_are_brought_together() {
        let mut flows = Flows::default();
        flows.learn(0, news(&["tcp", "udp"], &[1, 2], &[(0, 1, 0), (1, 0, 0)]));
        flows.learn(1, news(&["udp", "tcp"], &[2, 1], &[(1, 0, 0), (0, 1, 1)]));
        flows.learn(1, news(&[], &[3], &[(2, NO_ADDRESS, 1)]));
        let tallies = [
            tally(0, 0, 5, (10, 20)),
            tally(0, 1, 3, (12, 15)),
            tally(1, 0, 1, (7, 7)),
            tally(1, 1, 2, (30, 40)),
        ];
        let by = Rank::Packets;
        let places = [place_tally(0, 0, 5), place_tally(0, 1, 3), place_tally(1, 1, 1)];
        let ranked = largest(&flows.by_address(&places), by, 9);
        let ranked: Vec<_> = ranked.into_iter().map(|(p, t)| (p, t.packets)).collect();
        assert_eq!(ranked, [(Address::V4([0, 0, 0, 1]), 6), (Address::V4([0, 0, 0, 2]), 3)]);
        let protos = [place_tally(0, 0, 8), place_tally(1, 1, 2), place_tally(1, 0, 1)];
        let protos = largest(&flows.by_proto(&protos), by, 9);
        assert_eq!(
            protos.iter().map(|(n, t)| (*n, t.packets)).collect::<Vec<_>>(),
            [("tcp", 10), ("udp", 1)]
        );
        let talks = flows.conversations(&tallies);
        assert_eq!(talks.len(), 2);
        assert_eq!(
            (talks[0].forth.packets, talks[0].back.packets, talks[0].ts_ns),
            (5, 5, (10, 40))
        );
        assert_eq!(talks[0].rate(), Some(1000.0 * 8e9 / 30.0));
        assert_eq!((talks[1].duration_ns(), talks[1].rate()), (0, None));
        assert_eq!(
            flows.expr(talks[0].pair).show(&Zone::Utc),
            "(src == 0.0.0.1 and dst == 0.0.0.2 or src == 0.0.0.2 and dst == 0.0.0.1) and proto == tcp"
        );
    }
}
