//! Memory per packet, counted as the peak of allocated bytes.

use allocation_counter::measure;
use summary::line::Excerpt;
use summary::{Timestamp, VlanIds};
use viewer_model::selection::{DimensionSet, Selection};
use viewer_store::columns::Columns;
use viewer_store::conversations::FlowTable;
use viewer_store::flow::{FlowDelta, SyncCursor};
use viewer_store::query::{Answer, Query, QueryKind};
use viewer_store::shard::{Preceding, Shard};

const PACKETS: u32 = 1_000_000;

/// A capture of [`PACKETS`] packets between `pairs` pairs of IPv4 addresses, or without addresses if
/// there are none. All pairs occur equally often.
fn load(pairs: u32, address: impl Fn(u32) -> [u32; 2]) -> Columns {
    let mut columns = Columns::default();
    for packet in 0..PACKETS {
        let texts = packet.checked_rem(pairs).map(|pair| {
            address(pair).map(|host| {
                let [_, a, b, c] = host.to_be_bytes();
                format!("10.{a}.{b}.{c}")
            })
        });
        let text = |side: usize| texts.as_ref().map(|texts| texts[side].as_bytes());
        let excerpt = Excerpt {
            n: u64::from(packet) + 1,
            ts: Timestamp::from_ns(1_795_521_600_000_000_000 + i64::from(packet) * 20_000),
            interface: Some(b"eth0"),
            direction: None,
            len: 60 + packet % 1_400,
            vlan: VlanIds::default(),
            src: text(0),
            dst: text(1),
            sport: Some(443),
            dport: Some(50_000),
            proto: b"tcp",
            proto_number: None,
            ttl: Some(64),
            flags: Some(0x10),
        };
        let pushed = columns.push_excerpt(&excerpt, u64::from(packet) * 150);
        pushed.expect("a valid line").expect("one kind of packets");
    }
    columns
}

/// The worker's answers to the page's queries after loading, except conversations.
fn answer(columns: &Columns) -> Vec<Answer> {
    let kinds = [
        QueryKind::Total,
        QueryKind::Ports,
        QueryKind::Sources,
        QueryKind::Destinations,
        QueryKind::Protocols,
    ];
    let queries = kinds.map(|kind| Query { kind, dimensions: DimensionSet::EMPTY });
    let mut shard = Shard::new(0, "a.ndjson".to_owned());
    shard.answer(columns, Preceding::default(), &Selection::default(), &queries)
}

/// What the page makes of the answers.
fn rank(columns: &Columns, answers: &[Answer]) -> FlowTable {
    let (mut table, mut cursor) = (FlowTable::default(), SyncCursor::default());
    loop {
        let delta = columns.address_delta(&mut cursor, 10_000);
        if delta == FlowDelta::default() {
            break;
        }
        table.apply(0, delta);
    }
    for answer in answers {
        if let Answer::Ids(tallies) = answer {
            table.by_address(tallies);
        }
    }
    table
}

/// Peak memory of worker and page, in bytes.
fn peak(pairs: u32, address: impl Fn(u32) -> [u32; 2]) -> u64 {
    let mut answers = Vec::new();
    let mut columns = Columns::default();
    let worker = measure(|| {
        columns = load(pairs, address);
        answers = answer(&columns);
    });
    let page = measure(|| drop(rank(&columns, &answers)));
    worker.bytes_max + page.bytes_max
}

/// Pairs among hosts that talk to a thousand others each.
fn mesh(pair: u32) -> [u32; 2] {
    [pair % 1_000, (1 << 16) + pair / 1_000]
}

#[test]
fn packets_take_32_bytes_at_up_to_one_address_pair_per_two_packets() {
    for pairs in [0, 3_000, 300_000, 500_000] {
        let bytes = peak(pairs, mesh);
        assert!(bytes <= 32 * u64::from(PACKETS), "{pairs} pairs: {bytes} bytes");
    }
}

#[test]
fn each_further_address_takes_200_bytes() {
    // As from a scan with forged source addresses.
    let scan = |pair: u32| [pair, 1 << 20];
    for pairs in [3_000, 300_000, 500_000] {
        let bytes = peak(pairs, scan);
        let limit = 32 * u64::from(PACKETS) + 200 * u64::from(pairs);
        assert!(bytes <= limit, "{pairs} pairs: {bytes} bytes");
    }
}
