//! The findings of the analysis in the packets of a part. Most packets have none.

use crate::columns::BLOCK_LEN;
use flow::{Marks, Reset, Retransmission};
use summary::DnsCode;
use viewer_model::axis::MISSING;
use viewer_model::filter::FindingField;
use viewer_model::wire::Wire;

/// Bits of the first byte of encoded marks. The lowest two are one more than the index of `rtx`.
const RTX: u8 = 3;
const OUT_OF_ORDER: u8 = 1 << 2;
const DUP_ACK: u8 = 1 << 3;
const ZERO_WINDOW: u8 = 1 << 4;
const WINDOW_FULL: u8 = 1 << 5;
const KEEP_ALIVE: u8 = 1 << 6;
/// A byte follows, and numbers.
const HAS_MORE: u8 = 1 << 7;

/// Bits of the second byte. Those below tell which numbers there are; those from this one on are one more
/// than the index of `reset`.
const RESET_SHIFT: u32 = 5;

/// Appends the marks of a packet.
pub fn put_marks(marks: &Marks, bytes: &mut Vec<u8>) {
    let bit = |bit: u8, is_set: bool| if is_set { bit } else { 0 };
    let numbers = [
        marks.unseen_bytes,
        marks.rtt_us,
        marks.handshake_us,
        marks.dns_time_us,
        marks.dns_code.map(|code| code.0.into()),
    ];
    let present = numbers.iter().rev().fold(0, |bits, one| bits << 1 | u8::from(one.is_some()));
    let reset = index_of(&Reset::ALL, marks.reset).map_or(0, |index| index + 1);
    let more = present | reset << RESET_SHIFT;
    bytes.push(
        index_of(&Retransmission::ALL, marks.rtx).map_or(0, |index| index + 1)
            | bit(OUT_OF_ORDER, marks.is_out_of_order)
            | bit(DUP_ACK, marks.is_dup_ack)
            | bit(ZERO_WINDOW, marks.is_zero_window)
            | bit(WINDOW_FULL, marks.is_window_full)
            | bit(KEEP_ALIVE, marks.is_keep_alive)
            | bit(HAS_MORE, more != 0),
    );
    if more != 0 {
        bytes.push(more);
        numbers.into_iter().flatten().for_each(|number| number.put(bytes));
    }
}

/// The index of a kind among all of them.
fn index_of<T: PartialEq>(all: &[T], kind: Option<T>) -> Option<u8> {
    let kind = kind?;
    all.iter().zip(0..).find_map(|(other, index)| (*other == kind).then_some(index))
}

/// Decodes the marks of a packet and advances `bytes` past them; `None` if they are invalid.
pub fn get_marks(bytes: &mut &[u8]) -> Option<Marks> {
    let bits = u8::from_le_bytes([*bytes.split_off_first()?]);
    let mut present = if bits & HAS_MORE == 0 { 0 } else { u8::get(bytes)? };
    let reset = usize::from(present >> RESET_SHIFT).checked_sub(1);
    let mut number = || -> Option<Option<u32>> {
        let is_present = present & 1 != 0;
        present >>= 1;
        Some(if is_present { Some(u32::get(bytes)?) } else { None })
    };
    let rtx = usize::from(bits & RTX).checked_sub(1);
    Some(Marks {
        rtx: rtx.map(|index| Retransmission::ALL[index]),
        is_out_of_order: bits & OUT_OF_ORDER != 0,
        is_dup_ack: bits & DUP_ACK != 0,
        is_zero_window: bits & ZERO_WINDOW != 0,
        is_window_full: bits & WINDOW_FULL != 0,
        is_keep_alive: bits & KEEP_ALIVE != 0,
        reset: match reset {
            Some(index) => Some(*Reset::ALL.get(index)?),
            None => None,
        },
        unseen_bytes: number()?,
        rtt_us: number()?,
        handshake_us: number()?,
        dns_time_us: number()?,
        dns_code: match number()? {
            Some(code) => Some(DnsCode(code.try_into().ok()?)),
            None => None,
        },
    })
}

/// The texts of a field but `dns_rcode`; none if it has numbers.
fn texts(field: FindingField) -> &'static [&'static str] {
    const RTX: [&str; 3] = [
        Retransmission::ALL[0].name(),
        Retransmission::ALL[1].name(),
        Retransmission::ALL[2].name(),
    ];
    const RESET: [&str; 2] = [Reset::ALL[0].name(), Reset::ALL[1].name()];
    match field {
        FindingField::Rtx => &RTX,
        FindingField::Reset => &RESET,
        FindingField::DnsCode
        | FindingField::DnsTime
        | FindingField::Unseen
        | FindingField::Rtt
        | FindingField::Handshake => &[],
        _ => &["true"],
    }
}

/// The number of a field or the index of its text, [`MISSING`] if it has none.
pub(crate) fn value(field: FindingField, marks: &Marks) -> i64 {
    let flag = |is_set: bool| is_set.then_some(0);
    let number = match field {
        FindingField::DnsCode => marks.dns_code.map(|code| code.0.into()),
        FindingField::DnsTime => marks.dns_time_us,
        FindingField::Rtx => index_of(&Retransmission::ALL, marks.rtx).map(u32::from),
        FindingField::OutOfOrder => flag(marks.is_out_of_order),
        FindingField::DupAck => flag(marks.is_dup_ack),
        FindingField::ZeroWindow => flag(marks.is_zero_window),
        FindingField::WindowFull => flag(marks.is_window_full),
        FindingField::KeepAlive => flag(marks.is_keep_alive),
        FindingField::Reset => index_of(&Reset::ALL, marks.reset).map(u32::from),
        FindingField::Unseen => marks.unseen_bytes,
        FindingField::Rtt => marks.rtt_us,
        FindingField::Handshake => marks.handshake_us,
    };
    number.map_or(MISSING, i64::from)
}

/// The marks of the packets of a part. A packet with marks takes 2 to 8 bytes, others take none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// For each packet with marks, the distance to the one before it in its block, and the marks.
    bytes: Vec<u8>,
    /// The end of each block in `bytes`.
    ends: Vec<usize>,
    /// The last row.
    last: usize,
    /// The codes of DNS responses, in ascending order.
    dns_codes: Vec<u16>,
}

impl Findings {
    /// Adds the marks of a row. Rows must be added in ascending order.
    pub fn push(&mut self, row: usize, marks: &Marks) {
        let block = row / BLOCK_LEN;
        let is_first = self.ends.len() <= block;
        if is_first {
            self.ends.resize(block + 1, self.bytes.len());
        }
        let distance = if is_first { row % BLOCK_LEN } else { row - self.last };
        distance.put(&mut self.bytes);
        put_marks(marks, &mut self.bytes);
        self.ends[block] = self.bytes.len();
        self.last = row;
        if let Some(DnsCode(code)) = marks.dns_code
            && let Err(index) = self.dns_codes.binary_search(&code)
        {
            self.dns_codes.insert(index, code);
        }
    }

    /// Whether each text of a field matches, by the value of the field.
    pub(crate) fn match_texts(
        &self,
        field: FindingField,
        matches: impl Fn(&str) -> bool,
    ) -> Vec<bool> {
        if field != FindingField::DnsCode {
            return texts(field).iter().map(|text| matches(text)).collect();
        }
        let mut matching = Vec::new();
        for code in &self.dns_codes {
            matching.resize(usize::from(*code), false);
            matching.push(matches(&DnsCode(*code).to_string()));
        }
        matching
    }

    /// The rows of a block with marks, as indices within the block.
    pub(crate) fn of_block(&self, block: usize) -> impl Iterator<Item = (usize, Marks)> {
        let end = |block: usize| self.ends.get(block).copied();
        let start = block.checked_sub(1).map_or(Some(0), end);
        let range = start.zip(end(block)).map_or(0..0, |(start, end)| start..end);
        let mut bytes = &self.bytes[range];
        let mut row = 0;
        std::iter::from_fn(move || {
            row += usize::get(&mut bytes)?;
            Some((row, get_marks(&mut bytes)?))
        })
    }

    /// Memory in bytes.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there are no marks.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        pub(crate) fn any_marks()(
            rtx in prop::option::of(prop::sample::select(&Retransmission::ALL[..])),
            flags: [bool; 5], unseen_bytes: Option<u32>, rtt_us: Option<u32>,
            handshake_us: Option<u32>, dns_time_us: Option<u32>, dns_code: Option<u16>, reset in prop::option::of(prop::sample::select(&Reset::ALL[..])),
        ) -> Marks {
            let [is_out_of_order, is_dup_ack, is_zero_window, is_window_full, is_keep_alive] = flags;
            Marks {
                rtx, is_out_of_order, is_dup_ack, is_zero_window, is_window_full, is_keep_alive,
                reset, unseen_bytes, rtt_us, handshake_us, dns_time_us,
                dns_code: dns_code.map(DnsCode),
            }
        }
    }

    proptest! {
        #[test]
        fn marks_are_found_at_their_rows(
            rows in prop::collection::btree_map(0..5 * BLOCK_LEN, any_marks(), 0..50)
        ) {
            let mut findings = Findings::default();
            rows.iter().for_each(|(row, marks)| findings.push(*row, marks));
            let found = (0..6).flat_map(|block| {
                findings.of_block(block).map(move |(row, marks)| (block * BLOCK_LEN + row, marks))
            });
            prop_assert_eq!(found.collect::<Vec<_>>(), rows.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes: Vec<u8>) {
            let mut rest = &bytes[..];
            while get_marks(&mut rest).is_some() {}
        }
    }
}
