//! Least privilege: once a run has opened what needs privilege, it gives up everything that it does
//! not need, before it reads the first untrusted byte.
//!
//! ```text
//! user and groups -> capabilities -> no_new_privs -> Landlock -> seccomp
//! ```
//!
//! [`enter`] applies all layers to the calling thread. Threads inherit them, so it must be called
//! before any thread is started. `docs/security.md` describes the layers to users.

mod account;
mod capabilities;
mod landlock;
mod seccomp;

pub(crate) use capabilities::with_net_raw;

use nix::sys::prctl::set_no_new_privs;
use std::path::PathBuf;

use crate::Error;
use account::Account;

/// Names of layers, for reports.
const CAPABILITIES: &str = "capabilities can be dropped";
const NO_NEW_PRIVS: &str = "no_new_privs";
pub(crate) const LANDLOCK: &str = "Landlock";
const SECCOMP: &str = "seccomp";
pub(crate) const THREAD: &str = "a thread to try the layers";

/// How strictly the sandbox is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Refuse to run without the whole sandbox.
    Strict,
    /// Apply what the system allows.
    #[default]
    BestEffort,
    /// Keep all privileges.
    Off,
}

/// Configuration of the sandbox.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    pub(crate) mode: Mode,
    /// The user to change to if started as root; `None` chooses one.
    pub(crate) user: Option<String>,
}

/// What a run needs inside the sandbox.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) files: FileAccess,
    pub(crate) sockets: SocketAccess,
    /// Whether the run starts threads.
    pub(crate) starts_threads: bool,
    /// Whether the run changes the modes of a terminal that is open.
    pub(crate) sets_terminal: bool,
    /// Whether the run accepts connections on a socket that listens.
    pub(crate) accepts_connections: bool,
}

impl Policy {
    /// For a run that only reads and writes files that are open.
    pub(crate) const MINIMAL: Self = Self {
        files: FileAccess::NONE,
        sockets: SocketAccess::None,
        starts_threads: false,
        sets_terminal: false,
        accepts_connections: false,
    };
}

/// Access to files that are not open yet: none without directories, because the outputs are open and
/// stay the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileAccess {
    pub(crate) directories: Vec<DirectoryAccess>,
}

/// Output files can be created, renamed and removed in a directory, and in those that it contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryAccess {
    pub(crate) path: PathBuf,
    /// Whether directories can be created in it.
    pub(crate) creates_directories: bool,
}

impl FileAccess {
    /// No access to files.
    pub(crate) const NONE: Self = Self { directories: Vec::new() };

    /// Whether no file can be opened.
    fn is_none(&self) -> bool {
        self.directories.is_empty()
    }
}

/// Access to sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocketAccess {
    /// No socket calls at all.
    None,
    /// Controls packet sockets that are open, and queries interfaces over rtnetlink(7).
    Control,
    /// Also opens packet sockets, for which CAP_NET_RAW stays permitted.
    Reopen,
}

/// Applies the sandbox to the calling thread, which must be the only one. Returns a message about
/// layers that this system does not offer.
///
/// # Errors
///
/// If the user of the options does not exist. In strict mode if a layer is missing.
pub(crate) fn enter(options: &Options, policy: &Policy) -> Result<Option<String>, Error> {
    if options.mode == Mode::Off {
        return Ok(None);
    }
    let mut missing = Vec::new();
    let mut note = |layer: Result<(), String>| missing.extend(layer.err());
    // Opens directories, which the new user may be unable to reach by its path.
    let ruleset = landlock::ruleset(&policy.files);
    let account = Account::choose(options.user.as_deref())?;
    let keeps_net_raw = policy.sockets == SocketAccess::Reopen;
    note(capabilities::clear_bounding_set());
    if let Some(account) = account.map_err(|reason| note(Err(reason))).ok().flatten() {
        note(capabilities::keep_permitted(|| account.change_to(&policy.files)));
    }
    note(capabilities::drop_all(keeps_net_raw));
    note(set_no_new_privs().map_err(|errno| format!("no_new_privs failed: {errno}")));
    note(ruleset.and_then(landlock::restrict));
    note(seccomp::restrict(policy));
    match (&missing[..], options.mode) {
        ([], _) => Ok(None),
        (missing, Mode::Strict) => Err(Error::Sandbox { missing: missing.join("; ") }),
        (missing, _) => Ok(Some(format!("incomplete sandbox: {}", missing.join("; ")))),
    }
}

/// Tries all layers, except for changing the user, which would affect the whole process.
pub(crate) fn probe() -> Vec<(&'static str, Result<(), String>)> {
    let layers = || {
        let policy = Policy::MINIMAL;
        let ruleset = landlock::ruleset(&policy.files);
        vec![
            (CAPABILITIES, capabilities::drop_all(false)),
            (NO_NEW_PRIVS, set_no_new_privs().map_err(|errno| errno.to_string())),
            (LANDLOCK, ruleset.and_then(landlock::restrict)),
            (SECCOMP, seccomp::restrict(&policy)),
        ]
    };
    // The layers apply to one thread, and end with it.
    let probed = std::thread::Builder::new().spawn(layers).map(std::thread::JoinHandle::join);
    match probed {
        Ok(layers) => layers.unwrap_or_default(),
        Err(error) => vec![(THREAD, Err(error.to_string()))],
    }
}

#[cfg(test)]
mod tests;
