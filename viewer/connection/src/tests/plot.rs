//! The plot of the numbers.

use super::{MILLISECOND, OPTIONS, connections, handshake};
use crate::{Overlay, Plot, Point, Sequence, Side, Values};
use viewer_model::scene::{Mark, Theme};

fn client() -> Sequence {
    Sequence::of(&connections(handshake(&OPTIONS)).all()[0], Side::Client)
}

fn texts(sequence: &Sequence, plot: &Plot, theme: Theme) -> Vec<String> {
    let marks = plot.scene(sequence, Overlay::default(), theme).marks.into_iter();
    let text = |mark| if let Mark::Text { text, .. } = mark { Some(text) } else { None };
    marks.filter_map(text).collect()
}

#[test]
fn plot_has_axes_and_names_the_colours_that_it_uses() {
    let sequence = client();
    let plot = Plot::new(&sequence, None, 600.0, 300.0);
    assert_eq!(plot.time, (0, 5 * MILLISECOND));
    let texts = texts(&sequence, &plot, Theme::default());
    for text in ["0", "100,000", "2 ms", "data", "retransmission", "ACK", "window"] {
        assert!(texts.iter().any(|other| other == text), "{text} in {texts:?}");
    }
    assert!(!texts.contains(&"other".to_owned()));
    // The retransmission is as high as ten pixels at least, however few bytes it has.
    let flat = Plot::new(&sequence, None, 600.0, 80.0);
    let marks = flat.scene(&sequence, Overlay::default(), Theme::default()).marks;
    let height = |mark: &Mark| match mark {
        Mark::Rect { rect, .. } if rect.width == 3.0 => Some(rect.height),
        _ => None,
    };
    let heights: Vec<_> = marks.iter().filter_map(height).collect();
    assert!(!heights.is_empty() && heights.iter().all(|height| 10.0 <= *height), "{heights:?}");
    let scene = |is_dark| plot.scene(&sequence, Overlay::default(), Theme { is_dark });
    assert_ne!(scene(true).background, scene(false).background);
}

#[test]
fn pixels_lead_to_packets_and_times() {
    let sequence = client();
    let plot = Plot::new(&sequence, Some((0, 4 * MILLISECOND)), 600.0, 300.0);
    let ends = [0.0, 1e9].map(|x| plot.time_at(x));
    assert_eq!(ends, [0, 4 * MILLISECOND]);
    // The last bar is at the right edge, over its whole height.
    let at = (0..600)
        .map(f64::from)
        .filter_map(|x| (0..300).map(f64::from).find_map(|y| plot.nearest(&sequence, (x, y))));
    let mut found: Vec<_> = at.map(|index| sequence.points[index].n).collect();
    found.dedup();
    assert!(found.contains(&5) && found.contains(&1), "{found:?}");
    assert_eq!(plot.nearest(&sequence, (300.0, -500.0)), None);
}

#[test]
fn zoom_stays_within_the_connection() {
    let sequence = client();
    let plot = Plot::new(&sequence, None, 600.0, 300.0);
    let half = plot.zoomed(&sequence, 0, 0.5);
    assert_eq!(half, Some((0, 5 * MILLISECOND / 2)));
    let plot = Plot::new(&sequence, half, 600.0, 300.0);
    assert_eq!(plot.zoomed(&sequence, 0, 4.0), None);
}

/// However many packets there are, the number of marks depends on the pixels.
#[test]
fn number_of_marks_is_bounded() {
    let mut sequence = client();
    let (segment, ack) = (sequence.points[0], *sequence.points.last().unwrap());
    sequence.points = (0..100_000)
        .map(|ns| {
            let values = match ns % 2 {
                0 => Values::Segment { from: ns, to: ns + 1 },
                _ => Values::Ack { ack: ns, edge: ns + (ns * 7_919) % 50_000 },
            };
            let point = if ns % 2 == 0 { segment } else { ack };
            Point { ns, values, ..point }
        })
        .collect();
    let plot = Plot::new(&sequence, None, 600.0, 300.0);
    let marks = plot.scene(&sequence, Overlay::default(), Theme::default()).marks.len();
    assert!(marks < 600 * 5 + 100, "{marks} marks");
}
