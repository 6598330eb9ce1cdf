//! Addresses of the link and the network layer, and their texts in the stream.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A 48-bit MAC address in the order of its transmission.
pub type Mac = [u8; 6];

/// The `src` or `dst` of a packet: of the network layer where there is one, else of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A MAC address; its text is lower-case with colons.
    Mac(Mac),
    /// An IPv4 address; its text is dotted decimal.
    V4([u8; 4]),
    /// An IPv6 address; its text is that of RFC 5952.
    V6([u8; 16]),
}

impl Address {
    /// Reads any text that [`Address::write`] makes; `None` for any other.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if let Some(v4) = parse_v4(text) {
            return Some(Self::V4(v4));
        }
        if let Some(mac) = parse_mac(text) {
            return Some(Self::Mac(mac));
        }
        let text = std::str::from_utf8(text).ok()?;
        Some(Self::V6(text.parse::<Ipv6Addr>().ok()?.octets()))
    }

    /// Appends the text of the address, without quotes; it never needs an escape in JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Mac(mac) => write_mac(*mac, out),
            Self::V4(octets) => write_v4(*octets, out),
            Self::V6(octets) => write_v6(*octets, out),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = Vec::with_capacity(39);
        self.write(&mut text);
        formatter.write_str(&String::from_utf8_lossy(&text))
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

pub(crate) fn write_mac(mac: Mac, out: &mut Vec<u8>) {
    let mut text = [b':'; 17];
    for (index, octet) in mac.iter().enumerate() {
        text[3 * index] = HEX[usize::from(octet >> 4)];
        text[3 * index + 1] = HEX[usize::from(octet & 15)];
    }
    out.extend_from_slice(&text);
}

pub(crate) fn parse_mac(text: &[u8]) -> Option<Mac> {
    let text: &[u8; 17] = text.try_into().ok()?;
    let mut mac = [0; 6];
    for (index, octet) in mac.iter_mut().enumerate() {
        if index < 5 && text[3 * index + 2] != b':' {
            return None;
        }
        *octet = hex_digit(text[3 * index])? << 4 | hex_digit(text[3 * index + 1])?;
    }
    Some(mac)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

fn write_v4(octets: [u8; 4], out: &mut Vec<u8>) {
    let mut text = [0; 15];
    let mut len = 0;
    for (index, octet) in octets.into_iter().enumerate() {
        if index > 0 {
            text[len] = b'.';
            len += 1;
        }
        if octet >= 100 {
            text[len] = b'0' + octet / 100;
            len += 1;
        }
        if octet >= 10 {
            text[len] = b'0' + octet / 10 % 10;
            len += 1;
        }
        text[len] = b'0' + octet % 10;
        len += 1;
    }
    out.extend_from_slice(&text[..len]);
}

/// Reads dotted decimal without leading zeros.
fn parse_v4(text: &[u8]) -> Option<[u8; 4]> {
    if text.len() > 15 {
        return None;
    }
    let mut octets = [0; 4];
    let mut parts = text.split(|&byte| byte == b'.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || part.len() > 3 || (part.len() > 1 && part[0] == b'0') {
            return None;
        }
        let value = part.iter().try_fold(0u16, |value, byte| {
            byte.is_ascii_digit().then(|| value * 10 + u16::from(byte - b'0'))
        })?;
        *octet = u8::try_from(value).ok()?;
    }
    parts.next().is_none().then_some(octets)
}

/// RFC 5952: lower-case, no leading zeros, the longest run of two or more zero groups (the first
/// of equals) as `::`, and the last 32 bits dotted for IPv4-mapped addresses.
fn write_v6(octets: [u8; 16], out: &mut Vec<u8>) {
    if octets[..10] == [0; 10] && octets[10..12] == [0xff, 0xff] {
        out.extend_from_slice(b"::ffff:");
        return write_v4([octets[12], octets[13], octets[14], octets[15]], out);
    }
    let groups = Ipv6Addr::from(octets).segments();
    let (mut zeros_start, mut zeros_len) = (0, 0);
    let mut index = 0;
    while index < 8 {
        let run = groups[index..].iter().take_while(|&&group| group == 0).count();
        if run > zeros_len {
            (zeros_start, zeros_len) = (index, run);
        }
        index += run.max(1);
    }
    let mut index = 0;
    while index < 8 {
        if zeros_len > 1 && index == zeros_start {
            out.extend_from_slice(b"::");
            index += zeros_len;
            continue;
        }
        if index > 0 && !(zeros_len > 1 && index == zeros_start + zeros_len) {
            out.push(b':');
        }
        write_group(groups[index], out);
        index += 1;
    }
}

fn write_group(group: u16, out: &mut Vec<u8>) {
    let mut shift = 12;
    while shift > 0 && group >> shift == 0 {
        shift -= 4;
    }
    loop {
        out.push(HEX[usize::from(group >> shift & 15)]);
        if shift == 0 {
            return;
        }
        shift -= 4;
    }
}

impl From<Ipv4Addr> for Address {
    fn from(address: Ipv4Addr) -> Self {
        Self::V4(address.octets())
    }
}

impl From<Ipv6Addr> for Address {
    fn from(address: Ipv6Addr) -> Self {
        Self::V6(address.octets())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1::2::3", "0:1", "host"] {
            assert_eq!(Address::parse(text.as_bytes()), None, "{text}");
        }
    }

    /// Mostly zero groups, so that runs of zeros of every length and place occur.
    fn sparse_v6() -> impl Strategy<Value = [u8; 16]> {
        proptest::array::uniform8(prop_oneof![3 => Just(0u16), 1 => 0u16..300, 1 => any::<u16>()])
            .prop_map(|groups| {
                let [a, b, c, d, e, f, g, h] = groups;
                Ipv6Addr::new(a, b, c, d, e, f, g, h).octets()
            })
    }

    proptest! {
        #[test]
        fn v4_text_is_the_standard_librarys(octets: [u8; 4]) {
            prop_assert_eq!(Address::V4(octets).to_string(), Ipv4Addr::from(octets).to_string());
        }

        #[test]
        fn v6_text_is_the_standard_librarys(octets in sparse_v6()) {
            prop_assert_eq!(Address::V6(octets).to_string(), Ipv6Addr::from(octets).to_string());
        }

        #[test]
        fn text_reads_back(octets: [u8; 16], mac: Mac, v4: [u8; 4]) {
            for address in [Address::V6(octets), Address::Mac(mac), Address::V4(v4)] {
                prop_assert_eq!(Address::parse(address.to_string().as_bytes()), Some(address));
            }
        }
    }
}
