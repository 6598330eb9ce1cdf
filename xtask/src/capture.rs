//! Captures generated traffic with the sniffer.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs, io::Read};

use crate::namespace::{set_loopback_up_like_ethernet, unprivileged};
use crate::traffic::{self, Until};
use crate::{build, wait::wait_until};

/// Time for the sniffer to open its socket.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// Captures generated traffic for a time, in a new user and network namespace, where no privilege
/// is needed. The sniffer has to be built.
///
/// # Errors
///
/// If the system forbids such namespaces, or the capture fails.
pub fn in_namespace(out: &Path, seconds: f64) -> Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command.arg("capture-here").arg(out).arg("--seconds").arg(seconds.to_string());
    build::run(&mut unprivileged(&command)).context(
        "capturing in a user and network namespace (unprivileged user namespaces may be disabled)",
    )
}

/// Captures generated traffic for a time on the loopback interface of this process's namespace.
///
/// # Errors
///
/// If the capture fails.
pub fn here(out: &Path, seconds: f64) -> Result<()> {
    set_loopback_up_like_ethernet()?;
    let until = Until::Elapsed(Duration::try_from_secs_f64(seconds)?);
    let mut command = Command::new(build::sniffer_path());
    command.args(["-q", "-i", "lo", "--force", "-w"]).arg(out);
    while_capturing(&mut command, out, || traffic::generate(until))
}

/// Starts a capture that writes to `out`, calls `work` once it runs, then stops it.
///
/// # Errors
///
/// If the capture fails, with its error message, or `work` does.
fn while_capturing(
    command: &mut Command,
    out: &Path,
    work: impl FnOnce() -> Result<()>,
) -> Result<()> {
    // An existing file would look like the start of this capture.
    if out.exists() {
        fs::remove_file(out)?;
    }
    let mut child =
        command.stderr(Stdio::piped()).spawn().with_context(|| format!("starting {command:?}"))?;
    let worked = wait_until_started(&mut child, out).and_then(|()| work());
    // The process may already have ended; its exit status then gives the reason.
    let _ = kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGTERM);
    let mut message = String::new();
    if let Some(stderr) = &mut child.stderr {
        stderr.read_to_string(&mut message)?;
    }
    if !child.wait()?.success() {
        bail!("{}", message.trim());
    }
    worked
}

/// The sniffer writes its first line once the socket is bound.
fn wait_until_started(child: &mut Child, out: &Path) -> Result<()> {
    wait_until("start of the capture", START_TIMEOUT, || {
        if child.try_wait()?.is_some() {
            bail!("the sniffer exited before the capture started");
        }
        Ok(fs::metadata(out).is_ok_and(|metadata| metadata.len() > 0))
    })
}
