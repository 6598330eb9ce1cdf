//! Facts about values that hold on every path to a node.

use crate::ast::CmpOp;
use crate::graph::Test;
use crate::value::{Temp, ValueId, Values};

/// Limits that bound the work for each node. Beyond them facts are dropped, which costs optimization
/// but is safe.
const MAX_VALUES: usize = 48;
const MAX_CANDIDATES: usize = 12;
const MAX_EXCLUDED: usize = 48;
const MAX_MASKS: usize = 6;

/// Facts about values, and outcomes of tests that compare two values.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    by_value: Vec<(ValueId, ValueFacts)>,
    outcomes: Vec<(Test, bool)>,
}

impl Facts {
    /// The outcome of a test, if it is known.
    pub(super) fn outcome(&self, test: Test, values: &Values) -> Option<bool> {
        let Some(number) = values.as_constant(test.right) else {
            return self
                .outcomes
                .iter()
                .find(|(known, _)| *known == test)
                .map(|(_, outcome)| *outcome);
        };
        let (_, known) = self.by_value.iter().find(|(value, _)| *value == test.left)?;
        known.outcome(test.op, number)
    }

    /// Adds the fact that a test has an outcome.
    pub(super) fn assume(&mut self, test: Test, outcome: bool, values: &Values) {
        let Some(number) = values.as_constant(test.right) else {
            if self.outcomes.len() < MAX_VALUES {
                self.outcomes.push((test, outcome));
            }
            return;
        };
        let index = self.by_value.iter().position(|(value, _)| *value == test.left);
        let index = index.unwrap_or_else(|| {
            if self.by_value.len() == MAX_VALUES {
                self.by_value.remove(0);
            }
            self.by_value.push((test.left, ValueFacts::default()));
            self.by_value.len() - 1
        });
        self.by_value[index].1.assume(test.op, number, outcome);
    }

    /// Drops facts about values that depend on a temporary, which is assigned.
    pub(super) fn invalidate(&mut self, temp: Temp, values: &Values) {
        let depends = |value: ValueId| values.temps(value) & temp.bit() != 0;
        self.by_value.retain(|(value, _)| !depends(*value));
        self.outcomes.retain(|(test, _)| !depends(test.left) && !depends(test.right));
    }

    /// Keeps only facts that hold in both sets: two paths meet.
    pub(super) fn join(&mut self, others: &Self) {
        self.by_value.retain_mut(|(value, known)| {
            let other = others.by_value.iter().find(|(other, _)| other == value);
            other.is_some_and(|(_, other)| {
                known.join(other);
                true
            })
        });
        self.outcomes.retain(|fact| others.outcomes.contains(fact));
    }
}

/// Facts about one value.
#[derive(Clone, Debug)]
struct ValueFacts {
    min: u32,
    max: u32,
    /// All possible numbers, if there are few.
    candidates: Option<Vec<u32>>,
    excluded: Vec<u32>,
    /// Bits that are known to be 0.
    zero_bits: u32,
    /// Masks that have at least one bit in common with the value.
    masks: Vec<u32>,
}

impl Default for ValueFacts {
    fn default() -> Self {
        let (excluded, masks) = (Vec::new(), Vec::new());
        Self { min: 0, max: u32::MAX, candidates: None, excluded, zero_bits: 0, masks }
    }
}

impl ValueFacts {
    /// Whether the value can equal this number.
    fn can_equal(&self, number: u32) -> bool {
        if let Some(candidates) = &self.candidates {
            return candidates.contains(&number);
        }
        (self.min..=self.max).contains(&number)
            && !self.excluded.contains(&number)
            && number & self.zero_bits == 0
            && self.masks.iter().all(|mask| number & mask != 0)
    }

    /// Bits that are 0 in every possible number.
    fn zero_bits(&self) -> u32 {
        match &self.candidates {
            Some(candidates) => !candidates.iter().fold(0, |all, candidate| all | candidate),
            None => self.zero_bits,
        }
    }

    fn has_bit_of(&self, mask: u32) -> bool {
        match &self.candidates {
            Some(candidates) => candidates.iter().all(|candidate| candidate & mask != 0),
            None => self.masks.iter().any(|known| known & !mask == 0),
        }
    }

    fn outcome(&self, op: CmpOp, number: u32) -> Option<bool> {
        if let Some(candidates) = &self.candidates {
            let first = op.holds(*candidates.first()?, number);
            return candidates
                .iter()
                .all(|candidate| op.holds(*candidate, number) == first)
                .then_some(first);
        }
        let (always, never) = match op {
            CmpOp::Equal => (self.min == number && self.max == number, !self.can_equal(number)),
            CmpOp::Greater => (number < self.min, self.max <= number),
            CmpOp::GreaterOrEqual => (number <= self.min && 0 < self.min, self.max < number),
            CmpOp::AnyBit => (self.has_bit_of(number), number & !self.zero_bits == 0),
        };
        match (always, never) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    fn assume(&mut self, op: CmpOp, number: u32, outcome: bool) {
        match (op, outcome) {
            (CmpOp::Equal, true) => self.candidates = Some(vec![number]),
            (CmpOp::Equal, false) if self.excluded.len() < MAX_EXCLUDED => {
                self.excluded.push(number);
            }
            (CmpOp::Equal, false) => {}
            (CmpOp::Greater, true) => self.min = self.min.max(number.saturating_add(1)),
            (CmpOp::Greater, false) => self.max = self.max.min(number),
            (CmpOp::GreaterOrEqual, true) => self.min = self.min.max(number),
            (CmpOp::GreaterOrEqual, false) => {
                self.max = self.max.min(number.saturating_sub(1));
            }
            (CmpOp::AnyBit, true) if self.masks.len() < MAX_MASKS => self.masks.push(number),
            (CmpOp::AnyBit, true) => {}
            (CmpOp::AnyBit, false) => self.zero_bits |= number,
        }
        if let Some(candidates) = &mut self.candidates {
            candidates.retain(|candidate| op.holds(*candidate, number) == outcome);
        }
    }

    fn join(&mut self, other: &Self) {
        let bounds = |known: &Self| match &known.candidates {
            Some(candidates) => {
                (candidates.iter().min().copied(), candidates.iter().max().copied())
            }
            None => (Some(known.min), Some(known.max)),
        };
        let ((min, max), (other_min, other_max)) = (bounds(self), bounds(other));
        let mut excluded = Vec::new();
        for number in self.excluded.iter().chain(&other.excluded) {
            if !excluded.contains(number) && !self.can_equal(*number) && !other.can_equal(*number) {
                excluded.push(*number);
            }
        }
        let mut masks = Vec::new();
        for mask in self.masks.iter().chain(&other.masks) {
            if !masks.contains(mask) && self.has_bit_of(*mask) && other.has_bit_of(*mask) {
                masks.push(*mask);
            }
        }
        masks.truncate(MAX_MASKS);
        excluded.truncate(MAX_EXCLUDED);
        let zero_bits = self.zero_bits() & other.zero_bits();
        let candidates = self.candidates.take().zip(other.candidates.as_ref()).map(
            |(mut candidates, others)| {
                for candidate in others {
                    if !candidates.contains(candidate) {
                        candidates.push(*candidate);
                    }
                }
                candidates
            },
        );
        *self = Self {
            min: min.into_iter().chain(other_min).min().unwrap_or(0),
            max: max.into_iter().chain(other_max).max().unwrap_or(u32::MAX),
            candidates: candidates.filter(|candidates| candidates.len() <= MAX_CANDIDATES),
            excluded,
            zero_bits,
            masks,
        };
    }
}
