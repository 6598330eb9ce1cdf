//! Decides which fields of the headers are fields of the packet's line.

use super::Layer;
use crate::{Address, PayloadNames, Summary, Tcp};

/// Removes the keys of fields that the line of this packet does not have, or has with another value:
/// those of a header that was not decoded, because it is incomplete or wrong.
pub(super) fn retain_valid(layers: &mut [Layer], summary: &Summary<'_>, names: &PayloadNames<'_>) {
    for field in layers.iter_mut().flat_map(|layer| &mut layer.fields) {
        field.key = field.key.filter(|key| is_value(key, &field.value, summary, names));
    }
}

/// Whether the line has this value for this key. A list has each of its elements.
fn is_value(key: &str, value: &str, summary: &Summary<'_>, names: &PayloadNames<'_>) -> bool {
    let number = |number: Option<u32>| number.map(|number| number.to_string());
    let expected = match key {
        "vlan" => return summary.vlan.as_slice().iter().any(|id| id.to_string() == value),
        "eth_src" => summary.eth_src.map(|mac| Address::Mac(mac).to_string()),
        "eth_dst" => summary.eth_dst.map(|mac| Address::Mac(mac).to_string()),
        "src" => summary.src.map(|address| Address::from(address).to_string()),
        "dst" => summary.dst.map(|address| Address::from(address).to_string()),
        "outer_src" => summary.outer_src.map(|address| Address::from(address).to_string()),
        "outer_dst" => summary.outer_dst.map(|address| Address::from(address).to_string()),
        "sport" => number(summary.sport.map(u32::from)),
        "dport" => number(summary.dport.map(u32::from)),
        "ttl" => number(summary.ttl.map(u32::from)),
        "frag" => number(summary.frag.map(u32::from)),
        "flags" => summary.tcp.flags.map(Tcp::flag_letters),
        "seq" => number(summary.tcp.seq),
        "ack" => number(summary.tcp.ack),
        "win" => number(summary.tcp.win.map(u32::from)),
        "icmp_type" => number(summary.icmp_type.map(u32::from)),
        "icmp_code" => number(summary.icmp_code.map(u32::from)),
        "icmp_src" => summary.icmp_quote.src.map(|address| address.to_string()),
        "icmp_dst" => summary.icmp_quote.dst.map(|address| address.to_string()),
        "icmp_sport" => number(summary.icmp_quote.sport.map(u32::from)),
        "icmp_dport" => number(summary.icmp_quote.dport.map(u32::from)),
        "arp_op" => number(summary.arp_op.map(u32::from)),
        "dns" => names.dns.as_ref().map(|(name, _)| name.to_string()),
        "dns_type" => names.dns.as_ref().map(|(_, kind)| kind.to_string()),
        "sni" => names.sni.as_deref().map(str::to_owned),
        "http_method" => names.http_method.as_deref().map(str::to_owned),
        "http_path" => names.http_path.as_deref().map(str::to_owned),
        "http_status" => number(names.http_status.map(u32::from)),
        "http_host" => names.http_host.as_deref().map(str::to_owned),
        "quic" => names.quic.map(|version| format!("{version:#010x}")),
        _ => None,
    };
    expected.is_some_and(|expected| expected == value)
}
