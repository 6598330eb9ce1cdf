//! An expression as a text that reads back.

use super::lexer::{dots_at, quoted};
use super::{Expr, Field, Lasso, Set, Type};
use crate::axis::{LEAST, Value};
use crate::clock::Zone;
use summary::{Address, Tcp};

impl Expr {
    /// The text of the expression, with times in a zone.
    pub fn show(&self, zone: &Zone) -> String {
        let mut text = String::new();
        write(self, zone, 0, &mut text);
        text
    }
}

/// Writes with parentheses where what is around binds more: `or` 0, `and` 1, `not` 2.
fn write(expr: &Expr, zone: &Zone, around: u8, text: &mut String) {
    let mut list = |all: &[Expr], word: &str, binds: u8| {
        let is_inner = binds < around;
        text.push_str(if is_inner { "(" } else { "" });
        for (index, expr) in all.iter().enumerate() {
            text.push_str(if index > 0 { word } else { "" });
            write(expr, zone, binds + 1, text);
        }
        text.push_str(if is_inner { ")" } else { "" });
    };
    match expr {
        Expr::Or(any) => list(any, " or ", 0),
        Expr::And(all) => list(all, " and ", 1),
        Expr::Not(expr) => {
            text.push_str("not ");
            write(expr, zone, 2, text);
        }
        Expr::Has(field) => text.push_str(field.name()),
        Expr::In(field, set) => comparison(*field, set, true, zone, text),
        Expr::NotIn(field, set) => comparison(*field, set, false, zone, text),
        Expr::Lasso(lasso) => write_lasso(lasso, text),
    }
}

fn comparison(field: Field, set: &Set, is_in: bool, zone: &Zone, text: &mut String) {
    let name = field.name();
    let elements = elements(field, set, zone);
    *text += &match (&elements[..], set) {
        ([one], Set::AllFlags(_)) => format!("{name} has {one}"),
        ([one], Set::Numbers(ranges)) if is_in => match ranges[0] {
            (first, last) if first == last => format!("{name} == {one}"),
            // As it can be written, where no packet has it.
            (LEAST, -1) => format!("{name} < {}", number(field, 0, zone)),
            (first, i64::MAX) if 0 < first && field.max().is_some_and(|max| first == max + 1) => {
                format!("{name} > {}", first - 1)
            }
            (first, i64::MAX) => format!("{name} >= {}", number(field, first, zone)),
            (LEAST, last) => format!("{name} <= {}", number(field, last, zone)),
            _ => format!("{name} in {one}"),
        },
        ([one], _) if dots_at(one).is_none() => {
            format!("{name} {} {one}", if is_in { "==" } else { "!=" })
        }
        _ => format!("{name} {} {{{}}}", if is_in { "in" } else { "!=" }, elements.join(", ")),
    };
}

fn elements(field: Field, set: &Set, zone: &Zone) -> Vec<String> {
    match set {
        Set::Numbers(ranges) => {
            let range = |&(first, last): &(i64, i64)| match first == last {
                true => number(field, first, zone),
                false => {
                    format!("{}..{}", number(field, first, zone), number(field, last, zone))
                }
            };
            ranges.iter().map(range).collect()
        }
        Set::Addresses(ranges) => {
            ranges.iter().map(|(first, last)| network(*first, *last)).collect()
        }
        Set::Words(words) => words.iter().map(|word| quoted(word)).collect(),
        Set::Flags(masks) => masks.iter().map(|flags| letters(*flags)).collect(),
        Set::AllFlags(flags) => vec![letters(*flags)],
    }
}

fn number(field: Field, number: i64, zone: &Zone) -> String {
    match field.kind() {
        Type::Time => zone.word(number),
        Type::Duration => duration(number),
        _ => number.to_string(),
    }
}

/// The largest unit that tells it in whole numbers.
pub(super) fn duration(ns: i64) -> String {
    let units = super::parse::UNITS[..5].iter().rev();
    let unit = units.filter(|(name, _)| *name != "µs").find(|(_, unit)| ns % unit == 0);
    let (name, unit) = unit.unwrap_or(&("ns", 1));
    format!("{}{name}", ns / unit)
}

fn network(first: Address, last: Address) -> String {
    let number = |octets: [u8; 4]| u128::from(u32::from_be_bytes(octets));
    let len = match (first, last) {
        (Address::V4(a), Address::V4(b)) => prefix_len(number(a), number(b), 32),
        (Address::V6(a), Address::V6(b)) => {
            prefix_len(u128::from_be_bytes(a), u128::from_be_bytes(b), 128)
        }
        _ => None,
    };
    match len {
        _ if first == last => first.to_string(),
        Some(len) => format!("{first}/{len}"),
        None => format!("{first}..{last}"),
    }
}

/// The length of the prefix whose addresses lie from `first` to `last`.
fn prefix_len(first: u128, last: u128, bits: u32) -> Option<u32> {
    let rest = first ^ last;
    let len = bits - (128 - rest.leading_zeros());
    (first & rest == 0 && (rest.wrapping_add(1) & rest) == 0).then_some(len)
}

fn letters(flags: u8) -> String {
    let letters = Tcp::flag_letters(flags);
    if letters.is_empty() { "\"\"".to_owned() } else { letters }
}

fn write_lasso(lasso: &Lasso, text: &mut String) {
    let axis = |(value, is_log): (Value, bool)| {
        format!("{}{}", if is_log { "log " } else { "" }, value.name())
    };
    *text += &format!("lasso({}, {}", axis(lasso.x), axis(lasso.y));
    for (x, y) in &lasso.points {
        *text += &format!(", {x} {y}");
    }
    text.push(')');
}
