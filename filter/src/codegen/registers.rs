//! The registers: which values they hold, and the instructions that load a value into them.

use crate::instruction::Instruction;
use crate::instruction::code::{
    ABS, ADD, ALU, AND, B, DIV, IMM, IND, K, LD, LDX, LEN, MEM, MISC, MOD, MSH, MUL, NEG, OR, ST,
    TAX, TXA, X, XOR,
};
use crate::value::{Temp, Value, ValueId, Values};

/// The words of memory. Temporaries are allocated from the start, spilled values from the end.
#[derive(Debug, Default)]
pub(super) struct Memory {
    temps: Vec<Temp>,
    /// Words in use for intermediate results of the value that is being computed.
    spills: usize,
    max_spills: usize,
}

impl Memory {
    const LEN: usize = 16;

    /// The word of a temporary, allocated at its first use. `None` if there is none left.
    pub(super) fn word(&mut self, temp: Temp) -> Option<u32> {
        let index = self.temps.iter().position(|known| *known == temp).unwrap_or_else(|| {
            self.temps.push(temp);
            self.temps.len() - 1
        });
        self.checked(index)
    }

    /// Allocates a word for an intermediate result.
    fn spill(&mut self) -> Option<u32> {
        self.spills += 1;
        self.max_spills = self.max_spills.max(self.spills);
        self.checked(Self::LEN.checked_sub(self.spills)?)
    }

    fn checked(&self, index: usize) -> Option<u32> {
        (self.temps.len() + self.max_spills <= Self::LEN).then_some(u32::try_from(index).ok()?)
    }
}

/// The values in the registers; `None` if unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Registers {
    pub(super) accumulator: Option<ValueId>,
    pub(super) index: Option<ValueId>,
}

impl Registers {
    /// The values that both agree on.
    pub(super) fn meet(self, other: &Self) -> Self {
        let both = |a: Option<ValueId>, b: Option<ValueId>| if a == b { a } else { None };
        Self {
            accumulator: both(self.accumulator, other.accumulator),
            index: both(self.index, other.index),
        }
    }

    /// Invalidates values that depend on a temporary, after an assignment to it.
    pub(super) fn invalidate(&mut self, temp: Temp, values: &Values) {
        let is_stale = |value: ValueId| values.temps(value) & temp.bit() != 0;
        self.accumulator = self.accumulator.filter(|value| !is_stale(*value));
        self.index = self.index.filter(|value| !is_stale(*value));
    }

    /// Loads a value into the accumulator. `None` if there is too little memory.
    pub(super) fn load_accumulator(
        &mut self,
        value: ValueId,
        values: &Values,
        memory: &mut Memory,
        code: &mut Vec<Instruction>,
    ) -> Option<()> {
        if self.accumulator == Some(value) {
            return Some(());
        }
        match values.get(value) {
            _ if self.index == Some(value) => code.push(Instruction::new(MISC | TXA, 0)),
            Value::Constant(number) => code.push(Instruction::new(LD | IMM, number)),
            Value::Length => code.push(Instruction::new(LD | LEN, 0)),
            Value::Temp(temp) => code.push(Instruction::new(LD | MEM, memory.word(temp)?)),
            Value::HeaderLength(_) => {
                self.load_index(value, values, memory, code)?;
                code.push(Instruction::new(MISC | TXA, 0));
            }
            Value::Load { base: None, offset, size } => {
                code.push(Instruction::new(LD | ABS | size.code(), offset));
            }
            Value::Load { base: Some(base), offset, size } => {
                self.load_index(base, values, memory, code)?;
                code.push(Instruction::new(LD | IND | size.code(), offset));
            }
            Value::Negate(operand) => {
                self.load_accumulator(operand, values, memory, code)?;
                code.push(Instruction::new(ALU | NEG, 0));
            }
            Value::Binary(operation, left, right) => {
                let is_zero_divisor =
                    matches!(operation, DIV | MOD) && values.as_constant(right) == Some(0);
                if let (Some(number), false) = (values.as_constant(right), is_zero_divisor) {
                    self.load_accumulator(left, values, memory, code)?;
                    code.push(Instruction::new(ALU | operation | K, number));
                } else if matches!(operation, ADD | MUL | AND | OR | XOR)
                    && self.accumulator == Some(right)
                    && fits_one_ldx(left, values)
                {
                    self.load_index(left, values, memory, code)?;
                    code.push(Instruction::new(ALU | operation | X, 0));
                } else {
                    self.load_both(left, right, values, memory, code)?;
                    code.push(Instruction::new(ALU | operation | X, 0));
                }
            }
        }
        self.accumulator = Some(value);
        Some(())
    }

    /// Loads a value into the index register. This can overwrite the accumulator.
    fn load_index(
        &mut self,
        value: ValueId,
        values: &Values,
        memory: &mut Memory,
        code: &mut Vec<Instruction>,
    ) -> Option<()> {
        if self.index == Some(value) {
            return Some(());
        }
        match values.get(value) {
            _ if self.accumulator == Some(value) => code.push(Instruction::new(MISC | TAX, 0)),
            Value::Constant(number) => code.push(Instruction::new(LDX | IMM, number)),
            Value::Length => code.push(Instruction::new(LDX | LEN, 0)),
            Value::Temp(temp) => code.push(Instruction::new(LDX | MEM, memory.word(temp)?)),
            Value::HeaderLength(offset) => code.push(Instruction::new(LDX | MSH | B, offset)),
            _ => {
                self.load_accumulator(value, values, memory, code)?;
                code.push(Instruction::new(MISC | TAX, 0));
            }
        }
        self.index = Some(value);
        Some(())
    }

    /// Loads one value into the accumulator and another into the index register.
    pub(super) fn load_both(
        &mut self,
        left: ValueId,
        right: ValueId,
        values: &Values,
        memory: &mut Memory,
        code: &mut Vec<Instruction>,
    ) -> Option<()> {
        if fits_one_ldx(right, values) && self.index != Some(right) {
            // This load does not change the accumulator.
            self.load_accumulator(left, values, memory, code)?;
            return self.load_index(right, values, memory, code);
        }
        if !needs_index(left, values) {
            self.load_index(right, values, memory, code)?;
            return self.load_accumulator(left, values, memory, code);
        }
        self.load_accumulator(right, values, memory, code)?;
        let word = memory.spill()?;
        code.push(Instruction::new(ST, word));
        self.load_accumulator(left, values, memory, code)?;
        code.push(Instruction::new(LDX | MEM, word));
        memory.spills -= 1;
        self.index = Some(right);
        Some(())
    }
}

/// Whether a single instruction loads a value into the index register.
fn fits_one_ldx(value: ValueId, values: &Values) -> bool {
    matches!(
        values.get(value),
        Value::Constant(_) | Value::Length | Value::Temp(_) | Value::HeaderLength(_)
    )
}

/// Whether computing a value uses the index register.
fn needs_index(value: ValueId, values: &Values) -> bool {
    match values.get(value) {
        Value::Constant(_) | Value::Length | Value::Temp(_) | Value::Load { base: None, .. } => {
            false
        }
        Value::HeaderLength(_) | Value::Load { base: Some(_), .. } => true,
        Value::Negate(operand) => needs_index(operand, values),
        Value::Binary(_, left, right) => {
            values.as_constant(right).is_none() || needs_index(left, values)
        }
    }
}
