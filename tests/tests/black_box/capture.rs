//! Live captures on a veth pair or loopback, each test in its own network namespace.

use nix::sys::signal::Signal;
use tempfile::tempdir;
use tests::frames::{ARP, IPV4, IPV6, Sender, ethernet, ipv4, ipv6, tcp, udp};
use tests::process::{Capture, Process, run, sniffer};
use tests::stream::{Packet, Stream};
use tests::veth::with_veth;
use xtask::namespace;

/// Sends frames into one end of a veth pair and captures them on the other.
fn captured(args: &[&str], frames: &[Vec<u8>]) -> Stream {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &[&["-i", "right"], args].concat());
        let sender = Sender::new("left");
        frames.iter().for_each(|frame| sender.send(frame));
        capture.stop()
    })
}

#[test]
fn each_frame_has_one_line_with_the_expected_fields() {
    let arp =
        [0, 1, 8, 0, 6, 4, 0, 2, 2, 0, 0, 0, 0, 1, 10, 0, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 2];
    let echo6 = [128, 0, 0, 0, 0, 1, 0, 1];
    let options = [&[17, 0, 1, 4, 0, 0, 0, 0][..], &udp(&[1; 3])].concat();
    let frames = [
        ethernet(&[], IPV4, &ipv4(6, &tcp(b"hello"))),
        ethernet(&[], IPV4, &ipv4(17, &udp(&[7; 30]))),
        ethernet(&[], IPV4, &ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 1])),
        ethernet(&[], ARP, &arp),
        ethernet(&[], IPV6, &ipv6(58, &echo6)),
        ethernet(&[], IPV6, &ipv6(0, &options)),
        ethernet(&[(0x8100, 5)], IPV4, &ipv4(17, &udp(&[]))),
        ethernet(&[(0x88a8, 100), (0x8100, 200)], IPV4, &ipv4(17, &udp(&[]))),
        ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 8_950]))),
        ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 59_958]))),
        ethernet(&[], 0x88cc, &[0; 46]),
    ];
    let stream = captured(&[], &frames);
    let base = |packet: &Packet| {
        let mut packet = packet.clone();
        assert_eq!(
            (packet.r#if.take().as_deref(), packet.dir.take().as_deref()),
            (Some("right"), Some("other"))
        );
        packet.ts.clear();
        packet
    };
    let seen: Vec<_> = stream.packets.iter().map(base).collect();
    let text = |text: &str| Some(text.to_owned());
    let packet = |n: u64, proto: &str| Packet {
        r#type: "pkt".into(),
        n,
        len: frames[usize::try_from(n).unwrap() - 1].len() as u64,
        src: text("10.0.0.1"),
        dst: text("10.0.0.2"),
        proto: proto.into(),
        ttl: Some(64),
        ..Packet::default()
    };
    let ports = |packet: Packet, payload| Packet {
        sport: Some(4_000),
        dport: Some(53),
        payload: Some(payload),
        ..packet
    };
    let v6 = |packet: Packet| Packet { src: text("fd00::1"), dst: text("fd00::2"), ..packet };
    let expected = [
        Packet {
            dport: Some(443),
            flags: text("SA"),
            seq: Some(7),
            ack: Some(9),
            win: Some(8_192),
            ..ports(packet(1, "tcp"), 5)
        },
        ports(packet(2, "udp"), 30),
        Packet { icmp_type: Some(8), icmp_code: Some(0), ..packet(3, "icmp") },
        Packet { ttl: None, arp_op: Some(2), ..packet(4, "arp") },
        Packet { icmp_type: Some(128), icmp_code: Some(0), ..v6(packet(5, "icmp6")) },
        ports(v6(packet(6, "udp")), 3),
        Packet { vlan: Some(vec![5]), ..ports(packet(7, "udp"), 0) },
        Packet { vlan: Some(vec![100, 200]), ..ports(packet(8, "udp"), 0) },
        ports(packet(9, "udp"), 8_950),
        ports(packet(10, "udp"), 59_958),
        Packet {
            eth_src: text("02:00:00:00:00:01"),
            eth_dst: text("02:00:00:00:00:02"),
            src: None,
            dst: None,
            ttl: None,
            ..packet(11, "lldp")
        },
    ];
    for (seen, expected) in seen.iter().zip(&expected) {
        assert_eq!(seen, expected);
    }
    assert_eq!((seen.len(), frames[9].len()), (expected.len(), 60_000));
    assert!(stream.packets.windows(2).all(|pair| pair[0].ts <= pair[1].ts));
}

#[test]
fn loopback_packets_appear_once() {
    for interface in ["lo", "any"] {
        let stream = namespace::run(|| {
            let directory = tempdir().unwrap();
            let capture = Capture::start(directory.path(), &["-i", interface]);
            let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            for len in 1..=100 {
                socket.send_to(&vec![0; len], socket.local_addr().unwrap()).unwrap();
            }
            capture.stop()
        });
        let payloads: Vec<_> = stream.packets.iter().map(|packet| packet.payload).collect();
        assert_eq!(payloads, (1..=100).map(Some).collect::<Vec<_>>(), "{interface}");
        assert!(stream.packets.iter().all(|packet| packet.r#if.as_deref() == Some("lo")));
    }
}

#[test]
fn any_has_real_interface_names_and_vlan_tags() {
    let stream = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "any"]);
        Sender::new("left").send(&ethernet(&[(0x8100, 7)], IPV4, &ipv4(17, &udp(&[1; 9]))));
        capture.stop()
    });
    let seen: Vec<_> = (stream.packets.iter())
        .map(|packet| (packet.r#if.as_deref().unwrap(), packet.dir.as_deref().unwrap()))
        .collect();
    assert_eq!(seen, [("left", "out"), ("right", "other")]);
    for packet in &stream.packets {
        assert_eq!((packet.link.as_deref(), &packet.proto[..]), (Some("sll2"), "udp"));
        assert_eq!((packet.vlan.as_deref(), packet.payload), (Some(&[7][..]), Some(9)));
    }
}

#[test]
fn burst_of_200_000_frames_is_captured_without_loss() {
    const COUNT: u64 = 200_000;
    let stream = with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right"]);
        let sender = Sender::new("left");
        let mut frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
        for number in 0..COUNT {
            frame[42..50].copy_from_slice(&number.to_be_bytes());
            sender.send(&frame);
        }
        capture.stop()
    });
    let end = stream.end;
    assert_eq!((end.recv, end.out, end.drop, end.skip), (COUNT, COUNT, 0, 0));
    assert!(stream.packets.iter().all(|packet| packet.len == 60 && packet.payload == Some(18)));
}

#[test]
fn snap_length_and_ethernet_addresses_follow_the_options() {
    let frames = [ethernet(&[(0x8100, 5)], IPV4, &ipv4(6, &tcp(&[0; 500])))];
    let stream = captured(&["-s", "64", "-e", "-p"], &frames);
    let packet = &stream.packets[0];
    assert_eq!((packet.len, packet.cap, packet.payload), (558, Some(64), Some(500)));
    assert_eq!(packet.eth_src.as_deref(), Some("02:00:00:00:00:01"));
    assert_eq!(packet.eth_dst.as_deref(), Some("02:00:00:00:00:02"));
    assert_eq!(
        (&stream.meta["snaplen"], &stream.meta["interfaces"][0]["promisc"]),
        (&64.into(), &false.into())
    );
}

#[test]
fn direction_is_filtered_in_the_kernel() {
    for (direction, interfaces) in
        [("in", &["right"][..]), ("out", &["left"]), ("inout", &["left", "right"])]
    {
        let stream = with_veth(|| {
            let directory = tempdir().unwrap();
            let capture = Capture::start(directory.path(), &["-i", "any", "-Q", direction]);
            Sender::new("left").send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[]))));
            capture.stop()
        });
        let seen: Vec<_> =
            stream.packets.iter().map(|packet| packet.r#if.as_deref().unwrap()).collect();
        assert_eq!((seen, stream.end.skip), (interfaces.to_vec(), 0), "{direction}");
    }
}

#[test]
fn buffer_overflow_is_reported_and_every_packet_counted() {
    let (output, stream) = with_veth(|| {
        let directory = tempdir().unwrap();
        let args = ["-i", "right", "-B", "256", "--block-size", "64", "--stats", "0.01"];
        let capture = Capture::start(directory.path(), &args);
        capture.signal(Signal::SIGSTOP);
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 1_000])));
        (0..2_000).for_each(|_| sender.send(&frame));
        capture.signal(Signal::SIGCONT);
        capture.signal(Signal::SIGTERM);
        capture.wait()
    });
    assert!(output.status.success(), "{}", output.stderr);
    let end = stream.end;
    assert_eq!(end.recv, 2_000);
    assert!(0 < end.drop && 0 < end.out, "{end:?}");
    assert!(output.stderr.contains("the kernel dropped"), "{}", output.stderr);
    assert!(output.stderr.contains("-B"), "{}", output.stderr);
}

#[test]
fn run_ends_by_signal_count_or_duration() {
    with_veth(|| {
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[])));
        for signal in [Signal::SIGINT, Signal::SIGTERM] {
            let directory = tempdir().unwrap();
            let capture = Capture::start(directory.path(), &["-i", "right"]);
            sender.send(&frame);
            capture.signal(signal);
            let (output, stream) = capture.wait();
            assert!(output.status.success());
            assert_eq!((&stream.reason[..], stream.packets.len()), ("signal", 1));
            assert!(output.stderr.contains("1 packet captured on right"), "{}", output.stderr);
        }
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), &["-i", "right", "-c", "3", "-q"]);
        (0..10).for_each(|_| sender.send(&frame));
        let (output, stream) = capture.wait();
        assert_eq!(
            (&stream.reason[..], stream.packets.len(), &output.stderr[..]),
            ("count", 3, "")
        );
        let output = run(&["-i", "right", "--duration", "0.05", "--stats", "0.01"]);
        let stream = Stream::read(&output.stdout);
        assert_eq!(&stream.reason[..], "duration");
        assert!(2 <= stream.stats.len());
    });
}

#[test]
fn signal_ignored_at_start_stays_ignored() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("capture.ndjson");
        // Start it as nohup does.
        let program = xtask::build::sniffer_path();
        let script = format!(
            "trap '' HUP; exec {} -i right --stats 0.01 -w {}",
            program.display(),
            file.display()
        );
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).stderr(std::process::Stdio::piped());
        let capture = Capture::from_process(Process::spawn(&mut command), file);
        capture.wait_until(|text| text.contains("\"stats\""));
        capture.signal(Signal::SIGHUP);
        let seen = capture.file_len();
        capture.wait_until(|text| seen + 1_000 < text.len() && text.ends_with('\n'));
        let stream = capture.stop();
        assert_eq!(&stream.reason[..], "signal");
    });
}

#[test]
fn default_interface_is_that_of_the_default_route() {
    with_veth(|| {
        let chosen = || {
            let output = run(&["--duration", "0.01"]);
            assert!(output.status.success(), "{}", output.stderr);
            let stream = Stream::read(&output.stdout);
            let name = stream.meta["interfaces"][0]["name"].as_str().unwrap().to_owned();
            assert!(output.stderr.contains(&format!("capturing on {name}")));
            name
        };
        let up = chosen();
        assert!(["left", "right"].contains(&&up[..]), "not loopback: {up}");
        namespace::ip("address add 10.9.9.1/24 dev right").unwrap();
        namespace::ip("route add default via 10.9.9.2 dev right metric 50").unwrap();
        assert_eq!(chosen(), "right");
        namespace::ip("address add 10.8.8.1/24 dev left").unwrap();
        namespace::ip("route add default via 10.8.8.2 dev left metric 10").unwrap();
        assert_eq!(chosen(), "left");
    });
}

#[test]
fn list_shows_state_link_type_and_addresses() {
    with_veth(|| {
        namespace::ip("link set left down").unwrap();
        namespace::ip("address add 10.9.9.1/24 dev right").unwrap();
        let output = run(&["-D"]);
        let list = String::from_utf8(output.stdout).unwrap();
        let line = |name: &str| list.lines().find(|line| line.contains(name)).unwrap().to_owned();
        assert!(line(".lo ").contains("[up]  ethernet, loopback  127.0.0.1/8"), "{list}");
        assert!(line(".left ").contains("[down]  ethernet"), "{list}");
        assert!(
            line(".right ").contains("[up, no carrier]") && line(".right ").contains("10.9.9.1/24"),
            "{list}"
        );
        assert!(line(".any ").contains("sll2"), "{list}");
    });
}

/// The interface carries packets while the sniffer starts.
#[test]
fn start_is_not_later_than_the_first_packet() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let file = directory.path().join("out");
        let args = ["-i", "right", "-c", "1", "-w", file.to_str().unwrap()];
        let mut child = Process::spawn(sniffer().args(args).stderr(std::process::Stdio::piped()));
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[])));
        while child.try_wait().unwrap().is_none() {
            sender.send(&frame);
        }
        let stream = Stream::read(&std::fs::read(&file).unwrap());
        let start = stream.meta["start"].as_str().unwrap();
        assert!(start <= &stream.packets[0].ts[..], "{start} <= {}", stream.packets[0].ts);
    });
}

#[test]
fn interface_names_may_contain_commas() {
    namespace::run(|| {
        namespace::ip("link add left,right type veth peer name other").unwrap();
        namespace::ip("link set left,right up").unwrap();
        let output = run(&["-i", "lo,left,right", "--duration", "0.01"]);
        let stream = Stream::read(&output.stdout);
        let names = stream.meta["interfaces"].as_array().unwrap().iter().map(|i| &i["name"]);
        assert!(names.eq(["lo", "left,right"]), "{}", stream.meta);
        let output = run(&["-d", "-i", "left,right", "ip"]);
        assert!(output.stdout.starts_with(b"(000) ldh      [12]"), "{}", output.stderr);
    });
}
