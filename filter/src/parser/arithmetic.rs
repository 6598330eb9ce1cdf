//! Parses arithmetic: `ip[2:2] - 4 * (ip[0] & 0xf)`.

use super::Parser;
use crate::ast::Arithmetic;
use crate::error::Diagnostic;
use crate::instruction::code::{ADD, AND, DIV, LSH, MOD, MUL, OR, RSH, SUB, XOR};
use crate::lexer::{Keyword, Token};

/// Code and precedence of a binary operator. `%` and `^` have no precedence in libpcap's grammar, so
/// that the parser always shifts: everything after such an operator is its right operand, and
/// everything before it takes its result as the right operand.
fn operation(sign: &str) -> Option<(u16, Option<u8>)> {
    Some(match sign {
        "|" => (OR, Some(1)),
        "&" => (AND, Some(2)),
        "<<" => (LSH, Some(3)),
        ">>" => (RSH, Some(3)),
        "+" => (ADD, Some(4)),
        "-" => (SUB, Some(4)),
        "*" => (MUL, Some(5)),
        "/" => (DIV, Some(5)),
        "%" => (MOD, None),
        "^" => (XOR, None),
        _ => return None,
    })
}

/// Maximum depth of a formula, so that recursion cannot overflow the stack.
const MAX_OPERATIONS: usize = 200;

/// Precedence of the unary minus.
const NEGATION: u8 = 6;

impl Parser<'_> {
    pub(super) fn at_operator(&self) -> bool {
        matches!(self.peek(), Token::Symbol(sign) if operation(sign).is_some())
    }

    /// The rest of a formula after its first operand, up to an operator whose precedence is not above
    /// that of `before`, the operator to the left: `None` if there is none, `Some(None)` if it has no
    /// precedence. Also returns the formula's depth.
    pub(super) fn continue_formula(
        &mut self,
        (mut left, mut depth): (Arithmetic, usize),
        before: Option<Option<u8>>,
    ) -> Result<(Arithmetic, usize), Diagnostic> {
        loop {
            let Token::Symbol(sign) = self.peek() else { return Ok((left, depth)) };
            let Some((code, precedence)) = operation(sign) else { return Ok((left, depth)) };
            if let (Some(Some(before)), Some(precedence)) = (before, precedence)
                && precedence <= before
            {
                return Ok((left, depth));
            }
            let span = self.span();
            self.advance();
            self.enter_nesting()?;
            let operand = self.unary()?;
            let (right, right_depth) = self.continue_formula(operand, Some(precedence))?;
            self.depth -= 1;
            depth = depth.max(right_depth) + 1;
            if MAX_OPERATIONS < depth {
                return Err(Diagnostic::new(
                    format!("arithmetic expression has more than {MAX_OPERATIONS} operations"),
                    span,
                ));
            }
            left = Arithmetic::Binary {
                operation: code,
                left: Box::new(left),
                right: Box::new(right),
                span,
            };
        }
    }

    /// An operand with its unary operators. Also returns its depth.
    pub(super) fn unary(&mut self) -> Result<(Arithmetic, usize), Diagnostic> {
        let start = self.span().start;
        match *self.peek() {
            Token::Symbol("-") => {
                self.advance();
                self.enter_nesting()?;
                let operand = self.unary()?;
                let (operand, depth) = self.continue_formula(operand, Some(Some(NEGATION)))?;
                self.depth -= 1;
                Ok((Arithmetic::Negate(Box::new(operand)), depth + 1))
            }
            Token::Symbol("(") => {
                self.advance();
                self.enter_nesting()?;
                let first = self.unary()?;
                let inner = self.continue_formula(first, None)?;
                if !self.eat(")") {
                    return Err(self.expected("\")\" or an operator"));
                }
                self.depth -= 1;
                Ok(inner)
            }
            Token::Number(number) => {
                self.advance();
                Ok((Arithmetic::Number(number), 0))
            }
            Token::Keyword(Keyword::Len) => {
                self.advance();
                Ok((Arithmetic::Len, 0))
            }
            Token::Protocol(protocol) => {
                self.advance();
                if !self.eat("[") {
                    return Err(self.expected("\"[\""));
                }
                self.enter_nesting()?;
                let first = self.unary()?;
                let (index, depth) = self.continue_formula(first, None)?;
                self.depth -= 1;
                let size = if self.eat(":") { self.number()? } else { 1 };
                if !self.eat("]") {
                    return Err(self.expected("\"]\""));
                }
                let span = self.span_since(start);
                Ok((Arithmetic::Load { protocol, index: Box::new(index), size, span }, depth + 1))
            }
            _ => Err(self.expected("a number, \"len\" or packet bytes such as \"ip[0]\"")),
        }
    }
}
