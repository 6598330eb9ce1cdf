//! The types of records, and which of them a run writes (`--only`).

use summary::record::CaptureRecord;

/// The type of a record: its field `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordType {
    Meta,
    Packet,
    Stats,
    Event,
    Flow,
    End,
}

impl From<&CaptureRecord> for RecordType {
    fn from(record: &CaptureRecord) -> Self {
        match record {
            CaptureRecord::Meta(_) => Self::Meta,
            CaptureRecord::Stats(_) => Self::Stats,
            CaptureRecord::Event(_) => Self::Event,
            CaptureRecord::End(_) => Self::End,
        }
    }
}

/// A set of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordTypes {
    bits: u8,
}

impl Default for RecordTypes {
    /// All types.
    fn default() -> Self {
        Self { bits: u8::MAX }
    }
}

impl RecordTypes {
    pub(crate) const fn contains(self, kind: RecordType) -> bool {
        self.bits >> kind as u8 & 1 == 1
    }
}

impl FromIterator<RecordType> for RecordTypes {
    fn from_iter<I: IntoIterator<Item = RecordType>>(kinds: I) -> Self {
        Self { bits: kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_contain_what_was_collected() {
        use RecordType::{End, Event, Meta, Packet, Stats};
        let all = [Meta, Packet, Stats, Event, End];
        let some = RecordTypes::from_iter([Packet, End]);
        assert_eq!(all.map(|kind| some.contains(kind)), [false, true, false, false, true]);
        assert!(all.into_iter().all(|kind| RecordTypes::default().contains(kind)));
    }
}
