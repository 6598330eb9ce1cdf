//! Several files, aligned at their starts.

use super::*;
use crate::app::charts::Chart;

const HOUR_NS: i64 = 3_600_000_000_000;

/// A file of two parts, and one that begins an hour later.
fn open() -> Page {
    let mut page = Page::open();
    page.load("b.ndjson", vec![columns(0..1_000, HOUR_NS)], true);
    page.send(Event::Set("align".into(), "1".into()));
    page
}

#[test]
fn time_axes_begin_with_each_file() {
    let mut page = open();
    page.send(Event::Set("x".into(), "time".into()));
    page.send(Event::Set("interval".into(), "100000000".into()));
    let axes: Vec<_> = [Panel::Throughput, Panel::Scatter]
        .map(|panel| page.app.axes(panel).unwrap().0)
        .map(|axis| (axis.quantity, axis.span))
        .to_vec();
    assert_eq!(axes, [(Quantity::Elapsed, Span::new(0, 999_000_001)); 2]);
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    let packets = |bin: usize| -> u64 {
        chart.whole.iter().skip(bin).step_by(chart.bins.count).map(|tally| tally.packets).sum()
    };
    // 100 packets of each file in each bin.
    assert_eq!((0..chart.bins.count).map(packets).collect::<Vec<_>>(), [200; 10]);
    let figures = &page.app.view().figures[Panel::Throughput as usize];
    assert!(figures.ends_with(" · 2,000 packets · starts aligned"), "{figures}");
    let label = page.label(Panel::Overview);
    assert_eq!(label, "Time range of the charts: 0 s to 999 ms");
    // Times in tables are those of the packets.
    let cells = page.app.view().packets.rows[0].cells.clone();
    assert_eq!(cells[1], "12:00:00.000000000");
    assert!(page.app.link().contains("align=1"));
    // A single file is not aligned.
    let mut page = Page::open();
    page.send(Event::Set("align".into(), "1".into()));
    assert_eq!(page.app.axes(Panel::Throughput).unwrap().0.quantity, Quantity::Time);
}

#[test]
fn selections_on_aligned_axes_apply_to_each_file() {
    let mut page = open();
    page.send(Event::Set("x".into(), "time".into()));
    page.send(Event::Set("interval".into(), "100000000".into()));
    page.drag(Panel::Throughput, (0.21, 0.5), (0.35, 0.5), None);
    assert_eq!(
        (page.chips(), page.selected()),
        (vec!["elapsed in 200ms..399999999ns".into()], 400)
    );
    assert_eq!(page.app.view().chips[0].label, "Elapsed 200 ms–399.999999 ms");
    // Without alignment, the packets stay selected, and the chart has no brush.
    page.send(Event::Set("align".into(), "0".into()));
    let Some(Chart::Binned(chart)) = page.app.chart(Panel::Throughput) else { panic!() };
    assert_eq!((chart.brush, page.selected()), (None, 400));
    page.send(Event::Set("align".into(), "1".into()));
    page.send(Event::Clear(None));
    for (tool, expected) in [(Tool::Box, 390..=420), (Tool::Lasso, 390..=420)] {
        let points = [(0.2, 0.0), (0.4, 0.0), (0.4, 1.0), (0.2, 1.0), (0.2, 0.0)];
        let [first, .., last] = match tool {
            Tool::Lasso => points,
            _ => [points[0], points[1], points[2], points[2], points[2]],
        };
        page.send(Event::PointerDown(Panel::Scatter, Page::at(first), Some(tool)));
        for point in points {
            page.send(Event::PointerMove(Panel::Scatter, Page::at(point)));
        }
        page.send(Event::PointerMove(Panel::Scatter, Page::at(last)));
        page.send(Event::PointerUp);
        assert!(expected.contains(&page.selected()), "{tool:?}: {}", page.selected());
        page.send(Event::Clear(None));
    }
    for (filter, count) in [
        ("elapsed < 10ms", 20),
        ("not elapsed >= 10ms", 20),
        ("elapsed == 5ms or elapsed == 6ms and file == b.ndjson", 3),
        ("elapsed", 2_000),
        ("elapsed != 1ms", 1_998),
    ] {
        page.send(Event::SetFilter(filter.into(), 0));
        assert_eq!(page.selected(), count, "{filter}");
    }
    page.send(Event::Clear(None));
    let span = Span::new(0, 500_000_000);
    page.send(Event::SetZoom(Quantity::Elapsed, span));
    assert_eq!(page.app.visible_span(Quantity::Elapsed), Some(span));
    assert_eq!(page.app.visible_span(Quantity::Time).unwrap().len(), HOUR_NS + 999_000_001);
}
