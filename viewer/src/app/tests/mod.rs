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
mod follow;
mod input;
mod legend;
mod lines;
mod names;
mod overview;
mod rankings;

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
                    Effect::Analyze(parts) => {
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
        assert!(self.app.phase() == Phase::Loading || self.app.is_settled());
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

    fn chips(&self) -> Vec<String> {
        self.app.view().chips.into_iter().map(|chip| chip.text).collect()
    }
}

#[test]
fn filter_applies_while_typing_and_marks_errors() {
    let mut page = Page::open();
    let text = "proto == tcp and len < 100";
    page.send(Event::SetFilter(text.into(), text.len()));
    assert_eq!(
        (page.selected(), page.chips()),
        (50, vec!["proto == tcp and len <= 99".to_owned()])
    );
    let wrong = "proto == tcp and lenn < 100";
    page.send(Event::SetFilter(wrong.into(), wrong.len()));
    let error = page.app.view().filter_error;
    assert!(error.contains("\n                 ^^^^\nUnknown field `lenn`"), "{error}");
    assert_eq!(page.selected(), 50, "the selection is unchanged");
    let (fixed, label) = page.app.view().completions[0].clone();
    assert_eq!(fixed, "proto == tcp and len < 100");
    assert_eq!(label, "Did you mean proto == tcp and len < 100?");
    page.send(Event::SetFilter("proto == t".into(), 10));
    assert_eq!(page.app.view().completions, [("proto == tcp".to_owned(), "tcp".to_owned())]);
    page.send(Event::SetFilter(String::new(), 0));
    assert_eq!((page.selected(), page.app.view().filter_error), (1_000, String::new()));
    // After an undo, the box shows the selected filter.
    page.send(Event::CommitFilter);
    page.send(Event::SetFilter("vlan".into(), 4));
    page.send(Event::Select(Dimension::Size, "len == 1".into()));
    page.send(Event::Undo);
    assert_eq!(page.app.view().filter, "vlan");
    page.send(Event::Undo);
    assert_eq!((page.app.view().filter.as_str(), page.selected()), ("", 1_000));
}

#[test]
fn link_restores_settings_and_selections() {
    let mut page = Page::open();
    for (key, value) in [("x", "time"), ("bins", "7"), ("y", "dport"), ("rank", "bytes")] {
        page.send(Event::Set(key.into(), value.into()));
    }
    page.send(Event::SetZoom(Quantity::Time, Span::new(NOON, NOON + 500_000_000)));
    page.send(Event::SetFilter("len > 9 and ts < 12:00:00.9".into(), 0));
    page.send(Event::Select(Dimension::Protocol, "proto == udp".into()));
    page.send(Event::Select(Dimension::Scatter, "lasso(ts, dport, 1 2, 3 4, 5 0)".into()));
    page.send(Event::Clear(Some(Dimension::Scatter)));
    let link = page.app.link();
    let mut other = Page::empty();
    other.send(Event::RestoreLink(format!("#{link}")));
    other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
    assert_eq!(other.app.link(), link);
    assert_eq!((other.selected(), other.chips()), (page.selected(), page.chips()));
    assert_eq!(other.app.view().chart_labels, page.app.view().chart_labels);
    // The next capture starts without selections.
    other.load("b.ndjson", vec![columns(0..10, 0)], false);
    assert_eq!((other.selected(), other.chips().len()), (10, 0));
}

#[test]
fn filter_box_shows_the_selected_filter() {
    let mut page = Page::open();
    let filter = |page: &Page| page.app.view().filter;
    // Removing the chip empties the box; the same text then filters as before.
    for clear in [Some(Dimension::Filter), None] {
        page.send(Event::SetFilter("proto == tcp".into(), 0));
        page.send(Event::Clear(clear));
        assert_eq!((filter(&page), page.selected()), (String::new(), 1_000));
        page.send(Event::SetFilter("proto == tcp".into(), 0));
        assert_eq!(page.selected(), 500);
        page.send(Event::SetFilter("proto ==".into(), 0));
        page.send(Event::Clear(clear));
        assert_eq!((filter(&page), page.app.view().filter_error), (String::new(), String::new()));
    }
    // Another time zone formats the same time differently.
    page.send(Event::SetFilter("ts < 12:00:00.5".into(), 0));
    page.send(Event::Set("zone".into(), "start".into()));
    assert_eq!((filter(&page), page.selected()), ("ts < 12:00:00.5".to_owned(), 500));
    page.send(Event::SetFilter("ts < 0.5".into(), 0));
    page.send(Event::Set("zone".into(), "utc".into()));
    assert_eq!(filter(&page), "ts <= 2026-11-24T12:00:00.499999999Z");
    page.send(Event::SetFilter("ts < 12:00:00.5".into(), 0));
    let hour = UtcOffsets(vec![(0, 3_600)]);
    page.send(Event::SetOffsets(hour));
    page.send(Event::Set("zone".into(), "local".into()));
    assert_eq!(filter(&page), "ts <= 2026-11-24T13:00:00.499999999+01:00");
    // The filter of a link is in local time, too, once the offsets are known; a typed one stays.
    let mut other = Page::empty();
    other.send(Event::RestoreLink(page.app.link()));
    other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
    for hours in [1, 2] {
        other.send(Event::SetOffsets(UtcOffsets(vec![(0, hours * 3_600)])));
        let expected = format!("ts <= 2026-11-24T{}:00:00.499999999+0{hours}:00", 12 + hours);
        assert_eq!((filter(&other), other.selected()), (expected, 500));
    }
    other.send(Event::SetFilter("ts < 14:00:00.5".into(), 0));
    other.send(Event::SetOffsets(UtcOffsets(vec![(0, 7_200)])));
    assert_eq!(filter(&other), "ts < 14:00:00.5");
    // A relative time from a link is resolved once the capture is open.
    page.send(Event::Set("zone".into(), "start".into()));
    let restored = |page: &Page| {
        let mut other = Page::empty();
        other.send(Event::RestoreLink(page.app.link()));
        other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
        (filter(&other), other.selected())
    };
    page.send(Event::SetFilter("ts < 0.5".into(), 0));
    assert_eq!(restored(&page), ("ts <= 0.499999999".to_owned(), 500));
    // Other filters are restored as they were typed.
    for typed in ["tcp && frame.len >= 0", "PROTO == tcp", "ts < 2026-11-24T12:00:00.5Z"] {
        page.send(Event::SetFilter(typed.into(), 0));
        assert_eq!(restored(&page), (typed.to_owned(), 500));
    }
    // Typing a filter starts a new undo step after keys in a chart.
    page.send(Event::Clear(None));
    page.send(Event::KeyDown(Panel::Sizes, Key::Right, true));
    page.send(Event::KeyDown(Panel::Sizes, Key::Right, true));
    page.send(Event::SetFilter("proto == tcp".into(), 0));
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 1);
}

/// Counts without the values of all packets would be wrong.
#[test]
fn conditions_are_removed_if_their_fields_cannot_be_read() {
    let mut page = Page::open();
    page.send(Event::SetFilter("dport == 7".into(), 0));
    page.send(Event::Select(Dimension::Time, "seq == 1".into()));
    page.send(Event::ExtraRead(0, (1, 2)));
    page.send(Event::ExtraFailed("memory is full".into()));
    page.send(Event::ExtraFailed("memory is full".into()));
    assert_eq!(page.chips().len(), 1);
    let error = page.app.view().error;
    assert_eq!(
        error,
        "The filter was removed, because its fields could not be read (memory is full)."
    );
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 2);
}

fn numbers(page: &Page) -> Vec<String> {
    let rows = page.app.view().packets.rows;
    rows.into_iter().map(|row| format!("{} {}", row.cells[13], row.cells[0])).collect()
}

#[test]
fn packet_table_scrolls_through_all_parts() {
    let mut page = Page::open();
    assert_eq!(numbers(&page)[..2], ["a.ndjson 1", "a.ndjson 2"]);
    page.send(Event::Scroll(Panel::Packets, 598));
    assert_eq!(numbers(&page), [599, 600, 601, 602, 603].map(|n| format!("a.ndjson {n}")));
    page.send(Event::Scroll(Panel::Packets, 5_000));
    assert_eq!(numbers(&page)[4], "a.ndjson 1,000");
    page.send(Event::SetFilter("dport == 7".into(), 0));
    page.send(Event::Scroll(Panel::Packets, 58));
    assert_eq!(numbers(&page), [588, 598, 608, 618, 628].map(|n| format!("a.ndjson {n}")));
    // Fields without a column of their own are in the last one.
    let extra_fields: Vec<_> =
        page.app.view().packets.rows.into_iter().map(|row| row.cells[14].clone()).collect();
    assert_eq!(extra_fields[..3], ["seq 0 · x 587", "seq 0 · x 597", "seq 1 · x 7"]);
    page.send(Event::ActivateRow(Panel::Packets, 2));
    assert_eq!(page.read, [(1, 7)]);
    // A late line of a packet that is no longer shown is ignored.
    page.send(record((1, 7), "{\"len\":7}"));
    page.send(record((0, 7), "{\"len\":8}"));
    let detail = page.app.view().detail.unwrap();
    assert_eq!(detail.line, "{\"len\":7}");
}

fn record((part, index): (usize, usize), line: &str) -> Event {
    Event::Record { part, index, line: line.to_owned(), frame: None }
}

/// Steps through the selected packets of all parts, in the order of the table, which follows.
#[test]
fn details_step_from_packet_to_packet() {
    let mut page = Page::open();
    page.send(Event::StepDetail(Step::Next));
    assert!(page.app.view().detail.is_none(), "nothing is shown");
    page.send(Event::SetFilter("dport == 7".into(), 0));
    page.send(Event::Scroll(Panel::Packets, 56));
    page.send(Event::ActivateRow(Panel::Packets, 3));
    let mut titles = Vec::new();
    for _ in 0..3 {
        let detail = page.app.view().detail.unwrap();
        assert!(detail.has_previous && detail.has_next);
        titles.push(detail.title.split(',').next().unwrap().to_owned());
        page.send(Event::StepDetail(Step::Next));
    }
    assert_eq!(titles, ["Packet 598", "Packet 608", "Packet 618"]);
    assert_eq!(page.read, [(0, 597), (1, 7), (1, 17), (1, 27)]);
    let rows = page.app.view().packets.rows;
    assert_eq!(rows.iter().position(|row| row.is_selected), Some(4), "the table follows");
    for _ in 0..200 {
        page.send(Event::StepDetail(Step::Previous));
    }
    let detail = page.app.view().detail.unwrap();
    assert!(detail.title.starts_with("Packet 8,") && !detail.has_previous && detail.has_next);
    assert_eq!(page.app.view().packets.first, 0);
    // Stepping also works from a packet that is no longer selected.
    page.send(Event::SetFilter("dport == 8".into(), 0));
    page.send(Event::StepDetail(Step::Next));
    assert!(page.app.view().detail.unwrap().title.starts_with("Packet 9,"));
}

#[test]
fn files_are_merged_by_time() {
    let mut page = Page::open();
    page.send(Event::Scroll(Panel::Packets, 400));
    // Each packet is half a millisecond later than its counterpart.
    page.load("b.pcap", vec![columns(0..1_000, 500_000)], true);
    assert_eq!(page.selected(), 2_000);
    for first in [0, 1, 700, 1_201, 1_995] {
        page.send(Event::Scroll(Panel::Packets, first));
        let expected: Vec<_> = (first..first + 5)
            .map(|index| {
                let file = ["a.ndjson", "b.pcap"][(index % 2) as usize];
                format!("{file} {}", summary::grouped(index / 2 + 1))
            })
            .collect();
        assert_eq!(numbers(&page), expected, "{first}");
    }
    page.send(Event::SetFilter("file == b.pcap and len == 5".into(), 0));
    assert_eq!(numbers(&page), ["b.pcap 6"]);
    // The previous packet of a gap is in the same file.
    page.send(Event::SetFilter("gap == 1ms".into(), 0));
    assert_eq!(page.selected(), 1_998);
}

#[test]
fn conversations_sort_and_select() {
    let mut page = Page::open();
    let rows = |page: &Page| {
        let table = page.app.view().conversations;
        let cells = table.rows.into_iter();
        (
            table.count,
            cells.map(|row| format!("{} {}", row.cells[2], row.cells[5])).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        rows(&page),
        (4, ["10.0.0.1 250", "10.0.0.1 250", "10.0.0.2 250"].map(str::to_owned).to_vec())
    );
    page.send(Event::Set("sort".into(), "-start".into()));
    assert_eq!(rows(&page).1[0], "10.0.0.3 250");
    page.send(Event::ActivateRow(Panel::Conversations, 0));
    assert_eq!(page.selected(), 250);
    assert!(page.chips()[0].contains("dst == 10.0.0.3"), "{:?}", page.chips());
    assert!(page.app.view().conversations.rows[0].is_selected);
    page.send(Event::Scroll(Panel::Conversations, 9));
    assert_eq!(page.app.view().conversations.first, 1);
}

#[test]
fn conversations_are_counted_by_ports_on_request() {
    let mut page = Page::open();
    let ports = |page: &Page| {
        let table = page.app.view().conversations;
        let cells = |row: &VirtualRow| [1, 2, 3, 5].map(|cell: usize| row.cells[cell].clone());
        (table.count, table.hidden, table.rows.iter().map(cells).collect::<Vec<_>>())
    };
    // The columns of the analysis, which has not run, are hidden, too.
    let hidden = 0b101_1000_0000;
    assert_eq!((ports(&page).0, ports(&page).1), (4, hidden | 0b1010));
    page.send(Event::Set("conversations".into(), "5-tuples".into()));
    let (count, hidden_by_ports, rows) = ports(&page);
    // Each of 10 ports occurs with 2 of 4 addresses.
    assert_eq!((count, hidden_by_ports), (20, hidden));
    assert_eq!(rows[0], ["0", "10.0.0.1", "0", "50"].map(str::to_owned));
    page.send(Event::ActivateRow(Panel::Conversations, 0));
    assert_eq!(page.selected(), 50);
    page.send(Event::Set("conversations".into(), "addresses".into()));
    assert_eq!((ports(&page).0, ports(&page).1), (4, hidden | 0b1010));
}

#[test]
fn endpoints_sort_and_select() {
    let mut page = Page::open();
    page.send(Event::VisibleRows(Panel::Endpoints, 2));
    let rows = |page: &Page| {
        let table = page.app.view().endpoints;
        let rows = table.rows.iter().map(|row| row.cells[..9].join(" ")).collect::<Vec<_>>();
        (table.count, rows)
    };
    let (count, shown) = rows(&page);
    assert_eq!(count, 4);
    assert!(shown[0].starts_with("10.0.0.1 1,000 "), "{shown:?}");
    page.send(Event::Set("endpoints-sort".into(), "packets-received".into()));
    let (_, shown) = rows(&page);
    assert!(shown[0].starts_with("10.0.0.0 250 "), "{shown:?}");
    page.send(Event::ActivateRow(Panel::Endpoints, 0));
    assert_eq!((page.selected(), page.chips()), (250, vec!["host == 10.0.0.0".to_owned()]));
    assert!(page.app.view().endpoints.rows[0].is_selected);
    page.send(Event::ActivateRow(Panel::Endpoints, 1));
    assert_eq!(page.chips(), ["host in {10.0.0.0, 10.0.0.1}"]);
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
