use super::*;
use crate::axis::{Span, Value};
use crate::chart::Size;
use crate::columns::{Columns, Told};
use crate::filter::Expr;
use crate::query::{Query, What};
use crate::selection::Dimension;
use crate::settings::Tool;
use crate::shard::Shard;
use crate::wire::{decode, encode};
use summary::{Address, LinkType, Packet, Proto, Summary, Timestamp};

const SIZE: Size = Size { width_px: 694.0, height_px: 300.0 };
const MEMORY: Memory = Memory { bytes: 1 << 30, worker_bytes: 1 << 30 };
const NOON: i64 = 1_795_521_600_000_000_000; // 2026-11-24T12:00:00Z

/// The page with its workers played: a part each.
struct Page {
    app: App,
    parts: Vec<(Columns, Shard, Told)>,
    read: Vec<(usize, usize)>,
    loaded: Vec<Piece>,
}

/// A packet a millisecond from noon on, sizes 0 to 999, tcp and udp in turn, to ports 0 to 9.
fn columns(numbers: std::ops::Range<u64>, shift_ns: i64) -> Columns {
    let mut columns = Columns::default();
    for n in numbers {
        let ts = NOON + i64::try_from(n).unwrap() * 1_000_000 + shift_ns;
        let len = u32::try_from(n % 1_000).unwrap();
        let mut summary = Summary::new(LinkType::ETHERNET, len, len);
        summary.proto = Proto::parse(["tcp", "udp"][(n % 2) as usize]);
        summary.src = Some(Address::V4([10, 0, 0, 1]));
        let mut packet = Packet::new(n + 1, Timestamp::from_ns(ts), summary);
        packet.summary.dst = Some(Address::V4([10, 0, 0, u8::try_from(n % 4).unwrap()]));
        let port = u16::try_from(n % 10).unwrap();
        (packet.summary.sport, packet.summary.dport) = (Some(port), Some(port));
        columns.push(&packet, n * 100).unwrap();
    }
    columns
}

impl Page {
    fn empty() -> Self {
        let mut page =
            Self { app: App::new(1), parts: Vec::new(), read: Vec::new(), loaded: Vec::new() };
        for panel in &Panel::ALL[..CHART_COUNT] {
            page.send(Event::Resize(*panel, SIZE));
        }
        page.send(Event::Room(Panel::Packets, 5));
        page.send(Event::Room(Panel::Conversations, 3));
        page
    }

    /// Opens a thousand packets, in two parts.
    fn open() -> Self {
        let mut page = Self::empty();
        page.load("a.ndjson", vec![columns(0..600, 0), columns(600..1_000, 0)], false);
        page
    }

    fn load(&mut self, name: &str, parts: Vec<Columns>, is_added: bool) {
        let count = parts.len();
        let info = FileInfo { parts: count, ..FileInfo::unseen(name.to_owned(), 1_000) };
        if !is_added {
            self.parts.clear();
            self.send(Event::Open(vec![info.clone()]));
        }
        self.send(Event::Offer(vec![info], MEMORY));
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
                ..Report::default()
            };
            self.parts.push((columns, Shard::new(part, name.to_owned()), Told::default()));
            self.send(Event::Report { part, report, elapsed_ms: 1_000.0 });
        }
    }

    fn send(&mut self, event: Event) {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            for effect in self.app.update(event) {
                match effect {
                    Effect::Read { part, index } => self.read.push((part, index)),
                    Effect::Load(pieces) => self.loaded = pieces,
                    Effect::Cancel => {}
                    Effect::Ask { queries, selection } => {
                        events.push(self.answer(&queries, &selection));
                    }
                }
            }
        }
        assert!(self.app.phase() == Phase::Loading || self.app.is_settled());
    }

    fn answer(&mut self, queries: &[(u32, Query)], selection: &Selection) -> Event {
        let befores = self.app.befores();
        // As it comes to a worker.
        let selection: Selection = decode(&encode(selection)).expect("it can be read");
        let (ids, queries): (Vec<_>, Vec<_>) = queries.iter().cloned().unzip();
        let mut merged: Option<Vec<Answer>> = None;
        for (part, (columns, shard, told)) in self.parts.iter_mut().enumerate() {
            let news = columns.news(told, usize::MAX);
            let learn = Event::Learn { part, news };
            assert!(self.app.update(learn).is_empty());
            let answers = shard.answer(columns, befores[part], &selection, &queries);
            merged = Some(match merged {
                Some(all) => all.into_iter().zip(answers).map(|(a, b)| a.merge(b)).collect(),
                None => answers,
            });
        }
        let answers = merged.expect("a part asks");
        Event::Answers(ids.into_iter().zip(answers).collect())
    }

    /// The pixel at shares of a chart's plot, from its lower left corner.
    fn at(share: (f64, f64)) -> (f64, f64) {
        let plot = SIZE.plot();
        (plot.x + share.0 * plot.width, plot.y + (1.0 - share.1) * plot.height)
    }

    fn drag(&mut self, panel: Panel, from: (f64, f64), to: (f64, f64), tool: Option<Tool>) {
        self.send(Event::Press(panel, Self::at(from), tool));
        for step in 1..=4 {
            let share = f64::from(step) / 4.0;
            let at = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            self.send(Event::Drag(panel, Self::at(at)));
        }
        self.send(Event::Release);
    }

    fn selected(&self) -> u64 {
        self.app.selected().packets
    }

    fn chips(&self) -> Vec<String> {
        self.app.view().chips.into_iter().map(|chip| chip.text).collect()
    }
}

#[test]
fn a_brush_selects_for_all_others_and_is_one_step() {
    let mut page = Page::open();
    page.drag(Panel::Sizes, (0.201, 0.5), (0.399, 0.5), None);
    assert_eq!(page.chips(), ["len in 200..399"]);
    assert_eq!(page.selected(), 200);
    // Its own view shows everything, the others the selection before the whole.
    let (_, sizes) = page.app.histogram(Panel::Sizes).unwrap();
    assert_eq!(sizes.iter().sum::<u64>(), 1_000);
    let (_, gaps) = page.app.histogram(Panel::Gaps).unwrap();
    assert_eq!(gaps.iter().sum::<u64>(), 200);
    let words = page.app.view().words;
    assert!(words[Panel::Scatter as usize].contains("1,000 packets, 200 of them selected"));
    assert_eq!(page.app.view().selected, "200 of 1,000 packets selected (20.0 %), 59.9 kB");
    page.drag(Panel::Throughput, (0.0, 0.5), (0.3, 0.5), None);
    assert_eq!(page.chips().len(), 2);
    let both = page.selected();
    // The bin under the pointer is in.
    assert!((105..=115).contains(&both), "{both}");
    page.send(Event::Undo);
    assert_eq!((page.selected(), page.app.view().can), (200, (true, true)));
    page.send(Event::Redo);
    assert_eq!(page.selected(), both);
    page.send(Event::Clear(Some(Dimension::Size)));
    assert_eq!(page.chips().len(), 1);
    page.send(Event::Clear(None));
    assert_eq!((page.selected(), page.chips().len()), (1_000, 0));
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 1);
}

#[test]
fn a_click_selects_a_bar_and_another_one_lets_go() {
    let mut page = Page::open();
    for (panel, share, chip, count) in [
        (Panel::Sizes, (0.01, 0.5), "len in 0..19", 20),
        (Panel::Protocols, (0.5, 0.95), "proto == tcp", 500),
        (Panel::Ports, (0.5, 0.95), "dport == 0", 100),
        (Panel::Destinations, (0.5, 0.95), "dst == 10.0.0.0", 250),
    ] {
        // The bars of rankings begin above the plot.
        let at = if panel == Panel::Sizes { Page::at(share) } else { (300.0, 40.0) };
        for chips in [vec![chip], vec![]] {
            page.send(Event::Press(panel, at, None));
            page.send(Event::Release);
            assert_eq!(page.chips(), chips, "{panel:?}");
            assert_eq!(page.selected(), if chips.is_empty() { 1_000 } else { count });
        }
    }
    // Two of them.
    for y in [40.0, 62.0] {
        page.send(Event::Press(Panel::Ports, (300.0, y), None));
        page.send(Event::Release);
    }
    assert_eq!((page.chips(), page.selected()), (vec!["dport in {0, 1}".to_owned()], 200));
    // What is selected there by words is no bar of it.
    page.send(Event::Select(Dimension::Port, "sport == 3 or dport == 5".into()));
    for (y, chip) in [(40.0, "sport == 3 or dport in {5, 0}"), (40.0, "sport == 3 or dport == 5")] {
        page.send(Event::Press(Panel::Ports, (300.0, y), None));
        page.send(Event::Release);
        assert_eq!(page.chips(), [chip]);
    }
    page.send(Event::Select(Dimension::Port, "sport == 0".into()));
    page.send(Event::Press(Panel::Ports, (300.0, 40.0), None));
    page.send(Event::Release);
    assert_eq!(page.chips(), ["sport == 0 or dport == 0"]);
}

#[test]
fn boxes_and_lassos_select_in_the_scatter() {
    let mut page = Page::open();
    page.drag(Panel::Scatter, (0.0, 0.0), (0.5, 0.25), Some(Tool::Box));
    // Number and size rise together: the lower quarter of the sizes is the smaller range.
    assert!(page.selected().abs_diff(265) < 8, "{}", page.selected());
    assert!(page.chips()[0].starts_with("n in 1.."), "{:?}", page.chips());
    page.send(Event::Clear(None));
    page.send(Event::Set("tool".into(), "lasso".into()));
    page.send(Event::Press(Panel::Scatter, Page::at((0.0, 0.0)), None));
    for at in [(0.5, 0.0), (0.5, 1.0), (0.0, 1.0)] {
        page.send(Event::Drag(Panel::Scatter, Page::at(at)));
    }
    page.send(Event::Release);
    assert!(page.selected().abs_diff(500) < 5, "{}", page.selected());
    assert!(page.chips()[0].starts_with("lasso(n, len, "), "{:?}", page.chips());
    // What is selected can be looked at closely.
    page.send(Event::Clear(None));
    page.send(Event::Select(Dimension::Scatter, "n in 101..200 and len in 50..149".into()));
    page.send(Event::ZoomToSelection);
    let words = &page.app.view().words[Panel::Scatter as usize];
    assert!(words.contains("50 packets, number 101 to 200, 50 to 149 bytes"), "{words}");
}

#[test]
fn the_scatter_moves_and_zooms() {
    let mut page = Page::open();
    let words = |page: &Page| page.app.view().words[Panel::Scatter as usize].clone();
    let whole = words(&page);
    page.send(Event::Zoom { panel: Panel::Scatter, at: Some(Page::at((0.0, 0.0))), factor: 0.5 });
    assert!(
        words(&page).contains("500 packets, number 1 to 500, 0 to 516 bytes"),
        "{}",
        words(&page)
    );
    page.drag(Panel::Scatter, (0.5, 0.5), (0.3, 0.5), Some(Tool::Move));
    assert!(words(&page).contains("number 101 to 600"), "{}", words(&page));
    page.send(Event::Reset);
    assert_eq!(words(&page), whole);
    // Out to where there is something only.
    for _ in 0..50 {
        page.send(Event::Zoom { panel: Panel::Scatter, at: None, factor: 2.0 });
    }
    let shown = page.app.shown(Value::Number).unwrap();
    assert!(shown.len() <= 4_001, "{shown:?}");
    for y in ["sport", "dport", "ttl", "gap", "size"] {
        page.send(Event::Reset);
        page.send(Event::Set("y".into(), y.into()));
        for is_log in ["1", "0"] {
            page.send(Event::Set("y-log".into(), is_log.into()));
            let count = match y {
                "ttl" => "0 packets",
                "gap" => "999 packets",
                _ => "1,000 packets",
            };
            assert!(words(&page).contains(count), "{y}: {}", words(&page));
        }
    }
}

#[test]
fn filters_apply_as_they_are_typed_and_errors_point() {
    let mut page = Page::open();
    let text = "proto == tcp and len < 100";
    page.send(Event::Filter(text.into(), text.len()));
    assert_eq!(
        (page.selected(), page.chips()),
        (50, vec!["proto == tcp and len <= 99".to_owned()])
    );
    let wrong = "proto == tcp and lenn < 100";
    page.send(Event::Filter(wrong.into(), wrong.len()));
    let error = page.app.view().filter_error;
    assert!(error.contains("\n                 ^^^^\nthere is no field `lenn`"), "{error}");
    assert_eq!(page.selected(), 50, "what was selected stays");
    page.send(Event::Filter("proto == t".into(), 10));
    assert_eq!(page.app.view().completions, [("proto == tcp".to_owned(), "tcp".to_owned())]);
    page.send(Event::Filter(String::new(), 0));
    assert_eq!((page.selected(), page.app.view().filter_error), (1_000, String::new()));
    // Undone, the box shows what is selected.
    page.send(Event::Commit);
    page.send(Event::Filter("vlan".into(), 4));
    page.send(Event::Select(Dimension::Size, "len == 1".into()));
    page.send(Event::Undo);
    assert_eq!(page.app.view().filter, "vlan");
    page.send(Event::Undo);
    assert_eq!((page.app.view().filter.as_str(), page.selected()), ("", 1_000));
}

#[test]
fn a_link_brings_the_same_screen() {
    let mut page = Page::open();
    for (key, value) in [("x", "time"), ("bins", "7"), ("y", "dport"), ("rank", "bytes")] {
        page.send(Event::Set(key.into(), value.into()));
    }
    page.send(Event::SetZoom(Value::Time, Span::new(NOON, NOON + 500_000_000)));
    page.send(Event::Filter("len > 9 and ts < 12:00:00.9".into(), 0));
    page.send(Event::Select(Dimension::Protocol, "proto == udp".into()));
    page.send(Event::Select(Dimension::Scatter, "lasso(ts, dport, 1 2, 3 4, 5 0)".into()));
    page.send(Event::Clear(Some(Dimension::Scatter)));
    let link = page.app.link();
    let mut other = Page::empty();
    other.send(Event::Restore(format!("#{link}")));
    other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
    assert_eq!(other.app.link(), link);
    assert_eq!((other.selected(), other.chips()), (page.selected(), page.chips()));
    assert_eq!(other.app.view().words, page.app.view().words);
    // The next capture begins anew.
    other.load("b.ndjson", vec![columns(0..10, 0)], false);
    assert_eq!((other.selected(), other.chips().len()), (10, 0));
}

#[test]
fn selections_may_reach_beyond_what_packets_can_have() {
    // Moved to where no packet is, boxed there: still something that can be written, sent and read.
    let mut page = Page::open();
    for (x, y) in [("n", "dport"), ("ts", "ttl"), ("ts", "gap"), ("n", "len")] {
        page.send(Event::Reset);
        page.send(Event::Set("x".into(), if x == "n" { "number" } else { "time" }.into()));
        page.send(Event::Set("y".into(), if y == "len" { "size" } else { y }.into()));
        for _ in 0..3 {
            page.send(Event::Zoom { panel: Panel::Scatter, at: None, factor: 2.0 });
        }
        page.drag(Panel::Scatter, (0.0, 0.0), (1.0, 1.0), Some(Tool::Box));
        assert_eq!(page.chips().len(), 1, "{x} {y}");
        let has_y = if y == "ttl" {
            0
        } else if y == "gap" {
            999
        } else {
            1_000
        };
        assert_eq!(page.selected(), has_y, "{:?}", page.chips());
        page.drag(Panel::Scatter, (0.0, 0.0), (0.1, 0.1), Some(Tool::Box));
        page.drag(Panel::Scatter, (0.1, 0.1), (0.9, 0.9), Some(Tool::Lasso));
        page.send(Event::Clear(None));
        assert_eq!(page.selected(), 1_000);
    }
    for text in ["len < 0", "dport > 65535", "ttl > 255", "n < 0", "gap < 0s"] {
        page.send(Event::Filter(text.into(), 0));
        assert_eq!((page.selected(), page.chips()), (0, vec![text.to_owned()]), "{text}");
        // The words of the chip mean the same, typed.
        page.send(Event::Filter(page.chips()[0].clone(), 0));
        assert_eq!((page.selected(), page.app.view().filter_error), (0, String::new()));
        let link = page.app.link();
        page.send(Event::Clear(None));
        page.send(Event::Restore(link));
        assert_eq!(page.selected(), 0);
    }
}

#[test]
fn the_cursor_stays_in_charts_that_change() {
    let mut page = Page::open();
    let key = |page: &mut Page, panel, key, is_wide| page.send(Event::Key(panel, key, is_wide));
    for (panel, changes) in [
        (Panel::Sizes, vec![("bins", "5")]),
        (Panel::Throughput, vec![("interval", "500000000"), ("interval", "auto")]),
    ] {
        key(&mut page, panel, Key::Right, false);
        key(&mut page, panel, Key::End, false);
        for (name, value) in changes {
            page.send(Event::Set(name.into(), value.into()));
            assert!(!page.app.view().announced.is_empty());
        }
    }
    // Zooming is around it, and its picture goes on at the border.
    key(&mut page, Panel::Throughput, Key::End, false);
    for _ in 0..5 {
        key(&mut page, Panel::Throughput, Key::ZoomIn, false);
    }
    let shown = page.app.shown(Value::Time).unwrap();
    assert!(NOON + 500_000_000 < shown.start, "{shown:?}");
    key(&mut page, Panel::Throughput, Key::Home, false);
    key(&mut page, Panel::Throughput, Key::Left, false);
    assert!(page.app.shown(Value::Time).unwrap().start < shown.start);
    // A narrower picture has fewer cells.
    page.send(Event::Reset);
    key(&mut page, Panel::Scatter, Key::End, false);
    key(&mut page, Panel::Scatter, Key::End, false);
    let narrow = Size { width_px: 200.0, ..SIZE };
    page.send(Event::Resize(Panel::Scatter, narrow));
    assert!(!page.app.view().announced.is_empty());
    // A selection that was begun elsewhere is not gone on with here.
    page.send(Event::Resize(Panel::Scatter, SIZE));
    key(&mut page, Panel::Throughput, Key::End, false);
    key(&mut page, Panel::Throughput, Key::Left, true);
    page.send(Event::Clear(None));
    key(&mut page, Panel::Sizes, Key::Home, false);
    key(&mut page, Panel::Sizes, Key::Right, true);
    assert_eq!(page.chips(), ["len in 0..399"]);
    page.send(Event::Clear(None));
    key(&mut page, Panel::Throughput, Key::End, true);
    key(&mut page, Panel::Scatter, Key::Right, true);
    assert_eq!(page.app.selection().clauses().count(), 2);
}

#[test]
fn the_filter_box_shows_what_is_filtered() {
    let mut page = Page::open();
    let filter = |page: &Page| page.app.view().filter;
    // Its chip removed, the box is empty, and the same words work again.
    for clear in [Some(Dimension::Filter), None] {
        page.send(Event::Filter("proto == tcp".into(), 0));
        page.send(Event::Clear(clear));
        assert_eq!((filter(&page), page.selected()), (String::new(), 1_000));
        page.send(Event::Filter("proto == tcp".into(), 0));
        assert_eq!(page.selected(), 500);
        page.send(Event::Filter("proto ==".into(), 0));
        page.send(Event::Clear(clear));
        assert_eq!((filter(&page), page.app.view().filter_error), (String::new(), String::new()));
    }
    // By another clock the same time has other words.
    page.send(Event::Filter("ts < 12:00:00.5".into(), 0));
    page.send(Event::Set("zone".into(), "start".into()));
    assert_eq!((filter(&page), page.selected()), ("ts < 12:00:00.5".to_owned(), 500));
    page.send(Event::Filter("ts < 0.5".into(), 0));
    page.send(Event::Set("zone".into(), "utc".into()));
    assert_eq!(filter(&page), "ts <= 2026-11-24T12:00:00.499999999Z");
    page.send(Event::Filter("ts < 12:00:00.5".into(), 0));
    let hour = Offsets(vec![(0, 3_600)]);
    page.send(Event::SetOffsets(hour));
    page.send(Event::Set("zone".into(), "local".into()));
    assert_eq!(filter(&page), "ts <= 2026-11-24T13:00:00.499999999+01:00");
    // Brought by a link, the words wait for the capture whose start they count from.
    page.send(Event::Set("zone".into(), "start".into()));
    let mut other = Page::empty();
    other.send(Event::Restore(page.app.link()));
    other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
    assert_eq!((filter(&other), other.selected()), ("ts <= 0.499999999".to_owned(), 500));
    // A filter is another step than the keys before it.
    page.send(Event::Clear(None));
    page.send(Event::Key(Panel::Sizes, Key::Right, true));
    page.send(Event::Key(Panel::Sizes, Key::Right, true));
    page.send(Event::Filter("proto == tcp".into(), 0));
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 1);
}

#[test]
fn a_finger_taps_and_scrolls() {
    let mut page = Page::open();
    let cell = page.app.size(Panel::Scatter);
    assert_eq!(cell, SIZE);
    // A tap comes without a move before it.
    let middle = Page::at((0.5, 500.5 / 1_033.0));
    page.send(Event::Press(Panel::Scatter, middle, None));
    page.send(Event::Release);
    page.send(Event::Leave);
    let title = page.app.view().detail.expect("the packet under the finger").title;
    let number: u64 = title["Packet ".len()..].split(',').next().unwrap().parse().unwrap();
    assert!((490..=510).contains(&number), "{title}");
    // The browser takes the finger away for scrolling: nothing was selected.
    page.send(Event::Press(Panel::Sizes, Page::at((0.3, 0.5)), None));
    page.send(Event::Drag(Panel::Sizes, Page::at((0.4, 0.5))));
    assert_eq!(page.chips().len(), 1);
    page.send(Event::Abort);
    assert_eq!((page.chips().len(), page.app.view().can), (0, (false, false)));
}

fn numbers(page: &Page) -> Vec<String> {
    let rows = page.app.view().packets.rows;
    rows.into_iter().map(|row| format!("{} {}", row.cells[13], row.cells[0])).collect()
}

#[test]
fn the_table_of_packets_scrolls_through_all_parts() {
    let mut page = Page::open();
    assert_eq!(numbers(&page)[..2], ["a.ndjson 1", "a.ndjson 2"]);
    page.send(Event::Scroll(Panel::Packets, 598));
    assert_eq!(numbers(&page), [599, 600, 601, 602, 603].map(|n| format!("a.ndjson {n}")));
    page.send(Event::Scroll(Panel::Packets, 5_000));
    assert_eq!(numbers(&page)[4], "a.ndjson 1,000");
    page.send(Event::Filter("dport == 7".into(), 0));
    page.send(Event::Scroll(Panel::Packets, 58));
    assert_eq!(numbers(&page), [588, 598, 608, 618, 628].map(|n| format!("a.ndjson {n}")));
    page.send(Event::Pick(Panel::Packets, 2));
    assert_eq!(page.read, [(1, 7)]);
    // A line that comes late, of a packet that is not shown any more, is not this one's.
    page.send(Event::Line(1, 7, "{\"len\":7}".into()));
    page.send(Event::Line(0, 7, "{\"len\":8}".into()));
    let detail = page.app.view().detail.unwrap();
    assert_eq!(detail.fields, [("len".to_owned(), "7".to_owned())]);
}

#[test]
fn files_are_merged_by_time() {
    let mut page = Page::open();
    page.send(Event::Scroll(Panel::Packets, 400));
    // Half a millisecond later each, but for a while in which all have one time.
    page.load("b.pcap", vec![columns(0..1_000, 500_000)], true);
    assert_eq!(page.selected(), 2_000);
    for first in [0, 1, 700, 1_201, 1_995] {
        page.send(Event::Scroll(Panel::Packets, first));
        let expected: Vec<_> = (first..first + 5)
            .map(|place| {
                let file = ["a.ndjson", "b.pcap"][(place % 2) as usize];
                format!("{file} {}", summary::grouped(place / 2 + 1))
            })
            .collect();
        assert_eq!(numbers(&page), expected, "{first}");
    }
    page.send(Event::Filter("file == b.pcap and len == 5".into(), 0));
    assert_eq!(numbers(&page), ["b.pcap 6"]);
    // A gap is to the packet before in the same file.
    page.send(Event::Filter("gap == 1ms".into(), 0));
    assert_eq!(page.selected(), 1_998);
}

#[test]
fn the_keyboard_goes_through_charts_and_tells_where_it_is() {
    let mut page = Page::open();
    page.send(Event::Set("bins".into(), "10".into()));
    let key = |page: &mut Page, panel, key, is_wide| page.send(Event::Key(panel, key, is_wide));
    key(&mut page, Panel::Sizes, Key::Right, false);
    assert!(page.app.view().announced.starts_with("0 to 99 bytes. 100 packets"));
    key(&mut page, Panel::Sizes, Key::Right, false);
    key(&mut page, Panel::Sizes, Key::Right, true);
    key(&mut page, Panel::Sizes, Key::Right, true);
    assert_eq!((page.chips(), page.selected()), (vec!["len in 100..399".to_owned()], 300));
    key(&mut page, Panel::Sizes, Key::Escape, false);
    assert_eq!(page.selected(), 1_000);
    key(&mut page, Panel::Sizes, Key::End, false);
    key(&mut page, Panel::Sizes, Key::Enter, false);
    assert_eq!(page.chips(), ["len in 900..999"]);
    key(&mut page, Panel::Sizes, Key::Enter, false);
    key(&mut page, Panel::Protocols, Key::Down, false);
    key(&mut page, Panel::Protocols, Key::Down, false);
    key(&mut page, Panel::Protocols, Key::Enter, false);
    assert_eq!(page.chips(), ["proto == udp"]);
    key(&mut page, Panel::Scatter, Key::Right, false);
    let before = page.app.view().announced;
    key(&mut page, Panel::Scatter, Key::Left, false);
    assert_ne!(page.app.view().announced, before);
    key(&mut page, Panel::Scatter, Key::Up, true);
    assert_eq!(page.chips().len(), 2);
    key(&mut page, Panel::Scatter, Key::ZoomIn, false);
    assert!(page.app.settings().zoom[0].is_some());
    key(&mut page, Panel::Scatter, Key::All, false);
    assert!(page.app.settings().zoom[0].is_none());
}

#[test]
fn conversations_sort_and_select() {
    let mut page = Page::open();
    let rows = |page: &Page| {
        let table = page.app.view().conversations;
        let cells = table.rows.into_iter();
        (
            table.count,
            cells.map(|row| format!("{} {}", row.cells[1], row.cells[3])).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        rows(&page),
        (4, ["10.0.0.1 250", "10.0.0.1 250", "10.0.0.2 250"].map(str::to_owned).to_vec())
    );
    page.send(Event::Set("sort".into(), "-start".into()));
    assert_eq!(rows(&page).1[0], "10.0.0.3 250");
    page.send(Event::Pick(Panel::Conversations, 0));
    assert_eq!(page.selected(), 250);
    assert!(page.chips()[0].contains("dst == 10.0.0.3"), "{:?}", page.chips());
    assert!(page.app.view().conversations.rows[0].is_picked);
    page.send(Event::Scroll(Panel::Conversations, 9));
    assert_eq!(page.app.view().conversations.first, 1);
}

#[test]
fn one_question_of_a_kind_is_on_its_way_and_the_latest_wish_follows() {
    let mut page = Page::open();
    let asks = |effects: Vec<Effect>| {
        let asks = effects.into_iter().filter_map(|effect| match effect {
            Effect::Ask { queries, selection } => Some((queries, selection)),
            _ => None,
        });
        asks.collect::<Vec<_>>()
    };
    let select = |text: &str| Event::Select(Dimension::Size, text.into());
    let first = asks(page.app.update(select("len == 1")));
    assert_eq!(first.len(), 1);
    for len in 2..50 {
        let more = asks(page.app.update(select(&format!("len == {len}"))));
        assert!(more.is_empty(), "all that is wished is on its way");
    }
    let answer = page.answer(&first[0].0, &first[0].1);
    let next = asks(page.app.update(answer));
    assert_eq!(next[0].1.get(Dimension::Size), Some(&Expr::numbers(Value::Size, 49, 49)));
    let whole = next[0].0.iter().filter(|(_, query)| query.care == crate::selection::Care::NONE);
    assert_eq!(whole.count(), 0, "what nothing selects is known");
    assert!(next[0].0.iter().any(|(_, query)| query.what == What::Total));
}

#[test]
fn what_is_out_of_sight_is_asked_for_last() {
    let mut page = Page::open();
    for panel in Panel::ALL {
        page.send(Event::See(panel, panel == Panel::Sizes));
    }
    let effects = page.app.update(Event::Select(Dimension::Gap, "gap > 1ns".into()));
    let Some(Effect::Ask { queries, .. }) = effects.first() else { panic!() };
    let bins = queries.iter().filter(|(_, query)| matches!(query.what, What::Bins(_))).count();
    assert_eq!(bins, 1);
    assert!(!queries.iter().any(|(_, query)| matches!(query.what, What::Density(_))));
}
