//! The offsets of the headers of a packet. Keywords such as `vlan` change them for the primitives that
//! follow.

use super::Lowering;
use crate::instruction::code::{ADD, AND, LSH};
use crate::link::Family;
use crate::value::{Size, Value, ValueId};

/// An offset in the packet: a constant plus an optional value that depends on the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    pub(super) constant: u32,
    pub(super) variable: Option<ValueId>,
}

impl Offset {
    pub(super) const fn fixed(constant: u32) -> Self {
        Self { constant, variable: None }
    }

    pub(super) fn plus(self, more: u32) -> Self {
        Self { constant: self.constant.wrapping_add(more), ..self }
    }
}

/// The layout that applies to the next primitive.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// Format of the header at `link_header`.
    pub(super) family: Family,
    pub(super) link_header: Offset,
    /// After the link header: the 802.2 header, if there is one.
    pub(super) payload: Offset,
    /// The EtherType or a similar field; `None` if the link type has none.
    pub(super) link_type: Option<Offset>,
    /// Bytes from the payload to the network header, with and without a SNAP header.
    pub(super) network: u32,
    pub(super) network_without_snap: u32,
    /// Number of MPLS labels and VLAN tags before the current header.
    pub(super) mpls_labels: u32,
    pub(super) vlan_tags: u32,
    /// Inside a Geneve tunnel, whose packets may have no link header.
    pub(super) is_geneve: bool,
    /// Inside any tunnel.
    pub(super) is_tunnel: bool,
    /// The length of the link header depends on the packet.
    pub(super) is_wireless: bool,
}

impl Family {
    pub(super) fn is_wireless(self) -> bool {
        matches!(self, Self::Wireless | Self::Radiotap | Self::Ppi)
    }

    pub(super) fn is_ethernet(self) -> bool {
        matches!(self, Self::Ethernet | Self::EthernetTagged)
    }
}

impl Layout {
    pub(super) fn of(family: Family) -> Self {
        let (link_type, payload, network, network_without_snap) = match family {
            Family::Ethernet => (Some(12), 14, 0, 3),
            Family::EthernetTagged => (Some(16), 18, 0, 3),
            Family::Null | Family::Loop => (Some(0), 4, 0, 0),
            Family::Raw
            | Family::Ipv4
            | Family::Ipv6
            | Family::Mtp2
            | Family::Mstp
            | Family::Unknown => (None, 0, 0, 0),
            Family::Slip => (None, 16, 0, 0),
            Family::Cooked => (Some(14), 16, 0, 0),
            Family::Cooked2 => (Some(0), 20, 0, 0),
            Family::Ppp => (Some(2), 4, 0, 0),
            // OSI network headers have a byte of padding before them.
            Family::Hdlc => (Some(2), 4, 0, 1),
            Family::PppEther => (Some(6), 8, 0, 0),
            Family::Wireless | Family::Radiotap | Family::Ppi => (Some(24), 0, 8, 3),
            Family::Arcnet => (Some(2), 6, 0, 0),
            Family::ArcnetLinux => (Some(4), 8, 0, 0),
        };
        Self {
            family,
            link_header: Offset::fixed(0),
            payload: Offset::fixed(payload),
            link_type: link_type.map(Offset::fixed),
            network,
            network_without_snap,
            mpls_labels: 0,
            vlan_tags: 0,
            is_geneve: false,
            is_tunnel: false,
            is_wireless: family.is_wireless(),
        }
    }
}

/// The base that an offset is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Packet,
    LinkHeader,
    LinkType,
    Payload,
    Network,
    /// The network header after 802.2 without SNAP.
    NetworkWithoutSnap,
    /// The last MPLS label before the network header.
    PreviousLabel,
    /// The transport header over IPv4.
    Ipv4Payload,
    /// The transport header over IPv6 without extension headers.
    Ipv6Payload,
}

impl Lowering<'_> {
    fn offset_of(&mut self, origin: Origin) -> Offset {
        let network = self.layout.network;
        match origin {
            Origin::Packet => Offset::fixed(0),
            Origin::LinkHeader => self.link_header(),
            Origin::LinkType => self.layout.link_type.unwrap_or(Offset::fixed(0)),
            Origin::Payload => self.payload(),
            Origin::Network => self.payload().plus(network),
            Origin::NetworkWithoutSnap => {
                let without = self.layout.network_without_snap;
                self.payload().plus(without)
            }
            Origin::PreviousLabel => self.payload().plus(network.wrapping_sub(4)),
            Origin::Ipv4Payload => {
                let header = self.payload().plus(network);
                Offset { variable: Some(self.ipv4_header_len(header)), ..header }
            }
            Origin::Ipv6Payload => self.payload().plus(network + 40),
        }
    }

    /// The length of the IPv4 header at an offset, plus the variable part of the offset.
    pub(super) fn ipv4_header_len(&mut self, header: Offset) -> ValueId {
        let Some(variable) = header.variable else {
            return self.values.intern(Value::HeaderLength(header.constant));
        };
        let first = self.values.load(Some(variable), header.constant, Size::Byte);
        let [mask, shift] = [0xf, 2].map(|number| self.values.constant(number));
        let words = self.values.binary(AND, first, mask);
        let bytes = self.values.binary(LSH, words, shift);
        self.values.binary(ADD, bytes, variable)
    }

    pub(super) fn load(&mut self, origin: Origin, offset: u32, size: Size) -> ValueId {
        let Offset { constant, variable } = self.offset_of(origin).plus(offset);
        self.values.load(variable, constant, size)
    }

    /// Like [`Self::load`], at a computed offset.
    pub(super) fn load_indexed(&mut self, origin: Origin, index: ValueId, size: Size) -> ValueId {
        if let Some(index) = self.values.as_constant(index) {
            return self.load(origin, index, size);
        }
        let Offset { constant, variable } = self.offset_of(origin);
        let base = match variable {
            Some(variable) => self.values.binary(ADD, index, variable),
            None => index,
        };
        self.values.load(Some(base), constant, size)
    }
}
