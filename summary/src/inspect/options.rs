//! Options of IPv4 (RFC 791, section 3.1) and TCP (RFC 9293, section 3.2): a kind, and for all but two
//! kinds a length and data.

use super::fields::{Fields, bits, hex_digits};
use std::ops::Range;

const END: u8 = 0;
const NO_OPERATION: u8 = 1;

/// Name and value of an option, from its kind and its data.
pub(super) type Describe = fn(u8, &[u8]) -> (&'static str, String);

/// Lists the options from byte `start` to the end of the header. An option with an impossible length
/// ends the list.
pub(super) fn list(fields: &mut Fields<'_>, start: usize, describe: Describe) {
    let header = fields.header_bytes();
    let mut offset = start;
    while let Some(&[kind, ref rest @ ..]) = header.get(offset..) {
        let len = match kind {
            END | NO_OPERATION => 1,
            _ => rest.first().map_or(0, |len| usize::from(*len)),
        };
        let range = offset..offset + len;
        match (kind, header.get(range.clone())) {
            (END, _) => _ = add(fields, "End of options", range, String::new()),
            (NO_OPERATION, _) => _ = add(fields, "No operation", range, String::new()),
            (_, Some([_, _, data @ ..])) => {
                let (name, value) = describe(kind, data);
                if name.is_empty() {
                    add(fields, "Option", range, kind.to_string()).meaning(hex_digits(data));
                } else {
                    add(fields, name, range, value);
                }
            }
            _ => return,
        }
        if kind == END {
            return;
        }
        offset += len;
    }
}

fn add<'f>(
    fields: &'f mut Fields<'_>,
    name: &'static str,
    bytes: Range<usize>,
    value: String,
) -> super::fields::Added<'f> {
    fields.add(name, bits(bytes), value)
}

/// Names of IPv4 options (IANA "IP Option Numbers").
pub(super) fn ipv4(kind: u8, data: &[u8]) -> (&'static str, String) {
    let name = match kind {
        7 => "Record route",
        68 => "Timestamps",
        130 => "Security",
        131 => "Loose source route",
        137 => "Strict source route",
        148 => "Router alert",
        _ => "",
    };
    (name, hex_digits(data))
}

/// Names of TCP options (IANA "TCP Option Kind Numbers").
pub(super) fn tcp(kind: u8, data: &[u8]) -> (&'static str, String) {
    let words = || {
        let words = data.chunks_exact(4).filter_map(<[u8]>::first_chunk);
        words.map(|word| u32::from_be_bytes(*word).to_string()).collect::<Vec<_>>()
    };
    match (kind, data) {
        (2, &[high, low]) => ("Maximum segment size", u16::from_be_bytes([high, low]).to_string()),
        (3, [shift]) => ("Window scale", shift.to_string()),
        (4, []) => ("SACK permitted", String::new()),
        (5, [_, ..]) => {
            ("SACK", words().chunks(2).map(|edges| edges.join("-")).collect::<Vec<_>>().join(" "))
        }
        (8, data) if data.len() == 8 => ("Timestamps", words().join(" ")),
        (19, _) => ("MD5 signature", hex_digits(data)),
        (28, _) => ("User timeout", hex_digits(data)),
        (29, _) => ("Authentication", hex_digits(data)),
        (30, _) => ("Multipath TCP", hex_digits(data)),
        (34, _) => ("Fast Open cookie", hex_digits(data)),
        _ => ("", String::new()),
    }
}
