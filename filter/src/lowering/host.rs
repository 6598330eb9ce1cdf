//! Lowers addresses of hosts and networks: their fields in the headers of each protocol.

use super::layout::Origin;
use super::{Lowered, Lowering};
use crate::ast::{CmpOp, Direction, Kind, Qualifiers};
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::instruction::code::AND;
use crate::link::Family;
use crate::protocol::{Protocol, ether_type};
use crate::value::Size;
use std::net::Ipv6Addr;

impl Lowering<'_> {
    pub(super) fn reject_wireless_direction(
        &self,
        direction: Direction,
        what: &str,
    ) -> Result<(), Diagnostic> {
        let names = match direction {
            Direction::Any
            | Direction::Src
            | Direction::Dst
            | Direction::SrcOrDst
            | Direction::SrcAndDst => {
                return Ok(());
            }
            Direction::Addr1 => "'addr1' and 'address1' are not valid qualifiers",
            Direction::Addr2 => "'addr2' and 'address2' are not valid qualifiers",
            Direction::Addr3 => "'addr3' and 'address3' are not valid qualifiers",
            Direction::Addr4 => "'addr4' and 'address4' are not valid qualifiers",
            Direction::Ra => "'ra' is not a valid qualifier",
            Direction::Ta => "'ta' is not a valid qualifier",
        };
        Err(self.error(format!("{names} for {what}")))
    }

    /// The source, the destination, either or both, depending on the direction.
    fn directed(
        &mut self,
        direction: Direction,
        mut source: impl FnMut(&mut Self) -> Condition,
        mut destination: impl FnMut(&mut Self) -> Condition,
    ) -> Lowered {
        self.reject_wireless_direction(direction, "addresses other than 802.11 MAC addresses")?;
        Ok(match direction {
            Direction::Src => source(self),
            Direction::Dst => destination(self),
            Direction::SrcAndDst => source(self).and(destination(self)),
            _ => source(self).or(destination(self)),
        })
    }

    /// An IPv4 address or network in IP, ARP or RARP; without a protocol, in any of them.
    pub(super) fn ipv4_host(&mut self, qualifiers: Qualifiers, address: u32, mask: u32) -> Lowered {
        let Qualifiers { protocol, direction, kind } = qualifiers;
        let (link_type, source, destination) = match protocol {
            None => {
                let of = |protocol| Qualifiers { protocol: Some(protocol), ..qualifiers };
                let in_ip = self.ipv4_host(of(Protocol::Ip), address, mask)?;
                if 0 < self.layout.mpls_labels {
                    return Ok(in_ip);
                }
                let in_arp = self.ipv4_host(of(Protocol::Arp), address, mask)?;
                let in_rarp = self.ipv4_host(of(Protocol::Rarp), address, mask)?;
                return Ok(Condition::any([in_ip, in_arp, in_rarp]));
            }
            Some(Protocol::Ip) => (ether_type::IP, 12, 16),
            Some(Protocol::Arp) => (ether_type::ARP, 14, 24),
            Some(Protocol::Rarp) => (ether_type::RARP, 14, 24),
            Some(other) => return Err(self.invalid_qualifier(other, kind, "")),
        };
        let is_protocol = self.link_type(link_type)?;
        let at = |offset| {
            move |lowering: &mut Self| {
                if mask == 0 {
                    return Condition::Always(true);
                }
                lowering.masked(Origin::Network, offset, Size::Word, address, mask)
            }
        };
        Ok(is_protocol.and(self.directed(direction, at(source), at(destination))?))
    }

    fn invalid_qualifier(&self, protocol: Protocol, kind: Kind, family: &str) -> Diagnostic {
        self.error(format!(
            "'{}' is not a valid qualifier for '{family}{}'",
            protocol.name(),
            kind.name()
        ))
    }

    /// An IPv6 address or network.
    pub(super) fn ipv6_host(
        &mut self,
        qualifiers: Qualifiers,
        address: Ipv6Addr,
        mask: u128,
    ) -> Lowered {
        let Qualifiers { protocol, direction, kind } = qualifiers;
        match protocol {
            None | Some(Protocol::Ip6) => {}
            Some(other) => return Err(self.invalid_qualifier(other, kind, "ip6 ")),
        }
        let is_ip6 = self.link_type(ether_type::IP6)?;
        let at = |offset: u32| {
            move |lowering: &mut Self| {
                let words = (0..4u32).map(|n| {
                    let word = |number: u128| {
                        let bits = number >> (96 - 32 * n) & u128::from(u32::MAX);
                        u32::try_from(bits).unwrap_or(u32::MAX)
                    };
                    let (address, mask) = (word(address.into()), word(mask));
                    if mask == 0 {
                        return Condition::Always(true);
                    }
                    lowering.masked(Origin::Network, offset + 4 * n, Size::Word, address, mask)
                });
                Condition::all(words.collect::<Vec<_>>())
            }
        };
        Ok(is_ip6.and(self.directed(direction, at(8), at(24))?))
    }

    /// A MAC address in the expression.
    pub(super) fn ethernet_host_of(&mut self, qualifiers: Qualifiers, address: [u8; 6]) -> Lowered {
        if qualifiers.protocol != Some(Protocol::Link) || qualifiers.kind == Kind::Net {
            return Err(self.error("Ethernet address used in non-ether expression"));
        }
        if !self.layout.family.is_ethernet() && !self.layout.family.is_wireless() {
            return Err(self.error("Ethernet addresses supported only on Ethernet and 802.11"));
        }
        self.ethernet_host(address, qualifiers.direction)
    }

    /// Frames with the MAC address of a host.
    pub(super) fn ethernet_host(&mut self, address: [u8; 6], direction: Direction) -> Lowered {
        if self.layout.family.is_wireless() {
            return self.wireless_host(address, direction);
        }
        self.reject_wireless_direction(direction, "addresses other than 802.11 MAC addresses")?;
        let has_header = self.has_link_header();
        let at = |offset| {
            move |lowering: &mut Self| lowering.bytes(Origin::LinkHeader, offset, &address)
        };
        Ok(has_header.and(self.directed(direction, at(6), at(0))?))
    }

    /// A one-byte link-layer address (ARCNET, MS/TP).
    pub(super) fn byte_host(&mut self, qualifiers: Qualifiers, address: u8) -> Lowered {
        if qualifiers.protocol != Some(Protocol::Link) || qualifiers.kind == Kind::Net {
            return Err(self.error("link-layer address used in non-link expression"));
        }
        let (source, destination) = match self.layout.family {
            Family::Arcnet | Family::ArcnetLinux => (0, 1),
            Family::Mstp => (4, 3),
            _ => return Err(self.error("one-byte addresses supported only on ARCNET and MS/TP")),
        };
        let at = |offset| {
            move |lowering: &mut Self| {
                lowering.equal(Origin::LinkHeader, offset, Size::Byte, address.into())
            }
        };
        self.directed(qualifiers.direction, at(source), at(destination))
    }

    /// A DECnet node in data packets with long or short headers, with or without a byte of padding
    /// (DECnet Phase IV, Routing Layer).
    pub(super) fn decnet_host(&mut self, address: u16, direction: Direction) -> Lowered {
        let address = u32::from(address.swap_bytes());
        let is_decnet = self.link_type(ether_type::DECNET)?;
        let at = |long: u32, short: u32| {
            move |lowering: &mut Self| {
                let packets = [
                    (Size::Byte, 0x02, 0x07, 2 + short),
                    (Size::Half, 0x8102, 0xff07, 3 + short),
                    (Size::Byte, 0x06, 0x07, 2 + long),
                    (Size::Half, 0x8106, 0xff07, 3 + long),
                ];
                let packets = packets.map(|(size, flags, mask, offset)| {
                    let flags_of = lowering.load(Origin::Network, 2, size);
                    let mask = lowering.values.constant(mask);
                    let flags_of = lowering.values.binary(AND, flags_of, mask);
                    let is_kind = lowering.compare(flags_of, CmpOp::Equal, flags);
                    is_kind.and(lowering.equal(Origin::Network, offset, Size::Half, address))
                });
                Condition::any(packets)
            }
        };
        // libpcap tests the link type for each direction; testing it once is equivalent.
        Ok(is_decnet.and(self.directed(direction, at(15, 3), at(7, 1))?))
    }
}
