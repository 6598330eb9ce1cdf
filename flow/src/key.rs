//! What the packets of a flow have in common.

use hashlink::LinkedHashMap;
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use summary::{Address, Proto, TunnelKind, VlanIds};

use crate::Observation;

/// One end of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// IP address, or MAC address of packets without IP addresses.
    pub address: Option<Address>,
    /// Port of TCP, UDP, UDP-Lite, SCTP and DCCP.
    pub port: Option<u16>,
}

/// The part of a key that many flows share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Where the packets were captured. A packet that passes two interfaces belongs to two flows.
    pub interface: Option<Arc<str>>,
    /// Innermost protocol decoded.
    pub proto: Proto<'static>,
    /// VLAN identifiers, outermost first.
    pub vlan: VlanIds,
    /// The innermost tunnel, with its number if that is the same in both directions.
    pub tunnel: Option<(TunnelKind, Option<u32>)>,
}

impl Scope {
    fn matches(&self, packet: &Observation) -> bool {
        self.proto == packet.proto
            && self.interface == packet.interface
            && self.vlan == packet.vlan
            && self.tunnel == packet.tunnel
    }
}

/// Identifies a flow. The ends are in ascending order.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) ends: [Endpoint; 2],
    /// Equal scopes are the same allocation.
    pub(crate) scope: Rc<Scope>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends && Rc::ptr_eq(&self.scope, &other.scope)
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ends.hash(state);
        Rc::as_ptr(&self.scope).hash(state);
    }
}

/// All scopes in use, each once.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    scopes: LinkedHashMap<Rc<Scope>, ()>,
    /// The scope of the last packet, which is often that of the next.
    last: Option<Rc<Scope>>,
    /// Scopes without flows are removed when there are so many.
    prune_at: usize,
}

/// Below this number, unused scopes stay.
const MIN_SCOPES: usize = 256;

impl Scopes {
    /// The scope of a packet.
    pub(crate) fn get(&mut self, packet: &Observation) -> Rc<Scope> {
        if let Some(last) = self.last.as_ref().filter(|last| last.matches(packet)) {
            return last.clone();
        }
        let Observation { interface, proto, vlan, tunnel, .. } = packet;
        let scope = Scope {
            interface: interface.clone(),
            proto: proto.clone(),
            vlan: *vlan,
            tunnel: *tunnel,
        };
        let found = self.scopes.raw_entry().from_key(&scope).map(|(scope, ())| scope.clone());
        let scope = found.unwrap_or_else(|| {
            if self.prune_at.max(MIN_SCOPES) <= self.scopes.len() {
                self.scopes.retain(|scope, ()| 1 < Rc::strong_count(scope));
                self.prune_at = self.scopes.len() * 2;
            }
            let scope = Rc::new(scope);
            self.scopes.insert(scope.clone(), ());
            scope
        });
        self.last = Some(scope.clone());
        scope
    }
}
