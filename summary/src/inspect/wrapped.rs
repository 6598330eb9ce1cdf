//! Fields of link headers that say what follows them.

use super::fields::{Fields, bits};
use std::ops::Range;

/// Family, version and resource; the attributes up to the packet.
pub(crate) fn nflog(fields: &mut Fields<'_>) {
    fields.header("NFLOG", 4);
    fields.number("Address family", 0..8);
    fields.number("Version", 8..16);
    fields.number("Resource", 16..32);
}

pub(crate) fn ppi(fields: &mut Fields<'_>) {
    let len = u16::from_le_bytes([fields.byte(2), fields.byte(3)]);
    fields.header("PPI", usize::from(len).max(8));
    fields.number("Version", 0..8);
    fields.hex("Flags", 8..16);
    fields.add("Length", 16..32, len.to_string());
    little_endian(fields, "Link type", 32..64);
}

pub(crate) fn pktap(fields: &mut Fields<'_>) {
    let len = fields.bytes_at(0..32).and_then(|bytes| bytes.try_into().ok());
    let len = usize::try_from(u32::from_le_bytes(len.unwrap_or_default())).unwrap_or(usize::MAX);
    fields.header("PKTAP", len.max(108));
    little_endian(fields, "Length", 0..32);
    little_endian(fields, "Next header", 32..64);
    little_endian(fields, "Link type", 64..96);
}

/// A number of 32 bits.
fn little_endian(fields: &mut Fields<'_>, name: &'static str, bits: Range<usize>) {
    let number = fields.bytes_at(bits.clone()).and_then(|bytes| bytes.try_into().ok());
    if let Some(number) = number.map(u32::from_le_bytes) {
        fields.add(name, bits, number.to_string());
    }
}

/// The header of Prism cards, which has a fixed length, or of AVS, which contains its length.
pub(crate) fn prism(fields: &mut Fields<'_>) {
    let is_avs = fields.number_at(0..24) == Some(0x80_2110);
    if !is_avs {
        fields.header("Prism", 144);
        fields.hex("Message", 0..32);
        return;
    }
    let len = fields.number_at(32..64).and_then(|len| usize::try_from(len).ok());
    fields.header("AVS", len.unwrap_or(8).max(8));
    fields.hex("Magic", 0..32);
    fields.number("Length", 32..64);
}

pub(crate) fn enc(fields: &mut Fields<'_>) {
    fields.header("ENC", 12);
    fields.hex("Address family", 0..32);
    fields.hex("Security parameters index", 32..64);
    fields.hex("Flags", 64..96);
}

pub(crate) fn pflog(fields: &mut Fields<'_>) {
    let len = usize::from(fields.byte(0)).next_multiple_of(4);
    fields.header("Packet filter log", len.max(48));
    fields.number("Length", 0..8);
    fields.number("Address family", 8..16);
    fields.number("Action", 16..24);
    fields.number("Reason", 24..32);
}

pub(crate) fn fddi(fields: &mut Fields<'_>) {
    fields.header("FDDI", 13);
    fields.hex("Frame control", 0..8);
    fields.address("Destination", 8..56).key("eth_dst");
    fields.address("Source", 56..104).key("eth_src");
}

pub(crate) fn direction(fields: &mut Fields<'_>) {
    fields.header("Direction", 1);
    let meaning = if fields.byte(0) == 0 { "received" } else { "sent" };
    fields.hex("Direction", 0..8).meaning(meaning);
}

pub(crate) fn cisco_hdlc(fields: &mut Fields<'_>) {
    fields.header("Cisco HDLC", 4);
    fields.hex("Address", 0..8);
    fields.hex("Control", 8..16);
    fields.ether_type("Protocol", 16..32);
}

/// The address, and the control and protocol fields of RFC 2427 or the EtherType.
pub(crate) fn frame_relay(fields: &mut Fields<'_>) {
    let address_len = (0..4).find(|index| fields.byte(*index) & 1 == 1).map_or(4, |end| end + 1);
    let [control, first, second] = [0, 1, 2].map(|index| fields.byte(address_len + index));
    let rest_len = match (control, first, second) {
        (3, 0, 0x80) => 8,
        (3, 0x80, _) => 7,
        _ => 2,
    };
    fields.header("Frame relay", address_len + rest_len);
    fields.octets("Address", bits(0..address_len));
    if control == 3 {
        fields.hex("Control", bits(address_len..address_len + 1));
        fields.hex("Protocol identifier", bits(address_len + 1..address_len + 2));
    } else {
        fields.ether_type("Protocol", bits(address_len..address_len + 2));
    }
}
