//! Brushes that are moved and resized, and the window of the overview.

use super::*;

fn drag(page: &mut Page, panel: Panel, from: f64, to: f64) {
    page.drag(panel, (from, 0.5), (to, 0.5), None);
}

#[test]
fn brushes_move_and_resize() {
    let mut page = Page::open();
    page.send(Event::Set("bins".into(), "10".into()));
    drag(&mut page, Panel::Sizes, 0.21, 0.39);
    assert_eq!(page.chips(), ["len in 200..399"]);
    for (from, to, range) in [
        // Inside of the range, at its right and left end, and beyond the edge of the chart.
        (0.35, 0.55, "len in 400..599"),
        (0.601, 0.75, "len in 400..799"),
        (0.399, 0.15, "len in 100..799"),
        (0.45, 0.05, "len in 0..699"),
        (0.45, 0.99, "len in 300..999"),
        // An end crosses the other one.
        (0.3, 0.98, "len in 900..999"),
        // Outside.
        (0.5, 0.51, "len in 500..599"),
    ] {
        drag(&mut page, Panel::Sizes, from, to);
        assert_eq!(page.chips(), [range], "{from} to {to}");
    }
    page.send(Event::Undo);
    assert_eq!(page.chips(), ["len in 900..999"]);
    // A click still deselects; a press at an end changes nothing.
    for (at, count) in [(0.901, 1), (0.95, 0)] {
        page.send(Event::PointerDown(Panel::Sizes, Page::at((at, 0.5)), None));
        page.send(Event::PointerUp);
        assert_eq!(page.chips().len(), count, "{at}");
    }
}

#[test]
fn keys_move_and_resize_brushes() {
    let mut page = Page::open();
    page.send(Event::Set("bins".into(), "10".into()));
    page.send(Event::Select(Dimension::Size, "len in 800..899".into()));
    for (key, extend, range) in [
        (Key::MoveRight, false, "len in 900..999"),
        (Key::MoveRight, false, "len in 900..999"),
        (Key::MoveLeft, false, "len in 800..899"),
        (Key::Right, true, "len in 800..999"),
        (Key::MoveLeft, false, "len in 700..899"),
        (Key::Left, true, "len in 700..799"),
        (Key::Left, true, "len in 600..799"),
    ] {
        page.send(Event::KeyDown(Panel::Sizes, key, extend));
        assert_eq!(page.chips(), [range], "{key:?}");
    }
}

/// The first and last millisecond that the throughput chart shows.
fn window(page: &Page) -> (i64, i64) {
    let span = page.app.visible_span(Quantity::Time).unwrap();
    ((span.start - NOON) / 1_000_000, (span.end - NOON) / 1_000_000)
}

#[test]
fn window_of_the_overview_is_the_zoom() {
    let mut page = Page::open();
    for (from, to, expected) in [
        // Without a zoom, a drag opens a window.
        (0.2, 0.6, (199, 599)),
        (0.4, 0.5, (299, 699)),
        (0.3, 0.1, (99, 699)),
        (0.7, 0.4, (99, 399)),
        (0.2, 0.0, (0, 299)),
        (0.1, 0.9, (699, 999)),
        // Outside of the window, in the other direction, and across an end.
        (0.5, 0.25, (249, 499)),
        (0.25, 0.75, (499, 749)),
    ] {
        drag(&mut page, Panel::Overview, from, to);
        assert_eq!(window(&page), expected, "{from} to {to}");
    }
    // A click outside of the window centres it there; one inside changes nothing.
    for (at, expected) in [(0.25, (124, 374)), (0.2, (124, 374)), (0.99, (749, 999))] {
        page.send(Event::PointerDown(Panel::Overview, Page::at((at, 0.5)), None));
        page.send(Event::PointerUp);
        assert_eq!(window(&page), expected, "{at}");
    }
    for (key, extend, expected) in [
        (Key::Right, false, (749, 999)),
        (Key::Left, false, (724, 974)),
        (Key::Left, true, (724, 949)),
        (Key::Home, false, (0, 224)),
        (Key::Right, true, (0, 247)),
        (Key::End, false, (751, 999)),
        (Key::ResetZoom, false, (0, 999)),
    ] {
        page.send(Event::KeyDown(Panel::Overview, key, extend));
        assert_eq!(window(&page), expected, "{key:?}");
        assert!(page.app.view().announcement.starts_with("2026-11-24 12:00:00."), "{key:?}");
    }
    page.send(Event::KeyDown(Panel::Overview, Key::ZoomIn, false));
    assert_eq!(window(&page), (99, 899));
    // The window shows the range of the charts, and only the overview all packets.
    let label = page.label(Panel::Overview);
    assert!(label.starts_with("Time range of the charts: 2026-11-24 12:00:00.099"), "{label}");
    assert!(page.app.scene(Panel::Overview).unwrap().marks.len() > 100);
}
