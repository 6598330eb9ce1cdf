//! Words to an expression: the grammar of pcap-filter(7).
//!
//! `and` and `or` bind alike and go from left to right. An identifier alone has the qualifiers of the
//! one before it. In parentheses a list of identifiers may follow qualifiers: `port (80 or 443)`.

mod arithmetic;
mod qualified;
mod words;

use crate::error::Fault;
use crate::lexer::{Keyword, Token};
use crate::tree::{Arithmetic, Expression, Id, Junction, Primitive, Qualifiers, Relation};
use std::ops::Range;

/// How deep parentheses and `not` may be nested: each level takes its share of the stack.
const MAX_DEPTH: usize = 100;

/// Parses the words; `None` where there are none, which is what accepts all.
pub(crate) fn parse(tokens: &[(Token, Range<usize>)]) -> Result<Option<Expression>, Fault> {
    let mut parser = Parser { tokens, next: 0, depth: 0 };
    if *parser.peek() == Token::End {
        return Ok(None);
    }
    let expression = parser.whole()?;
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

/// What stands between `and`s and `or`s. What an open parenthesis begins is known at its end only.
enum Operand {
    /// A whole term, with the qualifiers that identifiers after it have.
    Term(Expression, Option<Qualifiers>),
    /// An identifier that had its qualifiers from before.
    Id(Expression, Option<Qualifiers>),
    /// A number alone, which may be an identifier.
    Number(u32, Range<usize>),
    /// A formula that is not compared yet.
    Formula(Arithmetic, usize),
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn peek_second(&self) -> &Token {
        &self.tokens[(self.next + 1).min(self.tokens.len() - 1)].0
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.next].1.clone()
    }

    /// From there to the word before the next one.
    fn since(&self, start: usize) -> Range<usize> {
        start..self.tokens[self.next.saturating_sub(1)].1.end.max(start)
    }

    fn take(&mut self) -> Token {
        let token = self.peek().clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if found {
            self.next += 1;
        }
        found
    }

    fn takes_keyword(&mut self, keyword: Keyword) -> bool {
        let found = *self.peek() == Token::Keyword(keyword);
        if found {
            self.next += 1;
        }
        found
    }

    fn expected(&self, what: &str) -> Fault {
        Fault::new(
            format!("can't parse filter expression: syntax error: expected {what}"),
            self.place(),
        )
    }

    fn deeper(&mut self) -> Result<(), Fault> {
        self.depth += 1;
        if self.depth <= MAX_DEPTH {
            return Ok(());
        }
        Err(Fault::new(format!("nested more than {MAX_DEPTH} deep"), self.place()))
    }

    /// The whole expression, which begins with a term.
    fn whole(&mut self) -> Result<Expression, Fault> {
        match self.operand(None)? {
            Operand::Term(first, qualifiers) => Ok(self.chain_after(first, qualifiers, false)?.0),
            _ => {
                self.next = 0;
                Err(self.expected("a protocol or a qualifier such as \"host\" or \"port\""))
            }
        }
    }

    /// Terms and identifiers joined after a first one; in a list of identifiers nothing but identifiers.
    fn chain_after(
        &mut self,
        first: Expression,
        mut qualifiers: Option<Qualifiers>,
        only_ids: bool,
    ) -> Result<(Expression, Option<Qualifiers>), Fault> {
        let mut rest = Vec::new();
        loop {
            let junction = match self.peek() {
                Token::Sign("&&") => Junction::And,
                Token::Sign("||") => Junction::Or,
                _ => break,
            };
            self.take();
            let place = self.place();
            let (next, after) = match self.operand(qualifiers)? {
                Operand::Term(term, after) if !only_ids => (term, after),
                Operand::Id(id, after) => (id, after),
                Operand::Number(number, place) => {
                    (self.id(Id::Number(number), qualifiers, place)?, qualifiers)
                }
                Operand::Term(..) => {
                    return Err(Fault::new(
                        "can't parse filter expression: syntax error: expected an identifier as the one before",
                        place,
                    ));
                }
                Operand::Formula(..) => return Err(self.expected("a comparison")),
            };
            qualifiers = after;
            rest.push((junction, next));
        }
        if rest.is_empty() {
            return Ok((first, qualifiers));
        }
        Ok((Expression::Chain(Box::new(first), rest), qualifiers))
    }

    /// The next operand, where identifiers alone would have those qualifiers.
    fn operand(&mut self, qualifiers: Option<Qualifiers>) -> Result<Operand, Fault> {
        let mut negated = false;
        let mut any = false;
        while self.takes("!") {
            negated = !negated;
            any = true;
        }
        let start = self.place().start;
        let operand = self.plain_operand(qualifiers)?;
        let operand = self.compared(operand, start)?;
        if !any {
            return Ok(operand);
        }
        let not =
            |expression| if negated { Expression::Not(Box::new(expression)) } else { expression };
        Ok(match operand {
            Operand::Term(term, after) => Operand::Term(not(term), after),
            Operand::Id(id, after) => Operand::Id(not(id), after),
            Operand::Number(number, place) => {
                Operand::Id(not(self.id(Id::Number(number), qualifiers, place)?), qualifiers)
            }
            Operand::Formula(..) => return Err(self.expected("a comparison")),
        })
    }

    fn plain_operand(&mut self, qualifiers: Option<Qualifiers>) -> Result<Operand, Fault> {
        let start = self.place().start;
        match self.peek() {
            Token::Name(_)
            | Token::Ipv4(_)
            | Token::Ipv6(..)
            | Token::Ethernet(_)
            | Token::Arcnet(_) => {
                let id = self.id_of_words()?;
                let place = self.since(start);
                Ok(Operand::Id(self.id(id, qualifiers, place)?, qualifiers))
            }
            Token::Number(number) => {
                let number = *number;
                self.take();
                Ok(Operand::Number(number, self.since(start)))
            }
            Token::Sign("(") => {
                self.deeper()?;
                self.take();
                let inner = self.in_parentheses(qualifiers)?;
                if !self.takes(")") {
                    return Err(self.expected("\")\""));
                }
                self.depth -= 1;
                Ok(inner)
            }
            Token::Sign("-") | Token::Keyword(Keyword::Len) => {
                let (formula, depth) = self.unary()?;
                Ok(Operand::Formula(formula, depth))
            }
            Token::Protocol(_) if *self.peek_second() == Token::Sign("[") => {
                let (formula, depth) = self.unary()?;
                Ok(Operand::Formula(formula, depth))
            }
            _ => self.term(),
        }
    }

    fn in_parentheses(&mut self, qualifiers: Option<Qualifiers>) -> Result<Operand, Fault> {
        let joined = |parser: &Self| matches!(parser.peek(), Token::Sign("&&" | "||"));
        Ok(match self.operand(qualifiers)? {
            // After a parenthesis, identifiers alone go on with the qualifiers from before it.
            Operand::Term(first, after) => {
                Operand::Term(self.chain_after(first, after, false)?.0, qualifiers)
            }
            Operand::Id(first, after) => {
                let (chain, after) = self.chain_after(first, after, true)?;
                Operand::Id(chain, after)
            }
            Operand::Number(number, place) if joined(self) => {
                let first = self.id(Id::Number(number), qualifiers, place)?;
                let (chain, after) = self.chain_after(first, qualifiers, true)?;
                Operand::Id(chain, after)
            }
            other => other,
        })
    }

    /// A formula and what it is compared with, if the operand is the beginning of one.
    fn compared(&mut self, operand: Operand, start: usize) -> Result<Operand, Fault> {
        let first = match operand {
            Operand::Number(number, place) => {
                if !self.at_operator() && self.relation().is_none() {
                    return Ok(Operand::Number(number, place));
                }
                (Arithmetic::Number(number), 0)
            }
            Operand::Formula(formula, depth) => (formula, depth),
            other => return Ok(other),
        };
        let (left, depth) = self.formula_after(first, None)?;
        let Some((relation, negated)) = self.relation() else {
            return Ok(Operand::Formula(left, depth));
        };
        self.take();
        let first = self.unary()?;
        let (right, _) = self.formula_after(first, None)?;
        let primitive =
            Primitive::Relation { left: Box::new(left), relation, negated, right: Box::new(right) };
        Ok(Operand::Term(Expression::Primitive(primitive, self.since(start)), None))
    }

    /// The comparison at the next word, and whether it is the other way round.
    fn relation(&self) -> Option<(Relation, bool)> {
        let Token::Sign(sign) = self.peek() else { return None };
        Some(match *sign {
            ">" => (Relation::Greater, false),
            ">=" => (Relation::GreaterOrEqual, false),
            "=" => (Relation::Equal, false),
            "<=" => (Relation::Greater, true),
            "<" => (Relation::GreaterOrEqual, true),
            "!=" => (Relation::Equal, true),
            _ => return None,
        })
    }

    fn id(
        &self,
        id: Id,
        qualifiers: Option<Qualifiers>,
        place: Range<usize>,
    ) -> Result<Expression, Fault> {
        let Some(qualifiers) = qualifiers else {
            let message = "can't parse filter expression: syntax error: expected a protocol or a qualifier such as \
                           \"host\" or \"port\" before it";
            return Err(Fault::new(message, place));
        };
        Ok(Expression::Primitive(Primitive::Id(qualifiers, id), place))
    }

    fn number(&mut self) -> Result<u32, Fault> {
        match *self.peek() {
            Token::Number(number) => {
                self.take();
                Ok(number)
            }
            _ => Err(self.expected("a number")),
        }
    }

    /// A number, which may be in parentheses, if one is next.
    fn optional_number(&mut self) -> Result<Option<u32>, Fault> {
        let open =
            self.tokens[self.next..].iter().take_while(|(t, _)| *t == Token::Sign("(")).count();
        if open == 0 || !matches!(self.tokens[self.next + open].0, Token::Number(_)) {
            return match *self.peek() {
                Token::Number(number) => {
                    self.take();
                    Ok(Some(number))
                }
                _ => Ok(None),
            };
        }
        self.next += open;
        let number = self.number()?;
        for _ in 0..open {
            if !self.takes(")") {
                return Err(self.expected("\")\""));
            }
        }
        Ok(Some(number))
    }

    /// A term that begins with a keyword.
    fn term(&mut self) -> Result<Operand, Fault> {
        let start = self.place().start;
        let protocol = match *self.peek() {
            Token::Protocol(protocol) => {
                self.take();
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
        Ok(Operand::Term(Expression::Primitive(primitive, self.since(start)), None))
    }
}
