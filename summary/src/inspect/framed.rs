//! Fields of link headers of a fixed form.

use super::fields::{Fields, bits};

pub(crate) fn slip<const LEN: usize>(fields: &mut Fields<'_>) {
    fields.header("SLIP", LEN);
    fields.hex("Direction", 0..8);
}

pub(crate) fn fibre_channel(fields: &mut Fields<'_>) {
    fields.header("Fibre Channel", 16);
    fields.octets("Destination", bits(0..8));
    fields.octets("Source", bits(8..16));
}

pub(crate) fn infiniband(fields: &mut Fields<'_>) {
    fields.header("IP over InfiniBand", 44);
    fields.octets("Source", bits(8..24));
    fields.octets("Destination", bits(24..40));
    fields.ether_type("EtherType", bits(40..42));
}

pub(crate) fn ipnet(fields: &mut Fields<'_>) {
    fields.header("Solaris IPNET", 24);
    fields.number("Version", 0..8);
    fields.number("Address family", 8..16);
    fields.number("Length", 32..64);
}

/// The tag has four bytes.
pub(crate) fn short_tag(fields: &mut Fields<'_>) {
    tag(fields, 4);
}

/// The tag has eight bytes.
pub(crate) fn long_tag(fields: &mut Fields<'_>) {
    tag(fields, 8);
}

fn tag(fields: &mut Fields<'_>, len: usize) {
    fields.header("Ethernet with switch tag", 14 + len);
    fields.address("Destination", 0..48).key("eth_dst");
    fields.address("Source", 48..96).key("eth_src");
    fields.octets("Switch tag", bits(12..12 + len));
    fields.ether_type("EtherType", bits(12 + len..14 + len));
}

pub(crate) fn tag_before(fields: &mut Fields<'_>) {
    fields.header("Switch tag", 4);
    fields.octets("Switch tag", bits(0..4));
}

pub(crate) fn ieee1394(fields: &mut Fields<'_>) {
    fields.header("IP over IEEE 1394", 18);
    fields.octets("Destination", bits(0..8));
    fields.octets("Source", bits(8..16));
    fields.ether_type("EtherType", bits(16..18));
}

/// The strings that follow are not fields.
pub(crate) fn vpp(fields: &mut Fields<'_>) {
    fields.header("VPP dispatch trace", 8);
    fields.number("Major version", 0..8);
    fields.number("Minor version", 8..16);
    fields.number("Number of strings", 16..24);
    fields.number("Protocol", 24..32);
    fields.hex("Buffer", 32..64);
}
