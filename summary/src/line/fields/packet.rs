//! The fields of one packet line, in any order.

use super::{FieldValue, parse_object};
use crate::line::excerpt::number_of;
use crate::line::json::flag_bits;
use crate::line::{Excerpt, ExcerptReader, ParseError};
use crate::{Direction, ProtoNumber, TimeUnit, Timestamp, VlanIds};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use std::fmt;

/// The fields of a packet line that an [`Excerpt`] has.
///
/// If a name occurs more than once, the last value counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field holds the value of the field of its name")]
pub struct PacketFields<'a> {
    pub record_type: FieldValue<'a>,
    pub n: FieldValue<'a>,
    pub ts: FieldValue<'a>,
    pub ts_ns: FieldValue<'a>,
    pub ts_us: FieldValue<'a>,
    pub ts_ms: FieldValue<'a>,
    pub interface: FieldValue<'a>,
    pub direction: FieldValue<'a>,
    pub len: FieldValue<'a>,
    pub eth_src: FieldValue<'a>,
    pub eth_dst: FieldValue<'a>,
    pub vlan: FieldValue<'a>,
    pub src: FieldValue<'a>,
    pub dst: FieldValue<'a>,
    pub sport: FieldValue<'a>,
    pub dport: FieldValue<'a>,
    pub proto: FieldValue<'a>,
    pub ethertype: FieldValue<'a>,
    pub ip_proto: FieldValue<'a>,
    pub linktype: FieldValue<'a>,
    pub ttl: FieldValue<'a>,
    pub flags: FieldValue<'a>,
}

impl<'a> PacketFields<'a> {
    /// Parses a line that is one JSON object (RFC 8259).
    ///
    /// ```
    /// use summary::line::{FieldValue, PacketFields};
    ///
    /// let line = r#"{"len": 60, "other": {"len": 7}, "proto": "tcp", "src": null, "ttl": 6.4e1}"#;
    /// let fields = PacketFields::parse(line).unwrap();
    /// assert_eq!((fields.len.json().as_deref(), fields.src), (Some("60"), FieldValue::Absent));
    /// assert_eq!(fields.proto.text().as_deref(), Some("tcp"));
    /// assert_eq!(fields.ttl.json().as_deref(), Some("6.4e1"));
    /// ```
    ///
    /// # Errors
    ///
    /// If the line is anything but one JSON object.
    #[inline(never)] // The page optimizes this crate for speed, and its callers for size.
    pub fn parse(line: &'a str) -> Result<Self, ParseError> {
        // Almost all lines have only strings without escapes and non-negative integers, which are much
        // faster to parse than to keep as text. If a line has anything else, all its values are kept.
        let mut fields = Self::default();
        if parse_object(line, PacketSeed::<true>(&mut fields)).is_err() {
            fields = Self::default();
            parse_object(line, PacketSeed::<false>(&mut fields))?;
        }
        Ok(fields)
    }

    /// The packet of a line with the sniffer's values in any order: a time in the form of
    /// [`Timestamp::parse`], or a number in the field of its unit, strings without escapes, integers in range. `n` is
    /// 0 if the line has no number. `None` for any other line, and for lines with VLAN identifiers.
    ///
    /// ```
    /// use summary::line::{ExcerptReader, PacketFields};
    ///
    /// let line = r#"{"len": 60, "n": 7, "proto": "stp", "ts": "2026-11-23T02:53:38.123456789Z"}"#;
    /// let packet = PacketFields::parse(line).unwrap().excerpt(&mut ExcerptReader::default()).unwrap();
    /// assert_eq!((packet.n, packet.len, packet.proto), (7, 60, &b"stp"[..]));
    /// ```
    #[inline(never)] // The page optimizes this crate for speed, and its callers for size.
    pub fn excerpt(&self, times: &mut ExcerptReader) -> Option<Excerpt<'a>> {
        if !matches!(self.record_type, FieldValue::Absent | FieldValue::Text("pkt")) {
            return None;
        }
        let ts = match self.ts {
            FieldValue::Json(ts) => {
                times.parse_time(ts.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?)?
            }
            _ => self.time_number()?,
        };
        let direction = match self.direction.plain_text()? {
            Some(name) => Some(Direction::parse(str::from_utf8(name).ok()?)?),
            None => None,
        };
        let flags = match self.flags.plain_text()? {
            Some(letters) => Some(flag_bits(letters)?),
            None => None,
        };
        if self.vlan != FieldValue::Absent {
            return None;
        }
        let proto = self.proto.plain_text()??;
        let number = ProtoNumber::from_fields(
            self.ethertype.integer()?,
            self.ip_proto.integer()?,
            self.linktype.integer()?,
        )?;
        let (src, dst) = match (self.src.plain_text()?, self.dst.plain_text()?) {
            (None, None) => (self.eth_src.plain_text()?, self.eth_dst.plain_text()?),
            addresses => addresses,
        };
        Some(Excerpt {
            n: self.n.integer()?.unwrap_or(0),
            ts,
            interface: self.interface.plain_text()?,
            direction,
            len: self.len.integer()??,
            vlan: VlanIds::default(),
            src,
            dst,
            sport: self.sport.integer()?,
            dport: self.dport.integer()?,
            proto,
            proto_number: number_of(proto, number),
            ttl: self.ttl.integer()?,
            flags,
        })
    }

    /// The time in `ts_ns`, `ts_us` or `ts_ms`, if it is an integer in range.
    pub fn time_number(&self) -> Option<Timestamp> {
        let number = |value| match value {
            FieldValue::Integer(number) => i64::try_from(number).ok(),
            FieldValue::Json(json) => json.parse().ok(),
            FieldValue::Absent | FieldValue::Text(_) => None,
        };
        let ns = number(self.ts_ns).map(|number| (TimeUnit::Ns, number));
        let us = || number(self.ts_us).map(|number| (TimeUnit::Us, number));
        let ms = || number(self.ts_ms).map(|number| (TimeUnit::Ms, number));
        let (unit, number) = ns.or_else(us).or_else(ms)?;
        unit.time(number)
    }

    /// The field with this key.
    fn field(&mut self, key: NameKey) -> Option<&mut FieldValue<'a>> {
        Some(match key {
            NameKey::TYPE => &mut self.record_type,
            NameKey::N => &mut self.n,
            NameKey::TS => &mut self.ts,
            NameKey::TS_NS => &mut self.ts_ns,
            NameKey::TS_US => &mut self.ts_us,
            NameKey::TS_MS => &mut self.ts_ms,
            NameKey::IF => &mut self.interface,
            NameKey::DIR => &mut self.direction,
            NameKey::LEN => &mut self.len,
            NameKey::ETH_SRC => &mut self.eth_src,
            NameKey::ETH_DST => &mut self.eth_dst,
            NameKey::VLAN => &mut self.vlan,
            NameKey::SRC => &mut self.src,
            NameKey::DST => &mut self.dst,
            NameKey::SPORT => &mut self.sport,
            NameKey::DPORT => &mut self.dport,
            NameKey::PROTO => &mut self.proto,
            NameKey::ETHERTYPE => &mut self.ethertype,
            NameKey::IP_PROTO => &mut self.ip_proto,
            NameKey::LINKTYPE => &mut self.linktype,
            NameKey::TTL => &mut self.ttl,
            NameKey::FLAGS => &mut self.flags,
            _ => return None,
        })
    }
}

/// The name of a field as a number, because comparing strings is a function call in WebAssembly.
#[derive(Clone, Copy, PartialEq, Eq)]
struct NameKey(u64);

impl NameKey {
    const TYPE: Self = Self::new(b"type");
    const N: Self = Self::new(b"n");
    const TS: Self = Self::new(b"ts");
    const TS_NS: Self = Self::new(b"ts_ns");
    const TS_US: Self = Self::new(b"ts_us");
    const TS_MS: Self = Self::new(b"ts_ms");
    const IF: Self = Self::new(b"if");
    const DIR: Self = Self::new(b"dir");
    const LEN: Self = Self::new(b"len");
    const ETH_SRC: Self = Self::new(b"eth_src");
    const ETH_DST: Self = Self::new(b"eth_dst");
    const VLAN: Self = Self::new(b"vlan");
    const SRC: Self = Self::new(b"src");
    const DST: Self = Self::new(b"dst");
    const SPORT: Self = Self::new(b"sport");
    const DPORT: Self = Self::new(b"dport");
    const PROTO: Self = Self::new(b"proto");
    const TTL: Self = Self::new(b"ttl");
    const FLAGS: Self = Self::new(b"flags");
    // Longer names have keys that no short name has.
    const ETHERTYPE: Self = Self(2);
    const IP_PROTO: Self = Self(3);
    const LINKTYPE: Self = Self(4);

    /// The key of a name of up to seven bytes; longer names have a common key, except for those that
    /// are needed.
    const fn new(name: &[u8]) -> Self {
        if 7 < name.len() {
            return match name {
                b"ethertype" => Self::ETHERTYPE,
                b"ip_proto" => Self::IP_PROTO,
                b"linktype" => Self::LINKTYPE,
                _ => Self(0),
            };
        }
        // The leading 1 distinguishes names of different lengths.
        let mut key = 1;
        let mut index = 0;
        while index < name.len() {
            key = key << 8 | name[index] as u64;
            index += 1;
        }
        Self(key)
    }
}

impl<'de> Deserialize<'de> for NameKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = NameKey;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a name")
            }
            fn visit_str<E>(self, name: &str) -> Result<NameKey, E> {
                Ok(NameKey::new(name.as_bytes()))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// A simple value: a string without escapes, an integer that is not negative, or `null`.
struct SimpleValue<'a>(FieldValue<'a>);

impl<'de> Deserialize<'de> for SimpleValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;
        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = SimpleValue<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a simple value")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(SimpleValue(FieldValue::Text(text)))
            }
            fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
                Ok(SimpleValue(FieldValue::Integer(value)))
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(SimpleValue(FieldValue::Absent))
            }
        }
        deserializer.deserialize_any(ValueVisitor)
    }
}

/// Fills in the fields of an object: all as JSON text, or, if `IS_SIMPLE`, as simple values.
struct PacketSeed<'f, 'a, const IS_SIMPLE: bool>(&'f mut PacketFields<'a>);

impl<'de, const IS_SIMPLE: bool> DeserializeSeed<'de> for PacketSeed<'_, 'de, IS_SIMPLE> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const IS_SIMPLE: bool> Visitor<'de> for PacketSeed<'_, 'de, IS_SIMPLE> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key()? {
            // The list of VLANs is not simple, and a time is often a number with a fraction.
            let is_json = !IS_SIMPLE || matches!(key, NameKey::VLAN | NameKey::TS);
            match self.0.field(key) {
                None => _ = map.next_value::<IgnoredAny>()?,
                Some(field) if is_json => *field = FieldValue::from_json(map.next_value()?),
                Some(field) => SimpleValue(*field) = map.next_value()?,
            }
        }
        Ok(())
    }
}
