//! The cells of tables: their values, filters by them, hidden columns and dates.

use super::*;

/// The text of a cell, and how many packets its filter selects.
fn cell(page: &mut Page, panel: Panel, column: usize) -> (String, Option<u64>) {
    let value = page.app.cell_value(panel, 0, column).expect("a row");
    let selected = value.filter.map(|filter| {
        page.send(Event::FilterBy(filter, false));
        let selected = page.selected();
        page.send(Event::Undo);
        selected
    });
    (value.text, selected)
}

#[test]
fn cells_filter_by_their_values() {
    let mut page = Page::open();
    page.send(Event::VisibleRows(Panel::Endpoints, 2));
    page.send(Event::Set("conversations".into(), "5-tuples".into()));
    for (panel, column, text, selected) in [
        (Panel::Packets, 0, "1", Some(1)),
        (Panel::Packets, 1, "2026-11-24T12:00:00Z", Some(1)),
        (Panel::Packets, 2, "10.0.0.1", Some(1_000)),
        (Panel::Packets, 4, "10.0.0.0", Some(250)),
        (Panel::Packets, 5, "0", Some(100)),
        (Panel::Packets, 6, "tcp", Some(500)),
        (Panel::Packets, 7, "0", Some(1)),
        (Panel::Packets, 9, "", None),
        (Panel::Packets, 13, "a.ndjson", Some(1_000)),
        (Panel::Conversations, 0, "10.0.0.0", Some(250)),
        (Panel::Conversations, 1, "0", Some(100)),
        (Panel::Conversations, 4, "tcp", Some(500)),
        (Panel::Conversations, 5, "50", None),
        (Panel::Endpoints, 0, "10.0.0.1", Some(1_000)),
        (Panel::Endpoints, 1, "1000", None),
        (Panel::Protocols, 0, "tcp", Some(500)),
        (Panel::Destinations, 0, "10.0.0.0", Some(250)),
    ] {
        let seen = cell(&mut page, panel, column);
        assert_eq!(seen, (text.to_owned(), selected), "{panel:?}, column {column}");
    }
    assert_eq!(page.app.cell_value(Panel::Packets, 99, 0), None);
    assert_eq!(page.app.cell_value(Panel::Packets, 0, 99), None);
    // The bar at the keyboard cursor, and at a pixel.
    page.send(Event::KeyDown(Panel::Protocols, Key::Down, false));
    page.send(Event::KeyDown(Panel::Protocols, Key::Down, false));
    assert_eq!(page.app.bar_at(Panel::Protocols, None), Some(1));
    assert_eq!(page.app.bar_at(Panel::Protocols, Some(1_000.0)), None);
}

#[test]
fn empty_columns_are_hidden_unless_chosen() {
    let mut page = Page::open();
    let hidden = |page: &Page| {
        let hidden = page.app.view().packets.hidden;
        let names = crate::table_columns::PACKET_COLUMNS.iter().enumerate();
        names.filter(|(at, _)| hidden >> at & 1 == 1).map(|(_, name)| *name).collect::<Vec<_>>()
    };
    // The name of the only file is not shown.
    assert_eq!(hidden(&page), ["ttl", "flags", "if", "dir", "vlan", "file"]);
    page.send(Event::Set("columns".into(), "packets.ttl,packets.src-".into()));
    assert_eq!(hidden(&page), ["src", "flags", "if", "dir", "vlan", "file"]);
    // Columns stay while nothing is selected, and the table of several files has their names.
    page.send(Event::SetFilter("ttl".into(), 0));
    assert_eq!((page.selected(), hidden(&page).len()), (0, 6));
    page.send(Event::Clear(None));
    page.load("b.pcap", vec![columns(0..9, 0)], true);
    assert_eq!(hidden(&page), ["src", "flags", "if", "dir", "vlan"]);
}

#[test]
fn shared_date_is_shown_above_the_rows() {
    let mut page = Page::open();
    let packets = page.app.view().packets;
    assert_eq!(packets.rows[1].cells[1], "12:00:00.001000000");
    assert_eq!(packets.range_text(), "Rows 1–5 of 1,000 · 2026-11-24 UTC");
    page.send(Event::Set("zone".into(), "start".into()));
    assert_eq!(page.app.view().packets.rows[1].cells[1], "0.001000000 s");
    // Around midnight, each row has its date.
    let day_ns = 43_200_000_000_000;
    page.load("a.ndjson", vec![columns(0..2, 0), columns(2..4, day_ns)], false);
    page.send(Event::Set("zone".into(), "utc".into()));
    let packets = page.app.view().packets;
    assert_eq!(packets.range_text(), "Rows 1–4 of 4");
    assert_eq!(packets.rows[3].cells[1], "2026-11-25 00:00:00.003000000 UTC");
}
