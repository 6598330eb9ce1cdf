//! `--ring` and `--trigger`: packets before and after a trigger.

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::fs;
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, tcp, udp};
use tests::packet_file::PacketFile;
use tests::process::Capture;
use tests::reference::parse_ns;
use tests::stream::Stream;
use tests::veth::with_veth;

/// The packets and lines of a live capture with a recorder while `work` sends frames.
fn recorded(args: &[&str], work: impl FnOnce(&Capture, &Sender) + Send) -> (PacketFile, Stream) {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("packets.pcapng");
        let all = ["-i", "right", "--pcapng", path.to_str().unwrap()];
        let capture = Capture::start(directory.path(), &[&all[..], args].concat());
        work(&capture, &Sender::new("left"));
        let stream = capture.stop();
        let file = PacketFile::read(&fs::read(&path).unwrap());
        assert_eq!(file.statistics[0].usrdeliv, file.packets.len() as u64);
        (file, stream)
    })
}

/// Number of the packet, packets from memory and time of each `trigger` event.
fn triggers_of(stream: &Stream) -> Vec<(Value, Value, Value)> {
    let triggers = stream.events.iter().filter(|event| event["event"] == "trigger");
    triggers
        .map(|event| [&event["n"], &event["packets"], &event["ts"]].map(Value::clone).into())
        .collect()
}

/// A frame of 100 bytes: a block of 156 bytes.
fn frame() -> Vec<u8> {
    ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 58])))
}

fn wait_for_lines(capture: &Capture, count: usize) {
    capture.wait_until(|text| text.matches("\"pkt\"").count() == count);
}

/// By size, the number of packets before and after a trigger is known.
#[test]
fn recorder_writes_a_size_around_each_trigger() {
    const FIT: u64 = (64 << 10) / 156;
    for threads in ["1", "2"] {
        let args = ["--ring", "64KiB", "--trigger", "tcp", "--threads", threads];
        let (file, stream) = recorded(&args, |capture, sender| {
            let trigger = ethernet(&[], IPV4, &ipv4(6, &tcp(&[0; 46])));
            let frame = frame();
            assert_eq!(trigger.len(), frame.len());
            for step in 1..=3_000 {
                sender.send(if [1_000, 2_500].contains(&step) { &trigger } else { &frame });
            }
            wait_for_lines(capture, 3_000);
        });
        assert_eq!(stream.packets.len(), 3_000);
        let ids: Vec<_> = file.packets.iter().map(|packet| packet.id.unwrap()).collect();
        let triggers = stream.packets.iter().filter(|packet| packet.proto == "tcp");
        // Before and including the trigger, and after it.
        let windows = triggers.flat_map(|packet| packet.n - FIT + 1..=packet.n + FIT);
        assert!(ids.iter().copied().eq(windows), "{} packets", ids.len());
        // The lines tell about each window.
        let triggers = stream.packets.iter().filter(|packet| packet.proto == "tcp");
        let expected: Vec<_> =
            triggers.map(|packet| (json!(packet.n), json!(FIT), json!(packet.ts))).collect();
        assert_eq!(triggers_of(&stream), expected);
    }
}

/// By time, the packets are those whose times are in the window; SIGUSR1 is a trigger.
#[test]
fn recorder_writes_a_time_around_each_trigger() {
    const SPAN_NS: i64 = 300_000_000;
    let args = ["--ring", "300ms", "--trigger", "tcp", "--keep", "udp"];
    let (file, stream) = recorded(&args, |capture, sender| {
        let (frame, trigger) = (frame(), ethernet(&[], IPV4, &ipv4(6, &tcp(&[]))));
        for count in 1..=200 {
            sender.send(if count == 100 { &trigger } else { &frame });
            // Lines take tens of milliseconds: time passes between the packets.
            if count % 5 == 0 {
                wait_for_lines(capture, count);
            }
        }
    });
    let trigger = stream.packets.iter().find(|packet| packet.proto == "tcp").unwrap();
    let at = parse_ns(&trigger.ts);
    let is_around = |ts: &str| (at - SPAN_NS..=at + SPAN_NS).contains(&parse_ns(ts));
    let expected: Vec<_> = stream
        .packets
        .iter()
        .filter(|packet| packet.proto == "udp" && is_around(&packet.ts))
        .map(|packet| packet.n)
        .collect();
    let ids: Vec<_> = file.packets.iter().map(|packet| packet.id.unwrap()).collect();
    assert_eq!(ids, expected);
    let udp = stream.packets.len() - 1;
    assert!(!ids.is_empty() && ids.len() < udp, "{} of {udp}", ids.len());
}

#[test]
fn signal_is_a_trigger() {
    let (file, stream) = recorded(&["--ring", "1h"], |capture, sender| {
        (0..10).for_each(|_| sender.send(&frame()));
        wait_for_lines(capture, 10);
        capture.signal(Signal::SIGUSR1);
        (0..5).for_each(|_| sender.send(&frame()));
        wait_for_lines(capture, 15);
    });
    assert_eq!(stream.packets.len(), 15);
    let triggers = triggers_of(&stream);
    assert_eq!((triggers.len(), &triggers[0].0, &triggers[0].1), (1, &Value::Null, &json!(10)));
    assert!(file.packets.iter().map(|packet| packet.id.unwrap()).eq(1..=15));
    let (file, stream) = recorded(&["--ring", "1h"], |capture, sender| {
        (0..10).for_each(|_| sender.send(&frame()));
        wait_for_lines(capture, 10);
    });
    assert_eq!((stream.packets.len(), file.packets.len()), (10, 0), "without a trigger");
    assert!(triggers_of(&stream).is_empty());
}
