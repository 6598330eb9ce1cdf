//! Names that are shown instead of addresses.

use super::*;
use crate::address_names::NamedAddress;
use summary::Address;

/// The names that the simulated workers have read. The packets are from 10.0.0.1 to 10.0.0.0 up to
/// 10.0.0.3.
pub(super) fn learnt() -> Vec<NamedAddress> {
    let named = |last: u8, name: &str| (Address::V4([10, 0, 0, last]), (NOON, name.to_owned()));
    vec![named(1, "client.example"), named(2, "server.example"), named(9, "unused.example")]
}

fn set_names(page: &mut Page, is_on: bool) {
    page.send(Event::Set("names".into(), if is_on { "1" } else { "0" }.into()));
}

#[test]
fn names_are_shown_on_request_and_addresses_stay() {
    let mut page = Page::open();
    page.send(Event::VisibleRows(Panel::Endpoints, 9));
    page.send(Event::Select(Dimension::Source, "src == 10.0.0.1".into()));
    page.send(Event::Select(Dimension::Conversation, "host == 10.0.0.2".into()));
    let before = page.app.view();
    assert!(page.named.is_empty() && before.names.is_empty());
    set_names(&mut page, true);
    assert_eq!(page.named, [0], "all parts, once");
    let view = page.app.view();
    assert_eq!(view.names, "3 found");
    let row = &view.packets.rows[0];
    assert_eq!((&*row.cells[2], &*row.cells[4]), ("client.example", "server.example"));
    assert_eq!(row.addresses, [(2, "10.0.0.1".to_owned()), (4, "10.0.0.2".to_owned())]);
    let names: Vec<_> = view.endpoints.rows.iter().map(|row| &*row.cells[0]).collect();
    assert!(names.contains(&"client.example") && names.contains(&"10.0.0.3"), "{names:?}");
    let pairs: Vec<_> = view.conversations.rows.iter().map(|row| row.cells.join(" ")).collect();
    assert!(pairs.iter().any(|pair| pair.contains("server.example")), "{pairs:?}");
    let label = |panel: Panel| page.app.ranking(panel, None).unwrap().items[0].label();
    assert_eq!(label(Panel::Sources), "client.example");
    let labels: Vec<_> = view.chips.iter().map(|chip| &*chip.label).collect();
    assert!(labels.contains(&"Source client.example"), "{labels:?}");
    assert!(labels.contains(&"Endpoint server.example"), "{labels:?}");
    // Copies, filters, suggestions and downloads have the addresses.
    assert_eq!(page.app.cell_value(Panel::Packets, 0, 2).unwrap().text, "10.0.0.1");
    let value = page.app.cell_value(Panel::Sources, 0, 0).unwrap();
    assert_eq!((&*value.text, value.filter.as_deref()), ("10.0.0.1", Some("src == 10.0.0.1")));
    for panel in [Panel::Sources, Panel::Endpoints, Panel::Conversations] {
        let csv = page.app.csv(panel).unwrap();
        assert!(csv.contains("10.0.0.1") && !csv.contains("client"), "{csv}");
    }
    page.send(Event::FilterBy("host == 10.0.0.2".into(), false));
    assert_eq!(page.app.view().filter, "host == 10.0.0.2");
    page.send(Event::Undo);
    assert!(page.app.link().contains("names=1"));
    set_names(&mut page, false);
    let after = page.app.view();
    assert_eq!((after.packets, after.chips), (before.packets, before.chips));
    assert_eq!(label_of(&page, Panel::Sources), "10.0.0.1");
}

fn label_of(page: &Page, panel: Panel) -> String {
    page.app.ranking(panel, None).unwrap().items[0].label()
}

#[test]
fn names_are_in_tooltips_and_details() {
    let mut page = Page::open();
    set_names(&mut page, true);
    page.send(Event::PointerMove(Panel::Sources, (300.0, 45.0)));
    let lines = page.app.view().hover.expect("a tooltip").lines;
    assert_eq!(lines[..2], ["client.example", "10.0.0.1"]);
    page.send(Event::ActivateRow(Panel::Packets, 2));
    let title = page.app.view().detail.unwrap().title;
    assert_eq!(
        title,
        "Packet 3, 2026-11-24 12:00:00.002000000 UTC, client.example → server.example"
    );
    page.send(Event::ActivateRow(Panel::Packets, 0));
    let title = page.app.view().detail.unwrap().title;
    assert!(title.ends_with(", client.example → 10.0.0.0"), "{title}");
}

#[test]
fn names_of_added_files_are_read_too() {
    let mut page = Page::open();
    set_names(&mut page, true);
    page.load("b.ndjson", vec![columns(0..10, 0)], true);
    set_names(&mut page, false);
    set_names(&mut page, true);
    assert_eq!(page.named, [0, 2]);
    // Another capture has other names.
    page.load("c.ndjson", vec![columns(0..10, 0)], false);
    assert_eq!(page.named, [0, 2, 0]);
    page.send(Event::Names(None));
    assert_eq!(page.app.view().names, "a file could not be read again");
    page.send(Event::Close);
    assert_eq!(page.app.view().names, "");
}
