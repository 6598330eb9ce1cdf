//! JSON lines that are not in the sniffer's own form: packets that another program wrote, with at
//! least a time and a length, and the sniffer's records after a program has reordered their fields.
//! `summary::line` parses the JSON; this file interprets unusual values.

use crate::time::rfc3339;
use std::borrow::Cow;
use std::str::FromStr;
use summary::line::{self, Excerpt, ExcerptReader, FieldValue, PacketFields};
use summary::{
    Address, Direction, LinkType, Packet, Proto, ProtoNumber, Summary, Tcp, Timestamp, VlanIds,
};

/// Values of one packet line. Texts are borrowed from the line unless they have escapes.
#[derive(Clone, Debug)]
pub(super) struct GenericPacket<'a> {
    /// 0 if the line has no number.
    pub(super) n: u64,
    ts: Timestamp,
    interface: Option<Cow<'a, str>>,
    direction: Option<Direction>,
    len: u32,
    vlan: VlanIds,
    src: Option<Cow<'a, str>>,
    dst: Option<Cow<'a, str>>,
    sport: Option<u16>,
    dport: Option<u16>,
    proto: Cow<'a, str>,
    proto_number: Option<ProtoNumber>,
    ttl: Option<u8>,
    flags: Option<u8>,
}

impl<'a> GenericPacket<'a> {
    /// Interprets a line with `ts` and `len`; `None` for a record of another type.
    ///
    /// `ts` is an RFC 3339 time, or a number since the epoch: seconds, or from 10¹¹ on milliseconds,
    /// from 10¹⁴ on microseconds, from 10¹⁷ on nanoseconds. `ts_ns`, `ts_us` and `ts_ms` are integers in
    /// their unit.
    ///
    /// A line whose `type` is `pkt` is the sniffer's, and a value of the wrong type makes it invalid.
    /// In other lines such a value is ignored, because the field can have another meaning there.
    ///
    /// # Errors
    ///
    /// If the line is not a packet. The message is for users.
    pub(super) fn new(
        fields: &PacketFields<'a>,
        times: &mut ExcerptReader,
    ) -> Result<Option<Self>, String> {
        let is_strict = match text("type", fields.record_type, true)?.as_deref() {
            None => false,
            Some("pkt") => true,
            Some(_) => return Ok(None),
        };
        let ts = match fields.ts.json() {
            Some(ts) => time(&ts, times).ok_or("`ts` is not a time")?,
            None => fields.time_number().ok_or_else(|| missing("ts"))?,
        };
        let Some(len) = number("len", fields.len, is_strict)? else { return Err(missing("len")) };
        let text = |name, value| text(name, value, is_strict);
        let (mut src, mut dst) = (text("src", fields.src)?, text("dst", fields.dst)?);
        if src.is_none() && dst.is_none() {
            (src, dst) = (text("eth_src", fields.eth_src)?, text("eth_dst", fields.eth_dst)?);
        }
        let sport = number("sport", fields.sport, is_strict)?;
        let dport = number("dport", fields.dport, is_strict)?;
        let proto = text("proto", fields.proto)?.unwrap_or(Cow::Borrowed("unknown"));
        let proto_number = if proto == Proto::OTHER {
            let ethertype = number("ethertype", fields.ethertype, is_strict)?;
            let ip_proto = number("ip_proto", fields.ip_proto, is_strict)?;
            let linktype = number("linktype", fields.linktype, is_strict)?;
            (ethertype.map(ProtoNumber::EtherType))
                .or(ip_proto.map(ProtoNumber::Ip))
                .or(linktype.map(ProtoNumber::LinkType))
        } else {
            None
        };
        let ttl = number("ttl", fields.ttl, is_strict)?;
        let letters = text("flags", fields.flags)?;
        let flags = letters.map(|letters| {
            letters.bytes().filter_map(Tcp::flag_bit).fold(0, |flags, bit| flags | bit)
        });
        let vlan = match fields.vlan.json() {
            Some(list) => vlan_ids(&list, is_strict)?,
            None => VlanIds::default(),
        };
        let n = number("n", fields.n, is_strict)?.unwrap_or(0);
        let interface = text("if", fields.interface)?;
        let direction = text("dir", fields.direction)?.and_then(|name| Direction::parse(&name));
        Ok(Some(Self {
            n,
            ts,
            interface,
            direction,
            len,
            vlan,
            src,
            dst,
            sport,
            dport,
            proto,
            proto_number,
            ttl,
            flags,
        }))
    }

    /// The packet as an excerpt: the cheap way into the columns, which cache the values of texts.
    pub(super) fn excerpt(&self) -> Excerpt<'_> {
        Excerpt {
            n: self.n,
            ts: self.ts,
            interface: self.interface.as_deref().map(str::as_bytes),
            direction: self.direction,
            len: self.len,
            vlan: self.vlan,
            src: self.src.as_deref().map(str::as_bytes),
            dst: self.dst.as_deref().map(str::as_bytes),
            sport: self.sport,
            dport: self.dport,
            proto: self.proto.as_bytes(),
            proto_number: self.proto_number,
            ttl: self.ttl,
            flags: self.flags,
        }
    }

    /// The packet with its addresses parsed; texts that are not addresses are left out.
    pub(super) fn packet(&self) -> Packet<'_> {
        let address = |text: &Option<Cow<'_, str>>| Address::parse(text.as_ref()?.as_bytes());
        let mut summary = Summary::new(LinkType::ETHERNET, self.len, self.len);
        // An address that is not an IP address is a MAC address.
        match address(&self.src) {
            Some(Address::Mac(mac)) => summary.eth_src = Some(mac),
            address => summary.src = address.and_then(Address::ip),
        }
        match address(&self.dst) {
            Some(Address::Mac(mac)) => summary.eth_dst = Some(mac),
            address => summary.dst = address.and_then(Address::ip),
        }
        (summary.sport, summary.dport) = (self.sport, self.dport);
        summary.proto = Proto::from_fields(&*self.proto, self.proto_number);
        (summary.ttl, summary.tcp.flags, summary.vlan) = (self.ttl, self.flags, self.vlan);
        let mut packet = Packet::new(self.n, self.ts, summary);
        packet.interface = self.interface.as_deref().map(Cow::Borrowed);
        packet.direction = self.direction;
        packet
    }
}

#[cold]
fn missing(name: &str) -> String {
    format!("no `{name}`: a packet needs a time (`ts`) and a length (`len`)")
}

/// The text of a field.
///
/// # Errors
///
/// If a field of a strict line has a value that is not a string.
fn text<'a>(
    name: &str,
    value: FieldValue<'a>,
    is_strict: bool,
) -> Result<Option<Cow<'a, str>>, String> {
    match value.text() {
        None if is_strict && value != FieldValue::Absent => {
            Err(format!("`{name}` is not a string"))
        }
        text => Ok(text),
    }
}

/// The whole number of a field. Lines that are not strict may also have it as a string, or with a
/// fraction of zeros.
///
/// # Errors
///
/// If a field of a strict line has a value that is not an integer, or out of range.
fn number<T: TryFrom<u64> + FromStr>(
    name: &str,
    value: FieldValue<'_>,
    is_strict: bool,
) -> Result<Option<T>, String> {
    let number = match value {
        FieldValue::Absent => return Ok(None),
        FieldValue::Integer(number) => T::try_from(number).ok(),
        FieldValue::Json(json) => json.parse().ok(),
        FieldValue::Text(_) => None,
    };
    match (number, value) {
        (None, _) if is_strict => Err(format!("`{name}` is not a whole number, or out of range")),
        (None, FieldValue::Text(text)) => Ok(lenient_number(text)),
        (None, FieldValue::Json(json)) => Ok(lenient_number(json.trim_matches('"'))),
        (number, _) => Ok(number),
    }
}

fn lenient_number<T: FromStr>(digits: &str) -> Option<T> {
    let whole = match digits.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => digits,
    };
    whole.parse().ok()
}

/// The numbers of a list; those after [`VlanIds::CAPACITY`] are ignored.
///
/// # Errors
///
/// If the list of a strict line has anything but numbers of 16 bits.
fn vlan_ids(list: &str, is_strict: bool) -> Result<VlanIds, String> {
    let mut ids = VlanIds::default();
    let list = list.trim_matches(['[', ']']);
    for id in list.split(',').map(str::trim).filter(|id| !id.is_empty()) {
        match id.parse() {
            Ok(id) => _ = ids.push(id),
            Err(_) if is_strict => return Err("`vlan` is not a list of numbers".to_owned()),
            Err(_) => {}
        }
    }
    Ok(ids)
}

/// The fields of a line and their values, for display; none if the line is not a JSON object.
/// Strings are shown without quotation marks and escapes, all other values as JSON.
fn fields(line: &str) -> Vec<(String, String)> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let fields = line::fields(line).unwrap_or_default();
    let text = |json| line::string(json).map_or_else(|| json.to_owned(), Cow::into_owned);
    fields.into_iter().map(|(name, json)| (name.into_owned(), text(json))).collect()
}

/// The fields of a line that have no column in the packet table, as one text.
pub fn other_fields(line: &str) -> String {
    const COLUMNS: [&str; 17] = [
        "type", "n", "ts", "ts_ns", "ts_us", "ts_ms", "len", "src", "sport", "dst", "dport",
        "proto", "ttl", "flags", "if", "dir", "vlan",
    ];
    let others = fields(line).into_iter().filter(|(name, _)| !COLUMNS.contains(&&name[..]));
    let others: Vec<_> = others.map(|(name, value)| format!("{name} {value}")).collect();
    others.join(" · ")
}

/// Some programs, most of them on Windows, start a text file with this character.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The time that a JSON value represents.
fn time(json: &str, times: &mut ExcerptReader) -> Option<Timestamp> {
    let Some(text) = json.strip_prefix('"') else { return epoch_time(json) };
    let text = text.strip_suffix('"')?;
    // The sniffer's own form is the most frequent one, and much faster to parse.
    times.parse_time(text.as_bytes()).or_else(|| rfc3339(text).map(Timestamp::from_ns))
}

/// A number since the epoch, in the unit that its magnitude suggests; a number with an exponent is in
/// seconds. Floating point would lose nanoseconds, so the digits are shifted as text.
fn epoch_time(number: &str) -> Option<Timestamp> {
    let (is_negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent.parse::<i16>().ok()?)),
        None => (number, None),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // The decimal point moves this far to the right to give nanoseconds.
    let shift = match (exponent, whole.len()) {
        (Some(exponent), _) => isize::from(exponent) + 9,
        (None, ..=11) => 9,
        (None, 12..=14) => 6,
        (None, 15..=17) => 3,
        (None, _) => 0,
    };
    let len = whole.len().saturating_add_signed(shift);
    // An `i64` has at most 19 digits; leading zeros are not limited.
    if whole.len() + 18 < len {
        return None;
    }
    let ns: i64 = format!("0{:0<len$.len$}", format!("{whole}{fraction}")).parse().ok()?;
    Some(Timestamp::from_ns(if is_negative { -ns } else { ns }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &[u8]) -> Result<Option<GenericPacket<'_>>, String> {
        let fields = PacketFields::parse(str::from_utf8(line).unwrap());
        GenericPacket::new(
            &fields.map_err(|error| error.to_string())?,
            &mut ExcerptReader::default(),
        )
    }

    #[test]
    fn times_of_other_programs_are_parsed() {
        const NS: i64 = 1_795_402_418_123_456_789; // 2026-11-23T02:53:38.123456789Z
        for (value, ns) in [
            (r#""2026-11-23T02:53:38.123456789Z""#, NS),
            (r#""2026-11-23T02:53:38.1234567891234Z""#, NS),
            (r#""2026-11-23 03:53:38.123456789+01:00""#, NS),
            (r#""2026-11-22T21:53:38.123-05:00""#, NS - 456_789),
            (r#""2026-11-23T02:53:38Z""#, NS - 123_456_789),
            ("1795402418.123456789", NS),
            ("1795402418", NS - 123_456_789),
            ("1795402418123", NS - 456_789),
            ("1795402418123.456789", NS),
            ("1795402418123456", NS - 789),
            ("1795402418123456789", NS),
            ("0.5", 500_000_000),
            ("-1.5", -1_500_000_000),
            ("1e3", 1_000_000_000_000),
            ("1.795402418123456789e9", NS),
            ("1795402418123456789E-9", NS),
            ("-25.5e-1", -2_550_000_000),
            ("1e-10", 0),
        ] {
            assert_eq!(
                time(value, &mut ExcerptReader::default()).map(Timestamp::ns),
                Some(ns),
                "{value}"
            );
        }
        for value in
            [r#""soon""#, r#""2026-11-23T02:53:38""#, "null", "[1]", "\"\"", "true", "1e99", "1e10"]
        {
            assert_eq!(time(value, &mut ExcerptReader::default()), None, "{value}");
        }
    }

    /// The short way to the columns gives the same values as the general one.
    #[test]
    fn excerpts_of_fields_equal_those_of_generic_packets() {
        let base = r#""proto":"tcp","len":60,"ts":"2026-11-23T02:53:38.123456789Z""#;
        for (others, has_excerpt) in [
            ("", true),
            (
                r#","n":7,"type":"pkt","if":"eth0","dir":"in","src":"a","dst":"b","sport":1,"dport":65535,"ttl":255,"flags":"SA""#,
                true,
            ),
            (r#","src":null,"seq":1.5,"x":[{}]"#, true),
            (r#","eth_src":"a","eth_dst":"b","proto":"other","ethertype":35000"#, true),
            (r#","proto":"other","ip_proto":253"#, true),
            (r#","proto":"other","linktype":147"#, true),
            (r#","proto":"other","ip_proto":256"#, false),
            (r#","ts":null,"ts_ns":1795402418123456789"#, true),
            (r#","ts":null,"ts_us":1795402418123456"#, true),
            (r#","ts":null,"ts_ms":-1"#, false),
            (r#","dport":65536"#, false),
            (r#","ttl":"64""#, false),
            (r#","src":"\u0061""#, false),
            (r#","flags":"S?""#, false),
            (r#","dir":"up""#, false),
            (r#","vlan":[1]"#, false),
            (r#","ts":1.5"#, false),
            (r#","type":"meta""#, false),
        ] {
            let line = format!("{{{base}{others}}}");
            let fields = PacketFields::parse(&line).unwrap();
            let excerpt = fields.excerpt(&mut ExcerptReader::default());
            assert_eq!(excerpt.is_some(), has_excerpt, "{line}");
            let generic = parse(line.as_bytes()).unwrap();
            if let Some(excerpt) = excerpt {
                assert_eq!(excerpt, generic.unwrap().excerpt(), "{line}");
            }
        }
    }

    #[test]
    fn lines_with_time_and_length_are_packets() {
        let line = br#" {"a":[{"b":null}], "len": 60, "src":"10.0.0.1","proto":"dns", "ts" : 1.5}"#;
        let generic = parse(line).unwrap().unwrap();
        let packet = generic.packet();
        assert_eq!((packet.n, packet.ts.ns(), packet.summary.len), (0, 1_500_000_000, 60));
        assert_eq!(packet.summary.src, Some([10, 0, 0, 1].into()));
        for line in [&br#"{"ts":1}"#[..], br#"{"len":1}"#, b"[1,2]", br#"{"ts":1,"len":-1}"#] {
            assert!(parse(line).is_err());
        }
    }

    #[test]
    fn unusual_values_are_converted_or_ignored_unless_the_line_is_the_sniffers() {
        let line = br#"{"ts":1,"len":60.0,"proto":6,"sport":"443","dport":53.0,"ttl":300,"if":3,"dir":{},"flags":2,"vlan":["x",7],"src":1}"#;
        let generic = parse(line).unwrap().unwrap();
        let packet = generic.packet();
        let summary = &packet.summary;
        assert_eq!((summary.len, summary.sport, summary.dport), (60, Some(443), Some(53)));
        assert_eq!((summary.ttl, summary.src, summary.tcp.flags), (None, None, None));
        assert_eq!((summary.vlan.as_slice(), packet.interface), (&[7][..], None));
        for (field, reason) in [
            (r#""sport":"443""#, "`sport` is not a whole number, or out of range"),
            (r#""proto":6"#, "`proto` is not a string"),
            (r#""vlan":["x"]"#, "`vlan` is not a list of numbers"),
        ] {
            let line = format!(r#"{{"type":"pkt","ts":1,"len":60,{field}}}"#);
            assert_eq!(parse(line.as_bytes()).unwrap_err(), reason);
        }
        for line in [&br#"{"ts":1,"len":60.5}"#[..], br#"{"ts":1,"len":"x"}"#] {
            assert!(parse(line).is_err());
        }
    }

    #[test]
    fn displayed_fields_have_no_escapes() {
        let line = "\u{feff}{\"a\":\"x \\\"y\\\"\",\"b\":[1,\"z\"]}";
        let expected = [("a", "x \"y\""), ("b", "[1,\"z\"]")];
        assert_eq!(fields(line), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
