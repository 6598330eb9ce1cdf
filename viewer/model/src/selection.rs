//! What is selected: in each view something of its own, and the packets of all of them together.

use crate::axis::Value;
use crate::clock::Zone;
use crate::filter::{Context, Expr, parse};
use crate::wire::{Wire, wire};

/// Where a selection is made. Each view shows the packets that all the others select.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dimension {
    /// In the filter box.
    Filter,
    /// A range of time.
    Time,
    /// A box or a lasso in the scatter.
    Scatter,
    /// A range of sizes.
    Size,
    /// A range of gaps.
    Gap,
    /// Destination ports.
    Port,
    /// Source addresses.
    Source,
    /// Destination addresses.
    Destination,
    /// Protocols.
    Protocol,
    /// Conversations.
    Conversation,
}

/// How many dimensions there are.
pub const DIMENSION_COUNT: usize = 10;

impl Dimension {
    /// All of them.
    pub const ALL: [Self; DIMENSION_COUNT] = [
        Self::Filter,
        Self::Time,
        Self::Scatter,
        Self::Size,
        Self::Gap,
        Self::Port,
        Self::Source,
        Self::Destination,
        Self::Protocol,
        Self::Conversation,
    ];

    /// Its name in links and on chips.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Time => "time",
            Self::Scatter => "scatter",
            Self::Size => "size",
            Self::Gap => "gap",
            Self::Port => "port",
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Protocol => "protocol",
            Self::Conversation => "conversation",
        }
    }

    /// What ranges in it are of, where there are any.
    pub const fn value(self) -> Option<Value> {
        match self {
            Self::Time => Some(Value::Time),
            Self::Size => Some(Value::Size),
            Self::Gap => Some(Value::Gap),
            Self::Port => Some(Value::DestinationPort),
            _ => None,
        }
    }

    /// The inverse of [`Dimension::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// What is selected in each dimension; nothing means everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    clauses: [Option<Expr>; DIMENSION_COUNT],
}

impl Selection {
    /// What is selected in a dimension.
    pub fn get(&self, dimension: Dimension) -> Option<&Expr> {
        self.clauses[dimension as usize].as_ref()
    }

    /// Selects in a dimension.
    pub fn set(&mut self, dimension: Dimension, expr: Option<Expr>) {
        self.clauses[dimension as usize] = expr;
    }

    /// True where nothing is selected.
    pub fn is_empty(&self) -> bool {
        self.clauses.iter().all(Option::is_none)
    }

    /// What is selected, where anything is.
    pub fn clauses(&self) -> impl Iterator<Item = (Dimension, &Expr)> {
        Dimension::ALL.into_iter().filter_map(|dimension| Some((dimension, self.get(dimension)?)))
    }

    /// The dimensions in which something is selected.
    pub fn care(&self) -> Care {
        Care { bits: self.clauses().map(|(dimension, _)| dimension.bit()).sum() }
    }
}

/// Which dimensions count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Care {
    bits: u16,
}

impl Care {
    /// None: all packets.
    pub const NONE: Self = Self { bits: 0 };

    /// Those that count.
    pub fn dimensions(self) -> impl Iterator<Item = Dimension> {
        Dimension::ALL.into_iter().filter(move |dimension| self.bits & dimension.bit() != 0)
    }

    /// Without one of them.
    #[must_use]
    pub fn without(self, dimension: Dimension) -> Self {
        Self { bits: self.bits & !dimension.bit() }
    }
}

wire!(struct Care { bits });

/// As texts: the language is the one spelling of expressions.
impl Wire for Selection {
    fn put(&self, bytes: &mut Vec<u8>) {
        for clause in &self.clauses {
            clause.as_ref().map(|expr| expr.show(&Zone::Utc)).put(bytes);
        }
    }

    fn get(bytes: &mut &[u8]) -> Option<Self> {
        let mut selection = Self::default();
        for clause in &mut selection.clauses {
            if let Some(text) = Option::<String>::get(bytes)? {
                *clause = parse(&text, &Context::canonical()).ok()?;
            }
        }
        Some(selection)
    }
}
