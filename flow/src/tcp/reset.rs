//! Resets of connections without data.

use super::distance;
use super::side::Side;
use crate::observation::Segment;

/// How a segment with RST ends a connection that carried no data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reset {
    /// It is the answer to a SYN.
    Refused,
    /// Neither side had sent data, according to the sequence numbers.
    NoData,
}

impl Reset {
    /// All values, in the order of their numbers.
    pub const ALL: [Self; 2] = [Self::Refused, Self::NoData];

    /// The value of `reset` in a line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::NoData => "no_data",
        }
    }

    /// The value for a segment with RST of side `from`; `None` if the connection carried data, or if its
    /// beginning was not captured.
    pub(super) fn of(sides: &[Side; 2], from: usize, segment: &Segment) -> Option<Self> {
        let [sender, receiver] = [&sides[from], &sides[1 - from]];
        let is_refusal = |isn: u32| {
            let is_first = !sender.is_used() && receiver.ack().is_none();
            let is_acked = segment.ack.is_some_and(|ack| {
                0 < distance(isn, ack)
                    && receiver.next().is_some_and(|next| distance(next, ack) <= 0)
            });
            is_first && is_acked
        };
        if receiver.isn().is_some_and(is_refusal) {
            return Some(Self::Refused);
        }
        // Numbers beyond those of the captured segments belong to data that was not captured.
        let is_reached =
            |side: &Side, number: u32| side.next().is_some_and(|next| distance(next, number) <= 0);
        let has_gap = (sender.is_used() && !is_reached(sender, segment.seq))
            || segment.ack.is_some_and(|ack| !is_reached(receiver, ack));
        let has_begun = sides.iter().any(|side| side.isn().is_some());
        let is_empty = has_begun && !has_gap && sides.iter().all(Side::is_without_data);
        is_empty.then_some(Self::NoData)
    }
}
