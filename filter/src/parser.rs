//! Parses tokens into a syntax tree: a recursive-descent parser for the grammar of pcap-filter(7).
//!
//! `and` and `or` have equal precedence and associate to the left. An identifier without qualifiers
//! takes those of the identifier before it: `port 80 or 443`. Qualifiers also apply to a list of
//! identifiers in parentheses: `port (80 or 443)`.

mod arithmetic;
mod primitive;
mod qualified;

use crate::ast::{Arithmetic, BoolOp, CmpOp, Expression, Id, Primitive, Qualifiers};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, Token};
use std::ops::Range;

/// Maximum nesting depth, so that recursion cannot overflow the stack.
const MAX_DEPTH: usize = 100;

/// Parses an expression. `None` if it is empty.
pub(crate) fn parse(tokens: &[(Token, Range<usize>)]) -> Result<Option<Expression>, Diagnostic> {
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    if *parser.peek() == Token::End {
        return Ok(None);
    }
    let expression = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(Some(expression)),
        _ => Err(parser.expected("\"and\", \"or\" or the end")),
    }
}

struct Parser<'a> {
    tokens: &'a [(Token, Range<usize>)],
    next: usize,
    depth: usize,
}

/// An operand of `and`, `or` and `not`. After an opening parenthesis, only the rest decides which
/// kind it is.
enum Operand {
    /// A complete term, with the qualifiers for identifiers that follow.
    Term(Expression, Option<Qualifiers>),
    /// An identifier without explicit qualifiers, and the qualifiers that later identifiers inherit.
    Id(Expression, Option<Qualifiers>),
    /// A number, which is an identifier or the start of a comparison.
    Number(u32, Range<usize>),
    /// A formula, the left side of a comparison, and its depth.
    Formula(Arithmetic, usize),
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn peek_next(&self) -> &Token {
        &self.tokens[(self.next + 1).min(self.tokens.len() - 1)].0
    }

    fn span(&self) -> Range<usize> {
        self.tokens[self.next].1.clone()
    }

    /// The span from an offset to the end of the last consumed token.
    fn span_since(&self, start: usize) -> Range<usize> {
        start..self.tokens[self.next.saturating_sub(1)].1.end.max(start)
    }

    fn advance(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn eat(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Symbol(found) if *found == sign);
        if found {
            self.next += 1;
        }
        found
    }

    fn eat_keyword(&mut self, keyword: Keyword) -> bool {
        let found = *self.peek() == Token::Keyword(keyword);
        if found {
            self.next += 1;
        }
        found
    }

    fn expected(&self, what: &str) -> Diagnostic {
        Diagnostic::new(
            format!("can't parse filter expression: syntax error: expected {what}"),
            self.span(),
        )
    }

    fn enter_nesting(&mut self) -> Result<(), Diagnostic> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(Diagnostic::new(
            format!("expression is nested more than {MAX_DEPTH} levels deep"),
            self.span(),
        ))
    }

    /// The whole expression. It must start with a term.
    fn expression(&mut self) -> Result<Expression, Diagnostic> {
        match self.operand(None)? {
            Operand::Term(first, qualifiers) => {
                Ok(self.continue_chain(first, qualifiers, false)?.0)
            }
            _ => {
                self.next = 0;
                Err(self.expected("a protocol or a qualifier such as \"host\" or \"port\""))
            }
        }
    }

    /// The rest of a chain of `and` and `or` after its first operand. With `only_ids`, all operands
    /// must be identifiers.
    fn continue_chain(
        &mut self,
        first: Expression,
        mut qualifiers: Option<Qualifiers>,
        only_ids: bool,
    ) -> Result<(Expression, Option<Qualifiers>), Diagnostic> {
        let mut rest = Vec::new();
        loop {
            let op = match self.peek() {
                Token::Symbol("&&") => BoolOp::And,
                Token::Symbol("||") => BoolOp::Or,
                _ => break,
            };
            self.advance();
            let span = self.span();
            let (next, after) = match self.operand(qualifiers)? {
                Operand::Term(term, after) if !only_ids => (term, after),
                Operand::Id(id, after) => (id, after),
                Operand::Number(number, span) => {
                    (self.id(Id::Number(number), qualifiers, span)?, qualifiers)
                }
                Operand::Term(..) => {
                    return Err(Diagnostic::new(
                        "can't parse filter expression: syntax error: expected another identifier",
                        span,
                    ));
                }
                Operand::Formula(..) => return Err(self.expected("a comparison")),
            };
            qualifiers = after;
            rest.push((op, next));
        }
        if rest.is_empty() {
            return Ok((first, qualifiers));
        }
        Ok((Expression::Chain(Box::new(first), rest), qualifiers))
    }

    /// An operand. Identifiers without qualifiers take `qualifiers`.
    fn operand(&mut self, qualifiers: Option<Qualifiers>) -> Result<Operand, Diagnostic> {
        let mut negated = false;
        let mut has_not = false;
        while self.eat("!") {
            negated = !negated;
            has_not = true;
        }
        let start = self.span().start;
        let operand = self.operand_without_not(qualifiers)?;
        let operand = self.comparison(operand, start)?;
        if !has_not {
            return Ok(operand);
        }
        let not =
            |expression| if negated { Expression::Not(Box::new(expression)) } else { expression };
        Ok(match operand {
            Operand::Term(term, after) => Operand::Term(not(term), after),
            Operand::Id(id, after) => Operand::Id(not(id), after),
            Operand::Number(number, span) => {
                Operand::Id(not(self.id(Id::Number(number), qualifiers, span)?), qualifiers)
            }
            Operand::Formula(..) => return Err(self.expected("a comparison")),
        })
    }

    fn operand_without_not(
        &mut self,
        qualifiers: Option<Qualifiers>,
    ) -> Result<Operand, Diagnostic> {
        let start = self.span().start;
        match self.peek() {
            Token::Name(_)
            | Token::Ipv4(_)
            | Token::Ipv6(..)
            | Token::Ethernet(_)
            | Token::Arcnet(_) => {
                let id = self.identifier()?;
                let span = self.span_since(start);
                Ok(Operand::Id(self.id(id, qualifiers, span)?, qualifiers))
            }
            Token::Number(number) => {
                let number = *number;
                self.advance();
                Ok(Operand::Number(number, self.span_since(start)))
            }
            Token::Symbol("(") => {
                self.enter_nesting()?;
                self.advance();
                let inner = self.in_parentheses(qualifiers)?;
                if !self.eat(")") {
                    return Err(self.expected("\")\""));
                }
                self.depth -= 1;
                Ok(inner)
            }
            Token::Symbol("-") | Token::Keyword(Keyword::Len) => {
                let (formula, depth) = self.unary()?;
                Ok(Operand::Formula(formula, depth))
            }
            Token::Protocol(_) if *self.peek_next() == Token::Symbol("[") => {
                let (formula, depth) = self.unary()?;
                Ok(Operand::Formula(formula, depth))
            }
            _ => self.term(),
        }
    }

    fn in_parentheses(&mut self, qualifiers: Option<Qualifiers>) -> Result<Operand, Diagnostic> {
        let is_chain = |parser: &Self| matches!(parser.peek(), Token::Symbol("&&" | "||"));
        Ok(match self.operand(qualifiers)? {
            // After the parenthesis, identifiers take the qualifiers from before it.
            Operand::Term(first, after) => {
                Operand::Term(self.continue_chain(first, after, false)?.0, qualifiers)
            }
            Operand::Id(first, after) => {
                let (chain, after) = self.continue_chain(first, after, true)?;
                Operand::Id(chain, after)
            }
            Operand::Number(number, span) if is_chain(self) => {
                let first = self.id(Id::Number(number), qualifiers, span)?;
                let (chain, after) = self.continue_chain(first, qualifiers, true)?;
                Operand::Id(chain, after)
            }
            other => other,
        })
    }

    /// The comparison that starts with an operand, or the operand itself.
    fn comparison(&mut self, operand: Operand, start: usize) -> Result<Operand, Diagnostic> {
        let first = match operand {
            Operand::Number(number, span) => {
                if !self.at_operator() && self.comparison_op().is_none() {
                    return Ok(Operand::Number(number, span));
                }
                (Arithmetic::Number(number), 0)
            }
            Operand::Formula(formula, depth) => (formula, depth),
            other => return Ok(other),
        };
        let (left, depth) = self.continue_formula(first, None)?;
        let Some((op, negated)) = self.comparison_op() else {
            return Ok(Operand::Formula(left, depth));
        };
        self.advance();
        let first = self.unary()?;
        let (right, _) = self.continue_formula(first, None)?;
        let primitive =
            Primitive::Comparison { left: Box::new(left), op, negated, right: Box::new(right) };
        Ok(Operand::Term(Expression::Primitive(primitive, self.span_since(start)), None))
    }

    /// The comparison operator at the next token, and whether to negate it.
    fn comparison_op(&self) -> Option<(CmpOp, bool)> {
        let Token::Symbol(sign) = self.peek() else { return None };
        Some(match *sign {
            ">" => (CmpOp::Greater, false),
            ">=" => (CmpOp::GreaterOrEqual, false),
            "=" => (CmpOp::Equal, false),
            "<=" => (CmpOp::Greater, true),
            "<" => (CmpOp::GreaterOrEqual, true),
            "!=" => (CmpOp::Equal, true),
            _ => return None,
        })
    }

    fn id(
        &self,
        id: Id,
        qualifiers: Option<Qualifiers>,
        span: Range<usize>,
    ) -> Result<Expression, Diagnostic> {
        let Some(qualifiers) = qualifiers else {
            let message = "can't parse filter expression: syntax error: expected a protocol or a qualifier such as \
                           \"host\" or \"port\" before this";
            return Err(Diagnostic::new(message, span));
        };
        Ok(Expression::Primitive(Primitive::Id(qualifiers, id), span))
    }

    fn number(&mut self) -> Result<u32, Diagnostic> {
        match *self.peek() {
            Token::Number(number) => {
                self.advance();
                Ok(number)
            }
            _ => Err(self.expected("a number")),
        }
    }

    /// The next number, if there is one; it may be in parentheses.
    fn optional_number(&mut self) -> Result<Option<u32>, Diagnostic> {
        let open =
            self.tokens[self.next..].iter().take_while(|(t, _)| *t == Token::Symbol("(")).count();
        if open == 0 || !matches!(self.tokens[self.next + open].0, Token::Number(_)) {
            return match *self.peek() {
                Token::Number(number) => {
                    self.advance();
                    Ok(Some(number))
                }
                _ => Ok(None),
            };
        }
        self.next += open;
        let number = self.number()?;
        for _ in 0..open {
            if !self.eat(")") {
                return Err(self.expected("\")\""));
            }
        }
        Ok(Some(number))
    }

    /// A term that starts with a protocol or a keyword.
    fn term(&mut self) -> Result<Operand, Diagnostic> {
        let start = self.span().start;
        let protocol = match *self.peek() {
            Token::Protocol(protocol) => {
                self.advance();
                Some(protocol)
            }
            _ => None,
        };
        if let Some(qualifiers) = self.qualifiers(protocol)? {
            return self.qualified(qualifiers);
        }
        let primitive = match (self.primitive(protocol)?, protocol) {
            (Some(primitive), _) => primitive,
            (None, Some(protocol)) => Primitive::Protocol(protocol),
            (None, None) => return Err(self.expected("a protocol or a keyword")),
        };
        Ok(Operand::Term(Expression::Primitive(primitive, self.span_since(start)), None))
    }
}
