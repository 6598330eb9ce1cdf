//! The tests play the reader threads.

use super::worker::Line;
use super::*;
use proptest::prelude::*;
use std::sync::mpsc::SyncSender;

/// The test's end of a worker.
struct TestProducer {
    batches: SyncSender<Batch>,
    empty_at_ns: Arc<AtomicU64>,
}

impl TestProducer {
    /// Publishes that the ring was empty at a time after the start.
    fn set_empty_at(&self, time: Duration) {
        self.empty_at_ns.store(u64::try_from(time.as_nanos()).unwrap(), Ordering::Release);
    }

    fn set_empty_at_ms(&self, ms: u64) {
        self.set_empty_at(Duration::from_millis(ms));
    }
}

fn fanout(worker_count: usize) -> (Fanout, Vec<TestProducer>) {
    let shared = Shared {
        start: Instant::now(),
        wakeup: event_fd().unwrap(),
        is_stopped: AtomicBool::new(false),
    };
    let mut producers = Vec::new();
    let mut worker = || {
        let (sender, batches) = sync_channel(1_000);
        let empty_at_ns = Arc::new(AtomicU64::new(0));
        producers.push(TestProducer { batches: sender, empty_at_ns: empty_at_ns.clone() });
        WorkerHandle { thread: None, batches, free: channel().0, pending: None, empty_at_ns }
    };
    let workers = (0..worker_count).map(|_| worker()).collect();
    (Fanout { workers, shared: Arc::new(shared) }, producers)
}

/// A batch read at a time after the start. The text of a line is its timestamp.
fn batch(fanout: &Fanout, read_at: Duration, times: &[i64]) -> Batch {
    let mut batch = Batch::new(fanout.shared.start + read_at);
    for &time in times {
        batch.text.extend(format!("{time},").into_bytes());
        let end = batch.text.len();
        batch.lines.push(Line {
            ts: Timestamp::from_ns(time),
            end,
            wire_len: 60,
            observation: None,
            evicted_names: 0,
        });
    }
    batch
}

fn batch_at_ms(fanout: &Fanout, ms: u64, times: &[i64]) -> Batch {
    batch(fanout, Duration::from_millis(ms), times)
}

/// The text of all lines that may leave now.
fn drain_ready(fanout: &mut Fanout) -> String {
    let mut text = String::new();
    let mut visit = |event: PacketEvent<'_>| {
        match event {
            PacketEvent::Formatted(_, FormattedPacket { len: 60, line, .. }) => {
                text += std::str::from_utf8(line).unwrap();
            }
            other => panic!("{other:?}"),
        }
        Ok(true)
    };
    while fanout.read(&mut visit).unwrap() {}
    text
}

#[test]
fn line_waits_until_no_thread_can_have_an_earlier_one() {
    let (mut fanout, producers) = fanout(2);
    producers[0].batches.send(batch_at_ms(&fanout, 10, &[5, 7])).unwrap();
    assert_eq!(drain_ready(&mut fanout), "");
    assert!(fanout.has_pending());
    // Empty before the batch was read: an earlier packet may have arrived since.
    producers[1].set_empty_at_ms(9);
    assert_eq!(drain_ready(&mut fanout), "");
    producers[1].batches.send(batch_at_ms(&fanout, 12, &[4, 6])).unwrap();
    assert_eq!(drain_ready(&mut fanout), "4,5,6,");
    producers[1].set_empty_at_ms(20);
    assert_eq!(drain_ready(&mut fanout), "7,");
    assert!(!fanout.has_pending());
}

#[test]
fn clock_set_back_delays_no_packet() {
    let (mut fanout, producers) = fanout(2);
    producers[0].batches.send(batch_at_ms(&fanout, 10, &[5_000, 5_001])).unwrap();
    producers[1].batches.send(batch_at_ms(&fanout, 20, &[100, 101])).unwrap();
    producers[0].set_empty_at_ms(30);
    producers[1].set_empty_at_ms(30);
    assert_eq!(drain_ready(&mut fanout), "100,101,5000,5001,");
}

#[test]
fn late_packet_is_written_out_of_order() {
    let (mut fanout, producers) = fanout(2);
    producers[0].batches.send(batch_at_ms(&fanout, 10, &[9])).unwrap();
    // Stamped at 4, but still not in the ring one delay after the batch was read.
    producers[1].set_empty_at(Duration::from_millis(10) + MAX_STAMP_DELAY);
    assert_eq!(drain_ready(&mut fanout), "9,");
    producers[1].batches.send(batch_at_ms(&fanout, 12, &[4])).unwrap();
    producers[0].set_empty_at_ms(20);
    assert_eq!(drain_ready(&mut fanout), "4,");
}

#[test]
fn reading_stops_when_the_visitor_stops() {
    let (mut fanout, producers) = fanout(1);
    producers[0].batches.send(batch_at_ms(&fanout, 10, &[1, 2])).unwrap();
    producers[0].set_empty_at_ms(30);
    let mut count = 0;
    let visit = |_: PacketEvent<'_>| {
        count += 1;
        Ok(false)
    };
    assert!(fanout.read(visit).unwrap());
    assert_eq!(count, 1);
}

#[test]
fn losses_are_reported_once_before_the_lines_of_their_batch() {
    let (mut fanout, producers) = fanout(1);
    let mut losing = batch_at_ms(&fanout, 10, &[1, 2]);
    losing.has_losses = true;
    producers[0].batches.send(losing).unwrap();
    producers[0].set_empty_at_ms(30);
    let mut events = String::new();
    // Only one line at a time may leave.
    for _ in 0..3 {
        let mut left = 1;
        let visit = |event: PacketEvent<'_>| {
            left -= 1;
            events += match event {
                PacketEvent::Losses => "losses ",
                _ => "line ",
            };
            Ok(0 < left)
        };
        fanout.read(visit).unwrap();
    }
    assert_eq!(events, "losses line line ");
}

#[test]
fn panic_in_a_thread_is_an_error_after_its_last_batch() {
    let (mut fanout, mut producers) = fanout(1);
    producers[0].batches.send(batch_at_ms(&fanout, 10, &[1])).unwrap();
    // Without a message from the panic hook.
    let thread = std::thread::spawn(|| std::panic::resume_unwind(Box::new(())));
    fanout.workers[0].thread = Some(thread);
    producers.clear();
    let mut count = 0;
    let mut visit = |_: PacketEvent<'_>| {
        count += 1;
        Ok(true)
    };
    assert!(fanout.read(&mut visit).unwrap());
    assert!(matches!(fanout.read(&mut visit), Err(Error::ReaderPanicked)));
    assert!(!fanout.read(&mut visit).unwrap(), "reported once, so that the run can end");
    assert_eq!(count, 1);
}

/// A packet of the simulation; times in microseconds after the start.
#[derive(Clone, Copy, Debug)]
struct SimulatedPacket {
    worker: usize,
    stamped_at: u64,
    in_ring_at: u64,
}

/// Packets of `worker_count` rings. Each is stamped after the one before, and reaches its ring
/// after those before it and within the limit.
fn simulated_packets(worker_count: usize) -> impl Strategy<Value = Vec<SimulatedPacket>> {
    let max_delay = u64::try_from(MAX_STAMP_DELAY.as_micros()).unwrap();
    let packet = (0..worker_count, 1u64..2_000, 0..max_delay);
    proptest::collection::vec(packet, 0..100).prop_map(move |packets| {
        let mut stamped_at = 0;
        let mut last_in_ring_at = vec![0; worker_count];
        let simulate = |(worker, gap, delay)| {
            stamped_at += gap;
            let last: &mut u64 = &mut last_in_ring_at[worker];
            *last = (*last).max(stamped_at + delay);
            SimulatedPacket { worker, stamped_at, in_ring_at: *last }
        };
        packets.into_iter().map(simulate).collect()
    })
}

proptest! {
    /// Distributes lines over workers and batches: each leaves once, in order.
    #[test]
    fn all_lines_leave_in_timestamp_order(
        workers in proptest::collection::vec(
            proptest::collection::vec(0i64..1_000, 0..60), 1..5,
        ),
        batch_len in 1usize..20,
    ) {
        let (mut fanout, producers) = fanout(workers.len());
        let mut expected = Vec::new();
        for (mut times, producer) in workers.into_iter().zip(&producers) {
            times.sort_unstable();
            for times in times.chunks(batch_len) {
                producer.batches.send(batch_at_ms(&fanout, 1, times)).unwrap();
            }
            producer.set_empty_at_ms(30);
            expected.extend(times);
        }
        expected.sort_unstable();
        let expected: String = expected.iter().map(|time| format!("{time},")).collect();
        prop_assert_eq!(drain_ready(&mut fanout), expected);
    }

    /// Simulates kernel and threads under the conditions of the module's documentation: whenever
    /// the threads read their rings and the merge runs, lines leave in timestamp order.
    #[test]
    fn lines_leave_in_order_if_packets_reach_their_rings_in_time(
        packets in simulated_packets(3),
        polls in proptest::collection::vec((0usize..3, 1u64..1_500), 0..200),
    ) {
        let (mut fanout, producers) = fanout(3);
        let mut text = String::new();
        let mut rings: Vec<Vec<_>> = (0..3)
            .map(|worker| packets.iter().filter(|packet| packet.worker == worker).collect())
            .collect();
        let mut now = 0;
        // At the end each thread reads its rest and then finds its ring empty.
        let last = [(0, 1_000_000), (1, 1), (2, 1), (0, 10_000), (1, 1), (2, 1)];
        for (worker, interval) in polls.into_iter().chain(last) {
            now += interval;
            let ring = &mut rings[worker];
            let ready = ring.iter().take_while(|packet| packet.in_ring_at <= now).count();
            let read_at = Duration::from_micros(now);
            if ready == 0 {
                producers[worker].set_empty_at(read_at);
            } else {
                let times: Vec<_> = ring
                    .drain(..ready)
                    .map(|packet| i64::try_from(packet.stamped_at).unwrap())
                    .collect();
                producers[worker].batches.send(batch(&fanout, read_at, &times)).unwrap();
            }
            text += &drain_ready(&mut fanout);
        }
        let expected: String =
            packets.iter().map(|packet| format!("{},", packet.stamped_at)).collect();
        prop_assert_eq!(text, expected);
    }
}
