//! Fields of link headers, and of headers between the link and the network layer.

use super::fields::{Fields, bits};

/// Largest IEEE 802.3 length: larger values of the same field are an EtherType.
const MAX_802_3_LEN: u64 = 1500;

pub(crate) fn ethernet(fields: &mut Fields<'_>) {
    fields.header("Ethernet", 14);
    fields.address("Destination", 0..48).key("eth_dst");
    fields.address("Source", 48..96).key("eth_src");
    type_or_len(fields, 96..112);
}

pub(crate) fn vlan(fields: &mut Fields<'_>) {
    fields.header("802.1Q", 4);
    fields.number("Priority", 0..3);
    fields.number("Drop eligible", 3..4);
    fields.number("VLAN", 4..16).key("vlan");
    type_or_len(fields, 16..32);
}

fn type_or_len(fields: &mut Fields<'_>, bits: std::ops::Range<usize>) {
    match fields.number_at(bits.clone()) {
        Some(..=MAX_802_3_LEN) => fields.number("Length", bits),
        _ => fields.ether_type("EtherType", bits),
    };
}

/// Linux cooked capture, version 1.
pub(crate) fn cooked_v1(fields: &mut Fields<'_>) {
    fields.header("Linux cooked capture v1", 16);
    packet_type(fields, 0..16);
    fields.number("ARPHRD type", 16..32);
    cooked_address(fields, 32..48, 6);
    fields.ether_type("Protocol", 112..128);
}

/// Linux cooked capture, version 2.
pub(crate) fn cooked_v2(fields: &mut Fields<'_>) {
    fields.header("Linux cooked capture v2", 20);
    fields.ether_type("Protocol", 0..16);
    fields.number("Interface index", 32..64);
    fields.number("ARPHRD type", 64..80);
    packet_type(fields, 80..88);
    cooked_address(fields, 88..96, 12);
}

/// The direction of a cooked packet (`sll_pkttype` of packet(7)).
fn packet_type(fields: &mut Fields<'_>, bits: std::ops::Range<usize>) {
    let meaning = match fields.number_at(bits.clone()) {
        Some(0) => "to this host",
        Some(1) => "broadcast",
        Some(2) => "multicast",
        Some(3) => "to another host",
        Some(4) => "from this host",
        _ => "",
    };
    fields.number("Packet type", bits).meaning(meaning);
}

/// The length of an address, and the address at that offset in bytes. Headers have room for 8 bytes.
fn cooked_address(fields: &mut Fields<'_>, len_bits: std::ops::Range<usize>, offset: usize) {
    fields.number("Address length", len_bits);
    // The low byte, as in the decoder.
    match usize::from(fields.byte(offset - 1)) {
        6 => _ = fields.address("Source", bits(offset..offset + 6)).key("eth_src"),
        len @ 1..=8 => _ = fields.octets("Source", bits(offset..offset + len)),
        _ => {}
    }
}

/// BSD loopback.
pub(crate) fn loopback(fields: &mut Fields<'_>) {
    fields.header("BSD loopback", 4);
    fields.hex("Address family", 0..32);
}

pub(crate) fn llc(fields: &mut Fields<'_>) {
    fields.header("LLC", 3);
    fields.hex("Destination service access point", 0..8);
    fields.hex("Source service access point", 8..16);
    fields.hex("Control", 16..24);
}

pub(crate) fn snap(fields: &mut Fields<'_>) {
    fields.header("SNAP", 5);
    fields.octets("Organization code", 0..24);
    match fields.number_at(0..24) {
        Some(0 | 0xf8) => fields.ether_type("EtherType", 24..40),
        _ => fields.hex("Protocol", 24..40),
    };
}

pub(crate) fn mpls(fields: &mut Fields<'_>) {
    fields.header("MPLS", 4);
    fields.number("Label", 0..20);
    fields.number("Traffic class", 20..23);
    fields.number("Bottom of stack", 23..24);
    fields.number("Time to live", 24..32);
}

pub(crate) fn ppp_bsdos(fields: &mut Fields<'_>) {
    fields.header("PPP of BSD/OS", 24);
    fields.hex("Protocol", 40..56);
}

/// Address and control fields of PPP in HDLC-like framing.
pub(crate) fn ppp_framing(fields: &mut Fields<'_>) {
    fields.header("PPP framing", 2);
    fields.hex("Address", 0..8);
    fields.hex("Control", 8..16);
}

/// The protocol field of PPP, of one or two bytes.
pub(crate) fn ppp(fields: &mut Fields<'_>) {
    let len = if fields.byte(0) & 1 == 1 { 1 } else { 2 };
    fields.header("PPP", len);
    let meaning = match fields.number_at(bits(0..len)) {
        Some(0x21) => "ipv4",
        Some(0x57) => "ipv6",
        Some(0x281) => "mpls",
        Some(0x283) => "mpls-multicast",
        Some(0xc021) => "lcp",
        Some(0x8021) => "ipcp",
        _ => "",
    };
    fields.hex("Protocol", bits(0..len)).meaning(meaning);
}

pub(crate) fn pppoe(fields: &mut Fields<'_>) {
    fields.header("PPPoE", 6);
    fields.number("Version", 0..4);
    fields.number("Type", 4..8);
    fields.hex("Code", 8..16);
    fields.hex("Session", 16..32);
    fields.number("Length", 32..48);
}

pub(crate) fn radiotap(fields: &mut Fields<'_>) {
    let len = u16::from_le_bytes([fields.byte(2), fields.byte(3)]);
    fields.header("Radiotap", usize::from(len).max(8));
    fields.number("Version", 0..8);
    fields.add("Length", 16..32, len.to_string());
    let present = [4, 5, 6, 7].map(|index| fields.byte(index));
    fields.add("Present fields", 32..64, format!("{:#010x}", u32::from_le_bytes(present)));
}

/// IEEE 802.11. Multi-byte fields are little-endian.
pub(crate) fn wlan(fields: &mut Fields<'_>) {
    wlan_with(fields, false);
}

/// A frame whose frame control field has its bytes exchanged.
pub(crate) fn wlan_swapped(fields: &mut Fields<'_>) {
    wlan_with(fields, true);
}

fn wlan_with(fields: &mut Fields<'_>, is_swapped: bool) {
    let [control_at, flags_at] = if is_swapped { [1, 0] } else { [0, 1] };
    let (control, flags) = (fields.byte(control_at), fields.byte(flags_at));
    let (kind, subtype) = (control >> 2 & 3, control >> 4);
    let start = control_at * 8;
    let has_one_address = kind == 1 && matches!(subtype, 12 | 13);
    let is_data = kind == 2;
    let fourth_end = if is_data && flags & 3 == 3 { 30 } else { 24 };
    let has_qos = is_data && subtype & 8 != 0;
    let len = match kind {
        1 if has_one_address => 10,
        1 => 16,
        _ if has_qos => fourth_end + if flags & 0x80 != 0 { 6 } else { 2 },
        _ => fourth_end,
    };
    fields.header("802.11", len);
    let name = ["management", "control", "data", "extension"][usize::from(kind)];
    fields.number("Version", start + 6..start + 8);
    fields.number("Type", start + 4..start + 6).meaning(name);
    fields.number("Subtype", start..start + 4);
    fields.flags(
        "Flags",
        flags_at * 8..flags_at * 8 + 8,
        &[
            "Order",
            "Protected",
            "More data",
            "Power management",
            "Retry",
            "More fragments",
            "From DS",
            "To DS",
        ],
    );
    let duration = u16::from_le_bytes([fields.byte(2), fields.byte(3)]);
    fields.add("Duration", 16..32, duration.to_string());
    // Which address is the source and which the destination (IEEE Std 802.11-2020, table 9-30).
    let keys = match (kind, flags & 3) {
        (2, 1) => ["", "eth_src", "eth_dst", ""],
        (2, 2) => ["eth_dst", "", "eth_src", ""],
        (2, 3) => ["", "", "eth_dst", "eth_src"],
        _ => ["eth_dst", if has_one_address { "" } else { "eth_src" }, "", ""],
    };
    let names = ["Address 1", "Address 2", "Address 3", "Address 4"];
    for ((name, key), start) in names.into_iter().zip(keys).zip([4, 10, 16, 24]) {
        if start + 6 <= fourth_end && start + 6 <= len {
            let added = fields.address(name, bits(start..start + 6));
            if !key.is_empty() {
                added.key(key);
            }
        }
    }
    if kind != 1 {
        let sequence = u16::from_le_bytes([fields.byte(22), fields.byte(23)]);
        fields.add("Fragment number", 180..184, (sequence & 0xf).to_string());
        fields.add("Sequence number", 176..192, (sequence >> 4).to_string());
    }
    if has_qos {
        let control = [fields.byte(fourth_end), fields.byte(fourth_end + 1)];
        let value = format!("{:#06x}", u16::from_le_bytes(control));
        fields.add("QoS control", bits(fourth_end..fourth_end + 2), value);
    }
}
