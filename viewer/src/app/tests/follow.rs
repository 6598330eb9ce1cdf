//! Sources that are followed while they grow.

use super::*;
use crate::app::{Chunk, FollowEvent, Missing};
use crate::axis::QUANTITY_COUNT;
use crate::flow::FlowDelta;
use crate::load::RawFrame;
use crate::settings::Window;

mod analysis;

/// The number of bytes after which a part is complete.
const PART_LEN: usize = 64 << 20;

impl Page {
    fn follow(workers: usize) -> Self {
        let mut page = Self::empty();
        page.app = App::new(workers);
        for panel in &Panel::ALL[..CHART_COUNT] {
            page.send(Event::Resize(*panel, SIZE));
        }
        page.send(Event::VisibleRows(Panel::Packets, 5));
        page.send(Event::Open(vec![FileInfo::unprobed("a.ndjson".to_owned(), 0)]));
        page.source(FollowEvent::Start { memory: MEMORY, has_packets: false });
        page
    }

    fn source(&mut self, event: FollowEvent) {
        self.send(Event::Follow(event));
    }

    /// Bytes arrive that end at a line end.
    fn receive(&mut self, start: u64, len: usize) -> Vec<(usize, std::ops::Range<usize>, bool)> {
        self.appended.clear();
        self.source(FollowEvent::Bytes(Chunk { start, len, line_end: Some(len) }));
        let appended = self.appended.iter();
        appended.map(|append| (append.part, append.range.clone(), append.is_last)).collect()
    }

    /// The worker has read these packets of the first part.
    fn read(&mut self, packets: u64, read_bytes: u64) {
        self.read_part(0, 0..packets, read_bytes);
    }

    /// A worker has read a part: all its packets, and its number of bytes.
    fn read_part(&mut self, part: usize, numbers: std::ops::Range<u64>, read_bytes: u64) {
        let packets = numbers.end - numbers.start;
        let columns = columns(numbers, 0);
        let report = Report {
            totals: columns.totals(),
            records: packets,
            lines: packets,
            distinct_flows: columns.flows().len() as u64,
            read_bytes,
            is_done: true,
            is_complete: true,
            ..Report::default()
        };
        while self.parts.len() <= part {
            let shard = Shard::growing(self.parts.len(), "a.ndjson".to_owned());
            self.parts.push((Columns::default(), shard, SyncCursor::default()));
        }
        self.parts[part].0 = columns;
        self.send(Event::Report { part, report, elapsed_ms: 0.0 });
    }
}

#[test]
fn full_parts_end_at_line_ends_and_the_next_worker_continues() {
    let mut page = Page::follow(2);
    page.source(FollowEvent::Connected);
    assert_eq!(page.receive(0, 1_000), [(0, 0..1_000, false)]);
    assert_eq!(page.receive(1_000, PART_LEN - 1_001), [(0, 0..PART_LEN - 1_001, false)]);
    // A line that is longer than what is left of the part.
    page.appended.clear();
    let start = PART_LEN as u64 - 1;
    page.source(FollowEvent::Bytes(Chunk { start, len: 10, line_end: None }));
    page.source(FollowEvent::Bytes(Chunk { start: start + 10, len: 10, line_end: Some(4) }));
    let ranges: Vec<_> =
        page.appended.iter().map(|a| (a.part, a.worker, a.range.clone())).collect();
    assert_eq!(ranges, [(0, 0, 0..10), (0, 0, 0..4), (1, 1, 4..10)]);
    assert_eq!(page.appended.iter().map(|a| a.is_last).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(page.receive(start + 20, PART_LEN), [(1, 0..PART_LEN, true)]);
    assert_eq!(page.receive(start + 20 + PART_LEN as u64, 1), [(2, 0..1, false)]);
}

#[test]
fn full_parts_end_within_lines_that_are_too_long() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, PART_LEN);
    let mut start = PART_LEN as u64;
    let mut parts = || {
        page.appended.clear();
        let len = 600 << 10;
        page.source(FollowEvent::Bytes(Chunk { start, len, line_end: None }));
        start += len as u64;
        page.appended.iter().map(|append| (append.part, append.is_last)).collect::<Vec<_>>()
    };
    // The rest of the line may come.
    assert_eq!(parts(), [(1, false)]);
    for part in 1..4 {
        let last = std::iter::repeat_with(&mut parts).take(200).find(|parts| parts[0].1);
        assert_eq!(last, Some(vec![(part, true)]));
    }
}

#[test]
fn missing_bytes_of_served_packets_are_explained() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Start { memory: MEMORY, has_packets: true });
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    page.read(5, 1_000);
    page.source(FollowEvent::Refresh);
    page.send(Event::ActivateRow(Panel::Packets, 0));
    let note = |page: &Page| page.app.view().detail.unwrap().note;
    // The answer is awaited.
    assert_eq!(note(&page), "");
    page.send(Event::Record { part: 0, index: 0, line: "{}".to_owned(), frame: None });
    assert!(note(&page).starts_with("The sniffer does not have the bytes of this packet."));
    page.source(FollowEvent::Over(None));
    assert!(note(&page).starts_with("The capture has ended"), "{}", note(&page));
    let frame = RawFrame { link: 1, wire_len: 60, bytes: vec![0; 60] };
    page.send(Event::Record { part: 0, index: 0, line: "{}".to_owned(), frame: Some(frame) });
    assert_eq!(note(&page), "");
}

/// The number of packets in the histogram of sizes.
fn drawn(page: &Page) -> u64 {
    let (_, counts) = page.app.histogram(Panel::Sizes).unwrap_or_default();
    counts.iter().sum()
}

#[test]
fn charts_out_of_sight_wait_for_those_in_sight() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.send(Event::VisibilityChanged(Panel::Sizes, false));
    page.receive(0, 20_000);
    page.read(100, 10_000);
    page.source(FollowEvent::Refresh);
    assert_eq!((drawn(&page), page.selected()), (100, 100));
    // There are packets that the charts in sight do not show.
    page.read(200, 20_000);
    page.send(Event::SetFilter("len > 100000".into(), 0));
    assert_eq!((drawn(&page), page.selected()), (100, 0));
    page.source(FollowEvent::Refresh);
    assert_eq!((drawn(&page), page.selected()), (0, 0));
    // Packets arrive all the time, and a script waits for all charts.
    page.receive(20_000, 10_000);
    page.read(300, 30_000);
    page.send(Event::SetFilter("len >= 0".into(), 0));
    assert_eq!((drawn(&page), page.selected()), (0, 300));
    page.send(Event::AwaitAll(true));
    assert_eq!((drawn(&page), page.selected()), (200, 300));
}

#[test]
fn rates_cover_packets_that_were_read_since_the_refresh() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 40_000);
    page.read(1_000, 10_000);
    page.source(FollowEvent::Refresh);
    let peak = |page: &Page| {
        let figures = &page.app.view().figures[Panel::Throughput as usize];
        figures.split(" at ").next().unwrap_or_default().to_owned()
    };
    page.send(Event::Set("rate".into(), "packets".into()));
    let before = peak(&page);
    assert!(before.starts_with("Peak 1 k"), "{before}");
    // The axis has a margin, in which the answer has more packets: one each millisecond.
    page.read(1_020, 20_000);
    page.send(Event::Set("interval".into(), "3000000".into()));
    assert!(peak(&page).starts_with("Peak 1 k"), "{}", peak(&page));
}

#[test]
fn charts_follow_when_they_are_refreshed() {
    let mut page = Page::follow(1);
    assert_eq!(page.app.phase(), Phase::Loading);
    page.source(FollowEvent::Connected);
    assert_eq!(page.app.phase(), Phase::Ready);
    page.receive(0, 10_000);
    page.read(100, 10_000);
    assert_eq!((page.app.totals().packets, drawn(&page)), (100, 0));
    page.source(FollowEvent::Refresh);
    assert_eq!(drawn(&page), 100);
    page.send(Event::SetFilter("proto == tcp".into(), 0));
    page.receive(10_000, 10_000);
    page.read(200, 20_000);
    assert!(page.app.is_outdated());
    page.source(FollowEvent::Refresh);
    assert!(!page.app.is_outdated());
    assert_eq!((drawn(&page), page.selected()), (100, 100));
    // A link is that of what is shown.
    assert!(page.app.link().contains("filter=proto"));
    page.send(Event::Clear(None));
    assert_eq!(drawn(&page), 200);
}

#[test]
fn bytes_wait_for_the_workers() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 40 << 20);
    assert!(!page.app.wants_bytes());
    page.read(10, 20 << 20);
    assert!(page.app.wants_bytes() && !page.app.has_read_all());
    page.read(20, 40 << 20);
    assert!(page.app.has_read_all());
}

#[test]
fn followed_file_is_used_like_any_other_at_the_end() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    page.read(1_000, 1_000);
    page.source(FollowEvent::Over(None));
    assert!(!page.app.is_following() && !page.app.is_outdated());
    assert_eq!(drawn(&page), 1_000);
    page.load("b.ndjson", vec![columns(0..500, 0)], true);
    assert_eq!((page.app.phase(), drawn(&page)), (Phase::Ready, 1_500));
    assert_eq!(page.app.view().error, "");
}

#[test]
fn failures_are_errors_only_before_the_first_answer() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Over(Some("status 404".to_owned())));
    let view = page.app.view();
    assert_eq!(
        (view.phase, &*view.error),
        (Phase::Error, "“a.ndjson” could not be loaded (status 404).")
    );
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    page.read(10, 1_000);
    page.source(FollowEvent::Over(Some("the file was truncated or replaced".to_owned())));
    assert_eq!((page.app.phase(), drawn(&page)), (Phase::Ready, 10));
}

#[test]
fn other_files_end_following() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    page.read(1_000, 1_000);
    page.load("b.ndjson", vec![columns(0..500, 0)], true);
    assert!(page.is_stopped && !page.app.is_following());
    assert_eq!(drawn(&page), 1_500);
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.load("b.ndjson", vec![columns(0..500, 0)], false);
    assert!(!page.app.is_following());
}

/// A file that has grown is opened once more.
#[test]
fn reopened_file_keeps_the_selection() {
    let mut page = Page::open();
    assert!(page.app.can_reopen());
    page.send(Event::SetFilter("proto == tcp".into(), 0));
    page.source(FollowEvent::Reopen);
    page.send(Event::Open(vec![FileInfo::unprobed("a.ndjson".to_owned(), 0)]));
    page.source(FollowEvent::Start { memory: MEMORY, has_packets: false });
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    page.parts.clear();
    page.read(200, 1_000);
    page.source(FollowEvent::Refresh);
    assert_eq!((page.selected(), page.app.view().filter), (100, "proto == tcp".to_owned()));
    assert!(!page.app.can_reopen(), "it is followed");
    let mut page = Page::open();
    page.load("b.ndjson", vec![columns(0..10, 0)], true);
    assert!(!page.app.can_reopen(), "other files are open");
}

#[test]
fn text_that_is_no_capture_is_rejected() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    let report = Report { skipped: 1, read_bytes: 1_000, ..Report::default() };
    page.send(Event::Report { part: 0, report, elapsed_ms: 0.0 });
    assert!(page.is_stopped);
    assert_eq!(page.app.phase(), Phase::Error);
    assert_eq!(
        page.app.view().error,
        "“a.ndjson” is not a capture. Expected pcap, pcapng or NDJSON."
    );
}

/// Fills parts with 100 packets each, of 100 bytes each.
fn fill(page: &mut Page, parts: std::ops::Range<u64>) {
    for part in parts {
        let index = usize::try_from(part).unwrap();
        let start = part * 10_000;
        page.source(FollowEvent::Bytes(Chunk { start, len: 9_900, line_end: Some(9_900) }));
        page.read_part(index, part * 100..part * 100 + 99, 9_900);
        // The next bytes fill the part.
        page.source(FollowEvent::Bytes(Chunk {
            start: start + 9_900,
            len: 100,
            line_end: Some(100),
        }));
        page.read_part(index, part * 100..part * 100 + 100, 10_000);
    }
}

#[test]
fn oldest_packets_are_dropped_beyond_the_window() {
    let mut page = Page::follow(1);
    page.app.settings.window = Window::Packets(1_600);
    page.source(FollowEvent::Connected);
    fill(&mut page, 0..16);
    page.source(FollowEvent::Refresh);
    assert_eq!((page.app.totals().packets, page.app.missing()), (1_600, Missing::default()));
    page.send(Event::SetFilter("proto == tcp".into(), 0));
    assert_eq!(page.selected(), 800);
    fill(&mut page, 16..40);
    page.source(FollowEvent::Refresh);
    assert_eq!(page.first_part, 24);
    assert_eq!((page.app.totals().packets, page.selected()), (1_600, 800));
    let dropped = Missing { dropped_packets: 2_400, ..Missing::default() };
    assert_eq!(page.app.missing(), dropped);
    let times = page.app.totals().extent.unwrap().ts_ns;
    assert_eq!(times, (NOON + 2_400_000_000, NOON + 3_999_000_000));
    // Gaps are those to the packets that were dropped.
    assert_eq!(page.app.totals().extent.unwrap().gap_ns, Some((1_000_000, 1_000_000)));
    assert_eq!(
        page.app.preceding().of(24).ts_ns,
        Some((NOON + 2_399_000_000, NOON + 2_399_000_000))
    );
    // Nothing is older than the new window.
    page.send(Event::Set("window".into(), "1min".into()));
    assert_eq!(page.first_part, 24);
    page.send(Event::Clear(None));
    assert_eq!(drawn(&page), 1_600);
    page.source(FollowEvent::Over(None));
    page.send(Event::Set("window".into(), "100k".into()));
    assert_eq!(page.app.totals().packets, 1_600);
}

#[test]
fn gaps_of_the_source_are_counted() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    // The source does not have its first bytes any longer.
    page.source(FollowEvent::Bytes(Chunk { start: 500, len: 1_000, line_end: Some(1_000) }));
    page.read_part(0, 5..15, 1_000);
    let missing =
        |lost_packets, lost_bytes| Missing { lost_packets, lost_bytes, dropped_packets: 0 };
    assert_eq!(page.app.missing(), missing(0, 500));
    page.appended.clear();
    page.source(FollowEvent::Bytes(Chunk { start: 1_800, len: 100, line_end: Some(100) }));
    let appended = page.appended.iter();
    let appended: Vec<_> = appended.map(|a| (a.part, a.range.clone(), a.is_last)).collect();
    assert_eq!(appended, [(0, 0..0, true), (1, 0..100, false)]);
    assert_eq!(page.app.missing(), missing(0, 800));
    page.read_part(1, 18..19, 100);
    assert_eq!(page.app.missing(), missing(3, 800));
    assert_eq!(page.receive(1_900, 100), [(1, 0..100, false)]);
    page.source(FollowEvent::Refresh);
    assert_eq!(drawn(&page), 11);
}

#[test]
fn unused_addresses_are_removed() {
    let mut page = Page::follow(1);
    page.app.settings.window = Window::Packets(1_600);
    page.source(FollowEvent::Connected);
    fill(&mut page, 0..16);
    page.source(FollowEvent::Refresh);
    // As if the first part had many other addresses.
    let address = |n: u32| std::net::IpAddr::from(n.to_be_bytes()).into();
    let delta =
        FlowDelta { addresses: (0..200_000).map(address).collect(), ..FlowDelta::default() };
    page.send(Event::FlowDelta { part: 0, delta });
    assert!(!page.app.flows.has_many_unused());
    fill(&mut page, 16..17);
    assert!(page.app.flows.has_many_unused());
    page.source(FollowEvent::Refresh);
    assert!(!page.app.flows.has_many_unused());
    let rows = page.app.csv(Panel::Destinations).unwrap();
    assert_eq!(rows.matches(",400,").count(), 4, "{rows}");
}

#[test]
fn table_stays_at_the_end_or_at_its_rows() {
    let mut page = Page::follow(1);
    page.app.settings.window = Window::Packets(1_600);
    page.source(FollowEvent::Connected);
    fill(&mut page, 0..16);
    page.source(FollowEvent::Refresh);
    let shown = |page: &Page| {
        let rows: Vec<_> = page.app.packet_rows().iter().map(|packet| packet.row.n).collect();
        (rows.len(), rows[0])
    };
    page.send(Event::Scroll(Panel::Packets, 700));
    fill(&mut page, 16..20);
    page.source(FollowEvent::Refresh);
    assert_eq!(shown(&page), (5, 701));
    // The first row in sight was dropped.
    fill(&mut page, 20..28);
    page.source(FollowEvent::Refresh);
    assert_eq!(shown(&page), (5, 1_201));
    // Zoom and selections stay, until the user wants to see the latest packets.
    page.send(Event::SetZoom(
        Quantity::Time,
        Span::new(NOON + 1_500_000_000, NOON + 2_000_000_000),
    ));
    page.send(Event::SetFilter("proto == udp".into(), 0));
    fill(&mut page, 28..29);
    page.source(FollowEvent::Refresh);
    assert!(page.app.settings.zoom[Quantity::Time as usize].is_some());
    page.source(FollowEvent::JumpToNow);
    assert_eq!(page.app.settings.zoom, [None; QUANTITY_COUNT]);
    assert_eq!((shown(&page), page.chips().len()), ((5, 2_892), 1));
    fill(&mut page, 29..30);
    page.source(FollowEvent::Refresh);
    assert_eq!(shown(&page), (5, 2_992));
    page.send(Event::Scroll(Panel::Packets, 3));
    fill(&mut page, 30..31);
    page.source(FollowEvent::Refresh);
    assert!(shown(&page).1 < 2_000);
}
