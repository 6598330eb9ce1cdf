//! Values that many packets share, stored once per part and referred to by id.

use super::text_cache::{DirectMappedCache, text_words};
use crate::flow::{Flow, NO_ADDRESS};
use crate::intern::Interner;
use summary::line::Excerpt;
use summary::{Address, Direction, Packet, Proto, ProtoNumber, VlanIds};
use viewer_model::protocol::Class;

/// The distinct flows, addresses, kinds, protocols and interfaces of a part.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) flows: Interner<Flow>,
    pub(super) addresses: Interner<Address>,
    pub(super) kinds: Interner<Kind>,
    pub(super) protos: Interner<String>,
    pub(super) interfaces: Interner<String>,
    caches: Caches,
}

/// Ids of recently seen texts, which saves parsing and hashing them.
#[derive(Debug, Default)]
struct Caches {
    addresses: DirectMappedCache<3, 12>,
    /// For texts of more than 16 bytes.
    long_addresses: DirectMappedCache<6, 12>,
    kinds: DirectMappedCache<1, 10>,
    protos: DirectMappedCache<3, 8>,
    interfaces: DirectMappedCache<3, 8>,
}

/// A combination of properties that many packets share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Kind {
    /// Id of the protocol.
    pub proto: u16,
    /// Class of the protocol.
    pub class: Class,
    /// Id of the interface.
    pub interface: Option<u16>,
    /// Direction of the packet.
    pub direction: Option<Direction>,
    /// VLAN IDs, outermost first.
    pub vlan: VlanIds,
    /// Whether packets have a source port.
    pub has_sport: bool,
    /// Whether packets have a destination port.
    pub has_dport: bool,
    /// Whether packets have a TTL or hop limit.
    pub has_ttl: bool,
    /// TCP flags, FIN lowest.
    pub flags: Option<u8>,
}

/// Ids of a packet's flow and kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ids {
    pub(super) flow: u32,
    pub(super) kind: u16,
}

/// Why a packet has no ids.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refusal {
    /// A text is not one that sniffer writes.
    Unreadable,
    /// All 2^16 ids of protocols, interfaces or kinds are taken.
    Full,
}

impl Refusal {
    pub(super) const FULL: &'static str =
        "too many combinations of protocol, interface, VLAN and flags";
}

impl Dictionary {
    /// The ids of a decoded packet.
    pub(super) fn packet_ids(&mut self, packet: &Packet<'_>) -> Result<Ids, Refusal> {
        let summary = &packet.summary;
        let proto = self.proto(&summary.proto)?;
        let interface = match &packet.interface {
            Some(name) => Some(self.interfaces.short_id_of(&**name).ok_or(Refusal::Full)?),
            None => None,
        };
        let kind = Kind {
            proto,
            class: self.class(proto),
            interface,
            direction: packet.direction,
            vlan: summary.vlan,
            has_sport: summary.sport.is_some(),
            has_dport: summary.dport.is_some(),
            has_ttl: summary.ttl.is_some(),
            flags: summary.tcp.flags,
        };
        let kind = self.kinds.short_id_of(&kind).ok_or(Refusal::Full)?;
        let mut id = |address: Option<Address>| {
            address.map_or(NO_ADDRESS, |address| self.addresses.id(address))
        };
        let (src, dst) = summary.endpoints();
        let (src, dst) = (id(src), id(dst));
        Ok(Ids { flow: self.flows.id(Flow { src, dst, proto }), kind })
    }

    /// The ids of the packet of a line.
    pub(super) fn excerpt_ids(&mut self, excerpt: &Excerpt<'_>) -> Result<Ids, Refusal> {
        let proto = match excerpt.proto_number {
            Some(number) => self.proto_of_number(number)?,
            None => self.proto_of_text(excerpt.proto)?,
        };
        let interface = match excerpt.interface {
            Some(name) => Some(self.interface_of_text(name)?),
            None => None,
        };
        let kind = self.kind_of(excerpt, proto, interface)?;
        let src = self.address_of_text(excerpt.src)?;
        let dst = self.address_of_text(excerpt.dst)?;
        Ok(Ids { flow: self.flows.id(Flow { src, dst, proto }), kind })
    }

    fn kind_of(
        &mut self,
        excerpt: &Excerpt<'_>,
        proto: u16,
        interface: Option<u16>,
    ) -> Result<u16, Refusal> {
        let has_sport = excerpt.sport.is_some();
        let has_dport = excerpt.dport.is_some();
        let has_ttl = excerpt.ttl.is_some();
        // Packets without VLAN IDs fit a key of one word.
        let key = [u64::from(proto)
            | interface.map_or(0, |interface| u64::from(interface) + 1) << 16
            | excerpt.flags.map_or(0, |flags| u64::from(flags) + 1) << 33
            | excerpt.direction.map_or(0, |direction| direction as u64 + 1) << 42
            | u64::from(has_sport) << 45
            | u64::from(has_dport) << 46
            | u64::from(has_ttl) << 47];
        let is_cacheable = excerpt.vlan == VlanIds::default();
        if is_cacheable
            && let Some(id) = self.caches.kinds.get(&key)
            && let Ok(id) = u16::try_from(id)
        {
            return Ok(id);
        }
        let kind = Kind {
            proto,
            class: self.class(proto),
            interface,
            direction: excerpt.direction,
            vlan: excerpt.vlan,
            has_sport,
            has_dport,
            has_ttl,
            flags: excerpt.flags,
        };
        let id = self.kinds.short_id_of(&kind).ok_or(Refusal::Full)?;
        if is_cacheable {
            self.caches.kinds.put(&key, id.into());
        }
        Ok(id)
    }

    fn class(&self, proto: u16) -> Class {
        Class::of(&self.protos.items()[usize::from(proto)])
    }

    fn proto(&mut self, proto: &Proto<'_>) -> Result<u16, Refusal> {
        let id = match proto.number() {
            None => self.protos.short_id_of(proto.name()),
            Some(_) => self.protos.short_id_of(&*proto.to_string()),
        };
        id.ok_or(Refusal::Full)
    }

    #[inline]
    fn proto_of_text(&mut self, text: &[u8]) -> Result<u16, Refusal> {
        let key = text_key(text);
        if let Some(id) = key.and_then(|key| self.caches.protos.get(&key))
            && let Ok(id) = u16::try_from(id)
        {
            return Ok(id);
        }
        let name = str::from_utf8(text).map_err(|_| Refusal::Unreadable)?;
        let id = self.proto(&Proto::parse(name))?;
        if let Some(key) = key {
            self.caches.protos.put(&key, id.into());
        }
        Ok(id)
    }

    fn proto_of_number(&mut self, number: ProtoNumber) -> Result<u16, Refusal> {
        let registry = match number {
            ProtoNumber::EtherType(_) => 0,
            ProtoNumber::Ip(_) => 1,
            ProtoNumber::LinkType(_) => 2,
        };
        // No text has the length 2^64 - 1.
        let key = [u64::MAX, registry, number.value().into()];
        if let Some(id) = self.caches.protos.get(&key)
            && let Ok(id) = u16::try_from(id)
        {
            return Ok(id);
        }
        let id = self.proto(&Proto::from(number))?;
        self.caches.protos.put(&key, id.into());
        Ok(id)
    }

    fn interface_of_text(&mut self, text: &[u8]) -> Result<u16, Refusal> {
        let key = text_key(text);
        if let Some(id) = key.and_then(|key| self.caches.interfaces.get(&key))
            && let Ok(id) = u16::try_from(id)
        {
            return Ok(id);
        }
        let name = str::from_utf8(text).map_err(|_| Refusal::Unreadable)?;
        let id = self.interfaces.short_id_of(name).ok_or(Refusal::Full)?;
        if let Some(key) = key {
            self.caches.interfaces.put(&key, id.into());
        }
        Ok(id)
    }

    #[inline]
    fn address_of_text(&mut self, text: Option<&[u8]>) -> Result<u32, Refusal> {
        let Some(text) = text else { return Ok(NO_ADDRESS) };
        let parse = || Address::parse(text).ok_or(Refusal::Unreadable);
        if let Some(key) = text_key(text) {
            if let Some(id) = self.caches.addresses.get(&key) {
                return Ok(id);
            }
            let id = self.addresses.id(parse()?);
            self.caches.addresses.put(&key, id);
            return Ok(id);
        }
        let [a, b, c, d, e] = text_words::<5>(text).ok_or(Refusal::Unreadable)?;
        let key = [text.len() as u64, a, b, c, d, e];
        if let Some(id) = self.caches.long_addresses.get(&key) {
            return Ok(id);
        }
        let id = self.addresses.id(parse()?);
        self.caches.long_addresses.put(&key, id);
        Ok(id)
    }
}

/// Cache key of a text of up to 16 bytes.
#[inline]
fn text_key(text: &[u8]) -> Option<[u64; 3]> {
    text_words::<2>(text).map(|[a, b]| [text.len() as u64, a, b])
}
