//! Counts and extreme values of all packets of a part.

use viewer_model::wire::wire;

/// Counts and extreme values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Number of packets.
    pub packets: u64,
    /// Sum of their lengths on the wire, in bytes.
    pub wire_bytes: u64,
    /// Extreme values; `None` without packets.
    pub extent: Option<Extent>,
}

/// Smallest and largest values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Packet numbers.
    pub n: (i64, i64),
    /// Timestamps in nanoseconds since the epoch.
    pub ts_ns: (i64, i64),
    /// Lengths on the wire in bytes.
    pub len: (i64, i64),
    /// Nanoseconds since the previous packet; `None` for a single packet.
    pub gap_ns: Option<(i64, i64)>,
    /// Timestamps of the first and last packet in file order.
    pub ends_ns: (i64, i64),
}

fn union(a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    (a.0.min(b.0), a.1.max(b.1))
}

impl Extent {
    /// Union with the extent of a later part. Excludes the gap between the two, see
    /// [`Extent::with_gap`].
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

    /// Includes one more time since the previous packet.
    #[must_use]
    pub fn with_gap(self, gap_ns: i64) -> Self {
        let gap = (gap_ns, gap_ns);
        Self { gap_ns: Some(self.gap_ns.map_or(gap, |all| union(all, gap))), ..self }
    }
}

impl Totals {
    /// Combines with the totals of a later part.
    #[must_use]
    pub fn merge(self, later: Self) -> Self {
        Self {
            packets: self.packets + later.packets,
            wire_bytes: self.wire_bytes + later.wire_bytes,
            extent: [self.extent, later.extent].into_iter().flatten().reduce(Extent::union),
        }
    }

    /// Adds to the packet numbers.
    #[must_use]
    pub fn renumbered(mut self, by: i64) -> Self {
        if let Some(extent) = &mut self.extent {
            extent.n = (extent.n.0.saturating_add(by), extent.n.1.saturating_add(by));
        }
        self
    }

    /// Adds a packet.
    #[inline]
    pub(super) fn count(&mut self, n: i64, ts_ns: i64, len: u32) {
        self.packets += 1;
        self.wire_bytes += u64::from(len);
        let len = i64::from(len);
        let Some(extent) = &mut self.extent else {
            let (n, ts_ns, len) = ((n, n), (ts_ns, ts_ns), (len, len));
            self.extent = Some(Extent { n, ts_ns, len, gap_ns: None, ends_ns: ts_ns });
            return;
        };
        let gap_ns = ts_ns.saturating_sub(extent.ends_ns.1);
        widen(&mut extent.n, n);
        widen(&mut extent.ts_ns, ts_ns);
        widen(&mut extent.len, len);
        widen(extent.gap_ns.get_or_insert((gap_ns, gap_ns)), gap_ns);
        extent.ends_ns.1 = ts_ns;
    }
}

#[inline]
fn widen(range: &mut (i64, i64), value: i64) {
    *range = (range.0.min(value), range.1.max(value));
}

wire!(struct Totals { packets, wire_bytes, extent });
wire!(struct Extent { n, ts_ns, len, gap_ns, ends_ns });
