//! Lowers protocol keywords, `proto` and `protochain`.

use super::identifier::NumberOrName;
use super::layout::Origin;
use super::{Lowered, Lowering};
use crate::ast::{CmpOp, Id};
use crate::condition::Condition;
use crate::instruction::code::{ADD, MUL};
use crate::protocol::{LLC_ISO, Protocol, ether_type, osi};
use crate::value::{Size, Value};

/// Maximum number of extension headers that `protochain` follows: classic BPF has no loops.
const CHAIN_LEN: usize = 8;

/// IP protocol numbers.
const HOP_BY_HOP: u32 = 0;
const ROUTING: u32 = 43;
const FRAGMENT: u32 = 44;
const AUTHENTICATION: u32 = 51;
const NONE: u32 = 59;
const DESTINATION: u32 = 60;

impl Lowering<'_> {
    /// Packets of the protocol with a keyword.
    pub(super) fn protocol(&mut self, protocol: Protocol) -> Lowered {
        if let Some(number) = protocol.link_number() {
            return self.link_type(number);
        }
        if let Some((number, also_ip6)) = protocol.ip_number() {
            let over_ip6 =
                if also_ip6 { self.ip6_protocol(number)? } else { Condition::Always(false) };
            return Ok(over_ip6.or(self.ip_protocol(number)?));
        }
        if let Some(types) = protocol.isis_types() {
            let types = types.iter().map(|number| self.isis_type(*number));
            return Ok(Condition::any(types.collect::<Result<Vec<_>, _>>()?));
        }
        match protocol {
            Protocol::Icmp6 => self.ip6_protocol(58),
            Protocol::Clnp => self.iso_protocol(osi::CLNP),
            Protocol::Esis => self.iso_protocol(osi::ESIS),
            Protocol::Isis => self.iso_protocol(osi::ISIS),
            Protocol::Link => Err(self.error("link layer applied in wrong context")),
            _ => Err(self.error(format!("'{}' is not a valid protocol type", protocol.name()))),
        }
    }

    fn ip_protocol(&mut self, number: u32) -> Lowered {
        let is_ip = self.link_type(ether_type::IP)?;
        Ok(is_ip.and(self.equal(Origin::Network, 9, Size::Byte, number)))
    }

    /// An IPv6 packet of a protocol, directly or after a fragment header.
    fn ip6_protocol(&mut self, number: u32) -> Lowered {
        let is_ip6 = self.link_type(ether_type::IP6)?;
        let direct = self.equal(Origin::Network, 6, Size::Byte, number);
        let is_fragment = self.equal(Origin::Network, 6, Size::Byte, FRAGMENT);
        let in_fragment = self.equal(Origin::Ipv6Payload, 0, Size::Byte, number);
        Ok(is_ip6.and(direct.or(is_fragment.and(in_fragment))))
    }

    fn iso_protocol(&mut self, number: u32) -> Lowered {
        let is_iso = self.link_type(LLC_ISO)?;
        Ok(is_iso.and(self.equal(Origin::NetworkWithoutSnap, 0, Size::Byte, number)))
    }

    fn isis_type(&mut self, number: u32) -> Lowered {
        const TYPE: u32 = 0x1f;
        self.check_max(TYPE, "IS-IS PDU type", number)?;
        let is_isis = self.iso_protocol(osi::ISIS)?;
        Ok(is_isis.and(self.masked(Origin::NetworkWithoutSnap, 4, Size::Byte, number, TYPE)))
    }

    /// An unfragmented IPv4 packet, or a first fragment.
    pub(super) fn first_fragment(&mut self) -> Condition {
        const FRAGMENT_OFFSET: u32 = 0x1fff;
        self.any_bit(Origin::Network, 6, Size::Half, FRAGMENT_OFFSET).not()
    }

    /// `proto` and `protochain`.
    pub(super) fn proto(&mut self, protocol: Option<Protocol>, id: &Id, is_chain: bool) -> Lowered {
        let kind = if is_chain { "protochain" } else { "proto" };
        let number = match self.number_or_name(kind, id)? {
            NumberOrName::Number(number) => number,
            NumberOrName::Name(name) => self.protocol_number(protocol, name)?,
        };
        if is_chain {
            return self.chain(protocol, number);
        }
        match protocol {
            None | Some(Protocol::Ip | Protocol::Ip6) => {
                self.check_max(0xff, "protocol number", number)?;
            }
            Some(Protocol::Iso) => self.check_max(0xff, "ISO protocol", number)?,
            _ => {}
        }
        match protocol {
            None => {
                let over_ip = self.ip_protocol(number)?;
                Ok(over_ip.or(self.ip6_protocol(number)?))
            }
            Some(Protocol::Link) => self.link_type(number),
            Some(Protocol::Ip) => self.ip_protocol(number),
            Some(Protocol::Ip6) => self.ip6_protocol(number),
            Some(Protocol::Iso) => self.iso_protocol(number),
            Some(Protocol::Isis) => self.isis_type(number),
            Some(other) => {
                Err(self.error(format!("'{}' is not a valid qualifier for 'proto'", other.name())))
            }
        }
    }

    fn protocol_number(
        &self,
        protocol: Option<Protocol>,
        name: &str,
    ) -> Result<u32, crate::error::Diagnostic> {
        let (kind, number) = match protocol {
            None | Some(Protocol::Ip | Protocol::Ip6) => {
                ("ip", self.options.names.protocol(name).map(u32::from))
            }
            Some(Protocol::Link) => ("ether", crate::names::ether_protocol(name)),
            Some(Protocol::Iso) => (
                "osi",
                match name {
                    "clnp" => Some(osi::CLNP),
                    "esis" => Some(osi::ESIS),
                    "isis" => Some(osi::ISIS),
                    _ => None,
                },
            ),
            Some(_) => return Err(self.error(format!("unknown protocol: {name}"))),
        };
        number.ok_or_else(|| self.error(format!("unknown {kind} proto '{name}'")))
    }

    /// `protochain`: the protocol, possibly after extension headers.
    fn chain(&mut self, protocol: Option<Protocol>, number: u32) -> Lowered {
        self.check_max(0xff, "protocol number", number)?;
        let is_ip6 = match protocol {
            None => {
                let over_ip = self.chain(Some(Protocol::Ip), number)?;
                return Ok(over_ip.or(self.chain(Some(Protocol::Ip6), number)?));
            }
            Some(Protocol::Ip) => false,
            Some(Protocol::Ip6) => true,
            Some(other) => {
                return Err(self.error(format!(
                    "'{}' is not a valid qualifier for 'protochain'",
                    other.name()
                )));
            }
        };
        if self.payload().variable.is_some() {
            return Err(self.error("'protochain' not supported with variable length headers"));
        }
        let is_ip = self.link_type(if is_ip6 { ether_type::IP6 } else { ether_type::IP })?;
        let (next, position) = (self.temp(), self.temp());
        let header = self.payload().plus(self.layout.network);
        let first = self.load(Origin::Network, if is_ip6 { 6 } else { 9 }, Size::Byte);
        let start = if is_ip6 { self.values.constant(40) } else { self.ipv4_header_len(header) };
        let mut parts =
            vec![is_ip, Condition::Store(next, first), Condition::Store(position, start)];
        let [next_value, at] = [next, position].map(|temp| self.values.intern(Value::Temp(temp)));
        let [type_of_next, len] =
            [0, 1].map(|offset| self.values.load(Some(at), header.constant + offset, Size::Byte));
        // Lengths of extension headers count units of 8 bytes after the first unit; those of the
        // authentication header count units of 4 bytes after the first two.
        let mut pass = |kinds: &[u32], more: u32, unit: u32| {
            let [more, unit] = [more, unit].map(|number| self.values.constant(number));
            let units = self.values.binary(ADD, len, more);
            let bytes = self.values.binary(MUL, units, unit);
            let after = self.values.binary(ADD, bytes, at);
            let is_kind: Vec<_> =
                kinds.iter().map(|kind| self.compare(next_value, CmpOp::Equal, *kind)).collect();
            Condition::all([
                Condition::any(is_kind),
                Condition::Store(next, type_of_next),
                Condition::Store(position, after),
            ])
        };
        let authentication = pass(&[AUTHENTICATION], 2, 4);
        let extension = pass(&[HOP_BY_HOP, DESTINATION, ROUTING, FRAGMENT], 1, 8);
        let passed = if is_ip6 { extension.or(authentication) } else { authentication };
        let found = self.compare(next_value, CmpOp::Equal, number);
        let is_end = self.compare(next_value, CmpOp::Equal, NONE);
        let mut chain = found.clone();
        for _ in 0..CHAIN_LEN {
            chain = found.clone().or(Condition::all([is_end.clone().not(), passed.clone(), chain]));
        }
        parts.push(chain);
        Ok(Condition::all(parts))
    }
}
