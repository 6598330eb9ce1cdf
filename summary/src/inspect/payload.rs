//! Fields of the messages in which names are found.

use super::fields::{Fields, bits, text};

/// Name, start and length in bytes of the counts of a DNS header.
const DNS_COUNTS: [(&str, usize); 4] =
    [("Questions", 4), ("Answers", 6), ("Authority records", 8), ("Additional records", 10)];

/// The header of a DNS message (RFC 1035, section 4.1.1; RFC 4035, section 3).
pub(crate) fn dns(fields: &mut Fields<'_>) {
    fields.header("DNS", 12);
    fields.hex("Identification", 0..16);
    let kind = if fields.byte(2) & 0x80 == 0 { "query" } else { "response" };
    let code = match fields.byte(3) & 0xf {
        0 => "no error",
        1 => "format error",
        2 => "server failure",
        3 => "no such name",
        4 => "not implemented",
        5 => "refused",
        _ => "",
    };
    fields.number("Response", 16..17).meaning(kind);
    fields.number("Operation", 17..21);
    for (name, bit) in [
        ("Authoritative answer", 21),
        ("Truncated", 22),
        ("Recursion desired", 23),
        ("Recursion available", 24),
        ("Authentic data", 26),
        ("Checking disabled", 27),
    ] {
        fields.number(name, bit..bit + 1);
    }
    fields.number("Response code", 28..32).meaning(code);
    for (name, start) in DNS_COUNTS {
        fields.number(name, bits(start..start + 2));
    }
}

/// The first record of a TLS message (RFC 8446, sections 4 and 5.1).
pub(crate) fn tls(fields: &mut Fields<'_>) {
    let is_handshake = fields.byte(0) == 22;
    fields.header("TLS", if is_handshake { 9 } else { 5 });
    let content = match fields.byte(0) {
        20 => "change cipher spec",
        22 => "handshake",
        _ => "",
    };
    fields.number("Content type", 0..8).meaning(content);
    tls_version(fields, "Record version", 1);
    fields.number("Record length", 24..40);
    if !is_handshake {
        return;
    }
    let kind = match fields.byte(5) {
        1 => "client hello",
        2 => "server hello",
        4 => "new session ticket",
        11 => "certificate",
        12 => "server key exchange",
        14 => "server hello done",
        16 => "client key exchange",
        _ => return, // encrypted, or another part of a message
    };
    fields.number("Handshake type", 40..48).meaning(kind);
    fields.number("Handshake length", 48..72);
    if matches!(fields.byte(5), 1 | 2) {
        fields.header("TLS", 43);
        tls_version(fields, "Version", 9);
        fields.octets("Random", bits(11..43));
    }
}

fn tls_version(fields: &mut Fields<'_>, name: &'static str, start: usize) {
    let meaning = match (fields.byte(start), fields.byte(start + 1)) {
        (3, 0) => "SSL 3.0",
        (3, 1) => "TLS 1.0",
        (3, 2) => "TLS 1.1",
        (3, 3) => "TLS 1.2",
        (3, 4) => "TLS 1.3",
        _ => "",
    };
    fields.hex(name, bits(start..start + 2)).meaning(meaning);
}

/// The first line and the fields of an HTTP/1 message, as far as they were captured.
pub(crate) fn http(fields: &mut Fields<'_>) {
    let bytes = fields.captured();
    let len = find(bytes, b"\r\n\r\n").map_or(bytes.len(), |end| end + 4);
    fields.header("HTTP", len);
    let mut start = 0;
    while let Some(end) = find(&bytes[start..len], b"\r\n").filter(|end| 0 < *end) {
        let line = &bytes[start..start + end];
        let range = bits(start..start + end);
        let colon = line.iter().position(|byte| *byte == b':');
        match colon.filter(|colon| 0 < start && 0 < *colon) {
            // The decoder adds the host.
            Some(colon) if line[..colon].eq_ignore_ascii_case(b"host") => {}
            Some(colon) => {
                let value = text(line[colon + 1..].trim_ascii());
                fields.add(text(&line[..colon]), range, value);
            }
            None if start == 0 => {
                let name = if line.starts_with(b"HTTP/") { "Response" } else { "Request" };
                fields.add(name, range, text(line));
            }
            None => _ = fields.add("Invalid field", range, text(line)),
        }
        start += end + 2;
    }
}

/// A QUIC packet with a long header (RFC 8999, section 5.1).
pub(crate) fn quic(fields: &mut Fields<'_>) {
    let destination_len = usize::from(fields.byte(5));
    let source_start = 6 + destination_len;
    let source_len = usize::from(fields.byte(source_start));
    fields.header("QUIC", source_start + 1 + source_len);
    fields.number("Long header", 0..1);
    fields.hex("Version", 8..40).key("quic");
    fields.number("Destination connection ID length", 40..48);
    id(fields, "Destination connection ID", 6, destination_len);
    fields.number("Source connection ID length", bits(source_start..source_start + 1));
    id(fields, "Source connection ID", source_start + 1, source_len);
}

fn id(fields: &mut Fields<'_>, name: &'static str, start: usize, len: usize) {
    if 0 < len {
        fields.octets(name, bits(start..start + len));
    }
}

fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
