//! CPU time and memory of processes, from the kernel.

use anyhow::Result;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::process::Command;
use std::time::Duration;
use tests::process_tree::stat;
pub(super) use tests::process_tree::tree;

/// User and system time of all child processes that have ended.
pub(super) fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let total = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(total)?))
}

/// CPU time of running processes in clock ticks.
pub(super) fn ticks(processes: &[u32]) -> u64 {
    let of = |pid: u32| -> Option<u64> {
        let stat = stat(pid)?;
        Some(stat.get(11)?.parse::<u64>().ok()? + stat.get(12)?.parse::<u64>().ok()?)
    };
    processes.iter().filter_map(|pid| of(*pid)).sum()
}

/// Time in clock ticks in which the processors of the machine were busy.
pub(super) fn machine_ticks() -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let ticks: Vec<u64> = fields.filter_map(|field| field.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq (proc(5)).
    Ok([0, 1, 2, 5, 6].iter().filter_map(|index| ticks.get(*index)).sum())
}

/// Sum of the peak memory of running processes in bytes.
pub(super) fn peak_memory(processes: &[u32]) -> u64 {
    let of = |pid: u32| -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
        Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
    };
    processes.iter().filter_map(|pid| of(*pid)).sum()
}

/// The machine, its kernel, the date, and versions of the other programs.
pub(super) fn machine() -> Result<String> {
    let first_line = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        text.and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or_default()
    };
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name\t: ")).unwrap_or("?");
    let cores = std::thread::available_parallelism()?;
    let tcpdump = Command::new("tcpdump").arg("--version").output()?;
    let tcpdump = String::from_utf8_lossy(&[tcpdump.stdout, tcpdump.stderr].concat()).into_owned();
    Ok(format!(
        "{model}, {cores} cores, Linux {}, {}, {}, {}, {}",
        first_line("uname", &["-r"]),
        first_line("date", &["-u", "+%Y-%m-%d"]),
        tcpdump.lines().next().unwrap_or_default(),
        first_line("tshark", &["--version"]),
        first_line("chromium", &["--version"]),
    ))
}
