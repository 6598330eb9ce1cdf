//! Fields of local networks other than Ethernet and IEEE 802.11.

use super::fields::{Fields, bits};
use crate::decode::{docsis_extension_len, route_len};

pub(crate) fn token_ring(fields: &mut Fields<'_>) {
    let route_len = route_len(fields.captured());
    fields.header("Token Ring", 14 + route_len);
    fields.hex("Access control", 0..8);
    fields.hex("Frame control", 8..16);
    fields.address("Destination", 16..64).key("eth_dst");
    fields.address("Source", 64..112).key("eth_src");
    if 0 < route_len {
        fields.octets("Route", bits(14..14 + route_len));
    }
}

/// The protocol is at the byte `OFFSET`.
pub(crate) fn arcnet<const OFFSET: usize>(fields: &mut Fields<'_>) {
    let protocol = fields.byte(OFFSET);
    let is_old = matches!(protocol, 128 | 240 | 241);
    fields.header("ARCnet", OFFSET + if is_old { 1 } else { 4 });
    fields.number("Source", 0..8);
    fields.number("Destination", 8..16);
    fields.number("Protocol", bits(OFFSET..OFFSET + 1));
    if !is_old {
        fields.hex("Split flag", bits(OFFSET + 1..OFFSET + 2));
        fields.number("Sequence number", bits(OFFSET + 2..OFFSET + 4));
    }
}

pub(crate) fn docsis(fields: &mut Fields<'_>) {
    let extension_len = docsis_extension_len(fields.captured());
    fields.header("DOCSIS", 6 + extension_len);
    fields.number("Frame type", 0..2);
    fields.number("Parameter", 2..7);
    fields.number("Extended header present", 7..8);
    fields.number("Header parameter", 8..16);
    fields.number("Length", 16..32);
    if 0 < extension_len {
        fields.octets("Extended header", bits(4..4 + extension_len));
    }
    fields.hex("Header checksum", bits(4 + extension_len..6 + extension_len));
}
