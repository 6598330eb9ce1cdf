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
    /// Reads any text that `Display` makes; `None` for any other.
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

    /// Writes the text of the address, without quotes, to the front of `place`; returns its length.
    /// It never needs an escape in JSON.
    pub(crate) fn text(&self, place: &mut [u8; V6_TEXT_LEN]) -> usize {
        match self {
            Self::Mac(mac) => place.first_chunk_mut().map_or(0, |place| mac_text(*mac, place)),
            Self::V4(octets) => place.first_chunk_mut().map_or(0, |place| v4_text(*octets, place)),
            Self::V6(octets) => v6_text(*octets, place),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut place = [0; V6_TEXT_LEN];
        let len = self.text(&mut place);
        formatter.write_str(&String::from_utf8_lossy(&place[..len]))
    }
}

/// Lengths of the longest texts; of an IPv4 address with a dot behind it.
pub(crate) const MAC_TEXT_LEN: usize = 17;
const V4_TEXT_ROOM: usize = 16;
pub(crate) const V6_TEXT_LEN: usize = 39;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes the text to the front of `place`; returns its length, which is always the same.
pub(crate) fn mac_text(mac: Mac, place: &mut [u8; MAC_TEXT_LEN]) -> usize {
    *place = [b':'; MAC_TEXT_LEN];
    for (index, octet) in mac.iter().enumerate() {
        place[3 * index] = HEX[usize::from(octet >> 4)];
        place[3 * index + 1] = HEX[usize::from(octet & 15)];
    }
    MAC_TEXT_LEN
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

/// Writes dotted decimal to the front of `place`; returns its length.
pub(crate) fn v4_text(octets: [u8; 4], place: &mut [u8; V4_TEXT_ROOM]) -> usize {
    let mut len = 0;
    for octet in octets {
        // Three digits and a dot are written, and as many of them count as there are.
        let (text, text_len) = OCTETS[usize::from(octet)];
        if let Some(slot) = place[len..].first_chunk_mut() {
            *slot = text;
        }
        len += text_len;
    }
    len - 1 // the last dot
}

/// The decimal text of every octet, and a dot behind it.
static OCTETS: [([u8; 4], usize); 256] = {
    let mut octets = [([b'.'; 4], 0); 256];
    let mut value = 0u8;
    loop {
        let (text, len) = match value {
            100.. => ([b'0' + value / 100, b'0' + value / 10 % 10, b'0' + value % 10, b'.'], 4),
            10.. => ([b'0' + value / 10, b'0' + value % 10, b'.', b'.'], 3),
            _ => ([b'0' + value, b'.', b'.', b'.'], 2),
        };
        octets[value as usize] = (text, len);
        if value == u8::MAX {
            break octets;
        }
        value += 1;
    }
};

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
pub(crate) fn v6_text(octets: [u8; 16], place: &mut [u8; V6_TEXT_LEN]) -> usize {
    let mut text = Short { place, len: 0 };
    if octets[..10] == [0; 10] && octets[10..12] == [0xff, 0xff] {
        text.push(b"::ffff:");
        let mut last = [0; V4_TEXT_ROOM];
        let len = v4_text([octets[12], octets[13], octets[14], octets[15]], &mut last);
        text.push(&last[..len]);
        return text.len;
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
            text.push(b"::");
            index += zeros_len;
            continue;
        }
        if index > 0 && !(zeros_len > 1 && index == zeros_start + zeros_len) {
            text.push(b":");
        }
        push_group(groups[index], &mut text);
        index += 1;
    }
    text.len
}

fn push_group(group: u16, text: &mut Short<'_>) {
    let mut shift = 12;
    while shift > 0 && group >> shift == 0 {
        shift -= 4;
    }
    loop {
        text.push(&[HEX[usize::from(group >> shift & 15)]]);
        if shift == 0 {
            return;
        }
        shift -= 4;
    }
}

/// A text being written to a place that has room for it.
struct Short<'a> {
    place: &'a mut [u8],
    len: usize,
}

impl Short<'_> {
    fn push(&mut self, text: &[u8]) {
        self.place[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
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
