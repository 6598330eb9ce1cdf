//! Colours that distinguish files.

use super::*;
use crate::app::charts::Chart;
use crate::protocol::{CLASS_COUNT, CLASSES};

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
    // Legends select protocols, not files.
    let plot = SIZE.plot();
    page.send(Event::PointerDown(Panel::Throughput, (plot.x + 5.0, plot.y - 14.0), None));
    page.send(Event::PointerUp);
    assert!(!page.chips().iter().any(|chip| chip.contains("proto")), "{:?}", page.chips());
    page.send(Event::Clear(None));
    page.send(Event::Set("color".into(), "protocol".into()));
    assert_eq!(counts(&page), [[800, 800, 0, 0, 0, 0]; 2]);
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
            "; dns_time_us is known only from the sniffer’s lines; alpn is known from capture files only \
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
