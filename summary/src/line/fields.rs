//! Fields of JSON lines in any order, as JSON text: for lines that another program wrote, or that
//! went through one. serde_json checks the syntax; what a value means is the caller's decision,
//! because other programs write the same field in different ways.

use super::ParseError;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// The fields of a packet line that an [`Excerpt`](super::Excerpt) has, each as the JSON
/// text of its value: `"10.0.0.1"` with its quotation marks, `60`, `[1, 2]`.
///
/// `None` means that the line has no such field, or that its value is `null`. If a name occurs more
/// than once, the last value counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field holds the value of the field of its name")]
pub struct PacketFields<'a> {
    pub record_type: Option<&'a str>,
    pub n: Option<&'a str>,
    pub ts: Option<&'a str>,
    pub interface: Option<&'a str>,
    pub direction: Option<&'a str>,
    pub len: Option<&'a str>,
    pub vlan: Option<&'a str>,
    pub src: Option<&'a str>,
    pub dst: Option<&'a str>,
    pub sport: Option<&'a str>,
    pub dport: Option<&'a str>,
    pub proto: Option<&'a str>,
    pub ttl: Option<&'a str>,
    pub flags: Option<&'a str>,
}

#[derive(serde::Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Key {
    Type,
    N,
    Ts,
    If,
    Dir,
    Len,
    Vlan,
    Src,
    Dst,
    Sport,
    Dport,
    Proto,
    Ttl,
    Flags,
    #[serde(other)]
    Other,
}

impl<'a> PacketFields<'a> {
    /// Parses a line that is one JSON object (RFC 8259).
    ///
    /// ```
    /// let line = r#"{"len": 60, "ts": 1.5, "other": {"len": 7}, "src": null}"#;
    /// let fields = summary::line::PacketFields::parse(line).unwrap();
    /// assert_eq!((fields.ts, fields.len, fields.src), (Some("1.5"), Some("60"), None));
    /// ```
    ///
    /// # Errors
    ///
    /// If the line is anything but one JSON object.
    #[inline(never)] // The page optimizes this crate for speed, and its callers for size.
    pub fn parse(line: &'a str) -> Result<Self, ParseError> {
        parse_object(line)
    }
}

impl<'de> FromObject<'de> for PacketFields<'de> {
    fn from_object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut fields = Self::default();
        while let Some(key) = map.next_key()? {
            let field = match key {
                Key::Type => &mut fields.record_type,
                Key::N => &mut fields.n,
                Key::Ts => &mut fields.ts,
                Key::If => &mut fields.interface,
                Key::Dir => &mut fields.direction,
                Key::Len => &mut fields.len,
                Key::Vlan => &mut fields.vlan,
                Key::Src => &mut fields.src,
                Key::Dst => &mut fields.dst,
                Key::Sport => &mut fields.sport,
                Key::Dport => &mut fields.dport,
                Key::Proto => &mut fields.proto,
                Key::Ttl => &mut fields.ttl,
                Key::Flags => &mut fields.flags,
                Key::Other => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            let value = map.next_value::<&RawValue>()?.get();
            *field = (value != "null").then_some(value);
        }
        Ok(fields)
    }
}

/// All fields of a line in their order: names without escapes, values as JSON text.
///
/// ```
/// let fields = summary::line::fields(r#"{"len": 60, "a\tb": [1, {}]}"#).unwrap();
/// assert_eq!(fields, [("len".into(), "60"), ("a\tb".into(), "[1, {}]")]);
/// ```
///
/// # Errors
///
/// If the line is anything but one JSON object.
pub fn fields(line: &str) -> Result<Vec<(Cow<'_, str>, &str)>, ParseError> {
    parse_object(line)
}

impl<'de> FromObject<'de> for Vec<(Cow<'de, str>, &'de str)> {
    fn from_object<A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut fields = Self::new();
        while let Some((Name(name), value)) = map.next_entry::<_, &RawValue>()? {
            fields.push((name, value.get()));
        }
        Ok(fields)
    }
}

/// A name, borrowed unless it has escapes.
#[derive(serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The text of a JSON string; `None` if the value is anything else.
///
/// ```
/// use summary::line::string;
///
/// assert_eq!(string(r#""a\tb""#).as_deref(), Some("a\tb"));
/// assert_eq!(string("60"), None);
/// ```
pub fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = |byte| byte >= b' ' && byte != b'"' && byte != b'\\';
    if inner.bytes().all(is_plain) {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}

/// A value that the fields of a JSON object make.
trait FromObject<'de>: Sized {
    fn from_object<A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;
}

struct Object<T>(T);

impl<'de, T: FromObject<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);
        impl<'de, T: FromObject<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = Object<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::from_object(map).map(Object)
            }
        }
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

fn parse_object<'a, T: FromObject<'a>>(line: &'a str) -> Result<T, ParseError> {
    let start = line.len() - line.trim_ascii_start().len();
    if line.as_bytes().get(start) != Some(&b'{') {
        let reason = "expected a JSON object".to_owned();
        return Err(ParseError::Json { reason, column: start + 1 });
    }
    let Object(value) = serde_json::from_str(line)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// All values of a line as serde_json finds them; of equal names it keeps the last.
    fn reference(line: &str) -> Option<BTreeMap<String, String>> {
        let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(line).ok()?;
        Some(fields.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect())
    }

    fn by_name<'a>(fields: &PacketFields<'a>) -> [(&'static str, Option<&'a str>); 14] {
        [
            ("type", fields.record_type),
            ("n", fields.n),
            ("ts", fields.ts),
            ("if", fields.interface),
            ("dir", fields.direction),
            ("len", fields.len),
            ("vlan", fields.vlan),
            ("src", fields.src),
            ("dst", fields.dst),
            ("sport", fields.sport),
            ("dport", fields.dport),
            ("proto", fields.proto),
            ("ttl", fields.ttl),
            ("flags", fields.flags),
        ]
    }

    fn check(line: &str) {
        let reference = reference(line);
        let all = fields(line).ok().map(|fields| {
            let owned = |(name, value): (Cow<'_, str>, &str)| (name.into_owned(), value.to_owned());
            fields.into_iter().map(owned).collect::<BTreeMap<_, _>>()
        });
        assert_eq!(all, reference, "{line}");
        match (PacketFields::parse(line), reference) {
            (Ok(fields), Some(reference)) => {
                for (name, value) in by_name(&fields) {
                    let expected = reference.get(name).filter(|value| *value != "null");
                    assert_eq!(value, expected.map(String::as_str), "{name} in {line}");
                }
            }
            (parsed, reference) => assert_eq!(parsed.is_ok(), reference.is_some(), "{line}"),
        }
        let value = line.trim_matches([' ', '\t', '\n', '\r']);
        let expected = serde_json::from_str::<String>(value).ok();
        assert_eq!(string(value).map(Cow::into_owned), expected, "{line}");
    }

    /// Tokens in random order: about half of the results are JSON objects.
    fn tokens() -> impl Strategy<Value = String> {
        let token = proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            " ",
            "\"a\"",
            "\"\\u00e9\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\n\\/\"",
            "\"é",
            "\\",
            "\"",
            "\t",
            "true",
            "null",
            "0",
            "-1.5e+9",
            "01",
            "1.",
            "\"b\":1",
            "{\"c\":[]}",
            ",\"len\":60",
            ",\"len\":null",
            ",\"\\u006cen\":61",
        ]);
        (prop::collection::vec(token, 0..9), any::<bool>()).prop_map(|(tokens, is_object)| {
            let text = tokens.concat();
            if is_object { format!("{{\"x\":{text}}}") } else { text }
        })
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let name = prop_oneof![
            any::<String>(),
            proptest::sample::select(
                by_name(&PacketFields::default()).map(|(name, _)| name).to_vec()
            )
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::vec((name.clone(), inner), 0..6)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn fields_match_serde_json_maps(value in json(), is_pretty: bool) {
            let text = if is_pretty {
                serde_json::to_string_pretty(&value)
            } else {
                serde_json::to_string(&value)
            };
            check(&text.unwrap());
        }

        #[test]
        fn invalid_json_is_rejected(line in tokens()) {
            check(&line);
        }
    }

    #[test]
    fn the_last_of_equal_names_counts() {
        let fields = PacketFields::parse(r#"{"len":1,"ttl":2,"len":[3],"ttl":null}"#).unwrap();
        assert_eq!((fields.len, fields.ttl), (Some("[3]"), None));
    }

    #[test]
    fn fields_keep_their_order() {
        let fields = fields(r#"{"b":1,"a":2,"b":3}"#).unwrap();
        assert_eq!(fields, [("b".into(), "1"), ("a".into(), "2"), ("b".into(), "3")]);
    }

    #[test]
    fn errors_give_the_column() {
        for (line, message) in [
            ("", "expected a JSON object at column 1"),
            (" [1]", "expected a JSON object at column 2"),
            ("{\"a\":nul}", "expected ident at column 9"),
            ("{\"a\":1,}", "trailing comma at column 8"),
            ("{\"a\" 1}", "expected `:` at column 6"),
            ("{\"a\":\"b", "EOF while parsing a string at column 7"),
            ("{\"a\":\"\\x\"}", "invalid escape at column 8"),
            ("{} x", "trailing characters at column 4"),
        ] {
            assert_eq!(fields(line).unwrap_err().to_string(), message, "{line}");
            assert_eq!(PacketFields::parse(line).unwrap_err().to_string(), message, "{line}");
        }
    }

    #[test]
    fn nesting_depth_is_not_limited() {
        let depth = 100_000;
        for name in ["a", "len"] {
            let line = format!("{{\"{name}\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
            assert_eq!(fields(&line).unwrap()[0].1.len(), 2 * depth);
            assert!(PacketFields::parse(&line).is_ok());
        }
    }
}
