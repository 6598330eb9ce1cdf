//! One interface of a run: its link, its sockets, and what the kernel counts.

use std::time::Instant;
use summary::{Timestamp, record};

use super::drops::{DropTracker, DropTransition, HardwareLosses, Reading};
use super::link::Link;
use crate::Error;
use crate::capture::{Capture, Counters};
use crate::counts::Losses;
use crate::interfaces::{self, Interface};
use crate::stream::now;

/// A captured interface.
#[derive(Debug)]
pub(super) struct CapturedInterface {
    pub(super) link: Link,
    is_promiscuous: bool,
    /// The sockets: one, or one per thread.
    pub(super) captures: Vec<Capture>,
    /// Final counters of sockets that were replaced.
    closed: Counters,
    /// The kernel's counters as last read.
    counters: Counters,
    /// The part of the counters that `stats` records have reported.
    reported: Counters,
    hardware: HardwareLosses,
    drops: DropTracker,
}

impl CapturedInterface {
    pub(super) fn new(interface: Interface, captures: Vec<Capture>, is_promiscuous: bool) -> Self {
        Self {
            hardware: HardwareLosses::new(interface.lost),
            link: Link::new(interface),
            is_promiscuous,
            captures,
            closed: Counters::default(),
            counters: Counters::default(),
            reported: Counters::default(),
            drops: DropTracker::new(Instant::now()),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.link.interface().name
    }

    /// The kernel's counters as last read.
    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    /// Reads the kernel's counters.
    pub(super) fn read_counters(&mut self) -> Result<DropTransition, Error> {
        let mut counters = self.closed;
        for capture in &mut self.captures {
            counters = counters + capture.counters()?;
        }
        self.counters = counters;
        let now = Reading { at: Instant::now(), time: now() };
        Ok(self.drops.on_reading(counters.drop, now))
    }

    /// Ends a burst of drops at the end of the run.
    pub(super) fn end_drops(&mut self) -> DropTransition {
        self.drops.end_burst()
    }

    /// Notes a packet that was read.
    pub(super) fn on_packet(&mut self, ts: Timestamp) {
        self.drops.on_packet(ts);
    }

    /// Replaces the sockets. The counters of the old ones must have been read.
    pub(super) fn replace_captures(&mut self, captures: Vec<Capture>) {
        self.closed = self.counters;
        self.captures = captures;
    }

    /// Losses since the previous call, as of the last reading of the counters. `interfaces` are all
    /// interfaces as they are now; empty if unknown.
    pub(super) fn take_losses(&mut self, interfaces: &[Interface]) -> Losses {
        let if_drop = self.hardware.take(self.hardware_total(interfaces));
        let counters = self.counters;
        let losses = Losses {
            drop: counters.drop - self.reported.drop,
            freeze: counters.freeze - self.reported.freeze,
            if_drop,
        };
        self.reported = counters;
        losses
    }

    /// Packets that the hardware of this interface, or of all for `any`, has lost since it exists.
    /// `None` if it is not among `interfaces`.
    fn hardware_total(&self, interfaces: &[Interface]) -> Option<u64> {
        let index = self.link.interface().index;
        let of_this = interfaces.iter().filter(|interface| index == 0 || interface.index == index);
        of_this.map(|interface| interface.lost).reduce(u64::saturating_add)
    }

    /// Counts hardware losses from the state of the current interface on.
    pub(super) fn reset_hw_baseline(&mut self) {
        self.hardware = HardwareLosses::new(self.link.interface().lost);
    }

    /// Counts hardware losses from now on.
    pub(super) fn init_hw_baseline(&mut self) -> Result<(), Error> {
        let total = self.hardware_total(&interfaces::all()?);
        self.hardware.take(total);
        Ok(())
    }

    /// The interface as `meta` describes it.
    pub(super) fn describe(&self) -> record::Interface {
        let interface = self.link.interface();
        record::Interface {
            name: Some(interface.name.clone()),
            index: interface.index,
            linktype: interface.link_type().map_or(0, |link| link.0),
            mac: interface.mac.clone(),
            mtu: interface.mtu,
            promisc: (interface.index != 0).then_some(self.is_promiscuous),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interface(index: u32, lost: u64) -> Interface {
        Interface { index, lost, ..Interface::any() }
    }

    #[test]
    fn failed_dump_does_not_report_earlier_drops() {
        for (captured, interfaces) in [
            (interface(2, 500), [interface(1, 7), interface(2, 501)]),
            (interface(0, 500), [interface(1, 1), interface(2, 500)]),
        ] {
            let mut captured = CapturedInterface::new(captured, Vec::new(), false);
            assert_eq!(captured.take_losses(&[]).if_drop, 0);
            assert_eq!(captured.take_losses(&interfaces).if_drop, 1);
        }
    }
}
