//! Pointers and keys.

use super::*;

#[test]
fn selections_outside_possible_values_round_trip() {
    // A box in an empty area can still be formatted, sent and parsed.
    let mut page = Page::open();
    for (x, y) in [("n", "dport"), ("ts", "ttl"), ("ts", "gap"), ("n", "len")] {
        page.send(Event::ResetZoom);
        page.send(Event::Set("x".into(), if x == "n" { "number" } else { "time" }.into()));
        page.send(Event::Set("y".into(), if y == "len" { "size" } else { y }.into()));
        for _ in 0..3 {
            page.send(Event::Zoom { panel: Panel::Scatter, at: None, factor: 2.0 });
        }
        page.drag(Panel::Scatter, (0.0, 0.0), (1.0, 1.0), Some(Tool::Box));
        assert_eq!(page.chips().len(), 1, "{x} {y}");
        let has_y = if y == "ttl" {
            0
        } else if y == "gap" {
            999
        } else {
            1_000
        };
        assert_eq!(page.selected(), has_y, "{:?}", page.chips());
        page.drag(Panel::Scatter, (0.0, 0.0), (0.1, 0.1), Some(Tool::Box));
        page.drag(Panel::Scatter, (0.1, 0.1), (0.9, 0.9), Some(Tool::Lasso));
        page.send(Event::Clear(None));
        assert_eq!(page.selected(), 1_000);
    }
    for text in ["len < 0", "dport > 65535", "ttl > 255", "n < 0", "gap < 0s"] {
        page.send(Event::SetFilter(text.into(), 0));
        assert_eq!((page.selected(), page.chips()), (0, vec![text.to_owned()]), "{text}");
        // Typing the text of the chip selects the same.
        page.send(Event::SetFilter(page.chips()[0].clone(), 0));
        assert_eq!((page.selected(), page.app.view().filter_error), (0, String::new()));
        let link = page.app.link();
        page.send(Event::Clear(None));
        page.send(Event::RestoreLink(link));
        assert_eq!(page.selected(), 0);
    }
}

#[test]
fn cursor_stays_inside_changing_charts() {
    let mut page = Page::open();
    let key = |page: &mut Page, panel, key, extend| page.send(Event::KeyDown(panel, key, extend));
    for (panel, changes) in [
        (Panel::Sizes, vec![("bins", "5")]),
        (Panel::Throughput, vec![("interval", "500000000"), ("interval", "auto")]),
    ] {
        key(&mut page, panel, Key::Right, false);
        key(&mut page, panel, Key::End, false);
        for (name, value) in changes {
            page.send(Event::Set(name.into(), value.into()));
            assert!(!page.app.view().announcement.is_empty());
        }
    }
    // Zooming is centred on the cursor; at the edge, the cursor pans.
    key(&mut page, Panel::Throughput, Key::End, false);
    for _ in 0..5 {
        key(&mut page, Panel::Throughput, Key::ZoomIn, false);
    }
    let shown = page.app.visible_span(Quantity::Time).unwrap();
    assert!(NOON + 500_000_000 < shown.start, "{shown:?}");
    key(&mut page, Panel::Throughput, Key::Home, false);
    key(&mut page, Panel::Throughput, Key::Left, false);
    assert!(page.app.visible_span(Quantity::Time).unwrap().start < shown.start);
    // A narrower chart has fewer cells.
    page.send(Event::ResetZoom);
    key(&mut page, Panel::Scatter, Key::End, false);
    key(&mut page, Panel::Scatter, Key::End, false);
    let narrow = Size { width_px: 200.0, ..SIZE };
    page.send(Event::Resize(Panel::Scatter, narrow));
    assert!(!page.app.view().announcement.is_empty());
    // A keyboard selection does not continue in another chart.
    page.send(Event::Resize(Panel::Scatter, SIZE));
    key(&mut page, Panel::Throughput, Key::End, false);
    key(&mut page, Panel::Throughput, Key::Left, true);
    page.send(Event::Clear(None));
    key(&mut page, Panel::Sizes, Key::Home, false);
    key(&mut page, Panel::Sizes, Key::Right, true);
    assert_eq!(page.chips(), ["len in 0..399"]);
    page.send(Event::Clear(None));
    key(&mut page, Panel::Throughput, Key::End, true);
    key(&mut page, Panel::Scatter, Key::Right, true);
    assert_eq!(page.app.selection().clauses().count(), 2);
}

#[test]
fn tap_shows_a_packet_and_scrolling_selects_nothing() {
    let mut page = Page::open();
    let cell = page.app.size(Panel::Scatter);
    assert_eq!(cell, SIZE);
    // A tap has no preceding pointer move.
    let middle = Page::at((0.5, 500.5 / 1_033.0));
    page.send(Event::PointerDown(Panel::Scatter, middle, None));
    page.send(Event::PointerUp);
    page.send(Event::PointerLeave);
    let title = page.app.view().detail.expect("the packet under the finger").title;
    let number: u64 = title["Packet ".len()..].split(',').next().unwrap().parse().unwrap();
    assert!((490..=510).contains(&number), "{title}");
    // The browser takes over the pointer to scroll: the selection is cancelled.
    page.send(Event::PointerDown(Panel::Sizes, Page::at((0.3, 0.5)), None));
    page.send(Event::PointerMove(Panel::Sizes, Page::at((0.4, 0.5))));
    assert_eq!(page.chips().len(), 1);
    page.send(Event::PointerCancel);
    assert_eq!((page.chips().len(), page.undo_redo()), (0, (false, false)));
}

#[test]
fn cancelled_gesture_keeps_redo() {
    let mut page = Page::open();
    page.send(Event::Select(Dimension::Size, "len == 1".into()));
    page.send(Event::Undo);
    // The browser takes over the pointer, or the user presses Escape.
    for cancel in [Event::PointerCancel, Event::KeyDown(Panel::Sizes, Key::Escape, false)] {
        page.send(Event::PointerDown(Panel::Sizes, Page::at((0.3, 0.5)), None));
        page.send(Event::PointerMove(Panel::Sizes, Page::at((0.4, 0.5))));
        assert_eq!(page.chips().len(), 1);
        page.send(cancel);
        page.send(Event::PointerUp);
        assert_eq!((page.chips().len(), page.undo_redo()), (0, (false, true)));
    }
    page.send(Event::Redo);
    assert_eq!(page.chips(), ["len == 1"]);
}

#[test]
fn keyboard_moves_selects_and_announces() {
    let mut page = Page::open();
    page.send(Event::Set("bins".into(), "10".into()));
    let key = |page: &mut Page, panel, key, extend| page.send(Event::KeyDown(panel, key, extend));
    key(&mut page, Panel::Sizes, Key::Right, false);
    assert!(page.app.view().announcement.starts_with("0 to 99 bytes. 100 packets"));
    key(&mut page, Panel::Sizes, Key::Right, false);
    key(&mut page, Panel::Sizes, Key::Right, true);
    key(&mut page, Panel::Sizes, Key::Right, true);
    assert_eq!((page.chips(), page.selected()), (vec!["len in 100..399".to_owned()], 300));
    key(&mut page, Panel::Sizes, Key::Escape, false);
    assert_eq!(page.selected(), 1_000);
    key(&mut page, Panel::Sizes, Key::End, false);
    key(&mut page, Panel::Sizes, Key::Enter, false);
    assert_eq!(page.chips(), ["len in 900..999"]);
    key(&mut page, Panel::Sizes, Key::Enter, false);
    key(&mut page, Panel::Protocols, Key::Down, false);
    key(&mut page, Panel::Protocols, Key::Down, false);
    key(&mut page, Panel::Protocols, Key::Enter, false);
    assert_eq!(page.chips(), ["proto == udp"]);
    key(&mut page, Panel::Scatter, Key::Right, false);
    let before = page.app.view().announcement;
    key(&mut page, Panel::Scatter, Key::Left, false);
    assert_ne!(page.app.view().announcement, before);
    key(&mut page, Panel::Scatter, Key::Up, true);
    assert_eq!(page.chips().len(), 2);
    key(&mut page, Panel::Scatter, Key::ZoomIn, false);
    assert!(page.app.settings().zoom[0].is_some());
    key(&mut page, Panel::Scatter, Key::ResetZoom, false);
    assert!(page.app.settings().zoom[0].is_none());
}

#[test]
fn box_and_lasso_select_in_the_scatter_plot() {
    let mut page = Page::open();
    page.drag(Panel::Scatter, (0.0, 0.0), (0.5, 0.25), Some(Tool::Box));
    // Number and size rise together: the lower quarter of the sizes limits the selection.
    assert!(page.selected().abs_diff(265) < 8, "{}", page.selected());
    assert!(page.chips()[0].starts_with("n in 1.."), "{:?}", page.chips());
    page.send(Event::Clear(None));
    page.send(Event::Set("tool".into(), "lasso".into()));
    page.send(Event::PointerDown(Panel::Scatter, Page::at((0.0, 0.0)), None));
    for at in [(0.5, 0.0), (0.5, 1.0), (0.0, 1.0)] {
        page.send(Event::PointerMove(Panel::Scatter, Page::at(at)));
    }
    page.send(Event::PointerUp);
    assert!(page.selected().abs_diff(500) < 5, "{}", page.selected());
    assert!(page.chips()[0].starts_with("lasso(n, len, "), "{:?}", page.chips());
    // The selection can be zoomed to.
    page.send(Event::Clear(None));
    page.send(Event::Select(Dimension::Scatter, "n in 101..200 and len in 50..149".into()));
    page.send(Event::ZoomToSelection);
    let label = page.label(Panel::Scatter);
    assert!(label.contains("50 packets, packet number 101 to 200, 50 to 149 bytes"), "{label}");
    // Only the charts in sight are zoomed.
    assert!(page.app.view().can_reset_zoom);
    page.send(Event::ResetZoom);
    assert!(!page.app.view().can_reset_zoom);
    page.send(Event::VisibilityChanged(Panel::Scatter, false));
    assert!(!page.app.view().can_zoom_to_selection);
    page.send(Event::Select(Dimension::Time, "ts >= 12:00:00.1 and ts < 12:00:00.2".into()));
    page.send(Event::ZoomToSelection);
    let zoom = page.app.settings().zoom;
    assert_eq!(zoom.iter().flatten().count(), 1, "{zoom:?}");
    assert_eq!(zoom[Quantity::Time as usize].unwrap().len(), 100_000_000);
}

#[test]
fn scatter_plot_pans_and_zooms() {
    let mut page = Page::open();
    let label = |page: &Page| page.label(Panel::Scatter);
    let initial = label(&page);
    page.send(Event::Zoom { panel: Panel::Scatter, at: Some(Page::at((0.0, 0.0))), factor: 0.5 });
    assert!(
        label(&page).contains("500 packets, packet number 1 to 500, 0 to 516 bytes"),
        "{}",
        label(&page)
    );
    page.drag(Panel::Scatter, (0.5, 0.5), (0.3, 0.5), Some(Tool::Pan));
    assert!(label(&page).contains("number 101 to 600"), "{}", label(&page));
    page.send(Event::ResetZoom);
    assert_eq!(label(&page), initial);
    // Zooming and panning end where the data ends.
    let zoom = |page: &Page| page.app.settings().zoom[Quantity::Number as usize];
    for at in [(0.1, 0.1), (0.9, 0.9)] {
        for factor in [0.2, 2.0, 2.0, 2.0] {
            let at = Some(Page::at(at));
            page.send(Event::Zoom { panel: Panel::Scatter, at, factor });
        }
        assert_eq!((zoom(&page), label(&page)), (None, initial.clone()));
    }
    for is_log in ["0", "1"] {
        page.send(Event::Set("y-log".into(), is_log.into()));
        page.send(Event::Zoom { panel: Panel::Scatter, at: None, factor: 0.25 });
        for (by, edge) in [(-9.0, "packet number 1 to 250, 0 to "), (9.0, "751 to 1,000, ")] {
            page.send(Event::Pan(Panel::Scatter, (by, by)));
            assert!(label(&page).contains(edge), "{}", label(&page));
        }
        assert!(label(&page).ends_with(" to 1,033 bytes."), "{}", label(&page));
        page.send(Event::ResetZoom);
    }
    page.send(Event::Set("y-log".into(), "0".into()));
    // A link may show another range.
    page.send(Event::SetZoom(Quantity::Number, Span::new(2_000, 3_000)));
    assert_eq!(label(&page), initial);
    for y in ["sport", "dport", "ttl", "gap", "size"] {
        page.send(Event::ResetZoom);
        page.send(Event::Set("y".into(), y.into()));
        for is_log in ["1", "0"] {
            page.send(Event::Set("y-log".into(), is_log.into()));
            let count = match y {
                "ttl" => "0 packets",
                "gap" => "999 packets",
                _ => "1,000 packets",
            };
            assert!(label(&page).contains(count), "{y}: {}", label(&page));
        }
    }
}

#[test]
fn second_click_deselects_bar() {
    let mut page = Page::open();
    for (panel, fraction, chip, count) in [
        (Panel::Sizes, (0.01, 0.5), "len in 0..19", 20),
        (Panel::Protocols, (0.5, 0.95), "proto == tcp", 500),
        (Panel::Ports, (0.5, 0.95), "dport == 0", 100),
        (Panel::Destinations, (0.5, 0.95), "dst == 10.0.0.0", 250),
    ] {
        // The rows of rankings begin above the plot.
        let at = if panel == Panel::Sizes { Page::at(fraction) } else { (300.0, 40.0) };
        for chips in [vec![chip], vec![]] {
            page.send(Event::PointerDown(panel, at, None));
            page.send(Event::PointerUp);
            assert_eq!(page.chips(), chips, "{panel:?}");
            assert_eq!(page.selected(), if chips.is_empty() { 1_000 } else { count });
        }
    }
    // Two bars.
    for y in [40.0, 62.0] {
        page.send(Event::PointerDown(Panel::Ports, (300.0, y), None));
        page.send(Event::PointerUp);
    }
    assert_eq!((page.chips(), page.selected()), (vec!["dport in {0, 1}".to_owned()], 200));
    // Clicks extend a selection that contains other expressions.
    page.send(Event::Select(Dimension::Port, "sport == 3 or dport == 5".into()));
    for (y, chip) in [(40.0, "sport == 3 or dport in {5, 0}"), (40.0, "sport == 3 or dport == 5")] {
        page.send(Event::PointerDown(Panel::Ports, (300.0, y), None));
        page.send(Event::PointerUp);
        assert_eq!(page.chips(), [chip]);
    }
    page.send(Event::Select(Dimension::Port, "sport == 0".into()));
    page.send(Event::PointerDown(Panel::Ports, (300.0, 40.0), None));
    page.send(Event::PointerUp);
    assert_eq!(page.chips(), ["sport == 0 or dport == 0"]);
}

#[test]
fn brush_selects_in_other_charts_as_one_step() {
    let mut page = Page::open();
    page.drag(Panel::Sizes, (0.201, 0.5), (0.399, 0.5), None);
    assert_eq!(page.chips(), ["len in 200..399"]);
    assert_eq!(page.selected(), 200);
    // The brushed chart shows all packets, the others the selected ones.
    let (_, sizes) = page.app.histogram(Panel::Sizes).unwrap();
    assert_eq!(sizes.iter().sum::<u64>(), 1_000);
    let (_, gaps) = page.app.histogram(Panel::Gaps).unwrap();
    assert_eq!(gaps.iter().sum::<u64>(), 200);
    assert!(page.label(Panel::Scatter).contains("1,000 packets (200 selected)"));
    assert_eq!(page.app.view().selected, "200 of 1,000 packets selected (20.0 %), 59.9 kB");
    page.drag(Panel::Throughput, (0.0, 0.5), (0.3, 0.5), None);
    assert_eq!(page.chips().len(), 2);
    let both = page.selected();
    // The bin under the pointer is included.
    assert!((105..=115).contains(&both), "{both}");
    page.send(Event::Undo);
    assert_eq!((page.selected(), page.undo_redo()), (200, (true, true)));
    page.send(Event::Redo);
    assert_eq!(page.selected(), both);
    page.send(Event::Clear(Some(Dimension::Size)));
    assert_eq!(page.chips().len(), 1);
    page.send(Event::Clear(None));
    assert_eq!((page.selected(), page.chips().len()), (1_000, 0));
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 1);
}
