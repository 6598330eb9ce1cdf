//! A resolver for the names in libpcap's test cases. Each name encodes its own result.

use filter::{NameResolver, NameTables, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub(crate) struct TestNames {
    tables: NameTables,
}

impl TestNames {
    pub(crate) fn new() -> Self {
        let read = |name| std::fs::read_to_string(name).unwrap_or_default();
        let tables = NameTables::default().with_services(&read("/etc/services"));
        Self { tables: tables.with_protocols(&read("/etc/protocols")) }
    }
}

/// The number of addresses of a kind that a name encodes: `ipv4` is one, `ipv4x4` four, `noipv4` none.
fn count(name: &str, what: &str) -> u8 {
    let part = name.split(['-', '.']).find_map(|part| part.strip_prefix(what));
    match part.map(|part| part.strip_prefix('x')) {
        None => 0,
        Some(None) => 1,
        Some(Some(count)) => count.parse().unwrap(),
    }
}

impl NameResolver for TestNames {
    fn host(&self, name: &str) -> Vec<IpAddr> {
        let name = name.to_ascii_lowercase();
        let Some(name) = name.strip_suffix(".libpcap.test") else { return Vec::new() };
        let mut addresses: Vec<IpAddr> = Vec::new();
        for n in 0..count(name, "ipv6") {
            addresses.push(Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 1, (n + 1).into()).into());
        }
        for n in 0..count(name, "ipv4") {
            addresses.push(Ipv4Addr::new(10, 20, 30, 40 + n).into());
        }
        addresses
    }

    fn ethernet(&self, name: &str) -> Option<[u8; 6]> {
        let name = name.to_ascii_lowercase();
        (name.starts_with("eth-") && name.ends_with(".libpcap.test"))
            .then_some([0xaa, 0, 4, 0, 0x14, 0x0e])
    }

    fn network(&self, name: &str) -> Option<u32> {
        let name = name.to_ascii_lowercase();
        let parts = name.strip_prefix("net-")?.strip_suffix(".libpcap.test")?;
        let number =
            parts.split('-').fold(0u32, |number, part| number << 8 | part.parse::<u32>().unwrap());
        Some(number >> (number.trailing_zeros() / 8 * 8))
    }

    fn port(&self, name: &str, transport: Transport) -> Option<u16> {
        self.tables.port(name, transport)
    }

    fn protocol(&self, name: &str) -> Option<u8> {
        self.tables.protocol(name)
    }
}
