//! Sources that are followed while they grow.

use super::*;
use crate::app::{Chunk, FollowEvent};

const PART_LEN: usize = 16 << 20;

impl Page {
    fn follow(workers: usize) -> Self {
        let mut page = Self::empty();
        page.app = App::new(workers);
        for panel in &Panel::ALL[..CHART_COUNT] {
            page.send(Event::Resize(*panel, SIZE));
        }
        page.send(Event::VisibleRows(Panel::Packets, 5));
        page.send(Event::Open(vec![FileInfo::unprobed("a.ndjson".to_owned(), 0)]));
        page.source(FollowEvent::Start(MEMORY));
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

    /// The worker has read these packets of the only part.
    fn read(&mut self, packets: u64, read_bytes: u64) {
        let columns = columns(0..packets, 0);
        let report = Report {
            totals: columns.totals(),
            records: packets,
            lines: packets,
            read_bytes,
            is_done: true,
            is_complete: true,
            ..Report::default()
        };
        let (shard, synced) = match self.parts.pop() {
            Some((_, shard, synced)) => (shard, synced),
            None => (Shard::new(0, "a.ndjson".to_owned()), SyncCursor::default()),
        };
        self.parts.push((columns, shard, synced));
        self.send(Event::Report { part: 0, report, elapsed_ms: 0.0 });
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

/// The number of packets in the histogram of sizes.
fn drawn(page: &Page) -> u64 {
    let (_, counts) = page.app.histogram(Panel::Sizes).unwrap_or_default();
    counts.iter().sum()
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

#[test]
fn followed_sources_are_not_analyzed() {
    let mut page = Page::follow(1);
    page.source(FollowEvent::Connected);
    page.receive(0, 1_000);
    page.read(20, 1_000);
    page.send(Event::Set("analysis".into(), "1".into()));
    assert_eq!(page.app.view().analysis, "not of files that are followed");
    page.source(FollowEvent::Over(None));
    assert!(page.analyzed.is_empty());
}
