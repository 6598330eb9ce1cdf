//! One direction of a connection.

use rustc_hash::{FxBuildHasher, FxHasher};
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use summary::Summary;

/// One direction of a connection, as one interface shows it, whatever tunnels are around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionKey {
    src: IpAddr,
    dst: IpAddr,
    sport: u16,
    dport: u16,
    /// See [`scope`].
    scope: u64,
}

/// One direction of a connection in its tunnels. The other direction may have other tunnels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    pub(crate) connection: ConnectionKey,
    /// See [`tunnels`].
    tunnels: u64,
}

impl ConnectionKey {
    /// The other direction.
    pub(crate) fn reversed(&self) -> Self {
        let Self { src, dst, sport, dport, scope } = *self;
        Self { src: dst, dst: src, sport: dport, dport: sport, scope }
    }
}

impl FlowKey {
    /// The flow of a packet; `None` without ports.
    pub(crate) fn new(interface: Option<&str>, summary: &Summary<'_>) -> Option<Self> {
        let connection = ConnectionKey {
            src: summary.src?,
            dst: summary.dst?,
            sport: summary.sport?,
            dport: summary.dport?,
            scope: scope(interface, summary),
        };
        Some(Self { connection, tunnels: tunnels(summary) })
    }

    /// The other direction, if it has the same tunnels.
    pub(crate) fn reversed(&self) -> Self {
        Self { connection: self.connection.reversed(), ..*self }
    }
}

/// A hash of interface, VLANs and virtual networks. A packet that passes two interfaces is captured twice,
/// and other networks may have the same addresses. Other tunnels are excluded: the directions of a
/// connection may have different ones, or different numbers.
pub(crate) fn scope(interface: Option<&str>, summary: &Summary<'_>) -> u64 {
    let mut hasher = FxHasher::default();
    (interface, summary.vlan).hash(&mut hasher);
    let networks = summary.tunnel.iter().filter(|(kind, _)| kind.is_virtual_network());
    networks.for_each(|network| network.hash(&mut hasher));
    hasher.finish()
}

/// A hash of all tunnels around a packet; 0 if there are none.
pub(crate) fn tunnels(summary: &Summary<'_>) -> u64 {
    if summary.tunnel.is_empty() { 0 } else { FxBuildHasher.hash_one(summary.tunnel) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use summary::{LinkType, TunnelPath};

    #[test]
    fn networks_with_the_same_addresses_differ() {
        let scope = |path: &str| {
            let mut summary = Summary::new(LinkType::RAW, 0, 0);
            summary.tunnel = TunnelPath::parse(path).unwrap_or_default();
            scope(Some("eth0"), &summary)
        };
        let scopes = ["", "vxlan:1", "vxlan:2", "ip/geneve:1", "vxlan:1/geneve:1"].map(scope);
        let is_new = |(index, scope)| !scopes[..index].contains(scope);
        assert!(scopes.iter().enumerate().all(is_new));
        assert_eq!(scope("gtp:1/ip"), scope(""), "the other direction");
    }

    #[test]
    fn tunnels_distinguish_messages_but_not_connections() {
        let key = |path: &str, [src, dst]: [u8; 2]| {
            let mut summary = Summary::new(LinkType::RAW, 0, 0);
            summary.tunnel = TunnelPath::parse(path).unwrap_or_default();
            (summary.src, summary.dst) =
                (Some([10, 0, 0, src].into()), Some([10, 0, 0, dst].into()));
            (summary.sport, summary.dport) = (Some(src.into()), Some(dst.into()));
            FlowKey::new(None, &summary).unwrap()
        };
        let request = key("gtp:1", [1, 2]);
        assert_ne!(request, key("gtp:2", [1, 2]));
        assert_eq!(request.connection, key("gtp:7", [2, 1]).connection.reversed());
    }
}
