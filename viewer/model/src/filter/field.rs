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
#[expect(missing_docs, reason = "docs/format.md describes the fields by their names")]
pub enum ExtraField {
    Seq,
    Ack,
    Win,
    Payload,
    Cap,
    Frag,
    IcmpType,
    IcmpCode,
    ArpOp,
    EthSrc,
    EthDst,
    Tunnel,
    OuterSrc,
    OuterDst,
    Dns,
    DnsType,
    Sni,
    HttpHost,
    CommunityId,
    /// A field of `--tag`.
    Tag(TagName),
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

impl ExtraField {
    /// All fields but tags.
    const LISTED: [Self; 19] = [
        Self::Seq,
        Self::Ack,
        Self::Win,
        Self::Payload,
        Self::Cap,
        Self::Frag,
        Self::IcmpType,
        Self::IcmpCode,
        Self::ArpOp,
        Self::EthSrc,
        Self::EthDst,
        Self::Tunnel,
        Self::OuterSrc,
        Self::OuterDst,
        Self::Dns,
        Self::DnsType,
        Self::Sni,
        Self::HttpHost,
        Self::CommunityId,
    ];

    /// The name of the field in lines, and in filters.
    pub fn name(&self) -> String {
        match self {
            Self::Seq => "seq",
            Self::Ack => "ack",
            Self::Win => "win",
            Self::Payload => "payload",
            Self::Cap => "cap",
            Self::Frag => "frag",
            Self::IcmpType => "icmp_type",
            Self::IcmpCode => "icmp_code",
            Self::ArpOp => "arp_op",
            Self::EthSrc => "eth_src",
            Self::EthDst => "eth_dst",
            Self::Tunnel => "tunnel",
            Self::OuterSrc => "outer_src",
            Self::OuterDst => "outer_dst",
            Self::Dns => "dns",
            Self::DnsType => "dns_type",
            Self::Sni => "sni",
            Self::HttpHost => "http_host",
            Self::CommunityId => "community_id",
            Self::Tag(name) => return format!("{PREFIX}{}", name.as_str()),
        }
        .to_owned()
    }

    /// The type of its values.
    pub const fn field_type(self) -> FieldType {
        match self {
            Self::Seq | Self::Ack | Self::Payload | Self::Cap => {
                FieldType::Number { max: 0xffff_ffff }
            }
            Self::Win | Self::Frag | Self::ArpOp => FieldType::Number { max: 0xffff },
            Self::IcmpType | Self::IcmpCode => FieldType::Number { max: 0xff },
            Self::EthSrc | Self::EthDst | Self::OuterSrc | Self::OuterDst => FieldType::Address,
            Self::Tunnel
            | Self::Dns
            | Self::DnsType
            | Self::Sni
            | Self::HttpHost
            | Self::CommunityId
            | Self::Tag(_) => FieldType::Text,
        }
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
        let extra = ExtraField::LISTED.into_iter().map(Self::Extra);
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
