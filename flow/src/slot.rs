//! One flow in memory. Values that only some flows have are stored elsewhere.

use summary::Timestamp;

use crate::counts::{Counts, Dns, TcpCounts};
use crate::extra::{Extra, Rare};
use crate::halves::{Low16, add, increment, join, join16};
use crate::key::StoredKey;
use crate::scope::ScopeId;
use crate::slab::{Entry, NONE, Slab};
use crate::tagged::Tagged;
use crate::tcp::SideEntry;
use crate::times::{Moment, Times};

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

/// A flow. Index 0 of an array is for the packets from the source, index 1 for those to it.
#[derive(Debug)]
pub(crate) struct Slot {
    /// The parts of [`StoredKey`], in place so that they leave no gap.
    words: [u32; 2],
    ports: [u16; 2],
    scope: ScopeId,
    times: Times,
    /// The low halves of the counts; the high ones are in [`Rare`].
    packets: [Low16; 2],
    bytes: [u32; 2],
    payload: [u32; 2],
    /// The neighbours in the list of flows by their last packet, tagged with the kinds of the addresses and
    /// the flags.
    previous: Tagged,
    next: Tagged,
    /// The sides of a TCP connection.
    pub(crate) sides: [u32; 2],
    /// Index of an [`Extra`].
    pub(crate) extra: u32,
    pub(crate) handshake_us: u32,
    /// Tells flows apart that have the same index, one after the other.
    pub(crate) serial: u16,
}

impl Entry for Slot {
    fn link(&mut self) -> &mut u32 {
        &mut self.extra
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
            times: Times::default(),
            packets: [0; 2],
            bytes: [0; 2],
            payload: [0; 2],
            previous: Tagged::new(NONE, kinds),
            next: Tagged::new(NONE, flags::IS_USED),
            sides: [NONE; 2],
            extra: NONE,
            handshake_us: 0,
            serial,
        }
    }

    pub(crate) fn key(&self) -> StoredKey {
        let Self { words, ports, scope, previous, .. } = *self;
        StoredKey { words, ports, scope, kinds: previous.tag() }
    }

    pub(crate) fn previous(&self) -> u32 {
        self.previous.index()
    }

    pub(crate) fn next(&self) -> u32 {
        self.next.index()
    }

    pub(crate) fn set_previous(&mut self, index: u32) {
        self.previous.set_index(index);
    }

    pub(crate) fn set_next(&mut self, index: u32) {
        self.next.set_index(index);
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.next.tag() & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8, is_set: bool) {
        let flags = self.next.tag();
        self.next.set_tag(if is_set { flags | flag } else { flags & !flag });
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
        self.packets[side] == 1
            && Rare::find(self.extra, extras).is_none_or(|rare| rare.high[side].packets == 0)
    }

    /// Time of the first packet of a direction, which has packets.
    pub(crate) fn first_ns(&self, side: usize, extras: &Slab<Extra>) -> i64 {
        match side == self.first_side() {
            true => self.times.start_ns(),
            false => self.time(Moment::SecondStart, extras),
        }
    }

    /// The direction whose first packet the other times refer to.
    fn first_side(&self) -> usize {
        usize::from(self.packets[0] == 0)
    }

    #[inline]
    fn time(&self, moment: Moment, extras: &Slab<Extra>) -> i64 {
        self.times.ns(moment).unwrap_or_else(|| self.time_far_away(moment, extras))
    }

    #[cold]
    fn time_far_away(&self, moment: Moment, extras: &Slab<Extra>) -> i64 {
        let rare = Rare::find(self.extra, extras);
        let long = rare.and_then(|rare| rare.long_differences.as_deref());
        self.times.ns_after(long.map_or(0, |long| long[moment as usize]))
    }

    #[inline]
    fn set_time(&mut self, moment: Moment, ns: i64, extras: &mut Slab<Extra>) {
        if let Some(difference) = self.times.set(moment, ns) {
            self.set_difference(moment, difference, extras);
        }
    }

    #[cold]
    fn set_difference(&mut self, moment: Moment, difference: i64, extras: &mut Slab<Extra>) {
        let rare = Rare::find_or_insert(&mut self.extra, extras);
        rare.long_differences.get_or_insert_default()[moment as usize] = difference;
    }

    /// Keeps the time of the first packet of a direction.
    #[inline(never)]
    fn set_first(&mut self, side: usize, ns: i64, extras: &mut Slab<Extra>) {
        if self.packets[1 - side] == 0 {
            self.times.set_start(ns);
        } else if side == 0 {
            let (first, last) = (self.times.start_ns(), self.time(Moment::LastTo, extras));
            self.times.set_start(ns);
            self.set_time(Moment::SecondStart, first, extras);
            self.set_time(Moment::LastTo, last, extras);
        } else {
            self.set_time(Moment::SecondStart, ns, extras);
        }
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
        if self.packets[side] == 0 {
            self.set_first(side, ts.ns(), extras);
        }
        self.set_time(Moment::last(side), ts.ns(), extras);
        let carries = [
            increment(&mut self.packets[side]),
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
        if self.packets[side] == 0 {
            return Counts::default();
        }
        let rare = Rare::find(self.extra, extras);
        let high = rare.map(|rare| rare.high[side]).unwrap_or_default();
        Counts {
            packets: join16(high.packets, self.packets[side]),
            bytes: join(high.bytes, self.bytes[side]),
            payload: join(high.payload, self.payload[side]),
            ce: rare.map_or(0, |rare| rare.ce[side]),
            first: Timestamp::from_ns(self.first_ns(side, extras)),
            last: Timestamp::from_ns(self.time(Moment::last(side), extras)),
        }
    }

    /// Times of the first and the last packet, of both directions.
    pub(crate) fn times(&self, extras: &Slab<Extra>) -> (Timestamp, Timestamp) {
        let sides = || [0, 1].into_iter().filter(|&side| self.packets[side] != 0);
        let first = sides().map(|side| self.first_ns(side, extras)).min();
        let last = sides().map(|side| self.time(Moment::last(side), extras)).max();
        let [first, last] = [first, last].map(|ns| ns.map(Timestamp::from_ns).unwrap_or_default());
        (first, last)
    }

    /// The findings of the analysis in one direction.
    pub(crate) fn tcp_counts(
        &self,
        number: usize,
        side: &SideEntry,
        extras: &Slab<Extra>,
    ) -> TcpCounts {
        let rare = Rare::find(self.extra, extras);
        let trouble = rare.and_then(|rare| rare.troubles[number].as_ref());
        let counts = trouble.map(|trouble| trouble.counts).unwrap_or_default();
        let high = rare.map(|rare| rare.high[number].rtt).unwrap_or_default();
        TcpCounts {
            resets: counts.resets.saturating_add(side.side.resets()),
            rtt: side.rtt_stats(high),
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn flows_and_sides_have_no_gaps() {
        assert_eq!((size_of::<Slot>(), size_of::<SideEntry>()), (88, 36));
    }

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
        slot.reset_counts(&mut extras);
        assert_eq!(slot.counts(1, &extras).bytes, 0);
    }

    #[test]
    fn packets_exceed_16_bits() {
        let mut extras = Slab::default();
        let mut slot = Slot::default();
        for number in 1..=200_000 {
            slot.count(0, Timestamp::from_ns(number), 1, 0, &mut extras);
            assert_eq!(slot.has_one_packet(0, &extras), number == 1);
        }
        let counts = slot.counts(0, &extras);
        assert_eq!((counts.packets, counts.bytes), (200_000, 200_000));
        assert_eq!((counts.first.ns(), counts.last.ns()), (1, 200_000));
    }

    proptest! {
        /// The times are those of the first and the last packet, however far they are from each other.
        #[test]
        fn times_are_those_of_packets(
            packets in prop::collection::vec((0..2usize, prop_oneof![any::<i64>(), 0..9i64]), 1..12),
        ) {
            let mut extras = Slab::default();
            let mut slot = Slot::default();
            for &(side, ns) in &packets {
                slot.count(side, Timestamp::from_ns(ns), 60, 0, &mut extras);
            }
            for side in [0, 1] {
                let expected: Vec<i64> =
                    packets.iter().filter(|packet| packet.0 == side).map(|packet| packet.1).collect();
                let counts = slot.counts(side, &extras);
                prop_assert_eq!(counts.packets, expected.len() as u64);
                if let (Some(first), Some(last)) = (expected.first(), expected.last()) {
                    prop_assert_eq!((counts.first.ns(), counts.last.ns()), (*first, *last));
                }
            }
        }
    }
}
