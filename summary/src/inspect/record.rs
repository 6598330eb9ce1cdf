//! Fields of headers that devices write before the frames they capture.

use super::fields::{Fields, bits};
use crate::decode::{erf_header, juniper_len};

pub(crate) fn erf(fields: &mut Fields<'_>) {
    let len = erf_header(fields.captured()).map_or(16, |(_, len)| len);
    fields.header("ERF", len);
    fields.octets("Time", bits(0..8));
    fields.number("Type", 65..72);
    fields.hex("Flags", 72..80);
    fields.number("Record length", 80..96);
    fields.number("Losses", 96..112);
    fields.number("Length", 112..128);
    if 16 < len {
        fields.octets("Further headers", bits(16..len));
    }
}

pub(crate) fn juniper(fields: &mut Fields<'_>) {
    let len = juniper_len(fields.captured()).unwrap_or(4);
    fields.header("Juniper", len);
    fields.octets("Magic", bits(0..3));
    fields.hex("Flags", 24..32);
    if 4 < len {
        fields.octets("Extensions", bits(4..len));
    }
}
