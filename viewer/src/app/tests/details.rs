//! The packet whose details are shown, and its row in the table.

use super::*;

#[test]
fn row_stays_in_sight_when_details_take_space_from_the_table() {
    let mut page = Page::open();
    page.send(Event::Scroll(Panel::Packets, 100));
    page.send(Event::ActivateRow(Panel::Packets, 3));
    let selected = |page: &Page| {
        let packets = page.app.view().packets;
        (packets.first, packets.rows.iter().position(|row| row.is_selected))
    };
    assert_eq!(selected(&page), (100, Some(3)));
    // A hidden table has no rows.
    for (rows, expected) in
        [(4, (100, Some(3))), (2, (102, Some(1))), (0, (102, None)), (5, (102, Some(1)))]
    {
        page.send(Event::VisibleRows(Panel::Packets, rows));
        assert_eq!(selected(&page), expected, "{rows} rows");
    }
    // The user has scrolled away.
    page.send(Event::Scroll(Panel::Packets, 300));
    page.send(Event::VisibleRows(Panel::Packets, 1));
    assert_eq!(selected(&page), (300, None));
    // Steps move the row.
    page.send(Event::StepDetail(Step::Next));
    assert_eq!(selected(&page), (104, Some(0)));
}

#[test]
fn table_scrolls_to_the_packet_picked_in_the_scatter_plot() {
    let mut page = Page::open();
    let pick = |page: &mut Page| {
        page.send(Event::PointerDown(Panel::Scatter, Page::at((0.5, 500.5 / 1_033.0)), None));
        page.send(Event::PointerUp);
        let packets = page.app.view().packets;
        let row = packets.rows.iter().find(|row| row.is_selected);
        (packets.first, row.map(|row| row.cells[0].clone()))
    };
    let (first, number) = pick(&mut page);
    let number: u64 = number.expect("its row is in sight").parse().unwrap();
    assert_eq!(first + 5, number, "the last of five rows");
    // A packet that is not selected has no row.
    page.send(Event::Scroll(Panel::Packets, 0));
    page.send(Event::SetFilter(format!("n != {number}"), 0));
    page.send(Event::CloseDetail);
    assert_eq!(pick(&mut page).0, 0);
}
