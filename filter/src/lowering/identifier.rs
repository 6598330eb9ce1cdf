//! Lowers identifiers: names, numbers and addresses with their qualifiers.

use super::layout::Origin;
use super::{Lowered, Lowering};
use crate::ast::{CmpOp, Direction, Id, Kind, Qualifiers};
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::link::Family;
use crate::protocol::{Protocol, ether_type};
use crate::value::Size;
use std::net::{IpAddr, Ipv6Addr};

/// An identifier of a port or a protocol.
pub(super) enum NumberOrName<'a> {
    Number(u32),
    Name(&'a str),
}

impl Lowering<'_> {
    /// The identifier, unless it is an address.
    pub(super) fn number_or_name<'a>(
        &self,
        kind: &str,
        id: &'a Id,
    ) -> Result<NumberOrName<'a>, Diagnostic> {
        let what = match id {
            Id::Number(number) => return Ok(NumberOrName::Number(*number)),
            Id::Name(name) => return Ok(NumberOrName::Name(name)),
            Id::Ipv4(_) => "IPv4 address",
            Id::Ipv4Prefix(..) | Id::Ipv4Mask(..) => "IPv4 network",
            Id::Ipv6(..) => "IPv6 address",
            Id::Ethernet(_) | Id::Arcnet(_) => "link-layer address",
        };
        Err(self.error(format!("'{kind}' qualifier applied to {what}")))
    }

    pub(super) fn id(&mut self, qualifiers: Qualifiers, id: &Id) -> Lowered {
        let Qualifiers { protocol, direction, kind } = qualifiers;
        match kind {
            Kind::Proto => self.proto(protocol, id, false),
            Kind::Protochain => self.proto(protocol, id, true),
            Kind::Port | Kind::Portrange => self.port(qualifiers, id),
            Kind::Gateway => self.gateway(protocol, id),
            Kind::Any | Kind::Host | Kind::Net => match id {
                Id::Name(name) if kind == Kind::Net => {
                    let network = self.options.names.network(name).filter(|network| *network != 0);
                    let network =
                        network.ok_or_else(|| self.error(format!("unknown network '{name}'")))?;
                    let (address, mask) = left_aligned(network);
                    self.ipv4_host(qualifiers, address, mask)
                }
                Id::Name(name) => self.named_host(qualifiers, name),
                Id::Number(number) => {
                    let (address, mask) =
                        if kind == Kind::Net { left_aligned(*number) } else { (*number, u32::MAX) };
                    self.ipv4_host(qualifiers, address, mask)
                }
                Id::Ipv4(text) if protocol == Some(Protocol::Decnet) => {
                    let address = self.decnet_address(text)?;
                    self.decnet_host(address, direction)
                }
                Id::Ipv4(text) => {
                    let (address, bits) = self.ipv4(text)?;
                    self.ipv4_host(qualifiers, address, prefix_mask(bits))
                }
                Id::Ipv4Prefix(text, len) => {
                    let (address, _) = self.ipv4(text)?;
                    self.check_max(32, "netmask length", *len)?;
                    let mask = prefix_mask(*len);
                    self.check_network(kind, address & !mask != 0, &format!("{text}/{len}"))?;
                    self.ipv4_host(qualifiers, address, mask)
                }
                Id::Ipv4Mask(text, mask_text) => {
                    let (address, _) = self.ipv4(text)?;
                    let (mask, _) = self.ipv4(mask_text)?;
                    self.check_network(
                        kind,
                        address & !mask != 0,
                        &format!("{text} mask {mask_text}"),
                    )?;
                    self.ipv4_host(qualifiers, address, mask)
                }
                Id::Ipv6(address, len) => self.ipv6(qualifiers, *address, *len),
                Id::Ethernet(address) => self.ethernet_host_of(qualifiers, *address),
                Id::Arcnet(address) => self.byte_host(qualifiers, *address),
            },
        }
    }

    /// Checks that a mask belongs to `net`, and that the address has no bits outside it.
    fn check_network(&self, kind: Kind, has_more_bits: bool, text: &str) -> Result<(), Diagnostic> {
        if has_more_bits {
            return Err(self.error(format!("non-network bits set in \"{text}\"")));
        }
        if kind != Kind::Net {
            return Err(self.error("mask syntax for networks only"));
        }
        Ok(())
    }

    /// Parses one to four decimal numbers. Returns the address, with zeros for missing numbers, and the
    /// number of bits given.
    fn ipv4(&self, text: &str) -> Result<(u32, u32), Diagnostic> {
        let parts = text.split('.').map(str::parse::<u8>).collect::<Result<Vec<_>, _>>();
        let parts = parts.map_err(|_| self.error(format!("invalid IPv4 address '{text}'")))?;
        let mut bytes = [0; 4];
        bytes[..parts.len()].copy_from_slice(&parts);
        let bits = u32::try_from(8 * parts.len()).unwrap_or(32);
        Ok((u32::from_be_bytes(bytes), bits))
    }

    fn decnet_address(&self, text: &str) -> Result<u16, Diagnostic> {
        let parsed = text.split_once('.').and_then(|(area, node)| {
            let (area, node): (u16, u16) = (area.parse().ok()?, node.parse().ok()?);
            (area <= 63 && node <= 1023).then_some(area << 10 | node)
        });
        parsed.ok_or_else(|| self.error(format!("invalid DECnet address '{text}'")))
    }

    fn ipv6(&mut self, qualifiers: Qualifiers, address: Ipv6Addr, len: Option<u32>) -> Lowered {
        let len_or_all = len.unwrap_or(128);
        if 128 < len_or_all {
            return Err(self.error("mask length must be <= 128"));
        }
        let mask = u128::MAX.checked_shl(128 - len_or_all).unwrap_or(0);
        if u128::from(address) & !mask != 0 {
            return Err(self.error(format!("non-network bits set in \"{address}/{len_or_all}\"")));
        }
        if len_or_all != 128 && qualifiers.kind != Kind::Net {
            return Err(self.error("mask syntax for networks only"));
        }
        self.ipv6_host(qualifiers, address, mask)
    }

    fn named_host(&mut self, qualifiers: Qualifiers, name: &str) -> Lowered {
        let Qualifiers { protocol, direction, .. } = qualifiers;
        match protocol {
            Some(Protocol::Link) => {
                if !self.layout.family.is_ethernet() && !self.layout.family.is_wireless() {
                    return Err(self.error("only Ethernet and 802.11 support link-level host name"));
                }
                let address = self.ethernet_of(name)?;
                self.ethernet_host(address, direction)
            }
            Some(Protocol::Decnet) => Err(self.error(format!("invalid DECnet address '{name}'"))),
            _ => {
                let addresses = self.options.names.host(name);
                if addresses.is_empty() {
                    return Err(self.error(format!("unknown host '{name}'")));
                }
                let wants_ipv4 = protocol != Some(Protocol::Ip6);
                let wants_ipv6 =
                    !matches!(protocol, Some(Protocol::Ip | Protocol::Arp | Protocol::Rarp));
                let mut hosts = Vec::new();
                for address in addresses {
                    match address {
                        IpAddr::V4(address) if wants_ipv4 => {
                            hosts.push(self.ipv4_host(qualifiers, address.into(), u32::MAX)?);
                        }
                        IpAddr::V6(address) if wants_ipv6 => {
                            hosts.push(self.ipv6_host(qualifiers, address, u128::MAX)?);
                        }
                        _ => {}
                    }
                }
                if hosts.is_empty() {
                    return Err(
                        self.error(format!("unknown host '{name}' for specified address family"))
                    );
                }
                Ok(Condition::any(hosts))
            }
        }
    }

    fn ethernet_of(&self, name: &str) -> Result<[u8; 6], Diagnostic> {
        self.options
            .names
            .ethernet(name)
            .ok_or_else(|| self.error(format!("unknown ether host '{name}'")))
    }

    /// Packets through a host that are neither from nor to it.
    fn gateway(&mut self, protocol: Option<Protocol>, id: &Id) -> Lowered {
        let name = match id {
            Id::Name(name) => name,
            Id::Ipv4(text) | Id::Ipv4Prefix(text, _) | Id::Ipv4Mask(text, _) => {
                return Err(self.error(format!("'gateway' is not a valid qualifier for '{text}'")));
            }
            _ => return Err(self.error("'gateway' requires a name")),
        };
        if self.layout.is_tunnel {
            return Err(self.error("'gateway' cannot be used within VXLAN or Geneve"));
        }
        if !matches!(protocol, None | Some(Protocol::Ip | Protocol::Arp | Protocol::Rarp)) {
            let protocol = protocol.map_or("", Protocol::name);
            return Err(self.error(format!("'{protocol}' is not a valid qualifier for 'gateway'")));
        }
        if !self.layout.family.is_ethernet() && !self.layout.family.is_wireless() {
            return Err(self.error("'gateway' supported only on Ethernet and 802.11"));
        }
        let address = self.ethernet_of(name)?;
        let via_gateway = self.ethernet_host(address, Direction::SrcOrDst)?;
        let addresses =
            self.options.names.host(name).into_iter().filter_map(|address| match address {
                IpAddr::V4(address) => Some(u32::from(address)),
                IpAddr::V6(_) => None,
            });
        let addresses: Vec<_> = addresses.collect();
        if addresses.is_empty() {
            return Err(self.error(format!("unknown host '{name}'")));
        }
        let any = [Protocol::Ip, Protocol::Arp, Protocol::Rarp];
        let mut forwarded = Vec::new();
        for protocol in protocol.as_ref().map_or(&any[..], std::slice::from_ref) {
            let qualifiers = Qualifiers {
                protocol: Some(*protocol),
                direction: Direction::SrcOrDst,
                kind: Kind::Host,
            };
            let hosts =
                addresses.iter().map(|address| self.ipv4_host(qualifiers, *address, u32::MAX));
            let hosts = Condition::any(hosts.collect::<Result<Vec<_>, _>>()?);
            forwarded.push(self.protocol(*protocol)?.and(hosts.not()));
        }
        Ok(via_gateway.and(Condition::any(forwarded)))
    }

    pub(super) fn broadcast(&mut self, protocol: Option<Protocol>) -> Lowered {
        match protocol {
            None | Some(Protocol::Link) => match self.layout.family {
                Family::Arcnet | Family::ArcnetLinux => {
                    Ok(self.equal(Origin::LinkHeader, 1, Size::Byte, 0))
                }
                Family::Mstp => Ok(self.equal(Origin::LinkHeader, 3, Size::Byte, 0xff)),
                family if family.is_ethernet() || family.is_wireless() => {
                    self.ethernet_host([0xff; 6], Direction::Dst)
                }
                _ => Err(self.error("not a broadcast link")),
            },
            Some(Protocol::Ip) => {
                let Some(netmask) = self.options.netmask else {
                    return Err(self.error("netmask not known, so 'ip broadcast' not supported"));
                };
                let host = !u32::from(netmask);
                let is_ip = self.link_type(ether_type::IP)?;
                let zeros = self.masked(Origin::Network, 16, Size::Word, 0, host);
                let ones = self.masked(Origin::Network, 16, Size::Word, host, host);
                Ok(is_ip.and(zeros.or(ones)))
            }
            Some(other) => {
                Err(self
                    .error(format!("'{}' is not a valid qualifier for 'broadcast'", other.name())))
            }
        }
    }

    pub(super) fn multicast(&mut self, protocol: Option<Protocol>) -> Lowered {
        match protocol {
            None | Some(Protocol::Link) => match self.layout.family {
                Family::Arcnet | Family::ArcnetLinux => {
                    Ok(self.equal(Origin::LinkHeader, 1, Size::Byte, 0))
                }
                family if family.is_ethernet() => {
                    let has_header = self.has_link_header();
                    Ok(has_header.and(self.any_bit(Origin::LinkHeader, 0, Size::Byte, 1)))
                }
                family if family.is_wireless() => self.wireless_multicast(),
                _ => Err(self.error(
                    "link-layer multicast filters supported only on Ethernet, ARCNET and 802.11",
                )),
            },
            Some(Protocol::Ip) => {
                let is_ip = self.link_type(ether_type::IP)?;
                let byte = self.load(Origin::Network, 16, Size::Byte);
                Ok(is_ip.and(self.compare(byte, CmpOp::GreaterOrEqual, 224)))
            }
            Some(Protocol::Ip6) => {
                let is_ip6 = self.link_type(ether_type::IP6)?;
                Ok(is_ip6.and(self.equal(Origin::Network, 24, Size::Byte, 255)))
            }
            Some(other) => {
                Err(self
                    .error(format!("'{}' is not a valid qualifier for 'multicast'", other.name())))
            }
        }
    }
}

/// The network mask with this prefix length.
fn prefix_mask(len: u32) -> u32 {
    u32::MAX.checked_shl(32 - len.min(32)).unwrap_or(0)
}

/// Address and mask of a network number without trailing zero bytes: 10 is 10.0.0.0/8.
fn left_aligned(network: u32) -> (u32, u32) {
    let (mut network, mut mask) = (network, u32::MAX);
    while network != 0 && network & 0xff00_0000 == 0 {
        network <<= 8;
        mask <<= 8;
    }
    (network, mask)
}
