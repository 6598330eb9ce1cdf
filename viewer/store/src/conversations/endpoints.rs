//! Totals of addresses.

use super::{FlowTable, PairIds, union};
use crate::flow::NO_ADDRESS;
use crate::intern::Interner;
use crate::query::FlowTally;
use crate::tally::Tally;
use summary::Address;

/// Totals of one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The address.
    pub address: Address,
    /// Packets from or to the address. Packets from the address to itself count once.
    pub total: Tally,
    /// Packets from the address.
    pub sent: Tally,
    /// Packets to the address.
    pub received: Tally,
    /// Number of other addresses that it exchanged packets with.
    pub peers: u32,
    /// First and last timestamp in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
}

impl FlowTable {
    /// All addresses that have packets, in no particular order.
    pub fn endpoints(&self, tallies: &[FlowTally]) -> Vec<Endpoint> {
        let mut all: Vec<Option<Endpoint>> = vec![None; self.addresses.items().len()];
        let mut peers: Interner<PairIds> = Interner::default();
        for flow in tallies {
            let part = self.part(flow.part);
            let direction = part.and_then(|part| part.flows.get(flow.flow as usize));
            let Some(direction) = direction else { continue };
            let PairIds { a, b, .. } = self.pairs.items()[direction.pair()];
            let pair_count = peers.items().len();
            let is_new_pair = peers.id(PairIds { a, b, proto: 0 }) as usize == pair_count;
            let (src, dst) = if direction.is_a_to_b() { (a, b) } else { (b, a) };
            for (id, other) in [(src, dst), (dst, src)].into_iter().take(if a == b { 1 } else { 2 })
            {
                let Some(address) = self.addresses.items().get(id as usize) else { continue };
                let empty = Endpoint {
                    address: *address,
                    total: Tally::default(),
                    sent: Tally::default(),
                    received: Tally::default(),
                    peers: 0,
                    ts_ns: flow.ts_ns,
                };
                let endpoint = all[id as usize].get_or_insert(empty);
                endpoint.total.add(flow.tally);
                if id == src {
                    endpoint.sent.add(flow.tally);
                }
                if id == dst {
                    endpoint.received.add(flow.tally);
                }
                endpoint.peers += u32::from(is_new_pair && id != other && other != NO_ADDRESS);
                endpoint.ts_ns = union(endpoint.ts_ns, flow.ts_ns);
            }
        }
        all.into_iter().flatten().collect()
    }
}
