//! Values of the options that say how records are written: `--tag`, `--only`, `--time`.

use clap::ValueEnum;
use summary::{RecordFormat, TagError, Tags, TimeUnit};

use crate::record_types::RecordType;

/// The values of `--only`: the field `type` of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TypeName {
    /// Packets
    Pkt,
    /// The first line of a file
    Meta,
    /// Counters
    Stats,
    /// Changes of interfaces, drops, rotation
    Event,
    /// Flows, with --flows
    Flow,
    /// The last line of a file
    End,
}

impl From<TypeName> for RecordType {
    fn from(name: TypeName) -> Self {
        match name {
            TypeName::Pkt => Self::Packet,
            TypeName::Meta => Self::Meta,
            TypeName::Stats => Self::Stats,
            TypeName::Event => Self::Event,
            TypeName::Flow => Self::Flow,
            TypeName::End => Self::End,
        }
    }
}

/// The values of `--time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TimeFormat {
    /// Text: `ts`, e.g. 2026-11-23T02:53:38.123456789Z
    Rfc3339,
    /// Nanoseconds since 1970: `ts_ns`
    Ns,
    /// Microseconds since 1970: `ts_us`
    Us,
    /// Milliseconds since 1970: `ts_ms`
    Ms,
}

impl TimeFormat {
    fn unit(self) -> Option<TimeUnit> {
        match self {
            Self::Rfc3339 => None,
            Self::Ns => Some(TimeUnit::Ns),
            Self::Us => Some(TimeUnit::Us),
            Self::Ms => Some(TimeUnit::Ms),
        }
    }
}

/// The key and the value of a tag.
pub(super) fn tag(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, e.g. site=fra1")?;
    tags(&[(key.to_owned(), value.to_owned())]).map_err(|error| error.to_string())?;
    Ok((key.to_owned(), value.to_owned()))
}

fn tags(tags: &[(String, String)]) -> Result<Tags, TagError> {
    Tags::new(tags.iter().map(|(key, value)| (&**key, &**value)))
}

/// The format of records with these tags.
///
/// # Errors
///
/// If a key occurs twice, or the tags are too long together.
pub(super) fn format(
    time: TimeFormat,
    pairs: &[(String, String)],
) -> Result<RecordFormat, TagError> {
    Ok(RecordFormat { time_unit: time.unit(), tags: tags(pairs)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_a_key_and_any_value() {
        for (text, pair) in
            [("site=fra1", ("site", "fra1")), ("a_1=b=c d", ("a_1", "b=c d")), ("a=", ("a", ""))]
        {
            assert_eq!(tag(text), Ok((pair.0.to_owned(), pair.1.to_owned())));
        }
        for text in ["site", "=x", "Site=x", "tag-a=x", ""] {
            assert!(tag(text).is_err(), "{text}");
        }
    }
}
