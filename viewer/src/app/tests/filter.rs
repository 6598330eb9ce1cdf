//! The filter box, and links with filters and selections.

use super::*;

#[test]
fn filter_applies_while_typing_and_marks_errors() {
    let mut page = Page::open();
    let text = "proto == tcp and len < 100";
    page.send(Event::SetFilter(text.into(), text.len()));
    assert_eq!(
        (page.selected(), page.chips()),
        (50, vec!["proto == tcp and len <= 99".to_owned()])
    );
    let wrong = "proto == tcp and lenn < 100";
    page.send(Event::SetFilter(wrong.into(), wrong.len()));
    let error = page.app.view().filter_error;
    assert!(error.contains("\n                 ^^^^\nUnknown field `lenn`"), "{error}");
    assert_eq!(page.selected(), 50, "the selection is unchanged");
    let (fixed, label) = page.app.view().completions[0].clone();
    assert_eq!(fixed, "proto == tcp and len < 100");
    assert_eq!(label, "Did you mean proto == tcp and len < 100?");
    page.send(Event::SetFilter("proto == t".into(), 10));
    assert_eq!(page.app.view().completions, [("proto == tcp".to_owned(), "tcp".to_owned())]);
    page.send(Event::SetFilter(String::new(), 0));
    assert_eq!((page.selected(), page.app.view().filter_error), (1_000, String::new()));
    // After an undo, the box shows the selected filter.
    page.send(Event::CommitFilter);
    page.send(Event::SetFilter("vlan".into(), 4));
    page.send(Event::Select(Dimension::Size, "len == 1".into()));
    page.send(Event::Undo);
    assert_eq!(page.app.view().filter, "vlan");
    page.send(Event::Undo);
    assert_eq!((page.app.view().filter.as_str(), page.selected()), ("", 1_000));
}

#[test]
fn link_restores_settings_and_selections() {
    let mut page = Page::open();
    for (key, value) in [("x", "time"), ("bins", "7"), ("y", "dport"), ("rank", "bytes")] {
        page.send(Event::Set(key.into(), value.into()));
    }
    page.send(Event::SetZoom(Quantity::Time, Span::new(NOON, NOON + 500_000_000)));
    page.send(Event::SetFilter("len > 9 and ts < 12:00:00.9".into(), 0));
    page.send(Event::Select(Dimension::Protocol, "proto == udp".into()));
    page.send(Event::Select(Dimension::Scatter, "lasso(ts, dport, 1 2, 3 4, 5 0)".into()));
    page.send(Event::Clear(Some(Dimension::Scatter)));
    let link = page.app.link();
    let mut other = Page::empty();
    other.send(Event::RestoreLink(format!("#{link}")));
    other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
    assert_eq!(other.app.link(), link);
    assert_eq!((other.selected(), other.chips()), (page.selected(), page.chips()));
    assert_eq!(other.app.view().chart_labels, page.app.view().chart_labels);
    // The next capture starts without selections.
    other.load("b.ndjson", vec![columns(0..10, 0)], false);
    assert_eq!((other.selected(), other.chips().len()), (10, 0));
}

#[test]
fn filter_box_shows_the_selected_filter() {
    let mut page = Page::open();
    let filter = |page: &Page| page.app.view().filter;
    // Removing the chip empties the box; the same text then filters as before.
    for clear in [Some(Dimension::Filter), None] {
        page.send(Event::SetFilter("proto == tcp".into(), 0));
        page.send(Event::Clear(clear));
        assert_eq!((filter(&page), page.selected()), (String::new(), 1_000));
        page.send(Event::SetFilter("proto == tcp".into(), 0));
        assert_eq!(page.selected(), 500);
        page.send(Event::SetFilter("proto ==".into(), 0));
        page.send(Event::Clear(clear));
        assert_eq!((filter(&page), page.app.view().filter_error), (String::new(), String::new()));
    }
    // Another time zone formats the same time differently.
    page.send(Event::SetFilter("ts < 12:00:00.5".into(), 0));
    page.send(Event::Set("zone".into(), "start".into()));
    assert_eq!((filter(&page), page.selected()), ("ts < 12:00:00.5".to_owned(), 500));
    page.send(Event::SetFilter("ts < 0.5".into(), 0));
    page.send(Event::Set("zone".into(), "utc".into()));
    assert_eq!(filter(&page), "ts <= 2026-11-24T12:00:00.499999999Z");
    page.send(Event::SetFilter("ts < 12:00:00.5".into(), 0));
    let hour = UtcOffsets(vec![(0, 3_600)]);
    page.send(Event::SetOffsets(hour));
    page.send(Event::Set("zone".into(), "local".into()));
    assert_eq!(filter(&page), "ts <= 2026-11-24T13:00:00.499999999+01:00");
    // The filter of a link is in local time, too, once the offsets are known; a typed one stays.
    let mut other = Page::empty();
    other.send(Event::RestoreLink(page.app.link()));
    other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
    for hours in [1, 2] {
        other.send(Event::SetOffsets(UtcOffsets(vec![(0, hours * 3_600)])));
        let expected = format!("ts <= 2026-11-24T{}:00:00.499999999+0{hours}:00", 12 + hours);
        assert_eq!((filter(&other), other.selected()), (expected, 500));
    }
    other.send(Event::SetFilter("ts < 14:00:00.5".into(), 0));
    other.send(Event::SetOffsets(UtcOffsets(vec![(0, 7_200)])));
    assert_eq!(filter(&other), "ts < 14:00:00.5");
    // A relative time from a link is resolved once the capture is open.
    page.send(Event::Set("zone".into(), "start".into()));
    let restored = |page: &Page| {
        let mut other = Page::empty();
        other.send(Event::RestoreLink(page.app.link()));
        other.load("a.ndjson", vec![columns(0..1_000, 0)], false);
        (filter(&other), other.selected())
    };
    page.send(Event::SetFilter("ts < 0.5".into(), 0));
    assert_eq!(restored(&page), ("ts <= 0.499999999".to_owned(), 500));
    // Other filters are restored as they were typed.
    for typed in ["tcp && frame.len >= 0", "PROTO == tcp", "ts < 2026-11-24T12:00:00.5Z"] {
        page.send(Event::SetFilter(typed.into(), 0));
        assert_eq!(restored(&page), (typed.to_owned(), 500));
    }
    // Typing a filter starts a new undo step after keys in a chart.
    page.send(Event::Clear(None));
    page.send(Event::KeyDown(Panel::Sizes, Key::Right, true));
    page.send(Event::KeyDown(Panel::Sizes, Key::Right, true));
    page.send(Event::SetFilter("proto == tcp".into(), 0));
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 1);
}

/// Counts without the values of all packets would be wrong.
#[test]
fn conditions_are_removed_if_their_fields_cannot_be_read() {
    let mut page = Page::open();
    page.send(Event::SetFilter("dport == 7".into(), 0));
    page.send(Event::Select(Dimension::Time, "seq == 1".into()));
    page.send(Event::ExtraRead(0, (1, 2)));
    page.send(Event::ExtraFailed("memory is full".into()));
    page.send(Event::ExtraFailed("memory is full".into()));
    assert_eq!(page.chips().len(), 1);
    let error = page.app.view().error;
    assert_eq!(
        error,
        "The filter was removed, because its fields could not be read (memory is full)."
    );
    page.send(Event::Undo);
    assert_eq!(page.chips().len(), 2);
}
