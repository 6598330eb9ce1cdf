//! The ports that tshark reads in the first fragments of datagrams, as fields of later ones.

use serde_json::Value;
use std::collections::BTreeMap;

use super::tshark::Row;

/// The first fragments in a file.
#[derive(Default)]
pub(super) struct FirstFragments {
    /// Source and destination port by addresses, identification and protocol.
    ports: BTreeMap<[String; 4], [Value; 2]>,
    /// Number of later fragments whose ports were compared.
    pub(super) compared: usize,
}

impl FirstFragments {
    /// Adds a packet. Returns the expected ports of a later fragment whose line has ports.
    pub(super) fn add(&mut self, row: &Row, line: &Value) -> Vec<(&'static str, Value)> {
        if line.get("tunnel").is_some() || line.get("frag").is_none() {
            return Vec::new();
        }
        let is_v4 = row.text("ipv6.fraghdr.ident").is_empty();
        let [id, src, dst] = match is_v4 {
            true => ["ip.id", "ip.src", "ip.dst"],
            false => ["ipv6.fraghdr.ident", "ipv6.src", "ipv6.dst"],
        };
        // tshark enters the first fragments of tunnels.
        let outermost = |name| row.all(name).next().unwrap_or_default().to_owned();
        let [id, src, dst] = [id, src, dst].map(outermost);
        let key = [id, src, dst, line["proto"].to_string()];
        if line["frag"] == 0 {
            let transport =
                row.protocols().split(':').find(|layer| ["tcp", "udp", "sctp"].contains(layer));
            if let Some(name) = transport {
                let ports =
                    ["srcport", "dstport"].map(|port| row.number(&format!("{name}.{port}")));
                self.ports.insert(key, ports);
            }
            return Vec::new();
        }
        if line.get("sport").is_none() {
            return Vec::new();
        }
        self.compared += 1;
        let [sport, dport] = self.ports.get(&key).cloned().unwrap_or_default();
        vec![("sport", sport), ("dport", dport)]
    }
}
