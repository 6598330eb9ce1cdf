//! Writes expressions as filter text that parses back.

use super::lexer::quote;
use super::literals::UNITS;
use super::{Expr, Field, FieldType, Lasso, Set};
use crate::axis::{MIN_VALUE, Quantity};
use crate::time::Zone;
use summary::{Address, Tcp};

impl Expr {
    /// The expression as filter text, with times in `zone`.
    pub fn to_text(&self, zone: &Zone) -> String {
        let mut text = String::new();
        write_expr(self, zone, 0, &mut text);
        text
    }
}

/// Writes an expression, in parentheses if it binds less tightly than `precedence`: 0 for `or`, 1 for
/// `and`, 2 for `not`.
fn write_expr(expr: &Expr, zone: &Zone, precedence: u8, text: &mut String) {
    let mut list = |operands: &[Expr], operator: &str, own_precedence: u8| {
        let needs_parens = own_precedence < precedence;
        text.push_str(if needs_parens { "(" } else { "" });
        for (index, expr) in operands.iter().enumerate() {
            text.push_str(if index > 0 { operator } else { "" });
            write_expr(expr, zone, own_precedence + 1, text);
        }
        text.push_str(if needs_parens { ")" } else { "" });
    };
    match expr {
        Expr::Or(operands) => list(operands, " or ", 0),
        Expr::And(operands) => list(operands, " and ", 1),
        Expr::Not(expr) => {
            text.push_str("not ");
            write_expr(expr, zone, 2, text);
        }
        Expr::Has(field) => text.push_str(&field.name()),
        Expr::In(field, set) => text.push_str(&comparison(*field, set, true, zone)),
        Expr::NotIn(field, set) => text.push_str(&comparison(*field, set, false, zone)),
        Expr::Lasso(lasso) => write_lasso(lasso, text),
    }
}

fn comparison(field: Field, set: &Set, is_in: bool, zone: &Zone) -> String {
    let name = field.name();
    let elements = elements(field, set, zone);
    match (&elements[..], set) {
        ([one], Set::AllFlags(_)) => format!("{name} has {one}"),
        ([one], Set::Contains(_)) => format!("{name} contains {one}"),
        (_, Set::Contains(_)) => format!("{name} contains {{{}}}", elements.join(", ")),
        ([one], Set::Numbers(ranges)) if is_in => match ranges[0] {
            (first, last) if first == last => format!("{name} == {one}"),
            // Written with numbers inside the field's domain, because only those can be typed.
            (MIN_VALUE, -1) => format!("{name} < {}", number(field, 0, zone)),
            (first, i64::MAX) if 0 < first && field.max().is_some_and(|max| first == max + 1) => {
                format!("{name} > {}", first - 1)
            }
            (first, i64::MAX) => format!("{name} >= {}", number(field, first, zone)),
            (MIN_VALUE, last) => format!("{name} <= {}", number(field, last, zone)),
            _ => format!("{name} in {one}"),
        },
        ([one], _) if !one.contains("..") => {
            format!("{name} {} {one}", if is_in { "==" } else { "!=" })
        }
        _ => format!("{name} {} {{{}}}", if is_in { "in" } else { "!=" }, elements.join(", ")),
    }
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
        Set::Texts(texts) | Set::Contains(texts) => texts.iter().map(|text| quote(text)).collect(),
        Set::Flags(masks) => masks.iter().map(|flags| letters(*flags)).collect(),
        Set::AllFlags(flags) => vec![letters(*flags)],
    }
}

fn number(field: Field, number: i64, zone: &Zone) -> String {
    match field.field_type() {
        FieldType::Time => zone.format_compact(number),
        FieldType::Duration => duration(number),
        _ => number.to_string(),
    }
}

/// A duration in the largest unit, up to seconds, that needs no fraction.
fn duration(ns: i64) -> String {
    let units = UNITS[..5].iter().rev();
    let unit = units.filter(|(name, _)| *name != "µs").find(|(_, unit)| ns % unit == 0);
    let (name, unit) = unit.unwrap_or(&("ns", 1));
    format!("{}{name}", ns / unit)
}

/// An address, a network in CIDR notation, or a range.
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

/// Prefix length of the network from `first` to `last`, if they bound one.
fn prefix_len(first: u128, last: u128, bits: u32) -> Option<u32> {
    let host_bits = first ^ last;
    let len = bits - (128 - host_bits.leading_zeros());
    (first & host_bits == 0 && (host_bits.wrapping_add(1) & host_bits) == 0).then_some(len)
}

/// TCP flag letters; `""` for no flags.
fn letters(flags: u8) -> String {
    let letters = Tcp::flag_letters(flags);
    if letters.is_empty() { "\"\"".to_owned() } else { letters }
}

fn write_lasso(lasso: &Lasso, text: &mut String) {
    let axis = |(quantity, is_log): (Quantity, bool)| {
        format!("{}{}", if is_log { "log " } else { "" }, quantity.name())
    };
    text.push_str(&format!("lasso({}, {}", axis(lasso.x), axis(lasso.y)));
    for (x, y) in &lasso.points {
        text.push_str(&format!(", {x} {y}"));
    }
    text.push(')');
}
