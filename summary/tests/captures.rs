//! Small capture files of unusual forms, each with the lines of its packets. Most were made after reports
//! on other programs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use summary::capture_file::{Reader, Step};
use summary::{Packet, decode, line};

/// A time in the second 1,700,000,000 with these microseconds.
macro_rules! ts {
    ($us:literal) => {
        concat!(r#""ts":"2023-11-14T22:13:20."#, $us, r#"000Z""#)
    };
}
/// The fields of the datagram in most of the files.
macro_rules! udp {
    () => { r#""src":"192.0.2.1","dst":"198.51.100.2","sport":40000,"dport":9999,"proto":"udp","ttl":64,"payload":5"# };
}
/// File, the lines of its packets without their start up to the number and without their end, and the
/// error at its end.
const CAPTURES: &[(&str, &[&str], &str)] = &[
    (
        "captured-more-than-wire.pcapng",
        &[
            concat!(ts!("000000"), r#","len":10,"#, udp!(), r#","err":["bad_length"]"#),
            concat!(ts!("000000"), r#","len":47,"#, udp!()),
        ],
        "",
    ),
    (
        "clock-resolution-of-two-bytes.pcapng",
        &[],
        "damaged at byte 28: an option for the clock has a wrong length",
    ),
    (
        "clock-resolution-twice.pcapng",
        &[concat!(r#""ts":"2023-11-14T22:13:20.000000123Z","#, r#""len":47,"#, udp!())],
        "",
    ),
    (
        "interface-name-with-zero.pcapng",
        &[concat!(ts!("000000"), r#","if":"eth0","len":47,"#, udp!())],
        "",
    ),
    (
        "interface-option-overruns.pcapng",
        &[],
        "damaged at byte 28: an option is longer than its block",
    ),
    ("ixia.pcap", &[concat!(ts!("000005"), r#","len":47,"#, udp!())], ""),
    ("modified-big-endian.pcap", &[concat!(ts!("000005"), r#","len":47,"#, udp!())], ""),
    (
        "simple-packet-blocks.pcapng",
        &[
            r#""ts":"1970-01-01T00:00:00.000000000Z","len":47,"cap":20,"eth_src":"02:00:00:00:00:01","eth_dst":"02:00:00:00:00:02","proto":"ipv4","err":["truncated","no_time"]"#,
            r#""ts":"1970-01-01T00:00:00.000000000Z","len":20,"eth_src":"02:00:00:00:00:01","eth_dst":"02:00:00:00:00:02","proto":"ipv4","err":["bad_length","no_time"]"#,
        ],
        "",
    ),
    (
        "time-after-2262.pcapng",
        &[
            concat!(
                r#""ts":"2262-04-11T23:47:16.854775807Z","len":47,"#,
                udp!(),
                r#","err":["bad_time"]"#
            ),
            concat!(
                r#""ts":"2262-04-11T23:47:16.854775807Z","len":47,"#,
                udp!(),
                r#","err":["bad_time"]"#
            ),
        ],
        "",
    ),
    (
        "two-files.pcap",
        &[
            concat!(ts!("000000"), r#","len":47,"#, udp!()),
            concat!(ts!("000000"), r#","len":47,"#, udp!()),
        ],
        "",
    ),
    ("cisco-hdlc.pcap", &[concat!(ts!("000001"), r#","len":37,"link":"cisco-hdlc","#, udp!())], ""),
    (
        "frame-relay.pcap",
        &[concat!(ts!("000001"), r#","len":37,"link":"frame-relay","#, udp!())],
        "",
    ),
    (
        "null-ethertype-ipv4.pcap",
        &[concat!(ts!("000001"), r#","len":37,"link":"null","#, udp!())],
        "",
    ),
    (
        "ppp-with-direction.pcap",
        &[concat!(ts!("000001"), r#","len":38,"link":"ppp-dir","#, udp!())],
        "",
    ),
    ("pppoe.pcap", &[concat!(ts!("000001"), r#","len":41,"link":"pppoe","#, udp!())], ""),
    ("nflog.pcap", &[concat!(ts!("000001"), r#","len":52,"link":"nflog","#, udp!())], ""),
    ("ppi.pcap", &[concat!(ts!("000001"), r#","len":55,"link":"ppi","#, udp!())], ""),
    (
        "null-ethertype-ipv6.pcap",
        &[concat!(
            ts!("000001"),
            r#","len":57,"link":"null","src":"2001:db8::1","dst":"2001:db8::2","sport":40000,"dport":9999,"proto":"udp","ttl":64,"payload":5"#
        )],
        "",
    ),
    (
        "cisco-metadata.pcap",
        &[concat!(ts!("000001"), r#","len":55,"tunnel":"cmd:100","#, udp!())],
        "",
    ),
    ("trill.pcap", &[concat!(ts!("000001"), r#","len":67,"tunnel":"trill","#, udp!())], ""),
    (
        "udp-length-zero.pcap",
        &[concat!(
            ts!("000001"),
            r#","len":45,"src":"192.0.2.1","dst":"198.51.100.2","sport":1,"dport":2,"proto":"udp","ttl":64,"payload":3,"err":["bad_length"]"#
        )],
        "",
    ),
    (
        "pvst.pcap",
        &[concat!(
            ts!("000001"),
            r#","len":58,"eth_src":"02:00:00:00:00:01","eth_dst":"02:00:00:00:00:02","proto":"stp""#
        )],
        "",
    ),
];

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures")
}

/// The lines of a file that arrives in pieces of `piece_len` bytes, and its error.
fn read(file: &[u8], piece_len: usize) -> (Vec<String>, String) {
    let (mut reader, mut lines) = (Reader::new(), Vec::new());
    let (mut start, mut end) = (0, 0);
    loop {
        match reader.step(&file[start..end]) {
            Ok(Step::NeedMore { needed }) => {
                assert!(end - start < needed, "{needed} bytes needed of {}", end - start);
                if end == file.len() {
                    let is_complete = start == end;
                    let error = reader.truncation_error(end - start).to_string();
                    return (lines, if is_complete { String::new() } else { error });
                }
                end = file.len().min(end + piece_len);
            }
            Ok(Step::Skipped { consumed }) => start += consumed,
            Ok(Step::Frame { consumed, frame }) => {
                start += consumed;
                let mut summary = decode(frame.link, frame.bytes, frame.wire_len);
                summary.faults.insert(frame.faults);
                summary.omit_redundant_eth();
                let mut packet = Packet::new(1, frame.ts, summary);
                let interface = &reader.interfaces()[frame.interface];
                packet.interface = interface.name.as_deref().map(Into::into);
                let mut text = Vec::new();
                line::Writer::default().write(&packet, &mut text);
                let text = String::from_utf8(text).expect("UTF-8");
                let text = text.strip_prefix(r#"{"type":"pkt","n":1,"#);
                let text = text.and_then(|text| text.strip_suffix("}\n")).expect("a packet");
                lines.push(text.to_owned());
            }
            Err(error) => return (lines, error.to_string()),
        }
    }
}

#[test]
fn packets_have_their_lines() {
    for (name, lines, error) in CAPTURES {
        let file = fs::read(directory().join(name)).unwrap();
        let (found, found_error) = read(&file, file.len());
        assert_eq!(
            (found, found_error.as_str()),
            (lines.iter().map(ToString::to_string).collect(), *error),
            "{name}"
        );
    }
}

/// Files arrive from pipes in pieces of any length.
#[test]
fn lines_do_not_depend_on_the_pieces() {
    for (name, ..) in CAPTURES {
        let file = fs::read(directory().join(name)).unwrap();
        let whole = read(&file, file.len());
        for piece_len in 1..40.min(file.len()) {
            assert_eq!(read(&file, piece_len), whole, "{name} in pieces of {piece_len} bytes");
        }
    }
}

#[test]
fn every_file_is_tested() {
    let files = fs::read_dir(directory()).unwrap();
    let files: BTreeSet<_> =
        files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(files, CAPTURES.iter().map(|(name, ..)| (*name).to_owned()).collect());
}
