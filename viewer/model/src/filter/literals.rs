//! Literals of the filter language: durations, networks, TCP flags.

use crate::time::{NS_PER_DAY, split_while};
use summary::{Address, Tcp};

/// Units of durations, in nanoseconds, ascending.
pub(super) const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", NS_PER_DAY),
];

/// Parses a decimal number with a unit into nanoseconds, exactly: `2.5s`, `-10ms`. A number without a
/// unit is in nanoseconds.
pub(super) fn duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (number, unit) = split_while(text, |c| c.is_ascii_digit() || c == '.');
    let unit_ns = match unit {
        "" => 1,
        unit => UNITS.iter().find(|(name, _)| *name == unit)?.1,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut ns = whole.parse::<i64>().ok()?.checked_mul(unit_ns)?;
    let mut digit_ns = unit_ns;
    for digit in fraction.chars() {
        if digit_ns % 10 != 0 {
            return None; // finer than a nanosecond
        }
        digit_ns /= 10;
        ns = ns.checked_add(digit_ns * i64::from(digit.to_digit(10)?))?;
    }
    Some(sign * ns)
}

/// Parses an address or a network in CIDR notation into its first and last address.
pub(super) fn network(text: &str) -> Option<(Address, Address)> {
    let (address, prefix_len) = match text.split_once('/') {
        Some((address, len)) => (address, Some(len.parse::<u32>().ok()?)),
        None => (text, None),
    };
    let address = Address::parse(address.to_ascii_lowercase().as_bytes())?;
    match (address, prefix_len) {
        (Address::V4(octets), Some(len @ 0..=32)) => {
            let number = u32::from_be_bytes(octets);
            let host_bits = u32::MAX.checked_shr(len).unwrap_or(0);
            let address = |number: u32| Address::V4(number.to_be_bytes());
            Some((address(number & !host_bits), address(number | host_bits)))
        }
        (Address::V6(octets), Some(len @ 0..=128)) => {
            let number = u128::from_be_bytes(octets);
            let host_bits = u128::MAX.checked_shr(len).unwrap_or(0);
            let address = |number: u128| Address::V6(number.to_be_bytes());
            Some((address(number & !host_bits), address(number | host_bits)))
        }
        (address, None) => Some((address, address)),
        _ => None,
    }
}

/// The network of an address that lacks its last octets, such as `10.0.0` or `10.0.0.*`.
pub(super) fn shortened_network(text: &str) -> Option<String> {
    let octets: Vec<_> = text.trim_end_matches(['.', '*']).split('.').collect();
    let is_shortened = text.contains('.') && octets.len() < 4;
    if !is_shortened || octets.iter().any(|octet| octet.parse::<u8>().is_err()) {
        return None;
    }
    let zeros = ".0".repeat(4 - octets.len());
    Some(format!("{}{zeros}/{}", octets.join("."), 8 * octets.len()))
}

/// Names of the TCP flags with FIN first, each with that in Wireshark's fields.
const FLAG_NAMES: [[&str; 2]; 8] = [
    ["fin", "fin"],
    ["syn", "syn"],
    ["rst", "reset"],
    ["psh", "push"],
    ["ack", "ack"],
    ["urg", "urg"],
    ["ece", "ece"],
    ["cwr", "cwr"],
];

/// The names of the TCP flags in Wireshark's fields, FIN first.
pub(super) fn flag_names() -> impl Iterator<Item = &'static str> + Clone {
    FLAG_NAMES.iter().map(|names| names[1])
}

/// Parses the name of a TCP flag into its bit. Ignores case.
pub(super) fn flag(name: &str) -> Option<u8> {
    let is_name = |names: &[&str; 2]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    FLAG_NAMES.iter().position(is_name).map(|bit| 1 << bit)
}

/// The names of TCP flags, as [`flags`] parses them: `SYN+ACK`; `0` for none.
pub(super) fn flag_text(flags: u8) -> String {
    let names = FLAG_NAMES.iter().enumerate().filter(|(bit, _)| flags >> bit & 1 != 0);
    let names: Vec<_> = names.map(|(_, [name, _])| name.to_ascii_uppercase()).collect();
    if names.is_empty() { "0".to_owned() } else { names.join("+") }
}

/// Parses TCP flags into a bit mask with FIN lowest: letters such as `SA`, names such as `SYN+ACK`, or
/// a number such as `0x12`.
pub(super) fn flags(text: &str) -> Option<u8> {
    let of_letters =
        || text.bytes().try_fold(0, |flags, letter| Some(flags | Tcp::flag_bit(letter)?));
    let of_names =
        || text.split(['+', '-', '_', '/']).try_fold(0, |all, one| Some(all | flag(one)?));
    // `ECE` consists of letters, but is a name.
    let of_number = || u8::try_from(number(text)?).ok();
    of_names().or_else(of_letters).or_else(of_number)
}

/// Parses a decimal or, after `0x`, hexadecimal number.
pub(super) fn number(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}
