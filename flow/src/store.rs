//! The memory of all flows.

use hashbrown::DefaultHashBuilder;
use std::hash::BuildHasher;

use crate::extra::{Extra, Rare};
use crate::index::Index;
use crate::key::{Key, LongAddresses, StoredKey};
use crate::observation::{Observation, Segment};
use crate::scope::Scopes;
use crate::slab::{NONE, Slab};
use crate::slot::{Slot, flags};
use crate::tcp::{Connection, Marks, Sample, Side, SideEntry, is_reused};

/// Flows, and the values that only some of them have.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub(crate) slots: Slab<Slot>,
    index: Index,
    hasher: DefaultHashBuilder,
    pub(crate) scopes: Scopes,
    long_addresses: Slab<LongAddresses>,
    sides: Slab<SideEntry>,
    samples: Slab<Sample>,
    pub(crate) extras: Slab<Extra>,
}

impl Store {
    /// A flow without packets. `is_reversed`: its source is the second end of the key.
    pub(crate) fn insert(&mut self, key: &Key, hash: u64, is_reversed: bool, serial: u16) -> u32 {
        self.scopes.add_flow(key.scope());
        let stored = StoredKey::new(key, &mut self.long_addresses);
        let mut slot = Slot::new(stored, serial);
        slot.set(flags::IS_REVERSED, is_reversed);
        let number = self.slots.insert(slot);
        let Self { index, slots, hasher, long_addresses, .. } = self;
        let hash_of = |slot: &Slot| hasher.hash_one(slot.key().load(long_addresses));
        index.insert(hash, number, slots, hash_of);
        number
    }

    /// Frees a flow.
    pub(crate) fn remove(&mut self, index: u32) {
        let hash = self.hash(&self.key(self.slots.get(index)));
        self.index.remove(hash, index);
        let slot = self.slots.remove(index);
        let key = slot.key();
        self.scopes.remove_flow(key.scope);
        key.remove(&mut self.long_addresses);
        for side in slot.sides.into_iter().filter(|&side| side != NONE) {
            free(self.sides.remove(side).side.sample(), &mut self.samples);
        }
        free(slot.extra, &mut self.extras);
    }

    pub(crate) fn key(&self, slot: &Slot) -> Key {
        slot.key().load(&self.long_addresses)
    }

    /// The flow with this key.
    #[inline]
    pub(crate) fn find(&self, hash: u64, key: &Key) -> Option<u32> {
        self.index.find(hash, |index| self.slots.get(index).key().is(key, &self.long_addresses))
    }

    /// The hash of a key. Senders of packets cannot predict it.
    pub(crate) fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key)
    }

    /// Number of flows.
    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// The sides of a TCP connection; those that are not used are empty.
    pub(crate) fn sides(&self, slot: &Slot) -> [Side; 2] {
        slot.sides
            .map(|index| self.sides.find(index).map_or_else(Side::default, |entry| entry.side))
    }

    /// The same, with their round-trip times.
    pub(crate) fn side_entries(&self, slot: &Slot) -> [SideEntry; 2] {
        slot.sides.map(|index| self.sides.find(index).copied().unwrap_or_default())
    }

    /// Whether a packet from side `from` begins another connection with the same endpoints.
    pub(crate) fn is_reused_by(&self, index: u32, from: usize, packet: &Observation) -> bool {
        let (slot, Some(segment)) = (self.slots.get(index), &packet.segment) else { return false };
        segment.has_syn() && slot.is_tcp() && is_reused(&self.sides(slot), from, segment)
    }

    /// Whether a flow is a connection that both sides use and none has closed.
    pub(crate) fn is_established(&self, slot: &Slot) -> bool {
        !slot.has(flags::IS_RESET | flags::IS_FINISHED)
            && slot
                .sides
                .iter()
                .all(|&side| self.sides.find(side).is_some_and(|entry| entry.side.has_exchanged()))
    }

    /// Adds a packet of side `from` to a flow.
    pub(crate) fn add(&mut self, index: u32, from: usize, packet: &Observation) -> Marks {
        let slot = self.slots.get_mut(index);
        slot.count(from, packet.ts, packet.len, packet.payload, &mut self.extras);
        if packet.is_ce {
            slot.count_ce(from, &mut self.extras);
        }
        if packet.dns.is_some() || packet.names.is_some() {
            let extra = Extra::find_or_insert(&mut slot.extra, &mut self.extras);
            packet.dns.into_iter().for_each(|message| extra.dns.add(message));
            if let Some(names) = &packet.names {
                extra.names.get_or_insert_default().add(names);
            }
        }
        match &packet.segment {
            Some(segment) => self.add_segment(index, from, packet, segment),
            None => Marks::default(),
        }
    }

    fn add_segment(
        &mut self,
        index: u32,
        from: usize,
        packet: &Observation,
        segment: &Segment,
    ) -> Marks {
        let sides = self.sides(self.slots.get(index));
        let Self { slots, samples, extras, .. } = self;
        let slot = slots.get_mut(index);
        let mut connection = Connection { sides, slot, samples, extras };
        let marks = connection.add(from, packet.ts.ns(), packet.payload, segment);
        let Connection { sides, slot, extras, .. } = connection;
        for (number, (side, index)) in sides.into_iter().zip(&mut slot.sides).enumerate() {
            match *index {
                NONE if number == from || side.is_used() => {
                    *index = self.sides.insert(SideEntry::new(side));
                }
                NONE => {}
                index => self.sides.get_mut(index).side = side,
            }
        }
        let to = 1 - from;
        if let Some(us) = marks.rtt_us
            && slot.sides[to] != NONE
        {
            let carry = self.sides.get_mut(slot.sides[to]).add_rtt(us);
            if carry != Default::default() {
                Rare::find_or_insert(&mut slot.extra, extras).high[to].rtt.add(carry);
            }
        }
        marks
    }

    /// Starts the next report of a flow.
    pub(crate) fn reset_counts(&mut self, index: u32) {
        let slot = self.slots.get_mut(index);
        slot.reset_counts(&mut self.extras);
        for side in slot.sides.into_iter().filter(|&side| side != NONE) {
            self.sides.get_mut(side).reset_counts();
        }
    }
}

fn free<T: crate::slab::Entry>(index: u32, slab: &mut Slab<T>) {
    if index != NONE {
        slab.remove(index);
    }
}
