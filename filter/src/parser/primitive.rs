//! Parses terms that start with a keyword and are not qualifiers: `vlan 5`, `less 100`, `type mgt`.

use super::Parser;
use crate::ast::{CmpOp, LlcType, Mtp2Type, Mtp3Field, Primitive};
use crate::error::Diagnostic;
use crate::lexer::{Keyword, Token};
use crate::protocol::Protocol;

const MANAGEMENT: u32 = 0x00;
const CONTROL: u32 = 0x04;
const DATA: u32 = 0x08;
const TYPE_MASK: u32 = 0x0c;
const SUBTYPE_MASK: u32 = 0xf0;

/// 802.11 frame subtypes: type, name and value (IEEE 802.11).
const SUBTYPES: [(u32, &str, u32); 43] = [
    (MANAGEMENT, "assoc-req", 0x00),
    (MANAGEMENT, "assocreq", 0x00),
    (MANAGEMENT, "assoc-resp", 0x10),
    (MANAGEMENT, "assocresp", 0x10),
    (MANAGEMENT, "reassoc-req", 0x20),
    (MANAGEMENT, "reassocreq", 0x20),
    (MANAGEMENT, "reassoc-resp", 0x30),
    (MANAGEMENT, "reassocresp", 0x30),
    (MANAGEMENT, "probe-req", 0x40),
    (MANAGEMENT, "probereq", 0x40),
    (MANAGEMENT, "probe-resp", 0x50),
    (MANAGEMENT, "proberesp", 0x50),
    (MANAGEMENT, "beacon", 0x80),
    (MANAGEMENT, "atim", 0x90),
    (MANAGEMENT, "disassoc", 0xa0),
    (MANAGEMENT, "disassociation", 0xa0),
    (MANAGEMENT, "auth", 0xb0),
    (MANAGEMENT, "authentication", 0xb0),
    (MANAGEMENT, "deauth", 0xc0),
    (MANAGEMENT, "deauthentication", 0xc0),
    (CONTROL, "bar", 0x80),
    (CONTROL, "ba", 0x90),
    (CONTROL, "ps-poll", 0xa0),
    (CONTROL, "rts", 0xb0),
    (CONTROL, "cts", 0xc0),
    (CONTROL, "ack", 0xd0),
    (CONTROL, "cf-end", 0xe0),
    (CONTROL, "cf-end-ack", 0xf0),
    (DATA, "data", 0x00),
    (DATA, "data-cf-ack", 0x10),
    (DATA, "data-cf-poll", 0x20),
    (DATA, "data-cf-ack-poll", 0x30),
    (DATA, "null", 0x40),
    (DATA, "cf-ack", 0x50),
    (DATA, "cf-poll", 0x60),
    (DATA, "cf-ack-poll", 0x70),
    (DATA, "qos-data", 0x80),
    (DATA, "qos-data-cf-ack", 0x90),
    (DATA, "qos-data-cf-poll", 0xa0),
    (DATA, "qos-data-cf-ack-poll", 0xb0),
    (DATA, "qos", 0xc0),
    (DATA, "qos-cf-poll", 0xe0),
    (DATA, "qos-cf-ack-poll", 0xf0),
];

/// Type and subtype bits of a subtype's name, which is not case-sensitive.
fn subtype(name: &str, frame_type: Option<u32>) -> Option<u32> {
    let (kind, _, value) = SUBTYPES.iter().find(|(kind, known, _)| {
        known.eq_ignore_ascii_case(name) && frame_type.is_none_or(|wanted| wanted == *kind)
    })?;
    Some(kind | value)
}

impl Parser<'_> {
    /// The term at the next token, which may follow a protocol. `None` if no such keyword is next.
    pub(super) fn primitive(
        &mut self,
        protocol: Option<Protocol>,
    ) -> Result<Option<Primitive>, Diagnostic> {
        let Token::Keyword(keyword) = *self.peek() else { return Ok(None) };
        let after_protocol = matches!(
            keyword,
            Keyword::Broadcast
                | Keyword::Multicast
                | Keyword::Type
                | Keyword::Subtype
                | Keyword::Direction
        );
        if protocol.is_some() && !after_protocol {
            return Ok(None);
        }
        let span = self.span();
        self.advance();
        let mtp2 = |kind, high| Ok(Some(Primitive::Mtp2(kind, high)));
        Ok(Some(match keyword {
            Keyword::Broadcast => Primitive::Broadcast(protocol),
            Keyword::Multicast => Primitive::Multicast(protocol),
            Keyword::Less => Primitive::Less(self.number()?),
            Keyword::Greater => Primitive::Greater(self.number()?),
            Keyword::Byte => {
                let index = self.number()?;
                let Token::Symbol(operator @ ("&" | "|" | "<" | ">" | "=")) = *self.peek() else {
                    return Err(self.expected("\"=\", \"<\", \">\", \"&\" or \"|\""));
                };
                self.advance();
                Primitive::Byte { index, operator, value: self.number()? }
            }
            Keyword::Inbound => Primitive::Direction { outbound: false },
            Keyword::Outbound => Primitive::Direction { outbound: true },
            Keyword::Ifindex => Primitive::Ifindex(self.number()?),
            Keyword::Vlan => Primitive::Vlan(self.optional_number()?),
            Keyword::Mpls => Primitive::Mpls(self.optional_number()?),
            Keyword::Pppoed => Primitive::Pppoed,
            Keyword::Pppoes => Primitive::Pppoes(self.optional_number()?),
            Keyword::Geneve => Primitive::Geneve(self.optional_number()?),
            Keyword::Vxlan => Primitive::Vxlan(self.optional_number()?),
            Keyword::Type => self.wireless_type()?,
            Keyword::Subtype => match self.advance() {
                Token::Name(name) => {
                    let value = subtype(&name, None).ok_or_else(|| {
                        Diagnostic::new(
                            format!("unknown 802.11 subtype name \"{name}\""),
                            self.span_since(span.start),
                        )
                    })?;
                    Primitive::WirelessType { value, mask: TYPE_MASK | SUBTYPE_MASK }
                }
                _ => {
                    self.next -= 1;
                    return Err(self.expected("the name of an 802.11 subtype"));
                }
            },
            Keyword::Direction => self.wireless_direction()?,
            Keyword::Llc => Primitive::Llc(self.llc_type()?),
            Keyword::Fisu => return mtp2(Mtp2Type::Fisu, false),
            Keyword::Lssu => return mtp2(Mtp2Type::Lssu, false),
            Keyword::Msu => return mtp2(Mtp2Type::Msu, false),
            Keyword::HighFisu => return mtp2(Mtp2Type::Fisu, true),
            Keyword::HighLssu => return mtp2(Mtp2Type::Lssu, true),
            Keyword::HighMsu => return mtp2(Mtp2Type::Msu, true),
            Keyword::Sio => self.mtp3(Mtp3Field::Sio, false)?,
            Keyword::Opc => self.mtp3(Mtp3Field::Opc, false)?,
            Keyword::Dpc => self.mtp3(Mtp3Field::Dpc, false)?,
            Keyword::Sls => self.mtp3(Mtp3Field::Sls, false)?,
            Keyword::HighSio => self.mtp3(Mtp3Field::Sio, true)?,
            Keyword::HighOpc => self.mtp3(Mtp3Field::Opc, true)?,
            Keyword::HighDpc => self.mtp3(Mtp3Field::Dpc, true)?,
            Keyword::HighSls => self.mtp3(Mtp3Field::Sls, true)?,
            Keyword::Unsupported(what) => {
                return Err(Diagnostic::new(format!("filters for {what} are not supported"), span));
            }
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        }))
    }

    fn wireless_type(&mut self) -> Result<Primitive, Diagnostic> {
        let span = self.span();
        let kind = match self.advance() {
            Token::Number(number) if number & !TYPE_MASK == 0 => number,
            Token::Number(number) => {
                return Err(Diagnostic::new(
                    format!("invalid 802.11 type value 0x{number:02x}"),
                    span,
                ));
            }
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "mgt" | "management" => MANAGEMENT,
                "ctl" | "control" => CONTROL,
                "data" => DATA,
                _ => {
                    return Err(Diagnostic::new(
                        format!("unknown 802.11 type name \"{name}\""),
                        span,
                    ));
                }
            },
            _ => {
                self.next -= 1;
                return Err(self.expected("the name of an 802.11 type"));
            }
        };
        if !self.eat_keyword(Keyword::Subtype) {
            return Ok(Primitive::WirelessType { value: kind, mask: TYPE_MASK });
        }
        let span = self.span();
        let value = match self.advance() {
            Token::Number(number) if number & !SUBTYPE_MASK == 0 => kind | number,
            Token::Number(number) => {
                return Err(Diagnostic::new(
                    format!("invalid 802.11 subtype value 0x{number:02x}"),
                    span,
                ));
            }
            Token::Name(name) => subtype(&name, Some(kind)).ok_or_else(|| {
                Diagnostic::new(format!("unknown 802.11 subtype name \"{name}\""), span)
            })?,
            _ => {
                self.next -= 1;
                return Err(self.expected("the name of an 802.11 subtype"));
            }
        };
        Ok(Primitive::WirelessType { value, mask: TYPE_MASK | SUBTYPE_MASK })
    }

    fn wireless_direction(&mut self) -> Result<Primitive, Diagnostic> {
        let span = self.span();
        Ok(Primitive::WirelessDirection(match self.advance() {
            Token::Number(number) => number,
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "nods" => 0,
                "tods" => 1,
                "fromds" => 2,
                "dstods" => 3,
                _ => {
                    return Err(Diagnostic::new(
                        format!("unknown 802.11 direction \"{name}\""),
                        span,
                    ));
                }
            },
            _ => {
                self.next -= 1;
                return Err(self.expected("an 802.11 direction such as \"tods\""));
            }
        }))
    }

    /// The optional frame type after `llc` (IEEE 802.2, section 5.4).
    fn llc_type(&mut self) -> Result<Option<LlcType>, Diagnostic> {
        let span = self.span();
        let name = match self.peek() {
            Token::Name(name) => name.to_ascii_lowercase(),
            Token::Keyword(Keyword::RnrOrRulenum) => "rnr".to_owned(),
            _ => return Ok(None),
        };
        self.advance();
        Ok(Some(match name.as_str() {
            "i" => LlcType::Information,
            "s" => LlcType::Supervisory,
            "u" => LlcType::Unnumbered,
            "rr" => LlcType::SupervisoryCommand(0x01),
            "rnr" => LlcType::SupervisoryCommand(0x05),
            "rej" => LlcType::SupervisoryCommand(0x09),
            "ui" => LlcType::UnnumberedCommand(0x03),
            "ua" => LlcType::UnnumberedCommand(0x63),
            "disc" => LlcType::UnnumberedCommand(0x43),
            "dm" => LlcType::UnnumberedCommand(0x0f),
            "sabme" => LlcType::UnnumberedCommand(0x6f),
            "test" => LlcType::UnnumberedCommand(0xe3),
            "xid" => LlcType::UnnumberedCommand(0xaf),
            "frmr" => LlcType::UnnumberedCommand(0x87),
            _ => return Err(Diagnostic::new(format!("unknown LLC type name \"{name}\""), span)),
        }))
    }

    /// A comparison of an MTP3 field with a value.
    fn mtp3(&mut self, field: Mtp3Field, high_speed: bool) -> Result<Primitive, Diagnostic> {
        let (op, negated) = match self.comparison_op() {
            Some(found) => {
                self.advance();
                found
            }
            None => (CmpOp::Equal, false),
        };
        Ok(Primitive::Mtp3 { field, high_speed, op, negated, value: self.number()? })
    }
}
