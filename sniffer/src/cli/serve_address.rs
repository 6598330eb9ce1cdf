//! The address of `--serve`, which may be missing.
//!
//! clap accepts the value of such an option only after `=`, because the next argument can also be a filter.
//! An address with a port is not a filter, so this module accepts it as a value, too.

use std::ffi::OsString;
use std::net::SocketAddr;

const OPTION: &str = "--serve";

/// Joins the option with an address that follows it.
pub(super) fn join(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    for arg in args {
        let is_address = arg.to_str().is_some_and(is_address);
        match joined.last_mut() {
            Some(last) if last == OPTION && is_address => {
                last.push("=");
                last.push(arg);
            }
            _ => joined.push(arg),
        }
    }
    joined
}

/// Whether a text is an address with a port, or a port or a name with a port. These are not filters either, so
/// that the option rejects `8000` and `localhost:8000` with an example.
fn is_address(text: &str) -> bool {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_host =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let has_host =
        || text.split_once(':').is_some_and(|(host, port)| is_host(host) && is_port(port));
    text.parse::<SocketAddr>().is_ok() || is_port(text) || has_host()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_belong_to_the_option() {
        for (args, expected) in [
            ("--serve 127.0.0.1:9000 udp", "--serve=127.0.0.1:9000 udp"),
            ("--serve [::1]:9000", "--serve=[::1]:9000"),
            ("--serve udp port 53", "--serve udp port 53"),
            ("--serve 127.0.0.1", "--serve 127.0.0.1"),
            ("--serve 8000 udp", "--serve=8000 udp"),
            ("--serve localhost:8000", "--serve=localhost:8000"),
            ("--serve :8000", "--serve=:8000"),
            ("--serve ::1", "--serve ::1"),
            ("--serve 02:00:00:00:00:01", "--serve 02:00:00:00:00:01"),
            ("--serve udp[8:2]==1", "--serve udp[8:2]==1"),
            ("--serve=127.0.0.1:1 127.0.0.1:2", "--serve=127.0.0.1:1 127.0.0.1:2"),
            ("-w a --serve", "-w a --serve"),
        ] {
            let joined = join(args.split(' ').map(OsString::from));
            let joined: Vec<_> = joined.iter().map(|arg| arg.to_str().unwrap()).collect();
            assert_eq!(joined.join(" "), expected);
        }
    }
}
