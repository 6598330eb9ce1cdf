//! The charts as the state has them: what is cut into which cells, and what is known of it.

use super::questions::{Slot, Wish};
use super::{App, Panel};
use crate::axis::{Axis, Bins, Scale, Span, Value};
use crate::chart::{Bars, Binned, Item, Look, Measure, Ranking, Scatter, Size, Table, grid_of};
use crate::clock::{Zone, time_step};
use crate::density::Density;
use crate::filter::{Expr, Field, Place, Set};
use crate::flows::{Pair, Rank, largest};
use crate::intern::Interner;
use crate::protocol::Class;
use crate::query::{Answer, Grid, Query, Tally, What};
use crate::scene::Scene;
use crate::selection::{Care, Dimension};
use crate::settings::ZoneName;
use summary::Address;

/// Bins of the gaps.
const GAP_BINS: usize = 60;
/// Most bins of throughput: more than a screen has pixels.
const MAX_RATE_BINS: i64 = 10_000;
/// Least length of a bin of throughput: a packet has some on any wire.
const MIN_RATE_BIN_NS: i64 = 1_000;
/// Width of a bin of throughput that is aimed at, in pixels.
const RATE_BIN_PX: f64 = 4.0;
/// Items that tables of rankings and saved files have.
const MAX_ITEMS: usize = 100;

/// A chart, ready to be drawn and asked.
#[derive(Debug)]
pub(super) enum Chart<'a> {
    Binned(Binned<'a>),
    Scatter(Scatter<'a>),
    Ranking(Ranking<'a>),
}

impl Chart<'_> {
    pub(super) fn scene(&self, look: Look<'_>) -> Scene {
        match self {
            Self::Binned(chart) => chart.scene(look),
            Self::Scatter(chart) => chart.scene(look),
            Self::Ranking(chart) => chart.scene(look),
        }
    }

    pub(super) fn words(&self, zone: &Zone) -> String {
        match self {
            Self::Binned(chart) => chart.words(zone),
            Self::Scatter(chart) => chart.words(zone),
            Self::Ranking(chart) => chart.words(),
        }
    }

    pub(super) fn words_of(&self, cell: (usize, usize), zone: &Zone) -> Vec<String> {
        match self {
            Self::Binned(chart) => chart.words_of(cell.0, zone),
            Self::Scatter(chart) => chart.words_of(cell, zone),
            Self::Ranking(chart) => chart.words_of(cell.1),
        }
    }

    pub(super) fn table(&self, zone: &Zone) -> Table {
        match self {
            Self::Binned(chart) => chart.table(zone),
            Self::Scatter(chart) => chart.table(zone),
            Self::Ranking(chart) => chart.table(),
        }
    }

    /// What is saved: of the scatter, cell by cell.
    pub(super) fn csv(&self, zone: &Zone) -> String {
        match self {
            Self::Scatter(chart) => chart.cells(zone).csv(),
            chart => chart.table(zone).csv(),
        }
    }
}

/// The places of the tallies, of a query and its answer.
fn tallies<'a>(known: Option<(&'a Query, &'a Answer)>) -> Option<(Bins, &'a [Tally])> {
    match known? {
        (Query { what: What::Bins(bins), .. }, Answer::Bins(tallies)) => Some((*bins, tallies)),
        _ => None,
    }
}

fn counts<'a>(known: Option<(&'a Query, &'a Answer)>) -> Option<(Grid, &'a Density)> {
    match known? {
        (Query { what: What::Density(grid), .. }, Answer::Density(density)) => {
            Some((*grid, density))
        }
        _ => None,
    }
}

impl App {
    /// By which clock times are told.
    pub fn zone(&self) -> Zone {
        match self.settings.zone {
            ZoneName::Utc => Zone::Utc,
            ZoneName::Local => Zone::Local(self.offsets.clone()),
            ZoneName::Start => Zone::Start(self.pictured.extent.map_or(0, |extent| extent.ts_ns.0)),
        }
    }

    /// All of a value that there is.
    fn home(&self, value: Value) -> Option<Span> {
        let extent = self.pictured.extent?;
        Some(match value {
            Value::Number => Span::closed(extent.n),
            Value::Time => Span::closed(extent.ts_ns),
            // A little room above.
            Value::Size => Span::new(0, extent.len.1 + extent.len.1 / 30 + 2),
            Value::SourcePort | Value::DestinationPort => Span::new(0, 65_536),
            Value::Ttl => Span::new(0, 256),
            Value::Gap => {
                let (least, most) = extent.gap_ns.unwrap_or((0, 0));
                Span::new(least.min(0), most.saturating_add(most / 30 + 2))
            }
        })
    }

    /// What is shown of a value.
    pub(super) fn shown(&self, value: Value) -> Option<Span> {
        self.settings.zoom[value as usize].or_else(|| self.home(value))
    }

    /// Everything that can be shown of a value, and some room around it.
    pub(super) fn widest(&self, value: Value) -> Option<i64> {
        Some(self.home(value)?.len().saturating_mul(4))
    }

    /// The axes of a chart in which one can move.
    pub(super) fn axes(&self, panel: Panel) -> Option<(Axis, Option<Axis>)> {
        let axis = |value, scale| self.shown(value).map(|span| Axis { value, scale, span });
        let settings = &self.settings;
        match panel {
            Panel::Throughput => Some((axis(Value::Time, Scale::Linear)?, None)),
            Panel::Scatter => {
                let y = axis(settings.y, settings.y_scale)?;
                Some((axis(settings.x, Scale::Linear)?, Some(y)))
            }
            _ => None,
        }
    }

    /// The nanoseconds of a bin of throughput, and the bins.
    fn rate_bins(&self) -> Option<(i64, Bins)> {
        let span = self.shown(Value::Time)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few hundred"
        )]
        let target = (self.size(Panel::Throughput).plot().width / RATE_BIN_PX).max(2.0) as usize;
        let auto = time_step(span.len(), target).max(MIN_RATE_BIN_NS);
        let least = span.len() / MAX_RATE_BINS + 1;
        let step = match self.settings.interval_ns {
            Some(step) if least <= step => step,
            Some(_) | None => auto,
        };
        let start = span.start.saturating_sub(span.start.rem_euclid(step));
        let count = (i128::from(span.end) - i128::from(start) - 1).div_euclid(i128::from(step)) + 1;
        let count = usize::try_from(count).ok()?.clamp(1, Bins::MAX_COUNT);
        let len = i64::try_from(count).ok()?.saturating_mul(step);
        let span = Span::new(start, start.saturating_add(len));
        let axis = Axis { value: Value::Time, scale: Scale::Linear, span };
        Some((step, Bins { axis, count, is_closed: false }))
    }

    /// The interval of throughput in words.
    pub(super) fn interval_words(&self) -> String {
        let Some((step, _)) = self.rate_bins() else { return String::new() };
        let words = crate::text::duration(step);
        match self.settings.interval_ns {
            Some(wished) if wished != step => {
                format!("{words}: {} is too fine for this zoom", crate::text::duration(wished))
            }
            _ => words,
        }
    }

    fn size_bins(&self) -> Option<Bins> {
        let span = Span::closed(self.pictured.extent?.len);
        let axis = Axis { value: Value::Size, scale: Scale::Linear, span };
        Some(Bins { axis, count: self.settings.bins, is_closed: true })
    }

    fn gap_bins(&self) -> Option<Bins> {
        let span = Span::closed(self.pictured.extent?.gap_ns?);
        let axis = Axis { value: Value::Gap, scale: Scale::Log, span };
        Some(Bins { axis, count: GAP_BINS, is_closed: true })
    }

    fn grid(&self) -> Option<Grid> {
        let (x, y) = self.axes(Panel::Scatter)?;
        let (y, size) = (y?, self.size(Panel::Scatter));
        (size != Size::default()).then(|| grid_of(x, y, size, self.pictured.packets))
    }

    /// Which packets a view shows as selected: those of all dimensions but its own. `None` where
    /// that is everything.
    fn care_of(&self, own: Option<Dimension>) -> Option<Care> {
        let care = self.history.now().care();
        let care = own.map_or(care, |own| care.without(own));
        (care != Care::NONE).then_some(care)
    }

    /// All answers that the views want.
    pub(super) fn wish(&mut self) -> Vec<Wish> {
        let mut wishes = Vec::new();
        if self.pictured.extent.is_none() {
            return wishes;
        }
        let mut add = |slot, what: &What, care, is_seen| {
            let query = Query { what: what.clone(), care };
            wishes.push(Wish { slot, query, is_seen });
        };
        let mut both = |panel: Panel, what: Option<What>| {
            let Some(what) = what else { return };
            let ([whole, part], is_seen) = (slots(panel), self.is_seen(panel));
            add(whole, &what, Care::NONE, is_seen);
            if let Some(care) = self.care_of(panel.dimension()) {
                add(part, &what, care, is_seen);
            }
        };
        both(Panel::Throughput, self.rate_bins().map(|(_, bins)| What::Bins(bins)));
        both(Panel::Scatter, self.grid().map(What::Density));
        both(Panel::Sizes, self.size_bins().map(What::Bins));
        both(Panel::Gaps, self.gap_bins().map(What::Bins));
        both(Panel::Ports, Some(What::Ports));
        both(Panel::Sources, Some(What::Sources));
        both(Panel::Destinations, Some(What::Destinations));
        both(Panel::Protocols, Some(What::Protocols));
        let care = self.care_of(Panel::Conversations.dimension()).unwrap_or_default();
        let is_seen = self.is_seen(Panel::Conversations);
        add(Slot::Conversations, &What::Conversations, care, is_seen);
        if let Some(care) = self.care_of(None) {
            add(Slot::Total, &What::Total, care, true);
        }
        if let Some((grid, cell)) = self.awaited_pick.or_else(|| self.pointed_cell()) {
            add(Slot::Nearest, &What::Nearest { grid, cell }, Care::NONE, true);
        }
        let care = self.care_of(None).unwrap_or_default();
        if 0 < self.packets.room
            && let Some(extent) = self.pictured.extent
        {
            let files = self.files.files.len();
            let (slot, query) = self.packets.wish(&self.questions, care, files, extent.ts_ns);
            let is_seen = self.is_seen(Panel::Packets);
            wishes.push(Wish { slot, query, is_seen });
        }
        wishes
    }

    /// The cell of the drawn scatter under the pointer or the keyboard's cursor.
    pub(super) fn pointed_cell(&self) -> Option<(Grid, (usize, usize))> {
        let (grid, _) = counts(self.questions.latest(Slot::ScatterWhole))?;
        if let Some((Panel::Scatter, at)) = self.pointer {
            return Some((grid, self.size(Panel::Scatter).cell_at(&grid, at)?));
        }
        let (panel, cell) = self.cursor?;
        (panel == Panel::Scatter).then_some((grid, cell))
    }

    /// The chart of a panel, where its data is there.
    pub(super) fn chart(&self, panel: Panel) -> Option<Chart<'_>> {
        let cursor = self.cursor.filter(|cursor| cursor.0 == panel).map(|cursor| cursor.1);
        let settings = &self.settings;
        let binned = |title, measure, is_log, bars| {
            let [whole, part] = slots(panel);
            let (bins, whole) = tallies(self.questions.latest(whole))?;
            let part = self.care_of(panel.dimension()).and(tallies(self.questions.latest(part)));
            Some(Chart::Binned(Binned {
                title,
                bins,
                whole,
                selected: part.filter(|part| part.0 == bins).map(|part| part.1),
                measure,
                is_log,
                bars,
                brush: self.brush(panel.dimension()?),
                cursor: cursor.map(|cursor| cursor.0),
            }))
        };
        match panel {
            Panel::Throughput => {
                let (bins, _) = tallies(self.questions.latest(Slot::RateWhole))?;
                let step = bins.axis.span.len() / i64::try_from(bins.count).unwrap_or(1);
                let measure =
                    if settings.is_bits { Measure::BitRate } else { Measure::PacketRate }(step);
                let bars = Bars::Stacked;
                binned("Throughput", measure, settings.rate_log, bars)
            }
            Panel::Sizes => binned(
                "Packet Size Distribution",
                Measure::Packets,
                settings.size_log,
                settings.size_bars,
            ),
            Panel::Gaps => {
                binned("Inter-arrival Times", Measure::Packets, settings.gap_log, Bars::Stacked)
            }
            Panel::Scatter => {
                let (grid, whole) = counts(self.questions.latest(Slot::ScatterWhole))?;
                let part = self
                    .care_of(panel.dimension())
                    .and(counts(self.questions.latest(Slot::Scatter)));
                let selected = part.filter(|part| part.0 == grid).map(|part| part.1);
                let outline = self.outline(grid);
                Some(Chart::Scatter(Scatter { grid, whole, selected, outline, cursor }))
            }
            Panel::Conversations | Panel::Packets => None,
            _ => Some(Chart::Ranking(self.ranking(panel, cursor.map(|cursor| cursor.1))?)),
        }
    }

    fn ranking(&self, panel: Panel, cursor: Option<usize>) -> Option<Ranking<'_>> {
        let known = self.rankings[ranking_place(panel)?].as_ref()?;
        let (title, kind) = match panel {
            Panel::Ports => ("Destination Ports", "port"),
            Panel::Sources => ("Source Addresses", "source"),
            Panel::Destinations => ("Destination Addresses", "destination"),
            _ => ("Protocols", "protocol"),
        };
        let settings = &self.settings;
        let (rank, is_log) = (settings.rank, settings.rank_log);
        Some(Ranking { title, kind, items: &known.items, count: known.count, rank, is_log, cursor })
    }

    /// Brings rankings and conversations up to date with what they are made of.
    pub(super) fn rank_again(&mut self) {
        for panel in RANKINGS {
            let Some(place) = ranking_place(panel) else { continue };
            let [whole, part] = slots(panel);
            let picks = panel.dimension().and_then(|own| self.history.now().get(own)).cloned();
            let has_part = self.care_of(panel.dimension()).is_some();
            let made_of = MadeOf {
                whole: self.questions.version(whole),
                part: if has_part { self.questions.version(part) } else { 0 },
                has_part,
                rank: self.settings.rank,
                is_dark: self.theme.is_dark,
                picks,
            };
            if self.rankings[place].as_ref().is_none_or(|known| known.made_of != made_of) {
                self.rankings[place] = self.ranked(panel, made_of);
            }
        }
        let version = self.questions.version(Slot::Conversations);
        if self.conversations.version != version {
            let all = match self.questions.latest(Slot::Conversations) {
                Some((_, Answer::Flows(flows))) => self.flows.conversations(flows),
                _ => Vec::new(),
            };
            self.conversations.renew(version, all);
        }
        self.conversations.show(self.settings.sort, self.flows.protos());
    }

    /// What has any packet, in no order.
    fn keys(&self, panel: Panel, slot: Slot) -> Option<Vec<(Key, Tally)>> {
        Some(match (self.questions.latest(slot)?.1, panel) {
            (Answer::Ports(ports), _) => {
                ports.iter().map(|(port, tally)| (Key::Port(*port), *tally)).collect()
            }
            (Answer::Places(tallies), Panel::Protocols) => {
                let all = self.flows.by_proto(tallies).into_iter();
                all.map(|(name, tally)| (Key::Word(name.to_owned()), tally)).collect()
            }
            (Answer::Places(tallies), _) => {
                let all = self.flows.by_address(tallies).into_iter();
                all.map(|(place, tally)| (Key::Place(place), tally)).collect()
            }
            _ => return None,
        })
    }

    fn ranked(&self, panel: Panel, made_of: MadeOf) -> Option<Ranked> {
        let [whole, part] = slots(panel);
        let whole = self.keys(panel, whole)?;
        let part = made_of.has_part.then(|| self.keys(panel, part).unwrap_or_default());
        // The largest of what is selected elsewhere, or of all.
        let all = part.as_ref().unwrap_or(&whole);
        let front = largest(all, made_of.rank, MAX_ITEMS);
        let places: Interner<&Key> = front.iter().map(|(key, _)| key).collect();
        let mut wholes: Vec<_> = front.iter().map(|(_, tally)| *tally).collect();
        if part.is_some() {
            for (key, tally) in &whole {
                if let Some(place) = places.known(&key) {
                    wholes[place as usize] = *tally;
                }
            }
        }
        let item = |((key, tally), whole): (&(Key, Tally), &Tally)| {
            let (name, alias) = match key {
                Key::Port(port) => (port.to_string(), service(*port)),
                Key::Place(place) => (Address::from(*place).to_string(), None),
                Key::Word(word) => (word.clone(), None),
            };
            let color = match key {
                Key::Word(name) => Some(Class::of(name).color(made_of.is_dark)),
                _ => None,
            };
            let picks = made_of.picks.as_ref();
            Item {
                whole: *whole,
                selected: part.is_some().then_some(*tally),
                is_picked: picks.is_some_and(|expr| has_pick(expr, &pick(panel, key))),
                name,
                alias,
                color,
            }
        };
        let items = front.iter().zip(&wholes).map(item).collect();
        let keys = front.iter().map(|(key, _)| key.clone()).collect();
        Some(Ranked { items, keys, count: all.len(), made_of })
    }

    /// What picks a bar of a ranking.
    pub(super) fn pick_of(&self, panel: Panel, index: usize) -> Option<Expr> {
        let known = self.rankings[ranking_place(panel)?].as_ref()?;
        Some(pick(panel, known.keys.get(index)?))
    }

    /// What picks a conversation.
    pub(super) fn pick_of_pair(&self, pair: Pair) -> Expr {
        self.flows.expr(pair)
    }

    /// The range that is selected in a dimension, of a chart with bins.
    fn brush(&self, dimension: Dimension) -> Option<(i64, i64)> {
        match self.history.now().get(dimension)? {
            Expr::In(Field::Value(_), Set::Numbers(ranges)) => ranges.first().copied(),
            _ => None,
        }
    }

    /// Names of the words that a field has in the capture.
    pub(super) fn words_of(&self, field: Field) -> Vec<String> {
        let names = |panel: Panel| -> Vec<String> {
            let known = ranking_place(panel).and_then(|place| self.rankings[place].as_ref());
            known.iter().flat_map(|known| &known.items).map(|item| item.name.clone()).collect()
        };
        match field {
            Field::Value(Value::DestinationPort) | Field::Port => names(Panel::Ports),
            Field::Proto => names(Panel::Protocols),
            Field::Src | Field::Host => names(Panel::Sources),
            Field::Dst => names(Panel::Destinations),
            Field::File => self.files.files.iter().map(|file| file.name.clone()).collect(),
            Field::Direction => {
                ["in", "out", "bcast", "mcast", "other"].map(str::to_owned).to_vec()
            }
            Field::Flags => ["S", "SA", "A", "PA", "FA", "R"].map(str::to_owned).to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Panels with bars of the largest.
const RANKINGS: [Panel; RANKING_COUNT] =
    [Panel::Ports, Panel::Sources, Panel::Destinations, Panel::Protocols];
/// How many those are.
pub(super) const RANKING_COUNT: usize = 4;

fn ranking_place(panel: Panel) -> Option<usize> {
    RANKINGS.iter().position(|known| *known == panel)
}

/// Where the answers of a panel are: of all packets, and of those that are selected.
pub(super) fn slots(panel: Panel) -> [Slot; 2] {
    match panel {
        Panel::Throughput => [Slot::RateWhole, Slot::Rate],
        Panel::Scatter => [Slot::ScatterWhole, Slot::Scatter],
        Panel::Sizes => [Slot::SizesWhole, Slot::Sizes],
        Panel::Gaps => [Slot::GapsWhole, Slot::Gaps],
        Panel::Ports => [Slot::PortsWhole, Slot::Ports],
        Panel::Sources => [Slot::SourcesWhole, Slot::Sources],
        Panel::Destinations => [Slot::DestinationsWhole, Slot::Destinations],
        Panel::Protocols => [Slot::ProtocolsWhole, Slot::Protocols],
        Panel::Conversations => [Slot::Conversations; 2],
        Panel::Packets => [Slot::Rows; 2],
    }
}

/// The bars of a ranking, made once for all that show them.
#[derive(Debug)]
pub(super) struct Ranked {
    items: Vec<Item>,
    /// What each item stands for.
    keys: Vec<Key>,
    count: usize,
    made_of: MadeOf,
}

/// What bars depend on.
#[derive(Debug, PartialEq)]
struct MadeOf {
    /// Versions of the answers.
    whole: u64,
    part: u64,
    has_part: bool,
    rank: Rank,
    is_dark: bool,
    picks: Option<Expr>,
}

/// What a bar of a ranking stands for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Port(u16),
    Place(Place),
    Word(String),
}

fn pick(panel: Panel, key: &Key) -> Expr {
    match key {
        Key::Port(port) => {
            let port = i64::from(*port);
            Expr::numbers(Value::DestinationPort, port, port)
        }
        Key::Place(place) => {
            let field = if panel == Panel::Sources { Field::Src } else { Field::Dst };
            Expr::In(field, Set::Addresses(vec![(*place, *place)]))
        }
        Key::Word(word) => Expr::In(Field::Proto, Set::Words(vec![word.clone()])),
    }
}

/// True where the picks hold this one.
pub(super) fn has_pick(picks: &Expr, pick: &Expr) -> bool {
    match (picks, pick) {
        (Expr::In(field, all), Expr::In(of, one)) if field == of => all.has(one),
        (Expr::Or(all), pick) => all.iter().any(|picks| has_pick(picks, pick)),
        (one, pick) => one == pick,
    }
}

/// The picks with this one, or without it where they have it.
pub(super) fn toggled(picks: Option<&Expr>, pick: Expr) -> Option<Expr> {
    let Some(picks) = picks else { return Some(pick) };
    let alternatives = if let Expr::Or(all) = picks { all } else { std::slice::from_ref(picks) };
    let mut rest = Vec::new();
    let mut is_in = false;
    for one in alternatives {
        match (one, &pick) {
            (Expr::In(field, all), Expr::In(of, some)) if field == of && !is_in => {
                is_in = true;
                rest.extend(all.toggled(some).map(|set| Expr::In(*field, set)));
            }
            (one, pick) if one == pick => is_in = true,
            _ => rest.push(one.clone()),
        }
    }
    if !is_in {
        rest.push(pick);
    }
    if rest.len() < 2 { rest.pop() } else { Some(Expr::Or(rest)) }
}

/// Names of ports that people know by them (IANA's service name registry).
fn service(port: u16) -> Option<&'static str> {
    const NAMES: [(u16, &str); 32] = [
        (20, "ftp-data"),
        (21, "ftp"),
        (22, "ssh"),
        (23, "telnet"),
        (25, "smtp"),
        (53, "domain"),
        (67, "bootps"),
        (68, "bootpc"),
        (69, "tftp"),
        (80, "http"),
        (88, "kerberos"),
        (110, "pop3"),
        (123, "ntp"),
        (137, "netbios-ns"),
        (138, "netbios-dgm"),
        (139, "netbios-ssn"),
        (143, "imap"),
        (161, "snmp"),
        (179, "bgp"),
        (389, "ldap"),
        (443, "https"),
        (445, "microsoft-ds"),
        (514, "syslog"),
        (636, "ldaps"),
        (853, "domain-s"),
        (993, "imaps"),
        (1883, "mqtt"),
        (3306, "mysql"),
        (3389, "ms-wbt-server"),
        (5353, "mdns"),
        (5432, "postgresql"),
        (6379, "redis"),
    ];
    let at = NAMES.binary_search_by_key(&port, |(port, _)| *port).ok()?;
    Some(NAMES[at].1)
}
