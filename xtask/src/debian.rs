//! The programs that tests and benches need, from Debian's packages.

use anyhow::{Result, bail};
use std::env;
use std::process::Command;

use crate::build;

/// A program, or a file by its whole path, and the package that has it.
pub type Tool = (&'static str, &'static str);

/// For the tests: a browser, namespaces' interfaces, programs to compare with, names of ports and
/// protocols, and the examples' language.
pub const FOR_TESTS: &[Tool] = &[
    ("chromium", "chromium"),
    ("ip", "iproute2"),
    ("capinfos", "tshark"),
    ("tcpdump", "tcpdump"),
    ("/etc/services", "netbase"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
];

/// For the benches: the peers, and a sender as fast as the kernel.
pub const FOR_BENCHES: &[Tool] = &[
    ("chromium", "chromium"),
    ("ip", "iproute2"),
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("dumpcap", "tshark"),
    ("trafgen", "netsniff-ng"),
];

/// Installs what is missing, where this is a Debian and its root; else says what to install.
///
/// # Errors
///
/// Where something is missing and cannot be installed.
pub fn ensure(tools: &[Tool]) -> Result<()> {
    let missing: Vec<_> =
        tools.iter().filter(|(program, _)| !exists(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let wanted = missing.join(" ");
    if !nix::unistd::Uid::effective().is_root() || !exists("apt-get") {
        bail!("these programs are missing; install them with:  sudo apt-get install {wanted}");
    }
    println!("installing {wanted}");
    let apt = |words: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y"]).args(words).env("DEBIAN_FRONTEND", "noninteractive");
        build::run(command.stdout(std::process::Stdio::null()))
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], &missing[..]].concat())
}

/// Whether a program of that name, or the file of that path, exists.
pub fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // Debian's users do not have the administrators' directories in their path.
    let more = ["/usr/sbin".into(), "/sbin".into()];
    env::split_paths(&path).chain(more).any(|directory| directory.join(program).is_file())
}
