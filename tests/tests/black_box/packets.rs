//! `--pcapng`: the packets with their bytes, compared with tcpdump, the lines and Wireshark.

use nix::sys::signal::Signal;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use summary::capture_file::{Reader, Step};
use tempfile::tempdir;
use tests::capinfos;
use tests::files::{names, write};
use tests::frames::{ARP, IPV4, IPV6, Sender, ethernet, ipv4, ipv6, pcap, tcp, udp};
use tests::packet_file::PacketFile;
use tests::process::{Capture, Process, finish, run, signal, sniffer, wait_for};
use tests::reference::parse_ns;
use tests::stream::Stream;
use tests::veth::with_veth;

/// Frames with and without VLAN tags, short and long.
fn frames() -> Vec<Vec<u8>> {
    let mut frames = vec![
        ethernet(&[], IPV4, &ipv4(6, &tcp(b"hello"))),
        ethernet(&[(0x8100, 5)], IPV4, &ipv4(17, &udp(&[7; 30]))),
        ethernet(&[(0x8100, 0xe005)], IPV6, &ipv6(17, &udp(&[8; 31]))),
        ethernet(&[(0x88a8, 100), (0x8100, 200)], IPV4, &ipv4(17, &udp(&[9; 32]))),
        ethernet(&[(0x8100, 1), (0x8100, 2), (0x8100, 3)], ARP, &[1; 28]),
        ethernet(&[], 0x88cc, &[0; 46]),
        ethernet(&[], IPV4, &ipv4(17, &udp(&[3; 59_958]))),
    ];
    frames.extend((0..500).map(|len| ethernet(&[], IPV4, &ipv4(17, &udp(&vec![4; len])))));
    frames
}

/// Time in microseconds, length on the wire and bytes of the packets in a capture file that may be
/// incomplete.
fn packets_of(bytes: &[u8]) -> Vec<(i64, u32, Vec<u8>)> {
    let (mut rest, mut reader, mut packets) = (bytes, Reader::new(), Vec::new());
    while !rest.is_empty() {
        match reader.step(rest).unwrap() {
            Step::Skipped { consumed } => rest = &rest[consumed..],
            Step::Frame { consumed, frame } => {
                packets.push((frame.ts.ns() / 1_000, frame.wire_len, frame.bytes.to_vec()));
                rest = &rest[consumed..];
            }
            Step::NeedMore { .. } => break,
        }
    }
    packets
}

/// Captures the same frames with tcpdump and the sniffer.
fn with_tcpdump(interface: &str, args: &[&str], frames: &[Vec<u8>]) -> (Vec<u8>, Vec<u8>, Stream) {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let (dump, packets) = (directory.path().join("theirs"), directory.path().join("ours"));
        let mut tcpdump = Command::new("tcpdump");
        tcpdump.args(["-i", interface, "-B", "65536", "-Z", "root", "-U", "-w"]).arg(&dump);
        let tcpdump = Process::spawn(tcpdump.stderr(Stdio::null()));
        wait_for("tcpdump", || dump.metadata().is_ok_and(|metadata| metadata.len() >= 24));
        let packets_arg = packets.to_str().unwrap();
        let all = [&["-i", interface, "--pcapng", packets_arg][..], args].concat();
        let capture = Capture::start(directory.path(), &all);
        let sender = Sender::new("left");
        frames.iter().for_each(|frame| sender.send(frame));
        let stream = capture.stop();
        // tcpdump does not write what the kernel has not handed over yet.
        let expected = stream.packets.len();
        wait_for("all packets in tcpdump's file", || {
            packets_of(&fs::read(&dump).unwrap()).len() == expected
        });
        signal(&tcpdump, Signal::SIGTERM);
        finish(tcpdump);
        (fs::read(&dump).unwrap(), fs::read(&packets).unwrap(), stream)
    })
}

/// Numbers, times, lengths, interfaces and directions are those of the lines.
fn assert_lines_match(file: &PacketFile, stream: &Stream) {
    assert_eq!(file.packets.len(), stream.packets.len());
    for (packet, line) in file.packets.iter().zip(&stream.packets) {
        assert_eq!(packet.id, Some(line.n));
        assert_eq!(i64::try_from(packet.ns).unwrap(), parse_ns(&line.ts), "{line:?}");
        assert_eq!(u64::from(packet.wire_len), line.len);
        assert_eq!(packet.bytes.len() as u64, line.cap.unwrap_or(line.len));
        assert_eq!(file.interface_of(packet), line.r#if.as_deref());
        // Two bits of direction, then three of the type of reception.
        let flags = match line.dir.as_deref() {
            Some("in") => 0b0_01_01,
            Some("mcast") => 0b0_10_01,
            Some("bcast") => 0b0_11_01,
            Some("other") => 0b1_00_01,
            Some("out") => 0b0_00_10,
            dir => panic!("{dir:?}"),
        };
        assert_eq!(packet.flags, Some(flags), "{:?}", line.dir);
    }
}

#[test]
fn packets_are_those_of_tcpdump_byte_for_byte() {
    for (interface, args) in [
        ("right", &[][..]),
        ("right", &["--threads", "2"]),
        ("right", &["-s", "60"]),
        ("any", &[]),
        ("any", &["--threads", "2"]),
    ] {
        let mut frames = frames();
        if interface == "any" {
            // tcpdump does not put the tag back that the kernel removed.
            frames.retain(|frame| ![[0x81, 0], [0x88, 0xa8]].contains(&[frame[12], frame[13]]));
        }
        let (theirs, ours, stream) = with_tcpdump(interface, args, &frames);
        let mut theirs = packets_of(&theirs);
        if let Some(snaplen) = args.iter().position(|arg| *arg == "-s") {
            let snaplen: usize = args[snaplen + 1].parse().unwrap();
            theirs.iter_mut().for_each(|(.., bytes)| bytes.truncate(snaplen));
        }
        let expected = frames.len() * if interface == "any" { 2 } else { 1 };
        let file = PacketFile::read(&ours);
        assert_eq!(
            (theirs.len(), file.packets.len()),
            (expected, expected),
            "{interface} {args:?}"
        );
        let mut ours = packets_of(&ours);
        // The kernel may stamp both sides of the pair in one microsecond, and threads sort by nanoseconds.
        theirs.sort();
        ours.sort();
        let differing = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
        assert_eq!(differing, None, "{interface} {args:?}");
        assert_lines_match(&file, &stream);
        let [statistics] = file.statistics[..] else { panic!("{:?}", file.statistics) };
        let end = stream.end;
        assert_eq!((end.drop, end.out), (0, expected as u64));
        assert_eq!(file.interfaces[statistics.interface].name.as_deref(), Some(interface));
        let counts = (statistics.ifrecv, statistics.filteraccept, statistics.usrdeliv);
        assert_eq!(counts, (end.recv, end.recv - end.skip, end.out));
        assert_eq!((statistics.ifdrop, statistics.osdrop), (0, 0));
        assert!(statistics.start <= file.packets[0].ns);
    }
}

/// Several interfaces, a filter, and no lines.
#[test]
fn packets_without_lines_describe_the_capture() {
    let (output, bytes) = with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("packets.pcapng");
        let mut command = sniffer();
        command.args(["-i", "left,right", "-s", "100", "-c", "4", "--pcapng"]).arg(&path);
        let command = command.arg("udp").stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = Process::spawn(command);
        wait_for("the file", || path.metadata().is_ok_and(|file| 0 < file.len()));
        let sender = Sender::new("left");
        sender.send(&ethernet(&[], IPV4, &ipv4(6, &tcp(b"no"))));
        (0..2).for_each(|_| sender.send(&ethernet(&[], IPV4, &ipv4(17, &udp(&[1; 200])))));
        let output = finish(child);
        assert_eq!(capinfos::packet_count(&path), Some(4));
        (output, fs::read(&path).unwrap())
    });
    assert!(output.status.success(), "{}", output.stderr);
    assert!(
        output.stdout.is_empty() && output.stderr.contains("4 packets captured on left, right")
    );
    let file = PacketFile::read(&bytes);
    assert_eq!(file.application, format!("sniffer {}", env!("CARGO_PKG_VERSION")));
    let interfaces: Vec<_> = file
        .interfaces
        .iter()
        .map(|interface| {
            let filter = interface.filter.as_deref();
            (interface.name.as_deref(), interface.link, interface.snaplen, filter)
        })
        .collect();
    let expected = |name| (Some(name), 1, 100, Some("udp"));
    assert_eq!(interfaces, [expected("left"), expected("right")]);
    assert!(file.packets.iter().all(|packet| packet.bytes.len() == 100 && packet.wire_len == 242));
    assert_eq!(file.statistics.iter().map(|counts| counts.usrdeliv).collect::<Vec<_>>(), [2, 2]);
}

/// Wireshark shows what the blocks contain.
#[test]
fn wireshark_shows_numbers_directions_and_counters() {
    let directory = tempdir().unwrap();
    let path = with_veth(|| {
        let path = directory.path().join("packets.pcapng");
        let args = ["-i", "right", "--pcapng", path.to_str().unwrap()];
        let capture = Capture::start(directory.path(), &args);
        let sender = Sender::new("left");
        frames().iter().take(3).for_each(|frame| sender.send(frame));
        capture.stop();
        path
    });
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path).args(["-T", "fields"]);
    for field in
        ["frame.packet_id", "frame.interface_name", "frame.packet_flags_direction", "vlan.id"]
    {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let rows = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<_> = rows.lines().collect();
    let row = |n: u32, vlan: &str| format!("{n}\tright\t0x00000001\t{vlan}");
    assert_eq!(rows, [row(1, ""), row(2, "5"), row(3, "5")]);
    let report = Command::new("capinfos").arg(&path).output().unwrap();
    let report = String::from_utf8(report.stdout).unwrap();
    for text in ["sniffer", "Number of packets = 3", "Number of stat entries = 1", "nanoseconds"] {
        assert!(report.contains(text), "{text}: {report}");
    }
}

/// Both files rotate together, and each is complete.
#[test]
fn packets_rotate_and_compress_with_the_lines() {
    let directory = tempdir().unwrap();
    let input = write(&directory, "in.pcap", pcap(1_000));
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let args = ["-C", "20k", "-r", input.to_str().unwrap()];
    let output = run(&[&args[..], &["-w", &path("a"), "--pcapng", &path("b.zst")]].concat());
    assert!(output.status.success(), "{}", output.stderr);
    let files = names(directory.path());
    let lines = files.iter().filter(|name| name.starts_with('a')).count();
    assert!(5 < lines && files.len() == 2 * lines + 1, "{files:?}");
    let mut ids = Vec::new();
    for number in 0..lines {
        let suffix = if number == 0 { String::new() } else { format!("-{number}") };
        let stream = Stream::read(&fs::read(path(&format!("a{suffix}"))).unwrap());
        let packets =
            zstd::decode_all(&*fs::read(path(&format!("b{suffix}.zst"))).unwrap()).unwrap();
        let file = PacketFile::read(&packets);
        assert_eq!(file.packets.len(), stream.packets.len());
        ids.extend(file.packets.iter().map(|packet| packet.id.unwrap()));
    }
    assert!(ids.iter().copied().eq(1..=1_000));
}

/// Live, with SIGHUP, and lines on standard output, which do not rotate.
#[test]
fn packets_rotate_alone_beside_lines_on_standard_output() {
    let directory = tempdir().unwrap();
    let output = with_veth(|| {
        let mut command = sniffer();
        command.args(["-i", "right", "-w", "-", "--pcapng"]).arg(directory.path().join("p.pcapng"));
        let child = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let has = |name: &str| {
            let file = directory.path().join(name);
            file.metadata().is_ok_and(|file| 0 < file.len())
        };
        wait_for("the first file", || has("p.pcapng"));
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 100])));
        (0..3).for_each(|_| sender.send(&frame));
        wait_for("the packets", || {
            let bytes = fs::read(directory.path().join("p.pcapng")).unwrap();
            PacketFile::read_prefix(&bytes).0.packets.len() == 3
        });
        signal(&child, Signal::SIGHUP);
        wait_for("the second file", || has("p-1.pcapng"));
        (0..2).for_each(|_| sender.send(&frame));
        signal(&child, Signal::SIGTERM);
        finish(child)
    });
    assert!(output.status.success(), "{}", output.stderr);
    let stream = Stream::read(&output.stdout);
    assert_eq!((stream.end.out, stream.event_kinds()), (5, vec![]));
    for (name, count) in [("p.pcapng", 3), ("p-1.pcapng", 2)] {
        let file = PacketFile::read(&fs::read(directory.path().join(name)).unwrap());
        let [statistics] = file.statistics[..] else { panic!("{:?}", file.statistics) };
        let counts = (file.packets.len() as u64, statistics.usrdeliv, statistics.ifrecv);
        assert_eq!(counts, (count, count, count), "{name}");
    }
}

/// A pipe to tcpdump, which reads pcapng.
#[test]
fn packets_are_piped_to_other_programs() {
    let directory = tempdir().unwrap();
    let input = write(&directory, "in.pcap", pcap(10));
    let mut sniffer = sniffer();
    sniffer.args(["-q", "--pcapng", "-", "-r"]).arg(&input).stdout(Stdio::piped());
    let mut sniffer = Process::spawn(&mut sniffer);
    let stdout = sniffer.stdout.take().unwrap();
    let output = Command::new("tcpdump").args(["-nr", "-"]).stdin(stdout).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.matches("10.0.0.1.4000 > 10.0.0.2.53").count(), 10, "{text}");
    // A terminal would show control characters.
    let script =
        format!("{} --pcapng - -r {}", xtask::build::sniffer_path().display(), input.display());
    let mut command = Command::new("script");
    let output = command.args(["-qec", &script, "/dev/null"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("sniffer: standard output is a terminal"), "{text}");
}

/// Converted files have the frames of their originals, in either byte order.
#[test]
fn converted_files_have_the_frames_of_their_originals() {
    let Some(paths) = tests::corpus::files().unwrap() else { return };
    let directory = tempdir().unwrap();
    let converted = directory.path().join("converted");
    let mut count = 0;
    for path in paths {
        let original = tests::corpus::capture(&path).unwrap();
        if original.frames.is_empty() {
            continue;
        }
        let args = ["-q", "--force", "-r", path.to_str().unwrap(), "--pcapng"];
        // Damaged files end with status 1, after the frames before the damage.
        run(&[&args[..], &[converted.to_str().unwrap()]].concat());
        let copy = tests::corpus::capture(&converted).unwrap();
        assert_eq!(original.frames.len(), copy.frames.len(), "{}", path.display());
        // The sniffer truncates to the snap length, and the order is that of the file.
        let differs = |(theirs, ours): &(&tests::corpus::Frame, &tests::corpus::Frame)| {
            theirs.link != ours.link
                || theirs.wire_len != ours.wire_len
                || theirs.bytes != ours.bytes
        };
        let different = original.frames.iter().zip(&copy.frames).find(differs);
        assert_eq!(different, None, "{}", path.display());
        count += copy.frames.len();
    }
    assert!(10_000 < count, "{count}");
}

/// After SIGKILL, the file has whole packets; the next run completes it.
#[test]
fn killed_capture_leaves_a_readable_prefix() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = directory.path().join("ring.pcapng");
        let part = directory.path().join("ring.pcapng.part");
        let mut command = sniffer();
        command.args(["-i", "right", "-C", "100m", "--pcapng"]).arg(&path).stderr(Stdio::piped());
        let mut child = Process::spawn(&mut command);
        let prefix = || PacketFile::read_prefix(&fs::read(&part).unwrap_or_default()).0;
        wait_for("the capture", || !prefix().interfaces.is_empty());
        let sender = Sender::new("left");
        let frame = ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 1_000])));
        let mut sent = 0;
        wait_for("some packets", || {
            (0..500).for_each(|_| sender.send(&frame));
            sent += 500;
            1_000 < prefix().packets.len()
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let kept = prefix().packets.len();
        assert!(1_000 < kept && kept <= sent);
        // As if the process had been killed within a write.
        fs::File::options().append(true).open(&part).unwrap().write_all(&[6, 0, 0, 0, 96]).unwrap();
        let args = ["-i", "right", "-C", "100m", "--duration", "10ms", "--pcapng"];
        let output = run(&[&args[..], &[path.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}", output.stderr);
        assert!(output.stderr.contains("ring.pcapng` of an interrupted run"), "{}", output.stderr);
        assert_eq!(names(directory.path()), ["ring-1.pcapng", "ring.pcapng"]);
        let file = PacketFile::read(&fs::read(&path).unwrap());
        assert_eq!((file.packets.len(), file.statistics.len()), (kept, 0));
    });
}

/// An output on a full disk keeps whole blocks or lines, and the other output is completed.
#[test]
fn full_disk_leaves_the_other_output_complete() {
    let directory = tempdir().unwrap();
    let input = write(&directory, "in.pcap", pcap(5_000));
    for full in ["p", "l"] {
        let script = format!(
            "mkdir disk; mount -t tmpfs -o size=64k none disk; \
             {} -r {} -w {} --pcapng {}; code=$?; cp disk/* .; exit $code",
            xtask::build::sniffer_path().display(),
            input.display(),
            if full == "l" { "disk/l" } else { "l" },
            if full == "p" { "disk/p" } else { "p" },
        );
        let here = tempdir().unwrap();
        let mut command = Command::new("unshare");
        let output =
            command.args(["--mount", "bash", "-c", &script]).current_dir(&here).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{stderr}");
        let message = format!("cannot write `disk/{full}`: No space left on device");
        assert!(stderr.contains(&message) && stderr.contains("could not be written"), "{stderr}");
        let read = |name: &str| fs::read(here.path().join(name)).unwrap();
        let file = PacketFile::read(&read("p"));
        let lines = String::from_utf8(read("l")).unwrap();
        assert!(lines.ends_with("}\n"), "{lines}");
        let is_ended = lines.lines().last().unwrap().contains("\"type\":\"end\"");
        assert_eq!(is_ended, full == "p", "the lines are complete if only the packets failed");
        assert!(!file.packets.is_empty() && lines.contains("\"pkt\""));
        let ids = file.packets.iter().map(|packet| packet.id.unwrap());
        assert!(ids.eq(1..=file.packets.len() as u64), "no packet is missing before the last");
    }
}

/// Lines describe all packets.
#[test]
fn only_selected_packets_are_kept() {
    for threads in ["1", "2"] {
        let (stream, bytes) = with_veth(|| {
            let directory = tempdir().unwrap();
            let path = directory.path().join("packets.pcapng");
            // As in libpcap, `vlan` moves the offsets of all that follows.
            let keep = "tcp or (vlan 5 and udp)";
            let args = ["-i", "right", "--keep", keep, "--threads", threads, "--pcapng"];
            let args = [&args[..], &[path.to_str().unwrap(), "ip", "or", "vlan"]].concat();
            let capture = Capture::start(directory.path(), &args);
            let sender = Sender::new("left");
            frames().iter().take(20).for_each(|frame| sender.send(frame));
            (capture.stop(), fs::read(&path).unwrap())
        });
        assert_eq!(stream.packets.len(), 19, "all but one of EtherType 0x88cc");
        let file = PacketFile::read(&bytes);
        let ids: Vec<_> = file.packets.iter().map(|packet| packet.id.unwrap()).collect();
        assert_eq!(ids, [1, 2, 3]);
        let filter = file.interfaces[0].filter.as_deref();
        assert_eq!(filter, Some("(ip or vlan) and (tcp or (vlan 5 and udp))"));
        assert_eq!(file.statistics[0].usrdeliv, 3);
    }
}

/// The names of both outputs begin with the time, in one directory.
#[test]
fn both_outputs_of_a_killed_capture_are_completed() {
    with_veth(|| {
        let directory = tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let (lines, packets) = (path("%Y.ndjson.zst"), path("%Y.pcapng.zst"));
        let args = ["-i", "right", "-G", "1h", "-w", &lines, "--pcapng", &packets];
        let mut command = sniffer();
        let mut child = Process::spawn(command.args(args).stderr(Stdio::null()));
        let lens = || -> Vec<u64> {
            let names = names(directory.path());
            names.iter().map(|name| fs::metadata(path(name)).unwrap().len()).collect()
        };
        wait_for("both files", || lens().len() == 2 && lens().iter().all(|len| 0 < *len));
        let (sender, before) = (Sender::new("left"), lens());
        wait_for("packets in both files", || {
            frames().iter().for_each(|frame| sender.send(frame));
            lens().iter().zip(&before).all(|(len, before)| before < len)
        });
        child.kill().unwrap();
        child.wait().unwrap();
        let output = run(&[&args[..], &["--duration", "10ms"]].concat());
        assert!(output.status.success(), "{}", output.stderr);
        let count = output.stderr.matches(" of an interrupted run").count();
        assert_eq!(count, 2, "{}", output.stderr);
        let names = names(directory.path());
        assert!(names.len() == 4 && names.iter().all(|name| name.ends_with(".zst")), "{names:?}");
        let first = names.iter().find(|name| !name.contains('-') && name.contains("pcapng"));
        let bytes = zstd::decode_all(&*fs::read(path(first.unwrap())).unwrap()).unwrap();
        assert!(!PacketFile::read(&bytes).packets.is_empty());
    });
}
