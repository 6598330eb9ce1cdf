//! Captures with the sniffer while this program makes traffic.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, io::Read};

use crate::namespace::{set_loopback_up_like_ethernet, unprivileged};
use crate::{build, traffic};

/// How long the sniffer may take to open its socket.
const START_DEADLINE: Duration = Duration::from_secs(10);

/// Has the sniffer, which has to be built, capture this program's own traffic on loopback in namespaces
/// of its own, for a time or a sample.
///
/// # Errors
///
/// Where the system lets users make no namespaces, or the capture fails.
pub fn in_namespace(out: &Path, seconds: Option<f64>) -> Result<()> {
    let mut words = Command::new(env::current_exe()?);
    words.arg("capture-here").arg(out);
    if let Some(seconds) = seconds {
        words.arg("--seconds").arg(seconds.to_string());
    }
    build::run(&mut unprivileged(&words))
        .context("capturing in a user and network namespace (does this system forbid them?)")
}

/// Captures on loopback of the namespace that this process is in.
///
/// # Errors
///
/// Where the capture fails.
pub fn here(out: &Path, seconds: Option<f64>) -> Result<()> {
    set_loopback_up_like_ethernet()?;
    let length = match seconds {
        None => traffic::Length::Sample,
        Some(seconds) => traffic::Length::Time(Duration::try_from_secs_f64(seconds)?),
    };
    let mut command = Command::new(build::sniffer_path());
    command.args(["-q", "-i", "lo", "--force", "-w"]).arg(out);
    while_capturing(&mut command, out, || traffic::make(length))
}

/// Starts the capture, works when it is running, then ends it and waits for its last line.
///
/// # Errors
///
/// Where the capture cannot be started or fails (with its words), or the work does.
pub fn while_capturing(
    command: &mut Command,
    out: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    // A file of another run would look like this one's first line.
    if out.exists() {
        fs::remove_file(out)?;
    }
    let mut child =
        command.stderr(Stdio::piped()).spawn().with_context(|| format!("starting {command:?}"))?;
    let worked = wait_until_started(&mut child, out).and_then(|()| work());
    // It may be gone already; then its status says why.
    let _ = kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM);
    let mut words = String::new();
    if let Some(stderr) = &mut child.stderr {
        stderr.read_to_string(&mut words)?;
    }
    if !child.wait()?.success() {
        bail!("{}", words.trim());
    }
    worked
}

/// The first line is written when the socket is bound.
fn wait_until_started(child: &mut Child, out: &Path) -> Result<()> {
    let deadline = Instant::now() + START_DEADLINE;
    while fs::metadata(out).map_or(0, |metadata| metadata.len()) == 0 {
        if child.try_wait()?.is_some() {
            bail!("the capture ended before it began");
        }
        if deadline < Instant::now() {
            bail!("the capture did not begin");
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}
