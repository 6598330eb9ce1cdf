//! Lowers primitives for 802.11. Header length and addresses depend on the type of the frame
//! (IEEE 802.11, section 9.2).

use super::layout::{Offset, Origin};
use super::{Lowered, Lowering};
use crate::ast::{CmpOp, Direction};
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::instruction::code::{ADD, AND, LSH, OR};
use crate::link::Family;
use crate::value::{Size, Temp, Value, ValueId};

/// Length of the header of a data frame without QoS.
const HEADER_LEN: u32 = 24;
const QOS_LEN: u32 = 2;
/// Bits of the first byte of the header.
const IS_DATA: u32 = 0x08;
const IS_CONTROL: u32 = 0x04;
const IS_QOS: u32 = 0x80;
/// Bits of the second byte of the header.
const TO_DS: u32 = 0x01;
const FROM_DS: u32 = 0x02;

/// Temporaries with the start of the header, which follows radiotap or PPI, and its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    start: Temp,
    end: Temp,
    before_padding: Temp,
}

impl Lowering<'_> {
    fn header(&mut self) -> Header {
        if let Some(header) = self.header {
            return header;
        }
        let header = Header { start: self.temp(), end: self.temp(), before_padding: self.temp() };
        self.header = Some(header);
        header
    }

    /// The start of the link header.
    pub(super) fn link_header(&mut self) -> Offset {
        let fixed = self.layout.link_header;
        if !self.layout.is_wireless || self.link.family() == Family::Wireless {
            return fixed;
        }
        let start = self.header().start;
        Offset { variable: Some(self.values.intern(Value::Temp(start))), ..fixed }
    }

    /// The end of the link header.
    pub(super) fn payload(&mut self) -> Offset {
        let fixed = self.layout.payload;
        if !self.layout.is_wireless {
            return fixed;
        }
        let end = self.header().end;
        Offset { variable: Some(self.values.intern(Value::Temp(end))), ..fixed }
    }

    /// Puts the code that computes the header's offsets before a condition that uses them. PPI packets
    /// other than 802.11 are rejected.
    pub(super) fn with_header_lengths(&mut self, condition: Condition) -> Condition {
        let mut parts = Vec::new();
        if self.link.family() == Family::Ppi {
            const IEEE802_11: u32 = 105;
            let carried = self.values.load(None, 4, Size::Word);
            parts.push(self.compare(carried, CmpOp::Equal, IEEE802_11.swap_bytes()));
        }
        if let Some(header) = self.header {
            parts.extend(self.find_header(header));
        }
        parts.push(condition);
        Condition::all(parts)
    }

    fn find_header(&mut self, header: Header) -> Vec<Condition> {
        let mut parts = Vec::new();
        let start = if self.link.family() == Family::Wireless {
            self.values.constant(0)
        } else {
            // The length of radiotap and PPI headers is little-endian.
            let [low, high] = [2, 3].map(|offset| self.values.load(None, offset, Size::Byte));
            let eight = self.values.constant(8);
            let high = self.values.binary(LSH, high, eight);
            let len = self.values.binary(OR, low, high);
            parts.push(Condition::Store(header.start, len));
            self.values.intern(Value::Temp(header.start))
        };
        let first = self.values.load(Some(start), 0, Size::Byte);
        let plus = |lowering: &mut Self, more: u32| {
            let more = lowering.values.constant(more);
            lowering.values.binary(ADD, start, more)
        };
        let (short, long) = (plus(self, HEADER_LEN), plus(self, HEADER_LEN + QOS_LEN));
        let is_data = self.compare(first, CmpOp::AnyBit, IS_DATA);
        let is_control = self.compare(first, CmpOp::AnyBit, IS_CONTROL);
        let is_qos = self.compare(first, CmpOp::AnyBit, IS_QOS);
        let end = header.end;
        let of_data = if self.link.family() == Family::Radiotap {
            let before = header.before_padding;
            let len =
                is_qos.and(Condition::Store(before, long)).or(Condition::Store(before, short));
            let before = self.values.intern(Value::Temp(before));
            let padded = self.padded(before, end);
            len.and(padded.or(Condition::Store(end, before)))
        } else {
            is_qos.and(Condition::Store(end, long)).or(Condition::Store(end, short))
        };
        parts.push(
            Condition::all([is_data, is_control.not(), of_data]).or(Condition::Store(end, short)),
        );
        parts
    }

    /// Whether the radiotap flags say that the header is padded to a multiple of 4 bytes; if so, assigns
    /// the padded end. Only packets with a single word of presence bits are recognized.
    fn padded(&mut self, before: ValueId, end: Temp) -> Condition {
        const FLAGS_PRESENT: u32 = 1 << 1;
        const MORE_PRESENT: u32 = 1 << 31;
        const TIME_PRESENT: u32 = 1 << 0;
        const IS_PADDED: u32 = 0x20;
        let present = self.values.load(None, 4, Size::Word);
        let mut has = |bit: u32| self.compare(present, CmpOp::AnyBit, bit.swap_bytes());
        let (has_flags, has_more, has_time) =
            (has(FLAGS_PRESENT), has(MORE_PRESENT), has(TIME_PRESENT));
        let mut flags_at = |offset| {
            let flags = self.values.load(None, offset, Size::Byte);
            self.compare(flags, CmpOp::AnyBit, IS_PADDED)
        };
        // The flags follow the 8-byte timestamp, if there is one.
        let (after_time, first) = (flags_at(16), flags_at(8));
        let is_padded = has_time.clone().and(after_time).or(has_time.not().and(first));
        let [three, mask] = [3, !3].map(|number| self.values.constant(number));
        let more = self.values.binary(ADD, before, three);
        let padded = self.values.binary(AND, more, mask);
        Condition::all([has_flags, has_more.not(), is_padded, Condition::Store(end, padded)])
    }

    pub(super) fn expect_wireless(&self, message: &str) -> Result<(), Diagnostic> {
        if self.layout.family.is_wireless() { Ok(()) } else { Err(self.error(message)) }
    }

    pub(super) fn data_frame(&mut self) -> Condition {
        let is_control = self.any_bit(Origin::LinkHeader, 0, Size::Byte, IS_CONTROL);
        let is_data = self.any_bit(Origin::LinkHeader, 0, Size::Byte, IS_DATA);
        is_control.not().and(is_data)
    }

    /// Frames with an address in a direction. `at` tests the address at an offset.
    fn frames_with_address(
        &mut self,
        direction: Direction,
        at: &mut dyn FnMut(&mut Self, u32) -> Condition,
    ) -> Lowered {
        let first =
            |lowering: &mut Self, bits| lowering.any_bit(Origin::LinkHeader, 0, Size::Byte, bits);
        let second =
            |lowering: &mut Self, bits| lowering.any_bit(Origin::LinkHeader, 1, Size::Byte, bits);
        let is = |lowering: &mut Self, value, mask| {
            lowering.masked(Origin::LinkHeader, 0, Size::Byte, value, mask)
        };
        // ACK and CTS frames have only one address.
        let has_second = |lowering: &mut Self| {
            let is_control = is(lowering, 0x04, 0x0c);
            let is_cts = is(lowering, 0xc0, 0xf0);
            let is_ack = is(lowering, 0xd0, 0xf0);
            is_control.not().or(is_cts.not().and(is_ack.not()))
        };
        Ok(match direction {
            Direction::Src | Direction::Dst => {
                let of_data = if direction == Direction::Src {
                    let to_ds = second(self, TO_DS);
                    let from_ds = second(self, FROM_DS);
                    let (at_10, at_16, at_24) = (at(self, 10), at(self, 16), at(self, 24));
                    let relayed = to_ds.clone().not().and(at_16).or(to_ds.and(at_24));
                    from_ds.clone().not().and(at_10).or(from_ds.and(relayed))
                } else {
                    let to_ds = second(self, TO_DS);
                    let (at_4, at_16) = (at(self, 4), at(self, 16));
                    to_ds.clone().not().and(at_4).or(to_ds.and(at_16))
                };
                let of_management = at(self, if direction == Direction::Src { 10 } else { 4 });
                let is_data = first(self, IS_DATA);
                let either = is_data.clone().not().and(of_management).or(is_data.and(of_data));
                first(self, IS_CONTROL).not().and(either)
            }
            Direction::SrcAndDst => {
                let src = self.frames_with_address(Direction::Src, at)?;
                src.and(self.frames_with_address(Direction::Dst, at)?)
            }
            Direction::Any | Direction::SrcOrDst => {
                let src = self.frames_with_address(Direction::Src, at)?;
                src.or(self.frames_with_address(Direction::Dst, at)?)
            }
            Direction::Addr1 => at(self, 4),
            Direction::Addr2 => has_second(self).and(at(self, 10)),
            Direction::Addr3 => is(self, 0x04, 0x0c).not().and(at(self, 16)),
            Direction::Addr4 => {
                let relayed = self.masked(Origin::LinkHeader, 1, Size::Byte, 0x03, 0x03);
                relayed.and(at(self, 24))
            }
            Direction::Ra => first(self, IS_DATA).and(at(self, 4)),
            Direction::Ta => Condition::all([first(self, IS_DATA), has_second(self), at(self, 10)]),
        })
    }

    /// Frames from or to a host.
    pub(super) fn wireless_host(&mut self, address: [u8; 6], direction: Direction) -> Lowered {
        self.frames_with_address(direction, &mut |lowering, offset| {
            lowering.bytes(Origin::LinkHeader, offset, &address)
        })
    }

    /// Frames to a group address.
    pub(super) fn wireless_multicast(&mut self) -> Lowered {
        self.frames_with_address(Direction::Dst, &mut |lowering, offset| {
            lowering.any_bit(Origin::LinkHeader, offset, Size::Byte, 1)
        })
    }
}
