//! One large capture file beside the peers: a million frames of the corpus, over and over.

use anyhow::{Result, bail};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::iter;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use summary::LinkType;

use super::usage;
use tests::corpus;
use xtask::build;

const PACKETS: u64 = 1_000_000;
/// Of tshark's packets: it would need minutes for all.
const SLOW_SHARE: u64 = 10;
/// Every program but tshark runs as often, and its best run counts.
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
    println!("| program | packets | wall | CPU | packets/s | times sniffer's wall |");
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
    let programs: [(&str, u64, Vec<&str>); 7] = [
        ("sniffer -r", PACKETS, ours.to_vec()),
        ("sniffer -r --threads 2", PACKETS, [&ours[..], &["--threads", "2"]].concat()),
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
    for (name, packets, words) in programs {
        let runs = if packets == PACKETS { RUNS } else { 1 };
        let Some((wall, cpu)) = iter::repeat_with(|| timed(&words, &memory))
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
        "\n{line_len} bytes a line. Each stage of `sniffer -r`, over the first packets of it:\n"
    );
    let mut stages =
        build::cargo(["bench", "--quiet", "--package", "summary", "--bench", "stages"]);
    build::run(stages.env("CAPTURE_FILE", &file))
}

/// Wall and CPU time of a command whose words are thrown away.
fn timed(words: &[&str], out: &Path) -> Result<(Duration, Duration)> {
    let [program, words @ ..] = words else { bail!("no command") };
    // Whoever finds a file there has to give its memory back first.
    if out.exists() {
        fs::remove_file(out)?;
    }
    let before = usage::children_cpu()?;
    let start = Instant::now();
    let mut command = Command::new(program);
    build::run(command.args(words).stdout(Stdio::null()).stderr(Stdio::null()))?;
    Ok((start.elapsed(), usage::children_cpu()? - before))
}

/// The Ethernet frames of all captures that are there as a whole; `None` without corpus.
fn corpus_frames() -> Result<Option<Vec<Vec<u8>>>> {
    let is_whole = |frame: &corpus::Frame| {
        frame.link == LinkType::ETHERNET && frame.bytes.len() == frame.wire_len as usize
    };
    Ok(corpus::frames()?
        .map(|frames| frames.into_iter().filter(is_whole).map(|frame| frame.bytes).collect()))
}

/// Writes the frames over and over; returns their bytes.
fn write_mix(path: &Path, frames: &[Vec<u8>]) -> Result<u64> {
    let mut file = BufWriter::new(File::create(path)?);
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1u32] {
        file.write_all(&word.to_le_bytes())?;
    }
    let mut bytes = 0;
    for (number, frame) in (0..PACKETS).zip(frames.iter().cycle()) {
        let (seconds, ns) = (1_700_000_000 + number / 1_000_000, number % 1_000_000 * 1_000);
        let len = u32::try_from(frame.len())?;
        for word in [u32::try_from(seconds)?, u32::try_from(ns)?, len, len] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(frame)?;
        bytes += frame.len() as u64;
    }
    file.flush()?;
    Ok(bytes)
}
