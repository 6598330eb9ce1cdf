//! Selections in words, and what their buttons do.

use super::*;
use crate::app::chips::INCOMPLETE_FILTER;

fn labels(page: &Page) -> Vec<String> {
    page.app.view().chips.into_iter().map(|chip| chip.label).collect()
}

#[test]
fn selections_are_chips_in_words() {
    for (dimension, text, label) in [
        (Dimension::Time, "ts in 12:00:00..12:00:20", "Time 2026-11-24 12:00:00 – 12:00:20 UTC"),
        (Dimension::Size, "len in 100..1399", "Size 100–1,399"),
        (Dimension::Size, "len <= 99", "Size up to 99"),
        (Dimension::Gap, "gap in 1ms..10ms", "Gap 1 ms–10 ms"),
        (Dimension::Port, "dport in {443, 50000}", "Destination port 443 (https), 50000"),
        (Dimension::Source, "src in {10.0.0.1, 2001:db8::1}", "Source 10.0.0.1, 2001:db8::1"),
        (Dimension::Destination, "dst == 10.0.0.2", "Destination 10.0.0.2"),
        (Dimension::Protocol, "proto in {tcp, udp}", "Protocol tcp, udp"),
        (Dimension::Protocol, "proto == \"\"", "Protocol (empty)"),
        (
            Dimension::Time,
            "ts in 12:00:00.5..12:00:01.249999999",
            "Time 2026-11-24 12:00:00.5 – 12:00:01.25 UTC",
        ),
        (Dimension::Conversation, "host == 10.0.0.1", "Endpoint 10.0.0.1"),
        (Dimension::Protocol, "not proto == tcp", "Not Protocol tcp"),
        (Dimension::Scatter, "n in 1..2000 and len in 5..9", "Packet number 1–2,000, Size 5–9"),
        (
            Dimension::Scatter,
            "lasso(n, len, 0 0, 9 0, 9 9)",
            "Lasso: Packet number, Packet size (bytes)",
        ),
        (Dimension::Source, "src in 10.0.0.0/8", "src == 10.0.0.0/8"),
    ] {
        let mut page = Page::open();
        page.send(Event::Select(dimension, text.into()));
        assert_eq!(labels(&page), [label], "{text}");
    }
    let mut page = Page::open();
    page.send(Event::RequestConversations);
    page.send(Event::ActivateRow(Panel::Conversations, 0));
    assert_eq!(labels(&page), ["10.0.0.0 ⇄ 10.0.0.1 tcp"]);
}

#[test]
fn chips_are_inverted_and_edited_as_text() {
    let mut page = Page::open();
    page.send(Event::Select(Dimension::Size, "len in 0..99".into()));
    assert_eq!(page.selected(), 100);
    page.send(Event::Invert(Dimension::Size));
    assert_eq!((page.selected(), page.app.view().chips[0].is_excluded), (900, true));
    page.send(Event::Invert(Dimension::Size));
    assert_eq!((page.selected(), page.app.view().chips[0].is_excluded), (100, false));
    // The typed text is kept.
    page.send(Event::SetFilter("len > 50 or n == 1".into(), 0));
    let selected = page.selected();
    page.send(Event::Edit(Dimension::Size));
    assert_eq!(page.app.view().filter, "(len > 50 or n == 1) and len in 0..99");
    assert_eq!((page.selected(), page.app.view().chips.len()), (selected, 1));
    page.send(Event::Undo);
    assert_eq!((page.selected(), page.app.view().chips.len()), (selected, 2));
    assert_eq!(page.app.view().filter, "len > 50 or n == 1");
}

#[test]
fn values_are_added_to_the_filter() {
    let mut page = Page::open();
    page.send(Event::FilterBy("dport == 3".into(), false));
    assert_eq!((page.selected(), &*page.app.view().filter), (100, "dport == 3"));
    page.send(Event::FilterBy("proto == udp or dport == 4".into(), true));
    assert_eq!(page.app.view().filter, "dport == 3 and not (proto == udp or dport == 4)");
    assert_eq!(page.selected(), 0);
    page.send(Event::Undo);
    assert_eq!((page.selected(), &*page.app.view().filter), (100, "dport == 3"));
    // An incomplete text is not lost.
    page.send(Event::SetFilter("dport == 3 and".into(), 0));
    page.send(Event::FilterBy("proto == udp".into(), false));
    let view = page.app.view();
    assert_eq!((&*view.filter, &*view.error), ("dport == 3 and", INCOMPLETE_FILTER));
    page.send(Event::SetFilter("dport == 3".into(), 0));
    assert_eq!(page.app.view().error, "");
}

#[test]
fn summary_describes_the_file_whatever_is_selected() {
    let mut page = Page::open();
    let summary = page.app.view().summary;
    assert!(summary.ends_with("tcp 50.0 %, udp 50.0 %"), "{summary}");
    for text in ["proto == tcp and dport == 2", "proto == none"] {
        page.send(Event::SetFilter(text.into(), 0));
        assert_eq!(page.app.view().summary, summary, "{text}");
    }
}

#[test]
fn zoom_is_undone_and_a_cancelled_pan_keeps_the_steps_to_redo() {
    let mut page = Page::open();
    let zoom = |page: &Page| page.app.settings().zoom;
    page.send(Event::Select(Dimension::Size, "len in 0..99".into()));
    page.send(Event::Set("tool".into(), "move".into()));
    // Notches of the wheel are one step.
    let at = Some((300.0, 100.0));
    page.send(Event::Zoom { panel: Panel::Scatter, at, factor: 0.5 });
    page.send(Event::Zoom { panel: Panel::Scatter, at, factor: 0.5 });
    page.send(Event::Interacting(false));
    let zoomed = zoom(&page);
    page.send(Event::ResetZoom);
    page.send(Event::Undo);
    assert_eq!((zoom(&page), page.chips().len()), (zoomed, 1));
    page.send(Event::PointerDown(Panel::Scatter, (300.0, 100.0), None));
    page.send(Event::PointerMove(Panel::Scatter, (360.0, 120.0)));
    assert_ne!(zoom(&page), zoomed);
    page.send(Event::PointerCancel);
    assert_eq!((zoom(&page), page.undo_redo()), (zoomed, (true, true)));
    page.send(Event::Undo);
    assert_eq!((zoom(&page), page.chips().len()), (Default::default(), 1));
    page.send(Event::Undo);
    assert_eq!((zoom(&page), page.chips().len()), (Default::default(), 0));
    (0..3).for_each(|_| page.send(Event::Redo));
    assert_eq!((zoom(&page), page.undo_redo()), (Default::default(), (true, false)));
}

#[test]
fn each_click_on_a_zoom_button_is_a_step() {
    let mut page = Page::open();
    let zoom = |page: &Page| page.app.settings().zoom;
    let mut zooms = vec![zoom(&page)];
    for factor in [0.5, 0.5, 2.0] {
        page.send(Event::Zoom { panel: Panel::Scatter, at: None, factor });
        zooms.push(zoom(&page));
    }
    zooms.dedup();
    assert_eq!(zooms.len(), 4);
    page.send(Event::ResetZoom);
    for expected in zooms.iter().rev() {
        page.send(Event::Undo);
        assert_eq!(zoom(&page), *expected);
    }
    assert!(!page.undo_redo().0);
}
