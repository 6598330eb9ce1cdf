//! Lowers ports and port ranges.

use super::identifier::NumberOrName;
use super::layout::Origin;
use super::{Lowered, Lowering};
use crate::ast::{CmpOp, Direction, Id, Kind, Qualifiers};
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::names::Transport;
use crate::protocol::{Protocol, ether_type};
use crate::value::Size;

impl Lowering<'_> {
    /// A port or a range of ports, over IPv6 or IPv4.
    pub(super) fn port(&mut self, qualifiers: Qualifiers, id: &Id) -> Lowered {
        let Qualifiers { protocol, direction, kind } = qualifiers;
        let kind = kind.name();
        let wanted = match protocol {
            None => None,
            Some(Protocol::Tcp) => Some(Transport::Tcp),
            Some(Protocol::Udp) => Some(Transport::Udp),
            Some(Protocol::Sctp) => Some(Transport::Sctp),
            Some(other) => {
                return Err(
                    self.error(format!("'{}' is not a valid qualifier for '{kind}'", other.name()))
                );
            }
        };
        let (low, high, transport) = match self.number_or_name(kind, id)? {
            NumberOrName::Number(number) => (number, number, wanted),
            NumberOrName::Name(name) => {
                self.named_ports(name, wanted, qualifiers.kind == Kind::Portrange)?
            }
        };
        for port in [low, high] {
            self.check_max(0xffff, "port number", port)?;
        }
        self.reject_wireless_direction(direction, &format!("{kind}s"))?;
        let range = (low.min(high), low.max(high));
        let over_ip6 = self.ports_over(Origin::Ipv6Payload, range, transport, direction)?;
        Ok(over_ip6.or(self.ports_over(Origin::Ipv4Payload, range, transport, direction)?))
    }

    /// Resolves the name of a port, or a range of names or numbers. Returns the first and the last port,
    /// and the transport protocol if they belong to one only.
    fn named_ports(
        &self,
        name: &str,
        wanted: Option<Transport>,
        is_range: bool,
    ) -> Result<(u32, u32, Option<Transport>), Diagnostic> {
        let (low, high) = match name.split_once('-') {
            Some((low, high)) if is_range => (low, high),
            _ => (name, name),
        };
        // Names of services can contain a "-".
        let (low, of_low) = self.named_port(low, wanted).or_else(|error| {
            if is_range && low != name { self.named_port(name, wanted) } else { Err(error) }
        })?;
        let (high, of_high) = self.named_port(high, wanted)?;
        Ok((low, high, if of_low == of_high { of_low } else { wanted }))
    }

    fn named_port(
        &self,
        name: &str,
        wanted: Option<Transport>,
    ) -> Result<(u32, Option<Transport>), Diagnostic> {
        if let Ok(number) = name.parse() {
            return Ok((number, wanted));
        }
        let names = self.options.names;
        let of = |transport| names.port(name, transport).map(|port| (u32::from(port), transport));
        // A name with the same port for TCP and UDP belongs to both.
        let found = match (of(Transport::Tcp), of(Transport::Udp)) {
            (Some((tcp, _)), Some((udp, _))) if tcp == udp => Some((tcp, None)),
            (Some((_, _)), Some((udp, transport))) if wanted == Some(transport) => {
                Some((udp, wanted))
            }
            (Some((port, transport)), _) | (None, Some((port, transport))) => {
                Some((port, Some(transport)))
            }
            (None, None) => of(Transport::Sctp).map(|(port, transport)| (port, Some(transport))),
        };
        match (found, wanted) {
            (None, _) => Err(self.error(format!("unknown port '{name}'"))),
            (Some((_, Some(transport))), Some(wanted)) if transport != wanted => {
                Err(self.error(format!("port '{name}' is {}", transport.name())))
            }
            (Some((port, transport)), wanted) => Ok((port, wanted.or(transport))),
        }
    }

    /// Ports over IPv4 or IPv6, whichever `origin` belongs to. Later fragments of IPv4 packets have no
    /// ports.
    pub(super) fn ports_over(
        &mut self,
        origin: Origin,
        (low, high): (u32, u32),
        transport: Option<Transport>,
        direction: Direction,
    ) -> Lowered {
        let (link_type, protocol_at) = match origin {
            Origin::Ipv4Payload => (ether_type::IP, 9),
            _ => (ether_type::IP6, 6),
        };
        let is_ip = self.link_type(link_type)?;
        let transports = self.transports(protocol_at, transport);
        let is_first = match origin {
            Origin::Ipv4Payload => self.first_fragment(),
            _ => Condition::Always(true),
        };
        let ports = self.ports(origin, low, high, direction);
        Ok(Condition::all([is_ip, transports, is_first, ports]))
    }

    /// Tests the protocol field of the network header for a transport protocol, or for any with ports.
    fn transports(&mut self, offset: u32, transport: Option<Transport>) -> Condition {
        let any = [Transport::Sctp, Transport::Tcp, Transport::Udp];
        let transports = transport.as_ref().map_or(&any[..], std::slice::from_ref);
        let tests =
            transports.iter().map(|t| self.equal(Origin::Network, offset, Size::Byte, t.number()));
        Condition::any(tests.collect::<Vec<_>>())
    }

    fn ports(&mut self, origin: Origin, low: u32, high: u32, direction: Direction) -> Condition {
        let mut at = |offset| {
            let port = self.load(origin, offset, Size::Half);
            if low == high {
                return self.compare(port, CmpOp::Equal, low);
            }
            let at_least = self.compare(port, CmpOp::GreaterOrEqual, low);
            at_least.and(self.compare(port, CmpOp::Greater, high).not())
        };
        match direction {
            Direction::Src => at(0),
            Direction::Dst => at(2),
            Direction::SrcAndDst => at(0).and(at(2)),
            _ => at(0).or(at(2)),
        }
    }
}
