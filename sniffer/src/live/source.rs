//! One interface of a run, as it comes and goes, and what the kernel counts of it.

use std::time::{Duration, Instant};
use summary::record;

use crate::Error;
use crate::capture::{Capture, Counters};
use crate::interfaces::{self, Interface};
use crate::stream::Losses;

/// After so long without a drop a burst of drops is over.
const BURST_PAUSE: Duration = Duration::from_secs(1);

/// An interface that is captured on.
#[derive(Debug)]
pub(super) struct Source {
    /// As it was last heard of.
    pub(super) interface: Interface,
    pub(super) state: State,
    is_promiscuous: bool,
    pub(super) captures: Vec<Capture>,
    /// What captures counted that are closed.
    earlier: Counters,
    /// The kernel's counters as last read.
    counters: Counters,
    /// The same as told in `stats` so far.
    told: Counters,
    /// Packets that the hardware had lost when last told.
    lost: u64,
    burst: Option<Burst>,
}

/// Whether packets can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Up,
    Down {
        since: Instant,
    },
    /// There is no such interface.
    Gone {
        since: Instant,
    },
    /// There is one again, not yet up.
    Back {
        since: Instant,
    },
}

impl State {
    /// When packets stopped; now, where they had not.
    pub(super) fn since(self) -> Instant {
        match self {
            Self::Up => Instant::now(),
            Self::Down { since } | Self::Gone { since } | Self::Back { since } => since,
        }
    }
}

/// The kernel drops packets.
#[derive(Clone, Copy, Debug)]
struct Burst {
    begin: Instant,
    last: Instant,
}

/// What reading the counters showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drops {
    /// As before.
    Same,
    /// The kernel has begun to drop packets.
    Begin,
    /// It dropped some for that long, and has not since.
    End(Duration),
}

impl Source {
    pub(super) fn new(interface: Interface, captures: Vec<Capture>, is_promiscuous: bool) -> Self {
        let lost = interface.lost;
        Self {
            interface,
            state: State::Up,
            is_promiscuous,
            captures,
            earlier: Counters::default(),
            counters: Counters::default(),
            told: Counters::default(),
            lost,
            burst: None,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.interface.name
    }

    /// The kernel's counters as last read.
    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    /// Reads the kernel's counters.
    pub(super) fn read_counters(&mut self) -> Result<Drops, Error> {
        let mut counters = self.earlier;
        for capture in &mut self.captures {
            counters = counters + capture.counters()?;
        }
        let has_dropped = self.counters.drop < counters.drop;
        self.counters = counters;
        let now = Instant::now();
        Ok(match (&mut self.burst, has_dropped) {
            (Some(burst), true) => {
                burst.last = now;
                Drops::Same
            }
            (None, true) => {
                self.burst = Some(Burst { begin: now, last: now });
                Drops::Begin
            }
            (Some(burst), false) if BURST_PAUSE <= now - burst.last => {
                let length = burst.last - burst.begin;
                self.burst = None;
                Drops::End(length)
            }
            (_, false) => Drops::Same,
        })
    }

    /// Other captures take the place of these, which are closed and counted.
    pub(super) fn replace_captures(&mut self, captures: Vec<Capture>) {
        self.earlier = self.counters;
        self.captures = captures;
    }

    /// What was lost between the last time and the last reading of the counters. `interfaces` are all
    /// as they are now.
    pub(super) fn take_losses(&mut self, interfaces: &[Interface]) -> Losses {
        let counters = self.counters;
        let lost = self.lost(interfaces);
        let losses = Losses {
            drop: counters.drop - self.told.drop,
            freeze: counters.freeze - self.told.freeze,
            if_drop: lost.saturating_sub(self.lost),
        };
        self.told = counters;
        self.lost = lost;
        losses
    }

    /// Packets that the hardware lost since the interface exists; of `any` those of all.
    fn lost(&self, interfaces: &[Interface]) -> u64 {
        let index = self.interface.index;
        let seen = interfaces.iter().filter(|interface| index == 0 || interface.index == index);
        seen.map(|interface| interface.lost).sum()
    }

    /// The hardware's counters are those of another interface from here on.
    pub(super) fn forget_lost(&mut self) {
        self.lost = self.interface.lost;
    }

    /// Counts from what the hardware has lost so far.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        self.lost = self.lost(&interfaces::all()?);
        Ok(())
    }

    /// What `meta` says of it.
    pub(super) fn describe(&self) -> record::Interface {
        let interface = &self.interface;
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
