//! The crosshair in the charts over time.

use super::*;
use crate::scene::Rect;

/// The position of the line in each chart as a fraction of the plot, and its time.
fn lines(page: &Page) -> [Option<(f64, String)>; TIME_CHARTS.len()] {
    let plot = SIZE.plot();
    let crosshairs = page.app.view().crosshairs;
    TIME_CHARTS.map(|panel| {
        let line = crosshairs.iter().find(|line| line.panel == panel)?;
        let Crosshair { rect, label, .. } = line.clone();
        assert_eq!(rect, Rect { x: rect.x, width: 0.0, ..plot });
        Some((((rect.x - plot.x) / plot.width * 1e2).round() / 1e2, label))
    })
}

fn line(fraction: f64, time: &str) -> Option<(f64, String)> {
    Some((fraction, time.to_owned()))
}

#[test]
fn pointer_in_a_chart_over_time_is_marked_in_the_others() {
    let mut page = Page::open();
    let charts = page.app.scene_version(Panel::Throughput);
    page.send(Event::PointerMove(Panel::Throughput, Page::at((0.2505, 0.5))));
    let quarter = || line(0.25, "12:00:00.250");
    // The x axis of the scatter plot is the packet number.
    assert_eq!(lines(&page), [quarter(), None, quarter()]);
    page.send(Event::PointerLeave);
    assert_eq!(lines(&page), [None, None, None]);
    assert_eq!(page.app.scene_version(Panel::Throughput), charts, "charts are not drawn again");
    page.send(Event::Set("x".into(), "time".into()));
    for panel in TIME_CHARTS {
        page.send(Event::PointerMove(panel, Page::at((0.2505, 0.5))));
        assert_eq!(lines(&page), [quarter(), quarter(), quarter()], "{panel:?}");
    }
    // The zoomed charts do not show all times that the overview shows.
    page.send(Event::SetZoom(Quantity::Time, Span::new(NOON, NOON + 500_000_000)));
    page.send(Event::PointerMove(Panel::Overview, Page::at((0.2505, 0.5))));
    assert_eq!(lines(&page)[0].as_ref().map(|line| line.0), Some(0.5));
    page.send(Event::PointerMove(Panel::Overview, Page::at((0.75, 0.5))));
    assert_eq!(lines(&page), [None, None, line(0.75, "12:00:00.749")]);
    // Neither beside or above the plot, nor in charts without a time axis.
    for (panel, at) in [
        (Panel::Overview, (1.1, 0.5)),
        (Panel::Throughput, (0.5, 1.1)),
        (Panel::Sizes, (0.5, 0.5)),
        (Panel::Ports, (0.5, 0.5)),
    ] {
        page.send(Event::PointerMove(panel, Page::at(at)));
        assert_eq!(lines(&page), [None, None, None], "{panel:?}");
    }
    // While dragging, the selection marks the time.
    page.send(Event::PointerDown(Panel::Throughput, Page::at((0.2, 0.5)), None));
    page.send(Event::PointerMove(Panel::Throughput, Page::at((0.4, 0.5))));
    assert_eq!(lines(&page), [None, None, None]);
    page.send(Event::PointerUp);
}

#[test]
fn keyboard_cursor_has_a_crosshair() {
    let mut page = Page::open();
    for key in [Key::Right, Key::Right, Key::Right] {
        page.send(Event::KeyDown(Panel::Throughput, key, false));
    }
    let [throughput, _, overview] = lines(&page);
    assert!(throughput.is_some());
    assert_eq!(throughput, overview);
    page.send(Event::KeyDown(Panel::Overview, Key::Right, false));
    assert_eq!(lines(&page), [None, None, None]);
}

#[test]
fn covered_charts_have_no_crosshair() {
    let mut page = Page::open();
    page.send(Event::Set("x".into(), "time".into()));
    let mut seen = |event: Event| {
        page.send(event);
        page.send(Event::PointerMove(Panel::Throughput, Page::at((0.5, 0.5))));
        lines(&page).map(|line| line.is_some())
    };
    assert_eq!(seen(Event::Set("max".into(), "throughput".into())), [true, false, true]);
    assert_eq!(seen(Event::Set("max".into(), "scatter".into())), [false, true, false]);
    assert_eq!(seen(Event::Set("max".into(), String::new())), [true, true, true]);
    assert_eq!(seen(Event::ToggleTable(Panel::Scatter)), [true, false, true]);
    assert_eq!(seen(Event::VisibilityChanged(Panel::Overview, false)), [true, false, false]);
}
