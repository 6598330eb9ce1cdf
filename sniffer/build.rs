//! Passes what `--version` and the manual page report about the build to the compiler.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    println!("cargo::rustc-env=SNIFFER_TARGET={}", variable("TARGET"));
    println!("cargo::rustc-env=SNIFFER_PROFILE={}", variable("PROFILE"));
    // Builds for development would be repeated after each commit.
    if variable("PROFILE") == "release" && is_own_checkout() {
        let commit = git(&["log", "-1", "--abbrev=12", "--format=%h"]).unwrap_or_default();
        let date = git(&["log", "-1", "--format=%cs"]).unwrap_or_default();
        println!("cargo::rustc-env=SNIFFER_COMMIT={commit}");
        println!("cargo::rustc-env=SNIFFER_DATE={date}");
        for path in ["HEAD", "logs/HEAD"] {
            if let Some(path) = git(&["rev-parse", "--git-path", path]) {
                println!("cargo::rerun-if-changed={path}");
            }
        }
    }
}

/// Returns true if the package is in a checkout of its own repository. A source archive may have been
/// unpacked in that of another project.
fn is_own_checkout() -> bool {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let root = Path::new(&package).parent().and_then(|root| root.canonicalize().ok());
    let top = git(&["rev-parse", "--show-toplevel"]);
    top.and_then(|top| Path::new(&top).canonicalize().ok()) == root && root.is_some()
}

/// The output of git; `None` if it fails or is missing. Users may build what belongs to another user,
/// which git refuses by default.
fn git(args: &[&str]) -> Option<String> {
    let output = Command::new("git").args(["-c", "safe.directory=*"]).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok().filter(|_| output.status.success())?;
    Some(text.trim().to_owned())
}
