//! Reading a capture file with the sniffer and comparable programs: a million packets, made by
//! repeating the frames of the corpus.

use anyhow::{Result, bail};
use std::fs;
use std::iter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use summary::LinkType;

use super::usage;
use summary::capture_file::PcapFile;
use tests::corpus;
use xtask::build;

const PACKETS: u64 = 1_000_000;
/// 14 November 2023, in nanoseconds since the Unix epoch.
const START_NS: u64 = 1_700_000_000_000_000_000;
const LINKTYPE_ETHERNET: u16 = 1;
/// tshark gets this fraction of the packets, since all would take minutes.
const SLOW_SHARE: u64 = 10;
/// Runs of every program but tshark; the best one counts.
const RUNS: usize = 5;

pub(super) fn run() -> Result<()> {
    let Some(frames) = corpus_frames()? else {
        return Ok(());
    };
    let file = super::directory()?.join("mix.pcap");
    let len = write_mix(&file, &frames)?;
    println!(
        "\n{PACKETS} Ethernet frames of the corpus, {} bytes on average, page cache warm\n",
        len / PACKETS
    );
    println!("| program | packets | wall | CPU | packets/s | ratio to sniffer |");
    println!("|---|---|---|---|---|---|");
    let memory = Path::new("/dev/shm").join("sniffer-bench.ndjson");
    let (file, out) = (file.display().to_string(), memory.display().to_string());
    let slow = (PACKETS / SLOW_SHARE).to_string();
    let sniffer = build::sniffer_path().display().to_string();
    let fields = [
        "-e",
        "frame.number",
        "-e",
        "frame.time_epoch",
        "-e",
        "frame.len",
        "-e",
        "ip.src",
        "-e",
        "ip.dst",
        "-e",
        "_ws.col.Protocol",
    ];
    let ours = [&sniffer, "-q", "-r", &file, "-w", &out];
    let programs: [(&str, u64, Vec<&str>); 9] = [
        ("sniffer -r", PACKETS, ours.to_vec()),
        ("sniffer -r --threads 2", PACKETS, [&ours[..], &["--threads", "2"]].concat()),
        ("sniffer -r --names", PACKETS, [&ours[..], &["--names"]].concat()),
        ("sniffer -r --names --ja4", PACKETS, [&ours[..], &["--names", "--ja4"]].concat()),
        (
            "sniffer -r --names --community-id",
            PACKETS,
            [&ours[..], &["--names", "--community-id"]].concat(),
        ),
        ("tcpdump -r -w (copy)", PACKETS, vec!["tcpdump", "-r", &file, "-w", &out]),
        ("tcpdump -nn -r (text)", PACKETS, vec!["tcpdump", "-nn", "-r", &file]),
        (
            "tshark -T fields",
            PACKETS / SLOW_SHARE,
            [&["tshark", "-n", "-r", &file, "-c", &slow, "-T", "fields"][..], &fields].concat(),
        ),
        (
            "tshark -T ek",
            PACKETS / SLOW_SHARE,
            vec!["tshark", "-n", "-r", &file, "-c", &slow, "-T", "ek"],
        ),
    ];
    let (mut ours, mut line_len) = (None, 0);
    for (name, packets, args) in programs {
        let runs = if packets == PACKETS { RUNS } else { 1 };
        let Some((wall, cpu)) = iter::repeat_with(|| timed(&args, &memory))
            .take(runs)
            .collect::<Result<Vec<_>>>()?
            .into_iter()
            .min()
        else {
            continue;
        };
        let per_packet = wall.as_secs_f64() / packets as f64;
        let ours = *ours.get_or_insert(per_packet);
        println!(
            "| {name} | {packets} | {:.2} s | {:.2} s | {:.0} k | {:.1} |",
            wall.as_secs_f64(),
            cpu.as_secs_f64(),
            1e-3 / per_packet,
            per_packet / ours
        );
        if name == "sniffer -r" {
            line_len = fs::metadata(&memory)?.len() / packets;
        }
    }
    println!(
        "\n{line_len} bytes per line. Stages of `sniffer -r`, for the first packets of the file:\n"
    );
    ["summary", "reassembly"].into_iter().try_for_each(|package| {
        let mut stages =
            build::cargo(["bench", "--quiet", "--package", package, "--bench", "stages"]);
        build::run(stages.env("CAPTURE_FILE", &file))
    })
}

/// Wall and CPU time of a command; its standard output is discarded.
fn timed(args: &[&str], out: &Path) -> Result<(Duration, Duration)> {
    let [program, args @ ..] = args else { bail!("no command") };
    // Truncating the file of the previous run would be measured too.
    if out.exists() {
        fs::remove_file(out)?;
    }
    let before = usage::children_cpu()?;
    let start = Instant::now();
    let mut command = Command::new(program);
    build::run(command.args(args).stdout(Stdio::null()).stderr(Stdio::null()))?;
    Ok((start.elapsed(), usage::children_cpu()? - before))
}

/// The complete Ethernet frames of the corpus; `None` without corpus.
fn corpus_frames() -> Result<Option<Vec<Vec<u8>>>> {
    let is_complete = |frame: &corpus::Frame| {
        frame.link == LinkType::ETHERNET && frame.bytes.len() == frame.wire_len as usize
    };
    Ok(corpus::frames()?
        .map(|frames| frames.into_iter().filter(is_complete).map(|frame| frame.bytes).collect()))
}

/// Writes a capture file that repeats the frames; returns the sum of their lengths in bytes.
fn write_mix(path: &Path, frames: &[Vec<u8>]) -> Result<u64> {
    let (mut file, mut bytes) = (PcapFile::new(LINKTYPE_ETHERNET), 0);
    for (number, frame) in (0..PACKETS).zip(frames.iter().cycle()) {
        file.push(START_NS + number * 1_000, frame);
        bytes += frame.len() as u64;
    }
    fs::write(path, file.into_bytes())?;
    Ok(bytes)
}
