//! JA4 fingerprints of TLS clients.
//!
//! Specified in <https://github.com/FoxIO-LLC/ja4/blob/main/technical_details/JA4.md>: JA4 alone, which is
//! under the BSD 3-Clause licence.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use summary::{ClientHello, Ja4};

/// Types of extensions (IANA).
const SIGNATURE_ALGORITHMS: u16 = 13;
const SUPPORTED_VERSIONS: u16 = 43;

/// Counts have two digits.
const MAX_COUNT: usize = 99;
/// Hexadecimal digits of a hash.
const HASH_LEN: usize = 12;

/// The fingerprint of a ClientHello. `transport` is `t` for TCP and `q` for QUIC.
pub(crate) fn fingerprint(hello: &ClientHello<'_>, transport: char) -> Option<Ja4> {
    let mut suites: Vec<_> = hello.cipher_suites().filter(|suite| !is_grease(*suite)).collect();
    let kinds = hello.extensions().map(|(kind, _)| kind);
    let mut kinds: Vec<_> = kinds.filter(|kind| !is_grease(*kind)).collect();
    let mut text = String::with_capacity(40);
    text.push(transport);
    text.push_str(version(hello));
    text.push(if kinds.contains(&ClientHello::SERVER_NAME) { 'd' } else { 'i' });
    let (suite_count, kind_count) = (suites.len().min(MAX_COUNT), kinds.len().min(MAX_COUNT));
    // Writing to a string cannot fail.
    let _ = write!(text, "{suite_count:02}{kind_count:02}");
    push_protocol(hello.application_protocols().next().unwrap_or_default(), &mut text);
    suites.sort_unstable();
    text.push('_');
    push_hash(&list(&suites), &mut text);
    kinds.retain(|kind| {
        ![ClientHello::SERVER_NAME, ClientHello::APPLICATION_PROTOCOLS].contains(kind)
    });
    kinds.sort_unstable();
    let mut details = list(&kinds);
    let algorithms = hello.extension(SIGNATURE_ALGORITHMS).map(numbers).unwrap_or_default();
    if !details.is_empty() && !algorithms.is_empty() {
        details.push('_');
        details.push_str(&list(&algorithms));
    }
    text.push('_');
    push_hash(&details, &mut text);
    Ja4::parse(&text)
}

/// Numbers that clients send at random, so that servers ignore unknown ones (RFC 8701).
fn is_grease(number: u16) -> bool {
    let [high, low] = number.to_be_bytes();
    high == low && low & 0xf == 0xa
}

/// The highest version that the client offers.
fn version(hello: &ClientHello<'_>) -> &'static str {
    let versions = hello.extension(SUPPORTED_VERSIONS).and_then(|content| {
        let (_len, list) = content.split_first()?;
        let (versions, _) = list.as_chunks();
        let versions = versions.iter().map(|version| u16::from_be_bytes(*version));
        versions.filter(|version| !is_grease(*version)).max()
    });
    match versions.unwrap_or_else(|| hello.legacy_version()) {
        0x0304 => "13",
        0x0303 => "12",
        0x0302 => "11",
        0x0301 => "10",
        0x0300 => "s3",
        0x0002 => "s2",
        0xfeff => "d1",
        0xfefd => "d2",
        0xfefc => "d3",
        _ => "00",
    }
}

/// The numbers of 16 bits after the length of a list.
fn numbers(content: &[u8]) -> Vec<u16> {
    let (numbers, _) = content.get(2..).unwrap_or_default().as_chunks();
    let numbers = numbers.iter().map(|number| u16::from_be_bytes(*number));
    numbers.filter(|number| !is_grease(*number)).collect()
}

/// Appends the first and last character of an application protocol, or the first and last digit of its
/// hexadecimal form if one of them is neither a letter nor a digit.
fn push_protocol(protocol: &[u8], text: &mut String) {
    let [first, last] = match protocol {
        [] => [b'0', b'0'],
        [first, ..] => [*first, protocol[protocol.len() - 1]],
    };
    if first.is_ascii_alphanumeric() && last.is_ascii_alphanumeric() {
        text.extend([first, last].map(char::from));
    } else {
        let _ = write!(text, "{:x}{:x}", first >> 4, last & 0xf);
    }
}

/// Numbers as four hexadecimal digits each, joined by commas.
fn list(numbers: &[u16]) -> String {
    let numbers: Vec<_> = numbers.iter().map(|number| format!("{number:04x}")).collect();
    numbers.join(",")
}

/// Appends the start of the SHA-256 hash of a list, or zeros if the list is empty.
fn push_hash(list: &str, text: &mut String) {
    if list.is_empty() {
        text.push_str(&"0".repeat(HASH_LEN));
        return;
    }
    let hash = Sha256::digest(list);
    for byte in &hash[..HASH_LEN / 2] {
        let _ = write!(text, "{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_specification() {
        let suites = "002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,cca8,cca9";
        let details = "0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,ff01_\
            0403,0804,0401,0503,0805,0501,0806,0601";
        for (list, expected) in
            [(suites, "8daaf6152771"), (details, "e5627efa2ab1"), ("", "000000000000")]
        {
            let mut text = String::new();
            push_hash(list, &mut text);
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn protocols_have_two_characters() {
        for (protocol, expected) in [
            (&b"h2"[..], "h2"),
            (b"http/1.1", "h1"),
            (b"x", "xx"),
            (b"", "00"),
            (b"\xab", "ab"),
            (b"\xab\xcd", "ad"),
            (b"0\xab", "3b"),
        ] {
            let mut text = String::new();
            push_protocol(protocol, &mut text);
            assert_eq!(text, expected);
        }
    }
}
