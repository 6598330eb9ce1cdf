//! The captures that the pages analyse: the scenario of the page's sample, with nanoseconds; as one
//! file, and as the files of two sensors.

use std::fs;
use std::path::Path;
use summary::capture_file::PcapFile;
use tests::process::sniffer;
use tests::stream::Packet;
use xtask::scenario;

const LINKTYPE_ETHERNET: u16 = 1;

/// Names of the sensors, whose files are in `captures/host=NAME/…`.
pub(crate) const SENSORS: [&str; 2] = ["edge-1", "edge-2"];

/// The packets of all captures of a page.
pub(crate) type Captures = Vec<Vec<Packet>>;

/// Writes `dump.pcap` with all frames, and reads it with the strict reader of the tests.
pub(crate) fn write_one(directory: &Path) -> Captures {
    let pcap = directory.join("dump.pcap");
    write_pcap(&pcap, |_| true);
    vec![packets(&lines(&pcap))]
}

/// Writes the tree of files of the sensors, which take turns in capturing packets. Each sensor has
/// two files.
pub(crate) fn write_tree(directory: &Path) -> Captures {
    let mut captures = Vec::new();
    for (sensor, name) in SENSORS.iter().enumerate() {
        let pcap = directory.join("sensor.pcap");
        write_pcap(&pcap, |index| index % SENSORS.len() == sensor);
        let lines = lines(&pcap);
        let hour = directory.join(format!("captures/host={name}/date=2026-03-02/hour=09"));
        fs::create_dir_all(&hour).unwrap();
        let all: Vec<&str> = lines.lines().collect();
        // Both files start with `meta`; the sniffer's last lines are in the second one.
        let (first, second) = all.split_at(all.len() / 2);
        let second = [&all[..1], second].concat();
        for (file, lines) in [("0900", first), ("0905", &second)] {
            let text = lines.join("\n") + "\n";
            let compressed = zstd::encode_all(text.as_bytes(), 0).unwrap();
            fs::write(hour.join(file).with_extension("ndjson.zst"), compressed).unwrap();
        }
        captures.push(packets(&lines));
    }
    captures
}

/// Writes the frames of the scenario whose index `selects`. The scenario has whole microseconds; each
/// packet is late by up to 999 ns.
fn write_pcap(path: &Path, selects: impl Fn(usize) -> bool) {
    let mut file = PcapFile::new(LINKTYPE_ETHERNET);
    for (index, frame) in scenario::frames().into_iter().enumerate().filter(|(i, _)| selects(*i)) {
        // 7919 and 1000 have no common divisor.
        file.push(frame.ts_ns + index as u64 * 7_919 % 1_000, &frame.bytes);
    }
    fs::write(path, file.into_bytes()).unwrap();
}

/// The lines that the sniffer makes of a pcap file.
pub(crate) fn lines(pcap: &Path) -> String {
    let mut command = sniffer();
    let output =
        command.args(["-q", "--names", "--community-id", "-r"]).arg(pcap).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn packets(lines: &str) -> Vec<Packet> {
    tests::stream::Stream::read(lines.as_bytes()).packets
}
