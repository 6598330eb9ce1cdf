//! Checks the header `Host`.
//!
//! With DNS rebinding, the page of an attacker gets a name that resolves to this machine. The browser then
//! lets it read responses, but still sends that name as `Host`.

use std::net::IpAddr;

/// Whether a request for this host is meant for the server, which listens on `address`. Ports are not compared:
/// a tunnel may have another one.
pub(super) fn is_own(host: &[u8], address: IpAddr) -> bool {
    let Some(name) = str::from_utf8(host).ok().and_then(without_port) else { return false };
    let literal = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(literal) => literal.parse().ok().map(IpAddr::V6),
        None => name.parse().ok().map(IpAddr::V4),
    };
    match literal {
        // On all addresses of this machine. No name can be made to look like an address.
        Some(_) if address.is_unspecified() => true,
        Some(literal) => literal == address || is_local(literal),
        None => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Whether this is the address of this machine that programs use by default.
fn is_local(address: IpAddr) -> bool {
    address == IpAddr::from([127, 0, 0, 1]) || address == IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])
}

/// The name or address before the port; `None` if the port is invalid.
fn without_port(host: &str) -> Option<&str> {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => port.parse::<u16>().ok().map(|_| name),
        _ => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_others_are_refused() {
        let loopback = IpAddr::from([127, 0, 0, 1]);
        let lan = IpAddr::from([192, 168, 1, 5]);
        let any = IpAddr::from([0; 4]);
        for (host, of_loopback, of_lan, of_any) in [
            ("127.0.0.1:8000", true, true, true),
            ("127.0.0.1", true, true, true),
            ("LocalHost:1234", true, true, true),
            ("[::1]:8000", true, true, true),
            ("192.168.1.5:8000", false, true, true),
            ("10.0.0.1:8000", false, false, true),
            ("[fe80::1]:8000", false, false, true),
            ("evil.example:8000", false, false, false),
            ("127.0.0.1.evil.example:8000", false, false, false),
            ("localhost.evil.example", false, false, false),
            ("127.0.0.1:8000:8000", false, false, false),
            ("127.0.0.1:http", false, false, false),
            ("127.0.0.1:", false, false, false),
            ("127.1:8000", false, false, false),
            ("2130706433:8000", false, false, false),
            ("[127.0.0.1]:8000", false, false, false),
            ("::1", false, false, false),
            ("user@127.0.0.1:8000", false, false, false),
            ("", false, false, false),
            ("\u{e9}", false, false, false),
        ] {
            for (address, expected) in [(loopback, of_loopback), (lan, of_lan), (any, of_any)] {
                assert_eq!(is_own(host.as_bytes(), address), expected, "{host} on {address}");
            }
        }
        assert!(!is_own(b"\xff", any));
    }
}
