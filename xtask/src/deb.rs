//! `cargo xtask dist --deb`: the Debian package of the sniffer, made by cargo-deb
//! (<https://github.com/kornelski/cargo-deb>). `sniffer/Cargo.toml` lists its files, and
//! `packaging/debian` contains its scripts.

use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use summary::Printable;

use crate::dist::{self, Linkage};
use crate::{build, debian, licenses};

/// The version of cargo-deb.
const CARGO_DEB: &str = "3.8.0";

/// Path of the package that [`package`] builds.
pub fn package_path() -> PathBuf {
    dist::directory().join("sniffer.deb")
}

/// Builds the package in `target/dist`, and returns its path.
///
/// # Errors
///
/// If a tool is missing or fails.
pub fn package() -> Result<PathBuf> {
    debian::ensure(debian::FOR_PACKAGE)?;
    let cargo_deb = install_cargo_deb()?;
    dist::program(Linkage::Dynamic)?;
    licenses::write(&dist::directory().join("third-party-licenses"))?;
    // As the policy of Debian demands; without name and time, the same text gives the same bytes.
    let gzip = ["--force", "--keep", "--best", "--no-name"];
    build::run(Command::new("gzip").args(gzip).arg(dist::directory().join("sniffer.1")))?;
    let path = package_path();
    let mut command = Command::new(cargo_deb);
    command.current_dir(build::root()).args(["--package", "sniffer", "--no-build"]);
    // Cargo's profiles and the directories below `target` have the same names.
    command.args(["--profile", "dist", "--compress-system", "--output"]).arg(&path);
    if let Some(time) = commit_time() {
        command.env("SOURCE_DATE_EPOCH", time);
    }
    build::run(&mut command)?;
    println!("package: {}", Printable(path.display()));
    Ok(path)
}

/// Where cargo-deb is installed.
pub(crate) fn tools_path() -> PathBuf {
    build::target().join("tools")
}

/// Installs cargo-deb unless it is there, and returns its path.
pub(crate) fn install_cargo_deb() -> Result<PathBuf> {
    let tools = tools_path();
    let (program, version) = (tools.join("bin/cargo-deb"), tools.join("cargo-deb.version"));
    if program.exists() && fs::read_to_string(&version).is_ok_and(|text| text == CARGO_DEB) {
        return Ok(program);
    }
    let mut install = build::cargo(["install", "cargo-deb", "--locked", "--quiet", "--force"]);
    // Without the library of xz: `--compress-system` runs the program.
    install.args(["--no-default-features", "--version", CARGO_DEB, "--root"]).arg(&tools);
    build::run(&mut install)?;
    fs::write(version, CARGO_DEB).context("recording the version of cargo-deb")?;
    Ok(program)
}

/// Seconds since 1970 of the commit, as the time of the files in the package: the same commit gives
/// the same bytes (<https://reproducible-builds.org/specs/source-date-epoch/>).
fn commit_time() -> Option<String> {
    let mut log = Command::new("git");
    let output =
        log.current_dir(build::root()).args(["log", "-1", "--format=%ct"]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
