//! The charts and tables of the page.

use crate::selection::Dimension;

/// A chart or table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Panel {
    /// Throughput over time by protocol.
    Throughput,
    /// The scatter plot.
    Scatter,
    /// The histogram of packet sizes.
    Sizes,
    /// The histogram of inter-arrival times.
    Gaps,
    /// The ranking of destination ports.
    Ports,
    /// The ranking of source addresses.
    Sources,
    /// The ranking of destination addresses.
    Destinations,
    /// The ranking of protocols.
    Protocols,
    /// The whole capture over time, with a window over the time range of the charts.
    Overview,
    /// The table of conversations.
    Conversations,
    /// The table of endpoints.
    Endpoints,
    /// The table of packets.
    Packets,
    /// The table of problems.
    Problems,
}

/// The number of panels.
pub const PANEL_COUNT: usize = 13;
/// The number of charts. They are the first panels.
pub const CHART_COUNT: usize = 9;

impl Panel {
    /// All panels, in the order of the page.
    pub const ALL: [Self; PANEL_COUNT] = [
        Self::Throughput,
        Self::Scatter,
        Self::Sizes,
        Self::Gaps,
        Self::Ports,
        Self::Sources,
        Self::Destinations,
        Self::Protocols,
        Self::Overview,
        Self::Conversations,
        Self::Endpoints,
        Self::Packets,
        Self::Problems,
    ];

    /// The name in the page's markup and in the scripting API.
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
            Self::Overview => "overview",
            Self::Conversations => "conversations",
            Self::Endpoints => "endpoints",
            Self::Packets => "packets",
            Self::Problems => "problems",
        }
    }

    /// The inverse of [`Panel::name`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|panel| panel.name() == name)
    }

    /// The dimension in which the panel selects; `None` for the overview and the packet table.
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
            Self::Conversations | Self::Endpoints => Some(Dimension::Conversation),
            Self::Problems => Some(Dimension::Problem),
            Self::Overview | Self::Packets => None,
        }
    }
}
