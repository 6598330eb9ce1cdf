//! Fields of the headers of tunnels.

use super::fields::{Fields, bits};
use crate::decode::tzsp_tags_len;

/// Of tunnels without a header.
pub(crate) fn none(_: &mut Fields<'_>) {}

pub(crate) fn vxlan(fields: &mut Fields<'_>) {
    fields.header("VXLAN", 8);
    fields.hex("Flags", 0..16);
    fields.number("Group policy", 16..32);
    fields.number("Network identifier", 32..56);
}

pub(crate) fn vxlan_gpe(fields: &mut Fields<'_>) {
    fields.header("VXLAN-GPE", 8);
    fields.hex("Flags", 0..8);
    fields.number("Next protocol", 24..32);
    fields.number("Network identifier", 32..56);
}

pub(crate) fn geneve(fields: &mut Fields<'_>) {
    let options_len = usize::from(fields.byte(0) & 0x3f) * 4;
    fields.header("Geneve", 8 + options_len);
    fields.number("Version", 0..2);
    fields.number("Options length", 2..8).meaning(format!("{options_len} bytes"));
    fields.flags("Flags", 8..16, &["Control packet", "Critical options"]);
    fields.ether_type("Protocol", 16..32);
    fields.number("Network identifier", 32..56);
    if 0 < options_len {
        fields.octets("Options", bits(8..8 + options_len));
    }
}

pub(crate) fn capwap(fields: &mut Fields<'_>) {
    let len = usize::from(fields.byte(1) >> 3) * 4;
    fields.header("CAPWAP", len);
    fields.number("Version", 0..4);
    fields.number("Type", 4..8);
    fields.number("Header length", 8..13).meaning(format!("{len} bytes"));
    fields.number("Radio", 13..18);
    fields.number("Radio type", 18..23);
    fields.hex("Flags", 23..32);
    fields.number("Fragment", 32..48);
    fields.number("Fragment offset", 48..61);
    if 8 < len {
        fields.octets("Radio information", bits(8..len));
    }
}

/// The headers before an IPv6 packet: authentication, origin.
pub(crate) fn teredo(fields: &mut Fields<'_>) {
    let mut len = 0;
    if [fields.byte(0), fields.byte(1)] == [0, 1] {
        len = 13 + usize::from(fields.byte(2)) + usize::from(fields.byte(3));
    }
    let has_origin = [fields.byte(len), fields.byte(len + 1)] == [0, 0];
    fields.header("Teredo", if has_origin { len + 8 } else { len });
    if 0 < len {
        fields.octets("Authentication", bits(0..len));
    }
    if has_origin {
        fields.octets("Origin", bits(len..len + 8));
    }
}

pub(crate) fn lisp(fields: &mut Fields<'_>) {
    fields.header("LISP", 8);
    fields.hex("Flags", 0..8);
    fields.hex("Nonce or versions", 8..32);
    if fields.byte(0) & 0x08 != 0 {
        fields.number("Instance", 32..56);
    }
}

pub(crate) fn gue(fields: &mut Fields<'_>) {
    fields.header("GUE", 4 + usize::from(fields.byte(0) & 0x1f) * 4);
    fields.number("Header length", 3..8);
    fields.number("Protocol", 8..16);
    fields.hex("Flags", 16..32);
}

pub(crate) fn tzsp(fields: &mut Fields<'_>) {
    let tags = fields.captured().get(4..).unwrap_or_default();
    let len = 4 + tzsp_tags_len(tags).unwrap_or(0);
    fields.header("TZSP", len);
    fields.number("Version", 0..8);
    fields.number("Type", 8..16);
    fields.number("Protocol", 16..32);
    if 4 < len {
        fields.octets("Tags", bits(4..len));
    }
}

pub(crate) fn nsh(fields: &mut Fields<'_>) {
    let len = usize::from(fields.byte(1) & 0x3f) * 4;
    fields.header("NSH", len);
    fields.number("Version", 0..2);
    fields.number("Time to live", 4..10);
    fields.number("Length", 10..16).meaning(format!("{len} bytes"));
    fields.number("Metadata type", 20..24);
    fields.number("Next protocol", 24..32);
    fields.number("Service path", 32..56);
    fields.number("Service index", 56..64);
    if 8 < len {
        fields.octets("Metadata", bits(8..len));
    }
}

pub(crate) fn fabric_path(fields: &mut Fields<'_>) {
    fields.header("FabricPath", 2);
    fields.number("Forwarding tag", 0..10);
    fields.number("Time to live", 10..16);
}

pub(crate) fn ethernet_over_ip(fields: &mut Fields<'_>) {
    fields.header("Ethernet over IP", 8);
    fields.hex("Flags", 0..16);
    fields.ether_type("Protocol", 16..32);
    fields.number("Payload length", 32..48);
    fields.octets("Tunnel", 48..64);
}

/// The control word of a pseudowire.
pub(crate) fn control_word(fields: &mut Fields<'_>) {
    fields.header("Control word", 4);
    fields.hex("Flags", 0..10);
    fields.number("Length", 10..16);
    fields.number("Sequence number", 16..32);
}

pub(crate) fn gtp(fields: &mut Fields<'_>) {
    let has_more = fields.byte(0) & 7 != 0;
    let mut len = if has_more { 12 } else { 8 };
    let mut next = if fields.byte(0) & 4 != 0 { fields.byte(11) } else { 0 };
    while next != 0 && 0 < fields.byte(len) {
        len += usize::from(fields.byte(len)) * 4;
        next = fields.byte(len - 1);
    }
    fields.header("GTP-U", len);
    fields.number("Version", 0..3);
    fields.hex("Flags", 3..8);
    fields.number("Message type", 8..16).meaning("packet");
    fields.number("Length", 16..32);
    fields.hex("Tunnel endpoint identifier", 32..64);
    if has_more {
        fields.number("Sequence number", 64..80);
        fields.number("N-PDU number", 80..88);
        fields.number("Next extension header", 88..96);
    }
    if 12 < len {
        fields.octets("Extension headers", bits(12..len));
    }
}

pub(crate) fn l2tp(fields: &mut Fields<'_>) {
    let flags = fields.byte(0);
    let session_start = if flags & 0x40 != 0 { 4 } else { 2 };
    let sequence_start = session_start + 4;
    let offset_start = sequence_start + if flags & 0x08 != 0 { 4 } else { 0 };
    let padding = fields.number_at(bits(offset_start..offset_start + 2)).unwrap_or(0);
    let has_offset = flags & 0x02 != 0;
    let padding = usize::try_from(padding).unwrap_or(0);
    fields.header("L2TP", offset_start + if has_offset { 2 + padding } else { 0 });
    fields.hex("Flags", 0..12);
    fields.number("Version", 12..16);
    if session_start == 4 {
        fields.number("Length", 16..32);
    }
    fields.number("Tunnel", bits(session_start..session_start + 2));
    fields.number("Session", bits(session_start + 2..sequence_start));
    if offset_start != sequence_start {
        fields.number("Sequence number", bits(sequence_start..sequence_start + 2));
        fields.number("Next sequence number", bits(sequence_start + 2..offset_start));
    }
    if has_offset {
        fields.number("Offset", bits(offset_start..offset_start + 2));
    }
}

/// Version 3, from the byte `START` on. `REST` bytes follow the session: a cookie and a sublayer.
pub(crate) fn l2tp_3<const START: usize, const REST: usize>(fields: &mut Fields<'_>) {
    l2tp_3_of(fields, START, REST);
}

fn l2tp_3_of(fields: &mut Fields<'_>, start: usize, rest_len: usize) {
    let rest_start = start + 4;
    fields.header("L2TP", rest_start + rest_len);
    if 0 < start {
        fields.hex("Flags", 0..12);
        fields.number("Version", 12..16);
    }
    fields.number("Session", bits(start..rest_start));
    if 0 < rest_len {
        fields.octets("Cookie and sublayer", bits(rest_start..rest_start + rest_len));
    }
}

pub(crate) fn gre(fields: &mut Fields<'_>) {
    gre_with(fields, "GRE", 0);
}

/// GRE and the header of ERSPAN type II.
pub(crate) fn erspan_2(fields: &mut Fields<'_>) {
    erspan(fields, 8);
}

/// GRE and the header of ERSPAN type III.
pub(crate) fn erspan_3(fields: &mut Fields<'_>) {
    let start = gre_len(fields);
    let has_more = fields.byte(start + 11) & 1 == 1;
    erspan(fields, if has_more { 20 } else { 12 });
}

fn erspan(fields: &mut Fields<'_>, len: usize) {
    let start = gre_len(fields) * 8;
    gre_with(fields, "GRE and ERSPAN", len);
    fields.number("ERSPAN version", start..start + 4);
    fields.number("Mirrored VLAN", start + 4..start + 16);
    fields.number("Session", start + 22..start + 32);
}

fn gre_len(fields: &Fields<'_>) -> usize {
    let (first, second) = (fields.byte(0), fields.byte(1));
    let optional = [first & 0x80, first & 0x20, first & 0x10, second & 0x80];
    4 + 4 * optional.iter().filter(|flag| **flag != 0).count()
}

fn gre_with(fields: &mut Fields<'_>, name: &'static str, inner_len: usize) {
    let (first, second) = (fields.byte(0), fields.byte(1));
    fields.header(name, gre_len(fields) + inner_len);
    let names = ["Checksum present", "", "Key present", "Sequence number present"];
    fields.flags("Flags", 0..13, &names);
    fields.number("GRE version", 13..16);
    fields.ether_type("Protocol", 16..32);
    let mut start = 4;
    if first & 0x80 != 0 {
        fields.hex("Checksum", bits(start..start + 2));
        start += 4;
    }
    if first & 0x20 != 0 {
        if second & 7 == 1 {
            fields.number("Payload length", bits(start..start + 2));
            fields.number("Call", bits(start + 2..start + 4));
        } else {
            fields.number("Key", bits(start..start + 4));
        }
        start += 4;
    }
    if first & 0x10 != 0 {
        fields.number("GRE sequence number", bits(start..start + 4));
        start += 4;
    }
    if second & 0x80 != 0 {
        fields.number("GRE acknowledgment number", bits(start..start + 4));
    }
}

pub(crate) fn ether_ip(fields: &mut Fields<'_>) {
    fields.header("EtherIP", 2);
    fields.number("Version", 0..4);
}

pub(crate) fn trill(fields: &mut Fields<'_>) {
    let options_len =
        fields.number_at(5..10).and_then(|words| usize::try_from(words).ok()).unwrap_or(0) * 4;
    fields.header("TRILL", 6 + options_len);
    fields.number("Version", 0..2);
    fields.number("Multi-destination", 4..5);
    fields.number("Options length", 5..10).meaning(format!("{options_len} bytes"));
    fields.number("Hop count", 10..16);
    fields.hex("Egress nickname", 16..32);
    fields.hex("Ingress nickname", 32..48);
    if 0 < options_len {
        fields.octets("Options", bits(6..6 + options_len));
    }
}

pub(crate) fn pbb(fields: &mut Fields<'_>) {
    fields.header("802.1ah", 4);
    fields.number("Priority", 0..3);
    fields.number("Drop eligible", 3..4);
    fields.number("Service instance", 8..32);
}

pub(crate) fn cmd(fields: &mut Fields<'_>) {
    fields.header("Cisco metadata", 8);
    fields.number("Version", 0..8);
    fields.number("Length", 8..16);
    fields.number("Option type", 20..32);
    fields.number("Security group tag", 32..48);
    fields.ether_type("EtherType", 48..64);
}

pub(crate) fn vn_tag(fields: &mut Fields<'_>) {
    fields.header("VN-Tag", 6);
    fields.number("Direction", 0..1);
    fields.number("Pointer", 1..2);
    fields.number("Destination", 2..16);
    fields.number("Looped", 16..17);
    fields.number("Version", 18..20);
    fields.number("Source", 20..32);
    fields.ether_type("EtherType", 32..48);
}

pub(crate) fn e_tag(fields: &mut Fields<'_>) {
    fields.header("E-Tag", 8);
    fields.number("Priority", 0..3);
    fields.number("Drop eligible", 3..4);
    fields.number("Ingress channel", 4..16);
    fields.number("Group", 18..20);
    fields.number("Channel", 20..32);
    fields.number("Ingress channel extension", 32..40);
    fields.number("Channel extension", 40..48);
    fields.ether_type("EtherType", 48..64);
}

/// The tag of high-availability seamless redundancy (IEC 62439-3).
pub(crate) fn hsr(fields: &mut Fields<'_>) {
    fields.header("HSR", 6);
    fields.number("Path", 0..4);
    fields.number("Length", 4..16);
    fields.number("Sequence number", 16..32);
    fields.ether_type("EtherType", 32..48);
}
