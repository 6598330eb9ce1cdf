//! Parses qualifiers and identifiers: `src host 10.0.0.1`.

use super::{Operand, Parser};
use crate::ast::{Direction, Expression, Id, Kind, Qualifiers};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, Token};
use crate::protocol::Protocol;

impl Parser<'_> {
    /// An identifier that is not a number.
    pub(super) fn identifier(&mut self) -> Result<Id, Diagnostic> {
        Ok(match self.advance() {
            Token::Name(name) => Id::Name(name),
            Token::Ethernet(address) => Id::Ethernet(address),
            Token::Arcnet(address) => Id::Arcnet(address),
            Token::Ipv4(address) if self.eat("/") => Id::Ipv4Prefix(address, self.number()?),
            Token::Ipv4(address) if self.eat_keyword(Keyword::Mask) => match self.advance() {
                Token::Ipv4(mask) => Id::Ipv4Mask(address, mask),
                _ => {
                    self.next -= 1;
                    return Err(self.expected("a network mask such as 255.255.0.0"));
                }
            },
            Token::Ipv4(address) => Id::Ipv4(address),
            Token::Ipv6(address, _) if self.eat("/") => Id::Ipv6(address, Some(self.number()?)),
            Token::Ipv6(address, _) => Id::Ipv6(address, None),
            _ => return Err(self.expected("an identifier")),
        })
    }

    /// The qualifiers at the next token, if there are any.
    pub(super) fn qualifiers(
        &mut self,
        protocol: Option<Protocol>,
    ) -> Result<Option<Qualifiers>, Diagnostic> {
        let direction = self.direction();
        let kind = match self.peek() {
            Token::Keyword(Keyword::Host) => Kind::Host,
            Token::Keyword(Keyword::Net) => Kind::Net,
            Token::Keyword(Keyword::Port) => Kind::Port,
            Token::Keyword(Keyword::Portrange) => Kind::Portrange,
            Token::Keyword(Keyword::Proto) => Kind::Proto,
            Token::Keyword(Keyword::Protochain) => Kind::Protochain,
            Token::Keyword(Keyword::Gateway) => Kind::Gateway,
            _ => Kind::Any,
        };
        match (direction, kind) {
            (None, Kind::Any) => return Ok(None),
            (Some(_), Kind::Proto | Kind::Protochain | Kind::Gateway) => {
                return Err(
                    self.expected("\"host\", \"net\", \"port\" or \"portrange\" after a direction")
                );
            }
            (_, Kind::Any) => {}
            _ => {
                self.advance();
            }
        }
        Ok(Some(Qualifiers { protocol, direction: direction.unwrap_or(Direction::Any), kind }))
    }

    fn direction(&mut self) -> Option<Direction> {
        let direction = match self.peek() {
            Token::Keyword(Keyword::Src) => Direction::Src,
            Token::Keyword(Keyword::Dst) => Direction::Dst,
            Token::Keyword(Keyword::Addr1) => Direction::Addr1,
            Token::Keyword(Keyword::Addr2) => Direction::Addr2,
            Token::Keyword(Keyword::Addr3) => Direction::Addr3,
            Token::Keyword(Keyword::Addr4) => Direction::Addr4,
            Token::Keyword(Keyword::Ra) => Direction::Ra,
            Token::Keyword(Keyword::Ta) => Direction::Ta,
            _ => return None,
        };
        self.advance();
        let other = match direction {
            Direction::Src => Keyword::Dst,
            Direction::Dst => Keyword::Src,
            _ => return Some(direction),
        };
        let both = match self.peek() {
            Token::Symbol("||") => Direction::SrcOrDst,
            Token::Symbol("&&") => Direction::SrcAndDst,
            _ => return Some(direction),
        };
        if *self.peek_next() != Token::Keyword(other) {
            return Some(direction);
        }
        self.advance();
        self.advance();
        Some(both)
    }

    /// The identifier, or the list in parentheses, after qualifiers.
    pub(super) fn qualified(&mut self, qualifiers: Qualifiers) -> Result<Operand, Diagnostic> {
        let what = "a name, an address or a number";
        if let Token::Protocol(protocol) = self.peek() {
            let name = protocol.name();
            return Err(
                self.expected(&format!("{what}; to use the keyword as a name, write \\{name}"))
            );
        }
        if !matches!(
            self.peek(),
            Token::Name(_)
                | Token::Ipv4(_)
                | Token::Ipv6(..)
                | Token::Ethernet(_)
                | Token::Arcnet(_)
                | Token::Number(_)
                | Token::Symbol("(" | "!")
        ) {
            return Err(self.expected(what));
        }
        let span = self.span();
        let mut negated = false;
        while self.eat("!") {
            negated = !negated;
        }
        let operand = match self.operand_without_not(Some(qualifiers))? {
            Operand::Id(id, _) => id,
            Operand::Number(number, span) => self.id(Id::Number(number), Some(qualifiers), span)?,
            _ => {
                let message =
                    format!("can't parse filter expression: syntax error: expected {what}");
                return Err(Diagnostic::new(message, span));
            }
        };
        let expression = if negated { Expression::Not(Box::new(operand)) } else { operand };
        Ok(Operand::Term(expression, Some(qualifiers)))
    }
}
