//! One flow in memory. Values that only some flows have are stored elsewhere.

use summary::Timestamp;

use crate::counts::{Counts, Dns, RttStats, TcpCounts};
use crate::flow::Names;
use crate::key::StoredKey;
use crate::scope::ScopeId;
use crate::slab::{Entry, NONE, Slab};
use crate::tcp::Trouble;

/// The flags of a [`Slot`].
pub(crate) mod flags {
    /// The source is the second end of the key.
    pub(crate) const IS_REVERSED: u8 = 1;
    /// The flow is in the list with the long idle time.
    pub(crate) const IS_LONG_LIVED: u8 = 2;
    /// A SYN began the report, and nothing has acknowledged its answer yet.
    pub(crate) const HAS_SYN: u8 = 4;
    /// That SYN came from the destination.
    pub(crate) const IS_SYN_REVERSED: u8 = 8;
    /// The round-trip time of the handshake is known.
    pub(crate) const HAS_HANDSHAKE: u8 = 16;
    /// Both sides closed the connection.
    pub(crate) const IS_FINISHED: u8 = 32;
    /// A side reset the connection.
    pub(crate) const IS_RESET: u8 = 64;
    /// The slot contains a flow.
    pub(crate) const IS_USED: u8 = 128;
}

/// A time, without the alignment of 64-bit integers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PackedTime([u8; 8]);

impl PackedTime {
    pub(crate) fn new(ns: i64) -> Self {
        Self(ns.to_ne_bytes())
    }

    pub(crate) fn ns(self) -> i64 {
        i64::from_ne_bytes(self.0)
    }
}

/// A flow. Index 0 of an array is for the packets from the source, index 1 for those to it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The parts of [`StoredKey`], in place so that they leave no gap.
    words: [u32; 2],
    ports: [u16; 2],
    scope: ScopeId,
    /// Times of the first and the last packet of each direction; meaningless without packets.
    first: [PackedTime; 2],
    last: [PackedTime; 2],
    /// The low halves of the counts; the high ones are in [`Rare`].
    packets: [u32; 2],
    bytes: [u32; 2],
    payload: [u32; 2],
    /// The neighbours in the list of flows by their last packet.
    pub(crate) previous: u32,
    pub(crate) next: u32,
    /// The sides of a TCP connection.
    pub(crate) sides: [u32; 2],
    /// Index of an [`Extra`].
    pub(crate) extra: u32,
    pub(crate) handshake_us: u32,
    /// Tells flows apart that have the same index, one after the other.
    pub(crate) serial: u16,
    kinds: u8,
    pub(crate) flags: u8,
}

/// The values that only some flows have: DNS messages, names, and [`Rare`].
#[derive(Debug, Default)]
pub(crate) struct Extra {
    pub(crate) dns: Dns,
    pub(crate) names: Option<Box<Names>>,
    rare: Option<Box<Rare>>,
}

/// The values that only few flows have.
#[derive(Debug, Default)]
pub(crate) struct Rare {
    /// How often the flow was reported before.
    pub(crate) reports: u32,
    /// The high halves of counts.
    high: [HighCounts; 2],
    /// Packets that experienced congestion.
    ce: [u32; 2],
    /// The findings of the analysis of TCP.
    pub(crate) troubles: [Option<Box<Trouble>>; 2],
}

/// Counts in units of 2³².
#[derive(Clone, Copy, Debug, Default)]
struct HighCounts {
    packets: u32,
    bytes: u32,
    payload: u32,
    rtt_us: u32,
}

/// Round-trip times of one side, in microseconds; the high half of the sum is in [`Rare`].
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rtt {
    samples: u32,
    min_us: u32,
    max_us: u32,
    sum_us: u32,
}

impl Entry for Slot {
    fn link(&mut self) -> &mut u32 {
        &mut self.next
    }
}

impl Entry for Extra {
    fn link(&mut self) -> &mut u32 {
        &mut self.dns.questions
    }
}

impl Entry for Rtt {
    fn link(&mut self) -> &mut u32 {
        &mut self.samples
    }
}

impl Default for Slot {
    fn default() -> Self {
        let mut unused = Self::new(StoredKey::default(), 0);
        unused.set(flags::IS_USED, false);
        unused
    }
}

impl Slot {
    /// A flow without packets.
    pub(crate) fn new(key: StoredKey, serial: u16) -> Self {
        let StoredKey { words, ports, scope, kinds } = key;
        Self {
            words,
            ports,
            scope,
            first: Default::default(),
            last: Default::default(),
            packets: [0; 2],
            bytes: [0; 2],
            payload: [0; 2],
            previous: NONE,
            next: NONE,
            sides: [NONE; 2],
            extra: NONE,
            handshake_us: 0,
            serial,
            kinds,
            flags: flags::IS_USED,
        }
    }

    pub(crate) fn key(&self) -> StoredKey {
        let Self { words, ports, scope, kinds, .. } = *self;
        StoredKey { words, ports, scope, kinds }
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8, is_set: bool) {
        self.flags = if is_set { self.flags | flag } else { self.flags & !flag };
    }

    /// Whether the source is the second end of the key.
    pub(crate) fn is_reversed(&self) -> bool {
        self.has(flags::IS_REVERSED)
    }

    pub(crate) fn is_tcp(&self) -> bool {
        self.sides != [NONE; 2]
    }

    /// Whether a direction has exactly one packet in this report.
    pub(crate) fn has_one_packet(&self, side: usize, extras: &Slab<Extra>) -> bool {
        self.counts(side, extras).packets == 1
    }

    /// Time of the first packet of a direction.
    pub(crate) fn first_ns(&self, side: usize) -> i64 {
        self.first[side].ns()
    }

    /// Counts a packet.
    #[inline]
    pub(crate) fn count(
        &mut self,
        side: usize,
        ts: Timestamp,
        len: u32,
        payload: u32,
        extras: &mut Slab<Extra>,
    ) {
        let time = PackedTime::new(ts.ns());
        if self.packets[side] == 0 {
            let is_first =
                Rare::find(self.extra, extras).is_none_or(|rare| rare.high[side].packets == 0);
            self.first[side] = if is_first { time } else { self.first[side] };
        }
        self.last[side] = time;
        let carries = [
            add(&mut self.packets[side], 1),
            add(&mut self.bytes[side], len),
            add(&mut self.payload[side], payload),
        ];
        if carries != [false; 3] {
            let high = &mut Rare::find_or_insert(&mut self.extra, extras).high[side];
            let [packets, bytes, payload] = carries.map(u32::from);
            high.packets = high.packets.saturating_add(packets);
            high.bytes = high.bytes.saturating_add(bytes);
            high.payload = high.payload.saturating_add(payload);
        }
    }

    /// Counts a packet that experienced congestion.
    pub(crate) fn count_ce(&mut self, side: usize, extras: &mut Slab<Extra>) {
        let count = &mut Rare::find_or_insert(&mut self.extra, extras).ce[side];
        *count = count.saturating_add(1);
    }

    pub(crate) fn counts(&self, side: usize, extras: &Slab<Extra>) -> Counts {
        let rare = Rare::find(self.extra, extras);
        let high = rare.map(|rare| rare.high[side]).unwrap_or_default();
        Counts {
            packets: wide(high.packets, self.packets[side]),
            bytes: wide(high.bytes, self.bytes[side]),
            payload: wide(high.payload, self.payload[side]),
            ce: rare.map_or(0, |rare| rare.ce[side]),
            first: Timestamp::from_ns(self.first[side].ns()),
            last: Timestamp::from_ns(self.last[side].ns()),
        }
    }

    /// Times of the first and the last packet, of both directions.
    pub(crate) fn times(&self, extras: &Slab<Extra>) -> (Timestamp, Timestamp) {
        let counts = [0, 1].map(|side| self.counts(side, extras));
        let counts = counts.iter().filter(|counts| 0 < counts.packets);
        let first = counts.clone().map(|counts| counts.first).min();
        let last = counts.map(|counts| counts.last).max();
        (first.unwrap_or_default(), last.unwrap_or_default())
    }

    /// Adds a round-trip time.
    pub(crate) fn add_rtt(
        &mut self,
        side: usize,
        rtt: &mut Rtt,
        us: u32,
        extras: &mut Slab<Extra>,
    ) {
        rtt.min_us = if rtt.samples == 0 { us } else { rtt.min_us.min(us) };
        rtt.max_us = rtt.max_us.max(us);
        rtt.samples = rtt.samples.saturating_add(1);
        if add(&mut rtt.sum_us, us) {
            let high = &mut Rare::find_or_insert(&mut self.extra, extras).high[side];
            high.rtt_us = high.rtt_us.saturating_add(1);
        }
    }

    /// The findings of the analysis in one direction.
    pub(crate) fn tcp_counts(
        &self,
        side: usize,
        resets: u8,
        rtt: Option<&Rtt>,
        extras: &Slab<Extra>,
    ) -> TcpCounts {
        let rare = Rare::find(self.extra, extras);
        let trouble = rare.and_then(|rare| rare.troubles[side].as_ref());
        let counts = trouble.map(|trouble| trouble.counts).unwrap_or_default();
        let Rtt { samples, min_us, max_us, sum_us } = rtt.copied().unwrap_or_default();
        let sum_us = wide(rare.map_or(0, |rare| rare.high[side].rtt_us), sum_us);
        TcpCounts {
            resets: counts.resets.saturating_add(resets.into()),
            rtt: RttStats { samples, min_us, max_us, sum_us },
            ..counts
        }
    }

    /// Starts the next report: all counts are 0.
    pub(crate) fn reset_counts(&mut self, extras: &mut Slab<Extra>) {
        (self.packets, self.bytes, self.payload) = ([0; 2], [0; 2], [0; 2]);
        self.set(flags::HAS_SYN, false);
        let rare = Rare::find_or_insert(&mut self.extra, extras);
        rare.reports = rare.reports.saturating_add(1);
        (rare.high, rare.ce) = Default::default();
        for trouble in rare.troubles.iter_mut().flatten() {
            trouble.counts = TcpCounts::default();
        }
        extras.get_mut(self.extra).dns = Dns::default();
    }
}

impl Extra {
    /// The extra values of a flow, which may have none yet.
    pub(crate) fn find_or_insert<'a>(index: &mut u32, extras: &'a mut Slab<Self>) -> &'a mut Self {
        if *index == NONE {
            *index = extras.insert(Self::default());
        }
        extras.get_mut(*index)
    }
}

impl Rare {
    /// The rare values of a flow.
    pub(crate) fn find(index: u32, extras: &Slab<Extra>) -> Option<&Self> {
        extras.find(index)?.rare.as_deref()
    }

    /// The rare values of a flow, to change them.
    pub(crate) fn find_mut(index: u32, extras: &mut Slab<Extra>) -> Option<&mut Self> {
        (index != NONE).then(|| extras.get_mut(index))?.rare.as_deref_mut()
    }

    /// The rare values of a flow, which may have none yet.
    pub(crate) fn find_or_insert<'a>(index: &mut u32, extras: &'a mut Slab<Extra>) -> &'a mut Self {
        Extra::find_or_insert(index, extras).rare.get_or_insert_default()
    }
}

/// Adds to the low half of a count. Whether the high half gets 1 more.
fn add(low: &mut u32, number: u32) -> bool {
    let (sum, has_carry) = low.overflowing_add(number);
    *low = sum;
    has_carry
}

fn wide(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_exceed_32_bits() {
        let mut extras = Slab::default();
        let mut slot = Slot::default();
        for ns in [5, 7, 9] {
            slot.count(1, Timestamp::from_ns(ns), u32::MAX, 1 << 31, &mut extras);
        }
        let counts = slot.counts(1, &extras);
        assert_eq!((counts.packets, counts.bytes), (3, 3 * u64::from(u32::MAX)));
        assert_eq!(counts.payload, 3 << 31);
        assert_eq!((counts.first.ns(), counts.last.ns()), (5, 9));
        assert_eq!(slot.counts(0, &extras), Counts::default());

        let mut rtt = Rtt::default();
        for us in [u32::MAX, u32::MAX, 3] {
            slot.add_rtt(0, &mut rtt, us, &mut extras);
        }
        let stats = slot.tcp_counts(0, 0, Some(&rtt), &extras).rtt;
        assert_eq!((stats.samples, stats.min_us, stats.max_us), (3, 3, u32::MAX));
        assert_eq!(stats.sum_us, 2 * u64::from(u32::MAX) + 3);
        slot.reset_counts(&mut extras);
        assert_eq!(slot.counts(1, &extras).bytes, 0);
    }

    #[test]
    fn times_before_the_epoch_are_exact() {
        for ns in [i64::MIN, -1, 0, 1 << 40, i64::MAX] {
            assert_eq!(PackedTime::new(ns).ns(), ns);
        }
    }
}
