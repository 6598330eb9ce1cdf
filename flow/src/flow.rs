//! One flow.

use summary::{Ja4, Timestamp};

use crate::counts::{Counts, Dns, TcpCounts};
use crate::extra::Rare;
use crate::key::Endpoint;
use crate::scope::Scope;
use crate::slot::{Slot, flags};
use crate::store::Store;
use crate::tcp::{Side, has_ecn};

/// The packets between two endpoints, in both directions, since the flow was reported last.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    store: &'a Store,
    slot: &'a Slot,
    index: u32,
}

/// The first name of each kind in a flow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Server name in a ClientHello.
    pub sni: Option<Box<str>>,
    /// Fingerprint of a ClientHello.
    pub ja4: Option<Ja4>,
    /// Host of an HTTP/1 request.
    pub http_host: Option<Box<str>>,
}

/// Why a flow is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndReason {
    /// Both sides of a connection closed it.
    Fin,
    /// A side reset the connection.
    Rst,
    /// No packet came for the idle time.
    Timeout,
    /// The interval is over; the flow continues.
    Active,
    /// The table was full.
    Evicted,
    /// Another connection with the same endpoints began.
    Reused,
    /// The capture ended.
    End,
}

impl EndReason {
    /// The value of `reason` in a `flow` record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fin => "fin",
            Self::Rst => "rst",
            Self::Timeout => "timeout",
            Self::Active => "active",
            Self::Evicted => "evicted",
            Self::Reused => "reused",
            Self::End => "end",
        }
    }
}

impl<'a> Flow<'a> {
    /// The flow with an index.
    pub(crate) fn new(store: &'a Store, index: u32) -> Self {
        Self { store, slot: store.slots.get(index), index }
    }

    /// A number that no other flow has now.
    pub fn id(&self) -> u64 {
        u64::from(self.index) << 16 | u64::from(self.slot.serial)
    }

    /// The client of a connection, or the sender of the first packet.
    pub fn source(&self) -> Endpoint {
        self.end(0)
    }

    /// The other end.
    pub fn destination(&self) -> Endpoint {
        self.end(1)
    }

    fn end(&self, side: usize) -> Endpoint {
        self.store.key(self.slot).end(side ^ usize::from(self.slot.is_reversed()))
    }

    /// Interface, protocol, VLANs and tunnel.
    pub fn scope(&self) -> &'a Scope {
        self.store.scopes.get(self.slot.key().scope)
    }

    /// How often the flow was reported before; its packets then are not part of the counts.
    pub fn reports(&self) -> u32 {
        Rare::find(self.slot.extra, &self.store.extras).map_or(0, |rare| rare.reports)
    }

    /// The packets from the source, and those to it.
    pub fn counts(&self) -> [Counts; 2] {
        [0, 1].map(|side| self.slot.counts(side, &self.store.extras))
    }

    /// Times of the first and the last packet, of both directions.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        self.slot.times(&self.store.extras)
    }

    /// The findings in the segments from the source, and in those to it; `None` if it is not TCP.
    pub fn tcp(&self) -> Option<[TcpCounts; 2]> {
        let (sides, extras) = (self.store.side_entries(self.slot), &self.store.extras);
        let counts = |side: usize| self.slot.tcp_counts(side, &sides[side], extras);
        self.slot.is_tcp().then(|| [0, 1].map(counts))
    }

    /// Round-trip time of the handshake in microseconds: from the SYN to the acknowledgment of its answer.
    /// `None` if one of them was repeated or not captured.
    pub fn handshake_us(&self) -> Option<u32> {
        self.slot.has(flags::HAS_HANDSHAKE).then_some(self.slot.handshake_us)
    }

    /// Maximum segment sizes that the source and the destination announced.
    pub fn mss(&self) -> [Option<u16>; 2] {
        self.sides().map_or([None; 2], |sides| sides.map(|side| side.mss()))
    }

    /// Shift counts of the windows that source and destination announced.
    pub fn window_scale(&self) -> [Option<u8>; 2] {
        self.sides().map_or([None; 2], |sides| sides.map(|side| side.window_scale()))
    }

    /// Whether both sides permit selective acknowledgments.
    pub fn has_sack(&self) -> bool {
        self.sides().is_some_and(|sides| sides.iter().all(Side::permits_sack))
    }

    /// Whether both sides agreed on explicit congestion notification.
    pub fn has_ecn(&self) -> bool {
        self.sides().is_some_and(|sides| has_ecn(&sides))
    }

    /// The DNS messages, if there are some.
    pub fn dns(&self) -> Option<&'a Dns> {
        let dns = &self.store.extras.find(self.slot.extra)?.dns;
        (0 < dns.questions || 0 < dns.responses).then_some(dns)
    }

    /// The first name of each kind, also of earlier reports.
    pub fn names(&self) -> Option<&'a Names> {
        self.store.extras.find(self.slot.extra)?.names.as_deref()
    }

    fn sides(&self) -> Option<[Side; 2]> {
        self.slot.is_tcp().then(|| self.store.sides(self.slot))
    }
}

impl Names {
    /// Keeps the names that are missing.
    pub(crate) fn add(&mut self, names: &Self) {
        let keep = |name: &mut Option<Box<str>>, other: &Option<Box<str>>| {
            if name.is_none() {
                name.clone_from(other);
            }
        };
        keep(&mut self.sni, &names.sni);
        keep(&mut self.http_host, &names.http_host);
        self.ja4 = self.ja4.or(names.ja4);
    }
}
