//! Live capture beside the peers: the same frames through veth, at the sender's full speed.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::usage;
use crate::{build, capinfos, namespace};

const PACKETS: u64 = 2_000_000;
/// Of tshark's packets: it would need minutes for all.
const SLOW_SHARE: u64 = 10;

/// A UDP packet of 60 bytes with addresses, ports and identification that change.
const FRAME: &str = "{
 0x02,0,0,0,0,2, 0x02,0,0,0,0,1, 0x08,0x00,
 0x45,0,const16(46),drnd(2),0x40,0,64,17,csumip(14,33),
 10,0,0,drnd(1), 10,0,1,drnd(1),
 drnd(2), const16(53), const16(26), const16(0),
 fill(0x41,18)
}";

/// A program that captures on `right`; `OUT` stands for its output file, which else is where its
/// standard output goes.
struct Program {
    name: &'static str,
    words: &'static [&'static str],
    packets: u64,
    kept: fn(&Path) -> Result<u64>,
}

pub(super) fn run() -> Result<()> {
    println!("\n{PACKETS} UDP frames of 60 bytes through veth, all on one machine\n");
    println!("| program | sent | kept | CPU a packet kept | peak memory | written |");
    println!("|---|---|---|---|---|---|");
    let sniffer = build::sniffer_path();
    let programs = [
        Program {
            name: "sniffer",
            words: &["-q", "-i", "right", "--force", "-w", "OUT"],
            packets: PACKETS,
            kept: packets_in_stream,
        },
        Program {
            name: "tcpdump -w",
            words: &["-i", "right", "-w", "OUT"],
            packets: PACKETS,
            kept: packets_in_pcap,
        },
        Program {
            name: "tcpdump -nn (text)",
            words: &["-nn", "-i", "right"],
            packets: PACKETS,
            kept: lines,
        },
        Program {
            name: "tshark -T ek",
            words: &["-l", "-n", "-T", "ek", "-i", "right"],
            packets: PACKETS / SLOW_SHARE,
            kept: ek_packets,
        },
    ];
    for program in programs {
        let path = match program.name.split(' ').next() {
            Some("sniffer") | None => sniffer.as_path(),
            Some(name) => Path::new(name),
        };
        namespace::run(|| measure(&program, path))?;
    }
    Ok(())
}

fn measure(program: &Program, path: &Path) -> Result<()> {
    namespace::ip("link add left type veth peer name right")?;
    for end in ["left", "right"] {
        namespace::ip(&format!("link set {end} addrgenmode none up"))?;
    }
    let directory = super::directory()?;
    let (out, frame) = (directory.join("live.out"), directory.join("frame.cfg"));
    fs::write(&frame, FRAME)?;
    let mut command = Command::new(path);
    for word in program.words {
        if *word == "OUT" {
            command.arg(&out)
        } else {
            command.arg(word)
        };
    }
    let writes_itself = program.words.contains(&"OUT");
    command.stdout(if writes_itself { Stdio::null() } else { File::create(&out)?.into() });
    let mut child =
        command.stderr(Stdio::null()).spawn().with_context(|| format!("starting {command:?}"))?;
    wait_for_packet_socket()?;
    let mut sender = Command::new("trafgen");
    sender.args(["-o", "left", "-P", "1", "-n", &program.packets.to_string(), "-c"]).arg(frame);
    build::run(sender.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let before = usage::children_cpu()?;
    let processes = wait_until_quiet(child.id());
    let memory = usage::peak_memory(&processes);
    for process in processes.iter().rev() {
        // Whatever is gone already needs no signal.
        let _ = kill(Pid::from_raw(i32::try_from(*process)?), Signal::SIGINT);
    }
    child.wait()?;
    let cpu = usage::children_cpu()? - before;
    let kept = (program.kept)(&out)?;
    println!(
        "| {} | {} | {kept} | {:.2} µs | {} MiB | {} MB |",
        program.name,
        program.packets,
        cpu.as_secs_f64() * 1e6 / kept.max(1) as f64,
        memory >> 20,
        fs::metadata(&out)?.len() / 1_000_000,
    );
    fs::remove_file(out)?;
    Ok(())
}

/// A capture is running when this namespace has a packet socket.
fn wait_for_packet_socket() -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string("/proc/thread-self/net/packet")?.lines().count() < 2 {
        if deadline < Instant::now() {
            bail!("no capture was started");
        }
        thread::sleep(Duration::from_millis(10));
    }
    // The socket comes before its ring and its filter.
    thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// Waits until the processes have nothing to do any more.
fn wait_until_quiet(root: u32) -> Vec<u32> {
    let mut before = u64::MAX;
    loop {
        let processes = usage::tree(root);
        let ticks = usage::ticks(&processes);
        if ticks.saturating_sub(before) <= 1 && before != u64::MAX {
            return processes;
        }
        before = ticks;
        thread::sleep(Duration::from_secs(1));
    }
}

fn lines(out: &Path) -> Result<u64> {
    let mut count = 0;
    for line in BufReader::new(File::open(out)?).split(b'\n') {
        line?;
        count += 1;
    }
    Ok(count)
}

/// Two lines a packet.
fn ek_packets(out: &Path) -> Result<u64> {
    Ok(lines(out)? / 2)
}

/// What the stream itself says in its last line, which the tests hold against its packets.
fn packets_in_stream(out: &Path) -> Result<u64> {
    let text = fs::read_to_string(out)?;
    let end: serde_json::Value = serde_json::from_str(text.lines().last().context("a last line")?)?;
    end["out"].as_u64().context("an `end` record")
}

fn packets_in_pcap(out: &Path) -> Result<u64> {
    capinfos::packets(out).context("a capture file that capinfos reads")
}
