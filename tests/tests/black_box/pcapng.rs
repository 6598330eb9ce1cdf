//! Wireshark reads the pcapng files of [`PcapngWriter`].

use std::process::Command;
use summary::capture_file::{FileInterface, Frame, PacketOptions, PcapngWriter, SectionOptions};
use summary::{Direction, Faults, LinkType, Timestamp};
use tempfile::tempdir;
use tests::files::write;

/// The fields of a packet that the writer writes.
const FIELDS: [&str; 8] = [
    "frame.time_epoch",
    "frame.interface_name",
    "frame.encap_type",
    "frame.len",
    "frame.cap_len",
    "frame.packet_flags_direction",
    "frame.packet_flags_reception_type",
    "frame.comment",
];

/// A file with two interfaces and a packet with each direction.
fn file(is_big_endian: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let section =
        SectionOptions { is_big_endian, application: Some("sniffer"), comment: Some("a section") };
    let mut writer = PcapngWriter::new(&section, &mut file);
    let interfaces = [("eth0", LinkType::ETHERNET), ("tun0", LinkType::RAW)].map(|(name, link)| {
        let description = FileInterface { name: Some(name.to_owned()), link, snaplen: 262_144 };
        (writer.interface(&description, &mut file), link)
    });
    let directions = [
        None,
        Some(Direction::In),
        Some(Direction::Out),
        Some(Direction::Broadcast),
        Some(Direction::Multicast),
        Some(Direction::Other),
    ];
    for (n, direction) in (0..).zip(directions) {
        let (interface, link) = interfaces[usize::from(n % 2 == 1)];
        let ts = Timestamp::from_ns(1_763_866_418_123_456_789 + n);
        let bytes = &[0; 61][..usize::try_from(20 + n).unwrap()];
        let frame =
            Frame { ts, link, interface, bytes, wire_len: 1_514, faults: Faults::default() };
        let comment = direction.map(Direction::name);
        writer.packet(
            &frame,
            &PacketOptions { direction, comment, id: Some(u64::try_from(n).unwrap()) },
            &mut file,
        );
    }
    file
}

#[test]
fn wireshark_reads_written_files() {
    let directory = tempdir().unwrap();
    for is_big_endian in [false, true] {
        let path = write(&directory, "written.pcapng", file(is_big_endian));
        let mut tshark = Command::new("tshark");
        tshark.arg("-r").arg(&path).args(["-T", "fields"]);
        FIELDS.iter().for_each(|field| _ = tshark.args(["-e", field]));
        let output = tshark.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let rows = String::from_utf8(output.stdout).unwrap();
        let rows: Vec<&str> = rows.lines().collect();
        // Encapsulation 1 is Ethernet, 7 is raw IP.
        assert_eq!(
            rows,
            [
                "1763866418.123456789\teth0\t1\t1514\t20\t\t\t",
                "1763866418.123456790\ttun0\t7\t1514\t21\t0x00000001\t1\tin",
                "1763866418.123456791\teth0\t1\t1514\t22\t0x00000002\t0\tout",
                "1763866418.123456792\ttun0\t7\t1514\t23\t0x00000001\t3\tbcast",
                "1763866418.123456793\teth0\t1\t1514\t24\t0x00000001\t2\tmcast",
                "1763866418.123456794\ttun0\t7\t1514\t25\t0x00000001\t4\tother",
            ]
        );
        let output = Command::new("capinfos").arg(&path).output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{report}");
        for text in ["sniffer", "a section", "Number of interfaces in file: 2", "nanoseconds (9)"] {
            assert!(report.contains(text), "{text}: {report}");
        }
    }
}
