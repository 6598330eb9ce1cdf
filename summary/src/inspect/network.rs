//! Fields of ARP and of IP headers.

use super::fields::{Fields, bits};
use super::options;

pub(crate) fn arp(fields: &mut Fields<'_>) {
    let [hardware, protocol] = [4, 5].map(|index| usize::from(fields.byte(index)));
    fields.header("ARP", 8 + 2 * (hardware + protocol));
    fields.number("Hardware type", 0..16);
    fields.ether_type("Protocol type", 16..32);
    fields.number("Hardware address length", 32..40);
    fields.number("Protocol address length", 40..48);
    let meaning = match fields.number_at(48..64) {
        Some(1) => "request",
        Some(2) => "reply",
        Some(3) => "reverse request",
        Some(4) => "reverse reply",
        _ => "",
    };
    fields.number("Operation", 48..64).meaning(meaning).key("arp_op");
    let mut start = 8;
    for (name, len, key) in [
        ("Sender hardware address", hardware, None),
        ("Sender protocol address", protocol, Some("src")),
        ("Target hardware address", hardware, None),
        ("Target protocol address", protocol, Some("dst")),
    ] {
        let range = bits(start..start + len);
        match (len, key) {
            (0, _) => {}
            (4 | 16, Some(key)) => _ = fields.address(name, range).key(key),
            (6, None) => _ = fields.address(name, range),
            _ => _ = fields.octets(name, range),
        }
        start += len;
    }
}

pub(crate) fn ipv4(fields: &mut Fields<'_>) {
    let len = usize::from(fields.byte(0) & 0xf) * 4;
    fields.header("IPv4", len.max(20));
    fields.number("Version", 0..4);
    fields.number("Header length", 4..8).meaning(format!("{len} bytes"));
    fields.number("DSCP", 8..14);
    fields.number("ECN", 14..16);
    fields.number("Total length", 16..32);
    fields.hex("Identification", 32..48);
    fields.flags("Flags", 48..51, &["Reserved", "Don't fragment", "More fragments"]);
    let fragment = fields.number_at(48..64).unwrap_or(0);
    let offset = fragment & 0x1fff;
    let added = fields.add("Fragment offset", 51..64, (offset * 8).to_string());
    if fragment & 0x3fff != 0 {
        added.key("frag");
    }
    fields.number("Time to live", 64..72).key("ttl");
    fields.ip_protocol("Protocol", 72..80);
    fields.hex("Header checksum", 80..96);
    fields.address("Source", 96..128).key("src");
    fields.address("Destination", 128..160).key("dst");
    options::list(fields, 20, options::ipv4);
}

pub(crate) fn ipv6(fields: &mut Fields<'_>) {
    fields.header("IPv6", 40);
    fields.number("Version", 0..4);
    fields.number("DSCP", 4..10);
    fields.number("ECN", 10..12);
    fields.hex("Flow label", 12..32);
    fields.number("Payload length", 32..48);
    fields.ip_protocol("Next header", 48..56);
    fields.number("Hop limit", 56..64).key("ttl");
    fields.address("Source", 64..192).key("src");
    fields.address("Destination", 192..320).key("dst");
}

pub(crate) fn hop_by_hop(fields: &mut Fields<'_>) {
    extension_header(fields, "IPv6 hop-by-hop options");
}

pub(crate) fn routing(fields: &mut Fields<'_>) {
    extension_header(fields, "IPv6 routing");
    fields.number("Routing type", 16..24);
    fields.number("Segments left", 24..32);
}

pub(crate) fn destination_options(fields: &mut Fields<'_>) {
    extension_header(fields, "IPv6 destination options");
}

/// An extension header of which only the common fields are listed.
pub(crate) fn extension(fields: &mut Fields<'_>) {
    extension_header(fields, "IPv6 extension header");
}

fn extension_header(fields: &mut Fields<'_>, name: &'static str) {
    let len = (usize::from(fields.byte(1)) + 1) * 8;
    fields.header(name, len);
    fields.ip_protocol("Next header", 0..8);
    fields.number("Header length", 8..16).meaning(format!("{len} bytes"));
}

pub(crate) fn fragment(fields: &mut Fields<'_>) {
    fields.header("IPv6 fragment", 8);
    fields.ip_protocol("Next header", 0..8);
    let field = fields.number_at(16..32).unwrap_or(0);
    let added = fields.add("Fragment offset", 16..29, (field & !7).to_string());
    // If offset and flag are zero, the packet is complete (RFC 6946).
    if field & !6 != 0 {
        added.key("frag");
    }
    fields.number("More fragments", 31..32);
    fields.hex("Identification", 32..64);
}

pub(crate) fn authentication(fields: &mut Fields<'_>) {
    let len = (usize::from(fields.byte(1)) + 2) * 4;
    fields.header("Authentication header", len);
    fields.ip_protocol("Next header", 0..8);
    fields.number("Payload length", 8..16).meaning(format!("{len} bytes"));
    fields.hex("Security parameters index", 32..64);
    fields.number("Sequence number", 64..96);
    fields.octets("Integrity check value", 96..len * 8);
}
