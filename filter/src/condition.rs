//! The condition for accepting a packet, in terms of values in the packet: what `lowering` makes of
//! an expression, and `graph` turns into a control-flow graph.

use crate::ast::{BoolOp, CmpOp};
use crate::value::{Temp, ValueId};

/// A condition. Evaluation goes from left to right and stops when the result is certain; a load
/// beyond the end of the packet rejects it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Condition {
    Always(bool),
    /// Compares two values.
    Test(ValueId, CmpOp, ValueId),
    Not(Box<Condition>),
    /// Conditions combined from left to right, without precedence.
    Chain(Box<Condition>, Vec<(BoolOp, Condition)>),
    /// Assigns a value to a temporary, and is true.
    Store(Temp, ValueId),
}

impl Condition {
    /// Both, `self` evaluated first.
    pub(crate) fn and(self, next: Self) -> Self {
        self.join(BoolOp::And, next)
    }

    /// Either, `self` evaluated first.
    pub(crate) fn or(self, next: Self) -> Self {
        self.join(BoolOp::Or, next)
    }

    fn join(self, op: BoolOp, next: Self) -> Self {
        match (self, op) {
            (Self::Always(true), BoolOp::And) | (Self::Always(false), BoolOp::Or) => next,
            (Self::Always(false), BoolOp::And) => Self::Always(false),
            (Self::Always(true), BoolOp::Or) => Self::Always(true),
            // A chain is evaluated from left to right, so that appending keeps its meaning.
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

    /// True if all conditions are.
    pub(crate) fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().fold(Self::Always(true), Self::and)
    }

    /// True if any condition is.
    pub(crate) fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        conditions.into_iter().fold(Self::Always(false), Self::or)
    }
}
