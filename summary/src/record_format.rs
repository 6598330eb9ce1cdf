//! What all records have in common: the form of their times, and the user's tags.

use crate::line::{fields, string};
use crate::{Timestamp, write_json};
use serde::Serialize;
use std::fmt::Write as _;
use std::sync::Arc;

/// How records are written. By default, times are RFC 3339 and there are no tags.
#[derive(Clone, Debug, Default)]
pub struct RecordFormat {
    /// The unit of times that are numbers; `None` for text.
    pub time_unit: Option<TimeUnit>,
    /// Fields at the end of each record.
    pub tags: Tags,
}

/// The unit of times as integers since 1970-01-01T00:00:00Z. Fields with such a time have the unit in
/// their names, so that a field has one type in all files: `ts_ns` instead of `ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// Nanoseconds. Today's values are above 2⁵³: a program that reads numbers as `f64` rounds them to
    /// a multiple of 256.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
}

impl TimeUnit {
    /// All units.
    pub const ALL: [Self; 3] = [Self::Ns, Self::Us, Self::Ms];

    /// The end of the names of fields with this unit.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Ns => "_ns",
            Self::Us => "_us",
            Self::Ms => "_ms",
        }
    }

    const fn len_ns(self) -> i64 {
        match self {
            Self::Ns => 1,
            Self::Us => 1_000,
            Self::Ms => 1_000_000,
        }
    }

    /// The number for a time: the unit that it lies in.
    pub const fn number(self, time: Timestamp) -> i64 {
        time.ns().div_euclid(self.len_ns())
    }

    /// The start of a unit; `None` if it is out of the range of timestamps.
    pub fn time(self, number: i64) -> Option<Timestamp> {
        number.checked_mul(self.len_ns()).map(Timestamp::from_ns)
    }
}

/// The fields `tag_KEY` at the end of each record: constant text that tells the sensors of merged
/// streams apart.
#[derive(Clone, Debug)]
pub struct Tags {
    /// Everything after the last field of an untagged record: `,"tag_site":"fra1"}` and a line feed.
    line_end: Arc<[u8]>,
    is_empty: bool,
}

impl Default for Tags {
    fn default() -> Self {
        Self { line_end: Arc::from(*b"}\n"), is_empty: true }
    }
}

/// Why a tag is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    /// The key is empty, or has characters that column names cannot have in some databases.
    #[error("a tag's key consists of a-z, 0-9 and _")]
    Key,
    /// The key occurs twice.
    #[error("tag `{0}` is given more than once")]
    Duplicate(String),
    /// All tags together have more than [`Tags::MAX_LEN`] bytes as JSON.
    #[error("tags take more than {} bytes in a line", Tags::MAX_LEN)]
    TooLong,
}

impl Tags {
    /// Largest length of all tags in a line, in bytes.
    pub const MAX_LEN: usize = 4 << 10;

    /// Tags with these keys and values, in this order.
    ///
    /// ```
    /// use summary::Tags;
    ///
    /// let tags = Tags::new([("site", "fra1"), ("rack", "7")]).unwrap();
    /// assert_eq!(tags.line_end(), b",\"tag_site\":\"fra1\",\"tag_rack\":\"7\"}\n");
    /// assert!(Tags::new([("Site", "fra1")]).is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// If a key is invalid or occurs twice, or the tags are too long.
    pub fn new<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, TagError> {
        let mut text = Vec::new();
        let mut keys = Vec::new();
        for (key, value) in tags {
            let is_valid = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
            if key.is_empty() || !key.bytes().all(is_valid) {
                return Err(TagError::Key);
            }
            if keys.contains(&key) {
                return Err(TagError::Duplicate(key.to_owned()));
            }
            keys.push(key);
            text.extend_from_slice(b",\"tag_");
            text.extend_from_slice(key.as_bytes());
            text.extend_from_slice(b"\":");
            // Writing a string to memory cannot fail.
            let _ = write_json(&mut text, value);
        }
        if Self::MAX_LEN < text.len() {
            return Err(TagError::TooLong);
        }
        text.extend_from_slice(b"}\n");
        Ok(Self { line_end: text.into(), is_empty: keys.is_empty() })
    }

    /// True if there are no tags.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// The end of each line: the tags, the closing brace and the line feed.
    pub fn line_end(&self) -> &[u8] {
        &self.line_end
    }
}

/// The fields of records that are times.
const TIME_FIELDS: [&str; 4] = ["ts", "start", "ts_before", "ts_after"];

impl RecordFormat {
    /// Appends the line of a record, with its line feed, to `out`. A record is a
    /// [`CaptureRecord`](crate::record::CaptureRecord) or another flat object, whose times `ts` and `start` are [`Timestamp`]s.
    ///
    /// ```
    /// use summary::record::{CaptureRecord, Event, EventKind};
    /// use summary::{RecordFormat, Tags, TimeUnit, Timestamp};
    ///
    /// let tags = Tags::new([("site", "fra1")]).unwrap();
    /// let format = RecordFormat { time_unit: Some(TimeUnit::Ms), tags };
    /// let event = Event::new(Timestamp::from_ns(1_763_866_418_123_456_789), EventKind::Rotated);
    /// let mut line = Vec::new();
    /// format.write(&CaptureRecord::Event(event), &mut line);
    /// assert_eq!(
    ///     String::from_utf8(line).unwrap(),
    ///     "{\"type\":\"event\",\"ts_ms\":1763866418123,\"event\":\"rotated\",\"tag_site\":\"fra1\"}\n"
    /// );
    /// ```
    pub fn write(&self, record: &impl Serialize, out: &mut Vec<u8>) {
        let start = out.len();
        // Writing plain data to memory cannot fail.
        let _ = write_json(&mut *out, record);
        if let Some(unit) = self.time_unit {
            let line = out.split_off(start);
            let converted = convert_times(&line, |name, value| {
                let time = Timestamp::parse(string(value)?.as_bytes())?;
                let is_time = TIME_FIELDS.contains(&name);
                is_time.then(|| (format!("{name}{}", unit.suffix()), unit.number(time).to_string()))
            });
            out.extend_from_slice(converted.as_deref().unwrap_or(&line));
        }
        out.pop(); // the brace
        out.extend_from_slice(self.tags.line_end());
    }
}

/// The line of a capture record with its times as text, if it has times that are numbers.
pub(crate) fn with_text_times(line: &[u8]) -> Option<Vec<u8>> {
    convert_times(line, |name, value| {
        let is_time = |name: &str| TIME_FIELDS.contains(&name);
        let unit = TimeUnit::ALL.into_iter().find(|unit| name.ends_with(unit.suffix()))?;
        let name = name.strip_suffix(unit.suffix()).filter(|name| is_time(name))?;
        Some((name.to_owned(), format!("\"{}\"", unit.time(value.parse().ok()?)?)))
    })
}

/// Copies a JSON object, and replaces the names and values of the fields for which `convert` gives
/// others.
fn convert_times(
    line: &[u8],
    convert: impl Fn(&str, &str) -> Option<(String, String)>,
) -> Option<Vec<u8>> {
    let mut text = String::with_capacity(line.len());
    for (name, value) in fields(str::from_utf8(line).ok()?).ok()? {
        let separator = if text.is_empty() { '{' } else { ',' };
        let name = serde_json::to_string(&name).ok()?;
        match convert(name.trim_matches('"'), value) {
            // Writing to a string cannot fail.
            Some((name, value)) => _ = write!(text, "{separator}\"{name}\":{value}"),
            None => _ = write!(text, "{separator}{name}:{value}"),
        }
    }
    text.push('}');
    Some(text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::{Record, Writer, parse};
    use crate::record::{CaptureRecord, End, Event, EventKind, Reason};
    use crate::{LinkType, Packet, Summary};
    use proptest::prelude::*;

    fn formats() -> impl Strategy<Value = RecordFormat> {
        let unit = proptest::sample::select(vec![
            None,
            Some(TimeUnit::Ns),
            Some(TimeUnit::Us),
            Some(TimeUnit::Ms),
        ]);
        let tags = proptest::collection::btree_map("[a-z0-9_]{1,9}", any::<String>(), 0..3);
        (unit, tags).prop_map(|(time_unit, tags)| {
            let tags = tags.iter().map(|(key, value)| (&**key, &**value));
            RecordFormat { time_unit, tags: Tags::new(tags).unwrap() }
        })
    }

    type Fields = Vec<(String, String)>;

    /// The fields of a line without its tags, and its tags.
    fn split_tags(line: &[u8]) -> (Fields, Fields) {
        let line = str::from_utf8(line).unwrap().strip_suffix('\n').unwrap();
        let all = fields(line).unwrap().into_iter();
        all.map(|(name, value)| (name.into_owned(), value.to_owned()))
            .partition(|(name, _)| !name.starts_with("tag_"))
    }

    #[test]
    fn unsuitable_tags_are_rejected() {
        for (tags, error) in [
            (vec![("", "x")], TagError::Key),
            (vec![("Site", "x")], TagError::Key),
            (vec![("a-b", "x")], TagError::Key),
            (vec![("é", "x")], TagError::Key),
            (vec![("a", "x"), ("b", "y"), ("a", "x")], TagError::Duplicate("a".to_owned())),
            (vec![("a", &*"x".repeat(5_000))], TagError::TooLong),
        ] {
            assert_eq!(Tags::new(tags.clone()).unwrap_err(), error, "{tags:?}");
        }
    }

    #[test]
    fn values_of_tags_cannot_end_the_line() {
        let tags = Tags::new([("a", "\"},\n\u{202e}")]).unwrap();
        assert_eq!(tags.line_end(), b",\"tag_a\":\"\\\"},\\n\\u202e\"}\n");
    }

    #[test]
    fn units_round_down_also_before_1970() {
        let time = Timestamp::from_ns(-1_500_001);
        assert_eq!(TimeUnit::ALL.map(|unit| unit.number(time)), [-1_500_001, -1_501, -2]);
        assert_eq!(TimeUnit::Ms.time(i64::MAX), None);
    }

    proptest! {
        #[test]
        fn capture_records_of_every_format_parse_back(
            ns: i64, gap: u32, name: String, evicted in prop::option::of(0u64..9), format in formats(),
        ) {
            // The start of a unit, which no unit rounds.
            let ts = Timestamp::from_ns(ns / 1_000_000 * 1_000_000);
            let event = Event {
                interface: Some(name),
                gap_ns: Some(gap.into()),
                ts_after: Some(ts),
                ..Event::new(ts, EventKind::IfaceUp)
            };
            let end = End {
                ts, reason: Reason::Eof, recv: 1, drop: 2, out: 3, skip: 4, bytes: 5,
                names_evicted: evicted,
            };
            for record in [CaptureRecord::Event(event), CaptureRecord::End(end)] {
                let mut line = Vec::new();
                format.write(&record, &mut line);
                prop_assert_eq!(parse(&line), Ok(Record::Capture(record)));
            }
        }

        /// Tags and units change nothing else in a line.
        #[test]
        fn packets_of_every_format_have_the_same_fields(ns: i64, format in formats()) {
            let ts = Timestamp::from_ns(ns);
            let packet = Packet::new(7, ts, Summary::new(LinkType::ETHERNET, 60, 60));
            let (mut plain, mut line) = (Vec::new(), Vec::new());
            Writer::default().write(&packet, &mut plain);
            Writer::new(&format).write(&packet, &mut line);
            let (mut expected, _) = split_tags(&plain);
            if let Some(unit) = format.time_unit {
                expected[2] = (format!("ts{}", unit.suffix()), unit.number(ts).to_string());
            }
            let (fields, tags) = split_tags(&line);
            prop_assert_eq!(fields, expected);
            let all = [b"{\"a\":1", format.tags.line_end()].concat();
            prop_assert_eq!(tags, split_tags(&all).1);
            let rounded = match format.time_unit {
                None => Some(ts),
                Some(unit) => unit.time(unit.number(ts)),
            };
            match (rounded, parse(&line)) {
                (Some(ts), parsed) => prop_assert_eq!(parsed, Ok(Record::Packet(Packet { ts, ..packet }))),
                // The start of the unit is out of range.
                (None, parsed) => prop_assert!(parsed.is_err()),
            }
        }
    }
}
