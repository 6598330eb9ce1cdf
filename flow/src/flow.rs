//! One flow.

use summary::{Ja4, Timestamp};

use crate::counts::{Counts, Dns, TcpCounts};
use crate::key::{Endpoint, Key, Scope};
use crate::observation::{DnsMessage, Observation};
use crate::tcp::{Connection, Marks};

/// The packets between two endpoints, in both directions, since the flow was reported last.
#[derive(Clone, Copy, Debug)]
pub struct Flow<'a> {
    pub(crate) key: &'a Key,
    pub(crate) state: &'a State,
}

/// A flow without its key, which the table has.
#[derive(Debug)]
pub(crate) struct State {
    /// Whether the source is the second end of the key.
    pub(crate) is_reversed: bool,
    /// How often the flow was reported before.
    pub(crate) reports: u32,
    /// From the source, and to it.
    pub(crate) counts: [Counts; 2],
    pub(crate) tcp: Option<Box<Connection>>,
    extra: Option<Box<Extra>>,
    /// The time of the capture at the latest packet.
    pub(crate) active_at: Timestamp,
}

/// What most flows do not have.
#[derive(Debug, Default)]
struct Extra {
    dns: Option<Dns>,
    names: Names,
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

impl State {
    /// A flow without packets. The first packet decides which end is the source: the client of a connection,
    /// or the end that sent it.
    pub(crate) fn new(key: &Key, packet: &Observation) -> Self {
        let is_answer = packet.segment.is_some_and(|segment| segment.is_syn_ack());
        let is_from_second = key.ends[0] != packet.src;
        Self {
            is_reversed: is_from_second != is_answer,
            reports: 0,
            counts: Default::default(),
            tcp: packet.segment.map(|_| Box::default()),
            extra: None,
            active_at: packet.ts,
        }
    }

    /// Adds a packet that belongs to the flow.
    pub(crate) fn add(&mut self, key: &Key, packet: &Observation) -> Marks {
        let from = self.side(key, packet);
        self.counts[from].add(packet.ts, packet.len, packet.payload);
        if packet.dns.is_some() || packet.names.is_some() {
            self.add_extra(packet);
        }
        let Some(segment) = &packet.segment else { return Marks::default() };
        let connection = self.tcp.get_or_insert_default();
        connection.add(from, packet.ts.ns(), packet.payload, segment)
    }

    fn add_extra(&mut self, packet: &Observation) {
        let extra = self.extra.get_or_insert_default();
        if let Some(DnsMessage { code, time_us }) = packet.dns {
            let dns = extra.dns.get_or_insert_default();
            match code {
                None => dns.questions = dns.questions.saturating_add(1),
                Some(code) => {
                    dns.responses = dns.responses.saturating_add(1);
                    dns.failures = dns.failures.saturating_add((code.0 != 0).into());
                }
            }
            if let Some(us) = time_us {
                dns.time.add(u32::try_from(us).unwrap_or(u32::MAX));
            }
        }
        if let Some(names) = &packet.names {
            let Names { sni, ja4, http_host } = &mut extra.names;
            sni.get_or_insert_with_opt(&names.sni);
            http_host.get_or_insert_with_opt(&names.http_host);
            *ja4 = ja4.or(names.ja4);
        }
    }

    /// Starts the next report.
    pub(crate) fn reset_counts(&mut self) {
        self.reports = self.reports.saturating_add(1);
        self.counts = Default::default();
        if let Some(tcp) = &mut self.tcp {
            tcp.reset_counts();
        }
        if let Some(extra) = &mut self.extra {
            extra.dns = None;
        }
    }

    /// 0 if the packet comes from the source.
    pub(crate) fn side(&self, key: &Key, packet: &Observation) -> usize {
        usize::from(packet.src != key.ends[usize::from(self.is_reversed)])
    }

    /// Times of the first and the last packet, of both directions.
    pub(crate) fn times(&self) -> (Timestamp, Timestamp) {
        let counts = self.counts.iter().filter(|counts| 0 < counts.packets);
        let first = counts.clone().map(|counts| counts.first).min();
        let last = counts.map(|counts| counts.last).max();
        (first.unwrap_or_default(), last.unwrap_or_default())
    }
}

impl<'a> Flow<'a> {
    /// The client of a connection, or the sender of the first packet.
    pub fn source(&self) -> Endpoint {
        self.key.ends[usize::from(self.state.is_reversed)]
    }

    /// The other end.
    pub fn destination(&self) -> Endpoint {
        self.key.ends[usize::from(!self.state.is_reversed)]
    }

    /// Interface, protocol, VLANs and tunnel.
    pub fn scope(&self) -> &'a Scope {
        &self.key.scope
    }

    /// How often the flow was reported before; its packets then are not part of the counts.
    pub fn reports(&self) -> u32 {
        self.state.reports
    }

    /// The packets from the source, and those to it.
    pub fn counts(&self) -> &'a [Counts; 2] {
        &self.state.counts
    }

    /// Times of the first and the last packet, of both directions.
    pub fn times(&self) -> (Timestamp, Timestamp) {
        self.state.times()
    }

    /// The findings in the segments from the source, and in those to it; `None` if it is not TCP.
    pub fn tcp(&self) -> Option<[&'a TcpCounts; 2]> {
        self.state.tcp.as_ref().map(|tcp| tcp.counts())
    }

    /// Round-trip time of the handshake in microseconds: from the SYN to the acknowledgment of its answer.
    /// `None` if one of them was repeated or not captured.
    pub fn handshake_us(&self) -> Option<u32> {
        self.state.tcp.as_ref()?.handshake_us()
    }

    /// Maximum segment sizes that the source and the destination announced.
    pub fn mss(&self) -> [Option<u16>; 2] {
        self.state.tcp.as_ref().map_or([None; 2], |tcp| tcp.mss())
    }

    /// Shift counts of the windows that source and destination announced.
    pub fn window_scale(&self) -> [Option<u8>; 2] {
        self.state.tcp.as_ref().map_or([None; 2], |tcp| tcp.window_scale())
    }

    /// Whether both sides permit selective acknowledgments.
    pub fn has_sack(&self) -> bool {
        self.state.tcp.as_ref().is_some_and(|tcp| tcp.has_sack())
    }

    /// Whether both sides agreed on explicit congestion notification.
    pub fn has_ecn(&self) -> bool {
        self.state.tcp.as_ref().is_some_and(|tcp| tcp.has_ecn())
    }

    /// The DNS messages, if there are some.
    pub fn dns(&self) -> Option<&'a Dns> {
        self.state.extra.as_ref()?.dns.as_ref()
    }

    /// The first name of each kind, also of earlier reports.
    pub fn names(&self) -> Option<&'a Names> {
        self.state.extra.as_ref().map(|extra| &extra.names)
    }
}

/// Sets a value that is missing.
trait InsertOption<T> {
    fn get_or_insert_with_opt(&mut self, other: &Option<T>);
}

impl<T: Clone> InsertOption<T> for Option<T> {
    fn get_or_insert_with_opt(&mut self, other: &Option<T>) {
        if self.is_none() {
            self.clone_from(other);
        }
    }
}
