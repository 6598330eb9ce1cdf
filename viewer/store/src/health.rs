//! Signs of trouble in a conversation: counts of its packets with resets and with findings of the analysis.

use flow::Marks;
use viewer_model::wire::wire;

/// Packets of a conversation, or of one of its directions. All but `resets` need the analysis of TCP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Packets with RST.
    pub resets: u32,
    /// Retransmissions.
    pub retransmissions: u32,
    /// Packets with a window of zero.
    pub zero_windows: u32,
    /// Packets that end a handshake.
    pub handshakes: u32,
    /// Sum of the times of these handshakes, in microseconds.
    pub handshake_us: u64,
}

impl Health {
    /// One packet with RST.
    pub(crate) const RESET: Self =
        Self { resets: 1, retransmissions: 0, zero_windows: 0, handshakes: 0, handshake_us: 0 };

    /// One packet with these findings; `None` if they are of no interest here.
    pub(crate) fn of(marks: &Marks) -> Option<Self> {
        let Marks { rtx, is_zero_window, handshake_us, .. } = *marks;
        let health = Self {
            resets: 0,
            retransmissions: rtx.is_some().into(),
            zero_windows: is_zero_window.into(),
            handshakes: handshake_us.is_some().into(),
            handshake_us: handshake_us.unwrap_or(0).into(),
        };
        (health != Self::default()).then_some(health)
    }

    /// Adds the packets of another one.
    pub fn add(&mut self, other: Self) {
        self.update::<true>(other);
    }

    /// Adds packets, or removes them unless `ADD`. Only packets that were added may be removed.
    pub(crate) fn update<const ADD: bool>(&mut self, other: Self) {
        let count = |own: &mut u32, other: u32| {
            *own = if ADD { own.wrapping_add(other) } else { own.wrapping_sub(other) };
        };
        count(&mut self.resets, other.resets);
        count(&mut self.retransmissions, other.retransmissions);
        count(&mut self.zero_windows, other.zero_windows);
        count(&mut self.handshakes, other.handshakes);
        let us = self.handshake_us;
        self.handshake_us = match ADD {
            true => us.wrapping_add(other.handshake_us),
            false => us.wrapping_sub(other.handshake_us),
        };
    }

    /// Mean time of the handshakes in microseconds, rounded; `None` if there are none.
    pub fn mean_handshake_us(&self) -> Option<u64> {
        let count = u64::from(self.handshakes);
        (0 < count).then(|| self.handshake_us.saturating_add(count / 2) / count)
    }
}

wire!(struct Health { resets, retransmissions, zero_windows, handshakes, handshake_us });

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Retransmission;

    #[test]
    fn packets_are_added_and_removed() {
        let fast = Marks { rtx: Some(Retransmission::Fast), ..Marks::default() };
        let end = |us| Marks { handshake_us: Some(us), is_zero_window: true, ..Marks::default() };
        let rtt = Marks { rtt_us: Some(1), is_dup_ack: true, ..Marks::default() };
        assert_eq!(Health::of(&rtt), None);
        let mut sum = Health::RESET;
        for marks in [fast, end(10), end(15), end(0)] {
            sum.add(Health::of(&marks).unwrap());
        }
        assert_eq!(
            (sum.resets, sum.retransmissions, sum.zero_windows, sum.handshakes),
            (1, 1, 3, 3)
        );
        assert_eq!(sum.mean_handshake_us(), Some(8));
        for marks in [fast, end(10), end(15), end(0)] {
            sum.update::<false>(Health::of(&marks).unwrap());
        }
        assert_eq!((sum, sum.mean_handshake_us()), (Health::RESET, None));
    }
}
