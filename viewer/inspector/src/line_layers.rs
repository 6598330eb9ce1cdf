//! The fields of a line by layer, for packets whose bytes are not in the file.

use crate::content::{Node, printable};
use std::borrow::Cow;
use summary::line;

/// Names of layers, and the fields of the output format that belong to each.
const LAYERS: [(&str, &[&str]); 7] = [
    (
        "Packet",
        &[
            "type", "n", "ts", "ts_ns", "ts_us", "ts_ms", "if", "dir", "len", "cap", "gso",
            "gso_type", "err", "file",
        ],
    ),
    ("Link", &["link", "linktype", "eth_src", "eth_dst", "vlan", "ethertype"]),
    ("Tunnel", &["tunnel", "outer_src", "outer_dst"]),
    ("Network", &["src", "dst", "proto", "ip_proto", "ttl", "frag", "arp_op"]),
    (
        "Transport",
        &[
            "sport",
            "dport",
            "flags",
            "seq",
            "ack",
            "win",
            "payload",
            "icmp_type",
            "icmp_code",
            "icmp_src",
            "icmp_dst",
            "icmp_proto",
            "icmp_sport",
            "icmp_dport",
            "community_id",
        ],
    ),
    (
        "TCP analysis",
        &[
            "rtx",
            "ooo",
            "dup_ack",
            "zero_window",
            "window_full",
            "keep_alive",
            "reset",
            "unseen",
            "rtt_us",
            "handshake_us",
        ],
    ),
    (
        "Names",
        &[
            "dns",
            "dns_type",
            "dns_rcode",
            "dns_answers",
            "dns_time_us",
            "sni",
            "alpn",
            "ech",
            "ja4",
            "http_method",
            "http_host",
            "http_path",
            "http_status",
            "quic",
        ],
    ),
];

/// The fields of a line by layer; other fields follow in a layer of their own. Strings are shown
/// without quotation marks and escapes, all other values as JSON. Empty if the line is not a JSON
/// object.
pub(crate) fn line_layers(text: &str) -> Vec<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let fields = line::fields(text).unwrap_or_default();
    let layer_of = |name: &str| {
        LAYERS.iter().position(|(_, names)| names.contains(&name)).unwrap_or(LAYERS.len())
    };
    let mut nodes = Vec::new();
    let names = LAYERS.iter().map(|(name, _)| *name).chain(["Other"]);
    for (index, layer) in names.enumerate() {
        let own: Vec<_> = fields.iter().filter(|(name, _)| layer_of(name) == index).collect();
        if own.is_empty() {
            continue;
        }
        nodes.push(node(1, layer, String::new(), true));
        for (name, json) in own {
            let value = line::string(json).unwrap_or(Cow::Borrowed(json));
            nodes.push(node(2, name, printable(&value), false));
        }
    }
    nodes
}

fn node(level: usize, name: &str, value: String, is_parent: bool) -> Node {
    Node { level, name: printable(name), value, bytes: 0..0, is_parent }
}

#[cfg(test)]
mod tests {
    use super::line_layers;

    #[test]
    fn fields_are_grouped_by_layer() {
        let line = r#"{"type":"pkt","n":7,"src":"10.0.0.1","flags":"SA","rtx":"fast","sni":"a\u001b.org","x":[1,2]}"#;
        let texts: Vec<_> = line_layers(line)
            .into_iter()
            .map(|node| format!("{} {} {}", node.level, node.name, node.value))
            .collect();
        assert_eq!(
            texts,
            [
                "1 Packet ",
                "2 type pkt",
                "2 n 7",
                "1 Network ",
                "2 src 10.0.0.1",
                "1 Transport ",
                "2 flags SA",
                "1 TCP analysis ",
                "2 rtx fast",
                "1 Names ",
                "2 sni a\\u{1b}.org",
                "1 Other ",
                "2 x [1,2]",
            ]
        );
        assert!(line_layers("not JSON").is_empty());
    }
}
