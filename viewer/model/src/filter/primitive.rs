//! Primitives of tcpdump (pcap-filter(7)), such as `src host 10.0.0.5` and `tcp port 443`, and values
//! without a field.

use super::lexer::TokenKind;
use super::literals::network;
use super::names::{self, Scope, Unit};
use super::operands::Target;
use super::parse::Parser;
use super::{Error, Expr, ExtraField, Field, Set};
use crate::axis::{MIN_VALUE, Quantity};
use crate::service_names::service_port;

/// The qualifiers of a primitive.
#[derive(Clone, Copy, Debug)]
pub(super) struct Qualifiers {
    protocol: Option<Protocol>,
    /// `Some(true)` for `src`.
    is_source: Option<bool>,
    kind: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Ether,
    Other(Scope),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
}

fn protocol(word: &str) -> Option<Protocol> {
    Some(match word {
        "ether" => Protocol::Ether,
        "ip" => Protocol::Other(Scope::V4),
        "ip6" => Protocol::Other(Scope::V6),
        "arp" => Protocol::Other(Scope::Proto("arp")),
        "tcp" => Protocol::Other(Scope::Proto("tcp")),
        "udp" => Protocol::Other(Scope::Proto("udp")),
        "sctp" => Protocol::Other(Scope::Proto("sctp")),
        _ => return None,
    })
}

fn kind(word: &str) -> Option<Kind> {
    Some(match word {
        "host" => Kind::Host,
        "net" => Kind::Net,
        "port" => Kind::Port,
        "portrange" => Kind::PortRange,
        _ => return None,
    })
}

impl Parser<'_, '_> {
    /// A primitive of tcpdump with its value; `None` if the next words are none.
    pub(super) fn primitive(&mut self) -> Result<Option<Expr>, Error> {
        let word = |parser: &Self, skipped| parser.value_word(skipped).map(str::to_ascii_lowercase);
        let mut count = 0;
        let protocol = word(self, count).and_then(|word| protocol(&word));
        count += usize::from(protocol.is_some());
        let is_source = match word(self, count).as_deref() {
            Some("src") => Some(true),
            Some("dst") => Some(false),
            _ => None,
        };
        count += usize::from(is_source.is_some());
        let kind = word(self, count).and_then(|word| kind(&word));
        count += usize::from(kind.is_some());
        if (is_source.is_some() || kind.is_some()) && self.value_word(count).is_some() {
            (0..count).for_each(|_| _ = self.next());
            let qualifiers = Qualifiers { protocol, is_source, kind };
            self.qualifiers = Some(qualifiers);
            self.has_primitive = true;
            return self.qualified(qualifiers).map(Some);
        }
        let limits = match word(self, 0).as_deref() {
            Some("less") => |number| (MIN_VALUE, number),
            Some("greater") => |number| (number, i64::MAX),
            Some("vlan") => |number| (number, number),
            _ => return Ok(None),
        };
        let is_vlan = word(self, 0).as_deref() == Some("vlan");
        let field = if is_vlan { Field::Vlan } else { Field::Quantity(Quantity::Size) };
        if self.value_word(1).is_none() {
            return Ok(None);
        }
        self.next();
        self.has_primitive = true;
        let number = self.number(Target { field, unit: Unit::Own })?;
        Ok(Some(Expr::In(field, Set::Numbers(vec![limits(number)]))))
    }

    /// A value without a field: an address, a port or a service; `None` if it is none of them.
    pub(super) fn value(&mut self) -> Result<Option<Expr>, Error> {
        let TokenKind::Word(word) = self.peek() else { return Ok(None) };
        let is_port = word.bytes().all(|byte| byte.is_ascii_digit());
        let is_service = service_port(word).is_some();
        if let Some(qualifiers) =
            self.qualifiers.filter(|_| is_port || is_service || network(word).is_some())
        {
            return self.qualified(qualifiers).map(Some);
        }
        let kind = match network(word) {
            Some(_) => Kind::Host,
            None if is_port => Kind::Port,
            None if is_service && !names::is_dissected(&word.to_ascii_lowercase()) => Kind::Port,
            None => return Ok(None),
        };
        self.qualified(Qualifiers { protocol: None, is_source: None, kind: Some(kind) }).map(Some)
    }

    /// The value of a primitive.
    fn qualified(&mut self, qualifiers: Qualifiers) -> Result<Expr, Error> {
        let Qualifiers { protocol, is_source, kind } = qualifiers;
        let expr = match kind {
            Some(Kind::Port | Kind::PortRange) => {
                let field = match is_source {
                    Some(true) => Field::Quantity(Quantity::SourcePort),
                    Some(false) => Field::Quantity(Quantity::DestinationPort),
                    None => Field::Port,
                };
                Expr::In(field, Set::Numbers(vec![self.ports(field, kind)?]))
            }
            Some(Kind::Host | Kind::Net) | None => {
                let field = match (protocol, is_source) {
                    (Some(Protocol::Ether), None) => Field::Mac,
                    (Some(Protocol::Ether), Some(true)) => Field::Extra(ExtraField::EthSrc),
                    (Some(Protocol::Ether), Some(false)) => Field::Extra(ExtraField::EthDst),
                    (_, None) => Field::Host,
                    (_, Some(true)) => Field::Src,
                    (_, Some(false)) => Field::Dst,
                };
                Expr::In(field, Set::Addresses(vec![self.addresses()?]))
            }
        };
        Ok(match protocol {
            Some(Protocol::Other(scope)) => scope.limit(expr),
            Some(Protocol::Ether) | None => expr,
        })
    }

    /// A port, or a range such as `80-90`.
    fn ports(&mut self, field: Field, kind: Option<Kind>) -> Result<(i64, i64), Error> {
        let ends = match self.peek() {
            TokenKind::Word(word) if kind == Some(Kind::PortRange) => word.split_once('-'),
            _ => None,
        };
        if let Some((first, last)) = ends
            && let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>())
            && first <= last
        {
            self.next();
            return Ok((first.into(), last.into()));
        }
        let port = self.number(Target { field, unit: Unit::Own })?;
        Ok((port, port))
    }
}
