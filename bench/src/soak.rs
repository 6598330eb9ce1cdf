//! A long capture at a steady rate, with rotation and compression: memory stays flat, no packet is
//! unaccounted for, and every line can be read.

use super::paced::Packets;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;
use summary::line::{self, Record};
use summary::record::CaptureRecord;
use summary::{grouped, record::End};
use xtask::wait::wait_until;
use xtask::{build, namespace};

/// Length of a run in minutes, unless another one is requested.
pub(super) const DEFAULT_MINUTES: u32 = 30;

/// Packets sent per second.
const RATE: u32 = 100_000;

/// Bytes of a frame.
const FRAME_LEN: usize = 142;

/// Time between two samples of the memory.
const SAMPLE_INTERVAL: Duration = Duration::from_secs(2);

/// How much the highest sample of the last third may exceed that of the first third, in bytes.
const MAX_GROWTH: u64 = 4 << 20;

/// Rotation: a ring of files that fill up in a few seconds each.
const ROTATION: [&str; 4] = ["-C", "5m", "-W", "8"];

/// Longest wait for the start of the capture.
const START_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) fn run(minutes: u32) -> Result<()> {
    println!(
        "\n{minutes} min of {} packets/s through veth, `{} --compress zstd`\n",
        grouped(RATE.into()),
        ROTATION.join(" ")
    );
    println!(
        "| minutes | sent | captured | dropped | files read | lines read | memory, first third | \
         memory, last third | CPU per packet |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    namespace::run(|| soak(minutes))
}

fn soak(minutes: u32) -> Result<()> {
    namespace::ip("link add left type veth peer name right")?;
    for end in ["left", "right"] {
        namespace::ip(&format!("link set {end} addrgenmode none up"))?;
    }
    let directory = super::directory()?.join("soak");
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::create_dir_all(&directory)?;
    let mut child = start(&directory)?;
    let before = super::usage::children_cpu()?;
    let result = measure(&mut child, minutes);
    // In case of an error; a process that has ended needs no signal.
    let _ = kill(pid(&child)?, Signal::SIGTERM);
    let (sent, samples) = result?;
    let output = child.wait_with_output()?;
    let cpu = super::usage::children_cpu()? - before;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the sniffer failed: {text}");
    let (captured, dropped) = totals(&text)?;
    ensure!(captured + dropped == sent, "{captured} captured + {dropped} dropped != {sent} sent");
    let (files, lines) = check_files(&directory)?;
    let third = samples.len() / 3;
    let highest = |samples: &[u64]| samples.iter().max().copied().unwrap_or(0);
    let (first, last) = (highest(&samples[..third]), highest(&samples[samples.len() - third..]));
    println!(
        "| {minutes} | {} | {} | {} | {files} | {} | {:.1} MiB | {:.1} MiB | {:.2} µs |",
        grouped(sent),
        grouped(captured),
        grouped(dropped),
        grouped(lines),
        mib(first),
        mib(last),
        cpu.as_secs_f64() * 1e6 / captured as f64,
    );
    ensure!(0 < first && last <= first + MAX_GROWTH, "memory grows: {samples:?}");
    fs::remove_dir_all(directory)?;
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn pid(child: &Child) -> Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(child.id())?))
}

/// Starts the capture, and waits until it writes.
fn start(directory: &Path) -> Result<Child> {
    let mut command = Command::new(build::sniffer_path());
    command.args(["-i", "right", "--compress", "zstd", "-w"]).arg(directory.join("soak"));
    let mut child = command.args(ROTATION).stderr(Stdio::piped()).spawn()?;
    let started = wait_until("the first file", START_TIMEOUT, || {
        Ok(fs::read_dir(directory)?
            .filter_map(|entry| entry.ok()?.metadata().ok())
            .any(|file| 0 < file.len()))
    });
    if started.is_err() {
        // It may have ended.
        let _ = child.kill();
    }
    started.map(|()| child)
}

/// Sends for some minutes, and samples the resident memory meanwhile. Returns the number of packets
/// sent, and the samples in bytes.
fn measure(child: &mut Child, minutes: u32) -> Result<(u64, Vec<u64>)> {
    let is_over = AtomicBool::new(false);
    let length = Duration::from_secs(60) * minutes;
    thread::scope(|scope| {
        let sender = scope.spawn(|| send(length, &is_over));
        let mut samples = Vec::new();
        while !sender.is_finished() {
            thread::sleep(SAMPLE_INTERVAL);
            match (child.try_wait()?, resident(child.id())) {
                (None, Ok(bytes)) => samples.push(bytes),
                (status, _) => {
                    is_over.store(true, Ordering::Relaxed);
                    bail!("the sniffer ended: {status:?}");
                }
            }
        }
        let sent = sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?;
        Ok((sent, samples))
    })
}

/// Sends packets at [`RATE`] until the time is over. Returns their number.
fn send(length: Duration, is_over: &AtomicBool) -> u64 {
    let flow = |n: u64| {
        let [.., a, b, c] = n.to_be_bytes();
        ([a, b], [b, c])
    };
    let is_over = |elapsed| length <= elapsed || is_over.load(Ordering::Relaxed);
    Packets { frame_len: FRAME_LEN, rate: RATE, flow }.send(is_over)
}

/// The resident memory of a process, including the ring buffer, in bytes.
fn resident(process: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).context("no number")?.parse::<u64>()? << 10)
}

/// The packets captured and dropped, from the closing message.
fn totals(text: &str) -> Result<(u64, u64)> {
    let line = text.lines().find(|line| line.contains("dropped by the kernel"));
    let line = line.with_context(|| format!("no closing message: {text}"))?;
    let number = |text: &str| text.replace(',', "").parse::<u64>();
    let captured = line.split_whitespace().nth(1).context("no packets")?;
    let (_, end) = line.rsplit_once(" in ").context("no time")?;
    let dropped = end.split(", ").nth(1).and_then(|text| text.split(' ').next());
    Ok((number(captured)?, number(dropped.context("no drops")?)?))
}

/// Reads all files that are left, and checks the counters of each. Returns the numbers of files and
/// lines.
fn check_files(directory: &Path) -> Result<(u64, u64)> {
    let (mut files, mut lines) = (0, 0);
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let stream = BufReader::new(zstd::Decoder::new(File::open(&path)?)?);
        lines += check_stream(stream).with_context(|| path.display().to_string())?;
        files += 1;
    }
    Ok((files, lines))
}

/// Checks that each line can be read, and that the records add up. Returns the number of lines.
fn check_stream(mut stream: BufReader<impl Read>) -> Result<u64> {
    let mut text = Vec::new();
    let (mut lines, mut packets, mut last_n) = (0, 0, None);
    let (mut sums, mut end): ([u64; 4], Option<End>) = ([0; 4], None);
    while 0 < stream.read_until(b'\n', &mut text)? {
        lines += 1;
        let read = line::parse(text.strip_suffix(b"\n").context("an incomplete line")?);
        match read.with_context(|| String::from_utf8_lossy(&text).into_owned())? {
            Record::Packet(packet) => {
                ensure!(last_n.is_none_or(|last| last + 1 == packet.n), "numbers have a gap");
                last_n = Some(packet.n);
                packets += 1;
            }
            Record::Capture(CaptureRecord::Stats(stats)) => {
                let counts = [stats.recv, stats.drop, stats.out, stats.skip];
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            }
            Record::Capture(CaptureRecord::End(record)) => end = Some(record),
            Record::Capture(_) => {}
            Record::Unknown => bail!("an unknown record"),
        }
        text.clear();
    }
    let end = end.context("no `end` record")?;
    ensure!([end.recv, end.drop, end.out, end.skip] == sums, "`stats` do not add up to `end`");
    ensure!(end.recv == end.out + end.skip + end.drop && end.out == packets, "{end:?}");
    Ok(lines)
}
