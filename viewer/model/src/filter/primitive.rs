//! Primitives of tcpdump (pcap-filter(7)), such as `src host 10.0.0.5` and `tcp port 443`, and values
//! without a field.

use super::lexer::TokenKind;
use super::literals::network;
use super::names::{self, Scope, Unit};
use super::operands::Target;
use super::parse::{Parser, Result};
use super::{Error, Expr, Field, Set};
use crate::axis::MIN_VALUE;
use crate::service_names::service_port;
use summary::Address;

/// The qualifiers of a primitive; empty texts stand for those that are missing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Qualifiers {
    protocol: &'static str,
    /// `src` or `dst`.
    side: &'static str,
    kind: &'static str,
}

const PROTOCOLS: &[&str] = &["ether", "ip", "ip6", "arp", "tcp", "udp", "sctp"];
const SIDES: &[&str] = &["src", "dst"];
const KINDS: &[&str] = &["host", "net", "port", "portrange"];
const LIMITS: &[&str] = &["less", "greater", "vlan"];

impl Parser<'_, '_> {
    /// Counts the next word as read if it is one of these; otherwise empty.
    fn qualifier(&self, words: &[&'static str], count: &mut usize) -> &'static str {
        let word = self.value_word(*count).unwrap_or_default();
        let found = words.iter().find(|known| known.eq_ignore_ascii_case(word));
        *count += usize::from(found.is_some());
        found.copied().unwrap_or_default()
    }

    /// A primitive of tcpdump with its value; `None` if the next words are none.
    pub(super) fn primitive(&mut self) -> Result<Option<Expr>> {
        let mut count = 0;
        let qualifiers = Qualifiers {
            protocol: self.qualifier(PROTOCOLS, &mut count),
            side: self.qualifier(SIDES, &mut count),
            kind: self.qualifier(KINDS, &mut count),
        };
        let is_complete = !qualifiers.side.is_empty() || !qualifiers.kind.is_empty();
        let limit = if count == 0 { self.qualifier(LIMITS, &mut count) } else { "" };
        if self.value_word(count).is_none() || !is_complete && limit.is_empty() {
            return Ok(None);
        }
        let start = self.range().start;
        (0..count).for_each(|_| _ = self.next());
        if let (Qualifiers { protocol: "", side: "", kind: "host" }, Some(name)) =
            (qualifiers, self.value_word(0).filter(|word| names::is_host_name(word)))
        {
            let end = self.range().end;
            let message = "Expected an address; names are in dns, sni and http_host";
            return Err(
                Error::new(self.range(), message).with_fix(start..end, &names::any_name(name))
            );
        }
        self.has_primitive = true;
        if is_complete {
            self.qualifiers = Some(qualifiers);
            return self.qualified(qualifiers).map(Some);
        }
        let field = if limit == "vlan" { "vlan" } else { "len" };
        let (field, number) = self.field_and_number(field)?;
        let range = match limit {
            "less" => (MIN_VALUE, number),
            "greater" => (number, i64::MAX),
            _ => (number, number),
        };
        Ok(Some(Expr::In(field, Set::Numbers(vec![range]))))
    }

    /// A value without a field: an address, a port or a service; `None` if it is none of them.
    pub(super) fn value(&mut self) -> Result<Option<Expr>> {
        let TokenKind::Word(word) = self.peek() else { return Ok(None) };
        let is_port = word.bytes().all(|byte| byte.is_ascii_digit());
        let is_service = service_port(word).is_some();
        let qualifiers = match (network(word), self.qualifiers) {
            (None, _) if !is_port && !is_service => return Ok(None),
            (_, Some(qualifiers)) => qualifiers,
            (Some((Address::Mac(_), _)), None) => {
                Qualifiers { protocol: "ether", ..Qualifiers::default() }
            }
            (Some(_), None) => Qualifiers::default(),
            (None, None) if names::is_dissected(&word.to_ascii_lowercase()) => return Ok(None),
            (None, None) => Qualifiers { kind: "port", ..Qualifiers::default() },
        };
        self.qualified(qualifiers).map(Some)
    }

    /// The value of a primitive.
    fn qualified(&mut self, qualifiers: Qualifiers) -> Result<Expr> {
        let Qualifiers { protocol, side, kind } = qualifiers;
        let field = |any, source, destination| match side {
            "src" => source,
            "dst" => destination,
            _ => any,
        };
        let expr = if kind.starts_with("port") {
            let (field, range) = self.ports(field("port", "sport", "dport"), kind)?;
            Expr::In(field, Set::Numbers(vec![range]))
        } else {
            let name = match protocol {
                "ether" => field("mac", "eth_src", "eth_dst"),
                _ => field("host", "src", "dst"),
            };
            let set = Set::Addresses(vec![self.addresses()?]);
            Expr::In(self.own_field(name)?, set)
        };
        Ok(Scope::of(protocol).limit(expr))
    }

    /// A port, or a range such as `80-90`.
    fn ports(&mut self, field: &str, kind: &str) -> Result<(Field, (i64, i64))> {
        let ends = match self.peek() {
            TokenKind::Word(word) => word.split_once('-'),
            _ => None,
        };
        if let Some((first, last)) = ends
            && let (Ok(first), Ok(last)) = (first.parse::<u16>(), last.parse::<u16>())
            && first <= last
        {
            if kind == "port" {
                let range = self.range();
                let error = Error::new(range.clone(), "Port ranges need `portrange`");
                let before = self.text[..range.start].trim_end();
                return Err(error.with_fix(before.len() - kind.len()..before.len(), "portrange"));
            }
            self.next();
            return Ok((self.own_field(field)?, (first.into(), last.into())));
        }
        let (field, port) = self.field_and_number(field)?;
        Ok((field, (port, port)))
    }

    fn own_field(&self, name: &str) -> Result<Field> {
        Field::parse(name).ok_or_else(|| self.error("Expected a field"))
    }

    fn field_and_number(&mut self, name: &str) -> Result<(Field, i64)> {
        let field = self.own_field(name)?;
        Ok((field, self.number(Target { field, unit: Unit::Own })?))
    }
}
