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
