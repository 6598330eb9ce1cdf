//! Packets as plain records, for the page: it needs no reader of a file format.

use crate::line_formatter::CapturedPacket;

/// Bytes of a record before those of the packet.
const HEADER_LEN: usize = 20;

/// A record for each packet, with big-endian numbers: its number (8 bytes), its LINKTYPE_ number, its length on
/// the wire and the number of its captured bytes (4 bytes each), and the captured bytes.
pub(super) fn encode<'a>(packets: impl Iterator<Item = (u64, CapturedPacket<'a>)>) -> Vec<u8> {
    let mut out = Vec::new();
    for (n, CapturedPacket { link, wire_len, bytes, .. }) in packets {
        let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        out.reserve(HEADER_LEN + bytes.len());
        out.extend(n.to_be_bytes());
        [u32::from(link.0), wire_len, len].iter().for_each(|value| out.extend(value.to_be_bytes()));
        out.extend_from_slice(bytes);
    }
    out
}
