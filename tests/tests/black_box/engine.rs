//! The capture engine: several interfaces, threads, older kernels, and segmentation offload.

use nix::sys::socket::{setsockopt, sockopt};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use tempfile::tempdir;
use tests::frames::{IPV4, Sender, ethernet, ipv4, udp};
use tests::process::Capture;
use tests::stream::Stream;
use tests::veth::with_veth;
use xtask::namespace;

fn packet(payload_len: usize) -> Vec<u8> {
    ethernet(&[], IPV4, &ipv4(17, &udp(&vec![0; payload_len])))
}

#[test]
fn several_interfaces_share_a_stream_with_separate_counters() {
    let stream = with_veth(|| {
        let directory = tempdir().unwrap();
        let args = ["-i", "left", "-i", "right", "--stats", "0.02"];
        let capture = Capture::start(directory.path(), &args);
        let sender = Sender::new("left");
        (0..1_000).for_each(|_| sender.send(&packet(18)));
        let (other, back) = (Sender::new("right"), packet(100));
        (0..10).for_each(|_| other.send(&back));
        capture.stop()
    });
    let names: Vec<_> = (0..2).map(|index| &stream.meta["interfaces"][index]["name"]).collect();
    assert_eq!(names, ["left", "right"]);
    for (name, direction) in [("left", "out"), ("right", "other")] {
        let sum = stream.interface_stats(name);
        assert_eq!((sum.recv, sum.out, sum.drop), (1_010, 1_010, 0), "{name}");
        assert_eq!(sum.bytes, 1_000 * 60 + 10 * 142);
        let of = stream.packets.iter().filter(|packet| packet.r#if.as_deref() == Some(name));
        let of: Vec<_> = of.collect();
        assert_eq!(of.len(), 1_010);
        assert!(of.windows(2).all(|pair| pair[0].ts <= pair[1].ts), "{name} in order");
        assert!(of[..1_000].iter().all(|packet| packet.dir.as_deref() == Some(direction)));
    }
}

/// Sends UDP packets of many flows with increasing lengths.
fn flows(sender: &Sender, count: usize) {
    for number in 0..count {
        let mut frame = packet(number % 1_000);
        // The source port selects the flow.
        frame[34..36].copy_from_slice(&u16::try_from(number % 97).unwrap().to_be_bytes());
        sender.send(&frame);
    }
}

#[test]
fn threads_write_each_packet_once_in_timestamp_order() {
    let stream = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right", "--threads", "3"]);
        flows(&Sender::new("left"), 30_000);
        capture.stop()
    });
    assert_eq!((stream.packets.len(), stream.end.drop), (30_000, 0));
    assert!(stream.packets.windows(2).all(|pair| pair[0].ts <= pair[1].ts), "in timestamp order");
    for (number, packet) in stream.packets.iter().enumerate() {
        let payload = u32::try_from(number % 1_000).unwrap();
        assert_eq!((packet.payload, packet.n), (Some(payload), number as u64 + 1));
    }
    let ports: BTreeSet<_> = stream.packets.iter().map(|packet| packet.sport).collect();
    assert_eq!(ports.len(), 97);
}

#[test]
fn threads_stop_at_the_count() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let args = ["-i", "right", "--threads", "2", "-c", "500"];
        let capture = Capture::start(directory.path(), &args);
        flows(&Sender::new("left"), 2_000);
        let (output, stream) = capture.wait();
        assert!(output.status.success(), "{}", output.stderr);
        assert_eq!((stream.packets.len(), &stream.reason[..]), (500, "count"));
    });
}

/// Makes the kernel refuse TPACKET_V3 rings to this thread and its children.
fn refuse_tpacket_v3() {
    let is = |argument, value| {
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, value).unwrap()
    };
    // setsockopt(…, SOL_PACKET, PACKET_RX_RING, …, sizeof(struct tpacket_req3))
    let rule = SeccompRule::new(vec![is(1, 263), is(2, 5), is(4, 28)]).unwrap();
    let filter = SeccompFilter::new(
        [(nix::libc::SYS_setsockopt, vec![rule])].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(nix::libc::EINVAL.unsigned_abs()),
        std::env::consts::ARCH.try_into().unwrap(),
    );
    let program: BpfProgram = filter.unwrap().try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn falls_back_to_tpacket_v2_with_a_warning() {
    let (output, stream) = with_veth(|| {
        refuse_tpacket_v3();
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right"]);
        let sender = Sender::new("left");
        (0..500).for_each(|len| sender.send(&packet(len)));
        sender.send(&ethernet(&[(0x8100, 5)], IPV4, &ipv4(17, &udp(&[1; 9]))));
        sender.send(&packet(59_958));
        capture.signal(nix::sys::signal::Signal::SIGTERM);
        capture.wait()
    });
    assert!(output.status.success(), "{}", output.stderr);
    assert!(output.stderr.contains("refuses TPACKET_V3"), "{}", output.stderr);
    let payloads: Vec<_> = stream.packets.iter().map(|packet| packet.payload.unwrap()).collect();
    let expected: Vec<_> = (0..500).chain([9, 59_958]).collect();
    assert_eq!(payloads, expected);
    assert_eq!(stream.packets[500].vlan, Some(vec![5]));
    assert_eq!((stream.end.recv, stream.end.drop), (502, 0));
}

#[test]
fn immediate_mode_writes_a_single_packet_at_once() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        // Nothing else can wake the capture: no `stats`, no second packet, no end.
        let args = ["-i", "right", "--immediate", "--stats", "0"];
        let capture = Capture::start(directory.path(), &args);
        let sender = Sender::new("left");
        for number in 1..=3 {
            sender.send(&packet(number));
            capture.wait_until(|text| text.matches("\"pkt\"").count() == number);
        }
        capture.stop();
    });
}

/// Captures the loopback traffic of `send`.
fn on_loopback(args: &[&str], send: impl FnOnce() + Send) -> Stream {
    namespace::run(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), args);
        send();
        capture.stop()
    })
}

fn send_offloaded_segments() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    let reader = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).unwrap();
        bytes.len()
    });
    // Larger than loopback's largest segment of 64 KiB.
    client.write_all(&vec![b'.'; 4_000_000]).unwrap();
    drop(client);
    assert_eq!(reader.join().unwrap(), 4_000_000);
    let sink = UdpSocket::bind("127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    setsockopt(&socket, sockopt::UdpGsoSegment, &1_200).unwrap();
    socket.send_to(&[b'.'; 6_000], sink.local_addr().unwrap()).unwrap();
}

#[test]
fn offloaded_segments_are_distinguished_from_large_packets() {
    for interface in ["lo", "any"] {
        let stream = on_loopback(&["-i", interface], send_offloaded_segments);
        let udp = stream.packets.iter().find(|packet| packet.proto == "udp").unwrap();
        assert_eq!((udp.gso, udp.gso_type.as_deref()), (Some(1_200), Some("udp_l4")));
        assert_eq!((udp.payload, &udp.err), (Some(6_000), &None));
        for packet in stream.packets.iter().filter(|packet| packet.proto == "tcp") {
            let is_cut =
                packet.gso.is_some_and(|segment| u32::from(segment) < packet.payload.unwrap());
            assert_eq!(is_cut, packet.gso.is_some(), "{packet:?}");
            assert_eq!(packet.gso_type.as_deref(), packet.gso.map(|_| "tcpv4"));
        }
        let stream = on_loopback(&["-i", interface, "--no-gso"], send_offloaded_segments);
        assert!(stream.packets.iter().all(|packet| packet.gso.is_none()));
    }
    // A jumbo frame, sent as one packet.
    let stream = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right"]);
        Sender::new("left").send(&packet(8_900));
        capture.stop()
    });
    assert_eq!((stream.packets[0].len, stream.packets[0].gso), (8_942, None));
}

#[test]
fn offloaded_checksums_are_not_errors() {
    let stream = on_loopback(&["-i", "lo"], send_offloaded_segments);
    assert!(5 < stream.packets.len());
    assert!(stream.packets.iter().all(|packet| packet.err.is_none()));
}
