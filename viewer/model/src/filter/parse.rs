//! Recursive descent parser of filter text.

use super::lexer::{Token, TokenKind, tokens};
use super::literals::{duration, flags, network};
use super::{Context, Error, Expr, Field, FieldType, Lasso, Set};
use crate::axis::{MIN_VALUE, Quantity};
use crate::time::NS_PER_DAY;
use std::ops::Range;
use summary::Address;

/// Maximum nesting of parentheses and `not`.
const MAX_DEPTH: usize = 200;

const EXPECTED_FLAGS: &str = "Expected TCP flag letters, e.g. S, SA, R";
const REVERSED_RANGE: &str = "End of range is before its start";

/// Parses filter text. `None` if it is empty.
///
/// # Errors
///
/// The first syntax error with its position.
pub fn parse(text: &str, context: &Context) -> Result<Option<Expr>, Error> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, context, depth: 0 };
    if parser.peek() == TokenKind::End {
        return Ok(None);
    }
    let expr = parser.or()?;
    match parser.peek() {
        TokenKind::End => Ok(Some(expr)),
        TokenKind::Symbol(")") => Err(parser.error("Unmatched `)`")),
        _ => Err(parser.error("Expected `and` or `or`")),
    }
}

struct Parser<'a, 'b> {
    /// Remaining tokens. Never empty: the last one is [`TokenKind::End`].
    tokens: &'b [Token<'a>],
    context: &'b Context,
    depth: usize,
}

impl<'a> Parser<'a, '_> {
    fn peek(&self) -> TokenKind<'a> {
        self.tokens[0].kind
    }

    /// Range of the next token.
    fn range(&self) -> Range<usize> {
        self.tokens[0].range.clone()
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.tokens[0].clone();
        if 1 < self.tokens.len() {
            self.tokens = &self.tokens[1..];
        }
        token
    }

    /// Consumes the next token if it is one of these words or symbols.
    fn take(&mut self, accepted: &[&str]) -> bool {
        let is_accepted = match self.peek() {
            TokenKind::Word(word) => accepted.contains(&word),
            TokenKind::Symbol(symbol) => accepted.contains(&symbol),
            TokenKind::Quoted(_) | TokenKind::End => false,
        };
        if is_accepted {
            self.next();
        }
        is_accepted
    }

    /// An error at the next token.
    fn error(&self, message: impl Into<String>) -> Error {
        Error { range: self.range(), message: message.into() }
    }

    fn or(&mut self) -> Result<Expr, Error> {
        let mut operands = vec![self.and()?];
        while self.take(&["or", "||"]) {
            operands.push(self.and()?);
        }
        Ok(if operands.len() == 1 { operands.swap_remove(0) } else { Expr::Or(operands) })
    }

    fn and(&mut self) -> Result<Expr, Error> {
        let mut operands = vec![self.not()?];
        while self.take(&["and", "&&"]) {
            operands.push(self.not()?);
        }
        Ok(if operands.len() == 1 { operands.swap_remove(0) } else { Expr::And(operands) })
    }

    fn not(&mut self) -> Result<Expr, Error> {
        if self.depth == MAX_DEPTH {
            return Err(self.error(format!("Nested more than {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let expr = if self.take(&["not", "!"]) {
            Expr::Not(Box::new(self.not()?))
        } else if self.take(&["("]) {
            let expr = self.or()?;
            if !self.take(&[")"]) {
                return Err(self.error("Expected `and`, `or` or `)`"));
            }
            expr
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn comparison(&mut self) -> Result<Expr, Error> {
        let start = self.range();
        let TokenKind::Word(name) = self.peek() else {
            return Err(self.error("Expected a field, e.g. proto or len"));
        };
        if name == "lasso" {
            self.next();
            return self.lasso();
        }
        let Some(field) = Field::parse(name) else {
            let fields = Field::ALL.map(Field::name).join(", ");
            return Err(self.error(format!("Unknown field `{name}`. Fields: {fields}")));
        };
        self.next();
        let operator = self.range();
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
            if field != Field::Flags {
                let message = "Only `flags` supports `has`".to_owned();
                return Err(Error { range: operator, message });
            }
            let letters = match self.peek() {
                TokenKind::Word(letters) => flags(letters),
                _ => None,
            };
            let mask = letters.ok_or_else(|| self.error(EXPECTED_FLAGS))?;
            self.next();
            return Ok(Expr::In(field, Set::AllFlags(mask)));
        }
        for symbol in ["<=", ">=", "<", ">"] {
            if !self.take(&[symbol]) {
                continue;
            }
            if !field.field_type().is_ordered() {
                let message = format!("`{name}` has no order; use ==, != or in");
                return Err(Error { range: operator, message });
            }
            let number = self.number(field)?;
            let range = match symbol {
                "<=" => (MIN_VALUE, number),
                "<" => (MIN_VALUE, number.saturating_sub(1).max(MIN_VALUE)),
                ">=" => (number, i64::MAX),
                _ => (number.saturating_add(1), i64::MAX),
            };
            return Ok(Expr::In(field, Set::Numbers(vec![range])));
        }
        match self.peek() {
            TokenKind::End
            | TokenKind::Symbol(")" | "&&" | "||")
            | TokenKind::Word("and" | "or") => Ok(Expr::Has(field)),
            _ => Err(Error {
                range: if self.range().is_empty() { start } else { operator },
                message: "Expected ==, !=, <, <=, >, >= or in".to_owned(),
            }),
        }
    }

    /// The operand of a comparison: one value, or several in braces. Braces always allow ranges; a
    /// single operand only if `allows_range`.
    fn set(&mut self, field: Field, allows_range: bool) -> Result<Set, Error> {
        let mut set = match field.field_type() {
            FieldType::Number { .. } | FieldType::Time | FieldType::Duration => {
                Set::Numbers(Vec::new())
            }
            FieldType::Address => Set::Addresses(Vec::new()),
            FieldType::Text => Set::Texts(Vec::new()),
            FieldType::Flags => Set::Flags(Vec::new()),
        };
        if !self.take(&["{"]) {
            self.element(field, &mut set, allows_range)?;
            return Ok(set);
        }
        loop {
            self.element(field, &mut set, true)?;
            self.take(&[","]);
            if self.take(&["}"]) {
                return Ok(set);
            }
            if self.peek() == TokenKind::End {
                return Err(self.error("Missing closing `}`"));
            }
        }
    }

    fn element(&mut self, field: Field, set: &mut Set, allows_range: bool) -> Result<(), Error> {
        match set {
            Set::Numbers(ranges) => {
                let first = self.number(field)?;
                let mut last = first;
                let dots = self.range();
                if self.take(&[".."]) {
                    if !allows_range {
                        let message = "Ranges need `in`, e.g. len in 60..100".to_owned();
                        return Err(Error { range: dots, message });
                    }
                    let Token { kind, range } = self.tokens[0].clone();
                    last = self.number(field)?;
                    let is_time = field.field_type() == FieldType::Time;
                    if last < first && is_time && is_time_of_day(kind) {
                        last = last.saturating_add(NS_PER_DAY); // the range crosses midnight
                    }
                    if last < first {
                        return Err(Error { range, message: REVERSED_RANGE.to_owned() });
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
                        return Err(Error { range, message: REVERSED_RANGE.to_owned() });
                    }
                }
                ranges.push((first, last));
            }
            Set::Texts(texts) => {
                let Token { kind, range } = self.next();
                let Some(text) = kind.text() else {
                    let message = format!("Expected a value for `{}`", field.name());
                    return Err(Error { range, message });
                };
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

    /// A value of a numeric field.
    fn number(&mut self, field: Field) -> Result<i64, Error> {
        let Token { kind, range } = self.next();
        let (expected, max) = match field.field_type() {
            FieldType::Time => ("a time, e.g. 10:15:00 or 2026-11-24T10:15:00Z", i64::MAX - 1),
            FieldType::Duration => ("a duration, e.g. 10ms", i64::MAX - 1),
            FieldType::Number { max } => ("a number", max),
            _ => ("a value", 0),
        };
        let fail = || {
            let message = match (kind, max) {
                (TokenKind::Word(word), 1..65_536) if word.parse::<i64>().is_ok() => {
                    format!("Expected {expected} from 0 to {max}")
                }
                _ => format!("Expected {expected}"),
            };
            Error { range: range.clone(), message }
        };
        let (TokenKind::Word(text) | TokenKind::Quoted(text)) = kind else { return Err(fail()) };
        let number = match field.field_type() {
            FieldType::Time => self.context.zone.parse(text, self.context.first_ns),
            FieldType::Duration => duration(text),
            _ => {
                let number = text.parse().ok();
                number.filter(|number| self.context.is_canonical || (0..=max).contains(number))
            }
        };
        number.ok_or_else(fail)
    }

    /// First and last address of an address or network.
    fn addresses(&mut self) -> Result<(Address, Address), Error> {
        let found = match self.peek() {
            TokenKind::Word(text) | TokenKind::Quoted(text) => network(text),
            _ => None,
        };
        let addresses = found.ok_or_else(|| {
            self.error("Expected an address or network, e.g. 10.0.0.1 or 10.0.0.0/8")
        })?;
        self.next();
        Ok(addresses)
    }

    /// `lasso(n, len, 1 60, 5 60, 5 99)`; a logarithmic axis is written `log len`.
    fn lasso(&mut self) -> Result<Expr, Error> {
        let is_open = self.take(&["("]);
        let start = self.range();
        let fail = |range: Range<usize>| Error {
            range,
            message: "Expected lasso(x, y, x1 y1, x2 y2, x3 y3, …)".to_owned(),
        };
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

/// Whether a time has no date.
fn is_time_of_day(kind: TokenKind<'_>) -> bool {
    match kind {
        TokenKind::Word(text) | TokenKind::Quoted(text) => {
            text.contains(':') && !text.contains(['T', 't', ' '])
        }
        _ => false,
    }
}
