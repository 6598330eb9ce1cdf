//! Link-layer and network addresses and their text in the output.
//!
//! Addresses are written and parsed for every packet. If the standard library writes IPv4 addresses,
//! formatting a line of real traffic takes 2.7 times as long; if it writes IPv6 addresses, 4 % longer,
//! although few packets have them (`cargo bench -p summary --bench stages format`). Tests compare both
//! with the standard library.

use std::net::{IpAddr, Ipv6Addr};

/// A 48-bit MAC address in transmission order.
pub type Mac = [u8; 6];

/// An endpoint of a packet: its IP address, or the MAC address if the packet has no IP addresses. See
/// [`Summary::endpoints`](crate::Summary::endpoints).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A MAC address, written in lower case with colons.
    Mac(Mac),
    /// An IPv4 address, written in dotted decimal.
    V4([u8; 4]),
    /// An IPv6 address, written as in RFC 5952.
    V6([u8; 16]),
}

impl Address {
    /// Parses an IPv4 address, a MAC address with colons, or any form of an IPv6 address. The inverse
    /// of `Display`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        match parse_mac(text) {
            Some(mac) => Some(Self::Mac(mac)),
            None => parse_ip(text).map(Self::from),
        }
    }

    /// The IP address; `None` for a MAC address.
    pub fn ip(self) -> Option<IpAddr> {
        match self {
            Self::Mac(_) => None,
            Self::V4(octets) => Some(octets.into()),
            Self::V6(octets) => Some(octets.into()),
        }
    }

    /// Writes the text of the address to the front of `buf`; returns its length. The text needs no
    /// escapes in JSON.
    pub(crate) fn write_text(&self, buf: &mut [u8; MAX_TEXT_LEN]) -> usize {
        match self {
            Self::Mac(mac) => buf.first_chunk_mut().map_or(0, |buf| write_mac(*mac, buf)),
            Self::V4(octets) => buf.first_chunk_mut().map_or(0, |buf| write_v4(*octets, buf)),
            Self::V6(octets) => write_v6(*octets, buf),
        }
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut buf = [0; MAX_TEXT_LEN];
        let len = self.write_text(&mut buf);
        formatter.write_str(&String::from_utf8_lossy(&buf[..len]))
    }
}

/// Length of every MAC address.
const MAC_TEXT_LEN: usize = 17;
/// Length of the longest IPv4 address and the dot that [`write_v4`] appends to each octet.
const V4_BUF_LEN: usize = 16;
/// Length of the longest IPv6 address, which is the longest text of all addresses.
const MAX_TEXT_LEN: usize = 39;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Writes a MAC address; returns the length of its text, which is constant.
pub(crate) fn write_mac(mac: Mac, buf: &mut [u8; MAC_TEXT_LEN]) -> usize {
    *buf = [b':'; MAC_TEXT_LEN];
    for (index, octet) in mac.iter().enumerate() {
        buf[3 * index] = HEX[usize::from(octet >> 4)];
        buf[3 * index + 1] = HEX[usize::from(octet & 15)];
    }
    MAC_TEXT_LEN
}

/// Parses six octets of two hexadecimal digits, separated by colons.
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

/// Writes an IPv4 address in dotted decimal; returns the length of its text.
fn write_v4(octets: [u8; 4], buf: &mut [u8; V4_BUF_LEN]) -> usize {
    let mut len = 0;
    for octet in octets {
        // Copying four bytes each time is faster than copying as many as the octet has.
        let (text, text_len) = OCTETS[usize::from(octet)];
        if let Some(slot) = buf[len..].first_chunk_mut() {
            *slot = text;
        }
        len += text_len;
    }
    len - 1 // the last dot
}

/// The decimal text of every octet with a dot after it, and its length.
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

/// Parses an IPv4 address, or any form of an IPv6 address.
pub(crate) fn parse_ip(text: &[u8]) -> Option<IpAddr> {
    if let Some(octets) = parse_v4(text) {
        return Some(IpAddr::from(octets));
    }
    let text = std::str::from_utf8(text).ok()?;
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// Parses dotted decimal without leading zeros.
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

/// Writes an IPv6 address as RFC 5952 demands; returns the length of its text: lower case, no leading
/// zeros, `::` for the longest run of two or more zero groups (the first of equal runs), and dotted
/// decimal in IPv4-mapped addresses.
fn write_v6(octets: [u8; 16], buf: &mut [u8; MAX_TEXT_LEN]) -> usize {
    let mut text = TextBuf { buf, len: 0 };
    if octets[..10] == [0; 10] && octets[10..12] == [0xff, 0xff] {
        text.push(b"::ffff:");
        let mut v4 = [0; V4_BUF_LEN];
        let len = write_v4([octets[12], octets[13], octets[14], octets[15]], &mut v4);
        text.push(&v4[..len]);
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

fn push_group(group: u16, text: &mut TextBuf<'_>) {
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

/// A text in a buffer that is long enough for it.
struct TextBuf<'a> {
    buf: &'a mut [u8],
    len: usize,
}

impl TextBuf<'_> {
    fn push(&mut self, text: &[u8]) {
        self.buf[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address.octets()),
            IpAddr::V6(address) => Self::V6(address.octets()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::net::Ipv4Addr;

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1::2::3", "0:1", "host"] {
            assert_eq!(Address::parse(text.as_bytes()), None, "{text}");
        }
    }

    /// Mostly zero groups, so that runs of zeros of all lengths and positions occur.
    fn sparse_v6() -> impl Strategy<Value = [u8; 16]> {
        proptest::array::uniform8(prop_oneof![3 => Just(0u16), 1 => 0u16..300, 1 => any::<u16>()])
            .prop_map(|groups| {
                let [a, b, c, d, e, f, g, h] = groups;
                Ipv6Addr::new(a, b, c, d, e, f, g, h).octets()
            })
    }

    proptest! {
        #[test]
        fn v4_text_equals_that_of_the_standard_library(octets: [u8; 4]) {
            prop_assert_eq!(Address::V4(octets).to_string(), Ipv4Addr::from(octets).to_string());
        }

        #[test]
        fn v6_text_equals_that_of_the_standard_library(octets in sparse_v6()) {
            prop_assert_eq!(Address::V6(octets).to_string(), Ipv6Addr::from(octets).to_string());
        }

        #[test]
        fn text_parses_back(octets: [u8; 16], mac: Mac, v4: [u8; 4]) {
            for address in [Address::V6(octets), Address::Mac(mac), Address::V4(v4)] {
                prop_assert_eq!(Address::parse(address.to_string().as_bytes()), Some(address));
            }
        }
    }
}
