//! Names in messages that several packets contain: what is missing at the limits of memory.

use std::path::Path;
use tempfile::tempdir;
use tests::files::write;
use tests::frames::{ethernet, ipv4, pcap_of};
use tests::process::run;
use tests::stream::Stream;

const IPV4: u16 = 0x0800;

/// Connections of which the sniffer keeps incomplete messages.
const MAX_CONNECTIONS: u32 = 8_192;

/// The first half of a ClientHello from 10.a.b.c, which `number` identifies.
fn half_hello(number: u32) -> Vec<u8> {
    let start = b"\xc3\x50\x01\xbb\0\0\0\x01\0\0\0\x01\x50\x10\x01\0\0\0\0\0";
    let mut packet = ipv4(6, &[&start[..], b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"].concat());
    packet[13..16].copy_from_slice(&number.to_be_bytes()[1..]);
    ethernet(&[], IPV4, &packet)
}

fn read(file: &Path, args: &[&str]) -> (Stream, String) {
    let output = run(&[&["-r", file.to_str().unwrap()], args].concat());
    assert!(output.status.success(), "{}", output.stderr);
    (Stream::read(&output.stdout), output.stderr)
}

#[test]
fn messages_given_up_in_a_flood_are_counted() {
    const MESSAGE: &str =
        "names are missing: 808 incomplete messages given up because there were too many";
    let directory = tempdir().unwrap();
    let hellos: Vec<_> = (0..MAX_CONNECTIONS + 808).map(half_hello).collect();
    let file = write(&directory, "flood.pcap", pcap_of(&hellos));
    for args in [&["--names"][..], &["--ja4"], &["--flows"], &["--names", "--threads", "2"]] {
        let (stream, stderr) = read(&file, args);
        assert_eq!(stream.end.names_evicted, Some(808), "{args:?}");
        assert!(stderr.contains(MESSAGE), "{stderr}");
        let (stream, stderr) = read(&file, &[args, &["-q", "-c", "8192"]].concat());
        assert_eq!((stream.end.names_evicted, &*stderr), (Some(0), ""), "{args:?}");
    }
    let (stream, stderr) = read(&file, &["--tcp-analysis"]);
    assert_eq!(stream.end.names_evicted, None);
    assert!(!stderr.contains("names"), "{stderr}");
}
