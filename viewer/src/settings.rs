//! How the views show what they show, by names that controls and links share.

use crate::axis::{MIN_VALUE, QUANTITY_COUNT, Quantity, Scale, Span};
use crate::chart::Bars;
use crate::filter::{Expr, Field, Set};
use crate::tally::RankBy;

/// By which clock times are told, before the capture is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneName {
    /// Coordinated universal time.
    #[default]
    Utc,
    /// The clock of this place.
    Local,
    /// Seconds since the first packet.
    Start,
}

/// What a drag in the scatter does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// It moves what is shown.
    #[default]
    Move,
    /// It selects a box.
    Box,
    /// It selects with a line.
    Lasso,
}

/// A column of the conversations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Column {
    /// One side.
    A,
    /// The other.
    B,
    /// The protocol.
    Proto,
    /// Packets of both directions.
    #[default]
    Packets,
    /// Bytes of both directions.
    Bytes,
    /// Packets from A to B.
    PacketsForth,
    /// Bytes from A to B.
    BytesForth,
    /// Packets from B to A.
    PacketsBack,
    /// Bytes from B to A.
    BytesBack,
    /// The first packet's time.
    Start,
    /// From the first to the last packet.
    Duration,
    /// Bits a second.
    Rate,
}

/// How the views show what they show.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Bins of the sizes, from 5 to 500.
    pub bins: usize,
    /// Whether the sizes' counts are logarithmic.
    pub size_log: bool,
    /// How protocols share a bin of the sizes.
    pub size_bars: Bars,
    /// Whether the gaps' counts are logarithmic.
    pub gap_log: bool,
    /// Whether throughput is in bits, not in packets.
    pub is_bits: bool,
    /// Whether throughput is logarithmic.
    pub rate_log: bool,
    /// Nanoseconds of a bin of throughput, from a microsecond to a day; chosen by the zoom where `None`.
    pub interval_ns: Option<i64>,
    /// What is along the scatter's x: the number or the time.
    pub x: Quantity,
    /// What is along the scatter's y.
    pub y: Quantity,
    /// How the scatter's y is scaled.
    pub y_scale: Scale,
    /// How times are told.
    pub zone: ZoneName,
    /// What makes something large.
    pub rank: RankBy,
    /// Whether the bars of the largest are logarithmic.
    pub rank_log: bool,
    /// What a drag in the scatter does.
    pub tool: Tool,
    /// By what conversations are sorted, and whether the largest is last.
    pub sort: (Column, bool),
    /// What is shown of each value; everything where `None`.
    pub zoom: [Option<Span>; QUANTITY_COUNT],
}

/// Fewest and most bins that can be asked for.
const BIN_RANGE: (usize, usize) = (5, 500);
/// From a microsecond to a day.
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
            interval_ns: None,
            x: Quantity::Number,
            y: Quantity::Size,
            y_scale: Scale::Linear,
            zone: ZoneName::Utc,
            rank: RankBy::Packets,
            rank_log: false,
            tool: Tool::Move,
            sort: (Column::Packets, false),
            zoom: [None; QUANTITY_COUNT],
        }
    }
}

/// A choice by its names.
struct Names<T: 'static>(&'static [(&'static str, T)]);

impl<T: Copy + PartialEq> Names<T> {
    fn of(&self, value: T) -> String {
        let found = self.0.iter().find(|(_, known)| *known == value);
        found.map_or("", |(name, _)| name).to_owned()
    }

    fn set(&self, name: &str, place: &mut T) -> bool {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *place = *value).is_some()
    }
}

const SWITCH: Names<bool> = Names(&[("0", false), ("1", true)]);
const BARS: Names<Bars> = Names(&[("stacked", Bars::Stacked), ("overlaid", Bars::Overlaid)]);
const RATE: Names<bool> = Names(&[("bits", true), ("packets", false)]);
const X: Names<Quantity> = Names(&[("number", Quantity::Number), ("time", Quantity::Time)]);
const Y: Names<Quantity> = Names(&[
    ("size", Quantity::Size),
    ("sport", Quantity::SourcePort),
    ("dport", Quantity::DestinationPort),
    ("ttl", Quantity::Ttl),
    ("gap", Quantity::Gap),
]);
const SCALE: Names<Scale> = Names(&[("0", Scale::Linear), ("1", Scale::Log)]);
const ZONE: Names<ZoneName> =
    Names(&[("utc", ZoneName::Utc), ("local", ZoneName::Local), ("start", ZoneName::Start)]);
const RANK: Names<RankBy> = Names(&[("packets", RankBy::Packets), ("bytes", RankBy::Bytes)]);
const TOOL: Names<Tool> =
    Names(&[("move", Tool::Move), ("box", Tool::Box), ("lasso", Tool::Lasso)]);

/// The columns of the conversations, with their names in links.
pub const COLUMNS: [(Column, &str); 12] = [
    (Column::A, "a"),
    (Column::B, "b"),
    (Column::Proto, "proto"),
    (Column::Packets, "packets"),
    (Column::Bytes, "bytes"),
    (Column::PacketsForth, "packets-forth"),
    (Column::BytesForth, "bytes-forth"),
    (Column::PacketsBack, "packets-back"),
    (Column::BytesBack, "bytes-back"),
    (Column::Start, "start"),
    (Column::Duration, "duration"),
    (Column::Rate, "rate"),
];

/// The names of all settings but the zooms.
const KEYS: [&str; 15] = [
    "bins",
    "size-log",
    "size-bars",
    "gap-log",
    "rate",
    "rate-log",
    "rank-log",
    "interval",
    "x",
    "y",
    "y-log",
    "zone",
    "rank",
    "tool",
    "sort",
];

impl Settings {
    /// The value of a setting, as [`Settings::set`] takes it; empty for an unknown one.
    pub fn get(&self, key: &str) -> String {
        match key {
            "bins" => self.bins.to_string(),
            "size-log" => SWITCH.of(self.size_log),
            "size-bars" => BARS.of(self.size_bars),
            "gap-log" => SWITCH.of(self.gap_log),
            "rate" => RATE.of(self.is_bits),
            "rate-log" => SWITCH.of(self.rate_log),
            "rank-log" => SWITCH.of(self.rank_log),
            "interval" => self.interval_ns.map_or("auto".to_owned(), |ns| ns.to_string()),
            "x" => X.of(self.x),
            "y" => Y.of(self.y),
            "y-log" => SCALE.of(self.y_scale),
            "zone" => ZONE.of(self.zone),
            "rank" => RANK.of(self.rank),
            "tool" => TOOL.of(self.tool),
            "sort" => {
                let name = COLUMNS.iter().find(|column| column.0 == self.sort.0);
                let sign = if self.sort.1 { "" } else { "-" };
                format!("{sign}{}", name.map_or("", |(_, name)| name))
            }
            _ => match key.strip_prefix("zoom-").and_then(Quantity::parse) {
                Some(value) => match self.zoom[value as usize] {
                    Some(span) => format!("{}..{}", span.start, span.end),
                    None => String::new(),
                },
                None => String::new(),
            },
        }
    }

    /// Changes a setting; false where there is none of that name or it has no such value.
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
            "rank-log" => SWITCH.set(text, &mut self.rank_log),
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
            "rank" => RANK.set(text, &mut self.rank),
            "tool" => TOOL.set(text, &mut self.tool),
            "sort" => {
                let (name, is_ascending) = match text.strip_prefix('-') {
                    Some(name) => (name, false),
                    None => (text, true),
                };
                let column = COLUMNS.iter().find(|column| column.1 == name);
                column.map(|column| self.sort = (column.0, is_ascending)).is_some()
            }
            _ => {
                let span = text.split_once('.').and_then(|(start, end)| {
                    Some(Span::new(start.parse().ok()?, end.strip_prefix('.')?.parse().ok()?))
                });
                let value = key.strip_prefix("zoom-").and_then(Quantity::parse);
                let (Some(value), Some(span)) = (value, span) else { return false };
                self.zoom[value as usize] = Some(span);
                true
            }
        }
    }

    /// Shows what is selected by ranges, and nothing else of those values.
    pub fn zoom_to(&mut self, expr: &Expr) {
        match expr {
            Expr::And(all) => all.iter().for_each(|expr| self.zoom_to(expr)),
            Expr::In(Field::Quantity(value), Set::Numbers(ranges)) => {
                if let [(first, last)] = ranges[..]
                    && first > MIN_VALUE
                    && last < i64::MAX
                {
                    self.zoom[*value as usize] = Some(Span::closed((first, last)));
                }
            }
            _ => {}
        }
    }

    /// The settings that are not as they are at first, with their values.
    pub fn changed(&self) -> Vec<(String, String)> {
        let first = Self::default();
        let zooms = Quantity::ALL.map(|value| format!("zoom-{}", value.name()));
        let keys = KEYS.into_iter().map(str::to_owned).chain(zooms);
        let pairs = keys.map(|key| (self.get(&key), key));
        let changed = pairs.filter(|(value, key)| *value != first.get(key));
        changed.map(|(value, key)| (key, value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_reads_back() {
        let mut settings = Settings::default();
        assert!(settings.changed().is_empty());
        for (key, value) in [
            ("bins", "137"),
            ("size-log", "1"),
            ("size-bars", "overlaid"),
            ("gap-log", "1"),
            ("rate", "packets"),
            ("rate-log", "1"),
            ("rank-log", "1"),
            ("interval", "1000000"),
            ("x", "time"),
            ("y", "gap"),
            ("y-log", "1"),
            ("zone", "start"),
            ("rank", "bytes"),
            ("tool", "lasso"),
            ("sort", "duration"),
            ("zoom-ts", "5..9"),
            ("zoom-gap", "-5..9"),
        ] {
            assert!(settings.set(key, value), "{key}");
            assert_eq!(settings.get(key), value);
        }
        assert_eq!(settings.changed().len(), KEYS.len() + 2);
        let mut read = Settings::default();
        for (key, value) in settings.changed() {
            assert!(read.set(&key, &value));
        }
        assert_eq!(read, settings);
        assert!(!read.set("x", "y") && !read.set("zoom-x", "1..2") && !read.set("", ""));
    }
}
