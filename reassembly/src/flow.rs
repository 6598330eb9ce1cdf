//! One direction of a connection.

use rustc_hash::FxHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;
use summary::Summary;

/// Identifies one direction of a connection, as one interface shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FlowKey {
    src: IpAddr,
    dst: IpAddr,
    sport: u16,
    dport: u16,
    /// Hash of interface and VLAN. A packet that passes two interfaces is captured twice.
    scope: u64,
}

impl FlowKey {
    /// The flow of a packet; `None` without ports.
    pub(crate) fn new(interface: Option<&str>, summary: &Summary<'_>) -> Option<Self> {
        let mut hasher = FxHasher::default();
        (interface, summary.vlan).hash(&mut hasher);
        Some(Self {
            src: summary.src?,
            dst: summary.dst?,
            sport: summary.sport?,
            dport: summary.dport?,
            scope: hasher.finish(),
        })
    }

    /// The other direction.
    pub(crate) fn reversed(&self) -> Self {
        let Self { src, dst, sport, dport, scope } = *self;
        Self { src: dst, dst: src, sport: dport, dport: sport, scope }
    }
}
