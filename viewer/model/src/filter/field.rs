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

/// A field with a finding of the analysis of TCP (`docs/flows.md`), or with the time or code of a DNS response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FindingField {
    /// `dns_rcode`
    DnsCode,
    /// `dns_time_us`
    DnsTime,
    /// `rtx`
    Rtx,
    /// `ooo`
    OutOfOrder,
    /// `dup_ack`
    DupAck,
    /// `zero_window`
    ZeroWindow,
    /// `window_full`
    WindowFull,
    /// `keep_alive`
    KeepAlive,
    /// `reset`
    Reset,
    /// `unseen`
    Unseen,
    /// `rtt_us`
    Rtt,
    /// `handshake_us`
    Handshake,
}

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

/// The fields without a column but tags, in the order of suggestions, each with its type: `a` addresses,
/// `t` texts, and the number of bytes of numbers. Comparisons with a list are with each of its texts. The
/// readers of capture files know those before [`ONLY_IN_LINES`]. In text, the list takes less space in the page
/// than as a table.
const LISTED: &str = "\
    eth_src a eth_dst a seq 4 ack 4 win 2 payload 4 cap 4 frag 2 icmp_type 1 icmp_code 1 \
    icmp_src a icmp_dst a icmp_proto t icmp_sport 2 icmp_dport 2 arp_op 2 tunnel t outer_src a \
    outer_dst a dns t dns_type t dns_rcode t dns_answers t sni t alpn t ech t http_method t \
    http_host t http_path t http_status 2 quic t ja4 t community_id t dns_time_us 4 rtx t \
    ooo t dup_ack t zero_window t window_full t keep_alive t reset t unseen 4 rtt_us 4 \
    handshake_us 4";

/// Number of fields in [`LISTED`].
const LISTED_COUNT: u8 = 44;

/// Index of the first field that the sniffer writes, but the readers of capture files do not know.
const ONLY_IN_LINES: u8 = 31;

/// The name of a field in [`LISTED`], and its type.
fn listed(index: u8) -> (&'static str, &'static str) {
    let mut words = LISTED.split(' ').skip(2 * usize::from(index));
    (words.next().unwrap_or_default(), words.next().unwrap_or_default())
}

/// The findings at the end of [`LISTED`], in its order.
const FINDINGS: [FindingField; 11] = [
    FindingField::DnsTime,
    FindingField::Rtx,
    FindingField::OutOfOrder,
    FindingField::DupAck,
    FindingField::ZeroWindow,
    FindingField::WindowFull,
    FindingField::KeepAlive,
    FindingField::Reset,
    FindingField::Unseen,
    FindingField::Rtt,
    FindingField::Handshake,
];
/// Index of the first of [`FINDINGS`] in [`LISTED`].
const FIRST_FINDING: u8 = 33;

impl ExtraField {
    /// Source MAC address.
    pub const ETH_SRC: Self = Self::Listed(ListedField(0));
    /// Destination MAC address.
    pub const ETH_DST: Self = Self::Listed(ListedField(1));
    /// Question name of a DNS message.
    pub const DNS: Self = Self::Listed(ListedField(19));
    /// Question type of a DNS message.
    pub const DNS_TYPE: Self = Self::Listed(ListedField(20));
    /// Code of a DNS response.
    const DNS_CODE: Self = Self::Listed(ListedField(21));
    /// Answers in a DNS message.
    pub const DNS_ANSWERS: Self = Self::Listed(ListedField(22));

    /// All fields but tags.
    fn listed() -> impl Iterator<Item = Self> {
        (0..LISTED_COUNT).map(|index| Self::Listed(ListedField(index)))
    }

    /// The name of the field in lines, and in filters.
    pub fn name(&self) -> String {
        match self {
            Self::Listed(ListedField(index)) => listed(*index).0.to_owned(),
            Self::Tag(name) => format!("{PREFIX}{}", name.as_str()),
        }
    }

    /// The type of its values. Lists of texts have the type of their elements.
    pub fn field_type(self) -> FieldType {
        match self {
            Self::Listed(ListedField(index)) => match listed(index).1 {
                "a" => FieldType::Address,
                "1" => FieldType::Number { max: 0xff },
                "2" => FieldType::Number { max: 0xffff },
                "4" => FieldType::Number { max: 0xffff_ffff },
                _ => FieldType::Text,
            },
            Self::Tag(_) => FieldType::Text,
        }
    }

    /// The finding that the field contains, if it is one.
    pub fn finding(&self) -> Option<FindingField> {
        if *self == Self::DNS_CODE {
            return Some(FindingField::DnsCode);
        }
        let Self::Listed(ListedField(index)) = self else { return None };
        FINDINGS.get(usize::from(index.checked_sub(FIRST_FINDING)?)).copied()
    }

    /// Whether no packet of a capture file has the field, because it depends on other packets or on options
    /// of the sniffer.
    pub fn is_only_in_lines(&self) -> bool {
        match self {
            Self::Listed(ListedField(index)) => ONLY_IN_LINES <= *index,
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
