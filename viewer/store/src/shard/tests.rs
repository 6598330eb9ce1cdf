use super::*;
use crate::bin_lookup::{BinLookup, NO_BIN};
use crate::columns::tests::packet;
use crate::density::Grid;
use crate::query::{Position, QueryKind};
use crate::tally::Tally;
use proptest::prelude::*;
use viewer_model::axis::{Axis, Bins, Quantity, Scale, Span};
use viewer_model::filter::{Context, parse};
use viewer_model::protocol::{CLASS_COUNT, CLASSES, Class};

/// Time, length, protocol, destination port and destination.
type Plain = (i64, u32, usize, Option<u16>, u8);

const PROTOS: [&str; 3] = ["tcp", "udp", "gre"];

fn columns(packets: &[Plain], from: usize) -> Columns {
    let mut columns = Columns::default();
    push(&mut columns, packets, from);
    columns
}

/// Appends packets, which are numbered after the first `from` of the file.
fn push(columns: &mut Columns, packets: &[Plain], from: usize) {
    for (index, &(ts, len, proto, port, host)) in packets.iter().enumerate() {
        let mut packet = packet((from + index + 1) as u64, ts, len, PROTOS[proto]);
        packet.summary.dst = Some([10, 0, 0, host].into());
        (packet.summary.sport, packet.summary.dport) = (port, port);
        columns.push(&packet, index as u64).unwrap();
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    (0i64..100, 0u32..100, 0usize..3, proptest::option::of(0u16..5), 0u8..4)
}

fn bins(quantity: Quantity, count: usize) -> Bins {
    Bins {
        axis: Axis { quantity, scale: Scale::Linear, span: Span::new(5, 90) },
        count,
        is_closed: false,
    }
}

fn select(clauses: &[(Dimension, &str)]) -> Selection {
    let mut selection = Selection::default();
    for (dimension, text) in clauses {
        selection.set(*dimension, parse(text, &Context::default()).unwrap());
    }
    selection
}

/// The merged answer of two parts of a file. Each answers once per selection, so that state kept
/// between queries is covered.
fn ask(packets: &[Plain], cut: usize, selections: &[Selection], query: &Query) -> Answer {
    let (front, back) = packets.split_at(cut);
    let last = front.iter().map(|packet| packet.0);
    let ts_ns = last.clone().next_back().zip(last.max());
    let parts = [
        (front, 0, Preceding::default()),
        (back, cut, Preceding { ts_ns, ..Preceding::default() }),
    ];
    let answers = parts.into_iter().enumerate().map(|(part, (packets, from, before))| {
        let mut shard = Shard::new(part, "a".to_owned());
        // First with half of the rows, as while loading.
        let half = columns(&packets[..packets.len() / 2], from);
        shard.answer(&half, before, &selections[0], &[]);
        let whole = columns(packets, from);
        let answers = selections
            .iter()
            .map(|selection| shard.answer(&whole, before, selection, std::slice::from_ref(query)));
        answers.last().unwrap().remove(0)
    });
    answers.reduce(Answer::merge).unwrap()
}

fn number(row: usize) -> i64 {
    i64::try_from(row).unwrap() + 1
}

fn gap(packets: &[Plain], index: usize) -> Option<i64> {
    Some(packets[index].0 - packets[index.checked_sub(1)?].0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Time bounds of flows, which are recomputed from a part of the blocks. Packets are slightly out of
    /// order, and some flows have packets at the start or the end only.
    #[test]
    fn flows_of_many_blocks_match_those_of_a_new_selection(
        seed in 1u32..1_000_000, lens in proptest::collection::vec(0u32..100, 1..4), by_ports: bool,
    ) {
        let mut state = seed;
        let mut next = |bound: u8| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0] % bound
        };
        let packets: Vec<Plain> = (0..20_000i64)
            .map(|index| {
                let host = match next(250) { 0 => 3, _ if index < 3_000 => 2, _ => next(2) };
                let port = Some(u16::from(next(3)));
                (index * 10 + i64::from(next(200)), next(100).into(), 0, port, host)
            })
            .collect();
        let columns = columns(&packets, 0);
        let kind = if by_ports { QueryKind::Connections } else { QueryKind::Conversations };
        let texts = lens.iter().map(|len| format!("len >= {len}"));
        let selections: Vec<_> = texts.map(|text| select(&[(Dimension::Size, &text)])).collect();
        let query = Query { kind, dimensions: selections[0].dimensions() };
        let ask = |selections: &[Selection]| {
            let mut shard = Shard::new(0, String::new());
            let answers = selections.iter().map(|selection| {
                shard.answer(&columns, Preceding::default(), selection, std::slice::from_ref(&query))
            });
            answers.last().unwrap().remove(0)
        };
        let Answer::Flows(mut updated) = ask(&selections) else { panic!("no flows") };
        let Answer::Flows(mut fresh) = ask(&selections[selections.len() - 1..]) else { panic!("no flows") };
        // Connections are numbered in the order in which they were found.
        updated.sort_by_key(|tally| (tally.flow, tally.ports));
        fresh.sort_by_key(|tally| (tally.flow, tally.ports));
        prop_assert_eq!(updated, fresh);
    }
}

proptest! {
    /// For any division of the file and any previous selection.
    #[test]
    fn answers_match_a_naive_evaluation(
        packets in proptest::collection::vec(plain(), 0..60), cut: prop::sample::Index,
        len in 0u32..100, gap_ns in -20i64..20, count in 1usize..20,
    ) {
        let cut = cut.index(packets.len() + 1);
        let first = select(&[(Dimension::Filter, "len > 50"), (Dimension::Port, "dport == 1")]);
        let texts = [format!("len >= {len}"), format!("gap <= {gap_ns}ns"), "dst != 10.0.0.1".to_owned()];
        let second = select(&[
            (Dimension::Filter, &texts[0]), (Dimension::Gap, &texts[1]), (Dimension::Destination, &texts[2]),
        ]);
        let selections = [first, second.clone()];
        let is_gap = |index: usize| gap(&packets, index).is_some_and(|gap| gap <= gap_ns);
        let is_in = |index: usize| packets[index].1 >= len && is_gap(index) && packets[index].4 != 1;
        let is_but_gap = |index: usize| packets[index].1 >= len && packets[index].4 != 1;
        let cases: [(DimensionSet, &dyn Fn(usize) -> bool); 3] = [
            (DimensionSet::EMPTY, &|_| true),
            (second.dimensions(), &is_in),
            (second.dimensions().without(Dimension::Gap), &is_but_gap),
        ];
        for (dimensions, is_selected) in cases {
            let rows: Vec<_> = (0..packets.len()).filter(|index| is_selected(*index)).collect();
            let ask = |kind| ask(&packets, cut, &selections, &Query { kind, dimensions });
            let mut total = Tally::default();
            rows.iter().for_each(|row| total.add(Tally::of(packets[*row].1.into())));
            prop_assert_eq!(ask(QueryKind::Total), Answer::Total(total));

            for (value, of) in [
                (Quantity::Size, &(|row: usize| Some(i64::from(packets[row].1))) as &dyn Fn(usize) -> Option<i64>),
                (Quantity::Time, &|row| Some(packets[row].0)),
                (Quantity::Number, &|row| Some(number(row))),
                (Quantity::Gap, &|row| gap(&packets, row)),
            ] {
                let bins = bins(value, count);
                let edges = bins.edges();
                let mut expected = vec![Tally::default(); CLASS_COUNT * count];
                for row in &rows {
                    let class = Class::of(PROTOS[packets[*row].2]) as usize;
                    let cell = |value| (0..count).find(|i| edges[*i] <= value && value < edges[i + 1]);
                    if let Some(cell) = of(*row).and_then(cell) {
                        expected[class * count + cell].add(Tally::of(packets[*row].1.into()));
                    }
                }
                prop_assert_eq!(ask(QueryKind::Bins(bins)), Answer::Bins(expected));
            }

            let grid = Grid { x: bins(Quantity::Time, count), y: bins(Quantity::Size, 7) };
            let mut expected = vec![0; CLASS_COUNT * grid.cell_count()];
            let cell = |bins: &Bins, value| {
                let edges = bins.edges();
                (0..bins.count).find(|i| edges[*i] <= value && value < edges[i + 1])
            };
            for row in &rows {
                let (ts, len, proto, ..) = packets[*row];
                if let (Some(x), Some(y)) = (cell(&grid.x, ts), cell(&grid.y, i64::from(len))) {
                    expected[(Class::of(PROTOS[proto]) as usize * 7 + y) * count + x] += 1;
                }
            }
            let Answer::Density(density) = ask(QueryKind::Density(grid)) else { panic!() };
            for (class, expected) in CLASSES.into_iter().zip(expected.chunks(grid.cell_count())) {
                let counts = density.of(class);
                prop_assert!(counts == expected || counts.is_empty() && expected.iter().all(|n| *n == 0));
            }

            let mut ports = std::collections::BTreeMap::<u16, Tally>::new();
            for row in &rows {
                if let Some(port) = packets[*row].3 {
                    ports.entry(port).or_default().add(Tally::of(packets[*row].1.into()));
                }
            }
            prop_assert_eq!(ask(QueryKind::Ports), Answer::Ports(ports.into_iter().collect()));

            let Answer::Flows(flows) = ask(QueryKind::Conversations) else { panic!() };
            prop_assert_eq!(flows.iter().map(|flow| flow.tally.packets).sum::<u64>(), rows.len() as u64);
            let times = rows.iter().map(|row| packets[*row].0);
            prop_assert_eq!(flows.iter().map(|flow| flow.ts_ns.0).min(), times.clone().min());
            prop_assert_eq!(flows.iter().map(|flow| flow.ts_ns.1).max(), times.max());
            for kind in [QueryKind::Destinations, QueryKind::Protocols] {
                let Answer::Ids(places) = ask(kind) else { panic!() };
                let sum = places.iter().map(|place| place.tally.packets).sum::<u64>();
                prop_assert_eq!(sum, rows.len() as u64);
            }

            let filters = ["proto == udp".to_owned(), texts[1].clone(), "len <".to_owned()];
            let matching = |is_match: &dyn Fn(usize) -> bool| {
                let mut tally = Tally::default();
                let found = rows.iter().filter(|row| is_match(**row));
                found.for_each(|row| tally.add(Tally::of(packets[*row].1.into())));
                tally
            };
            let expected =
                vec![Some(matching(&|row| packets[row].2 == 1)), Some(matching(&is_gap)), None];
            prop_assert_eq!(ask(QueryKind::Matches(filters.into())), Answer::Tallies(expected));

            let cell = (count / 2, 3);
            let Answer::Nearest(hit) = ask(QueryKind::Nearest { grid, cell }) else { panic!() };
            let distances = rows.iter().filter_map(|row| {
                let mut found = [0; 2];
                let (ts, len, ..) = packets[*row];
                BinLookup::new(&grid.x).find(&[ts], &mut found[..1]);
                BinLookup::new(&grid.y).find(&[i64::from(len)], &mut found[1..]);
                let [x, y] = found.map(usize::from);
                let distance = x.abs_diff(cell.0).pow(2) + y.abs_diff(cell.1).pow(2);
                (found.iter().all(|cell| *cell != NO_BIN) && distance <= 16).then_some(distance)
            });
            prop_assert_eq!(hit.map(|hit| hit.distance), distances.min());

            // The order: by the latest time so far, which keeps the file's order.
            let mut latest = i64::MIN;
            let keys: Vec<_> = packets.iter().map(|packet| { latest = latest.max(packet.0); latest }).collect();
            for key_ns in [0, 30, 99, 100] {
                let Answer::Ranks(ranks) = ask(QueryKind::Ranks { key_ns }) else { panic!() };
                let below = rows.iter().filter(|row| keys[**row] < key_ns).count() as u64;
                let up_to = rows.iter().filter(|row| keys[**row] <= key_ns).count() as u64;
                prop_assert_eq!(ranks.iter().map(|rank| rank.below).sum::<u64>(), below);
                prop_assert_eq!(ranks.iter().map(|rank| rank.up_to).sum::<u64>(), up_to);
            }
            let in_front = rows.iter().filter(|row| **row < cut).count() as u64;
            let starts = vec![(0, in_front / 2), (1, 0)];
            let Answer::Rows(found) = ask(QueryKind::Rows { starts, count: 1000 }) else { panic!() };
            let numbers: Vec<_> = found.iter().map(|packet| packet.row.n).collect();
            let expected: Vec<_> = rows[usize::try_from(in_front / 2).unwrap()..].iter().map(|row| number(*row)).collect();
            prop_assert_eq!(numbers, expected);
            prop_assert!(found.iter().all(|packet| packet.key_ns == keys[usize::try_from(packet.row.n - 1).unwrap()]));
            for index in (0..packets.len()).step_by(23) {
                let (part, start) = if index < cut { (0, 0) } else { (1, cut) };
                let position = Position { key_ns: keys[index], part, index: index - start };
                let Answer::Ranks(ranks) = ask(QueryKind::RankOf(position)) else { panic!() };
                let below = rows.iter().filter(|row| **row < index).count() as u64;
                let up_to = rows.iter().filter(|row| **row <= index).count() as u64;
                prop_assert_eq!(ranks.iter().map(|rank| rank.below).sum::<u64>(), below);
                prop_assert_eq!(ranks.iter().map(|rank| rank.up_to).sum::<u64>(), up_to);
            }
        }
    }
}

/// A selection in up to three dimensions, derived from small numbers.
fn selection((len, port, host): (u32, u16, u8)) -> Selection {
    let texts = [
        (Dimension::Size, (len < 90).then(|| format!("len in {len}..{}", len + 30))),
        (Dimension::Port, (port < 4).then(|| format!("dport == {port}"))),
        (Dimension::Destination, (host < 4).then(|| format!("dst == 10.0.0.{host}"))),
        (Dimension::Line2, (host % 2 == 0).then(|| format!("len >= {}", len / 2))),
    ];
    let clauses: Vec<_> =
        texts.iter().filter_map(|(dimension, text)| Some((*dimension, text.as_deref()?))).collect();
    select(&clauses)
}

proptest! {
    #[test]
    fn incremental_updates_match_recounting(
        packets in proptest::collection::vec(plain(), 0..80),
        steps in proptest::collection::vec((0u32..130, 0u16..8, 0u8..8), 1..6),
        is_asked in proptest::collection::vec(any::<bool>(), 8),
    ) {
        let columns = columns(&packets, 0);
        let grid = Grid { x: bins(Quantity::Time, 9), y: bins(Quantity::Size, 7) };
        let mut shard = Shard::new(0, "a".to_owned());
        for selection in steps.into_iter().map(selection) {
            let whats = [
                QueryKind::Total, QueryKind::Bins(bins(Quantity::Gap, 8)), QueryKind::Density(grid), QueryKind::Ports,
                QueryKind::Destinations, QueryKind::Protocols, QueryKind::Conversations,
                QueryKind::Connections,
            ];
            let asked = whats.into_iter().zip(&is_asked).filter(|(_, is_asked)| **is_asked);
            let dimensions = selection.dimensions();
            let queries: Vec<_> = asked
                .flat_map(|(kind, _)| {
                    [dimensions, dimensions.without(Dimension::Size), dimensions.with(Dimension::Line2), DimensionSet::EMPTY]
                        .map(|dimensions| Query { kind: kind.clone(), dimensions })
                })
                .collect();
            let answers = |shard: &mut Shard| {
                let mut answers = shard.answer(&columns, Preceding::default(), &selection, &queries);
                for answer in &mut answers {
                    if let Answer::Flows(flows) = answer {
                        flows.sort_by_key(|flow| (flow.flow, flow.ports));
                    }
                }
                answers
            };
            prop_assert_eq!(answers(&mut shard), answers(&mut Shard::new(0, "a".to_owned())));
        }
    }
}

/// Bins of a time axis whose edges are multiples of their width, a power of two.
fn growing_bins() -> impl Strategy<Value = Bins> {
    (0u32..7, -2i64..3, 1u8..128).prop_map(|(width, first, count)| {
        let (start, len) = (first << width, i64::from(count) << width);
        let span = Span::new(start, start + len);
        let axis = Axis { quantity: Quantity::Time, scale: Scale::Linear, span };
        Bins { axis, count: count.into(), is_closed: false }
    })
}

proptest! {
    /// With selections, queries and other preceding packets that change in between.
    #[test]
    fn counting_added_rows_matches_recounting(
        packets in proptest::collection::vec(plain(), 1..2_300),
        steps in proptest::collection::vec(
            (
                (0u32..130, 0u16..8, 0u8..8), any::<prop::sample::Index>(), any::<[bool; 11]>(),
                [growing_bins(), growing_bins()],
            ),
            1..12,
        ),
    ) {
        let grid = Grid { x: bins(Quantity::Time, 9), y: bins(Quantity::Size, 7) };
        let mut shard = Shard::growing(0, "a".to_owned());
        let mut added = Columns::default();
        let mut selected = Selection::default();
        for (numbers, count, is_asked, [throughput, overview]) in steps {
            // Packets of other hosts, protocols and ports come later.
            let end = added.len() + count.index(packets.len() - added.len() + 1);
            let from = added.len();
            push(&mut added, &packets[from..end], from);
            if is_asked[10] {
                selected = selection(numbers);
            }
            let kinds = [
                QueryKind::Total, QueryKind::Bins(bins(Quantity::Gap, 8)), QueryKind::Density(grid), QueryKind::Ports,
                QueryKind::Destinations, QueryKind::Protocols, QueryKind::Conversations, QueryKind::Connections,
                QueryKind::Bins(throughput), QueryKind::Bins(overview),
            ];
            let asked = kinds.into_iter().zip(is_asked).filter(|(_, is_asked)| *is_asked);
            let dimensions = selected.dimensions();
            let mut queries: Vec<_> = asked
                .flat_map(|(kind, _)| {
                    [dimensions, dimensions.without(Dimension::Size), dimensions.with(Dimension::Line2), DimensionSet::EMPTY]
                        .map(|dimensions| Query { kind: kind.clone(), dimensions })
                })
                .collect();
            queries.push(Query { kind: QueryKind::Ranks { key_ns: 50 }, dimensions });
            let answers = |shard: &mut Shard| {
                let mut answers = shard.answer(&added, Preceding::default(), &selected, &queries);
                for answer in &mut answers {
                    if let Answer::Flows(flows) = answer {
                        flows.sort_by_key(|flow| (flow.flow, flow.ports));
                    }
                }
                answers
            };
            prop_assert_eq!(answers(&mut shard), answers(&mut Shard::new(0, "a".to_owned())));
            let mut fresh = Shard::new(0, "a".to_owned());
            fresh.answer(&added, Preceding::default(), &selected, &[]);
            prop_assert_eq!(shard.selected(), fresh.selected());
        }
    }
}

proptest! {
    /// Flows with so many packets that their rows are indexed, before or after rows leave the selection.
    #[test]
    fn time_ranges_of_large_flows_match_recounting(
        packets in proptest::collection::vec((-50i64..50, 0u32..100), 64..2_200),
        steps in proptest::collection::vec((0u32..110, any::<bool>()), 1..6),
    ) {
        let packets: Vec<Plain> =
            packets.into_iter().map(|(ts, len)| (ts, len, 0, None, 0)).collect();
        let columns = columns(&packets, 0);
        let mut shard = Shard::new(0, "a".to_owned());
        for (len, is_indexed) in steps {
            let selection = select(&[(Dimension::Size, &format!("len >= {len}"))]);
            let query = Query { kind: QueryKind::Conversations, dimensions: selection.dimensions() };
            let answer = |shard: &mut Shard| {
                shard.answer(&columns, Preceding::default(), &selection, std::slice::from_ref(&query))
            };
            prop_assert_eq!(answer(&mut shard), answer(&mut Shard::new(0, "a".to_owned())));
            if is_indexed {
                shard.index_flows(&columns);
            }
        }
    }
}

#[test]
fn queries_span_blocks() {
    let packets: Vec<Plain> =
        (0..3_000).map(|i| (i, u32::try_from(i % 7).unwrap(), 0, None, 0)).collect();
    let selection = select(&[(Dimension::Filter, "len == 3")]);
    let query = |kind| Query { kind, dimensions: selection.dimensions() };
    let starts = vec![(0, 100), (1, 5)];
    let Answer::Rows(rows) = ask(
        &packets,
        2_000,
        std::slice::from_ref(&selection),
        &query(QueryKind::Rows { starts, count: 200 }),
    ) else {
        panic!()
    };
    let of = |part: usize| {
        rows.iter().filter(|row| row.part == part).map(|row| row.row.n - 1).collect::<Vec<_>>()
    };
    assert_eq!(of(0), (0..2_000).filter(|i| i % 7 == 3).skip(100).take(200).collect::<Vec<_>>());
    assert_eq!(of(1), (2_000..3_000).filter(|i| i % 7 == 3).skip(5).take(200).collect::<Vec<_>>());
    let Answer::Ranks(ranks) = ask(
        &packets,
        1_500,
        std::slice::from_ref(&selection),
        &query(QueryKind::Ranks { key_ns: 2_500 }),
    ) else {
        panic!()
    };
    assert_eq!(ranks.iter().map(|rank| rank.below).sum::<u64>(), 357);
}

/// A filter that needs a field without a column resets the shard when the field was read, also while
/// the file is being loaded.
#[test]
fn rows_are_complete_if_columns_grow_before_a_reset() {
    let packets: Vec<Plain> = (0..5_000).map(|i| (i, 60, 0, None, 0)).collect();
    let (part, whole) = (columns(&packets[..2_000], 0), columns(&packets, 0));
    let selection = select(&[(Dimension::Size, "len >= 60")]);
    let dimensions = selection.dimensions();
    let rows = QueryKind::Rows { starts: vec![(0, 4_999)], count: 10 };
    let queries = [rows, QueryKind::Conversations].map(|kind| Query { kind, dimensions });
    let mut shard = Shard::new(0, String::new());
    shard.answer(&part, Preceding::default(), &selection, &queries);
    shard.index_flows(&part);
    shard.reset(&whole);
    let answers = shard.answer(&whole, Preceding::default(), &selection, &queries);
    let mut fresh = Shard::new(0, String::new());
    let expected = fresh.answer(&whole, Preceding::default(), &selection, &queries);
    assert_eq!(answers, expected);
    let Answer::Rows(rows) = &answers[0] else { panic!("no rows") };
    assert_eq!(rows.iter().map(|row| row.row.n).collect::<Vec<_>>(), [5_000]);
}
