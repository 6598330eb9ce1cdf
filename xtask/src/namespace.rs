//! Network namespaces, which isolate test traffic from the machine's.

use anyhow::{Context, Result, bail};
use nix::sched::{CloneFlags, unshare};
use std::panic::resume_unwind;
use std::process::Command;

/// Runs `work` on a thread in a new network namespace with loopback up. Processes that `work`
/// starts are in that namespace too; it ends with the last of them.
///
/// Needs root, of the machine or of a user namespace.
///
/// # Panics
///
/// If the namespace cannot be created, or `work` panics.
#[expect(clippy::expect_used, reason = "for tests, which fail by panicking")]
pub fn run<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let inside = || {
        unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace needs root: unshare -rn");
        set_loopback_up().expect("loopback up");
        work()
    };
    std::thread::scope(|scope| {
        scope.spawn(inside).join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// Wraps a command so that it runs as root of a new user and network namespace. Needs no privilege
/// where the system lets users create namespaces.
pub fn unprivileged(command: &Command) -> Command {
    let mut wrapped = Command::new("unshare");
    wrapped
        .args(["--map-root-user", "--net", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    wrapped
}

/// Brings the loopback interface of this namespace up.
///
/// # Errors
///
/// If `ip` is missing or the kernel refuses.
pub fn set_loopback_up() -> Result<()> {
    ip("link set lo up")
}

/// Brings the loopback interface of this namespace up with Ethernet's limits: an MTU of 1,500 bytes
/// and no segments merged by offload.
///
/// # Errors
///
/// If `ip` is missing or the kernel refuses.
pub fn set_loopback_up_like_ethernet() -> Result<()> {
    ip("link set lo up mtu 1500 gso_max_segs 1")
}

/// Runs `ip` with these arguments, separated by spaces.
///
/// # Errors
///
/// If `ip` (package iproute2) cannot be started or fails.
pub fn ip(args: &str) -> Result<()> {
    let output = Command::new("ip").args(args.split_whitespace()).output();
    let output = output.context("starting ip (package iproute2)")?;
    if !output.status.success() {
        bail!("ip {args}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
