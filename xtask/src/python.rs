//! Packages of PyPI, in directories below cargo's: what the examples in Python need, and what the
//! tests of the page borrow.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
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

/// The script of axe-core, which looks for what keeps people from using a page
/// (<https://github.com/dequelabs/axe-core>): a package of PyPI carries it.
pub fn axe_path() -> PathBuf {
    build::target().join("axe/axe_playwright_python/axe.min.js")
}

/// Installs what the requirements of examples and tests name, unless it is there.
///
/// # Errors
///
/// Where pip fails.
pub fn ensure() -> Result<()> {
    install(&examples_path(), &packages_path(), &[])?;
    // The script alone, not what drives a browser with it.
    install(&build::root().join("tests"), &build::target().join("axe"), &["--no-deps"])
}

fn install(needing: &Path, packages: &Path, options: &[&str]) -> Result<()> {
    let requirements = needing.join("requirements.txt");
    let wanted = fs::read(&requirements).context("the requirements")?;
    let installed = packages.join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    // Anew: pip does not replace what is in such a directory.
    let _ = fs::remove_dir_all(packages);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--root-user-action", "ignore", "--target"]).arg(packages).args(options);
    build::run(pip.arg("--requirement").arg(requirements))?;
    fs::write(installed, wanted).context("noting what is installed")
}
