//! The page without a browser: events in, questions out, answers from real columns.

use super::{App, Ask, Chart, Event, Phase};
use crate::chart::{Bars, Size};
use crate::density::{Span, Window, XAxis};
use crate::load::Loader;
use crate::query::answer;
use crate::scene::{Mark, Theme};

/// An app with workers that answer at once.
struct Page {
    app: App,
    loaders: Vec<Loader>,
}

fn line(n: u64, len: u32, proto: &str) -> String {
    format!(
        "{{\"type\":\"pkt\",\"n\":{n},\"ts\":\"2026-11-23T02:53:38.{:09}Z\",\"len\":{len},\"src\":\"10.0.0.1\",\"dst\":\"10.0.0.2\",\"proto\":\"{proto}\"}}\n",
        n * 1_000
    )
}

fn capture(packets: u64) -> String {
    (1..=packets)
        .map(|n| line(n, if n % 2 == 0 { 1514 } else { 60 }, ["tcp", "udp"][(n % 2) as usize]))
        .collect()
}

impl Page {
    fn open(text: &str, parts: u64) -> Self {
        let mut page = Self { app: App::default(), loaders: Vec::new() };
        let size = Size { width_px: 594.0, height_px: 300.0 };
        page.send(Event::Resize(Chart::Histogram, size));
        page.send(Event::Resize(Chart::Scatter, size));
        let len = text.len() as u64;
        let count = usize::try_from(parts).unwrap();
        page.send(Event::Open { name: "a.ndjson".into(), len, parts: count });
        for part in 0..parts {
            let mut loader = Loader::new(len * part / parts..len * (part + 1) / parts);
            loader.feed(&text.as_bytes()[usize::try_from(loader.position()).unwrap()..]);
            loader.feed(&[]);
            page.loaders.push(loader);
        }
        for part in 0..count {
            let report = page.loaders[part].report();
            page.send(Event::Report { part, report });
        }
        page
    }

    fn send(&mut self, event: Event) {
        let mut asks = self.app.update(event);
        while let Some(Ask { id, query }) = asks.pop() {
            for part in 0..self.loaders.len() {
                let answer = answer(self.loaders[part].columns(), query);
                asks.extend(self.app.update(Event::Answer { id, part, answer }));
            }
        }
    }

    fn shown(&self) -> u64 {
        let (_, _, counts) = self.app.scatter.as_ref().unwrap();
        counts.iter().map(|count| u64::from(*count)).sum()
    }
}

#[test]
fn an_opened_capture_is_pictured_and_summed_up() {
    for parts in [1, 3] {
        let page = Page::open(&capture(100), parts);
        assert_eq!((page.app.phase(), page.app.is_settled()), (Phase::Ready, true));
        let (edges, counts) = page.app.size_counts().unwrap();
        assert_eq!((edges.len(), counts[0], counts[49]), (51, 50, 50));
        assert_eq!(page.shown(), 100);
        assert_eq!(
            page.app.view().summary,
            "a.ndjson · 100 packets · 78.7 kB on the wire · 2026-11-23 02:53:38.000001000 UTC + 0.000099000 s · tcp 50.0 %, udp 50.0 %"
        );
        assert!(
            page.app
                .view()
                .scatter_words
                .starts_with("Scatter of packet sizes: 100 packets, number 1 to 100")
        );
    }
}

#[test]
fn zoom_pan_box_and_reset_show_what_they_say() {
    let mut page = Page::open(&capture(100), 2);
    page.send(Event::SetWindow(Window { x: Span::new(11, 21), y: Span::new(0, 100) }));
    assert_eq!(page.shown(), 5);
    page.send(Event::Zoom { at: None, factor: 100.0 });
    assert_eq!(page.shown(), 100);
    page.send(Event::Reset);
    let plot = page.app.scatter_size.plot();
    page.send(Event::Pan((plot.width * 2.0, 0.0)));
    assert_eq!(page.shown(), 0);
    page.send(Event::Reset);
    let half = (plot.x + plot.width / 2.0, plot.y + plot.height);
    page.send(Event::Select(Some(((plot.x, plot.y), half))));
    page.send(Event::ZoomToSelection);
    assert_eq!(page.shown(), 50);
    page.send(Event::SetAxis(XAxis::Time));
    assert_eq!(page.shown(), 100);
}

#[test]
fn settings_reach_the_pictures_and_survive_another_file() {
    let mut page = Page::open(&capture(10), 1);
    page.send(Event::SetBins(7));
    page.send(Event::SetLog(true));
    page.send(Event::SetBars(Bars::Overlaid));
    page.send(Event::SetTheme(Theme { is_dark: true }));
    assert_eq!(page.app.size_counts().unwrap().1.len(), 7);
    page.send(Event::SetBins(9_999));
    assert_eq!(page.app.size_counts().unwrap().1.len(), 500);
    page.app.update(Event::Open { name: "b".into(), len: 1, parts: 1 });
    assert!(page.app.size_counts().is_none() && page.app.is_log && page.app.theme.is_dark);
}

#[test]
fn the_pointer_finds_the_packet_under_it() {
    let mut page = Page::open(&capture(3), 1);
    let plot = page.app.scatter_size.plot();
    // The second of three packets, almost at the top.
    let at = (plot.x + plot.width * 0.34, plot.y + plot.height * 0.04);
    page.send(Event::Hover(Chart::Scatter, Some(at)));
    let (_, _, lines) = page.app.view().hover.unwrap();
    assert_eq!(
        lines,
        [
            "packet 2",
            "2026-11-23 02:53:38.000002000 UTC",
            "10.0.0.1 → 10.0.0.2",
            "tcp, 1,514 bytes",
            "1 packet here",
        ]
    );
    page.send(Event::Hover(Chart::Scatter, None));
    assert!(page.app.view().hover.is_none());
}

#[test]
fn damaged_lines_are_numbered_across_parts() {
    let text = format!("{}oops\n{}oops\n", capture(20), capture(20));
    let view = Page::open(&text, 3).app.view();
    assert_eq!(view.skipped, "2 lines could not be read");
    assert!(view.problems[0].starts_with("line 21: ") && view.problems[1].starts_with("line 42: "));
}

#[test]
fn what_is_no_capture_is_said_to_be_none() {
    let page = Page::open("lorem\nipsum\n", 1);
    assert_eq!(page.app.phase(), Phase::Error);
    let error = page.app.view().error;
    assert_eq!(
        error,
        "“a.ndjson” is no capture: not one of its lines can be read (line 1: expected value at column 1)."
    );
}

#[test]
fn a_cancelled_load_keeps_what_was_read() {
    let mut page = Page { app: App::default(), loaders: Vec::new() };
    page.send(Event::Open { name: "a".into(), len: 1_000_000, parts: 1 });
    let text = capture(10);
    let mut loader = Loader::new(0..1_000_000);
    loader.feed(text.as_bytes());
    page.send(Event::Cancel);
    let mut report = loader.report();
    report.is_done = true;
    page.loaders.push(loader);
    page.send(Event::Report { part: 0, report });
    assert_eq!((page.app.phase(), page.app.totals().packets), (Phase::Ready, 10));
    assert!(page.app.view().summary.ends_with("cancelled after 0.1 % of the file"));
}

#[test]
fn late_answers_change_nothing() {
    let mut page = Page::open(&capture(10), 1);
    let before = page.app.view();
    let late = answer(
        page.loaders[0].columns(),
        crate::query::Query::Sizes(crate::histogram::Bins { min: 0, max: 9, count: 5 }),
    );
    assert_eq!(page.app.update(Event::Answer { id: 999, part: 0, answer: late }), []);
    assert_eq!(page.app.view(), before);
}

#[test]
fn a_question_asked_while_another_is_out_follows_it() {
    let mut page = Page::open(&capture(10), 1);
    let first = page.app.update(Event::SetBins(10));
    assert_eq!(page.app.update(Event::SetBins(20)), []);
    assert_eq!(page.app.update(Event::SetBins(30)), []);
    let answer = answer(page.loaders[0].columns(), first[0].query);
    let second = page.app.update(Event::Answer { id: first[0].id, part: 0, answer });
    let crate::query::Query::Sizes(bins) = second[0].query else { panic!("another question") };
    assert_eq!((second.len(), bins.count), (1, 30));
}

#[test]
fn names_from_captures_are_words_only() {
    let text = line(1, 60, "<img src=x onerror=alert(1)>");
    let page = Page::open(&text, 1);
    assert!(page.app.view().summary.contains("<img src=x onerror=alert(1)> 100.0 %"));
    let scene = page.app.scene(Chart::Histogram).unwrap();
    assert!(
        scene.marks.iter().any(|mark| matches!(mark, Mark::Text { text, .. } if text == "other"))
    );
}
