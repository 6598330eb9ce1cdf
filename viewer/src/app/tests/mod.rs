//! The app with its workers simulated: one part each, answered at once.

use super::*;
use crate::axis::{Quantity, Span};
use crate::chart::Size;
use crate::columns::Columns;
use crate::filter::Expr;
use crate::flow::SyncCursor;
use crate::load::Report;
use crate::query::{Answer, Query, QueryKind};
use crate::selection::{Dimension, Selection};
use crate::settings::Tool;
use crate::shard::Shard;
use crate::wire::{decode, encode};
use summary::{LinkType, Packet, Proto, Summary, Timestamp};

mod aligned;
mod analysis;
mod bins;
mod boxes;
mod cells;
mod chips;
mod connection;
mod crosshair;
mod details;
mod files;
mod filter;
mod follow;
mod input;
mod legend;
mod lines;
mod names;
mod overview;
mod rankings;
mod tables;

const SIZE: Size = Size { width_px: 694.0, height_px: 300.0 };
const MEMORY: Memory = Memory { bytes: 1 << 30, worker_bytes: 1 << 30 };
const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z

/// The app, and the parts of its simulated workers.
struct Page {
    app: App,
    parts: Vec<(Columns, Shard, SyncCursor)>,
    /// The parts before this one were dropped.
    first_part: usize,
    /// The packets whose lines were requested.
    read: Vec<(usize, usize)>,
    loaded: Vec<PartAssignment>,
    /// The first parts of the requests for names.
    named: Vec<usize>,
    /// What was appended to parts of a followed file.
    appended: Vec<Append>,
    /// The app has stopped the followed source.
    is_stopped: bool,
    /// The files whose analysis was requested, as their parts.
    analyzed: Vec<Vec<(usize, u64)>>,
    /// The parts of the connection that were requested, and how much of them; `None` once it is shown.
    connection: Vec<Option<(usize, viewer_connection::Limits)>>,
    connection_id: u32,
    /// The time ranges that the view of connections marked.
    connection_times: Vec<Option<(i64, i64)>>,
}

/// One packet per millisecond from noon: sizes 0 to 999, tcp and udp alternating, ports 0 to 9.
fn columns(numbers: std::ops::Range<u64>, shift_ns: i64) -> Columns {
    let mut columns = Columns::default();
    for n in numbers {
        let ts = NOON + i64::try_from(n).unwrap() * 1_000_000 + shift_ns;
        let len = u32::try_from(n % 1_000).unwrap();
        let mut summary = Summary::new(LinkType::ETHERNET, len, len);
        summary.proto = Proto::parse(["tcp", "udp"][(n % 2) as usize]);
        summary.src = Some([10, 0, 0, 1].into());
        let mut packet = Packet::new(n + 1, Timestamp::from_ns(ts), summary);
        packet.summary.dst = Some([10, 0, 0, u8::try_from(n % 4).unwrap()].into());
        let port = u16::try_from(n % 10).unwrap();
        (packet.summary.sport, packet.summary.dport) = (Some(port), Some(port));
        columns.push(&packet, n * 100).unwrap();
    }
    columns
}

impl Page {
    fn empty() -> Self {
        let mut page = Self {
            app: App::new(1),
            parts: Vec::new(),
            first_part: 0,
            read: Vec::new(),
            loaded: Vec::new(),
            named: Vec::new(),
            appended: Vec::new(),
            is_stopped: false,
            analyzed: Vec::new(),
            connection: Vec::new(),
            connection_id: 0,
            connection_times: Vec::new(),
        };
        for panel in &Panel::ALL[..CHART_COUNT] {
            page.send(Event::Resize(*panel, SIZE));
        }
        page.send(Event::VisibleRows(Panel::Packets, 5));
        page.send(Event::VisibleRows(Panel::Conversations, 3));
        page
    }

    /// Opens 1,000 packets in two parts.
    fn open() -> Self {
        let mut page = Self::empty();
        page.load("a.ndjson", vec![columns(0..600, 0), columns(600..1_000, 0)], false);
        page
    }

    fn load(&mut self, name: &str, parts: Vec<Columns>, is_added: bool) {
        let count = parts.len();
        let info = FileInfo { parts: count, ..FileInfo::unprobed(name.to_owned(), 1_000) };
        if !is_added {
            self.parts.clear();
            self.send(Event::Open(vec![info.clone()]));
        }
        self.send(Event::Load(vec![info], MEMORY));
        for columns in parts {
            let part = self.parts.len();
            let packets = columns.totals().packets;
            let report = Report {
                totals: columns.totals(),
                records: packets,
                lines: packets,
                read_bytes: 500,
                is_done: true,
                is_complete: true,
                is_capture: name.ends_with(".pcap"),
                ..Report::default()
            };
            self.parts.push((columns, Shard::new(part, name.to_owned()), SyncCursor::default()));
            self.send(Event::Report { part, report, elapsed_ms: 1_000.0 });
        }
    }

    fn send(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.app.update(event) {
                match effect {
                    Effect::ReadRecord { part, index } => self.read.push((part, index)),
                    Effect::Load(pieces, _) => self.loaded = pieces,
                    Effect::Cancel => {}
                    Effect::BeginConnection => self.connection.clear(),
                    Effect::ReadConnection { id, part, limits, .. } => {
                        self.connection.push(Some((part, limits)));
                        self.connection_id = id;
                    }
                    Effect::ShowConnection => self.connection.push(None),
                    Effect::MarkConnectionTime(time) => self.connection_times.push(time),
                    Effect::Append(append) => self.appended.push(append),
                    Effect::DropBefore(part) => self.first_part = part,
                    Effect::ResendFlows => {
                        self.parts
                            .iter_mut()
                            .for_each(|(_, _, synced)| *synced = SyncCursor::default());
                    }
                    Effect::StopFollowing(_) => self.is_stopped = true,
                    Effect::ReadNames(first) => {
                        self.named.push(first);
                        let names = || Event::Names(Some(names::learnt()));
                        events.extend((first..self.parts.len()).map(|_| names()));
                    }
                    Effect::AnalyzeFollowed(parts) if parts.is_empty() => {}
                    Effect::Analyze(parts) | Effect::AnalyzeFollowed(parts) => {
                        let (first, _) = parts[0];
                        events.push(Event::Analyzed(first, None));
                        for (part, _) in &parts {
                            let (columns, shard, _) = &mut self.parts[*part];
                            columns.set_findings(analysis::found());
                            shard.reset(columns);
                        }
                        self.analyzed.push(parts);
                    }
                    Effect::ReadOtherFields(rows) => {
                        let text = |at: (usize, usize)| (at, format!("seq {} · x {}", at.0, at.1));
                        events.push(Event::OtherFields(rows.into_iter().map(text).collect()));
                    }
                    Effect::RunQueries { queries, selection } => {
                        events.push(self.answer(&queries, &selection));
                    }
                }
            }
        }
        let waits = self.app.phase() == Phase::Loading || self.app.is_outdated();
        assert!(waits || self.app.is_settled());
    }

    fn answer(&mut self, queries: &[(u32, Query)], selection: &Selection) -> Event {
        let preceding = self.app.preceding();
        // As transferred to a worker.
        let selection: Selection = decode(&encode(selection)).expect("encoded by us");
        let (ids, queries): (Vec<_>, Vec<_>) = queries.iter().cloned().unzip();
        let mut merged: Option<Vec<Answer>> = None;
        for (part, (columns, shard, sync_cursor)) in
            self.parts.iter_mut().enumerate().skip(self.first_part)
        {
            let delta = columns.flow_delta(sync_cursor, usize::MAX);
            let learn = Event::FlowDelta { part, delta };
            assert!(self.app.update(learn).is_empty());
            let answers = shard.answer(columns, preceding.of(part), &selection, &queries);
            merged = Some(match merged {
                Some(all) => all.into_iter().zip(answers).map(|(a, b)| a.merge(b)).collect(),
                None => answers,
            });
        }
        let answers = merged.expect("at least one part");
        Event::Answers(ids.into_iter().zip(answers).collect())
    }

    /// The pixel at fractions of a chart's plot, from its lower left corner.
    fn at(fraction: (f64, f64)) -> (f64, f64) {
        let plot = SIZE.plot();
        (plot.x + fraction.0 * plot.width, plot.y + (1.0 - fraction.1) * plot.height)
    }

    fn drag(&mut self, panel: Panel, from: (f64, f64), to: (f64, f64), tool: Option<Tool>) {
        self.send(Event::PointerDown(panel, Self::at(from), tool));
        for step in 1..=4 {
            let fraction = f64::from(step) / 4.0;
            let at = (from.0 + (to.0 - from.0) * fraction, from.1 + (to.1 - from.1) * fraction);
            self.send(Event::PointerMove(panel, Self::at(at)));
        }
        self.send(Event::PointerUp);
    }

    fn selected(&self) -> u64 {
        self.app.selected().packets
    }

    fn undo_redo(&self) -> (bool, bool) {
        let view = self.app.view();
        (view.can_undo, view.can_redo)
    }

    /// The description of a chart.
    fn label(&self, panel: Panel) -> String {
        self.app.view().chart_labels[panel as usize].clone()
    }

    fn chips(&self) -> Vec<String> {
        self.app.view().chips.into_iter().map(|chip| chip.text).collect()
    }
}

fn record((part, index): (usize, usize), line: &str) -> Event {
    Event::Record { part, index, line: line.to_owned(), frame: None }
}

#[test]
fn one_query_per_slot_is_in_flight_and_the_latest_follows() {
    let mut page = Page::open();
    let queries = |effects: Vec<Effect>| {
        let queries = effects.into_iter().filter_map(|effect| match effect {
            Effect::RunQueries { queries, selection } => Some((queries, selection)),
            _ => None,
        });
        queries.collect::<Vec<_>>()
    };
    let select = |text: &str| Event::Select(Dimension::Size, text.into());
    let first = queries(page.app.update(select("len == 1")));
    assert_eq!(first.len(), 1);
    for len in 2..50 {
        let more = queries(page.app.update(select(&format!("len == {len}"))));
        assert!(more.is_empty(), "all slots have a query in flight");
    }
    let answer = page.answer(&first[0].0, &first[0].1);
    let next = queries(page.app.update(answer));
    assert_eq!(next[0].1.get(Dimension::Size), Some(&Expr::numbers(Quantity::Size, 49, 49)));
    let whole = next[0]
        .0
        .iter()
        .filter(|(_, query)| query.dimensions == crate::selection::DimensionSet::EMPTY);
    assert_eq!(whole.count(), 0, "answers for all packets are cached");
    assert!(next[0].0.iter().any(|(_, query)| query.kind == QueryKind::Total));
}

#[test]
fn panels_outside_the_viewport_are_queried_last() {
    let mut page = Page::open();
    for panel in Panel::ALL {
        page.send(Event::VisibilityChanged(panel, panel == Panel::Sizes));
    }
    let effects = page.app.update(Event::Select(Dimension::Gap, "gap > 1ns".into()));
    let Some(Effect::RunQueries { queries, .. }) = effects.first() else { panic!() };
    let bins = queries.iter().filter(|(_, query)| matches!(query.kind, QueryKind::Bins(_))).count();
    assert_eq!(bins, 1);
    assert!(!queries.iter().any(|(_, query)| matches!(query.kind, QueryKind::Density(_))));
}
