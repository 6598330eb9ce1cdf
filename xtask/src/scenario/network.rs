//! The hosts of the scenario: an office network, and the servers it talks to.
//!
//! All addresses are private or reserved for documentation (RFC 1918, RFC 5737, RFC 3849), all
//! names too (RFC 2606).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A host as the switch's mirror port sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Host {
    /// Source MAC address: for hosts beyond the gateway, that of the gateway.
    pub(super) mac: [u8; 6],
    pub(super) v4: Ipv4Addr,
    pub(super) v6: Ipv6Addr,
    /// TTL when its packets arrive at the mirror port.
    pub(super) ttl: u8,
    /// VLAN tag of its frames.
    pub(super) vlan: Option<u16>,
    /// One-way delay between the host and the mirror port, in microseconds.
    pub(super) delay_us: u64,
}

/// A web site.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) name: &'static str,
    pub(super) host: Host,
    /// Without TLS, on port 80.
    pub(super) is_plain: bool,
    pub(super) has_v6: bool,
}

impl Host {
    pub(super) fn v4(self, port: u16) -> Endpoint {
        Endpoint { host: self, address: SocketAddr::new(IpAddr::V4(self.v4), port) }
    }

    pub(super) fn v6(self, port: u16) -> Endpoint {
        Endpoint { host: self, address: SocketAddr::new(IpAddr::V6(self.v6), port) }
    }
}

/// One end of a flow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoint {
    pub(super) host: Host,
    /// One of the host's addresses, and the port.
    pub(super) address: SocketAddr,
}

/// A multicast or broadcast group as a destination.
pub(super) fn group(mac: [u8; 6], address: SocketAddr) -> Endpoint {
    Endpoint { host: Host { mac, ..GATEWAY }, address }
}

const fn local(last: u8, ttl: u8) -> Host {
    Host {
        mac: [0x02, 0x1a, 0x0c, 0, 0, last],
        v4: Ipv4Addr::new(10, 20, 0, last),
        v6: Ipv6Addr::new(0x2001, 0xdb8, 0x20, 0, 0, 0, 0, last as u16),
        ttl,
        vlan: None,
        delay_us: 120,
    }
}

const fn phone(last: u8) -> Host {
    Host { vlan: Some(20), v4: Ipv4Addr::new(10, 20, 20, last), ..local(last, 64) }
}

/// A host `delay_ms` milliseconds away.
const fn remote(v4: [u8; 4], ttl: u8, delay_ms: u64) -> Host {
    Host {
        v4: Ipv4Addr::new(v4[0], v4[1], v4[2], v4[3]),
        v6: Ipv6Addr::new(0x2001, 0xdb8, 0xff, 0, 0, 0, v4[2] as u16, v4[3] as u16),
        ttl,
        delay_us: delay_ms * 1_000,
        ..GATEWAY
    }
}

const fn site(name: &'static str, host: Host) -> Site {
    Site { name, host, is_plain: false, has_v6: false }
}

pub(super) const GATEWAY: Host = local(1, 64);
/// DNS resolver and intranet web server.
pub(super) const SERVER: Host = local(10, 64);
pub(super) const NAS: Host = local(20, 64);
pub(super) const PRINTER: Host = local(30, 255);
/// Three hosts with Linux or macOS, two with Windows.
pub(super) const WORKSTATIONS: [Host; 5] =
    [local(101, 64), local(102, 64), local(103, 128), local(104, 64), local(105, 128)];
pub(super) const PHONE: Host = phone(51);
pub(super) const PBX: Host = phone(50);

pub(super) const BACKUP: Host = remote([198, 51, 100, 20], 52, 11);
pub(super) const SCANNER: Host = remote([203, 0, 113, 66], 43, 48);
pub(super) const TIME_SERVER: Host = remote([192, 0, 2, 123], 55, 8);
pub(super) const VIDEO: Host = remote([203, 0, 113, 40], 58, 6);
/// The site whose server crashes.
pub(super) const SHOP: Site = site("shop.example.com", remote([192, 0, 2, 80], 49, 23));
pub(super) const INTRANET: Site = Site { is_plain: true, ..site("intranet.example.com", SERVER) };
pub(super) const SITES: [Site; 7] = [
    Site { has_v6: true, ..site("www.example.org", remote([192, 0, 2, 10], 56, 9)) },
    Site { has_v6: true, ..site("docs.example.com", remote([192, 0, 2, 11], 56, 9)) },
    site("news.example.net", remote([198, 51, 100, 44], 51, 17)),
    site("mail.example.org", remote([198, 51, 100, 25], 116, 21)),
    Site { is_plain: true, ..site("mirror.example.net", remote([203, 0, 113, 7], 47, 39)) },
    INTRANET,
    SHOP,
];
/// Content delivery network for images.
pub(super) const CDN: Site =
    Site { has_v6: true, ..site("cdn.example.net", remote([203, 0, 113, 99], 59, 4)) };
