//! The cost of a packet: `cargo bench -p flow --bench stages`. The items per second are packets.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use flow::{FlowTable, Limits, Observation};
use summary::{Address, LinkType, PayloadNames, Proto, Summary, TcpOptions, Timestamp};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

const PACKETS: u32 = 100_000;

fn main() {
    divan::main();
}

/// Segments of data and their acknowledgments in turn, in this many flows.
fn packets(flows: u32, proto: &'static str) -> Vec<Observation> {
    let names = PayloadNames::default();
    let packet = |index: u32| {
        let (flow, round) = (index % flows, index / flows);
        let [_, second, high, low] = flow.to_be_bytes();
        let mut summary = Summary::new(LinkType::ETHERNET, 1_500, 1_500);
        summary.proto = Proto::parse(proto);
        let ends = [([10, second, high, low].into(), 50_000), ([10, 9, 9, 9].into(), 443)];
        let is_data = round % 2 == 0;
        let [from, to] = if is_data { ends } else { [ends[1], ends[0]] };
        (summary.src, summary.sport) = (Some(from.0), Some(from.1));
        (summary.dst, summary.dport) = (Some(to.0), Some(to.1));
        summary.payload = Some(if is_data { 1_000 } else { 0 });
        summary.tcp.flags = Some(16);
        let sent = round / 2 * 1_000;
        let numbers = if is_data { (sent, 1) } else { (1, sent + 1_000) };
        (summary.tcp.seq, summary.tcp.ack) = (Some(numbers.0), Some(numbers.1));
        summary.tcp.win = Some(1_000);
        let ts = Timestamp::from_ns(i64::from(index) * 1_000);
        Observation::new(ts, None, &summary, &TcpOptions::default(), &names)
    };
    (0..PACKETS).map(packet).collect()
}

/// Adds packets to flows that exist.
#[divan::bench(args = [1, 100, 10_000])]
fn add_tcp(bencher: Bencher<'_, '_>, flows: u32) {
    let packets = packets(flows, "tcp");
    let table = || FlowTable::new(Limits::default());
    bencher.counter(ItemsCount::new(PACKETS)).with_inputs(table).bench_local_values(|mut table| {
        for packet in &packets {
            divan::black_box(table.add(packet, &mut |_, _| ()));
        }
        table
    });
}

/// Ten million SYNs from as many sources: the table is full after the first 262,144, and evicts a flow for
/// each one. The maximum of allocated bytes is that of a full table.
#[divan::bench(sample_count = 1, sample_size = 1)]
fn flood(bencher: Bencher<'_, '_>) {
    const FLOWS: u32 = 10_000_000;
    let names = PayloadNames::default();
    let mut summary = Summary::new(LinkType::ETHERNET, 60, 60);
    summary.proto = Proto::parse("tcp");
    (summary.src, summary.dst) = (Some([0; 4].into()), Some([10, 9, 9, 9].into()));
    (summary.sport, summary.dport, summary.payload) = (Some(50_000), Some(443), Some(0));
    let tcp = &mut summary.tcp;
    (tcp.flags, tcp.seq, tcp.win) = (Some(2), Some(1), Some(1_000));
    let packet =
        Observation::new(Timestamp::default(), None, &summary, &TcpOptions::default(), &names);
    bencher.counter(ItemsCount::new(FLOWS)).bench_local(|| {
        let mut table = FlowTable::new(Limits::default());
        let mut packet = packet.clone();
        for number in 0..FLOWS {
            packet.ts = Timestamp::from_ns(i64::from(number) * 1_000);
            packet.src.address = Some(Address::V4(number.to_be_bytes()));
            divan::black_box(table.add(&packet, &mut |_, _| ()));
        }
        assert_eq!(table.evicted() + (1 << 18), u64::from(FLOWS));
        table
    });
}

/// Each packet begins a flow; the allocated bytes are those of as many flows.
#[divan::bench(args = ["tcp", "udp"])]
fn begin(bencher: Bencher<'_, '_>, proto: &'static str) {
    let packets = packets(PACKETS, proto);
    let table = || FlowTable::new(Limits::default());
    bencher.counter(ItemsCount::new(PACKETS)).with_inputs(table).bench_local_values(|mut table| {
        for packet in &packets {
            table.add(packet, &mut |_, _| ());
        }
        table
    });
}
