//! The filter language: which packets are meant, in words over the fields of the stream.
//!
//! ```text
//! proto == tcp and dport in {80, 443} and src in 10.0.0.0/8 and len > 1000
//! ts in 10:15:00..10:16:00 and not (host == 10.0.0.5 or vlan)
//! ```
//!
//! A comparison is about packets that have the field: `dport != 80` is not about ARP, `not dport ==
//! 80` is. Of the fields that are two, `host` and `port`, one has to be equal, or both have to be
//! different. Brushes are made of the same expressions, so each can be read, shared and typed.

mod complete;
mod lexer;
mod parse;
mod show;
#[cfg(any(test, feature = "strategies"))]
pub mod strategies;

pub use complete::{Completion, complete};
pub use parse::parse;

use crate::axis::Value;
use crate::clock::Zone;
use crate::wire::Wire;
use std::ops::Range;
use summary::Address;

/// Which packets are meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// Those that the other one does not mean.
    Not(Box<Expr>),
    /// Those that all of them mean.
    And(Vec<Expr>),
    /// Those that one of them means at least.
    Or(Vec<Expr>),
    /// Those that have the field.
    Has(Field),
    /// Those that have the field, with one of these values.
    In(Field, Set),
    /// Those that have the field, with none of these values.
    NotIn(Field, Set),
    /// Those that are inside of a line drawn around them.
    Lasso(Lasso),
}

/// A closed line through points, in values of two axes. Inside is what is inside by the rule of even
/// and odd crossings, to one part in 1,024 of the line's width and height.
#[derive(Clone, Debug, PartialEq)]
pub struct Lasso {
    /// What is along x, and whether logarithmically.
    pub x: (Value, bool),
    /// What is along y, and whether logarithmically.
    pub y: (Value, bool),
    /// The corners, at least three.
    pub points: Vec<(i64, i64)>,
}

/// Values of a field, of its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Set {
    /// From the first to the last of each, both included.
    Numbers(Vec<(i64, i64)>),
    /// From the first to the last of each, both included and of one kind.
    Addresses(Vec<(Address, Address)>),
    /// These words exactly.
    Words(Vec<String>),
    /// TCP flags: exactly one of these.
    Flags(Vec<u8>),
    /// TCP flags: all of these at least.
    AllFlags(u8),
}

impl Set {
    /// True where it has all values of another one of its type, as they are there.
    pub fn has(&self, other: &Self) -> bool {
        fn has<T: PartialEq>(all: &[T], some: &[T]) -> bool {
            some.iter().all(|one| all.contains(one))
        }
        match (self, other) {
            (Self::Numbers(all), Self::Numbers(some)) => has(all, some),
            (Self::Addresses(all), Self::Addresses(some)) => has(all, some),
            (Self::Words(all), Self::Words(some)) => has(all, some),
            (all, some) => all == some,
        }
    }

    /// Without the values of another one of its type where it has them, or else with them; `None`
    /// where nothing is left, or the types differ.
    pub fn toggled(&self, other: &Self) -> Option<Self> {
        fn toggled<T: Clone + PartialEq>(all: &[T], some: &[T]) -> Vec<T> {
            let rest: Vec<T> = all.iter().filter(|known| !some.contains(known)).cloned().collect();
            if rest.len() == all.len() { [all, some].concat() } else { rest }
        }
        let is_left = |set: &Self| match set {
            Self::Numbers(all) => !all.is_empty(),
            Self::Addresses(all) => !all.is_empty(),
            Self::Words(all) => !all.is_empty(),
            Self::Flags(_) | Self::AllFlags(_) => true,
        };
        let set = match (self, other) {
            (Self::Numbers(all), Self::Numbers(some)) => Self::Numbers(toggled(all, some)),
            (Self::Addresses(all), Self::Addresses(some)) => Self::Addresses(toggled(all, some)),
            (Self::Words(all), Self::Words(some)) => Self::Words(toggled(all, some)),
            _ => return None,
        };
        Some(set).filter(is_left)
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

/// What a comparison is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A number.
    Value(Value),
    /// Source or destination port.
    Port,
    /// Source address.
    Src,
    /// Destination address.
    Dst,
    /// Source or destination address.
    Host,
    /// Protocol.
    Proto,
    /// Name of the file.
    File,
    /// Name of the interface.
    Interface,
    /// Direction.
    Direction,
    /// One of the VLAN ids.
    Vlan,
    /// TCP flags.
    Flags,
}

/// What the values of a field are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number {
        max: i64,
    },
    Time,
    /// A length of time.
    Duration,
    Address,
    Word,
    Flags,
}

impl Field {
    /// All fields, in the order in which they are offered.
    pub const ALL: [Self; 17] = [
        Self::Proto,
        Self::Src,
        Self::Dst,
        Self::Host,
        Self::Value(Value::SourcePort),
        Self::Value(Value::DestinationPort),
        Self::Port,
        Self::Value(Value::Size),
        Self::Value(Value::Time),
        Self::Value(Value::Gap),
        Self::Value(Value::Number),
        Self::Value(Value::Ttl),
        Self::Flags,
        Self::Vlan,
        Self::Interface,
        Self::Direction,
        Self::File,
    ];

    /// Its name in filters: the stream's where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Value(value) => value.name(),
            Self::Port => "port",
            Self::Src => "src",
            Self::Dst => "dst",
            Self::Host => "host",
            Self::Proto => "proto",
            Self::File => "file",
            Self::Interface => "if",
            Self::Direction => "dir",
            Self::Vlan => "vlan",
            Self::Flags => "flags",
        }
    }

    /// The inverse of [`Field::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// The largest number that a packet can have there.
    const fn max(self) -> Option<i64> {
        if let Type::Number { max } = self.kind() { Some(max) } else { None }
    }

    const fn kind(self) -> Type {
        match self {
            Self::Value(Value::Time) => Type::Time,
            Self::Value(Value::Gap) => Type::Duration,
            Self::Value(value) => Type::Number { max: value.domain().1 },
            Self::Port | Self::Vlan => Type::Number { max: 65_535 },
            Self::Src | Self::Dst | Self::Host => Type::Address,
            Self::Proto | Self::File | Self::Interface | Self::Direction => Type::Word,
            Self::Flags => Type::Flags,
        }
    }
}

/// What words in a filter are relative to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// In which times are written.
    pub zone: Zone,
    /// Time of the first packet: a time without a date is on its day.
    pub first_ns: i64,
    /// Numbers may be any, those that no packet can have too: what is selected in a chart reaches
    /// beyond them.
    pub is_canonical: bool,
}

impl Context {
    /// In UTC, whatever the capture: as links and messages are written.
    pub fn canonical() -> Self {
        Self { is_canonical: true, ..Self::default() }
    }
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Bytes of the text, none of them at its end.
    pub at: Range<usize>,
    /// What is wrong, or was expected.
    pub reason: String,
}

impl Expr {
    /// One comparison with some numbers.
    pub fn numbers(value: Value, first: i64, last: i64) -> Self {
        Self::In(Field::Value(value), Set::Numbers(vec![(first, last)]))
    }

    /// All of both.
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
