//! What is known of all packets together.

use viewer_model::wire::wire;

/// What is known of all packets together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// How many packets.
    pub packets: u64,
    /// Their bytes on the wire.
    pub wire_bytes: u64,
    /// Least and greatest values; `None` without packets.
    pub extent: Option<Extent>,
}

/// Least and greatest values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Numbers of packets.
    pub n: (i64, i64),
    /// Times in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// Bytes on the wire.
    pub len: (i64, i64),
    /// Distances in time to the packet before, in nanoseconds; `None` of one packet.
    pub gap_ns: Option<(i64, i64)>,
    /// Times of the first and the last packet in the order of the file.
    pub ends_ns: (i64, i64),
}

fn union(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

impl Extent {
    /// Of both together; whether the gap between them counts is the caller's to know.
    #[must_use]
    fn union(self, later: Self) -> Self {
        Self {
            n: union(self.n, later.n),
            ts_ns: union(self.ts_ns, later.ts_ns),
            len: union(self.len, later.len),
            gap_ns: [self.gap_ns, later.gap_ns].into_iter().flatten().reduce(union),
            ends_ns: (self.ends_ns.0, later.ends_ns.1),
        }
    }

    /// With a gap more.
    #[must_use]
    pub fn with_gap(self, gap_ns: i64) -> Self {
        let gap = (gap_ns, gap_ns);
        Self { gap_ns: Some(self.gap_ns.map_or(gap, |known| union(known, gap))), ..self }
    }
}

impl Totals {
    /// Of both together, `later` of another part.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        Self {
            packets: self.packets + later.packets,
            wire_bytes: self.wire_bytes + later.wire_bytes,
            extent: [self.extent, later.extent].into_iter().flatten().reduce(Extent::union),
        }
    }

    /// With numbers of packets that are greater by as much.
    #[must_use]
    pub fn renumbered(mut self, by: i64) -> Self {
        if let Some(extent) = &mut self.extent {
            extent.n = (extent.n.0.saturating_add(by), extent.n.1.saturating_add(by));
        }
        self
    }

    /// Counts a packet in.
    #[inline]
    pub(super) fn count(&mut self, n: i64, ts_ns: i64, len: u32) {
        self.packets += 1;
        self.wire_bytes += u64::from(len);
        let len = i64::from(len);
        let Some(known) = &mut self.extent else {
            let (n, ts_ns, len) = ((n, n), (ts_ns, ts_ns), (len, len));
            self.extent = Some(Extent { n, ts_ns, len, gap_ns: None, ends_ns: ts_ns });
            return;
        };
        let gap_ns = ts_ns.saturating_sub(known.ends_ns.1);
        widen(&mut known.n, n);
        widen(&mut known.ts_ns, ts_ns);
        widen(&mut known.len, len);
        widen(known.gap_ns.get_or_insert((gap_ns, gap_ns)), gap_ns);
        known.ends_ns.1 = ts_ns;
    }
}

#[inline]
fn widen(range: &mut (i64, i64), value: i64) {
    *range = (range.0.min(value), range.1.max(value));
}

wire!(struct Totals { packets, wire_bytes, extent });
wire!(struct Extent { n, ts_ns, len, gap_ns, ends_ns });
