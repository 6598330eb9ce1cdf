//! The tables: packets with their details, conversations and endpoints.

use super::*;

fn numbers(page: &Page) -> Vec<String> {
    let rows = page.app.view().packets.rows;
    rows.into_iter().map(|row| format!("{} {}", row.cells[13], row.cells[0])).collect()
}

#[test]
fn packet_table_scrolls_through_all_parts() {
    let mut page = Page::open();
    assert_eq!(numbers(&page)[..2], ["a.ndjson 1", "a.ndjson 2"]);
    page.send(Event::Scroll(Panel::Packets, 598));
    assert_eq!(numbers(&page), [599, 600, 601, 602, 603].map(|n| format!("a.ndjson {n}")));
    page.send(Event::Scroll(Panel::Packets, 5_000));
    assert_eq!(numbers(&page)[4], "a.ndjson 1,000");
    page.send(Event::SetFilter("dport == 7".into(), 0));
    page.send(Event::Scroll(Panel::Packets, 58));
    assert_eq!(numbers(&page), [588, 598, 608, 618, 628].map(|n| format!("a.ndjson {n}")));
    // Fields without a column of their own are in the last one.
    let extra_fields: Vec<_> =
        page.app.view().packets.rows.into_iter().map(|row| row.cells[14].clone()).collect();
    assert_eq!(extra_fields[..3], ["seq 0 · x 587", "seq 0 · x 597", "seq 1 · x 7"]);
    page.send(Event::ActivateRow(Panel::Packets, 2));
    assert_eq!(page.read, [(1, 7)]);
    // The line of a packet is ignored if another packet is shown when it arrives.
    page.send(record((1, 7), "{\"len\":7}"));
    page.send(record((0, 7), "{\"len\":8}"));
    let detail = page.app.view().detail.unwrap();
    assert_eq!(detail.line, "{\"len\":7}");
}

/// Steps through the selected packets of all parts, in the order of the table, which follows.
#[test]
fn details_step_from_packet_to_packet() {
    let mut page = Page::open();
    page.send(Event::StepDetail(Step::Next));
    assert!(page.app.view().detail.is_none(), "nothing is shown");
    page.send(Event::SetFilter("dport == 7".into(), 0));
    page.send(Event::Scroll(Panel::Packets, 56));
    page.send(Event::ActivateRow(Panel::Packets, 3));
    let mut titles = Vec::new();
    for _ in 0..3 {
        let detail = page.app.view().detail.unwrap();
        assert!(detail.has_previous && detail.has_next);
        titles.push(detail.title.split(',').next().unwrap().to_owned());
        page.send(Event::StepDetail(Step::Next));
    }
    assert_eq!(titles, ["Packet 598", "Packet 608", "Packet 618"]);
    assert_eq!(page.read, [(0, 597), (1, 7), (1, 17), (1, 27)]);
    let rows = page.app.view().packets.rows;
    assert_eq!(rows.iter().position(|row| row.is_selected), Some(4), "the table follows");
    for _ in 0..200 {
        page.send(Event::StepDetail(Step::Previous));
    }
    let detail = page.app.view().detail.unwrap();
    assert!(detail.title.starts_with("Packet 8,") && !detail.has_previous && detail.has_next);
    assert_eq!(page.app.view().packets.first, 0);
    // “Previous packet” and “Next packet” also work if the selection no longer includes the packet.
    page.send(Event::SetFilter("dport == 8".into(), 0));
    page.send(Event::StepDetail(Step::Next));
    assert!(page.app.view().detail.unwrap().title.starts_with("Packet 9,"));
}

#[test]
fn files_are_merged_by_time() {
    let mut page = Page::open();
    page.send(Event::Scroll(Panel::Packets, 400));
    // Each packet is half a millisecond later than its counterpart.
    page.load("b.pcap", vec![columns(0..1_000, 500_000)], true);
    assert_eq!(page.selected(), 2_000);
    for first in [0, 1, 700, 1_201, 1_995] {
        page.send(Event::Scroll(Panel::Packets, first));
        let expected: Vec<_> = (first..first + 5)
            .map(|index| {
                let file = ["a.ndjson", "b.pcap"][(index % 2) as usize];
                format!("{file} {}", summary::grouped(index / 2 + 1))
            })
            .collect();
        assert_eq!(numbers(&page), expected, "{first}");
    }
    page.send(Event::SetFilter("file == b.pcap and len == 5".into(), 0));
    assert_eq!(numbers(&page), ["b.pcap 6"]);
    // The previous packet of a gap is in the same file.
    page.send(Event::SetFilter("gap == 1ms".into(), 0));
    assert_eq!(page.selected(), 1_998);
}

#[test]
fn conversations_sort_and_select() {
    let mut page = Page::open();
    let rows = |page: &Page| {
        let table = page.app.view().conversations;
        let cells = table.rows.into_iter();
        (
            table.count,
            cells.map(|row| format!("{} {}", row.cells[2], row.cells[5])).collect::<Vec<_>>(),
        )
    };
    assert_eq!(
        rows(&page),
        (4, ["10.0.0.1 250", "10.0.0.1 250", "10.0.0.2 250"].map(str::to_owned).to_vec())
    );
    page.send(Event::Set("sort".into(), "-start".into()));
    assert_eq!(rows(&page).1[0], "10.0.0.3 250");
    page.send(Event::ActivateRow(Panel::Conversations, 0));
    assert_eq!(page.selected(), 250);
    assert!(page.chips()[0].contains("dst == 10.0.0.3"), "{:?}", page.chips());
    assert!(page.app.view().conversations.rows[0].is_selected);
    page.send(Event::Scroll(Panel::Conversations, 9));
    assert_eq!(page.app.view().conversations.first, 1);
}

#[test]
fn conversations_are_counted_by_ports_on_request() {
    let mut page = Page::open();
    let ports = |page: &Page| {
        let table = page.app.view().conversations;
        let cells = |row: &VirtualRow| [1, 2, 3, 5].map(|cell: usize| row.cells[cell].clone());
        (table.count, table.hidden, table.rows.iter().map(cells).collect::<Vec<_>>())
    };
    // The columns of the analysis, which has not run, are hidden, too.
    let hidden = 0b101_1000_0000;
    assert_eq!((ports(&page).0, ports(&page).1), (4, hidden | 0b1010));
    page.send(Event::Set("conversations".into(), "5-tuples".into()));
    let (count, hidden_by_ports, rows) = ports(&page);
    // Each of 10 ports occurs with 2 of 4 addresses.
    assert_eq!((count, hidden_by_ports), (20, hidden));
    assert_eq!(rows[0], ["0", "10.0.0.1", "0", "50"].map(str::to_owned));
    page.send(Event::ActivateRow(Panel::Conversations, 0));
    assert_eq!(page.selected(), 50);
    page.send(Event::Set("conversations".into(), "addresses".into()));
    assert_eq!((ports(&page).0, ports(&page).1), (4, hidden | 0b1010));
}

#[test]
fn endpoints_sort_and_select() {
    let mut page = Page::open();
    page.send(Event::VisibleRows(Panel::Endpoints, 2));
    let rows = |page: &Page| {
        let table = page.app.view().endpoints;
        let rows = table.rows.iter().map(|row| row.cells[..9].join(" ")).collect::<Vec<_>>();
        (table.count, rows)
    };
    let (count, shown) = rows(&page);
    assert_eq!(count, 4);
    assert!(shown[0].starts_with("10.0.0.1 1,000 "), "{shown:?}");
    page.send(Event::Set("endpoints-sort".into(), "packets-received".into()));
    let (_, shown) = rows(&page);
    assert!(shown[0].starts_with("10.0.0.0 250 "), "{shown:?}");
    page.send(Event::ActivateRow(Panel::Endpoints, 0));
    assert_eq!((page.selected(), page.chips()), (250, vec!["host == 10.0.0.0".to_owned()]));
    assert!(page.app.view().endpoints.rows[0].is_selected);
    page.send(Event::ActivateRow(Panel::Endpoints, 1));
    assert_eq!(page.chips(), ["host in {10.0.0.0, 10.0.0.1}"]);
}
