//! The counters of `stats` and `end` records.

/// The largest number in a record: JavaScript represents integers up to 2⁵³ - 1 exactly.
pub(crate) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The counters of a `stats` record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) recv: u64,
    pub(crate) drop: u64,
    pub(crate) out: u64,
    pub(crate) skip: u64,
    pub(crate) bytes: u64,
    /// Incomplete messages that were given up.
    pub(crate) names_evicted: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.recv += other.recv;
        self.drop += other.drop;
        self.out += other.out;
        self.skip += other.skip;
        self.bytes = (self.bytes + other.bytes).min(MAX_SAFE_INTEGER);
        self.names_evicted += other.names_evicted;
    }
}

/// The kernel's loss counters since the last `stats` record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    pub(crate) drop: u64,
    pub(crate) freeze: u64,
    pub(crate) if_drop: u64,
}
