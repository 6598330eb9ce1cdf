//! A copy of this system whose changes stay in memory: an overlay of the root file system in a
//! mount namespace.

use nix::sched::{CloneFlags, unshare};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tests::process::{Output, Process, finish};
use xtask::build::run;

/// Where the namespace has its mounts. Other processes see an empty directory.
const MOUNTS: &str = "/mnt";

/// The copy; its root directory is visible in the thread that uses it only.
#[derive(Debug)]
pub(super) struct System(());

impl System {
    /// Runs `work` on a thread that sees a new copy. It ends with the thread and the processes that
    /// `work` starts.
    ///
    /// # Panics
    ///
    /// If it cannot be mounted, or `work` panics.
    pub(super) fn run<T: Send>(work: impl FnOnce(&Self) -> T + Send) -> T {
        let inside = || {
            // Needs root.
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            mount(&["--make-rprivate", "/"]);
            mount(&["-t", "tmpfs", "-o", "mode=755", "tmpfs", MOUNTS]);
            for name in ["changes", "work", "root"] {
                std::fs::create_dir(Path::new(MOUNTS).join(name)).unwrap();
            }
            let layers = format!("lowerdir=/,upperdir={MOUNTS}/changes,workdir={MOUNTS}/work");
            mount(&["-t", "overlay", "overlay", "-o", &layers, &format!("{MOUNTS}/root")]);
            for directory in ["/dev", "/proc"] {
                mount(&["--rbind", directory, &format!("{MOUNTS}/root{directory}")]);
            }
            work(&Self(()))
        };
        std::thread::scope(|scope| {
            scope.spawn(inside).join().unwrap_or_else(|panic| resume_unwind(panic))
        })
    }

    /// A path below the root of the copy, as this process sees it.
    pub(super) fn path(&self, path: &str) -> PathBuf {
        Path::new(MOUNTS).join("root").join(path.trim_start_matches('/'))
    }

    /// The directory with all files that were changed or created. Removed ones are character
    /// devices there.
    pub(super) fn changes(&self) -> PathBuf {
        Path::new(MOUNTS).join("changes")
    }

    /// A command that runs a program of the copy as a user with all groups of that user.
    pub(super) fn command(&self, user: &str, program: &str) -> Command {
        let mut command = Command::new("env");
        command.args(["--default-signal", "chroot", &format!("--userspec={user}")]);
        command.arg(self.path("/")).arg(program);
        command.current_dir("/").env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    /// Runs a shell script as root of the copy until it exits.
    ///
    /// # Panics
    ///
    /// If it cannot be started.
    pub(super) fn try_sh(&self, script: &str) -> Output {
        let mut command = self.command("root", "sh");
        command.args(["-ec", script]).stdout(Stdio::piped()).stderr(Stdio::piped());
        finish(Process::spawn(&mut command))
    }

    /// The output of a shell script.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub(super) fn sh(&self, script: &str) -> String {
        let output = self.try_sh(script);
        assert!(output.status.success(), "{script}: {}", output.stderr);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }
}

fn mount(args: &[&str]) {
    run(Command::new("mount").args(args)).unwrap();
}
