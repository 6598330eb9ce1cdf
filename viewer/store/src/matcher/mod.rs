//! Evaluation of filter expressions, block by block.

#[cfg(test)]
mod tests;

use crate::columns::{BlockMask, Columns, ExtraColumn, Kind, Rows};
use crate::findings;
use crate::flow::Flow;
use crate::lasso_mask::LassoMask;
use summary::{Address, Proto};
use viewer_model::axis::{MISSING, Quantity};
use viewer_model::filter::{Expr, ExtraField, Field, FieldType, FindingField, Set};

/// The file of the columns.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct File<'a> {
    /// The name that `file` comparisons use.
    pub(crate) name: &'a str,
    /// Earliest timestamp, in nanoseconds since the epoch.
    pub(crate) start_ns: i64,
}

/// An expression compiled for the current content of some columns.
#[derive(Debug)]
pub(crate) struct Matcher(Node);

#[derive(Debug)]
enum Node {
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// The value exists and is in one of the ranges, or in none of them unless `is_in`.
    Quantity {
        value: Quantity,
        ranges: Vec<(i64, i64)>,
        is_in: bool,
    },
    /// The same for a column that was added later, given by its index.
    ExtraNumber {
        index: usize,
        ranges: Vec<(i64, i64)>,
        is_in: bool,
    },
    /// Whether each text of such a column matches.
    ExtraText {
        index: usize,
        texts: Vec<bool>,
    },
    /// The same for a finding with numbers.
    FindingNumber {
        field: FindingField,
        ranges: Vec<(i64, i64)>,
        is_in: bool,
    },
    /// Whether each text of a finding matches.
    FindingText {
        field: FindingField,
        texts: Vec<bool>,
    },
    /// Whether each kind matches.
    Kind(Vec<bool>),
    /// Whether each flow matches.
    Flow(Vec<bool>),
    Lasso(Box<LassoMask>),
    Constant(bool),
}

impl Matcher {
    /// Compiles an expression.
    pub(crate) fn new(expr: &Expr, columns: &Columns, file: File<'_>) -> Self {
        Self(node(expr, columns, file))
    }

    /// The rows of the block that match.
    pub(crate) fn find(&mut self, rows: &mut Rows<'_>) -> BlockMask {
        find(&mut self.0, rows)
    }
}

fn node(expr: &Expr, columns: &Columns, file: File<'_>) -> Node {
    let all = |exprs: &[Expr]| exprs.iter().map(|expr| node(expr, columns, file)).collect();
    match expr {
        Expr::Not(expr) => Node::Not(Box::new(node(expr, columns, file))),
        Expr::And(exprs) => Node::And(all(exprs)),
        Expr::Or(exprs) => Node::Or(all(exprs)),
        Expr::Has(field) => test(*field, None, true, columns, file),
        Expr::In(field, set) => test(*field, Some(set), true, columns, file),
        Expr::NotIn(field, set) => test(*field, Some(set), false, columns, file),
        Expr::Lasso(lasso) => Node::Lasso(Box::new(LassoMask::new(lasso, file.start_ns))),
    }
}

/// A comparison with a set, or a test for the presence of the field if there is no set.
fn test(field: Field, set: Option<&Set>, is_in: bool, columns: &Columns, file: File<'_>) -> Node {
    let text_matches = |text: &str| match set {
        Some(Set::Texts(texts)) => {
            texts.iter().any(|other| other.eq_ignore_ascii_case(text)) == is_in
        }
        Some(Set::Contains(parts)) => {
            let text = text.to_ascii_lowercase();
            parts.iter().any(|part| text.contains(&part.to_ascii_lowercase())) == is_in
        }
        _ => true,
    };
    let address_matches = |address: &Address| match set {
        Some(Set::Addresses(ranges)) => {
            ranges.iter().any(|(first, last)| first <= address && address <= last) == is_in
        }
        _ => true,
    };
    // Whether each address matches.
    let addresses_match =
        || -> Vec<bool> { columns.addresses().iter().map(address_matches).collect() };
    let by_kind =
        |matches: &dyn Fn(&Kind) -> bool| Node::Kind(columns.kinds().iter().map(matches).collect());
    let by_flow =
        |matches: &dyn Fn(&Flow) -> bool| Node::Flow(columns.flows().iter().map(matches).collect());
    let value = |value: Quantity| {
        let (value, start_ns) = match value {
            Quantity::Elapsed => (Quantity::Time, file.start_ns),
            value => (value, 0),
        };
        let shifted = |value: i64| value.saturating_add(start_ns);
        match set {
            Some(Set::Numbers(ranges)) => {
                let ranges = ranges.iter().map(|(first, last)| (shifted(*first), shifted(*last)));
                Node::Quantity { value, ranges: ranges.collect(), is_in }
            }
            _ => Node::Quantity { value, ranges: Vec::new(), is_in: false },
        }
    };
    match field {
        Field::Quantity(number) => value(number),
        Field::Port => {
            let both = vec![value(Quantity::SourcePort), value(Quantity::DestinationPort)];
            if is_in { Node::Or(both) } else { Node::And(both) }
        }
        Field::Src => {
            let matches = addresses_match();
            by_flow(&|flow| matches.get(flow.src as usize) == Some(&true))
        }
        Field::Dst => {
            let matches = addresses_match();
            by_flow(&|flow| matches.get(flow.dst as usize) == Some(&true))
        }
        Field::Host => {
            let matches = addresses_match();
            by_flow(&|flow| {
                let both = [flow.src, flow.dst].map(|id| matches.get(id as usize).copied());
                // `!=` requires that both addresses differ.
                match is_in {
                    true => both.contains(&Some(true)),
                    false => both != [None, None] && !both.contains(&Some(false)),
                }
            })
        }
        Field::Proto => {
            // A protocol without a name is shown by its number, and is `other` in lines.
            let is_other = |name: &str| Proto::parse(name).number().is_some();
            let matches = |name: &String| match (is_other(name), is_in) {
                (true, true) => text_matches(name) || text_matches(Proto::OTHER),
                (true, false) => text_matches(name) && text_matches(Proto::OTHER),
                (false, _) => text_matches(name),
            };
            let protos: Vec<_> = columns.protos().iter().map(matches).collect();
            by_kind(&|kind| protos[usize::from(kind.proto)])
        }
        Field::Interface => {
            let names: Vec<_> =
                columns.interfaces().iter().map(|name| text_matches(name)).collect();
            by_kind(&|kind| kind.interface.is_some_and(|id| names[usize::from(id)]))
        }
        Field::Direction => {
            by_kind(&|kind| kind.direction.is_some_and(|direction| text_matches(direction.name())))
        }
        Field::File => Node::Constant(text_matches(file.name)),
        Field::Vlan => by_kind(&|kind| {
            let ids = kind.vlan.as_slice();
            let is_one = |id: &u16| match set {
                Some(Set::Numbers(ranges)) => {
                    ranges.iter().any(|(first, last)| (*first..=*last).contains(&i64::from(*id)))
                }
                _ => is_in,
            };
            !ids.is_empty() && ids.iter().any(is_one) == is_in
        }),
        Field::Mac => {
            let both = [ExtraField::ETH_SRC, ExtraField::ETH_DST].map(Field::Extra);
            let any =
                |set| Node::Or(both.map(|field| test(field, set, true, columns, file)).into());
            // `!=` requires that both addresses differ.
            match is_in {
                true => any(set),
                false => Node::And(vec![any(None), Node::Not(Box::new(any(set)))]),
            }
        }
        Field::Extra(extra) => {
            let number =
                |node: &dyn Fn(Vec<(i64, i64)>, bool) -> Node| match value(Quantity::Number) {
                    Node::Quantity { ranges, is_in, .. } => node(ranges, is_in),
                    other => other,
                };
            if let Some((field, findings)) = extra.finding().zip(columns.findings()) {
                return match extra.field_type() {
                    FieldType::Text => {
                        let texts = findings.match_texts(field, text_matches);
                        Node::FindingText { field, texts }
                    }
                    _ => number(&|ranges, is_in| Node::FindingNumber { field, ranges, is_in }),
                };
            }
            let Some(index) = columns.extra_index(extra) else { return Node::Constant(false) };
            let texts = columns.extra_column(index).map(ExtraColumn::texts).unwrap_or_default();
            let texts = match field.field_type() {
                FieldType::Text => {
                    // `!=` requires that all texts of a list differ.
                    let matches = |text: &String| match is_in {
                        true => ExtraColumn::list(text).any(text_matches),
                        false => ExtraColumn::list(text).all(text_matches),
                    };
                    texts.iter().map(matches).collect()
                }
                FieldType::Address => {
                    let address = |text: &String| Address::parse(text.as_bytes());
                    let matches = |text| address(text).is_some_and(|mac| address_matches(&mac));
                    texts.iter().map(matches).collect()
                }
                _ => return number(&|ranges, is_in| Node::ExtraNumber { index, ranges, is_in }),
            };
            Node::ExtraText { index, texts }
        }
        Field::Flags => by_kind(&|kind| {
            kind.flags.is_some_and(|flags| match set {
                Some(Set::Flags(masks)) => masks.contains(&flags) == is_in,
                Some(Set::AllFlags(mask)) => (flags & mask == *mask) == is_in,
                _ => true,
            })
        }),
    }
}

fn find(node: &mut Node, rows: &mut Rows<'_>) -> BlockMask {
    match node {
        Node::Constant(true) => rows.all(),
        Node::Constant(false) => BlockMask::NONE,
        Node::Not(inner) => rows.all().without(&find(inner, rows)),
        Node::And(nodes) => {
            nodes.iter_mut().fold(rows.all(), |all, node| all.and(&find(node, rows)))
        }
        Node::Or(nodes) => {
            nodes.iter_mut().fold(BlockMask::NONE, |all, node| all.or(&find(node, rows)))
        }
        Node::Quantity { value, ranges, is_in } => {
            if let ([range], true) = (&ranges[..], *is_in) {
                return rows.within(*value, *range);
            }
            let values = rows.values(*value).iter();
            BlockMask::of(values.map(|value| is_match(*value, ranges, *is_in)))
        }
        Node::ExtraNumber { index, ranges, is_in } => {
            BlockMask::of(rows.extra(*index).map(|value| is_match(value, ranges, *is_in)))
        }
        Node::ExtraText { index, texts } => BlockMask::of(
            rows.extra(*index)
                .map(|id| usize::try_from(id).is_ok_and(|id| texts.get(id) == Some(&true))),
        ),
        Node::FindingNumber { field, ranges, is_in } => {
            rows.with_marks(|marks| is_match(findings::value(*field, marks), ranges, *is_in))
        }
        Node::FindingText { field, texts } => rows.with_marks(|marks| {
            let text = usize::try_from(findings::value(*field, marks));
            text.is_ok_and(|text| texts.get(text) == Some(&true))
        }),
        Node::Kind(kinds) => BlockMask::of(rows.kinds().iter().map(|id| kinds[usize::from(*id)])),
        Node::Flow(flows) => BlockMask::of(rows.flows().iter().map(|id| flows[*id as usize])),
        Node::Lasso(inside) => inside.find(rows),
    }
}

/// Whether a value exists and is in one of the ranges, or in none of them unless `is_in`.
fn is_match(value: i64, ranges: &[(i64, i64)], is_in: bool) -> bool {
    let is_one = ranges.iter().any(|(first, last)| *first <= value && value <= *last);
    value != MISSING && is_one == is_in
}
