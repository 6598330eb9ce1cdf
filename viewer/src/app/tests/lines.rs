//! Lines of the throughput chart.

use super::*;
use crate::app::charts::Chart;
use crate::selection::LINE_COUNT;

/// The name of each line and the number of its packets.
fn lines(page: &Page) -> Vec<(String, u64)> {
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    let count = |line: &crate::chart::Line<'_>| {
        (line.name.clone(), line.tallies.iter().map(|tally| tally.packets).sum())
    };
    chart.lines.iter().map(count).collect()
}

fn filter(page: &mut Page, text: &str) {
    page.send(Event::SetFilter(text.into(), 0));
}

#[test]
fn lines_count_selected_packets_without_selecting() {
    let mut page = Page::open();
    assert!(!page.app.view().can_add_line);
    filter(&mut page, "n <= 300");
    page.send(Event::Select(Dimension::Protocol, "proto == tcp".into()));
    let selected = page.app.selected().packets;
    assert!(0 < selected && selected < 300);
    page.send(Event::AddLine);
    assert_eq!(lines(&page), [("n <= 300 and proto == tcp".to_owned(), selected)]);
    let view = page.app.view();
    assert_eq!((page.app.selected().packets, &*view.filter), (1_000, ""));
    assert_eq!((view.chips.len(), view.selected.as_str(), view.can_add_line), (0, "", false));
    assert_eq!(view.lines[0].label, "Packet number up to 300, Protocol tcp");
    // Selections apply to lines, except for a time range, which the chart shows.
    page.send(Event::Select(Dimension::Size, "n <= 100".into()));
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    let tcp = chart.selected.unwrap()[..chart.bins.count].iter().map(|tally| tally.packets).sum();
    assert_eq!(lines(&page), [("n <= 300 and proto == tcp".to_owned(), tcp)]);
    page.send(Event::Clear(None));
    assert_eq!(lines(&page).len(), 1);
    page.send(Event::Select(Dimension::Time, "ts <= 1970-01-01T00:00:00Z".into()));
    assert_eq!(lines(&page)[0].1, selected);
}

#[test]
fn lines_are_undone_edited_removed_and_part_of_links() {
    let mut page = Page::open();
    for number in 1..=LINE_COUNT + 1 {
        filter(&mut page, &format!("n <= {number}"));
        page.send(Event::AddLine);
    }
    // There is no place for the last one, which stays selected.
    assert_eq!(page.app.selected().packets, LINE_COUNT as u64 + 1);
    let counts: Vec<_> = lines(&page).into_iter().map(|(_, packets)| packets).collect();
    assert_eq!(counts, [1, 2, 3, 4]);
    let link = page.app.link();
    let mut other = Page::open();
    other.send(Event::RestoreLink(link));
    assert_eq!(lines(&other), lines(&page));
    page.send(Event::Undo);
    page.send(Event::Undo);
    assert_eq!((lines(&page).len(), page.app.selected().packets), (3, 4));
    filter(&mut page, "");
    page.send(Event::Clear(Some(Dimension::Line1)));
    assert_eq!(lines(&page)[0].0, "n <= 2");
    page.send(Event::Edit(Dimension::Line2));
    assert_eq!((page.app.view().filter.as_str(), page.app.selected().packets), ("n <= 2", 2));
    // A free line is used again.
    page.send(Event::AddLine);
    let names: Vec<_> = page.app.view().lines.into_iter().map(|line| line.text).collect();
    assert_eq!(names, ["n <= 2", "n <= 3"]);
    assert_eq!(page.app.view().lines[0].dimension, Dimension::Line1);
}

#[test]
fn lines_are_in_tables_tooltips_and_images() {
    let mut page = Page::open();
    filter(&mut page, "len >= 101");
    page.send(Event::AddLine);
    let csv = page.app.csv(Panel::Throughput).unwrap();
    let header: Vec<_> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(header[header.len() - 2..], ["len >= 101_packets", "len >= 101_bytes"]);
    let column = |row: &str| row.rsplit(',').nth(1).unwrap().parse::<u64>().unwrap();
    assert_eq!(csv.lines().skip(1).map(column).sum::<u64>(), lines(&page)[0].1);
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    let tooltip = chart.cell_text((0, 0), &page.app.zone());
    assert!(tooltip.iter().any(|line| line.starts_with("len >= 101: ")), "{tooltip:?}");
    let caption = |page: &Page, panel| page.app.export_scene(panel).unwrap().svg();
    assert!(caption(&page, Panel::Throughput).contains("— len &gt;= 101"));
    assert!(!caption(&page, Panel::Sizes).contains("len &gt;= 101"));
    // Scenes differ once the answer has arrived.
    let before = page.app.scene_version(Panel::Throughput);
    page.send(Event::Clear(Some(Dimension::Line1)));
    assert_ne!(page.app.scene_version(Panel::Throughput), before);
}
