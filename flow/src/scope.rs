//! The part of a key that many flows share.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::sync::Arc;
use summary::{Proto, TunnelKind, VlanIds};

use crate::Observation;

/// Where and with which protocol packets were captured.
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
    fn of(packet: &Observation) -> Self {
        let Observation { interface, proto, vlan, tunnel, .. } = packet;
        Self { interface: interface.clone(), proto: proto.clone(), vlan: *vlan, tunnel: *tunnel }
    }

    fn matches(&self, packet: &Observation) -> bool {
        self.proto == packet.proto
            && self.interface == packet.interface
            && self.vlan == packet.vlan
            && self.tunnel == packet.tunnel
    }
}

/// The number of a [`Scope`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScopeId(u32);

impl ScopeId {
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// All scopes in use, each once.
#[derive(Debug, Default)]
pub(crate) struct Scopes {
    /// `None` is free.
    entries: Vec<Option<Entry>>,
    index: HashTable<ScopeId>,
    hasher: DefaultHashBuilder,
    free: Vec<ScopeId>,
    /// The scope of the last packet, which is often that of the next.
    last: Option<ScopeId>,
    /// Scopes without flows are removed when there are so many.
    prune_at: usize,
}

#[derive(Debug)]
struct Entry {
    scope: Scope,
    flows: u32,
}

/// Below this number, unused scopes stay.
const MIN_SCOPES: usize = 256;

impl Scopes {
    /// The number of the scope of a packet. It is valid until the next call, unless flows have it.
    pub(crate) fn id(&mut self, packet: &Observation) -> ScopeId {
        if let Some(last) = self.last.filter(|last| self.get(*last).matches(packet)) {
            return last;
        }
        let scope = Scope::of(packet);
        let hash = self.hasher.hash_one(&scope);
        let found = self.index.find(hash, |id| *self.get(*id) == scope).copied();
        let id = found.unwrap_or_else(|| self.insert(scope, hash));
        self.last = Some(id);
        id
    }

    pub(crate) fn get(&self, id: ScopeId) -> &Scope {
        &self.entries[id.index()].as_ref().expect("numbers of scopes are valid").scope
    }

    /// Another flow has the scope.
    pub(crate) fn add_flow(&mut self, id: ScopeId) {
        self.entries[id.index()].iter_mut().for_each(|entry| entry.flows += 1);
    }

    /// A flow with the scope ended.
    pub(crate) fn remove_flow(&mut self, id: ScopeId) {
        self.entries[id.index()].iter_mut().for_each(|entry| entry.flows -= 1);
    }

    fn insert(&mut self, scope: Scope, hash: u64) -> ScopeId {
        if self.prune_at.max(MIN_SCOPES) <= self.index.len() {
            self.prune();
        }
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            let number = self.entries.len() - 1;
            ScopeId(u32::try_from(number).expect("there are fewer scopes than flows"))
        });
        self.entries[id.index()] = Some(Entry { scope, flows: 0 });
        let Self { index, entries, hasher, .. } = self;
        let hash_of = |id: &ScopeId| {
            entries[id.index()].as_ref().map_or(0, |entry| hasher.hash_one(&entry.scope))
        };
        index.insert_unique(hash, id, hash_of);
        id
    }

    /// Removes the scopes without flows.
    fn prune(&mut self) {
        let Self { entries, index, free, .. } = self;
        index.retain(|id| {
            let entry = &mut entries[id.index()];
            let is_used = entry.as_ref().is_some_and(|entry| 0 < entry.flows);
            if !is_used {
                *entry = None;
                free.push(*id);
            }
            is_used
        });
        self.last = None;
        self.prune_at = self.index.len() * 2;
    }
}
