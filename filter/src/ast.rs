//! The abstract syntax tree of an expression, independent of the link type.

use crate::protocol::Protocol;
use std::net::Ipv6Addr;
use std::ops::Range;

/// An expression. Chains are flat and the parser bounds nesting, so that recursion is safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Expression {
    /// Terms combined from left to right: `and` and `or` have equal precedence.
    Chain(Box<Expression>, Vec<(BoolOp, Expression)>),
    Not(Box<Expression>),
    Primitive(Primitive, Range<usize>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BoolOp {
    And,
    Or,
}

/// One test, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Primitive {
    /// An identifier with its qualifiers, which may be those of an earlier identifier.
    Id(Qualifiers, Id),
    Protocol(Protocol),
    Comparison {
        left: Box<Arithmetic>,
        op: CmpOp,
        negated: bool,
        right: Box<Arithmetic>,
    },
    Broadcast(Option<Protocol>),
    Multicast(Option<Protocol>),
    /// `less`: at most this many bytes.
    Less(u32),
    /// `greater`: at least this many bytes.
    Greater(u32),
    Byte {
        index: u32,
        operator: &'static str,
        value: u32,
    },
    Direction {
        outbound: bool,
    },
    Ifindex(u32),
    Vlan(Option<u32>),
    Mpls(Option<u32>),
    Pppoed,
    Pppoes(Option<u32>),
    Geneve(Option<u32>),
    Vxlan(Option<u32>),
    /// Bits of the first byte of an 802.11 header that `mask` selects.
    WirelessType {
        value: u32,
        mask: u32,
    },
    WirelessDirection(u32),
    Llc(Option<LlcType>),
    Mtp2(Mtp2Type, bool),
    Mtp3 {
        field: Mtp3Field,
        high_speed: bool,
        op: CmpOp,
        negated: bool,
        value: u32,
    },
}

/// Types of 802.2 control fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LlcType {
    Information,
    Supervisory,
    Unnumbered,
    /// A supervisory PDU by its control field.
    SupervisoryCommand(u32),
    /// An unnumbered PDU by its control field.
    UnnumberedCommand(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mtp2Type {
    Fisu,
    Lssu,
    Msu,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mtp3Field {
    Sio,
    Opc,
    Dpc,
    Sls,
}

/// Qualifiers of an identifier: `ip src host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Qualifiers {
    pub(crate) protocol: Option<Protocol>,
    pub(crate) direction: Direction,
    pub(crate) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Any,
    Src,
    Dst,
    SrcOrDst,
    SrcAndDst,
    Addr1,
    Addr2,
    Addr3,
    Addr4,
    Ra,
    Ta,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Any,
    Host,
    Net,
    Port,
    Portrange,
    Proto,
    Protochain,
    Gateway,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any | Self::Host => "host",
            Self::Net => "net",
            Self::Port => "port",
            Self::Portrange => "portrange",
            Self::Proto => "proto",
            Self::Protochain => "protochain",
            Self::Gateway => "gateway",
        }
    }
}

/// An identifier: the value with which a field of the packet is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Id {
    Name(String),
    Number(u32),
    /// Two to four decimal numbers with dots in between.
    Ipv4(String),
    Ipv4Prefix(String, u32),
    Ipv4Mask(String, String),
    Ipv6(Ipv6Addr, Option<u32>),
    Ethernet([u8; 6]),
    Arcnet(u8),
}

/// A comparison of two numbers. The other comparisons are negations of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CmpOp {
    Equal,
    Greater,
    GreaterOrEqual,
    /// The numbers have a bit in common.
    AnyBit,
}

/// An arithmetic expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Number(u32),
    Len,
    Load {
        protocol: Protocol,
        index: Box<Arithmetic>,
        size: u32,
        span: Range<usize>,
    },
    Negate(Box<Arithmetic>),
    /// `operation` is a code of ALU instructions.
    Binary {
        operation: u16,
        left: Box<Arithmetic>,
        right: Box<Arithmetic>,
        span: Range<usize>,
    },
}
