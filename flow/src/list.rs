//! Flows in the order of their last packets, linked by their indices.

use crate::slab::{NONE, Slab};
use crate::slot::Slot;

/// A list of flows. The one without packets for the longest time is in front.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    front: u32,
    back: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { front: NONE, back: NONE }
    }
}

impl List {
    /// Index of the flow in front, or [`NONE`].
    pub(crate) fn front(&self) -> u32 {
        self.front
    }

    /// Whether a flow is the last one.
    pub(crate) fn is_back(&self, index: u32) -> bool {
        self.back == index
    }

    /// Appends a flow, which is in no list.
    pub(crate) fn push(&mut self, index: u32, slots: &mut Slab<Slot>) {
        let slot = slots.get_mut(index);
        slot.set_previous(self.back);
        slot.set_next(NONE);
        match self.back {
            NONE => self.front = index,
            back => slots.get_mut(back).set_next(index),
        }
        self.back = index;
    }

    /// Takes a flow out.
    pub(crate) fn remove(&mut self, index: u32, slots: &mut Slab<Slot>) {
        let slot = slots.get(index);
        let (previous, next) = (slot.previous(), slot.next());
        match previous {
            NONE => self.front = next,
            previous => slots.get_mut(previous).set_next(next),
        }
        match next {
            NONE => self.back = previous,
            next => slots.get_mut(next).set_previous(previous),
        }
    }
}
