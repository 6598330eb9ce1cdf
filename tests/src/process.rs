//! The sniffer as a process: start, wait, signal, stop.

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::Pid;
use std::fs;
use std::io::Read;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use xtask::wait::wait_until;

use crate::stream::Stream;

/// Timeout of every wait.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Timeout of a process that has to exit. Some read large files on a busy machine.
const EXIT_TIMEOUT: Duration = Duration::from_secs(300);

/// What a process returned.
#[derive(Debug)]
pub struct Output {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

/// The sniffer's command, with default signal handling: a shell that runs the tests in the
/// background ignores some signals, and child processes would inherit that.
///
/// # Panics
///
/// If the sniffer was not built.
pub fn sniffer() -> Command {
    let path = xtask::build::sniffer_path();
    assert!(path.is_file(), "{} is missing: cargo xtask test builds it", path.display());
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(path);
    command
}

/// A child process. Dropping it kills the process, so that a failing test leaves none behind.
#[derive(Debug)]
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts a command.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub fn spawn(command: &mut Command) -> Self {
        Self { child: command.spawn().unwrap() }
    }
}

impl Deref for Process {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Process {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the sniffer with these arguments until it exits.
///
/// # Panics
///
/// If it cannot be started.
pub fn run(args: &[&str]) -> Output {
    finish(Process::spawn(sniffer().args(args).stdout(Stdio::piped()).stderr(Stdio::piped())))
}

/// Closes the standard input of a process, and waits for the process to exit.
///
/// # Panics
///
/// If it does not exit in time. It is killed then.
pub fn finish(mut process: Process) -> Output {
    drop(process.stdin.take());
    let stdout = read_to_end(process.stdout.take());
    let stderr = read_to_end(process.stderr.take());
    let mut status = None;
    let has_exited = || {
        status = process.try_wait()?;
        Ok(status.is_some())
    };
    wait_until("exit of a process", EXIT_TIMEOUT, has_exited).unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|reader| reader.join().unwrap());
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Output { status: status.unwrap(), stdout, stderr }
}

/// Reads a pipe on a thread, until its other end is closed.
fn read_to_end(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        bytes
    })
}

/// Waits until a condition holds; `what` names it in the failure.
///
/// # Panics
///
/// If it does not hold in time.
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    wait_until(what, TIMEOUT, || Ok(condition())).unwrap();
}

/// Sends a signal once all frames sent before have been delivered.
///
/// # Panics
///
/// If the process does not exist.
pub fn signal(child: &Child, signal: Signal) {
    wait_for_frames();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
}

/// Waits until no frame is between sender and packet sockets: a busy kernel queues frames and
/// delivers them later.
fn wait_for_frames() {
    wait_for("delivery of all frames", || {
        let queues = fs::read_to_string("/proc/net/softnet_stat").unwrap();
        // Field 12 of each processor's line is the length of its queue (net/core/net-procfs.c).
        queues.lines().all(|queue| queue.split(' ').nth(11) == Some("00000000"))
    });
    // The last frame may have left the queue without having arrived. Closing a packet socket waits
    // for all packet processing in progress (synchronize_net).
    drop(socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None).unwrap());
}

/// A live capture into a file.
#[derive(Debug)]
pub struct Capture {
    process: Process,
    file: PathBuf,
}

impl Capture {
    /// Starts a capture with these arguments and `-w`, and waits until it runs.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start(directory: &Path, args: &[&str]) -> Self {
        let file = directory.join("capture.ndjson");
        let mut command = sniffer();
        command.args(args).arg("--force").arg("-w").arg(&file);
        Self::start_command(&mut command, file)
    }

    /// Starts a command that captures into `file`, and waits until it does.
    ///
    /// # Panics
    ///
    /// If it does not start.
    pub fn start_command(command: &mut Command, file: PathBuf) -> Self {
        let process = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let capture = Self { process, file };
        capture.wait_until(|text| text.starts_with("{\"type\":\"meta\""));
        capture
    }

    /// A capture into `file` that runs already.
    pub fn from_process(process: Process, file: PathBuf) -> Self {
        Self { process, file }
    }

    /// Length of the file in bytes.
    ///
    /// # Panics
    ///
    /// If there is no file.
    pub fn file_len(&self) -> usize {
        fs::read(&self.file).unwrap().len()
    }

    /// Waits until the text of the file meets a condition.
    ///
    /// # Panics
    ///
    /// If it does not in time.
    pub fn wait_until(&self, condition: impl Fn(&str) -> bool) {
        wait_for(&format!("content of {}", self.file.display()), || {
            condition(&fs::read_to_string(&self.file).unwrap_or_default())
        });
    }

    /// Waits for the capture to end without a signal.
    ///
    /// # Panics
    ///
    /// If waiting fails.
    pub fn finish(self) -> Output {
        finish(self.process)
    }

    /// Sends a signal once all frames sent before have been delivered.
    ///
    /// # Panics
    ///
    /// If the process does not exist.
    pub fn signal(&self, kind: Signal) {
        signal(&self.process, kind);
    }

    /// Stops the capture and reads its output.
    ///
    /// # Panics
    ///
    /// If it fails, or its output is invalid.
    pub fn stop(self) -> Stream {
        self.signal(Signal::SIGTERM);
        let (output, stream) = self.wait();
        assert!(output.status.success(), "{}", output.stderr);
        stream
    }

    /// Waits for the capture to end without a signal, and reads its output.
    ///
    /// # Panics
    ///
    /// If its output is invalid.
    pub fn wait(self) -> (Output, Stream) {
        let output = finish(self.process);
        (output, Stream::read(&fs::read(&self.file).unwrap()))
    }
}

#[cfg(test)]
mod tests {
    use super::Process;
    use std::path::PathBuf;
    use std::process::Command;

    #[test]
    fn dropped_process_is_killed() {
        let process = Process::spawn(Command::new("sleep").arg("1000"));
        let status = PathBuf::from(format!("/proc/{}", process.id()));
        assert!(status.exists());
        drop(process);
        assert!(!status.exists());
    }
}
