//! What has to hold for a packet to be accepted: the expression, made of numbers in packets.

use crate::tree::{Junction, Relation};
use crate::value::{Slot, ValueId};

/// A condition. Its parts are looked at in order, and only as far as needed: a part that loads bytes
/// beyond a packet's end rejects it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Always(bool),
    /// A value and what it is compared with.
    Test(ValueId, Relation, ValueId),
    Not(Box<Condition>),
    /// Joined from left to right.
    Chain(Box<Condition>, Vec<(Junction, Condition)>),
    /// Holds, and sets a word of memory.
    Set(Slot, ValueId),
}

impl Condition {
    /// Both, the first one first.
    pub(crate) fn and(self, next: Self) -> Self {
        self.join(Junction::And, next)
    }

    /// Either, the first one first.
    pub(crate) fn or(self, next: Self) -> Self {
        self.join(Junction::Or, next)
    }

    fn join(self, junction: Junction, next: Self) -> Self {
        match (self, junction) {
            (Self::Always(true), Junction::And) | (Self::Always(false), Junction::Or) => next,
            (Self::Always(false), Junction::And) => Self::Always(false),
            (Self::Always(true), Junction::Or) => Self::Always(true),
            // Left to right is what a chain means, so one that grows stays flat.
            (Self::Chain(first, mut rest), _) => {
                rest.push((junction, next));
                Self::Chain(first, rest)
            }
            (first, _) => Self::Chain(Box::new(first), vec![(junction, next)]),
        }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Self::Always(holds) => Self::Always(!holds),
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// All of them, in order.
    pub(crate) fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().fold(Self::Always(true), Self::and)
    }

    /// Any of them, in order.
    pub(crate) fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().fold(Self::Always(false), Self::or)
    }
}
