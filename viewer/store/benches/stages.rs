//! Cost per packet of each stage in a worker.
#![expect(clippy::expect_used, reason = "a bench reports failures by panicking")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use summary::line::Excerpt;
use summary::{Timestamp, VlanIds};
use viewer_model::axis::{Axis, Bins, Quantity, Scale, Span};
use viewer_model::filter::{Context, Expr, parse};
use viewer_model::selection::{Dimension, DimensionSet, Selection};
use viewer_store::columns::Columns;
use viewer_store::density::Grid;
use viewer_store::query::{Query, QueryKind};
use viewer_store::shard::{Preceding, Shard};

const PACKETS: u32 = 200_000;
const START_NS: i64 = 1_795_521_600_000_000_000;

fn main() {
    divan::main();
}

/// The address texts of each packet.
fn addresses(pairs: u32) -> Vec<[String; 2]> {
    let text = |host: u32| {
        let [_, a, b, c] = host.to_be_bytes();
        format!("10.{a}.{b}.{c}")
    };
    (0..PACKETS)
        .map(|packet| {
            let pair = (packet.wrapping_mul(2_654_435_761) >> 1) % pairs;
            [text(pair % 1_000), text((1 << 16) + pair / 1_000)]
        })
        .collect()
}

fn load(addresses: &[[String; 2]]) -> Columns {
    load_sizes(addresses, |packet| 60 + packet % 1_400)
}

fn load_sizes(addresses: &[[String; 2]], size: impl Fn(u32) -> u32) -> Columns {
    let mut columns = Columns::default();
    for (packet, [src, dst]) in (0..).zip(addresses) {
        let excerpt = Excerpt {
            n: u64::from(packet) + 1,
            ts: Timestamp::from_ns(START_NS + i64::from(packet) * 20_000),
            interface: Some(b"eth0"),
            direction: None,
            len: size(packet),
            vlan: VlanIds::default(),
            src: Some(src.as_bytes()),
            dst: Some(dst.as_bytes()),
            sport: Some(443),
            dport: Some(50_000),
            proto: if packet % 3 == 0 { b"udp" } else { b"tcp" },
            proto_number: None,
            ttl: Some(64),
            flags: Some(0x10),
        };
        let pushed = columns.push_excerpt(&excerpt, u64::from(packet) * 150);
        pushed.expect("a valid line").expect("few kinds of packets");
    }
    columns
}

#[divan::bench(args = [100, 3_000, 60_000])]
fn columns(bencher: Bencher<'_, '_>, pairs: u32) {
    let addresses = addresses(pairs);
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| load(black_box(&addresses)));
}

/// Answers one query over all packets.
fn count(bencher: Bencher<'_, '_>, pairs: u32, kind: &QueryKind) {
    let columns = load(&addresses(pairs));
    let query = [Query { kind: kind.clone(), dimensions: DimensionSet::EMPTY }];
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| {
        let mut shard = Shard::new(0, "a".to_owned());
        shard.answer(&columns, Preceding::default(), &Selection::default(), black_box(&query))
    });
}

fn bins(quantity: Quantity, span: Span) -> Bins {
    Bins { axis: Axis { quantity, scale: Scale::Linear, span }, count: 400, is_closed: false }
}

#[divan::bench]
fn count_bins(bencher: Bencher<'_, '_>) {
    count(bencher, 3_000, &QueryKind::Bins(bins(Quantity::Size, Span::new(0, 1_500))));
}

#[divan::bench]
fn count_density(bencher: Bencher<'_, '_>) {
    let x = bins(Quantity::Time, Span::new(START_NS, START_NS + i64::from(PACKETS) * 20_000));
    let y = bins(Quantity::Size, Span::new(0, 1_500));
    count(bencher, 3_000, &QueryKind::Density(Grid { x, y }));
}

#[divan::bench(args = [100, 3_000, 60_000])]
fn count_sources(bencher: Bencher<'_, '_>, pairs: u32) {
    count(bencher, pairs, &QueryKind::Sources);
}

#[divan::bench(args = [100, 3_000, 60_000])]
fn count_conversations(bencher: Bencher<'_, '_>, pairs: u32) {
    count(bencher, pairs, &QueryKind::Conversations);
}

#[divan::bench(args = ["len > 700", "host == 10.0.0.1", "dport == 50000 and proto == tcp"])]
fn select(bencher: Bencher<'_, '_>, text: &str) {
    let columns = load(&addresses(3_000));
    let mut selection = Selection::default();
    selection.set(Dimension::Filter, parse(text, &Context::default()).expect("a valid filter"));
    let query = [Query { kind: QueryKind::Total, dimensions: selection.dimensions() }];
    bencher.counter(ItemsCount::new(PACKETS)).bench_local(|| {
        let mut shard = Shard::new(0, "a".to_owned());
        shard.answer(&columns, Preceding::default(), black_box(&selection), &query)
    });
}

/// The sizes of acknowledgements, of full packets of two kinds, and all others.
fn size(packet: u32) -> u32 {
    match packet.wrapping_mul(2_654_435_761) >> 8 & 15 {
        0..5 => 66,
        5..9 => 1_514,
        9..13 => 1_292,
        _ => 67 + packet % 1_400,
    }
}

/// Drags a range of sizes over those that most packets have, with the queries of the charts and tables that
/// are in sight.
#[divan::bench]
fn brush(bencher: Bencher<'_, '_>) {
    const STEPS: u32 = 20;
    let columns = load_sizes(&addresses(3_000), size);
    let times = Span::new(START_NS, START_NS + i64::from(PACKETS) * 20_000);
    let times = QueryKind::Bins(bins(Quantity::Time, times));
    let dimensions = DimensionSet::EMPTY.with(Dimension::Size);
    let kinds = [
        times,
        QueryKind::Ports,
        QueryKind::Sources,
        QueryKind::Destinations,
        QueryKind::Protocols,
        QueryKind::Conversations,
        QueryKind::Total,
    ];
    let queries = kinds.map(|kind| Query { kind, dimensions });
    bencher.counter(ItemsCount::new(PACKETS * STEPS)).bench_local(|| {
        let mut shard = Shard::new(0, "a".to_owned());
        for step in 0..STEPS {
            let (first, last) = (40 + 60 * step, 700 + 60 * step);
            let range = Expr::numbers(Quantity::Size, first.into(), last.into());
            let mut selection = Selection::default();
            selection.set(Dimension::Size, Some(range));
            let answers =
                shard.answer(&columns, Preceding::default(), black_box(&selection), &queries);
            drop(black_box(answers));
        }
    });
}
