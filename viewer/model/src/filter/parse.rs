//! Recursive descent parser of filter text.

use super::corrections::is_progress;
use super::lexer::{Token, TokenKind, tokens};
use super::literals::flag;
use super::names::{self, Named, Scope, Unit};
use super::operands::{Operator, Target};
use super::primitive::Qualifiers;
use super::{Context, Error, Expr, Field, FieldType, Set};
use crate::axis::MIN_VALUE;
use std::ops::Range;

/// The error is boxed, because moving it from function to function is much of the code.
pub(super) type Result<T> = std::result::Result<T, Box<Error>>;

/// Maximum nesting of an expression.
const MAX_NESTING: usize = 200;
/// Maximum nesting of parentheses and `not` in text.
const MAX_DEPTH: usize = 2 * MAX_NESTING;

/// A text that a field is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextOperand {
    /// The field.
    pub field: Field,
    /// Bytes of the filter text.
    pub range: Range<usize>,
    /// The operand without quotation marks.
    pub text: String,
}

/// Parses filter text. `None` if it is empty.
///
/// # Errors
///
/// The first syntax error with its position.
pub fn parse(text: &str, context: &Context) -> std::result::Result<Option<Expr>, Error> {
    match parse_all(text, context) {
        Ok((expr, _)) => Ok(expr),
        Err(mut error) => {
            error.fix.take_if(|fix| !is_progress(&fix.apply(text), context));
            Err(*error)
        }
    }
}

/// The texts in a filter that fields are compared with; none if the filter has a syntax error.
pub fn text_operands(text: &str, context: &Context) -> Vec<TextOperand> {
    parse_all(text, context).map(|(_, texts)| texts).unwrap_or_default()
}

pub(super) fn parse_all(text: &str, context: &Context) -> Result<(Option<Expr>, Vec<TextOperand>)> {
    let tokens = tokens(text)?;
    let mut parser = Parser {
        text,
        tokens: &tokens,
        end: 0,
        context,
        depth: 0,
        has_primitive: false,
        qualifiers: None,
        operator: 0..0,
        texts: Vec::new(),
    };
    if parser.peek() == TokenKind::End {
        return Ok((None, Vec::new()));
    }
    let expr = parser.or()?;
    match parser.peek() {
        // Nested as deeply as its own notation, which can need more parentheses than the text.
        TokenKind::End if MAX_NESTING < expr.nesting() => Err(too_deep(0..text.len())),
        TokenKind::End => Ok((Some(expr), parser.texts)),
        TokenKind::Symbol(")") => Err(parser.error("Unmatched `)`")),
        _ => Err(parser.error("Expected `and` or `or`")),
    }
}

pub(super) struct Parser<'a, 'b> {
    pub(super) text: &'a str,
    /// Remaining tokens. Never empty: the last one is [`TokenKind::End`].
    pub(super) tokens: &'b [Token<'a>],
    /// End of the last token that was consumed.
    end: usize,
    pub(super) context: &'b Context,
    depth: usize,
    /// The innermost parentheses contain a primitive of tcpdump.
    pub(super) has_primitive: bool,
    /// Those of the last primitive of tcpdump. They apply to values that follow without any.
    pub(super) qualifiers: Option<Qualifiers>,
    /// Position of the last operator.
    pub(super) operator: Range<usize>,
    pub(super) texts: Vec<TextOperand>,
}

/// Whether a word is part of the syntax and cannot be a value without quotation marks.
fn is_operator(word: &str) -> bool {
    const WORDS: [&str; 13] = [
        "and", "or", "not", "in", "has", "contains", "eq", "ne", "lt", "gt", "le", "ge", "matches",
    ];
    WORDS.iter().any(|operator| operator.eq_ignore_ascii_case(word))
}

impl<'a> Parser<'a, '_> {
    pub(super) fn peek(&self) -> TokenKind<'a> {
        self.tokens[0].kind
    }

    /// The word after the next `skipped` tokens, unless it is an operator.
    pub(super) fn value_word(&self, skipped: usize) -> Option<&'a str> {
        match self.tokens.get(skipped)?.kind {
            TokenKind::Word(word) => Some(word).filter(|word| !is_operator(word)),
            _ => None,
        }
    }

    /// Range of the next token.
    pub(super) fn range(&self) -> Range<usize> {
        self.tokens[0].range.clone()
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.tokens[0].clone();
        if 1 < self.tokens.len() {
            self.tokens = &self.tokens[1..];
        }
        self.end = token.range.end;
        token
    }

    /// Consumes the next token if it is one of these words or symbols.
    pub(super) fn take(&mut self, accepted: &[&str]) -> bool {
        let is_accepted = match self.peek() {
            TokenKind::Word(word) => accepted.iter().any(|one| one.eq_ignore_ascii_case(word)),
            TokenKind::Symbol(symbol) => accepted.contains(&symbol),
            TokenKind::Quoted(_) | TokenKind::End => false,
        };
        if is_accepted {
            self.next();
        }
        is_accepted
    }

    /// An error at the next token.
    pub(super) fn error(&self, message: &str) -> Box<Error> {
        Error::new(self.range(), message)
    }

    /// Alternatives of conjunctions. For tcpdump, `and` and `or` bind equally tightly: where that would
    /// make a difference, its primitives need parentheses.
    fn or(&mut self) -> Result<Expr> {
        let start = self.range().start;
        let had_primitive = std::mem::take(&mut self.has_primitive);
        let (mut alternatives, mut ambiguous) = (Vec::new(), None);
        loop {
            let mut operands = vec![self.not()?];
            loop {
                let (before, operator) = (start..self.end, self.range());
                if !self.take(&["and", "&&"]) {
                    break;
                }
                if !alternatives.is_empty() {
                    ambiguous.get_or_insert((before, operator));
                }
                operands.push(self.not()?);
            }
            alternatives.push(joined(operands, Expr::And));
            if !self.take(&["or", "||"]) {
                break;
            }
        }
        if let Some((before, operator)) = ambiguous.filter(|_| self.has_primitive) {
            let message = "tcpdump reads `and` and `or` from left to right; add parentheses";
            let text = format!("({})", &self.text[before.clone()]);
            return Err(Error::new(operator, message).with_fix(before, &text));
        }
        self.has_primitive |= had_primitive;
        Ok(joined(alternatives, Expr::Or))
    }

    fn not(&mut self) -> Result<Expr> {
        if self.depth == MAX_DEPTH {
            return Err(too_deep(self.range()));
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
            self.test()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    /// A comparison, a primitive of tcpdump, or the name of a field or protocol.
    fn test(&mut self) -> Result<Expr> {
        let start = self.range();
        let TokenKind::Word(word) = self.peek() else {
            return Err(self.error("Expected a field, e.g. proto or len"));
        };
        if word == "lasso" {
            self.next();
            return self.lasso();
        }
        if let Some(expr) = self.primitive()? {
            return Ok(expr);
        }
        let name = word.to_ascii_lowercase();
        if let Some(bit) = name.strip_prefix("tcp.flags.").and_then(flag) {
            self.next();
            return self.flag_test(bit);
        }
        let own = |field| Named { field, scope: Scope::All, unit: Unit::Own };
        let named = Field::parse(&name).map(own);
        if let Some(named) = named.or_else(|| names::wireshark_field(&name)) {
            self.next();
            self.qualifiers = None;
            let target = Target { field: named.field, unit: named.unit };
            return Ok(named.scope.limit(self.comparison(target, word, start)?));
        }
        if let Some(expr) = names::protocol(&name) {
            self.next();
            return self.after_protocol(start, &name).map_or(Ok(expr), Err);
        }
        if let Some(expr) = self.value()? {
            return Ok(expr);
        }
        Err(self.unknown(word, &name))
    }

    /// What follows the name of a field.
    fn comparison(&mut self, target: Target, name: &str, start: Range<usize>) -> Result<Expr> {
        let field = target.field;
        let operator = self.range();
        self.operator = operator.clone();
        if self.take(&["==", "=", "eq"]) {
            let Range { start, end } = self.range();
            let meant = match self.peek() {
                _ if start != operator.end => None,
                TokenKind::Symbol(symbol @ ("<" | ">")) => Some(format!("{symbol}=")),
                TokenKind::Symbol("=" | "==") => Some("==".to_owned()),
                _ => None,
            };
            if let Some(meant) = meant {
                let range = operator.start..end;
                let error = Error::new(range.clone(), "Unknown operator");
                return Err(error.with_fix(range, &meant));
            }
            return Ok(Expr::In(field, self.set(target, Operator::Equal)?));
        }
        if self.take(&["!=", "ne"]) {
            return Ok(Expr::NotIn(field, self.set(target, Operator::Equal)?));
        }
        if self.take(&["in"]) {
            return Ok(Expr::In(field, self.set(target, Operator::In)?));
        }
        if self.take(&["not"]) {
            if !self.take(&["in"]) {
                return Err(self.error("Expected `in`"));
            }
            return Ok(Expr::Not(Box::new(Expr::In(field, self.set(target, Operator::In)?))));
        }
        if self.take(&["contains"]) {
            if field.field_type() != FieldType::Text {
                let message = format!("`{name}` is not a text; use == or in");
                return Err(Error::new(operator.clone(), &message).with_fix(operator, "=="));
            }
            return Ok(Expr::In(field, self.set(target, Operator::Contains)?));
        }
        if self.take(&["matches"]) {
            let message = "Regular expressions are not supported; use `contains`";
            return Err(Error::new(operator.clone(), message).with_fix(operator, "contains"));
        }
        if self.take(&["has", "&"]) {
            if field != Field::Flags {
                return Err(Error::new(operator, "Only `flags` supports `has`"));
            }
            return self.masked_flags(operator);
        }
        for [symbol, word] in [["<=", "le"], [">=", "ge"], ["<", "lt"], [">", "gt"]] {
            if !self.take(&[symbol, word]) {
                continue;
            }
            if !field.field_type().is_ordered() {
                let message = format!("`{name}` has no order; use ==, != or in");
                return Err(Error::new(operator, &message));
            }
            let number = self.single_number(target)?;
            let range = match symbol {
                "<=" => (MIN_VALUE, number),
                ">=" => (number, i64::MAX),
                "<" => (MIN_VALUE, number.saturating_sub(1)),
                _ => (number.saturating_add(1), i64::MAX),
            };
            return Ok(Expr::In(field, Set::Numbers(vec![range])));
        }
        if self.take(&["between"]) {
            let first = self.range();
            self.number(target)?;
            let first = &self.text[first];
            if !self.take(&["and", "&&"]) {
                return Err(self.error("Expected `and`"));
            }
            let last = self.range();
            self.number(target)?;
            let text = format!("in {first}..{}", &self.text[last]);
            let error = Error::new(operator.clone(), "Ranges need `in`, e.g. len in 60..100");
            return Err(error.with_fix(operator.start..self.end, &text));
        }
        match self.peek() {
            TokenKind::End | TokenKind::Symbol(")" | "&&" | "||") => Ok(Expr::Has(field)),
            TokenKind::Word(word) if ["and", "or"].contains(&&*word.to_ascii_lowercase()) => {
                Ok(Expr::Has(field))
            }
            kind => {
                let range = if self.range().is_empty() { start } else { operator.clone() };
                let error = Error::new(range, "Expected ==, !=, <, <=, >, >= or in");
                Err(match kind {
                    TokenKind::Word("is" | "equals") => error.with_fix(operator, "=="),
                    TokenKind::Word(_) | TokenKind::Quoted(_) => {
                        error.with_fix(operator.start..operator.start, "== ")
                    }
                    _ => error,
                })
            }
        }
    }
}

fn too_deep(range: Range<usize>) -> Box<Error> {
    Error::new(range, &format!("Nested more than {MAX_NESTING} levels deep"))
}

pub(super) fn joined(mut operands: Vec<Expr>, join: impl Fn(Vec<Expr>) -> Expr) -> Expr {
    if operands.len() == 1 { operands.swap_remove(0) } else { join(operands) }
}
