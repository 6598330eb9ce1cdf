use super::*;
use crate::axis::Bins;
use crate::density::Density;
use crate::density::Grid;
use crate::protocol::CLASS_COUNT;
use crate::tally::RankBy;
use crate::tally::Tally;
use proptest::prelude::*;

const SIZE: Size = Size { width_px: 694.0, height_px: 300.0 };

fn look() -> Look<'static> {
    Look { size: SIZE, theme: Theme::default(), zone: &Zone::Utc }
}

fn axis(quantity: Quantity, scale: Scale, start: i64, end: i64) -> Axis {
    Axis { quantity, scale, span: Span::new(start, end) }
}

/// Two bins, 60 to 80 to 100 bytes: 3 tcp and 1 udp, 0 tcp and 4 udp.
fn tallies() -> Vec<Tally> {
    let mut tallies = vec![Tally::default(); CLASS_COUNT * 2];
    for (rect, packets) in [(0, 3), (2, 1), (3, 4)] {
        tallies[rect] = Tally { packets, bytes: packets * 70 };
    }
    tallies
}

fn histogram(whole: &[Tally], is_log: bool, bars: Bars) -> Binned<'_> {
    let axis = axis(Quantity::Size, Scale::Linear, 60, 101);
    Binned {
        title: "Packet Size Distribution",
        bins: Bins { axis, count: 2, is_closed: true },
        whole,
        selected: None,
        measure: Measure::Packets,
        is_log,
        bars,
        brush: None,
        cursor: None,
    }
}

fn bars_of(scene: &Scene) -> Vec<Rect> {
    let plot = SIZE.plot();
    let places = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Rect { rect, .. } => Some(*rect),
        _ => None,
    });
    places.filter(|rect| plot.y <= rect.y).collect()
}

fn has_words(scene: &Scene, words: &str) -> bool {
    scene.marks.iter().any(|mark| matches!(mark, Mark::Text { text, .. } if text == words))
}

#[test]
fn stacked_bars_stand_on_each_other_and_overlaid_ones_on_the_axis() {
    let tallies = tallies();
    let plot = SIZE.plot();
    let bars = bars_of(&histogram(&tallies, false, Bars::Stacked).scene(look()));
    assert_eq!(bars.len(), 3);
    assert!((bars[0].y + bars[0].height - (plot.y + plot.height)).abs() < 1e-9);
    assert!((bars[1].y + bars[1].height - bars[0].y).abs() < 1e-9);
    assert!((bars[0].height - 3.0 * bars[1].height).abs() < 1e-9);
    let bars = bars_of(&histogram(&tallies, false, Bars::Overlaid).scene(look()));
    assert!(bars.iter().all(|bar| (bar.y + bar.height - (plot.y + plot.height)).abs() < 1e-9));
}

#[test]
fn the_whole_stands_behind_the_selection() {
    let whole = tallies();
    let mut part = vec![Tally::default(); whole.len()];
    part[3] = Tally { packets: 2, bytes: 140 };
    let chart = Binned { selected: Some(&part), ..histogram(&whole, false, Bars::Stacked) };
    let bars = bars_of(&chart.scene(look()));
    assert_eq!(bars.len(), 3, "two of the whole, one of the selection");
    assert!((bars[1].height - 2.0 * bars[2].height).abs() < 1e-9);
    let words = chart.words_of(1, &Zone::Utc);
    assert_eq!(
        words,
        [
            "80 to 100 bytes",
            "2 packets, 140 B",
            "udp 2 packets, 140 B",
            "of 4 packets, 280 B in all"
        ]
    );
    let table = chart.table(&Zone::Utc);
    assert_eq!(table.rows[1][..6], ["80", "100", "4", "280", "2", "140"]);
    assert!(
        table
            .csv()
            .starts_with("from,below,packets,bytes,selected_packets,selected_bytes,tcp_packets")
    );
    // Each class is there as a whole, and selected.
    let of = |name: &str| table.header.iter().position(|header| header == name).unwrap();
    assert_eq!(table.rows[1][of("udp_packets")], "4");
    assert_eq!(table.rows[1][of("selected_udp_packets")], "2");
    // On a logarithmic axis too, however much less it is.
    let mut whole = whole;
    whole[3].packets = 1_000;
    part[3].packets = 1_000;
    let chart = Binned { selected: Some(&part), ..histogram(&whole, true, Bars::Stacked) };
    let bars = bars_of(&chart.scene(look()));
    assert!(bars.iter().all(|bar| 1.0 < bar.height), "{bars:?}");
}

#[test]
fn bins_between_whole_numbers_say_so() {
    let axis = axis(Quantity::Size, Scale::Linear, 60, 63);
    let bins = Bins { axis, count: 10, is_closed: true };
    let whole = vec![Tally::default(); CLASS_COUNT * 10];
    let chart = Binned { bins, ..histogram(&whole, false, Bars::Stacked) };
    assert_eq!(chart.words_of(0, &Zone::Utc)[0], "60 bytes");
    assert_eq!(chart.words_of(1, &Zone::Utc)[0], "between 60 and 61");
}

#[test]
fn one_packet_can_be_seen_on_a_logarithmic_axis() {
    let mut tallies = vec![Tally::default(); CLASS_COUNT * 2];
    tallies[0].packets = 1;
    tallies[1].packets = 1_000_000;
    let bars = bars_of(&histogram(&tallies, true, Bars::Stacked).scene(look()));
    assert!(bars[0].height > 5.0, "{}", bars[0].height);
}

#[test]
fn labels_are_those_of_the_post() {
    let tallies = tallies();
    let scene = histogram(&tallies, false, Bars::Stacked).scene(look());
    for words in ["Packet Size Distribution", "Packet size (bytes)", "Frequency", "tcp", "udp"] {
        assert!(has_words(&scene, words), "{words}");
    }
}

#[test]
fn rates_are_those_of_the_interval() {
    let tallies = tallies();
    let axis = axis(Quantity::Time, Scale::Linear, 0, 2_000_000);
    let chart = Binned {
        title: "Throughput",
        bins: Bins { axis, count: 2, is_closed: false },
        measure: Measure::BitRate(1_000_000),
        ..histogram(&tallies, false, Bars::Stacked)
    };
    // 280 bytes in a millisecond.
    assert!(chart.words_of(1, &Zone::Utc).contains(&"2.24 Mbit/s".to_owned()));
    assert!(has_words(&chart.scene(look()), "Bits per second"));
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

#[test]
fn a_cell_is_where_it_is_drawn_and_tells_what_it_has() {
    let grid = scatter_grid();
    let mut density = Density::new(&grid, [Class::Tcp, Class::Udp].into_iter());
    (0..5).for_each(|_| density.update::<true>(Class::Tcp.index(), 0, 0));
    density.update::<true>(Class::Udp.index(), 1, 1);
    let whole = &density;
    let chart = Scatter { grid, whole, selected: None, outline: Vec::new(), cursor: None };
    let scene = chart.scene(look());
    let Some(Mark::Cells { rect, columns, rgba }) =
        scene.marks.iter().find(|mark| matches!(mark, Mark::Cells { .. }))
    else {
        panic!()
    };
    let opacity = |x: usize, y: usize| rgba[(y * columns + x) * 4 + 3];
    assert!(opacity(0, 1) > 0 && opacity(1, 0) > 0 && opacity(0, 0) == 0, "the top row is first");
    assert_eq!(*rect, SIZE.plot());
    let plot = SIZE.plot();
    let low_left = (plot.x + 1.0, plot.y + plot.height - 1.0);
    assert_eq!(SIZE.cell_at(&chart.grid, low_left), Some((0, 0)));
    assert_eq!(SIZE.cell_at(&chart.grid, (0.0, 0.0)), None);
    let words = chart.words_of((0, 0), &Zone::Utc);
    assert_eq!(words[0], "5 packets here: tcp 5");
    assert!(words[1].starts_with("number 1 to 2, 0 s to "), "{words:?}");
    assert_eq!(chart.cells(&Zone::Utc).rows.len(), 2);
    let table = chart.table(&Zone::Utc);
    assert_eq!((table.rows[1][1].as_str(), table.rows[0][2].as_str()), ("5", "1"));
    assert!(chart.words(&Zone::Utc).starts_with("Scatter of gaps between packets: 6 packets"));
}

#[test]
fn rankings_show_the_largest_and_are_clicked_where_they_are() {
    let item = |label: &str, packets| Item {
        name: label.to_owned(),
        alias: (label == "443").then_some("https"),
        whole: Tally { packets, bytes: packets * 60 },
        selected: None,
        is_selected: false,
        color: None,
    };
    let ranking = Ranking {
        title: "Destination Ports",
        kind: "port",
        items: &[item("443", 10), item("=1+2", 5)],
        count: 2,
        rank: RankBy::Packets,
        is_log: false,
        cursor: None,
    };
    assert_eq!(ranking.words_of(0)[0], "443 https");
    let bars = bars_of_ranking(&ranking.scene(look()));
    assert!((bars[0].width - 2.0 * bars[1].width).abs() < 1e-9);
    let is_log = Ranking { is_log: true, ..ranking.clone() };
    let logarithmic = bars_of_ranking(&is_log.scene(look()));
    let ratio = logarithmic[1].width / logarithmic[0].width;
    assert!((ratio - 6f64.ln() / 11f64.ln()).abs() < 1e-9);
    assert_eq!([bars[0], bars[1]].map(|bar| ranking.item_at(SIZE, bar.y)), [Some(0), Some(1)]);
    assert_eq!(ranking.item_at(SIZE, 290.0), None);
    // What a spreadsheet would compute is marked as words.
    assert_eq!(ranking.table().csv(), "port,packets,bytes\n443,10,600\n'=1+2,5,300\n");
}

fn bars_of_ranking(scene: &Scene) -> Vec<Rect> {
    let places = scene.marks.iter().filter_map(|mark| match mark {
        Mark::Rect { rect, .. } => Some(*rect),
        _ => None,
    });
    places.collect()
}

proptest! {
    /// Whatever the numbers, pictures have their marks in them.
    #[test]
    fn bars_are_inside(packets in proptest::collection::vec(any::<u32>(), CLASS_COUNT * 2), is_log: bool, is_overlaid: bool) {
        let tallies: Vec<_> = packets.iter().map(|p| Tally { packets: u64::from(*p), bytes: 0 }).collect();
        let bars = if is_overlaid { Bars::Overlaid } else { Bars::Stacked };
        let plot = SIZE.plot();
        for bar in bars_of(&histogram(&tallies, is_log, bars).scene(look())) {
            prop_assert!(0.0 <= bar.height && bar.y + bar.height <= plot.y + plot.height + 1e-6, "{:?}", bar);
        }
    }
}
