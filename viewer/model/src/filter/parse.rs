//! A filter's text to its meaning, by recursive descent.

use super::lexer::{Kind, Token, tokens};
use super::{Context, Error, Expr, Field, Lasso, Set, Type};
use crate::axis::{LEAST, Value};
use crate::clock::{NS_PER_DAY, cut};
use std::ops::Range;
use summary::{Address, Tcp};

/// Deepest nesting of parentheses and `not`.
const MAX_DEPTH: usize = 200;

/// What a text means; `None` where it is empty.
///
/// # Errors
///
/// Where the text is none of the language: what is wrong, and where.
pub fn parse(text: &str, context: &Context) -> Result<Option<Expr>, Error> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, context, depth: 0 };
    if parser.peek() == Kind::End {
        return Ok(None);
    }
    let expr = parser.or()?;
    match parser.peek() {
        Kind::End => Ok(Some(expr)),
        Kind::Symbol(")") => Err(parser.error("there is no ( to this )")),
        _ => Err(parser.error("`and` or `or` was expected here")),
    }
}

struct Parser<'a, 'b> {
    /// Those that are left: the last one is always there.
    tokens: &'b [Token<'a>],
    context: &'b Context,
    depth: usize,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> Kind<'a> {
        self.tokens[0].kind
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.tokens[0].clone();
        if 1 < self.tokens.len() {
            self.tokens = &self.tokens[1..];
        }
        token
    }

    /// Takes the next token where it is one of these.
    fn take(&mut self, words: &[&str]) -> bool {
        let is_it = match self.peek() {
            Kind::Word(word) => words.contains(&word),
            Kind::Symbol(symbol) => words.contains(&symbol),
            Kind::Quoted(_) | Kind::End => false,
        };
        if is_it {
            self.next();
        }
        is_it
    }

    fn error(&self, reason: impl Into<String>) -> Error {
        Error { at: self.tokens[0].at.clone(), reason: reason.into() }
    }

    fn or(&mut self) -> Result<Expr, Error> {
        let mut any = vec![self.and()?];
        while self.take(&["or", "||"]) {
            any.push(self.and()?);
        }
        Ok(if any.len() == 1 { any.swap_remove(0) } else { Expr::Or(any) })
    }

    fn and(&mut self) -> Result<Expr, Error> {
        let mut all = vec![self.not()?];
        while self.take(&["and", "&&"]) {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 { all.swap_remove(0) } else { Expr::And(all) })
    }

    fn not(&mut self) -> Result<Expr, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("nested more than {MAX_DEPTH} deep")));
        }
        self.depth += 1;
        let expr = if self.take(&["not", "!"]) {
            Expr::Not(Box::new(self.not()?))
        } else if self.take(&["("]) {
            let expr = self.or()?;
            if !self.take(&[")"]) {
                return Err(self.error("`and`, `or` or `)` was expected here"));
            }
            expr
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn comparison(&mut self) -> Result<Expr, Error> {
        let start = self.tokens[0].at.clone();
        let word = match self.peek() {
            Kind::Word(word) => word,
            Kind::End => return Err(self.error("a field was expected here")),
            _ => return Err(self.error("a field was expected here, such as `proto` or `len`")),
        };
        if word == "lasso" {
            self.next();
            return self.lasso();
        }
        let Some(field) = Field::parse(word) else {
            let known = Field::ALL.map(Field::name).join(", ");
            return Err(self.error(format!("there is no field `{word}`; there are {known}")));
        };
        self.next();
        let operator = self.tokens[0].at.clone();
        if self.take(&["==", "="]) {
            return Ok(Expr::In(field, self.set(field, false)?));
        }
        if self.take(&["!="]) {
            return Ok(Expr::NotIn(field, self.set(field, false)?));
        }
        if self.take(&["in"]) {
            return Ok(Expr::In(field, self.set(field, true)?));
        }
        if self.take(&["has"]) {
            let Token { kind, at } = self.next();
            return match (field, kind) {
                (Field::Flags, Kind::Word(letters)) => {
                    Ok(Expr::In(field, Set::AllFlags(flags(letters, &at)?)))
                }
                (Field::Flags, _) => Err(Error { at, reason: FLAG_LETTERS.to_owned() }),
                _ => Err(Error { at: operator, reason: "only `flags` can have some".to_owned() }),
            };
        }
        for symbol in ["<=", ">=", "<", ">"] {
            if !self.take(&[symbol]) {
                continue;
            }
            if !matches!(field.kind(), Type::Number { .. } | Type::Time | Type::Duration) {
                let reason = format!("`{word}` has no order: == != and in can be asked of it");
                return Err(Error { at: operator, reason });
            }
            let number = self.number(field)?;
            let range = match symbol {
                "<=" => (LEAST, number),
                "<" => (LEAST, number.saturating_sub(1).max(LEAST)),
                ">=" => (number, i64::MAX),
                _ => (number.saturating_add(1), i64::MAX),
            };
            return Ok(Expr::In(field, Set::Numbers(vec![range])));
        }
        match self.peek() {
            Kind::End | Kind::Symbol(")" | "&&" | "||") | Kind::Word("and" | "or") => {
                Ok(Expr::Has(field))
            }
            _ => Err(Error {
                at: if self.tokens[0].at.is_empty() { start } else { operator },
                reason: "== != < <= > >= or `in` was expected here".to_owned(),
            }),
        }
    }

    /// What stands behind an operator: a value, or some between braces; ranges only where they may.
    fn set(&mut self, field: Field, may_range: bool) -> Result<Set, Error> {
        let mut set = match field.kind() {
            Type::Number { .. } | Type::Time | Type::Duration => Set::Numbers(Vec::new()),
            Type::Address => Set::Addresses(Vec::new()),
            Type::Word => Set::Words(Vec::new()),
            Type::Flags => Set::Flags(Vec::new()),
        };
        if !self.take(&["{"]) {
            self.element(field, &mut set, may_range)?;
            return Ok(set);
        }
        loop {
            self.element(field, &mut set, true)?;
            self.take(&[","]);
            if self.take(&["}"]) {
                return Ok(set);
            }
            if self.peek() == Kind::End {
                return Err(self.error("the } that closes is missing"));
            }
        }
    }

    fn element(&mut self, field: Field, set: &mut Set, may_range: bool) -> Result<(), Error> {
        match set {
            Set::Numbers(ranges) => {
                let first = self.number(field)?;
                let mut last = first;
                let dots = self.tokens[0].at.clone();
                if self.take(&[".."]) {
                    if !may_range {
                        let reason = "a range wants `in` before it".to_owned();
                        return Err(Error { at: dots, reason });
                    }
                    let Token { kind, at } = self.tokens[0].clone();
                    last = self.number(field)?;
                    if last < first && field.kind() == Type::Time && is_clock(kind) {
                        last = last.saturating_add(NS_PER_DAY); // behind midnight
                    }
                    if last < first {
                        let reason = "the range ends before it begins".to_owned();
                        return Err(Error { at, reason });
                    }
                }
                ranges.push((first, last));
            }
            Set::Addresses(ranges) => {
                let (first, mut last) = self.addresses()?;
                if self.take(&[".."]) {
                    let at = self.tokens[0].at.clone();
                    last = self.addresses()?.1;
                    let is_one_kind =
                        std::mem::discriminant(&first) == std::mem::discriminant(&last);
                    if last < first || !is_one_kind {
                        let reason = "the range ends before it begins".to_owned();
                        return Err(Error { at, reason });
                    }
                }
                ranges.push((first, last));
            }
            Set::Words(words) => {
                let Token { kind, at } = self.next();
                let Some(word) = kind.word() else {
                    let reason = format!("a word for `{}` was expected here", field.name());
                    return Err(Error { at, reason });
                };
                words.push(word);
            }
            Set::Flags(masks) => {
                let Token { kind, at } = self.next();
                let (Kind::Word(letters) | Kind::Quoted(letters)) = kind else {
                    return Err(Error { at, reason: FLAG_LETTERS.to_owned() });
                };
                masks.push(flags(letters, &at)?);
            }
            Set::AllFlags(_) => {}
        }
        Ok(())
    }

    /// The whole number that a value stands for.
    fn number(&mut self, field: Field) -> Result<i64, Error> {
        let Token { kind, at } = self.next();
        let (wanted, max) = match field.kind() {
            Type::Time => ("a time such as 10:15:00 or 2026-11-24T10:15:00Z", i64::MAX - 1),
            Type::Duration => ("a length of time such as 10ms", i64::MAX - 1),
            Type::Number { max } => ("a number", max),
            _ => ("a value", 0),
        };
        let fail = || {
            let reason = match (kind, max) {
                (Kind::Word(word), 1..65_536) if word.parse::<i64>().is_ok() => {
                    format!("{wanted} from 0 to {max} was expected here")
                }
                _ => format!("{wanted} was expected here"),
            };
            Error { at: at.clone(), reason }
        };
        let (Kind::Word(word) | Kind::Quoted(word)) = kind else { return Err(fail()) };
        let number = match field.kind() {
            Type::Time => self.context.zone.parse(word, self.context.first_ns),
            Type::Duration => duration(word),
            _ => {
                let number = word.parse().ok();
                number.filter(|number| self.context.is_canonical || (0..=max).contains(number))
            }
        };
        number.ok_or_else(fail)
    }

    fn addresses(&mut self) -> Result<(Address, Address), Error> {
        let Token { kind, at } = self.next();
        let found = match kind {
            Kind::Word(word) | Kind::Quoted(word) => network(word),
            _ => None,
        };
        let reason = "an address such as 10.0.0.1, a network such as 10.0.0.0/8 was expected here";
        found.ok_or_else(|| Error { at, reason: reason.to_owned() })
    }

    /// `lasso(n, len, 1 60, 5 60, 5 99)`, an axis as `log len` where it is logarithmic.
    fn lasso(&mut self) -> Result<Expr, Error> {
        let open = self.take(&["("]);
        let start = self.tokens[0].at.clone();
        let fail = |at: Range<usize>| Error {
            at,
            reason: "a lasso is (x, y, x1 y1, x2 y2, x3 y3 …)".to_owned(),
        };
        if !open {
            return Err(fail(start));
        }
        let mut axes = Vec::new();
        for _ in 0..2 {
            let is_log = self.take(&["log"]);
            let Token { kind, at } = self.next();
            let Kind::Word(word) = kind else { return Err(fail(at)) };
            let value = Value::parse(word).ok_or_else(|| fail(at.clone()))?;
            axes.push((value, is_log));
            self.take(&[","]);
        }
        let mut points = Vec::new();
        while !self.take(&[")"]) {
            let mut point = [0; 2];
            for number in &mut point {
                let Token { kind, at } = self.next();
                *number = match kind {
                    Kind::Word(word) => word.parse().map_err(|_| fail(at))?,
                    _ => return Err(fail(at)),
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

const FLAG_LETTERS: &str = "letters of TCP flags were expected here, of FSRPAUEC";

fn flags(letters: &str, at: &Range<usize>) -> Result<u8, Error> {
    letters.bytes().try_fold(0, |flags, letter| {
        Tcp::flag_bit(letter)
            .map(|bit| flags | bit)
            .ok_or_else(|| Error { at: at.clone(), reason: FLAG_LETTERS.to_owned() })
    })
}

/// First and last address of a network, which may be one address.
fn network(word: &str) -> Option<(Address, Address)> {
    let (address, prefix) = match word.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
        None => (word, None),
    };
    let address = Address::parse(address.to_ascii_lowercase().as_bytes())?;
    match (address, prefix) {
        (Address::V4(octets), Some(len @ 0..=32)) => {
            let number = u32::from_be_bytes(octets);
            let rest = u32::MAX.checked_shr(len).unwrap_or(0);
            let address = |number: u32| Address::V4(number.to_be_bytes());
            Some((address(number & !rest), address(number | rest)))
        }
        (Address::V6(octets), Some(len @ 0..=128)) => {
            let number = u128::from_be_bytes(octets);
            let rest = u128::MAX.checked_shr(len).unwrap_or(0);
            let address = |number: u128| Address::V6(number.to_be_bytes());
            Some((address(number & !rest), address(number | rest)))
        }
        (address, None) => Some((address, address)),
        _ => None,
    }
}

/// Units of a length of time, with their nanoseconds.
pub(super) const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", NS_PER_DAY),
];

/// True of a time without a date.
fn is_clock(kind: Kind<'_>) -> bool {
    match kind {
        Kind::Word(word) | Kind::Quoted(word) => {
            word.contains(':') && !word.contains(['T', 't', ' '])
        }
        _ => false,
    }
}

/// Nanoseconds of a decimal number with a unit; without one it is nanoseconds.
fn duration(word: &str) -> Option<i64> {
    let (sign, word) = match word.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, word),
    };
    let (number, unit) = cut(word, |c| c.is_ascii_digit() || c == '.');
    let ns = if unit.is_empty() { 1 } else { UNITS.iter().find(|(name, _)| *name == unit)?.1 };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let mut sum = whole.parse::<i64>().ok()?.checked_mul(ns)?;
    let mut place = ns;
    for digit in fraction.bytes() {
        if place % 10 != 0 {
            return None; // finer than a nanosecond
        }
        place /= 10;
        sum = sum.checked_add(place * i64::from(digit.checked_sub(b'0').filter(|d| *d < 10)?))?;
    }
    Some(sign * sum)
}
