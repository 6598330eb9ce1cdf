//! Connections that were refused, by the address that tried to connect: many refused ports are a port scan.

use crate::columns::Columns;
use crate::flow::NO_ADDRESS;
use crate::intern::Interner;
use flow::Reset;
use viewer_model::wire::wire;

/// What was refused to an address, according to a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// Index of the part.
    pub part: usize,
    /// Id of the address within the part.
    pub client: u32,
    /// Number of refusals.
    pub packets: u64,
    /// Different ports that refused, each with the id of its address, up to a limit.
    pub ports: Vec<(u32, u16)>,
}

/// The refusals of all packets, with up to `max_ports` ports for each address.
pub(crate) fn refusals(part: usize, columns: &Columns, max_ports: usize) -> Vec<Refusals> {
    let mut clients: Interner<u32> = Interner::default();
    let mut ports: Interner<(u32, u32, u16)> = Interner::default();
    let mut all: Vec<Refusals> = Vec::new();
    for row in columns.rows_with(|marks| marks.reset == Some(Reset::Refused)) {
        // The refusal comes from the port.
        let (flow, sport) = columns.flow_and_source_port(row);
        let (client, server) = (flow.dst, flow.src);
        let Some(port) = sport.filter(|_| client != NO_ADDRESS) else { continue };
        let index = clients.id(client) as usize;
        if index == all.len() {
            all.push(Refusals { part, client, ..Refusals::default() });
        }
        let own = &mut all[index];
        own.packets += 1;
        if own.ports.len() < max_ports {
            let known = ports.items().len();
            if ports.id((client, server, port)) as usize == known {
                own.ports.push((server, port));
            }
        }
    }
    all
}

wire!(struct Refusals { part, client, packets, ports });
