//! Lowers encapsulating protocols. The primitives after them apply to the encapsulated packet.

use super::layout::{Offset, Origin};
use super::{Lowered, Lowering};
use crate::Source;
use crate::ast::{CmpOp, Direction};
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::instruction::code::{ADD, AND, MUL};
use crate::instruction::metadata;
use crate::link::Family;
use crate::names::Transport;
use crate::protocol::ether_type;
use crate::value::{Size, Value, ValueId};

const UDP_HEADER_LEN: u32 = 8;
const TUNNEL_HEADER_LEN: u32 = 8;
const GENEVE_PORT: u32 = 6081;
const VXLAN_PORT: u32 = 4789;

impl Lowering<'_> {
    /// Frames with a VLAN tag (IEEE 802.1Q). For a live capture the outermost tag is in the metadata,
    /// because the kernel removes it from the frame.
    pub(super) fn vlan(&mut self, id: Option<u32>) -> Lowered {
        const ID: u32 = 0x0fff;
        if 0 < self.layout.mpls_labels {
            return Err(self.error("no VLAN match after MPLS"));
        }
        let family = self.layout.family;
        if !family.is_ethernet() && !family.is_wireless() {
            let link = self.link.description();
            return Err(self.error(format!("no VLAN support for {link}")));
        }
        if let Some(id) = id {
            self.check_max(ID, "VLAN tag", id)?;
        }
        let is_tag = [ether_type::VLAN, ether_type::VLAN_PROVIDER, ether_type::VLAN_QINQ]
            .map(|number| self.link_type(number));
        let is_tag = Condition::any(is_tag.into_iter().collect::<Result<Vec<_>, _>>()?);
        let has_id = |lowering: &mut Self, tag: Option<ValueId>| {
            let Some(id) = id else { return Condition::Always(true) };
            let tag = tag.unwrap_or_else(|| lowering.load(Origin::Payload, 0, Size::Half));
            let mask = lowering.values.constant(ID);
            let tag = lowering.values.binary(AND, tag, mask);
            lowering.compare(tag, CmpOp::Equal, id)
        };
        let in_packet = has_id(self, None);
        let is_outermost =
            self.layout.vlan_tags == 0 && !self.layout.is_tunnel && family.is_ethernet();
        self.layout.vlan_tags += 1;
        if self.options.source != Source::Live || !is_outermost {
            self.layout.payload = self.layout.payload.plus(4);
            self.layout.link_type = self.layout.link_type.map(|offset| offset.plus(4));
            return Ok(is_tag.and(in_packet));
        }
        let present = self.values.load(None, metadata::VLAN_TAG_PRESENT, Size::Byte);
        let is_in_metadata = self.compare(present, CmpOp::Equal, 1);
        let tag = self.values.load(None, metadata::VLAN_TAG, Size::Half);
        let metadata_id = has_id(self, Some(tag));
        // The number of bytes by which a tag in the packet shifts the headers after it: 0 or 4.
        let shift = self.temp();
        let [nothing, four] = [0, 4].map(|len| self.values.constant(len));
        let variable = self.values.intern(Value::Temp(shift));
        self.layout.payload.variable = Some(variable);
        if let Some(link_type) = &mut self.layout.link_type {
            link_type.variable = Some(variable);
        }
        // Assign the shift before the id is tested: primitives after `not` or `or` need it even if the
        // test fails.
        let in_metadata =
            Condition::all([is_in_metadata, Condition::Store(shift, nothing), metadata_id]);
        let absent = self.compare(present, CmpOp::Equal, 1).not();
        Ok(in_metadata.or(Condition::all([
            absent,
            Condition::Store(shift, four),
            is_tag,
            in_packet,
        ])))
    }

    /// Packets with an MPLS label (RFC 3032).
    pub(super) fn mpls(&mut self, label: Option<u32>) -> Lowered {
        let is_label = if 0 < self.layout.mpls_labels {
            self.masked(Origin::PreviousLabel, 2, Size::Byte, 0, 0x01)
        } else {
            match self.layout.family {
                Family::Ethernet | Family::EthernetTagged | Family::Hdlc => {
                    self.link_type(ether_type::MPLS)?
                }
                Family::Ppp => {
                    const PPP_MPLS_UNICAST: u32 = 0x0281;
                    self.link_type(PPP_MPLS_UNICAST)?
                }
                _ => {
                    let link = self.link.description();
                    return Err(self.error(format!("no MPLS support for {link}")));
                }
            }
        };
        let has_label = match label {
            None => Condition::Always(true),
            Some(label) => {
                self.check_max(0xf_ffff, "MPLS label", label)?;
                self.masked(Origin::Network, 0, Size::Word, label << 12, 0xffff_f000)
            }
        };
        self.layout.network += 4;
        self.layout.network_without_snap += 4;
        self.layout.mpls_labels += 1;
        Ok(is_label.and(has_label))
    }

    /// PPP over Ethernet session packets (RFC 2516).
    pub(super) fn pppoes(&mut self, session: Option<u32>) -> Lowered {
        const HEADER_LEN: u32 = 6;
        let is_session = self.link_type(ether_type::PPPOES)?;
        let has_number = match session {
            None => Condition::Always(true),
            Some(session) => {
                self.check_max(0xffff, "PPPoE session number", session)?;
                self.masked(Origin::Network, 0, Size::Word, session, 0xffff)
            }
        };
        let inner = self.payload().plus(self.layout.network + HEADER_LEN);
        let layout = &mut self.layout;
        layout.family = Family::Ppp;
        layout.link_header = inner;
        layout.link_type = Some(inner);
        layout.payload = inner.plus(2);
        (layout.network, layout.network_without_snap) = (0, 0);
        (layout.is_wireless, layout.is_geneve, layout.is_tunnel) = (false, false, true);
        Ok(is_session.and(has_number))
    }

    /// UDP over IPv4 or IPv6 to a port, with a tunnel header whose flags (value and mask) and network
    /// identifier match. Also returns the offset of that header, which is kept in a temporary.
    fn tunnel(
        &mut self,
        port: u32,
        flags: (u32, u32),
        network: Option<u32>,
    ) -> Result<(Condition, ValueId), Diagnostic> {
        let temp = self.temp();
        let mut either = Vec::new();
        for origin in [Origin::Ipv4Payload, Origin::Ipv6Payload] {
            let to_port =
                self.ports_over(origin, (port, port), Some(Transport::Udp), Direction::Dst)?;
            let has_flags = self.masked(origin, UDP_HEADER_LEN, Size::Byte, flags.0, flags.1);
            let has_network = match network {
                None => Condition::Always(true),
                Some(network) => {
                    self.masked(origin, UDP_HEADER_LEN + 4, Size::Word, network << 8, 0xffff_ff00)
                }
            };
            let header = self.payload().plus(self.layout.network);
            let (ip_len, before) = if origin == Origin::Ipv4Payload {
                (self.ipv4_header_len(header), header.constant)
            } else {
                let zero = self.values.constant(0);
                (header.variable.unwrap_or(zero), header.constant + 40)
            };
            let before = self.values.constant(before + UDP_HEADER_LEN);
            let start = self.values.binary(ADD, ip_len, before);
            either.push(Condition::all([
                to_port,
                has_flags,
                has_network,
                Condition::Store(temp, start),
            ]));
        }
        Ok((Condition::any(either), self.values.intern(Value::Temp(temp))))
    }

    /// Continues in an encapsulated Ethernet frame at `header`.
    fn enter_frame(&mut self, header: Offset, link_type: Offset, payload: Offset) {
        let layout = &mut self.layout;
        layout.family = Family::Ethernet;
        layout.link_header = header;
        layout.link_type = Some(link_type);
        layout.payload = payload;
        (layout.network, layout.network_without_snap) = (0, 3);
        (layout.is_wireless, layout.is_tunnel) = (false, true);
    }

    /// Frames in VXLAN (RFC 7348).
    pub(super) fn vxlan(&mut self, network: Option<u32>) -> Lowered {
        const HAS_NETWORK: u32 = 0x08;
        if let Some(network) = network {
            self.check_max(0xff_ffff, "VXLAN VNI", network)?;
        }
        let (condition, start) = self.tunnel(VXLAN_PORT, (HAS_NETWORK, HAS_NETWORK), network)?;
        let frame = Offset { constant: TUNNEL_HEADER_LEN, variable: Some(start) };
        self.enter_frame(frame, frame.plus(12), frame.plus(14));
        self.layout.is_geneve = false;
        Ok(condition)
    }

    /// Packets in Geneve (RFC 8926): an Ethernet frame, or a packet without a link header.
    pub(super) fn geneve(&mut self, network: Option<u32>) -> Lowered {
        const VERSION: u32 = 0xc0;
        const OPTIONS: u32 = 0x3f;
        if let Some(network) = network {
            self.check_max(0xff_ffff, "Geneve VNI", network)?;
        }
        let (condition, start) = self.tunnel(GENEVE_PORT, (0, VERSION), network)?;
        // The length of the options counts units of 4 bytes.
        let first = self.values.load(Some(start), 0, Size::Byte);
        let [mask, four] = [OPTIONS, 4].map(|number| self.values.constant(number));
        let options = self.values.binary(AND, first, mask);
        let options = self.values.binary(MUL, options, four);
        let fixed = self.values.constant(TUNNEL_HEADER_LEN);
        let len = self.values.binary(ADD, options, fixed);
        let end = self.values.binary(ADD, len, start);
        let [header, link_type, payload] = [self.temp(), self.temp(), self.temp()];
        let header_value = self.values.intern(Value::Temp(header));
        let plus = |lowering: &mut Self, value, more: u32| {
            let more = lowering.values.constant(more);
            lowering.values.binary(ADD, value, more)
        };
        let (inner_type, inner_payload) =
            (plus(self, header_value, 12), plus(self, header_value, 14));
        let own_type = plus(self, start, 2);
        let carried = self.values.load(Some(start), 2, Size::Half);
        let is_frame = self.compare(carried, CmpOp::Equal, ether_type::TEB);
        let of_frame = Condition::all([
            is_frame,
            Condition::Store(link_type, inner_type),
            Condition::Store(payload, inner_payload),
        ]);
        let of_packet =
            Condition::Store(link_type, own_type).and(Condition::Store(payload, header_value));
        let [link_type, payload] = [link_type, payload].map(|temp| Offset {
            constant: 0,
            variable: Some(self.values.intern(Value::Temp(temp))),
        });
        self.enter_frame(Offset { constant: 0, variable: Some(header_value) }, link_type, payload);
        self.layout.is_geneve = true;
        Ok(Condition::all([condition, Condition::Store(header, end), of_frame.or(of_packet)]))
    }

    /// Whether the packet in a Geneve tunnel has a link header; true without such a tunnel.
    pub(super) fn has_link_header(&mut self) -> Condition {
        match (
            self.layout.is_geneve,
            self.layout.link_header.variable,
            self.layout.payload.variable,
        ) {
            (true, Some(header), Some(payload)) => {
                Condition::Test(header, CmpOp::Equal, payload).not()
            }
            _ => Condition::Always(true),
        }
    }
}
