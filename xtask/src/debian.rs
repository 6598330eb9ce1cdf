//! Installs the Debian packages that tests and benchmarks need.

use anyhow::{Result, bail};
use std::env;
use std::process::{Command, Stdio};

use crate::build;

/// A program, or a file by its absolute path, and the package that contains it.
pub type Tool = (&'static str, &'static str);

/// Needed by the tests: browsers of both engines, the web server of docs/hosting.md, tools for network
/// namespaces, programs to compare with, names of ports and protocols, shells and a checker of manual
/// pages, and Python for the examples.
pub const FOR_TESTS: &[Tool] = &[
    ("chromium", "chromium"),
    ("firefox-esr", "firefox-esr"),
    ("nginx", "nginx-light"),
    ("ip", "iproute2"),
    ("capinfos", "tshark"),
    ("tcpdump", "tcpdump"),
    ("/etc/services", "netbase"),
    ("zsh", "zsh"),
    ("fish", "fish"),
    ("mandoc", "mandoc"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
];

/// Needed to link the sniffer statically: the compiler of musl, for dependencies in C.
pub const FOR_STATIC: &[Tool] = &[("musl-gcc", "musl-tools")];

/// Needed to build a Debian package: the finder of its dependencies,
/// compression, and stripping.
pub const FOR_PACKAGE: &[Tool] =
    &[("dpkg-shlibdeps", "dpkg-dev"), ("xz", "xz-utils"), ("objcopy", "binutils")];

/// Needed by the tests of the Debian package: its checker, what it depends on, and systemd, which
/// checks its unit.
pub const FOR_PACKAGE_TESTS: &[Tool] = &[
    ("adduser", "adduser"),
    ("lintian", "lintian"),
    ("setcap", "libcap2-bin"),
    ("systemd-analyze", "systemd"),
    ("ip", "iproute2"),
];

/// Needed by the commands of `docs/`, in addition to [`FOR_TESTS`]: the programs that they name, and
/// Java for Spark.
pub const FOR_RECIPES: &[Tool] =
    &[("jq", "jq"), ("sqlite3", "sqlite3"), ("zstd", "zstd"), ("java", "default-jre-headless")];

/// Needed by the benchmarks: the programs to compare with, and a packet generator.
pub const FOR_BENCHES: &[Tool] = &[
    ("chromium", "chromium"),
    ("ip", "iproute2"),
    ("tcpdump", "tcpdump"),
    ("tshark", "tshark"),
    ("dumpcap", "tshark"),
    ("trafgen", "netsniff-ng"),
];

/// Installs missing packages if this is Debian and the user is root.
///
/// # Errors
///
/// As [`missing`], or if the installation fails.
pub fn ensure(tools: &[Tool]) -> Result<()> {
    install(&missing(tools)?)
}

/// The packages that are not installed, in the order of `tools`.
///
/// # Errors
///
/// If a package is missing and cannot be installed; the message contains the command that installs it.
pub fn missing(tools: &[Tool]) -> Result<Vec<&'static str>> {
    let mut missing: Vec<_> =
        tools.iter().filter(|(program, _)| !exists(program)).map(|(_, package)| *package).collect();
    missing.dedup();
    if !missing.is_empty() && (!nix::unistd::Uid::effective().is_root() || !exists("apt-get")) {
        let packages = missing.join(" ");
        bail!("programs are missing; install them with: sudo apt-get install {packages}");
    }
    Ok(missing)
}

/// Installs packages with apt-get, as root.
///
/// # Errors
///
/// If apt-get fails.
pub fn install(packages: &[&str]) -> Result<()> {
    if packages.is_empty() {
        return Ok(());
    }
    println!("installing {}", packages.join(" "));
    let apt = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        command.args(["-q", "-y"]).args(args).env("DEBIAN_FRONTEND", "noninteractive");
        build::run(command.stdout(Stdio::null()))
    };
    apt(&["update"])?;
    apt(&[&["install", "--no-install-recommends"], packages].concat())
}

/// Whether a program of that name, or the file of that path, exists.
pub fn exists(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    // On Debian the path of ordinary users lacks the administration directories.
    let more = ["/usr/sbin".into(), "/sbin".into()];
    env::split_paths(&path).chain(more).any(|directory| directory.join(program).is_file())
}
