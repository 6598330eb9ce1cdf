//! Colours that distinguish files.

use super::*;
use crate::app::charts::Chart;
use crate::protocol::{CLASS_COUNT, CLASSES, Class, ClassSet};

/// The packets of each class in the throughput chart and in the scatter plot.
fn counts(page: &Page) -> [[u64; CLASS_COUNT]; 2] {
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    let tallies = chart.selected.unwrap_or(chart.whole);
    let rates = CLASSES.map(|class| {
        let of_class = tallies.iter().skip(class.index() * chart.bins.count).take(chart.bins.count);
        of_class.map(|tally| tally.packets).sum()
    });
    let Some(Chart::Scatter(chart)) = page.app.chart(Panel::Scatter) else { panic!() };
    let density = chart.selected.unwrap_or(chart.whole);
    let cells = CLASSES.map(|class| density.of(class).iter().map(|n| u64::from(*n)).sum());
    [rates, cells]
}

#[test]
fn colours_distinguish_files_on_request() {
    let mut page = Page::open();
    page.send(Event::Set("color".into(), "file".into()));
    // A single file has the colours of its protocols.
    assert_eq!(counts(&page), [[500, 500, 0, 0, 0, 0]; 2]);
    page.load("b.ndjson", vec![columns(0..300, 0), columns(300..600, 0)], true);
    assert_eq!(counts(&page), [[1_000, 600, 0, 0, 0, 0]; 2]);
    let svg = page.app.scene(Panel::Throughput).unwrap().svg();
    assert!(svg.contains(">a.ndjson<") && svg.contains(">b.ndjson<") && !svg.contains(">tcp<"));
    page.send(Event::SetFilter("file == b.ndjson or n <= 10".into(), 0));
    assert_eq!(counts(&page), [[10, 600, 0, 0, 0, 0]; 2]);
    assert!(page.app.link().contains("color=file"));
    page.send(Event::Clear(None));
    page.send(Event::Set("color".into(), "protocol".into()));
    assert_eq!(counts(&page), [[800, 800, 0, 0, 0, 0]; 2]);
}

/// Clicks the legend entry with this number in the throughput chart, where all names are equally long.
fn click(page: &mut Page, index: usize, tool: Option<Tool>) {
    let plot = SIZE.plot();
    // Ten characters, and the space around them.
    let at = (plot.x + 5.0 + index as f64 * (16.0 + 8.0 * 7.2 + 16.0), plot.y - 14.0);
    page.send(Event::PointerDown(Panel::Throughput, at, tool));
    page.send(Event::PointerUp);
}

#[test]
fn legend_entries_select_files() {
    let mut page = Page::empty();
    page.load("a.ndjson", vec![columns(0..500, 0)], false);
    page.load("b.ndjson", vec![columns(0..300, 0), columns(300..600, 0)], true);
    page.load("c.ndjson", vec![columns(0..50, 0)], true);
    page.send(Event::Set("color".into(), "file".into()));
    for (index, tool, chip, packets) in [
        (1, None, Some("not file == b.ndjson"), 550),
        (0, None, Some("file == c.ndjson"), 50),
        (0, None, Some("not file == b.ndjson"), 550),
        (1, None, None, 1_150),
        // Only one file, and all again.
        (1, Some(Tool::Lasso), Some("file == b.ndjson"), 600),
        (1, Some(Tool::Lasso), None, 1_150),
    ] {
        click(&mut page, index, tool);
        assert_eq!(page.chips().first().map(String::as_str), chip);
        assert_eq!(page.selected(), packets, "{chip:?}");
    }
    click(&mut page, 2, None);
    assert_eq!(page.app.view().chips[0].label, "Not File c.ndjson");
    assert!(page.app.link().contains("file=not+file+%3D%3D+c.ndjson"), "{}", page.app.link());
    let plot = SIZE.plot();
    page.send(Event::PointerMove(Panel::Throughput, (plot.x + 5.0, plot.y - 14.0)));
    assert_eq!(page.app.view().hover.unwrap().lines[0], "a.ndjson: on");
    // The protocols are not affected, and have their own legend.
    page.send(Event::Set("color".into(), "protocol".into()));
    assert_eq!(page.app.shown_classes(), ClassSet::ALL);
}

#[test]
fn further_files_are_selected_together() {
    let mut page = Page::open();
    page.send(Event::Set("color".into(), "file".into()));
    for index in 1..8 {
        page.load(&format!("{index}.ndjson"), vec![columns(0..100, 0)], true);
    }
    page.send(Event::Select(Dimension::File, "file == 7.ndjson".into()));
    assert_eq!(page.app.shown_classes(), ClassSet::of(&[Class::Other]));
    click(&mut page, 0, Some(Tool::Lasso));
    assert_eq!(page.chips(), ["file == a.ndjson"]);
    let class = Class::Other;
    page.app.toggle_class(Panel::Throughput, class, true);
    assert_eq!(page.chips(), ["file in {5.ndjson, 6.ndjson, 7.ndjson}"]);
    page.app.toggle_class(Panel::Throughput, class, false);
    assert!(page.chips().is_empty(), "all instead of none: {:?}", page.chips());
}

#[test]
fn further_files_share_a_colour() {
    let mut page = Page::open();
    page.send(Event::Set("color".into(), "file".into()));
    for index in 1..8 {
        page.load(&format!("{index}.ndjson"), vec![columns(0..100, 0)], true);
    }
    assert_eq!(counts(&page), [[1_000, 100, 100, 100, 100, 300]; 2]);
    let table = page.app.table(Panel::Throughput).unwrap();
    assert!(table.header.contains(&"other files_packets".to_owned()), "{:?}", table.header);
    assert!(table.header.contains(&"4.ndjson_packets".to_owned()), "{:?}", table.header);
}

#[test]
fn fields_that_capture_files_lack_are_named() {
    for (name, filter, expected) in [
        ("a.ndjson", "ja4 or sni == a", ""),
        ("a.pcap", "dport == 1 and seq", ""),
        ("a.pcap", "not ja4", "; ja4 is known only from the sniffer’s lines"),
        (
            "a.pcap",
            "not (dns_time_us or alpn == h2)",
            "; dns_time_us is known only from the sniffer’s lines, and after the analysis of TCP; alpn is known from capture files only \
             in single, unencrypted packets",
        ),
    ] {
        let mut page = Page::empty();
        page.load(name, vec![columns(0..10, 0)], false);
        page.send(Event::SetFilter(filter.into(), 0));
        let selected = page.app.view().selected;
        let note = selected.find(';').map_or("", |start| &selected[start..]);
        assert_eq!(note, expected, "{name}: {filter}");
    }
}
