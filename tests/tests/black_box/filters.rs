//! Filters of live captures and of files: the kernel and our interpreter agree, and the counters are
//! right. Other tests compare the meaning of expressions with libpcap.

use filter::{LinkType, Metadata, Options, Program, Source, compile};
use socket2::{Domain, SockFilter, Socket, Type};
use std::fs;
use std::process::Command;
use tempfile::tempdir;
use tests::frames::{ARP, IPV4, IPV6, Sender, ethernet, ipv4, ipv6, pcap, tcp, udp};
use tests::process::{Capture, Process, finish, run, sniffer};
use tests::stream::Stream;
use tests::veth::with_veth;

/// Frames of many kinds. Each has a different length, which identifies it.
fn frames() -> Vec<Vec<u8>> {
    let payload = |len: usize| vec![0x61; len];
    let fragment = {
        let mut packet = ipv4(17, &udp(&payload(40)));
        packet[6..8].copy_from_slice(&[0x20, 0x10]);
        packet
    };
    let frames = [
        ethernet(&[], IPV4, &ipv4(6, &tcp(&payload(1)))),
        ethernet(&[], IPV4, &ipv4(17, &udp(&payload(2)))),
        ethernet(&[], IPV6, &ipv6(17, &udp(&payload(3)))),
        ethernet(&[], IPV6, &ipv6(6, &tcp(&payload(4)))),
        ethernet(&[], ARP, &[&[0, 1, 8, 0, 6, 4, 0, 1][..], &payload(30)].concat()),
        ethernet(&[(0x8100, 5)], IPV4, &ipv4(17, &udp(&payload(6)))),
        ethernet(&[(0x8100, 100)], IPV4, &ipv4(6, &tcp(&payload(7)))),
        ethernet(&[(0x88a8, 100), (0x8100, 200)], IPV4, &ipv4(17, &udp(&payload(8)))),
        ethernet(&[(0x8100, 100), (0x8100, 5)], IPV6, &ipv6(6, &tcp(&payload(9)))),
        ethernet(&[(0x8100, 200)], ARP, &payload(60)),
        ethernet(&[], IPV4, &fragment),
        ethernet(&[], IPV4, &ipv4(1, &[&[8, 0, 0, 0, 0, 1, 0, 1][..], &payload(40)].concat())),
    ];
    let mut frames = frames.to_vec();
    for (n, frame) in frames.iter_mut().enumerate() {
        frame.resize(200 + n, 0);
    }
    frames
}

const EXPRESSIONS: [&str; 14] = [
    "tcp",
    "udp port 53",
    "ip6 and tcp",
    "arp or icmp",
    "vlan",
    "not vlan",
    "vlan 100",
    "vlan 100 and tcp",
    "vlan and vlan",
    "vlan 100 and vlan 200 and udp",
    "vlan and udp port 53",
    "vlan 5 or vlan 200",
    "ip or vlan and ip6",
    "len > 205 and ip[6:2] & 0x1fff = 0",
];

/// Lengths of the frames that the interpreter accepts. Like the kernel, it gets the outermost VLAN
/// tag as metadata, not in the frame.
fn expected(expression: &str, frames: &[Vec<u8>]) -> Vec<u64> {
    let options = Options { source: Source::Live, ..Options::default() };
    let program = compile(expression, LinkType::ETHERNET, &options).unwrap();
    let is_accepted = |frame: &&Vec<u8>| {
        let half_word = |offset: usize| u16::from_be_bytes([frame[offset], frame[offset + 1]]);
        let vlan = matches!(half_word(12), 0x8100 | 0x88a8).then(|| (half_word(12), half_word(14)));
        let kept = match vlan {
            Some(_) => [&frame[..12], &frame[16..]].concat(),
            None => frame.to_vec(),
        };
        let len = u32::try_from(kept.len()).unwrap();
        filter::run(&program, &kept, len, &Metadata { vlan, ..Metadata::default() }) != 0
    };
    frames.iter().filter(is_accepted).map(|frame| frame.len() as u64).collect()
}

fn captured(args: &[&str], frames: &[Vec<u8>]) -> Stream {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let capture = Capture::start(directory.path(), args);
        let sender = Sender::new("left");
        frames.iter().for_each(|frame| sender.send(frame));
        capture.stop()
    })
}

fn lens(stream: &Stream) -> Vec<u64> {
    stream.packets.iter().map(|packet| packet.len).collect()
}

#[test]
fn kernel_and_interpreter_agree_on_vlan_traffic() {
    let frames = frames();
    for expression in EXPRESSIONS {
        let stream = captured(&["-i", "right", expression], &frames);
        assert_eq!(lens(&stream), expected(expression, &frames), "{expression}");
        assert_eq!(stream.interface_stats("right").skip, 0, "{expression}: filtered by the kernel");
        assert_eq!(stream.meta["filter"], expression);
    }
}

/// An equivalent expression whose program is too long for the kernel.
fn too_long(expression: &str) -> String {
    let others: Vec<_> =
        (0..3_000).map(|n| format!("host 172.16.{}.{}", n / 250, n % 250)).collect();
    format!("({expression}) and not ({})", others.join(" or "))
}

#[test]
fn programs_too_long_for_the_kernel_run_in_sniffer() {
    let frames = frames();
    for (expression, threads) in
        [("vlan 100 and tcp", "1"), ("udp", "1"), ("udp", "2"), ("not vlan", "1")]
    {
        let expression = too_long(expression);
        let stream = captured(&["-i", "right", "--threads", threads, &expression], &frames);
        let expected = expected(&expression, &frames);
        let mut seen = lens(&stream);
        seen.sort_unstable();
        assert_eq!(seen, expected);
        let sum = stream.interface_stats("right");
        assert_eq!(sum.skip, (frames.len() - expected.len()) as u64);
        assert_eq!(sum.recv, frames.len() as u64);
    }
    let output = with_veth(|| run(&["-i", "right", "--duration", "0.1", &too_long("ip")]));
    let stderr = output.stderr;
    assert!(stderr.contains("the kernel accepts at most 4096"), "{stderr}");
}

#[test]
fn any_interface_is_filtered() {
    let frames = frames();
    let stream = captured(&["-i", "any", "udp"], &frames);
    let in_frames = expected("udp", &frames);
    let received = stream.packets.iter().filter(|packet| packet.dir.as_deref() != Some("out"));
    assert_eq!(stream.interface_stats("any").skip, 0, "filtered by the kernel");
    // The cooked header replaces the link header.
    let seen: Vec<_> = received.map(|packet| packet.len + 14 - 20).collect();
    assert_eq!(seen, in_frames);
    let both = captured(&["-i", "right", "-i", "left", "arp"], &frames);
    let of = |name: &str| {
        both.packets.iter().filter(|packet| packet.r#if.as_deref() == Some(name)).count()
    };
    // The tag of a received frame is metadata; a frame sent by a packet socket still contains it.
    assert_eq!((of("right"), of("left")), (2, 1));
}

#[test]
fn filtered_files_keep_packet_numbers() {
    let directory = tempdir().unwrap();
    let file = directory.path().join("capture.pcap");
    fs::write(&file, pcap(10)).unwrap();
    let file = file.to_str().unwrap();
    let numbers = |args: &[&str]| {
        let output = run(args);
        let stream = Stream::read(&output.stdout);
        let numbers: Vec<_> = stream.packets.iter().map(|packet| packet.n).collect();
        (numbers, stream.end.out, stream.end.skip)
    };
    let all = numbers(&["-r", file]);
    assert_eq!(all, ((1..=10).collect(), 10, 0));
    assert_eq!(numbers(&["-r", file, "len", ">", "0"]), all, "arguments are joined");
    let (none, out, skip) = numbers(&["-r", file, "greater 60000"]);
    assert_eq!((none, out, skip), (vec![], 0, 10));
    let args = ["-r", file, "ether[0] = 2 and not len = 0"];
    assert_eq!(numbers(&args), numbers(&[&args[..], &["--threads", "2"]].concat()));
    let list = directory.path().join("filter");
    fs::write(&list, "len > 0 # all\n and greater 60000\n").unwrap();
    assert_eq!(numbers(&["-r", file, "-F", list.to_str().unwrap()]), (vec![], 0, 10));
}

#[test]
fn dump_matches_tcpdump() {
    for form in ["-d", "-dd", "-ddd"] {
        for expression in [
            "ip",
            "tcp[13] & 7 != 0 and greater 100",
            "ether host 1:2:3:4:5:6",
            "len / 3 = 30 or arp",
        ] {
            let theirs =
                Command::new("tcpdump").args([form, "-y", "EN10MB", expression]).output().unwrap();
            let own = run(&[form, "-y", "EN10MB", expression]);
            assert!(own.status.success());
            let [own, theirs] =
                [own.stdout, theirs.stdout].map(|text| String::from_utf8(text).unwrap());
            assert_eq!(own, theirs, "{form} {expression}");
        }
    }
    let plain = run(&["-ddd", "-O", "-y", "EN10MB", "port 80"]).stdout;
    let short = run(&["-ddd", "-y", "EN10MB", "port 80"]).stdout;
    assert!(short.len() < plain.len());
}

#[test]
fn filter_errors_point_at_the_offending_text() {
    let output = run(&["-d", "-y", "EN10MB", "tcp port 70000 or ip"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let stderr = output.stderr;
    assert!(stderr.ends_with("  tcp port 70000 or ip\n           ^^^^^\n"), "{stderr}");
    for (args, part) in [
        (&["-d", "-y", "ETHERNET", "ip"][..], "EN10MB"),
        (&["-y", "EN10MB", "ip"], "-d"),
        (&["-d", "-y", "EN10MB", "inbound", "and", "host", "no-such-name.invalid"], "unknown host"),
    ] {
        let mut command = sniffer();
        command.args(args).stderr(std::process::Stdio::piped());
        let output = finish(Process::spawn(&mut command));
        let stderr = output.stderr;
        assert!(!output.status.success() && stderr.contains(part), "{args:?}: {stderr}");
    }
}

/// The kernel accepts all programs, also those with VLAN metadata. Any socket has the check.
#[test]
fn programs_pass_the_kernel_check() {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
    let terms = include_str!("../filters/terms.txt").lines();
    let mut attached = 0;
    for term in terms.chain(EXPRESSIONS) {
        for (link, _) in LinkType::names() {
            for (source, optimize) in
                [(Source::Live, true), (Source::Live, false), (Source::Anywhere, true)]
            {
                let options = Options { source, optimize, ..Options::default() };
                let link = LinkType::from_name(link).unwrap();
                let Ok(program) = compile(term, link, &options) else { continue };
                if program.instructions().len() <= Program::KERNEL_MAX_LEN {
                    let instructions = program.instructions().iter();
                    let instructions: Vec<_> =
                        instructions.map(|i| SockFilter::new(i.code, i.jt, i.jf, i.k)).collect();
                    socket
                        .attach_filter(&instructions)
                        .unwrap_or_else(|error| panic!("{term}: {error}"));
                    attached += 1;
                }
            }
        }
    }
    assert!(3_000 < attached, "{attached} programs");
}
