//! Export of selected packets as pcapng, compared with tshark and capinfos.

use std::path::Path;
use std::process::Command;
use summary::capture_file::{FileInterface, Frame, PacketOptions, PcapngWriter, SectionOptions};
use summary::{Faults, LinkType, Timestamp};
use tempfile::tempdir;
use tests::capinfos::packet_count;
use tests::files::{gzip, write};
use tests::frames::{IPV4, ethernet, ipv4, pcap, tcp, udp};
use tests::page::Page;

use super::page::downloaded;

/// Number of packets of the file below.
const PACKETS: u32 = 600;

/// Packets of two interfaces with different link types, nanoseconds apart; every third is truncated.
fn pcapng() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = PcapngWriter::new(&SectionOptions::default(), &mut file);
    let interfaces = [("eth0", LinkType::ETHERNET), ("tun0", LinkType::RAW)].map(|(name, link)| {
        let name = Some(name.to_owned());
        (writer.interface(&FileInterface { name, link, snaplen: 0 }, &mut file), link)
    });
    for number in 0..PACKETS {
        let (interface, link) = interfaces[(number % 2) as usize];
        let payload = number.to_be_bytes().repeat(1 + number as usize % 40);
        let packet =
            if number % 5 == 0 { ipv4(6, &tcp(&payload)) } else { ipv4(17, &udp(&payload)) };
        let bytes = if link == LinkType::RAW { packet } else { ethernet(&[], IPV4, &packet) };
        let wire_len = u32::try_from(bytes.len()).unwrap();
        let bytes = if number % 3 == 0 { &bytes[..50.min(bytes.len())] } else { &bytes[..] };
        let ts = Timestamp::from_ns(1_795_402_418_123_456_789 + i64::from(number));
        let frame = Frame { ts, link, interface, bytes, wire_len, faults: Faults::default() };
        writer.packet(&frame, &PacketOptions::default(), &mut file);
    }
    file
}

/// Time, lengths, interface, link type and bytes of the packets that match a display filter.
fn packets(file: &Path, filter: &str) -> Vec<String> {
    let tshark = |args: &[&str]| {
        let output = Command::new("tshark")
            .args(["-n", "-r"])
            .arg(file)
            .args(["-Y", filter])
            .args(args)
            .output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let fields = ["time_epoch", "len", "cap_len", "interface_name", "encap_type"];
    let fields: Vec<_> =
        fields.iter().flat_map(|name| ["-e".into(), format!("frame.{name}")]).collect();
    let args: Vec<_> =
        ["-T", "fields"].into_iter().chain(fields.iter().map(String::as_str)).collect();
    let rows = tshark(&args);
    let json: serde_json::Value = serde_json::from_str(&tshark(&["-T", "jsonraw"])).unwrap();
    let bytes = json
        .as_array()
        .unwrap()
        .iter()
        .map(|packet| packet["_source"]["layers"]["frame_raw"][0].clone());
    rows.lines().zip(bytes).map(|(row, bytes)| format!("{row} {bytes}")).collect()
}

#[test]
fn exported_pcapng_has_the_packets_that_tshark_selects() {
    let directory = tempdir().unwrap();
    let page = Page::open("");
    page.chromium.set_download_directory(directory.path()).unwrap();
    let original = write(&directory, "original.pcapng", pcapng());
    let compressed = write(&directory, "original.pcapng.gz", gzip(&pcapng()));
    let expected = packets(&original, "tcp");
    assert_eq!(expected.len(), 120);
    for file in [&original, &compressed] {
        page.drop_alone(file);
        page.act("viewer.filter('proto == tcp')");
        page.wait_for("!document.getElementById('export-pcapng').hidden");
        page.eval("document.getElementById('export-pcapng').click()");
        let len = page.eval("viewer.exportPcapng().then((blob) => blob.size)").as_u64().unwrap();
        downloaded(&directory, "selected.pcapng", |file| file.len() as u64 == len);
        let exported = directory.path().join("selected.pcapng");
        assert_eq!(packet_count(&exported), Some(120));
        assert_eq!(packets(&exported, "frame"), expected);
        std::fs::remove_file(exported).unwrap();
    }
    // The packets of two files are two sections.
    page.drop_file(&write(&directory, "other.pcap", pcap(7)));
    page.act("viewer.clear()");
    page.eval("document.getElementById('export-pcapng').click()");
    let len = page.eval("viewer.exportPcapng().then((blob) => blob.size)").as_u64().unwrap();
    downloaded(&directory, "selected.pcapng", |file| file.len() as u64 == len);
    let exported = directory.path().join("selected.pcapng");
    assert_eq!(packet_count(&exported), Some(u64::from(PACKETS) + 7));
    // Without packets there is nothing to export, and lines have no bytes.
    page.act("viewer.filter('ttl == 1')");
    page.eval("document.getElementById('export-pcapng').click()");
    page.wait_for("document.getElementById('error').textContent === 'No packets are selected.'");
    let reason = "viewer.exportPcapng().catch((reason) => reason)";
    assert_eq!(page.eval(reason), "No packets are selected.");
    page.drop_alone(&write(&directory, "a.ndjson", super::page::line(1, 60, "udp")));
    assert_eq!(page.eval("document.getElementById('export-pcapng').hidden"), true);
    page.act("viewer.clear()");
    let reason = page.eval(reason);
    assert!(reason.as_str().unwrap().starts_with("NDJSON files do not contain"), "{reason}");
}
