//! Addresses that scan ports.

use super::FlowTable;
use crate::refusals::Refusals;
use std::collections::{BTreeMap, BTreeSet};
use summary::Address;

impl FlowTable {
    /// The addresses to which at least `min_ports` different ports refused connections, and the number of
    /// refusals; those with the most first. Ports of different addresses are different.
    pub fn scanners(&self, refusals: &[Refusals], min_ports: usize) -> Vec<(Address, u64)> {
        let mut clients: BTreeMap<u32, (u64, BTreeSet<(u32, u16)>)> = BTreeMap::new();
        for Refusals { part, client, packets, ports } in refusals {
            let Some(part) = self.part(*part) else { continue };
            let id = |id: u32| part.addresses.get(id as usize).copied();
            let Some(client) = id(*client) else { continue };
            let (sum, known) = clients.entry(client).or_default();
            *sum += packets;
            known.extend(ports.iter().filter_map(|(server, port)| Some((id(*server)?, *port))));
        }
        let scanners = clients.into_iter().filter(|(_, (_, ports))| min_ports <= ports.len());
        let address = |client: u32| self.addresses.items().get(client as usize).copied();
        let found = scanners.filter_map(|(client, (packets, _))| Some((address(client)?, packets)));
        let mut found: Vec<_> = found.collect();
        found.sort_by_key(|(address, packets)| (std::cmp::Reverse(*packets), *address));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::Columns;
    use crate::columns::tests::packet;
    use crate::findings::Findings;
    use crate::flow::SyncCursor;
    use crate::refusals::refusals;
    use flow::{Marks, Reset};
    use proptest::prelude::*;

    /// Server, client, port of the server, and whether the packet refuses a connection.
    type Plain = (u8, u8, Option<u16>, bool);

    const MIN_PORTS: usize = 3;

    fn plain() -> impl Strategy<Value = Plain> {
        (0u8..4, 0u8..4, prop::option::of(0u16..3), any::<bool>())
    }

    fn columns(packets: &[Plain]) -> Columns {
        let (mut columns, mut findings) = (Columns::default(), Findings::default());
        for (row, &(server, client, port, is_refusal)) in packets.iter().enumerate() {
            let mut packet = packet(1, 0, 60, "tcp");
            let host = |host: u8| Some([10, 0, 0, host].into());
            (packet.summary.src, packet.summary.dst) = (host(server), host(client));
            (packet.summary.sport, packet.summary.dport) = (port, Some(50_000));
            columns.push(&packet, 0).unwrap();
            let reset = if is_refusal { Reset::Refused } else { Reset::NoData };
            findings.push(row, &Marks { reset: Some(reset), ..Marks::default() });
        }
        columns.set_findings(findings);
        columns
    }

    proptest! {
        #[test]
        fn scanners_match_a_plain_count(
            packets in prop::collection::vec(plain(), 0..40), cut: prop::sample::Index,
        ) {
            let (front, back) = packets.split_at(cut.index(packets.len() + 1));
            let (mut table, mut found) = (FlowTable::default(), Vec::new());
            for (part, packets) in [front, back].into_iter().enumerate() {
                let columns = columns(packets);
                table.apply(part, columns.address_delta(&mut SyncCursor::default(), usize::MAX));
                found.extend(refusals(part, &columns, MIN_PORTS));
            }
            prop_assert!(found.iter().all(|one| one.ports.len() <= MIN_PORTS));
            let mut expected: Vec<_> = (0u8..4)
                .filter_map(|host| {
                    let own = packets.iter().filter(|packet| packet.3 && packet.1 == host);
                    let own = own.filter_map(|packet| Some((packet.0, packet.2?)));
                    let ports: BTreeSet<_> = own.clone().collect();
                    let address = Address::V4([10, 0, 0, host]);
                    (MIN_PORTS <= ports.len()).then(|| (address, own.count() as u64))
                })
                .collect();
            expected.sort_by_key(|(address, packets)| (std::cmp::Reverse(*packets), *address));
            prop_assert_eq!(table.scanners(&found, MIN_PORTS), expected);
        }
    }
}
