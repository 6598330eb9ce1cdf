//! Live capture beside the peers: the same frames through veth, at the sender's full speed.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::usage;
use tests::capinfos;
use xtask::{build, debian, namespace};

const PACKETS: u64 = 2_000_000;
/// Of tshark's packets: it would need minutes for all.
const SLOW_SHARE: u64 = 10;
/// Packets of a run that tells what a packet costs.
const COST_PACKETS: u64 = 1_000_000;

/// Lengths of the frames whose cost is told, in bytes.
const LENGTHS: [usize; 4] = [60, 300, 1_500, 9_000];
/// Numbers of the interfaces among which the same packets are shared out.
const INTERFACE_COUNTS: [u32; 3] = [1, 2, 4];

/// Ethernet, IPv4 and UDP headers.
const HEADERS_LEN: usize = 42;

/// A program that captures on `right0`; `OUT` stands for its output file, which else is where its
/// standard output goes.
struct Program {
    name: &'static str,
    path: &'static str,
    words: &'static [&'static str],
    packets: u64,
    kept: fn(&Path) -> Result<u64>,
}

const PROGRAMS: [Program; 7] = [
    Program {
        name: "sniffer",
        path: "sniffer",
        words: &["-q", "-i", "right0", "--force", "-w", "OUT"],
        packets: PACKETS,
        kept: packets_in_stream,
    },
    Program {
        name: "sniffer --threads 2",
        path: "sniffer",
        words: &["-q", "-i", "right0", "--threads", "2", "--force", "-w", "OUT"],
        packets: PACKETS,
        kept: packets_in_stream,
    },
    Program {
        name: "sniffer --compress zstd",
        path: "sniffer",
        words: &["-q", "-i", "right0", "--compress", "zstd", "--force", "-w", "OUT"],
        packets: PACKETS,
        kept: packets_in_compressed_stream,
    },
    Program {
        name: "tcpdump -w (binary copy)",
        path: "tcpdump",
        words: &["-i", "right0", "-w", "OUT"],
        packets: PACKETS,
        kept: packets_in_capture_file,
    },
    Program {
        name: "dumpcap (binary copy)",
        path: "dumpcap",
        words: &["-q", "-i", "right0", "-w", "OUT"],
        packets: PACKETS,
        kept: packets_in_capture_file,
    },
    Program {
        name: "tcpdump -nn (text)",
        path: "tcpdump",
        words: &["-nn", "-i", "right0"],
        packets: PACKETS,
        kept: lines,
    },
    Program {
        name: "tshark -T ek",
        path: "tshark",
        words: &["-l", "-n", "-T", "ek", "-i", "right0"],
        packets: PACKETS / SLOW_SHARE,
        kept: ek_packets,
    },
];

/// What a run came to.
struct Figures {
    kept: u64,
    /// CPU time, user and system, of all the program's processes.
    cpu: Duration,
    /// Most memory that they had, in bytes.
    memory: u64,
    /// Bytes written.
    written: u64,
}

impl Figures {
    /// CPU time for each packet kept, in microseconds.
    fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.kept.max(1) as f64
    }
}

pub(super) fn run() -> Result<()> {
    println!("\n{PACKETS} UDP frames of 60 bytes through veth, all on one machine\n");
    println!(
        "| program | sent | kept | dropped | CPU a packet kept | times sniffer's | peak memory \
         | written |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut first = None;
    for program in PROGRAMS.iter().filter(|program| is_there(program)) {
        let figures = namespace::run(|| measure(program, LENGTHS[0], 1, program.packets))?;
        println!(
            "| {} | {} | {} | {} | {:.2} µs | {:.1} | {} MiB | {} MB |",
            program.name,
            program.packets,
            figures.kept,
            program.packets.saturating_sub(figures.kept),
            figures.cost(),
            figures.cost() / *first.get_or_insert(figures.cost()),
            figures.memory >> 20,
            figures.written / 1_000_000,
        );
    }
    println!("\nsniffer's CPU a packet as the work grows, {COST_PACKETS} packets each\n");
    println!("| frames | interfaces | kept | CPU a packet kept |\n|---|---|---|---|");
    let sniffer = &PROGRAMS[0];
    let lengths = LENGTHS.map(|length| (length, 1));
    let counts = INTERFACE_COUNTS.map(|count| (LENGTHS[0], count));
    for (length, count) in lengths.into_iter().chain(counts.into_iter().skip(1)) {
        let figures = namespace::run(|| measure(sniffer, length, count, COST_PACKETS))?;
        println!("| {length} bytes | {count} | {} | {:.2} µs |", figures.kept, figures.cost());
    }
    Ok(())
}

fn is_there(program: &Program) -> bool {
    program.path == "sniffer" || debian::exists(program.path)
}

/// Sends frames of that length through as many pairs of interfaces, and tells what capturing them
/// took.
fn measure(program: &Program, length: usize, interfaces: u32, packets: u64) -> Result<Figures> {
    for interface in 0..interfaces {
        namespace::ip(&format!("link add left{interface} type veth peer name right{interface}"))?;
        for end in ["left", "right"] {
            namespace::ip(&format!("link set {end}{interface} mtu 9000 addrgenmode none up"))?;
        }
    }
    let directory = super::directory()?;
    let (out, config) = (directory.join("live.out"), directory.join("frame.cfg"));
    fs::write(&config, frame(length))?;
    let mut child = start(program, interfaces, &out)?;
    wait_for_packet_sockets(interfaces)?;
    send(&config, interfaces, packets)?;
    let before = usage::children_cpu()?;
    let processes = wait_until_quiet(child.id());
    let memory = usage::peak_memory(&processes);
    for process in processes.iter().rev() {
        // Whatever is gone already needs no signal.
        let _ = kill(Pid::from_raw(i32::try_from(*process)?), Signal::SIGTERM);
    }
    child.wait()?;
    let cpu = usage::children_cpu()? - before;
    let figures =
        Figures { kept: (program.kept)(&out)?, cpu, memory, written: fs::metadata(&out)?.len() };
    fs::remove_file(out)?;
    Ok(figures)
}

fn start(program: &Program, interfaces: u32, out: &Path) -> Result<Child> {
    let mut command = match program.path {
        "sniffer" => Command::new(build::sniffer_path()),
        path => Command::new(path),
    };
    for word in program.words {
        if *word == "OUT" {
            command.arg(out);
        } else {
            command.arg(word);
        }
    }
    for interface in 1..interfaces {
        command.args(["-i", &format!("right{interface}")]);
    }
    let writes_itself = program.words.contains(&"OUT");
    command.stdout(if writes_itself { Stdio::null() } else { File::create(out)?.into() });
    command.stderr(Stdio::null()).spawn().with_context(|| format!("starting {command:?}"))
}

/// For trafgen: a UDP packet whose addresses, ports and identification change.
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

/// Shares the packets out among the interfaces, and sends them from one process each at once.
fn send(config: &Path, interfaces: u32, packets: u64) -> Result<()> {
    let share = (packets / u64::from(interfaces)).to_string();
    let senders: Vec<_> = (0..interfaces)
        .map(|interface| {
            let mut sender = Command::new("trafgen");
            // Without -J no frame may be longer than 2,048 bytes.
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

/// A capture is running when this namespace has its packet sockets.
fn wait_for_packet_sockets(interfaces: u32) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let wanted = usize::try_from(interfaces)?;
    // Behind one line of headings.
    while fs::read_to_string("/proc/thread-self/net/packet")?.lines().count() < 1 + wanted {
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

fn packets_in_stream(out: &Path) -> Result<u64> {
    packets_in_lines(BufReader::new(File::open(out)?))
}

fn packets_in_compressed_stream(out: &Path) -> Result<u64> {
    packets_in_lines(BufReader::new(zstd::Decoder::new(File::open(out)?)?))
}

/// What the stream itself says in its last line, which the tests hold against its packets.
fn packets_in_lines(stream: impl BufRead) -> Result<u64> {
    let mut last = String::new();
    for line in stream.lines() {
        last = line?;
    }
    let end: serde_json::Value = serde_json::from_str(&last)?;
    end["out"].as_u64().context("an `end` record")
}

fn packets_in_capture_file(out: &Path) -> Result<u64> {
    capinfos::packets(out).context("a capture file that capinfos reads")
}
