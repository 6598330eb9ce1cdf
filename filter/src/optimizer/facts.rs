//! What is known of values on the way to a node.

use crate::ast::CmpOp;
use crate::graph::Test;
use crate::value::{Temp, ValueId, Values};

/// Limits that keep the work for each node small. Beyond them something is forgotten.
const MAX_VALUES: usize = 48;
const MAX_CHOICES: usize = 12;
const MAX_EXCLUDED: usize = 48;
const MAX_MASKS: usize = 6;

/// What is known of some values, and outcomes of tests between values.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    known: Vec<(ValueId, ValueFacts)>,
    outcomes: Vec<(Test, bool)>,
}

impl Facts {
    /// The outcome of a test, if that is known.
    pub(super) fn outcome(&self, test: Test, values: &Values) -> Option<bool> {
        let Some(number) = values.as_constant(test.right) else {
            return self
                .outcomes
                .iter()
                .find(|(known, _)| *known == test)
                .map(|(_, outcome)| *outcome);
        };
        let (_, known) = self.known.iter().find(|(value, _)| *value == test.left)?;
        known.outcome(test.op, number)
    }

    /// A test had that outcome.
    pub(super) fn learn(&mut self, test: Test, outcome: bool, values: &Values) {
        let Some(number) = values.as_constant(test.right) else {
            if self.outcomes.len() < MAX_VALUES {
                self.outcomes.push((test, outcome));
            }
            return;
        };
        let index = self.known.iter().position(|(value, _)| *value == test.left);
        let index = index.unwrap_or_else(|| {
            if self.known.len() == MAX_VALUES {
                self.known.remove(0);
            }
            self.known.push((test.left, ValueFacts::default()));
            self.known.len() - 1
        });
        self.known[index].1.learn(test.op, number, outcome);
    }

    /// A word of memory changes.
    pub(super) fn forget(&mut self, temp: Temp, values: &Values) {
        let is_made_of = |value: ValueId| values.temps(value) & temp.bit() != 0;
        self.known.retain(|(value, _)| !is_made_of(*value));
        self.outcomes.retain(|(test, _)| !is_made_of(test.left) && !is_made_of(test.right));
    }

    /// What holds whether these are the facts or those.
    pub(super) fn join(&mut self, others: &Self) {
        self.known.retain_mut(|(value, known)| {
            let other = others.known.iter().find(|(other, _)| other == value);
            other.is_some_and(|(_, other)| {
                known.join(other);
                true
            })
        });
        self.outcomes.retain(|fact| others.outcomes.contains(fact));
    }
}

/// What is known of one value.
#[derive(Clone, Debug)]
struct ValueFacts {
    least: u32,
    most: u32,
    /// All that it may be, where those are few.
    choices: Option<Vec<u32>>,
    excluded: Vec<u32>,
    /// Bits that are not set.
    zeros: u32,
    /// Masks of which some bit is set.
    masks: Vec<u32>,
}

impl Default for ValueFacts {
    fn default() -> Self {
        let (excluded, masks) = (Vec::new(), Vec::new());
        Self { least: 0, most: u32::MAX, choices: None, excluded, zeros: 0, masks }
    }
}

impl ValueFacts {
    /// Whether it may be that number.
    fn may_be(&self, number: u32) -> bool {
        if let Some(choices) = &self.choices {
            return choices.contains(&number);
        }
        (self.least..=self.most).contains(&number)
            && !self.excluded.contains(&number)
            && number & self.zeros == 0
            && self.masks.iter().all(|mask| number & mask != 0)
    }

    /// Bits that are not set in any choice.
    fn zeros(&self) -> u32 {
        match &self.choices {
            Some(choices) => !choices.iter().fold(0, |all, choice| all | choice),
            None => self.zeros,
        }
    }

    fn has_bit_of(&self, mask: u32) -> bool {
        match &self.choices {
            Some(choices) => choices.iter().all(|choice| choice & mask != 0),
            None => self.masks.iter().any(|known| known & !mask == 0),
        }
    }

    fn outcome(&self, op: CmpOp, number: u32) -> Option<bool> {
        if let Some(choices) = &self.choices {
            let first = op.holds(*choices.first()?, number);
            return choices
                .iter()
                .all(|choice| op.holds(*choice, number) == first)
                .then_some(first);
        }
        let (always, never) = match op {
            CmpOp::Equal => (self.least == number && self.most == number, !self.may_be(number)),
            CmpOp::Greater => (number < self.least, self.most <= number),
            CmpOp::GreaterOrEqual => (number <= self.least && 0 < self.least, self.most < number),
            CmpOp::AnyBit => (self.has_bit_of(number), number & !self.zeros == 0),
        };
        match (always, never) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }

    fn learn(&mut self, op: CmpOp, number: u32, outcome: bool) {
        match (op, outcome) {
            (CmpOp::Equal, true) => self.choices = Some(vec![number]),
            (CmpOp::Equal, false) if self.excluded.len() < MAX_EXCLUDED => {
                self.excluded.push(number);
            }
            (CmpOp::Equal, false) => {}
            (CmpOp::Greater, true) => self.least = self.least.max(number.saturating_add(1)),
            (CmpOp::Greater, false) => self.most = self.most.min(number),
            (CmpOp::GreaterOrEqual, true) => self.least = self.least.max(number),
            (CmpOp::GreaterOrEqual, false) => {
                self.most = self.most.min(number.saturating_sub(1));
            }
            (CmpOp::AnyBit, true) if self.masks.len() < MAX_MASKS => self.masks.push(number),
            (CmpOp::AnyBit, true) => {}
            (CmpOp::AnyBit, false) => self.zeros |= number,
        }
        if let Some(choices) = &mut self.choices {
            choices.retain(|choice| op.holds(*choice, number) == outcome);
        }
    }

    fn join(&mut self, other: &Self) {
        let bounds = |known: &Self| match &known.choices {
            Some(choices) => (choices.iter().min().copied(), choices.iter().max().copied()),
            None => (Some(known.least), Some(known.most)),
        };
        let ((least, most), (other_least, other_most)) = (bounds(self), bounds(other));
        let mut excluded = Vec::new();
        for number in self.excluded.iter().chain(&other.excluded) {
            if !excluded.contains(number) && !self.may_be(*number) && !other.may_be(*number) {
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
        let zeros = self.zeros() & other.zeros();
        let choices =
            self.choices.take().zip(other.choices.as_ref()).map(|(mut choices, others)| {
                for choice in others {
                    if !choices.contains(choice) {
                        choices.push(*choice);
                    }
                }
                choices
            });
        *self = Self {
            least: least.into_iter().chain(other_least).min().unwrap_or(0),
            most: most.into_iter().chain(other_most).max().unwrap_or(u32::MAX),
            choices: choices.filter(|choices| choices.len() <= MAX_CHOICES),
            excluded,
            zeros,
            masks,
        };
    }
}
