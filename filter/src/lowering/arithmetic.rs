//! Lowers arithmetic, with the packet bytes in it.

use super::Lowering;
use super::layout::Origin;
use crate::ast::Arithmetic;
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::instruction::code::{DIV, LSH, MOD, RSH};
use crate::link::Family;
use crate::protocol::{Protocol, ether_type};
use crate::value::{Size, Value, ValueId};

impl Lowering<'_> {
    /// The value of a formula, and the condition under which it is defined: the packet has the
    /// protocols whose bytes the formula loads.
    pub(super) fn arithmetic(
        &mut self,
        formula: &Arithmetic,
    ) -> Result<(ValueId, Condition), Diagnostic> {
        let always = Condition::Always(true);
        Ok(match formula {
            Arithmetic::Number(number) => (self.values.constant(*number), always),
            Arithmetic::Len => (self.values.intern(Value::Length), always),
            Arithmetic::Negate(operand) => {
                let (operand, condition) = self.arithmetic(operand)?;
                (self.values.negate(operand), condition)
            }
            Arithmetic::Load { protocol, index, size, span } => {
                let (index, condition) = self.arithmetic(index)?;
                let outer = std::mem::replace(&mut self.span, span.clone());
                let loaded = self.indexed(*protocol, index, condition, *size)?;
                self.span = outer;
                loaded
            }
            Arithmetic::Binary { operation, left, right, span } => {
                let (left, left_guard) = self.arithmetic(left)?;
                // libpcap checks the protocols of the left operand only.
                let (right_value, _) = self.arithmetic(right)?;
                // Reported only for literal numbers; a divisor that evaluates to 0 rejects all packets.
                let message = match (*operation, &**right) {
                    (DIV, Arithmetic::Number(0)) => "division by zero",
                    (MOD, Arithmetic::Number(0)) => "modulus by zero",
                    (LSH | RSH, Arithmetic::Number(32..)) => "shift by more than 31 bits",
                    _ => {
                        let value = self.values.binary(*operation, left, right_value);
                        return Ok((value, left_guard));
                    }
                };
                return Err(Diagnostic::new(message, span.clone()));
            }
        })
    }

    /// `protocol[index:size]`.
    fn indexed(
        &mut self,
        protocol: Protocol,
        index: ValueId,
        index_guard: Condition,
        size: u32,
    ) -> Result<(ValueId, Condition), Diagnostic> {
        let size = match size {
            1 => Size::Byte,
            2 => Size::Half,
            4 => Size::Word,
            _ => return Err(self.error("data size must be 1, 2, or 4")),
        };
        let (origin, condition) = match protocol {
            Protocol::Radio => {
                if self.link.family() != Family::Radiotap {
                    return Err(self.error("radio information not present in capture"));
                }
                (Origin::Packet, index_guard)
            }
            Protocol::Link => (Origin::LinkHeader, index_guard),
            Protocol::Icmp6 => {
                let is_ip6 = self.link_type(ether_type::IP6)?;
                let is_icmp6 = self.equal(Origin::Network, 6, Size::Byte, 58);
                (Origin::Ipv6Payload, Condition::all([index_guard, is_ip6, is_icmp6]))
            }
            Protocol::Sctp
            | Protocol::Tcp
            | Protocol::Udp
            | Protocol::Icmp
            | Protocol::Igmp
            | Protocol::Igrp
            | Protocol::Pim
            | Protocol::Vrrp
            | Protocol::Carp => {
                let is_ip = self.link_type(ether_type::IP)?;
                let number = protocol.ip_number().map_or(0, |(number, _)| number);
                let is_protocol = self.equal(Origin::Network, 9, Size::Byte, number);
                let is_first = self.first_fragment();
                (Origin::Ipv4Payload, Condition::all([is_ip, index_guard, is_protocol, is_first]))
            }
            Protocol::Ip
            | Protocol::Ip6
            | Protocol::Arp
            | Protocol::Rarp
            | Protocol::Atalk
            | Protocol::Decnet
            | Protocol::Sca
            | Protocol::Lat
            | Protocol::Moprc
            | Protocol::Mopdl => {
                let number = protocol.link_number().unwrap_or_default();
                let is_protocol = self.link_type(number)?;
                (Origin::Network, index_guard.and(is_protocol))
            }
            _ => return Err(self.error(format!("'{}' does not support indexing", protocol.name()))),
        };
        Ok((self.load_indexed(origin, index, size), condition))
    }
}
