//! The quantities of a packet that axes, filters and links can refer to.

use crate::wire::wire;

/// A measurable property of a packet. All values are whole numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Quantity {
    /// Packet number within its capture run.
    #[default]
    Number,
    /// Timestamp in nanoseconds since the epoch.
    Time,
    /// Length on the wire in bytes.
    Size,
    /// Source port.
    SourcePort,
    /// Destination port.
    DestinationPort,
    /// Time to live (IPv4) or hop limit (IPv6).
    Ttl,
    /// Nanoseconds since the previous packet of the same file; negative if time went backwards.
    Gap,
    /// Nanoseconds since the first packet of the same file in time order.
    Elapsed,
}

/// Number of quantities.
pub const QUANTITY_COUNT: usize = 8;

/// Marks the absence of a value, e.g. the port of an ARP packet.
pub const MISSING: i64 = i64::MIN;

/// Smallest number that is a value.
pub const MIN_VALUE: i64 = MISSING + 1;

impl Quantity {
    /// All quantities, in the order of their discriminants.
    pub const ALL: [Self; QUANTITY_COUNT] = [
        Self::Number,
        Self::Time,
        Self::Size,
        Self::SourcePort,
        Self::DestinationPort,
        Self::Ttl,
        Self::Gap,
        Self::Elapsed,
    ];

    /// Name in filters and links. Matches the field name of the NDJSON format where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "n",
            Self::Time => "ts",
            Self::Size => "len",
            Self::SourcePort => "sport",
            Self::DestinationPort => "dport",
            Self::Ttl => "ttl",
            Self::Gap => "gap",
            Self::Elapsed => "elapsed",
        }
    }

    /// The inverse of [`Quantity::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quantity| quantity.name() == name)
    }

    /// Smallest and largest value that a packet can have, both inclusive.
    pub const fn domain(self) -> (i64, i64) {
        match self {
            Self::Number | Self::Size | Self::Elapsed => (0, i64::MAX - 1),
            Self::SourcePort | Self::DestinationPort => (0, 65_535),
            Self::Ttl => (0, 255),
            Self::Time | Self::Gap => (MIN_VALUE, i64::MAX - 1),
        }
    }

    /// Axis label with the unit.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Number => "Packet number",
            Self::Time => "Time",
            Self::Size => "Packet size (bytes)",
            Self::SourcePort => "Source port",
            Self::DestinationPort => "Destination port",
            Self::Ttl => "TTL",
            Self::Gap => "Time since previous packet",
            Self::Elapsed => "Time since start of each file",
        }
    }
}

wire!(enum Quantity { 0 Number, 1 Time, 2 Size, 3 SourcePort, 4 DestinationPort, 5 Ttl, 6 Gap, 7 Elapsed });
