//! The selected box of the scatter plot is moved and resized.

use super::super::charts::Chart;
use super::super::scatter_selection::CellBox;
use super::*;

/// The selected columns and rows, of 150 columns and 50 rows.
fn cells(page: &Page) -> Option<CellBox> {
    let Some(Chart::Scatter(chart)) = page.app.chart(Panel::Scatter) else { panic!() };
    assert_eq!((chart.grid.x.count, chart.grid.y.count), (150, 50));
    page.app.selected_cells(chart.grid)
}

fn open() -> Page {
    let mut page = Page::open();
    page.drag(Panel::Scatter, (0.203, 0.21), (0.397, 0.39), Some(Tool::Box));
    assert_eq!(cells(&page), Some(((30, 59), (10, 19))));
    page
}

#[test]
fn boxes_move_and_resize() {
    for tool in ["move", "box"] {
        let mut page = open();
        page.send(Event::Set("tool".into(), tool.into()));
        for (from, to, expected) in [
            // Inside, at the right edge, at the upper left corner, and beyond the chart.
            ((0.3, 0.3), (0.5, 0.5), ((60, 89), (20, 29))),
            ((0.602, 0.5), (0.702, 0.9), ((60, 104), (20, 29))),
            ((0.402, 0.604), (0.302, 0.704), ((45, 104), (20, 34))),
            ((0.5, 0.5), (0.002, 0.99), ((0, 59), (35, 49))),
            // An edge crosses the other one.
            ((0.002, 0.85), (0.502, 0.85), ((59, 75), (35, 49))),
        ] {
            page.drag(Panel::Scatter, from, to, None);
            assert_eq!(cells(&page), Some(expected), "{from:?} to {to:?}");
        }
        page.send(Event::Undo);
        assert_eq!(cells(&page), Some(((0, 59), (35, 49))));
        // With a modifier key, a new box begins inside.
        page.drag(Panel::Scatter, (0.103, 0.81), (0.197, 0.89), Some(Tool::Box));
        assert_eq!(cells(&page), Some(((15, 29), (40, 44))));
    }
}

#[test]
fn press_in_a_box_without_a_drag_shows_a_packet() {
    let mut page = open();
    page.send(Event::PointerDown(Panel::Scatter, Page::at((0.3, 0.29)), None));
    page.send(Event::PointerUp);
    assert!(page.app.view().detail.is_some());
    assert_eq!(cells(&page), Some(((30, 59), (10, 19))));
}

#[test]
fn drag_beside_a_box_uses_the_tool() {
    let mut page = open();
    page.send(Event::KeyDown(Panel::Scatter, Key::ZoomIn, false));
    let zoom = page.app.visible_span(Quantity::Number);
    let before = page.chips();
    page.drag(Panel::Scatter, (0.8, 0.8), (0.7, 0.7), None);
    assert_ne!(page.app.visible_span(Quantity::Number), zoom);
    assert_eq!(page.chips(), before);
}

#[test]
fn keys_move_and_resize_boxes() {
    let mut page = open();
    for (key, extend, expected) in [
        (Key::MoveRight, false, ((34, 63), (10, 19))),
        (Key::Up, true, ((34, 63), (10, 23))),
        (Key::MoveLeft, false, ((30, 59), (10, 23))),
        (Key::Right, true, ((30, 63), (10, 23))),
    ] {
        page.send(Event::KeyDown(Panel::Scatter, key, extend));
        assert_eq!(cells(&page), Some(expected), "{key:?}");
    }
}
