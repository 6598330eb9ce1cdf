//! The sniffer as a process: started, waited for, stopped.

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};
use nix::unistd::Pid;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::stream::Stream;

/// How long anything may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a run left behind.
#[derive(Debug)]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: String,
}

/// The sniffer's command, with the usual effect of signals: who runs the tests in the background
/// ignores some of them, and so would their children.
///
/// # Panics
///
/// Where it was not built.
pub fn sniffer() -> Command {
    let path = xtask::build::sniffer_path();
    assert!(path.is_file(), "{} is missing: cargo xtask test builds it", path.display());
    let mut command = Command::new("env");
    command.arg("--default-signal").arg(path);
    command
}

/// Runs the sniffer to its end.
///
/// # Panics
///
/// Where it cannot be started.
pub fn run(words: &[&str]) -> Output {
    finish(sniffer().args(words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

/// Waits for a process to end.
///
/// # Panics
///
/// Where that fails.
pub fn finish(child: Child) -> Output {
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Output { status: output.status, stdout: output.stdout, stderr }
}

/// Waits until something is so.
///
/// # Panics
///
/// Where it is not in time.
pub fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal, after all frames that were sent before it have arrived.
///
/// # Panics
///
/// Where the process is gone.
pub fn signal(child: &Child, kind: Signal) {
    wait_for_frames();
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), kind).unwrap();
}

/// Waits until no frame is on its way to those who listen: a busy kernel queues what it has taken
/// from a sender, and hands it on when it comes to it.
fn wait_for_frames() {
    wait_for("frames on their way", || {
        let queues = fs::read_to_string("/proc/net/softnet_stat").unwrap();
        // The twelfth number of each processor (net/core/net-procfs.c): frames in its queue.
        queues.lines().all(|queue| queue.split(' ').nth(11) == Some("00000000"))
    });
    // The last one may have left the queue and not be there yet. Closing a packet socket waits for
    // all that is under way in the kernel's network (synchronize_net).
    drop(socket(AddressFamily::Packet, SockType::Raw, SockFlag::empty(), None).unwrap());
}

/// A live capture into a file.
#[derive(Debug)]
pub struct Capture {
    child: Child,
    file: PathBuf,
}

impl Capture {
    /// Starts one with these words besides `-w`, and waits until it captures.
    ///
    /// # Panics
    ///
    /// Where it does not begin.
    pub fn start(directory: &Path, words: &[&str]) -> Self {
        let file = directory.join("capture.ndjson");
        let mut command = sniffer();
        command.args(words).arg("--force").arg("-w").arg(&file);
        Self::start_command(&mut command, file)
    }

    /// Starts one by a command that writes into that file, and waits until it captures.
    ///
    /// # Panics
    ///
    /// Where it does not begin.
    pub fn start_command(command: &mut Command, file: PathBuf) -> Self {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let capture = Self { child, file };
        capture.wait_until(|text| text.starts_with("{\"type\":\"meta\""));
        capture
    }

    /// One that was started otherwise, and writes into that file.
    pub fn adopt(child: Child, file: PathBuf) -> Self {
        Self { child, file }
    }

    /// Bytes in the file.
    ///
    /// # Panics
    ///
    /// Where there is no file.
    pub fn file_len(&self) -> usize {
        fs::read(&self.file).unwrap().len()
    }

    /// Waits until what is in the file is as wanted.
    ///
    /// # Panics
    ///
    /// Where it is not in time.
    pub fn wait_until(&self, is_wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !is_wanted(&fs::read_to_string(&self.file).unwrap_or_default()) {
            assert!(Instant::now() < deadline, "not in time: {}", self.file.display());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the capture's own end, and tells what it said.
    ///
    /// # Panics
    ///
    /// Where that fails.
    pub fn finish(self) -> Output {
        finish(self.child)
    }

    /// Sends a signal, after all frames that were sent before it have arrived.
    ///
    /// # Panics
    ///
    /// Where the process is gone.
    pub fn signal(&self, kind: Signal) {
        signal(&self.child, kind);
    }

    /// Stops the capture and reads what it wrote.
    ///
    /// # Panics
    ///
    /// Where it ends with an error, or its stream is none.
    pub fn stop(self) -> Stream {
        self.signal(Signal::SIGTERM);
        let (output, stream) = self.wait();
        assert!(output.status.success(), "{}", output.stderr);
        stream
    }

    /// Waits for the capture's own end and reads what it wrote.
    ///
    /// # Panics
    ///
    /// Where its stream is none.
    pub fn wait(self) -> (Output, Stream) {
        let output = finish(self.child);
        (output, Stream::read(&fs::read(&self.file).unwrap()))
    }
}
