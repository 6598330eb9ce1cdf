//! Bins of the charts over time and of inter-arrival times.

use super::*;
use crate::app::charts::Chart;
use crate::time::Zone;

fn page(columns: Columns) -> Page {
    let mut page = Page::empty();
    page.load("a.ndjson", vec![columns], false);
    page
}

#[test]
fn equal_gaps_are_one_bar_among_others() {
    let (edges, counts) = Page::open().app.histogram(Panel::Gaps).unwrap();
    assert_eq!(counts.iter().sum::<u64>(), 999);
    let bin = counts.iter().position(|count| *count == 999).expect("all in one bin");
    assert!(10 < bin && bin < counts.len() - 10, "{bin} of {}", counts.len());
    assert!(edges[bin] <= 1e6 && 1e6 < edges[bin + 1]);
}

#[test]
fn single_packet_has_no_rate_and_no_gaps() {
    let page = page(columns(0..1, 0));
    assert_eq!(page.app.view().interval, "All packets have the same time: no rate");
    assert_eq!(page.label(Panel::Gaps), "Inter-arrival times: Needs two packets in a file.");
    assert!(page.app.scene(Panel::Gaps).is_some());
    let rates = page.app.table(Panel::Throughput).unwrap();
    assert_eq!(rates.rows[0][2], "1");
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    assert!(!chart.bin_text(0, &Zone::Utc).iter().any(|line| line.contains("/s")));
}

#[test]
fn bins_begin_at_round_times_of_the_zone() {
    // The capture begins 300 µs after noon.
    let mut page = page(columns(0..1_000, 300_000));
    page.send(Event::Set("interval".into(), "100000000".into()));
    let india = UtcOffsets(vec![(0, 19_800)]);
    page.send(Event::SetOffsets(india));
    let first = |page: &Page| page.app.table(Panel::Throughput).unwrap().rows[0][0].clone();
    for (zone, interval, start) in [
        ("utc", "100000000", "2026-11-24T12:00:00Z"),
        ("start", "100000000", "0"),
        ("local", "3600000000000", "2026-11-24T17:00:00+05:30"),
        ("utc", "3600000000000", "2026-11-24T12:00:00Z"),
    ] {
        page.send(Event::Set("zone".into(), zone.into()));
        page.send(Event::Set("interval".into(), interval.into()));
        assert_eq!(first(&page), start, "{zone}");
    }
}
