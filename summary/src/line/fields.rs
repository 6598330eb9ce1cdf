//! Fields of JSON lines in any order: for lines that another program wrote, or that went through one.
//! serde_json parses the JSON; what a value means is the caller's decision, because other programs
//! write the same field in different ways.

use super::ParseError;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The fields of a packet line that an [`Excerpt`](super::Excerpt) has.
///
/// If a name occurs more than once, the last value counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field holds the value of the field of its name")]
pub struct PacketFields<'a> {
    pub record_type: FieldValue<'a>,
    pub n: FieldValue<'a>,
    pub ts: FieldValue<'a>,
    pub interface: FieldValue<'a>,
    pub direction: FieldValue<'a>,
    pub len: FieldValue<'a>,
    pub vlan: FieldValue<'a>,
    pub src: FieldValue<'a>,
    pub dst: FieldValue<'a>,
    pub sport: FieldValue<'a>,
    pub dport: FieldValue<'a>,
    pub proto: FieldValue<'a>,
    pub ttl: FieldValue<'a>,
    pub flags: FieldValue<'a>,
}

/// The value of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// The line has no such field, or it is `null`.
    #[default]
    Absent,
    /// A string without escapes, without its quotation marks.
    Text(&'a str),
    /// An integer from 0 to 2⁶⁴ - 1.
    Integer(u64),
    /// Any value as JSON text.
    Json(&'a str),
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

    /// The field with this key.
    fn field(&mut self, key: NameKey) -> Option<&mut FieldValue<'a>> {
        Some(match key {
            NameKey::TYPE => &mut self.record_type,
            NameKey::N => &mut self.n,
            NameKey::TS => &mut self.ts,
            NameKey::IF => &mut self.interface,
            NameKey::DIR => &mut self.direction,
            NameKey::LEN => &mut self.len,
            NameKey::VLAN => &mut self.vlan,
            NameKey::SRC => &mut self.src,
            NameKey::DST => &mut self.dst,
            NameKey::SPORT => &mut self.sport,
            NameKey::DPORT => &mut self.dport,
            NameKey::PROTO => &mut self.proto,
            NameKey::TTL => &mut self.ttl,
            NameKey::FLAGS => &mut self.flags,
            _ => return None,
        })
    }
}

impl<'a> FieldValue<'a> {
    fn from_json(value: &'a RawValue) -> Self {
        match value.get() {
            "null" => Self::Absent,
            json => Self::Json(json),
        }
    }

    /// The text of a string; `None` if the value is anything else.
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(json) => string(json),
            Self::Absent | Self::Integer(_) => None,
        }
    }

    /// The value as JSON text; `None` if the field is absent.
    pub fn json(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Absent => None,
            Self::Text(text) => Some(Cow::Owned(format!("\"{text}\""))),
            Self::Integer(value) => Some(Cow::Owned(value.to_string())),
            Self::Json(json) => Some(Cow::Borrowed(json)),
        }
    }
}

/// The name of a field as a number, because comparing strings is a function call in WebAssembly.
#[derive(Clone, Copy, PartialEq, Eq)]
struct NameKey(u64);

impl NameKey {
    const TYPE: Self = Self::new(b"type");
    const N: Self = Self::new(b"n");
    const TS: Self = Self::new(b"ts");
    const IF: Self = Self::new(b"if");
    const DIR: Self = Self::new(b"dir");
    const LEN: Self = Self::new(b"len");
    const VLAN: Self = Self::new(b"vlan");
    const SRC: Self = Self::new(b"src");
    const DST: Self = Self::new(b"dst");
    const SPORT: Self = Self::new(b"sport");
    const DPORT: Self = Self::new(b"dport");
    const PROTO: Self = Self::new(b"proto");
    const TTL: Self = Self::new(b"ttl");
    const FLAGS: Self = Self::new(b"flags");

    /// The key of a name of up to seven bytes; longer names have a common key.
    const fn new(name: &[u8]) -> Self {
        if 7 < name.len() {
            return Self(0);
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
    struct FieldsSeed;
    impl<'de> DeserializeSeed<'de> for FieldsSeed {
        type Value = Vec<(Cow<'de, str>, &'de str)>;
        fn deserialize<D: Deserializer<'de>>(
            self,
            deserializer: D,
        ) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_map(self)
        }
    }
    impl<'de> Visitor<'de> for FieldsSeed {
        type Value = Vec<(Cow<'de, str>, &'de str)>;
        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a JSON object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut fields = Vec::new();
            while let Some((Name(name), value)) = map.next_entry::<_, &RawValue>()? {
                fields.push((name, value.get()));
            }
            Ok(fields)
        }
    }
    parse_object(line, FieldsSeed)
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

/// Parses a line that is one JSON object.
fn parse_object<'a, S: DeserializeSeed<'a>>(
    line: &'a str,
    seed: S,
) -> Result<S::Value, ParseError> {
    let start = line.len() - line.trim_ascii_start().len();
    if line.as_bytes().get(start) != Some(&b'{') {
        let reason = "expected a JSON object".to_owned();
        return Err(ParseError::Json { reason, column: start + 1 });
    }
    let mut deserializer = serde_json::Deserializer::from_str(line);
    let value = seed.deserialize(&mut deserializer)?;
    deserializer.end()?;
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

    fn by_name<'a>(fields: &PacketFields<'a>) -> [(&'static str, FieldValue<'a>); 14] {
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
                    assert_eq!(
                        value.json().as_deref(),
                        expected.map(String::as_str),
                        "{name} in {line}"
                    );
                    let expected =
                        expected.and_then(|value| serde_json::from_str::<String>(value).ok());
                    assert_eq!(value.text().as_deref(), expected.as_deref(), "{name} in {line}");
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
            ",\"ttl\":18446744073709551615",
            ",\"ttl\":18446744073709551616",
            ",\"ttl\":-1",
            ",\"ttl\":-0",
            ",\"src\":\"10.0.0.1\"",
            ",\"src\":\"\\n\"",
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
        assert_eq!((fields.len, fields.ttl), (FieldValue::Json("[3]"), FieldValue::Absent));
        let fields = PacketFields::parse(r#"{"len":1,"ttl":2,"len":3,"ttl":null}"#).unwrap();
        assert_eq!((fields.len, fields.ttl), (FieldValue::Integer(3), FieldValue::Absent));
    }

    #[test]
    fn fields_keep_their_order() {
        let fields = fields(r#"{"b":1,"a":2,"b":3}"#).unwrap();
        assert_eq!(fields, [("b".into(), "1"), ("a".into(), "2"), ("b".into(), "3")]);
    }

    #[test]
    fn similar_names_are_ignored() {
        let line =
            r#"{"\u0000n":1,"N":2,"lens":3,"a longer name":4,"":5,"srcsrcsrcsrcsrcsrcsrc":6}"#;
        assert_eq!(PacketFields::parse(line).unwrap(), PacketFields::default());
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
