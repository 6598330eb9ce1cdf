//! What has to hold for a packet to be accepted: the expression, made of numbers in packets.

use crate::ast::{BoolOp, CmpOp};
use crate::value::{Temp, ValueId};

/// A condition. Its parts are looked at in order, and only as far as needed: a part that loads bytes
/// beyond a packet's end rejects it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Always(bool),
    /// A value and what it is compared with.
    Test(ValueId, CmpOp, ValueId),
    Not(Box<Condition>),
    /// Joined from left to right.
    Chain(Box<Condition>, Vec<(BoolOp, Condition)>),
    /// Holds, and sets a word of memory.
    Store(Temp, ValueId),
}

impl Condition {
    /// Both, the first one first.
    pub(crate) fn and(self, next: Self) -> Self {
        self.join(BoolOp::And, next)
    }

    /// Either, the first one first.
    pub(crate) fn or(self, next: Self) -> Self {
        self.join(BoolOp::Or, next)
    }

    fn join(self, op: BoolOp, next: Self) -> Self {
        match (self, op) {
            (Self::Always(true), BoolOp::And) | (Self::Always(false), BoolOp::Or) => next,
            (Self::Always(false), BoolOp::And) => Self::Always(false),
            (Self::Always(true), BoolOp::Or) => Self::Always(true),
            // Left to right is what a chain means, so one that grows stays flat.
            (Self::Chain(first, mut rest), _) => {
                rest.push((op, next));
                Self::Chain(first, rest)
            }
            (first, _) => Self::Chain(Box::new(first), vec![(op, next)]),
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
