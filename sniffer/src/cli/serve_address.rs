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
        let is_address = arg.to_str().is_some_and(|text| text.parse::<SocketAddr>().is_ok());
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
            ("--serve=127.0.0.1:1 127.0.0.1:2", "--serve=127.0.0.1:1 127.0.0.1:2"),
            ("-w a --serve", "-w a --serve"),
        ] {
            let joined = join(args.split(' ').map(OsString::from));
            let joined: Vec<_> = joined.iter().map(|arg| arg.to_str().unwrap()).collect();
            assert_eq!(joined.join(" "), expected);
        }
    }
}
