//! Corrections of filters that are nearly valid: a bare address, a list of ports, an address with a port.

use std::net::IpAddr;

/// Words that an address, a network or a port may follow.
const QUALIFIERS: [&str; 13] = [
    "host",
    "net",
    "port",
    "portrange",
    "src",
    "dst",
    "gateway",
    "mask",
    "proto",
    "ether",
    "tcp",
    "udp",
    "sctp",
];

/// The corrected expression; `None` if it has none of the known mistakes. In a valid expression, an address
/// can take the qualifiers of an earlier one, but no port or host is named `80-90` or `10.0.0.5:80`.
pub(super) fn correct(expression: &str, is_valid: bool) -> Option<String> {
    let words: Vec<_> = expression.split_whitespace().collect();
    let mut corrected: Vec<String> = Vec::new();
    let mut is_changed = false;
    for word in words {
        let before = corrected.last().map(String::as_str).unwrap_or_default();
        let replacement = match before {
            "port" => ports(&corrected, word),
            "host" => host_and_port(word).map(|text| (1, text)),
            _ if !is_valid && !QUALIFIERS.contains(&before) => {
                bare_address(word).map(|text| (0, text))
            }
            _ => None,
        };
        match replacement {
            Some((replaced, text)) => {
                corrected.truncate(corrected.len() - replaced);
                corrected.push(text);
                is_changed = true;
            }
            None => corrected.push(word.to_owned()),
        }
    }
    is_changed.then(|| corrected.join(" "))
}

/// `80,443` and `80-90` after `port` and its qualifiers. Returns how many words before are replaced.
fn ports(before: &[String], word: &str) -> Option<(usize, String)> {
    let is_qualifier =
        |word: &&String| ["port", "src", "dst", "tcp", "udp", "sctp"].contains(&&***word);
    let count = before.iter().rev().take_while(is_qualifier).count();
    let qualifiers = before[before.len() - count..].join(" ");
    let is_port = |text: &str| text.parse::<u16>().is_ok();
    if let Some((first, last)) = word.split_once('-')
        && is_port(first)
        && is_port(last)
    {
        return Some((count, format!("{qualifiers}range {word}")));
    }
    let ports: Vec<_> = word.split(',').collect();
    if ports.len() < 2 || !ports.iter().all(|port| is_port(port)) {
        return None;
    }
    let ports: Vec<_> = ports.into_iter().map(|port| format!("{qualifiers} {port}")).collect();
    Some((count, format!("({})", ports.join(" or "))))
}

/// `10.0.0.5:80` after `host`.
fn host_and_port(word: &str) -> Option<String> {
    let address: std::net::SocketAddr = word.parse().ok()?;
    Some(format!("(host {} and port {})", address.ip(), address.port()))
}

/// An address, a network, or an address with a port, without a qualifier.
fn bare_address(word: &str) -> Option<String> {
    if word.parse::<IpAddr>().is_ok() {
        return Some(format!("host {word}"));
    }
    if let Some((address, len)) = word.split_once('/')
        && address.parse::<IpAddr>().is_ok()
        && len.parse::<u8>().is_ok()
    {
        return Some(format!("net {word}"));
    }
    host_and_port(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter;

    #[test]
    fn near_misses_are_corrected_to_valid_filters() {
        for (expression, expected) in [
            ("10.18.0.2", "host 10.18.0.2"),
            ("2001:db8::1", "host 2001:db8::1"),
            ("tcp and 10.0.0.0/8", "tcp and net 10.0.0.0/8"),
            ("port 80,443", "(port 80 or port 443)"),
            ("tcp dst port 80,443 and host a", "(tcp dst port 80 or tcp dst port 443) and host a"),
            ("not port 80-90", "not portrange 80-90"),
            ("tcp port 80-90", "tcp portrange 80-90"),
            ("host 1.2.3.4:80", "(host 1.2.3.4 and port 80)"),
            ("[2001:db8::1]:80 or arp", "(host 2001:db8::1 and port 80) or arp"),
        ] {
            let is_valid = filter::is_valid(expression);
            assert_eq!(correct(expression, is_valid).as_deref(), Some(expected), "{expression}");
            assert!(expected.contains("host a") || filter::is_valid(expected), "{expected}");
        }
        for expression in [
            "host 10.0.0.5",
            "port http",
            "src 10.0.0.5",
            "port 80,x",
            "src 10.0.0.5 or 10.0.0.6",
            "",
        ] {
            assert_eq!(correct(expression, filter::is_valid(expression)), None, "{expression}");
        }
    }
}
