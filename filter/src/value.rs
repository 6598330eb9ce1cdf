//! The numbers that a program computes. Values are interned: equal formulas have equal ids, so that
//! the optimizer and the code generator recognize a value by its id.

use crate::instruction::code::{ADD, AND, B, H, LSH, MUL, NEG, OR, RSH, SUB, W, XOR};
use crate::instruction::compute;
use std::collections::HashMap;

/// Index of a value in [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ValueId(u32);

/// A temporary variable, kept in one word of scratch memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Temp(pub(crate) u8);

impl Temp {
    /// Maximum number of temporaries in a condition. A program has 16 words of memory, but the
    /// optimizer removes unused temporaries first.
    pub(crate) const MAX_COUNT: u8 = 64;

    /// The bit of this temporary in a set.
    pub(crate) fn bit(self) -> u64 {
        1 << (self.0 % Self::MAX_COUNT)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    Constant(u32),
    /// The packet's length on the wire.
    Length,
    /// Packet bytes at `base + offset`.
    Load {
        base: Option<ValueId>,
        offset: u32,
        size: Size,
    },
    /// Length in bytes of the IPv4 header at an offset.
    HeaderLength(u32),
    Temp(Temp),
    Negate(ValueId),
    /// A code of ALU instructions with two operands.
    Binary(u16, ValueId, ValueId),
}

/// Size of a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Size {
    Byte,
    Half,
    Word,
}

impl Size {
    pub(crate) fn code(self) -> u16 {
        match self {
            Self::Byte => B,
            Self::Half => H,
            Self::Word => W,
        }
    }

    /// The largest number of this size.
    fn max(self) -> u32 {
        match self {
            Self::Byte => 0xff,
            Self::Half => 0xffff,
            Self::Word => u32::MAX,
        }
    }
}

/// All values of a program.
#[derive(Debug, Default)]
pub(crate) struct Values {
    values: Vec<Value>,
    /// For each value, the set of temporaries that it depends on.
    temps: Vec<u64>,
    ids: HashMap<Value, ValueId>,
}

impl Values {
    pub(crate) fn get(&self, id: ValueId) -> Value {
        self.values[id.0 as usize]
    }

    pub(crate) fn intern(&mut self, value: Value) -> ValueId {
        if let Some(id) = self.ids.get(&value) {
            return *id;
        }
        let temps = match value {
            Value::Constant(_) | Value::Length | Value::HeaderLength(_) => 0,
            Value::Temp(temp) => temp.bit(),
            Value::Load { base, .. } => base.map_or(0, |base| self.temps(base)),
            Value::Negate(operand) => self.temps(operand),
            Value::Binary(_, left, right) => self.temps(left) | self.temps(right),
        };
        let id = ValueId(u32::try_from(self.values.len()).expect("an expression is not that long"));
        self.values.push(value);
        self.temps.push(temps);
        self.ids.insert(value, id);
        id
    }

    /// The set of temporaries that a value depends on.
    pub(crate) fn temps(&self, id: ValueId) -> u64 {
        self.temps[id.0 as usize]
    }

    pub(crate) fn constant(&mut self, number: u32) -> ValueId {
        self.intern(Value::Constant(number))
    }

    pub(crate) fn as_constant(&self, id: ValueId) -> Option<u32> {
        match self.get(id) {
            Value::Constant(number) => Some(number),
            _ => None,
        }
    }

    /// An upper bound for any packet.
    fn max(&self, id: ValueId) -> u32 {
        match self.get(id) {
            Value::Constant(number) => number,
            Value::Load { size, .. } => size.max(),
            Value::HeaderLength(_) => 60,
            Value::Binary(AND, left, right) => self.max(left).min(self.max(right)),
            _ => u32::MAX,
        }
    }

    pub(crate) fn negate(&mut self, operand: ValueId) -> ValueId {
        match self.get(operand) {
            Value::Constant(number) => self.constant(number.wrapping_neg()),
            Value::Negate(inner) => inner,
            _ => self.intern(Value::Negate(operand)),
        }
    }

    /// The result of an operation, simplified. Loads and divisions can reject the packet, so they
    /// stay even if their result does not matter.
    pub(crate) fn binary(&mut self, operation: u16, left: ValueId, right: ValueId) -> ValueId {
        debug_assert_ne!(operation, NEG, "not of two operands");
        match (self.as_constant(left), self.as_constant(right)) {
            (Some(a), Some(b)) => {
                if let Some(result) = compute(operation, a, b) {
                    return self.constant(result);
                }
            }
            (Some(_), None) if matches!(operation, ADD | MUL | AND | OR | XOR) => {
                return self.binary(operation, right, left);
            }
            (None, Some(b)) => {
                match (operation, b) {
                    (ADD | SUB | OR | XOR | LSH | RSH, 0) | (MUL, 1) => return left,
                    // The kernel refuses such shifts; the result is 0.
                    (LSH | RSH, 32..) => {
                        let zero = self.constant(0);
                        return self.binary(AND, left, zero);
                    }
                    _ => {}
                }
                let max = self.max(left);
                if operation == AND && 0 < max {
                    // All bits that can be set in `left`.
                    let bits = u32::MAX >> max.leading_zeros();
                    if b & bits == bits {
                        return left;
                    }
                }
                if let (ADD | AND | OR | XOR, Value::Binary(inner, x, y)) =
                    (operation, self.get(left))
                    && inner == operation
                    && let Some(y) = self.as_constant(y)
                    && let Some(both) = compute(operation, y, b)
                {
                    let both = self.constant(both);
                    return self.binary(operation, x, both);
                }
            }
            (None, None) | (Some(_), None) => {}
        }
        self.intern(Value::Binary(operation, left, right))
    }

    /// Packet bytes at `base + offset`.
    pub(crate) fn load(&mut self, base: Option<ValueId>, offset: u32, size: Size) -> ValueId {
        match base.map(|base| (base, self.as_constant(base))) {
            Some((_, Some(constant))) => self.load(None, offset.wrapping_add(constant), size),
            // Fold a constant term of the base into the offset.
            Some((base, None)) => match self.get(base) {
                Value::Binary(ADD, inner, constant)
                    if self.as_constant(constant).is_some_and(|c| {
                        c.checked_add(offset).is_some_and(|sum| sum < 1 << 16)
                    }) =>
                {
                    let constant = self.as_constant(constant).unwrap_or_default();
                    self.load(Some(inner), offset + constant, size)
                }
                _ => self.intern(Value::Load { base: Some(base), offset, size }),
            },
            None => self.intern(Value::Load { base: None, offset, size }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_folded() {
        let mut values = Values::default();
        let [two, three] = [2, 3].map(|n| values.constant(n));
        let five = values.binary(ADD, two, three);
        assert_eq!(values.as_constant(five), Some(5));
        let byte = values.load(None, 0, Size::Byte);
        let mask = values.constant(0xff_ffff);
        assert_eq!(values.binary(AND, byte, mask), byte);
        assert_eq!(values.binary(AND, mask, byte), byte);
        let zero = values.constant(0);
        assert_eq!(values.binary(ADD, byte, zero), byte);
        assert_ne!(values.binary(AND, byte, zero), zero, "the load can reject the packet");
        assert_ne!(
            values.binary(crate::instruction::code::DIV, five, zero),
            zero,
            "this rejects the packet"
        );
    }
}
