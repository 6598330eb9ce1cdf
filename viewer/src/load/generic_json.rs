//! Any line of JSON: packets of other programs, which have a time and a length, and the records of
//! the stream in whatever order their keys are.

use crate::clock::rfc3339;
use std::borrow::Cow;
use summary::line;
use summary::{Address, Direction, LinkType, Packet, Proto, Summary, Tcp, Timestamp};

/// The fields of a line as they stand there, in its order.
struct Fields<'a> {
    all: Vec<(Cow<'a, str>, &'a str)>,
    /// It is the sniffer's: a value of another kind is damage, not a word of somebody else.
    is_strict: bool,
}

impl<'a> Fields<'a> {
    /// The value of a name; of several, the last one.
    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.all.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| *value).filter(|value| *value != "null")
    }

    /// The text of a name, if there is one.
    ///
    /// # Errors
    ///
    /// Where the value is anything else, and the line the sniffer's.
    fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match line::text(value) {
            Err(_) if self.is_strict => Err(format!("`{name}` is no text")),
            text => Ok(text.ok()),
        }
    }

    /// The whole number of a name, if there is one; of others also as a text, or with a fraction of 0.
    ///
    /// # Errors
    ///
    /// Where the value is anything else, or does not fit, and the line is the sniffer's.
    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match (value.parse(), self.is_strict) {
            (Ok(number), _) => Ok(Some(number)),
            (Err(_), true) => Err(format!("`{name}` is no such number")),
            (Err(_), false) => {
                let digits = value.trim_matches('"');
                let whole = match digits.split_once('.') {
                    Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
                    _ => digits,
                };
                Ok(whole.parse().ok())
            }
        }
    }
}

/// The packet of a line with `ts` and `len`; `None` for a record that is of another type. Its number is
/// 0 where the line has none.
///
/// `ts` is an RFC 3339 time, or a number since the epoch: seconds, or from 10¹¹ on milliseconds, from
/// 10¹⁴ on microseconds, from 10¹⁷ on nanoseconds.
///
/// # Errors
///
/// Where the line is no JSON, or no packet, in words.
pub(super) fn packet(line: &[u8]) -> Result<Option<Packet<'_>>, String> {
    let text = str::from_utf8(line).map_err(|error| error.to_string())?;
    let all = line::fields(text).map_err(|error| error.to_string())?;
    let mut fields = Fields { all, is_strict: true };
    match fields.text("type")?.as_deref() {
        Some("pkt") => {}
        None => fields.is_strict = false,
        Some(_) => return Ok(None),
    }
    let no = |what: &str| format!("no `{what}`: a packet has a time and a length");
    let ts = time(fields.get("ts").ok_or_else(|| no("ts"))?).ok_or("`ts` is no time")?;
    let len = fields.number("len")?.ok_or_else(|| no("len"))?;
    let mut summary = Summary::new(LinkType::ETHERNET, len, len);
    let address = |name: &str| -> Result<Option<Address>, String> {
        Ok(fields.text(name)?.and_then(|text| Address::parse(text.as_bytes())))
    };
    (summary.src, summary.dst) = (address("src")?, address("dst")?);
    (summary.sport, summary.dport) = (fields.number("sport")?, fields.number("dport")?);
    summary.proto = Proto::parse(fields.text("proto")?.unwrap_or_else(|| "unknown".into()));
    summary.ttl = fields.number("ttl")?;
    summary.tcp.flags = (fields.text("flags")?)
        .map(|letters| letters.bytes().filter_map(Tcp::flag_bit).fold(0, |flags, bit| flags | bit));
    let ids = fields.get("vlan").map(|list| list.trim_matches(['[', ']'])).unwrap_or_default();
    for id in ids.split(',').filter(|id| !id.trim().is_empty()) {
        match id.trim().parse() {
            // More than a frame can have are none.
            Ok(id) => _ = summary.vlan.push(id),
            Err(_) if fields.is_strict => return Err("`vlan` is no list of numbers".to_owned()),
            Err(_) => {}
        }
    }
    let mut packet = Packet::new(fields.number("n")?.unwrap_or(0), ts, summary);
    packet.interface = fields.text("if")?;
    packet.direction = fields.text("dir")?.and_then(|name| Direction::parse(&name));
    Ok(Some(packet))
}

/// The fields of a line with their values, for people to read; none where it is no object.
pub fn fields(line: &str) -> Vec<(String, String)> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    let fields = line::fields(line).unwrap_or_default();
    let words = |value| line::text(value).map_or_else(|_| value.to_owned(), Cow::into_owned);
    fields.into_iter().map(|(name, value)| (name.into_owned(), words(value))).collect()
}

/// The fields of a line that the table of packets has no columns for, in words.
pub fn other_fields(line: &str) -> String {
    const COLUMNS: [&str; 14] = [
        "type", "n", "ts", "len", "src", "sport", "dst", "dport", "proto", "ttl", "flags", "if",
        "dir", "vlan",
    ];
    let others = fields(line).into_iter().filter(|(name, _)| !COLUMNS.contains(&&name[..]));
    let words: Vec<_> = others.map(|(name, value)| format!("{name} {value}")).collect();
    words.join(" · ")
}

/// What some programs begin a text with.
pub(super) const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The time of a JSON value.
fn time(value: &str) -> Option<Timestamp> {
    match value.strip_prefix('"') {
        Some(text) => rfc3339(text.strip_suffix('"')?).map(Timestamp::from_ns),
        None => number(value),
    }
}

/// A number in the unit that its size tells, without going through floating point; with an exponent
/// it is in seconds.
fn number(text: &str) -> Option<Timestamp> {
    let (is_negative, number) = match text.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, text),
    };
    let (digits, exponent) = match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, Some(exponent.parse::<i16>().ok()?)),
        None => (number, None),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    // Places behind the point that are whole nanoseconds.
    let places = match (exponent, whole.len()) {
        (Some(exponent), _) => isize::from(exponent) + 9,
        (None, ..=11) => 9,
        (None, 12..=14) => 6,
        (None, 15..=17) => 3,
        (None, _) => 0,
    };
    let digits = whole.len().saturating_add_signed(places);
    // As many as an `i64` has, and zeros before them.
    if digits > whole.len() + 18 {
        return None;
    }
    let ns: i64 = format!("0{:0<digits$.digits$}", format!("{whole}{fraction}")).parse().ok()?;
    Some(Timestamp::from_ns(if is_negative { -ns } else { ns }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_other_programs_are_read() {
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
            assert_eq!(time(value).map(Timestamp::ns), Some(ns), "{value}");
        }
        for value in
            [r#""soon""#, r#""2026-11-23T02:53:38""#, "null", "[1]", "\"\"", "true", "1e99", "1e10"]
        {
            assert_eq!(time(value), None, "{value}");
        }
    }

    #[test]
    fn lines_with_time_and_length_are_packets() {
        let line = br#" {"a":[{"b":null}], "len": 60, "src":"10.0.0.1","proto":"dns", "ts" : 1.5}"#;
        let packet = packet(line).unwrap().unwrap();
        assert_eq!((packet.n, packet.ts.ns(), packet.summary.len), (0, 1_500_000_000, 60));
        assert_eq!(packet.summary.src, Some(Address::V4([10, 0, 0, 1])));
        for line in [&br#"{"ts":1}"#[..], br#"{"len":1}"#, b"[1,2]", br#"{"ts":1,"len":-1}"#] {
            assert!(super::packet(line).is_err());
        }
    }

    #[test]
    fn what_others_call_alike_is_taken_where_it_can_be() {
        let line = br#"{"ts":1,"len":60.0,"proto":6,"sport":"443","dport":53.0,"ttl":300,"if":3,"dir":{},"flags":2,"vlan":["x",7],"src":1}"#;
        let packet = packet(line).unwrap().unwrap();
        let summary = &packet.summary;
        assert_eq!((summary.len, summary.sport, summary.dport), (60, Some(443), Some(53)));
        assert_eq!((summary.ttl, summary.src, summary.tcp.flags), (None, None, None));
        assert_eq!((summary.vlan.as_slice(), packet.interface), (&[7][..], None));
        // In the sniffer's lines that is damage.
        for (field, words) in [
            (r#""sport":"443""#, "`sport` is no such number"),
            (r#""proto":6"#, "`proto` is no text"),
            (r#""vlan":["x"]"#, "`vlan` is no list of numbers"),
        ] {
            let line = format!(r#"{{"type":"pkt","ts":1,"len":60,{field}}}"#);
            assert_eq!(super::packet(line.as_bytes()).unwrap_err(), words);
        }
        for line in [&br#"{"ts":1,"len":60.5}"#[..], br#"{"ts":1,"len":"x"}"#] {
            assert!(super::packet(line).is_err());
        }
    }

    #[test]
    fn fields_are_shown_without_their_escapes() {
        let line = "\u{feff}{\"a\":\"x \\\"y\\\"\",\"b\":[1,\"z\"]}";
        let expected = [("a", "x \"y\""), ("b", "[1,\"z\"]")];
        assert_eq!(fields(line), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
}
