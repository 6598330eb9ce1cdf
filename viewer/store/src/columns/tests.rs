use super::*;
use summary::{LinkType, Proto, Summary, Timestamp};
use viewer_model::axis::{MISSING, Quantity};
use viewer_model::filter::Field;

/// A packet by number, time, length and protocol, from 10.0.0.1.
pub(crate) fn packet(n: u64, ts_ns: i64, len: u32, proto: &str) -> Packet<'_> {
    let mut summary = Summary::new(LinkType::ETHERNET, len, len);
    summary.proto = Proto::parse(proto);
    summary.src = Some([10, 0, 0, 1].into());
    Packet::new(n, Timestamp::from_ns(ts_ns), summary)
}

/// Columns of packets given by number, time, length and protocol.
pub(crate) fn columns(packets: &[(u64, i64, u32, &str)]) -> Columns {
    let mut columns = Columns::default();
    for (index, &(n, ts_ns, len, proto)) in packets.iter().enumerate() {
        columns.push(&packet(n, ts_ns, len, proto), index as u64 * 100).unwrap();
    }
    columns
}

#[test]
fn rows_read_back() {
    let mut columns = columns(&[(7, 1_000, 60, "tcp"), (8, 999, 1514, "gre")]);
    let mut full = packet(9, 2_000, 61, "tcp");
    full.interface = Some("eth0".into());
    full.direction = Some(Direction::Out);
    full.summary.dst = Some([10, 0, 0, 2].into());
    (full.summary.sport, full.summary.dport) = (Some(0), Some(443));
    full.summary.ttl = Some(0);
    full.summary.tcp.flags = Some(0x12);
    assert!(full.summary.vlan.push(7));
    columns.push(&full, 70_000).unwrap();
    let row = columns.row(1);
    assert_eq!((row.n, row.ts_ns, row.len, row.offset), (8, 999, 1514, 100));
    assert_eq!((&row.src[..], &row.dst[..], &row.proto[..]), ("10.0.0.1", "", "gre"));
    assert_eq!((row.sport, row.ttl, row.flags, &row.vlan[..]), (None, None, None, &[][..]));
    let row = columns.row(2);
    assert_eq!((row.sport, row.dport, row.ttl), (Some(0), Some(443), Some(0)));
    assert_eq!((&row.interface[..], &row.direction[..], &row.vlan[..]), ("eth0", "out", &[7][..]));
    assert_eq!((row.flags.as_deref(), row.offset), (Some("SA"), 70_000));
    let extent = Extent {
        n: (7, 9),
        ts_ns: (999, 2_000),
        len: (60, 1514),
        gap_ns: Some((-1, 1_001)),
        ends_ns: (1_000, 2_000),
    };
    let totals = Totals { packets: 3, wire_bytes: 1635, extent: Some(extent) };
    assert_eq!(columns.totals(), totals);
}

#[test]
fn column_values_match_rows() {
    let columns = columns(&[(7, 1_000, 60, "tcp"), (8, 999, 1514, "gre")]);
    let mut rows = Rows::new(&columns, Some(400));
    rows.load(0);
    let of = |rows: &mut Rows<'_>| Quantity::ALL.map(|value| rows.values(value).to_vec());
    let none = vec![MISSING; 2];
    let expected = [
        vec![7, 8],
        vec![1_000, 999],
        vec![60, 1514],
        none.clone(),
        none.clone(),
        none.clone(),
        vec![600, -1],
        none,
    ];
    assert_eq!(of(&mut rows), expected);
    let mut first = Rows::new(&columns, None);
    first.load(0);
    assert_eq!(first.values(Quantity::Gap), [MISSING, -1]);
    // The first gap of a block refers to the previous block.
    let many: Vec<_> = (0..1_030).map(|n| (n, 10 * i64::try_from(n).unwrap(), 60, "tcp")).collect();
    let many = self::columns(&many);
    let mut rows = Rows::new(&many, None);
    rows.load(1);
    assert_eq!((rows.range(), rows.values(Quantity::Gap)), (1024..1030, &[10; 6][..]));
}

#[test]
fn packet_can_have_a_single_port() {
    let mut columns = Columns::default();
    let mut packet = packet(1, 0, 60, "udp");
    packet.summary.dport = Some(53);
    columns.push(&packet, 0).unwrap();
    let row = columns.row(0);
    assert_eq!((row.sport, row.dport), (None, Some(53)));
}

#[test]
fn renumbering_shifts_all_packets() {
    let many: Vec<_> =
        (0..1_500).map(|n| (if n < 1_200 { n } else { n << 33 }, 0, 60, "tcp")).collect();
    let mut columns = columns(&many);
    let before: Vec<_> = (0..1_500).map(|row| columns.row(row).n).collect();
    let extent = columns.totals().extent.unwrap().n;
    columns.renumber(1_000);
    columns.push(&packet(7, 0, 60, "tcp"), 0).unwrap();
    assert!((0..1_500).all(|row| columns.row(row).n == before[row] + 1_000));
    assert_eq!(columns.row(1_500).n, 7);
    assert_eq!(columns.totals().extent.unwrap().n, (7, extent.1 + 1_000));
    let mut rows = Rows::new(&columns, None);
    rows.load(0);
    assert_eq!(rows.bounds(Quantity::Number), Some((1_000, 2_023)));
    assert_eq!(rows.within(Quantity::Number, (1_000, 1_002)).count(), 3);
}

#[test]
fn packet_numbers_can_start_anywhere_and_restart() {
    let columns = columns(&[(5_000_000_000, 0, 1, "x"), (5_000_000_001, 0, 1, "x")]);
    assert_eq!(columns.row(1).n, 5_000_000_001);
    let runs = self::columns(&[(900, 0, 1, "x"), (1, 0, 1, "x")]);
    assert_eq!((runs.row(0).n, runs.row(1).n), (900, 1));
}

#[test]
fn fields_of_the_last_filter_are_kept() {
    let names = ["seq", "ack", "win", "sni", "dns", "alpn"];
    let fields = names.map(|name| match Field::parse(name) {
        Some(Field::Extra(field)) => field,
        other => panic!("{name}: {other:?}"),
    });
    let mut columns = Columns::default();
    let kept = |columns: &Columns| fields.map(|field| columns.has_extra(field));
    let mut read = |names: &[ExtraField], needed: &[ExtraField]| {
        let added = names.iter().map(|field| (*field, ExtraColumn::default())).collect();
        columns.add_extra(added, needed);
        kept(&columns)
    };
    // More than the usual number, all of one filter.
    assert_eq!(read(&fields[..5], &fields[..5]), [true, true, true, true, true, false]);
    assert_eq!(read(&fields[5..], &[fields[0], fields[5]]), [true, false, false, true, true, true]);
}
