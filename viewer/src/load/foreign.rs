//! Any line of JSON: packets of other programs, which have a time and a length, and the records of
//! the stream in whatever order their keys are.

use crate::clock::rfc3339;
use std::borrow::Cow;
use summary::line;
use summary::{Address, Direction, LinkType, Packet, Proto, Summary, Tcp, Timestamp};

/// The fields of a line as they stand there, in its order.
struct Fields<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> Fields<'a> {
    /// The value of a name; of several, the last one.
    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().rfind(|(known, _)| known == name);
        found.map(|(_, value)| *value).filter(|value| *value != "null")
    }

    /// The text of a name, if there is one.
    ///
    /// # Errors
    ///
    /// Where the value is anything else.
    fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>, String> {
        let Some(value) = self.get(name) else { return Ok(None) };
        line::text(value).map(Some).map_err(|_| format!("`{name}` is no text"))
    }

    /// The whole number of a name, if there is one.
    ///
    /// # Errors
    ///
    /// Where the value is anything else, or does not fit.
    fn number<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, String> {
        let parse = |value: &str| value.parse().map_err(|_| format!("`{name}` is no such number"));
        self.get(name).map(parse).transpose()
    }
}

/// The packet of a line with `ts` and `len`; `None` for a record that is of another type. Without a
/// number it gets `n`.
///
/// `ts` is an RFC 3339 time, or a number since the epoch: seconds, or from 10¹¹ on milliseconds, from
/// 10¹⁴ on microseconds, from 10¹⁷ on nanoseconds.
///
/// # Errors
///
/// Where the line is no JSON, or no packet, in words.
pub(super) fn packet(line: &[u8], n: u64) -> Result<Option<Packet<'_>>, String> {
    let text = str::from_utf8(line).map_err(|error| error.to_string())?;
    let fields = Fields(line::fields(text).map_err(|error| error.to_string())?);
    if fields.text("type")?.is_some_and(|kind| kind != "pkt") {
        return Ok(None);
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
        .map(|letters| letters.bytes().filter_map(Tcp::bit).fold(0, |flags, bit| flags | bit));
    let ids = fields.get("vlan").map(|list| list.trim_matches(['[', ']'])).unwrap_or_default();
    for id in ids.split(',').filter(|id| !id.trim().is_empty()) {
        let id = id.trim().parse().map_err(|_| "`vlan` is no list of numbers")?;
        let _ = summary.vlan.push(id); // more than a frame can have are none
    }
    let mut packet = Packet::new(fields.number("n")?.unwrap_or(n), ts, summary);
    packet.interface = fields.text("if")?;
    packet.direction = fields.text("dir")?.and_then(|name| Direction::parse(&name));
    Ok(Some(packet))
}

/// The fields of a line with their values, for people to read; none where it is no object.
pub fn fields(line: &str) -> Vec<(String, String)> {
    let words = |value: &str| value.trim_matches('"').to_owned();
    let fields = line::fields(line).unwrap_or_default().into_iter();
    fields.map(|(name, value)| (name.into_owned(), words(value))).collect()
}

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
        let packet = packet(line, 7).unwrap().unwrap();
        assert_eq!((packet.n, packet.ts.ns(), packet.summary.len), (7, 1_500_000_000, 60));
        assert_eq!(packet.summary.src, Some(Address::V4([10, 0, 0, 1])));
        for line in [&br#"{"ts":1}"#[..], br#"{"len":1}"#, b"[1,2]", br#"{"ts":1,"len":-1}"#] {
            assert!(super::packet(line, 1).is_err());
        }
    }
}
