//! The operands of comparisons.

use super::lexer::{Token, TokenKind};
use super::literals::{duration, flags, network, number, shortened_network};
use super::names::{Unit, text_of_number};
use super::parse::{Parser, Result, TextOperand};
use super::{Error, Expr, Field, FieldType, Lasso, Set};
use crate::axis::Quantity;
use crate::service_names::service_port;
use crate::time::{NS_PER_DAY, parse_seconds};
use std::ops::Range;
use summary::Address;

pub(super) const EXPECTED_FLAGS: &str = "Expected TCP flag letters, e.g. S, SA, R";
const REVERSED_RANGE: &str = "End of range is before its start";

/// The left side of a comparison.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) field: Field,
    pub(super) unit: Unit,
}

/// An operator whose operand is a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    In,
    Contains,
}

impl Parser<'_, '_> {
    /// The operand of a comparison: one value, or several in braces. Braces always allow ranges; a
    /// single operand only after `in`.
    pub(super) fn set(&mut self, target: Target, operator: Operator) -> Result<Set> {
        let mut set = match target.field.field_type() {
            FieldType::Number { .. } | FieldType::Time | FieldType::Duration => {
                Set::Numbers(Vec::new())
            }
            FieldType::Address => Set::Addresses(Vec::new()),
            FieldType::Text if operator == Operator::Contains => Set::Contains(Vec::new()),
            FieldType::Text => Set::Texts(Vec::new()),
            FieldType::Flags => Set::Flags(Vec::new()),
        };
        if !self.take(&["{"]) {
            self.element(target, &mut set, operator == Operator::In)?;
            return Ok(set);
        }
        loop {
            self.element(target, &mut set, true)?;
            self.take(&[","]);
            if self.take(&["}"]) {
                return Ok(set);
            }
            if self.peek() == TokenKind::End {
                return Err(self.error("Missing closing `}`"));
            }
        }
    }

    fn element(&mut self, target: Target, set: &mut Set, allows_range: bool) -> Result<()> {
        let field = target.field;
        match set {
            Set::Numbers(ranges) => {
                let first = self.number(target)?;
                let mut last = first;
                let dots = self.range();
                if self.take(&[".."]) {
                    if !allows_range {
                        let operator = self.operator.clone();
                        let has_space = self.text[..operator.start].ends_with(' ');
                        let error = Error::new(dots, "Ranges need `in`, e.g. len in 60..100");
                        return Err(error.with_fix(operator, if has_space { "in" } else { " in " }));
                    }
                    let (kind, range) = (self.peek(), self.range());
                    last = self.number(target)?;
                    let is_time = field.field_type() == FieldType::Time;
                    if last < first && is_time && is_time_of_day(kind) {
                        last = last.saturating_add(NS_PER_DAY); // the range crosses midnight
                    }
                    if last < first {
                        return Err(Error::new(range, REVERSED_RANGE));
                    }
                }
                ranges.push((first, last));
            }
            Set::Addresses(ranges) => {
                let (first, mut last) = self.addresses()?;
                if self.take(&[".."]) {
                    let range = self.range();
                    last = self.addresses()?.1;
                    let is_one_family =
                        std::mem::discriminant(&first) == std::mem::discriminant(&last);
                    if last < first || !is_one_family {
                        return Err(Error::new(range, REVERSED_RANGE));
                    }
                }
                ranges.push((first, last));
            }
            Set::Texts(_) | Set::Contains(_) => {
                let Token { kind, range } = self.next();
                let Some(mut text) = kind.text() else {
                    let message = format!("Expected a value for `{}`", field.name());
                    return Err(Error::new(range, &message));
                };
                if let (Set::Texts(_), TokenKind::Word(_)) = (&set, kind)
                    && let Some(number) = number(&text)
                    && !self.context.is_canonical
                {
                    text = text_of_number(field, number).unwrap_or(text);
                }
                let (Set::Texts(texts) | Set::Contains(texts)) = set else { return Ok(()) };
                self.texts.push(TextOperand { field, range, text: text.clone() });
                texts.push(text);
            }
            Set::Flags(masks) => {
                let mask = match self.peek() {
                    TokenKind::Word(letters) | TokenKind::Quoted(letters) => flags(letters),
                    _ => None,
                };
                masks.push(mask.ok_or_else(|| self.error(EXPECTED_FLAGS))?);
                self.next();
            }
            Set::AllFlags(_) => {}
        }
        Ok(())
    }

    /// A value of a numeric field that is not in braces: digits after a comma are a part of it.
    pub(super) fn single_number(&mut self, target: Target) -> Result<i64> {
        let start = self.range().start;
        let number = self.number(target)?;
        let end = self.range().end;
        let is_group = |text: &str| text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        if self.take(&[","])
            && let Some(group) = self.value_word(0).filter(|word| is_group(word))
            && self.range().start == end
        {
            let text = self.text[start..end + group.len()].replace(',', "");
            let error = Error::new(start..end + group.len(), "Write numbers without separators");
            return Err(error.with_fix(start..end + group.len(), &text));
        }
        Ok(number)
    }

    /// A value of a numeric field.
    pub(super) fn number(&mut self, target: Target) -> Result<i64> {
        let Token { kind, range } = self.next();
        let field = target.field;
        let (expected, max) = match field.field_type() {
            _ if target.unit != Unit::Own => ("a number of seconds, e.g. 0.5", i64::MAX),
            FieldType::Number { max } if field.is_port() => ("a port, e.g. 443 or https", max),
            FieldType::Time => ("a time, e.g. 10:15:00 or 2026-11-24T10:15:00Z", i64::MAX - 1),
            FieldType::Duration => ("a duration, e.g. 10ms", i64::MAX - 1),
            FieldType::Number { max } => ("a number", max),
            _ => ("a value", 0),
        };
        let fail = || {
            let message = match (kind, max) {
                (TokenKind::Word(word), _) if is_too_large(word) => {
                    format!("`{word}` is too large")
                }
                (TokenKind::Word(word), 1..=0xffff_ffff) if number(word).is_some() => {
                    let expected = expected.split(',').next().unwrap_or_default();
                    format!("Expected {expected} from 0 to {max}")
                }
                _ => format!("Expected {expected}"),
            };
            Error::new(range.clone(), &message)
        };
        let (TokenKind::Word(text) | TokenKind::Quoted(text)) = kind else { return Err(fail()) };
        let number = match field.field_type() {
            _ if target.unit == Unit::Seconds => parse_seconds(text),
            _ if target.unit == Unit::SecondsForMicroseconds => {
                parse_seconds(text).map(|ns| ns / 1_000)
            }
            _ if target.unit == Unit::SecondsSinceFirst => {
                parse_seconds(text).and_then(|ns| self.context.first_ns.checked_add(ns))
            }
            FieldType::Time => self.context.zone.parse(text, self.context.first_ns),
            FieldType::Duration => duration(text),
            _ => {
                let service = || service_port(text).filter(|_| field.is_port()).map(i64::from);
                let number = number(text).or_else(service);
                number.filter(|number| self.context.is_canonical || (0..=max).contains(number))
            }
        };
        number.ok_or_else(|| match field.field_type() {
            FieldType::Duration if parse_seconds(text).is_some() => {
                fail().with_fix(range.clone(), &format!("{text}s"))
            }
            FieldType::Number { .. } => match without_prefix(text) {
                Some(number) => fail().with_fix(range.clone(), &number.to_string()),
                None => fail(),
            },
            _ => fail(),
        })
    }

    /// First and last address of an address or network.
    pub(super) fn addresses(&mut self) -> Result<(Address, Address)> {
        let found = match self.peek() {
            TokenKind::Word(text) | TokenKind::Quoted(text) => network(text),
            _ => None,
        };
        let addresses = found.ok_or_else(|| {
            let error = self.error("Expected an address or network, e.g. 10.0.0.1 or 10.0.0.0/8");
            let range = self.range();
            match shortened_network(&self.text[range.clone()]) {
                Some(network) => error.with_fix(range, &network),
                None => error,
            }
        })?;
        self.next();
        Ok(addresses)
    }

    /// `lasso(n, len, 1 60, 5 60, 5 99)`; a logarithmic axis is written `log len`.
    pub(super) fn lasso(&mut self) -> Result<Expr> {
        let is_open = self.take(&["("]);
        let start = self.range();
        let fail =
            |range: Range<usize>| Error::new(range, "Expected lasso(x, y, x1 y1, x2 y2, x3 y3, …)");
        if !is_open {
            return Err(fail(start));
        }
        let mut axes = Vec::new();
        for _ in 0..2 {
            let is_log = self.take(&["log"]);
            let Token { kind, range } = self.next();
            let TokenKind::Word(name) = kind else { return Err(fail(range)) };
            let quantity = Quantity::parse(name).ok_or_else(|| fail(range))?;
            axes.push((quantity, is_log));
            self.take(&[","]);
        }
        let mut points = Vec::new();
        while !self.take(&[")"]) {
            let mut point = [0; 2];
            for number in &mut point {
                let Token { kind, range } = self.next();
                *number = match kind {
                    TokenKind::Word(word) => word.parse().map_err(|_| fail(range))?,
                    _ => return Err(fail(range)),
                };
            }
            points.push((point[0], point[1]));
            self.take(&[","]);
        }
        if points.len() < 3 {
            return Err(fail(start));
        }
        Ok(Expr::Lasso(Lasso { x: axes[0], y: axes[1], points }))
    }
}

/// Whether a number has too many digits.
fn is_too_large(word: &str) -> bool {
    number(word).is_none() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The value of a number with a decimal prefix, such as `1k`.
fn without_prefix(text: &str) -> Option<i64> {
    let (digits, factor) = [("k", 1_000), ("m", 1_000_000), ("g", 1_000_000_000)].iter().find_map(
        |(prefix, factor)| {
            let digits = text.strip_suffix(prefix);
            Some((digits.or_else(|| text.strip_suffix(&prefix.to_ascii_uppercase()))?, factor))
        },
    )?;
    digits.parse::<i64>().ok()?.checked_mul(*factor)
}

/// Whether a time has no date.
fn is_time_of_day(kind: TokenKind<'_>) -> bool {
    match kind {
        TokenKind::Word(text) | TokenKind::Quoted(text) => {
            text.contains(':') && !text.contains(['T', 't', ' '])
        }
        _ => false,
    }
}
