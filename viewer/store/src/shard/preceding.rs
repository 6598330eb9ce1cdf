//! What a part of a file has to know about the other parts.

use viewer_model::protocol::{CLASSES, Class};
use viewer_model::wire::{Wire, wire};

/// What a part has to know about the other parts of the same file, most of it about the packets before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preceding {
    /// Timestamp of the last preceding packet and the latest timestamp of all of them, in nanoseconds
    /// since the epoch; `None` if there are none.
    pub ts_ns: Option<(i64, i64)>,
    /// Number of preceding lines, if packets are numbered by line; otherwise 0.
    pub lines: u64,
    /// The class in which all packets of the part are counted, instead of those of their protocols.
    pub class: Option<Class>,
    /// Earliest timestamp of the file, in nanoseconds since the epoch; `None` if it has no packets.
    pub start_ns: Option<i64>,
}

impl Preceding {
    pub(super) fn last_ns(self) -> Option<i64> {
        self.ts_ns.map(|(last, _)| last)
    }

    pub(super) fn start_ns(self) -> i64 {
        self.start_ns.unwrap_or(0)
    }
}

/// What each part has to know about the other parts of its file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecedingParts {
    /// Index of the first part.
    pub first: usize,
    /// The values of this part and those after it.
    pub parts: Vec<Preceding>,
}

impl PrecedingParts {
    /// The values of a part.
    pub fn of(&self, part: usize) -> Preceding {
        let index = part.checked_sub(self.first);
        index.and_then(|index| self.parts.get(index)).copied().unwrap_or_default()
    }
}

wire!(struct PrecedingParts { first, parts });

/// By hand: classes are sent as their indices.
impl Wire for Preceding {
    fn put(&self, bytes: &mut Vec<u8>) {
        (self.ts_ns, self.lines).put(bytes);
        (self.class.map(Class::index), self.start_ns).put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let (ts_ns, lines) = Wire::get(bytes)?;
        let (class, start_ns) = <(Option<usize>, Option<i64>)>::get(bytes)?;
        let class = class.and_then(|index| CLASSES.get(index).copied());
        Some(Self { ts_ns, lines, class, start_ns })
    }
}
