//! An expression bound to columns: which of their rows it means, a block at a time.

use super::lasso::Inside;
use super::{Expr, Field, Place, Set};
use crate::axis::{ABSENT, Value};
use crate::columns::{Bits, Columns, Flow, Kind, Rows};

/// Answers for the rows of columns as they were when it was made.
#[derive(Debug)]
pub struct Matcher(Node);

#[derive(Debug)]
enum Node {
    Not(Box<Node>),
    And(Vec<Node>),
    Or(Vec<Node>),
    /// The value is there, and is in one of these ranges, or in none.
    Value {
        value: Value,
        ranges: Vec<(i64, i64)>,
        is_in: bool,
    },
    /// By what the packet shares with others of its kind or its flow.
    Kind(Vec<bool>),
    Flow(Vec<bool>),
    Lasso(Box<Inside>),
    Constant(bool),
}

impl Matcher {
    /// Binds the expression to columns of the file of that name.
    pub fn new(expr: &Expr, columns: &Columns, file: &str) -> Self {
        Self(node(expr, columns, file))
    }

    /// The rows of the block that are meant.
    pub fn find(&mut self, rows: &mut Rows<'_>) -> Bits {
        find(&mut self.0, rows)
    }
}

fn node(expr: &Expr, columns: &Columns, file: &str) -> Node {
    let all = |exprs: &[Expr]| exprs.iter().map(|expr| node(expr, columns, file)).collect();
    match expr {
        Expr::Not(expr) => Node::Not(Box::new(node(expr, columns, file))),
        Expr::And(exprs) => Node::And(all(exprs)),
        Expr::Or(exprs) => Node::Or(all(exprs)),
        Expr::Has(field) => test(*field, None, true, columns, file),
        Expr::In(field, set) => test(*field, Some(set), true, columns, file),
        Expr::NotIn(field, set) => test(*field, Some(set), false, columns, file),
        Expr::Lasso(lasso) => Node::Lasso(Box::new(lasso.inside())),
    }
}

/// Without a set, whether the field is there.
fn test(field: Field, set: Option<&Set>, is_in: bool, columns: &Columns, file: &str) -> Node {
    let has_word = |word: &str| match set {
        Some(Set::Words(words)) => words.iter().any(|known| known == word) == is_in,
        _ => true,
    };
    // Of each address, whether it is one of them.
    let places = || -> Vec<bool> {
        let is_one = |address: &summary::Address| match set {
            Some(Set::Addresses(ranges)) => {
                let place = Place::from(*address);
                ranges.iter().any(|range| is_within(*range, place)) == is_in
            }
            _ => true,
        };
        columns.addresses().iter().map(is_one).collect()
    };
    let by_kind = |is_meant: &dyn Fn(&Kind) -> bool| {
        Node::Kind(columns.kinds().iter().map(is_meant).collect())
    };
    let by_flow = |is_meant: &dyn Fn(&Flow) -> bool| {
        Node::Flow(columns.flows().iter().map(is_meant).collect())
    };
    let value = |value: Value| match set {
        Some(Set::Numbers(ranges)) => Node::Value { value, ranges: ranges.clone(), is_in },
        _ => Node::Value { value, ranges: Vec::new(), is_in: false },
    };
    match field {
        Field::Value(number) => value(number),
        Field::Port => {
            let both = vec![value(Value::SourcePort), value(Value::DestinationPort)];
            if is_in { Node::Or(both) } else { Node::And(both) }
        }
        Field::Src => {
            let places = places();
            by_flow(&|flow| places.get(flow.src as usize) == Some(&true))
        }
        Field::Dst => {
            let places = places();
            by_flow(&|flow| places.get(flow.dst as usize) == Some(&true))
        }
        Field::Host => {
            let places = places();
            by_flow(&|flow| {
                let both = [flow.src, flow.dst].map(|place| places.get(place as usize).copied());
                // `!=` is about both: none of them is one.
                match is_in {
                    true => both.contains(&Some(true)),
                    false => both != [None, None] && !both.contains(&Some(false)),
                }
            })
        }
        Field::Proto => {
            let protos: Vec<_> = columns.protos().iter().map(|name| has_word(name)).collect();
            by_kind(&|kind| protos[usize::from(kind.proto)])
        }
        Field::Interface => {
            let names: Vec<_> = columns.interfaces().iter().map(|name| has_word(name)).collect();
            by_kind(&|kind| kind.interface.is_some_and(|id| names[usize::from(id)]))
        }
        Field::Direction => {
            by_kind(&|kind| kind.direction.is_some_and(|direction| has_word(direction.name())))
        }
        Field::File => Node::Constant(has_word(file)),
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
        Field::Flags => by_kind(&|kind| {
            kind.flags.is_some_and(|flags| match set {
                Some(Set::Flags(masks)) => masks.contains(&flags) == is_in,
                Some(Set::AllFlags(mask)) => (flags & mask == *mask) == is_in,
                _ => true,
            })
        }),
    }
}

fn is_within((first, last): (Place, Place), place: Place) -> bool {
    first <= place && place <= last
}

fn find(node: &mut Node, rows: &mut Rows<'_>) -> Bits {
    match node {
        Node::Constant(true) => rows.all(),
        Node::Constant(false) => Bits::NONE,
        Node::Not(inner) => rows.all().without(&find(inner, rows)),
        Node::And(nodes) => {
            nodes.iter_mut().fold(rows.all(), |all, node| all.and(&find(node, rows)))
        }
        Node::Or(nodes) => nodes.iter_mut().fold(Bits::NONE, |all, node| all.or(&find(node, rows))),
        Node::Value { value, ranges, is_in } => {
            if let ([range], true) = (&ranges[..], *is_in) {
                return rows.within(*value, *range);
            }
            Bits::of(rows.values(*value).iter().map(|value| {
                let is_one = ranges.iter().any(|(first, last)| first <= value && value <= last);
                *value != ABSENT && is_one == *is_in
            }))
        }
        Node::Kind(kinds) => Bits::of(rows.kinds().iter().map(|id| kinds[usize::from(*id)])),
        Node::Flow(flows) => Bits::of(rows.flows().iter().map(|id| flows[*id as usize])),
        Node::Lasso(inside) => inside.find(rows),
    }
}
