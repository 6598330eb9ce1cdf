use super::*;
use crate::axis::Bins;
use crate::density::Density;
use crate::density::Grid;
use crate::protocol::{CLASS_COUNT, CLASSES, Class, ClassSet};
use crate::tally::{RankBy, Tally};
use proptest::prelude::*;

const SIZE: Size = Size { width_px: 694.0, height_px: 300.0 };

fn context() -> RenderContext<'static> {
    RenderContext { size: SIZE, theme: Theme::default(), zone: &Zone::Utc }
}

fn axis(quantity: Quantity, scale: Scale, start: i64, end: i64) -> Axis {
    Axis { quantity, scale, span: Span::new(start, end) }
}

/// Tallies of two bins of 20 bytes from 60: 3 tcp and 1 udp packets, 0 tcp and 4 udp packets.
fn tallies() -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); CLASS_COUNT * 2];
    for (index, packets) in [(0, 3), (2, 1), (3, 4)] {
        tallies[index] = Tally { packets, bytes: packets * 70 };
    }
    tallies
}

fn histogram(whole: &[Tally], is_log: bool, bars: Bars) -> Binned<'_> {
    let axis = axis(Quantity::Size, Scale::Linear, 60, 101);
    Binned {
        title: "Packet size distribution",
        bins: Bins { axis, count: 2, is_closed: true },
        whole,
        selected: None,
        measure: Measure::Packets,
        is_log,
        bars,
        scale_to: ScaleTo::Auto,
        brush: None,
        names: CLASSES.map(Class::name),
        shown: ClassSet::ALL,
        cursor: None,
        lines: Vec::new(),
        problems: None,
    }
}

fn bars_of(scene: &Scene) -> Vec<Rect> {
    let plot = SIZE.plot();
    let rects = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Rect { rect, .. } => Some(*rect),
        _ => None,
    });
    rects.filter(|rect| plot.y <= rect.y).collect()
}

fn has_text(scene: &Scene, expected: &str) -> bool {
    scene.marks.iter().any(|mark| matches!(mark, Mark::Text { text, .. } if text == expected))
}

#[test]
fn stacked_bars_add_up_and_overlaid_bars_start_at_the_axis() {
    let tallies = tallies();
    let plot = SIZE.plot();
    let bars = bars_of(&histogram(&tallies, false, Bars::Stacked).scene(context()));
    assert_eq!(bars.len(), 3);
    assert!((bars[0].y + bars[0].height - (plot.y + plot.height)).abs() < 1e-9);
    assert!((bars[1].y + bars[1].height - bars[0].y).abs() < 1e-9);
    assert!((bars[0].height - 3.0 * bars[1].height).abs() < 1e-9);
    // A logarithmic axis has no sums, so nothing is stacked on it.
    for (is_log, bars) in [(false, Bars::Overlaid), (true, Bars::Stacked)] {
        let bars = bars_of(&histogram(&tallies, is_log, bars).scene(context()));
        let bottom = plot.y + plot.height;
        assert!(bars.iter().all(|bar| (bar.y + bar.height - bottom).abs() < 1e-9));
    }
    let bars = bars_of(&histogram(&tallies, false, Bars::Overlaid).scene(context()));
    assert!(bars.iter().all(|bar| (bar.y + bar.height - (plot.y + plot.height)).abs() < 1e-9));
}

#[test]
fn selection_is_drawn_over_all_packets() {
    let whole = tallies();
    let mut part = vec![Tally::default(); whole.len()];
    part[3] = Tally { packets: 2, bytes: 140 };
    let chart = Binned { selected: Some(&part), ..histogram(&whole, false, Bars::Stacked) };
    let bars = bars_of(&chart.scene(context()));
    assert_eq!(bars.len(), 3, "two of all packets, one of the selection");
    assert!((bars[1].height - 2.0 * bars[2].height).abs() < 1e-9);
    let lines = chart.bin_text(1, &Zone::Utc);
    assert_eq!(
        lines,
        [
            "80 to 100 bytes",
            "2 packets, 140 B",
            "udp 2 packets, 140 B",
            "of 4 packets, 280 B total"
        ]
    );
    let table = chart.table(&Zone::Utc);
    assert_eq!(table.rows[1][..6], ["80", "100", "4", "280", "2", "140"]);
    assert!(table.csv().starts_with(
        "bin_start,bin_end,packets,bytes,selected_packets,selected_bytes,tcp_packets"
    ));
    // Each class has columns for all and for selected packets.
    let of = |name: &str| table.header.iter().position(|header| header == name).unwrap();
    assert_eq!(table.rows[1][of("udp_packets")], "4");
    assert_eq!(table.rows[1][of("selected_udp_packets")], "2");
    // Also on a logarithmic axis, where the selection is much smaller.
    let mut whole = whole;
    whole[3].packets = 1_000;
    part[3].packets = 1_000;
    let chart = Binned { selected: Some(&part), ..histogram(&whole, true, Bars::Stacked) };
    let bars = bars_of(&chart.scene(context()));
    assert!(bars.iter().all(|bar| 1.0 < bar.height), "{bars:?}");
}

/// 38 of 35,441 packets would not be visible on the scale of all packets.
#[test]
fn bars_are_scaled_to_a_small_selection() {
    let mut whole = vec![Tally::default(); CLASS_COUNT * 2];
    whole[0] = Tally { packets: 35_441, bytes: 0 };
    let plot = SIZE.plot();
    for (packets, scale_to, label, height) in [
        (38, ScaleTo::Auto, "selection", 1.0),
        (3_544, ScaleTo::Auto, "selection", 1.0),
        (3_545, ScaleTo::Auto, "total", 0.1),
        (35_441, ScaleTo::Auto, "total", 1.0),
        (38, ScaleTo::Total, "total", 0.001),
        (3_545, ScaleTo::Selection, "selection", 1.0),
        (0, ScaleTo::Selection, "total", 0.0),
        (0, ScaleTo::Auto, "total", 0.0),
    ] {
        let mut part = vec![Tally::default(); whole.len()];
        part[0].packets = packets;
        let chart = histogram(&whole, false, Bars::Stacked);
        let scene = Binned { selected: Some(&part), scale_to, ..chart }.scene(context());
        assert!(has_text(&scene, label), "{packets}: {label}");
        let bars = bars_of(&scene);
        let drawn = bars.get(1).map_or(0.0, |bar| bar.height * 1.03 / plot.height);
        assert!((drawn - height).abs() < 1e-3, "{packets}: {drawn}");
        // The bar of all packets is cut off at the top of the plot.
        assert!(bars[0].y == plot.y || label == "total", "{bars:?}");
        let item = Item {
            name: "443".to_owned(),
            alias: None,
            shown: None,
            whole: whole[0],
            selected: Some(part[0]),
            is_selected: false,
            color: None,
        };
        let (title, kind, items) = ("Ports", "port", &[item][..]);
        let rank_by = RankBy::Packets;
        let ranking = Ranking {
            title,
            kind,
            items,
            count: 1,
            has_selected: false,
            rank_by,
            scale_to,
            cursor: None,
        };
        let bars = bars_of_ranking(&ranking.scene(context()));
        let drawn = bars[1].width / bars[0].width;
        assert!((drawn - height).abs() < 1e-3, "{packets}: {drawn}");
        let is_told = ranking.full_title(SIZE) == "Ports, scale: selection";
        assert_eq!(is_told, label == "selection", "{packets}");
    }
    // Without a selection there is nothing to tell.
    let scene = histogram(&whole, false, Bars::Stacked).scene(context());
    assert!(!has_text(&scene, "total") && !has_text(&scene, "selection"));
}

#[test]
fn bins_without_integers_have_a_label() {
    let axis = axis(Quantity::Size, Scale::Linear, 60, 63);
    let bins = Bins { axis, count: 10, is_closed: true };
    let whole = vec![Tally::default(); CLASS_COUNT * 10];
    let chart = Binned { bins, ..histogram(&whole, false, Bars::Stacked) };
    assert_eq!(chart.bin_text(0, &Zone::Utc)[0], "60 bytes");
    assert_eq!(chart.bin_text(1, &Zone::Utc)[0], "between 60 and 61");
}

#[test]
fn single_packet_is_visible_on_a_logarithmic_axis() {
    let mut tallies = vec![Tally::default(); CLASS_COUNT * 2];
    tallies[0].packets = 1;
    tallies[1].packets = 1_000_000;
    let bars = bars_of(&histogram(&tallies, true, Bars::Stacked).scene(context()));
    assert!(bars[0].height > 5.0, "{}", bars[0].height);
}

#[test]
fn histogram_has_title_labels_and_legend() {
    let tallies = tallies();
    let scene = histogram(&tallies, false, Bars::Stacked).scene(context());
    for text in ["Packet size distribution", "Packet size (bytes)", "Frequency", "tcp", "udp"] {
        assert!(has_text(&scene, text), "{text}");
    }
}

#[test]
fn figures_of_gaps_have_the_bin_of_the_median() {
    let mut whole = [Tally::default(); CLASS_COUNT * 3];
    let axis = axis(Quantity::Gap, Scale::Linear, 0, 30);
    for (counts, median) in [([2, 1, 2], "10 ns to 19 ns"), ([3, 1, 2], "0 s to 9 ns")] {
        whole.iter_mut().zip(counts).for_each(|(tally, packets)| tally.packets = packets);
        let bins = Bins { axis, count: 3, is_closed: false };
        let chart = Binned { bins, ..histogram(&whole, false, Bars::Stacked) };
        let packets: u64 = counts.iter().sum();
        let expected = format!("{packets} packets · median at {median} · most at 0 s to 9 ns");
        assert_eq!(chart.figures(&Zone::Utc), expected);
    }
}

#[test]
fn rates_are_per_second() {
    let tallies = tallies();
    let axis = axis(Quantity::Time, Scale::Linear, 0, 2_000_000);
    let chart = Binned {
        title: "Throughput",
        bins: Bins { axis, count: 2, is_closed: false },
        measure: Measure::BitRate(Coverage { ts_ns: (0, 2_000_000), mean_gap_ns: 1 }),
        ..histogram(&tallies, false, Bars::Stacked)
    };
    // 280 bytes per millisecond.
    assert!(chart.bin_text(1, &Zone::Utc).contains(&"2.24 Mbit/s".to_owned()));
    // The capture ends in the last bin, or with its first packet, and a mean gap of 100 µs later.
    for (last, rate) in
        [(1_500_000, "3.73 Mbit/s over the 600 µs"), (1_000_000, "22.4 Mbit/s over the 100 µs")]
    {
        let measure = Measure::BitRate(Coverage { ts_ns: (0, last), mean_gap_ns: 100_000 });
        let chart = Binned { measure, ..chart.clone() };
        let lines = chart.bin_text(1, &Zone::Utc);
        let expected = format!("{rate} that the capture covers");
        assert!(lines.contains(&expected), "{lines:?}");
        assert!(!chart.bin_text(0, &Zone::Utc)[2].contains("covers"));
        let bars = bars_of(&chart.scene(context()));
        let factor = 1_000_000.0 / (last - 1_000_000 + 100_000) as f64;
        assert!((bars[2].height / (bars[0].height + bars[1].height) - factor).abs() < 1e-9);
    }
    for (zone, at) in [(Zone::Utc, "00:00:00.000"), (Zone::Relative(0), "0.000 s")] {
        let figures = format!("Peak 2.24 Mbit/s at {at} · mean 2.24 Mbit/s · 8 packets");
        assert_eq!(chart.figures(&zone), figures);
    }
    assert!(has_text(&chart.scene(context()), "Bits per second"));
    assert_eq!(chart.bin_at(0.75), 1);
    assert_eq!(chart.bins.range(0, 0), Some((0, 999_999)));
}

fn scatter_grid() -> Grid {
    let bins = |axis: Axis| Bins { axis, count: 2, is_closed: false };
    Grid {
        x: bins(axis(Quantity::Number, Scale::Linear, 1, 5)),
        y: bins(axis(Quantity::Gap, Scale::Log, 0, 1_000)),
    }
}

/// The plot of all packets, over [`scatter_grid`].
fn scatter(whole: &Density) -> Scatter<'_> {
    Scatter {
        grid: scatter_grid(),
        whole,
        selected: None,
        problems: None,
        names: CLASSES.map(Class::name),
        shown: ClassSet::ALL,
        scale_to: ScaleTo::Auto,
        outline: Vec::new(),
        cursor: None,
    }
}

#[test]
fn scatter_cells_match_pixels_and_counts() {
    let grid = scatter_grid();
    let mut density = Density::new(&grid, [Class::Tcp, Class::Udp].into_iter());
    (0..5).for_each(|_| density.update::<true>(Class::Tcp.index(), 0, 0));
    density.update::<true>(Class::Udp.index(), 1, 1);
    let chart = scatter(&density);
    let scene = chart.scene(context());
    let Some(Mark::Cells { rect, columns, rgba }) =
        scene.marks.iter().find(|mark| matches!(mark, Mark::Cells { .. }))
    else {
        panic!()
    };
    let opacity = |x: usize, y: usize| rgba[(y * columns + x) * 4 + 3];
    assert!(
        opacity(0, 1) > 0 && opacity(1, 0) > 0 && opacity(0, 0) == 0,
        "the first row is at the top"
    );
    assert_eq!(*rect, SIZE.plot());
    let plot = SIZE.plot();
    let low_left = (plot.x + 1.0, plot.y + plot.height - 1.0);
    assert_eq!(SIZE.cell_at(&chart.grid, low_left), Some((0, 0)));
    assert_eq!(SIZE.cell_at(&chart.grid, (0.0, 0.0)), None);
    let lines = chart.cell_text((0, 0), &Zone::Utc);
    assert_eq!(lines[0], "5 packets: tcp 5");
    assert!(lines[1].starts_with("packet number 1 to 2, 0 s to "), "{lines:?}");
    assert_eq!(chart.figures(), "6 packets · peak 5, mean 3 per cell");
    assert_eq!(chart.cells(&Zone::Utc).rows.len(), 2);
    let table = chart.table(&Zone::Utc);
    assert_eq!((table.rows[1][1].as_str(), table.rows[0][2].as_str()), ("5", "1"));
    assert!(
        chart
            .description(&Zone::Utc)
            .starts_with("Time since previous packet, scatter plot: 6 packets")
    );
}

#[test]
fn problems_are_marked_below_bars_and_over_cells() {
    let whole = [Tally { packets: 3, bytes: 300 }; CLASS_COUNT * 2];
    let mut problems = [Tally::default(); CLASS_COUNT * 2];
    problems[1] = Tally { packets: 2, bytes: 200 };
    let histogram = histogram(&whole, false, Bars::Stacked);
    let chart = Binned { problems: Some(&problems), ..histogram };
    let scene = chart.scene(context());
    let color = context().theme.problem();
    let is_problem = |mark: &&Mark| matches!(mark, Mark::Rect { color: one, .. } if *one == color);
    // That of the legend, and one below the second bar.
    let marks: Vec<_> = scene.marks.iter().filter(is_problem).collect();
    let [Mark::Rect { .. }, Mark::Rect { rect, .. }] = marks[..] else { panic!("{marks:?}") };
    let plot = SIZE.plot();
    assert!(plot.x + plot.width / 2.0 <= rect.x && plot.y + plot.height < rect.y, "{rect:?}");
    assert!(has_text(&scene, "problems"));
    let table = chart.table(&Zone::Utc);
    assert_eq!(table.header[table.header.len() - 2..], ["problem_packets", "problem_bytes"]);
    assert_eq!(table.rows[1][table.rows[1].len() - 2..], ["2", "200"]);
    assert!(chart.bin_text(1, &Zone::Utc).contains(&"with problems: 2 packets".to_owned()));
    assert!(!chart.bin_text(0, &Zone::Utc).iter().any(|line| line.contains("problems")));

    let grid = scatter_grid();
    let mut density = Density::new(&grid, [Class::Tcp].into_iter());
    density.update::<true>(Class::Tcp.index(), 0, 0);
    density.update::<true>(Class::Tcp.index(), 1, 1);
    let mut marked = Density::new(&grid, [Class::Tcp].into_iter());
    marked.update::<true>(Class::Tcp.index(), 1, 1);
    let chart = Scatter { problems: Some(&marked), ..scatter(&density) };
    let scene = chart.scene(context());
    let mut cells = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Cells { columns, rgba, .. } => Some((*columns, rgba)),
        _ => None,
    });
    let (columns, rgba) = cells.next_back().unwrap();
    let is_marked = |column: usize, row: usize| {
        let pixel = &rgba[((grid.y.count - 1 - row) * columns + column) * 4..][..4];
        assert!(pixel[3] == 0 || pixel[..3] == color);
        pixel[3] == 255
    };
    // A cross around the cell, within the plot.
    assert!(is_marked(1, 1) && is_marked(0, 1) && is_marked(1, 0) && !is_marked(0, 0));
    let table = chart.cells(&Zone::Utc);
    let counts = table.rows.iter().map(|row| &row[row.len() - 1][..]);
    assert_eq!(counts.collect::<Vec<_>>(), ["0", "1"]);
    assert!(chart.cell_text((1, 1), &Zone::Utc)[0].ends_with(", 1 with problems"));
    assert!(!chart.cell_text((0, 0), &Zone::Utc)[0].contains("problems"));
}

/// A few selected packets stand out among all.
#[test]
fn small_selections_stand_out_in_the_scatter_plot() {
    let grid = scatter_grid();
    let density = |packets: usize| {
        let mut density = Density::new(&grid, [Class::Tcp].into_iter());
        (0..packets).for_each(|_| density.update::<true>(Class::Tcp.index(), 0, 0));
        density
    };
    let mut whole = density(100);
    whole.update::<true>(Class::Tcp.index(), 1, 1);
    for (packets, opacity) in [(10, 76), (50, 255)] {
        let selected = density(packets);
        let chart = Scatter { selected: Some(&selected), ..scatter(&whole) };
        let scene = chart.scene(context());
        let cells = scene.marks.iter().find_map(|mark| match mark {
            Mark::Cells { rgba, .. } => Some(rgba),
            _ => None,
        });
        // The upper right cell has an unselected packet.
        assert_eq!(cells.unwrap()[7], opacity, "{packets}");
    }
}

#[test]
fn ranking_draws_bars_and_finds_the_clicked_one() {
    let item = |label: &str, packets| Item {
        name: label.to_owned(),
        alias: (label == "443").then_some("https"),
        shown: None,
        whole: Tally { packets, bytes: packets * 60 },
        selected: None,
        is_selected: false,
        color: None,
    };
    let ranking = Ranking {
        title: "Destination ports",
        kind: "port",
        items: &[item("443", 10), item("=1+2", 5)],
        has_selected: false,
        count: 2,
        rank_by: RankBy::Packets,
        scale_to: ScaleTo::Auto,
        cursor: None,
    };
    assert_eq!(ranking.item_text(0)[0], "443 https");
    let bars = bars_of_ranking(&ranking.scene(context()));
    assert!((bars[0].width - 2.0 * bars[1].width).abs() < 1e-9);
    assert_eq!([bars[0], bars[1]].map(|bar| ranking.item_at(SIZE, bar.y)), [Some(0), Some(1)]);
    assert_eq!(ranking.item_at(SIZE, 290.0), None);
    // A formula is escaped for spreadsheets.
    assert_eq!(ranking.table().csv(), "port,packets,bytes\n443,10,600\n'=1+2,5,300\n");
}

fn bars_of_ranking(scene: &Scene) -> Vec<Rect> {
    let rects = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Rect { rect, .. } => Some(*rect),
        _ => None,
    });
    rects.collect()
}

proptest! {
    /// Bars stay inside the plot for any counts.
    #[test]
    fn bars_stay_inside_the_plot(packets in proptest::collection::vec(any::<u32>(), CLASS_COUNT * 2), is_log: bool, is_overlaid: bool) {
        let tallies: Vec<_> = packets.iter().map(|p| Tally { packets: u64::from(*p), bytes: 0 }).collect();
        let bars = if is_overlaid { Bars::Overlaid } else { Bars::Stacked };
        let plot = SIZE.plot();
        for bar in bars_of(&histogram(&tallies, is_log, bars).scene(context())) {
            prop_assert!(0.0 <= bar.height && bar.y + bar.height <= plot.y + plot.height + 1e-6, "{:?}", bar);
        }
    }
}
