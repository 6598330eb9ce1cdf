//! The packages that the examples in Python need, in a directory below cargo's.

use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::build;

/// Where the examples are.
pub fn examples_path() -> PathBuf {
    build::root().join("sniffer/examples/python")
}

/// Where the packages are that [`ensure`] installs: for `PYTHONPATH`.
pub fn packages_path() -> PathBuf {
    build::target().join("python")
}

/// Installs what the examples' requirements name, unless it is there.
///
/// # Errors
///
/// Where pip fails.
pub fn ensure() -> Result<()> {
    let requirements = examples_path().join("requirements.txt");
    let wanted = fs::read(&requirements).context("the examples' requirements")?;
    let packages = packages_path();
    let installed = packages.join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    // Anew: pip does not replace what is in such a directory.
    let _ = fs::remove_dir_all(&packages);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--root-user-action", "ignore", "--target"]).arg(&packages);
    build::run(pip.arg("--requirement").arg(requirements))?;
    fs::write(installed, wanted).context("noting what is installed")
}
