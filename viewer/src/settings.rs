//! The settings of the charts and tables. Controls, links and the scripting API refer to them by key.

use crate::axis::{QUANTITY_COUNT, Quantity, Scale, Span};
use crate::chart::{Bars, ScaleTo};
use crate::layout::Layout;
use crate::table_columns::{
    COLUMNS, Column, ENDPOINT_COLUMNS, EndpointColumn, set_sort, sort_name,
};
use crate::tally::RankBy;

/// The time zone setting. [`Zone`](crate::time::Zone) adds what depends on the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneName {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// The browser's time zone.
    Local,
    /// Seconds since the first packet.
    Relative,
}

/// Effect of dragging in the scatter plot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Pans.
    #[default]
    Pan,
    /// Selects a box.
    Box,
    /// Selects a polygon.
    Lasso,
}

/// How much of a followed source is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Window {
    /// Everything that fits.
    #[default]
    All,
    /// At least this number of the latest packets.
    Packets(u64),
    /// At least the packets of this time before the last one, in nanoseconds.
    Time(i64),
}

/// The settings of the charts and tables.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Number of bins of the packet sizes, 5 to 500.
    pub bins: usize,
    /// Packet sizes: counts on a logarithmic scale.
    pub size_log: bool,
    /// Packet sizes: how protocols are drawn.
    pub size_bars: Bars,
    /// Inter-arrival times: counts on a logarithmic scale.
    pub gap_log: bool,
    /// Throughput in bits per second instead of packets per second.
    pub is_bits: bool,
    /// Throughput on a logarithmic scale.
    pub rate_log: bool,
    /// The packets to which bars are scaled.
    pub scale_to: ScaleTo,
    /// Bin width of the throughput chart in nanoseconds, from 1 µs to 1 d; `None` is automatic.
    pub interval_ns: Option<i64>,
    /// X axis of the scatter plot: packet number or time.
    pub x: Quantity,
    /// Y axis of the scatter plot.
    pub y: Quantity,
    /// Scale of the Y axis of the scatter plot.
    pub y_scale: Scale,
    /// Time zone.
    pub zone: ZoneName,
    /// Time axes begin with the first packet of each file, if several are open.
    pub is_aligned: bool,
    /// Colours distinguish files instead of protocols, if several are open.
    pub is_colored_by_file: bool,
    /// Measure by which rankings are ordered.
    pub rank: RankBy,
    /// Effect of dragging in the scatter plot.
    pub tool: Tool,
    /// The column by which conversations are sorted, and whether ascending.
    pub sort: (Column, bool),
    /// The column by which endpoints are sorted, and whether ascending.
    pub endpoints_sort: (EndpointColumn, bool),
    /// Conversations are distinguished by ports as well as by addresses and protocol.
    pub by_ports: bool,
    /// TCP connections are analyzed.
    pub has_analysis: bool,
    /// Handshakes and DNS answers that take this long are problems, in milliseconds, 1 to 60,000.
    pub slow_ms: u32,
    /// How much of a followed source is kept.
    pub window: Window,
    /// The visible range of each quantity; `None` is the full range.
    pub zoom: [Option<Span>; QUANTITY_COUNT],
    /// The layout of the page.
    pub layout: Layout,
}

/// Limits of the number of bins.
const BIN_RANGE: (usize, usize) = (5, 500);
/// Limits of the time from which answers are slow.
const SLOW_RANGE_MS: (u32, u32) = (1, 60_000);
/// Limits of the bin width of the throughput chart: 1 µs to 1 d.
const INTERVAL_RANGE_NS: std::ops::RangeInclusive<i64> = 1_000..=86_400_000_000_000;

impl Default for Settings {
    fn default() -> Self {
        Self {
            bins: 50,
            size_log: false,
            size_bars: Bars::Stacked,
            gap_log: false,
            is_bits: true,
            rate_log: false,
            scale_to: ScaleTo::Auto,
            interval_ns: None,
            x: Quantity::Number,
            y: Quantity::Size,
            y_scale: Scale::Linear,
            zone: ZoneName::Utc,
            is_aligned: false,
            is_colored_by_file: false,
            rank: RankBy::Packets,
            tool: Tool::Pan,
            sort: (Column::Packets, false),
            endpoints_sort: (EndpointColumn::Packets, false),
            by_ports: false,
            has_analysis: false,
            slow_ms: 200,
            window: Window::All,
            zoom: [None; QUANTITY_COUNT],
            layout: Layout::default(),
        }
    }
}

/// The names of the values of a setting.
pub(crate) struct Choices<T: 'static>(pub(crate) &'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Choices<T> {
    pub(crate) fn name(&self, value: T) -> String {
        let found = self.0.iter().find(|(_, choice)| *choice == value);
        found.map_or("", |(name, _)| name).to_owned()
    }

    /// Sets the setting by name; returns false if there is no such value.
    pub(crate) fn set(&self, name: &str, setting: &mut T) -> bool {
        let found = self.0.iter().find(|(choice, _)| *choice == name);
        found.map(|(_, value)| *setting = *value).is_some()
    }
}

/// The values of a switch.
pub(crate) const SWITCH: Choices<bool> = Choices(&[("0", false), ("1", true)]);
const BARS: Choices<Bars> = Choices(&[("stacked", Bars::Stacked), ("overlaid", Bars::Overlaid)]);
const RATE: Choices<bool> = Choices(&[("bits", true), ("packets", false)]);
const SCALE_TO: Choices<ScaleTo> = Choices(&[
    ("auto", ScaleTo::Auto),
    ("total", ScaleTo::Total),
    ("selection", ScaleTo::Selection),
]);
const X: Choices<Quantity> = Choices(&[("number", Quantity::Number), ("time", Quantity::Time)]);
const Y: Choices<Quantity> = Choices(&[
    ("size", Quantity::Size),
    ("sport", Quantity::SourcePort),
    ("dport", Quantity::DestinationPort),
    ("ttl", Quantity::Ttl),
    ("gap", Quantity::Gap),
]);
const SCALE: Choices<Scale> = Choices(&[("0", Scale::Linear), ("1", Scale::Log)]);
const ZONE: Choices<ZoneName> =
    Choices(&[("utc", ZoneName::Utc), ("local", ZoneName::Local), ("start", ZoneName::Relative)]);
const COLOR: Choices<bool> = Choices(&[("protocol", false), ("file", true)]);
const RANK: Choices<RankBy> = Choices(&[("packets", RankBy::Packets), ("bytes", RankBy::Bytes)]);
const CONVERSATIONS: Choices<bool> = Choices(&[("addresses", false), ("5-tuples", true)]);
const TOOL: Choices<Tool> =
    Choices(&[("move", Tool::Pan), ("box", Tool::Box), ("lasso", Tool::Lasso)]);

const NS_PER_MINUTE: i64 = 60_000_000_000;
const WINDOW: Choices<Window> = Choices(&[
    ("all", Window::All),
    ("100k", Window::Packets(100_000)),
    ("1M", Window::Packets(1_000_000)),
    ("10M", Window::Packets(10_000_000)),
    ("1min", Window::Time(NS_PER_MINUTE)),
    ("10min", Window::Time(10 * NS_PER_MINUTE)),
    ("1h", Window::Time(60 * NS_PER_MINUTE)),
]);

/// The keys of all settings except zoom and layout.
const KEYS: [&str; 22] = [
    "bins",
    "size-log",
    "size-bars",
    "gap-log",
    "rate",
    "rate-log",
    "scale",
    "interval",
    "x",
    "y",
    "y-log",
    "zone",
    "align",
    "color",
    "rank",
    "tool",
    "sort",
    "endpoints-sort",
    "conversations",
    "analysis",
    "slow-ms",
    "window",
];

impl Settings {
    /// The value of a setting in the format of [`Settings::set`]; empty for an unknown key.
    pub fn get(&self, key: &str) -> String {
        match key {
            "bins" => self.bins.to_string(),
            "size-log" => SWITCH.name(self.size_log),
            "size-bars" => BARS.name(self.size_bars),
            "gap-log" => SWITCH.name(self.gap_log),
            "rate" => RATE.name(self.is_bits),
            "rate-log" => SWITCH.name(self.rate_log),
            "scale" => SCALE_TO.name(self.scale_to),
            "interval" => self.interval_ns.map_or("auto".to_owned(), |ns| ns.to_string()),
            "x" => X.name(self.x),
            "y" => Y.name(self.y),
            "y-log" => SCALE.name(self.y_scale),
            "zone" => ZONE.name(self.zone),
            "align" => SWITCH.name(self.is_aligned),
            "color" => COLOR.name(self.is_colored_by_file),
            "rank" => RANK.name(self.rank),
            "tool" => TOOL.name(self.tool),
            "sort" => sort_name(&COLUMNS, &self.sort),
            "endpoints-sort" => sort_name(&ENDPOINT_COLUMNS, &self.endpoints_sort),
            "conversations" => CONVERSATIONS.name(self.by_ports),
            "analysis" => SWITCH.name(self.has_analysis),
            "slow-ms" => self.slow_ms.to_string(),
            "window" => WINDOW.name(self.window),
            _ => match key.strip_prefix("zoom-").and_then(Quantity::parse) {
                Some(value) => match self.zoom[value as usize] {
                    Some(span) => format!("{}..{}", span.start, span.end),
                    None => String::new(),
                },
                None => self.layout.get(key).unwrap_or_default(),
            },
        }
    }

    /// Changes a setting. Returns false if the key or the value is unknown.
    pub fn set(&mut self, key: &str, text: &str) -> bool {
        match key {
            "bins" => {
                let Ok(bins) = text.parse::<usize>() else { return false };
                self.bins = bins.clamp(BIN_RANGE.0, BIN_RANGE.1);
                true
            }
            "size-log" => SWITCH.set(text, &mut self.size_log),
            "size-bars" => BARS.set(text, &mut self.size_bars),
            "gap-log" => SWITCH.set(text, &mut self.gap_log),
            "rate" => RATE.set(text, &mut self.is_bits),
            "rate-log" => SWITCH.set(text, &mut self.rate_log),
            "scale" => SCALE_TO.set(text, &mut self.scale_to),
            "interval" => {
                let ns = text.parse().ok().filter(|ns| INTERVAL_RANGE_NS.contains(ns));
                if ns.is_some() || text == "auto" {
                    self.interval_ns = ns;
                }
                ns.is_some() || text == "auto"
            }
            "x" => X.set(text, &mut self.x),
            "y" => Y.set(text, &mut self.y),
            "y-log" => SCALE.set(text, &mut self.y_scale),
            "zone" => ZONE.set(text, &mut self.zone),
            "align" => SWITCH.set(text, &mut self.is_aligned),
            "color" => COLOR.set(text, &mut self.is_colored_by_file),
            "rank" => RANK.set(text, &mut self.rank),
            "tool" => TOOL.set(text, &mut self.tool),
            "sort" => set_sort(&COLUMNS, text, &mut self.sort),
            "endpoints-sort" => set_sort(&ENDPOINT_COLUMNS, text, &mut self.endpoints_sort),
            "conversations" => CONVERSATIONS.set(text, &mut self.by_ports),
            "analysis" => SWITCH.set(text, &mut self.has_analysis),
            "slow-ms" => {
                let Ok(ms) = text.parse::<u32>() else { return false };
                self.slow_ms = ms.clamp(SLOW_RANGE_MS.0, SLOW_RANGE_MS.1);
                true
            }
            "window" => WINDOW.set(text, &mut self.window),
            _ => {
                let span = text.split_once('.').and_then(|(start, end)| {
                    Some(Span::new(start.parse().ok()?, end.strip_prefix('.')?.parse().ok()?))
                });
                let value = key.strip_prefix("zoom-").and_then(Quantity::parse);
                let (Some(value), Some(span)) = (value, span) else {
                    return self.layout.set(key, text);
                };
                self.zoom[value as usize] = Some(span);
                true
            }
        }
    }

    /// The keys and values of the settings that differ from the defaults.
    pub fn changed(&self) -> Vec<(String, String)> {
        let defaults = Self::default();
        let zooms = Quantity::ALL.map(|quantity| format!("zoom-{}", quantity.name()));
        let keys = KEYS.into_iter().map(str::to_owned).chain(zooms);
        let pairs = keys.map(|key| (self.get(&key), key));
        let changed = pairs.filter(|(value, key)| *value != defaults.get(key));
        let changed = changed.map(|(value, key)| (key, value));
        changed.chain(self.layout.changed()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout;

    #[test]
    fn settings_round_trip() {
        let mut settings = Settings::default();
        assert!(settings.changed().is_empty());
        for (key, value) in [
            ("bins", "137"),
            ("size-log", "1"),
            ("size-bars", "overlaid"),
            ("gap-log", "1"),
            ("rate", "packets"),
            ("rate-log", "1"),
            ("scale", "selection"),
            ("interval", "1000000"),
            ("x", "time"),
            ("y", "gap"),
            ("y-log", "1"),
            ("zone", "start"),
            ("align", "1"),
            ("color", "file"),
            ("rank", "bytes"),
            ("tool", "lasso"),
            ("sort", "duration"),
            ("endpoints-sort", "-peers"),
            ("conversations", "5-tuples"),
            ("analysis", "1"),
            ("slow-ms", "500"),
            ("window", "10min"),
            ("zoom-ts", "5..9"),
            ("zoom-gap", "-5..9"),
            ("chart", "scatter"),
            ("tab", "packets"),
            ("max", "sizes"),
            ("columns", "packets.ttl-,packets.vlan"),
            ("widths", "packets.info.600,endpoints.address.300"),
            ("names", "1"),
            ("timeline", "300"),
            ("side", "400"),
            ("detail", "500"),
        ] {
            assert!(settings.set(key, value), "{key}");
            assert_eq!(settings.get(key), value);
        }
        assert_eq!(settings.changed().len(), KEYS.len() + 2 + layout::KEYS.len());
        let mut read = Settings::default();
        for (key, value) in settings.changed() {
            assert!(read.set(&key, &value));
        }
        assert_eq!(read, settings);
        assert!(!read.set("x", "y") && !read.set("zoom-x", "1..2") && !read.set("", ""));
    }
}
