//! One flow on the screen.

use flow::{EndReason, Endpoint, Flow, RttStats, TcpCounts};
use summary::Proto;

/// A value that flows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum SortKey {
    /// Bits per second.
    #[default]
    Rate,
    Bytes,
    Packets,
    Problems,
    Latency,
    Duration,
}

impl SortKey {
    pub(super) const ALL: [Self; 6] =
        [Self::Rate, Self::Bytes, Self::Packets, Self::Problems, Self::Latency, Self::Duration];

    /// The key on the keyboard.
    pub(super) fn letter(self) -> char {
        match self {
            Self::Rate => 'r',
            Self::Bytes => 'b',
            Self::Packets => 'p',
            Self::Problems => 'x',
            Self::Latency => 'l',
            Self::Duration => 'd',
        }
    }

    /// The name in the line of keys.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Bytes => "bytes",
            Self::Packets => "packets",
            Self::Problems => "problems",
            Self::Latency => "latency",
            Self::Duration => "duration",
        }
    }
}

/// The values of a flow, in the order of [`SortKey::ALL`].
pub(super) type Values = [u64; SortKey::ALL.len()];

/// One flow on the screen.
#[derive(Clone, Debug)]
pub(super) struct FlowRow {
    pub(super) source: Endpoint,
    pub(super) destination: Endpoint,
    pub(super) proto: Proto<'static>,
    /// Name of the server, if a packet has one.
    pub(super) name: Option<Box<str>>,
    pub(super) problems: Problems,
    /// Why the flow ended; `None` if it did not.
    pub(super) end: Option<EndReason>,
    values: Values,
}

/// Counts of the problems in a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Problems {
    pub(super) rtx: u64,
    pub(super) out_of_order: u64,
    pub(super) zero_windows: u64,
    pub(super) resets: u64,
    pub(super) dns_failures: u64,
}

impl Problems {
    fn of(flow: &Flow<'_>, tcp: Option<&[TcpCounts; 2]>) -> Self {
        let sum = |count: fn(&TcpCounts) -> u64| tcp.into_iter().flatten().map(count).sum();
        Self {
            rtx: sum(TcpCounts::rtx),
            out_of_order: sum(|counts| counts.out_of_order.into()),
            zero_windows: sum(|counts| counts.zero_windows.into()),
            resets: sum(|counts| counts.resets.into()),
            dns_failures: flow.dns().map_or(0, |dns| dns.failures.into()),
        }
    }

    fn sum(&self) -> u64 {
        self.rtx + self.out_of_order + self.zero_windows + self.resets + self.dns_failures
    }
}

impl FlowRow {
    pub(super) fn new(flow: &Flow<'_>, rate: u64, end: Option<EndReason>) -> Self {
        let names = flow.names();
        let name = names.and_then(|names| names.sni.clone().or_else(|| names.http_host.clone()));
        Self {
            source: flow.source(),
            destination: flow.destination(),
            proto: flow.scope().proto.clone(),
            name,
            problems: Problems::of(flow, flow.tcp().as_ref()),
            end,
            values: values(flow, rate),
        }
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }

    pub(super) fn value(&self, key: SortKey) -> u64 {
        self.values[key as usize]
    }
}

/// The values of a flow. `rate` is in bits per second, the latency in microseconds: the longer mean
/// round-trip time of both directions, or the mean response time of DNS. The duration is in
/// milliseconds.
pub(super) fn values(flow: &Flow<'_>, rate: u64) -> Values {
    let [bytes, packets] = [bytes(flow), flow.counts().iter().map(|counts| counts.packets).sum()];
    let tcp = flow.tcp();
    let rtts = tcp.iter().flatten().map(|counts| &counts.rtt);
    let times = rtts.chain(flow.dns().map(|dns| &dns.time));
    let latency = times.filter_map(RttStats::mean_us).max().unwrap_or(0);
    let problems = Problems::of(flow, tcp.as_ref()).sum();
    [rate, bytes, packets, problems, latency, duration_ns(flow) / 1_000_000]
}

/// Bytes of both directions.
pub(super) fn bytes(flow: &Flow<'_>) -> u64 {
    flow.counts().iter().map(|counts| counts.bytes).fold(0, u64::saturating_add)
}

/// Time from the first to the last packet.
pub(super) fn duration_ns(flow: &Flow<'_>) -> u64 {
    let (first, last) = flow.times();
    u64::try_from(last.ns().saturating_sub(first.ns())).unwrap_or(0)
}
