//! The stream and its accounts: numbers the packets, writes the records, and keeps the identity
//! `recv = out + skip + drop` in every `stats` and in `end`.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};
use summary::record::{
    End, Event, EventKind, Interface, Meta, Reason, Record, Source, Stats, VERSION,
};
use summary::{Direction, Packet, Summary, Timestamp, line};

use crate::Error;
use crate::cli::Common;
use crate::output::Output;

/// The largest number of the stream: JavaScript reads those below 2⁵³ exactly.
const MAX_NUMBER: u64 = (1 << 53) - 1;

/// A stream being written.
#[derive(Debug)]
pub(crate) struct Stream {
    output: Output,
    writer: line::Writer,
    has_ethernet: bool,
    /// Most packets to write.
    limit: u64,
    /// Since the last `stats`.
    current: Counts,
    /// Sums of all `stats` so far.
    total: Counts,
}

/// What is counted of an interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) recv: u64,
    pub(crate) drop: u64,
    pub(crate) out: u64,
    pub(crate) skip: u64,
    pub(crate) bytes: u64,
}

/// What the kernel tells of the time since the last `stats`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) drop: u64,
    pub(crate) freeze: u64,
    pub(crate) if_drop: u64,
}

impl Stream {
    /// Begins a stream with `meta`.
    pub(crate) fn open(
        output: Output,
        common: &Common<'_>,
        source: Source,
        file: Option<String>,
        interfaces: Vec<Interface>,
    ) -> Result<Self, Error> {
        let mut stream = Self {
            output,
            writer: line::Writer::default(),
            has_ethernet: common.has_ethernet,
            limit: common.count.unwrap_or(u64::MAX),
            current: Counts::default(),
            total: Counts::default(),
        };
        stream.record(&Record::Meta(Meta {
            v: VERSION,
            tool: env!("CARGO_PKG_NAME").into(),
            version: env!("CARGO_PKG_VERSION").into(),
            start: now(),
            host: nix::unistd::gethostname().ok().map(|name| name.to_string_lossy().into_owned()),
            source,
            file,
            filter: None,
            snaplen: common.snaplen,
            interfaces,
        }))?;
        stream.flush()?;
        Ok(stream)
    }

    /// Packets written so far.
    pub(crate) fn out(&self) -> u64 {
        self.total.out + self.current.out
    }

    /// Packets written or filtered out so far: the number of the last one.
    pub(crate) fn taken(&self) -> u64 {
        self.out() + self.total.skip + self.current.skip
    }

    /// Packets dropped, as far as `stats` told.
    pub(crate) fn dropped(&self) -> u64 {
        self.total.drop
    }

    /// True where as many packets were written as asked for.
    pub(crate) fn is_full(&self) -> bool {
        self.limit <= self.out()
    }

    /// Writes a packet under the next number.
    pub(crate) fn packet(
        &mut self,
        ts: Timestamp,
        interface: Option<&str>,
        direction: Option<Direction>,
        mut summary: Summary<'_>,
    ) -> Result<(), Error> {
        if !self.has_ethernet {
            summary.eth = None;
        }
        let n = self.taken() + 1;
        self.current.out += 1;
        // Hostile files tell lengths that no wire had; the sum stays a number that all can read.
        let room = MAX_NUMBER - self.total.bytes - self.current.bytes;
        self.current.bytes += u64::from(summary.len).min(room);
        let interface = interface.map(Cow::Borrowed);
        let packet = Packet { n, ts, interface, direction, gso: None, summary };
        self.output.append(|buffer| self.writer.packet(&packet, buffer))
    }

    /// Writes the counters since the last time. Packets still in the ring count as received when
    /// they are taken from it; `recv`, the kernel's own count, is given at the end only, when the
    /// ring is empty and both have to agree.
    pub(crate) fn stats(
        &mut self,
        interface: Option<&str>,
        losses: Losses,
        recv: Option<u64>,
    ) -> Result<(), Error> {
        let Losses { drop, freeze, if_drop } = losses;
        let Counts { out, skip, bytes, .. } = std::mem::take(&mut self.current);
        let recv = recv.map_or(out + skip + drop, |recv| recv.saturating_sub(self.total.recv));
        self.total.recv += recv;
        self.total.drop += drop;
        self.total.out += out;
        self.total.skip += skip;
        self.total.bytes += bytes;
        let interface = interface.map(str::to_owned);
        self.record(&Record::Stats(Stats {
            ts: now(),
            interface,
            recv,
            drop,
            freeze,
            if_drop,
            out,
            skip,
            bytes,
        }))
    }

    /// Writes that something happened to an interface.
    pub(crate) fn event(
        &mut self,
        interface: &str,
        event: EventKind,
        gap_ns: Option<u64>,
    ) -> Result<(), Error> {
        let interface = Some(interface.to_owned());
        self.record(&Record::Event(Event {
            ts: now(),
            interface,
            event,
            gap_ns,
            new_name: None,
            mtu: None,
        }))?;
        self.flush()
    }

    /// Writes the totals: the last line.
    pub(crate) fn end(mut self, reason: Reason) -> Result<(), Error> {
        let Counts { recv, drop, out, skip, bytes, .. } = self.total;
        self.record(&Record::End(End { ts: now(), reason, recv, drop, out, skip, bytes }))?;
        self.flush()
    }

    /// Writes what is buffered.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.output.flush()
    }

    fn record(&mut self, record: &Record) -> Result<(), Error> {
        self.output.append(|buffer| {
            #[expect(clippy::expect_used, reason = "plain data into memory: nothing to fail")]
            serde_json::to_writer(&mut *buffer, record).expect("a Vec takes all bytes");
            buffer.push(b'\n');
        })
    }
}

/// The wall clock.
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
}
