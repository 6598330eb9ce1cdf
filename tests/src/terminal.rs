//! Runs a program in a pseudo-terminal of script(1).

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{Read, Write};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::process::{Process, wait_for};

/// A shell command on a terminal of 30 lines and 160 columns.
#[derive(Debug)]
pub struct Terminal {
    script: Process,
    /// Everything that the terminal received.
    output: Arc<Mutex<String>>,
}

impl Terminal {
    /// Runs a shell command.
    ///
    /// # Panics
    ///
    /// If script(1) cannot be started.
    pub fn start(command: &str) -> Self {
        let command = format!("stty rows 30 cols 160; {command}");
        let mut script = Command::new("script");
        script.args(["--quiet", "--return", "--command", &command, "/dev/null"]);
        let mut script = Process::spawn(script.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let output = Arc::new(Mutex::new(String::new()));
        if let Some(mut pipe) = script.stdout.take() {
            let output = output.clone();
            thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(len @ 1..) = pipe.read(&mut buffer) {
                    output.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..len]));
                }
            });
        }
        Self { script, output }
    }

    /// Everything that the terminal received.
    ///
    /// # Panics
    ///
    /// If the reading thread panicked.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Waits until the last screen meets a condition. A screen begins where the cursor goes home.
    ///
    /// # Panics
    ///
    /// If it does not in time.
    pub fn wait_for_screen(&self, what: &str, condition: impl Fn(&str) -> bool) {
        wait_for(what, || self.output().rsplit("\u{1b}[H").next().is_some_and(&condition));
    }

    /// Presses keys.
    ///
    /// # Panics
    ///
    /// If the program has ended.
    pub fn press(&mut self, keys: &str) {
        let stdin = self.script.stdin.as_mut().unwrap();
        stdin.write_all(keys.as_bytes()).unwrap();
        stdin.flush().unwrap();
    }

    /// Sends a signal to the sniffer on the terminal.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn signal(&self, signal: Signal) {
        let pid = descendants(self.script.id()).into_iter().find(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "sniffer\n")
        });
        kill(Pid::from_raw(i32::try_from(pid.unwrap()).unwrap()), signal).unwrap();
    }

    /// Waits until the command has ended, and returns its status with everything that the terminal received.
    ///
    /// # Panics
    ///
    /// If it does not end in time.
    pub fn finish(mut self) -> (ExitStatus, String) {
        let mut status = None;
        wait_for("the end of the command", || {
            status = self.script.try_wait().unwrap();
            status.is_some()
        });
        // The thread drops its handle when it has read everything.
        wait_for("all output", || Arc::strong_count(&self.output) == 1);
        (status.unwrap(), self.output())
    }
}

/// A process and all its descendants.
fn descendants(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let children = children.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    [pid].into_iter().chain(children.flat_map(descendants)).collect()
}
