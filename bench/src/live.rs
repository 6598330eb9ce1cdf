//! Live capture with the sniffer and comparable programs: the same frames through veth, at the
//! sender's full speed.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::usage;
use tests::capinfos;
use xtask::wait::wait_until;
use xtask::{build, debian, namespace};

const PACKETS: u64 = 2_000_000;
/// tshark gets this fraction of the packets, since all would take minutes.
const SLOW_SHARE: u64 = 10;
/// Packets per run when measuring the CPU time per packet.
const COST_PACKETS: u64 = 1_000_000;

/// Longest wait for a program to process the packets it has received, in seconds.
const MAX_IDLE_WAIT_S: u64 = 600;

/// Frame lengths in bytes.
const LENGTHS: [usize; 4] = [60, 300, 1_500, 9_000];
/// Numbers of interfaces over which the same packets are distributed.
const INTERFACE_COUNTS: [u32; 3] = [1, 2, 4];

/// Ethernet, IPv4 and UDP headers.
const HEADERS_LEN: usize = 42;

/// A program that captures on `right0`. In its arguments `OUT` stands for the output file, and `PACKETS`
/// for a second one; without `OUT`, its standard output goes to the file.
struct Program {
    name: &'static str,
    path: &'static str,
    args: &'static [&'static str],
    packets: u64,
    count: fn(&Path) -> Result<u64>,
}

const PROGRAMS: [Program; 11] = [
    Program {
        name: "sniffer",
        path: "sniffer",
        args: &["-q", "-i", "right0", "--force", "-w", "OUT"],
        packets: PACKETS,
        count: packets_in_stream,
    },
    Program {
        name: "sniffer --threads 2",
        path: "sniffer",
        args: &["-q", "-i", "right0", "--threads", "2", "--force", "-w", "OUT"],
        packets: PACKETS,
        count: packets_in_stream,
    },
    Program {
        name: "sniffer --compress zstd",
        path: "sniffer",
        args: &["-q", "-i", "right0", "--compress", "zstd", "--force", "-w", "OUT"],
        packets: PACKETS,
        count: packets_in_compressed_stream,
    },
    Program {
        name: "sniffer -w --serve",
        path: "sniffer",
        args: &["-q", "-i", "right0", "--force", "-w", "OUT", "--serve"],
        packets: PACKETS,
        count: packets_in_stream,
    },
    Program {
        name: "sniffer -w --pcapng",
        path: "sniffer",
        args: &["-q", "-i", "right0", "--force", "-w", "OUT", "--pcapng", "PACKETS"],
        packets: PACKETS,
        count: packets_in_stream,
    },
    Program {
        name: "sniffer -w --pcapng --ring",
        path: "sniffer",
        args: &[
            "-q", "-i", "right0", "--force", "-w", "OUT", "--pcapng", "PACKETS", "--ring", "64MiB",
        ],
        packets: PACKETS,
        count: packets_in_stream,
    },
    Program {
        name: "sniffer --pcapng",
        path: "sniffer",
        args: &["-q", "-i", "right0", "--force", "--pcapng", "OUT"],
        packets: PACKETS,
        count: packets_in_capture_file,
    },
    Program {
        name: "tcpdump -w (binary copy)",
        path: "tcpdump",
        args: &["-i", "right0", "-w", "OUT"],
        packets: PACKETS,
        count: packets_in_capture_file,
    },
    Program {
        name: "dumpcap (binary copy)",
        path: "dumpcap",
        args: &["-q", "-i", "right0", "-w", "OUT"],
        packets: PACKETS,
        count: packets_in_capture_file,
    },
    Program {
        name: "tcpdump -nn (text)",
        path: "tcpdump",
        args: &["-nn", "-i", "right0"],
        packets: PACKETS,
        count: lines,
    },
    Program {
        name: "tshark -T ek",
        path: "tshark",
        args: &["-l", "-n", "-T", "ek", "-i", "right0"],
        packets: PACKETS / SLOW_SHARE,
        count: ek_packets,
    },
];

/// The result of a run.
struct Measurement {
    captured: u64,
    /// User and system time of all processes of the program.
    cpu: Duration,
    /// Peak memory of these processes in bytes.
    memory: u64,
    /// Bytes written.
    written: u64,
}

impl Measurement {
    /// CPU time per captured packet in microseconds.
    fn cpu_per_packet(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.captured.max(1) as f64
    }
}

pub(super) fn run() -> Result<()> {
    println!("\n{PACKETS} UDP frames of 60 bytes through veth, all on one machine\n");
    println!(
        "| program | sent | captured | dropped | CPU per packet | ratio to sniffer | peak memory \
         | written |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut first = None;
    for program in PROGRAMS.iter().filter(|program| is_installed(program)) {
        let measured = namespace::run(|| measure(program, LENGTHS[0], 1, program.packets))?;
        println!(
            "| {} | {} | {} | {} | {:.2} µs | {:.1} | {} MiB | {} MB |",
            program.name,
            program.packets,
            measured.captured,
            program.packets.saturating_sub(measured.captured),
            measured.cpu_per_packet(),
            measured.cpu_per_packet() / *first.get_or_insert(measured.cpu_per_packet()),
            measured.memory >> 20,
            measured.written / 1_000_000,
        );
    }
    println!(
        "\nsniffer's CPU time per packet by frame length and interfaces, {COST_PACKETS} packets each\n"
    );
    println!("| frame length | interfaces | captured | CPU per packet |\n|---|---|---|---|");
    let sniffer = &PROGRAMS[0];
    let lengths = LENGTHS.map(|length| (length, 1));
    let counts = INTERFACE_COUNTS.map(|count| (LENGTHS[0], count));
    for (length, count) in lengths.into_iter().chain(counts.into_iter().skip(1)) {
        let measured = namespace::run(|| measure(sniffer, length, count, COST_PACKETS))?;
        println!(
            "| {length} bytes | {count} | {} | {:.2} µs |",
            measured.captured,
            measured.cpu_per_packet()
        );
    }
    Ok(())
}

fn is_installed(program: &Program) -> bool {
    program.path == "sniffer" || debian::exists(program.path)
}

/// Sends frames of that length through veth pairs, and measures the program that captures them.
fn measure(program: &Program, length: usize, interfaces: u32, packets: u64) -> Result<Measurement> {
    // For the address of `--serve`.
    namespace::set_loopback_up()?;
    for interface in 0..interfaces {
        namespace::ip(&format!("link add left{interface} type veth peer name right{interface}"))?;
        for end in ["left", "right"] {
            namespace::ip(&format!("link set {end}{interface} mtu 9000 addrgenmode none up"))?;
        }
    }
    let directory = super::directory()?;
    let (out, config) = (directory.join("live.out"), directory.join("frame.cfg"));
    let packets_out = out.with_extension("packets");
    fs::write(&config, frame(length))?;
    let mut child = start(program, interfaces, &out, &packets_out)?;
    wait_for_packet_sockets(interfaces)?;
    send(&config, interfaces, packets)?;
    let before = usage::children_cpu()?;
    let processes = wait_until_idle(child.id())?;
    let memory = usage::peak_memory(&processes);
    for process in processes.iter().rev() {
        // A process that has ended needs no signal.
        let _ = kill(Pid::from_raw(i32::try_from(*process)?), Signal::SIGTERM);
    }
    child.wait()?;
    let cpu = usage::children_cpu()? - before;
    let measured = Measurement {
        captured: (program.count)(&out)?,
        cpu,
        memory,
        written: fs::metadata(&out)?.len()
            + fs::metadata(&packets_out).map_or(0, |packets| packets.len()),
    };
    fs::remove_file(out)?;
    if packets_out.exists() {
        fs::remove_file(packets_out)?;
    }
    Ok(measured)
}

fn start(program: &Program, interfaces: u32, out: &Path, packets: &Path) -> Result<Child> {
    let mut command = match program.path {
        "sniffer" => Command::new(build::sniffer_path()),
        path => Command::new(path),
    };
    for arg in program.args {
        match *arg {
            "OUT" => command.arg(out),
            "PACKETS" => command.arg(packets),
            arg => command.arg(arg),
        };
    }
    for interface in 1..interfaces {
        command.args(["-i", &format!("right{interface}")]);
    }
    let writes_file = program.args.contains(&"OUT");
    command.stdout(if writes_file { Stdio::null() } else { File::create(out)?.into() });
    command.stderr(Stdio::null()).spawn().with_context(|| format!("starting {command:?}"))
}

/// trafgen's configuration of a UDP packet with random addresses, ports and identification.
fn frame(length: usize) -> String {
    format!(
        "{{
 0x02,0,0,0,0,2, 0x02,0,0,0,0,1, 0x08,0x00,
 0x45,0,const16({ip}),drnd(2),0x40,0,64,17,csumip(14,33),
 10,0,0,drnd(1), 10,0,1,drnd(1),
 drnd(2), const16(53), const16({udp}), const16(0),
 fill(0x41,{payload})
}}
",
        ip = length - 14,
        udp = length - 34,
        payload = length - HEADERS_LEN,
    )
}

/// Sends the packets, distributed over all interfaces, with one process per interface.
fn send(config: &Path, interfaces: u32, packets: u64) -> Result<()> {
    let share = (packets / u64::from(interfaces)).to_string();
    let senders: Vec<_> = (0..interfaces)
        .map(|interface| {
            let mut sender = Command::new("trafgen");
            // Frames above 2,048 bytes need -J.
            sender.args(["-J", "-o", &format!("left{interface}"), "-P", "1", "-n", &share, "-c"]);
            sender.arg(config).stdout(Stdio::null()).stderr(Stdio::null());
            sender.spawn().context("starting trafgen")
        })
        .collect::<Result<_>>()?;
    for mut sender in senders {
        if !sender.wait()?.success() {
            bail!("trafgen failed");
        }
    }
    Ok(())
}

/// Waits until the capture has opened its packet sockets.
fn wait_for_packet_sockets(interfaces: u32) -> Result<()> {
    let wanted = usize::try_from(interfaces)?;
    wait_until("packet sockets", Duration::from_secs(30), || {
        // The first line is a header.
        Ok(wanted < fs::read_to_string("/proc/thread-self/net/packet")?.lines().count())
    })?;
    // A socket gets its ring and filter later.
    thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// Waits until the processes use no more CPU time, and returns them.
fn wait_until_idle(root: u32) -> Result<Vec<u32>> {
    for _ in 0..MAX_IDLE_WAIT_S {
        let processes = usage::tree(root);
        let before = usage::ticks(&processes);
        thread::sleep(Duration::from_secs(1));
        if usage::ticks(&processes).saturating_sub(before) <= 1 {
            return Ok(processes);
        }
    }
    bail!("still busy {MAX_IDLE_WAIT_S} s after the last packet");
}

fn lines(out: &Path) -> Result<u64> {
    let mut count = 0;
    for line in BufReader::new(File::open(out)?).split(b'\n') {
        line?;
        count += 1;
    }
    Ok(count)
}

/// tshark writes two lines per packet.
fn ek_packets(out: &Path) -> Result<u64> {
    Ok(lines(out)? / 2)
}

fn packets_in_stream(out: &Path) -> Result<u64> {
    packets_in_lines(BufReader::new(File::open(out)?))
}

fn packets_in_compressed_stream(out: &Path) -> Result<u64> {
    packets_in_lines(BufReader::new(zstd::Decoder::new(File::open(out)?)?))
}

/// The packet count in the last line, which the tests verify.
fn packets_in_lines(stream: impl BufRead) -> Result<u64> {
    let mut last = String::new();
    for line in stream.lines() {
        last = line?;
    }
    let end: serde_json::Value = serde_json::from_str(&last)?;
    end["out"].as_u64().context("no `end` record")
}

fn packets_in_capture_file(out: &Path) -> Result<u64> {
    capinfos::packet_count(out).context("capinfos cannot read the capture file")
}
