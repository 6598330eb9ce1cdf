//! Lowers a syntax tree to a condition for one link type: replaces every primitive by comparisons of
//! fields of the packet.
//!
//! `layout` holds the offsets of the headers. Keywords such as `vlan` change it for the primitives that
//! follow. The submodules lower one group of primitives each.

mod arithmetic;
mod encapsulation;
mod host;
mod identifier;
mod layout;
mod link_type;
mod port;
mod protocol;
mod ss7;
mod wireless;

use crate::ast::{CmpOp, Expression, LlcType, Primitive};
use crate::condition::Condition;
use crate::error::Diagnostic;
use crate::instruction::code::AND;
use crate::instruction::metadata;
use crate::link::{Family, LinkType};
use crate::value::{Size, Temp, Value, ValueId, Values};
use crate::{Options, Source};
use layout::{Layout, Origin};
use std::ops::Range;

/// Error message for a program that needs more memory than there is.
pub(crate) const TOO_COMPLEX: &str =
    "expression is too complex: it needs more than 16 words of BPF memory";

/// Lowers an expression. Returns its condition and the values in it.
pub(crate) fn condition(
    expression: &Expression,
    link: LinkType,
    options: &Options<'_>,
) -> Result<(Condition, Values), Diagnostic> {
    let mut lowering = Lowering {
        values: Values::default(),
        layout: Layout::of(link.family()),
        link,
        options,
        temps: 0,
        header: None,
        span: 0..0,
    };
    let condition = lowering.expression(expression)?;
    let condition = lowering.with_header_lengths(condition);
    if Temp::MAX_COUNT < lowering.temps {
        return Err(lowering.error(TOO_COMPLEX));
    }
    Ok((condition, lowering.values))
}

struct Lowering<'a> {
    values: Values,
    layout: Layout,
    link: LinkType,
    options: &'a Options<'a>,
    /// Number of temporaries so far.
    temps: u8,
    /// Temporaries for the offsets of an 802.11 header, once they are needed.
    header: Option<wireless::Header>,
    /// The part of the expression that is being lowered, for error messages.
    span: Range<usize>,
}

type Lowered = Result<Condition, Diagnostic>;

impl Lowering<'_> {
    fn error(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(message, self.span.clone())
    }

    fn temp(&mut self) -> Temp {
        self.temps = self.temps.saturating_add(1);
        Temp(self.temps - 1)
    }

    /// Checks that `value` is at most `max`.
    fn check_max(&self, max: u32, what: &str, value: u32) -> Result<(), Diagnostic> {
        if value <= max {
            return Ok(());
        }
        Err(self.error(format!("{what} {value} greater than maximum {max}")))
    }

    fn expression(&mut self, expression: &Expression) -> Lowered {
        Ok(match expression {
            Expression::Not(inner) => self.expression(inner)?.not(),
            Expression::Chain(first, rest) => {
                let first = self.expression(first)?;
                let rest = rest.iter().map(|(op, next)| Ok((*op, self.expression(next)?)));
                Condition::Chain(Box::new(first), rest.collect::<Result<_, Diagnostic>>()?)
            }
            Expression::Primitive(primitive, span) => {
                self.span = span.clone();
                self.primitive(primitive)?
            }
        })
    }

    fn primitive(&mut self, primitive: &Primitive) -> Lowered {
        let length = Value::Length;
        Ok(match primitive {
            Primitive::Id(qualifiers, id) => self.id(*qualifiers, id)?,
            Primitive::Protocol(protocol) => self.protocol(*protocol)?,
            Primitive::Comparison { left, op, negated, right } => {
                let (left, left_guard) = self.arithmetic(left)?;
                let (right, right_guard) = self.arithmetic(right)?;
                let test = Condition::Test(left, *op, right);
                let test = if *negated { test.not() } else { test };
                Condition::all([left_guard, right_guard, test])
            }
            Primitive::Broadcast(protocol) => self.broadcast(*protocol)?,
            Primitive::Multicast(protocol) => self.multicast(*protocol)?,
            Primitive::Less(len) => {
                let length = self.values.intern(length);
                self.compare(length, CmpOp::Greater, *len).not()
            }
            Primitive::Greater(len) => {
                let length = self.values.intern(length);
                self.compare(length, CmpOp::GreaterOrEqual, *len)
            }
            Primitive::Byte { index, operator, value } => self.byte(*index, operator, *value)?,
            Primitive::Direction { outbound } => self.direction(*outbound)?,
            Primitive::Ifindex(index) => self.ifindex(*index)?,
            Primitive::Vlan(id) => self.vlan(*id)?,
            Primitive::Mpls(label) => self.mpls(*label)?,
            Primitive::Pppoed => self.link_type(crate::protocol::ether_type::PPPOED)?,
            Primitive::Pppoes(session) => self.pppoes(*session)?,
            Primitive::Geneve(network) => self.geneve(*network)?,
            Primitive::Vxlan(network) => self.vxlan(*network)?,
            Primitive::WirelessType { value, mask } => {
                self.expect_wireless("802.11 link-layer types supported only on 802.11")?;
                self.masked(Origin::LinkHeader, 0, Size::Byte, *value, *mask)
            }
            Primitive::WirelessDirection(direction) => {
                self.expect_wireless("frame direction supported only with 802.11 headers")?;
                self.masked(Origin::LinkHeader, 1, Size::Byte, *direction, 0x03)
            }
            Primitive::Llc(kind) => self.llc(*kind)?,
            Primitive::Mtp2(kind, high_speed) => self.mtp2(*kind, *high_speed)?,
            Primitive::Mtp3 { field, high_speed, op, negated, value } => {
                let test = self.mtp3(*field, *high_speed, *op, *value)?;
                if *negated { test.not() } else { test }
            }
        })
    }

    fn compare(&mut self, value: ValueId, op: CmpOp, number: u32) -> Condition {
        let number = self.values.constant(number);
        Condition::Test(value, op, number)
    }

    fn equal(&mut self, origin: Origin, offset: u32, size: Size, number: u32) -> Condition {
        let value = self.load(origin, offset, size);
        self.compare(value, CmpOp::Equal, number)
    }

    /// `field & mask == number`
    fn masked(
        &mut self,
        origin: Origin,
        offset: u32,
        size: Size,
        number: u32,
        mask: u32,
    ) -> Condition {
        let value = self.load(origin, offset, size);
        let mask = self.values.constant(mask);
        let value = self.values.binary(AND, value, mask);
        self.compare(value, CmpOp::Equal, number)
    }

    /// `field & bits != 0`
    fn any_bit(&mut self, origin: Origin, offset: u32, size: Size, bits: u32) -> Condition {
        let value = self.load(origin, offset, size);
        self.compare(value, CmpOp::AnyBit, bits)
    }

    /// Compares a field with bytes: up to four at a time, the last ones first, as libpcap does.
    fn bytes(&mut self, origin: Origin, offset: u32, bytes: &[u8]) -> Condition {
        let mut parts = Vec::new();
        let mut rest = bytes;
        while let Some((head, word)) = rest.split_last_chunk::<4>() {
            parts.push((head.len(), Size::Word, u32::from_be_bytes(*word)));
            rest = head;
        }
        while let Some((head, half)) = rest.split_last_chunk::<2>() {
            parts.push((head.len(), Size::Half, u16::from_be_bytes(*half).into()));
            rest = head;
        }
        if let [byte] = rest {
            parts.push((0, Size::Byte, (*byte).into()));
        }
        let parts = parts.into_iter().map(|(at, size, number)| {
            let at = u32::try_from(at).expect("a field is short");
            self.equal(origin, offset.wrapping_add(at), size, number)
        });
        Condition::all(parts.collect::<Vec<_>>())
    }

    fn byte(&mut self, index: u32, operator: &str, value: u32) -> Lowered {
        self.check_max(0xff, "byte argument", value)?;
        let byte = self.load(Origin::LinkHeader, index, Size::Byte);
        let number = self.values.constant(value);
        Ok(match operator {
            "=" => Condition::Test(byte, CmpOp::Equal, number),
            "<" => Condition::Test(byte, CmpOp::GreaterOrEqual, number).not(),
            ">" => Condition::Test(byte, CmpOp::Greater, number),
            "&" => Condition::Test(byte, CmpOp::AnyBit, number),
            _ => {
                let either = self.values.binary(crate::instruction::code::OR, byte, number);
                self.compare(either, CmpOp::Equal, 0).not()
            }
        })
    }

    fn metadata(&mut self, what: &str, offset: u32, size: Size) -> Result<ValueId, Diagnostic> {
        if let Source::File { .. } = self.options.source {
            let link = self.link.description();
            return Err(
                self.error(format!("{what} not supported on {link} when reading savefiles"))
            );
        }
        Ok(self.values.load(None, offset, size))
    }

    fn direction(&mut self, outbound: bool) -> Lowered {
        const OUTGOING: u32 = 4;
        let is_outgoing = match self.layout.family {
            Family::Cooked => self.equal(Origin::LinkHeader, 0, Size::Half, OUTGOING),
            Family::Cooked2 => self.equal(Origin::LinkHeader, 10, Size::Byte, OUTGOING),
            Family::Slip => self.equal(Origin::LinkHeader, 0, Size::Byte, 0).not(),
            // The first three bits of the tag are the opcode: 0 for inbound, 1 for outbound.
            Family::EthernetTagged if self.link == LinkType::BROADCOM_TAG => {
                let opcode = u32::from(outbound) << 5;
                return Ok(self.masked(Origin::LinkHeader, 12, Size::Byte, opcode, 0xe0));
            }
            _ => {
                let kind = self.metadata("inbound/outbound", metadata::PACKET_TYPE, Size::Half)?;
                self.compare(kind, CmpOp::Equal, OUTGOING)
            }
        };
        Ok(if outbound { is_outgoing } else { is_outgoing.not() })
    }

    fn ifindex(&mut self, index: u32) -> Lowered {
        if self.layout.family == Family::Cooked2 {
            return Ok(self.equal(Origin::LinkHeader, 4, Size::Word, index));
        }
        let value = self.metadata("ifindex", metadata::INTERFACE_INDEX, Size::Word)?;
        Ok(self.compare(value, CmpOp::Equal, index))
    }

    /// Frames with an 802.2 header.
    fn llc(&mut self, kind: Option<LlcType>) -> Lowered {
        let is_llc = match self.layout.family {
            Family::Ethernet | Family::EthernetTagged => {
                let is_length = self.is_length();
                let is_netware = self.equal(Origin::Payload, 0, Size::Half, 0xffff);
                is_length.and(is_netware.not())
            }
            family if family.is_wireless() => self.data_frame(),
            _ => {
                let link = self.link.description();
                return Err(self.error(format!("'llc' not supported for {link}")));
            }
        };
        let test = match kind {
            None => return Ok(is_llc),
            Some(LlcType::Information) => self.any_bit(Origin::Payload, 2, Size::Byte, 0x01).not(),
            Some(LlcType::Supervisory) => self.masked(Origin::Payload, 2, Size::Byte, 0x01, 0x03),
            Some(LlcType::Unnumbered) => self.masked(Origin::Payload, 2, Size::Byte, 0x03, 0x03),
            Some(LlcType::SupervisoryCommand(code)) => {
                self.masked(Origin::Payload, 2, Size::Byte, code, 0x0f)
            }
            // All bits but poll/final.
            Some(LlcType::UnnumberedCommand(code)) => {
                self.masked(Origin::Payload, 2, Size::Byte, code, 0xef)
            }
        };
        Ok(is_llc.and(test))
    }
}
