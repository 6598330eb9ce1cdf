//! Hostile files under a memory limit: the sniffer stays within it, gives a clear message, and ends
//! when it is interrupted.

use super::files::xz;
use nix::sys::signal::Signal;
use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use summary::capture_file::{
    FileInterface, Frame, PacketOptions, PcapFile, PcapngWriter, SectionOptions,
};
use summary::{Faults, LinkType, Timestamp};
use tempfile::tempdir;
use tests::files::{gzip, write};
use tests::frames::{IPV4, LINKTYPE_ETHERNET, ethernet, ipv4, pcap, udp};
use tests::process::{Process, finish, signal};
use tests::stream::Stream;

/// Address space in bytes. The sniffer, its libraries and the largest xz dictionary fit into it.
const MEMORY_LIMIT: u64 = 256 << 20;

/// The sniffer's command under the memory limit.
fn limited(args: &[&str]) -> Command {
    let mut command = Command::new("prlimit");
    command.arg(format!("--as={MEMORY_LIMIT}")).args(["env", "--default-signal"]);
    command.arg(xtask::build::sniffer_path()).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// The end of a run that fails, under the memory limit.
fn assert_fails(args: &[&str], message: &str) {
    let output = finish(Process::spawn(&mut limited(args)));
    assert_eq!(output.status.code(), Some(1), "{args:?}: {}", output.stderr);
    assert!(output.stderr.contains(message), "{args:?}: {}", output.stderr);
}

/// A capture file of zeros that never ends: all decoders read concatenated members.
#[test]
fn endless_bombs_are_read_in_bounded_memory_until_interrupted() {
    /// More than a pipe and the sniffer hold of compressed bytes, so that some were decompressed.
    const MIN_SENT: usize = 224 << 10;
    let mut packets = PcapFile::new(LINKTYPE_ETHERNET);
    (0..300).for_each(|second| packets.push(second * 1_000_000_000, &[0; 60_000]));
    let header_len = pcap(0).len();
    let packets = packets.into_bytes();
    let (header, packets) = packets.split_at(header_len);
    for (name, compress) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("zstd", zstd), ("xz", xz)] {
        let member = compress(packets);
        assert!(member.len() * 100 < packets.len(), "{name}: {} bytes", member.len());
        // No packet matches.
        let mut child = Process::spawn(&mut limited(&["-r", "-", "len > 65000"]));
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(&compress(header)).unwrap();
        for _ in 0..=MIN_SENT / member.len() {
            stdin.write_all(&member).unwrap();
        }
        signal(&child, Signal::SIGINT);
        let output = std::thread::scope(|scope| {
            // Until the sniffer has ended.
            scope.spawn(|| while stdin.write_all(&member).is_ok() {});
            finish(child)
        });
        assert!(output.status.success(), "{name}: {}", output.stderr);
        let stream = Stream::read(&output.stdout);
        assert_eq!((&stream.reason[..], stream.packets.len()), ("signal", 0), "{name}");
    }
}

#[test]
fn forty_million_interfaces_are_an_error() {
    let directory = tempdir().unwrap();
    let (mut section, mut interface) = (Vec::new(), Vec::new());
    let mut writer = PcapngWriter::new(&SectionOptions::default(), &mut section);
    let description = FileInterface { name: None, link: LinkType::ETHERNET, snaplen: 0 };
    writer.interface(&description, &mut interface);
    let interfaces = zstd(&interface.repeat(100_000));
    let file = [zstd(&section), interfaces.repeat(400)].concat();
    let file = write(&directory, "interfaces.zst", file);
    let message = "a section describes more than 65,536 interfaces";
    assert_fails(&["-r", file.to_str().unwrap()], message);
}

#[test]
fn endless_text_is_an_error() {
    let directory = tempdir().unwrap();
    let line = directory.path().join("line");
    fs::File::create(&line).unwrap().set_len(1 << 30).unwrap();
    let line = line.to_str().unwrap();
    assert_fails(&["-r", line], "not a pcap or pcapng file");
    let too_long = format!("cannot read `{line}`: longer than 16 MiB");
    assert_fails(&["-r", "-", "-F", line], &too_long);
    assert_fails(&["-V", line], &too_long);
}

/// The time of the second packet is in the year 2554.
#[test]
fn time_that_is_not_representable_is_a_fault() {
    let (mut file, mut packet) = (Vec::new(), Vec::new());
    let mut writer = PcapngWriter::new(&SectionOptions::default(), &mut file);
    let link = LinkType::ETHERNET;
    let description = FileInterface { name: None, link, snaplen: 0 };
    let interface = writer.interface(&description, &mut file);
    let ts = Timestamp::from_ns(1);
    let bytes = &ethernet(&[], IPV4, &ipv4(17, &udp(&[0; 18])));
    let frame = Frame { ts, link, interface, bytes, wire_len: 60, faults: Faults::default() };
    writer.packet(&frame, &PacketOptions::default(), &mut packet);
    file.extend(&packet);
    // The time follows type, length and interface of the block.
    packet[12..20].fill(0xff);
    file.extend(&packet);
    let directory = tempdir().unwrap();
    let file = write(&directory, "times.pcapng", file);
    let output = finish(Process::spawn(&mut limited(&["-r", file.to_str().unwrap()])));
    assert!(output.status.success(), "{}", output.stderr);
    let stream = Stream::read(&output.stdout);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stream.packets[1].ts, "2262-04-11T23:47:16.854775807Z");
    assert_eq!(text.matches("bad_time").count(), 1, "{text}");
    assert!(text.contains(r#""err":["bad_time"]"#), "{text}");
}

#[test]
fn times_at_both_ends_are_written_exactly() {
    let directory = tempdir().unwrap();
    let times =
        [0, 1_577_880_000_000_000_001, 3_155_760_000_000_000_000, 4_294_967_295_999_999_999];
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    times.iter().for_each(|ns| file.push(*ns, &[0; 60]));
    let file = write(&directory, "times.pcap", file.into_bytes());
    let output = finish(Process::spawn(&mut limited(&["-r", file.to_str().unwrap()])));
    assert!(output.status.success(), "{}", output.stderr);
    let stream = Stream::read(&output.stdout);
    let seen: Vec<_> = stream.packets.iter().map(|packet| &packet.ts[..]).collect();
    assert_eq!(
        seen,
        [
            "1970-01-01T00:00:00.000000000Z",
            "2020-01-01T12:00:00.000000001Z",
            "2070-01-01T00:00:00.000000000Z",
            "2106-02-07T06:28:15.999999999Z"
        ]
    );
}
