//! The selection: one filter expression per view, combined with AND.

use crate::axis::Quantity;
use crate::filter::{Context, Expr, ExtraField, parse};
use crate::time::Zone;
use crate::wire::{Wire, wire};

/// A view or control in which a selection can be made. Each view shows the packets that match the
/// selections of all other dimensions.
///
/// A line of the throughput chart is a dimension, too. Its expression selects nothing: it says which of the
/// selected packets the line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Dimension {
    /// The filter box.
    Filter,
    /// A time range.
    Time,
    /// A box or lasso in the scatter plot.
    Scatter,
    /// Packet sizes.
    Size,
    /// Times since the previous packet.
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
    /// Files.
    File,
    /// Kinds of problems.
    Problem,
    /// The first line of the throughput chart.
    Line1,
    /// The second line.
    Line2,
    /// The third line.
    Line3,
    /// The fourth line.
    Line4,
    /// The packets that charts mark as problems. It selects nothing, like a line, and is never part of a link.
    Marked,
}

/// Number of dimensions.
pub const DIMENSION_COUNT: usize = 17;

/// Number of lines in the throughput chart.
pub const LINE_COUNT: usize = 4;

impl Dimension {
    /// All dimensions, in the order of their discriminants.
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
        Self::File,
        Self::Problem,
        Self::Line1,
        Self::Line2,
        Self::Line3,
        Self::Line4,
        Self::Marked,
    ];

    /// The lines of the throughput chart.
    pub const LINES: [Self; LINE_COUNT] = [Self::Line1, Self::Line2, Self::Line3, Self::Line4];

    /// Name in links and on the chips of active filters.
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
            Self::File => "file",
            Self::Problem => "problem",
            Self::Line1 => "line1",
            Self::Line2 => "line2",
            Self::Line3 => "line3",
            Self::Line4 => "line4",
            Self::Marked => "marked",
        }
    }

    /// The quantity whose ranges can be selected in this dimension.
    pub const fn quantity(self) -> Option<Quantity> {
        match self {
            Self::Time => Some(Quantity::Time),
            Self::Size => Some(Quantity::Size),
            Self::Gap => Some(Quantity::Gap),
            Self::Port => Some(Quantity::DestinationPort),
            _ => None,
        }
    }

    /// The inverse of [`Dimension::name`].
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter().filter(|dimension| *dimension != Self::Marked);
        all.find(|dimension| dimension.name() == name)
    }

    /// The index of a line of the throughput chart; `None` for dimensions that select.
    pub fn line(self) -> Option<usize> {
        Self::LINES.iter().position(|line| *line == self)
    }

    /// Whether expressions of the dimension restrict the packets that are selected.
    fn is_selecting(self) -> bool {
        self != Self::Marked && self.line().is_none()
    }

    const fn bit(self) -> u32 {
        1 << self as u16
    }
}

/// One optional expression per dimension. A dimension without an expression selects all packets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    clauses: [Option<Expr>; DIMENSION_COUNT],
}

impl Selection {
    /// The expression of a dimension.
    pub fn get(&self, dimension: Dimension) -> Option<&Expr> {
        self.clauses[dimension as usize].as_ref()
    }

    /// Replaces the expression of a dimension.
    pub fn set(&mut self, dimension: Dimension, expr: Option<Expr>) {
        self.clauses[dimension as usize] = expr;
    }

    /// Whether no dimension has an expression.
    pub fn is_empty(&self) -> bool {
        self.clauses.iter().all(Option::is_none)
    }

    /// Whether all packets are selected.
    pub fn is_all(&self) -> bool {
        self.selecting().next().is_none()
    }

    /// The dimensions that select, with their expressions.
    pub fn selecting(&self) -> impl Iterator<Item = (Dimension, &Expr)> {
        self.clauses().filter(|(dimension, _)| dimension.is_selecting())
    }

    /// The lines of the throughput chart, with their expressions.
    pub fn lines(&self) -> impl Iterator<Item = (Dimension, &Expr)> {
        self.clauses().filter(|(dimension, _)| dimension.line().is_some())
    }

    /// All dimensions that have an expression, with their expressions.
    pub fn clauses(&self) -> impl Iterator<Item = (Dimension, &Expr)> {
        Dimension::ALL.into_iter().filter_map(|dimension| Some((dimension, self.get(dimension)?)))
    }

    /// The fields without a column that the expressions refer to.
    pub fn extra_fields(&self) -> Vec<ExtraField> {
        let mut fields = Vec::new();
        self.clauses().for_each(|(_, expr)| expr.extra_fields(&mut fields));
        fields
    }

    /// The lines alone.
    #[must_use]
    pub fn without_selection(&self) -> Self {
        let mut lines = Self::default();
        self.lines().for_each(|(line, expr)| lines.set(line, Some(expr.clone())));
        lines
    }

    /// The dimensions that select.
    pub fn dimensions(&self) -> DimensionSet {
        DimensionSet { bits: self.selecting().map(|(dimension, _)| dimension.bit()).sum() }
    }
}

/// A set of dimensions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct DimensionSet {
    bits: u32,
}

impl DimensionSet {
    /// The empty set. A query over it covers all packets.
    pub const EMPTY: Self = Self { bits: 0 };

    /// The members, in the order of [`Dimension::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Dimension> {
        Dimension::ALL.into_iter().filter(move |dimension| self.bits & dimension.bit() != 0)
    }

    /// The set without one dimension.
    #[must_use]
    pub fn without(self, dimension: Dimension) -> Self {
        Self { bits: self.bits & !dimension.bit() }
    }

    /// The set with another dimension.
    #[must_use]
    pub fn with(self, dimension: Dimension) -> Self {
        Self { bits: self.bits | dimension.bit() }
    }
}

wire!(struct DimensionSet { bits });

/// Expressions are sent as text, their only serialized form.
impl Wire for Selection {
    fn put(&self, bytes: &mut Vec<u8>) {
        for clause in &self.clauses {
            clause.as_ref().map(|expr| expr.to_text(&Zone::Utc)).put(bytes);
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
