//! Legends: clicks, double clicks and keys.

use super::*;
use crate::protocol::{CLASSES, Class, ClassSet};
use crate::scene::{Align, Mark};
use crate::time::Zone;

/// The pixel in the middle of a legend entry: tcp, then udp.
fn entry(index: usize) -> (f64, f64) {
    let plot = SIZE.plot();
    (plot.x + [5.0, 60.0][index], plot.y - 14.0)
}

fn click(page: &mut Page, index: usize, tool: Option<Tool>) {
    page.send(Event::PointerDown(Panel::Throughput, entry(index), tool));
    page.send(Event::PointerUp);
}

fn double_click(page: &mut Page, panel: Panel, index: usize) {
    for _ in 0..2 {
        page.send(Event::PointerDown(panel, entry(index), None));
        page.send(Event::PointerUp);
    }
    page.send(Event::DoubleClick(panel, entry(index)));
}

/// The entries of a legend: their names, and whether they are crossed out.
fn entries(page: &Page, panel: Panel) -> Vec<(String, bool)> {
    let middle = entry(0).1;
    let scene = page.app.scene(panel).unwrap();
    let is_crossed_out = |name_x: f64| {
        scene.marks.iter().any(|mark| {
            matches!(mark, Mark::Line { from, to, .. }
                if from.1 == middle && to.1 == middle && (from.0 - name_x).abs() < 4.0)
        })
    };
    let names = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Text { at, text, align: Align::Start, .. } if at.1 == middle => {
            Some((text.clone(), is_crossed_out(at.0)))
        }
        _ => None,
    });
    names.collect()
}

fn expected(crossed_out: [bool; 2]) -> Vec<(String, bool)> {
    ["tcp", "udp"].map(str::to_owned).into_iter().zip(crossed_out).collect()
}

#[test]
fn click_on_a_legend_entry_deselects_its_protocol() {
    let mut page = Page::open();
    click(&mut page, 0, None);
    assert_eq!((page.chips(), page.selected()), (vec!["not proto == tcp".to_owned()], 500));
    // The legend of each chart keeps its entry.
    for panel in [Panel::Throughput, Panel::Sizes, Panel::Gaps, Panel::Scatter] {
        assert_eq!(entries(&page, panel), expected([true, false]), "{panel:?}");
    }
    let link = page.app.link();
    assert!(link.contains("protocol=not+proto+%3D%3D+tcp"), "{link}");
    // All protocols instead of none.
    click(&mut page, 1, None);
    assert_eq!((page.chips().len(), page.selected()), (0, 1_000));
    page.send(Event::Undo);
    click(&mut page, 0, None);
    assert_eq!((page.chips().len(), page.selected()), (0, 1_000));
    assert_eq!(entries(&page, Panel::Throughput), expected([false, false]));
    // A press that moves is not a click.
    page.send(Event::PointerDown(Panel::Throughput, entry(0), None));
    page.send(Event::PointerMove(Panel::Throughput, Page::at((0.5, 0.5))));
    page.send(Event::PointerUp);
    assert_eq!(page.chips().len(), 0);
}

#[test]
fn double_click_on_a_legend_entry_selects_only_its_protocol() {
    let mut page = Page::open();
    let zoom = Span::new(NOON, NOON + 900_000_000);
    page.send(Event::SetZoom(Quantity::Time, zoom));
    page.send(Event::Select(Dimension::Size, "len < 100".into()));
    let depth = page.app.history_depth();
    for panel in [Panel::Throughput, Panel::Sizes, Panel::Scatter] {
        double_click(&mut page, panel, 1);
        assert_eq!((page.chips()[1].as_str(), page.selected()), ("proto == udp", 50), "{panel:?}");
        assert_eq!(page.app.history_depth(), depth + 1, "one step, not three");
        // Once more selects all.
        double_click(&mut page, panel, 1);
        assert_eq!((page.chips().len(), page.selected()), (1, 100));
        page.send(Event::Undo);
        assert_eq!(page.selected(), 50);
        page.send(Event::Undo);
        assert_eq!((page.selected(), page.app.history_depth()), (100, depth));
    }
    assert_eq!(page.app.visible_span(Quantity::Time), Some(zoom), "the zoom is unchanged");
    click(&mut page, 0, Some(Tool::Lasso));
    assert_eq!(page.chips()[1], "proto == tcp");
    page.send(Event::DoubleClick(Panel::Throughput, Page::at((0.5, 0.5))));
    assert_ne!(page.app.visible_span(Quantity::Time), Some(zoom));
    page.send(Event::Undo);
    assert_eq!(page.app.visible_span(Quantity::Time), Some(zoom));
}

#[test]
fn keys_reach_the_legend() {
    let mut page = Page::open();
    for (key, extend, announced, chip) in [
        (Key::End, false, "9", None),
        (Key::Up, false, "tcp: on. ", None),
        (Key::Enter, false, "tcp: off. ", Some("not proto == tcp")),
        (Key::Right, false, "udp: on. ", Some("not proto == tcp")),
        (Key::Right, false, "udp: on. ", Some("not proto == tcp")),
        (Key::Home, false, "tcp: off. ", Some("not proto == tcp")),
        (Key::Enter, true, "tcp: on. ", Some("proto == tcp")),
        (Key::End, false, "udp: off. ", Some("proto == tcp")),
        (Key::Enter, false, "udp: on. ", None),
        // Back to the last bin.
        (Key::Down, false, "9", None),
    ] {
        page.send(Event::KeyDown(Panel::Sizes, key, extend));
        let announcement = page.app.view().announcement;
        assert!(announcement.starts_with(announced), "{key:?}: {announcement}");
        assert_eq!(page.chips().first().map(String::as_str), chip, "{key:?}");
    }
}

/// Other protocols are selected by excluding those with a class.
#[test]
fn each_set_of_classes_has_an_expression() {
    let mut page = Page::open();
    for bits in 1..(1 << CLASSES.len()) - 1 {
        let is_chosen = |class: &Class| bits & (1 << class.index()) != 0;
        let shown: Vec<_> = CLASSES.into_iter().filter(is_chosen).collect();
        let shown = ClassSet::of(&shown);
        let expr = super::super::legend::classes_expr(shown, ClassSet::ALL).expect("not all");
        page.send(Event::Select(Dimension::Protocol, expr.to_text(&Zone::Utc)));
        assert_eq!(page.app.shown_classes(), shown, "{:?}", page.chips());
        let counts = [Class::Tcp, Class::Udp].map(|class| u64::from(shown.has(class)) * 500);
        assert_eq!(page.selected(), counts[0] + counts[1]);
    }
    // Expressions that are not lists of protocols do not change the legend.
    page.send(Event::Select(Dimension::Protocol, "len == 1".into()));
    assert_eq!(page.app.shown_classes(), ClassSet::ALL);
}

#[test]
fn legend_has_a_tooltip() {
    let mut page = Page::open();
    page.send(Event::PointerMove(Panel::Throughput, entry(1)));
    let tooltip = page.app.view().hover.expect("a tooltip");
    assert_eq!(tooltip.lines[0], "udp: on");
    assert!(tooltip.rect.x <= entry(1).0 && entry(1).0 <= tooltip.rect.x + tooltip.rect.width);
}
