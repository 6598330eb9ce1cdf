//! Landlock (landlock(7)): no access to files, except that the outputs can create, rename and
//! remove files in their directories. No TCP, and no signals or abstract sockets to processes outside.

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, LandlockStatus, PathBeneath, PathFd, PathFdError,
    Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use std::io;
use std::path::Path;

use super::{DirectoryAccess, FileAccess};

/// The latest version whose rights are handled. Kernels with an older one enforce what they know;
/// seccomp refuses the system calls that the newer rights are about.
const VERSION: ABI = ABI::V6;

/// Rules for the files of a run. Opens them, which must be possible.
pub(super) fn ruleset(files: &FileAccess) -> Result<RulesetCreated, String> {
    let create = || -> Result<RulesetCreated, RulesetError> {
        Ruleset::default()
            .handle_access(AccessFs::from_all(VERSION))?
            .handle_access(AccessNet::from_all(VERSION))?
            .scope(Scope::from_all(VERSION))?
            .create()
    };
    let mut ruleset = create().map_err(failed)?;
    for DirectoryAccess { path, creates_directories } in &files.directories {
        let mut access =
            AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg | AccessFs::RemoveFile;
        if *creates_directories {
            access |= AccessFs::MakeDir;
        }
        ruleset = allow(ruleset, path, access)?;
    }
    if !files.is_none() {
        // Tells on SIGHUP whether the terminal was closed.
        ruleset = allow(ruleset, Path::new("/dev/tty"), AccessFs::ReadFile.into())?;
    }
    Ok(ruleset)
}

/// Allows access to a file or to everything in a directory. A later step reports better than this
/// function that it does not exist or cannot be reached, but not that descriptors or memory run out.
fn allow(
    ruleset: RulesetCreated,
    path: &Path,
    access: BitFlags<AccessFs>,
) -> Result<RulesetCreated, String> {
    match PathFd::new(path) {
        Ok(file) => ruleset.add_rule(PathBeneath::new(file, access)).map_err(failed),
        Err(PathFdError::OpenCall { source, .. }) if is_exhaustion(&source) => {
            Err(format!("Landlock failed: cannot open `{}`: {source}", path.display()))
        }
        Err(_) => Ok(ruleset),
    }
}

/// Whether the process or the system has too few resources.
fn is_exhaustion(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM))
}

/// Enforces the rules on the calling thread.
pub(super) fn restrict(ruleset: RulesetCreated) -> Result<(), String> {
    let status = ruleset.restrict_self().map_err(failed)?;
    match (status.ruleset, status.landlock) {
        (RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced, _) => Ok(()),
        (_, LandlockStatus::NotEnabled) => Err("Landlock is not enabled".to_owned()),
        _ => Err("this kernel has no Landlock".to_owned()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn failed(error: RulesetError) -> String {
    format!("Landlock failed: {error}")
}
