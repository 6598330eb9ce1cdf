//! Lowers primitives for SS7 (Signalling System No. 7).

use super::layout::Origin;
use super::{Lowered, Lowering};
use crate::ast::{CmpOp, Mtp2Type, Mtp3Field};
use crate::instruction::code::AND;
use crate::link::Family;
use crate::value::Size;

impl Lowering<'_> {
    /// MTP2 signal units, told apart by the length indicator (ITU-T Q.703).
    pub(super) fn mtp2(&mut self, kind: Mtp2Type, high_speed: bool) -> Lowered {
        if self.layout.family != Family::Mtp2 {
            return Err(self.error("signal units supported only on MTP2"));
        }
        let (offset, size, mask, two) =
            if high_speed { (4, Size::Half, 0xff80, 0x0100) } else { (2, Size::Byte, 0x3f, 2) };
        let value = self.load(Origin::Packet, offset, size);
        let mask = self.values.constant(mask);
        let len = self.values.binary(AND, value, mask);
        Ok(match kind {
            Mtp2Type::Fisu => self.compare(len, CmpOp::Equal, 0),
            Mtp2Type::Lssu => {
                let some = self.compare(len, CmpOp::Greater, 0);
                let many = self.compare(len, CmpOp::Greater, two);
                some.and(many.not())
            }
            Mtp2Type::Msu => self.compare(len, CmpOp::Greater, two),
        })
    }

    /// Fields of the MTP3 routing label, whose bits are not contiguous (ITU-T Q.704).
    pub(super) fn mtp3(
        &mut self,
        field: Mtp3Field,
        high_speed: bool,
        op: CmpOp,
        value: u32,
    ) -> Lowered {
        if self.layout.family != Family::Mtp2 {
            return Err(self.error("routing labels supported only on SS7"));
        }
        let shift = if high_speed { 3 } else { 0 };
        let (offset, size, mask, value) = match field {
            Mtp3Field::Sio => {
                self.check_max(255, "sio value", value)?;
                (3, Size::Byte, 0xff, value)
            }
            Mtp3Field::Opc => {
                self.check_max(16383, "opc value", value)?;
                let bits = (value & 0x3c00) >> 10 | (value & 0x03fc) << 6 | (value & 3) << 22;
                (4, Size::Word, 0x00c0_ff0f, bits)
            }
            Mtp3Field::Dpc => {
                self.check_max(16383, "dpc value", value)?;
                (4, Size::Word, 0xff3f_0000, (value & 0xff) << 24 | (value & 0x3f00) << 8)
            }
            Mtp3Field::Sls => {
                self.check_max(15, "sls value", value)?;
                (7, Size::Byte, 0xf0, value << 4)
            }
        };
        let loaded = self.load(Origin::Packet, offset + shift, size);
        let mask = self.values.constant(mask);
        let loaded = self.values.binary(AND, loaded, mask);
        Ok(self.compare(loaded, op, value))
    }
}
