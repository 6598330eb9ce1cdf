//! The fields that a comparison can refer to.

use crate::axis::Quantity;

/// A field that a comparison can refer to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// A numeric quantity.
    Quantity(Quantity),
    /// Source or destination port.
    Port,
    /// Source address.
    Src,
    /// Destination address.
    Dst,
    /// Source or destination address.
    Host,
    /// Protocol.
    Proto,
    /// File name.
    File,
    /// Interface name.
    Interface,
    /// Direction.
    Direction,
    /// Any of the VLAN IDs.
    Vlan,
    /// TCP flags.
    Flags,
    /// Source or destination MAC address.
    Mac,
    /// A field that is read from the file when a filter needs it.
    Extra(ExtraField),
}

/// A field that has no column in memory. It is read from the file when a filter first needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtraField {
    /// A field of the output format.
    Listed(ListedField),
    /// A field of `--tag`.
    Tag(TagName),
}

/// A field of the output format without a column, as its index in the table of these fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedField(u8);

/// The name of a tag without its prefix: at most [`TagName::CAPACITY`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagName {
    len: u8,
    bytes: [u8; Self::CAPACITY],
}

impl TagName {
    /// Maximum length in bytes.
    pub const CAPACITY: usize = 30;

    fn new(name: &str) -> Option<Self> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let len = u8::try_from(name.len()).ok().filter(|len| *len > 0)?;
        let mut bytes = [0; Self::CAPACITY];
        bytes.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        name.bytes().all(is_name).then_some(Self { len, bytes })
    }

    fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

/// Type of the values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// Whole numbers from 0 on.
    Number {
        /// The largest value.
        max: i64,
    },
    /// Nanoseconds since the epoch.
    Time,
    /// Nanoseconds.
    Duration,
    /// IP and MAC addresses.
    Address,
    /// Text; comparisons ignore the case of ASCII letters.
    Text,
    /// TCP flags.
    Flags,
}

impl FieldType {
    /// Whether `<` and `>` apply.
    pub(super) const fn is_ordered(self) -> bool {
        matches!(self, Self::Number { .. } | Self::Time | Self::Duration)
    }
}

const PREFIX: &str = "tag_";

/// How the names of fields of messages start.
const MESSAGES: [&str; 5] = ["dns", "sni", "alpn", "ech", "http_"];

/// The fields without a column but tags, in the order of suggestions. Comparisons with a list are with
/// each of its texts.
const LISTED: [(&str, FieldType); 34] = [
    ("eth_src", FieldType::Address),
    ("eth_dst", FieldType::Address),
    ("seq", NUMBER_32),
    ("ack", NUMBER_32),
    ("win", NUMBER_16),
    ("payload", NUMBER_32),
    ("cap", NUMBER_32),
    ("frag", NUMBER_16),
    ("icmp_type", NUMBER_8),
    ("icmp_code", NUMBER_8),
    ("icmp_src", FieldType::Address),
    ("icmp_dst", FieldType::Address),
    ("icmp_proto", FieldType::Text),
    ("icmp_sport", NUMBER_16),
    ("icmp_dport", NUMBER_16),
    ("arp_op", NUMBER_16),
    ("tunnel", FieldType::Text),
    ("outer_src", FieldType::Address),
    ("outer_dst", FieldType::Address),
    ("dns", FieldType::Text),
    ("dns_type", FieldType::Text),
    ("dns_rcode", FieldType::Text),
    ("dns_answers", FieldType::Text),
    ("dns_time_us", NUMBER_32),
    ("sni", FieldType::Text),
    ("alpn", FieldType::Text),
    ("ech", FieldType::Text),
    ("ja4", FieldType::Text),
    ("http_method", FieldType::Text),
    ("http_host", FieldType::Text),
    ("http_path", FieldType::Text),
    ("http_status", NUMBER_16),
    ("quic", FieldType::Text),
    ("community_id", FieldType::Text),
];

const NUMBER_8: FieldType = FieldType::Number { max: 0xff };
const NUMBER_16: FieldType = FieldType::Number { max: 0xffff };
const NUMBER_32: FieldType = FieldType::Number { max: 0xffff_ffff };

/// Fields that the sniffer writes, but the reader of capture files does not know.
const ONLY_IN_LINES: [&str; 3] = ["dns_time_us", "ja4", "community_id"];

impl ExtraField {
    /// Source MAC address.
    pub const ETH_SRC: Self = Self::Listed(ListedField(0));
    /// Destination MAC address.
    pub const ETH_DST: Self = Self::Listed(ListedField(1));
    /// Question name of a DNS message.
    pub const DNS: Self = Self::Listed(ListedField(19));
    /// Question type of a DNS message.
    pub const DNS_TYPE: Self = Self::Listed(ListedField(20));
    /// Answers in a DNS message.
    pub const DNS_ANSWERS: Self = Self::Listed(ListedField(22));

    /// All fields but tags.
    fn listed() -> impl Iterator<Item = Self> {
        (0..).take(LISTED.len()).map(|index| Self::Listed(ListedField(index)))
    }

    /// The name of the field in lines, and in filters.
    pub fn name(&self) -> String {
        match self {
            Self::Listed(ListedField(index)) => LISTED[usize::from(*index)].0.to_owned(),
            Self::Tag(name) => format!("{PREFIX}{}", name.as_str()),
        }
    }

    /// The type of its values. Lists of texts have the type of their elements.
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Listed(ListedField(index)) => LISTED[usize::from(index)].1,
            Self::Tag(_) => FieldType::Text,
        }
    }

    /// Whether no packet of a capture file has the field, because it depends on other packets or on options
    /// of the sniffer.
    pub fn is_only_in_lines(&self) -> bool {
        match self {
            Self::Listed(_) => ONLY_IN_LINES.contains(&&*self.name()),
            Self::Tag(_) => true,
        }
    }

    /// Whether the field comes from messages, which can continue in other packets or be encrypted. In
    /// capture files, only those in single packets are read.
    pub fn is_of_messages(&self) -> bool {
        let name = self.name();
        MESSAGES.iter().any(|start| name.starts_with(start)) && !self.is_only_in_lines()
    }
}

impl Field {
    /// All fields but tags, in the order of suggestions.
    pub fn all() -> impl Iterator<Item = Self> {
        const COLUMNS: [Field; 19] = [
            Field::Proto,
            Field::Src,
            Field::Dst,
            Field::Host,
            Field::Quantity(Quantity::SourcePort),
            Field::Quantity(Quantity::DestinationPort),
            Field::Port,
            Field::Quantity(Quantity::Size),
            Field::Quantity(Quantity::Time),
            Field::Quantity(Quantity::Gap),
            Field::Quantity(Quantity::Elapsed),
            Field::Quantity(Quantity::Number),
            Field::Quantity(Quantity::Ttl),
            Field::Flags,
            Field::Vlan,
            Field::Interface,
            Field::Direction,
            Field::File,
            Field::Mac,
        ];
        let extra = ExtraField::listed().map(Self::Extra);
        COLUMNS.into_iter().chain(extra)
    }

    /// Name in filters. Matches the field name of the NDJSON format where there is one.
    pub fn name(self) -> String {
        match self {
            Self::Quantity(quantity) => quantity.name(),
            Self::Port => "port",
            Self::Src => "src",
            Self::Dst => "dst",
            Self::Host => "host",
            Self::Proto => "proto",
            Self::File => "file",
            Self::Interface => "if",
            Self::Direction => "dir",
            Self::Vlan => "vlan",
            Self::Flags => "flags",
            Self::Mac => "mac",
            Self::Extra(field) => return field.name(),
        }
        .to_owned()
    }

    /// The inverse of [`Field::name`]. Ignores case.
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        if let Some(tag) = name.strip_prefix(PREFIX) {
            return Some(Self::Extra(ExtraField::Tag(TagName::new(tag)?)));
        }
        Self::all().find(|field| field.name() == name)
    }

    /// Largest value of a numeric field.
    pub(super) fn max(self) -> Option<i64> {
        if let FieldType::Number { max } = self.field_type() { Some(max) } else { None }
    }

    /// The type of its values.
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Quantity(Quantity::Time) => FieldType::Time,
            Self::Quantity(Quantity::Gap | Quantity::Elapsed) => FieldType::Duration,
            Self::Quantity(quantity) => FieldType::Number { max: quantity.domain().1 },
            Self::Port | Self::Vlan => FieldType::Number { max: 65_535 },
            Self::Src | Self::Dst | Self::Host | Self::Mac => FieldType::Address,
            Self::Proto | Self::File | Self::Interface | Self::Direction => FieldType::Text,
            Self::Flags => FieldType::Flags,
            Self::Extra(field) => field.field_type(),
        }
    }

    /// Whether its values are ports, which can be written as names of services.
    pub(super) const fn is_port(self) -> bool {
        matches!(
            self,
            Self::Port | Self::Quantity(Quantity::SourcePort | Quantity::DestinationPort)
        )
    }
}
