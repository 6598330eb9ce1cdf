//! Fields of JSON lines in any order: for lines that another program wrote, or that went through one.
//! serde_json parses the JSON; what a value means is the caller's decision, because other programs
//! write the same field in different ways.

mod packet;

pub use packet::PacketFields;

use super::ParseError;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

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

impl<'a> FieldValue<'a> {
    fn from_json(value: &'a RawValue) -> Self {
        match value.get() {
            "null" => Self::Absent,
            json => Self::Json(json),
        }
    }

    /// The text of a string without escapes; the outer `None` means that the value is anything else.
    #[inline(always)]
    fn plain_text(self) -> Option<Option<&'a [u8]>> {
        match self {
            Self::Absent => Some(None),
            Self::Text(text) => Some(Some(text.as_bytes())),
            Self::Integer(_) | Self::Json(_) => None,
        }
    }

    /// An integer; the outer `None` means that the value is anything else, or out of range.
    #[inline(always)]
    fn integer<T: TryFrom<u64>>(self) -> Option<Option<T>> {
        match self {
            Self::Absent => Some(None),
            Self::Integer(number) => T::try_from(number).ok().map(Some),
            Self::Text(_) | Self::Json(_) => None,
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
mod tests;
