//! The space that rankings take.

use super::Page;
use crate::app::{Event, Panel};
use crate::selection::Dimension;

#[test]
fn selections_do_not_move_panels() {
    let mut page = Page::open();
    let rows = |page: &Page| {
        let rows = page.app.view().ranking_rows;
        [Panel::Protocols, Panel::Ports, Panel::Sources, Panel::Sizes]
            .map(|panel| rows[panel as usize])
    };
    let counts = |page: &Page| {
        [Panel::Protocols, Panel::Ports, Panel::Sources]
            .map(|panel| page.app.ranking(panel, None).unwrap().count)
    };
    let (before, all) = (rows(&page), counts(&page));
    let [protocols, ports, sources] = all.map(|count| Some(count.clamp(1, 5)));
    assert_eq!(before, [protocols, ports, sources, None], "{all:?}");
    page.send(Event::Select(Dimension::Size, "len == 60".into()));
    let selected = counts(&page);
    assert!(selected[1] < all[1], "{selected:?} of {all:?}");
    assert_eq!(rows(&page), before);
}
