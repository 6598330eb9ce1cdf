//! The filter language: text to expression and back, with autocompletion.
//!
//! ```text
//! proto == tcp and dport in {80, 443} and src in 10.0.0.0/8 and len > 1000
//! ts in 10:15:00..10:16:00 and not (host == 10.0.0.5 or vlan)
//! ```
//!
//! A comparison matches only packets that have the field: `dport != 80` does not match ARP, `not dport
//! == 80` does. `host` and `port` stand for two fields each: `==` matches if either is equal, `!=` if
//! both differ. Selections in charts use the same expressions, which makes them readable, editable
//! and shareable. Evaluation against packets is left to `viewer-store`.
//!
//! The parser also accepts the fields of Wireshark and the primitives of tcpdump whose meaning it can
//! express, such as `ip.addr == 10.0.0.5` and `tcp port 443`. They become the same expressions, and
//! are written in the form above.

mod complete;
mod corrections;
mod display;
mod field;
mod flag_tests;
mod lexer;
mod literals;
mod names;
mod operands;
mod parse;
mod primitive;
#[cfg(any(test, feature = "strategies"))]
pub mod strategies;

pub use complete::{Completion, complete};
pub use field::{ExtraField, Field, FieldType, FindingField, ListedField, TagName};
pub use names::closest;
pub use parse::{TextOperand, parse, text_operands};

use crate::axis::Quantity;
use crate::time::Zone;
use crate::wire::Wire;
use std::ops::Range;
use summary::Address;

/// A condition on packets.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Packets that do not match the operand.
    Not(Box<Expr>),
    /// Packets that match all operands.
    And(Vec<Expr>),
    /// Packets that match at least one operand.
    Or(Vec<Expr>),
    /// Packets that have the field.
    Has(Field),
    /// Packets that have the field, with a value in the set.
    In(Field, Set),
    /// Packets that have the field, with a value not in the set.
    NotIn(Field, Set),
    /// Packets inside a polygon in the scatter plot.
    Lasso(Lasso),
}

/// A polygon in the plane of two quantities. The even-odd rule decides what is inside, with a
/// resolution of 1/1024 of the polygon's width and height.
#[derive(Clone, Debug, PartialEq)]
pub struct Lasso {
    /// Quantity of the x axis, and whether that axis is logarithmic.
    pub x: (Quantity, bool),
    /// Quantity of the y axis, and whether that axis is logarithmic.
    pub y: (Quantity, bool),
    /// Vertices, at least three.
    pub points: Vec<(i64, i64)>,
}

/// A set of field values. The variant corresponds to the type of the field.
#[derive(Clone, Debug, PartialEq)]
pub enum Set {
    /// Inclusive ranges of numbers.
    Numbers(Vec<(i64, i64)>),
    /// Inclusive ranges of addresses, each within one address family.
    Addresses(Vec<(Address, Address)>),
    /// Whole texts, compared without regard to the case of ASCII letters.
    Texts(Vec<String>),
    /// Parts of texts, compared in the same way.
    Contains(Vec<String>),
    /// Exact combinations of TCP flags.
    Flags(Vec<u8>),
    /// TCP flags that must all be set; others may be set too.
    AllFlags(u8),
}

impl Set {
    /// Whether each range or value of `other` is also listed here. Ranges are compared as a whole.
    pub fn has(&self, other: &Self) -> bool {
        fn has<T: PartialEq>(all: &[T], some: &[T]) -> bool {
            some.iter().all(|one| all.contains(one))
        }
        match (self, other) {
            (Self::Numbers(all), Self::Numbers(some)) => has(all, some),
            (Self::Addresses(all), Self::Addresses(some)) => has(all, some),
            (Self::Texts(all), Self::Texts(some)) => has(all, some),
            (all, some) => all == some,
        }
    }

    /// Removes the values of `other` if any of them are present, adds them otherwise. `None` if nothing
    /// is left or the types differ.
    pub fn toggled(&self, other: &Self) -> Option<Self> {
        fn toggled<T: Clone + PartialEq>(all: &[T], some: &[T]) -> Vec<T> {
            let rest: Vec<T> = all.iter().filter(|value| !some.contains(value)).cloned().collect();
            if rest.len() == all.len() { [all, some].concat() } else { rest }
        }
        let is_nonempty = |set: &Self| match set {
            Self::Numbers(all) => !all.is_empty(),
            Self::Addresses(all) => !all.is_empty(),
            Self::Texts(all) => !all.is_empty(),
            Self::Contains(_) | Self::Flags(_) | Self::AllFlags(_) => true,
        };
        let set = match (self, other) {
            (Self::Numbers(all), Self::Numbers(some)) => Self::Numbers(toggled(all, some)),
            (Self::Addresses(all), Self::Addresses(some)) => Self::Addresses(toggled(all, some)),
            (Self::Texts(all), Self::Texts(some)) => Self::Texts(toggled(all, some)),
            _ => return None,
        };
        Some(set).filter(is_nonempty)
    }
}

impl Wire for Address {
    fn put(&self, bytes: &mut Vec<u8>) {
        self.to_string().put(bytes);
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        Address::parse(String::get(bytes)?.as_bytes())
    }
}

/// How filter text is interpreted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// Zone in which times are written.
    pub zone: Zone,
    /// Time of the first packet; times without a date refer to its day.
    pub first_ns: i64,
    /// Accept numbers outside the domain of a field, because selections in charts can extend beyond
    /// it.
    pub is_canonical: bool,
}

impl Context {
    /// The context of links and messages: UTC, independent of the capture.
    pub fn canonical() -> Self {
        Self { is_canonical: true, ..Self::default() }
    }
}

/// A syntax error in filter text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Bytes of the offending text; empty at the end of the text.
    pub range: Range<usize>,
    /// What is wrong or what was expected, as a sentence fragment without a full stop.
    pub message: String,
    /// The likely correction, if there is one.
    pub fix: Option<Fix>,
}

/// A change of filter text that corrects an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Bytes of the text that are replaced.
    pub range: Range<usize>,
    /// Their replacement.
    pub text: String,
}

impl Fix {
    /// The corrected text.
    pub fn apply(&self, text: &str) -> String {
        let part = |range: Range<usize>| text.get(range).unwrap_or_default();
        let Range { start, end } = self.range;
        format!("{}{}{}", part(0..start), self.text, part(end..text.len()))
    }
}

impl Error {
    fn new(range: Range<usize>, message: &str) -> Box<Self> {
        Box::new(Self { range, message: message.to_owned(), fix: None })
    }

    /// Adds a replacement for a part of the text.
    fn with_fix(mut self: Box<Self>, range: Range<usize>, text: &str) -> Box<Self> {
        self.fix = Some(Fix { range, text: text.to_owned() });
        self
    }
}

impl Expr {
    /// Matches a quantity between `first` and `last`, both inclusive.
    pub fn numbers(quantity: Quantity, first: i64, last: i64) -> Self {
        Self::In(Field::Quantity(quantity), Set::Numbers(vec![(first, last)]))
    }

    /// Appends the fields without a column that the expression refers to.
    pub fn extra_fields(&self, fields: &mut Vec<ExtraField>) {
        let mut add = |field: ExtraField| {
            if !fields.contains(&field) {
                fields.push(field);
            }
        };
        match self {
            Self::Has(Field::Extra(field))
            | Self::In(Field::Extra(field), _)
            | Self::NotIn(Field::Extra(field), _) => add(*field),
            Self::Has(Field::Mac) | Self::In(Field::Mac, _) | Self::NotIn(Field::Mac, _) => {
                add(ExtraField::ETH_SRC);
                add(ExtraField::ETH_DST);
            }
            Self::Not(operand) => operand.extra_fields(fields),
            Self::And(operands) | Self::Or(operands) => {
                operands.iter().for_each(|operand| operand.extra_fields(fields));
            }
            Self::Has(_) | Self::In(..) | Self::NotIn(..) | Self::Lasso(_) => {}
        }
    }

    /// How deeply operators are nested, at least.
    fn nesting(&self) -> usize {
        match self {
            Self::Not(operand) => 1 + operand.nesting(),
            Self::And(operands) | Self::Or(operands) => {
                1 + operands.iter().map(Self::nesting).max().unwrap_or(0)
            }
            Self::Has(_) | Self::In(..) | Self::NotIn(..) | Self::Lasso(_) => 0,
        }
    }

    /// Conjunction with another expression.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match self {
            Self::And(mut all) => {
                all.push(other);
                Self::And(all)
            }
            one => Self::And(vec![one, other]),
        }
    }
}

#[cfg(test)]
mod tests;
