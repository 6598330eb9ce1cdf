//! The addresses under which browsers reach a server.

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrIn6;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Most addresses of interfaces: hosts of containers have many.
const MAX_ADDRESSES: usize = 4;

/// The address of a server. If it is unspecified, which browsers may refuse, that of the loopback interface
/// and some of the others.
pub(super) fn addresses(listening: IpAddr) -> Vec<IpAddr> {
    if !listening.is_unspecified() {
        return vec![listening];
    }
    let loopback: IpAddr = match listening {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let others = getifaddrs().into_iter().flatten().filter_map(|address| other(&address));
    // Sockets for IPv6 also accept IPv4.
    let others = others.filter(|other| listening.is_ipv6() || other.is_ipv4());
    [loopback].into_iter().chain(others.take(MAX_ADDRESSES)).collect()
}

/// An address that other machines may reach, without a zone.
fn other(address: &InterfaceAddress) -> Option<IpAddr> {
    let is_up = address.flags.contains(InterfaceFlags::IFF_UP);
    let socket = address.address.as_ref().filter(|_| is_up)?;
    let v4 = socket.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
    let v6 = socket.as_sockaddr_in6().map(SockaddrIn6::ip);
    let v6 = v6.filter(|address| !address.is_unicast_link_local()).map(IpAddr::V6);
    v4.or(v6).filter(|address| !address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_have_addresses_that_can_be_opened() {
        for address in ["127.0.0.1", "192.0.2.1", "::1", "2001:db8::1"] {
            let address = address.parse().unwrap();
            assert_eq!(addresses(address), [address]);
        }
        for (unspecified, loopback) in [("0.0.0.0", "127.0.0.1"), ("::", "::1")] {
            let found = addresses(unspecified.parse().unwrap());
            assert_eq!(found[0].to_string(), loopback);
            assert!(found.len() <= 1 + MAX_ADDRESSES);
            assert!(found[1..].iter().all(|ip| !ip.is_loopback() && !ip.is_unspecified()));
        }
    }
}
