//! Packets in the form in which they are passed from one WebAssembly module to another: the values that
//! the columns of the page store. Numbers are little-endian and have fixed lengths.

use std::borrow::Cow;
use std::net::IpAddr;
use summary::{Address, LinkType, Mac, Packet, Proto, ProtoNumber, Summary, Timestamp, VlanIds};

/// Marks in the byte for the length of the protocol's name that a number of that registry follows.
const ETHER_TYPE: u8 = 0xff;
const IP_NUMBER: u8 = 0xfe;
const LINK_TYPE: u8 = 0xfd;

/// Bits of the byte that tells which values a packet has.
const HAS_SPORT: u8 = 1;
const HAS_DPORT: u8 = 1 << 1;
const HAS_TTL: u8 = 1 << 2;
const HAS_FLAGS: u8 = 1 << 3;
const HAS_INTERFACE: u8 = 1 << 4;

/// Length of the values at the start of a packet, which all packets have.
const HEAD_LEN: usize = 35;

/// Appends a packet with the offset of its record in the file.
pub(crate) fn put(packet: &Packet<'_>, offset: u64, out: &mut Vec<u8>) {
    let summary = &packet.summary;
    let has = |bit: u8, value: bool| if value { bit } else { 0 };
    let present = has(HAS_SPORT, summary.sport.is_some())
        | has(HAS_DPORT, summary.dport.is_some())
        | has(HAS_TTL, summary.ttl.is_some())
        | has(HAS_FLAGS, summary.tcp.flags.is_some())
        | has(HAS_INTERFACE, packet.interface.is_some());
    let mut head = [0; HEAD_LEN];
    head[..8].copy_from_slice(&offset.to_le_bytes());
    head[8..16].copy_from_slice(&packet.n.to_le_bytes());
    head[16..24].copy_from_slice(&packet.ts.ns().to_le_bytes());
    head[24..28].copy_from_slice(&summary.len.to_le_bytes());
    head[28..30].copy_from_slice(&summary.sport.unwrap_or(0).to_le_bytes());
    head[30..32].copy_from_slice(&summary.dport.unwrap_or(0).to_le_bytes());
    head[32] = present;
    head[33] = summary.ttl.unwrap_or(0);
    head[34] = summary.tcp.flags.unwrap_or(0);
    out.extend_from_slice(&head);
    let (src, dst) = summary.endpoints();
    put_address(src, out);
    put_address(dst, out);
    put_proto(&summary.proto, out);
    let vlan = summary.vlan.as_slice();
    put_len(vlan.len(), out);
    vlan.iter().for_each(|id| out.extend(id.to_le_bytes()));
    if let Some(name) = &packet.interface {
        // Names of pcapng files have at most 65,535 bytes, as all options.
        let len = u16::try_from(name.len()).unwrap_or(0);
        out.extend(len.to_le_bytes());
        out.extend_from_slice(&name.as_bytes()[..len.into()]);
    }
}

/// Appends a length of less than 253.
fn put_len(len: usize, out: &mut Vec<u8>) {
    debug_assert!(len < usize::from(LINK_TYPE), "a length of {len}");
    out.push(len.to_le_bytes()[0]);
}

/// The length of an address tells its kind.
fn put_address(address: Option<Address>, out: &mut Vec<u8>) {
    let mut put = |bytes: &[u8]| {
        put_len(bytes.len(), out);
        out.extend_from_slice(bytes);
    };
    match address {
        None => put(&[]),
        Some(Address::V4(bytes)) => put(&bytes),
        Some(Address::Mac(bytes)) => put(&bytes),
        Some(Address::V6(bytes)) => put(&bytes),
    }
}

fn put_proto(proto: &Proto<'_>, out: &mut Vec<u8>) {
    let Some(number) = proto.number() else {
        let name = proto.name().as_bytes();
        put_len(name.len(), out);
        return out.extend_from_slice(name);
    };
    out.push(match number {
        ProtoNumber::EtherType(_) => ETHER_TYPE,
        ProtoNumber::Ip(_) => IP_NUMBER,
        ProtoNumber::LinkType(_) => LINK_TYPE,
    });
    out.extend(number.value().to_le_bytes());
}

/// Reads the packets that a [`ReadFile`](crate::ReadFile) has passed on, and passes them to `visit` with
/// the offsets of their records. Fields that no column stores are empty.
pub fn unpack(bytes: &[u8], mut visit: impl FnMut(&Packet<'_>, u64)) {
    unpack_with(bytes, |_, packet, offset| {
        visit(packet, offset);
        Some(())
    });
}

/// The same for packets that further values follow, which `visit` reads. Ends if it returns `None`.
#[inline]
pub(crate) fn unpack_with<'a>(
    bytes: &'a [u8],
    mut visit: impl FnMut(&mut Unpacker<'a>, &mut Packet<'a>, u64) -> Option<()>,
) {
    let mut unpacker = Unpacker { rest: bytes };
    // Columns do not store the link type. One packet serves all: moving them would take longer than
    // reading them.
    let summary = Summary::new(LinkType::ETHERNET, 0, 0);
    let mut packet = Packet::new(0, Timestamp::from_ns(0), summary);
    while let Some(offset) = unpacker.read(&mut packet) {
        if visit(&mut unpacker, &mut packet, offset).is_none() {
            return;
        }
    }
}

/// Reads values from the front of bytes. `None` if there are too few.
#[derive(Debug)]
pub(crate) struct Unpacker<'a> {
    rest: &'a [u8],
}

impl<'a> Unpacker<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    fn short(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// An IP address or a MAC address.
    #[inline]
    fn address(&mut self) -> Option<(Option<IpAddr>, Option<Mac>)> {
        Some(match self.byte()? {
            0 => (None, None),
            4 => (Some(IpAddr::from(self.array::<4>()?)), None),
            6 => (None, Some(self.array()?)),
            16 => (Some(IpAddr::from(self.array::<16>()?)), None),
            _ => return None,
        })
    }

    fn proto(&mut self) -> Option<Proto<'a>> {
        let number = match self.byte()? {
            ETHER_TYPE => ProtoNumber::EtherType(self.short()?),
            IP_NUMBER => ProtoNumber::Ip(u8::try_from(self.short()?).ok()?),
            LINK_TYPE => ProtoNumber::LinkType(self.short()?),
            len => return Some(Proto::parse(str::from_utf8(self.bytes(len.into())?).ok()?)),
        };
        Some(Proto::from(number))
    }

    /// Replaces a packet by the next one. Returns the offset of its record; `None` at the end.
    #[inline]
    fn read(&mut self, packet: &mut Packet<'a>) -> Option<u64> {
        let offset = u64::from_le_bytes(self.array()?);
        packet.n = u64::from_le_bytes(self.array()?);
        packet.ts = Timestamp::from_ns(i64::from_le_bytes(self.array()?));
        let summary = &mut packet.summary;
        summary.len = u32::from_le_bytes(self.array()?);
        summary.cap = summary.len;
        let (sport, dport) = (self.short()?, self.short()?);
        let [present, ttl, flags] = self.array()?;
        let has = |bit| present & bit != 0;
        summary.sport = has(HAS_SPORT).then_some(sport);
        summary.dport = has(HAS_DPORT).then_some(dport);
        summary.ttl = has(HAS_TTL).then_some(ttl);
        summary.tcp.flags = has(HAS_FLAGS).then_some(flags);
        (summary.src, summary.eth_src) = self.address()?;
        (summary.dst, summary.eth_dst) = self.address()?;
        summary.proto = self.proto()?;
        summary.vlan = VlanIds::default();
        for _ in 0..self.byte()? {
            let id = self.short()?;
            summary.vlan.push(id).then_some(())?;
        }
        packet.interface = match has(HAS_INTERFACE) {
            true => {
                let len = self.short()?;
                Some(Cow::Borrowed(str::from_utf8(self.bytes(len.into())?).ok()?))
            }
            false => None,
        };
        Some(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn values_of_columns_are_kept(
            n: u64, ns: i64, offset: u64, len: u32, ttl: Option<u8>, flags: Option<u8>,
            ports: (Option<u16>, Option<u16>), ips: (Option<IpAddr>, Option<IpAddr>), macs: Option<[u8; 6]>,
            number: u8, ether_type: Option<u16>, vlan in proptest::collection::vec(any::<u16>(), 0..=VlanIds::CAPACITY),
            name: Option<String>,
        ) {
            let mut summary = Summary::new(LinkType::ETHERNET, len, len);
            (summary.sport, summary.dport) = ports;
            (summary.src, summary.dst) = ips;
            if ips == (None, None) {
                summary.eth_src = macs;
            }
            (summary.ttl, summary.tcp.flags) = (ttl, flags);
            summary.proto = ether_type.map_or(Proto::from_ip_number(number), Proto::from_ether_type);
            for id in vlan {
                prop_assert!(summary.vlan.push(id));
            }
            let mut packet = Packet::new(n, Timestamp::from_ns(ns), summary);
            packet.interface = name.map(Cow::Owned);
            let mut bytes = Vec::new();
            put(&packet, offset, &mut bytes);
            put(&packet, 0, &mut bytes);
            let mut expected = vec![(packet.clone(), offset), (packet, 0)];
            unpack(&bytes, |packet, offset| {
                let (expected, expected_offset) = expected.remove(0);
                assert_eq!((packet, offset), (&expected, expected_offset));
            });
            prop_assert!(expected.is_empty());
        }

        #[test]
        fn any_bytes_terminate(bytes: Vec<u8>) {
            let mut count = 0;
            unpack(&bytes, |_, _| count += 1);
            prop_assert!(count <= bytes.len());
        }
    }
}
