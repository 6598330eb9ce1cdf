//! The flows of all parts, brought together: who the parts say talks to whom, and what that makes
//! by address, protocol and conversation.

use crate::filter::{Expr, Field, Place, Set};
use crate::order::sorted;
use crate::query::{FlowTally, Tally};
use crate::wire::wire;
use foldhash::fast::FixedState;
use std::collections::HashMap;
use std::hash::Hash;

/// A flow as a part describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartFlow {
    /// Source.
    pub src: Option<Place>,
    /// Destination.
    pub dst: Option<Place>,
    /// Place of the protocol among the part's.
    pub proto: u16,
}

/// Two that talk with a protocol: `a <= b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// One side.
    pub a: Option<Place>,
    /// The other.
    pub b: Option<Place>,
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

/// By what flows are brought together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// By source address.
    Source,
    /// By destination address.
    Destination,
}

/// All flows that any part has told of.
#[derive(Debug, Default)]
pub struct Flows {
    places: Known<Option<Place>>,
    protos: Known<String>,
    pairs: Known<Pair>,
    /// Of each part, its protocols and its flows by their places here.
    parts: Vec<(Vec<u32>, Vec<Here>)>,
}

#[derive(Clone, Copy, Debug)]
struct Here {
    src: u32,
    dst: u32,
    pair: u32,
    is_forth: bool,
}

impl Flows {
    /// What a part has told of since the last time.
    pub fn learn(&mut self, part: usize, protos: &[String], flows: &[PartFlow]) {
        if self.parts.len() <= part {
            self.parts.resize_with(part + 1, Default::default);
        }
        let (known_protos, known_flows) = &mut self.parts[part];
        known_protos.extend(protos.iter().map(|name| self.protos.id(name.clone())));
        for flow in flows {
            let is_forth = flow.src <= flow.dst;
            let (a, b) = if is_forth { (flow.src, flow.dst) } else { (flow.dst, flow.src) };
            let proto = known_protos.get(usize::from(flow.proto)).copied().unwrap_or(0);
            known_flows.push(Here {
                src: self.places.id(flow.src),
                dst: self.places.id(flow.dst),
                pair: self.pairs.id(Pair { a, b, proto }),
                is_forth,
            });
        }
    }

    /// Names of the protocols.
    pub fn protos(&self) -> &[String] {
        &self.protos.items
    }

    /// Each address that takes that side, with its tally; the largest first.
    pub fn by_address(&self, tallies: &[FlowTally], side: Side, by: Rank) -> Vec<(Place, Tally)> {
        let mut sums = vec![Tally::default(); self.places.items.len()];
        for (flow, here) in self.here(tallies) {
            let place = match side {
                Side::Source => here.src,
                Side::Destination => here.dst,
            };
            sums[place as usize].add(flow.tally);
        }
        let places = self.places.items.iter().zip(sums);
        ranked(places.filter_map(|(place, tally)| Some(((*place)?, tally))).collect(), by)
    }

    /// Each protocol with its tally; the largest first.
    pub fn by_proto(&self, tallies: &[FlowTally], by: Rank) -> Vec<(String, Tally)> {
        let mut sums = vec![Tally::default(); self.protos.items.len()];
        for (flow, here) in self.here(tallies) {
            sums[self.pairs.items[here.pair as usize].proto as usize].add(flow.tally);
        }
        ranked(self.protos.items.iter().cloned().zip(sums).collect(), by)
    }

    /// All conversations that have any packet.
    pub fn conversations(&self, tallies: &[FlowTally]) -> Vec<Conversation> {
        let mut all: Vec<Option<Conversation>> = vec![None; self.pairs.items.len()];
        for (flow, here) in self.here(tallies) {
            let known = all[here.pair as usize].get_or_insert_with(|| Conversation {
                pair: self.pairs.items[here.pair as usize],
                forth: Tally::default(),
                back: Tally::default(),
                ts_ns: flow.ts_ns,
            });
            if here.is_forth { &mut known.forth } else { &mut known.back }.add(flow.tally);
            known.ts_ns.0 = known.ts_ns.0.min(flow.ts_ns.0);
            known.ts_ns.1 = known.ts_ns.1.max(flow.ts_ns.1);
        }
        all.into_iter().flatten().collect()
    }

    /// What selects a conversation.
    pub fn expr(&self, pair: Pair) -> Expr {
        let is = |field, place: Option<Place>| match place {
            Some(place) => Expr::In(field, Set::Addresses(vec![(place, place)])),
            None => Expr::Not(Box::new(Expr::Has(field))),
        };
        let way = |src, dst| Expr::And(vec![is(Field::Src, src), is(Field::Dst, dst)]);
        let proto = self.protos.items[pair.proto as usize].clone();
        let proto = Expr::In(Field::Proto, Set::Words(vec![proto]));
        Expr::And(vec![Expr::Or(vec![way(pair.a, pair.b), way(pair.b, pair.a)]), proto])
    }

    fn here<'a>(&'a self, tallies: &'a [FlowTally]) -> impl Iterator<Item = (&'a FlowTally, Here)> {
        // A part tells of its flows before it tells what they have.
        tallies
            .iter()
            .filter_map(|flow| Some((flow, *self.parts.get(flow.part)?.1.get(flow.flow as usize)?)))
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

/// Those with any packet, the largest first; equals in their own order.
pub fn ranked<T: Ord + Clone>(mut items: Vec<(T, Tally)>, by: Rank) -> Vec<(T, Tally)> {
    items.retain(|(_, tally)| 0 < tally.packets);
    sorted(&items, |a, b| by.of(b.1).cmp(&by.of(a.1)).then_with(|| a.0.cmp(&b.0)))
}

/// Things by small numbers.
#[derive(Debug)]
struct Known<T> {
    items: Vec<T>,
    ids: HashMap<T, u32, FixedState>,
}

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ids: HashMap::default() }
    }
}

impl<T: Clone + Eq + Hash> Known<T> {
    fn id(&mut self, item: T) -> u32 {
        *self.ids.entry(item).or_insert_with_key(|item| {
            self.items.push(item.clone());
            u32::try_from(self.items.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

wire!(struct PartFlow { src, dst, proto });

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Zone;

    fn flow(src: u32, dst: u32, proto: u16) -> PartFlow {
        PartFlow { src: Some(Place::V4(src)), dst: Some(Place::V4(dst)), proto }
    }

    fn tally(part: usize, flow: u32, packets: u64, ts_ns: (i64, i64)) -> FlowTally {
        FlowTally { part, flow, tally: Tally { packets, bytes: packets * 100 }, ts_ns }
    }

    #[test]
    fn parts_with_other_numbers_are_brought_together() {
        let mut flows = Flows::default();
        flows.learn(0, &["tcp".into(), "udp".into()], &[flow(1, 2, 0), flow(2, 1, 0)]);
        flows.learn(1, &["udp".into(), "tcp".into()], &[flow(1, 2, 0), flow(2, 1, 1)]);
        flows.learn(1, &[], &[flow(3, 3, 1)]);
        let tallies = [
            tally(0, 0, 5, (10, 20)),
            tally(0, 1, 3, (12, 15)),
            tally(1, 0, 1, (7, 7)),
            tally(1, 1, 2, (30, 40)),
        ];
        let place = Place::V4;
        let packets = |rows: Vec<(Place, Tally)>| {
            rows.into_iter().map(|(place, tally)| (place, tally.packets)).collect::<Vec<_>>()
        };
        let by = Rank::Packets;
        let sources = packets(flows.by_address(&tallies, Side::Source, by));
        assert_eq!(sources, [(place(1), 6), (place(2), 5)]);
        let destinations = packets(flows.by_address(&tallies, Side::Destination, by));
        assert_eq!(destinations, [(place(2), 6), (place(1), 5)]);
        let protos = flows.by_proto(&tallies, by);
        assert_eq!(
            protos.iter().map(|(n, t)| (&n[..], t.packets)).collect::<Vec<_>>(),
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
