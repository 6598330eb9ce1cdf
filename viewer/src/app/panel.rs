//! The parts of the page that show packets.

use crate::selection::Dimension;

/// A part of the page that shows packets in its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Panel {
    /// Throughput over time by protocol.
    Throughput,
    /// Packets in a plane.
    Scatter,
    /// The histogram of sizes.
    Sizes,
    /// The histogram of gaps.
    Gaps,
    /// Destination ports.
    Ports,
    /// Source addresses.
    Sources,
    /// Destination addresses.
    Destinations,
    /// Protocols.
    Protocols,
    /// The table of conversations.
    Conversations,
    /// The table of packets.
    Packets,
}

/// How many panels there are, and how many of them, the first ones, are charts.
pub const PANEL_COUNT: usize = 10;
/// See [`PANEL_COUNT`].
pub const CHART_COUNT: usize = 8;

impl Panel {
    /// All of them, in the order of the page.
    pub const ALL: [Self; PANEL_COUNT] = [
        Self::Throughput,
        Self::Scatter,
        Self::Sizes,
        Self::Gaps,
        Self::Ports,
        Self::Sources,
        Self::Destinations,
        Self::Protocols,
        Self::Conversations,
        Self::Packets,
    ];

    /// Its name in the page and for scripts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throughput => "throughput",
            Self::Scatter => "scatter",
            Self::Sizes => "sizes",
            Self::Gaps => "gaps",
            Self::Ports => "ports",
            Self::Sources => "sources",
            Self::Destinations => "destinations",
            Self::Protocols => "protocols",
            Self::Conversations => "conversations",
            Self::Packets => "packets",
        }
    }

    /// The inverse of [`Panel::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|panel| panel.name() == name)
    }

    /// In which dimension it selects.
    pub const fn dimension(self) -> Option<Dimension> {
        match self {
            Self::Throughput => Some(Dimension::Time),
            Self::Scatter => Some(Dimension::Scatter),
            Self::Sizes => Some(Dimension::Size),
            Self::Gaps => Some(Dimension::Gap),
            Self::Ports => Some(Dimension::Port),
            Self::Sources => Some(Dimension::Source),
            Self::Destinations => Some(Dimension::Destination),
            Self::Protocols => Some(Dimension::Protocol),
            Self::Conversations => Some(Dimension::Conversation),
            Self::Packets => None,
        }
    }
}
