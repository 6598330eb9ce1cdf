//! `cargo xtask test`: all checks and all tests, and how many they were.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::{build, debian, namespace, python};

/// Runs everything.
///
/// # Errors
///
/// Where a check or a test fails.
pub fn run() -> Result<()> {
    debian::ensure(debian::FOR_TESTS)?;
    println!("== formatting");
    build::run(&mut build::cargo(["fmt", "--all", "--check"]))?;
    println!("== sniffer and site");
    build::sniffer()?;
    build::site()?;
    println!("== clippy");
    let deny = ["--", "--deny", "warnings"];
    build::run(build::cargo(["clippy", "--workspace", "--all-targets"]).args(deny))?;
    let wasm = ["clippy", "--package", "viewer", "--lib", "--target", "wasm32-unknown-unknown"];
    build::run(build::cargo(wasm).args(deny))?;
    println!("== documentation");
    let mut doc = build::cargo(["doc", "--workspace", "--no-deps", "--quiet"]);
    build::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))?;
    println!("== examples");
    python::ensure()?;
    println!("== tests");
    let counts = count_tests(&mut tests()?)?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    if counts.failed > 0 || counts.passed == 0 {
        bail!("the tests failed");
    }
    Ok(())
}

/// All tests; who is not root runs them as root of a user namespace, for the network namespaces.
fn tests() -> Result<Command> {
    let mut command = build::cargo(["test", "--workspace", "--no-fail-fast"]);
    if nix::unistd::Uid::effective().is_root() {
        return Ok(command);
    }
    build::run(&mut build::cargo(["test", "--workspace", "--no-run"]))?;
    command = Command::new(std::env::current_exe()?);
    command.arg("test-here");
    Ok(namespace::unprivileged(&command))
}

/// Runs the tests as root of the namespaces that this process is in.
///
/// # Errors
///
/// Where a test fails.
pub fn here() -> Result<()> {
    // The page's server is on loopback.
    namespace::set_loopback_up()?;
    build::run(&mut build::cargo(["test", "--workspace", "--no-fail-fast"]))
}

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
}

/// Passes the tests' words on, and adds up their results.
fn count_tests(command: &mut Command) -> Result<Counts> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("starting the tests")?;
    let mut counts = Counts::default();
    let stdout = child.stdout.take().context("the tests' words")?;
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        if let Some(result) = line.strip_prefix("test result: ") {
            counts.passed += number_before(result, " passed");
            counts.failed += number_before(result, " failed");
        }
    }
    if !child.wait()?.success() {
        // A test program that crashed has no result of its own.
        counts.failed = counts.failed.max(1);
    }
    Ok(counts)
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::number_before;

    #[test]
    fn results_are_counted() {
        let line = "ok. 46 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!((number_before(line, " passed"), number_before(line, " failed")), (46, 2));
    }
}
